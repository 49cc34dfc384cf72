//! Parked calls on real phones: each account has slots of its own, the parker hears which, and a call that nobody takes returns.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;
mod records_stage;
mod transfer_stage;

use std::time::Duration;

use lab::{Manner, Transferred, wait_until};
use transfer_stage::{Plan, SOON, Stage};

/// What the parker hears of the slot, at least, where prompts are brief: three digits.
const ANNOUNCED: Duration = Duration::from_millis(200);

fn stage() -> &'static Stage {
    static STAGES: mailbox_stage::Stages<Stage> = mailbox_stage::Stages::new();
    STAGES.get(|transport| {
        Plan::new()
            .handsets(&["2401", "2402", "2403", "2404", "2405", "2406", "2407", "2408", "2409"])
            .handsets(&["2411", "2412", "2413", "2414"])
            .strangers("free", &["3401", "3402"])
            .phones(&["2410"], Manner::Answers)
            .carriers(&["in-1", "in-2", "in-3", "in-4", "in-5"])
            .sql("INSERT INTO extensions (account_id, extension, line_id) VALUES ('acme', '719', '2410');")
            .append("res_parking.conf", "[tandem](+)\nparkingtime = 6\n")
            .by(transport)
            .start()
    })
}

impl Stage {
    /// The slot in which a channel is parked.
    fn slot(&self, account: &str, name: &str) -> String {
        let parked = || {
            let lot = self.asterisk.command(&format!("parking show tandem-{account}"));
            let (_, spaces) = lot.split_once("Parked Calls")?;
            let mut slot = String::new();
            for line in spaces.lines() {
                if let Some((_, space)) = line.split_once("Space") {
                    slot = space.trim_matches(|char: char| !char.is_ascii_digit()).to_owned();
                }
                if line.contains(&format!("PJSIP/{name}-")) {
                    return Some(slot);
                }
            }
            None
        };
        wait_until(&format!("{name} parked"), SOON, || parked().is_some());
        parked().unwrap()
    }
}

