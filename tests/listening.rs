//! Supervisors who listen to calls, whisper and barge in: real phones that speak tones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;
mod records_stage;
mod transfer_stage;

use std::time::Duration;

use lab::{Agent, Api, Dialog, Handset, wait_until};
use mailbox_stage::Transport;
use serde_json::{Value, json};
use transfer_stage::{Plan, SOON, Stage};

const TONE: Duration = Duration::from_millis(900);
/// Of a tone, what has to be heard.
const HEARD: Duration = Duration::from_millis(400);

fn stage() -> Stage {
    Plan::new().handsets(&["2201", "2202", "2203", "2204"]).set("node.name", "one").by(Transport::Ari).start()
}

/// Two phones that talk, the one that called first.
struct Talk {
    caller: Handset,
    called: Handset,
    sides: (Dialog, Dialog),
    /// The unique ids of their channels.
    uniqueids: (String, String),
}

impl Talk {
    fn begin(stage: &Stage, api: &Api) -> Talk {
        let (mut caller, mut called) = (stage.phone("2201"), stage.phone("2202"));
        let placed = caller.start_call(stage.asterisk.address(), "2202");
        let rings = called.wait_call();
        let taken = called.answer(rings);
        let placed = caller.finish_call(placed).0.expect("it was answered");
        let uniqueids = (live(api, "2201"), live(api, "2202"));
        Talk { caller, called, sides: (placed, taken), uniqueids }
    }
}

/// The call of a line, once it is known.
fn live(api: &Api, line: &str) -> String {
    let mut found = Value::Null;
    wait_until("the call in the list", SOON, || {
        found = api.get(&format!("/v1/calls?line={line}")).body;
        found[0]["state"] == "talks"
    });
    found[0]["uniqueid"].as_str().unwrap().to_owned()
}

fn token(stage: &Stage, role: &str) -> Api {
    let agent = stage.agent.lock().unwrap();
    agent.api(&agent.plan().token(&format!("{role}@example.com"), role))
}

/// A phone listens.
fn listens(api: &Api, phone: &mut Handset, line: &str, uniqueid: &str, how: &str) -> (String, Dialog) {
    let begun = api.post(&format!("/v1/calls/one/{uniqueid}/listen"), &json!({ "line": line, "how": how }));
    assert_eq!(begun.status, 201, "{begun:?}");
    let rings = phone.wait_call();
    let dialog = phone.answer(rings);
    (begun.body["id"].as_str().unwrap().to_owned(), dialog)
}

/// One speaks, and these hear it.
fn says(speaker: &Handset, hertz: u32, listeners: &[&Handset]) {
    speaker.voice().tone(hertz, TONE);
    for listener in listeners {
        wait_until(&format!("{hertz} Hz"), SOON, || listener.voice().heard_tone(hertz) > HEARD);
    }
}

/// Nothing is left over of anybody who listened, and the call still has its channels.
fn wait_tidy(stage: &Stage, channels: usize) {
    wait_until("all taken apart", SOON, || {
        let bridges = stage.asterisk.command("bridge show all");
        let there = stage.asterisk.command("core show channels concise");
        !bridges.contains("listen-") && there.lines().filter(|line| line.contains('!')).count() == channels
    });
}

#[test]
fn a_supervisor_hears_both_sides_and_is_heard_as_it_is_wanted() {
    let stage = stage();
    let (api, operator) = (token(&stage, "supervisor"), token(&stage, "operator"));
    let talk = Talk::begin(&stage, &operator);
    let (caller, called) = (&talk.caller, &talk.called);
    let (mut phone, mut other) = (stage.phone("2203"), stage.phone("2204"));

    // The side of whom was called: it hears what is whispered.
    let (id, dialog) = listens(&api, &mut phone, "2203", &talk.uniqueids.1, "listen");
    let (_, second) = listens(&api, &mut other, "2204", &talk.uniqueids.0, "listen");
    says(caller, 440, &[called, &phone, &other]);
    says(called, 560, &[caller, &phone, &other]);
    phone.voice().tone(700, TONE);
    phone.voice().press("5");
    says(&phone, 850, &[called]);
    phone.voice().press("6");
    says(&phone, 1000, &[called, caller]);
    phone.voice().press("4");
    phone.voice().tone(1200, TONE);
    let listening = api.get("/v1/listening").body;
    assert_eq!(listening["listening"].as_array().unwrap().len(), 2, "{listening}");
    assert_eq!(listening["silent"], json!([]));
    other.hang_up(second);
    phone.voice().press("*");
    phone.wait_end(&dialog);
    for (listener, hertz) in [(caller, 700), (called, 700), (caller, 850), (caller, 1200), (called, 1200)] {
        assert_eq!(listener.voice().heard_tone(hertz), Duration::ZERO, "{hertz} Hz");
    }
    wait_tidy(&stage, 2);
    assert_eq!(api.delete(&format!("/v1/listening/{id}")).status, 404);
    says(caller, 1400, &[called]);

    // Nobody else listens, and to nothing else.
    let path = format!("/v1/calls/one/{}/listen", talk.uniqueids.0);
    let wish = json!({ "line": "2203", "how": "listen" });
    assert_eq!(operator.post(&path, &wish).status, 403);
    assert_eq!(stage.agent.lock().unwrap().api("tandem_none").post(&path, &wish).status, 401);
    assert_eq!(api.post("/v1/calls/one/1.1/listen", &wish).status, 404);
    assert_eq!(api.post(&path.replace("one", "two"), &wish).status, 404);
    assert_eq!(api.post(&path, &json!({ "line": "none", "how": "listen" })).status, 404);
    let wrong = api.post(&path, &json!({ "line": "2203", "how": "shout" }));
    assert!(wrong.status == 400 && wrong.error().contains("how"), "{wrong:?}");
    let missing = api.post(&path, &json!({ "how": "listen" }));
    assert!(missing.status == 400 && missing.error().contains("line"), "{missing:?}");

    // The call ends, and with it who listens.
    let (_, dialog) = listens(&api, &mut phone, "2203", &talk.uniqueids.0, "whisper");
    says(&phone, 1600, &[caller]);
    assert_eq!(called.voice().heard_tone(1600), Duration::ZERO);
    let Talk { caller, called, sides: (placed, taken), .. } = talk;
    let (mut caller, mut called) = (caller, called);
    caller.hang_up(placed);
    called.wait_end(&taken);
    phone.wait_end(&dialog);
    wait_tidy(&stage, 0);
    let _ = caller.rings_within(Duration::from_millis(50));
    assert_eq!((caller.renegotiated(), called.renegotiated()), (0, 0));
    wait_until("the call's record", SOON, || !stage.rows("SELECT * FROM call_records").is_empty());
    let records = stage.rows("SELECT * FROM call_records");
    assert_eq!(records.len(), 1, "who listens leaves no record: {records:#?}");
}
