//! Calls are recorded: what line and other side say, each on its channel, by order, through transfers; once, whatever dies meanwhile.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;
mod records_stage;
mod transfer_stage;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use lab::{Agent, AgentBuilder, Handset, MariaDb, tone_in, wait_until};
use serde_json::Value;
use tandem::store::recording::{Direction, Form};
use tandem::tap;
use tandem::tap::notes::Notes;
use tandem::tap::purpose::{Purpose, Wanted};
use tandem::tap::subject::Subject;
use transfer_stage::{Plan, SOON, Stage};

const SECOND: Duration = Duration::from_secs(1);

/// Recordings of a line, the newest first.
fn recordings(plan: &AgentBuilder, line: &str) -> Vec<Value> {
    serde_json::from_str(&plan.tandem_ok(&["recordings", "list", "--line", line, "--json"])).unwrap()
}

/// Waits until a line has so many recordings; the newest.
fn wait_recordings(plan: &AgentBuilder, line: &str, count: usize) -> Value {
    wait_until(&format!("{count} recordings of {line}"), SOON, || recordings(plan, line).len() >= count);
    let all = recordings(plan, line);
    assert_eq!(all.len(), count, "{all:#?}");
    all[0].clone()
}

fn fetch(plan: &AgentBuilder, recording: &Value) -> std::path::PathBuf {
    let file = plan.folder().join("fetched.wav");
    plan.tandem_ok(&["recordings", "fetch", recording["id"].as_str().unwrap(), &file.display().to_string()]);
    file
}

/// One channel of a file, from 1, in u-law.
fn channel(file: &Path, number: u32) -> Vec<u8> {
    let mut sox = Command::new("sox");
    sox.arg("-t").arg("wav").arg(file).args(["-t", "ul", "-r", "8000", "-", "remix", &number.to_string()]);
    sox.output().unwrap().stdout
}

/// That a channel has each of these tones, and none of the others.
fn assert_tones(audio: &[u8], has: &[u32], lacks: &[u32]) {
    let tones = |all: &[u32]| all.iter().map(|hertz| tone_in(audio, *hertz)).collect::<Vec<_>>();
    assert!(tones(has).iter().all(|time| *time > SECOND * 4 / 5), "{has:?} last {:?}", tones(has));
    assert!(tones(lacks).iter().all(|time| *time < SECOND / 10), "{lacks:?} last {:?}", tones(lacks));
}

/// One says a tone, and the other hears it.
fn says(speaker: &Handset, hertz: u32, listener: &Handset) {
    let before = listener.voice().heard_tone(hertz);
    speaker.voice().tone(hertz, SECOND * 3 / 2);
    wait_until("a tone", SOON, || listener.voice().heard_tone(hertz) - before > SECOND * 6 / 5);
}

/// Waits until a channel of a line is recorded, for the nth time.
fn wait_recorded(stage: &Stage, line: &str, times: usize) {
    let told = format!("line=\"{line}\"");
    wait_until(&format!("{line} is recorded"), SOON, || {
        let log = stage.agent.lock().unwrap().log();
        log.lines().filter(|row| row.contains("a call is recorded") && row.contains(&told)).count() >= times
    });
}

fn tandem(stage: &Stage, arguments: &[&str]) -> String {
    stage.agent.lock().unwrap().plan().tandem_ok(arguments).trim().to_owned()
}

