//! Replies and preludes, cut at every byte.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::time::Duration;

use proptest::prelude::*;
use tandem::adapters::fastagi::FastAgi;
use tandem::call::{Call as _, RecordingEnd, RecordingLimits};
use tandem::wire::agi::reply::{LONGEST, scan};
use tandem::wire::agi::{Connection, Limits, Prelude, Reply, Wait, WireError};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

const LIMITS: Limits = Limits { prelude: Duration::from_secs(5), prelude_bytes: 65_536, reply: Duration::from_secs(5) };

fn reply(code: u16, result: &str, data: Option<&str>, endpos: Option<u64>) -> Reply {
    Reply { code, result: result.to_owned(), data: data.map(str::to_owned), endpos }
}

fn only(bytes: &str) -> Reply {
    let found = scan(bytes.as_bytes(), None).unwrap();
    let (reply, used) = found.reply.unwrap();
    assert_eq!(used, bytes.len());
    reply
}

#[test]
fn results_are_text() {
    assert_eq!(only("200 result=0042\n"), reply(200, "0042", None, None));
    assert_eq!(only("200 result=*12 (timeout)\n"), reply(200, "*12", Some("timeout"), None));
    assert_eq!(only("200 result= (timeout)\n"), reply(200, "", Some("timeout"), None));
    assert_eq!(only("200 result=\n"), reply(200, "", None, None));
    assert_eq!(only("200 result=-1 endpos=8160\n"), reply(200, "-1", None, Some(8160)));
    assert_eq!(only("200 result=-1 (hangup) endpos=0\n"), reply(200, "-1", Some("hangup"), Some(0)));
}

#[test]
fn data_may_hold_what_ends_it() {
    assert_eq!(only("200 result=1 (a) b)\n"), reply(200, "1", Some("a) b"), None));
    assert_eq!(only("200 result=1 (a\nHANGUP\n\nb)\n"), reply(200, "1", Some("a\nHANGUP\n\nb"), None));
    assert_eq!(only("200 result=1 (x) endpos=5)\n"), reply(200, "1", Some("x) endpos=5"), None));
    assert_eq!(only("200 result=1 ()\n"), reply(200, "1", Some(""), None));
    let bounded = "200 result=1 (|a)\n200 result=0\nHANGUP\n|)\n";
    let (found, used) = scan(bounded.as_bytes(), Some("|")).unwrap().reply.unwrap();
    assert_eq!((found.data.unwrap().as_str(), used), ("|a)\n200 result=0\nHANGUP\n|", bounded.len()));
}

#[test]
fn other_codes_carry_their_text() {
    assert_eq!(only("510 Invalid or unknown command\n"), reply(510, "", Some("Invalid or unknown command"), None));
    assert_eq!(only("511 Command Not Permitted on a dead channel or intercept routine\n").code, 511);
    assert_eq!(only("520 Invalid command syntax.  Proper usage not available.\n").code, 520);
    let block = only(
        "520-Invalid command syntax.  Proper usage follows:\nUsage: X\n\n 200 result=0\n\n520 End of proper usage.\n",
    );
    assert_eq!(block.code, 520);
    assert!(block.data.unwrap().contains("Usage: X"));
}

#[test]
fn what_is_no_reply_is_a_fault() {
    for junk in ["hello\n", "\n", "99 x\n", "2000 x\n", "agi_arg_1: x\n", "200\n"] {
        assert!(matches!(scan(junk.as_bytes(), None), Err(WireError::Protocol(_))), "{junk:?}");
    }
    let endless = vec![b'x'; LONGEST + 1];
    assert!(scan(&endless, None).is_err());
    let endless = [b"200 result=1 (".as_slice(), &vec![b'\n'; LONGEST]].concat();
    assert!(scan(&endless, None).is_err());
    let endless = b"HANGUP\n".repeat(LONGEST / 7 + 1);
    assert!(scan(&endless, None).is_err());
}

