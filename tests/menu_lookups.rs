//! Web servers that say what comes next: those that do, and those that are slow, broken, huge, hostile or gone. The callers are simulated; each ends at what
//! the server said, or at the lookup's fallback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod menu_stage;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use lab::{Address, Agent, Does, Session, SimulatedCall};
use menu_stage::plan;

/// What every lookup falls back to.
const FALLBACK: &str = "TANDEM_CALL_TARGET=group/team";

/// A web server with an answer for each path.
struct Server {
    address: Address,
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Server {
    fn start() -> Server {
        let server = Server { address: Address::claim(), asked: Arc::default() };
        let listener = TcpListener::bind(server.socket()).unwrap();
        let (asked, own) = (Arc::clone(&server.asked), server.socket());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let asked = Arc::clone(&asked);
                thread::spawn(move || serve(&stream, own, &asked));
            }
        });
        server
    }

    fn socket(&self) -> SocketAddr {
        self.address.port(8080)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.socket())
    }

    /// The request line and the body of what was asked last.
    fn last(&self) -> (String, String) {
        self.asked.lock().unwrap().last().cloned().unwrap()
    }
}

fn serve(stream: &TcpStream, own: SocketAddr, asked: &Mutex<Vec<(String, String)>>) {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap_or_default();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or_default() <= 2 {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap_or_default();
    let path = first.split([' ', '?', '/']).nth(2).unwrap_or_default().to_owned();
    asked.lock().unwrap().push((first.trim().to_owned(), String::from_utf8_lossy(&body).into_owned()));
    let mut out = stream;
    let mut answer = |head: &str, body: &str| {
        // Whoever asked may have gone.
        let _ = write!(out, "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    };
    match path.as_str() {
        "line" => answer("200 OK", r#"{"action": "line", "target": "3901"}"#),
        "option" => answer("200 OK", r#"{"say": ["hours", "hold"], "option": "2"}"#),
        "menu" => answer("200 OK", r#"{"action": "menu", "target": "other", "unknown": [1, {}]}"#),
        "say" => answer("200 OK", r#"{"say": ["hours"], "action": "say"}"#),
        "extension" => answer("200 OK", r#"{"action": "extension", "target": "3902"}"#),
        "operator" => answer("200 OK", r#"{"action": "operator"}"#),
        "hangup" => answer("200 OK", r#"{"action": "hangup"}"#),
        "slow" => thread::sleep(Duration::from_secs(20)),
        "drip" => {
            let _ = write!(out, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
            for _ in 0..100 {
                let _ = out.write_all(b" ");
                thread::sleep(Duration::from_millis(200));
            }
        }
        "error" => answer("500 Internal Server Error", r#"{"action": "line", "target": "3901"}"#),
        "redirect" => {
            let head = format!("302 Found\r\nLocation: http://{own}/line");
            answer(&head, "");
        }
        "huge" => {
            answer("200 OK", &format!(r#"{{"action": "line", "target": "3901", "x": "{}"}}"#, "x".repeat(10_000_000)))
        }
        "broken" => answer("200 OK", "{\"action\": "),
        "html" => answer("200 OK", "<html>It works!</html>"),
        "empty" => answer("200 OK", "{}"),
        "types" => answer("200 OK", r#"{"action": 1, "target": null}"#),
        "foreign-line" => answer("200 OK", r#"{"action": "line", "target": "9001"}"#),
        "foreign-group" => answer("200 OK", r#"{"action": "group", "target": "foreigners"}"#),
        "foreign-mailbox" => answer("200 OK", r#"{"action": "mailbox", "target": "foreign"}"#),
        "foreign-menu" => answer("200 OK", r#"{"action": "menu", "target": "nowhere"}"#),
        "foreign-extension" => answer("200 OK", r#"{"action": "extension", "target": "9001"}"#),
        "foreign-prompt" => answer("200 OK", r#"{"say": ["../../etc/passwd"], "action": "line", "target": "3901"}"#),
        "number" => answer("200 OK", r#"{"action": "number", "target": "+19005550123"}"#),
        "emergency" => answer("200 OK", r#"{"action": "extension", "target": "911"}"#),
        "queue" => answer("200 OK", r#"{"action": "queue", "target": "help"}"#),
        "lookup" => answer("200 OK", r#"{"action": "lookup", "target": "again"}"#),
        "lookup-option" => answer("200 OK", r#"{"option": "1"}"#),
        "timeout-option" => answer("200 OK", r#"{"option": "t"}"#),
        "injection" => answer("200 OK", "{\"action\": \"line\", \"target\": \"3901\\n\\\"; DROP TABLE menus\"}"),
        "many" => answer("200 OK", &format!(r#"{{"say": [{}], "action": "hangup"}}"#, ["\"hours\""; 50].join(","))),
        _ => {}
    }
}

/// An agent whose menu `web` asks the server under this path.
fn agent(server: &Server, path: &str, more: &str) -> Agent {
    let url = if path == "gone" { "http://127.0.0.1:9/".to_owned() } else { server.url(path) };
    let menus = format!(
        r##"
        account = "menus"
        [prompt]
        greeting = {{ sound = "demo-instruct" }}
        other = {{ sound = "demo-moreinfo" }}
        hours = {{ sound = "hours" }}
        hold = {{ sound = "pls-hold-while-try" }}
        [lookup.web]
        url = "{url}"
        seconds = 1
        otherwise = "group team"
        {more}
        [menu.web]
        entry = true
        greeting = ["greeting"]
        operator = "3902"
        line = "3902"
        [menu.web.options]
        1 = {{ say = ["hold"], then = "lookup web" }}
        2 = "queue help"
        3 = "lookup web"
        t = "hangup"
        [menu.other]
        entry = true
        greeting = ["other"]
        [menu.other.options]
        1 = "hangup"
        "##
    );
    plan(&menus).start()
}

fn ask(agent: &Agent, more: Vec<(&'static str, Does)>) -> Session {
    let script = std::iter::once(("demo-instruct", Does::Key('1'))).chain(more).collect();
    SimulatedCall::new("menu/web/0", "12145550123", script).run(agent.agi())
}

/// One agent for all paths: the lookup's address is changed in the database.
fn paths(cases: &[(&str, &str)]) {
    let server = Server::start();
    let agent = agent(&server, "line", "");
    for (path, wanted) in cases {
        let url = if *path == "gone" { "http://127.0.0.1:9/".to_owned() } else { server.url(path) };
        agent.plan().sql(&format!("UPDATE menu_lookups SET url = '{url}'"));
        let session = ask(&agent, vec![("demo-moreinfo", Does::Key('1')), ("demo-instruct", Does::Nothing)]);
        assert!(session.heard("pls-hold-while-try"), "{path}: it is said while the server is asked: {session:?}");
        assert!(session.commands.iter().any(|command| command.contains(wanted)), "{path}: {session:#?}");
    }
    assert!(!agent.log().contains("panicked"), "{}", agent.log());
}

#[test]
fn what_a_server_says_is_done() {
    paths(&[
        ("line", "TANDEM_CALL_TARGET=line/3901"),
        ("option", "TANDEM_QUEUE=help"),
        ("menu", "demo-moreinfo"),
        ("say", "\"hours\""),
        ("extension", "TANDEM_CALL_NUMBER=3902"),
        ("operator", "TANDEM_CALL_NUMBER=3902"),
        ("hangup", "vm-goodbye"),
    ]);
}

#[test]
fn a_server_that_is_slow_broken_huge_or_gone_ends_in_the_fallback() {
    let paths_of = ["slow", "drip", "error", "redirect", "huge", "broken", "html", "empty", "types", "gone", "nothing"];
    paths(&paths_of.map(|path| (path, FALLBACK)));
}

#[test]
fn what_does_not_belong_to_the_account_ends_in_the_fallback() {
    let paths_of = [
        "foreign-line",
        "foreign-group",
        "foreign-mailbox",
        "foreign-menu",
        "foreign-extension",
        "foreign-prompt",
        "number",
        "emergency",
        "queue",
        "lookup",
        "lookup-option",
        "timeout-option",
        "injection",
        "many",
    ];
    paths(&paths_of.map(|path| (path, FALLBACK)));
}

#[test]
fn a_server_is_told_who_calls_and_what_was_keyed_in() {
    let server = Server::start();
    let posted = agent(&server, "line", "");
    ask(&posted, Vec::new());
    let (first, body) = server.last();
    assert!(first.starts_with("POST /line HTTP/1.1"), "{first}");
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    for (name, value) in
        [("caller", "12145550123"), ("menu", "web"), ("digits", "1"), ("dialled", "1"), ("uniqueid", "1.12145550123")]
    {
        assert_eq!(body[name], value, "{body}");
    }
    drop(posted);
    // By GET, and after a question.
    let got = agent(&server, "line", "method = \"GET\"\ndigits = 8");
    let keyed = vec![("pls-hold-while-try", Does::Key('4')), ("GET DATA", Does::Digits("711"))];
    let session = ask(&got, keyed);
    let (first, body) = server.last();
    assert!(first.starts_with("GET /line?caller=12145550123&") && first.contains("digits=4711&"), "{first}");
    assert!(body.is_empty() && session.heard("one-moment-please"), "{session:#?}");
}

#[test]
fn who_withholds_the_number_does_so_here_too() {
    let server = Server::start();
    let agent = agent(&server, "line", "");
    for (name, value, told) in [
        ("TANDEM_PRIVACY", "1", ""),
        ("CALLERID(pres)", "prohib_passed_screen", ""),
        ("CALLERID(pres)", "allowed_passed_screen", "12145550123"),
        ("TANDEM_PRIVACY", "0", "12145550123"),
    ] {
        let script = vec![("demo-instruct", Does::Key('1'))];
        SimulatedCall::new("menu/web/0", "12145550123", script).variable(name, value).run(agent.agi());
        let body: serde_json::Value = serde_json::from_str(&server.last().1).unwrap();
        assert_eq!(body["caller"], told, "{name}={value}: {body}");
    }
}

#[test]
fn who_hangs_up_meanwhile_waits_for_no_server() {
    let server = Server::start();
    let agent = agent(&server, "slow", "");
    agent.plan().sql("UPDATE menu_lookups SET seconds = 10");
    let started = std::time::Instant::now();
    let session = ask(&agent, vec![("pls-hold-while-try", Does::HangsUp)]);
    assert!(session.cut);
    lab::wait_until("the end of the session", Duration::from_secs(5), || agent.log().contains("outcome=\"hangup\""));
    assert!(started.elapsed() < Duration::from_secs(9), "the server still had its time");
}