#[test]
fn calls_are_recorded_as_ordered() {
    let stage = Plan::new()
        .handsets(&["3101", "3102", "3103", "3104"])
        .strangers("free", &["3111", "3112"])
        .carriers(&["em-1"])
        .set("emergency.gateways", "em-1")
        .sql("UPDATE accounts SET recording_notice = 'announcement' WHERE id = 'free';")
        .global("TANDEM_PROMPT_RECORDED", "beep")
        .manager()
        .start();
    let (mut first, mut second, mut third) = (stage.phone("3101"), stage.phone("3102"), stage.phone("3103"));
    let asterisk = stage.asterisk.address();

    // The next call of a line, on both of its sides.
    tandem(&stage, &["record", "line", "3101", "--calls", "1", "--by", "boss"]);
    let placed = first.start_call(asterisk, "3102");
    let rings = second.wait_call();
    wait_recorded(&stage, "3101", 1);
    let taken = second.answer(rings);
    let talk = first.finish_call(placed).0.unwrap();
    sleep(SECOND / 2);
    assert_eq!(first.voice().heard_sound() + second.voice().heard_sound(), Duration::ZERO, "nothing is announced");
    says(&first, 500, &second);
    says(&second, 700, &first);
    first.hang_up(talk);
    second.wait_end(&taken);
    let agent = stage.agent.lock().unwrap();
    let recording = wait_recordings(agent.plan(), "3101", 1);
    assert_eq!((&recording["direction"], &recording["ordered_by"]), (&"outbound".into(), &"boss".into()));
    assert_eq!((&recording["account_id"], &recording["channels"]), (&"acme".into(), &2.into()));
    let file = fetch(agent.plan(), &recording);
    assert_tones(&channel(&file, 1), &[500], &[700]);
    assert_tones(&channel(&file, 2), &[700], &[500]);
    drop(agent);

    // Mixed, until it is ended; the line is called, and its caller hands it on. The first line's one call is over.
    let order = tandem(&stage, &["record", "line", "3103", "--mixed"]);
    let placed = first.start_call(asterisk, "3103");
    let rings = third.wait_call();
    wait_recorded(&stage, "3103", 1);
    let third_talk = third.answer(rings);
    let mut talk = first.finish_call(placed).0.unwrap();
    says(&first, 500, &third);
    // To one whose stream has lower numbers.
    let mut fourth = stage.phone("3104");
    first.start_refer(&mut talk, "3104");
    let rings = fourth.wait_call();
    let fourth_talk = fourth.answer(rings);
    stage.wait_bridged("3104");
    sleep(SECOND * 2);
    says(&fourth, 900, &third);
    tandem(&stage, &["record", "end", &order]);
    let agent = stage.agent.lock().unwrap();
    let recording = wait_recordings(agent.plan(), "3103", 1);
    assert_eq!((&recording["direction"], &recording["channels"]), (&"inbound".into(), &1.into()));
    assert_tones(&channel(&fetch(agent.plan(), &recording), 1), &[500, 900], &[]);
    drop(agent);
    // It was ended, and the call goes on.
    says(&third, 620, &fourth);
    third.hang_up(third_talk);
    fourth.wait_end(&fourth_talk);
    let agent = stage.agent.lock().unwrap();
    assert_eq!(recordings(agent.plan(), "3101").len(), 1, "one call was ordered");
    let id = recording["id"].as_str().unwrap().to_owned();
    agent.plan().tandem_ok(&["recordings", "delete", &id]);
    assert_eq!(recordings(agent.plan(), "3103").len(), 0);
    drop(agent);

    // An account has it announced, to both sides; but not to those who call for help.
    tandem(&stage, &["record", "line", "3112"]);
    sleep(SECOND * 2);
    let (mut third_party, mut announced) = (stage.phone("3111"), stage.phone("3112"));
    let placed = third_party.start_call(asterisk, "3112");
    let rings = announced.wait_call();
    announced.answer(rings);
    let talk = third_party.finish_call(placed).0.unwrap();
    for phone in [&third_party, &announced] {
        wait_until("an announcement", SOON, || phone.voice().heard_sound() > SECOND / 10);
    }
    says(&third_party, 500, &announced);
    third_party.hang_up(talk);
    let mut helper = stage.phone("em-1");
    let placed = announced.start_call(asterisk, "911");
    let rings = helper.wait_call();
    let before = announced.voice().heard_sound();
    helper.answer(rings);
    let talk = announced.finish_call(placed).0.unwrap();
    sleep(SECOND);
    assert_eq!((helper.voice().heard_sound(), announced.voice().heard_sound()), (Duration::ZERO, before));
    announced.hang_up(talk);

    // Or it wants a beep.
    stage
        .agent
        .lock()
        .unwrap()
        .plan()
        .sql("UPDATE accounts SET recording_notice = 'beep', recording_beep_seconds = 0 WHERE id = 'free'");
    sleep(SECOND * 2);
    let placed = third_party.start_call(asterisk, "3112");
    let rings = announced.wait_call();
    let before = [third_party.voice().heard_sound(), announced.voice().heard_sound()];
    announced.answer(rings);
    let talk = third_party.finish_call(placed).0.unwrap();
    for (phone, before) in [&third_party, &announced].into_iter().zip(before) {
        wait_until("a beep", SOON, || phone.voice().heard_sound() - before > SECOND / 10);
    }
    third_party.hang_up(talk);
    wait_until("records", SOON, || {
        stage.rows("SELECT channel FROM call_records WHERE line_id = '3111' AND direction IS NOT NULL").len() == 2
    });
    let nobodys = stage.rows("SELECT * FROM call_records WHERE channel LIKE 'Local/%'");
    assert!(nobodys.is_empty(), "{nobodys:#?}");

    // All lines of an account; the agent dies while the call goes on, and its end is found by the next one.
    tandem(&stage, &["record", "account", "acme"]);
    let placed = second.start_call(asterisk, "3103");
    let rings = third.wait_call();
    wait_recorded(&stage, "3102", 1);
    wait_recorded(&stage, "3103", 2);
    let third_talk = third.answer(rings);
    let talk = second.finish_call(placed).0.unwrap();
    says(&second, 500, &third);
    stage.agent.lock().unwrap().process().kill();
    says(&third, 700, &second);
    stage.agent.lock().unwrap().restart();
    says(&second, 900, &third);
    sleep(SECOND * 2);
    let mut agent = stage.agent.lock().unwrap();
    agent.process().kill();
    second.hang_up(talk);
    third.wait_end(&third_talk);
    agent.restart();
    for (line, tones) in [("3102", [[500, 900].as_slice(), &[700]]), ("3103", [&[700], &[500, 900]])] {
        let file = fetch(agent.plan(), &wait_recordings(agent.plan(), line, 1));
        assert_tones(&channel(&file, 1), tones[0], tones[1]);
        assert_tones(&channel(&file, 2), tones[1], tones[0]);
    }
    let left = fs::read_dir(agent.plan().folder().join("recordings")).unwrap().flatten();
    let left: Vec<_> = left.filter(|entry| entry.path().is_file()).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(stage.asterisk.complaints().is_empty(), "{:#?}", stage.asterisk.complaints());
}

