//! Transfers on real phones: blind and attended, by REFER and by keys, with the transferrer's rights; what fails comes back to the transferrer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;
mod records_stage;
mod transfer_stage;

use std::thread::sleep;
use std::time::Duration;

use lab::{Manner, Transferred, wait_until};
use transfer_stage::{Plan, SOON, Stage};

/// What is heard of a refusal and the way back, at least, where prompts are brief; of the way back alone it is half of that.
const REFUSED: Duration = Duration::from_millis(300);

const MAILBOXES: &str = "
    INSERT INTO mailboxes (id, account_id, number, name, min_seconds, created_at) VALUES
        ('8800', 'acme', '8800', 'Everybody', 1, '2026-01-01 00:00:00'), ('2111', 'acme', '2111', 'Line 2111', 1, '2026-01-01 00:00:00');
    UPDATE phone_lines SET max_calls = 1 WHERE id = '2123';
    UPDATE phone_lines SET ring_seconds = 2 WHERE id = '2136';
    UPDATE phone_lines SET mailbox_id = '2111' WHERE id = '2111';
    INSERT INTO extensions (account_id, extension, mailbox_id) VALUES ('acme', '8800', '8800');
    INSERT INTO line_permissions (line_id, class_name, allowed) VALUES ('2112', 'premium', TRUE), ('2120', 'premium', TRUE);
    INSERT INTO menus (id, account_id, name) VALUES ('front', 'acme', 'Front desk');
    INSERT INTO prompts (id, account_id, name, sound) VALUES ('welcome', 'acme', 'Welcome', 'hello-world');
    INSERT INTO menu_prompts (menu_id, digits, position, prompt_id) VALUES ('front', 's', 1, 'welcome');
    INSERT INTO menu_options (menu_id, digits, action, target) VALUES ('front', '1', 'line', '2102');
    INSERT INTO extensions (account_id, extension, menu_id) VALUES ('acme', '8801', 'front');
    INSERT INTO line_features (line_id, find_me) VALUES ('2128', 'in_order');
    INSERT INTO line_features (line_id, screening) VALUES ('2129', TRUE);
    INSERT INTO find_me_numbers (line_id, position, number) VALUES ('2128', 1, '2104');
    INSERT INTO line_permissions (line_id, class_name, allowed) VALUES ('2139', 'premium', TRUE);
    INSERT INTO decks (id, name, currency) VALUES ('least', 'Least', 'USD');
    INSERT INTO deck_versions (id, deck_id, effective_at, imported_at, complete) VALUES (10, 'least', '2026-01-01 00:00:00', '2026-01-01 00:00:00', TRUE);
    INSERT INTO rates (deck_version_id, prefix, effective_at, destination, per_minute_micros, connect_fee_micros, initial_seconds, increment_seconds, blocked)
        VALUES (10, '1512976', '2026-01-01 00:00:00', 'Premium', 1, 0, 1, 1, FALSE);
    UPDATE gateways SET deck_id = 'least' WHERE id = 'in-27';
    INSERT INTO numbers (number, account_id, queue) VALUES ('12145559001', 'acme', 'support');
";

fn stage() -> &'static Stage {
    static STAGES: mailbox_stage::Stages<Stage> = mailbox_stage::Stages::new();
    STAGES.get(|transport| {
        Plan::new()
            .handsets(&["2101", "2103", "2105", "2107", "2108", "2109", "2111", "2112"])
            .handsets(&[
                "2113", "2114", "2115", "2116", "2117", "2118", "2119", "2120", "2121", "2122", "2123", "2124", "2125",
                "2126", "2127", "2129",
            ])
            .phones(&["2102", "2104"], Manner::Answers)
            .phones(&["2110", "2128"], Manner::Refuses(486))
            .carriers(&[
                "in-1", "in-2", "in-3", "in-4", "in-5", "in-6", "in-7", "in-8", "in-9", "in-10", "in-11", "in-12",
                "in-13", "in-14", "in-17", "in-15", "in-16", "in-18", "in-19", "in-20",
            ])
            .edge()
            .set("emergency.gateways", "gw-a")
            .handsets(&["2132", "2133", "2134", "2135", "2136", "2137", "2138", "2139", "2140", "2141", "2142"])
            .carriers(&["in-21", "in-22", "in-23", "in-24", "in-25", "in-26", "in-27", "in-28"])
            .append("queues.conf", "[support]\nmember => PJSIP/2138\n")
            .sql(MAILBOXES)
            .global("TANDEM_TRANSFER_LIMIT", "3")
            // So many transfers at once are enough for Asterisk to tell one app of.
            .set("ari.live_calls", "false")
            .by(transport)
            .start()
    })
}

