//! Every key of the mailbox's menus, pressed in RTP on real calls. One node serves all of these tests; each has a line and mailbox of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;

use std::time::Duration;

use lab::{Conversation, Voice};
use mailbox_stage::{SECOND, Stage, Stages, TONES, builder, message, messages, name, wav};

/// Lines of the tests: `21xx` has three new messages, `22xx` an urgent one, a new one and an old one, `23xx` none.
const LINES: [&str; 44] = [
    "2101", "2102", "2103", "2104", "2105", "2106", "2107", "2108", "2109", "2110", "2111", "2112", "2113", "2114",
    "2115", "2116", "2117", "2118", "2119", "2120", "2121", "2122", "2201", "2202", "2203", "2204", "2301", "2302",
    "2303", "2304", "2305", "2306", "2307", "2308", "2309", "2310", "2311", "2312", "2313", "2314", "2315", "2316",
    "2317", "2318",
];

fn stage() -> &'static Stage {
    static STAGES: Stages<Stage> = Stages::new();
    STAGES.get(|transport| {
        let mut sql = String::new();
        for line in LINES {
            if line.starts_with("21") {
                sql += &messages(line, "INBOX", &TONES[..3]);
            }
            if line.starts_with("22") {
                sql += &message(line, "INBOX", false, 0, &wav(TONES[0], 2), "12145550123");
                sql += &message(line, "INBOX", true, 1, &wav(TONES[1], 2), "12145550124");
                sql += &message(line, "Old", false, 2, &wav(TONES[2], 2), "");
            }
        }
        Stage::by(transport, builder(&LINES).sql(&sql))
    })
}

/// A visit of a line's owner to its mailbox, once the number of messages was told.
fn visit<'a>(line: &str, voice: &'a Voice) -> Conversation<'a> {
    let mut call = stage().call(line, voice, "*97");
    call.hears("vm-youhave").hears("vm-opts");
    call
}

fn leave(mut call: Conversation<'_>) {
    call.press("#").hears("vm-goodbye");
    assert_eq!(call.ends().status(), 200);
}

/// Records something, with a review, and saves it.
fn records(call: &mut Conversation<'_>, prompt: &str, hertz: u32) {
    call.hears(prompt)
        .hears("RECORD FILE")
        .says(hertz, SECOND * 2)
        .waits(SECOND * 3)
        .press("#")
        .hears("vm-review")
        .press("1");
    call.hears("vm-msgsaved");
}

