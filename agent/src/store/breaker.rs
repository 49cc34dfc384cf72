//! Whether the central database is asked at all: one that is gone or slow is not to cost every call its deadline.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::Gauge;
use tokio::time::Instant;

/// Questions in a row without an answer, after which it opens.
const FAILURES: u32 = 3;
/// How long it stays open the first time; each time twice as long, until a question is answered.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// Opens after some questions without an answer; then one question at a time tries whether it may close.
#[derive(Debug)]
pub(super) struct Breaker {
    state: Mutex<State>,
    open: Gauge,
}

#[derive(Debug)]
struct State {
    failures: u32,
    pause: Duration,
    /// Open until then; afterwards the first to ask tries.
    until: Option<Instant>,
}

impl Default for Breaker {
    fn default() -> Self {
        let state = State { failures: 0, pause: FIRST, until: None };
        Breaker { state: Mutex::new(state), open: metrics::gauge!("tandem_breaker_open") }
    }
}

impl Breaker {
    /// Whether a question may be put to the central database.
    pub(super) fn lets_through(&self) -> bool {
        let mut state = self.state();
        let Some(until) = state.until else { return true };
        if Instant::now() < until {
            return false;
        }
        // This one tries; the others wait for what it finds.
        state.until = Some(Instant::now() + state.pause);
        true
    }

    /// The database answered.
    pub(super) fn answered(&self) {
        let mut state = self.state();
        state.failures = 0;
        if state.until.take().is_some() {
            state.pause = FIRST;
            self.open.set(0.0);
            tracing::info!("the central database answers again");
        }
    }

    /// It did not.
    pub(super) fn failed(&self, why: &super::StoreError) {
        let mut state = self.state();
        state.failures += 1;
        if state.until.is_some() {
            state.pause = (state.pause * 2).min(LONGEST);
            state.until = Some(Instant::now() + state.pause);
        } else if state.failures >= FAILURES {
            state.until = Some(Instant::now() + state.pause);
            self.open.set(1.0);
            tracing::warn!(error = %why, "the central database does not answer; the replica answers for it");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
