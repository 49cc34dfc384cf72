//! The loop that begins and ends taps. It looks at Asterisk's channels once a second while there is something to intercept, and at once when a line's warrant
//! comes or a call of it appears.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::armed::Armed;
use super::tap::{Place, Tap};
use crate::alarm::Alarms;
use crate::live::board::{Board, Change};
use crate::store::warrant::ArmedWarrant;
use crate::tap::monitor::Monitor;
use crate::tap::subject::Subject;
use crate::wire::ami::AmiError;

/// Between two looks.
const TICK: Duration = Duration::from_secs(1);

/// Asterisk forgets what a channel's taps have heard so long after the last of them was ended: with its next packet.
const FORGETS: Duration = Duration::from_millis(200);

/// What the loop works with.
#[derive(Debug)]
pub struct Watch {
    /// Files and spool.
    pub place: Place,
    /// Asterisk.
    pub monitor: Monitor,
    /// The warrants that hold.
    pub armed: watch::Receiver<Armed>,
    /// What is heard of calls, where anything is: at once, and with what was dialled.
    pub board: Option<Board>,
    /// What those who intercept have to look at; nobody else sees these.
    pub alarms: Alarms,
}

/// Why a look came to nothing.
#[derive(Debug, thiserror::Error)]
enum Unseen {
    #[error("{0}")]
    Asterisk(#[from] AmiError),
    #[error("the folder private below media.recordings, or the spool, cannot be used: {0}")]
    Disk(#[from] io::Error),
    #[error("Asterisk records nothing; it has to be in the group of the folder private below media.recordings")]
    Silent,
}

impl Watch {
    /// Taps until `stop`. What runs then goes on, and is found by the next agent.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut taps: Option<Vec<Tap>> = None;
        let mut changes = self.board.as_ref().map(Board::changes);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let armed = self.armed.borrow_and_update().clone();
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
                Ok(()) = self.armed.changed() => {}
                () = subject_calls(&mut changes, armed.as_deref().map_or(&[], Vec::as_slice)) => {}
            }
            let outcome = self.turn(&mut taps).await;
            let text = |error| {
                format!("this node does not intercept all that it should: {error}; see asterisk.manager_secret")
            };
            self.alarms.set("interception", outcome.err().map(text));
        }
    }

    async fn turn(&mut self, taps: &mut Option<Vec<Tap>>) -> Result<(), Unseen> {
        let taps = match taps {
            Some(taps) => taps,
            None => taps.insert(self.found()?),
        };
        let armed = self.armed.borrow().clone();
        let looked = self.look(taps, armed.as_deref().map(Vec::as_slice)).await;
        // Whether Asterisk answers or not, plain text does not stay.
        let mut failed = Ok(());
        taps.retain_mut(|tap| match tap.collect(&self.place) {
            Ok(nothing_left) => !nothing_left,
            Err(error) => {
                failed = Err(error.into());
                true
            }
        });
        for tap in taps.iter() {
            if tap.is_silent(&self.place)? {
                failed = Err(Unseen::Silent);
            }
        }
        looked.and(failed)
    }

    /// What another agent left. A tap that may not have begun is begun anew.
    fn found(&self) -> io::Result<Vec<Tap>> {
        self.place.folder.make()?;
        let mut taps = Vec::new();
        for notes in self.place.folder.all()? {
            if notes.monitor.is_some() {
                taps.push(Tap::from(notes));
            } else {
                self.place.folder.remove(notes.id)?;
            }
        }
        Ok(taps)
    }

    async fn look(&mut self, taps: &mut Vec<Tap>, armed: Option<&[ArmedWarrant]>) -> Result<(), Unseen> {
        let now = Utc::now();
        let holding: Vec<&ArmedWarrant> = armed
            .unwrap_or_default()
            .iter()
            .filter(|warrant| warrant.starts_at <= now && now < warrant.ends_at)
            .collect();
        if holding.is_empty() && taps.iter().all(|tap| tap.notes.over_at.is_some()) {
            return Ok(());
        }
        let channels = self.channels().await?;
        let there: HashMap<&str, &Subject> =
            channels.iter().map(|channel| (channel.uniqueid.as_str(), channel)).collect();
        let mut moved = false;
        for tap in taps.iter_mut().filter(|tap| tap.notes.over_at.is_none()) {
            let channel = there.get(tap.notes.uniqueid.as_str());
            if let Some(channel) = channel {
                tap.follow(&self.place, channel)?;
            }
            // Until the database has told, what ran goes on.
            let holds = now < tap.notes.until
                && (armed.is_none() || holding.iter().any(|warrant| warrant.id == tap.notes.warrant_id));
            let has_moved = channel.is_some_and(|channel| tap.has_moved(channel));
            if channel.is_none() || !holds || has_moved {
                self.end(tap, channel.is_some()).await?;
            }
            moved |= has_moved && holds;
        }
        if moved {
            sleep(FORGETS).await;
        }
        for warrant in holding {
            let of_line = channels.iter().filter(|channel| channel.line_id.as_ref() == Some(&warrant.line_id));
            for channel in of_line {
                let is_tapped = |tap: &Tap| {
                    tap.notes.over_at.is_none()
                        && tap.notes.warrant_id == warrant.id
                        && tap.notes.uniqueid == channel.uniqueid
                };
                if !taps.iter().any(is_tapped) {
                    taps.extend(self.begin(warrant, channel).await?);
                }
            }
        }
        Ok(())
    }

    async fn channels(&mut self) -> Result<Vec<Subject>, AmiError> {
        let mut channels = self.monitor.channels().await?;
        let legs = self.board.as_ref().map(Board::calls).unwrap_or_default();
        let dialled: HashMap<&str, &str> =
            legs.iter().map(|leg| (leg.uniqueid.as_str(), leg.dialled.as_str())).collect();
        for channel in &mut channels {
            if let Some(dialled) = dialled.get(channel.uniqueid.as_str()) {
                channel.dialled = (*dialled).to_owned();
            }
        }
        Ok(channels)
    }

    /// Taps a channel; `None` when it is gone already.
    async fn begin(&mut self, warrant: &ArmedWarrant, channel: &Subject) -> Result<Option<Tap>, Unseen> {
        let mut tap = Tap::prepare(&self.place, warrant, channel)?;
        let id = tap.notes.id;
        match self.monitor.start(&channel.channel, &self.place.folder.raw(id)).await {
            Ok(monitor) => {
                tap.begun(&self.place, monitor)?;
                Ok(Some(tap))
            }
            Err(error) => {
                self.place.folder.remove(id)?;
                if matches!(error, AmiError::Refused { .. }) { Ok(None) } else { Err(error.into()) }
            }
        }
    }

    async fn end(&mut self, tap: &mut Tap, is_there: bool) -> Result<(), Unseen> {
        if let Some(monitor) = tap.notes.monitor.as_deref().filter(|_| is_there) {
            match self.monitor.stop(&tap.notes.uniqueid, monitor).await {
                // Its channel has ended.
                Ok(()) | Err(AmiError::Refused { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(tap.end(&self.place)?)
    }
}

/// Waits for a new call of a line that is intercepted.
async fn subject_calls(changes: &mut Option<broadcast::Receiver<Change>>, armed: &[ArmedWarrant]) {
    loop {
        let change = match changes {
            Some(changes) => changes.recv().await,
            None => std::future::pending().await,
        };
        match change {
            Ok(Change::Appeared(leg)) if armed.iter().any(|warrant| Some(&warrant.line_id) == leg.line_id.as_ref()) => {
                return;
            }
            Ok(_) => {}
            // It looks at all of them.
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => *changes = None,
        }
    }
}
