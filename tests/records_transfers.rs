//! Records of transferred calls: what each leg costs, and for how long.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod records_stage;

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::Duration;

use lab::{Agent, Asterisk, Handset, Manner, Sipp, wait_until};
use records_stage::{Row, ask_sqlite, charged_seconds, sent_lines};

/// How long a leg goes on after the transferrer has gone.
const AFTER: Duration = Duration::from_millis(1500);

/// Line 1001 is the handset, which may transfer; 1002 and carrier A answer.
struct Stage {
    asterisk: Asterisk,
    agent: Agent,
    handset: Handset,
    bob: Sipp,
    _carrier: Sipp,
}

impl Stage {
    fn start() -> Stage {
        let plan = Agent::builder().set("records.batch_ms", "100");
        plan.tandem_ok(&["migrate"]);
        plan.sql(include_str!("data/provider.sql"));
        let (handset, bob, carrier) = (Handset::new(), Sipp::start(Manner::Answers), Sipp::start(Manner::Answers));
        let asterisk = Asterisk::builder()
            .agent(plan.agi())
            .line("1001", handset.address())
            .line("1002", bob.address())
            .gateway_with("gw-a", carrier.address(), "qualify_frequency = 0")
            .start();
        let agent = plan.ships(&asterisk).start();
        Stage { asterisk, agent, handset, bob, _carrier: carrier }
    }

    fn rows(&self, question: &str) -> Vec<Row> {
        ask_sqlite(&format!("sqlite:{}", self.agent.plan().folder().join("tandem.db").display()), question)
    }

    /// Waits until so many conversations stand: what is not bridged yet cannot be transferred.
    fn wait_talking(&self, conversations: usize) {
        wait_until("both sides talking", Duration::from_secs(5), || {
            let bridges = self.asterisk.command("bridge show all");
            // A line for each, with the number of its channels, after the head.
            bridges.lines().skip(1).filter(|line| line.split_whitespace().any(|word| word == "2")).count()
                == conversations
        });
    }

    /// Ends all calls, and returns the attempts when every line is a row.
    fn end(&self, attempts: usize) -> Vec<Row> {
        sleep(AFTER);
        self.asterisk.command("channel request hangup all");
        wait_until("the end of all calls", Duration::from_secs(10), || self.asterisk.channels() == 0);
        let count = |table: &str| self.rows(&format!("SELECT * FROM {table}")).len();
        wait_until("the attempts", Duration::from_secs(10), || count("call_attempts") >= attempts);
        wait_until("all lines taken", Duration::from_secs(10), || !self.asterisk.record_file().exists());
        let lines = |kind| sent_lines(&self.asterisk, kind);
        wait_until("a row for every line", Duration::from_secs(10), || {
            (lines("call"), lines("attempt")) == (count("call_records"), count("call_attempts")) && lines("call") > 1
        });
        let verified = self.agent.plan().tandem_ok(&["records", "verify"]);
        assert!(verified.contains("0 missing, 0 double"), "{verified}");
        // What ties the call together.
        let linked: BTreeSet<String> = ["calls", "call_attempts"]
            .iter()
            .flat_map(|table| self.rows(&format!("SELECT DISTINCT linkedid FROM {table}")))
            .map(|row| row.get("linkedid").to_owned())
            .collect();
        assert_eq!(linked.len(), 1, "{linked:?}");
        self.rows("SELECT * FROM call_attempts ORDER BY started_at")
    }
}

/// The leg to the carrier is charged for as long as it stood, by 6/6 at 0.00145 and by 60/6 at 0.02 a minute.
fn charged(attempt: &Row) {
    assert_eq!(attempt.all(["kind", "name", "status", "account_id"]), ["gateway", "gw-a", "ANSWER", "acme"]);
    let talk = attempt.number("talk_ms");
    assert!(talk >= i64::try_from(AFTER.as_millis()).unwrap(), "it went on without the transferrer: {talk}");
    let (buy, sell) = (charged_seconds(talk, 6, 6), charged_seconds(talk, 60, 6));
    let expected = [buy, (1450 * buy + 59) / 60, sell, (20_000 * sell + 59) / 60];
    assert_eq!(
        ["buy_seconds", "buy_micros", "sell_seconds", "sell_micros"].map(|column| attempt.number(column)),
        expected
    );
}

#[test]
fn a_blind_transfer_charges_the_leg_that_goes_on_until_its_end() {
    let mut stage = Stage::start();
    let mut dialog = stage.handset.call(stage.asterisk.address(), "5125550123");
    stage.wait_talking(1);
    stage.handset.refer(&mut dialog, "102");
    let _ = stage.bob.wait_invite(1, Duration::from_secs(5));
    stage.handset.hang_up(dialog);
    let attempts = stage.end(2);
    assert_eq!(attempts.len(), 2, "{attempts:#?}");
    charged(&attempts[0]);
    assert_eq!(attempts[1].all(["kind", "name", "status", "line_id"]), ["line", "1002", "ANSWER", "1001"]);
    assert_eq!(attempts[1].get("uniqueid"), attempts[0].get("leg_uniqueid"), "the leg itself called on");
    // The transferrer's record ends with the transfer, the leg's own begins there.
    let calls = stage.rows("SELECT * FROM call_records WHERE direction IS NOT NULL ORDER BY ended_at");
    assert_eq!(calls.len(), 2, "{calls:#?}");
    assert_eq!(calls[0].get("uniqueid"), attempts[0].get("uniqueid"));
    assert!(calls[0].time("ended_at") < attempts[0].time("ended_at"));
    assert_eq!(calls[1].get("uniqueid"), attempts[1].get("uniqueid"));
}

#[test]
fn an_attended_transfer_charges_both_legs_until_their_end() {
    let mut stage = Stage::start();
    let mut first = stage.handset.call(stage.asterisk.address(), "5125550123");
    let second = stage.handset.call(stage.asterisk.address(), "102");
    stage.wait_talking(2);
    stage.handset.connect(&mut first, &second);
    let attempts = stage.end(2);
    assert_eq!(attempts.len(), 2, "{attempts:#?}");
    charged(&attempts[0]);
    assert_eq!(attempts[1].all(["kind", "name", "status", "line_id"]), ["line", "1002", "ANSWER", "1001"]);
    assert!(attempts[1].number("talk_ms") >= i64::try_from(AFTER.as_millis()).unwrap());
    let calls = stage.rows("SELECT * FROM call_records WHERE direction IS NOT NULL ORDER BY ended_at");
    let callers: BTreeSet<&str> = calls.iter().map(|call| call.get("uniqueid")).collect();
    assert_eq!(callers, attempts.iter().map(|attempt| attempt.get("uniqueid")).collect(), "{calls:#?}");
}
