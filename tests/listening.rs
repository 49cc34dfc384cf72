//! Supervisors who listen to calls, whisper and barge in: real phones that speak tones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;
mod records_stage;
mod transfer_stage;

use std::time::{Duration, Instant};

use lab::{Agent, Api, Dialog, Handset, wait_until};
use mailbox_stage::Transport;
use serde_json::{Value, json};
use transfer_stage::{Plan, SOON, Stage};

const TONE: Duration = Duration::from_millis(900);
/// Of a tone, what has to be heard.
const HEARD: Duration = Duration::from_millis(400);

fn stage() -> Stage {
    Plan::new()
        .handsets(&["2201", "2202", "2203", "2204"])
        .manager()
        .relayed()
        .set("node.name", "one")
        .set("emergency.gateways", "gw-a")
        .by(Transport::Ari)
        .start()
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

/// One speaks until these hear it: a phone that was just answered may not be heard at once.
fn says(speaker: &Handset, hertz: u32, listeners: &[&Handset]) {
    let mut spoken = Instant::now();
    speaker.voice().tone(hertz, TONE);
    wait_until(&format!("{hertz} Hz"), SOON, || {
        if spoken.elapsed() > 2 * TONE {
            spoken = Instant::now();
            speaker.voice().tone(hertz, TONE);
        }
        listeners.iter().all(|listener| listener.voice().heard_tone(hertz) > HEARD)
    });
}

/// Nothing is left over of anybody who listened, and the call still has its channels.
fn wait_tidy(stage: &Stage, channels: usize) {
    wait_tidy_but(stage, channels, 0);
}

/// There are so many channels, and bridges of who listens.
fn wait_tidy_but(stage: &Stage, channels: usize, listen: usize) {
    wait_until("all taken apart", SOON, || {
        let bridges = stage.asterisk.command("bridge show all");
        let there = stage.asterisk.command("core show channels concise");
        let bridges = bridges.lines().filter(|line| line.starts_with("listen-")).count();
        bridges == listen && there.lines().filter(|line| line.contains('!')).count() == channels
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
    wait_until("the snoop that does not speak", SOON, || {
        let there = stage.asterisk.command("core show channels concise");
        there.contains(&format!("listen-{id}.4")) && !there.contains(&format!("listen-{id}.3"))
    });
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

    // A phone that does not want to.
    assert_eq!(api.post(&path, &wish).status, 201);
    let rings = phone.wait_call();
    assert_eq!(api.get("/v1/listening").body["listening"][0]["line"], "2203");
    phone.refuse(&rings, "486 Busy Here");
    wait_until("nobody listens", SOON, || api.get("/v1/listening").body["listening"] == json!([]));

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

#[test]
fn an_agent_that_dies_takes_nobody_with_it_and_another_node_may_be_asked() {
    let stage = stage();
    let api = token(&stage, "supervisor");
    let talk = Talk::begin(&stage, &api);
    let mut phone = stage.phone("2203");
    let folder = stage.agent.lock().unwrap().plan().folder().join("tandem.db");
    let two = Agent::builder().set("node.name", "two").set("database.urls", &format!("sqlite:{}", folder.display()));
    let token = two.token("sue@example.com", "supervisor");
    let two = two.start();
    let api = two.api(&token);
    let tandem = |arguments: &[&str]| {
        let told = two.plan().tandem_as(&token, arguments);
        (told.status.success(), String::from_utf8_lossy(&[told.stdout, told.stderr].concat()).into_owned())
    };

    let (_, dialog) = listens(&api, &mut phone, "2203", &talk.uniqueids.1, "listen");
    says(&talk.caller, 440, &[&phone]);
    // The connection to Asterisk is cut; another phone that listened has hung up meanwhile.
    let mut other = stage.phone("2204");
    let (_, second) = listens(&api, &mut other, "2204", &talk.uniqueids.0, "barge");
    says(&other, 470, &[&talk.caller, &talk.called]);
    let relay = stage.relay.as_ref().unwrap();
    relay.cut();
    other.hang_up(second);
    says(&talk.caller, 500, &[&phone]);
    relay.mend();
    wait_until("the other's end", SOON, || {
        api.get("/v1/listening").body["listening"].as_array().is_some_and(|all| all.len() == 1)
    });
    wait_tidy_but(&stage, 4, 1);
    stage.agent.lock().unwrap().process().kill();
    says(&talk.caller, 530, &[&phone]);
    let path = format!("/v1/calls/one/{}/listen", talk.uniqueids.0);
    let nobody = api.post(&path, &json!({ "line": "2204", "how": "listen" }));
    assert!(nobody.status == 503 && nobody.error().contains("will not do it"), "{nobody:?}");
    stage.agent.lock().unwrap().restart();
    let mut told = String::new();
    wait_until("the listener", SOON, || {
        told = tandem(&["listen", "list"]).1;
        told.contains("listen  line 2203")
    });
    assert!(told.contains("on one, by sue@example.com") && told.contains(&talk.uniqueids.1), "{told}");
    phone.voice().press("6");
    says(&phone, 560, &[&talk.caller, &talk.called]);
    let id = told.split(' ').next().unwrap();
    assert!(tandem(&["listen", "stop", id]).0, "{id}");
    phone.wait_end(&dialog);
    wait_tidy(&stage, 2);

    // By the command; and the call ends while no agent is there.
    let (begun, told) = tandem(&["listen", "--of", "2201", "--line", "2203", "--whisper"]);
    assert!(begun, "{told}");
    let rings = phone.wait_call();
    let dialog = phone.answer(rings);
    says(&phone, 700, &[&talk.caller]);
    stage.agent.lock().unwrap().process().kill();
    let Talk { mut caller, mut called, sides: (placed, taken), .. } = talk;
    caller.hang_up(placed);
    called.wait_end(&taken);
    stage.agent.lock().unwrap().restart();
    phone.wait_end(&dialog);
    wait_tidy(&stage, 0);
    let _ = caller.rings_within(Duration::from_millis(50));
    assert!(!other.rings_within(Duration::from_millis(50)), "an order that was taken back is not done");
}

#[test]
fn calls_are_placed_and_recorded_over_http_and_nobody_speaks_into_one_for_help() {
    let stage = stage();
    let (api, operator, auditor) = (token(&stage, "supervisor"), token(&stage, "operator"), token(&stage, "auditor"));
    let (mut first, mut second, mut phone) = (stage.phone("2201"), stage.phone("2202"), stage.phone("2203"));

    assert_eq!(operator.post("/v1/calls", &json!({ "from": "2201", "to": "22 02" })).status, 400);
    assert_eq!(operator.post("/v1/calls", &json!({ "from": "none", "to": "2202" })).status, 404);
    assert_eq!(operator.post("/v1/calls", &json!({ "from": "2201", "to": "2202" })).status, 201);
    let rings = first.wait_call();
    let taken = first.answer(rings);
    let rings = second.wait_call();
    let answered = second.answer(rings);
    says(&first, 440, &[&second]);

    let uniqueid = live(&api, "2202");
    let path = format!("/v1/calls/one/{uniqueid}/record");
    assert_eq!(operator.post(&path, &json!({})).status, 403);
    assert_eq!(api.post("/v1/calls/one/1.1/record", &json!({})).status, 404);
    let begun = api.post(&path, &json!({ "form": "mixed" }));
    assert_eq!(begun.status, 201, "{begun:?}");
    says(&second, 560, &[&first]);
    second.hang_up(answered);
    first.wait_end(&taken);
    let mut recorded = Value::Null;
    wait_until("the recording", SOON, || {
        recorded = api.get("/v1/recordings?line=2202").body;
        recorded[0]["ordered_by"] == "supervisor@example.com"
    });
    let id = recorded[0]["id"].as_str().unwrap();
    assert_eq!(api.get(&format!("/v1/recordings/{id}")).body["line_id"], "2202");
    let audio = api.get(&format!("/v1/recordings/{id}/audio"));
    assert!(audio.status == 200 && audio.head.contains("audio/wav"), "{}", audio.head);
    assert_eq!(api.get("/v1/recordings/none").status, 404);

    let order = api.post("/v1/recording-orders", &json!({ "line": "2201", "calls": 1 }));
    assert_eq!(order.status, 201, "{order:?}");
    for wrong in [json!({}), json!({ "line": "2201", "calls": 0 }), json!({ "line": "2201", "account": "acme" })] {
        assert_eq!(api.post("/v1/recording-orders", &wrong).status, 400, "{wrong}");
    }
    assert_eq!(api.post("/v1/recording-orders", &json!({ "line": "none" })).status, 404);
    let end = format!("/v1/recording-orders/{}", order.body["id"].as_str().unwrap());
    assert_eq!(api.get("/v1/recording-orders").body[0]["line"], "2201");
    assert_eq!((api.delete(&end).status, api.delete(&end).status), (200, 404));

    let help = first.call(stage.asterisk.address(), "911");
    let path = format!("/v1/calls/one/{}/listen", live(&api, "2201"));
    for how in ["whisper", "barge"] {
        assert_eq!(api.post(&path, &json!({ "line": "2203", "how": how })).status, 409, "{how}");
    }
    let (_, dialog) = listens(&api, &mut phone, "2203", path.split('/').nth(4).unwrap(), "listen");
    phone.voice().press("6");
    phone.voice().tone(850, TONE);
    says(&first, 1000, &[&phone]);
    assert_eq!(api.get("/v1/listening").body["listening"][0]["how"], "listen");
    assert_eq!(first.voice().heard_tone(850), Duration::ZERO);
    first.hang_up(help);
    phone.wait_end(&dialog);

    let entries = auditor.get("/v1/audit").body;
    let deeds: Vec<&str> = entries.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    for deed in ["call.place", "recording.begin", "recording.fetch", "recording.order", "recording.end", "listen.begin"]
    {
        assert!(deeds.contains(&deed), "{deed}: {deeds:?}");
    }
}
