//! However a call ends, its record and its attempts tell so; nobody pays for what was not answered.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod records_stage;

use std::time::Duration;

use lab::Manner::{self, Dead, Refuses, Rings};
use records_stage::{Row, node, wait_rows};

/// Disposition, direction, reason and cause of a record.
fn ended(call: &Row) -> [&str; 4] {
    call.all(["disposition", "direction", "reason", "cause"])
}

/// `gw-a BUSY 486`, and the code of the others.
fn tried(attempts: &[Row]) -> String {
    let short = |attempt: &Row| attempt.all(["name", "status", "sip_code"]).join(" ");
    attempts.iter().map(short).collect::<Vec<_>>().join(", ")
}

/// A call of line 1001 to a number in Austin, by carriers of these manners.
fn dial(a: Manner, b: Manner, attempts: usize) -> (u16, Row, Vec<Row>) {
    let node = node(&[("gw-a", a), ("carrier-b", b)]).start();
    let status = node.dial("1001", "5125550123").status();
    let (mut calls, attempts) = wait_rows(&node, 1, attempts);
    (status, calls.remove(0), attempts)
}

fn free(attempt: &Row) {
    let columns =
        ["buy_seconds", "buy_micros", "sell_seconds", "sell_micros", "talk_ms", "answered_at", "leg_uniqueid"];
    assert_eq!(attempt.all(columns), ["0", "0", "0", "0", "0", "", ""], "{attempt:?}");
}

#[test]
fn a_busy_number() {
    let (status, call, attempts) = dial(Refuses(486), Manner::Answers, 1);
    assert_eq!(status, 486);
    assert_eq!(ended(&call), ["BUSY", "outbound", "", "17"]);
    assert_eq!(tried(&attempts), "gw-a BUSY 486");
    free(&attempts[0]);
}

#[test]
fn a_call_that_failed_over_costs_what_the_second_gateway_charges() {
    let (status, call, attempts) = dial(Refuses(503), Manner::Answers, 2);
    assert_eq!(status, 200);
    assert_eq!(ended(&call), ["ANSWERED", "outbound", "", "16"]);
    assert_eq!(tried(&attempts), "gw-a CONGESTION 503, gw-b ANSWER 200");
    free(&attempts[0]);
    // 0.006 EUR a minute by the second, 0.02 USD by 60/6.
    assert_eq!(
        attempts[1].all(["buy_deck_id", "buy_currency", "sell_currency", "sell_micros"]),
        ["dear", "EUR", "USD", "20000"]
    );
    assert_eq!(attempts[1].number("buy_micros"), 100 * attempts[1].number("buy_seconds"));
    assert_eq!(attempts.iter().map(|attempt| attempt.get("number")).collect::<Vec<_>>(), ["1", "2"]);
}

#[test]
fn a_call_that_no_gateway_took() {
    let (status, call, attempts) = dial(Refuses(503), Refuses(500), 2);
    assert_eq!(status, 503);
    assert_eq!(ended(&call)[1..], ["outbound", "routes-exhausted", "34"]);
    assert_eq!(tried(&attempts), "gw-a CONGESTION 503, gw-b CHANUNAVAIL 500");
    attempts.iter().for_each(free);
}

#[test]
fn a_gateway_that_is_gone() {
    let (status, _, attempts) = dial(Dead, Manner::Answers, 2);
    assert_eq!((status, tried(&attempts).as_str()), (200, "gw-a CHANUNAVAIL , gw-b ANSWER 200"));
    free(&attempts[0]);
}

#[test]
fn a_caller_who_gives_up() {
    let node = node(&[("gw-a", Rings)]).start();
    let call = node.peer("1001").call(node.asterisk.address(), "5125550123").gives_up_after(Duration::from_millis(300));
    assert_eq!(call.run().status(), 487);
    let (calls, attempts) = wait_rows(&node, 1, 1);
    assert_eq!(ended(&calls[0])[..3], ["NO ANSWER", "outbound", ""]);
    assert_eq!(tried(&attempts), "gw-a CANCEL ");
    assert!(attempts[0].number("post_dial_delay_ms") >= 0, "it rang");
    free(&attempts[0]);
}

#[test]
fn a_number_that_rings_in_vain() {
    let node = node(&[("gw-a", Rings)]).sql("UPDATE gateways SET ring_seconds = 1").start();
    assert_ne!(node.dial("1001", "5125550123").status(), 200);
    let (calls, attempts) = wait_rows(&node, 1, 1);
    assert_eq!(calls[0].all(["direction", "answered_at", "talk_ms"]), ["outbound", "", "0"]);
    assert_eq!(attempts[0].all(["name", "status", "cause"]), ["gw-a", "NOANSWER", "19"]);
    free(&attempts[0]);
}

#[test]
fn a_call_that_the_agent_refuses() {
    let node = node(&[]).start();
    assert_eq!(node.dial("1001", "19005550123").status(), 403);
    let (calls, _) = wait_rows(&node, 1, 0);
    assert_eq!(ended(&calls[0])[1..], ["outbound", "class-forbidden", "21"]);
    assert_eq!(calls[0].all(["account_id", "line_id", "number", "class"]), ["acme", "1001", "19005550123", "premium"]);
}

#[test]
fn internal_inbound_and_emergency_calls() {
    let node = node(&[]).start();
    assert_eq!(node.dial("1001", "102").status(), 200);
    assert_eq!(node.dial("gw-a", "12145550101").status(), 200);
    assert_eq!(node.dial("1001", "911").status(), 200);
    let (calls, attempts) = wait_rows(&node, 3, 3);
    let who = ["direction", "line_id", "gateway_id", "account_id", "number", "class", "emergency"];
    assert_eq!(calls[0].all(who), ["internal", "1001", "", "acme", "102", "internal", "0"]);
    assert_eq!(calls[1].all(who), ["inbound", "", "gw-a", "acme", "12145550101", "", "0"]);
    assert_eq!(calls[2].all(who), ["outbound", "1001", "", "acme", "911", "emergency", "1"]);
    assert_eq!(tried(&attempts), "1002 ANSWER 200, 1001 ANSWER 200, em-1 ANSWER 200");
    for attempt in &attempts {
        assert_eq!(attempt.all(["buy_micros", "sell_micros"]), ["", ""], "no rate was decided by");
    }
}

#[test]
fn a_ring_group_is_one_attempt_and_its_record_tells_of_the_phone_that_answered() {
    for manners in [[("1001", Rings), ("1002", Manner::Answers)], [("1001", Manner::Answers), ("1002", Rings)]] {
        let node = node(&manners).start();
        assert_eq!(
            node.peer("gw-a").call(node.asterisk.address(), "12145550100").talks(Duration::from_secs(1)).run().status(),
            200
        );
        let (calls, attempts) = wait_rows(&node, 1, 1);
        assert_eq!(ended(&calls[0]), ["ANSWERED", "inbound", "", "16"]);
        assert_eq!(tried(&attempts), "sales ANSWER 200");
        assert_ne!(attempts[0].get("leg_uniqueid"), "");
        assert_eq!(calls[0].get("answered_at"), attempts[0].get("answered_at"));
        assert!((900..3000).contains(&calls[0].number("talk_ms")), "{:?}", calls[0]);
    }
}
