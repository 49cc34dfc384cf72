//! Leaving messages in real calls: every key of the greeting, the recording and the review, and what is kept; and a message that is left on one node
//! and heard on another.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;

use std::time::Duration;

use lab::{Agent, Conversation, Manner, MariaDb, Voice, wait_until};
use mailbox_stage::{SECOND, SOON, Stage, Stages, TONES, account, bare, builder, messages, wav};

const LINES: [&str; 25] = [
    "3100", "3101", "3102", "3103", "3104", "3105", "3106", "3107", "3108", "3109", "3110", "3111", "3112", "3113",
    "3114", "3115", "3116", "3117", "3118", "3119", "3120", "3121", "3122", "3123", "3124",
];

/// 3101 to 3116 are called; each test calls from a line of its own, 3100 or 3117 to 3124.
fn stage() -> &'static Stage {
    static STAGES: Stages<Stage> = Stages::new();
    STAGES.get(|transport| {
        let operator = "INSERT INTO extensions (account_id, extension, line_id) VALUES ('voice', '0000', '3123');
            UPDATE mailboxes SET operator = '0000' WHERE id IN ('3102', '3106');
            UPDATE mailboxes SET review = FALSE WHERE id = '3104';
            UPDATE mailboxes SET max_messages = 1 WHERE id = '3107';
            UPDATE mailboxes SET min_seconds = 3 WHERE id = '3108';
            UPDATE mailboxes SET silence_seconds = 2 WHERE id = '3109';
            UPDATE mailboxes SET max_seconds = 3 WHERE id = '3110';
            UPDATE mailboxes SET gain_db = 12 WHERE id = '3112';
            INSERT INTO mailbox_rules (account_id, max_messages, mail_body, pager_body) VALUES ('small', 1, '', '');
            UPDATE mailboxes SET account_id = 'small' WHERE id = '3123';
            INSERT INTO extensions (account_id, extension, mailbox_id) VALUES ('voice', '3199', '3111');
            INSERT INTO ring_groups (id, account_id, name, strategy, ring_seconds, mailbox_id) VALUES ('team', 'voice', 'Team', 'in_order', 5, '3113');
            INSERT INTO ring_group_members (ring_group_id, position, line_id) VALUES ('team', 1, '3101'), ('team', 2, '3102');
            INSERT INTO extensions (account_id, extension, ring_group_id) VALUES ('voice', '3198', 'team');
            UPDATE phone_lines SET privacy = TRUE WHERE id = '3122';
            INSERT INTO line_features (line_id, do_not_disturb) VALUES ('3124', TRUE);
            INSERT INTO numbers (number, account_id, line_id) VALUES ('12145553114', 'voice', '3114');
            INSERT INTO gateways (id, name, status, endpoint, number_format, country, created_at)
                VALUES ('gw-v', 'Carrier', 'active', 'gw-v', 'e164', 'US', '2026-01-01 00:00:00');";
        let builder = builder(&LINES).gateway("gw-v", Manner::Answers);
        let small = "INSERT INTO accounts (id, name, status, currency, time_zone, created_at) \
                     VALUES ('small', 'Small', 'active', 'USD', 'UTC', '2026-01-01 00:00:00')";
        let full = ["3107", "3123"].map(|mailbox| messages(mailbox, "INBOX", &TONES[..1])).concat();
        Stage::by(transport, builder.sql(small).sql(operator).sql(&full))
    })
}

/// Line `from` reaches the mailbox of `to`, and is told that nobody takes the call.
fn reach<'a>(from: &str, voice: &'a Voice, to: &str) -> Conversation<'a> {
    let mut call = stage().call(from, voice, to);
    call.hears("vm-theperson").hears("SAY DIGITS").hears("vm-isonphone").hears("vm-intro").hears("RECORD FILE");
    call
}

/// Speaks for so long.
fn speaks(call: &mut Conversation<'_>, time: Duration) {
    call.says(TONES[0], time).waits(time + SECOND);
}

