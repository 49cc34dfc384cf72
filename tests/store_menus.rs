//! Menus in each of the three databases: taken as a whole or not at all, read in one question, replaced without losing what was recorded.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod store_world;

use std::time::Duration;

use chrono::{DateTime, Utc};
use store_world::{World, load_sample, sample, sample_menus, soon};
use tandem::store::Store;
use tandem::store::import::{ImportError, Kind};
use tandem::store::mailbox::{Audio, Format, NewPrompt, Place};
use tandem::store::mailbox_writer::Attached;
use tandem::store::menu::Action;
use tandem::store::target::{Service, Target, TargetKind};
use tandem::store::writer::Writer;
use tokio::time::Instant;
use uuid::Uuid;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn by() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

async fn record(writer: &mut Writer, prompt: &str, recorded_at: &str, bytes: &[u8]) -> Uuid {
    let id = Uuid::now_v7();
    let size = i64::try_from(bytes.len()).unwrap();
    let audio = Audio { id, place: Place::Database, format: Format::Wav, bytes: size, duration_ms: 1000 };
    let new = NewPrompt { id, prompt_id: prompt.to_owned(), recorded_at: at(recorded_at) };
    writer.set_prompt(&new, &Attached { audio: &audio, bytes }).await.unwrap();
    id
}

async fn refused(store: &Store, text: &str) -> Vec<String> {
    match store.import_menus(text, &mut soon()).await {
        Err(ImportError::Menus(faults)) => faults,
        other => panic!("{text}\nwas not refused: {other:?}"),
    }
}