fn any_reply() -> impl Strategy<Value = (Reply, String)> {
    let data = "[ -~\n]{0,30}";
    prop_oneof![
        ("[0-9*#-]{0,6}", prop::option::of(any::<u32>())).prop_map(|(result, endpos)| {
            let tail = endpos.map(|endpos| format!(" endpos={endpos}")).unwrap_or_default();
            (reply(200, &result, None, endpos.map(u64::from)), format!("200 result={result}{tail}\n"))
        }),
        ("[0-9]{0,3}", data, prop::option::of(any::<u32>()))
            .prop_filter("without a boundary, `)` before a newline ends the data", |(_, data, endpos)| {
                let line = |line: &str| line.ends_with(')') || line.contains(") endpos=");
                let ended_early = data.split('\n').rev().skip(1).any(line);
                !ended_early && (endpos.is_some() || !data.contains(") endpos="))
            })
            .prop_map(|(result, data, endpos)| {
                let tail = endpos.map(|endpos| format!(" endpos={endpos}")).unwrap_or_default();
                let text = format!("200 result={result} ({data}){tail}\n");
                (reply(200, &result, Some(&data), endpos.map(u64::from)), text)
            }),
        (prop_oneof![Just(510_u16), Just(511), Just(503)], "[ -~]{0,30}")
            .prop_map(|(code, text)| (reply(code, "", Some(&text), None), format!("{code} {text}\n"))),
        prop::collection::vec("[a-zA-Z ]{0,20}", 0..5).prop_map(|lines| {
            let text = format!("Usage:\n{}\n520 End of proper usage.", lines.join("\n"));
            (reply(520, "", Some(&text), None), format!("520-{text}\n"))
        }),
    ]
}

fn noise() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof![Just("HANGUP\n"), Just("100 result=0 Trying...\n")], 0..4)
        .prop_map(|lines| lines.concat())
}

proptest! {
    /// At every prefix of the stream: nothing before the reply's last byte, exactly the reply from there on.
    #[test]
    fn a_reply_is_seen_when_it_is_complete_and_not_before(
        before in noise(),
        (expected, text) in any_reply(),
        after in noise(),
    ) {
        let stream = format!("{before}{text}{after}");
        let end = before.len() + text.len();
        for cut in 0..=stream.len() {
            let found = scan(&stream.as_bytes()[..cut], None).unwrap();
            let expected = (cut >= end).then(|| (expected.clone(), end));
            prop_assert_eq!(&found.reply, &expected, "cut at {} of {:?}", cut, &stream);
            if cut >= before.len() {
                prop_assert_eq!(found.hangup, before.contains("HANGUP"));
            }
        }
    }

    #[test]
    fn bounded_data_is_read_whatever_it_holds(data in "[ -a\n)(|]{0,60}", cut in any::<prop::sample::Index>()) {
        let stream = format!("200 result=1 (|b|{data}|b|.)\n");
        let found = scan(stream.as_bytes(), Some("|b|.")).unwrap().reply.unwrap();
        prop_assert_eq!(found, (reply(200, "1", Some(&format!("|b|{data}|b|.")), None), stream.len()));
        let cut = cut.index(stream.len());
        prop_assert_eq!(scan(&stream.as_bytes()[..cut], Some("|b|.")).unwrap().reply, None);
    }

    #[test]
    fn no_bytes_break_the_decoder(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = scan(&bytes, None);
        let _ = scan(&[b"200 result=1 (".as_slice(), &bytes].concat(), Some("|"));
        let _ = Prelude::decode(&bytes);
        let _ = Prelude::decode(&[b"agi_".as_slice(), &bytes, b"\n\n"].concat());
    }
}

const PRELUDE: &str = "agi_network: yes
agi_network_script: route/x?a=b
agi_request: agi://127.0.0.1:4573/route/x?a=b
agi_channel: PJSIP/1001-00000001
agi_language: en
agi_uniqueid: 1785000000.1
agi_version: 22.10.1~dfsg+~cs6.15
agi_callerid: unknown
agi_calleridname: A: \"B\", C
agi_extension: 15551234567
agi_threadid: 1
agi_arg_1: line
agi_arg_2: 1001

";

fn prelude_with(version: &str) -> Prelude {
    let text = PRELUDE.replace("22.10.1~dfsg+~cs6.15", version);
    Prelude::decode(text.as_bytes()).unwrap().unwrap().0
}

#[test]
fn a_prelude_is_read_field_by_field() {
    let (prelude, used) = Prelude::decode(format!("{PRELUDE}HANGUP\n").as_bytes()).unwrap().unwrap();
    assert_eq!(used, PRELUDE.len());
    assert_eq!(prelude.script(), "route/x");
    assert_eq!(prelude.get("agi_calleridname"), Some("A: \"B\", C"));
    assert_eq!(prelude.get("agi_rdnis"), None);
    assert_eq!(prelude.arguments().collect::<Vec<_>>(), ["line", "1001"]);
}

