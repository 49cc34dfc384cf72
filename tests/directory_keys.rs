//! Every mode and key of the directory, pressed in RTP on real calls. One node serves all of these tests; each has a line of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod directory_stage;
mod mailbox_stage;

use std::time::Duration;

use directory_stage::{WAY_IN, people};
use lab::{Asterisk, Conversation, Manner, Sipp, Voice, wait_until};
use mailbox_stage::{SECOND, SOON, Stage, Stages, TONES, builder, wav};
use uuid::Uuid;

/// Lines of the tests, and those that are called: their phones are busy, and their mailboxes answer.
const LINES: [&str; 27] = [
    "3101", "3102", "3103", "3104", "3105", "3106", "3107", "3108", "3109", "3110", "3111", "3112", "3113", "3114",
    "3115", "3116", "3117", "3118", "3119", "3120", "3121", "3122", "3123", "3124", "3290", "3195", "3198",
];

/// Alice says her own name: a tone.
fn recorded_name() -> String {
    let (id, audio) = (Uuid::now_v7(), wav(TONES[0], 2));
    let hex: String = audio.iter().map(|byte| format!("{byte:02X}")).collect();
    format!(
        "INSERT INTO mailbox_audio (id, part, audio) VALUES ('{id}', 0, X'{hex}');
         INSERT INTO mailbox_greetings (mailbox_id, kind, audio_id, place, format, bytes, duration_ms, recorded_at)
            VALUES ('01', 'name', '{id}', 'database', 'wav', {}, 2000, '2026-11-01 18:00:00.000');",
        audio.len()
    )
}

fn stage() -> &'static Stage {
    static STAGES: Stages<Stage> = Stages::new();
    STAGES.get(|transport| {
        let sql = people()
            + &recorded_name()
            + "INSERT INTO extensions (account_id, extension, line_id) VALUES ('voice', '3190', '3290');";
        let stage = Stage::by(transport, builder(&LINES).dialplan(WAY_IN).sql(&sql));
        let unspelled = "SELECT COUNT(*) FROM mailboxes WHERE directory_name IS NULL";
        wait_until("the keys of all names", SOON, || stage.rows(unspelled) == ["0"]);
        stage
    })
}

/// A call of a line to a directory, once it asks for letters.
fn enter<'a>(line: &str, voice: &'a Voice, directory: &str) -> Conversation<'a> {
    let mut call = stage().call(line, voice, directory);
    call.hears("dir-welcome").hears("dir-usingkeypad");
    call
}

/// The caller is connected to an extension, whose line is busy; the mailbox of that answers.
fn connected(mut call: Conversation<'_>, word: &str, extension: &str, line: &str) {
    call.hears(&format!("TANDEM_DIRECTORY={word}")).hears(&format!("TANDEM_ROUTE_1_NAME={line}"));
    call.hears("vm-theperson").hears(&format!("SAY DIGITS \"{line}\""));
    let set = call.ordered().into_iter().find(|command| command.contains("TANDEM_DIRECTORY=")).unwrap();
    assert!(set.contains(&format!("TANDEM_CALL_NUMBER={extension}")), "{set}");
    call.hangs_up();
}

/// The caller is not.
fn ended(mut call: Conversation<'_>, word: &str) {
    call.hears(&format!("TANDEM_DIRECTORY={word}")).hears("vm-goodbye");
    assert_eq!(call.ends().status(), 200);
}