#[tokio::test]
async fn every_question_and_change_in_each_database() {
    let mut said: Vec<(&str, String)> = Vec::new();
    for world in World::all() {
        let (name, store) = (world.name, &world.store);
        load_sample(store).await;
        let mut writer = store.writer(Duration::from_secs(20));

        let main = store.menu("main", &mut soon()).await.unwrap().unwrap();
        let extensions: Vec<(char, usize)> =
            main.extensions.iter().map(|(digit, longest)| (*digit, *longest)).collect();
        assert_eq!((main.account_id.as_str(), extensions), ("acme", vec![('1', 4), ('6', 3), ('7', 3)]), "{name}");
        assert_eq!(main.menu.options["1"], Action::RingGroup("600".into()), "{name}");
        assert_eq!(main.menu.options["t"], Action::Operator, "{name}");
        assert_eq!((main.menu.said("s"), main.menu.max_timeouts), (["welcome".to_owned()].as_slice(), 2), "{name}");
        let office = &main.schedules["office"];
        assert!(office.holds(at("2026-11-25T15:00:00Z"), main.time_zone), "{name}: Wednesday");
        assert!(!office.holds(at("2026-11-26T15:00:00Z"), main.time_zone), "{name}: Thanksgiving");
        assert_eq!((office.hours.len(), office.holidays.len()), (5, 4), "{name}");
        assert!(store.menu("nobody", &mut soon()).await.unwrap().is_none(), "{name}");
        assert!(store.menu("'; DROP TABLE menus; --", &mut soon()).await.unwrap().is_none(), "{name}");
        said.push((name, format!("{main:#?}")));
        said.push((name, format!("{:#?}", store.menu("support", &mut soon()).await.unwrap())));

        let lookup = store.lookup("acme", "order-status", &mut soon()).await.unwrap().unwrap();
        assert_eq!((lookup.digits, lookup.fallback.to_string().as_str()), (8, "group 600"), "{name}");
        assert!(store.lookup("other", "order-status", &mut soon()).await.unwrap().is_none(), "{name}");

        // Numbers and extensions lead there, and to what else is no phone.
        let csv = "account,extension,menu,queue,conference,directory\nacme,800,main,,,\nacme,801,,help,,\nacme,802,,,room,\nacme,803,,,,staff\n";
        let stranger = store.import(Kind::Extensions, csv.as_bytes()).await.unwrap_err().to_string();
        assert!(stranger.contains("staff"), "{name}: {stranger}");
        store.import(Kind::Directories, "id,account,name\nstaff,acme,Staff\n".as_bytes()).await.unwrap();
        store.import(Kind::Extensions, csv.as_bytes()).await.unwrap();
        store.import(Kind::Numbers, "number,account,menu\n12125550100,acme,main\n".as_bytes()).await.unwrap();
        for (extension, service, to) in [
            ("800", Service::Menu, "main"),
            ("801", Service::Queue, "help"),
            ("802", Service::Conference, "room"),
            ("803", Service::Directory, "staff"),
        ] {
            let found = store.extension("acme", extension, &mut soon()).await.unwrap().unwrap();
            assert_eq!(found.target, Some(Target::Service(service, to.to_owned())), "{name} {extension}");
            let caller = store.line_caller("1001", extension, &mut soon()).await.unwrap().unwrap();
            assert_eq!(caller.extension, found.target, "{name} {extension}");
        }
        let number = store.own_number("12125550100", &mut soon()).await.unwrap().unwrap();
        let menu = store.target("acme", TargetKind::Menu, "main", &mut soon()).await.unwrap().unwrap();
        assert_eq!((number.target, menu.number.as_str()), (menu.target, "main"), "{name}");
        assert!(store.target("other", TargetKind::Menu, "main", &mut soon()).await.unwrap().is_none(), "{name}");
        assert_eq!(store.menu_entrances("acme", &mut soon()).await.unwrap().len(), 2, "{name}");

        // What was recorded last holds, whichever comes first; it stays when the menus are taken again.
        record(&mut writer, "hours", "2026-01-01T00:00:00Z", b"first").await;
        let latest = record(&mut writer, "hours", "2026-03-01T00:00:00Z", b"third").await;
        let late = record(&mut writer, "hours", "2026-02-01T00:00:00Z", b"second").await;
        store.import_menus(&sample_menus(), &mut soon()).await.unwrap();
        let hours = store.announcement_by_number("acme", "4", &mut soon()).await.unwrap().unwrap();
        assert_eq!(hours.audio.unwrap().id, latest, "{name}");
        assert_eq!(store.audio(latest, by()).await.unwrap().unwrap(), b"third", "{name}");
        assert!(store.audio(late, by()).await.unwrap().is_none(), "{name}: nothing is left of the others");

        // Prompts change numbers with each other; one that is gone takes its audio along.
        let other = sample_menus()
            .replace("number = \"4\"", "number = \"9\"")
            .replace("number = \"5\"", "number = \"4\"")
            .replace("number = \"9\"", "number = \"5\"");
        store.import_menus(&other, &mut soon()).await.unwrap();
        let hours = store.announcement_by_number("acme", "5", &mut soon()).await.unwrap().unwrap();
        assert_eq!(hours.id, "hours", "{name}");
        let without = "account = \"acme\"\n[prompt.welcome]\nsound = \"hello\"\n[menu.main]\ngreeting = [\"welcome\"]\n[menu.main.options]\n1 = \"line 1001\"\n";
        store.import_menus(without, &mut soon()).await.unwrap();
        assert_eq!(store.menus_of_account("acme", &mut soon()).await.unwrap(), ["main"], "{name}");
        assert!(store.audio(latest, by()).await.unwrap().is_none(), "{name}");
        let main = store.menu("main", &mut soon()).await.unwrap().unwrap();
        assert_eq!(
            (main.menu.options.len(), main.menu.conditions.len(), main.menu.operator.as_str()),
            (1, 0, ""),
            "{name}"
        );

        // A menu to which a number leads cannot go; nothing changes then.
        let gone = without.replace("menu.main", "menu.other");
        let faults = refused(store, &gone).await;
        assert!(
            faults.iter().any(|fault| fault == "12125550100: leads to menu main, which is not there"),
            "{faults:?}"
        );
        assert_eq!(store.menus_of_account("acme", &mut soon()).await.unwrap(), ["main"], "{name}");

        // Passwords for recording, and guesses of them.
        let recorders = store.prompt_recorders("1001", &mut soon()).await.unwrap().unwrap();
        assert_eq!((recorders.account_id.as_str(), recorders.password_hash), ("acme", None), "{name}");
        for (count, hash) in [(1, "one"), (1, "two")] {
            assert_eq!(store.prompt_guess("acme", Utc::now(), by()).await.unwrap().count, count, "{name}");
            store.set_prompt_password("acme", hash, by()).await.unwrap();
            let recorders = store.prompt_recorders("1001", &mut soon()).await.unwrap().unwrap();
            assert_eq!(recorders.password_hash.as_deref(), Some(hash), "{name}");
            assert_eq!(store.prompt_guesses("acme", by()).await.unwrap().count, 0, "{name}");
        }
    }
    let (first, rest) = said.split_at(2);
    for (n, (name, text)) in rest.iter().enumerate() {
        assert_eq!(text, &first[n % 2].1, "{name} says otherwise than {}", first[0].0);
    }
}

