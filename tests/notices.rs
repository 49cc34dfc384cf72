//! Notices of emergency calls: to a real mail server, the web and telephones, each once, whatever is down; and the way back to the caller.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod records_stage;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use lab::{Agent, MailServer, Manner, MariaDb, Node, NodeBuilder, WebSink, wait_until};
use records_stage::ask;

const SOON: Duration = Duration::from_secs(10);

/// Where line 1001 is.
const LOCATION: &str = "INSERT INTO emergency_locations (line_id, device, country, state, city, street, house_number, room, validation) \
                        VALUES ('1001', '', 'US', 'TX', 'Dallas', 'Main St', '100', '9', 'valid')";

/// Line 1001 calls for help, 1002 is the front desk, 1004 somebody else.
fn node() -> NodeBuilder {
    bare().sql(include_str!("data/provider.sql")).sql(LOCATION)
}

/// The same without its data.
fn bare() -> NodeBuilder {
    let mut builder = Node::builder().ships_records().set("records.batch_ms", "100").set("replica.poll_ms", "100");
    for id in ["1001", "1002", "1004"] {
        builder = builder.line(id, Manner::Answers);
    }
    builder
        .gateway("gw-a", Manner::Answers)
        .gateway("em-1", Manner::Answers)
        .set("emergency.gateways", "em-1")
        .global("TANDEM_EMERGENCY_GATEWAYS", "em-1")
}

fn contact(kind: &str, address: &str) -> String {
    format!("INSERT INTO emergency_contacts (account_id, kind, address) VALUES ('acme', '{kind}', '{address}')")
}

fn notices(node: &Node) -> Vec<[String; 4]> {
    let rows = ask(node, "SELECT * FROM emergency_notices ORDER BY kind");
    rows.iter().map(|row| row.all(["kind", "address", "tries", "uniqueid"]).map(str::to_owned)).collect()
}

#[test]
fn mail_and_web_are_told_once_when_they_are_back_though_the_agent_was_killed() {
    let (mut mail, web, lost) = (MailServer::default(), WebSink::default(), WebSink::default());
    let mut node = node()
        .set("notices.smtp", &format!("smtp://{}", mail.address()))
        .set("notices.from", "Tandem <tandem@example.com>")
        .set("notices.alarm_seconds", "1")
        .sql(&contact("mail", "desk@example.com"))
        .sql(&contact("webhook", &web.url()))
        // Nobody ever answers there, and nobody else waits for it.
        .sql(&contact("webhook", &lost.url()))
        .start();
    assert_eq!(node.dial("1001", "911").status(), 200);
    wait_until("notices wait", SOON, || node.agent.log().matches("is not taken").count() == 3);
    wait_until("an alarm", SOON, || node.agent.get("/status").unwrap().1.contains("notices of emergency calls wait"));
    node.agent.process().kill();
    web.start();
    node.agent.restart();
    wait_until("the web is told", SOON, || !web.taken().is_empty());
    // Killed before it has noted that, it would tell it again, under the same id.
    wait_until("that it is noted", SOON, || node.agent.log().contains("is delivered"));
    node.agent.process().kill();
    mail.start();
    node.agent.restart();
    wait_until("the mail is sent", Duration::from_secs(30), || !mail.mails().is_empty());
    wait_until("both rows", SOON, || notices(&node).len() == 2);

    // Each once: nothing more comes, although the call is found anew, as after a kill before it was filed away.
    node.agent.process().kill();
    let spool = node.asterisk.notice_file().with_extension("spool");
    let hours = fs::read_dir(spool.join("sent")).unwrap().flatten();
    let sent: Vec<PathBuf> =
        hours.flat_map(|hour| fs::read_dir(hour.path()).unwrap().flatten()).map(|e| e.path()).collect();
    let [segment] = sent.as_slice() else { panic!("{sent:?}") };
    fs::rename(segment, spool.join(segment.file_name().unwrap())).unwrap();
    node.agent.restart();
    wait_until("it is filed away again", SOON, || segment.exists());
    assert_eq!(node.dial("1002", "101").status(), 200);
    wait_until("the agent works", SOON, || !ask(&node, "SELECT * FROM call_records WHERE line_id = '1002'").is_empty());
    let (mails, posts) = (mail.mails(), web.taken());
    assert_eq!((mails.len(), posts.len()), (1, 1), "{mails:?} {posts:?}");
    let mail = &mails[0];
    for told in [
        "Subject: Emergency call to 911 from line 1001 at 100 Main St, room 9, Dallas, TX",
        "To: desk@example.com",
        "Call back: +12145550101",
        "Location: 100 Main St, room 9, Dallas, TX",
    ] {
        assert!(mail.replace("\n ", " ").contains(told), "{told}\n{mail}");
    }
    let (key, post) = posts[0].split_once(' ').unwrap();
    let post: serde_json::Value = serde_json::from_str(post).unwrap();
    assert_eq!(post["id"], key);
    let fields = ["line", "number", "callback_number", "location", "account"].map(|name| post[name].as_str().unwrap());
    assert_eq!(fields, ["1001", "911", "12145550101", "100 Main St, room 9, Dallas, TX", "acme"]);
    let rows = ask(
        &node,
        "SELECT n.* FROM emergency_notices n JOIN emergency_calls e ON e.uniqueid = n.uniqueid AND e.boot = n.boot",
    );
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.time("created_at") <= row.time("delivered_at")), "{rows:?}");
}

