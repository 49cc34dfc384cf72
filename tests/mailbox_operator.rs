//! What operators do with mailboxes: list, new passwords, move, export; and import, of CSV and of what a real app_voicemail has written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;

use std::fs;
use std::process::{Command, Stdio};

use lab::{Agent, Asterisk, Folder, Manner, Sipp, wait_until};
use mailbox_stage::{SECOND, SOON, Stage, TONES, account, message, messages, rows, wav};

#[test]
fn mailboxes_are_listed_moved_and_exported_and_come_back_as_they_were() {
    let plan = Agent::builder();
    plan.tandem_ok(&["migrate"]);
    plan.sql(&account(&["2101", "2102"]));
    plan.sql(&messages("2101", "INBOX", &TONES[..2]));
    plan.sql(&message("2101", "INBOX", true, 5, &wav(TONES[2], 3), "12145550123"));
    plan.sql(&messages("2101", "Work", &TONES[..1]));
    let list = plan.tandem_ok(&["mailbox", "list", "--account", "voice"]);
    let line = list.lines().find(|line| line.starts_with("2101")).unwrap();
    assert_eq!(line.split_whitespace().skip(6).take(3).collect::<Vec<_>>(), ["1", "2", "1"], "{list}");
    let json: serde_json::Value = serde_json::from_str(&plan.tandem_ok(&["mailbox", "list", "--json"])).unwrap();
    assert_eq!((json[0]["id"].as_str(), json[0]["milliseconds"].as_i64()), (Some("2101"), Some(9000)));
    assert!(!list.contains("argon2") && !json.to_string().contains("argon2"));

    // Out as files, into another account, the same.
    let folder = Folder::new("export");
    plan.tandem_ok(&["mailbox", "export", "2101", &folder.path().to_string_lossy()]);
    assert!(folder.join("2101/Urgent/msg0000.wav").exists() && folder.join("2101/Work/msg0000.txt").exists());
    plan.sql("INSERT INTO accounts (id, name, status, currency, time_zone, created_at) VALUES ('new', 'New', 'active', 'USD', 'UTC', '2026-01-01 00:00:00')");
    let conf = folder.write("voicemail.conf", "[default]\n2101 => 4711,Alice,alice@example.com\n");
    let import = [
        "import",
        "mailboxes",
        &conf.to_string_lossy(),
        "--account",
        "new",
        "--messages",
        &folder.path().to_string_lossy(),
    ];
    assert!(plan.tandem_ok(&import).contains("4 messages and 0 greetings taken, 0 were there already"));
    assert!(
        plan.tandem_ok(&import).contains("0 messages and 0 greetings taken, 4 were there already"),
        "again it changes nothing"
    );
    let database = plan.folder().join("tandem.db");
    let of = |mailbox: &str| {
        rows(
            &database,
            &format!(
                "SELECT folder, urgent, caller_number, strftime('%s', left_at), duration_ms FROM mailbox_messages WHERE mailbox_id = '{mailbox}' ORDER BY left_at, folder"
            ),
        )
    };
    assert_eq!(of("new-2101"), of("2101"));

    assert!(plan.tandem_ok(&["mailbox", "move", "2101", "2102", "--folder", "Work"]).contains("1 messages moved"));
    assert_eq!((of("2101").len(), of("2102").len()), (3, 1));
    for wrong in [["mailbox", "messages", "nobody"], ["mailbox", "password", "nobody"]] {
        let said = plan.tandem(&wrong);
        assert!(!said.status.success() && String::from_utf8_lossy(&said.stderr).contains("there is no mailbox nobody"));
    }
}

#[test]
fn a_csv_file_makes_mailboxes_and_leaves_passwords_alone_afterwards() {
    let plan = Agent::builder();
    plan.tandem_ok(&["migrate"]);
    plan.sql(&account(&["2101"]));
    plan.sql("DELETE FROM extensions; UPDATE phone_lines SET mailbox_id = NULL; DELETE FROM mailboxes");
    let csv = "id,account,number,name,password,mail,lines,max_messages\nb1,voice,100,Alice,2580,a@example.com,2101,7\n";
    plan.import("mailboxes", csv);
    let database = plan.folder().join("tandem.db");
    let hash = || rows(&database, "SELECT password_hash FROM mailboxes").remove(0);
    let first = hash();
    assert!(first.starts_with("$argon2id$") && tandem::store::password::verify("2580", &first));
    assert_eq!(rows(&database, "SELECT mailbox_id FROM phone_lines"), ["b1"]);
    // Whatever has become of the password since is the owner's.
    plan.import("mailboxes", &csv.replace("2580", "9999").replace("Alice", "Alice Baker"));
    assert_eq!(hash(), first);
    assert_eq!(rows(&database, "SELECT name, max_messages FROM mailboxes"), ["Alice Baker|7"]);
    let refused = |csv: &str, why: &str| {
        let file = plan.folder().write("bad.csv", csv);
        let said = plan.tandem(&["import", "mailboxes", &file.to_string_lossy()]);
        let text = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(!said.status.success() && text.contains(why), "{text}");
    };
    refused("id,account,number,name,mail\nb2,voice,101,Bob,nobody\n", "is not a mail address");
    refused("id,account,number,name,lines\nb2,voice,101,Bob,9999\n", "there is no \"9999\"");
    refused("id,account,number,name,password\nb2,voice,101,Bob,secret\n", "is neither up to 32 digits nor a hash");
}

