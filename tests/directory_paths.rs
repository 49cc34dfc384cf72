//! Every path through the directory on the real agent, a hangup at every command, and its bad days: the database slow or gone, names changed in it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod directory_stage;
mod mailbox_stage;

use std::fs;

use directory_stage::people;
use lab::{Agent, AgentBuilder, Does, MariaDb, Session, SimulatedCall, wait_until};
use mailbox_stage::{SOON, account, rows};

const FIRST: &str = "dir-usingkeypad";
/// The letters after the first, three in all.
const MORE: &str = "GET DATA \"\" \"3000\" \"2\"";

/// What a caller does at which command.
type Acts = Vec<(&'static str, Does)>;

/// A path: its name, the directory, the caller, what comes of it, and something that is heard.
type Path = (&'static str, &'static str, Acts, &'static str, &'static str);

fn plan() -> AgentBuilder {
    Agent::builder().set("replica.poll_ms", "100").set("media.speech", "false")
}

fn start() -> Agent {
    let plan = plan();
    plan.tandem_ok(&["migrate"]);
    plan.sql(&account(&["3190", "3195", "3198"]));
    plan.sql("UPDATE phone_lines SET mailbox_id = NULL; DELETE FROM mailboxes");
    plan.sql(&people());
    plan.start()
}

fn spelled(agent: &Agent) {
    let unspelled = "SELECT COUNT(*) FROM mailboxes WHERE directory_name IS NULL";
    let count = || rows(&agent.plan().folder().join("tandem.db"), unspelled);
    wait_until("the keys of all names", SOON, || count() == ["0"]);
}

fn call(agent: &Agent, directory: &str, script: Acts) -> Session {
    SimulatedCall::new(&format!("directory/{directory}"), "3101", script).run(agent.agi())
}

/// What came of it, `SELECTED 3190`.
fn outcome(session: &Session) -> String {
    let set = session.commands.iter().find(|command| command.contains("TANDEM_DIRECTORY="));
    let set = set.unwrap_or_else(|| panic!("nothing came of it: {:#?}", session.commands));
    let value = |name: &str| {
        let rest = set.split_once(&format!("{name}=")).map(|(_, rest)| rest).unwrap_or_default();
        rest.split([',', '"']).next().unwrap_or_default().trim_end_matches('\\').to_owned()
    };
    let word = value("TANDEM_DIRECTORY");
    if word != "SELECTED" && word != "OPERATOR" {
        assert!(session.commands.last().unwrap().contains("\"Hangup\""), "{word}: {:#?}", session.commands);
        assert!(session.heard("vm-goodbye"), "{word}");
        return word;
    }
    assert!(set.contains("TANDEM_ACTION=call") && set.contains("TANDEM_CALL_KIND=account"), "{set}");
    assert!(set.contains("TANDEM_CALL_ID=voice") && set.contains("TANDEM_DONE=1"), "{set}");
    format!("{word} {}", value("TANDEM_CALL_NUMBER"))
}

#[test]
fn every_path_has_its_own_end() {
    use Does::{Digits, Key};
    let agent = start();
    spelled(&agent);
    let letters = |first: char, more: &'static str| vec![(FIRST, Key(first)), (MORE, Digits(more))];
    let then = |mut script: Acts, more: Acts| {
        script.extend(more);
        script
    };
    let baker = || letters('2', "25");
    let quist = || letters('7', "84");
    let cases: Vec<Path> = vec![
        ("chosen", "7001", then(baker(), vec![("dir-instr", Key('1'))]), "SELECTED 3190", "SAY ALPHA \"alice\""),
        (
            "chosen while the name is told",
            "7001",
            then(baker(), vec![("\"baker\"", Key('1'))]),
            "SELECTED 3190",
            "\"alice\"",
        ),
        (
            "the next one",
            "7001",
            then(baker(), vec![("dir-instr", Key('*')), ("dir-instr", Key('1'))]),
            "SELECTED 3195",
            "SAY ALPHA \"zoe\"",
        ),
        ("out at the question", "7001", vec![(FIRST, Key('#'))], "USEREXIT", "dir-welcome"),
        ("out by star", "7001", vec![(FIRST, Key('*'))], "USEREXIT", "dir-welcome"),
        ("out at an offer", "7001", then(baker(), vec![("dir-instr", Key('#'))]), "USEREXIT", "dir-instr"),
        ("out of a menu", "7002", then(quist(), vec![("dir-multi2", Key('#'))]), "USEREXIT", "dir-multi1"),
        ("operator at the question", "7001", vec![("dir-welcome", Key('0'))], "OPERATOR 3198", "dir-welcome"),
        ("operator at an offer", "7001", then(baker(), vec![("dir-instr", Key('0'))]), "OPERATOR 3198", "dir-instr"),
        ("operator in a menu", "7002", then(quist(), vec![("dir-multi9", Key('0'))]), "OPERATOR 3198", "dir-multi9"),
        ("no operator", "7003", then(baker(), vec![("dir-instr", Key('0'))]), "TIMEOUT", "vm-sorry"),
        ("silence", "7001", Vec::new(), "TIMEOUT", "dir-firstlast"),
        ("silence at an offer", "7001", baker(), "TIMEOUT", "dir-instr"),
        ("silence in a menu", "7002", quist(), "TIMEOUT", "dir-multi9"),
        ("a menu's third", "7002", then(quist(), vec![("dir-multi9", Key('3'))]), "SELECTED 3190", "dir-multi2"),
        (
            "the second menu's second",
            "7002",
            then(quist(), vec![("dir-multi9", Key('9')), ("SAY ALPHA \"j\"", Key('2'))]),
            "SELECTED 3190",
            "SAY NUMBER \"8\"",
        ),
        (
            "more than there are",
            "7002",
            then(quist(), vec![("dir-multi9", Key('9')), ("SAY ALPHA \"j\"", Key('9'))]),
            "TIMEOUT",
            "vm-sorry",
        ),
        (
            "nobody",
            "7001",
            [letters('9', "99"), letters('9', "98"), letters('1', "11")].concat(),
            "NOBODY",
            "dir-nomatch",
        ),
        (
            "nobody wanted",
            "7001",
            (0..3).flat_map(|_| then(baker(), vec![("dir-instr", Key('*')), ("dir-instr", Key('*'))])).collect(),
            "NOBODY",
            "dir-nomore",
        ),
        (
            "letters taken back",
            "7001",
            then(vec![(FIRST, Key('9')), (MORE, Digits("4*"))], then(baker(), vec![("dir-instr", Key('1'))])),
            "SELECTED 3190",
            "dir-pls-enter",
        ),
        (
            "too many, then more letters",
            "7001",
            then(letters('9', "46"), vec![(FIRST, Key('9')), ("GET DATA", Digits("46737")), ("dir-instr", Key('1'))]),
            "SELECTED 3190",
            "SAY NUMBER \"6\"",
        ),
        (
            "too many, and no more letters",
            "7001",
            then(letters('9', "46"), vec![(FIRST, Key('9')), ("GET DATA", Digits("46")), ("dir-instr", Key('1'))]),
            "SELECTED 3190",
            "SAY ALPHA \"zimmer\"",
        ),
        (
            "fewer letters",
            "7005",
            vec![(FIRST, Key('2')), (MORE, Does::Key('#')), ("dir-instr", Key('1'))],
            "SELECTED 3190",
            "dir-instr",
        ),
        (
            "not in that department",
            "7005",
            [letters('9', "63"), letters('9', "63"), letters('9', "63")].concat(),
            "NOBODY",
            "dir-nomatch",
        ),
        (
            "a later last name, with the extension",
            "7003",
            then(letters('8', "26"), vec![("dir-instr", Key('1'))]),
            "SELECTED 3190",
            "SAY DIGITS \"3190\"",
        ),
        (
            "no last name",
            "7003",
            [letters('2', "54"), letters('5', "83"), letters('2', "54")].concat(),
            "NOBODY",
            "dir-last",
        ),
        (
            "a first name",
            "7004",
            then(letters('5', "83"), vec![("dir-instr", Key('1'))]),
            "SELECTED 3190",
            "dir-first\"",
        ),
        (
            "one letter",
            "7006",
            vec![(FIRST, Key('5')), ("SAY ALPHA \"ludwig\"", Key('2'))],
            "SELECTED 3190",
            "vm-extension",
        ),
        (
            "no extension",
            "7003",
            then(letters('8', "67"), vec![("dir-instr", Key('1'))]),
            "SELECTED 3140",
            "SAY ALPHA \"voss\"",
        ),
        ("no such directory", "nobody", Vec::new(), "FAILED", "im-sorry"),
    ];
    for (name, directory, script, wanted, heard) in cases {
        let session = call(&agent, directory, script);
        assert_eq!(outcome(&session), wanted, "{name}: {:#?}", session.commands);
        assert!(session.heard(heard), "{name}: {heard} in {:#?}", session.commands);
        let target = session.commands.iter().any(|command| command.contains("TANDEM_CALL_TARGET=mailbox/40"));
        assert_eq!(target, name == "no extension", "{name}: {:#?}", session.commands);
        assert!(!(target && session.heard("vm-extension")), "{name}: {:#?}", session.commands);
        for hidden in ["bakewell", "bakestone"] {
            assert!(!session.heard(hidden), "{name}: {:#?}", session.commands);
        }
    }
    let session = call(&agent, "7004", vec![(FIRST, Key('#'))]);
    assert!(session.heard("CHANNEL(language)=en"), "{:#?}", session.commands);
    // An account that is not active has none.
    agent.plan().sql("UPDATE accounts SET status = 'suspended'");
    assert_eq!(outcome(&call(&agent, "7001", Vec::new())), "FAILED");
    let metrics = agent.get("/metrics").unwrap().1;
    for outcome in ["selected", "operator", "left", "silent", "nobody", "failed"] {
        assert!(metrics.contains(&format!("tandem_directory_calls_total{{outcome=\"{outcome}\"}}")), "{metrics}");
    }
}

#[test]
fn the_caller_may_hang_up_at_every_step() {
    use Does::{Digits, Key};
    let agent = start();
    spelled(&agent);
    let scripts: [(&str, Acts); 2] = [
        (
            "7002",
            vec![
                (FIRST, Key('9')),
                (MORE, Digits("99")),
                (FIRST, Key('7')),
                (MORE, Digits("84")),
                ("dir-multi9", Key('7')),
            ],
        ),
        (
            "7003",
            vec![
                (FIRST, Key('2')),
                (MORE, Digits("25")),
                ("dir-instr", Key('5')),
                ("dir-instr", Key('*')),
                ("dir-instr", Key('*')),
                (FIRST, Key('#')),
            ],
        ),
    ];
    for (directory, script) in scripts {
        let mut nth = 0;
        loop {
            let whole = SimulatedCall::new(&format!("directory/{directory}"), "3101", script.clone());
            let session = whole.hangs_up_at(nth, Vec::new()).run(agent.agi());
            if !session.cut {
                break;
            }
            assert_eq!(session.commands.len(), nth + 1, "nothing is ordered of a caller who is gone");
            nth += 1;
        }
        assert!(nth > 20, "only {nth} commands");
        wait_until("the end of every call", SOON, || agent.log().matches("flow=\"directory\"").count() >= nth);
    }
    assert!(!agent.log().contains("ERROR"), "{}", agent.log());
}

#[test]
fn names_changed_in_the_database_are_found_soon_and_imported_ones_at_once() {
    use Does::{Digits, Key};
    let agent = start();
    spelled(&agent);
    let plan = agent.plan();
    let finds = |first: char, more: &'static str| {
        let script = vec![(FIRST, Key(first)), (MORE, Digits(more)), ("dir-instr", Key('1'))];
        outcome(&call(&agent, "7001", script)).starts_with("SELECTED")
    };
    plan.sql("UPDATE mailboxes SET name = 'Xaver Yps' WHERE id = '03'");
    wait_until("the new name", SOON, || finds('9', "77"));
    assert!(!finds('8', "26"), "the old name is forgotten");
    // Hidden at once, whatever its keys say.
    plan.sql("UPDATE mailboxes SET hidden = TRUE WHERE id = '03'");
    assert!(!finds('9', "77"));
    plan.sql("UPDATE mailboxes SET hidden = FALSE WHERE id = '03'");
    wait_until("the one who is back", SOON, || finds('9', "77"));
    plan.sql("DELETE FROM mailboxes WHERE id = '03'");
    assert!(!finds('9', "77"));

    plan.import(
        "mailboxes",
        "id,account,number,name,department,extension\n50,voice,850,Wx \"; DROP TABLE mailboxes,Sales,3195\n",
    );
    let database = plan.folder().join("tandem.db");
    let keys =
        rows(&database, "SELECT part, digits, department FROM directory_names WHERE mailbox_id = '50' ORDER BY part");
    assert_eq!(
        keys,
        [
            "first|99376782253624526937|Sales",
            "last|624526937|Sales",
            "other|376782253624526937|Sales",
            "other|82253624526937|Sales"
        ]
    );
    assert!(finds('9', "93"));
    // Asterisk's own voicemail, too.
    let conf = plan.folder().write("voicemail.conf", "[default]\n777 => 1,Yvonne Xu\n");
    plan.tandem_ok(&["import", "mailboxes", &conf.to_string_lossy(), "--account", "voice"]);
    assert_eq!(
        rows(&database, "SELECT digits FROM directory_names WHERE mailbox_id = 'voice-777' AND part = 'last'"),
        ["98"]
    );

    plan.import("directories", "id,account,name,letters,presentation,operator\n7001,voice,New,2,menu,3195\n");
    assert_eq!(
        rows(&database, "SELECT name, search, letters, presentation, operator FROM directories WHERE id = '7001'"),
        ["New|both|2|menu|3195"]
    );
    for (csv, why) in [
        ("id,account,name,letters\nx,voice,X,10\n", "from 1 to 9"),
        ("id,account,name,search\nx,voice,X,all\n", "is none of last, first, both"),
        ("id,account,name,presentation\nx,voice,X,list\n", "is none of one, menu"),
        ("id,account,name\nx,nobody,X\n", "there is no \"nobody\""),
    ] {
        let file = plan.folder().write("bad.csv", csv);
        let said = plan.tandem(&["import", "directories", &file.to_string_lossy()]);
        let text = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(!said.status.success() && text.contains(why), "{text}");
    }
    let said = plan.tandem_ok(&["simulate", "directory", "7001"]);
    assert!(said.contains("plays dir-welcome") && said.contains("you hang up"), "{said}");
}