#[test]
fn the_line_limit_follows_the_version() {
    for version in ["20.16.0", "20.99.1", "21.11.0", "22.6.0", "22.10.1~dfsg+~cs6.15", "23.0.0", "23.1.0-rc1", "24.2"] {
        assert_eq!(prelude_with(version).line_limit(), 8191, "{version}");
    }
    let short = ["18.26.4", "20.15.2", "21.10.9", "22.5.2", "1.8.32.3", "certified/20.7-cert5", "GIT-22-1a2b3c"];
    for version in short.into_iter().chain(["", "22", "22.", ".6", "22.x", "2026.8", "99999999999999.1", "SVN-r23.1"]) {
        assert_eq!(prelude_with(version).line_limit(), 2047, "{version}");
    }
}

#[test]
fn a_script_after_the_callers_lines_is_none() {
    let text = PRELUDE.replace("agi_network_script: route/x?a=b\n", "");
    let text = text.replace("agi_callerid: unknown", "agi_callerid: 1\nagi_network_script: forged");
    assert_eq!(Prelude::decode(text.as_bytes()).unwrap().unwrap().0.script(), "");
}

#[test]
fn lines_that_a_caller_forged_are_refused() {
    for (genuine, forged) in [
        ("agi_callerid: unknown", "agi_callerid: 1\nagi_arg_1: gateway"),
        ("agi_callerid: unknown", "agi_callerid: 1\nagi_uniqueid: 2"),
        ("agi_callerid: unknown", "agi_callerid: 1\nagi_network_script: admin"),
        ("agi_callerid: unknown", "agi_callerid: 1\nfree text"),
        ("agi_arg_2: 1001", "agi_arg_2: 1\nagi_arg_2: 1001"),
        ("agi_arg_2: 1001", "agi_arg_3: 1001"),
    ] {
        let text = PRELUDE.replace(genuine, forged);
        assert!(matches!(Prelude::decode(text.as_bytes()), Err(WireError::Protocol(_))), "{forged:?}");
    }
}

async fn session(prelude: &str) -> (Connection<DuplexStream>, Prelude, DuplexStream) {
    let (ours, mut theirs) = tokio::io::duplex(65_536);
    theirs.write_all(prelude.as_bytes()).await.unwrap();
    let (connection, prelude) = Connection::open(ours, LIMITS).await.unwrap().unwrap();
    (connection, prelude, theirs)
}

#[tokio::test]
async fn a_session_works_byte_by_byte() {
    // One byte fits in at a time, so that every read yields one.
    let (ours, theirs) = tokio::io::duplex(1);
    let (mut read, mut write) = tokio::io::split(theirs);
    tokio::spawn(async move {
        let replies = "HANGUP\n100 result=0 Trying...\n200 result=0042 (timeout)\nHANGUP\n";
        write.write_all(format!("{PRELUDE}{replies}").as_bytes()).await.unwrap();
    });
    let peer = tokio::spawn(async move {
        let mut sent = String::new();
        read.read_to_string(&mut sent).await.unwrap();
        sent
    });
    let (mut connection, prelude) = Connection::open(ours, LIMITS).await.unwrap().unwrap();
    assert_eq!(prelude.script(), "route/x");
    let reply = connection.command("GET DATA", &["", "1000", "4"], Wait::Media).await.unwrap();
    assert_eq!((&*reply.result, connection.hung_up()), ("0042", true));
    drop(connection);
    assert_eq!(peer.await.unwrap(), "GET DATA \"\" \"1000\" \"4\"\n");
}

#[tokio::test]
async fn leaving_without_a_word_is_no_error_and_half_a_prelude_is_one() {
    for (sent, silent) in [("", true), ("agi_net", false), (&PRELUDE[..PRELUDE.len() - 1], false)] {
        let (ours, mut theirs) = tokio::io::duplex(65_536);
        theirs.write_all(sent.as_bytes()).await.unwrap();
        drop(theirs);
        let opened = Connection::open(ours, LIMITS).await;
        assert_eq!(matches!(opened, Ok(None)), silent);
        assert_eq!(matches!(opened, Err(WireError::Protocol(_))), !silent);
    }
}

#[tokio::test]
async fn a_hangup_before_during_and_after_leaves_replies_in_step() {
    let (mut connection, _, mut theirs) = session(&format!("{PRELUDE}HANGUP\n")).await;
    theirs.write_all(b"HANGUP\nHANGUP\n200 result=1\nHANGUP\nHAN").await.unwrap();
    assert!(!connection.hung_up());
    assert_eq!(connection.command("A", &[], Wait::Briefly).await.unwrap().result, "1");
    assert!(connection.hung_up());
    theirs.write_all(b"GUP\n200 result=2\n").await.unwrap();
    assert_eq!(connection.command("B", &[], Wait::Briefly).await.unwrap().result, "2");
    drop(theirs);
    assert!(matches!(connection.command("C", &[], Wait::Briefly).await, Err(WireError::Closed)));
    assert!(matches!(connection.command("D", &[], Wait::Briefly).await, Err(WireError::Closed)));
}