conversations! {
    fn a_parked_call_is_taken_by_any_line_of_the_account() {
        let stage = stage();
        let (mut carrier, mut alice, mut bob) = (stage.phone("in-1"), stage.phone("2401"), stage.phone("2402"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2401");
        stage.wait_bridged("2401");
        let before = alice.voice().heard_sound();
        assert_eq!(alice.try_refer(&mut call, "*68"), Transferred::Told(200));
        assert!(alice.voice().heard_sound() - before > ANNOUNCED, "the parker hears the slot");
        alice.hang_up(call);
        let slot = stage.slot("acme", "in-1");
        let taken = bob.call(stage.asterisk.address(), &slot);
        stage.wait_bridged("2402");
        stage.wait_heard(&carrier, &bob);
        bob.hang_up(taken);
        carrier.wait_end(&outside);
        assert_eq!(stage.story("2401", 1), ["line 2401 ANSWER by in-1"]);
        let taker = "SELECT * FROM call_records WHERE line_id = '2402'";
        wait_until("the taker's record", SOON, || stage.rows(taker).len() == 1);
        assert_eq!(stage.rows(taker)[0].all(["account_id", "number", "class"]), ["acme", &slot, "internal"]);
        let linked = "SELECT DISTINCT linkedid FROM call_records WHERE line_id IN ('2401', '2402') OR gateway_id = 'in-1'";
        assert_eq!(stage.rows(linked).len(), 1, "{:#?}", stage.rows("SELECT * FROM call_records"));
    }

    fn accounts_do_not_see_each_others_slots() {
        let stage = stage();
        let (mut carrier, mut alice, mut eve) = (stage.phone("in-2"), stage.phone("2403"), stage.phone("3401"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2403");
        stage.wait_bridged("2403");
        assert_eq!(alice.try_refer(&mut call, "*68"), Transferred::Told(200));
        alice.hang_up(call);
        let slot = stage.slot("acme", "in-2");
        // The stranger's account has parked nothing there, then something of its own.
        for _ in 0..2 {
            let heard = eve.voice().heard_sound();
            let nothing = eve.call(stage.asterisk.address(), &slot);
            eve.wait_end(&nothing);
            assert!(eve.voice().heard_sound() > heard, "the phone hears that nobody is there");
            assert_eq!(stage.slot("acme", "in-2"), slot, "the call is parked as before");
        }
        let own = eve.call(stage.asterisk.address(), "*68");
        wait_until("the stranger's slot", SOON, || stage.asterisk.command("parking show tandem-free").contains("PJSIP/3401-"));
        assert_eq!(stage.slot("free", "3401"), "701");
        eve.hang_up(own);
        carrier.hang_up(outside);
    }

    fn a_call_that_nobody_takes_returns_to_the_parker() {
        let stage = stage();
        let (mut carrier, mut alice) = (stage.phone("in-3"), stage.phone("2404"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2404");
        stage.wait_bridged("2404");
        assert_eq!(alice.try_refer(&mut call, "*68"), Transferred::Told(200));
        alice.hang_up(call);
        let _ = stage.slot("acme", "in-3");
        let back = alice.wait_call();
        let back = alice.answer(back);
        stage.wait_bridged("2404");
        alice.hang_up(back);
        carrier.wait_end(&outside);
        assert_eq!(stage.story("2404", 2), ["line 2404 ANSWER by in-3", "line 2404 ANSWER by 2404"]);
        stage.wait_reasons("2404", &["park-returned"]);
    }

    fn keys_park() {
        let stage = stage();
        let (mut carrier, mut alice, mut bob) = (stage.phone("in-4"), stage.phone("2405"), stage.phone("2406"));
        let (outside, call) = stage.call_in(&mut carrier, &mut alice, "2405");
        stage.wait_bridged("2405");
        alice.voice().press("##");
        alice.voice().pause(Duration::from_millis(600));
        alice.voice().press("*68#");
        let slot = stage.slot("acme", "in-4");
        alice.wait_end(&call);
        let taken = bob.call(stage.asterisk.address(), &slot);
        stage.wait_bridged("2406");
        // Whoever has taken it may hand it on.
        bob.voice().press("##");
        bob.voice().pause(Duration::from_millis(600));
        bob.voice().press("2410#");
        bob.wait_end(&taken);
        stage.wait_bridged("2410");
        carrier.hang_up(outside);
        assert_eq!(stage.story("2406", 2), ["line 2405 ANSWER by in-4", "line 2410 ANSWER by 2406"]);
    }

    fn a_line_hears_the_slot_before_it_transfers_into_it() {
        let stage = stage();
        let (mut carrier, mut alice, mut bob) = (stage.phone("in-5"), stage.phone("2407"), stage.phone("2408"));
        let (outside, mut call) = stage.call_in(&mut carrier, &mut alice, "2407");
        let second = alice.call(stage.asterisk.address(), "*68");
        let slot = stage.slot("acme", "2407");
        wait_until("the slot is told", SOON, || alice.voice().heard_sound() > ANNOUNCED);
        alice.connect(&mut call, &second);
        alice.hang_up(call);
        alice.hang_up(second);
        assert_eq!(stage.slot("acme", "in-5"), slot);
        let taken = bob.call(stage.asterisk.address(), &slot);
        stage.wait_bridged("2408");
        bob.hang_up(taken);
        carrier.wait_end(&outside);
    }

    fn who_takes_a_parked_call_is_not_shown_as_the_phone_says() {
        let stage = stage();
        let [mut alice, mut bob, mut carol, mut dave] = ["2411", "2412", "2413", "2414"].map(|id| stage.phone(id));
        let placed = alice.start_call(stage.asterisk.address(), "2412");
        let rings = bob.wait_call();
        let mut call = bob.answer(rings);
        let mut parked = alice.finish_call(placed).0.expect("it is answered");
        stage.wait_bridged("2412");
        bob.start_refer(&mut call, "*68");
        let taken = carol.call(stage.asterisk.address(), &stage.slot("acme", "2411"));
        stage.wait_bridged("2413");
        alice.start_refer(&mut parked, "2414");
        alice.hang_up(parked);
        let rings = dave.wait_call();
        let from = rings.header("From");
        assert!(from.contains("sip:2411@"), "who hands on is shown, since who is handed on is not known: {from}");
        carol.hang_up(taken);
        dave.wait_given_up(&rings);
    }

    fn an_extension_of_the_account_is_no_slot() {
        let stage = stage();
        let mut alice = stage.phone("3402");
        let (refused, status) = alice.try_call(stage.asterisk.address(), "719");
        assert!(refused.is_some(), "of another account it is a slot, where nobody is: {status}");
        let (mut bob, before) = (stage.phone("2409"), stage.peer("2410").invites().len());
        let call = bob.call(stage.asterisk.address(), "719");
        let _ = stage.peer("2410").wait_invite(before + 1, SOON);
        bob.hang_up(call);
    }
}

#[test]
fn an_emergency_number_is_no_slot() {
    let stage = Plan::new()
        .handsets(&["2451"])
        .set("emergency.gateways", "gw-a")
        .global("TANDEM_PARK_SLOTS", "901-920")
        .start();
    let mut alice = stage.phone("2451");
    let call = alice.call(stage.asterisk.address(), "911");
    alice.hang_up(call);
    assert_eq!(stage.story("2451", 1), ["gateway gw-a ANSWER by 2451"]);
    stage.wait_reasons("2451", &["emergency"]);
}

#[test]
fn where_every_slot_is_taken_the_transferrer_keeps_the_call_and_hears_so() {
    let stage = Plan::new()
        .handsets(&["2461", "2462", "2463"])
        .carriers(&["in-1", "in-2"])
        .global("TANDEM_PARK_SLOTS", "701-701")
        .start();
    let [mut first, mut second] = ["in-1", "in-2"].map(|id| stage.phone(id));
    let [mut alice, mut bob, mut carol] = ["2461", "2462", "2463"].map(|id| stage.phone(id));
    let (parked, mut alices) = stage.call_in(&mut first, &mut alice, "2461");
    let (talks, mut bobs) = stage.call_in(&mut second, &mut bob, "2462");
    stage.wait_bridged("2461");
    alice.start_refer(&mut alices, "*68");
    assert_eq!(stage.slot("acme", "in-1"), "701");
    stage.wait_bridged("2462");
    let before = bob.voice().heard_sound();
    let _ = bob.try_refer(&mut bobs, "*68");
    wait_until("a prompt", SOON, || bob.voice().heard_sound() > before);
    stage.wait_bridged("2462");
    let mut own = carol.call(stage.asterisk.address(), "*68");
    carol.wait_end(&own);
    own = carol.call(stage.asterisk.address(), "701");
    stage.wait_bridged("2463");
    carol.hang_up(own);
    first.wait_end(&parked);
    bob.hang_up(bobs);
    second.wait_end(&talks);
}
