//! The audit log: one chain, whoever writes it, and nothing in it can be changed unnoticed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod store_world;

use lab::Agent;
use store_world::{World, options, soon};
use tandem::store::Store;
use tandem::store::audit::{Deed, Entry, Head};

fn deed(person: &str, about: &str) -> Deed {
    Deed { person: person.into(), action: "test.write", about: about.into(), subject: "{\"é\":1}".into() }
}

async fn entries(store: &Store) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let last = entries.last().map(|entry| entry.number);
        let page = store.entries_after(last, soon().by).await.unwrap();
        if page.is_empty() {
            return entries;
        }
        entries.extend(page);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_who_write_at_once_make_one_chain_on_every_backend() {
    for world in World::all() {
        world.store.migrate().await.unwrap();
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..8 {
            let store = Store::new(&options(&[&world.url])).unwrap();
            writers.spawn(async move {
                for n in 0..10 {
                    store.tell(deed(&format!("writer-{writer}"), &n.to_string())).await.unwrap();
                }
            });
        }
        writers.join_all().await;
        let entries = entries(&world.store).await;
        assert_eq!(entries.len(), 80, "{}", world.name);
        let mut head = Head::default();
        for entry in &entries {
            head.follow(entry).unwrap_or_else(|broken| panic!("{}: {broken}", world.name));
        }
    }
}

#[test]
fn an_entry_that_was_altered_removed_or_exchanged_is_found() {
    let plan = Agent::builder();
    plan.tandem_ok(&["migrate"]);
    for n in 1..=5 {
        plan.token(&format!("person-{n}"), "operator");
    }
    let verify = |head: &str| {
        let mut arguments = vec!["audit", "verify"];
        arguments.extend((!head.is_empty()).then_some(["--head", head]).into_iter().flatten());
        let said = plan.tandem(&arguments);
        let text = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
        (said.status.code(), text)
    };
    let found = |why: &str, head: &str| {
        let (code, text) = verify(head);
        assert_eq!((code, text.contains(why)), (Some(1), true), "{text}");
    };
    let (code, text) = verify("");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("5 entries, whole"), "{text}");
    let head = text.lines().find_map(|line| line.strip_prefix("head ")).unwrap().to_owned();
    assert!(head.starts_with("5:"));
    plan.sql("CREATE TABLE before AS SELECT * FROM audit_log");
    let restore = || plan.sql("DELETE FROM audit_log; INSERT INTO audit_log SELECT * FROM before");

    for change in ["person = 'x'", "at = '2026-01-01 00:00:00.000'", "about = about || ' '", "subject = '{}'"] {
        plan.sql(&format!("UPDATE audit_log SET {change} WHERE number = 3"));
        found("entry 3 was altered", "");
        restore();
    }
    // What moves from one field into the next is another entry.
    plan.sql(
        "UPDATE audit_log SET person = person || substr(action, 1, 1), action = substr(action, 2) WHERE number = 3",
    );
    found("entry 3 was altered", "");
    restore();
    plan.sql("DELETE FROM audit_log WHERE number IN (2, 3)");
    found("entries 2 to 3 are missing", "");
    restore();
    plan.sql("DELETE FROM audit_log WHERE number = 1");
    found("entries 1 to 1 are missing", "");
    restore();
    plan.sql(
        "UPDATE audit_log SET number = -3 WHERE number = 3; UPDATE audit_log SET number = 3 WHERE number = 4;
         UPDATE audit_log SET number = 4 WHERE number = -3",
    );
    found("entry 3 was altered", "");
    restore();

    // One that is whole in itself does not fit in.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = format!("sqlite:{}", plan.folder().join("tandem.db").display());
    let known = runtime.block_on(async { entries(&Store::new(&options(&[&url])).unwrap()).await });
    let second = Head { number: 2, hash: known[1].hash.clone() };
    let forged = Entry::after(&second, known[2].at, deed("x", "y"));
    plan.sql(&format!(
        "UPDATE audit_log SET person = 'x', action = 'test.write', about = 'y', subject = '{}', hash = '{}' WHERE number = 3",
        forged.subject, forged.hash
    ));
    found("entry 4 does not follow the one before it", "");
    restore();

    // Nor does one before the beginning, where nobody would look.
    let forged = Entry::after(&Head { number: -8, hash: head[2..].to_owned() }, known[2].at, deed("x", "y"));
    plan.sql(&format!(
        "INSERT INTO audit_log VALUES (-7, '{}', 'x', 'test.write', 'y', '{}', '{}', '{}')",
        forged.at.format("%Y-%m-%d %H:%M:%S%.3f"),
        forged.subject,
        forged.previous_hash,
        forged.hash
    ));
    found("entry -7 is none of the chain", "");
    restore();

    // The end can be cut off, or written anew: then only a head that was kept elsewhere tells.
    plan.sql("DELETE FROM audit_log WHERE number = 5");
    assert_eq!(verify("").0, Some(0));
    found("entries 5 to 5 at least are cut off", &head);
    plan.token("person-6", "operator");
    found("entry 5 is not the one that was kept", &head);
    restore();
    assert_eq!(verify(&head).0, Some(0));
}
