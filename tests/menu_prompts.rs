//! What menus say is recorded by phone on one node, and heard on another, also without the database; and an agent that dies in a menu.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;
mod menu_stage;

use std::process::Command;

use lab::{Agent, Conversation, Does, MariaDb, SimulatedCall, wait_until};
use mailbox_stage::{SECOND, SOON, Stage, TONES, bare, left_behind, rows, wav};
use menu_stage::{CALLED, ENTRANCES, MENUS, fill, plan, surroundings};

/// Of the account that records.
const PASSWORD: &str = "73519";

fn password(plan: &lab::AgentBuilder) -> String {
    let said = plan.tandem_ok(&["menu", "password", "menus"]);
    said.trim().rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn a_prompt_is_recorded_on_one_node_and_heard_on_another_also_without_the_database() {
    let mut server = MariaDb::start();
    let url = server.url();
    let plan = Agent::builder().set("database.urls", &url);
    fill(&plan, MENUS);
    plan.import("extensions", &ENTRANCES.replace("menus,807,loop,,,\nmenus,808,round,,,\n", ""));
    let password = password(&plan);
    let node = |name: &str| {
        Stage::start(bare(&["3101"]).set("database.urls", &url).set("node.name", name).set("media.speech", "false"))
    };
    let (first, mut second) = (node("first"), node("second"));

    let voice = first.voice("3101");
    let mut call = first.call("3101", &voice, "*96");
    call.hears("vm-password").press("0000#").hears("vm-incorrect").hears("vm-password").press(&format!("{password}#"));
    call.hears("vm-then-pound")
        .press("4#")
        .hears("pbx-invalid")
        .hears("vm-then-pound")
        .press("77#")
        .hears("SAY DIGITS \"77\"");
    // What it is so far: a text, which this node does not speak.
    call.hears("\"beep\"")
        .hears("vm-rec-temp")
        .hears("RECORD FILE")
        .says(TONES[1], SECOND * 3)
        .waits(SECOND * 4)
        .press("#");
    call.hears("vm-review").press("2").hears_tone(TONES[1], SECOND).press("1").hears("vm-msgsaved");
    call.hears("vm-then-pound").press("#").hears("vm-goodbye");
    assert_eq!(call.ends().status(), 200);
    let recorded = || server.sql("SELECT prompt_id FROM tandem.prompt_recordings").trim().to_owned();
    wait_until("the prompt in the central store", SOON, || recorded().ends_with("tone"));
    wait_until("nothing left on the first node", SOON, || first.left_behind().is_empty());

    let voice = second.voice("3101");
    let mut call = second.call("3101", &voice, "805");
    call.hears("STREAM FILE").hears_tone(TONES[1], SECOND).press("1").hears("vm-goodbye");
    assert_eq!(call.ends().status(), 200);

    // The database is gone: the replica knows the menus, the cache what they say.
    let replica = second.node.agent.plan().folder().join("replica");
    let known = || {
        std::fs::read_dir(&replica).into_iter().flatten().flatten().map(|file| file.path()).any(|file| {
            file.extension().is_some_and(|extension| extension == "replica")
                && rows(&file, "SELECT prompt_id FROM prompt_recordings") == ["tone"]
        })
    };
    wait_until("the recording in the replica", SOON, known);
    server.kill();
    let voice = second.voice("3101");
    let mut call = second.call("3101", &voice, "805");
    call.hears("STREAM FILE").hears_tone(TONES[1], SECOND).press("1").hears("vm-goodbye");
    assert_eq!(call.ends().status(), 200);
    let agent = second.node.agent.process().id().to_string();
    // Somebody who came through a menu, and is talking since.
    let other = second.voice("3101");
    let mut talking = second.call("3101", &other, "800");
    talking.hears("demo-instruct").hears("GET DATA").press("8").hears("TANDEM_ACTION=conference");
    let talks = || second.node.asterisk.command("confbridge list").contains("menus.room");
    wait_until("the conference", SOON, talks);
    let mut call = second.call("3101", &voice, "800");
    call.hears("demo-instruct").hears("GET DATA").press("4").hears("demo-moreinfo");

    // The agent dies while the caller is in a menu: the dialplan ends the call, with a word.
    let before = voice.heard_sound();
    assert!(Command::new("kill").args(["-9", &agent]).status().unwrap().success());
    assert_eq!(call.ends().status(), 200);
    assert!(voice.heard_sound() > before, "the caller heard something");
    assert!(talks(), "who is talking needs no agent");
    talking.hangs_up();
    wait_until("the end of the conference", SOON, || !talks());
}

#[test]
fn who_is_in_a_menu_when_the_agent_dies_hears_it_again_from_the_next_one() {
    let mut builder = bare(&["3101", CALLED]).held_listener().set("media.speech", "false");
    for (kind, csv) in surroundings(&["3101"]) {
        builder = builder.import(kind, &csv);
    }
    let mut stage = Stage::start(builder.import("menus", MENUS));
    stage.node.agent.plan().import("extensions", &ENTRANCES.replace("menus,807,loop,,,\nmenus,808,round,,,\n", ""));
    let (voice, phone) = (stage.node.peer("3101").voice(), stage.node.peers.remove("3101").unwrap());
    let mut call = Conversation::begin(&stage.transcript, &phone, &voice, "3101", stage.node.asterisk.address(), "800");
    call.hears("demo-instruct").hears("GET DATA");
    stage.node.agent.restart();
    call.hears("demo-instruct").hears("GET DATA").press("1").hears("TANDEM_CALL_TARGET=line/3901");
    // A directory, too.
    call.hangs_up();
    let mut call = Conversation::begin(&stage.transcript, &phone, &voice, "3101", stage.node.asterisk.address(), "812");
    call.hears("dir-usingkeypad");
    stage.node.agent.restart();
    call.hears("dir-usingkeypad").press("#").hears("TANDEM_DIRECTORY=USEREXIT").hears("vm-goodbye");
    assert_eq!(call.ends().status(), 200);
}

/// Somebody who knows the password records a prompt twice, and saves it.
fn records(password: &'static str) -> SimulatedCall {
    let script = vec![
        ("vm-password", Does::Digits("0000")),
        ("vm-password", Does::Digits(password)),
        ("vm-then-pound", Does::Digits("1")),
        ("RECORD FILE", Does::Speaks(wav(500, 3))),
        ("vm-review", Does::Key('3')),
        ("RECORD FILE", Does::Speaks(wav(620, 2))),
        ("vm-review", Does::Key('1')),
    ];
    SimulatedCall::new("prompt/line/3101", "3101", script)
}

#[test]
fn who_records_a_prompt_may_hang_up_at_every_step() {
    let plan = plan(MENUS);
    let hash = tandem::store::password::hash(PASSWORD).unwrap();
    plan.sql(&format!("INSERT INTO prompt_passwords (account_id, password_hash) VALUES ('menus', '{hash}')"));
    let agent = plan.start();
    let folder = agent.plan().folder();
    let database = folder.join("tandem.db");
    let mut longest = 0;
    for nth in 0.. {
        agent.plan().sql("DELETE FROM prompt_recordings; DELETE FROM mailbox_audio; DELETE FROM prompt_guesses");
        let session = records(PASSWORD).hangs_up_at(nth, wav(740, 2)).run(agent.agi());
        let what = format!("cut at {nth}, {:?}", session.commands.last());
        // Saved when it was said so; else discarded.
        let saved = usize::from(session.commands.iter().any(|command| command.contains("vm-msgsaved")));
        let count =
            |table: &str| rows(&database, &format!("SELECT COUNT(*) FROM {table}"))[0].parse::<usize>().unwrap();
        wait_until(&what, SOON, || left_behind(folder).is_empty());
        wait_until(&what, SOON, || (count("prompt_recordings"), count("mailbox_audio")) == (saved, saved));
        if !session.cut {
            longest = nth;
            break;
        }
    }
    assert!(longest > 12, "only {longest} commands");
    assert!(!agent.log().contains("ERROR") && !agent.log().contains(PASSWORD), "{}", agent.log());
}

#[test]
fn guessers_of_the_password_are_locked_out() {
    let plan = plan(MENUS).set("voicemail.lockout_guesses", "3");
    let hash = tandem::store::password::hash(PASSWORD).unwrap();
    plan.sql(&format!("INSERT INTO prompt_passwords (account_id, password_hash) VALUES ('menus', '{hash}')"));
    let agent = plan.start();
    let guess = |password| {
        let script = vec![("vm-password", Does::Digits(password)); 3];
        SimulatedCall::new("prompt/line/3101", "3101", script).run(agent.agi())
    };
    let session = guess("0000");
    assert!(session.heard("vm-incorrect") && !session.heard("vm-then-pound"));
    // The right one comes too late.
    assert!(!guess(PASSWORD).heard("vm-then-pound"), "it is locked");
    // A new password opens it.
    let new = agent.plan().tandem_ok(&["menu", "password", "menus"]);
    let new: &'static str = new.trim().rsplit(' ').next().unwrap().to_owned().leak();
    assert!(guess(new).heard("vm-then-pound"));
    // A line that is suspended is no way to it.
    agent.plan().sql("UPDATE phone_lines SET status = 'suspended' WHERE id = '3101'");
    assert!(guess(new).commands.is_empty());
    // An account without one lets nobody in.
    let stranger =
        SimulatedCall::new("prompt/line/9001", "9001", vec![("vm-password", Does::Digits(""))]).run(agent.agi());
    assert!(!stranger.heard("vm-then-pound"));
}
