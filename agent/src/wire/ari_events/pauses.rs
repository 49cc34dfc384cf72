//! Pauses between two tries to have the events of an app.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::sleep;
use tracing::warn;

use super::socket::SocketError;

const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Between tries: ever longer, each a little different, and told of once.
#[derive(Debug)]
pub struct Pauses {
    without: &'static str,
    pauses: backon::ExponentialBackoff,
    told: bool,
}

impl Pauses {
    /// Before the first try; `without` says what there is not while there are no events.
    #[must_use]
    pub fn new(without: &'static str) -> Pauses {
        let pauses = ExponentialBuilder::default().with_jitter().with_min_delay(PAUSE).with_max_delay(LONGEST_PAUSE);
        Pauses { without, pauses: pauses.without_max_times().build(), told: false }
    }

    /// A try failed.
    pub fn failed(&mut self, error: &SocketError) {
        if !self.told {
            warn!(%error, "{}, trying on", self.without);
        }
        self.told = true;
    }

    /// Waits until the next.
    pub async fn pause(&mut self) {
        sleep(self.pauses.next().unwrap_or(LONGEST_PAUSE)).await;
    }
}
