//! One ordered, bounded queue for each channel that somebody follows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::error::{TryRecvError, TrySendError};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::Event;

/// Events that wait for one channel at the most. Nobody presses so many keys while a prompt is looked up.
const DEPTH: usize = 256;

/// The queues of one app. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Queues(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// By channel; each follower has a number, since a channel may be followed again.
    senders: HashMap<String, (u64, Sender<Event>)>,
    followers: u64,
}

/// The events of one channel, in their order. Dropping it ends the queue.
#[derive(Debug)]
pub struct Queue {
    channel: String,
    follower: u64,
    events: Receiver<Event>,
    queues: Queues,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It waits for whoever follows the channel.
    Taken,
    /// Nobody follows the channel.
    Unknown,
    /// Too many wait already. The queue is closed: who reads it gets what is in it, and then learns that the rest is missing.
    Overflown,
}

impl Queues {
    /// Follows a channel; `None` when somebody does already.
    #[must_use]
    pub fn follow(&self, channel_id: &str) -> Option<Queue> {
        let mut state = self.lock();
        if state.senders.contains_key(channel_id) {
            return None;
        }
        state.followers += 1;
        let follower = state.followers;
        let (sender, events) = channel(DEPTH);
        state.senders.insert(channel_id.to_owned(), (follower, sender));
        Some(Queue { channel: channel_id.to_owned(), follower, events, queues: self.clone() })
    }

    /// Follows a channel that is another's no more: whoever followed it is told that it is lost.
    #[must_use]
    pub fn take_over(&self, channel_id: &str) -> Option<Queue> {
        self.deliver(channel_id, Event::Lost);
        self.lock().senders.remove(channel_id);
        self.follow(channel_id)
    }

    /// Hands an event to whoever follows that channel, without waiting.
    pub fn deliver(&self, channel_id: &str, event: Event) -> Delivery {
        let mut state = self.lock();
        let Some((_, sender)) = state.senders.get(channel_id) else { return Delivery::Unknown };
        match sender.try_send(event) {
            Ok(()) => Delivery::Taken,
            Err(TrySendError::Closed(_)) => Delivery::Unknown,
            Err(TrySendError::Full(_)) => {
                state.senders.remove(channel_id);
                Delivery::Overflown
            }
        }
    }

    /// The channels that are followed.
    #[must_use]
    pub fn channels(&self) -> Vec<String> {
        self.lock().senders.keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is whole: a panic elsewhere leaves the map as it should be.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// The channel.
    #[must_use]
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// The next event; `None` when it was overflown. Nothing is lost when this is not waited for to the end.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// The next event that is there already.
    ///
    /// # Errors
    /// None is, or the queue was overflown.
    pub fn waiting(&mut self) -> Result<Event, TryRecvError> {
        self.events.try_recv()
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let mut state = self.queues.lock();
        if state.senders.get(&self.channel).is_some_and(|(follower, _)| *follower == self.follower) {
            state.senders.remove(&self.channel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: usize) -> Event {
        let channel = super::super::Channel { id: "1".to_owned(), ..Default::default() };
        Event::ChannelDtmfReceived { digit: digit.to_string(), channel }
    }

    #[tokio::test]
    async fn events_come_in_their_order_and_what_was_lost_is_known() {
        let queues = Queues::default();
        assert_eq!(queues.deliver("1", key(0)), Delivery::Unknown);
        let mut queue = queues.follow("1").unwrap();
        assert!(queues.follow("1").is_none());
        for digit in 0..DEPTH {
            assert_eq!(queues.deliver("1", key(digit)), Delivery::Taken);
        }
        assert_eq!(queues.deliver("1", key(0)), Delivery::Overflown);
        assert_eq!(queues.deliver("1", key(0)), Delivery::Unknown);
        let again = queues.follow("1").unwrap();
        for digit in 0..DEPTH {
            assert_eq!(queue.next().await, Some(key(digit)));
        }
        assert_eq!(queue.next().await, None);
        drop(queue);
        assert_eq!(queues.deliver("1", key(0)), Delivery::Taken, "the later queue stays");
        drop(again);
        assert_eq!(queues.channels(), Vec::<String>::new());
    }
}
