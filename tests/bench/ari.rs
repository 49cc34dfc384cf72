//! Calls by ARI beside AGI, on one real Asterisk and one agent: CPU of both for a decided call, by turns in one run; time from StasisStart to the agent's
//! first request, as it stands on the wire; memory of a caller in a menu.
//!
//! `cargo bench --workspace --bench ari [-- ROUNDS CALLS CALLERS]`
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

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, thread};

use hdrhistogram::Histogram;
use lab::{Agent, Asterisk, Manner, Sipp, wait_until};
use usage::{cpu, resident};

const SOON: Duration = Duration::from_secs(30);
const RATE: usize = 40;
const MENUS: &str = r##"
account = "ari"
[prompt]
main = { sound = "demo-instruct" }
[menu.main]
entry = true
greeting = ["main"]
timeout_seconds = 60
[menu.main.options]
1 = "hangup"
"##;

fn main() {
    let numbers: Vec<usize> = env::args().filter_map(|argument| argument.parse().ok()).collect();
    let number = |nth: usize, default| numbers.get(nth).copied().unwrap_or(default);
    let (rounds, calls, callers) = (number(0, 4), number(1, 400), number(2, 400));
    let plan = Agent::builder();
    plan.tandem_ok(&["migrate"]);
    plan.import("accounts", "id,name,max_calls\nari,Ari,0\n");
    plan.import("lines", "id,account,name,max_calls\n2001,ari,One,0\n2002,ari,Two,0\n");
    plan.import("extensions", "account,extension,line\nari,2001,2001\nari,2002,2002\n");
    plan.import("menus", MENUS);
    plan.import("extensions", "account,extension,menu\nari,800,main\n");
    let (caller, called) = (Sipp::start(Manner::Answers), Sipp::start(Manner::Answers));
    let builder = Asterisk::builder().brief_prompts().line("2001", caller.address()).line("2002", called.address());
    let mut asterisk = builder.global("TANDEM_TRANSPORT", "ari").agent(plan.agi()).start();
    let tap = Tap::start(SocketAddr::new(asterisk.ip().into(), 8088));
    let plan =
        plan.serves(&asterisk).set("ari.url", &format!("http://{}/ari", tap.address)).set("ari.live_calls", "false");
    let mut agent = plan.start();
    wait_until("calls by ARI", SOON, || asterisk.command("dialplan show globals").contains("TANDEM_ARI_WRITES=1"));

    let mut used: HashMap<&str, [Duration; 2]> = HashMap::new();
    for round in 0..=rounds {
        for transport in ["agi", "ari"] {
            asterisk.command(&format!("dialplan set global TANDEM_TRANSPORT {transport}"));
            let processes = [agent.process().id(), asterisk.process().id()];
            let before = processes.map(cpu);
            let statuses = caller.call(asterisk.address(), "2002").times(calls, RATE).run().finals();
            assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
            let spent = [0, 1].map(|nth| cpu(processes[nth]) - before[nth]);
            // The first warms up.
            if round > 0 {
                let sum = used.entry(transport).or_default();
                *sum = [sum[0] + spent[0], sum[1] + spent[1]];
            }
        }
    }
    for transport in ["agi", "ari"] {
        let [agent, asterisk] = used[transport].map(|spent| spent.as_secs_f64() * 1000.0 / (rounds * calls) as f64);
        println!("{transport}: {agent:.3} ms of CPU of the agent a call, {asterisk:.3} of Asterisk");
    }
    let waits = tap.waits.lock().unwrap();
    let microseconds = |quantile| waits.value_at_quantile(quantile);
    println!(
        "from StasisStart to the first request: p50 {} us, p99 {} us, of {} calls at {RATE}/s",
        microseconds(0.5),
        microseconds(0.99),
        waits.len()
    );
    drop(waits);

    for transport in ["agi", "ari"] {
        asterisk.command(&format!("dialplan set global TANDEM_TRANSPORT {transport}"));
        agent.restart();
        wait_until("the agent", SOON, || agent.get("/ready").is_some_and(|(status, _)| status == 200));
        thread::sleep(Duration::from_secs(3));
        let before = resident(agent.process().id());
        let held = caller.call(asterisk.address(), "800").talks(Duration::from_secs(120)).times(callers, RATE).start();
        let sessions = format!("tandem_{transport}_sessions {callers}");
        wait_until("everybody in the menu", SOON * 2, || {
            agent.get("/metrics").is_some_and(|(_, text)| text.contains(&sessions))
        });
        let after = resident(agent.process().id());
        println!(
            "{transport}: {callers} callers in a menu: {after:.1} MiB resident ({before:.1} before), {:.1} KiB each",
            (after - before) * 1024.0 / callers as f64
        );
        drop(held);
        wait_until("nobody", SOON, || asterisk.channels() == 0);
    }
}

/// Between the agent and Asterisk: notes when a channel's StasisStart passes, and how long after it the first request about that channel.
struct Tap {
    address: SocketAddr,
    waits: Arc<Mutex<Histogram<u64>>>,
}

impl Tap {
    fn start(asterisk: SocketAddr) -> Tap {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let waits = Arc::new(Mutex::new(Histogram::new(3).unwrap()));
        let started: Arc<Mutex<HashMap<String, Instant>>> = Arc::default();
        let tap = Tap { address: listener.local_addr().unwrap(), waits: Arc::clone(&waits) };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(asterisk).unwrap();
                let (client_too, server_too) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                for stream in [&client, &server] {
                    stream.set_nodelay(true).unwrap();
                }
                let (waits, begun) = (Arc::clone(&waits), Arc::clone(&started));
                thread::spawn(move || {
                    copy(client, server, |text| {
                        let Some(id) = between(text, "/ari/channels/", "/") else { return };
                        if let Some(begun) = begun.lock().unwrap().remove(id) {
                            let waited = u64::try_from(begun.elapsed().as_micros()).unwrap();
                            waits.lock().unwrap().record(waited).unwrap();
                        }
                    });
                });
                let begun = Arc::clone(&started);
                thread::spawn(move || {
                    copy(server_too, client_too, |text| {
                        if let Some(event) = text.find("\"type\":\"StasisStart\"")
                            && let Some(id) = between(&text[event..], "\"channel\":{\"id\":\"", "\"")
                        {
                            begun.lock().unwrap().insert(id.to_owned(), Instant::now());
                        }
                    });
                });
            }
        });
        tap
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, see: impl Fn(&str)) {
    let mut bytes = [0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        see(&String::from_utf8_lossy(&bytes[..count]));
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let rest = &text[text.find(before)? + before.len()..];
    rest.split(after).next()
}