conversations! {
    fn a_blind_transfer_reaches_an_extension() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-1"), stage.phone("2101"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2101");
        stage.wait_bridged("2101");
        alice.refer(&mut call, "2102");
        alice.hang_up(call);
        stage.wait_bridged("in-1");
        carrier.hang_up(outside);
        assert_eq!(stage.story("2101", 2), ["line 2101 ANSWER by in-1", "line 2102 ANSWER by 2101"]);
        stage.wait_reasons("2101", &[""]);
    }

    fn an_attended_transfer_connects_both() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-2"), stage.phone("2103"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2103");
        let second = alice.call(stage.asterisk.address(), "2104");
        stage.wait_bridged("2104");
        alice.connect(&mut call, &second);
        alice.hang_up(call);
        alice.hang_up(second);
        sleep(Duration::from_millis(300));
        carrier.hang_up(outside);
        assert_eq!(stage.story("2103", 2), ["line 2103 ANSWER by in-2", "line 2104 ANSWER by 2103"]);
    }

    fn with_a_busy_target_the_transferrer_has_the_caller_back() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-3"), stage.phone("2105"));
        let (outside, call) = stage.call_in(&mut carrier, &mut alice, "2105");
        stage.wait_bridged("2105");
        assert_eq!(alice.try_call(stage.asterisk.address(), "2110").1, 486);
        stage.wait_bridged("2105");
        alice.hang_up(call);
        carrier.wait_end(&outside);
        let busy = "SELECT * FROM call_attempts WHERE line_id = '2105'";
        wait_until("the busy attempt", SOON, || stage.rows(busy).len() == 1);
        assert_eq!(stage.rows(busy)[0].all(["name", "status"]), ["2110", "BUSY"]);
    }

    fn a_blind_transfer_to_a_number_is_the_transferrers_call() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-4"), stage.phone("2107"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2107");
        stage.wait_bridged("2107");
        alice.refer(&mut call, "95125550123");
        alice.hang_up(call);
        stage.wait_bridged("in-4");
        carrier.hang_up(outside);
        assert_eq!(stage.story("2107", 2), ["line 2107 ANSWER by in-4", "gateway gw-a ANSWER by 2107"]);
        let sold = stage.rows("SELECT * FROM call_attempts WHERE line_id = '2107'");
        assert_eq!(sold[0].all(["account_id", "sell_deck_id", "sell_seconds"]), ["acme", "retail", "60"]);
    }

    fn a_caller_transferred_to_voicemail_leaves_a_message_of_the_callers_own() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-5"), stage.phone("2108"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2108");
        stage.wait_bridged("2108");
        alice.start_refer(&mut call, "8800");
        alice.hang_up(call);
        stage.wait_conversation("in-5");
        carrier.voice().tone(620, Duration::from_secs(10));
        sleep(Duration::from_secs(6));
        carrier.hang_up(outside);
        let messages = "SELECT * FROM mailbox_messages WHERE mailbox_id = '8800'";
        wait_until("the message", SOON, || stage.rows(messages).len() == 1);
        assert_eq!(stage.rows(messages)[0].all(["caller_number", "line_id"]), ["handset", ""]);
        assert_eq!(stage.story("2108", 1), ["line 2108 ANSWER by in-5"]);
        // Asterisk complains of those who may not transfer, of phones that hang up in the very moment, and of nothing else.
        let known = ["transfer attempt blocked", "but target does not exist", "Session already DISCONNECTED", "subscription has invalid topic"];
        let known = |line: &String| known.iter().any(|known| line.contains(known));
        let complaints = stage.asterisk.complaints();
        assert!(complaints.iter().all(known), "{complaints:#?}");
    }

    fn a_caller_transferred_to_a_menu_goes_through_it() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-18"), stage.phone("2127"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2127");
        stage.wait_bridged("2127");
        alice.start_refer(&mut call, "8801");
        alice.hang_up(call);
        stage.wait_conversation("in-18");
        carrier.voice().pause(Duration::from_millis(600));
        carrier.voice().press("1");
        stage.wait_bridged("in-18");
        carrier.hang_up(outside);
        assert_eq!(stage.story("2127", 2), ["line 2127 ANSWER by in-18", "line 2102 ANSWER by 2127"]);
        stage.wait_reasons("2127", &[""]);
    }

    fn a_caller_transferred_to_a_menu_attended_goes_through_it_and_every_attempt_is_kept() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-24"), stage.phone("2137"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2137");
        let menu = alice.call(stage.asterisk.address(), "8801");
        stage.wait_conversation("2137");
        alice.connect(&mut call, &menu);
        alice.hang_up(call);
        stage.wait_conversation("in-24");
        carrier.voice().pause(Duration::from_millis(600));
        carrier.voice().press("1");
        stage.wait_bridged("in-24");
        carrier.hang_up(outside);
        assert_eq!(stage.story("2137", 2), ["line 2137 ANSWER by in-24", "line 2102 ANSWER by 2137"]);
    }

    fn the_member_of_a_queue_transfers_as_its_own_line() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-25"), stage.phone("2138"));
        let placed = carrier.start_call(stage.asterisk.address(), "12145559001");
        let rings = alice.wait_call();
        let mut call = alice.answer(rings);
        let outside = carrier.finish_call(placed).0.expect("the queue answers");
        stage.wait_bridged("2138");
        alice.refer(&mut call, "2102");
        alice.hang_up(call);
        stage.wait_bridged("in-25");
        carrier.hang_up(outside);
        assert_eq!(stage.story("2138", 2), ["line 2138 ANSWER by in-25", "line 2102 ANSWER by 2138"]);
        stage.wait_reasons("2138", &[""]);
    }

    fn an_outside_caller_transfers_nobody_by_way_of_another_number_of_a_line() {
        let stage = stage();
        let mut carrier = stage.phone("in-19");
        let placed = carrier.start_call(stage.asterisk.address(), "12145552128");
        let outside = carrier.finish_call(placed).0.expect("2104 answers in the place of 2128");
        stage.wait_bridged("in-19");
        carrier.voice().pause(Duration::from_millis(600));
        carrier.voice().press("##");
        carrier.voice().pause(Duration::from_millis(600));
        carrier.voice().press("2102#");
        sleep(Duration::from_secs(3));
        assert_eq!(carrier.voice().heard_sound(), Duration::ZERO, "nobody asks where to");
        carrier.hang_up(outside);
        let story = stage.story("2128", 3);
        assert!(story.contains(&"line 2104 ANSWER by 2128".to_owned()), "{story:?}");
        assert!(!story.iter().any(|attempt| attempt.contains("2102")), "{story:?}");
    }

    fn a_line_that_screens_its_calls_hears_the_callers_name_and_takes_the_call_by_1() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-20"), stage.phone("2129"));
        let placed = carrier.start_call(stage.asterisk.address(), "12145552129");
        let outside = carrier.finish_call(placed).0.expect("the agent asks for a name");
        stage.wait_conversation("in-20");
        carrier.voice().pause(Duration::from_millis(1200));
        carrier.voice().tone(620, Duration::from_secs(2));
        carrier.voice().pause(Duration::from_millis(300));
        carrier.voice().press("#");
        let rings = alice.wait_call();
        let call = alice.answer(rings);
        wait_until("the name", SOON, || alice.voice().heard_tone(620) > Duration::from_secs(1));
        // A key during the name would be lost.
        let asked = || stage.asterisk.command("core show channels concise").lines().any(|channel| channel.contains("2129-") && channel.contains("!Read!"));
        wait_until("the question", SOON, asked);
        sleep(Duration::from_millis(300));
        alice.voice().press("1");
        stage.wait_bridged("2129");
        carrier.hang_up(outside);
        alice.wait_end(&call);
        assert_eq!(stage.story("2129", 1), ["line 2129 ANSWER by in-20"]);
        stage.wait_reasons("2129", &[""]);
    }

    fn who_is_transferred_to_a_busy_line_returns() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-6"), stage.phone("2109"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2109");
        stage.wait_bridged("2109");
        let _ = alice.try_refer(&mut call, "2110");
        alice.hang_up(call);
        let back = alice.wait_call();
        assert!(back.header("From").contains("sip:handset@"), "the caller's own number is shown: {}", back.header("From"));
        let back = alice.answer(back);
        stage.wait_bridged("2109");
        alice.hang_up(back);
        carrier.wait_end(&outside);
        let story = ["line 2109 ANSWER by in-6", "line 2110 BUSY by 2109", "line 2109 ANSWER by 2109"];
        assert_eq!(stage.story("2109", 3), story);
        stage.wait_reasons("2109", &["transfer-returned"]);
    }

    fn who_is_transferred_to_a_line_that_does_not_answer_returns() {
        let stage = stage();
        let (mut carrier, mut alice, mut bob) = (stage.phone("in-23"), stage.phone("2135"), stage.phone("2136"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2135");
        stage.wait_bridged("2135");
        alice.start_refer(&mut call, "2136");
        alice.hang_up(call);
        let rings = bob.wait_call();
        assert!(rings.header("From").contains("sip:handset@"), "the caller is shown: {}", rings.header("From"));
        bob.wait_given_up(&rings);
        let back = alice.wait_call();
        let back = alice.answer(back);
        stage.wait_heard(&carrier, &alice);
        alice.hang_up(back);
        carrier.wait_end(&outside);
        let story = ["line 2135 ANSWER by in-23", "line 2136 NOANSWER by 2135", "line 2135 ANSWER by 2135"];
        assert_eq!(stage.story("2135", 3), story);
    }

    fn who_cannot_return_leaves_a_message() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-7"), stage.phone("2111"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2111");
        stage.wait_bridged("2111");
        let _ = alice.try_refer(&mut call, "2110");
        alice.hang_up(call);
        let back = alice.wait_call();
        alice.refuse(&back, "486 Busy Here");
        stage.wait_conversation("in-7");
        carrier.hang_up(outside);
        let story = ["line 2111 ANSWER by in-7", "line 2110 BUSY by 2111", "line 2111 BUSY by 2111"];
        assert_eq!(stage.story("2111", 3), story);
    }

    fn nobody_is_transferred_to_a_premium_number() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-8"), stage.phone("2112"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2112");
        stage.wait_bridged("2112");
        let _ = alice.try_refer(&mut call, "919005550123");
        alice.hang_up(call);
        let back = alice.wait_call();
        assert!(carrier.voice().heard_sound() > REFUSED, "the caller is told");
        let back = alice.answer(back);
        stage.wait_bridged("2112");
        alice.hang_up(back);
        carrier.wait_end(&outside);
        assert_eq!(stage.story("2112", 2), ["line 2112 ANSWER by in-8", "line 2112 ANSWER by 2112"]);
        stage.wait_reasons("2112", &["transfer-forbidden"]);
    }

    fn a_premium_call_ends_with_the_line_that_placed_it() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-12"), stage.phone("2120"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2120");
        let premium = alice.call(stage.asterisk.address(), "919005550123");
        stage.wait_bridged("2120");
        alice.connect(&mut call, &premium);
        carrier.wait_end(&outside);
        let story = stage.story("2120", 2);
        assert_eq!(story, ["line 2120 ANSWER by in-12", "gateway gw-a ANSWER by 2120"]);
    }

    fn a_premium_call_that_rings_is_nobodys_whom_its_line_hands_on() {
        let stage = stage();
        let (mut carrier, mut alice, mut premium) = (stage.phone("in-26"), stage.phone("2139"), stage.phone("in-27"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2139");
        let second = alice.start_call(stage.asterisk.address(), "95129765550");
        let rings = premium.wait_call();
        let second = alice.early(second);
        alice.start_connect(&mut call, &second);
        alice.hang_up(call);
        sleep(Duration::from_millis(300));
        let talks = premium.answer(rings);
        premium.wait_end(&talks);
        let back = alice.wait_call();
        let back = alice.answer(back);
        stage.wait_bridged("2139");
        alice.hang_up(back);
        carrier.wait_end(&outside);
        // The premium number has talked to nobody, and is tied to the call that the line placed to it.
        let tried = "SELECT * FROM call_attempts WHERE line_id = '2139' ORDER BY started_at";
        wait_until("two attempts of the line", SOON, || stage.rows(tried).len() == 2);
        let names: Vec<String> = stage.rows(tried).iter().map(|row| row.get("name").to_owned()).collect();
        assert_eq!(names, ["in-27", "2139"]);
        wait_until("the reason", SOON, || stage.reasons("2139").contains(&"transfer-forbidden".to_owned()));
    }

    fn who_is_handed_on_before_the_answer_transfers_nobody_by_the_lines_keys() {
        let stage = stage();
        let (mut carrier, mut alice, mut bob) = (stage.phone("in-28"), stage.phone("2140"), stage.phone("2141"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2140");
        let second = alice.start_call(stage.asterisk.address(), "2141");
        let rings = bob.wait_call();
        let second = alice.early(second);
        alice.start_connect(&mut call, &second);
        alice.hang_up(call);
        sleep(Duration::from_millis(300));
        let talks = bob.answer(rings);
        stage.wait_bridged("2141");
        carrier.voice().press("##");
        carrier.voice().pause(Duration::from_millis(600));
        carrier.voice().press("2102#");
        bob.wait_end(&talks);
        carrier.wait_end(&outside);
        assert_eq!(stage.story("2140", 2), ["line 2140 ANSWER by in-28", "line 2141 ANSWER by 2140"]);
        let refused = "SELECT * FROM call_records WHERE channel LIKE 'PJSIP/2141-%' AND reason = 'transfer-forbidden'";
        wait_until("the refusal", SOON, || stage.rows(refused).len() == 1);
    }

    fn a_transferrer_who_does_not_wait_for_the_answer_may_have_the_caller_back() {
        let stage = stage();
        let (mut carrier, mut alice, mut bob) = (stage.phone("in-14"), stage.phone("2121"), stage.phone("2122"));
        // Whoever transferred the caller before is not asked.
        let mut zoe = stage.phone("2142");
        let (outside, mut zoes) = stage.call_in(&mut carrier, &mut zoe, "2142");
        stage.wait_bridged("2142");
        zoe.start_refer(&mut zoes, "2121");
        zoe.hang_up(zoes);
        let rings = alice.wait_call();
        let mut call = alice.answer(rings);
        stage.wait_bridged("2121");
        let second = alice.start_call(stage.asterisk.address(), "2122");
        let rings = bob.wait_call();
        let second = alice.early(second);
        alice.start_connect(&mut call, &second);
        alice.hang_up(call);
        sleep(Duration::from_millis(300));
        bob.refuse(&rings, "486 Busy Here");
        let back = alice.wait_call();
        let back = alice.answer(back);
        stage.wait_bridged("2121");
        stage.wait_heard(&carrier, &alice);
        alice.hang_up(back);
        carrier.wait_end(&outside);
        let story = ["line 2142 ANSWER by in-14", "line 2121 ANSWER by 2142", "line 2122 BUSY by 2121", "line 2121 ANSWER by 2121"];
        assert_eq!(stage.story("2121", 4), story);
    }

    fn a_transfer_needs_no_place_of_its_own_and_takes_the_transferrers() {
        let stage = stage();
        let (mut alice, mut bob) = (stage.phone("2123"), stage.phone("2124"));
        let mut call = alice.call(stage.asterisk.address(), "95125550123");
        stage.wait_bridged("2123");
        alice.start_refer(&mut call, "2124");
        let rings = bob.wait_call();
        assert!(rings.header("From").contains("15125550123"), "who was called is shown: {}", rings.header("From"));
        let talks = bob.answer(rings);
        alice.hang_up(call);
        stage.wait_bridged("2124");
        assert_eq!(alice.try_call(stage.asterisk.address(), "2102").1, 486, "the line's one place is taken");
        let mut carrier = stage.phone("in-17");
        let (outside, mut another) = stage.call_in(&mut carrier, &mut alice, "2123");
        stage.wait_bridged("2123");
        alice.refer(&mut another, "2102");
        alice.hang_up(another);
        stage.wait_bridged("in-17");
        carrier.hang_up(outside);
        bob.hang_up(talks);
        let attempts = "SELECT * FROM call_attempts WHERE line_id = '2123' AND status = 'ANSWER'";
        wait_until("three answered attempts", SOON, || stage.rows(attempts).len() == 3);
    }

    fn an_emergency_number_is_reached_by_a_transfer() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-15"), stage.phone("2125"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2125");
        stage.wait_bridged("2125");
        alice.refer(&mut call, "911");
        alice.hang_up(call);
        stage.wait_bridged("in-15");
        carrier.hang_up(outside);
        assert_eq!(stage.story("2125", 2), ["line 2125 ANSWER by in-15", "gateway gw-a ANSWER by 2125"]);
        stage.wait_reasons("2125", &["emergency"]);
    }

    fn what_a_phone_names_is_data() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-16"), stage.phone("2126"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2126");
        stage.wait_bridged("2126");
        // None of these is an extension; the call goes on.
        for hostile in ["%22%3B%20DROP%20TABLE%20calls", "$%7BSHELL(id)%7D", "T"] {
            assert_eq!(alice.try_refer(&mut call, hostile), Transferred::Told(404), "{hostile}");
            stage.wait_bridged("2126");
        }
        // This one is, and is refused by what it holds.
        alice.start_refer(&mut call, "1%2C$%7BSHELL(id)%7D%22%5D");
        alice.hang_up(call);
        let back = alice.wait_call();
        let back = alice.answer(back);
        stage.wait_bridged("2126");
        alice.hang_up(back);
        carrier.wait_end(&outside);
        stage.wait_reasons("2126", &["number-invalid"]);
    }

    fn loops_end_with_a_prompt() {
        let stage = stage();
        let (mut carrier, mut one, mut other) = (stage.phone("in-9"), stage.phone("2113"), stage.phone("2114"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut one, "2113");
        stage.wait_bridged("2113");
        // Phones that answer everything, and hand it to each other.
        for to_other in [true, false, true] {
            let (from, to, id) = if to_other { (&mut one, &mut other, "2114") } else { (&mut other, &mut one, "2113") };
            from.start_refer(&mut call, id);
            from.hang_up(call);
            let rings = to.wait_call();
            call = to.answer(rings);
            stage.wait_bridged(id);
        }
        other.start_refer(&mut call, "2113");
        other.hang_up(call);
        // It returns to the transferrer, with a prompt; and once only.
        let rings = other.wait_call();
        assert!(carrier.voice().heard_sound() > REFUSED, "the caller is told");
        call = other.answer(rings);
        stage.wait_bridged("2114");
        other.start_refer(&mut call, "2113");
        other.hang_up(call);
        carrier.wait_end(&outside);
        assert!(!one.rings_within(Duration::from_millis(200)) && !other.rings_within(Duration::from_millis(1)));
        stage.wait_reasons("2113", &["transfer-loop"]);
        assert_eq!(stage.story("2113", 5).len(), 5);
    }

    fn keys_transfer_blindly() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-10"), stage.phone("2115"));
        let (outside, call) = stage.call_in(&mut carrier, &mut alice, "2115");
        stage.wait_bridged("2115");
        // An outside caller's keys do nothing.
        carrier.voice().pause(Duration::from_millis(600));
        carrier.voice().press("##");
        carrier.voice().pause(Duration::from_millis(600));
        carrier.voice().press("2104#");
        sleep(Duration::from_secs(3));
        assert_eq!(carrier.voice().heard_sound(), Duration::ZERO, "nobody asks where to");
        stage.wait_bridged("2115");
        alice.voice().press("##");
        alice.voice().pause(Duration::from_millis(600));
        alice.voice().press("2102#");
        alice.wait_end(&call);
        stage.wait_bridged("in-10");
        carrier.hang_up(outside);
        assert_eq!(stage.story("2115", 2), ["line 2115 ANSWER by in-10", "line 2102 ANSWER by 2115"]);
    }

    fn keys_transfer_attended() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-11"), stage.phone("2116"));
        let (outside, call) = stage.call_in(&mut carrier, &mut alice, "2116");
        stage.wait_bridged("2116");
        alice.voice().press("*2");
        alice.voice().pause(Duration::from_millis(600));
        alice.voice().press("2104#");
        wait_until("the target talks", SOON, || {
            stage.peer("2104").invites().iter().any(|invite| invite.header("From").is_some_and(|from| from.contains("2116")))
        });
        sleep(Duration::from_millis(500));
        alice.hang_up(call);
        stage.wait_bridged("in-11");
        sleep(Duration::from_millis(300));
        carrier.hang_up(outside);
        assert_eq!(stage.story("2116", 2), ["line 2116 ANSWER by in-11", "line 2104 ANSWER by 2116"]);
    }

    fn by_keys_with_a_busy_target_the_transferrer_has_the_caller_back() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-21"), stage.phone("2132"));
        let (outside, call) = stage.call_in(&mut carrier, &mut alice, "2132");
        stage.wait_bridged("2132");
        alice.voice().press("*2");
        alice.voice().pause(Duration::from_millis(600));
        alice.voice().press("2110#");
        let busy = "SELECT * FROM call_attempts WHERE line_id = '2132' AND name = '2110'";
        wait_until("the busy attempt", SOON, || stage.rows(busy).len() == 1);
        stage.wait_heard(&carrier, &alice);
        alice.hang_up(call);
        carrier.wait_end(&outside);
    }

    fn by_keys_a_transferrer_who_does_not_wait_may_have_the_caller_back() {
        let stage = stage();
        let (mut carrier, mut alice, mut bob) = (stage.phone("in-22"), stage.phone("2133"), stage.phone("2134"));
        let (outside, call) = stage.call_in(&mut carrier, &mut alice, "2133");
        stage.wait_bridged("2133");
        alice.voice().press("*2");
        alice.voice().pause(Duration::from_millis(600));
        alice.voice().press("2134#");
        let rings = bob.wait_call();
        alice.hang_up(call);
        sleep(Duration::from_millis(500));
        bob.refuse(&rings, "486 Busy Here");
        let back = alice.wait_call();
        let back = alice.answer(back);
        stage.wait_heard(&carrier, &alice);
        alice.hang_up(back);
        carrier.wait_end(&outside);
    }

    fn a_line_behind_an_edge_transfers_and_a_carrier_behind_it_does_not() {
        let stage = stage();
        let (mut edge, mut bob) = (stage.phone("edge1"), stage.phone("2119"));
        edge.says("X-Tandem-Line: 2117");
        let mut call = edge.call(stage.asterisk.address(), "95125550123");
        stage.wait_bridged("edge1");
        edge.start_refer(&mut call, "2119");
        edge.hang_up(call);
        let rings = bob.wait_call();
        let talks = bob.answer(rings);
        stage.wait_bridged("2119");
        bob.hang_up(talks);
        assert_eq!(stage.story("2117", 2), ["gateway gw-a ANSWER by 2117", "line 2119 ANSWER by 2117"]);
        edge.says("X-Tandem-Gateway: in-1");
        let mut call = edge.call(stage.asterisk.address(), "12145552102");
        stage.wait_bridged("edge1");
        assert_eq!(edge.try_refer(&mut call, "2104"), Transferred::Told(404));
        edge.hang_up(call);
    }

    fn a_carrier_cannot_transfer() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-13"), stage.phone("2118"));
        let (mut outside, call) = stage.call_in(&mut carrier, &mut alice, "2118");
        stage.wait_bridged("2118");
        assert_eq!(carrier.try_refer(&mut outside, "2104"), Transferred::Refused(603));
        stage.wait_bridged("2118");
        alice.hang_up(call);
        carrier.wait_end(&outside);
        assert_eq!(stage.story("2118", 1), ["line 2118 ANSWER by in-13"]);
    }
}

