//! What lines want done with calls to them, in real calls: forwarding, do not disturb, find me, screening, and the codes that are dialled for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod mailbox_stage;
mod records_stage;

use std::collections::BTreeMap;
use std::time::Duration;

use lab::{Manner, Node, NodeBuilder, wait_until};
use mailbox_stage::{SOON, Stage};
use records_stage::{ask, wait_rows};

/// A node whose line 1002 has these features; what a manner is not told answers.
fn node(manners: &[(&str, Manner)], sql: &str) -> Node {
    records_stage::node(manners).sql(sql).start()
}

/// Attempts in short: `line 1002 BUSY 1001`, with the line whose call it was.
fn attempts(node: &Node, calls: usize, attempts: usize) -> Vec<String> {
    let (_, attempts) = wait_rows(node, calls, attempts);
    attempts.iter().map(|attempt| attempt.all(["kind", "name", "status", "line_id"]).join(" ")).collect()
}

#[test]
fn a_call_is_forwarded_always() {
    let sql = "INSERT INTO line_features (line_id, forward_always) VALUES ('1002', '95125550123');
        UPDATE numbers SET line_id = '1002' WHERE number = '12145550101'";
    let node = node(&[], sql);
    assert_eq!(node.dial("1001", "102").status(), 200);
    assert_eq!(attempts(&node, 1, 1), ["gateway gw-a ANSWER 1002"], "the forwarding line's call");
    let (calls, attempts) = wait_rows(&node, 1, 1);
    assert_eq!(calls[0].all(["line_id", "dst", "number", "reason"]), ["1001", "102", "102", "forwarded"]);
    assert_eq!(
        attempts[0].all(["account_id", "called_number", "shown_number"]),
        ["acme", "15125550123", "+12145550100"]
    );
    assert_eq!(node.peer("1002").invites().len(), 0);
    // The carrier is told who forwards, and whom to bill (RFC 5806).
    let diversion = "<sip:+12145550100@tandem.invalid>;reason=unconditional;counter=1;privacy=off";
    assert_eq!(node.peer("gw-a").invites()[0].header("Diversion"), Some(diversion));
    // A phone may withhold the number by itself (RFC 3323), and its user show it all the same.
    let withholds = |dialled: &str| node.peer("1001").call(node.asterisk.address(), dialled).header("Privacy: id");
    assert_eq!(withholds("95125550123").run().status(), 200);
    assert_eq!(withholds("*8295125550123").run().status(), 200);
    let invites = node.peer("gw-a").invites();
    assert_eq!(invites[1..].iter().map(lab::Message::caller).collect::<Vec<_>>(), ["anonymous", "+12145550101"]);
    assert_eq!((invites[1].asserted(), invites[1].header("Diversion")), (Some("+12145550101"), None));
    // What comes back from the carrier does not go round for ever.
    let comes_back = |counter: u32| {
        let header = format!("Diversion: <sip:+12145550100@carrier.example>;reason=unconditional;counter={counter}");
        node.peer("gw-a").call(node.asterisk.address(), "12145550101").header(&header).run().status()
    };
    assert_eq!((comes_back(4), comes_back(5)), (200, 603));
    let invites = node.peer("gw-a").invites();
    assert!(invites.last().unwrap().header("Diversion").unwrap().contains("counter=5"), "{invites:#?}");
    let loops = "SELECT * FROM call_records WHERE reason = 'forward-loop'";
    wait_until("the loop's record", SOON, || ask(&node, loops).len() == 1);
    assert_eq!(node.asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn what_is_forwarded_for_others_has_a_place_of_the_account_that_pays() {
    let sql = "INSERT INTO line_features (line_id, forward_always) VALUES ('1001', '95125550123');
        UPDATE accounts SET max_calls = 1 WHERE id = 'acme'";
    let node = records_stage::node(&[]).line("3001", Manner::Answers).sql(sql).start();
    let call = node.peer("3001").call(node.asterisk.address(), "12145550101");
    let mut finals = call.times(2, 10).talks(Duration::from_secs(1)).run().finals();
    finals.sort_unstable();
    assert_eq!(finals, [200, 503]);
    let full = "SELECT * FROM call_records WHERE reason = 'account-full'";
    wait_until("the refused call's record", SOON, || ask(&node, full).len() == 1);
    assert_eq!(node.asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn a_call_is_forwarded_that_the_line_does_not_take() {
    let sql = "INSERT INTO line_features (line_id, forward_busy, forward_unanswered, forward_unreachable)
        VALUES ('1002', '104', '95125550123', '95125550124'); UPDATE phone_lines SET ring_seconds = 1 WHERE id = '1002';
        UPDATE line_permissions SET allowed = TRUE WHERE line_id = '1004'";
    let mut node = node(&[("1002", Manner::Refuses(486))], sql);
    assert_eq!(node.dial("1001", "102").status(), 200);
    assert_eq!(attempts(&node, 1, 2), ["line 1002 BUSY 1001", "line 1004 ANSWER 1002"]);
    assert_eq!(node.peer("1004").invites()[0].caller(), "101", "who called is shown within the account");
    node.peer_mut("1002").change(Manner::Rings);
    assert_eq!(node.dial("1001", "102").status(), 200);
    assert_eq!(attempts(&node, 2, 4)[2..], ["line 1002 NOANSWER 1001", "gateway gw-a ANSWER 1002"]);
    node.peer_mut("1002").change(Manner::Refuses(404));
    assert_eq!(node.dial("1001", "102").status(), 200);
    assert_eq!(attempts(&node, 3, 6)[4..], ["line 1002 CHANUNAVAIL 1001", "gateway gw-a ANSWER 1002"]);
    // What never rang was not unanswered: an edge says so of a phone that is not registered, and Asterisk of one that was switched off.
    for (nth, status) in [(4, 480), (5, 408)] {
        node.peer_mut("1002").change(Manner::Refuses(status));
        assert_eq!(node.dial("1001", "102").status(), 200);
        assert_eq!(attempts(&node, nth, 2 * nth)[2 * nth - 1], "gateway gw-a ANSWER 1002");
    }
    let (_, attempts) = wait_rows(&node, 5, 10);
    let called = |nth: usize| attempts[nth].get("called_number");
    assert_eq!(
        [called(3), called(5), called(7), called(9)],
        ["15125550123", "15125550124", "15125550124", "15125550124"]
    );
    assert_eq!(node.asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn without_the_agent_a_call_that_the_line_does_not_take_ends_as_ever() {
    let sql = "INSERT INTO line_features (line_id, forward_unanswered) VALUES ('1002', '104');
        UPDATE phone_lines SET ring_seconds = 3 WHERE id = '1002'";
    let mut node = node(&[("1002", Manner::Rings)], sql);
    let call = node.peers["1001"].call(node.asterisk.address(), "102").start();
    let _ = node.peers["1002"].wait_invite(1, SOON);
    node.agent.process().kill();
    assert_eq!(call.finish().status(), 480);
    assert_eq!(node.peer("1004").invites().len(), 0);
}

#[test]
fn forwards_in_a_ring_end_with_a_prompt() {
    let sql = "INSERT INTO line_features (line_id, forward_always) VALUES ('1002', '104');
        INSERT INTO line_features (line_id, forward_busy) VALUES ('1004', '101'), ('1001', '102');
        UPDATE line_permissions SET allowed = TRUE WHERE line_id = '1004'";
    let busy = Manner::Refuses(486);
    let node = node(&[("1001", busy), ("1004", busy)], sql);
    let outcome = node.dial("1001", "102");
    // A prompt as early media, then the end.
    assert!(outcome.statuses().contains(&183), "{:?}", outcome.statuses());
    assert!(outcome.status() >= 400, "{:?}", outcome.statuses());
    let (calls, _) = wait_rows(&node, 1, 4);
    assert_eq!(calls[0].get("reason"), "forward-loop");
}

#[test]
fn a_line_is_looked_for_at_other_numbers() {
    let sql = "INSERT INTO line_features (line_id, find_me) VALUES ('1002', 'in_order');
        INSERT INTO find_me_numbers (line_id, position, number, ring_seconds) VALUES ('1002', 1, '104', 5), ('1002', 2, '95125550123', 15);
        UPDATE line_permissions SET allowed = TRUE WHERE line_id = '1004'";
    let node =
        node(&[("1002", Manner::Refuses(486)), ("1004", Manner::Refuses(486)), ("gw-a", Manner::Presses('1'))], sql);
    assert_eq!(
        node.peer("1001").call(node.asterisk.address(), "102").talks(Duration::from_secs(4)).run().status(),
        200
    );
    // The call, and that of the line to each of its numbers.
    let (calls, attempts) = wait_rows(&node, 3, 5);
    let mut tried: Vec<String> =
        attempts.iter().map(|attempt| attempt.all(["kind", "name", "status", "line_id"]).join(" ")).collect();
    tried.sort();
    assert_eq!(
        tried,
        [
            "find-me 1002 ANSWER 1001",
            "find-me 1002 BUSY 1001",
            "gateway gw-a ANSWER 1002",
            "line 1002 BUSY 1001",
            "line 1004 BUSY 1002"
        ]
    );
    let linked: BTreeMap<&str, usize> = calls.iter().fold(BTreeMap::new(), |mut linked, call| {
        *linked.entry(call.get("linkedid")).or_default() += 1;
        linked
    });
    assert_eq!(linked.len(), 1, "{calls:#?}");
    let gateway = attempts.iter().find(|attempt| attempt.get("name") == "gw-a").unwrap();
    assert!(gateway.number("sell_micros") > 0 && gateway.number("talk_ms") > 1000, "{gateway:#?}");
    assert_eq!(node.asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn lines_that_are_looked_for_at_each_other_ring_no_more_than_the_limit() {
    let sql = "INSERT INTO line_features (line_id, find_me) VALUES ('1002', 'in_order'), ('1004', 'together');
        INSERT INTO find_me_numbers (line_id, position, number) VALUES ('1002', 1, '104'), ('1004', 1, '102');
        UPDATE line_permissions SET allowed = TRUE WHERE line_id = '1004'";
    let node = node(&[("1002", Manner::Refuses(486)), ("1004", Manner::Refuses(486))], sql);
    let outcome = node.dial("1001", "102");
    assert!(outcome.status() >= 400, "{:?}", outcome.statuses());
    wait_until("the end of all channels", SOON, || node.asterisk.channels() == 0);
    let loops = "SELECT * FROM call_records WHERE reason = 'forward-loop'";
    wait_until("the loop's record", SOON, || !ask(&node, loops).is_empty());
    assert_eq!(ask(&node, loops).len(), 1);
    let rang = node.peer("1002").invites().len() + node.peer("1004").invites().len();
    assert_eq!(rang, 6, "the call, and five forwards of it");
    assert_eq!(node.asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn of_all_numbers_at_once_the_first_that_says_yes_has_the_call() {
    let sql = "INSERT INTO line_features (line_id, find_me) VALUES ('1002', 'together');
        INSERT INTO find_me_numbers (line_id, position, number, ring_seconds) VALUES ('1002', 1, '95125550123', 15);";
    // Something answers out there that does not press 1: a machine.
    let node = node(&[("1002", Manner::AnswersAfter(Duration::from_secs(9))), ("gw-a", Manner::Presses('2'))], sql);
    let outcome = node.peer("1001").call(node.asterisk.address(), "102").talks(Duration::from_secs(1)).run();
    assert_eq!(outcome.status(), 200);
    let (_, attempts) = wait_rows(&node, 2, 2);
    let of = |kind: &str| attempts.iter().find(|attempt| attempt.get("kind") == kind).unwrap();
    assert_eq!(of("find-me").get("status"), "ANSWER");
    assert_eq!(node.peer("1002").invites().len(), 1);
    // It was answered, which costs, although it was not connected.
    assert_eq!(of("gateway").all(["status", "line_id"]), ["ANSWER", "1002"]);
    assert!(of("gateway").number("sell_micros") > 0);
    assert_eq!(node.asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn a_screened_call_is_taken_by_1_and_declined_by_2() {
    let sql = "INSERT INTO line_features (line_id, screening) VALUES ('1002', TRUE)";
    let mut node = node(&[("1002", Manner::Presses('1'))], sql);
    let talk = |node: &Node| {
        node.peer("1001").call(node.asterisk.address(), "102").talks(Duration::from_secs(4)).run().status()
    };
    assert_eq!(talk(&node), 200);
    assert_eq!(attempts(&node, 1, 1), ["line 1002 ANSWER 1001"]);
    node.peer_mut("1002").change(Manner::Presses('2'));
    assert_eq!(talk(&node), 486);
    let (calls, attempts) = wait_rows(&node, 2, 2);
    assert_eq!(calls[1].get("cause"), "17");
    assert_eq!(attempts[1].get("name"), "1002");
    assert_eq!(node.asterisk.complaints(), Vec::<String>::new());
}

/// A node whose lines talk about features.
struct Users(Stage);

impl Users {
    fn start() -> Users {
        let mut builder: NodeBuilder = Node::builder().brief_prompts().ships_records().set("records.batch_ms", "100");
        for id in ["1001", "1002", "1004"] {
            builder = builder.line(id, Manner::Answers);
        }
        let builder =
            builder.gateway("gw-a", Manner::Answers).set("media.speech", "false").set("replica.poll_ms", "200");
        // The database has time: these tests ask what comes of codes.
        let builder =
            builder.set("database.question_ms", "500").set("route.decision_ms", "790").global("TANDEM_GUARD", "5");
        Users(Stage::by(mailbox_stage::transport(), builder.sql(include_str!("data/provider.sql"))))
    }

    /// Line 1002 dials a code, and presses something whenever it heard something.
    fn talks(&self, dialled: &str, turns: &[(&str, &str)]) {
        let voice = self.0.voice("1002");
        let mut call = self.0.call("1002", &voice, dialled);
        for (hears, press) in turns {
            call.hears(hears);
            if !press.is_empty() {
                call.press(press);
            }
        }
        assert_eq!(call.ends().status(), 200, "{dialled}");
    }

    fn sql(&self, text: &str) {
        self.0.node.agent.plan().sql(text);
    }

    fn features(&self, columns: &str) -> Vec<String> {
        self.0.rows(&format!("SELECT {columns} FROM line_features WHERE line_id = '1002'"))
    }

    /// A call to line 1002.
    fn is_called(&self) -> u16 {
        self.0.node.peer("1001").call(self.0.node.asterisk.address(), "102").run().status()
    }

    fn end(self) {
        let complaints = self.0.node.asterisk.complaints();
        // The laboratory's own language.
        assert!(complaints.iter().all(|line| line.contains("Language brief")), "{complaints:#?}");
    }
}

const ON: (&str, &str) = ("STREAM FILE \"activated\"", "");

conversations! {
    fn calls_are_forwarded_by_phone_from_the_next_call_on() {
        let users = Users::start();
        let forwarded = |reason: &str| {
            assert_eq!(users.is_called(), 200);
            let question =
                "SELECT reason FROM call_records WHERE line_id = '1001' AND dst = '102' ORDER BY started_at DESC LIMIT 1";
            wait_until("the call's record", SOON, || {
                ask(&users.0.node, question).first().is_some_and(|row| row.get("reason") == reason)
            });
        };
        // A number is asked for, checked (1002 may not call abroad), and said back.
        users.talks(
            "*72",
            &[
                ("call-fwd-unconditional", ""),
                ("vm-then-pound", "9011442071838750#"),
                ("cannot-complete-as-dialed", ""),
                ("vm-then-pound", "104#"),
                ("is-set-to", ""),
                ("SAY DIGITS \"104\"", ""),
                ("goodbye", ""),
            ],
        );
        assert_eq!(users.features("forward_always"), ["104"]);
        forwarded("forwarded");
        users.talks("*73", &[("call-fwd-unconditional", ""), ("de-activated", "")]);
        assert_eq!(users.features("forward_always"), [""]);
        forwarded("");
        // Behind the code. Whether the other is disturbed just now says nothing.
        users.sql("INSERT INTO line_features (line_id, do_not_disturb) VALUES ('1004', TRUE)");
        users.talks("*90104", &[("call-fwd-on-busy", ""), ("SAY DIGITS \"104\"", "")]);
        users.talks("*9295125550123", &[("call-fwd-no-ans", ""), ("is-set-to", "")]);
        users.talks("*94104", &[("call-forwarding", ""), ("is-set-to", "")]);
        let all = "forward_busy, forward_unanswered, forward_unreachable";
        assert_eq!(users.features(all), ["104|95125550123|104"]);
        // Read back.
        let told = [
            ("call-fwd-unconditional", ""),
            ("de-activated", ""),
            ("call-fwd-on-busy", ""),
            ("SAY DIGITS \"104\"", ""),
            ("call-fwd-no-ans", ""),
            ("SAY DIGITS \"95125550123\"", ""),
            ("call-forwarding", ""),
            ("do-not-disturb", ""),
            ("de-activated", ""),
            ("goodbye", ""),
        ];
        users.talks("*76", &told);
        for (code, hears) in [("*91", "call-fwd-on-busy"), ("*93", "call-fwd-no-ans"), ("*95", "call-forwarding")] {
            users.talks(code, &[(hears, ""), ("de-activated", "")]);
        }
        assert_eq!(users.features(all), ["||"]);
        // Not a number.
        let again = [("pbx-invalid", ""), ("vm-then-pound", "#"), ("pbx-invalid", ""), ("vm-then-pound", "#")];
        users.talks("*72911", &again);
        assert_eq!(users.features("forward_always"), [""]);
        users.end();
    }

    fn what_is_on_or_off_is_switched_by_phone() {
        let users = Users::start();
        users.talks("*78", &[("do-not-disturb", ""), ON]);
        assert_eq!(users.is_called(), 486);
        for code in ["*77", "*45", "*62"] {
            users.talks(code, &[ON]);
        }
        users.talks("*64104", &[("telephone-number", ""), ("added", "")]);
        let all = "do_not_disturb, reject_anonymous, screening, find_me";
        assert_eq!(users.features(all), ["1|1|1|in_order"]);
        assert_eq!(users.0.rows("SELECT line_id, position, number FROM find_me_numbers"), ["1002|1|104"]);
        users.talks("*66", &[ON]);
        assert_eq!(users.features("find_me"), ["together"]);
        for code in ["*79", "*87", "*46", "*63"] {
            users.talks(code, &[("de-activated", "")]);
        }
        users.talks("*65", &[("removed", "")]);
        assert_eq!(users.features(all), ["0|0|0|off"]);
        assert_eq!(users.0.rows("SELECT number FROM find_me_numbers"), Vec::<String>::new());
        users.end();
    }

    fn who_called_last_is_called_and_blocked_and_numbers_are_kept_by_phone() {
        let users = Users::start();
        users.talks("*69", &[("vm-nonumber", "")]);
        assert_eq!(users.is_called(), 200);
        let attempts = "SELECT * FROM call_attempts WHERE shown_number = '101'";
        wait_until("the attempt's row", SOON, || !ask(&users.0.node, attempts).is_empty());
        let caller = || users.0.node.peer("1001").invites().len();
        let voice = users.0.voice("1002");
        let mut call = users.0.call("1002", &voice, "*69");
        call.hears("SAY DIGITS \"101\"").hears("to-call-this-number").hears("SAY DIGITS \"1\"").press("1");
        wait_until("a call back", SOON, || caller() == 1);
        call.hangs_up();

        // Who withholds the number is not told.
        assert_eq!(users.0.node.peer("1001").call(users.0.node.asterisk.address(), "*67102").run().status(), 200);
        let withheld = "SELECT * FROM call_attempts WHERE name = '1002' AND shown_number = ''";
        wait_until("the attempt's row", SOON, || !ask(&users.0.node, withheld).is_empty());
        users.talks("*69", &[("vm-nonumber", "")]);
        assert_eq!(users.is_called(), 200);
        let shown = "SELECT * FROM call_attempts WHERE name = '1002' AND shown_number = '101'";
        wait_until("the attempt's row", SOON, || ask(&users.0.node, shown).len() == 2);

        // Nor is what a caller wrote there to be carried out.
        users.sql("UPDATE call_attempts SET shown_number = '*7295125550123' WHERE name = '1002'");
        users.talks("*69", &[("vm-nonumber", "")]);
        users.sql("UPDATE call_attempts SET shown_number = '101' WHERE name = '1002'");

        let blocked = || users.0.rows("SELECT number FROM blocked_callers WHERE line_id = '1002'");
        users.talks("*61", &[("SAY DIGITS \"101\"", ""), ("num-was-successfully", ""), ("added", "")]);
        assert_eq!((blocked(), users.is_called()), (vec!["101".to_owned()], 403));
        users.talks("*80", &[("entr-num-rmv-blklist", "101#"), ("num-was-successfully", ""), ("removed", "")]);
        assert_eq!(users.is_called(), 200);
        users.talks("*60", &[("enter-num-blacklist", "5125550123#"), ("num-was-successfully", ""), ("added", "")]);
        // All that begin so: as written within the country, and from abroad.
        for code in ["*60900*", "*6001144*"] {
            users.talks(code, &[("num-was-successfully", ""), ("added", "")]);
        }
        assert_eq!(blocked(), ["15125550123", "1900*", "44*"]);
        users.talks("*801900*", &[("num-was-successfully", ""), ("removed", "")]);
        assert_eq!(blocked(), ["15125550123", "44*"]);

        let slot = [
            ("STREAM FILE \"speed-dial\"", ""),
            ("\"number\"", "7#"),
            ("vm-then-pound", "101#"),
            ("is-set-to", ""),
        ];
        users.talks("*75", &slot);
        assert_eq!(users.0.rows("SELECT slot, number FROM speed_dials WHERE line_id = '1002'"), ["7|101"]);
        assert_eq!(users.0.node.peer("1002").call(users.0.node.asterisk.address(), "*07").run().status(), 200);
        assert_eq!(caller(), 2);
        users.end();
    }
}
