//! Interception under warrant: two persons arm it, nobody else, and nothing tells of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod store_world;

use chrono::{DateTime, TimeDelta, Utc};
use lab::Agent;
use serde_json::json;
use store_world::{World, options, soon};
use tandem::store::Store;
use tandem::store::interception::{Part, Sealed};
use tandem::store::warrant::{ArmedWarrant, Order, Standing, Warrant};
use tandem::store::warrants::WarrantError;

const RECIPIENT: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
const OTHER: &str = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg";

fn order(line: &str, now: DateTime<Utc>) -> Order {
    Order {
        line: line.into(),
        warrant: "24-cr-7741".into(),
        starts_at: now - TimeDelta::hours(1),
        ends_at: now + TimeDelta::hours(1),
        recipient: RECIPIENT.into(),
    }
}

/// A line of this id, and an account for it.
fn line(id: &str) -> String {
    format!(
        "INSERT INTO accounts (id, name, status, currency, time_zone, created_at) VALUES ('acme', 'Acme', 'active', 'USD', 'UTC', '2026-01-01 00:00:00');
         INSERT INTO phone_lines (id, account_id, name, status, country, created_at) VALUES ('{id}', 'acme', 'Subject', 'active', 'US', '2026-01-01 00:00:00')"
    )
}

async fn armed(store: &Store, now: DateTime<Utc>) -> Vec<ArmedWarrant> {
    store.armed_warrants(now, soon().by).await.unwrap()
}

async fn standing(store: &Store, id: &str) -> Standing {
    store.warrants(Utc::now()).await.unwrap().into_iter().find(|(warrant, _)| warrant.id == id).unwrap().1
}

async fn approved(store: &Store) -> Warrant {
    let warrant = store.request_warrant(order("1001", Utc::now()), "ida").await.unwrap();
    store.approve_warrant(&warrant.id, "ivan").await.unwrap()
}

#[tokio::test]
async fn two_persons_arm_a_warrant_for_its_time_and_no_row_does() {
    for world in World::all() {
        let (store, now) = (&world.store, Utc::now());
        store.migrate().await.unwrap();
        world.run(&line("1001")).await;
        let unknown = store.request_warrant(order("nobody", now), "ida").await;
        assert!(matches!(unknown, Err(WarrantError::NoLine)), "{unknown:?}");

        let warrant = store.request_warrant(order("1001", now), "ida").await.unwrap();
        assert_eq!(standing(store, &warrant.id).await, Standing::Requested, "{}", world.name);
        let alone = store.approve_warrant(&warrant.id, "ida").await;
        assert!(matches!(alone, Err(WarrantError::SamePerson)), "{alone:?}");
        assert_eq!(armed(store, now).await, []);
        store.approve_warrant(&warrant.id, "ivan").await.unwrap();
        let twice = store.approve_warrant(&warrant.id, "ivan").await;
        assert!(matches!(twice, Err(WarrantError::Past)), "{twice:?}");

        let found = armed(store, now).await;
        let [one] = &found[..] else { panic!("{}: {found:?}", world.name) };
        assert_eq!(
            (one.id.to_string(), one.line_id.as_str(), one.recipient.as_str()),
            (warrant.id.clone(), "1001", RECIPIENT)
        );
        assert_eq!((one.starts_at, one.ends_at), (warrant.order.starts_at, warrant.order.ends_at));
        assert_eq!(armed(store, one.starts_at - TimeDelta::seconds(1)).await, [], "before its time");
        assert_eq!(armed(store, one.ends_at).await, [], "after it");
        store.end_warrant(&warrant.id, "ida").await.unwrap();
        assert_eq!((armed(store, now).await, standing(store, &warrant.id).await), (vec![], Standing::Ended));

        // By hand: an end is taken back, a row is changed, an approval is written, a row is written.
        world.run("UPDATE warrants SET ended_by = NULL, ended_at = NULL").await;
        assert_eq!((armed(store, now).await, standing(store, &warrant.id).await), (vec![], Standing::Ended));
        for change in [
            "line_id = '1002'",
            "warrant_number = '1'",
            &format!("recipient = '{OTHER}'"),
            "ends_at = '2099-01-01 00:00:00'",
            "starts_at = '2020-01-01 00:00:00'",
            "requested_by = 'eve'",
            "approved_by = 'eve'",
            "approved_by = 'ida'",
        ] {
            let id = approved(store).await.id;
            assert_eq!(armed(store, Utc::now()).await.len(), 1, "{}", world.name);
            world.run(&format!("UPDATE warrants SET {change} WHERE id = '{id}'")).await;
            assert_eq!(armed(store, Utc::now()).await, [], "{}: {change}", world.name);
            assert_eq!(standing(store, &id).await, Standing::Void, "{}: {change}", world.name);
            store.end_warrant(&id, "ida").await.unwrap();
        }
        let id = store.request_warrant(order("1001", now), "ida").await.unwrap().id;
        world
            .run(&format!("UPDATE warrants SET approved_by = 'ivan', approved_at = requested_at WHERE id = '{id}'"))
            .await;
        assert_eq!((armed(store, Utc::now()).await, standing(store, &id).await), (vec![], Standing::Void));
        world
            .run(&format!(
                "INSERT INTO warrants (id, warrant_number, line_id, starts_at, ends_at, recipient, requested_by, requested_at, approved_by, approved_at)
                 VALUES ('0193-hand', 'x', '1001', '2020-01-01 00:00:00', '2099-01-01 00:00:00', '{RECIPIENT}',
                         'ida', '2020-01-01 00:00:00', 'ivan', '2020-01-01 00:00:00')"
            ))
            .await;
        assert_eq!((armed(store, Utc::now()).await, standing(store, "0193-hand").await), (vec![], Standing::Void));
        // An entry by hand, without the hash that it would have, proves nothing either.
        let id = approved(store).await.id;
        world
            .run(&format!("UPDATE audit_log SET person = 'eve' WHERE about = '{id}' AND action = 'intercept.approve'"))
            .await;
        world.run(&format!("UPDATE warrants SET approved_by = 'eve' WHERE id = '{id}'")).await;
        assert_eq!(armed(store, Utc::now()).await, [], "{}", world.name);
    }
}