#[test]
fn a_phone_of_a_ring_group_behind_an_edge_transfers_as_its_own_line() {
    let stage = Plan::new()
        .handsets(&["2201", "2202", "2203"])
        .carriers(&["in-1"])
        .edge()
        .set("route.line_dial", "PJSIP/{line}@edge1")
        .sql(
            "INSERT INTO ring_groups (id, account_id, name, strategy, ring_seconds) VALUES ('both', 'acme', 'Both', 'together', 20);
             INSERT INTO ring_group_members (ring_group_id, position, line_id) VALUES ('both', 1, '2201'), ('both', 2, '2202');
             INSERT INTO numbers (number, account_id, ring_group_id) VALUES ('12145552200', 'acme', 'both');",
        )
        .start();
    let (mut carrier, mut edge) = (stage.phone("in-1"), stage.phone("edge1"));
    let outside = carrier.start_call(stage.asterisk.address(), "12145552200");
    let rings = [edge.wait_call(), edge.wait_call()];
    let [first, second] = rings;
    let (mine, other) = if first.header("To").contains("sip:2202@") { (first, second) } else { (second, first) };
    let mut call = edge.answer(mine);
    edge.wait_given_up(&other);
    let outside = carrier.finish_call(outside).0.unwrap();
    stage.wait_bridged("edge1");
    edge.start_refer(&mut call, "2203");
    edge.hang_up(call);
    let rings = edge.wait_call();
    assert!(rings.header("To").contains("sip:2203@"), "{}", rings.header("To"));
    let _ = edge.answer(rings);
    stage.wait_bridged("edge1");
    carrier.hang_up(outside);
    assert_eq!(stage.story("2202", 2), ["group both ANSWER by in-1", "line 2203 ANSWER by 2202"]);
}

