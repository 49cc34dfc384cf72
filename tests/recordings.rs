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

use lab::{AgentBuilder, Handset, tone_in, wait_until};
use serde_json::Value;
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

/// That a channel has each of these tones for a second at the least, and none of the others.
fn assert_tones(audio: &[u8], has: &[u32], lacks: &[u32]) {
    let tones = |all: &[u32]| all.iter().map(|hertz| tone_in(audio, *hertz)).collect::<Vec<_>>();
    assert!(tones(has).iter().all(|time| *time > SECOND), "{has:?} last {:?}", tones(has));
    assert!(tones(lacks).iter().all(|time| *time < SECOND / 10), "{lacks:?} last {:?}", tones(lacks));
}

/// One says a tone, and the other hears it.
fn says(speaker: &Handset, hertz: u32, listener: &Handset) {
    let before = listener.voice().heard_tone(hertz);
    speaker.voice().tone(hertz, SECOND * 2);
    wait_until("a tone", SOON, || listener.voice().heard_tone(hertz) - before > SECOND * 3 / 2);
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
    let stage = Plan::new().handsets(&["3101", "3102", "3103"]).manager().start();
    let (mut first, mut second, mut third) = (stage.phone("3101"), stage.phone("3102"), stage.phone("3103"));
    let asterisk = stage.asterisk.address();

    // The next call of a line, on both of its sides.
    tandem(&stage, &["record", "line", "3101", "--calls", "1", "--by", "boss"]);
    let placed = first.start_call(asterisk, "3102");
    let rings = second.wait_call();
    wait_recorded(&stage, "3101", 1);
    let taken = second.answer(rings);
    let talk = first.finish_call(placed).0.unwrap();
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
    first.start_refer(&mut talk, "3102");
    let rings = second.wait_call();
    let second_talk = second.answer(rings);
    says(&second, 900, &third);
    tandem(&stage, &["record", "end", &order]);
    let agent = stage.agent.lock().unwrap();
    let recording = wait_recordings(agent.plan(), "3103", 1);
    assert_eq!((&recording["direction"], &recording["channels"]), (&"inbound".into(), &1.into()));
    assert_tones(&channel(&fetch(agent.plan(), &recording), 1), &[500, 900], &[]);
    drop(agent);
    // It was ended, and the call goes on.
    says(&third, 620, &second);
    third.hang_up(third_talk);
    second.wait_end(&second_talk);
    let agent = stage.agent.lock().unwrap();
    assert_eq!(recordings(agent.plan(), "3101").len(), 1, "one call was ordered");
    let id = recording["id"].as_str().unwrap().to_owned();
    agent.plan().tandem_ok(&["recordings", "delete", &id]);
    assert_eq!(recordings(agent.plan(), "3103").len(), 0);
    drop(agent);

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
    let left: Vec<_> = fs::read_dir(agent.plan().folder().join("recordings")).unwrap().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(stage.asterisk.complaints().is_empty(), "{:#?}", stage.asterisk.complaints());
}
