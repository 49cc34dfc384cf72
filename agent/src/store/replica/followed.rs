//! Which changes were followed.
//!
//! Changes are numbered when they are written and seen when they are committed: a transaction that lasts longer than its
//! neighbours brings numbers below those that were seen. So numbers are remembered for a while, and what stands
//! between them is looked at again.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// No transaction takes longer: an import of everything takes minutes.
const LONGEST_TRANSACTION: Duration = Duration::from_secs(3600);
/// How finely times are remembered.
const GRAIN: Duration = Duration::from_secs(60);

/// The changes that were followed.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// All up to this number were followed, or never will be seen.
    low: i64,
    /// The greatest number that was seen.
    high: i64,
    /// Those between the two.
    seen: BTreeSet<i64>,
    /// What `high` was, and since when.
    marks: VecDeque<(Instant, i64)>,
}

impl Followed {
    /// Everything up to `low` was followed, and `seen` beyond it.
    pub(super) fn up_to(low: i64, seen: impl IntoIterator<Item = i64>) -> Followed {
        let mut followed = Followed { low, high: low, ..Followed::default() };
        for id in seen {
            followed.see(id);
        }
        followed
    }

    pub(super) fn low(&self) -> i64 {
        self.low
    }

    pub(super) fn high(&self) -> i64 {
        self.high
    }

    /// How many were seen above `low`.
    pub(super) fn count(&self) -> i64 {
        i64::try_from(self.seen.len()).unwrap_or(i64::MAX)
    }

    /// Whether a change was not followed yet.
    pub(super) fn is_new(&self, id: i64) -> bool {
        id > self.low && !self.seen.contains(&id)
    }

    /// Takes note of a change that was followed.
    pub(super) fn see(&mut self, id: i64) {
        self.high = self.high.max(id);
        if id > self.low {
            self.seen.insert(id);
        }
    }

    /// Forgets what is older than any transaction.
    pub(super) fn forget(&mut self, now: Instant) {
        if self.marks.back().is_none_or(|(at, high)| now - *at >= GRAIN && *high != self.high) {
            self.marks.push_back((now, self.high));
        }
        while let Some((at, high)) = self.marks.front().copied()
            && now - at >= LONGEST_TRANSACTION
        {
            self.marks.pop_front();
            self.low = self.low.max(high);
            self.seen = self.seen.split_off(&(self.low + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_comes_late_is_new_and_an_old_one_is_forgotten() {
        let mut followed = Followed::up_to(10, [11, 13]);
        assert!(!followed.is_new(10) && !followed.is_new(11) && !followed.is_new(13) && followed.is_new(14));
        assert_eq!((followed.low(), followed.high(), followed.count()), (10, 13, 2));
        let now = Instant::now();
        followed.forget(now);
        assert!(followed.is_new(12), "a transaction that was longer");
        followed.forget(now + LONGEST_TRANSACTION);
        assert_eq!((followed.low(), followed.count()), (13, 0));
        assert!(!followed.is_new(12));
    }
}
