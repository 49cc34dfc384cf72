//! Mailboxes in each of the three databases: every question and every change, with the sample's data.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod store_world;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use store_world::{World, load_sample, soon};
use tandem::store::directory::Directory;
use tandem::store::mailbox::{Audio, Change, Counts, Folder, Format, GreetingKind, NewGreeting, NewMessage, Place};
use tandem::store::mailbox_writer::Attached;
use tandem::store::target::{Target, TargetKind};
use tandem::store::writer::{Unwritten, Writer};
use tokio::time::Instant;
use uuid::Uuid;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn by() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn audio(id: Uuid, place: Place, bytes: &[u8]) -> Audio {
    Audio { id, place, format: Format::Wav, bytes: i64::try_from(bytes.len()).unwrap(), duration_ms: 61_000 }
}

async fn add(writer: &mut Writer, mailbox: &str, left_at: &str, urgent: bool, place: Place, bytes: &[u8]) -> Uuid {
    let message = NewMessage {
        id: Uuid::now_v7(),
        mailbox_id: mailbox.to_owned(),
        folder: Folder::Inbox,
        urgent,
        caller_number: "'; DROP TABLE mailboxes; --".to_owned(),
        caller_name: "Zoë \u{1F4DE}".to_owned(),
        line_id: Some("1002".to_owned()),
        forwarded_by: None,
        left_at: at(left_at),
        uniqueid: "1.1".to_owned(),
    };
    let audio = audio(message.id, place, bytes);
    let attached = Attached { audio: &audio, bytes };
    assert!(writer.add_message(&message, &attached, "node").await.unwrap(), "it is new");
    assert!(!writer.add_message(&message, &attached, "node").await.unwrap(), "again it changes nothing");
    message.id
}