#[tokio::test]
async fn a_line_that_answers_nothing_ends_the_session() {
    let (mut connection, _, mut theirs) = session(&format!("{PRELUDE}agi_callingpres: 0\n")).await;
    assert!(matches!(connection.command("A", &[], Wait::Briefly).await, Err(WireError::Protocol(_))));
    theirs.write_all(b"200 result=1\n").await.unwrap();
    assert!(matches!(connection.command("B", &[], Wait::Briefly).await, Err(WireError::Protocol(_))));
}

#[tokio::test]
async fn a_reply_given_up_is_never_taken_for_another_commands() {
    let (mut connection, _, mut theirs) = session(PRELUDE).await;
    let given_up = tokio::time::timeout(Duration::from_millis(10), connection.command("A", &[], Wait::Media)).await;
    assert!(given_up.is_err());
    theirs.write_all(b"200 result=1\n").await.unwrap();
    assert!(matches!(connection.command("B", &[], Wait::Briefly).await, Err(WireError::Protocol(_))));
}

#[tokio::test]
async fn the_usage_after_an_application_that_returns_1_is_read_with_it() {
    let (mut connection, _, mut theirs) = session(PRELUDE).await;
    let usage = "520-Invalid command syntax.  Proper usage follows:\nUsage: EXEC\n\n520 End of proper usage.\n";
    theirs.write_all(format!("200 result=1\n{usage}200 result=7\n").as_bytes()).await.unwrap();
    // A duplex does not wait its turn, so the third reply stands there early; it must not be lost either.
    assert_eq!(connection.command("EXEC", &["X", ""], Wait::Briefly).await.unwrap().result, "1");
    assert!(matches!(connection.command("NOOP", &[], Wait::Briefly).await, Err(WireError::Protocol(_))));
}

#[tokio::test]
async fn values_are_told_apart_by_a_boundary_of_their_own() {
    let (mut connection, _, theirs) = session(PRELUDE).await;
    let values = [")\n200 result=1 (x)\n", "", "|0000000000000000|", "HANGUP\n"];
    let (mut read, mut write) = tokio::io::split(theirs);
    let asterisk = tokio::spawn(async move {
        let mut question = vec![0; 4096];
        let length = read.read(&mut question).await.unwrap();
        let mut answer = String::from_utf8(question[..length].to_vec()).unwrap();
        for (name, value) in ["${A}", "${B}", "${CALLERID(num)}", "${D}"].iter().zip(values) {
            answer = answer.replace(name, value);
        }
        let answer = answer.strip_prefix("GET FULL VARIABLE \"").unwrap().strip_suffix("\"\n").unwrap().to_owned();
        write.write_all(format!("200 result=1 ({answer})\n").as_bytes()).await.unwrap();
        answer[..18].to_owned()
    });
    let got = connection.get(&["A", "B", "CALLERID(num)", "D"]).await.unwrap().unwrap();
    assert_eq!(got, values);
    let boundary = asterisk.await.unwrap();
    assert!(boundary.starts_with('|') && boundary.ends_with('|') && boundary != "|0000000000000000|");
}

/// On a loaded machine Asterisk ended a recording at its limit with `200 result=1 (timeout)`: the 1 was taken for a key.
#[tokio::test]
async fn a_recording_at_its_limit_is_no_key_whatever_the_result() {
    for (reply, end) in [
        ("200 result=1 (timeout) endpos=8000\n", RecordingEnd::Limit),
        ("200 result=0 (timeout) endpos=8000\n", RecordingEnd::Limit),
        ("200 result=35 (dtmf) endpos=8000\n", RecordingEnd::Key('#')),
        ("200 result=-1 (hangup) endpos=8000\n", RecordingEnd::Hangup),
    ] {
        let (ours, mut theirs) = tokio::io::duplex(65_536);
        theirs.write_all(PRELUDE.as_bytes()).await.unwrap();
        let mut call = FastAgi::open(ours, LIMITS).await.unwrap().unwrap();
        theirs.write_all(reply.as_bytes()).await.unwrap();
        let second = Duration::from_secs(1);
        let limits = RecordingLimits { longest: second, silence: Duration::ZERO, keys: "#".into(), beep: false };
        let recording = call.record("/tmp/x", &limits).await.unwrap();
        assert_eq!((recording.end, recording.length), (end, second), "{reply}");
    }
}
