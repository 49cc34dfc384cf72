//! The bare protocol: sessions a second, CPU a session and memory, beside asterisk-rs-agi in the same run.
//!
//! Server and generator are processes on different cores. The generator does as Asterisk does: 22 prelude lines, one
//! write each, Nagle's algorithm on; it answers five commands, and says HANGUP when the server has closed. Rounds of
//! both servers alternate, so that what else the machine does meets both.
//!
//! `cargo bench --workspace --bench agi [-- ROUNDS SESSIONS]`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use asterisk_rs_agi::{AgiChannel, AgiHandler, AgiRequest, AgiServer};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};
use tandem::adapters::fastagi::FastAgi;
use tandem::call::Call;
use tandem::config::Agi;
use tandem::intake::{self, Stop};

const SERVER_CORE: usize = 0;
const GENERATOR_CORE: usize = 1;
/// Calls at once: what a node mostly sees, and a rush.
const CALLERS: [usize; 2] = [1, 16];
const IDLE_SESSIONS: usize = 5000;
const COMMANDS: [&str; 5] = ["A", "B", "C", "D", "E"];

fn main() {
    let arguments: Vec<String> = env::args().filter(|argument| argument != "--bench").skip(1).collect();
    raise_open_files();
    match arguments.first().map(String::as_str) {
        Some("tandem") => serve(tandem_server(&arguments[1])),
        Some("peer") => serve(peer_server(&arguments[1])),
        rounds => {
            let number = |text: Option<&str>, default| text.and_then(|text| text.parse().ok()).unwrap_or(default);
            compare(number(rounds, 7), number(arguments.get(1).map(String::as_str), 5000));
        }
    }
}

// --- Servers -------------------------------------------------------------------------------------------------

/// Both run on the same kind of runtime.
fn serve(server: impl Future<Output = ()> + Send + 'static) {
    pin(SERVER_CORE);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async { tokio::spawn(server).await.unwrap() });
}

fn tandem_server(listen: &str) -> impl Future<Output = ()> + Send + 'static {
    let config = Agi { listen: listen.parse().unwrap(), ..Agi::default() };
    async move {
        let listener = intake::bind(&config).unwrap();
        intake::serve(listener, config, &["bench"], Stop::default(), tandem_flow).await.unwrap();
    }
}

async fn tandem_flow(mut call: FastAgi) {
    if call.flow() == "idle" {
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    for name in COMMANDS {
        call.set(&[(name, "1")]).await.unwrap();
    }
}

struct Peer;

impl AgiHandler for Peer {
    async fn handle(&self, _: AgiRequest, mut channel: AgiChannel) -> asterisk_rs_agi::error::Result<()> {
        for name in COMMANDS {
            channel.set_variable(name, "1").await?;
        }
        Ok(())
    }
}

fn peer_server(listen: &str) -> impl Future<Output = ()> + Send + 'static {
    let listen = listen.to_owned();
    async move {
        let server = AgiServer::builder().bind(listen).handler(Peer).max_connections(10_000);
        let (server, _stop) = server.build().await.unwrap();
        server.run().await.unwrap();
    }
}

/// A server process; ended with this value.
struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(kind: &str) -> Server {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process =
            Command::new(env::current_exe().unwrap()).args([kind, &free.to_string()]).stdin(Stdio::null()).spawn();
        let server = Server { process: process.unwrap(), address: free };
        let start = Instant::now();
        while TcpStream::connect(free).is_err() {
            assert!(start.elapsed() < Duration::from_secs(10), "{kind} does not listen");
            thread::sleep(Duration::from_millis(10));
        }
        server
    }

    /// CPU time of all its threads so far, as the scheduler counts it.
    fn cpu(&self) -> Duration {
        let threads = fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap().flatten();
        let times = threads.map(|thread| {
            let text = fs::read_to_string(thread.path().join("schedstat")).unwrap();
            text.split(' ').next().unwrap().parse::<u64>().unwrap()
        });
        Duration::from_nanos(times.sum())
    }

    /// Of that, what it spent outside of the kernel; counted in ticks of 10 ms.
    fn user_cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let fields = stat.rsplit_once(") ").unwrap().1;
        Duration::from_millis(fields.split(' ').nth(11).unwrap().parse::<u64>().unwrap() * 10)
    }

    fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

// --- Generator -----------------------------------------------------------------------------------------------