#[tokio::test]
async fn every_question_and_change_in_each_database() {
    for world in World::all() {
        let (name, store) = (world.name, &world.store);
        load_sample(store).await;
        let mut writer = store.writer(Duration::from_secs(20));

        let mailbox = store.mailbox("1001", &mut soon()).await.unwrap().unwrap();
        assert_eq!(
            (mailbox.number.as_str(), mailbox.operator.as_str(), mailbox.time_zone.as_str()),
            ("1001", "600", "America/New_York"),
            "{name}"
        );
        assert_eq!(
            (mailbox.limits.messages, mailbox.limits.account_messages, mailbox.set_up),
            (100, 5000, true),
            "{name}"
        );
        assert!(tandem::store::password::verify("2580", mailbox.password_hash.as_ref().unwrap()), "{name}");
        assert!(store.mailbox("nobody", &mut soon()).await.unwrap().is_none(), "{name}");
        assert_eq!(store.mailbox_of_line("1001", &mut soon()).await.unwrap().as_deref(), Some("1001"), "{name}");
        assert_eq!(
            store.mailbox_by_number("600", "1001", &mut soon()).await.unwrap().as_deref(),
            Some("sales"),
            "{name}"
        );
        assert_eq!(
            store.mailbox_of_account("acme", "1002", &mut soon()).await.unwrap().as_deref(),
            Some("1002"),
            "{name}"
        );
        let operator = store.mailbox_operator("1001", &mut soon()).await.unwrap().unwrap();
        assert_eq!((operator.number.as_str(), operator.account_id.as_str()), ("600", "acme"), "{name}");
        assert!(store.mailbox_operator("sales", &mut soon()).await.unwrap().is_none(), "{name}");

        let extension = store.extension("acme", "600", &mut soon()).await.unwrap().unwrap();
        assert_eq!(extension.target, operator.target, "{name}");
        let mailbox = store.target("acme", TargetKind::Mailbox, "1001", &mut soon()).await.unwrap().unwrap();
        assert_eq!(mailbox.target, Some(Target::Mailbox("1001".to_owned())), "{name}");
        assert!(store.target("nobody", TargetKind::Mailbox, "1001", &mut soon()).await.unwrap().is_none(), "{name}");

        // More than one part, and bytes of every value.
        let large: Vec<u8> = (0..1_500_000_u32).map(|n| (n % 256) as u8).collect();
        let first = add(&mut writer, "1001", "2026-01-01T10:00:00.123Z", false, Place::Database, &large).await;
        let second = add(&mut writer, "1001", "2026-01-01T11:00:00Z", true, Place::Database, b"abc").await;
        let elsewhere = add(&mut writer, "1002", "2026-11-01T11:00:00Z", false, Place::S3, b"").await;
        assert_eq!(store.audio(first, by()).await.unwrap().unwrap(), large, "{name}");
        assert!(store.audio(elsewhere, by()).await.unwrap().is_none(), "{name}");
        let stranger = NewMessage {
            id: Uuid::now_v7(),
            mailbox_id: "nobody".to_owned(),
            folder: Folder::Inbox,
            urgent: false,
            caller_number: String::new(),
            caller_name: String::new(),
            line_id: None,
            forwarded_by: None,
            left_at: Utc::now(),
            uniqueid: String::new(),
        };
        let nothing = audio(stranger.id, Place::Database, b"x");
        let refused = writer.add_message(&stranger, &Attached { audio: &nothing, bytes: b"x" }, "node").await;
        assert!(matches!(refused, Err(Unwritten::Refused(_))), "{name}: {refused:?}");
        assert!(store.audio(stranger.id, by()).await.unwrap().is_none(), "{name}: neither row nor audio");

        let messages = store.messages("1001", &mut soon()).await.unwrap();
        assert_eq!(messages.iter().map(|message| message.audio.id).collect::<Vec<_>>(), [first, second], "{name}");
        assert_eq!(messages[0].left_at, at("2026-01-01T10:00:00.123Z"), "{name}");
        assert_eq!(
            (messages[0].caller_number.as_str(), messages[0].caller_name.as_str()),
            ("'; DROP TABLE mailboxes; --", "Zoë \u{1F4DE}"),
            "{name}"
        );
        let counts = |mailbox: &'static str| async move { store.mailbox_counts(mailbox, &mut soon()).await.unwrap() };
        assert_eq!(counts("1001").await, Counts { urgent: 1, fresh: 1, old: 0 }, "{name}");
        assert_eq!(store.all_mailbox_counts().await.unwrap().len(), 3, "{name}");
        let used = store.mailbox("1001", &mut soon()).await.unwrap().unwrap().used;
        assert_eq!((used.messages, used.milliseconds, used.account_messages), (2, 122_000, 3), "{name}");
        let settings = store.mail_settings("1001", by()).await.unwrap().unwrap();
        assert_eq!((settings.mail.as_str(), settings.unheard), ("alice@example.com", 2), "{name}");
        assert!(settings.mail_body.contains("{{ caller }}") && settings.mail_body.contains('\n'), "{name}");
        let listed = store.mailboxes().await.unwrap();
        let alice = listed.iter().find(|mailbox| mailbox.id == "1001").unwrap();
        assert_eq!((alice.urgent, alice.fresh, alice.kept, alice.bytes), (1, 1, 0, 1_500_003), "{name}");

        // The later move holds, whichever comes first.
        let early = Change::Move(first, Folder::Work, at("2026-02-01T00:00:00Z"));
        let late = Change::Move(first, Folder::Family, at("2026-02-02T00:00:00Z"));
        store.change_messages(&[late], by()).await.unwrap();
        writer.apply(&[early]).await.unwrap();
        assert_eq!(store.messages("1001", &mut soon()).await.unwrap()[0].folder, Folder::Family, "{name}");
        writer.move_to_mailbox(&second.to_string(), "sales").await.unwrap();
        assert_eq!(counts("sales").await, Counts { urgent: 1, fresh: 0, old: 0 }, "{name}");
        // Twice is once.
        for _ in 0..2 {
            store.change_messages(&[Change::Delete(first), Change::Delete(elsewhere)], by()).await.unwrap();
        }
        assert!(store.audio(first, by()).await.unwrap().is_none(), "{name}");
        assert_eq!(writer.audio_removals().await.unwrap(), [(elsewhere.to_string(), Place::S3)], "{name}");
        writer.audio_removed(&elsewhere.to_string()).await.unwrap();
        assert!(writer.audio_removals().await.unwrap().is_empty(), "{name}");

        // Greetings: the later one holds, and the audio of the other goes.
        let greeting = |recorded_at| NewGreeting {
            id: Uuid::now_v7(),
            mailbox_id: "1001".to_owned(),
            kind: GreetingKind::Name,
            recorded_at,
        };
        let (old, new) = (greeting(at("2026-03-01T00:00:00Z")), greeting(at("2026-03-02T00:00:00Z")));
        for greeting in [&old, &new, &old, &new] {
            let audio = audio(greeting.id, Place::Database, b"hello");
            writer.set_greeting(greeting, &Attached { audio: &audio, bytes: b"hello" }).await.unwrap();
        }
        let greetings = store.greetings("1001", &mut soon()).await.unwrap();
        assert_eq!(
            greetings.iter().map(|(kind, audio)| (*kind, audio.id)).collect::<Vec<_>>(),
            [(GreetingKind::Name, new.id)],
            "{name}"
        );
        assert!(store.audio(old.id, by()).await.unwrap().is_none(), "{name}");
        // By the directory, too.
        let everybody = Directory::of_account("acme");
        let found = store.people(&everybody, "2", &mut soon()).await.unwrap();
        assert_eq!(
            found.iter().map(|one| (one.name.as_str(), one.spoken.is_some())).collect::<Vec<_>>(),
            [("Alice Baker", true), ("Bob Carter", false)],
            "{name}"
        );
        store.erase_greeting("1001", GreetingKind::Name, by()).await.unwrap();
        assert!(store.greetings("1001", &mut soon()).await.unwrap().is_empty(), "{name}");

        // Guesses, and a new password, which forgets them.
        for count in 1..=3 {
            assert_eq!(store.guess("1002", Utc::now(), by()).await.unwrap().count, count, "{name}");
        }
        store.set_password("1002", "$argon2id$other", by()).await.unwrap();
        assert_eq!(store.guesses("1002", by()).await.unwrap().count, 0, "{name}");
        store.set_up("1002", by()).await.unwrap();
        let bob = store.mailbox("1002", &mut soon()).await.unwrap().unwrap();
        assert_eq!((bob.password_hash.as_deref(), bob.set_up), (Some("$argon2id$other"), true), "{name}");

        // One node at a time has the job, until its time is over.
        let now = Utc::now();
        let lease = |node: &'static str, now, until| (node, now, until);
        for ((node, now, until), wanted) in [
            (lease("a", now, now + TimeDelta::minutes(5)), true),
            (lease("b", now, now + TimeDelta::minutes(5)), false),
            (lease("a", now, now + TimeDelta::minutes(5)), true),
            (lease("b", now + TimeDelta::minutes(6), now + TimeDelta::minutes(9)), true),
            (lease("a", now + TimeDelta::minutes(6), now + TimeDelta::minutes(9)), false),
        ] {
            assert_eq!(writer.take_lease("mailbox-upkeep", node, now, until).await.unwrap(), wanted, "{name}: {node}");
        }
        // The account keeps messages for 90 days.
        assert_eq!(writer.expired_messages(at("2026-03-01T00:00:00Z")).await.unwrap(), [], "{name}");
        assert_eq!(
            writer.expired_messages(at("2026-05-01T00:00:00Z")).await.unwrap(),
            [Change::Delete(second)],
            "{name}"
        );
    }
}
