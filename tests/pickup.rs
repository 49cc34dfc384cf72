//! Pickup on real phones: a line takes a call that rings elsewhere in its pickup group, or at an extension of its account, and nowhere else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;
mod records_stage;
mod transfer_stage;

use lab::wait_until;
use transfer_stage::{Plan, SOON, Stage};

const GROUPS: &str = "
    UPDATE phone_lines SET pickup_group = 'sales' WHERE id IN ('2501', '2502', '3501', '2503');
    UPDATE phone_lines SET pickup_group = 'race' WHERE id IN ('2511', '2512', '2513');
    UPDATE phone_lines SET pickup_group = 'service' WHERE id = '2504';
    UPDATE phone_lines SET pickup_group = 'help' WHERE id IN ('2519', '2520');
    INSERT INTO numbers (number, account_id, queue) VALUES ('12145559001', 'acme', 'support');
    INSERT INTO line_permissions (line_id, class_name, allowed) VALUES ('2514', 'internal', FALSE);
    INSERT INTO ring_groups (id, account_id, name, strategy, ring_seconds) VALUES ('desk', 'acme', 'Desk', 'together', 20);
    INSERT INTO ring_group_members (ring_group_id, position, line_id) VALUES ('desk', 1, '2507'), ('desk', 2, '2508');
    INSERT INTO extensions (account_id, extension, ring_group_id) VALUES ('acme', '2500', 'desk');
    INSERT INTO numbers (number, account_id, ring_group_id) VALUES ('12145552500', 'acme', 'desk');
";

fn stage() -> &'static Stage {
    static STAGES: mailbox_stage::Stages<Stage> = mailbox_stage::Stages::new();
    STAGES.get(|transport| {
        Plan::new()
            .handsets(&[
                "2501", "2502", "2503", "2504", "2505", "2506", "2507", "2508", "2509", "2510", "2511", "2512", "2513",
                "2514", "2515", "2516", "2517", "2518", "2519", "2520",
            ])
            .strangers("free", &["3501"])
            .carriers(&["in-1", "in-2", "in-3", "in-4", "in-5", "in-6"])
            .append("queues.conf", "[support]\nmember => PJSIP/2519\n")
            .sql(GROUPS)
            .by(transport)
            .start()
    })
}

