//! The flow `linetest`: over the simulator, cut off at every step, and over a real call with keys and sound in RTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use lab::{Folder, Manner, Node, Voice, wait_until};
use tandem::adapters::simulator::{Press, Script, Simulator};
use tandem::alarm::Alarms;
use tandem::call::{Call, Caller, Digits, Ended, Prompt, Recording, RecordingEnd, RecordingLimits, Say, Step};
use tandem::config::Config;
use tandem::emergency::callbacks::Callbacks;
use tandem::flows::{Ports, linetest};
use tandem::service;

/// A caller who tests everything: a number, a recording, silence.
const EVERYTHING: [&str; 5] = ["0042#", "*", "#", "", ""];

fn ports(folder: &Path) -> Ports {
    let mut config = Config::default();
    config.media.recordings = folder.into();
    config.database.urls = vec![format!("sqlite:{}", folder.join("tandem.db").display())];
    let (_, atlas) = tokio::sync::watch::channel(std::sync::Arc::default());
    let store = service::store(&config).unwrap();
    let speech = service::speech(&config);
    let voicemail = service::voicemail::port(&config, &store, &Alarms::default()).unwrap();
    let (rules, lookups) = (service::rules(&config), service::lookups().unwrap());
    Ports::new(store, rules, atlas, Callbacks::default(), speech, folder.into(), voicemail, lookups)
}

/// A call that is cut off at one of the verbs, and whose recordings are really written.
struct CutOff {
    call: Simulator<Script>,
    verbs: usize,
    /// The verb at which the caller hangs up; recordings tell it in one of two ways.
    at: usize,
    mildly: bool,
}

impl CutOff {
    fn new(presses: &[&str], at: usize, mildly: bool) -> CutOff {
        let presses = presses.iter().map(|keys| match *keys {
            "" => Press::Nothing,
            keys => Press::Keys(keys.into()),
        });
        let caller = Caller { uniqueid: "1795.1/../2".into(), number: "1001".into(), ..Caller::default() };
        CutOff { call: Simulator::new(caller, Script::new(presses)), verbs: 0, at, mildly }
    }

    fn verb(&mut self) -> Step<()> {
        self.verbs += 1;
        assert!(self.verbs <= self.at, "something was done after the caller had hung up");
        if self.verbs == self.at { Err(Ended::Hangup) } else { Ok(()) }
    }
}

impl Call for CutOff {
    fn caller(&self) -> &Caller {
        self.call.caller()
    }
    async fn answer(&mut self) -> Step<()> {
        self.verb()?;
        self.call.answer().await
    }
    async fn play(&mut self, prompts: &[Prompt], keys: &str) -> Step<Option<char>> {
        self.verb()?;
        self.call.play(prompts, keys).await
    }
    async fn listen(&mut self, sound: &Prompt, keys: &str) -> Step<Option<char>> {
        self.verb()?;
        self.call.listen(sound, keys).await
    }
    async fn collect(&mut self, prompts: &[Prompt], most: usize, wait: Duration) -> Step<Digits> {
        self.verb()?;
        self.call.collect(prompts, most, wait).await
    }
    async fn record(&mut self, path: &str, limits: &RecordingLimits) -> Step<Recording> {
        fs::write(format!("{path}.wav"), "RIFF").unwrap();
        if self.mildly && self.verbs + 1 == self.at {
            // The next verb finds the caller gone, as over FastAGI.
            return Ok(Recording { path: path.into(), length: limits.longest, end: RecordingEnd::Hangup });
        }
        self.verb()?;
        self.call.record(path, limits).await
    }
    async fn say(&mut self, what: &Say, keys: &str) -> Step<Option<char>> {
        self.verb()?;
        self.call.say(what, keys).await
    }
    async fn set(&mut self, pairs: &[(&str, &str)]) -> Step<()> {
        self.call.set(pairs).await
    }
    async fn get(&mut self, names: &[&str]) -> Step<Vec<String>> {
        self.call.get(names).await
    }
    async fn hangup(&mut self, cause: u16) -> Step<()> {
        self.verb()?;
        self.call.hangup(cause).await
    }
}

/// How a conversation ended, and what was heard.
async fn converse(presses: &[&str], at: usize, mildly: bool) -> (Step<&'static str>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let mut call = CutOff::new(presses, at, mildly);
    let ended = linetest::run(&mut call, &ports(folder.path())).await;
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().map(|file| file.file_name()).collect();
    assert!(left.is_empty(), "left behind when cut off at verb {at}: {left:?}");
    (ended, call.call.phone.heard)
}

#[tokio::test]
async fn every_path_of_the_conversation() {
    let (ended, heard) = converse(&EVERYTHING, usize::MAX, false).await;
    assert_eq!(ended.unwrap(), "tested");
    let heard: Vec<&str> = heard.iter().map(|line| line.split(" to /").next().unwrap()).collect();
    assert_eq!(heard[..3], ["(answered)", "plays extension", "says the digits 1001"]);
    assert_eq!(heard[3..6], ["plays beep", "plays you-entered", "says the digits 0042"]);
    assert_eq!(heard[6..8], ["plays beep", "records"]);
    assert!(heard[8].starts_with("plays /") && heard[8].ends_with("/linetest-1795-1----2"), "{}", heard[8]);
    assert_eq!(heard[9..], ["plays beep", "plays goodbye", "(hangs up, cause 16)"]);

    let (ended, heard) = converse(&["#"], usize::MAX, false).await;
    assert_eq!((ended.unwrap(), heard.len()), ("tested", 6), "# alone ends it: {heard:?}");

    let (ended, heard) = converse(&["1"; 30], usize::MAX, false).await;
    assert_eq!(ended.unwrap(), "tested", "it ends by itself");
    assert_eq!(heard.iter().filter(|line| *line == "plays beep").count(), 20);
}

