//! Menus: what a step from menu to menu costs the agent, on SQLite and MariaDB, and what 10,000 callers who listen to a menu hold of memory. Callers are
//! simulated (FastAGI).
//!
//! `cargo bench --workspace --bench menus [-- CALLERS]`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark"
)]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

#[path = "../menu_stage.rs"]
mod menu_stage;
#[allow(dead_code, reason = "each benchmark uses a part of it")]
mod usage;

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use lab::{Agent, AgentBuilder, Does, MariaDb, SimulatedCall};
use menu_stage::{MENUS, fill};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use usage::{cpu, resident};

/// Calls, and steps of each: main, sub, main, ...
const CALLS: usize = 200;
const STEPS: usize = 28;
const CALLERS: usize = 10_000;

fn main() {
    let callers = env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(CALLERS);
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    steps(Agent::builder(), "SQLite");
    let server = MariaDb::start();
    steps(Agent::builder().set("database.urls", &server.url()), "MariaDB");
    crowd(callers);
}

/// A caller who goes there and back.
fn walks() -> SimulatedCall {
    let there_and_back = [("demo-instruct", Does::Key('4')), ("demo-moreinfo", Does::Key('9'))];
    let script = there_and_back.into_iter().cycle().take(STEPS).chain([("GET DATA", Does::HangsUp)]);
    SimulatedCall::new("menu/main/0", "555", script.collect())
}

fn steps(plan: AgentBuilder, what: &str) {
    fill(&plan, MENUS);
    let mut agent = plan.start();
    for _ in 0..10 {
        walks().run(agent.agi());
    }
    let process = agent.process().id();
    let (before, started) = (cpu(process), Instant::now());
    let mut commands = 0;
    for _ in 0..CALLS {
        commands += walks().run(agent.agi()).commands.len();
    }
    let steps = CALLS * STEPS;
    println!(
        "{what}: {:.3} ms of CPU of the agent a step from menu to menu (a question, {:.1} commands), {:.3} ms in all; {steps} steps",
        (cpu(process) - before).as_secs_f64() * 1000.0 / steps as f64,
        commands as f64 / steps as f64,
        started.elapsed().as_secs_f64() * 1000.0 / steps as f64
    );
}

/// A caller who is in a menu, and presses nothing yet.
fn listens(agi: SocketAddr, nth: usize) -> TcpStream {
    let stream = TcpStream::connect(agi).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut output = &stream;
    write!(
        output,
        "agi_network: yes\nagi_network_script: menu/main/0\nagi_request: agi://{agi}/menu/main/0\nagi_channel: PJSIP/{nth}-1\nagi_language: en\n\
         agi_uniqueid: 1.{nth}\nagi_version: 22.10.1\nagi_callerid: {nth}\nagi_calleridname: unknown\nagi_extension: 800\n\n"
    )
    .unwrap();
    let mut lines = BufReader::new(&stream).lines();
    loop {
        let command = lines.next().unwrap().unwrap();
        if command.starts_with("GET DATA") {
            break;
        }
        output.write_all(b"200 result=0 endpos=0\n").unwrap();
    }
    stream
}

fn crowd(callers: usize) {
    let plan = Agent::builder().set("agi.sessions", "20000");
    fill(&plan, MENUS);
    let mut agent = plan.start();
    for nth in 0..20 {
        drop(listens(agent.agi(), nth));
    }
    std::thread::sleep(Duration::from_secs(1));
    let process = agent.process().id();
    let (before, started) = (resident(process), Instant::now());
    let held: Vec<TcpStream> = (0..callers).map(|nth| listens(agent.agi(), nth)).collect();
    let after = resident(process);
    println!(
        "{callers} callers in a menu: {after:.1} MiB resident ({before:.1} before), {:.1} KiB each; they came within {:.1} s",
        (after - before) * 1024.0 / callers as f64,
        started.elapsed().as_secs_f64()
    );
    drop(held);
}