/// By the program and over HTTP, as persons do it.
#[test]
fn a_warrant_is_asked_of_the_agent_and_nothing_else_tells_of_it() {
    let plan = Agent::builder().set("log.filter", "trace");
    plan.tandem_ok(&["migrate"]);
    plan.sql(&line("subject-4711"));
    let agent = plan.start();
    let plan = agent.plan();
    let [ida, ida_too, ivan] = ["ida", "ida", "ivan"].map(|person| plan.token(person, "intercept"));
    let auditor = plan.token("arthur", "auditor");
    let request = |token: &str, line: &str, recipient: &str| {
        let now = Utc::now();
        let [start, end] = [now - TimeDelta::hours(1), now + TimeDelta::hours(1)].map(|time| time.to_rfc3339());
        let words =
            ["intercept", "request", "--line", line, "--warrant", "24-cr-7741", "--start", &start, "--end", &end];
        plan.tandem_as(token, &[&words[..], &["--recipient", recipient]].concat())
    };
    let complained = |output: std::process::Output, why: &str| {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(why), "{text}");
    };
    let check = || String::from_utf8_lossy(&plan.tandem(&["check"]).stdout).into_owned();
    let before = check();
    complained(plan.tandem(&["intercept", "list"]), "TANDEM_TOKEN");
    complained(request(&auditor, "subject-4711", RECIPIENT), "may not do this");
    complained(request(&ida, "nobody", RECIPIENT), "there is no line");
    complained(request(&ida, "subject-4711", "age1nonsense"), "no public key of age");
    let asked = request(&ida, "subject-4711", RECIPIENT);
    let told = String::from_utf8_lossy(&asked.stdout).into_owned();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let id = told.split_whitespace().next().unwrap();

    let url = format!("sqlite:{}", plan.folder().join("tandem.db").display());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let armed = || runtime.block_on(async { armed(&Store::new(&options(&[&url])).unwrap(), Utc::now()).await.len() });
    for token in [&ida, &ida_too] {
        complained(plan.tandem_as(token, &["intercept", "approve", id]), "another person has to");
    }
    assert_eq!(armed(), 0);
    let approval = agent.api(&ivan).post(&format!("/v1/intercepts/{id}/approve"), &json!({}));
    assert_eq!((approval.status, approval.body["approved_by"].as_str()), (200, Some("ivan")), "{}", approval.body);
    assert_eq!(armed(), 1);
    let list = plan.tandem_as(&ida, &["intercept", "list"]);
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    assert!(list.starts_with("armed ") && list.contains("line subject-4711 warrant 24-cr-7741"), "{list}");
    assert_eq!(agent.api(&ivan).post("/v1/intercepts/nothing/end", &json!({})).status, 404);

    // An auditor sees who did what, and that the log is whole.
    let log = plan.tandem_as(&auditor, &["audit", "list"]);
    let log = String::from_utf8_lossy(&log.stdout).into_owned();
    assert!(log.contains(&format!("intercept.approve {id} by ivan")), "{log}");
    let verified = plan.tandem_ok(&["audit", "verify"]);
    // Nobody else sees anything, least of all the nodes' replicas.
    assert_eq!(check(), before);
    let [metrics, status] = ["/metrics", "/status"].map(|path| agent.get(path).unwrap().1);
    for (what, text) in [
        ("the log", &agent.log()),
        ("metrics", &metrics),
        ("the status", &status),
        ("the audit log's list", &log),
        ("the audit log's verification", &verified),
    ] {
        assert!(!text.contains("subject-4711") && !text.contains("24-cr-7741"), "{what} tells of it: {text}");
    }
    lab::wait_until("the replica knows the line", std::time::Duration::from_secs(20), || {
        replica(&agent).windows(12).any(|text| text == b"subject-4711")
    });
    assert!(!replica(&agent).windows(10).any(|text| text == b"24-cr-7741"), "the replica tells of it");

    assert!(plan.tandem_as(&ida, &["intercept", "end", id]).status.success());
    assert_eq!(armed(), 0);
    complained(plan.tandem_as(&ivan, &["intercept", "end", id]), "was approved, or ended");
}