/// `app_voicemail` itself: it records into its spool folder.
#[test]
fn what_a_real_app_voicemail_has_recorded_is_imported_and_played() {
    let phone = Sipp::start(Manner::Answers);
    let mut old = Asterisk::builder()
        .line_with("9001", phone.address(), "context = old")
        .dialplan(
            "\n[old]\nexten => 200,1,Answer()\n same => n,VoiceMail(200@default,us)\n same => n,Hangup()\n\
                   exten => 201,1,Answer()\n same => n,VoiceMail(200@default,usU)\n same => n,Hangup()\n",
        )
        .append("modules.conf", "\nload = app_voicemail.so\nload = app_mixmonitor.so\n")
        .start();
    // It may have been refused beside app_minivm: only the two of MinivmMWI are ours.
    old.folder().write("etc/voicemail.conf", "[general]\nformat = wav49|wav\nmaxsilence = 0\nminsecs = 1\n[default]\n200 => 4711,Old Owner,old@example.com,,attach=no|maxmsg=50\n");
    old.restart();
    assert!(old.command("voicemail show users").contains("Old Owner"), "{}", old.command("voicemail show users"));
    for (number, hertz) in [("200", TONES[0]), ("201", TONES[1])] {
        let voice = phone.voice();
        let call =
            phone.call(old.address(), number).claims("12125550123", "Caller").voice(&voice).talks(SECOND * 60).start();
        call.wait_voice();
        std::thread::sleep(SECOND);
        voice.press("#");
        std::thread::sleep(SECOND * 3);
        voice.tone(hertz, SECOND * 3);
        std::thread::sleep(SECOND * 4);
        call.hang_up();
        wait_until("the end of the call", SOON, || old.channels() == 0);
    }
    let spool = old.folder().join("spool/voicemail/default");
    let there = |name: &str| spool.join("200").join(name).exists();
    wait_until("two messages", SOON, || {
        there("INBOX/msg0001.txt") || there("Urgent/msg0000.txt") && there("INBOX/msg0000.txt")
    });
    // A greeting, as its owner would have recorded it.
    fs::copy(spool.join("200/INBOX/msg0000.wav"), spool.join("200/unavail.wav")).unwrap();

    let stage = Stage::start(mailbox_stage::builder(&["2101"]));
    let plan = stage.node.agent.plan();
    let conf = old.folder().join("etc/voicemail.conf");
    let import =
        ["import", "mailboxes", &conf.to_string_lossy(), "--account", "voice", "--messages", &spool.to_string_lossy()];
    let said = plan.tandem_ok(&import);
    assert!(said.contains("1 mailboxes taken") && said.contains("2 messages and 1 greetings taken"), "{said}");
    let row = stage.rows("SELECT number, name, mail, attach, max_messages FROM mailboxes WHERE id = 'voice-200'");
    assert_eq!(row, ["200|Old Owner|old@example.com|0|50"]);
    let found = stage.rows("SELECT folder, format FROM mailbox_messages WHERE mailbox_id = 'voice-200'");
    assert_eq!(found.len(), 2, "{found:?}");
    let voice = stage.voice("2101");
    let mut call = stage.call("2101", &voice, "*98");
    call.hears("vm-login").press("200#").hears("vm-password").press("4711#").hears("vm-youhave").hears("vm-opts");
    // The urgent one comes first.
    call.press("1").hears("vm-Urgent").hears("CONTROL STREAM FILE").hears_tone(TONES[1], SECOND * 2);
    call.press("6").hears("CONTROL STREAM FILE").hears_tone(TONES[0], SECOND * 2);
    call.hangs_up();
}

#[test]
fn a_password_is_handed_over_by_a_pipe() {
    let plan = Agent::builder();
    plan.tandem_ok(&["migrate"]);
    plan.sql(&account(&["2101"]));
    let hand = |password: &str| {
        let file = plan.folder().write("password", &format!("{password}\n"));
        let database = format!("sqlite:{}", plan.folder().join("tandem.db").display());
        let program = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("tandem");
        let mut command = Command::new(program);
        command.args(["mailbox", "password", "2101", "--stdin"]).env("TANDEM__DATABASE__URLS", database);
        command.stdin(fs::File::open(file).unwrap()).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap()
    };
    assert!(!hand("1234").status.success());
    let said = hand("73519");
    assert!(said.status.success() && !String::from_utf8_lossy(&said.stdout).contains("73519"));
    let hash = rows(&plan.folder().join("tandem.db"), "SELECT password_hash FROM mailboxes").remove(0);
    assert!(tandem::store::password::verify("73519", &hash));
}
