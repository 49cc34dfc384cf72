//! The FastAGI adapter against a real Asterisk: every verb, every kind of hangup, hostile values.
//!
//! Calls are Local channels: one half runs the dialplan that calls the agent, the other plays the caller.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::time::{Duration, Instant};

use lab::Asterisk;
use tandem::adapters::fastagi::FastAgi;
use tandem::call::{Call, Ended, Prompt, RecordingEnd, RecordingLimits, Say};
use tandem::config::Agi;
use tandem::intake::{self, Stop};
use tandem::wire::agi::{Connection, Limits, Wait};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// An Asterisk whose calls to the agent arrive at the test.
struct Desk {
    asterisk: Asterisk,
    calls: UnboundedReceiver<FastAgi>,
    stop: Stop,
}

impl Desk {
    async fn open() -> Desk {
        let config = Agi { listen: "127.0.0.1:0".parse().unwrap(), drain_seconds: 0, ..Agi::default() };
        let listener = intake::bind(&config).unwrap();
        let agent = listener.local_addr().unwrap();
        let (calls_in, calls) = unbounded_channel();
        let stop = Stop::default();
        let handler = move |call| {
            let calls_in = calls_in.clone();
            async move { drop(calls_in.send(call)) }
        };
        tokio::spawn(intake::serve(listener, config, &["test"], stop.clone(), handler));
        let dialplan = format!(
            "
[agent]
exten => plain,1,AGI(agi://{agent}/test,one,two)
 same => n,Set(GLOBAL(WENT_ON)=1)
 same => n,Wait(5)
exten => guarded,1,Set(AGIEXITONHANGUP=yes)
 same => n,AGI(agi://{agent}/test)
exten => substituting,1,Set(AGIEXECFULL=yes)
 same => n,AGI(agi://{agent}/test)
exten => forged-end,1,Set(CALLERID(name)=x${{URIDECODE(%0aagi_threadid: 1%0aagi_arg_1: forged%0a%0ay)}})
 same => n,AGI(agi://{agent}/test/line/1001,genuine)
exten => _port-X.,1,Answer(0,i)
 same => n,AGI(agi://127.0.0.1:${{EXTEN:5}}/test)
exten => again,1,Set(TIMES=$[0${{TIMES}}+1])
 same => n,AGI(agi://{agent}/test,${{TIMES}})
 same => n,GotoIf($[${{TIMES}}<300]?again,1)
exten => forged,1,Set(CALLERID(name)=x${{URIDECODE(%0a)}}agi_arg_1: forged)
 same => n,AGI(agi://{agent}/test,one)
 same => n,Set(GLOBAL(WENT_ON)=1)
exten => newlines,1,Set(A=${{URIDECODE(%29%0aHANGUP%0a)}})
 same => n,Set(B=${{URIDECODE(x%29%0a200 result=1 %28y%29%0a%0aHANGUP)}})
 same => n,AGI(agi://{agent}/test)
exten => reported,1,Set(REPORT=1)
 same => n,AGI(agi://{agent}/test)
exten => h,1,ExecIf($[0${{REPORT}}=1]?AGI(agi://{agent}/test,${{HANGUPCAUSE}}))

[sub]
exten => s,1,Return()

[caller]
exten => waits,1,Wait(60)
exten => leaves,1,Answer(0,i)
 same => n,Wait(2)
exten => _keys-!,1,Wait(0.5)
 same => n,SendDTMF(${{EXTEN:5}},50,100)
 same => n,Wait(60)
exten => talks,1,Playback(demo-congrats)
exten => talks-and-leaves,1,Playback(vm-theperson)
"
        );
        let asterisk =
            tokio::task::spawn_blocking(move || Asterisk::builder().dialplan(&dialplan).start()).await.unwrap();
        for module in ["res_clioriginate", "app_senddtmf", "func_uri", "func_shell", "func_env", "app_record"] {
            asterisk.command(&format!("module load {module}.so"));
        }
        Desk { asterisk, calls, stop }
    }

    /// A call that the dialplan handed over at `extension`, with the other half played by `caller`.
    async fn call(&mut self, extension: &str, caller: &str) -> FastAgi {
        self.originate(extension, caller);
        self.next().await
    }

    fn originate(&self, extension: &str, caller: &str) {
        self.asterisk.command(&format!("channel originate Local/{extension}@agent/n extension {caller}@caller"));
    }

    async fn next(&mut self) -> FastAgi {
        tokio::time::timeout(Duration::from_secs(10), self.calls.recv()).await.expect("a call").unwrap()
    }

    /// The caller hangs up.
    fn hang_up(&self, call: &FastAgi) {
        self.asterisk.command(&format!("channel request hangup {}", call.caller().channel));
    }

    fn went_on(&self) -> bool {
        self.asterisk.command("dialplan show globals").contains("WENT_ON=1")
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.stop.hard.cancel();
    }
}

fn failed<T: std::fmt::Debug>(step: Result<T, Ended>) -> String {
    match step {
        Err(Ended::Failed(fault)) => fault.0,
        other => panic!("expected a fault, got {other:?}"),
    }
}

fn hung_up<T: std::fmt::Debug>(step: Result<T, Ended>) {
    assert!(matches!(step, Err(Ended::Hangup)), "expected a hangup, got {step:?}");
}

fn prompts(names: &[&str]) -> Vec<Prompt> {
    names.iter().map(|name| Prompt::from(*name)).collect()
}

const HOSTILE: &[&str] = &[
    "",
    " leading and trailing ",
    "\t",
    "plain",
    "a,b,,c,",
    ",",
    "\"",
    "\"\"",
    "say \"hi\", then go",
    "\\",
    "\\\\",
    "a\\,b",
    "\\\"",
    "ends with \\",
    "{z,w}",
    "}{",
    "(a,b)",
    "(",
    ")",
    "((,",
    "[q,r]",
    "[",
    "]",
    "'a,b'",
    "'",
    "${SHELL(id)}",
    "${EXTEN}",
    "${",
    "$",
    "$$",
    "$[1+1]",
    "$[",
    "${${EXTEN}}",
    "$\\{EXTEN}",
    "%0a%00",
    "a=b",
    "=",
    ";",
    "|",
    "&",
    "a;b|c&d",
    "a) endpos=5",
    ")",
    "200 result=1 (x)",
    "HANGUP",
    "emoji \u{1f600} \u{10ffff}",
    "Zoë Müller 中文",
    "\u{7f}\u{1}\u{1b}[31m",
    "x:1:2",
    "a):1:1",
];

#[tokio::test(flavor = "multi_thread")]
async fn hostile_values_come_back_unchanged_and_are_never_executed() {
    let mut desk = Desk::open().await;
    let proof = desk.asterisk.folder().join("executed");
    let command = format!("${{SHELL(touch {})}}", proof.display());
    for extension in ["plain", "substituting"] {
        let mut call = desk.call(extension, "waits").await;
        // Proof of the proof: where the dialplan evaluates it, it runs.
        assert_eq!(call.get(&["SHELL(echo -n yes)"]).await.unwrap(), ["yes"]);
        let long = "x,".repeat(1500);
        let values: Vec<&str> = HOSTILE.iter().copied().chain([&*command, &*long]).collect();
        let names: Vec<String> = (0..values.len()).map(|number| format!("HOSTILE_{number}")).collect();
        let pairs: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(values.iter().copied()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        call.set(&pairs).await.unwrap();
        assert_eq!(call.get(&names).await.unwrap(), values, "all at once, {extension}");
        for value in &values {
            // Alone, first, in the middle and last: no value disturbs its neighbours.
            let around = [("A", "1"), ("B", value), ("__C", value), ("CDR(userfield)", "2"), ("D", value)];
            call.set(&around).await.unwrap();
            let got = call.get(&["A", "B", "C", "CDR(userfield)", "D"]).await.unwrap();
            assert_eq!(got, ["1", value, value, "2", value], "{extension}");
        }
        // Asterisk's own word on it, apart from our reading back.
        let shown = desk.asterisk.command(&format!("core show channel {}", call.caller().channel));
        for (name, value) in pairs.iter().filter(|(_, value)| value.bytes().all(|byte| byte >= b' ')) {
            assert!(shown.contains(&format!("{name}={value}\n")), "{name}={value} is not in {shown}");
        }
        for value in ["Eve \"X\", ${EXTEN} \\ (é)", ""] {
            call.set(&[("CALLERID(name)", value), ("CALLERID(num)", "15551234567")]).await.unwrap();
            assert_eq!(call.get(&["CALLERID(name)", "CALLERID(num)"]).await.unwrap(), [value, "15551234567"]);
        }
        desk.hang_up(&call);
    }
    assert!(!proof.exists(), "a value was executed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_refused_and_the_session_goes_on() {
    let mut desk = Desk::open().await;
    let mut call = desk.call("plain", "waits").await;
    for value in ["a\nHANGUP", "a\r", "a\0b", "\nEXEC \"System\" \"true\""] {
        let fault = failed(call.set(&[("FIRST", "1"), ("SECOND", value)]).await);
        assert!(fault.contains("SECOND"), "{fault}");
    }
    let fault = failed(call.set(&[("FIRST", "1"), ("SECOND", &"x".repeat(10_240))]).await);
    assert!(fault.contains("SECOND") && fault.contains("8191"), "{fault}");
    assert_eq!(call.get(&["FIRST", "SECOND"]).await.unwrap(), ["", ""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_and_large_values_take_several_commands() {
    let mut desk = Desk::open().await;
    let mut call = desk.call("plain", "waits").await;
    // The longest line that this Asterisk reads, to the byte.
    let longest = "y".repeat(8191 - "EXEC MSet \"EXACT=\"\n".len());
    call.set(&[("EXACT", &longest)]).await.unwrap();
    assert_eq!(call.get(&["EXACT"]).await.unwrap(), [longest]);
    for (count, value) in [(250, "v".to_owned()), (30, "w,".repeat(500))] {
        let names: Vec<String> = (0..count).map(|number| format!("V{number}")).collect();
        let pairs: Vec<(&str, &str)> = names.iter().map(|name| (&**name, &*value)).collect();
        call.set(&pairs).await.unwrap();
        for name in names {
            assert_eq!(call.get(&[&name]).await.unwrap(), [&*value], "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_with_newlines_can_be_read() {
    let mut desk = Desk::open().await;
    let mut call = desk.call("newlines", "waits").await;
    let got = call.get(&["A", "NONE", "B"]).await.unwrap();
    assert_eq!(got, [")\nHANGUP\n", "", "x)\n200 result=1 (y)\n\nHANGUP"]);
    assert_eq!(call.get(&["B"]).await.unwrap(), got[2..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_call_is_announced() {
    let mut desk = Desk::open().await;
    let call = desk.call("plain", "waits").await;
    assert_eq!((call.flow(), call.arguments()), ("test", ["one".to_owned(), "two".to_owned()].as_slice()));
    let caller = call.caller();
    assert!(caller.channel.starts_with("Local/plain@agent-"), "{caller:?}");
    assert_eq!((&*caller.dialled, &*caller.number, &*caller.language), ("plain", "", "en"));
    assert!(caller.uniqueid.contains('.'));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_prelude_line_is_refused() {
    let mut desk = Desk::open().await;
    desk.originate("forged", "waits");
    lab::wait_until("the dialplan to go on", Duration::from_secs(5), || desk.went_on());
    assert!(desk.calls.try_recv().is_err(), "a forged prelude became a call");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_end_of_the_prelude_changes_no_path_and_is_found_out() {
    let mut desk = Desk::open().await;
    let mut call = desk.call("forged-end", "waits").await;
    assert_eq!((call.flow(), &call.arguments()[..2]), ("test", ["line".to_owned(), "1001".to_owned()].as_slice()));
    assert_eq!(call.arguments()[2..], ["forged"]);
    failed(call.get(&["EXTEN"]).await);
    failed(call.set(&[("A", "1")]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_play_to_the_end_or_to_a_key() {
    let mut desk = Desk::open().await;
    let mut call = desk.call("plain", "keys-5").await;
    call.answer().await.unwrap();
    call.answer().await.unwrap();
    assert_eq!(call.get(&["TIMEOUT(absolute)"]).await.unwrap(), ["0"]);
    let key = call.play(&prompts(&["demo-congrats", "beep"]), "456").await.unwrap();
    assert_eq!(key, Some('5'));
    assert_eq!(call.play(&prompts(&["beep", "beep"]), "1").await.unwrap(), None);
    assert_eq!(call.play(&[], "1").await.unwrap(), None);
    let fault = failed(call.play(&prompts(&["beep", "no-such-sound"]), "").await);
    assert!(fault.contains("no-such-sound"), "{fault}");
    assert_eq!(call.play(&prompts(&["beep"]), "").await.unwrap(), None, "the session goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_collected_as_text() {
    let mut desk = Desk::open().await;
    let second = Duration::from_secs(1);
    for (sent, given, most, expected, timed_out) in [
        ("0042#", &["demo-congrats"][..], 8, "0042", false),
        ("*12", &["demo-congrats", "beep"], 8, "*12", true),
        ("0042", &[], 4, "0042", false),
        ("7", &["demo-congrats", "beep"], 1, "7", false),
        ("#", &["demo-congrats", "beep"], 4, "", false),
        ("#", &["demo-congrats"], 4, "", false),
        ("", &["beep"], 4, "", true),
    ] {
        let mut call = desk.call("plain", &format!("keys-{sent}")).await;
        call.answer().await.unwrap();
        let digits = call.collect(&prompts(given), most, second).await.unwrap();
        assert_eq!((&*digits.keys, digits.timed_out), (expected, timed_out), "{sent} {given:?}");
        desk.hang_up(&call);
    }
}

fn limits() -> RecordingLimits {
    RecordingLimits { longest: Duration::from_secs(30), silence: Duration::ZERO, keys: "#".to_owned(), beep: true }
}

#[tokio::test(flavor = "multi_thread")]
async fn recordings_end_by_key_limit_silence_and_hangup() {
    let mut desk = Desk::open().await;
    let path = |name: &str| desk.asterisk.folder().join(name).display().to_string();
    let paths = [path("key"), path("limit"), path("hangup"), path("silence")];
    let wav = |path: &str| std::fs::metadata(format!("{path}.wav")).unwrap().len();

    let mut call = desk.call("plain", "keys-wwww#").await;
    call.answer().await.unwrap();
    let recording = call.record(&paths[0], &limits()).await.unwrap();
    assert_eq!(recording.end, RecordingEnd::Key('#'));
    let unwritable = failed(call.record("/proc/nowhere/file", &limits()).await);
    assert!(unwritable.contains("/proc/nowhere/file.wav"), "{unwritable}");
    desk.hang_up(&call);

    let mut call = desk.call("plain", "talks").await;
    call.answer().await.unwrap();
    let short = RecordingLimits { longest: Duration::from_secs(1), beep: false, ..limits() };
    let recording = call.record(&paths[1], &short).await.unwrap();
    assert_eq!(recording.end, RecordingEnd::Limit);
    // A loaded machine loses sound, so the file is the measure: 16 bytes a millisecond behind a header of 44.
    assert!((100..1200).contains(&recording.length.as_millis()), "{recording:?}");
    let written = u128::from(wav(&paths[1]) - 44) / 16;
    assert!(written.abs_diff(recording.length.as_millis()) < 100, "{recording:?}, {written} ms in the file");
    desk.hang_up(&call);

    let mut call = desk.call("plain", "talks-and-leaves").await;
    call.answer().await.unwrap();
    let recording = call.record(&paths[2], &RecordingLimits { beep: false, ..limits() }).await.unwrap();
    assert_eq!(recording.end, RecordingEnd::Hangup);
    assert!(recording.length > Duration::from_millis(200), "{recording:?}");
    assert!(wav(&paths[2]) > 3000);
    hung_up(call.play(&prompts(&["beep"]), "").await);
    assert_eq!(call.get(&["NONE"]).await.unwrap(), [""]);

    let mut call = desk.call("plain", "talks-and-leaves").await;
    call.answer().await.unwrap();
    desk.hang_up(&call);
    hung_up(call.record(&paths[3], &limits()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_can_be_said() {
    let mut desk = Desk::open().await;
    let mut call = desk.call("plain", "waits").await;
    call.answer().await.unwrap();
    for what in [
        Say::Digits("01".into()),
        Say::Digits("*1#".into()),
        Say::Digits(String::new()),
        Say::Number(-12),
        Say::Letters("aZ".into()),
        Say::Letters("\"; \\".into()),
        Say::DateTime(1_785_000_000, "America/Chicago".into()),
    ] {
        let start = Instant::now();
        let said = call.say(&what, "").await;
        assert!(matches!(said, Ok(None)), "{what:?}: {said:?} {:?} {}", start.elapsed(), desk.asterisk.log());
        assert!(
            start.elapsed() > Duration::from_millis(300) || what == Say::Digits(String::new()),
            "{what:?} not said"
        );
    }
    assert!(failed(call.say(&Say::Number(1 << 40), "").await).contains("beyond"));
    desk.hang_up(&call);

    let mut call = desk.call("plain", "keys-9").await;
    call.answer().await.unwrap();
    assert_eq!(call.say(&Say::DateTime(1_785_000_000, "America/Chicago".into()), "9").await.unwrap(), Some('9'));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_hangs_up_with_a_cause() {
    let mut desk = Desk::open().await;
    let mut call = desk.call("reported", "waits").await;
    call.hangup(21).await.unwrap();
    call.hangup(21).await.unwrap();
    hung_up(call.play(&prompts(&["beep"]), "").await);
    hung_up(call.answer().await);
    drop(call);
    let mut after = desk.next().await;
    assert_eq!(after.arguments(), ["21"]);
    // On the h extension the channel is dead: no HANGUP is sent, and Asterisk refuses the live verbs.
    after.set(&[("CDR(userfield)", "kept")]).await.unwrap();
    assert_eq!(after.get(&["CDR(userfield)"]).await.unwrap(), ["kept"]);
    hung_up(after.play(&prompts(&["beep"]), "").await);
    hung_up(after.collect(&[], 1, Duration::from_secs(1)).await);
    hung_up(after.record("/tmp/never", &limits()).await);
    after.set(&[("CDR(userfield)", "still")]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callers_hangup_ends_every_verb_and_leaves_variables_usable() {
    let mut desk = Desk::open().await;
    let long = prompts(&["demo-congrats"]);
    for verb in ["idle", "play", "collect", "say", "record"] {
        let mut call = desk.call("plain", if verb == "idle" { "waits" } else { "leaves" }).await;
        call.answer().await.unwrap();
        match verb {
            "idle" => {
                desk.hang_up(&call);
                tokio::time::sleep(Duration::from_millis(300)).await;
                hung_up(call.play(&long, "").await);
            }
            "play" => hung_up(call.play(&long, "1").await),
            "collect" => hung_up(call.collect(&long, 4, Duration::from_secs(5)).await),
            "say" => hung_up(call.say(&Say::Digits("1234567890".into()), "").await),
            _ => {
                let path = desk.asterisk.folder().join("left").display().to_string();
                let recording = call.record(&path, &limits()).await;
                assert!(matches!(&recording, Ok(recording) if recording.end == RecordingEnd::Hangup), "{recording:?}");
            }
        }
        hung_up(call.answer().await.and(call.play(&long, "").await.map(drop)));
        call.set(&[("LEFT", verb)]).await.unwrap();
        assert_eq!(call.get(&["LEFT"]).await.unwrap(), [verb]);
        call.hangup(16).await.unwrap();
        drop(call);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_asterisk_closes_at_hangup_every_verb_says_so() {
    let mut desk = Desk::open().await;
    for verb in ["idle", "play"] {
        let mut call = desk.call("guarded", if verb == "idle" { "waits" } else { "leaves" }).await;
        call.answer().await.unwrap();
        if verb == "idle" {
            desk.hang_up(&call);
            tokio::time::sleep(Duration::from_millis(300)).await;
        } else {
            hung_up(call.play(&prompts(&["demo-congrats"]), "").await);
        }
        hung_up(call.get(&["EXTEN"]).await);
        hung_up(call.set(&[("A", "1")]).await);
        hung_up(call.play(&prompts(&["beep"]), "").await);
        call.hangup(16).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dialplan_goes_on_when_the_flow_ends() {
    let mut desk = Desk::open().await;
    drop(desk.call("plain", "waits").await);
    lab::wait_until("the dialplan to go on", Duration::from_secs(5), || desk.went_on());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_exchange_waits_for_a_late_acknowledgement() {
    let mut desk = Desk::open().await;
    let mut call = desk.call("plain", "waits").await;
    // With Nagle's algorithm against delayed acknowledgements each of these could take 40 ms.
    let start = Instant::now();
    for number in 0..200 {
        call.set(&[("N", &number.to_string())]).await.unwrap();
        assert_eq!(call.get(&["N"]).await.unwrap(), [number.to_string()]);
    }
    assert!(start.elapsed() < Duration::from_secs(4), "400 commands took {:?}", start.elapsed());

    let start = Instant::now();
    drop(desk.call("again", "waits").await);
    for number in 2..=300 {
        assert_eq!(desk.next().await.arguments(), [number.to_string()]);
    }
    assert!(start.elapsed() < Duration::from_secs(4), "300 preludes took {:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_in_several_pieces() {
    let desk = Desk::open().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    desk.originate(&format!("port-{}", listener.local_addr().unwrap().port()), "waits");
    let (stream, _) = tokio::time::timeout(Duration::from_secs(10), listener.accept()).await.unwrap().unwrap();
    let limits = Limits { prelude: Duration::from_secs(2), prelude_bytes: 65_536, reply: Duration::from_secs(5) };
    let (mut agi, _) = Connection::open(stream, limits).await.unwrap().unwrap();
    let start = Instant::now();
    for _ in 0..50 {
        let usage = agi.command("CHANNEL STATUS", &["too", "many"], Wait::Briefly).await.unwrap();
        assert_eq!(usage.code, 520);
        assert!(usage.data.unwrap().ends_with("520 End of proper usage."));
        assert_eq!(agi.command("NONSENSE", &[], Wait::Briefly).await.unwrap().code, 510);
        // `100 result=0 Trying...` comes first.
        let sub = agi.command("GOSUB", &["sub", "s", "1"], Wait::Briefly).await.unwrap();
        assert_eq!((sub.code, &*sub.result), (200, "0"));
        let unknown = agi.command("EXEC", &["NoSuchApplication", ""], Wait::Briefly).await.unwrap();
        assert_eq!(unknown.result, "-2");
    }
    assert!(start.elapsed() < Duration::from_secs(3), "200 exchanges took {:?}", start.elapsed());

    // The callee hangs up: -1 as for a hangup, and yet no HANGUP; the channel lives.
    let dialled = agi.command("EXEC", &["Dial", "Local/leaves@caller,5"], Wait::Media).await.unwrap();
    assert_eq!((&*dialled.result, agi.hung_up()), ("-1", false));
    assert_eq!(agi.command("CHANNEL STATUS", &[], Wait::Briefly).await.unwrap().code, 200);
    let dialled = agi.command("EXEC", &["Dial", "Local/leaves@caller,5,g"], Wait::Media).await.unwrap();
    assert_eq!((&*dialled.result, agi.hung_up()), ("0", false));
}
