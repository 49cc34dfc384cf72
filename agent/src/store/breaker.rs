//! Whether the central database is asked at all: one that is gone or slow is not to cost every call its deadline.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::Gauge;
use tokio::time::Instant;

/// Questions in a row without an answer, after which it opens.
const FAILURES: u32 = 3;
/// Between two trials while it is open.
const FIRST: Duration = Duration::from_secs(1);
/// The same for a database that answers trials and fails calls.
const LONGEST: Duration = Duration::from_secs(30);
/// One that opens again within this time was closed too early.
const SOON: Duration = Duration::from_secs(10);

/// What becomes of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// The database is asked.
    Open,
    /// It is not.
    Barred,
    /// It is not, and it is time to try, beside the call, whether it answers.
    Try,
}

/// Bars the way after some questions without an answer, until a trial is answered.
#[derive(Debug)]
pub(super) struct Breaker {
    state: Mutex<State>,
    barred: Gauge,
}

#[derive(Debug)]
struct State {
    failures: u32,
    pause: Duration,
    /// Barred, and the next trial is then.
    trial: Option<Instant>,
    freed: Option<Instant>,
}

impl Default for Breaker {
    fn default() -> Self {
        let state = State { failures: 0, pause: FIRST, trial: None, freed: None };
        Breaker { state: Mutex::new(state), barred: metrics::gauge!("tandem_breaker_open") }
    }
}

impl Breaker {
    /// Whether a question may be put to the central database.
    pub(super) fn passage(&self) -> Passage {
        let mut state = self.state();
        match state.trial {
            None => Passage::Open,
            Some(trial) if Instant::now() < trial => Passage::Barred,
            Some(_) => {
                state.trial = Some(Instant::now() + state.pause);
                Passage::Try
            }
        }
    }

    /// The database answered.
    pub(super) fn answered(&self) {
        let mut state = self.state();
        state.failures = 0;
        if state.trial.take().is_some() {
            state.freed = Some(Instant::now());
            self.barred.set(0.0);
            tracing::info!("the central database answers again");
        }
    }

    /// It did not.
    pub(super) fn failed(&self, why: &super::StoreError) {
        let mut state = self.state();
        state.failures += 1;
        if state.trial.is_none() && state.failures >= FAILURES {
            let again = state.freed.is_some_and(|freed| freed.elapsed() < SOON);
            state.pause = if again { (state.pause * 2).min(LONGEST) } else { FIRST };
            state.trial = Some(Instant::now() + state.pause);
            self.barred.set(1.0);
            tracing::warn!(error = %why, "the central database does not answer; the replica answers for it");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