#[test]
fn without_the_agent_talks_go_on_and_transfers_reach_the_nodes_lines_or_return() {
    let stage = Plan::new()
        .handsets(&["2301", "2303", "2304", "2305"])
        .phones(&["2302"], Manner::Answers)
        .carriers(&["in-1", "in-2", "in-3", "in-4"])
        .start();
    let [mut first, mut second, mut third, mut fourth] = ["in-1", "in-2", "in-3", "in-4"].map(|id| stage.phone(id));
    let [mut ann, mut bob, mut cat, mut dan] = ["2301", "2303", "2304", "2305"].map(|id| stage.phone(id));
    let (talks, mut call) = stage.call_in(&mut first, &mut ann, "2301");
    let (to_line, mut bobs) = stage.call_in(&mut second, &mut bob, "2303");
    let (to_nobody, mut cats) = stage.call_in(&mut third, &mut cat, "2304");
    let (attended, mut dans) = stage.call_in(&mut fourth, &mut dan, "2305");
    let asked = dan.call(stage.asterisk.address(), "2302");
    stage.wait_bridged("in-1");
    ann.refer(&mut call, "2302");
    ann.hang_up(call);
    stage.agent.lock().unwrap().process().kill();
    // What was transferred goes on; a line's id is found on the node; an extension is nobody without the agent.
    bob.refer(&mut bobs, "2302");
    bob.hang_up(bobs);
    let _ = cat.try_refer(&mut cats, "8888");
    cat.hang_up(cats);
    let back = cat.wait_call();
    let back = cat.answer(back);
    dan.connect(&mut dans, &asked);
    dan.hang_up(dans);
    dan.hang_up(asked);
    for talking in ["in-1", "in-2", "in-3", "2304", "in-4"] {
        stage.wait_bridged(talking);
    }
    cat.hang_up(back);
    third.wait_end(&to_nobody);
    first.hang_up(talks);
    second.hang_up(to_line);
    fourth.hang_up(attended);
    stage.agent.lock().unwrap().restart();
    assert_eq!(stage.story("2301", 2), ["line 2301 ANSWER by in-1", "line 2302 ANSWER by 2301"]);
    assert_eq!(stage.story("2303", 2), ["line 2303 ANSWER by in-2", "line 2302 ANSWER by 2303"]);
    assert_eq!(stage.story("2304", 2), ["line 2304 ANSWER by in-3", "line 2304 ANSWER by 2304"]);
    assert_eq!(stage.story("2305", 2), ["line 2305 ANSWER by in-4", "line 2302 ANSWER by 2305"]);
}