conversations! {
    fn a_line_picks_up_in_its_group_and_is_the_one_that_answered() {
        let stage = stage();
        let (mut carrier, mut alice, mut bob) = (stage.phone("in-1"), stage.phone("2501"), stage.phone("2502"));
        let mut others = [stage.phone("3501"), stage.phone("2504")];
        let outside = carrier.start_call(stage.asterisk.address(), "12145552501");
        let rings = alice.wait_call();
        // The same word in another account is another group; nor is an extension of ours one of theirs.
        for number in ["*8", "**2501"] {
            assert!(others[0].try_call(stage.asterisk.address(), number).0.is_none());
        }
        assert!(others[1].try_call(stage.asterisk.address(), "*8").0.is_none(), "another group of the account");
        let mut taken = bob.call(stage.asterisk.address(), "*8");
        alice.wait_given_up(&rings);
        let outside = carrier.finish_call(outside).0.expect("it is answered");
        stage.wait_bridged("2502");
        stage.wait_heard(&carrier, &bob);
        // It is the picker's call now, who may hand it on.
        let mut carol = stage.phone("2503");
        bob.start_refer(&mut taken, "2503");
        bob.hang_up(taken);
        let rings = carol.wait_call();
        let talks = carol.answer(rings);
        stage.wait_bridged("2503");
        carol.hang_up(talks);
        carrier.wait_end(&outside);
        assert_eq!(stage.story("2502", 2), ["line 2502 ANSWER by in-1", "line 2503 ANSWER by 2502"]);
        // One call, of the outside caller, which the picker answered and transferred.
        let calls = "SELECT * FROM call_records WHERE direction IS NOT NULL AND (line_id = '2502' OR gateway_id = 'in-1')";
        wait_until("the call's record", SOON, || stage.rows(calls).len() == 1);
        assert_eq!(stage.rows(calls)[0].all(["line_id", "account_id", "number"]), ["2502", "acme", "2503"]);
        let missed = "SELECT * FROM call_records WHERE reason = 'pickup-none' AND line_id IN ('2504', '3501')";
        wait_until("those who found nothing", SOON, || stage.rows(missed).len() == 3);
    }

    fn a_given_extension_is_picked_up_by_any_line_of_the_account() {
        let stage = stage();
        let (mut carrier, mut alice, mut bob) = (stage.phone("in-2"), stage.phone("2505"), stage.phone("2506"));
        let outside = carrier.start_call(stage.asterisk.address(), "12145552505");
        let rings = alice.wait_call();
        let taken = bob.call(stage.asterisk.address(), "**2505");
        alice.wait_given_up(&rings);
        let outside = carrier.finish_call(outside).0.expect("it is answered");
        bob.hang_up(taken);
        carrier.wait_end(&outside);
        assert_eq!(stage.story("2506", 1), ["line 2506 ANSWER by in-2"]);
    }

    fn who_picks_up_is_shown_as_whom_the_caller_called() {
        let stage = stage();
        let [mut alice, mut bob, mut carol, mut dave] = ["2515", "2516", "2517", "2518"].map(|id| stage.phone(id));
        let placed = alice.start_call(stage.asterisk.address(), "2516");
        let rings = bob.wait_call();
        let taken = carol.call(stage.asterisk.address(), "**2516");
        bob.wait_given_up(&rings);
        let mut call = alice.finish_call(placed).0.expect("it is answered");
        stage.wait_bridged("2517");
        alice.start_refer(&mut call, "2518");
        alice.hang_up(call);
        let rings = dave.wait_call();
        let from = rings.header("From");
        assert!(from.contains("sip:2516@"), "not what the phone says of itself: {from}");
        carol.hang_up(taken);
        dave.wait_given_up(&rings);
    }

    fn a_queue_is_picked_up_in_the_group_of_its_member() {
        let stage = stage();
        let (mut carrier, mut alice, mut bob) = (stage.phone("in-6"), stage.phone("2519"), stage.phone("2520"));
        let outside = carrier.start_call(stage.asterisk.address(), "12145559001");
        let rings = alice.wait_call();
        let taken = bob.call(stage.asterisk.address(), "*8");
        alice.wait_given_up(&rings);
        let outside = carrier.finish_call(outside).0.expect("it is answered");
        stage.wait_heard(&carrier, &bob);
        bob.hang_up(taken);
        carrier.wait_end(&outside);
        assert_eq!(stage.story("2520", 1), ["line 2520 ANSWER by in-6"]);
    }

    fn a_ring_group_is_picked_up_by_its_extension() {
        let stage = stage();
        let (mut carrier, mut bob) = (stage.phone("in-3"), stage.phone("2509"));
        let mut desk = [stage.phone("2507"), stage.phone("2508")];
        let outside = carrier.start_call(stage.asterisk.address(), "12145552500");
        let rings = desk.each_mut().map(|phone| phone.wait_call());
        let taken = bob.call(stage.asterisk.address(), "**2500");
        for (phone, rings) in desk.iter_mut().zip(&rings) {
            phone.wait_given_up(rings);
        }
        let outside = carrier.finish_call(outside).0.expect("it is answered");
        bob.hang_up(taken);
        carrier.wait_end(&outside);
        assert_eq!(stage.story("2509", 1), ["line 2509 ANSWER by in-3"]);
    }

    fn where_nothing_rings_the_phone_hears_so() {
        let stage = stage();
        let mut bob = stage.phone("2510");
        for number in ["*8", "**2510", "**999", "**-"] {
            let (taken, status) = bob.try_call(stage.asterisk.address(), number);
            assert!(taken.is_none() && status >= 400, "{number}: {status}");
        }
        // Who may not call within the account takes no calls of it.
        let mut outcast = stage.phone("2514");
        for number in ["*8", "701", "*68"] {
            assert!(outcast.try_call(stage.asterisk.address(), number).0.is_none(), "{number}");
        }
        let refused = "SELECT * FROM call_records WHERE line_id = '2514' AND reason = 'class-forbidden'";
        wait_until("three refusals", SOON, || stage.rows(refused).len() == 3);
    }

    fn of_two_who_pick_up_at_once_one_has_the_call() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-4"), stage.phone("2511"));
        let mut pickers = [stage.phone("2512"), stage.phone("2513")];
        let outside = carrier.start_call(stage.asterisk.address(), "12145552511");
        let rings = alice.wait_call();
        let calls = pickers.each_mut().map(|picker| picker.start_call(stage.asterisk.address(), "*8"));
        let mut taken = Vec::new();
        for (picker, call) in pickers.iter_mut().zip(calls) {
            taken.push(picker.finish_call(call).0);
        }
        alice.wait_given_up(&rings);
        let outside = carrier.finish_call(outside).0.expect("it is answered");
        assert_eq!(taken.iter().flatten().count(), 1, "{taken:?}");
        carrier.hang_up(outside);
    }
}