/// All bytes of the replica's files.
fn replica(agent: &Agent) -> Vec<u8> {
    let folder = std::fs::read_dir(agent.plan().folder().join("replica"));
    let files = folder.into_iter().flatten().flatten();
    files.flat_map(|file| std::fs::read(file.path()).unwrap_or_default()).collect()
}

#[tokio::test]
async fn what_was_intercepted_is_kept_once_and_every_file_that_is_handed_out_is_told() {
    for world in World::all() {
        let store = &world.store;
        store.migrate().await.unwrap();
        let (call, warrant_id) = (uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
        let sealed = Sealed { content: vec![7; 400_000], signalling: b"sealed".to_vec() };
        let mut writer = store.writer(std::time::Duration::from_secs(10));
        for part in [0, 1, 1] {
            let part = Part { call, part, warrant_id, at: Utc::now() };
            writer.add_interception(&part, &sealed).await.unwrap();
        }
        let (call, warrant) = (call.to_string(), warrant_id.to_string());
        let listed = store.interceptions(&warrant).await.unwrap();
        let parts: Vec<_> = listed.iter().map(|part| (part.call.as_str(), part.part, part.bytes)).collect();
        assert_eq!(parts, [(call.as_str(), 0, 400_006), (&call, 1, 400_006)], "{}", world.name);

        assert_eq!(store.fetch_interception(&warrant, &call, 1, "ida").await.unwrap(), sealed);
        let other = store.fetch_interception("another", &call, 1, "ida").await;
        assert!(matches!(other, Err(WarrantError::NoPart)), "{other:?}");
        assert_eq!(store.delete_interceptions("another", "ida").await.unwrap(), 0);
        assert_eq!(store.delete_interceptions(&warrant, "ivan").await.unwrap(), 2);
        assert_eq!(store.interceptions(&warrant).await.unwrap(), []);
        let told = store.entries_after(None, soon().by).await.unwrap();
        let told: Vec<_> = told.iter().map(|entry| (entry.person.as_str(), entry.action.as_str())).collect();
        let wanted = [("ida", "intercept.fetch"), ("ida", "intercept.delete"), ("ivan", "intercept.delete")];
        assert_eq!(told, wanted, "{}", world.name);
    }
}
