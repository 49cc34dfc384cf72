//! Interception under warrant, with real calls: all that a line says and hears is taken, sealed; and nobody can tell.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;
mod records_stage;
mod transfer_stage;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::thread::sleep;
use std::time::Duration;

use age::x25519::Identity;
use chrono::{TimeDelta, Utc};
use lab::{Agent, Handset, MariaDb, tone_in, wait_until};
use mailbox_stage::Transport;
use serde_json::{Value, json};
use tandem::buffer::spool::Spool;
use tandem::intercept::item;
use tandem::store::interception::{Part, Sealed};
use transfer_stage::{Plan, SOON, Stage};
use uuid::Uuid;

const SECOND: Duration = Duration::from_secs(1);
/// A court's key, and that of somebody else.
static KEY: LazyLock<Identity> = LazyLock::new(Identity::generate);
static OTHER: LazyLock<Identity> = LazyLock::new(Identity::generate);
const NUMBER: &str = "24-cr-7741";

fn says(speaker: &Handset, hertz: u32, listener: &Handset) {
    let before = listener.voice().heard_tone(hertz);
    speaker.voice().tone(hertz, SECOND * 3 / 2);
    wait_until("a tone", SOON, || listener.voice().heard_tone(hertz) - before > SECOND * 6 / 5);
}

fn api(stage: &Stage, token: &str, path: &str, body: &Value) -> Value {
    let answer = stage.agent.lock().unwrap().api(token).post(path, body);
    assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.body);
    answer.body
}

fn plan<T>(stage: &Stage, ask: impl FnOnce(&lab::AgentBuilder) -> T) -> T {
    ask(stage.agent.lock().unwrap().plan())
}

/// Two persons arm a line from now until then; the warrant's id.
fn arm(stage: &Stage, persons: &[String; 2], line: &str, left: TimeDelta) -> String {
    let order = json!({
        "line": line, "warrant": NUMBER, "recipient": KEY.to_public().to_string(),
        "starts_at": Utc::now() - TimeDelta::hours(1), "ends_at": Utc::now() + left,
    });
    let id = api(stage, &persons[0], "/v1/intercepts", &order)["id"].as_str().unwrap().to_owned();
    api(stage, &persons[1], &format!("/v1/intercepts/{id}/approve"), &json!({}));
    id
}

