//! Call records from real calls: what SIPp saw, beside the rows that the agent shipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod records_stage;

use std::time::Duration;

use lab::{Manner, Message, wait_until};
use records_stage::{Row, ask, charged_seconds, node, since, wait_rows};

/// Between a message and its note in SIPp's log.
const NOTED: i64 = 150;

fn find<'a>(messages: &'a [Message], received: bool, first_line: &str, sequence: &str) -> &'a Message {
    let fits = |message: &&Message| {
        message.received == received
            && message.first_line.starts_with(first_line)
            && message.header("CSeq").is_some_and(|cseq| cseq.ends_with(sequence))
    };
    messages.iter().find(fits).unwrap_or_else(|| panic!("no {first_line} {sequence}"))
}

fn between(earlier: &Message, later: &Message) -> i64 {
    i64::try_from(later.at.checked_sub(earlier.at).unwrap().as_millis()).unwrap()
}

/// What a side of an attempt must cost, by the rate as the database has it.
fn priced(attempt: &Row, side: &str, rate: &Row) {
    let [minute, fee, initial, increment] =
        ["per_minute_micros", "connect_fee_micros", "initial_seconds", "increment_seconds"].map(|c| rate.number(c));
    let seconds = charged_seconds(attempt.number("talk_ms"), initial, increment);
    let micros = fee + (minute * seconds + 59) / 60;
    let has = ["seconds", "micros", "per_minute_micros", "connect_fee_micros", "initial_seconds", "increment_seconds"]
        .map(|column| attempt.number(&format!("{side}_{column}")));
    assert_eq!(has, [seconds, micros, minute, fee, initial, increment], "{side}");
    assert!(micros > 0);
}

