//! Ways through menus that are told by what the agent orders, in which no sound is heard: simulated callers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod menu_stage;

use lab::{Agent, Does, Session, SimulatedCall};
use menu_stage::{ENTRANCES, LOOP, MENUS, plan};

fn start() -> Agent {
    let agent = plan(&MENUS.replace("[menu.direct.options]", "[menu.direct.options]\n1 = \"line 3901\"")).start();
    agent.plan().sql(LOOP);
    agent.plan().import("extensions", ENTRANCES);
    agent
}

fn walks(agent: &Agent, menu: &str, script: Vec<(&'static str, Does)>) -> Session {
    SimulatedCall::new(&format!("menu/{menu}/0"), "12145550123", script).run(agent.agi())
}

#[test]
fn an_option_with_whose_key_no_extension_begins_is_not_waited_for() {
    let agent = start();
    let session = walks(&agent, "direct", vec![("demo-nomatch", Does::Key('1'))]);
    assert!(session.commands.last().unwrap().contains("TANDEM_CALL_TARGET=line/3901"), "{session:#?}");
    assert!(!session.heard("GET DATA"), "more keys were waited for: {session:#?}");
    // 3 may be the beginning of 3901, and 9 of an extension that is not there: its other keys are no options.
    for (key, more) in [('3', "901"), ('9', "111")] {
        let script = vec![("demo-nomatch", Does::Key(key)), ("GET DATA", Does::Digits(more))];
        let session = walks(&agent, "direct", script);
        assert!(session.heard("GET DATA \"\" \"1000\" \"3\""), "{session:#?}");
        assert_eq!(session.heard("TANDEM_CALL_NUMBER=3901"), key == '3', "{session:#?}");
    }
}

#[test]
fn no_conference_is_keyed_in() {
    let agent = start();
    let keyed = |digits: &'static str| {
        walks(&agent, "direct", vec![("demo-nomatch", Does::Key('8')), ("GET DATA", Does::Digits(digits))])
    };
    let session = keyed("11");
    assert!(session.heard("pbx-invalid") && !session.heard("TANDEM_CALL_NUMBER"), "{session:#?}");
    assert!(keyed("00").heard("TANDEM_CALL_NUMBER=800"), "a menu is");
}

#[test]
fn who_finds_nobody_in_a_directory_is_in_the_menu_again_and_who_says_nothing_is_not() {
    let agent = start();
    let nobody = (0..3).flat_map(|_| [("dir-usingkeypad", Does::Key('9')), ("GET DATA", Does::Digits("99"))]);
    let session = SimulatedCall::new("directory/staff/wide", "12145550123", nobody.collect()).run(agent.agi());
    let told = session.commands.last().unwrap();
    for part in ["TANDEM_DIRECTORY=NOBODY", "TANDEM_ACTION=menu", "TANDEM_MENU=wide", "TANDEM_DONE=1"] {
        assert!(told.contains(part), "{part}: {session:#?}");
    }
    for (path, word) in [("directory/staff/wide", "TIMEOUT"), ("directory/nobody/wide", "FAILED")] {
        let session = SimulatedCall::new(path, "12145550123", Vec::new()).run(agent.agi());
        assert!(session.heard(&format!("TANDEM_DIRECTORY={word}")), "{session:#?}");
        assert!(session.heard("\"Hangup\"") && !session.heard("TANDEM_DONE"), "{session:#?}");
    }
}

#[test]
fn what_is_spoken_is_made_once_and_in_the_voice_of_the_language() {
    let agent = start();
    let spoken = |language: &'static str| {
        let call = SimulatedCall::new("menu/poor/0", "12145550123", Vec::new()).variable("CHANNEL(language)", language);
        let session = call.run(agent.agi());
        let path =
            session.commands.iter().find_map(|command| command.strip_prefix("STREAM FILE \"")?.split('"').next());
        let path = path.unwrap().to_owned();
        let length = std::fs::metadata(format!("{path}.wav")).unwrap_or_else(|_| panic!("{session:#?}")).len();
        (length, path)
    };
    let (english, german) = (spoken("en"), spoken("de"));
    assert_ne!(english.0, german.0, "both have one voice");
    assert_eq!(spoken("en"), english, "it was made anew");
    // The voice of no language is the one of no language in particular; whoever cleans up does no harm.
    std::fs::remove_file(format!("{}.wav", german.1)).unwrap();
    assert_eq!(spoken("de").0, german.0);
    assert_eq!(spoken("brief").0, spoken("zz_ZZ").0);
    // What an agent that was killed has left behind is removed by the next one.
    let mut agent = agent;
    agent.restart();
    assert!(!std::path::Path::new(&format!("{}.wav", english.1)).exists());
}

#[test]
fn a_key_counts_while_the_caller_is_told_of_none_or_of_a_wrong_one() {
    let agent = start();
    for script in [
        vec![("GET DATA", Does::Nothing), ("vm-sorry", Does::Key('1'))],
        vec![("GET DATA", Does::Key('7')), ("pm-invalid-option", Does::Key('1'))],
    ] {
        let session = walks(&agent, "sub", script);
        assert!(session.commands.last().unwrap().contains("TANDEM_CALL_TARGET=line/3901"), "{session:#?}");
        assert_eq!(
            session.commands.iter().filter(|command| command.contains("demo-moreinfo")).count(),
            1,
            "{session:#?}"
        );
    }
    // The last time it is too late: whoever presses wrong keys for ever would be in the menu for ever.
    let wrong = [("GET DATA", Does::Key('7')), ("pm-invalid-option", Does::Nothing)];
    let script = wrong.clone().into_iter().chain([("GET DATA", Does::Key('7')), ("pm-invalid-option", Does::Key('1'))]);
    let session = walks(&agent, "sub", script.collect());
    assert!(session.heard("STREAM FILE \"pm-invalid-option\" \"\""), "{session:#?}");
}

#[test]
fn the_language_that_a_caller_has_chosen_stays() {
    let agent = start();
    // In main there is a key for English; sub has a language of its own.
    let session = walks(&agent, "main", vec![("demo-instruct", Does::Key('*')), ("demo-instruct", Does::Key('#'))]);
    assert!(session.heard("CHANNEL(language)=en,TANDEM_LANGUAGE=en"), "{session:#?}");
    for (chosen, own) in [("", true), ("en", false)] {
        let call = SimulatedCall::new("menu/sub/0", "12145550123", vec![("demo-moreinfo", Does::HangsUp)]);
        let session = call.variable("TANDEM_LANGUAGE", chosen).run(agent.agi());
        assert_eq!(session.heard("CHANNEL(language)=brief"), own, "{session:#?}");
    }
}