conversations! {
    fn one_at_a_time_key_1_takes_who_is_told_by_the_recorded_name() {
        let voice = stage().voice("3101");
        let mut call = stage().call("3101", &voice, "7001");
        call.hears("dir-welcome").hears("dir-pls-enter").hears("SAY NUMBER \"3\"").hears("dir-firstlast").hears("dir-usingkeypad");
        call.press("254").hears("STREAM FILE").hears_tone(TONES[0], SECOND).hears("dir-instr").press("1");
        connected(call, "SELECTED", "3190", "3290");
    }

    fn key_star_goes_to_the_next_whose_name_is_spoken() {
        let voice = stage().voice("3102");
        let mut call = enter("3102", &voice, "7001");
        // An extension of her own is called, not her mailbox's number.
        call.press("225").hears("dir-instr").press("*").hears("speech-").hears("dir-instr").press("1");
        connected(call, "SELECTED", "3195", "3195");
    }

    fn after_the_last_one_others_are_asked_for() {
        let voice = stage().voice("3103");
        let mut call = enter("3103", &voice, "7001");
        call.press("225").hears("dir-instr").press("*").hears("dir-instr").press("*").hears("dir-nomore").hears("dir-pls-enter");
        call.hears("dir-usingkeypad").press("826").hears("dir-instr").press("1");
        connected(call, "SELECTED", "3190", "3290");
    }

    fn key_hash_leaves_an_offer() {
        let voice = stage().voice("3104");
        let mut call = enter("3104", &voice, "7001");
        call.press("225").hears("dir-instr").press("#");
        ended(call, "USEREXIT");
    }

    fn keys_hash_and_star_leave_the_question() {
        for key in ["#", "*"] {
            let voice = stage().voice("3105");
            let mut call = enter("3105", &voice, "7001");
            call.press(key);
            ended(call, "USEREXIT");
        }
    }

    fn key_0_is_the_operator() {
        let voice = stage().voice("3106");
        let mut call = enter("3106", &voice, "7001");
        call.press("0");
        connected(call, "OPERATOR", "3198", "3198");
        let mut call = enter("3106", &voice, "7001");
        call.press("225").hears("dir-instr").press("0");
        connected(call, "OPERATOR", "3198", "3198");
        let mut call = enter("3106", &voice, "7002");
        call.press("784").hears("dir-multi1").hears("dir-multi2").press("0");
        connected(call, "OPERATOR", "3198", "3198");
    }

    fn without_an_operator_key_0_is_none() {
        let voice = stage().voice("3107");
        let mut call = enter("3107", &voice, "7003");
        call.press("0#").hears("dir-nomatch").hears("dir-usingkeypad").press("225").hears("dir-instr").press("0").hears("vm-sorry");
        call.hears("dir-instr").press("1");
        connected(call, "SELECTED", "3190", "3290");
    }

    fn another_key_is_a_wrong_one() {
        let voice = stage().voice("3108");
        let mut call = enter("3108", &voice, "7001");
        call.press("225").hears("dir-instr").press("5").hears("vm-sorry").hears("dir-instr").press("1");
        connected(call, "SELECTED", "3190", "3290");
    }

    fn fewer_letters_end_with_hash_or_by_themselves() {
        let voice = stage().voice("3109");
        let mut call = enter("3109", &voice, "7001");
        call.press("25#").hears("dir-instr").press("1");
        connected(call, "SELECTED", "3190", "3290");
        let mut call = enter("3109", &voice, "7001");
        call.press("25").hears("dir-instr").press("1");
        connected(call, "SELECTED", "3190", "3290");
    }

    fn star_among_the_letters_begins_anew() {
        let voice = stage().voice("3110");
        let mut call = enter("3110", &voice, "7001");
        call.press("9*#").hears("dir-pls-enter").hears("dir-usingkeypad").press("254").hears("dir-instr").press("1");
        connected(call, "SELECTED", "3190", "3290");
    }

    fn nobody_is_told_so_three_times() {
        let voice = stage().voice("3111");
        let mut call = enter("3111", &voice, "7001");
        for _ in 0..2 {
            // The hidden and the suspended one share these letters.
            call.press("229").hears("dir-nomatch").hears("dir-usingkeypad");
        }
        call.press("111").hears("dir-nomatch");
        ended(call, "NOBODY");
    }

    fn silence_ends_the_call() {
        let voice = stage().voice("3112");
        let mut call = enter("3112", &voice, "7001");
        call.hears("dir-usingkeypad").hears("dir-usingkeypad");
        ended(call, "TIMEOUT");
    }

    fn a_menus_keys_1_to_8_take() {
        let voice = stage().voice("3113");
        let mut call = enter("3113", &voice, "7002");
        call.press("784").hears("dir-multi1").hears("SAY NUMBER \"1\"").hears("dir-multi2").hears("speech-").hears("dir-multi1").hears("SAY NUMBER \"2\"");
        call.hears("SAY NUMBER \"3\"").press("2");
        connected(call, "SELECTED", "3190", "3290");
        // The eighth is there, but not on the second page.
        let mut call = enter("3113", &voice, "7002");
        call.press("784").hears("dir-multi2").press("9").hears("SAY NUMBER \"2\"").press("8").hears("vm-sorry").hears("dir-multi1").press("1");
        connected(call, "SELECTED", "3190", "3290");
    }

    fn a_menus_key_9_goes_on_to_more() {
        let voice = stage().voice("3114");
        let mut call = enter("3114", &voice, "7002");
        // Whoever waits hears of it.
        call.press("784").hears("SAY NUMBER \"8\"").hears("dir-multi9").press("9").hears("SAY NUMBER \"1\"").hears("SAY NUMBER \"2\"").hears("GET DATA");
        call.press("2");
        connected(call, "SELECTED", "3190", "3290");
    }

    fn a_menus_star_goes_on_and_ends_after_the_last() {
        let voice = stage().voice("3115");
        let mut call = enter("3115", &voice, "7002");
        call.press("784").hears("dir-multi2").press("*").hears("dir-multi1").hears("dir-multi2").press("*").hears("dir-nomore").hears("dir-usingkeypad");
        call.press("#");
        ended(call, "USEREXIT");
    }

    fn a_menus_key_9_is_none_when_there_are_no_more_and_hash_leaves() {
        let voice = stage().voice("3116");
        let mut call = enter("3116", &voice, "7002");
        call.press("225").hears("dir-multi2").press("9").hears("vm-sorry").hears("dir-multi2").press("#");
        ended(call, "USEREXIT");
    }

    fn too_many_are_asked_for_by_more_letters() {
        let voice = stage().voice("3117");
        let mut call = enter("3117", &voice, "7001");
        call.press("946").hears("dir-pls-enter").hears("SAY NUMBER \"6\"").hears("dir-usingkeypad").press("946737").hears("speech-").hears("dir-instr");
        call.press("1");
        connected(call, "SELECTED", "3190", "3290");
        // Who has no more letters gets all of them.
        let mut call = enter("3117", &voice, "7001");
        call.press("946").hears("SAY NUMBER \"6\"").hears("dir-usingkeypad").press("946#").hears("dir-instr").press("*").hears("dir-instr").press("1");
        connected(call, "SELECTED", "3190", "3290");
    }

    fn by_last_name_with_the_extension() {
        let voice = stage().voice("3118");
        let mut call = stage().call("3118", &voice, "7003");
        call.hears("dir-last").hears("dir-usingkeypad").press("254").hears("dir-nomatch").hears("dir-usingkeypad");
        call.press("233").hears("speech-").hears("vm-extension").hears("SAY DIGITS \"3190\"").press("1");
        connected(call, "SELECTED", "3190", "3290");
    }

    fn by_first_name_in_its_language() {
        let voice = stage().voice("3119");
        let mut call = stage().call("3119", &voice, "7004");
        call.hears("CHANNEL(language)=en").hears("dir-first\"").press("225").hears("dir-nomatch").press("254").hears_tone(TONES[0], SECOND).press("1");
        connected(call, "SELECTED", "3190", "3290");
    }

    fn of_one_department() {
        let voice = stage().voice("3120");
        let mut call = enter("3120", &voice, "7005");
        call.press("225").hears("dir-instr").press("*").hears("dir-nomore").hears("dir-usingkeypad").press("963").hears("dir-nomatch");
        call.hangs_up();
    }

    fn by_one_letter() {
        let voice = stage().voice("3121");
        let mut call = stage().call("3121", &voice, "7006");
        // Uma, who has no extension that could be told, and van Beethoven.
        call.hears("SAY NUMBER \"1\"").hears("dir-usingkeypad").press("8").hears("dir-multi1").hears("speech-").hears("dir-multi1").hears("speech-").hears("vm-extension").press("2");
        connected(call, "SELECTED", "3190", "3290");
    }

    fn who_hangs_up_disturbs_nobody() {
        let voice = stage().voice("3122");
        let mut call = enter("3122", &voice, "7001");
        call.press("225").hears("dir-instr");
        call.hangs_up();
        let mut call = enter("3122", &voice, "7001");
        call.press("254").hears_tone(TONES[0], Duration::from_millis(500)).press("1");
        connected(call, "SELECTED", "3190", "3290");
    }

    fn the_one_who_is_found_sees_the_line_and_not_what_its_phone_claims() {
        let (node, voice) = (&stage().node, stage().voice("3123"));
        let phone = node.peer("3123").call(node.asterisk.address(), "7001").claims("911", "Police");
        let mut call = Conversation::of(&stage().transcript, phone, &voice, "3123");
        call.hears("dir-usingkeypad").press("254").hears("dir-instr").press("1");
        connected(call, "SELECTED", "3190", "3290");
        let callers: Vec<String> = node.peer("3290").invites().iter().map(|invite| invite.caller().to_owned()).collect();
        assert!(callers.contains(&"3123".to_owned()) && !callers.contains(&"911".to_owned()), "{callers:?}");
    }

    fn who_has_no_extension_is_left_a_message() {
        let voice = stage().voice("3124");
        let mut call = enter("3124", &voice, "7001");
        call.press("862").hears("dir-instr").press("1").hears("TANDEM_CALL_TARGET=mailbox/40").hears("TANDEM_ACTION=voicemail");
        call.hears("vm-theperson").hears("SAY DIGITS \"3140\"").hears("RECORD FILE");
        call.hangs_up();
    }

    fn without_the_agent_the_caller_hears_so() {
        let phone = Sipp::start(Manner::Answers);
        let asterisk = Asterisk::builder().agent("127.0.0.1:1".parse().unwrap()).line("3101", phone.address()).dialplan(WAY_IN).start();
        let outcome = phone.call(asterisk.address(), "7001").run();
        assert_eq!(outcome.status(), 503);
        assert!(outcome.statuses().contains(&183), "{:?}", outcome.statuses());
    }
}
