//! The tries of errands: many at once, each with pauses of its own.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use super::errand::Errand;
use crate::buffer::pauses::Pauses;

/// Deliveries at once.
const AT_ONCE: usize = 64;
/// Between two tries of what is to follow a delivery.
const AGAIN: Duration = Duration::from_secs(1);

/// An errand that waits.
#[derive(Debug)]
pub struct Waiting<E> {
    /// What.
    pub errand: E,
    /// How often it was tried.
    pub tries: u32,
    /// Why that came to nothing.
    pub last_error: String,
    /// It was delivered, and what is to follow could not be done yet.
    pub delivered_at: Option<DateTime<Utc>>,
    pauses: Pauses,
    not_before: Instant,
    under_way: bool,
}

/// Errands, until they are done.
#[derive(Debug)]
pub struct Rounds<E> {
    waiting: HashMap<Uuid, Waiting<E>>,
    deliveries: JoinSet<(Uuid, Result<(), String>)>,
}

impl<E: Errand> Default for Rounds<E> {
    fn default() -> Self {
        Rounds { waiting: HashMap::new(), deliveries: JoinSet::new() }
    }
}

impl<E: Errand> Rounds<E> {
    /// A further errand.
    pub fn add(&mut self, errand: E) {
        self.waiting.entry(errand.id()).or_insert(Waiting {
            errand,
            tries: 0,
            last_error: String::new(),
            delivered_at: None,
            pauses: Pauses::default(),
            not_before: Instant::now(),
            under_way: false,
        });
    }

    /// Begins the deliveries that are due; returns those that were delivered, and whose following is due again.
    pub fn begin<F>(&mut self, deliver: impl Fn(E) -> F) -> Vec<Uuid>
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let now = Instant::now();
        let mut delivered = Vec::new();
        for (id, waiting) in &mut self.waiting {
            if waiting.under_way || now < waiting.not_before {
                continue;
            }
            if waiting.delivered_at.is_some() {
                delivered.push(*id);
                continue;
            }
            if self.deliveries.len() >= AT_ONCE {
                break;
            }
            waiting.under_way = true;
            waiting.tries += 1;
            let (id, delivery) = (*id, deliver(waiting.errand.clone()));
            self.deliveries.spawn(async move { (id, delivery.await) });
        }
        delivered
    }

    /// Waits for a delivery to end, well or not; `None` when none is under way. May be dropped.
    pub async fn ended(&mut self) -> Option<(Uuid, Result<(), String>)> {
        let (id, outcome) = self.deliveries.join_next().await?.ok()?;
        let waiting = self.waiting.get_mut(&id)?;
        waiting.under_way = false;
        if outcome.is_ok() {
            waiting.delivered_at = Some(Utc::now());
        }
        Some((id, outcome))
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: Uuid) -> Option<&Waiting<E>> {
        self.waiting.get(&id)
    }

    /// A delivery failed, and is tried again after a pause; true when that is the first time.
    pub fn failed(&mut self, id: Uuid, error: String) -> bool {
        let Some(waiting) = self.waiting.get_mut(&id) else { return false };
        let (pause, first) = waiting.pauses.begin();
        waiting.last_error = error;
        waiting.not_before = Instant::now() + pause;
        first
    }

    /// What is to follow a delivery could not be done, and is tried again.
    pub fn follow_later(&mut self, id: Uuid, error: String) {
        if let Some(waiting) = self.waiting.get_mut(&id) {
            waiting.last_error = error;
            waiting.not_before = Instant::now() + AGAIN;
        }
    }

    /// It is done, or of no use any more.
    pub fn remove(&mut self, id: Uuid) {
        self.waiting.remove(&id);
    }

    /// Those that wait.
    pub fn iter(&self) -> impl Iterator<Item = &Waiting<E>> {
        self.waiting.values()
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What operators are told when one of them, `what`, waits for longer than `limit`.
    #[must_use]
    pub fn late(&self, what: &str, limit: TimeDelta) -> Option<String> {
        let oldest = self.waiting.values().min_by_key(|waiting| waiting.errand.created_at())?;
        (Utc::now() - oldest.errand.created_at() >= limit).then(|| {
            format!(
                "{} {what} wait; the oldest, {}, was tried {} times: {}",
                self.waiting.len(),
                oldest.errand.whither(),
                oldest.tries,
                oldest.last_error
            )
        })
    }
}