#[test]
fn an_answered_call_is_recorded_as_sip_saw_it_and_priced_to_the_unit() {
    let node = node(&[])
        .sql("UPDATE rates SET connect_fee_micros = 150, initial_seconds = 1, increment_seconds = 2 WHERE prefix = '1512'")
        .sql("UPDATE rates SET connect_fee_micros = 7001 WHERE deck_version_id = 1 AND prefix = '1'")
        .start();
    let call = node.peer("1001").call(node.asterisk.address(), "95125550123").talks(Duration::from_millis(2300)).run();
    assert_eq!(call.status(), 200);
    let (calls, attempts) = wait_rows(&node, 1, 1);
    let (call_row, attempt) = (&calls[0], &attempts[0]);

    let carrier = node.peer("gw-a").messages();
    let invite = find(&call.messages, false, "INVITE ", "INVITE");
    let heard_answer = find(&call.messages, true, "SIP/2.0 200", "INVITE");
    let hung_up = find(&call.messages, false, "BYE ", "BYE");
    let gave_answer = find(&carrier, false, "SIP/2.0 200", "INVITE");
    let heard_bye = find(&carrier, true, "BYE ", "BYE");
    // What causes comes first: the rows lie between what happened before them and after them.
    for (row, from) in [(call_row, "call"), (attempt, "attempt")] {
        assert!(since(invite, row.time("started_at")) >= -NOTED, "{from}");
        assert!(since(gave_answer, row.time("answered_at")) >= -NOTED, "{from}");
        assert!(since(heard_answer, row.time("answered_at")) <= NOTED, "{from}");
        assert!(since(hung_up, row.time("ended_at")) >= -NOTED, "{from}");
        let talk = row.number("talk_ms");
        assert!(talk >= between(heard_answer, hung_up) - NOTED, "{from}: {talk}");
        assert!(talk <= between(gave_answer, heard_bye) + NOTED, "{from}: {talk}");
        assert_eq!(row.get("clock_doubtful"), "0");
    }

    let columns = ["disposition", "direction", "line_id", "gateway_id", "account_id", "number", "class", "reason"];
    assert_eq!(call_row.all(columns), ["ANSWERED", "outbound", "1001", "", "acme", "15125550123", "national", ""]);
    assert_eq!(call_row.all(["dst", "cause", "emergency", "context"]), ["95125550123", "16", "0", "tandem-call"]);
    let columns = ["number", "kind", "name", "status", "cause", "sip_code", "line_id", "account_id", "called_number"];
    assert_eq!(attempt.all(columns), ["1", "gateway", "gw-a", "ANSWER", "16", "200", "1001", "acme", "15125550123"]);
    for column in ["node", "boot", "uniqueid", "linkedid"] {
        assert_eq!(call_row.get(column), attempt.get(column));
        assert_ne!(attempt.get(column), "");
    }
    assert!(attempt.number("post_dial_delay_ms") >= 0);

    let rate = |version: i64, prefix: &str| {
        ask(&node, &format!("SELECT * FROM rates WHERE deck_version_id = {version} AND prefix = '{prefix}'")).remove(0)
    };
    let columns = ["buy_deck_id", "buy_deck_version_id", "buy_prefix", "buy_currency"];
    assert_eq!(attempt.all(columns), ["cheap", "2", "1512", "USD"]);
    priced(attempt, "buy", &rate(2, "1512"));
    let columns = ["sell_deck_id", "sell_deck_version_id", "sell_prefix", "sell_currency"];
    assert_eq!(attempt.all(columns), ["retail", "1", "1", "USD"]);
    priced(attempt, "sell", &rate(1, "1"));

    let view = &ask(&node, "SELECT * FROM calls")[0];
    let columns = ["carried_by", "sip_code", "attempts", "destination", "account", "line", "price_currency"];
    assert_eq!(
        view.all(columns),
        ["gw-a", "200", "1", "North America", "Acme \"Rockets\", Inc.", "Alice \"A\", O'Hara ${SHELL(id)}", "USD"]
    );
    let price: f64 = view.get("price").parse().unwrap();
    assert!((price * 1e6 - attempt.number("sell_micros") as f64).abs() < 0.01, "{price}");
    assert_eq!(node.asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn the_price_is_that_of_the_decision_even_if_the_deck_changes_during_the_call() {
    let node = node(&[]).start();
    let call = node.peer("1001").call(node.asterisk.address(), "5125550123").talks(Duration::from_secs(2)).start();
    let _ = node.peer("gw-a").wait_invite(1, Duration::from_secs(5));
    node.agent.plan().sql("UPDATE rates SET per_minute_micros = 999999");
    assert_eq!(call.finish().status(), 200);
    let (_, attempts) = wait_rows(&node, 1, 1);
    // 0.00145 a minute by 6/6, and 0.02 by 60/6.
    assert_eq!(attempts[0].all(["buy_micros", "sell_micros", "sell_per_minute_micros"]), ["145", "20000", "20000"]);
}

#[test]
fn audio_of_both_legs_is_measured() {
    let node = node(&[("gw-a", Manner::Echoes)]).start();
    let voice = node.peer("1001").voice();
    let call = node
        .peer("1001")
        .call(node.asterisk.address(), "5125550123")
        .talks(Duration::from_secs(60))
        .voice(&voice)
        .start();
    call.wait_voice();
    voice.tone(440, Duration::from_millis(600));
    voice.lose(7);
    // Asterisk counts what is lost when it reports (RTCP), each 5 s.
    voice.tone(440, Duration::from_secs(6));
    wait_until("the echo", Duration::from_secs(20), || voice.heard_tone(440) >= Duration::from_secs(6));
    call.hang_up();
    let (calls, attempts) = wait_rows(&node, 1, 1);
    for (row, from) in [(&calls[0], "caller"), (&attempts[0], "called")] {
        assert_eq!(row.get("codec"), "ulaw", "{from}");
        assert!(row.number("packets_in") >= 40 && row.number("packets_out") >= 40, "{from}: {row:?}");
        assert!(row.number("jitter_in_us") >= 0 && row.number("round_trip_us") >= 0, "{from}: {row:?}");
    }
    assert_eq!(calls[0].number("lost_in"), 7);
}

#[test]
fn a_caller_id_forges_no_record() {
    let node = node(&[]).start();
    let forged = "%22%0A%22tandem-call-1%22%2C%22boot%22%2C%22x%22";
    let name = r#"\", \"tandem-attempt-1\",\"; DROP TABLE"#;
    // The agent refuses a prelude with forged lines, and the node alone takes no call of a carrier.
    let call = node.peer("gw-a").call(node.asterisk.address(), "12145550101").claims(forged, name).run();
    assert_eq!(call.status(), 503);
    let (calls, _) = wait_rows(&node, 1, 0);
    assert_eq!(calls[0].all(["direction", "gateway_id", "account_id", "reason"]), ["inbound", "gw-a", "", "no-agent"]);
    assert!(calls[0].get("clid").contains("tandem-call-1"), "the name is kept as it came: {}", calls[0].get("clid"));
    let status = node.agent.plan().tandem_ok(&["records", "status"]);
    assert!(status.contains("quarantine   0 rows"), "{status}");
}

#[test]
fn boot_stays_with_a_reload_and_changes_with_asterisk() {
    let mut node = node(&[]).start();
    assert_eq!(node.dial("1001", "102").status(), 200);
    node.asterisk.command("dialplan reload");
    assert_eq!(node.dial("1001", "102").status(), 200);
    let (calls, _) = wait_rows(&node, 2, 2);
    assert_eq!(calls[0].get("boot"), calls[1].get("boot"));
    node.asterisk.restart();
    assert_eq!(node.dial("1001", "102").status(), 200);
    let (calls, _) = wait_rows(&node, 3, 3);
    let boots: std::collections::BTreeSet<&str> = calls.iter().map(|call| call.get("boot")).collect();
    assert!(boots.len() == 2 && !boots.contains(""), "{boots:?}");
    let sequences: Vec<&str> = calls.iter().map(|call| call.get("sequence")).collect();
    assert_eq!(sequences.iter().filter(|sequence| **sequence == "0").count(), 2, "it begins anew: {sequences:?}");
}

/// The same two calls in the other databases, by the view for people.
#[test]
fn mariadb_and_postgres_show_the_same_calls() {
    let (mariadb, postgres) = (lab::MariaDb::start(), lab::Postgres::start());
    let question = "SELECT CONCAT_WS('|', direction, account, line, number, destination, carried_by, attempts, price, price_currency, \
                    cost, cost_currency) FROM calls ORDER BY started_at";
    for url in [mariadb.url(), postgres.url()] {
        let plan = lab::Agent::builder().set("database.urls", &url).set("records.batch_ms", "100");
        plan.tandem_ok(&["migrate"]);
        records_stage::run(&url, include_str!("data/provider.sql"));
        let [phone, bob, a, b] = [(); 4].map(|()| lab::Sipp::start(Manner::Answers));
        let asterisk = lab::Asterisk::builder()
            .agent(plan.agi())
            .line("1001", phone.address())
            .line("1002", bob.address())
            .gateway("gw-a", a.address())
            .gateway("carrier-b", b.address())
            .start();
        let _agent = plan.ships(&asterisk).start();
        assert_eq!(phone.call(asterisk.address(), "5125550123").run().status(), 200);
        assert_eq!(phone.call(asterisk.address(), "102").run().status(), 200);
        let rows = || records_stage::texts(&url, question);
        wait_until("two calls", Duration::from_secs(20), || rows().len() == 2);
        let line = "Acme \"Rockets\", Inc.|Alice \"A\", O'Hara ${SHELL(id)}";
        assert_eq!(
            rows(),
            [
                format!("outbound|{line}|15125550123|North America|gw-a|1|0.020000|USD|0.000145|USD"),
                format!("internal|{line}|102|1002|1"),
            ]
        );
    }
}
