//! Peers that misbehave: each costs nobody but itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use socket2::SockRef;
use tandem::adapters::fastagi::FastAgi;
use tandem::call::{Call, Ended};
use tandem::config::Agi;
use tandem::intake::{self, Stop};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Nobody is to wait longer than this for something that is immediate.
const SOON: Duration = Duration::from_secs(5);

/// An intake whose flows do what their name says.
struct Agent {
    address: SocketAddr,
    stop: Stop,
    served: Arc<AtomicUsize>,
    /// A second hold on the listening socket, as systemd has.
    held: TcpListener,
    serving: JoinHandle<std::io::Result<()>>,
}

fn quick() -> Agi {
    Agi { listen: "127.0.0.1:0".parse().unwrap(), prelude_ms: 300, reply_ms: 300, ..Agi::default() }
}

impl Agent {
    fn start(config: Agi) -> Agent {
        let listener = intake::bind(&config).unwrap();
        Agent::on(listener, config)
    }

    fn on(listener: TcpListener, config: Agi) -> Agent {
        let (stop, served) = (Stop::default(), Arc::new(AtomicUsize::new(0)));
        let (address, held) = (listener.local_addr().unwrap(), listener.try_clone().unwrap());
        let counter = Arc::clone(&served);
        let handler = move |call| flow(call, Arc::clone(&counter));
        let serving = tokio::spawn(intake::serve(listener, config, &["get"], stop.clone(), handler));
        Agent { address, stop, served, held, serving }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A peer that has asked for `flow`.
    async fn ask(&self, flow: &str) -> BufReader<TcpStream> {
        let mut peer = self.connect().await;
        peer.write_all(prelude(flow).as_bytes()).await.unwrap();
        BufReader::new(peer)
    }

    /// One whole, well-behaved call; returns how long it took.
    async fn well_behaved(&self) -> Duration {
        let start = Instant::now();
        let served = self.served.load(Ordering::SeqCst);
        let mut peer = self.ask("get").await;
        answer(&mut peer, "one").await;
        assert_eq!(rest(&mut peer).await, "");
        assert!(self.served.load(Ordering::SeqCst) > served);
        start.elapsed()
    }

    async fn stopped(self) {
        self.stop.hard.cancel();
        timeout(SOON, self.serving).await.expect("the intake to end").unwrap().unwrap();
    }
}

fn prelude(flow: &str) -> String {
    let fields = ["agi_language: en", "agi_uniqueid: 1.1", "agi_version: 22.10.1", "agi_threadid: 1"];
    format!("agi_network: yes\nagi_network_script: {flow}\n{}\n\n", fields.join("\n"))
}

async fn flow(mut call: FastAgi, served: Arc<AtomicUsize>) {
    match call.flow() {
        "get" => {
            if call.get(&["ONE"]).await.is_ok_and(|values| values == ["one"]) {
                served.fetch_add(1, Ordering::SeqCst);
            }
        }
        "panic" => panic!("a fault in a flow"),
        "idle" => sleep(Duration::from_secs(60)).await,
        "short" => sleep(Duration::from_millis(300)).await,
        "flood" => while call.set(&[("A", &"x".repeat(8000))]).await.is_ok() {},
        "failing" => {
            if matches!(call.get(&["ONE"]).await, Err(Ended::Failed(_))) {
                served.fetch_add(1, Ordering::SeqCst);
            }
        }
        other => panic!("{other}"),
    }
}

/// Answers the one question of the flow `get`.
async fn answer(peer: &mut BufReader<TcpStream>, value: &str) {
    let mut question = String::new();
    timeout(SOON, peer.read_line(&mut question)).await.expect("a question").unwrap();
    let asked =
        question.strip_prefix("GET FULL VARIABLE \"").and_then(|rest| rest.strip_suffix("\"\n")).expect(&question);
    let reply = format!("200 result=1 ({})\n", asked.replace("${ONE}", value));
    peer.write_all(reply.as_bytes()).await.unwrap();
}

/// What the agent says until it closes.
async fn rest(peer: &mut BufReader<TcpStream>) -> String {
    let mut said = Vec::new();
    // A reset is a way of closing too.
    let _ = timeout(SOON, peer.read_to_end(&mut said)).await.expect("the connection to be closed");
    String::from_utf8(said).unwrap()
}

#[tokio::test]
async fn connects_and_closes() {
    let agent = Agent::start(quick());
    for _ in 0..100 {
        drop(agent.connect().await);
    }
    agent.well_behaved().await;
    agent.stopped().await;
}

#[tokio::test]
async fn sends_nothing_or_half_a_prelude() {
    let agent = Agent::start(quick());
    for sent in ["", "agi_net", "agi_network: yes\nagi_version: 22.10.1\n"] {
        let mut peer = agent.connect().await;
        peer.write_all(sent.as_bytes()).await.unwrap();
        assert!(agent.well_behaved().await < Duration::from_millis(250), "a call waited for a silent peer");
        assert_eq!(rest(&mut BufReader::new(peer)).await, "", "closed at the deadline");
    }
    agent.stopped().await;
}

#[tokio::test]
async fn sends_a_prelude_too_slowly() {
    let agent = Agent::start(quick());
    let mut peer = agent.connect().await;
    let start = Instant::now();
    for byte in prelude("get").bytes() {
        if peer.write_all(&[byte]).await.is_err() {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    assert!(start.elapsed() < Duration::from_secs(2), "the deadline is for the whole prelude");
    agent.stopped().await;
}

#[tokio::test]
async fn speaks_another_protocol() {
    let agent = Agent::start(Agi { prelude_ms: 60_000, ..quick() });
    for sent in ["GET / HTTP/1.1\r\n", "\n\n", "\u{0}\u{0}\u{0}", "agi_x: y\nz\n\n"] {
        let mut peer = agent.connect().await;
        peer.write_all(sent.as_bytes()).await.unwrap();
        assert_eq!(rest(&mut BufReader::new(peer)).await, "", "closed without waiting, {sent:?}");
    }
    agent.well_behaved().await;
    agent.stopped().await;
}

#[tokio::test]
async fn sends_a_prelude_without_end() {
    let agent = Agent::start(Agi { prelude_ms: 60_000, ..quick() });
    for piece in ["agi_x: y\n".repeat(100), "x".repeat(1000)] {
        let mut peer = agent.connect().await;
        peer.write_all(b"agi_").await.unwrap();
        let mut sent = 0;
        while sent < 10_000_000 && peer.write_all(piece.as_bytes()).await.is_ok() {
            sent += piece.len();
        }
        assert!(sent < 10_000_000, "10 MB were taken");
    }
    agent.well_behaved().await;
    agent.stopped().await;
}

#[tokio::test]
async fn sends_a_reply_without_end() {
    let agent = Agent::start(Agi { reply_ms: 60_000, ..quick() });
    for piece in ["x".repeat(1000), "HANGUP\n".repeat(100), format!("200 result=1 ({}", "y\n".repeat(500))] {
        let mut peer = agent.ask("failing").await;
        let mut sent = 0;
        while sent < 10_000_000 && peer.write_all(piece.as_bytes()).await.is_ok() {
            sent += piece.len();
        }
        assert!(sent < 10_000_000, "10 MB were taken");
    }
    lab::wait_until("three faults", SOON, || agent.served.load(Ordering::SeqCst) == 3);
    agent.well_behaved().await;
    agent.stopped().await;
}

#[tokio::test]
async fn never_answers() {
    let agent = Agent::start(quick());
    let mut peer = agent.ask("failing").await;
    assert!(agent.well_behaved().await < Duration::from_millis(250));
    assert!(rest(&mut peer).await.starts_with("GET FULL VARIABLE"));
    assert_eq!(agent.served.load(Ordering::SeqCst), 2, "the flow was told");
    agent.stopped().await;
}

#[tokio::test]
async fn answers_but_never_reads() {
    let agent = Agent::start(quick());
    let peer = agent.connect().await;
    SockRef::from(&peer).set_recv_buffer_size(4096).unwrap();
    let (_unread, mut write) = peer.into_split();
    write.write_all(prelude("flood").as_bytes()).await.unwrap();
    // A reply at a time, or it would be one that answers nothing.
    let closed = async {
        let mut replies = 0;
        sleep(Duration::from_millis(100)).await;
        while write.write_all(b"200 result=0\n").await.is_ok() {
            sleep(Duration::from_millis(2)).await;
            replies += 1;
        }
        replies
    };
    let replies = timeout(Duration::from_secs(20), closed).await.expect("the connection to be closed");
    assert!(replies > 10, "closed for another reason after {replies} replies");
    agent.well_behaved().await;
    agent.stopped().await;
}

#[tokio::test]
async fn resets_in_mid_command() {
    let agent = Agent::start(Agi { reply_ms: 60_000, ..quick() });
    for _ in 0..20 {
        let mut peer = agent.ask("get").await;
        let mut first = [0];
        peer.read_exact(&mut first).await.unwrap();
        SockRef::from(peer.get_ref()).set_linger(Some(Duration::ZERO)).unwrap();
        drop(peer);
    }
    agent.well_behaved().await;
    agent.stopped().await;
}

#[tokio::test]
async fn a_panicking_flow_ends_its_call_alone() {
    let agent = Agent::start(quick());
    let mut running = agent.ask("get").await;
    for _ in 0..20 {
        assert_eq!(rest(&mut agent.ask("panic").await).await, "");
    }
    answer(&mut running, "one").await;
    assert_eq!(rest(&mut running).await, "");
    agent.well_behaved().await;
    agent.stopped().await;
}

#[tokio::test]
async fn a_peer_that_is_not_listed_is_closed_at_once() {
    let agent = Agent::start(Agi { peers: vec!["127.0.0.9".parse().unwrap()], ..quick() });
    let mut stranger = agent.connect().await;
    let _ = stranger.write_all(prelude("get").as_bytes()).await;
    assert_eq!(rest(&mut BufReader::new(stranger)).await, "");
    let known = tokio::net::TcpSocket::new_v4().unwrap();
    known.bind("127.0.0.9:0".parse().unwrap()).unwrap();
    let mut known = BufReader::new(known.connect(agent.address).await.unwrap());
    known.write_all(prelude("get").as_bytes()).await.unwrap();
    answer(&mut known, "one").await;
    assert_eq!(rest(&mut known).await, "");
    agent.stopped().await;
}

#[tokio::test]
async fn one_session_more_than_allowed_is_closed_at_once_and_its_place_comes_back() {
    let agent = Agent::start(Agi { sessions: 2, prelude_ms: 60_000, ..quick() });
    let (first, second) = (agent.connect().await, agent.connect().await);
    let start = Instant::now();
    assert_eq!(rest(&mut agent.ask("get").await).await, "");
    assert!(start.elapsed() < Duration::from_secs(1));
    drop(first);
    let mut again = loop {
        let mut peer = agent.ask("get").await;
        if peer.fill_buf().await.is_ok_and(|said| !said.is_empty()) {
            break peer;
        }
    };
    answer(&mut again, "one").await;
    drop(second);
    agent.stopped().await;
}

/// Open files that this process may have.
fn raise_open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_idle_connections_delay_nobody() {
    // Both ends are in this process.
    let count = usize::try_from(raise_open_files() / 2).unwrap_or(usize::MAX).saturating_sub(200).min(5000);
    assert!(count > 1000, "too few open files allowed for this test: raise ulimit -n");
    let agent = Agent::start(Agi { prelude_ms: 60_000, ..quick() });
    let mut idle = Vec::new();
    for number in 0..count {
        // Half of them before the prelude, half of them in a flow.
        idle.push(if number % 2 == 0 { BufReader::new(agent.connect().await) } else { agent.ask("idle").await });
    }
    let mut longest = Duration::ZERO;
    for _ in 0..200 {
        longest = longest.max(agent.well_behaved().await);
    }
    assert!(longest < Duration::from_millis(500), "with {count} idle connections a call took {longest:?}");
    agent.stopped().await;
}

#[tokio::test]
async fn no_file_descriptors_left_is_survived() {
    // In a process of its own, since the limit is the process's.
    if std::env::var_os("TANDEM_TEST_FEW_FILES").is_none() {
        let status = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "no_file_descriptors_left_is_survived"])
            .env("TANDEM_TEST_FEW_FILES", "1")
            .status();
        assert!(timeout(Duration::from_secs(30), status).await.expect("no hang").unwrap().success());
        return;
    }
    use rustix::process::{Resource, Rlimit, setrlimit};
    let agent = Agent::start(quick());
    agent.well_behaved().await;
    setrlimit(Resource::Nofile, Rlimit { current: Some(40), maximum: Some(40) }).unwrap();
    let mut peers = Vec::new();
    // The kernel completes these; the agent cannot take them all.
    while let Ok(Ok(peer)) = timeout(Duration::from_millis(50), TcpStream::connect(agent.address)).await {
        peers.push(peer);
    }
    sleep(Duration::from_millis(500)).await;
    peers.clear();
    sleep(Duration::from_millis(300)).await;
    agent.well_behaved().await;
    agent.stopped().await;
}

#[tokio::test]
async fn a_soft_stop_lets_sessions_finish_serves_calls_meanwhile_and_leaves_the_backlog_to_the_next_process() {
    let agent = Agent::start(Agi { reply_ms: 5000, ..quick() });
    let address = agent.address;
    let mut running = agent.ask("get").await;
    running.fill_buf().await.unwrap();
    agent.stop.soft.cancel();
    sleep(Duration::from_millis(50)).await;
    // As long as that session goes on, nobody else takes calls.
    for _ in 0..50 {
        let mut peer = agent.ask("get").await;
        answer(&mut peer, "one").await;
        assert_eq!(rest(&mut peer).await, "");
    }
    assert!(!agent.serving.is_finished());
    answer(&mut running, "one").await;
    assert_eq!(rest(&mut running).await, "");
    timeout(SOON, agent.serving).await.expect("the end of the last session").unwrap().unwrap();

    // The listener is held from outside: these wait in the kernel.
    let mut waiting = Vec::new();
    for _ in 0..50 {
        let mut peer = BufReader::new(TcpStream::connect(address).await.unwrap());
        peer.write_all(prelude("get").as_bytes()).await.unwrap();
        waiting.push(peer);
    }
    let next = Agent::on(agent.held, quick());
    for peer in &mut waiting {
        answer(peer, "one").await;
        assert_eq!(rest(peer).await, "");
    }
    next.stopped().await;
}

#[tokio::test]
async fn no_connection_is_lost_over_many_restarts() {
    let config = quick();
    let listener = intake::bind(&config).unwrap();
    let mut agent = Agent::on(listener, config.clone());
    let address = agent.address;
    let calls = tokio::spawn(async move {
        let mut calls = 0;
        let until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < until {
            let mut peer = BufReader::new(TcpStream::connect(address).await.unwrap());
            peer.write_all(prelude("get").as_bytes()).await.unwrap();
            answer(&mut peer, "one").await;
            assert_eq!(rest(&mut peer).await, "");
            calls += 1;
        }
        calls
    });
    while !calls.is_finished() {
        sleep(Duration::from_millis(20)).await;
        agent.stop.soft.cancel();
        timeout(SOON, agent.serving).await.unwrap().unwrap().unwrap();
        agent = Agent::on(agent.held, config.clone());
    }
    assert!(calls.await.unwrap() > 100);
    agent.stopped().await;
}

#[tokio::test]
async fn what_outlasts_the_drain_is_ended() {
    let agent = Agent::start(Agi { drain_seconds: 1, ..quick() });
    let (mut short, mut idle) = (agent.ask("short").await, agent.ask("idle").await);
    sleep(Duration::from_millis(100)).await;
    agent.stop.soft.cancel();
    let start = Instant::now();
    assert_eq!(rest(&mut short).await, "");
    assert!(!agent.serving.is_finished());
    assert_eq!(rest(&mut idle).await, "");
    timeout(SOON, agent.serving).await.expect("the intake to end").unwrap().unwrap();
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn a_hard_stop_ends_everything_now() {
    let agent = Agent::start(Agi { drain_seconds: 60, ..quick() });
    let mut idle = agent.ask("idle").await;
    sleep(Duration::from_millis(100)).await;
    agent.stop.soft.cancel();
    agent.stop.hard.cancel();
    timeout(SOON, agent.serving).await.expect("the intake to end").unwrap().unwrap();
    assert_eq!(rest(&mut idle).await, "");
}

#[tokio::test]
async fn accepted_connections_inherit_the_listeners_options() {
    let config = quick();
    let listener = intake::bind(&config).unwrap();
    let held = listener.try_clone().unwrap();
    let agent = Agent::on(listener, config);
    agent.well_behaved().await;
    agent.stop.soft.cancel();
    timeout(SOON, agent.serving).await.unwrap().unwrap().unwrap();
    let address = agent.address;
    let _peer = TcpStream::connect(address).await.unwrap();
    held.set_nonblocking(false).unwrap();
    let (accepted, _) = held.accept().unwrap();
    assert!(accepted.nodelay().unwrap());
    assert!(SockRef::from(&accepted).keepalive().unwrap());
}
