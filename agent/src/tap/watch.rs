//! The loop that begins and ends taps. It knows the calls of the node from whoever tells it ([`super::tapper`]), and looks at Asterisk's channels by itself
//! once a second while there is something to record: so nothing is missed, and what an agent that died had begun is brought to its end.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::monitor::Monitor;
use super::notes::{Folder, Notes};
use super::purpose::{Purpose, Wanted};
use super::subject::Subject;
use super::tapper::{TapError, Tapper, Wish};
use crate::alarm::Alarms;
use crate::store::Store;
use crate::store::asking::Asking;
use crate::store::recording::{Form, Order};
use crate::store::writer::{Unwritten, Writer};
use crate::wire::ami::AmiError;

/// Between two looks at the orders.
const TICK: Duration = Duration::from_secs(1);
/// For a question to the database.
const QUESTION: Duration = Duration::from_secs(1);
/// For MixMonitor to end.
const FORGETS: Duration = Duration::from_millis(200);
/// Ids of channels tell whole seconds.
const SECOND: TimeDelta = TimeDelta::seconds(1);

/// What the loop works with.
#[derive(Debug)]
pub struct Parts {
    /// The node's name.
    pub node: String,
    /// Where Asterisk records.
    pub folder: Folder,
    /// Asterisk.
    pub monitor: Monitor,
    /// The central data.
    pub store: Store,
    /// Counts calls.
    pub writer: Writer,
    /// What operators look at.
    pub alarms: Alarms,
}

/// The loop.
#[derive(Debug)]
pub struct Watch {
    parts: Parts,
    wishes: UnboundedReceiver<Wish>,
    orders: watch::Sender<Arc<Vec<Order>>>,
    /// Whether the orders are known: until then none of what runs has ended.
    informed: bool,
    /// Taps that run; `None` until the folder could be read.
    taps: Option<Vec<Notes>>,
    /// Unique ids of channels that were looked at.
    seen: HashSet<String>,
    /// Calls that were counted for an order, by their linked ids.
    counted: HashSet<(Uuid, String)>,
    /// Accounts of lines.
    accounts: HashMap<String, String>,
    /// The bridge in which the channel of each tap was seen.
    bridges: HashMap<Uuid, String>,
    /// When taps beep again; `None` for those that do no more.
    beeps: HashMap<Uuid, Option<Instant>>,
}

impl Watch {
    /// The loop, and who tells it.
    #[must_use]
    pub fn new(parts: Parts) -> (Watch, Tapper) {
        let (send, wishes) = unbounded_channel();
        let (orders, known) = watch::channel(Arc::default());
        let watch = Watch {
            parts,
            wishes,
            orders,
            informed: false,
            taps: None,
            seen: HashSet::new(),
            counted: HashSet::new(),
            accounts: HashMap::new(),
            bridges: HashMap::new(),
            beeps: HashMap::new(),
        };
        (watch, Tapper { wishes: send, orders: known })
    }