/// What Asterisk sends first, line by line.
fn prelude(flow: &str) -> Vec<String> {
    let mut lines = vec![
        "agi_network: yes".to_owned(),
        format!("agi_network_script: {flow}"),
        format!("agi_request: agi://127.0.0.1:4573/{flow}"),
        "agi_channel: PJSIP/1001-00000001".to_owned(),
    ];
    for field in "language: en|type: PJSIP|uniqueid: 1785000000.1|version: 22.10.1|callerid: 15551234567|\
                  calleridname: Alice|callingpres: 0|callingani2: 0|callington: 0|callingtns: 0|dnid: 15557654321|\
                  rdnis: unknown|context: tandem|extension: 15557654321|priority: 1|enhanced: 0.0|accountcode: |\
                  threadid: 140000000000000"
        .split('|')
    {
        lines.push(format!("agi_{field}"));
    }
    assert_eq!(lines.len(), 22);
    lines.iter_mut().for_each(|line| line.push('\n'));
    lines.push("\n".to_owned());
    lines
}

fn one_call(address: SocketAddr, prelude: &[String]) {
    let mut stream = TcpStream::connect(address).unwrap();
    for line in prelude {
        stream.write_all(line.as_bytes()).unwrap();
    }
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut command = String::new();
    for _ in COMMANDS {
        command.clear();
        reader.read_line(&mut command).unwrap();
        let reply = if command.starts_with("EXEC") { "200 result=0\n" } else { "200 result=1\n" };
        stream.write_all(reply.as_bytes()).unwrap();
    }
    assert_eq!(reader.read(&mut [0]).unwrap(), 0, "the server closes after five commands");
    let _ = stream.write_all(b"HANGUP\n");
}

/// Sessions a second, and CPU of the server a session.
fn round(server: &Server, callers: usize, sessions: usize) -> (f64, f64) {
    let prelude = prelude("bench");
    let left = AtomicUsize::new(sessions);
    let (start, cpu) = (Instant::now(), server.cpu());
    thread::scope(|scope| {
        for _ in 0..callers {
            scope.spawn(|| {
                while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                    one_call(server.address, &prelude);
                }
            });
        }
    });
    let (elapsed, cpu) = (start.elapsed().as_secs_f64(), (server.cpu() - cpu).as_secs_f64());
    (sessions as f64 / elapsed, cpu * 1e6 / sessions as f64)
}

fn compare(rounds: usize, sessions: usize) {
    pin(GENERATOR_CORE);
    let servers = [("tandem", Server::start("tandem")), ("asterisk-rs-agi 0.8.0", Server::start("peer"))];
    let idle = servers[0].1.resident_kib();
    println!("{rounds} rounds of {sessions} sessions for each server");
    for callers in CALLERS {
        let mut figures = [Vec::new(), Vec::new()];
        let user = servers.each_ref().map(|(_, server)| server.user_cpu());
        for number in 0..=rounds {
            for ((_, server), figures) in servers.iter().zip(&mut figures) {
                let figure = round(server, callers, sessions);
                // The first warms up.
                if number > 0 {
                    figures.push(figure);
                }
            }
        }
        let cpus = figures.each_ref().map(|figures| spread(figures.iter().map(|(_, cpu)| *cpu)));
        for ((((name, server), figures), (least, median, _)), user) in servers.iter().zip(&figures).zip(cpus).zip(user)
        {
            let user = (server.user_cpu() - user).as_secs_f64() * 1e6 / ((rounds + 1) * sessions) as f64;
            let (_, rate, best) = spread(figures.iter().map(|(rate, _)| *rate));
            println!(
                "{callers:3} at once  {name:22} {rate:6.0} sessions/s (best {best:.0})  \
                 CPU a session: median {median:.1} us, least {least:.1} us, \
                 {user:.0} us of it outside of the kernel"
            );
        }
        let ratio = |of: fn((f64, f64, f64)) -> f64| of(cpus[0]) / of(cpus[1]);
        println!("{callers:3} at once  CPU, tandem / peer: median {:.2}, least {:.2}", ratio(|c| c.1), ratio(|c| c.0));
    }
    memory(idle);
}

/// Resident memory of a fresh server, and with many sessions in a flow that waits.
fn memory(idle: u64) {
    let server = Server::start("tandem");
    let text: String = prelude("idle").concat();
    let sessions: Vec<TcpStream> = (0..IDLE_SESSIONS)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
            stream
        })
        .collect();
    thread::sleep(Duration::from_secs(1));
    let busy = server.resident_kib();
    let each = (busy - idle) as f64 / sessions.len() as f64;
    println!("resident: {idle} KiB fresh, {busy} KiB with {} idle sessions, {each:.1} KiB each", sessions.len());
}

/// Least, median and most.
fn spread(values: impl Iterator<Item = f64>) -> (f64, f64, f64) {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    (values[0], values[values.len() / 2], values[values.len() - 1])
}

fn pin(core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core);
    // Fails where this core is not ours; the figures then say less, and still something.
    let _ = sched_setaffinity(None, &cores);
}

fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