#[test]
fn the_replica_finds_people_while_the_database_is_slow_or_gone() {
    use Does::{Digits, Key};
    let mut server = MariaDb::start();
    let plan = plan().set("database.urls", &server.url());
    plan.tandem_ok(&["migrate"]);
    server.sql(&format!("USE tandem; {} {}", account(&["3195", "3198"]), people()));
    let agent = plan.start();
    let unspelled = "SELECT COUNT(*) FROM tandem.mailboxes WHERE directory_name IS NULL";
    wait_until("the keys of all names", SOON, || server.sql(unspelled).trim() == "0");
    let replica = || {
        let files = fs::read_dir(agent.plan().folder().join("replica")).into_iter().flatten().flatten();
        files.map(|file| file.path()).find(|path| path.extension().is_some_and(|extension| extension == "replica"))
    };
    wait_until("the replica", SOON, || agent.log().contains("the replica is filled"));
    let count = "SELECT COUNT(*) FROM directory_names";
    let there = server.sql(&format!("USE tandem; {count}"));
    wait_until("the names in the replica", SOON, || replica().is_some_and(|file| rows(&file, count) == [there.trim()]));
    let chooses = || {
        let script = vec![(FIRST, Key('2')), (MORE, Digits("25")), ("dir-instr", Key('*')), ("dir-instr", Key('1'))];
        outcome(&call(&agent, "7001", script))
    };
    assert_eq!(chooses(), "SELECTED 3195");
    // What is changed under a running agent is seen within seconds, not by the look of each minute.
    let keyed = "SELECT COUNT(*) FROM tandem.directory_names WHERE digits LIKE '7889%' AND mailbox_id = '03'";
    server.sql("UPDATE tandem.mailboxes SET name = 'Xaver Quux' WHERE id = '03'");
    wait_until("the keys of a changed name", SOON, || server.sql(keyed).trim() == "1");
    server.pause();
    assert_eq!(chooses(), "SELECTED 3195", "slow");
    server.resume();
    server.kill();
    assert_eq!(chooses(), "SELECTED 3195", "gone");
    assert!(!agent.log().contains("cannot be read"), "{}", agent.log());
}

#[test]
fn without_database_and_replica_the_caller_hears_an_apology() {
    let plan = plan().set("database.urls", "mysql://tandem@127.0.0.1:1/tandem");
    let agent = plan.start();
    let session = call(&agent, "7001", Vec::new());
    assert_eq!(outcome(&session), "FAILED");
    assert!(session.heard("im-sorry") && session.heard("please-try-call-later"), "{:#?}", session.commands);
}
