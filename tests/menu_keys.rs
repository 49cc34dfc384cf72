//! Menus on real calls: every action, way of keying in and end, with keys in RTP. One node serves all of these tests; each has a line of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;
mod menu_stage;

use lab::{Conversation, Manner, Voice, wait_until};
use mailbox_stage::{SECOND, SOON, Stage, Stages, TONES, wav};
use menu_stage::{CALLED, ENTRANCES, LOOP, MENUS, surroundings};

const LINES: [&str; 35] = [
    "3101", "3102", "3103", "3104", "3105", "3106", "3107", "3108", "3109", "3110", "3111", "3112", "3113", "3114",
    "3115", "3116", "3117", "3118", "3119", "3120", "3121", "3122", "3123", "3124", "3125", "3126", "3127", "3128",
    "3129", "3130", "3131", "3132", "3133", "3134", "3135",
];

/// What of a queue the operator writes.
const QUEUE: &str = "\n[help]\nmember => PJSIP/3901\n";

/// A tone of ten seconds that was recorded for a prompt.
fn recording(prompt: &str, hertz: u32) -> String {
    let hex: String = wav(hertz, 10).iter().map(|byte| format!("{byte:02X}")).collect();
    let id = uuid::Uuid::now_v7();
    format!(
        "INSERT INTO mailbox_audio (id, part, audio) VALUES ('{id}', 0, X'{hex}');
         INSERT INTO prompt_recordings (prompt_id, audio_id, place, format, bytes, duration_ms, recorded_at)
            VALUES ('{prompt}', '{id}', 'database', 'wav', 160044, 10000, '2026-11-01 12:00:00.000');"
    )
}

fn stage() -> &'static Stage {
    static STAGES: Stages<Stage> = Stages::new();
    STAGES.get(|transport| {
        let mut builder = mailbox_stage::bare(&LINES)
            .line(CALLED, Manner::Answers)
            .line("3902", Manner::Answers)
            .gateway("gw", Manner::Answers)
            .append("queues.conf", QUEUE)
            .set("media.speech", "false");
        for (kind, csv) in surroundings(&LINES) {
            builder = builder.import(kind, &csv);
        }
        builder = builder.import("menus", MENUS).import("gateways", "id,name,endpoint\ngw,Carrier,gw\n");
        let tones = recording("tone", TONES[0]) + &recording("news", TONES[1]);
        let number = "INSERT INTO numbers (number, account_id, menu_id) VALUES ('12145550188', 'menus', 'main')";
        let stage = Stage::by(transport, builder.sql(&tones).sql(number).sql(LOOP));
        stage.node.agent.plan().import("extensions", ENTRANCES);
        stage
    })
}

/// A call of a line to a menu's extension.
fn calls<'a>(line: &str, voice: &'a Voice, extension: &str) -> Conversation<'a> {
    stage().call(line, voice, extension)
}

/// The caller hangs up, and what was tried for the call was this.
fn reached(call: Conversation<'_>, line: &str, tried: &str) {
    let channel = format!("PJSIP/{line}-");
    let found = || -> Vec<String> {
        let records = stage().node.asterisk.records().into_iter();
        records.filter(|record| record.get("channel").starts_with(&channel)).map(|record| record.tried()).collect()
    };
    // That it was connected.
    let phone = |call: &str| stage().node.asterisk.command("core show channels concise").contains(call);
    let name = tried.split(' ').next().unwrap().to_owned();
    let name = if name == "team" { CALLED.to_owned() } else { name };
    wait_until(&format!("a call of {name}"), SOON, || phone(&format!("PJSIP/{name}-")));
    call.hangs_up();
    wait_until(&format!("{tried} for {line}, where {:?} is", found()), SOON, || found().iter().any(|one| one == tried));
}

/// The call ends by itself, answered before.
fn ends(call: Conversation<'_>) {
    assert_eq!(call.ends().status(), 200);
}

