//! Orders and recordings, asked and written in each of the three databases.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod store_world;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use store_world::{World, load_sample, time};
use tandem::store::mailbox::{Audio, Format, Place};
use tandem::store::mailbox_writer::Attached;
use tandem::store::recording::{Direction, Filter, Form, NewOrder, Notice, Recording, Whose};
use tokio::time::Instant;
use uuid::Uuid;

fn order(whose: Whose, calls: Option<i32>, ends_at: Option<DateTime<Utc>>) -> NewOrder {
    NewOrder {
        id: Uuid::now_v7(),
        whose,
        calls,
        form: Form::Mixed,
        ordered_by: "boss".into(),
        ordered_at: time("2026-11-01T12:00:00.25Z"),
        ends_at,
    }
}

fn recording(order_id: Uuid, expires_at: Option<DateTime<Utc>>) -> Recording {
    Recording {
        id: Uuid::now_v7(),
        part: 1,
        account_id: Some("acme".into()),
        line_id: Some("1001".into()),
        order_id: Some(order_id),
        ordered_by: "boss".into(),
        uniqueid: "1.1".into(),
        linked_id: "1.9".into(),
        direction: Direction::Inbound,
        line_number: "1001".into(),
        other_number: "12145550123".into(),
        started_at: time("2026-11-01T12:10:00.5Z"),
        channels: 1,
        expires_at,
    }
}

#[tokio::test]
async fn every_question_and_change_in_each_database() {
    for world in World::all() {
        let (name, store) = (world.name, &world.store);
        load_sample(store).await;
        let by = || Instant::now() + Duration::from_secs(20);
        let now = time("2026-11-01T12:30:00Z");
        let (account, policy) = store.recording_policy("1001", by()).await.unwrap().unwrap();
        assert_eq!((account.as_str(), policy.notice, policy.days), ("acme", Notice::None, 90), "{name}");
        assert_eq!(store.recording_policy("none", by()).await.unwrap(), None, "{name}");

        // Those that hold, the oldest first; what is counted stays until the calls that were counted are over.
        let line = order(Whose::Line("1001".into()), Some(2), None);
        let all = order(Whose::Account("acme".into()), None, Some(now + TimeDelta::hours(1)));
        let past = order(Whose::Account("acme".into()), None, Some(now - TimeDelta::hours(1)));
        for order in [&line, &all, &past] {
            store.order_recording(order, by()).await.unwrap();
        }
        let nobody = store.order_recording(&order(Whose::Line("none".into()), None, None), by()).await;
        assert!(nobody.is_err(), "{name}");
        let orders = store.recording_orders(now, by()).await.unwrap();
        let ids: Vec<Uuid> = orders.iter().map(|order| order.id).collect();
        assert_eq!(ids, [line.id, all.id], "{name}");
        assert_eq!((orders[0].line_id.as_deref(), orders[0].account_id.as_str()), (Some("1001"), "acme"), "{name}");
        assert_eq!((orders[0].ordered_at, orders[1].ends_at), (line.ordered_at, all.ends_at), "{name}");

        // Two calls, each once, whichever node has them.
        let mut writer = store.writer(Duration::from_secs(20));
        for (node, linked_id, wanted) in
            [("a", "1", true), ("a", "1", true), ("b", "1", true), ("b", "1", true), ("a", "2", false)]
        {
            let claimed = writer.claim_call(line.id, node, linked_id, now).await.unwrap();
            assert_eq!(claimed, wanted, "{name}: {node} {linked_id}");
        }
        writer.end_lapsed_orders(now).await.unwrap();
        let left: Vec<Option<i32>> =
            store.recording_orders(now, by()).await.unwrap().iter().map(|order| order.calls_left).collect();
        assert_eq!(left, [Some(0), None], "{name}");
        writer.end_lapsed_orders(now + TimeDelta::days(2)).await.unwrap();
        assert_eq!(store.recording_orders(now, by()).await.unwrap(), [], "{name}");

        // A recording is there once, and was counted if nobody could before.
        let late = order(Whose::Line("1001".into()), Some(5), None);
        store.order_recording(&late, by()).await.unwrap();
        let kept = recording(late.id, None);
        let expires = recording(late.id, Some(now));
        let bytes = vec![7; 700_000];
        for recording in [&kept, &expires] {
            let audio = Audio {
                id: recording.id,
                place: Place::Database,
                format: Format::Gsm,
                bytes: 700_000,
                duration_ms: 1234,
            };
            let attached = Attached { audio: &audio, bytes: &bytes };
            assert!(writer.add_recording(recording, &attached, "a").await.unwrap(), "{name}");
            assert!(!writer.add_recording(recording, &attached, "a").await.unwrap(), "{name}");
        }
        assert_eq!(store.recording_orders(now, by()).await.unwrap()[0].calls_left, Some(4), "{name}");
        let found = store.recording(kept.id, by()).await.unwrap().unwrap();
        assert_eq!((&found.recording, found.node.as_str(), found.audio.duration_ms), (&kept, "a", 1234), "{name}");
        assert_eq!(store.audio(kept.id, by()).await.unwrap(), Some(bytes), "{name}");
        let filter = Filter { since: kept.started_at, line_id: Some("1001".into()), account_id: Some("acme".into()) };
        assert_eq!(store.recordings(&filter, by()).await.unwrap().len(), 2, "{name}");
        let other = Filter { line_id: Some("1002".into()), ..filter.clone() };
        let later = Filter { since: kept.started_at + TimeDelta::milliseconds(1), ..filter.clone() };
        for nothing in [other, later] {
            assert_eq!(store.recordings(&nothing, by()).await.unwrap(), [], "{name}");
        }

        // What was kept long enough goes, with its audio, and nothing else.
        assert_eq!(writer.delete_expired_recordings(now + TimeDelta::seconds(1)).await.unwrap(), 1, "{name}");
        assert_eq!(store.recording(expires.id, by()).await.unwrap(), None, "{name}");
        assert_eq!(store.audio(expires.id, by()).await.unwrap(), None, "{name}");
        store.delete_recording(&found, by()).await.unwrap();
        assert_eq!(store.recordings(&filter, by()).await.unwrap(), [], "{name}");
        assert_eq!(world.number("SELECT COUNT(*) FROM mailbox_audio").await, 0, "{name}");
    }
}