/// What Asterisk recorded of a call that is over, as an agent leaves it that dies: raw stereo, left 500 Hz, right 700 Hz.
fn leave(folder: &lab::Folder, line: &str, seconds: u32, days: i32) {
    let id = uuid::Uuid::now_v7();
    let begun_at = chrono::Utc::now();
    let notes = Notes {
        id,
        subject: Subject {
            channel: "PJSIP/x-1".into(),
            uniqueid: "1.1".into(),
            linked_id: "1.1".into(),
            line_id: Some(line.into()),
            account_id: None,
            direction: Direction::Outbound,
            line_number: line.into(),
            other_number: "12145550123".into(),
            since: begun_at,
            dialled: String::new(),
            answered: false,
            talks: false,
            bridge: String::new(),
        },
        purpose: Purpose::Recording(Wanted {
            order_id: None,
            ordered_by: "boss".into(),
            account_id: Some("acme".into()),
            days,
            beep_seconds: None,
        }),
        form: Form::Stereo,
        begun_at,
        monitor: None,
    };
    let recordings = folder.join("recordings");
    let taps = tap::notes::Folder::new(&recordings);
    let sample = |hertz: f64, at: u32| (8000.0 * (std::f64::consts::TAU * hertz * f64::from(at) / 8000.0).sin()) as i16;
    let raw: Vec<u8> = (0..seconds * 8000)
        .flat_map(|at| [sample(500.0, at).to_le_bytes(), sample(700.0, at).to_le_bytes()].concat())
        .collect();
    fs::write(taps.raw(id), raw).unwrap();
    taps.write(&notes).unwrap();
    taps.end(id).unwrap();
}