#[test]
fn a_front_desk_is_told_by_message_and_by_call() {
    // Spelled: what is spoken is said twice, which takes longer than a minute.
    let node =
        node().set("media.speech", "false").sql(&contact("message", "1002")).sql(&contact("call", "1004")).start();
    assert_eq!(node.dial("1001", "911").status(), 200);
    let desk = node.peer("1002");
    let message = || desk.messages().into_iter().find(|message| message.first_line.starts_with("MESSAGE "));
    wait_until("the message", SOON, || message().is_some());
    let message = message().unwrap();
    assert!(message.body.contains("Line: 1001; Account: acme; Call back: +12145550101"), "{message:?}");
    let called = node.peer("1004").wait_invite(1, SOON);
    assert_eq!(called.number(), "1004");
    wait_until("both are told", Duration::from_secs(60), || notices(&node).len() == 2);
    let told: Vec<[String; 4]> = notices(&node);
    assert_eq!(told.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["call", "message"]);
    assert_eq!(node.asterisk.complaints(), Vec::<String>::new());
}

/// The number of the line that called for help; its account has been suspended, and its line may take no further call.
const HARM: &str = "UPDATE accounts SET status = 'suspended', max_calls = 1 WHERE id = 'acme'; \
                    UPDATE phone_lines SET status = 'suspended', max_calls = 1 WHERE id = '1001'; \
                    DELETE FROM numbers WHERE number = '12145550101'";

#[test]
fn a_call_back_rings_the_line_that_called_whatever_else_holds_and_on_every_node() {
    let node = node().start();
    let from_carrier = |number: &str| node.dial("gw-a", number).status();
    assert_eq!(from_carrier("12145550101"), 200, "the line's own number, before anything happened");
    node.agent.plan().sql(HARM);
    assert_eq!(from_carrier("12145550101"), 404, "nobody's number any more");

    assert_eq!(node.dial("1001", "911").status(), 200, "a suspended line calls for help all the same");
    assert_eq!(node.peer("em-1").wait_invite(1, SOON).caller(), "12145550101");
    let rang = node.peer("1001").invites().len();
    for number in ["12145550101", "+12145550101", "2145550101"] {
        assert_eq!(from_carrier(number), 200, "{number}");
    }
    assert_eq!(node.peer("1001").invites().len(), rang + 3);
    wait_until("the records", SOON, || {
        ask(&node, "SELECT * FROM call_records WHERE reason = 'emergency-callback' AND account_id = 'acme'").len() == 3
    });
    assert_eq!(from_carrier("12145550199"), 404, "no other number");
}

#[test]
fn a_call_back_is_protected_over_a_kill_and_on_another_node_without_the_database() {
    let other = node().set("emergency.peer_token", "between us").start();
    let mut node = node()
        .set("emergency.peer_token", "between us")
        .set("emergency.peers", &format!("http://{}", other.agent.http()))
        .start();
    for one in [&node, &other] {
        one.agent.plan().sql(HARM);
    }
    assert_eq!(node.dial("1001", "911").status(), 200);
    wait_until("the other node knows", SOON, || other.dial("gw-a", "12145550101").status() == 200);
    assert_eq!(other.peer("1001").invites().len(), 1);

    wait_until("it is written down", SOON, || node.agent.log().contains("emergency call"));
    node.agent.process().kill();
    // The database is gone, too.
    let database = node.agent.plan().folder().join("tandem.db");
    std::fs::remove_file(database).unwrap();
    node.agent.restart();
    wait_until("the agent is up", SOON, || node.agent.get("/ready").is_some_and(|(status, _)| status == 200));
    assert_eq!(node.dial("gw-a", "12145550101").status(), 200);
}

#[test]
fn a_call_back_is_protected_on_every_node_by_way_of_the_database() {
    let server = MariaDb::start();
    let url = server.url();
    Agent::builder().set("database.urls", &url).tandem_ok(&["migrate"]);
    server.sql(&format!("USE tandem; {} {LOCATION}", include_str!("data/provider.sql")));
    let node = |name: &str| bare().set("database.urls", &url).set("node.name", name).start();
    let (first, second) = (node("first"), node("second"));
    server.sql(&format!("USE tandem; {HARM}"));
    assert_eq!(first.dial("1001", "911").status(), 200);
    wait_until("the other node knows", SOON, || second.dial("gw-a", "12145550101").status() == 200);
    assert_eq!(second.peer("1001").invites().len(), 1);
}

#[test]
fn a_line_that_nobody_can_read_is_an_alarm_and_holds_up_no_other() {
    let web = WebSink::default();
    web.start();
    let node = node().sql(&contact("webhook", &web.url())).start();
    // As a disk that was full leaves it.
    fs::write(node.asterisk.notice_file(), "\"tandem-emergency-1\",\"1-1\",\"cut off\"\n").unwrap();
    wait_until("the alarm", SOON, || node.agent.get("/status").unwrap().1.contains("1 lines of emergency calls"));
    assert_eq!(node.dial("1001", "911").status(), 200);
    wait_until("the call is told", SOON, || web.taken().len() == 1);
}

#[test]
fn a_stranger_protects_nothing() {
    let node = node().set("emergency.peer_token", "between us").start();
    let body = r#"{"number":"12145550101","line_id":"1001","account_id":"","called_at":"2026-01-01T00:00:00Z"}"#;
    let post = |token: &str| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let mut stream = tokio::net::TcpStream::connect(node.agent.http()).await.unwrap();
            let head = format!(
                "POST /emergency HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer.split(' ').nth(1).unwrap().parse::<u16>().unwrap()
        })
    };
    assert_eq!((post("guessed"), post(""), post("between us")), (403, 403, 200));
}
