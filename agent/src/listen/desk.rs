//! Connects phones that were answered with what they are to hear, and takes all apart when one side ends.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{MissedTickBehavior, interval};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tracing::{error, info, warn};
use uuid::Uuid;

use super::how::How;
use super::listener::{Listener, Session};
use super::listening::Listening;
use super::part::Part;
use crate::wire::ari::model::{Bridge, Channel};
use crate::wire::ari::{Ari, AriError, Snoop};
use crate::wire::ari_events::Event;
use crate::wire::ari_events::pauses::Pauses;
use crate::wire::ari_events::socket::{Socket, SocketError};

/// While there are no events.
const WITHOUT: &str = "nobody can listen to calls";
/// Between two looks whether all is as it should be.
const LOOK: Duration = Duration::from_secs(30);
/// After what went wrong.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// A phone that is not there after so long was never rung.
const RINGS_AFTER: TimeDelta = TimeDelta::seconds(10);
/// Normal clearing, of Q.850.
const NORMAL: u16 = 16;
/// The key that ends it.
const END: &str = "*";

/// Serves the phones that listen.
#[derive(Debug)]
pub struct Desk {
    listener: Listener,
    url: String,
    credentials: HeaderValue,
}

impl Desk {
    /// Serves those of `listener`, whose Asterisk is at `url`.
    #[must_use]
    pub fn new(listener: Listener, url: &str, credentials: HeaderValue) -> Desk {
        Desk { listener, url: url.to_owned(), credentials }
    }

    /// Serves them for as long as it is polled. What listens then, the next agent finds.
    pub async fn run(self) {
        let app = self.ari().app();
        let mut pauses = Pauses::new(WITHOUT);
        loop {
            let why = match Socket::connect(&self.url, &self.credentials, app, false).await {
                Err(error) => error,
                Ok(socket) => {
                    info!(app, "calls can be listened to");
                    pauses = Pauses::new(WITHOUT);
                    self.listener.connected.store(true, Ordering::Relaxed);
                    let why = self.serve(socket).await;
                    self.listener.connected.store(false, Ordering::Relaxed);
                    let Some(why) = why else {
                        error!(
                            app,
                            "another agent has taken the app over; two agents of one Asterisk need an ari.app each"
                        );
                        return;
                    };
                    why
                }
            };
            pauses.failed(&why);
            pauses.pause().await;
        }
    }

    fn ari(&self) -> &Ari {
        &self.listener.ari
    }

    /// Until the socket breaks; `None` when the app was taken over.
    async fn serve(&self, mut socket: Socket) -> Option<SocketError> {
        let (events, todo) = unbounded_channel();
        // Whoever reads waits for nothing else.
        let read = async {
            loop {
                match socket.next().await {
                    Ok(Event::ApplicationReplaced) => return None,
                    Ok(event) => drop(events.send(event)),
                    Err(error) => return Some(error),
                }
            }
        };
        tokio::select! {
            why = read => why,
            () = self.work(todo) => None,
        }
    }