#[test]
fn what_was_recorded_outlives_the_database_and_the_agent_and_is_kept_for_its_time() {
    let mut server = MariaDb::start();
    let plan = Agent::builder()
        .set("database.urls", &server.url())
        .set("recordings.alarm_seconds", "1")
        .set("recordings.upkeep_seconds", "1");
    plan.tandem_ok(&["migrate"]);
    let mut agent = plan.start();
    let count = |server: &MariaDb| server.sql("SELECT COUNT(*) FROM tandem.recordings").trim().to_owned();
    let waits = |agent: &Agent, folder: &str, end: &str| {
        let entries = fs::read_dir(agent.plan().folder().join(folder)).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(end)).count()
    };

    // The database goes away; what is over then waits, and the agent dies: before it is in the spool, and after.
    server.kill();
    agent.process().kill();
    leave(agent.plan().folder(), "1001", 3, 1);
    agent.restart();
    wait_until("it waits", SOON, || waits(&agent, "calls", ".segment") == 1);
    agent.process().kill();
    leave(agent.plan().folder(), "1001", 3, 0);
    // Killed between spool and its end, it is put there again.
    agent.restart();
    wait_until("both wait", SOON, || waits(&agent, "calls", ".segment") == 2);
    wait_until("an alarm", SOON, || agent.get("/status").unwrap().1.contains("recordings.waiting"));
    assert_eq!(waits(&agent, "recordings", "raw"), 0, "what is in the spool is not twice on the disk");
    server.restart();
    wait_until("both are sent", SOON, || count(&server) == "2");
    agent.restart();
    wait_until("nothing is left", SOON, || waits(&agent, "calls", ".segment") == 0);
    assert_eq!(server.sql("SELECT COUNT(DISTINCT id) FROM tandem.mailbox_audio").trim(), "2");
    let all = recordings(agent.plan(), "1001");
    let file = fetch(agent.plan(), &all[0]);
    assert_eq!(fs::metadata(&file).unwrap().len() / 1000, 48, "3 s of mu-law in stereo");
    assert_tones(&channel(&file, 1), &[500], &[700]);
    assert_tones(&channel(&file, 2), &[700], &[500]);

    // A day is over for one of them; the other is kept for ever.
    server.sql("UPDATE tandem.recordings SET expires_at = expires_at - INTERVAL 2 DAY");
    wait_until("it goes", SOON, || count(&server) == "1");
    assert_eq!(server.sql("SELECT COUNT(DISTINCT id) FROM tandem.mailbox_audio").trim(), "1");
    let log = agent.log();
    assert!(!log.contains("ERROR"), "{log}");
}

#[test]
fn a_long_recording_becomes_several() {
    let plan = Agent::builder().set("recordings.compact", "false");
    plan.tandem_ok(&["migrate"]);
    leave(plan.folder(), "1001", 1, 1);
    let files = fs::read_dir(plan.folder().join("recordings")).unwrap().flatten();
    let raw = files.map(|file| file.path()).find(|path| path.extension().is_some_and(|kind| kind == "raw")).unwrap();
    fs::File::options().write(true).open(raw).unwrap().set_len(32_000 * 60 * 16).unwrap();
    let agent = plan.start();
    wait_until("both parts", SOON, || recordings(agent.plan(), "1001").len() == 2);
    let parts = recordings(agent.plan(), "1001");
    let told: Vec<(i64, i64)> = parts
        .iter()
        .map(|part| (part["part"].as_i64().unwrap(), part["audio"]["duration_ms"].as_i64().unwrap() / 60_000))
        .collect();
    assert_eq!(told, [(2, 1), (1, 15)]);
    let begun = |part: &Value| part["started_at"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert_eq!(begun(&parts[0]) - begun(&parts[1]), chrono::TimeDelta::minutes(15));
}