/// Files of taps.
fn files(stage: &Stage) -> Vec<PathBuf> {
    let folder = stage.asterisk.recordings().join("tandem/private");
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Whether a channel of a line is tapped, as Asterisk tells at its console.
fn taps(stage: &Stage, line: &str) -> usize {
    let channels = stage.asterisk.command("core show channels concise");
    let names = channels.lines().filter_map(|line| line.split('!').next());
    let ours = names.filter(|name| name.starts_with(&format!("PJSIP/{line}-")));
    ours.map(|name| {
        let list = stage.asterisk.command(&format!("mixmonitor list {name}"));
        list.lines().filter(|line| line.starts_with("0x")).count()
    })
    .sum()
}

fn wait_taps(stage: &Stage, line: &str, count: usize) {
    wait_until(&format!("{count} taps of {line}"), SOON, || taps(stage, line) == count);
}

fn open(key: &Identity, sealed: &Path) -> Option<Vec<u8>> {
    age::decrypt(key, &fs::read(sealed).unwrap()).ok()
}

/// A call as the court reads it.
#[derive(Debug, Default)]
struct Heard {
    told: Value,
    /// What the line said, and what it heard, in u-law.
    sides: [Vec<u8>; 2],
}

/// Fetches all of a warrant, and opens it.
fn fetch(stage: &Stage, token: &str, id: &str) -> Vec<Heard> {
    let folder = plan(stage, |plan| {
        let folder = plan.folder().join(&format!("court-{}", Uuid::now_v7()));
        let output = plan.tandem_as(token, &["intercept", "fetch", id, &folder.display().to_string()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        folder
    });
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut calls: BTreeMap<String, Heard> = BTreeMap::new();
    for path in paths {
        assert_eq!(open(&OTHER, &path), None, "another key opens it");
        let plain = open(&KEY, &path).expect("the court's key opens it");
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let heard = calls.entry(name[..36].to_owned()).or_default();
        if name.ends_with(".json.age") {
            heard.told = serde_json::from_slice(&plain).unwrap();
        } else {
            let wav = folder.join("part.wav");
            fs::write(&wav, plain).unwrap();
            for (side, number) in heard.sides.iter_mut().zip(["1", "2"]) {
                let mut sox = Command::new("sox");
                sox.arg(&wav).args(["-t", "ul", "-r", "8000", "-", "remix", number]);
                side.extend(sox.output().unwrap().stdout);
            }
            fs::remove_file(&wav).unwrap();
        }
    }
    calls.into_values().collect()
}

fn assert_tones(audio: &[u8], has: &[u32], lacks: &[u32]) {
    let tones = |all: &[u32]| all.iter().map(|hertz| tone_in(audio, *hertz)).collect::<Vec<_>>();
    assert!(tones(has).iter().all(|time| *time > SECOND * 4 / 5), "{has:?} last {:?}", tones(has));
    assert!(tones(lacks).iter().all(|time| *time < SECOND / 10), "{lacks:?} last {:?}", tones(lacks));
}

/// What a call of the subject leaves behind that anybody sees: SIP, records, live calls, metrics and status by their names.
#[derive(Debug, PartialEq, Eq)]
struct Traces {
    sip: Vec<String>,
    records: Vec<String>,
    lists: BTreeSet<String>,
}

/// A call out, in which both say something; `meanwhile` looks at it.
fn call_out(stage: &Stage, subject: &mut Handset, other: &mut Handset, meanwhile: impl FnOnce()) -> Traces {
    let calls = "SELECT * FROM call_records WHERE direction IS NOT NULL AND line_id = '3101'";
    let before = stage.rows(calls).len();
    subject.take_heard();
    let placed = subject.start_call(stage.asterisk.address(), "3102");
    let rings = other.wait_call();
    let taken = other.answer(rings);
    let talk = subject.finish_call(placed).0.unwrap();
    meanwhile();
    says(subject, 500, other);
    says(other, 700, subject);
    subject.hang_up(talk);
    other.wait_end(&taken);
    wait_until("its record", SOON, || stage.rows(calls).len() > before);
    let rows = stage.rows(&format!("{calls} ORDER BY started_at DESC LIMIT 1"));
    let columns =
        ["src", "dst", "context", "disposition", "lastapp", "lastdata", "class", "reason", "number", "account_id"];
    let agent = stage.agent.lock().unwrap();
    let mut lists = BTreeSet::new();
    let metrics = agent.get("/metrics").unwrap().1;
    let names = metrics.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
    lists.extend(names.map(|(name, _)| name.to_owned()).filter(|name| !name.contains("_bucket{")));
    let status: Value = serde_json::from_str(&agent.get("/status").unwrap().1).unwrap();
    lists.extend(status["shipments"].as_array().unwrap().iter().map(|shipment| shipment["cargo"].to_string()));
    lists.insert(status["alarms"].to_string());
    lists.insert(agent.plan().tandem_ok(&["recordings", "list"]));
    let channel = rows[0].get("channel").to_owned();
    let records = columns.map(|name| rows[0].get(name).replace(&channel, "its channel")).to_vec();
    Traces { sip: subject.take_heard(), records, lists }
}

#[test]
fn all_that_a_line_says_and_hears_is_taken_and_nobody_can_tell() {
    let stage =
        Plan::new().handsets(&["3101", "3102", "3103"]).by(Transport::Ari).manager().set("log.filter", "trace").start();
    let (mut subject, mut second, mut third) = (stage.phone("3101"), stage.phone("3102"), stage.phone("3103"));
    let persons = plan(&stage, |plan| ["ida", "ivan"].map(|person| plan.token(person, "intercept")));
    // The first call of all has metrics appear, as the first token does.
    assert_eq!(stage.agent.lock().unwrap().api(&persons[0]).get("/v1/whoami").status, 200);
    call_out(&stage, &mut subject, &mut second, || ());
    let without = call_out(&stage, &mut subject, &mut second, || assert_eq!(taps(&stage, "3101"), 0));

    // Armed, and a call out; the other side's own channel is nobody's business.
    let id = arm(&stage, &persons, "3101", TimeDelta::hours(1));
    let with = call_out(&stage, &mut subject, &mut second, || {
        wait_taps(&stage, "3101", 1);
        assert_eq!(taps(&stage, "3102"), 0);
    });
    assert_eq!((&with.sip, &with.records), (&without.sip, &without.records));
    let differing: Vec<_> = with.lists.symmetric_difference(&without.lists).collect();
    assert!(differing.is_empty(), "{differing:?}");

    // A call to it, which is handed on to a third; the agent dies meanwhile, and while it is away nothing is lost.
    let placed = second.start_call(stage.asterisk.address(), "3101");
    let rings = subject.wait_call();
    wait_taps(&stage, "3101", 1);
    let subject_talk = subject.answer(rings);
    let mut talk = second.finish_call(placed).0.unwrap();
    says(&subject, 500, &second);
    stage.agent.lock().unwrap().process().kill();
    says(&second, 700, &subject);
    stage.agent.lock().unwrap().restart();
    wait_until("calls by ARI", SOON, || stage.asterisk.command("ari show apps").contains("tandem"));
    wait_taps(&stage, "3101", 1);
    second.start_refer(&mut talk, "3103");
    let rings = third.wait_call();
    let third_talk = third.answer(rings);
    // Its stream is younger, of which a tap that was not begun anew would hear nothing.
    sleep(SECOND * 3 / 2);
    says(&third, 900, &subject);
    subject.hang_up(subject_talk);
    third.wait_end(&third_talk);

    // Its mailbox; then the warrant is ended, while it talks.
    let talk = subject.call(stage.asterisk.address(), "*97");
    wait_taps(&stage, "3101", 1);
    subject.voice().tone(980, SECOND * 3 / 2);
    sleep(SECOND * 2);
    subject.hang_up(talk);
    let placed = subject.start_call(stage.asterisk.address(), "3102");
    let rings = second.wait_call();
    let taken = second.answer(rings);
    let talk = subject.finish_call(placed).0.unwrap();
    wait_taps(&stage, "3101", 1);
    let short = arm(&stage, &persons, "3101", TimeDelta::seconds(5));
    wait_taps(&stage, "3101", 2);
    // One is over in time, the other one is ended.
    wait_taps(&stage, "3101", 1);
    api(&stage, &persons[0], &format!("/v1/intercepts/{id}/end"), &json!({}));
    wait_taps(&stage, "3101", 0);
    says(&subject, 860, &second);
    subject.hang_up(talk);
    second.wait_end(&taken);
    assert_eq!((subject.renegotiated(), second.renegotiated()), (0, 0));

    // What the court has.
    wait_until("no plain text is left", SOON, || files(&stage).is_empty());
    let ended = |heard: &Heard| !heard.told["ended_at"].is_null();
    wait_until("all is in the store", SOON, || {
        let calls = fetch(&stage, &persons[0], &id);
        calls.len() == 5 && calls.iter().all(ended)
    });
    let calls = fetch(&stage, &persons[0], &id);
    let [out, taken, handed, mailbox, last] = &calls[..] else { panic!("{} calls", calls.len()) };
    assert_tones(&out.sides[0], &[500], &[700]);
    assert_tones(&out.sides[1], &[700], &[500]);
    assert_tones(&taken.sides[0], &[500], &[700, 900]);
    assert_tones(&taken.sides[1], &[700], &[500]);
    assert_tones(&handed.sides[1], &[900], &[500]);
    assert_eq!(taken.told["uniqueid"], handed.told["uniqueid"]);
    for side in &last.sides {
        assert_tones(side, &[], &[860]);
    }
    assert_tones(&mailbox.sides[0], &[980], &[]);
    let told = |call: &Heard, direction: &str, others: &[&str]| {
        assert_eq!(
            (&call.told["direction"], &call.told["line"]),
            (&json!(direction), &json!("3101")),
            "{:#}",
            call.told
        );
        let numbers = call.told["other_numbers"].to_string();
        assert!(others.iter().all(|other| numbers.contains(other)), "{numbers}");
        assert!(!call.told["answered_at"].is_null(), "{:#}", call.told);
    };
    told(out, "outbound", &["3102"]);
    told(taken, "inbound", &["3102"]);
    told(handed, "inbound", &["3103"]);
    told(mailbox, "outbound", &["*97"]);
    assert_eq!(fetch(&stage, &persons[0], &short).len(), 1);

    // Nobody else has anything.
    let agent = stage.agent.lock().unwrap();
    for (what, text) in [("the agent's log", agent.log()), ("Asterisk's log", stage.asterisk.log())] {
        for word in [id.as_str(), &short, NUMBER, "private", "ntercept", "ixMonitor"] {
            let line = text.lines().find(|line| line.contains(word));
            assert!(line.is_none(), "{what} tells of {word}: {}", line.unwrap_or_default());
        }
    }
    // Nor have they, any more; and the log tells who had it.
    let deleted = agent.plan().tandem_as(&persons[1], &["intercept", "delete", &id]);
    assert!(deleted.status.success(), "{}", String::from_utf8_lossy(&deleted.stderr));
    drop(agent);
    assert_eq!(fetch(&stage, &persons[0], &id).len(), 0);
    let deeds =
        stage.rows("SELECT person, action FROM audit_log WHERE action IN ('intercept.fetch', 'intercept.delete')");
    assert!(deeds.iter().any(|deed| deed.get("person") == "ivan" && deed.get("action") == "intercept.delete"));
    assert!(deeds.iter().any(|deed| deed.get("person") == "ida" && deed.get("action") == "intercept.fetch"));
    // The agent that died was missed, and nothing else.
    let is_of_agent = |complaint: &String| complaint.to_lowercase().replace(' ', "").contains("websocket");
    let complaints: Vec<_> = stage.asterisk.complaints().into_iter().filter(|text| !is_of_agent(text)).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// Sealed parts wait while the database is away, and neither an agent that dies nor anybody's alarm knows of them.
#[test]
fn what_was_intercepted_outlives_the_database_and_the_agent() {
    let mut server = MariaDb::start();
    let builder = Agent::builder().set("database.urls", &server.url());
    builder.tandem_ok(&["migrate"]);
    let mut agent = builder.start();
    server.kill();
    let part = Part { call: Uuid::now_v7(), part: 0, warrant_id: Uuid::now_v7(), at: Utc::now() };
    let sealed = Sealed { content: b"age".to_vec(), signalling: b"age".to_vec() };
    let spool = Spool::new(&agent.plan().folder().join("calls/private"));
    spool.put("node", &item::encode(&part, &sealed).unwrap()).unwrap();
    agent.restart();
    assert_eq!(spool.waiting().unwrap().len(), 1);
    server.restart();
    wait_until("it is sent", SOON, || server.sql("SELECT COUNT(*) FROM tandem.interceptions").trim() == "1");
    wait_until("it waits no more", SOON, || spool.waiting().unwrap().is_empty());
    assert!(!agent.log().contains("interception"), "{}", agent.log());
}

/// Media that flowed past Asterisk would have to come back when a line is tapped, which its phone would see.
#[test]
fn no_phone_or_carrier_talks_past_asterisk() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dialplan/asterisk");
    let text: String =
        ["pjsip.conf", "pjsip-site.conf"].map(|name| fs::read_to_string(folder.join(name)).unwrap()).concat();
    let sections: Vec<&str> = text.split("\n[").collect();
    let (mut endpoints, mut direct) = (0, Vec::new());
    for section in sections {
        let lines: Vec<String> = section.lines().map(|line| line.replace(' ', "")).collect();
        if lines.iter().any(|line| line == "type=endpoint") {
            endpoints += 1;
            if !lines.iter().any(|line| line == "direct_media=no") {
                direct.push(lines.first().cloned());
            }
        }
    }
    assert!(endpoints > 0 && direct.is_empty(), "{direct:?}");
}
