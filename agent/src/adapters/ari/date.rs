//! Dates, which the dialplan says: ARI cannot, in the channel's language.

use tokio::time::{Instant, sleep_until};

use super::{AriCall, SAYING};
use crate::call::{Ended, Fault, Step};
use crate::wire::ari_events::Event;

impl AriCall {
    /// Has the dialplan say a date, and takes the channel back.
    pub(super) async fn date(&mut self, seconds: i64, zone: &str, keys: &str) -> Step<Option<char>> {
        self.take_note()?;
        if let Some(key) = self.key(keys) {
            return Ok(Some(key));
        }
        let id = self.queue.channel().to_owned();
        let (seconds, path) = (seconds.to_string(), self.path.clone());
        let told =
            [("TANDEM_STASIS", &*path), ("TANDEM_SAY", &seconds), ("TANDEM_SAY_ZONE", zone), ("TANDEM_SAID", "")];
        let asked = self.ari.set(&id, &told).await;
        self.asked(asked)?;
        // Out of the app it would be told nothing of the channel's end.
        let asked = self.ari.subscribe(&id).await;
        self.asked(asked)?;
        let asked = self.ari.go_to(&id, "tandem-say", "say").await;
        self.asked(asked)?;
        let deadline = Instant::now() + SAYING;
        loop {
            let event = tokio::select! {
                event = self.queue.next() => event,
                () = sleep_until(deadline) => None,
            };
            match event {
                None => return Err(Ended::Failed(Fault("a date was not said within 60 s".to_owned()))),
                Some(Event::StasisStart { .. }) => break,
                // It has left the app, to be back.
                Some(Event::StasisEnd { .. }) => {}
                // It may be back unheard.
                Some(Event::Resumed) => {
                    let channel = self.ari.channel(&id).await;
                    if self.asked(channel)?.told(self.ari.app()).is_some() {
                        break;
                    }
                }
                Some(event) => self.note(&event),
            }
            if self.gone {
                return Err(Ended::Hangup);
            }
        }
        // It is over, whether or not the dialplan knew what to say.
        let said = self.ari.get(&id, &["TANDEM_SAID"]).await;
        let said = self.asked(said)?;
        self.keys.clear();
        Ok(said.first().and_then(|said| said.chars().next()).filter(|key| keys.contains(*key)))
    }
}
