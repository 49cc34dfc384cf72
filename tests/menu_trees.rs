//! Random menus, and random callers in them: whatever leads where, a call ends, in an action or by its depth; and what does not fit together is refused, with
//! the path, when it is imported.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

use lab::Folder;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config as Cases, TestRunner};
use sqlx::Connection as _;
use tandem::adapters::simulator::{Phone, Press, Simulator};
use tandem::alarm::Alarms;
use tandem::call::Caller;
use tandem::config::Config;
use tandem::emergency::callbacks::Callbacks;
use tandem::flows::Ports;
use tandem::flows::menu::{self, DEPTH};
use tandem::service;
use tandem::store::asking::Asking;
use tandem::store::import::{ImportError, Kind};
use tokio::time::Instant;

/// Menus of a tree at the most.
const MENUS: usize = 4;

/// Actions as they are written; `menu` is followed by a number, `bad` by nothing that there is.
#[derive(Debug, Clone)]
enum Leads {
    Menu(usize),
    To(&'static str),
    Bad(&'static str),
}

impl Leads {
    fn words(&self) -> String {
        match self {
            Leads::Menu(n) => format!("menu m{n}"),
            Leads::To(words) | Leads::Bad(words) => (*words).to_owned(),
        }
    }
}

#[derive(Debug, Clone)]
struct RandomMenu {
    options: BTreeMap<&'static str, Leads>,
    /// Whether each holds always, and what then.
    conditions: Vec<(bool, Leads)>,
    direct_dial: bool,
    language: bool,
    greeting: bool,
    times: u32,
}

fn leads(bad: bool) -> impl Strategy<Value = Leads> {
    let to = select(vec![
        "line 1001",
        "group 600",
        "mailbox sales",
        "extension 1002",
        "operator",
        "queue help",
        "conference room",
        "directory staff",
        "number 12125550102",
        "lookup gone",
        "hangup",
    ]);
    let wrong = select(vec![
        "line nobody",
        "group nobody",
        "mailbox nobody",
        "directory nobody",
        "extension 77",
        "lookup nothing",
    ]);
    let wrong = if bad { wrong.prop_map(Leads::Bad).boxed() } else { to.clone().prop_map(Leads::To).boxed() };
    prop_oneof![8 => (0..MENUS).prop_map(Leads::Menu), 8 => to.prop_map(Leads::To), 1 => wrong]
}

/// After keys there is more.
fn key_leads(bad: bool) -> impl Strategy<Value = Leads> {
    prop_oneof![6 => leads(bad), 1 => Just(Leads::To("say")), 1 => Just(Leads::To("language de"))]
}

fn random_menu(bad: bool) -> impl Strategy<Value = RandomMenu> {
    let keys = btree_map(select(vec!["1", "2", "12", "123", "7", "*", "#"]), key_leads(bad), 0..5);
    let ends = btree_map(select(vec!["t", "i"]), leads(bad), 0..3);
    let conditions = vec((any::<bool>(), leads(bad)), 0..3);
    let greeting = if bad { prop_oneof![9 => Just(true), 1 => Just(false)].boxed() } else { Just(true).boxed() };
    (keys, ends, conditions, any::<bool>(), any::<bool>(), greeting, 1..4_u32).prop_map(
        |(mut options, ends, conditions, direct_dial, language, greeting, times)| {
            options.extend(ends);
            RandomMenu { options, conditions, direct_dial, language, greeting, times }
        },
    )
}

fn tree(bad: bool) -> impl Strategy<Value = Vec<RandomMenu>> {
    vec(random_menu(bad), MENUS)
}

/// As an import file; calls come in at m0.
fn toml(menus: &[RandomMenu]) -> String {
    let mut text = String::from(
        "account = \"acme\"\n[prompt]\nhello = { sound = \"hello\" }\n[schedule]\nalways = { hours = [\"daily 00:00-24:00\"] }\nnever = {}\n\
         [lookup.gone]\nurl = \"http://127.0.0.1:1/\"\notherwise = \"operator\"\n",
    );
    for (n, menu) in menus.iter().enumerate() {
        let greeting = if menu.greeting { "\"hello\"" } else { "" };
        let conditions: Vec<String> = menu
            .conditions
            .iter()
            .map(|(always, leads)| {
                let schedule = if *always { "always" } else { "never" };
                format!("{{ during = \"{schedule}\", then = \"{}\" }}", leads.words())
            })
            .collect();
        let _ = write!(
            text,
            "[menu.m{n}]\nentry = {}\ngreeting = [{greeting}]\ndirect_dial = {}\noperator = \"600\"\nline = \"1001\"\nlanguage = \"{}\"\n\
             max_timeouts = {}\nmax_invalid = {}\nconditions = [{}]\n[menu.m{n}.options]\n",
            n == 0,
            menu.direct_dial,
            if menu.language { "fr" } else { "" },
            menu.times,
            menu.times,
            conditions.join(", ")
        );
        for (digits, leads) in &menu.options {
            let _ = match leads.words().as_str() {
                "say" => writeln!(text, "\"{digits}\" = {{ say = [\"hello\"] }}"),
                words => writeln!(text, "\"{digits}\" = \"{words}\""),
            };
        }
    }
    text
}

/// By plain SQL, which nobody checks.
fn sql(menus: &[RandomMenu]) -> String {
    let mut text = String::from(
        "DELETE FROM menu_options; DELETE FROM menu_prompts; DELETE FROM menu_conditions; DELETE FROM menus;\n",
    );
    for (n, menu) in menus.iter().enumerate() {
        let language = if menu.language { "fr" } else { "" };
        let _ = writeln!(
            text,
            "INSERT INTO menus (id, account_id, name, language, direct_dial, max_timeouts, max_invalid, operator, line_id)
                VALUES ('m{n}', 'acme', '', '{language}', {}, {times}, {times}, '600', '1001');
             INSERT INTO menu_prompts (menu_id, digits, position, prompt_id) VALUES ('m{n}', 's', 1, 'hello');",
            menu.direct_dial,
            times = menu.times,
        );
        let words = |leads: &Leads| {
            let words = leads.words();
            let (action, target) = words.split_once(' ').unwrap_or((words.as_str(), ""));
            format!("'{action}', '{target}'")
        };
        for (digits, leads) in &menu.options {
            let _ = writeln!(
                text,
                "INSERT INTO menu_options (menu_id, digits, action, target) VALUES ('m{n}', '{digits}', {});",
                words(leads)
            );
        }
        for (position, (always, leads)) in menu.conditions.iter().enumerate() {
            let schedule = if *always { "always" } else { "never" };
            let _ = writeln!(
                text,
                "INSERT INTO menu_conditions (menu_id, position, schedule_id, during, action, target) VALUES ('m{n}', {position}, '{schedule}', TRUE, {});",
                words(leads)
            );
        }
    }
    text
}

/// The agent without its sockets, and the sample's provider.
struct World {
    runtime: tokio::runtime::Runtime,
    ports: Ports,
    folder: Folder,
}

impl World {
    fn new() -> World {
        let folder = Folder::new("menus");
        let mut config = Config::default();
        config.media.recordings = folder.path().to_owned();
        config.media.speech = false;
        config.database.urls = vec![format!("sqlite:{}", folder.join("tandem.db").display())];
        config.replica.folder = folder.join("replica");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let ports = runtime.block_on(async {
            let (_, atlas) = tokio::sync::watch::channel(std::sync::Arc::default());
            let store = service::store(&config).unwrap();
            store.migrate().await.unwrap();
            for (kind, csv) in [
                (Kind::Accounts, "id,name\nacme,Acme\n"),
                (Kind::Lines, "id,account,name\n1001,acme,Alice\n1002,acme,Bob\n"),
                (Kind::Mailboxes, "id,account,number,name\nsales,acme,1,Sales\n"),
                (Kind::Directories, "id,account,name\nstaff,acme,Staff\n"),
                (Kind::RingGroups, "id,account,name,members\n600,acme,Desk,1001\n"),
                (Kind::Extensions, "account,extension,line,ring_group\nacme,1002,1002,\nacme,600,,600\n"),
            ] {
                store.import(kind, csv.as_bytes()).await.unwrap();
            }
            let voicemail = service::voicemail::port(&config, &store, &Alarms::default()).unwrap();
            let (rules, speech) = (service::rules(&config), service::speech(&config));
            let lookups = service::lookups().unwrap();
            Ports::new(store, rules, atlas, Callbacks::default(), speech, folder.path().into(), voicemail, lookups)
        });
        World { runtime, ports, folder }
    }

    fn import(&self, text: &str) -> Result<(), Vec<String>> {
        let mut asking = Asking::until(Instant::now() + std::time::Duration::from_secs(10));
        match self.runtime.block_on(self.ports.store.import_menus(text, &mut asking)) {
            Ok(_) => Ok(()),
            Err(ImportError::Menus(faults)) => Err(faults),
            Err(other) => panic!("{other}"),
        }
    }

    fn sql(&self, text: &str) {
        self.runtime.block_on(async {
            let url = format!("sqlite:{}", self.folder.join("tandem.db").display());
            let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
            sqlx::raw_sql(sqlx::AssertSqlSafe(format!("PRAGMA synchronous = OFF; BEGIN; {text} COMMIT")))
                .execute(&mut connection)
                .await
                .unwrap();
        });
    }

    /// A caller in m0 who presses these keys, then none any more.
    fn call(&self, keys: &[&'static str], depth: u32) -> Simulator<Presser> {
        let phone = Presser { keys: keys.iter().copied().collect(), heard: Vec::new(), waits: 0 };
        let caller = Caller { dialled: "800".into(), number: "12145550123".into(), ..Caller::default() };
        let mut call = Simulator::new(caller, phone);
        let arguments = ["m0".to_owned(), depth.to_string()];
        let outcome = self.runtime.block_on(menu::run(&mut call, &arguments, &self.ports));
        call.variables.insert("outcome".into(), format!("{outcome:?}"));
        call
    }
}

/// Presses keys as they come, then lets the time pass; never hangs up.
struct Presser {
    keys: VecDeque<&'static str>,
    heard: Vec<String>,
    waits: usize,
}

impl Phone for Presser {
    fn hears(&mut self, line: String) {
        self.heard.push(line);
    }

    async fn acts(&mut self, _asked: &str) -> Press {
        self.waits += 1;
        match self.keys.pop_front() {
            Some("") | None => Press::Nothing,
            Some(keys) => Press::Keys(keys.into()),
        }
    }
}

fn cases(count: u32) -> Cases {
    Cases { cases: count, failure_persistence: None, ..Cases::default() }
}

#[test]
fn every_call_ends_in_an_action_however_menus_lead_to_each_other() {
    let world = World::new();
    // What the menus say, and their hours.
    let plain = RandomMenu {
        options: BTreeMap::from([("1", Leads::Menu(1)), ("2", Leads::Menu(2)), ("7", Leads::Menu(3))]),
        conditions: Vec::new(),
        direct_dial: false,
        language: false,
        greeting: true,
        times: 1,
    };
    world.import(&toml(&vec![plain; MENUS])).unwrap();
    let keys = vec(select(vec!["", "", "1", "2", "12", "123", "7", "*", "#", "9", "600", "1002", "77#", "0"]), 0..60);
    let runs = (tree(true), keys, 0..DEPTH + 3);
    let mut runner = TestRunner::new(cases(96));
    let ran = runner.run(&runs, |(menus, keys, depth)| {
        world.sql(&sql(&menus));
        let call = world.call(&keys, depth);
        let told = |name: &str| call.variables.get(name).cloned().unwrap_or_default();
        let hung_up = call.phone.heard.iter().any(|line| line.starts_with("(hangs up"));
        prop_assert!(told("outcome").starts_with("Ok"), "{}", told("outcome"));
        prop_assert!(hung_up != (told("TANDEM_DONE") == "1"), "it ends in one way: {:?}", call.phone.heard);
        if !hung_up {
            prop_assert!(["call", "queue", "conference", "directory"].contains(&told("TANDEM_ACTION").as_str()));
            prop_assert!(told("TANDEM_ACTION") != "call" || !told("TANDEM_CALL_NUMBER").is_empty());
            let came: u32 = told("TANDEM_MENU_DEPTH").parse().unwrap();
            prop_assert!(came > depth && came <= DEPTH, "{came} after {depth}");
        }
        // A menu is heard no more often than the depth allows, each time with so many tries, each of a few waits.
        let most = usize::try_from(DEPTH.saturating_sub(depth)).unwrap() * 2 * 3 * 6;
        prop_assert!(call.phone.waits <= most, "{} waits after {depth}", call.phone.waits);
        Ok(())
    });
    ran.unwrap();
}

/// Whether a tree fits together, computed otherwise than the import does: by closure over pairs.
fn fits(menus: &[RandomMenu]) -> bool {
    let closure = |edges: &dyn Fn(&RandomMenu) -> Vec<usize>| {
        let mut reach = [[false; MENUS]; MENUS];
        for (from, menu) in menus.iter().enumerate() {
            edges(menu).into_iter().for_each(|to| reach[from][to] = true);
        }
        for via in 0..MENUS {
            for from in 0..MENUS {
                for to in 0..MENUS {
                    reach[from][to] |= reach[from][via] && reach[via][to];
                }
            }
        }
        reach
    };
    let menu_of = |leads: &Leads| if let Leads::Menu(n) = leads { Some(*n) } else { None };
    let all = closure(&|menu| {
        menu.options.values().chain(menu.conditions.iter().map(|(_, leads)| leads)).filter_map(menu_of).collect()
    });
    let alone = closure(&|menu| {
        let timeout = menu.options.get("t").into_iter();
        timeout.chain(menu.conditions.iter().map(|(_, leads)| leads)).filter_map(menu_of).collect()
    });
    let bad = |menu: &RandomMenu| {
        let leads = menu.options.values().chain(menu.conditions.iter().map(|(_, leads)| leads));
        !menu.greeting || leads.clone().any(|leads| matches!(leads, Leads::Bad(_)))
    };
    (1..MENUS).all(|n| all[0][n]) && (0..MENUS).all(|n| !alone[n][n]) && !menus.iter().any(bad)
}

#[test]
fn a_tree_is_taken_exactly_if_it_fits_together_and_every_fault_has_a_path() {
    let world = World::new();
    let (taken_ones, refused_ones) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(cases(160));
    let ran = runner.run(&prop_oneof![tree(true), connected()], |menus| {
        let taken = world.import(&toml(&menus));
        prop_assert_eq!(taken.is_ok(), fits(&menus), "{:?}", taken);
        let count = if taken.is_ok() { &taken_ones } else { &refused_ones };
        count.set(count.get() + 1);
        for fault in taken.err().unwrap_or_default() {
            let (path, what) = fault.split_once(": ").unwrap_or_default();
            prop_assert!(!what.is_empty(), "{fault}");
            prop_assert!(path.split(" > ").next().is_some_and(|first| first.starts_with("menu m")), "{fault}");
        }
        Ok(())
    });
    ran.unwrap();
    assert!(taken_ones.get() > 20 && refused_ones.get() > 20, "{taken_ones:?} were taken, {refused_ones:?} refused");
}

/// Trees in which each menu leads to the next, and nothing is bad: most of them fit together.
fn connected() -> impl Strategy<Value = Vec<RandomMenu>> {
    tree(false).prop_map(|mut menus| {
        for (n, menu) in menus.iter_mut().enumerate() {
            menu.options.insert("1", Leads::Menu((n + 1) % MENUS));
            menu.conditions.clear();
            if matches!(menu.options.get("t"), Some(Leads::Menu(_))) {
                menu.options.insert("t", Leads::To("operator"));
            }
        }
        menus
    })
}