/// Something that is wrong, and where it is.
#[tokio::test]
async fn what_does_not_fit_together_is_refused_with_its_path() {
    let world = World::sqlite();
    let store = &world.store;
    load_sample(store).await;
    store.import(Kind::Accounts, "id,name\nother,Other\n".as_bytes()).await.unwrap();
    store.import(Kind::Extensions, std::fs::File::open(sample("menu-extensions")).unwrap()).await.unwrap();
    let menus = sample_menus();
    let before = format!("{:?}", store.menu_tree("acme", &mut soon()).await.unwrap());
    for (what, by, fault) in [
        ("1 = \"group 600\"", "1 = \"group x\"", "menu main > option 1: there is no ring group x"),
        (
            "2 = { say = [\"hours\"] }",
            "2 = \"line x\"",
            "menu main > option 2 > menu support > option 2: there is no line x",
        ),
        (
            "2 = { say = [\"hours\"] }",
            "2 = { say = [\"x\"] }",
            "menu main > option 2 > menu support > option 2: there is no prompt x",
        ),
        ("greeting = [\"support\"]", "greeting = []", "menu main > option 2 > menu support: it has no greeting"),
        (
            "t = \"mailbox sales\"",
            "t = \"mailbox x\"",
            "menu main > condition 1 > menu closed > timeout: there is no mailbox x",
        ),
        ("outside = \"office\"", "outside = \"x\"", "menu main > condition 1: there is no schedule x"),
        (
            "then = \"lookup order-status\"",
            "then = \"lookup x\"",
            "menu main > option 2 > menu support > option 1: there is no lookup x",
        ),
        (
            "otherwise = \"group 600\"",
            "otherwise = \"menu x\"",
            "menu main > option 2 > menu support > option 1 > lookup order-status: there is no menu x",
        ),
        ("operator = \"600\"", "operator = \"601\"", "menu main: there is no extension 601, its operator"),
        ("operator = \"600\"", "", "menu main > option 0: the menu has no operator"),
        (
            "0 = \"operator\"",
            "0 = \"number 12125550123\"",
            "menu main > option 0: the menu has no line with whose permissions numbers are called",
        ),
        (
            "0 = \"operator\"",
            "\"0#\" = \"operator\"",
            "menu main > option 0#: is neither keys of 0 to 9 and *, nor # alone, nor t or i",
        ),
        ("2 = \"menu support\"", "", "menu support: nothing leads there"),
        (
            "t = \"mailbox sales\"",
            "t = \"menu main\"",
            "menu closed > timeout > menu main > condition 1 > menu closed: leads round without a key",
        ),
        (
            "t = \"mailbox sales\"",
            "t = \"extension 800\"",
            "menu closed > timeout > extension 800 > menu main > condition 1 > menu closed: leads round without a key",
        ),
        (
            "operator = \"600\"",
            "operator = \"800\"",
            "menu main > timeout > operator > menu main: leads round without a key",
        ),
        ("t = \"hangup\"", "t = \"menu support\"", "menu support > timeout > menu support: leads round without a key"),
        (
            "t = \"hangup\"",
            "t = { say = [\"hours\"], then = \"say\" }",
            "menu main > option 2 > menu support > timeout: say would lead round without a key",
        ),
        ("sound = \"basic-pbx-ivr-main\"\ntext = \"Welcome", "name2 = \"Welcome", "line 13"),
        ("https://orders.example.com/status", "https://", "lookup order-status: url: empty host"),
        (
            "https://orders.example.com/status",
            "ftp://orders.example.com",
            "lookup order-status: url: does not begin with http:// or https://",
        ),
        ("account = \"acme\"", "account = \"nobody\"", "there is no account nobody"),
        ("account = \"acme\"", "account = \"other\"", "menu main: another account has one of this id"),
    ] {
        assert!(menus.contains(what), "{what} is in the sample");
        let faults = refused(store, &menus.replace(what, by)).await;
        assert!(
            faults.iter().any(|found| found == fault || fault == "line 13" && found.contains("unknown field")),
            "{what} -> {by}: {faults:#?}"
        );
    }
    let silent = menus.replace("text = \"We are open from Monday to Friday, eight to six.\"", "");
    assert_eq!(refused(store, &silent).await, ["prompt hours: has neither sound nor text, and was never recorded"]);
    assert_eq!(
        format!("{:?}", store.menu_tree("acme", &mut soon()).await.unwrap()),
        before,
        "nothing of them was taken"
    );
}
