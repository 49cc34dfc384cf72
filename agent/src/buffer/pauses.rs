//! How long is waited before something that failed is tried again.

use std::time::Duration;

use backon::BackoffBuilder;

/// After the first failure.
const FIRST: Duration = Duration::from_millis(100);
/// After many.
pub(super) const LONGEST: Duration = Duration::from_secs(15);

/// Pauses that grow with every failure in a row, with jitter, so that nodes do not come back all at once.
#[derive(Debug, Default)]
pub struct Pauses(Option<backon::ExponentialBackoff>);

impl Pauses {
    /// The length of the pause that begins now, and whether it is the first.
    pub fn begin(&mut self) -> (Duration, bool) {
        let first = self.0.is_none();
        let pauses = self.0.get_or_insert_with(|| {
            let growing = backon::ExponentialBuilder::default().with_min_delay(FIRST).with_max_delay(LONGEST);
            growing.with_jitter().without_max_times().build()
        });
        (pauses.next().unwrap_or(LONGEST), first)
    }

    /// Begins anew; true when there were failures.
    pub fn reset(&mut self) -> bool {
        self.0.take().is_some()
    }
}
