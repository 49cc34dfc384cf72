//! What lines want done with calls to them, asked and changed in each of the three databases.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod store_world;

use std::time::Duration;

use store_world::{World, load_sample, soon};
use tandem::store::Store;
use tandem::store::feature::{Feature, Features, FindMe, FindMeNumber, Forwards, Setting, Untaken};
use tandem::store::target::Target;
use tokio::time::Instant;

async fn features(store: &Store) -> Features {
    let caller = store.line_caller("1002", "1001", &mut soon()).await.unwrap().unwrap();
    let Some(Target::Line(line)) = caller.extension else { panic!("extension 1001 is a line") };
    line.features
}

#[tokio::test]
async fn every_question_and_change_in_each_database() {
    for world in World::all() {
        let (name, store) = (world.name, &world.store);
        load_sample(store).await;
        let codes = store.feature_codes(&mut soon()).await.unwrap();
        assert!(codes.contains(&("*72".to_owned(), Feature::ForwardAlways)), "{name}");
        // The sample blocks one.
        assert_eq!(features(store).await, Features { blocks_callers: true, ..Features::default() }, "{name}");

        let by = Instant::now() + Duration::from_secs(20);
        for setting in [
            Setting::ForwardAlways("1"),
            Setting::Forward(Untaken::Busy, "2"),
            Setting::Forward(Untaken::Unanswered, "3"),
            Setting::Forward(Untaken::Unreachable, "4"),
            Setting::DoNotDisturb(true),
            Setting::RejectAnonymous(true),
            Setting::Screening(true),
            Setting::FindMe(FindMe::Together),
            Setting::AddFindMeNumber("95125550123"),
            Setting::AddFindMeNumber("1002"),
            Setting::AddFindMeNumber("1002"),
            Setting::SpeedDial("7", "1002"),
            Setting::SpeedDial("7", "95125550123"),
            Setting::Block("1002"),
            Setting::Block("1002"),
            Setting::Unblock("15125550199"),
        ] {
            store
                .set_feature("1001", &setting, by)
                .await
                .unwrap_or_else(|error| panic!("{name}: {setting:?}: {error}"));
        }
        let forwards = |busy: &str, unanswered: &str, unreachable: &str| Forwards {
            busy: busy.to_owned(),
            unanswered: unanswered.to_owned(),
            unreachable: unreachable.to_owned(),
            shows_caller: false,
        };
        let all = Features {
            do_not_disturb: true,
            forward_always: "1".to_owned(),
            forwards: forwards("2", "3", "4"),
            reject_anonymous: true,
            blocks_callers: true,
            screening: true,
            find_me: FindMe::Together,
        };
        assert_eq!(features(store).await, all, "{name}");
        let forwarder = store.forwarder("1001", &mut soon()).await.unwrap().unwrap();
        assert_eq!((forwarder.account_id.as_str(), &forwarder.forwards), ("acme", &all.forwards), "{name}");
        assert!(store.forwarder("nobody", &mut soon()).await.unwrap().is_none(), "{name}");
        let numbers =
            ["95125550123", "1002"].map(|number| FindMeNumber { number: number.to_owned(), ring_seconds: 20 });
        assert_eq!(store.find_me_numbers("1001", &mut soon()).await.unwrap(), numbers, "{name}");
        let number = store.speed_dial("1001", "7", &mut soon()).await.unwrap();
        assert_eq!(number.as_deref(), Some("95125550123"), "{name}");
        for (numbers, blocked) in
            [(["1002", ""], true), (["", "1002"], true), (["15125550199", ""], false), (["' OR 1=1 --", ""], false)]
        {
            assert_eq!(store.is_blocked("1001", numbers, &mut soon()).await.unwrap(), blocked, "{name} {numbers:?}");
        }
        store.set_feature("1001", &Setting::Block("1900*"), by).await.unwrap();
        for (numbers, blocked) in [
            (["19005550123", ""], true),
            (["", "19005550123"], true),
            (["1900", ""], true),
            (["190", ""], false),
            (["21900", ""], false),
            (["", ""], false),
            (["%", "_"], false),
        ] {
            assert_eq!(store.is_blocked("1001", numbers, &mut soon()).await.unwrap(), blocked, "{name} {numbers:?}");
        }
        assert!(store.may_use("1001", "feature-forwarding", &mut soon()).await.unwrap(), "{name}");
        assert!(!store.may_use("1001", "premium", &mut soon()).await.unwrap(), "{name}");
        assert!(store.may_use("1001", "no such class", &mut soon()).await.unwrap(), "{name}");
        assert!(store.last_caller("1001", by).await.unwrap().is_none(), "{name}");
        store.set_feature("1001", &Setting::ClearFindMeNumbers, by).await.unwrap();
        assert!(store.find_me_numbers("1001", &mut soon()).await.unwrap().is_empty(), "{name}");
        // Phones of one line that set something in one moment.
        store.set_feature("1002", &Setting::ClearFindMeNumbers, by).await.unwrap();
        let numbers = ["1", "2", "3", "4"];
        let add = |number| async move {
            store.set_feature("1002", &Setting::AddFindMeNumber(number), by).await?;
            store.set_feature("1002", &Setting::Screening(true), by).await?;
            store.set_feature("1002", &Setting::Block("7"), by).await
        };
        let added = tokio::join!(add(numbers[0]), add(numbers[1]), add(numbers[2]), add(numbers[3]));
        for added in [added.0, added.1, added.2, added.3] {
            added.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let mut kept = store.find_me_numbers("1002", &mut soon()).await.unwrap();
        kept.sort_by(|a, b| a.number.cmp(&b.number));
        assert_eq!(kept.iter().map(|one| one.number.as_str()).collect::<Vec<_>>(), numbers, "{name}");
        // A line that is not there changes nothing.
        store.set_feature("nobody", &Setting::DoNotDisturb(true), by).await.unwrap();
    }
}
