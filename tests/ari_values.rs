//! What is set by ARI is read back unchanged, whatever a caller has put into it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::time::Duration;

use lab::Asterisk;
use tandem::wire::ari::{Ari, AriError, Originate};
use tandem::wire::ari_events::Event;
use tandem::wire::ari_events::socket::{Socket, credentials};

/// A channel in an app of the test.
async fn channel(asterisk: &Asterisk) -> (Ari, Socket, String) {
    // Which installs the library of cryptography.
    tandem::service::lookups().unwrap();
    let (url, password) = asterisk.ari();
    let ari = Ari::new(&url, "tandem", password, "test", Duration::from_secs(5)).unwrap();
    let mut socket = Socket::connect(&url, &credentials("tandem", password), "test", false).await.unwrap();
    let originate = Originate {
        endpoint: "Local/in@held/n".to_owned(),
        app: "test".to_owned(),
        timeout: 5,
        ..Originate::default()
    };
    ari.originate("held", &originate).await.unwrap();
    loop {
        if let Event::StasisStart { channel, .. } = socket.next().await.unwrap() {
            return (ari, socket, channel.id);
        }
    }
}

fn asterisk() -> Asterisk {
    Asterisk::builder().dialplan("\n[held]\nexten => in,1,Answer(0,i)\n same => n,Wait(60)\n").start()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_values_come_back_unchanged() {
    let asterisk = tokio::task::spawn_blocking(asterisk).await.unwrap();
    let (ari, _socket, id) = channel(&asterisk).await;
    let long = "0123456789".repeat(300);
    let values = [
        "",
        " ",
        "  x  ",
        ",",
        "a,b",
        "\"",
        "\"; DROP TABLE calls",
        "'",
        "'x,y'",
        "\\",
        "\\\\",
        "\\,",
        "${EXTEN}",
        "$[1+1]",
        "${SHELL(id)}",
        "{",
        "}",
        "{a,b}",
        "(",
        ")",
        "(a,b",
        "a)b",
        "[",
        "]",
        "[a",
        "=",
        "a=b",
        "|",
        ";",
        "&",
        "%0a",
        "%2c",
        "+",
        "ä 中 😀",
        "\u{7f}",
        "\t",
        "x\ty",
        &long,
    ];
    let names: Vec<String> = (0..values.len()).map(|nth| format!("V{nth}")).collect();
    let pairs: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(values).collect();
    ari.set(&id, &pairs).await.unwrap();
    let asked: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(ari.get(&id, &asked).await.unwrap(), values);
    // More than one ARRAY takes, functions among them, in their order.
    let names: Vec<String> = (0..250).map(|nth| format!("M{nth}")).collect();
    let many: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), "x,y"))
        .chain([("CALLERID(name)", "a \"b\", c"), ("M0", "last")])
        .collect();
    ari.set(&id, &many).await.unwrap();
    assert_eq!(
        ari.get(&id, &["M249", "CALLERID(name)", "M0", "NONE"]).await.unwrap(),
        ["x,y", "a \"b\", c", "last", ""]
    );
    // What is no value and no name is not sent.
    for (name, value) in
        [("A", "x\ny"), ("A", "\0"), ("A,B", "x"), ("A)", "x"), ("${X}", "x"), ("F(${X})", "x"), ("", "x")]
    {
        assert!(matches!(ari.set(&id, &[(name, value)]).await, Err(AriError::Unsendable(_))), "{name:?} {value:?}");
    }
    assert!(matches!(ari.get(&id, &["X}${Y"]).await, Err(AriError::Unsendable(_))));
    // A channel that is gone is told as such.
    ari.hang_up(&id, 16).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(matches!(ari.set(&id, &[("A", "x")]).await, Err(AriError::Gone(_))));
    assert!(matches!(ari.channel(&id).await, Err(AriError::Gone(_))));
}

#[test]
fn events_of_other_kinds_and_with_other_fields_are_tolerated() {
    let read = |text: &str| serde_json::from_str::<Event>(text).unwrap();
    assert_eq!(read(r#"{"type":"BrandNewEvent","anything":[1]}"#), Event::Other);
    assert_eq!(
        read(r#"{"type":"ApplicationReplaced","application":"tandem","timestamp":"x"}"#),
        Event::ApplicationReplaced
    );
    let started = read(
        r#"{"type":"StasisStart","args":["route/line/1001"],"new":1,"channel":{"id":"1.1","caller":{"number":"5","odd":{}},"odd":null}}"#,
    );
    let Event::StasisStart { args, channel, .. } = &started else { panic!("{started:?}") };
    assert_eq!(
        (args.as_slice(), channel.id.as_str(), channel.caller.number.as_str()),
        (["route/line/1001".to_owned()].as_slice(), "1.1", "5")
    );
    assert_eq!(started.channel_id(), Some("1.1"));
    let finished =
        read(r#"{"type":"PlaybackFinished","playback":{"id":"p","target_uri":"channel:1.1","state":"done"}}"#);
    assert_eq!(finished.channel_id(), Some("1.1"));
}