#[tokio::test]
async fn a_caller_may_hang_up_at_every_step() {
    for mildly in [false, true] {
        for at in 1.. {
            let (ended, _) = converse(&EVERYTHING, at, mildly).await;
            if ended.is_ok() {
                assert!(at > 10, "only {at} verbs");
                break;
            }
            assert!(matches!(ended, Err(Ended::Hangup)), "{at}: {ended:?}");
        }
    }
    // At every wait, by the simulator's own caller.
    for presses in 0..EVERYTHING.len() - 1 {
        let (ended, heard) = converse(&EVERYTHING[..presses], usize::MAX, false).await;
        assert!(matches!(ended, Err(Ended::Hangup)), "{presses}: {ended:?}");
        assert_eq!(heard.last().unwrap(), "(you hang up)");
    }
}

/// A node with line 1001, and the folder of recordings that Asterisk and the agent share.
fn node() -> (Node, Folder) {
    let recordings = Folder::new("recordings");
    let node = Node::builder()
        .set("media.recordings", &recordings.path().to_string_lossy())
        .sql(include_str!("data/provider.sql"))
        .line("1001", Manner::Answers)
        .start();
    node.asterisk.command("logger add channel agi.log verbose");
    node.asterisk.command("agi set debug on");
    (node, recordings)
}

/// What went over FastAGI so far.
fn transcript(node: &Node) -> String {
    node.asterisk.folder().read("log/agi.log")
}

fn wait_for(node: &Node, text: &str, times: usize) {
    let there = || transcript(node).matches(text).count() >= times;
    wait_until(&format!("{text:?} in the transcript"), Duration::from_secs(20), there);
}

fn files(folder: &Folder) -> Vec<String> {
    let files = fs::read_dir(folder.path()).unwrap().flatten().filter(|file| file.path().is_file());
    files.map(|file| file.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_line_is_tested_by_a_real_call() {
    let (node, recordings) = node();
    let phone = node.peer("1001");
    let voice: Voice = phone.voice();
    let call = phone.call(node.asterisk.address(), "*99").voice(&voice).talks(Duration::from_secs(60)).start();
    call.wait_voice();
    wait_for(&node, "GET DATA", 1);
    voice.press("0042#");
    wait_for(&node, "200 result=0042", 1);
    wait_for(&node, "GET DATA", 2);
    voice.press("*");
    wait_for(&node, "RECORD FILE", 1);
    // The beep, then two seconds of a tone that no prompt has.
    voice.pause(Duration::from_millis(700));
    voice.tone(700, Duration::from_secs(2));
    wait_until("the recording", Duration::from_secs(5), || files(&recordings).len() == 1);
    let before = voice.heard_tone(700);
    voice.press("#");
    wait_for(&node, "GET DATA", 3);
    let echo = voice.heard_tone(700) - before;
    assert!(echo > Duration::from_millis(1200) && echo < Duration::from_millis(2300), "{echo:?} of the tone came back");
    assert_eq!(files(&recordings), Vec::<String>::new(), "the recording is removed");
    voice.press("#");
    let outcome = call.finish();
    assert_eq!(outcome.status(), 200);
    assert!(outcome.messages.iter().any(|m| m.received && m.first_line.starts_with("BYE ")), "the agent hangs up");

    let transcript = transcript(&node);
    for said in ["SAY DIGITS \"1001\"", "STREAM FILE \"you-entered\"", "SAY DIGITS \"0042\"", "STREAM FILE \"goodbye\""]
    {
        assert!(transcript.contains(said), "{said} in\n{transcript}");
    }
    assert!(voice.heard_sound() > Duration::from_secs(4), "prompts were heard for {:?}", voice.heard_sound());
    wait_until("the log", Duration::from_secs(5), || node.agent.log().contains(r#"outcome="tested""#));
    let record = node.asterisk.wait_call(1);
    assert_eq!((record.get("dst"), record.get("id"), record.get("disposition")), ("*99", "1001", "ANSWERED"));
    assert_eq!(record.get("reason"), "");
    assert_eq!(node.asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn a_hangup_in_the_middle_leaves_nothing() {
    let (node, recordings) = node();
    let phone = node.peer("1001");
    // While a prompt plays, keys are awaited, a recording runs.
    for (calls, waits_for) in ["STREAM FILE", "GET DATA", "RECORD FILE"].into_iter().enumerate() {
        let asked = |command: &str| transcript(&node).matches(command).count() + 1;
        let (awaited, keys) = (asked(waits_for), asked("GET DATA"));
        let voice = phone.voice();
        let call = phone.call(node.asterisk.address(), "*99").voice(&voice).talks(Duration::from_secs(60)).start();
        call.wait_voice();
        if waits_for == "RECORD FILE" {
            wait_for(&node, "GET DATA", keys);
            voice.press("*");
            wait_until("the recording", Duration::from_secs(10), || !files(&recordings).is_empty());
        }
        wait_for(&node, waits_for, awaited);
        call.hang_up();
        wait_until(waits_for, Duration::from_secs(5), || node.asterisk.channels() == 0);
        let hangups = || node.agent.log().matches(r#"outcome="hangup""#).count();
        wait_until("the log", Duration::from_secs(5), || hangups() == calls + 1);
        assert_eq!(files(&recordings), Vec::<String>::new(), "{waits_for}");
    }
    assert!(!node.agent.log().contains("WARN"), "{}", node.agent.log());
    assert_eq!(node.asterisk.complaints(), Vec::<String>::new());
}
