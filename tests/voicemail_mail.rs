//! Owners are told by mail, pager and web, once, by real servers, whatever is down meanwhile.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;

use lab::{Agent, Does, MailServer, SimulatedCall, WebSink, wait_until};
use mailbox_stage::{SOON, account, left_behind, rows, wav};

/// Somebody called `"; DROP TABLE` leaves an urgent message.
fn leaves(agent: &Agent, mailbox: &str) {
    let script = vec![
        ("RECORD FILE", Does::Speaks(wav(500, 3))),
        ("vm-review\"", Does::Key('4')),
        ("vm-review\"", Does::Key('1')),
    ];
    SimulatedCall::new(&format!("voicemail/{mailbox}/unavailable"), "\"; DROP TABLE", script).run(agent.agi());
}

#[test]
fn a_message_goes_out_once_by_every_way_when_its_server_is_back() {
    let (mut mail, web) = (MailServer::default(), WebSink::default());
    let plan = Agent::builder()
        .set("notices.smtp", &format!("smtp://{}", mail.address()))
        .set("notices.from", "Tandem <tandem@example.com>")
        .set("voicemail.alarm_seconds", "1");
    plan.tandem_ok(&["migrate"]);
    plan.sql(&account(&["2101"]));
    plan.sql(&format!(
        "UPDATE mailboxes SET mail = 'one@example.com, two@example.com', pager = 'beep@example.com', webhook = '{}' WHERE id = '2101'",
        web.url()
    ));
    let mut agent = plan.start();
    leaves(&agent, "2101");
    wait_until("an alarm", SOON, || agent.get("/status").unwrap().1.contains("mails and posts about messages wait"));
    // The message itself is there.
    let database = agent.plan().folder().join("tandem.db");
    assert_eq!(rows(&database, "SELECT COUNT(*) FROM mailbox_messages"), ["1"]);
    agent.process().kill();
    web.start();
    agent.restart();
    wait_until("the web is told", SOON * 2, || web.taken().len() == 1);
    agent.process().kill();
    mail.start();
    agent.restart();
    wait_until("the mails", SOON * 3, || mail.mails().len() == 3);
    wait_until("nothing is left", SOON, || left_behind(agent.plan().folder()).is_empty());
    agent.restart();
    std::thread::sleep(mailbox_stage::SECOND * 2);
    assert_eq!((mail.mails().len(), web.taken().len()), (3, 1), "each once");

    let mails = mail.mails();
    let to = |address: &str| mails.iter().find(|mail| mail.contains(&format!("To: {address}"))).unwrap();
    for address in ["one@example.com", "two@example.com"] {
        let text = to(address);
        assert!(text.contains("Subject: Urgent message from \"; DROP TABLE in mailbox 2101"), "{text}");
        assert!(text.contains("Dear Owner") && text.contains("message of 0:03 in mailbox 2101"), "{text}");
        assert!(text.contains("audio/wav") && text.contains("message.wav"), "{text}");
        // The attachment is the audio: base64 of a RIFF file.
        assert!(text.contains("\nUklGR"), "{text}");
    }
    assert!(!to("beep@example.com").contains("audio/wav"));
    let posted = &web.taken()[0];
    for part in [
        "\"mailbox\":\"2101\"",
        "\"caller_number\":\"\\\"; DROP TABLE\"",
        "\"duration_ms\":3000",
        "\"urgent\":true",
        "\"unheard\":1",
    ] {
        assert!(posted.contains(part), "{part} in {posted}");
    }
}

#[test]
fn templates_are_the_accounts_own_and_a_message_may_go_with_its_mail() {
    let mut mail = MailServer::default();
    let plan = Agent::builder()
        .set("notices.smtp", &format!("smtp://{}", mail.address()))
        .set("notices.from", "tandem@example.com");
    plan.tandem_ok(&["migrate"]);
    plan.sql(&account(&["2101", "2102"]));
    plan.sql(
        "UPDATE mailboxes SET mail = 'a@example.com', delete_after_mail = TRUE, attach = FALSE WHERE id = '2101';
              UPDATE mailboxes SET mail = 'b@example.com' WHERE id = '2102'",
    );
    plan.import(
        "mailbox-rules",
        "account,mail_from,mail_subject,mail_body\nvoice,Voices <voices@example.com>,{{ duration }} for {{ name | upper }},\
         \"{% if urgent %}At once!{% endif %}\\n{{ caller_number }} on {{ date }}\"\n",
    );
    let refused = plan.folder().write("bad.csv", "account,mail_body\nvoice,{% for %}\n");
    let said = plan.tandem(&["import", "mailbox-rules", &refused.to_string_lossy()]);
    assert!(!said.status.success() && String::from_utf8_lossy(&said.stderr).contains("is no template"));
    let agent = plan.start();
    leaves(&agent, "2101");
    leaves(&agent, "2102");
    let database = agent.plan().folder().join("tandem.db");
    let contents = || rows(&database, "SELECT mailbox_id FROM mailbox_messages ORDER BY mailbox_id");
    wait_until("both are there", SOON, || contents() == ["2101", "2102"]);
    mail.start();
    wait_until("the mails", SOON * 3, || mail.mails().len() == 2);
    // Mailed, and deleted; the other stays.
    wait_until("it is deleted", SOON, || contents() == ["2102"]);
    assert_eq!(rows(&database, "SELECT COUNT(DISTINCT id) FROM mailbox_audio"), ["1"]);
    let text = mail.mails().into_iter().find(|mail| mail.contains("To: a@example.com")).unwrap();
    assert!(text.contains("From: Voices <voices@example.com>") && text.contains("Subject: 0:03 for OWNER"), "{text}");
    assert!(text.contains("At once!") && text.contains("DROP TABLE on "), "{text}");
    assert!(text.contains("CST") || text.contains("CDT"), "in the mailbox's time zone: {text}");
}