    async fn work(&self, mut todo: UnboundedReceiver<Event>) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let done = tokio::select! {
                _ = looks.tick() => self.look().await,
                Some(event) = todo.recv() => self.take(event).await,
                else => return,
            };
            if let Err(error) = done {
                warn!(%error, "somebody who listens to a call may hear nothing; all are looked at again");
                looks.reset_after(LOOK_AGAIN);
            }
        }
    }

    async fn take(&self, event: Event) -> Result<(), AriError> {
        let Some(part) = event.channel_id().and_then(Part::of) else { return Ok(()) };
        match (event, part) {
            (Event::StasisStart { args, .. }, Part::Phone(id)) => self.answered(id, &args.join(",")).await,
            (Event::StasisStart { .. }, Part::Snoop(id, turn)) => self.hears(id, turn).await,
            (Event::ChannelDtmfReceived { digit, .. }, Part::Phone(id)) => self.pressed(id, &digit).await,
            (Event::StasisEnd { .. } | Event::ChannelDestroyed { .. }, Part::Phone(id)) => self.hung_up(id).await,
            (Event::StasisEnd { .. } | Event::ChannelDestroyed { .. }, Part::Snoop(id, turn)) => {
                if self.session(id).is_some_and(|session| session.turn == turn) {
                    self.hang_up(Part::Phone(id)).await?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A phone was answered.
    async fn answered(&self, id: Uuid, told: &str) -> Result<(), AriError> {
        if self.session(id).is_none() {
            let Some(listening) = Listening::read(id, told) else { return self.hang_up(Part::Phone(id)).await };
            self.listener.sessions().insert(id, Session { listening, turn: 0 });
        }
        if self.session(id).is_some_and(|session| session.turn > 0) {
            return Ok(());
        }
        let phone = Part::Phone(id).id();
        let bridged = async {
            self.ari().bridge(&phone).await?;
            self.ari().join(&phone, &phone).await
        };
        // If it has hung up meanwhile, we hear of that.
        passed_over(bridged.await)?;
        self.snoop(id).await
    }

    /// Listens in the way that is wanted now.
    async fn snoop(&self, id: Uuid) -> Result<(), AriError> {
        let Some(Session { listening, turn }) = self.turn(id) else { return Ok(()) };
        let snoop = Snoop {
            spy: "both",
            whisper: listening.how.spoken_into(),
            app: self.ari().app().to_owned(),
            app_args: listening.how.name().to_owned(),
        };
        let (uniqueid, person) = (&listening.uniqueid, &listening.person);
        match self.ari().snoop(uniqueid, &Part::Snoop(id, turn).id(), &snoop).await {
            Ok(_) => {
                info!(uniqueid, person, line = listening.line, how = listening.how.name(), "a call is listened to");
                Ok(())
            }
            // The call has ended.
            Err(AriError::Gone(_)) => self.hang_up(Part::Phone(id)).await,
            Err(error) => {
                self.hang_up(Part::Phone(id)).await?;
                Err(error)
            }
        }
    }

    /// A snoop is ready: it takes the place of the one before.
    async fn hears(&self, id: Uuid, turn: u32) -> Result<(), AriError> {
        if self.session(id).is_none_or(|session| session.turn != turn) {
            return self.hang_up(Part::Snoop(id, turn)).await;
        }
        if turn > 1 {
            self.hang_up(Part::Snoop(id, turn - 1)).await?;
        }
        let snoop = Part::Snoop(id, turn).id();
        let joined = async {
            // It is nobody's call.
            self.ari().set(&snoop, &[("CDR_PROP(disable)", "1")]).await?;
            self.ari().join(&Part::Phone(id).id(), &snoop).await
        };
        passed_over(joined.await)
    }

    async fn pressed(&self, id: Uuid, digit: &str) -> Result<(), AriError> {
        if digit == END {
            return self.hang_up(Part::Phone(id)).await;
        }
        let Some(how) = How::keyed(digit) else { return Ok(()) };
        let changed = self.listener.sessions().get_mut(&id).and_then(|session| {
            let listening = &mut session.listening;
            let may = listening.how != how && (how == How::Listen || !listening.urgent);
            may.then(|| {
                listening.how = how;
                listening.clone()
            })
        });
        let Some(listening) = changed else { return Ok(()) };
        tokio::spawn(self.listener.clone().tell_change(listening));
        self.snoop(id).await
    }

    /// A phone is gone.
    async fn hung_up(&self, id: Uuid) -> Result<(), AriError> {
        let Some(Session { turn, .. }) = self.listener.sessions().remove(&id) else { return Ok(()) };
        if turn > 0 {
            self.hang_up(Part::Snoop(id, turn)).await?;
            passed_over(self.ari().part(&Part::Phone(id).id()).await)?;
        }
        Ok(())
    }

    /// Takes up what an agent before us left, and ends what has lost its other side.
    async fn look(&self) -> Result<(), AriError> {
        let (channels, bridges) = (self.ari().channels().await?, self.ari().bridges().await?);
        let (mut phones, mut snoops) = (HashMap::new(), HashMap::<Uuid, Vec<(u32, &Channel)>>::new());
        for channel in &channels {
            match Part::of(&channel.id) {
                Some(Part::Phone(id)) => drop(phones.insert(id, channel)),
                Some(Part::Snoop(id, turn)) => snoops.entry(id).or_default().push((turn, channel)),
                None => {}
            }
        }
        let comes = |session: &Session| session.turn == 0 && Listening::now() - session.listening.since < RINGS_AFTER;
        self.listener.sessions().retain(|id, session| phones.contains_key(id) || comes(session));
        let bridges: HashMap<Uuid, &Bridge> =
            bridges.iter().filter_map(|bridge| Some((phone(&bridge.id)?, bridge))).collect();
        for (id, channel) in &phones {
            if let Some(told) = channel.told(self.ari().app()) {
                let snoops = snoops.remove(id).unwrap_or_default();
                self.resume(*id, told, bridges.get(id).copied(), snoops).await?;
            }
        }
        for (id, snoops) in snoops {
            for (turn, _) in snoops {
                self.hang_up(Part::Snoop(id, turn)).await?;
            }
        }
        let alive: HashSet<&Uuid> = phones.keys().collect();
        for (_, bridge) in bridges.iter().filter(|(id, _)| !alive.contains(id)) {
            passed_over(self.ari().part(&bridge.id).await)?;
        }
        Ok(())
    }

    /// Sees to an answered phone of which we may not have heard all.
    async fn resume(
        &self,
        id: Uuid,
        told: &str,
        bridge: Option<&Bridge>,
        mut snoops: Vec<(u32, &Channel)>,
    ) -> Result<(), AriError> {
        let Some(bridge) = bridge else { return self.answered(id, told).await };
        snoops.sort_by_key(|(turn, _)| *turn);
        let Some((turn, last)) = snoops.pop() else {
            // The call has ended.
            self.hang_up(Part::Phone(id)).await?;
            return passed_over(self.ari().part(&bridge.id).await);
        };
        let how = last.told(self.ari().app()).and_then(How::named);
        let known = {
            let mut sessions = self.listener.sessions();
            if let (None, Some(listening)) = (sessions.get(&id), Listening::read(id, told)) {
                sessions.insert(id, Session { listening, turn });
            }
            sessions.get_mut(&id).map(|session| {
                session.turn = turn;
                session.listening.how = how.unwrap_or(session.listening.how);
            })
        };
        if known.is_none() {
            return self.hang_up(Part::Phone(id)).await;
        }
        for (turn, _) in snoops {
            self.hang_up(Part::Snoop(id, turn)).await?;
        }
        if bridge.channels.contains(&last.id) { Ok(()) } else { self.hears(id, turn).await }
    }

    fn session(&self, id: Uuid) -> Option<Session> {
        self.listener.sessions().get(&id).cloned()
    }

    /// The next turn.
    fn turn(&self, id: Uuid) -> Option<Session> {
        let mut sessions = self.listener.sessions();
        let session = sessions.get_mut(&id)?;
        session.turn += 1;
        Some(session.clone())
    }

    async fn hang_up(&self, part: Part) -> Result<(), AriError> {
        passed_over(self.ari().hang_up(&part.id(), NORMAL).await)
    }
}

/// What is gone already is as it should be.
fn passed_over(done: Result<(), AriError>) -> Result<(), AriError> {
    match done {
        Err(AriError::Gone(_)) => Ok(()),
        done => done,
    }
}

/// The phone whose bridge has this id.
fn phone(bridge: &str) -> Option<Uuid> {
    match Part::of(bridge)? {
        Part::Phone(id) => Some(id),
        Part::Snoop(..) => None,
    }
}
