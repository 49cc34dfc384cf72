//! The load of the benchmarks: FastAGI sessions as Asterisk conducts them, many at a time, on one thread.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{fmt, io};

use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Calls of the line 1001, whose nth one dials `dialled(n)`.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// Where the agent takes them.
    pub(crate) agent: SocketAddr,
    /// What the nth call dials.
    pub(crate) dialled: fn(u64) -> String,
}

/// What came of a load.
pub(crate) struct Outcome {
    /// Decisions that arrived.
    pub(crate) decided: u64,
    /// Sessions without a decision.
    pub(crate) failed: u64,
    /// How long the load lasted.
    pub(crate) lasted: Duration,
    /// Microseconds from connecting to having the decision.
    pub(crate) micros: Histogram<u64>,
}

impl Load {
    /// Closed loop: so many callers, each of whom calls again as soon as it is answered.
    pub(crate) async fn closed(self, callers: usize, lasting: Duration) -> Outcome {
        let started = Instant::now();
        let calls = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for _ in 0..callers {
            let calls = Arc::clone(&calls);
            tasks.spawn(async move {
                let mut outcome = Outcome::new();
                while started.elapsed() < lasting {
                    outcome.add(self.call(calls.fetch_add(1, Ordering::Relaxed)).await);
                }
                outcome
            });
        }
        let mut all = Outcome::new();
        while let Some(one) = tasks.join_next().await {
            all.merge(&one.expect("a caller does not panic"));
        }
        all.lasted = started.elapsed();
        all
    }

    /// Open loop: so many calls a second, whether or not the earlier ones are answered.
    pub(crate) async fn open(self, per_second: u32, lasting: Duration) -> Outcome {
        let started = Instant::now();
        let mut ticks = interval(Duration::from_secs(1) / per_second);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut tasks = JoinSet::new();
        for n in 0.. {
            ticks.tick().await;
            if started.elapsed() >= lasting {
                break;
            }
            tasks.spawn(self.call(n));
        }
        let mut all = Outcome::new();
        while let Some(one) = tasks.join_next().await {
            all.add(one.expect("a caller does not panic"));
        }
        all.lasted = started.elapsed();
        all
    }

    /// One call: from connecting to the decision, then to the agent's closing, when Asterisk goes on.
    pub(crate) async fn call(self, n: u64) -> io::Result<Duration> {
        let started = Instant::now();
        let mut session = open(self.agent, "route", n, &(self.dialled)(n)).await?;
        let decision = read_line(&mut session).await?;
        let took = started.elapsed();
        session.write_all(b"200 result=0\n").await?;
        session.read_to_end(&mut Vec::new()).await?;
        if decision.contains("TANDEM_DONE=1") { Ok(took) } else { Err(io::Error::other(decision)) }
    }
}

/// A session that listens to a sound: idle for as long as nobody answers. Dropping it hangs up.
pub(crate) async fn listen(agent: SocketAddr, n: u64) -> io::Result<TcpStream> {
    let mut session = open(agent, "linetest", n, "*97").await?;
    while !read_line(&mut session).await?.starts_with("STREAM FILE") {
        session.write_all(b"200 result=0\n").await?;
    }
    Ok(session)
}

/// Connects, and writes the prelude of Asterisk 22 as it does: a write a line.
async fn open(agent: SocketAddr, flow: &str, n: u64, dialled: &str) -> io::Result<TcpStream> {
    let mut session = TcpStream::connect(agent).await?;
    let prelude = format!(
        "agi_network: yes\nagi_network_script: {flow}\nagi_request: agi://{agent}/{flow}\n\
         agi_channel: PJSIP/1001-{n:08x}\nagi_language: en\nagi_type: PJSIP\nagi_uniqueid: 1767225600.{n}\n\
         agi_version: 22.8.0\nagi_callerid: 2145550101\nagi_calleridname: Alice\nagi_callingpres: 0\n\
         agi_callingani2: 0\nagi_callington: 0\nagi_callingtns: 0\nagi_dnid: {dialled}\nagi_rdnis: unknown\n\
         agi_context: from-lines\nagi_extension: {dialled}\nagi_priority: 1\nagi_enhanced: 0.0\nagi_accountcode: \n\
         agi_threadid: 140245678901952\nagi_arg_1: line\nagi_arg_2: 1001\n\n"
    );
    for line in prelude.split_inclusive('\n') {
        session.write_all(line.as_bytes()).await?;
    }
    Ok(session)
}

async fn read_line(session: &mut TcpStream) -> io::Result<String> {
    let mut line = Vec::with_capacity(2048);
    while !line.ends_with(b"\n") {
        if session.read_buf(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    String::from_utf8(line).map_err(io::Error::other)
}

impl Outcome {
    fn new() -> Outcome {
        // Up to a minute.
        let micros = Histogram::new_with_bounds(1, 60_000_000, 3).expect("bounds in order");
        Outcome { decided: 0, failed: 0, lasted: Duration::ZERO, micros }
    }

    fn add(&mut self, call: io::Result<Duration>) {
        match call {
            Ok(took) => {
                self.decided += 1;
                self.micros.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
            }
            Err(_) => self.failed += 1,
        }
    }

    pub(crate) fn merge(&mut self, other: &Outcome) {
        self.decided += other.decided;
        self.failed += other.failed;
        self.micros.add(&other.micros).expect("histograms of one kind");
    }

    /// Decisions a second.
    pub(crate) fn per_second(&self) -> f64 {
        self.decided as f64 / self.lasted.as_secs_f64()
    }
}

/// `p50 412, p99 1033, max 2411 us`, and the failures if there are any.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome { micros, failed, .. } = self;
        let (p50, p99) = (micros.value_at_quantile(0.5), micros.value_at_quantile(0.99));
        write!(f, "p50 {p50}, p99 {p99}, max {} us", micros.max())?;
        if *failed > 0 { write!(f, "; {failed} FAILED") } else { Ok(()) }
    }
}