conversations! {
    fn the_number_of_messages_is_told() {
        let voice = stage().voice("2201");
        let mut call = stage().call("2201", &voice, "*97");
        call.hears("vm-youhave").hears("SAY NUMBER \"1\"").hears("vm-Urgent").hears("vm-and").hears("SAY NUMBER \"1\"").hears("vm-INBOX");
        call.hears("vm-and").hears("SAY NUMBER \"1\"").hears("vm-Old").hears("vm-message\"").hears("vm-onefor").hears("vm-INBOX");
        call.hears("vm-opts");
        leave(call);
    }

    fn an_empty_mailbox_says_so() {
        let voice = stage().voice("2301");
        let mut call = stage().call("2301", &voice, "*97");
        call.hears("vm-youhave").hears("vm-no\"").hears("vm-messages").hears("vm-opts").hears("vm-helpexit");
        // There is nothing to play, delete, forward or save.
        for key in ["1", "4", "6", "7", "8", "9"] {
            call.press(key).hears("vm-nomore");
        }
        leave(call);
    }

    fn key_1_plays_the_first_message() {
        let voice = stage().voice("2101");
        let mut call = visit("2101", &voice);
        call.press("1").hears("vm-first").hears("vm-message").hears("vm-received").hears("SAY DATETIME").hears("CONTROL STREAM FILE");
        call.hears_tone(TONES[0], Duration::from_millis(1800));
        call.hears("vm-advopts").hears("vm-repeat").hears("vm-next").hears("vm-delete").hears("vm-toforward").hears("vm-savemessage");
        leave(call);
        // It was heard.
        stage().wait_contents("2101", &["Old|0", "INBOX|0", "INBOX|0"]);
    }

    fn key_5_plays_it_again() {
        let voice = stage().voice("2102");
        let mut call = visit("2102", &voice);
        call.press("1").hears("CONTROL STREAM FILE").hears_tone(TONES[0], SECOND).hears("vm-repeat");
        call.press("5").hears("vm-first").hears("CONTROL STREAM FILE").hears_tone(TONES[0], SECOND);
        leave(call);
    }

    fn key_6_goes_to_the_next_message_and_key_4_back() {
        let voice = stage().voice("2103");
        let mut call = visit("2103", &voice);
        call.press("1").hears("CONTROL STREAM FILE").hears_tone(TONES[0], SECOND);
        call.press("6").hears("vm-message").hears("SAY NUMBER \"2\"").hears("CONTROL STREAM FILE").hears_tone(TONES[1], SECOND);
        call.press("6").hears("vm-last").hears("CONTROL STREAM FILE").hears_tone(TONES[2], SECOND);
        call.press("6").hears("vm-nomore");
        call.hears("vm-prev").press("4").hears("SAY NUMBER \"2\"").hears("CONTROL STREAM FILE").hears_tone(TONES[1], SECOND);
        call.press("4").hears("vm-first").hears("CONTROL STREAM FILE").hears_tone(TONES[0], SECOND);
        call.press("4").hears("vm-nomore");
        leave(call);
        stage().wait_contents("2103", &["Old|0", "Old|0", "Old|0"]);
    }

    fn urgent_messages_come_first() {
        let voice = stage().voice("2202");
        let mut call = visit("2202", &voice);
        call.press("1").hears("vm-first").hears("vm-Urgent").hears("CONTROL STREAM FILE").hears_tone(TONES[1], SECOND);
        call.press("6").hears("vm-last").hears("CONTROL STREAM FILE").hears_tone(TONES[0], SECOND);
        call.press("4").hears("vm-Urgent").hears("CONTROL STREAM FILE").hears_tone(TONES[1], SECOND);
        leave(call);
    }

    fn key_7_deletes_and_undeletes_and_both_hold_on_leaving() {
        let voice = stage().voice("2104");
        let mut call = visit("2104", &voice);
        call.press("1").hears("CONTROL STREAM FILE").press("7").hears("vm-deleted").hears("vm-undelete");
        call.press("6").hears("CONTROL STREAM FILE").press("7").hears("vm-deleted").hears("vm-undelete");
        assert_eq!(stage().contents("2104").len(), 3, "nothing is deleted before the owner leaves");
        call.press("7").hears("vm-undeleted").hears("vm-delete");
        leave(call);
        stage().wait_contents("2104", &["Old|0", "INBOX|0"]);
    }

    fn what_was_done_holds_though_the_owner_hangs_up() {
        let voice = stage().voice("2105");
        let mut call = visit("2105", &voice);
        call.press("1").hears("CONTROL STREAM FILE").press("7").hears("vm-deleted");
        call.press("6").hears("CONTROL STREAM FILE");
        call.hangs_up();
        stage().wait_contents("2105", &["Old|0", "INBOX|0"]);
    }

    fn while_playing_hash_star_0_and_2_go_forward_back_pause_and_begin_anew() {
        let voice = stage().voice("2302");
        stage().node.agent.plan().sql(&message("2302", "INBOX", false, 0, &wav(TONES[3], 12), ""));
        let mut call = visit("2302", &voice);
        let began = std::time::Instant::now();
        call.press("1").hears("CONTROL STREAM FILE").hears_tone(TONES[3], SECOND);
        // Three times three seconds forward: 12 s are over after three.
        call.press("#").hears_tone(TONES[3], SECOND / 2).press("#").hears_tone(TONES[3], SECOND / 2).press("#");
        call.hears("vm-repeat");
        assert!(voice.heard_tone(TONES[3]) < Duration::from_secs(6), "{:?}", voice.heard_tone(TONES[3]));
        assert!(began.elapsed() < Duration::from_secs(20));
        // Back: more is heard than there is.
        let before = voice.heard_tone(TONES[3]);
        call.press("5").hears("CONTROL STREAM FILE").hears_tone(TONES[3], Duration::from_secs(4)).press("*").hears_tone(TONES[3], SECOND);
        call.press("*").hears("vm-repeat");
        let heard = voice.heard_tone(TONES[3]) - before;
        assert!(heard > Duration::from_millis(13_500), "{heard:?}");
        // A pause is silent until the next key.
        call.press("5").hears("CONTROL STREAM FILE").hears_tone(TONES[3], SECOND).press("0").waits(SECOND);
        let paused = voice.heard_tone(TONES[3]);
        call.waits(SECOND * 2);
        assert!(voice.heard_tone(TONES[3]) - paused < SECOND / 2, "it plays on");
        call.press("0").hears_tone(TONES[3], SECOND);
        call.press("2").hears("CONTROL STREAM FILE").hears_tone(TONES[3], Duration::from_secs(10));
        leave(call);
    }

    fn key_2_changes_the_folder() {
        let voice = stage().voice("2203");
        let mut call = visit("2203", &voice);
        call.press("2").hears("vm-changeto").hears("vm-press").hears("SAY NUMBER \"0\"").hears("vm-for").hears("vm-INBOX");
        call.press("1").hears("vm-Old").hears("vm-messages").hears("vm-onefor").hears("vm-Old");
        call.press("1").hears("vm-first").hears("CONTROL STREAM FILE").hears_tone(TONES[2], SECOND).hears("vm-repeat");
        call.press("2").hears("vm-changeto").press("#").hears("vm-repeat");
        call.press("2").hears("vm-changeto").press("5").hears("vm-Cust1").hears("vm-opts");
        call.press("1").hears("vm-nomore");
        leave(call);
    }

    fn a_mailbox_with_old_messages_only_begins_there() {
        stage().node.agent.plan().sql(&messages("2303", "Old", &TONES[..1]));
        let voice = stage().voice("2303");
        let mut call = stage().call("2303", &voice, "*97");
        call.hears("vm-youhave").hears("vm-Old").hears("vm-message\"").hears("vm-onefor").hears("vm-Old");
        call.press("1").hears("CONTROL STREAM FILE").hears_tone(TONES[0], SECOND);
        leave(call);
    }

    fn key_9_saves_to_a_folder() {
        let voice = stage().voice("2106");
        let mut call = visit("2106", &voice);
        call.press("1").hears("CONTROL STREAM FILE").press("9").hears("vm-savefolder").hears("SAY NUMBER \"1\"").hears("vm-Old");
        // 0 would be the new messages.
        call.press("0").hears("vm-sorry").hears("vm-press");
        call.press("3").hears("vm-message").hears("SAY NUMBER \"1\"").hears("vm-savedto").hears("vm-Family").hears("vm-messages");
        leave(call);
        stage().wait_contents("2106", &["Family|0", "INBOX|0", "INBOX|0"]);
    }

    fn key_star_helps_and_wrong_keys_and_silence_end_well() {
        let voice = stage().voice("2107");
        let mut call = visit("2107", &voice);
        call.press("*").hears("vm-onefor").hears("vm-opts").hears("vm-helpexit");
        // Nothing is pressed, three times.
        call.hears("vm-helpexit").hears("vm-helpexit").hears("vm-goodbye");
        assert_eq!(call.ends().status(), 200);
    }

    fn key_3_3_tells_the_envelope() {
        let voice = stage().voice("2108");
        let mut call = visit("2108", &voice);
        call.press("1").hears("CONTROL STREAM FILE").press("3").hears("vm-toreply").hears("vm-tohearenv").hears("vm-leavemsg").hears("vm-starmain");
        call.press("3").hears("vm-received").hears("SAY DATETIME \"1793556000\"").hears("vm-from-phonenumber");
        call.hears("SAY DIGITS \"12145550123\"").hears("vm-duration").hears("vm-minutes").hears("vm-repeat");
        let ordered = call.ordered().join("\n");
        assert!(ordered.contains("America/Chicago"), "in the owner's time zone: {ordered}");
        leave(call);
    }

    fn key_3_star_goes_back() {
        let voice = stage().voice("2109");
        let mut call = visit("2109", &voice);
        // Before a message was chosen there is none to reply to.
        call.press("3").hears("vm-leavemsg").press("1").hears("vm-sorry").hears("vm-starmain").press("*").hears("vm-onefor");
        leave(call);
    }

    fn key_3_1_replies_to_the_mailbox_of_the_caller() {
        // One from line 2304, one from a stranger.
        let sql = message("2110", "INBOX", false, 9, &wav(TONES[4], 2), "2304").replace("'1.1'", "'1.2'");
        stage().node.agent.plan().sql(&sql);
        stage().node.agent.plan().sql("UPDATE mailbox_messages SET line_id = '2304' WHERE uniqueid = '1.2' AND mailbox_id = '2110'");
        let voice = stage().voice("2110");
        let mut call = visit("2110", &voice);
        call.press("1").hears("CONTROL STREAM FILE").press("3").hears("vm-toreply").press("1").hears("vm-nobox");
        for _ in 0..3 {
            call.press("6").hears("CONTROL STREAM FILE");
        }
        call.press("3").hears("vm-toreply").press("1").hears("vm-intro").hears("RECORD FILE").says(TONES[0], SECOND * 3).waits(SECOND * 4);
        call.press("#").hears("vm-review").press("1").hears("vm-msgforwarded");
        leave(call);
        stage().wait_contents("2304", &["INBOX|0"]);
        let length = stage().lengths("2304")[0];
        assert!(length > SECOND * 2 && length < SECOND * 7, "{length:?}");
        let from = stage().rows("SELECT caller_number, caller_name FROM mailbox_messages WHERE mailbox_id = '2304'");
        assert_eq!(from, [format!("2110|{}", name("2110"))]);
    }

    fn key_3_2_calls_back_and_key_3_4_dials_out_with_the_permissions_of_a_line() {
        let voice = stage().voice("2111");
        // Not allowed yet.
        let mut call = visit("2111", &voice);
        call.press("1").hears("CONTROL STREAM FILE").press("3").hears("vm-toreply").press("2").hears("vm-sorry").hears("vm-toreply");
        call.press("4").hears("vm-sorry");
        call.hangs_up();
        let allow = "UPDATE mailboxes SET line_id = '2111', call_back = TRUE, dial_out = TRUE WHERE id = '2111';
                     UPDATE mailbox_messages SET caller_number = '2305' WHERE mailbox_id = '2111';";
        stage().node.agent.plan().sql(allow);
        let mut call = visit("2111", &voice);
        call.press("1").hears("CONTROL STREAM FILE").press("3").hears("vm-toreply").hears("vm-tocallback").hears("vm-tomakecall");
        call.press("2").hears("vm-num-i-have").hears("SAY DIGITS \"2305\"").hears("vm-tocallnum").hears("vm-calldiffnum").hears("vm-star-cancel");
        call.press("*").hears("vm-repeat").press("3").hears("vm-tocallback").press("2").hears("vm-num-i-have");
        // Line 2305 is busy, and its mailbox answers.
        call.press("1").hears("TANDEM_ROUTE_1_NAME=2305").hears("vm-theperson").hears("SAY DIGITS \"2305\"");
        call.hangs_up();
        let mut call = visit("2111", &voice);
        call.press("3").hears("vm-tomakecall").press("4").hears("vm-enter-num-to-call").press("2306#").hears("TANDEM_ROUTE_1_NAME=2306");
        call.hears("SAY DIGITS \"2306\"");
        call.hangs_up();
        // What the line may not call, its owner may not from the mailbox.
        stage().node.agent.plan().sql("INSERT INTO line_permissions (line_id, class_name, allowed) VALUES ('2111', 'national', FALSE)");
        let mut call = visit("2111", &voice);
        call.press("3").hears("vm-tomakecall").press("4").hears("vm-enter-num-to-call").press("12125550100#").hears("TANDEM_ACTION=reject");
        call.hangs_up();
    }

    fn key_3_5_sends_a_message_to_several() {
        let voice = stage().voice("2112");
        let mut call = visit("2112", &voice);
        call.press("3").hears("vm-leavemsg").press("5").hears("vm-forward").press("1").hears("vm-extension");
        // One of them does not exist: nobody gets it before the owner knows.
        call.press("2307*9999#").hears("pbx-invalid").hears("vm-forward").press("1").hears("vm-extension").press("2307*2308#");
        call.hears("RECORD FILE").says(TONES[0], SECOND * 2).waits(SECOND * 3).press("#").hears("vm-review-nonurgent");
        call.press("4").hears("vm-marked-urgent").hears("vm-review-urgent").press("1").hears("vm-msgforwarded");
        leave(call);
        stage().wait_contents("2307", &["INBOX|1"]);
        stage().wait_contents("2308", &["INBOX|1"]);
    }

    fn key_8_forwards_by_number() {
        let voice = stage().voice("2113");
        let mut call = visit("2113", &voice);
        call.press("1").hears("CONTROL STREAM FILE").press("8").hears("vm-forward").press("1").hears("vm-extension").press("2309#");
        call.hears("vm-forwardoptions").press("2").hears("vm-msgforwarded");
        leave(call);
        stage().wait_contents("2309", &["INBOX|0"]);
        let row = stage().rows("SELECT caller_number, forwarded_by FROM mailbox_messages WHERE mailbox_id = '2309'");
        assert_eq!(row, ["12145550123|2113"], "it is still from the one who left it");
        let voice = stage().voice("2309");
        let mut call = visit("2309", &voice);
        call.press("1").hears("CONTROL STREAM FILE").hears_tone(TONES[0], Duration::from_millis(1500));
        leave(call);
    }

    fn key_8_forwards_by_name() {
        stage().node.agent.plan().sql("UPDATE mailboxes SET name = 'Zelda Quixote' WHERE id = '2310'");
        let voice = stage().voice("2114");
        let mut call = visit("2114", &voice);
        call.press("1").hears("CONTROL STREAM FILE").press("8").hears("vm-forward").press("2").hears("dir-pls-enter");
        // Nobody is called so.
        call.press("999").hears("dir-nomatch").hears("dir-pls-enter");
        // 9 is Z and Q is on 7.
        call.press("935").hears("dir-instr").press("1").hears("vm-forwardoptions").press("2").hears("vm-msgforwarded");
        leave(call);
        stage().wait_contents("2310", &["INBOX|0"]);
    }

    fn key_8_forwards_with_a_comment_in_front() {
        let voice = stage().voice("2115");
        let mut call = visit("2115", &voice);
        call.press("1").hears("CONTROL STREAM FILE").press("8").hears("vm-forward").press("1").hears("vm-extension").press("2311#");
        call.hears("vm-forwardoptions").press("1").hears("vm-record-prepend").hears("RECORD FILE").says(TONES[4], SECOND * 2).waits(SECOND * 3);
        call.press("#").hears("vm-review").press("1").hears("vm-msgforwarded");
        leave(call);
        stage().wait_contents("2311", &["INBOX|0"]);
        let length = stage().lengths("2311")[0];
        assert!(length > Duration::from_millis(3500) && length < SECOND * 8, "{length:?}");
        let voice = stage().voice("2311");
        let mut call = visit("2311", &voice);
        call.press("1").hears("CONTROL STREAM FILE").hears_tone(TONES[4], SECOND).hears_tone(TONES[0], SECOND);
        leave(call);
    }

    fn forwarding_can_be_called_off() {
        let voice = stage().voice("2116");
        let mut call = visit("2116", &voice);
        call.press("1").hears("CONTROL STREAM FILE").press("8").hears("vm-forward").press("*").hears("vm-repeat");
        call.press("8").hears("vm-forward").press("1").hears("vm-extension").press("2312#").hears("vm-forwardoptions").press("*").hears("vm-repeat");
        leave(call);
        assert_eq!(stage().contents("2312"), Vec::<String>::new());
    }

    fn key_0_1_records_the_unavailable_greeting_and_2_to_3_the_others() {
        let voice = stage().voice("2313");
        let mut call = visit("2313", &voice);
        call.press("0").hears("vm-options").press("1");
        records(&mut call, "vm-rec-unv", TONES[0]);
        call.hears("vm-options").press("2");
        records(&mut call, "vm-rec-busy", TONES[1]);
        call.hears("vm-options").press("3");
        // Listened to, and recorded again before it is saved.
        call.hears("vm-rec-name").hears("RECORD FILE").says(TONES[4], SECOND).waits(SECOND * 2).press("#").hears("vm-review");
        call.press("2").hears("STREAM FILE").hears_tone(TONES[4], SECOND / 2).hears("vm-review").press("3");
        records(&mut call, "vm-rec-name", TONES[2]);
        call.hears("vm-options").press("*").hears("vm-opts");
        leave(call);
        let kinds = || stage().rows("SELECT kind FROM mailbox_greetings WHERE mailbox_id = '2313' ORDER BY kind");
        lab::wait_until("three greetings", mailbox_stage::SOON, || kinds() == ["busy", "name", "unavailable"]);
        // The phone of 2313 is busy.
        let caller = stage().voice("2318");
        let mut call = stage().call("2318", &caller, "2313");
        call.hears("STREAM FILE").hears_tone(TONES[1], SECOND);
        call.hangs_up();
        // Without that greeting, the name is told.
        stage().node.agent.plan().sql("DELETE FROM mailbox_greetings WHERE mailbox_id = '2313' AND kind <> 'name'");
        let mut call = stage().call("2318", &caller, "2313");
        call.hears("STREAM FILE").hears_tone(TONES[2], SECOND).hears("vm-isonphone").hears("vm-intro");
        call.hangs_up();
    }

    fn key_0_4_records_and_erases_the_temporary_greeting() {
        let voice = stage().voice("2314");
        let mut call = visit("2314", &voice);
        call.press("0").hears("vm-options").press("4");
        records(&mut call, "vm-rec-temp", TONES[0]);
        call.hears("vm-options").press("*").hears("vm-opts");
        leave(call);
        let there = || stage().rows("SELECT kind FROM mailbox_greetings WHERE mailbox_id = '2314'");
        lab::wait_until("the greeting", mailbox_stage::SOON, || there() == ["temporary"]);
        let mut call = stage().call("2314", &voice, "2314");
        call.hears("STREAM FILE").hears_tone(TONES[0], SECOND);
        call.hangs_up();
        let mut call = stage().call("2314", &voice, "*97");
        call.hears("vm-tempgreetactive").hears("vm-youhave").hears("vm-opts");
        call.press("0").hears("vm-options").press("4").hears("vm-tempgreeting2").press("2").hears("vm-tempremoved").hears("vm-options");
        call.press("*").hears("vm-opts");
        leave(call);
        assert_eq!(there(), Vec::<String>::new());
        assert_eq!(stage().rows("SELECT COUNT(*) FROM mailbox_audio a WHERE NOT EXISTS (SELECT 1 FROM mailbox_messages m WHERE m.id = a.id)
            AND NOT EXISTS (SELECT 1 FROM mailbox_greetings g WHERE g.audio_id = a.id)"), ["0"]);
    }

    fn key_0_5_changes_the_password() {
        stage().node.agent.plan().sql("UPDATE mailboxes SET login_from_line = FALSE WHERE id = '2315'");
        let voice = stage().voice("2315");
        let mut call = stage().call("2315", &voice, "*97");
        call.hears("vm-password").press("2580#").hears("vm-youhave").hears("vm-opts").press("0").hears("vm-options").press("5");
        // Too short, trivial, mistyped; then well.
        call.hears("vm-newpassword").press("73#").hears("vm-invalid-password").hears("vm-newpassword").press("1234#").hears("vm-invalid-password");
        call.hears("vm-newpassword").press("7351#").hears("vm-reenterpassword").press("7350#").hears("vm-mismatch").hears("vm-options");
        call.press("5").hears("vm-newpassword").press("7351#").hears("vm-reenterpassword").press("7351#").hears("vm-passchanged").hears("vm-options");
        call.press("*").hears("vm-opts");
        leave(call);
        let mut call = stage().call("2315", &voice, "*97");
        call.hears("vm-password").press("2580#").hears("vm-incorrect").hears("vm-password").press("7351#").hears("vm-youhave").hears("vm-opts");
        leave(call);
    }

    fn an_owners_hangup_discards_a_greeting() {
        let voice = stage().voice("2316");
        let mut call = visit("2316", &voice);
        call.press("0").hears("vm-options").press("1").hears("vm-rec-unv").hears("RECORD FILE").says(TONES[0], SECOND * 2).waits(SECOND * 3);
        call.hangs_up();
        let mut call = visit("2316", &voice);
        call.press("0").hears("vm-options").press("1").hears("RECORD FILE").says(TONES[0], SECOND * 2).waits(SECOND * 3).press("#").hears("vm-review");
        call.hangs_up();
        std::thread::sleep(SECOND * 2);
        assert_eq!(stage().rows("SELECT kind FROM mailbox_greetings WHERE mailbox_id = '2316'"), Vec::<String>::new());
    }

    fn a_first_login_is_led_through_password_name_and_greetings() {
        stage().node.agent.plan().sql("UPDATE mailboxes SET set_up = FALSE, login_from_line = FALSE WHERE id = '2317'");
        let voice = stage().voice("2317");
        let mut call = stage().call("2317", &voice, "*98");
        call.hears("vm-login").press("2317#").hears("vm-password").press("2580#").hears("vm-newuser");
        call.hears("vm-newpassword").press("7351#").hears("vm-reenterpassword").press("7351#").hears("vm-passchanged");
        records(&mut call, "vm-rec-name", TONES[0]);
        records(&mut call, "vm-rec-unv", TONES[1]);
        records(&mut call, "vm-rec-busy", TONES[2]);
        call.hears("vm-youhave").hears("vm-opts");
        leave(call);
        assert_eq!(stage().rows("SELECT set_up FROM mailboxes WHERE id = '2317'"), ["1"]);
        let kinds = || stage().rows("SELECT kind FROM mailbox_greetings WHERE mailbox_id = '2317' ORDER BY kind");
        lab::wait_until("three greetings", mailbox_stage::SOON, || kinds() == ["busy", "name", "unavailable"]);
    }
}
