//! Live calls: what following them costs Asterisk, with real calls; and, with made-up ones (500 a second are more than Asterisk places on a small
//! machine), how many the agent follows, and how old the picture in the database is.
//!
//! `cargo bench --workspace --bench live_calls`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark"
)]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

#[allow(dead_code, reason = "each benchmark uses a part of it")]
mod usage;

use std::collections::VecDeque;
use std::process;
use std::time::{Duration, Instant};

use chrono::Utc;
use lab::{Manner, MariaDb, Node};
use tandem::live::board::Board;
use tandem::live::ledger::Ledger;
use tandem::store::live_call::{LiveCall, Side, State};
use tandem::store::{Options, Store};
use tandem::wire::ari_events::Event;
use tokio::time::{MissedTickBehavior, interval, sleep};
use usage::cpu;

/// Real calls, and how many a second.
const CALLS: usize = 600;
const RATE: usize = 40;
/// Made-up calls a second, each of two legs, that ring for one second and talk for four; and for how long.
const SYNTHETIC: usize = 500;
const LASTING: Duration = Duration::from_secs(15);
/// Events that are read.
const EVENTS: u32 = 20_000;

fn main() {
    for round in 1..=2 {
        for follows in ["false", "true"] {
            println!("round {round}, ari.live_calls {follows}: {:.2} ms of Asterisk's CPU a call", asterisk(follows));
        }
    }
    let started = Instant::now();
    for _ in 0..EVENTS {
        let event: Event = serde_json::from_str(EVENT).unwrap();
        assert!(event.channel_id().is_some());
    }
    println!("{:.1} us to read an event", started.elapsed().as_secs_f64() * 1e6 / f64::from(EVENTS));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(synthetic());
}

/// Milliseconds of Asterisk's CPU for a call of two lines by AGI.
fn asterisk(follows: &str) -> f64 {
    let mut node = Node::builder()
        .by_ari()
        .global("TANDEM_TRANSPORT", "agi")
        .set("agi.peers", "127.0.0.1")
        .set("ari.live_calls", follows)
        .sql(include_str!("../data/provider.sql"))
        .sql("UPDATE accounts SET max_calls = 0; UPDATE phone_lines SET max_calls = 0")
        .line("1001", Manner::Answers)
        .line("1002", Manner::Answers)
        .start();
    let process = node.asterisk.process().id();
    let before = cpu(process);
    let calls = node.peer("1001").call(node.asterisk.address(), "102").times(CALLS, RATE).run();
    let used = cpu(process) - before;
    let answered = calls.finals().iter().filter(|status| **status == 200).count();
    assert_eq!(answered, CALLS, "calls that were not answered");
    used.as_secs_f64() * 1e3 / CALLS as f64
}

/// Calls on the board, and their way into MariaDB.
async fn synthetic() {
    let server = MariaDb::start();
    let patience = Duration::from_secs(10);
    let options =
        Options { urls: vec![server.url()], connections: 4, question: patience, connect: patience, probe: patience };
    let store = Store::new(&options).unwrap().of_node("bench");
    store.migrate().await.unwrap();
    let board = Board::default();
    let ledger = tokio::spawn(Ledger::new(board.clone(), store.live_writer(patience)).run());
    sleep(Duration::from_secs(2)).await;
    let (before, started) = (cpu(process::id()), Instant::now());
    let looker = tokio::spawn(ages(store.clone()));
    let mut ticks = interval(Duration::from_secs(1) / u32::try_from(SYNTHETIC).unwrap());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut ringing, mut talking) = (VecDeque::new(), VecDeque::new());
    for n in 0.. {
        ticks.tick().await;
        if started.elapsed() >= LASTING {
            break;
        }
        let call = [leg(n, Side::Makes), leg(n, Side::Takes)];
        call.iter().for_each(|leg| board.put(leg.clone()));
        ringing.push_back(call);
        if ringing.len() > SYNTHETIC {
            let call = ringing.pop_front().unwrap();
            let call = call.map(|leg| LiveCall { state: State::Talks, answered_at: Some(Utc::now()), ..leg });
            call.iter().for_each(|leg| board.put(leg.clone()));
            talking.push_back(call);
        }
        if talking.len() > SYNTHETIC * 4 {
            let call: [LiveCall; 2] = talking.pop_front().unwrap();
            call.iter().for_each(|leg| board.remove(&leg.uniqueid));
        }
    }
    let used = cpu(process::id()) - before;
    looker.abort();
    let ages = looker.await.err();
    assert!(ages.is_some_and(|ended| ended.is_cancelled()));
    println!(
        "{SYNTHETIC} calls a second, {} legs at once: {:.2} ms of the agent's CPU a call",
        board.calls().len(),
        used.as_secs_f64() * 1e3 / (SYNTHETIC as f64 * LASTING.as_secs_f64())
    );
    ledger.abort();
}

/// Tells how old the newest row is, every second, beside how many rows there are.
async fn ages(store: Store) {
    let mut looks = interval(Duration::from_millis(3100));
    loop {
        looks.tick().await;
        let started = Instant::now();
        let calls = store.live_calls().await.unwrap();
        let newest = calls.iter().map(|call| call.call.began_at).max();
        let age = newest.map_or(0, |at| (Utc::now() - at).num_milliseconds());
        println!("  {} rows, the newest {age} ms old, read in {} ms", calls.len(), started.elapsed().as_millis());
    }
}

fn leg(n: usize, side: Side) -> LiveCall {
    LiveCall {
        uniqueid: format!("1767225600.{n}-{}", side.name()),
        linked_id: format!("1767225600.{n}-makes"),
        channel: format!("PJSIP/{}-{n:08x}", n % 1000),
        side,
        line_id: Some((n % 1000).to_string()),
        gateway_id: None,
        account_id: Some((n % 100).to_string()),
        shown_number: "+12145550101".to_owned(),
        dialled: "95125550123".to_owned(),
        state: State::Rings,
        began_at: Utc::now(),
        answered_at: None,
    }
}

/// As Asterisk writes it.
const EVENT: &str = r#"{"type":"ChannelStateChange","timestamp":"2026-11-26T00:38:56.123+0000","channel":{"id":"1764117536.12","name":"PJSIP/1001-00000006","state":"Up","protocol_id":"1-4711@127.0.0.1","caller":{"name":"Alice","number":"101"},"connected":{"name":"","number":""},"accountcode":"line/1001","dialplan":{"context":"tandem-try","exten":"s","priority":24,"app_name":"Dial","app_data":"PJSIP/1002,25,i"},"creationtime":"2026-11-26T00:38:55.001+0000","language":"en","channelvars":{"CALLERID(pres)":"allowed_not_screened","TANDEM_ACCOUNT":"acme","TANDEM_DIALLED":"102","TANDEM_CALLED":""}},"asterisk_id":"00:00:00:00:00:00","application":"tandem-calls"}"#;