    /// Taps until `stop`. What runs then goes on, and is found by the next agent.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => self.turn().await,
                // Nobody may be left to tell: it looks all the same.
                Some(wish) = self.wishes.recv() => self.grant(wish).await,
            }
        }
    }

    async fn turn(&mut self) {
        let looked = self.look().await;
        let text =
            |error| format!("recordings are not begun or ended: {error}; see asterisk.manager and media.recordings");
        self.parts.alarms.set("recordings.tap", looked.err().map(text));
    }

    async fn look(&mut self) -> Result<(), TapError> {
        if self.taps.is_none() {
            let running = self.parts.folder.running()?;
            let counted =
                running.iter().filter_map(|tap| Some((tap.purpose.order_id()?, tap.subject.linked_id.clone())));
            self.counted.extend(counted);
            self.taps = Some(running);
        }
        // While the database is away, what was ordered holds.
        if let Ok(orders) = self.parts.store.recording_orders(Utc::now(), Instant::now() + QUESTION).await {
            self.informed = true;
            self.orders.send_if_modified(|known| {
                let changed = **known != orders;
                *known = Arc::new(orders);
                changed
            });
        }
        self.end_unwanted().await?;
        if self.orders.borrow().is_empty() && self.taps.as_ref().is_none_or(Vec::is_empty) {
            return Ok(());
        }
        let channels = self.parts.monitor.channels().await?;
        self.compare(channels).await
    }

    /// Ends the taps of orders that were ended, or whose time is up.
    async fn end_unwanted(&mut self) -> Result<(), TapError> {
        let (now, orders) = (Utc::now(), self.orders.borrow().clone());
        let holds = |id: Uuid| orders.iter().any(|order| order.id == id && order.holds(now));
        let unwanted = |tap: &&Notes| tap.monitor.is_some() && tap.purpose.order_id().is_some_and(|id| !holds(id));
        let unwanted: Vec<Uuid> = if self.informed {
            self.taps.iter().flatten().filter(unwanted).map(|tap| tap.id).collect()
        } else {
            Vec::new()
        };
        for id in unwanted {
            self.stop(id).await?;
        }
        Ok(())
    }

    /// Sees which channels are new, and which are gone.
    async fn compare(&mut self, channels: Vec<Subject>) -> Result<(), TapError> {
        let there: HashMap<&str, &Subject> =
            channels.iter().map(|subject| (subject.uniqueid.as_str(), subject)).collect();
        let (mut gone, mut silent, mut moved) = (Vec::new(), Vec::new(), Vec::new());
        for tap in self.taps.iter_mut().flatten() {
            let Purpose::Recording(wanted) = &tap.purpose;
            if let Some(seconds) = wanted.beep_seconds
                && there.get(tap.subject.uniqueid.as_str()).is_some_and(|now| now.talks)
            {
                silent.push((tap.id, tap.subject.channel.clone(), seconds));
            }
            let bridge = there.get(tap.subject.uniqueid.as_str()).map_or("", |now| now.bridge.as_str());
            if !bridge.is_empty()
                && let Some(before) = self.bridges.insert(tap.id, bridge.to_owned())
                && before != bridge
            {
                moved.push(tap.id);
            }
            match there.get(tap.subject.uniqueid.as_str()) {
                None => gone.push(tap.id),
                Some(now) if !now.other_number.is_empty() && now.other_number != tap.subject.other_number => {
                    tap.subject.other_number.clone_from(&now.other_number);
                    self.parts.folder.write(tap)?;
                }
                Some(_) => {}
            }
        }
        for id in gone {
            self.end(id)?;
        }
        for id in moved {
            self.renew(id).await?;
        }
        for (id, channel, seconds) in silent {
            self.beep(id, &channel, seconds).await?;
        }
        self.seen.retain(|uniqueid| there.contains_key(uniqueid.as_str()));
        self.counted.retain(|(_, linked_id)| channels.iter().any(|subject| subject.linked_id == *linked_id));
        for subject in channels {
            self.appear(subject).await?;
        }
        Ok(())
    }

    /// Beeps, if it is time.
    async fn beep(&mut self, id: Uuid, channel: &str, seconds: i32) -> Result<(), TapError> {
        let now = Instant::now();
        if self.beeps.get(&id).is_some_and(|next| next.is_none_or(|next| now < next)) {
            return Ok(());
        }
        match self.parts.monitor.beep(channel).await {
            Ok(()) | Err(AmiError::Refused { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let every = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0);
        self.beeps.insert(id, every.map(|seconds| now + Duration::from_secs(seconds)));
        Ok(())
    }

    async fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Appeared(subject) => {
                if let Err(error) = self.appear(*subject).await {
                    // It is tried again with the next look at all channels, which raises the alarm.
                    tracing::debug!(%error, "a channel is not tapped yet");
                }
            }
            Wish::Gone(uniqueid) => {
                let taps = self.taps.iter().flatten().filter(|tap| tap.subject.uniqueid == uniqueid);
                let gone: Vec<Uuid> = taps.map(|tap| tap.id).collect();
                // What cannot be written down now is found out by the next look.
                let _ = gone.into_iter().try_for_each(|id| self.end(id));
            }
            Wish::Start(subject, purpose, form, answer) => {
                let _ = answer.send(self.begin(*subject, *purpose, form).await);
            }
            Wish::Stop(id, answer) => {
                let _ = answer.send(self.stop(id).await);
            }
        }
    }

    /// Taps a new channel, if an order wants it.
    async fn appear(&mut self, mut subject: Subject) -> Result<(), TapError> {
        let orders = self.orders.borrow().clone();
        let Some(line_id) = subject.line_id.clone().filter(|_| !orders.is_empty()) else { return Ok(()) };
        if !self.seen.insert(subject.uniqueid.clone()) {
            return Ok(());
        }
        if subject.account_id.is_none() && orders.iter().any(|order| order.line_id.is_none()) {
            subject.account_id = self.account_of(&line_id).await;
        }
        let is_new = |order: &Order| subject.since + SECOND > order.ordered_at;
        let wants = |order: &&Order| {
            order.is_for(&line_id, subject.account_id.as_deref()) && order.holds(Utc::now()) && is_new(order)
        };
        // One recording of a channel is enough: by the order for its line, if there is one.
        let mut wanted: Vec<&Order> = orders.iter().filter(wants).collect();
        wanted.sort_by_key(|order| order.line_id.is_none());
        for order in wanted {
            if self.is_ordered(&subject.uniqueid) {
                break;
            }
            if self.count(order, &subject.linked_id).await {
                let purpose = Purpose::Recording(Wanted::by(order));
                let begun = self.begin(subject.clone(), purpose, order.form).await;
                match begun {
                    // It is gone already.
                    Ok(_) | Err(TapError::Asterisk(AmiError::Refused { .. })) => {}
                    Err(error) => {
                        self.seen.remove(&subject.uniqueid);
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }

    fn is_ordered(&self, uniqueid: &str) -> bool {
        let mut taps = self.taps.iter().flatten();
        taps.any(|tap| tap.subject.uniqueid == uniqueid && tap.purpose.order_id().is_some())
    }

    /// Whether a call may be recorded by an order, which counts it, once for all nodes. While nobody can count, it is by what is known.
    async fn count(&mut self, order: &Order, linked_id: &str) -> bool {
        let Some(left) = order.calls_left else { return true };
        let call = (order.id, linked_id.to_owned());
        if self.counted.contains(&call) {
            return true;
        }
        if left == 0 {
            return false;
        }
        match self.parts.writer.claim_call(order.id, &self.parts.node, linked_id, Utc::now()).await {
            Ok(true) => {}
            Ok(false) | Err(Unwritten::Refused(_)) => return false,
            Err(Unwritten::Later(_)) => self.orders.send_modify(|orders| {
                for known in Arc::make_mut(orders).iter_mut().filter(|known| known.id == order.id) {
                    known.calls_left = Some(left - 1);
                }
            }),
        }
        self.counted.insert(call);
        true
    }

    async fn account_of(&mut self, line_id: &str) -> Option<String> {
        if let Some(account) = self.accounts.get(line_id) {
            return Some(account.clone());
        }
        // The replica knows it, too.
        let mut asking = Asking::until(Instant::now() + QUESTION);
        let line = self.parts.store.line_caller(line_id, "", &mut asking).await.ok()??;
        self.accounts.insert(line_id.to_owned(), line.account.id.clone());
        Some(line.account.id)
    }

    async fn begin(&mut self, subject: Subject, purpose: Purpose, form: Form) -> Result<Uuid, TapError> {
        let id = Uuid::now_v7();
        let mut notes = Notes { id, subject, purpose, form, begun_at: Utc::now(), monitor: None };
        self.parts.folder.write(&notes)?;
        match self.parts.monitor.start(&notes.subject.channel, &self.parts.folder.raw(id)).await {
            Ok(monitor) => notes.monitor = monitor,
            Err(error) => {
                // If it began all the same, nobody knows of it: it is begun again, and counts once.
                self.parts.folder.remove(id)?;
                return Err(error.into());
            }
        }
        let written = self.parts.folder.write(&notes);
        match &notes.purpose {
            Purpose::Recording(wanted) => {
                let Subject { line_id, uniqueid, .. } = &notes.subject;
                tracing::info!(recording = %id, line = line_id, uniqueid, by = wanted.ordered_by, "a call is recorded");
            }
        }
        self.taps.get_or_insert_default().push(notes);
        // Without that, only the end of its channel ends it after a restart.
        written.map_err(TapError::Disk).map(|()| id)
    }

    /// Begins a tap anew, behind what it has: its channel talks with somebody else now, of whom Asterisk's MixMonitor hears nothing for as long as the
    /// packets of that one's stream have lower numbers than the last of the one before, which may be for minutes.
    async fn renew(&mut self, id: Uuid) -> Result<(), TapError> {
        let Watch { parts, taps, .. } = self;
        let Some(tap) = taps.iter_mut().flatten().find(|tap| tap.id == id) else { return Ok(()) };
        let Some(monitor) = &tap.monitor else { return Ok(()) };
        let channel = &tap.subject.channel;
        let renewed = match parts.monitor.stop(channel, monitor).await {
            Ok(()) => {
                // What it keeps of the stream is gone with it, a moment later.
                sleep(FORGETS).await;
                parts.monitor.start(channel, &parts.folder.raw(id)).await
            }
            Err(error) => Err(error),
        };
        match renewed {
            Ok(monitor) => tap.monitor = monitor,
            // It is gone already.
            Err(AmiError::Refused { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        parts.folder.write(tap)?;
        Ok(())
    }

    async fn stop(&mut self, id: Uuid) -> Result<(), TapError> {
        let tap = self.taps.iter().flatten().find(|tap| tap.id == id).ok_or(TapError::Unknown(id))?;
        if let Some(monitor) = &tap.monitor {
            match self.parts.monitor.stop(&tap.subject.channel, monitor).await {
                // Its channel has ended.
                Ok(()) | Err(AmiError::Refused { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.end(id)
    }

    fn end(&mut self, id: Uuid) -> Result<(), TapError> {
        self.parts.folder.end(id)?;
        self.beeps.remove(&id);
        self.bridges.remove(&id);
        self.taps.iter_mut().for_each(|taps| taps.retain(|tap| tap.id != id));
        Ok(())
    }
}
