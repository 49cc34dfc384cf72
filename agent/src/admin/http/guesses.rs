//! Who guesses at tokens: each address is answered ever later, then for a time not at all. Others notice nothing.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::{Duration, Instant};

/// Pause after the first wrong token, doubled by each further one.
const PAUSE: Duration = Duration::from_millis(100);
/// Wrong tokens after which an address is locked.
const LOCKING: u32 = 6;
/// For how long, and twice as long with each further one.
const LOCKED: Duration = Duration::from_secs(60);
const LOCKED_AT_MOST: Duration = Duration::from_secs(3600);
/// Without a further wrong token, after its lock, an address is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(600);
/// Addresses that are remembered.
const ADDRESSES: usize = 4096;

#[derive(Debug, Clone, Copy)]
struct Guess {
    wrong: u32,
    last: Instant,
}

/// The wrong tokens of each address.
#[derive(Debug, Clone, Default)]
pub struct Guesses(Arc<Mutex<HashMap<IpAddr, Guess>>>);

impl Guess {
    fn lock(self) -> Duration {
        match self.wrong.checked_sub(LOCKING) {
            None => Duration::ZERO,
            Some(further) => LOCKED.saturating_mul(1 << further.min(16)).min(LOCKED_AT_MOST),
        }
    }

    fn is_forgotten(self, now: Instant) -> bool {
        now - self.last >= self.lock() + FORGOTTEN
    }
}

impl Guesses {
    /// For how long an address is still locked.
    #[must_use]
    pub fn locked(&self, peer: IpAddr, now: Instant) -> Option<Duration> {
        let guess = *self.known().get(&one(peer))?;
        let left = guess.lock().saturating_sub(now - guess.last);
        (!left.is_zero()).then_some(left)
    }

    /// One more wrong token; how long its answer is to wait.
    pub fn wrong(&self, peer: IpAddr, now: Instant) -> Duration {
        let mut known = self.known();
        if known.len() >= ADDRESSES && !known.contains_key(&one(peer)) {
            known.retain(|_, guess| !guess.is_forgotten(now));
            if known.len() >= ADDRESSES
                && let Some(oldest) = known.iter().min_by_key(|(_, guess)| guess.last).map(|(peer, _)| *peer)
            {
                known.remove(&oldest);
            }
        }
        let guess = known.entry(one(peer)).or_insert(Guess { wrong: 0, last: now });
        if guess.is_forgotten(now) {
            guess.wrong = 0;
        }
        *guess = Guess { wrong: guess.wrong.saturating_add(1), last: now };
        PAUSE * (1 << (guess.wrong - 1).min(LOCKING - 2))
    }

    /// How many addresses are remembered.
    #[must_use]
    pub fn addresses(&self) -> usize {
        self.known().len()
    }

    fn known(&self) -> MutexGuard<'_, HashMap<IpAddr, Guess>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever has one address of IPv6 has the 64 bits behind it, too.
fn one(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address => address,
    }
}