conversations! {
    fn a_message_is_left_reviewed_and_saved_and_heard() {
        let voice = stage().voice("3100");
        let mut call = reach("3100", &voice, "3101");
        speaks(&mut call, SECOND * 3);
        call.press("#").hears("vm-review").hears("vm-review-nonurgent").press("2").hears("STREAM FILE").hears_tone(TONES[0], SECOND * 2);
        call.hears("vm-review").press("5").hears("vm-sorry").hears("vm-review").press("1").hears("vm-msgsaved").hears("vm-goodbye");
        assert_eq!(call.ends().status(), 200);
        stage().wait_contents("3101", &["INBOX|0"]);
        let from = stage().rows("SELECT caller_number, caller_name, line_id, node <> '' FROM mailbox_messages WHERE mailbox_id = '3101'");
        assert_eq!(from, ["3100|Line 3100|3100|1"]);
        let length = stage().lengths("3101")[0];
        assert!(length > SECOND * 3 && length < SECOND * 7, "{length:?}");
        // As GSM it has a tenth.
        assert_eq!(stage().rows("SELECT format, bytes * 1000 / duration_ms < 2000 FROM mailbox_messages WHERE mailbox_id = '3101'"), ["wav49|1"]);
        let voice = stage().voice("3101");
        let mut call = stage().call("3101", &voice, "*97");
        call.hears("vm-opts").press("1").hears("CONTROL STREAM FILE").hears_tone(TONES[0], Duration::from_millis(2500));
        call.hears("vm-repeat").press("#").hears("vm-goodbye");
        assert_eq!(call.ends().status(), 200);
        assert!(voice.heard_tone(TONES[0]) < Duration::from_millis(3300), "{:?}", voice.heard_tone(TONES[0]));
    }

    fn key_hash_skips_the_greeting_and_0_asks_for_the_operator() {
        let voice = stage().voice("3117");
        let mut call = stage().call("3117", &voice, "3102");
        call.hears("vm-theperson").press("#").hears("RECORD FILE").press("0");
        // Nothing was said: there is nothing to keep.
        call.hears("TANDEM_VOICEMAIL=USEREXIT").hears("TANDEM_ROUTE_1_NAME=3123");
        call.hangs_up();
        let mut call = stage().call("3117", &voice, "3102");
        call.hears("vm-theperson").press("0").hears("TANDEM_CALL_KIND=mailbox").hears("TANDEM_ROUTE_1_NAME=3123");
        // The operator is busy, and has a mailbox, too.
        call.hears("SAY DIGITS \"3123\"");
        call.hangs_up();
        assert_eq!(stage().contents("3102"), Vec::<String>::new());
    }

    fn key_star_leads_to_the_login_of_the_mailbox() {
        let voice = stage().voice("3118");
        let mut call = stage().call("3118", &voice, "3103");
        call.hears("vm-theperson").press("*").hears("vm-password").press("2580#").hears("vm-youhave").hears("vm-opts").press("#");
        call.hears("vm-goodbye");
        assert_eq!(call.ends().status(), 200);
    }

    fn without_review_hash_ends_and_keeps() {
        let voice = stage().voice("3119");
        let mut call = reach("3119", &voice, "3104");
        speaks(&mut call, SECOND * 2);
        call.press("#").hears("vm-msgsaved").hears("vm-goodbye");
        assert_eq!(call.ends().status(), 200);
        stage().wait_contents("3104", &["INBOX|0"]);
    }

    fn key_3_records_again_and_key_4_is_urgent() {
        let voice = stage().voice("3120");
        let mut call = reach("3120", &voice, "3105");
        speaks(&mut call, SECOND * 5);
        call.press("#").hears("vm-review").press("4").hears("vm-marked-urgent").hears("vm-review-urgent").press("4").hears("vm-marked-nonurgent");
        call.hears("vm-review").press("4").hears("vm-marked-urgent").hears("vm-review").press("3").hears("vm-intro").hears("RECORD FILE");
        speaks(&mut call, SECOND);
        call.press("#").hears("vm-review").press("1").hears("vm-msgsaved");
        assert_eq!(call.ends().status(), 200);
        stage().wait_contents("3105", &["INBOX|1"]);
        assert!(stage().lengths("3105")[0] < SECOND * 5, "the second recording is kept");
    }

    fn the_operator_may_be_asked_for_after_recording_with_or_without_keeping() {
        let voice = stage().voice("3121");
        let mut call = reach("3121", &voice, "3106");
        speaks(&mut call, SECOND * 2);
        call.press("0").hears("vm-saveoper").press("1").hears("vm-msgsaved").hears("TANDEM_ROUTE_1_NAME=3123");
        call.hangs_up();
        stage().wait_contents("3106", &["INBOX|0"]);
        let mut call = reach("3121", &voice, "3106");
        speaks(&mut call, SECOND * 2);
        call.press("#").hears("vm-reachoper").press("0").hears("vm-saveoper").press("2").hears("vm-deleted").hears("TANDEM_ROUTE_1_NAME=3123");
        call.hangs_up();
        std::thread::sleep(SECOND * 2);
        stage().wait_contents("3106", &["INBOX|0"]);
    }

    fn a_full_mailbox_says_so() {
        let voice = stage().voice("3107");
        let mut call = stage().call("3107", &voice, "3107");
        call.hears("vm-isonphone").hears("vm-mailboxfull").hears("TANDEM_VOICEMAIL=FAILED").hears("vm-goodbye");
        assert_eq!(call.ends().status(), 200);
        stage().wait_contents("3107", &["INBOX|0"]);
        // Nor is there room when only the account's messages are as many as it may have.
        let mut call = stage().call("3107", &voice, "3123");
        call.hears("vm-mailboxfull").hears("TANDEM_VOICEMAIL=FAILED").hears("vm-goodbye");
        assert_eq!(call.ends().status(), 200);
        stage().wait_contents("3123", &["INBOX|0"]);
    }

    fn what_is_too_short_is_not_kept() {
        let voice = stage().voice("3108");
        let mut call = reach("3108", &voice, "3108");
        speaks(&mut call, SECOND);
        call.press("#").hears("vm-tooshort").hears("vm-torerecord");
        call.hangs_up();
        // Nor when the caller hangs up while speaking.
        let mut call = reach("3108", &voice, "3108");
        call.says(TONES[0], SECOND).waits(SECOND * 2);
        call.hangs_up();
        std::thread::sleep(SECOND * 2);
        assert_eq!(stage().contents("3108"), Vec::<String>::new());
    }

    fn silence_ends_a_message_and_silence_alone_is_none() {
        let voice = stage().voice("3109");
        let mut call = reach("3109", &voice, "3109");
        speaks(&mut call, SECOND * 2);
        // Nobody presses a key: the caller may still listen and save.
        call.hears("vm-review").press("1").hears("vm-msgsaved");
        assert_eq!(call.ends().status(), 200);
        let mut call = reach("3109", &voice, "3109");
        call.hears("vm-tooshort").hears("vm-torerecord");
        call.hangs_up();
        stage().wait_contents("3109", &["INBOX|0"]);
        let length = stage().lengths("3109")[0];
        assert!(length < SECOND * 4, "the silence at the end is cut off: {length:?}");
    }

    fn the_longest_message_is_cut_and_kept() {
        let voice = stage().voice("3110");
        let mut call = reach("3110", &voice, "3110");
        call.says(TONES[0], SECOND * 6).hears("vm-review");
        // Three questions without an answer: it is kept.
        call.hears("vm-msgsaved").hears("vm-goodbye");
        assert_eq!(call.ends().status(), 200);
        stage().wait_contents("3110", &["INBOX|0"]);
        let length = stage().lengths("3110")[0];
        assert!(length > Duration::from_millis(2500) && length < Duration::from_millis(3500), "{length:?}");
    }

    fn an_extension_may_lead_to_a_mailbox_at_once() {
        let voice = stage().voice("3111");
        let mut call = stage().call("3111", &voice, "3199");
        call.hears("TANDEM_ACTION=voicemail").hears("vm-theperson").hears("SAY DIGITS \"3111\"").hears("vm-isunavail").hears("RECORD FILE");
        speaks(&mut call, SECOND * 2);
        call.hangs_up();
        stage().wait_contents("3111", &["INBOX|0"]);
        // What a phone claims to be is not believed.
        assert_eq!(stage().rows("SELECT caller_number, caller_name FROM mailbox_messages WHERE mailbox_id = '3111'"), ["3111|Line 3111"]);
    }

    fn who_is_not_to_be_disturbed_is_on_the_phone() {
        let voice = stage().voice("3124");
        let mut call = reach("3124", &voice, "3124");
        speaks(&mut call, SECOND * 2);
        call.hangs_up();
        stage().wait_contents("3124", &["INBOX|0"]);
    }

    fn messages_are_made_louder_where_that_is_wanted() {
        let voice = stage().voice("3112");
        let mut call = reach("3112", &voice, "3112");
        speaks(&mut call, SECOND * 2);
        call.hangs_up();
        stage().wait_contents("3112", &["INBOX|0"]);
        let mut call = stage().call("3112", &voice, "*97");
        call.hears("vm-opts").press("1").hears("CONTROL STREAM FILE").hears_tone(TONES[0], SECOND);
        assert!(voice.heard_peak() > 20_000.0, "a tone of 8000 is four times as loud: {}", voice.heard_peak());
        call.hangs_up();
    }

    fn a_ring_group_has_a_mailbox_of_its_own() {
        let voice = stage().voice("3113");
        let mut call = stage().call("3113", &voice, "3198");
        call.hears("TANDEM_MAILBOX=3113").hears("SAY DIGITS \"3113\"").hears("RECORD FILE");
        speaks(&mut call, SECOND * 2);
        call.hangs_up();
        stage().wait_contents("3113", &["INBOX|0"]);
    }

    fn an_outside_caller_leaves_a_message_with_number_and_name() {
        let phone = stage().node.peer("gw-v");
        let voice = phone.voice();
        let hostile = "\\\"; DROP TABLE mailboxes; --";
        let call = phone.call(stage().node.asterisk.address(), "12145553114").claims("12125550199", hostile);
        let mut call = Conversation::of(&stage().transcript, call, &voice, "gw-v");
        call.hears("vm-intro").press("#").hears("RECORD FILE");
        speaks(&mut call, SECOND * 2);
        call.hangs_up();
        stage().wait_contents("3114", &["INBOX|0"]);
        let from = stage().rows("SELECT caller_number, caller_name, line_id FROM mailbox_messages WHERE mailbox_id = '3114'");
        assert_eq!(from, ["12125550199|\\\"; DROP TABLE mailboxes; --|"]);
        assert_eq!(stage().rows("SELECT COUNT(*) > 0 FROM mailboxes"), ["1"]);
    }

    fn who_withholds_the_number_does_so_in_a_mailbox_too() {
        // Within an account everybody sees who calls: from another account.
        stage().node.agent.plan().sql(
            "INSERT INTO accounts (id, name, status, currency, time_zone, created_at)
                VALUES ('others', 'Others', 'active', 'USD', 'UTC', '2026-01-01 00:00:00');
             UPDATE phone_lines SET account_id = 'others' WHERE id = '3122';
             INSERT INTO numbers (number, account_id, line_id) VALUES ('12145553115', 'voice', '3115');",
        );
        let voice = stage().voice("3122");
        let mut call = stage().call("3122", &voice, "12145553115");
        call.hears("TANDEM_PRIVACY=1").hears("RECORD FILE");
        speaks(&mut call, SECOND * 2);
        call.hangs_up();
        stage().wait_contents("3115", &["INBOX|0"]);
        assert_eq!(stage().rows("SELECT caller_number, caller_name FROM mailbox_messages WHERE mailbox_id = '3115'"), ["|"]);
    }

    fn a_hostile_greeting_is_passed_over() {
        let id = "01890000-0000-7000-8000-00000000000";
        let greeting = |nth: usize, kind: &str, audio: &str| {
            format!(
                "INSERT INTO mailbox_audio (id, part, audio) VALUES ('{id}{nth}', 0, {audio});
                 INSERT INTO mailbox_greetings (mailbox_id, kind, audio_id, place, format, bytes, duration_ms, recorded_at)
                    VALUES ('3116', '{kind}', '{id}{nth}', 'database', 'wav', 4, 1, '2026-01-01 00:00:00.000');"
            )
        };
        // Empty; not audio; not there at all.
        let hour: Vec<u8> = wav(500, 1).into_iter().take(44).collect();
        let hex: String = hour.iter().map(|byte| format!("{byte:02X}")).collect();
        stage().node.agent.plan().sql(&greeting(1, "temporary", "X''"));
        stage().node.agent.plan().sql(&greeting(2, "busy", "X'4D5A9000'"));
        stage().node.agent.plan().sql(&greeting(3, "name", &format!("X'{hex}'")));
        stage().node.agent.plan().sql(&format!("DELETE FROM mailbox_audio WHERE id = '{id}3'"));
        let voice = stage().voice("3116");
        let mut call = stage().call("3116", &voice, "3116");
        call.hears("vm-theperson").hears("SAY DIGITS \"3116\"").hears("vm-isonphone").hears("RECORD FILE");
        speaks(&mut call, SECOND * 2);
        call.hangs_up();
        stage().wait_contents("3116", &["INBOX|0"]);
    }
}