conversations! {
    fn a_key_leads_to_a_line() {
        let voice = stage().voice("3101");
        let mut call = calls("3101", &voice, "800");
        call.hears("demo-instruct").hears("GET DATA").press("1").hears("TANDEM_CALL_TARGET=line/3901").hears("TANDEM_ROUTE_1_DIAL=PJSIP/3901");
        reached(call, "3101", "3901 200");
    }

    fn a_key_leads_to_a_ring_group() {
        let voice = stage().voice("3102");
        let mut call = calls("3102", &voice, "800");
        call.hears("demo-instruct").hears("GET DATA").press("2").hears("TANDEM_CALL_TARGET=group/team");
        reached(call, "3102", "team 200");
    }

    fn a_key_leads_to_a_mailbox() {
        let voice = stage().voice("3103");
        let mut call = calls("3103", &voice, "800");
        call.hears("demo-instruct").hears("GET DATA").press("3").hears("TANDEM_CALL_TARGET=mailbox/box").hears("TANDEM_ACTION=voicemail");
        call.hears("vm-theperson").hears("SAY DIGITS \"3800\"").hears("RECORD FILE").says(TONES[1], SECOND * 3).waits(SECOND * 4).press("#");
        call.hears("vm-review").press("1").hears("vm-msgsaved").hears("vm-goodbye");
        ends(call);
        stage().wait_contents("box", &["INBOX|0"]);
    }

    fn a_key_leads_to_another_menu_within_the_session_and_in_its_language() {
        let voice = stage().voice("3104");
        let mut call = calls("3104", &voice, "800");
        call.hears("demo-instruct").hears("GET DATA").press("4").hears("CHANNEL(language)=brief").hears("demo-moreinfo").hears("GET DATA");
        // What an option says comes before what it leads to.
        call.press("1").hears("pls-hold-while-try").hears("TANDEM_CALL_TARGET=line/3901");
        let sessions = call.ordered().iter().filter(|command| command.contains("TIMEOUT(absolute)=")).count();
        assert_eq!(sessions, 1, "one session is answered: {:?}", call.ordered());
        reached(call, "3104", "3901 200");
    }

    fn a_key_leads_back_to_the_first_menu() {
        let voice = stage().voice("3105");
        let mut call = calls("3105", &voice, "800");
        call.hears("demo-instruct").hears("GET DATA").press("4").hears("demo-moreinfo").hears("GET DATA").press("9").hears("demo-instruct").hears("GET DATA");
        call.press("#").hears("vm-goodbye");
        ends(call);
    }

    fn a_key_leads_to_an_extension() {
        let voice = stage().voice("3106");
        let mut call = calls("3106", &voice, "800");
        call.hears("demo-instruct").hears("GET DATA").press("5").hears("TANDEM_CALL_NUMBER=3902");
        reached(call, "3106", "3902 200");
    }

    fn a_key_leads_to_a_number_with_the_menus_own_permissions() {
        let voice = stage().voice("3107");
        let mut call = calls("3107", &voice, "800");
        call.hears("demo-instruct").hears("GET DATA").press("6").hears("TANDEM_CALL_KIND=line").hears("TANDEM_ROUTE_1_DIAL=PJSIP/3901");
        assert!(call.ordered().iter().any(|command| command.contains("TANDEM_CALL_ID=3902") && command.contains("TANDEM_CALL_NUMBER=+12145550177")));
        reached(call, "3107", "3901 200");
    }

    fn a_number_that_the_menus_line_may_not_call_is_refused_with_a_prompt() {
        let voice = stage().voice("3108");
        let mut call = calls("3108", &voice, "801");
        call.hears("demo-thanks").hears("GET DATA").press("123").hears("TANDEM_CALL_NUMBER=+442071838750").hears("TANDEM_REASON=class-forbidden");
        let before = voice.heard_sound();
        ends(call);
        assert!(voice.heard_sound() > before, "the caller heard why");
    }

    fn a_menu_calls_no_emergency_number() {
        let voice = stage().voice("3109");
        let mut call = calls("3109", &voice, "801");
        call.hears("demo-thanks").hears("GET DATA").press("25").hears("im-sorry").hears("please-try-call-later");
        ends(call);
        // Nor does it tell anybody where its line is.
        let mut call = calls("3109", &voice, "801");
        call.hears("demo-thanks").hears("GET DATA").press("26").hears("im-sorry").hears("please-try-call-later");
        ends(call);
    }

    fn a_key_leads_to_a_queue_whose_member_takes_the_call() {
        let voice = stage().voice("3110");
        let mut call = calls("3110", &voice, "800");
        call.hears("demo-instruct").hears("GET DATA").press("7").hears("TANDEM_ACTION=queue");
        wait_until("the call in the queue, and its member's", SOON, || {
            let channels = stage().node.asterisk.command("core show channels concise");
            let waits = |line: &str| line.starts_with("PJSIP/3110-") && line.contains("!Queue!");
            channels.lines().any(waits) && channels.contains("!AppQueue!")
        });
        call.hangs_up();
    }

    fn a_key_leads_to_a_conference_of_the_account() {
        let voice = stage().voice("3111");
        let mut call = calls("3111", &voice, "800");
        call.hears("demo-instruct").hears("GET DATA").press("8").hears("TANDEM_ACTION=conference");
        wait_until("a conference", SOON, || stage().node.asterisk.command("confbridge list").contains("menus.room"));
        call.hangs_up();
    }

    fn a_key_leads_to_a_directory() {
        let voice = stage().voice("3112");
        let mut call = calls("3112", &voice, "801");
        call.hears("demo-thanks").hears("GET DATA").press("12").hears("TANDEM_ACTION=directory");
        assert!(call.ordered().iter().any(|command| command.contains("TANDEM_DIRECTORY_ID=staff")));
        call.hangs_up();
    }

    fn who_leaves_a_directory_is_in_the_menu_again_that_led_there() {
        let voice = stage().voice("3133");
        let mut call = calls("3133", &voice, "801");
        call.hears("demo-thanks").hears("GET DATA").press("12").hears("dir-usingkeypad").press("#").hears("TANDEM_DIRECTORY=USEREXIT");
        call.hears("demo-thanks").hears("GET DATA").press("1").hears("TANDEM_CALL_TARGET=line/3901");
        reached(call, "3133", "3901 200");
    }

    fn an_extension_may_have_a_name() {
        let voice = stage().voice("3134");
        let mut call = calls("3134", &voice, "801");
        call.hears("demo-thanks").hears("GET DATA").press("7").hears("TANDEM_CALL_NUMBER=front-desk");
        reached(call, "3134", "3902 200");
    }

    fn a_key_has_something_said_and_the_menu_again() {
        let voice = stage().voice("3113");
        let mut call = calls("3113", &voice, "800");
        call.hears("demo-instruct").hears("GET DATA").press("9").hears("\"hours\"").hears("demo-instruct").hears("GET DATA").press("9").hears("\"hours\"");
        call.hears("demo-instruct").hears("GET DATA").press("#").hears("vm-goodbye");
        ends(call);
    }

    fn a_key_changes_the_language() {
        let voice = stage().voice("3114");
        let mut call = calls("3114", &voice, "800");
        call.hears("demo-instruct").hears("GET DATA").press("*").hears("CHANNEL(language)=en").hears("demo-instruct");
        // The prompts of English are not cut off: the key comes while the greeting is heard.
        call.waits(SECOND).press("#").hears("vm-goodbye");
        ends(call);
    }

    fn a_key_leads_to_the_operator() {
        let voice = stage().voice("3115");
        let mut call = calls("3115", &voice, "800");
        call.hears("demo-instruct").hears("GET DATA").press("0").hears("TANDEM_CALL_NUMBER=3902");
        reached(call, "3115", "3902 200");
    }

    fn a_key_hangs_up() {
        let voice = stage().voice("3116");
        let mut call = calls("3116", &voice, "800");
        call.hears("demo-instruct").hears("GET DATA").press("#").hears("vm-goodbye");
        ends(call);
    }

    fn no_key_has_an_end_of_its_own() {
        let voice = stage().voice("3117");
        let mut call = calls("3117", &voice, "800");
        call.hears("demo-instruct").hears("GET DATA").press("4").hears("demo-moreinfo").hears("vm-sorry").hears("demo-moreinfo").hears("vm-sorry");
        call.hears("TANDEM_CALL_NUMBER=3902");
        reached(call, "3117", "3902 200");
    }

    fn wrong_keys_have_an_end_of_their_own() {
        let voice = stage().voice("3118");
        let mut call = calls("3118", &voice, "800");
        call.hears("demo-instruct").hears("GET DATA").press("4").hears("demo-moreinfo").hears("GET DATA").press("7").hears("pm-invalid-option");
        call.hears("demo-moreinfo").hears("GET DATA").press("8").hears("pm-invalid-option").hears("TANDEM_CALL_TARGET=group/team");
        reached(call, "3118", "team 200");
    }

    fn the_longest_option_holds_after_a_time_without_a_key() {
        let voice = stage().voice("3119");
        let mut call = calls("3119", &voice, "801");
        call.hears("demo-thanks").hears("GET DATA").press("1").hears("TANDEM_CALL_TARGET=line/3901");
        reached(call, "3119", "3901 200");
    }

    fn a_pound_key_ends_an_option_at_once() {
        let voice = stage().voice("3120");
        let mut call = calls("3120", &voice, "801");
        call.hears("demo-thanks").hears("GET DATA").press("12#").hears("TANDEM_DIRECTORY_ID=staff");
        call.hangs_up();
    }

    fn keys_that_only_begin_an_option_are_wrong() {
        let voice = stage().voice("3121");
        let mut call = calls("3121", &voice, "801");
        call.hears("demo-thanks").hears("GET DATA").press("2").hears("pbx-invalid").hears("vm-goodbye");
        ends(call);
    }

    fn an_extension_is_dialled_in_a_menu() {
        let voice = stage().voice("3122");
        let mut call = calls("3122", &voice, "802");
        call.hears("demo-nomatch").hears("GET DATA").press("3902").hears("TANDEM_CALL_NUMBER=3902");
        reached(call, "3122", "3902 200");
    }

    fn a_shorter_extension_and_an_option_hold_after_a_time_without_a_key() {
        let voice = stage().voice("3123");
        let mut call = calls("3123", &voice, "802");
        call.hears("demo-nomatch").hears("GET DATA").press("60").hears("TANDEM_CALL_NUMBER=60");
        reached(call, "3123", "team 200");
        let mut call = calls("3123", &voice, "802");
        call.hears("demo-nomatch").hears("GET DATA").press("3").hears("TANDEM_CALL_TARGET=group/team");
        reached(call, "3123", "team 200");
    }

    fn an_extension_that_there_is_not_is_wrong() {
        let voice = stage().voice("3124");
        let mut call = calls("3124", &voice, "802");
        // Another account's is none of ours.
        call.hears("demo-nomatch").hears("GET DATA").press("9001").hears("pbx-invalid").hears("demo-nomatch").hears("GET DATA").press("3999#");
        call.hears("pbx-invalid").hears("vm-goodbye");
        ends(call);
    }

    fn a_condition_sends_the_call_on_before_it_is_answered() {
        let voice = stage().voice("3125");
        let mut call = calls("3125", &voice, "803");
        call.hears("TANDEM_CALL_TARGET=line/3901");
        let ordered = call.ordered();
        assert!(!ordered.iter().any(|command| command.contains("Answer") || command.contains("demo-instruct")), "{ordered:?}");
        reached(call, "3125", "3901 200");
    }

    fn outside_of_its_hours_a_menu_leads_to_another_that_only_says_so() {
        let voice = stage().voice("3126");
        let mut call = calls("3126", &voice, "804");
        call.hears("vm-nobodyavail").hears("TANDEM_CALL_TARGET=mailbox/box");
        assert!(!call.ordered().iter().any(|command| command.contains("GET DATA")), "it asks for no key");
        call.hangs_up();
    }

    fn only_a_key_that_leads_somewhere_interrupts_the_greeting() {
        let voice = stage().voice("3127");
        let mut call = calls("3127", &voice, "805");
        call.hears("STREAM FILE").hears_tone(TONES[0], SECOND).press("7").hears_tone(TONES[0], SECOND * 2);
        let heard = voice.heard_tone(TONES[0]);
        call.press("1").hears("vm-goodbye");
        ends(call);
        assert!(heard < SECOND * 8 && voice.heard_tone(TONES[0]) < SECOND * 9, "the greeting was cut off");
    }

    fn what_is_recorded_anew_meanwhile_is_heard() {
        let voice = stage().voice("3135");
        let mut call = calls("3135", &voice, "801");
        call.hears("demo-thanks").hears("GET DATA");
        let plan = stage().node.agent.plan();
        plan.sql("DELETE FROM mailbox_audio WHERE id IN (SELECT audio_id FROM prompt_recordings WHERE prompt_id = 'news'); DELETE FROM prompt_recordings WHERE prompt_id = 'news'");
        plan.sql(&recording("news", TONES[2]));
        call.press("8").hears("STREAM FILE").hears_tone(TONES[2], SECOND).hears("demo-thanks");
        call.hangs_up();
    }

    fn what_cannot_be_played_is_passed_over_with_a_beep() {
        let voice = stage().voice("3128");
        let mut call = calls("3128", &voice, "806");
        call.hears("\"beep\"").hears("\"hello\"").hears("world-that-is-not-there").hears("\"beep\"").hears("vm-goodbye");
        ends(call);
    }

    fn a_call_that_goes_round_is_ended() {
        let voice = stage().voice("3129");
        let mut call = calls("3129", &voice, "807");
        call.hears("im-sorry").hears("please-try-call-later");
        ends(call);
    }

    fn a_call_that_goes_round_by_an_extension_is_ended() {
        let voice = stage().voice("3131");
        let mut call = calls("3131", &voice, "808");
        call.hears("TANDEM_MENU_DEPTH=1,").hears("TANDEM_MENU_DEPTH=2,").hears("TANDEM_MENU_DEPTH=30").hears("im-sorry").hears("please-try-call-later");
        ends(call);
    }

    fn extensions_lead_to_queues_and_conferences_at_once() {
        let voice = stage().voice("3130");
        let call = calls("3130", &voice, "811");
        wait_until("a conference", SOON, || stage().node.asterisk.command("confbridge list").contains("menus.room"));
        call.hangs_up();
        let call = calls("3130", &voice, "810");
        wait_until("the queue's member", SOON, || stage().node.asterisk.command("core show channels concise").contains("!AppQueue!"));
        call.hangs_up();
    }

    fn a_caller_whom_a_queue_does_not_take_is_told() {
        let voice = stage().voice("3132");
        let call = calls("3132", &voice, "813");
        ends(call);
        assert!(voice.heard_sound() > std::time::Duration::from_millis(200), "two prompts, cut short");
        let reason = || {
            let mut records = stage().node.asterisk.records().into_iter();
            records.find(|record| record.get("channel").starts_with("PJSIP/3132-")).map(|record| record.get("reason").to_owned())
        };
        wait_until("the record", SOON, || reason().as_deref() == Some("queue-UNKNOWN"));
    }

    fn a_number_leads_a_carriers_call_to_a_menu() {
        let carrier = stage().node.peer("gw");
        let voice = carrier.voice();
        let call = carrier.call(stage().node.asterisk.address(), "12145550188").claims("13125550123", "Customer");
        let mut call = Conversation::of(&stage().transcript, call, &voice, "gw");
        call.hears("demo-instruct").waits(SECOND).press("5").hears("TANDEM_CALL_NUMBER=3902").hears("TANDEM_ROUTE_1_CALLER=13125550123");
        reached(call, "gw", "3902 200");
    }
}

#[test]
fn asterisk_complains_of_nothing_when_it_starts() {
    let complaints = stage().node.asterisk.complaints();
    // Those of calls name the call.
    let of_start: Vec<&String> = complaints.iter().filter(|line| !line.contains("[C-")).collect();
    assert!(of_start.is_empty(), "{of_start:?}");
}