#[test]
fn left_on_one_node_and_heard_on_another() {
    let server = MariaDb::start();
    let url = server.url();
    Agent::builder().set("database.urls", &url).tandem_ok(&["migrate"]);
    server.sql(&format!("USE tandem; {}", account(&["3201", "3202"])));
    let node = |name: &str| {
        let builder = bare(&["3201", "3202"]).set("database.urls", &url).set("node.name", name);
        Stage::start(builder)
    };
    let (first, second) = (node("first"), node("second"));
    let voice = first.voice("3201");
    let mut call = first.call("3201", &voice, "3202");
    call.hears("RECORD FILE").says(TONES[2], SECOND * 4).waits(SECOND * 5);
    call.hangs_up();
    let count = || server.sql("SELECT COUNT(*) FROM tandem.mailbox_messages").trim().to_owned();
    wait_until("the message", SOON, || count().ends_with('1'));
    // Its segment goes after the commit.
    wait_until("nothing left on the node", SOON, || first.left_behind().is_empty());

    let voice = second.voice("3202");
    let mut call = second.call("3202", &voice, "*97");
    call.hears("vm-youhave")
        .hears("SAY NUMBER \"1\"")
        .hears("vm-INBOX")
        .hears("vm-opts")
        .press("1")
        .hears("CONTROL STREAM FILE");
    call.hears("vm-repeat").press("#").hears("vm-goodbye");
    assert_eq!(call.ends().status(), 200);
    // What was said is what was heard: as long, as loud, and nothing else.
    let heard = voice.heard_tone(TONES[2]);
    assert!(heard > Duration::from_millis(3700) && heard < Duration::from_millis(4200), "{heard:?}");
    let loud = voice.heard_level(TONES[2]);
    assert!((4500.0..7000.0).contains(&loud), "8000 / sqrt(2) is 5657: {loud}");
    for other in [TONES[0], TONES[4]] {
        assert_eq!(voice.heard_tone(other), Duration::ZERO);
    }
    let folder = || server.sql("SELECT folder FROM tandem.mailbox_messages");
    wait_until("it is old", SOON, || folder().contains("Old"));
}
