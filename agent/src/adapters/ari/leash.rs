//! A conversation lasts only as long as somebody holds it: without an agent the dialplan goes on, rather than leave the caller in silence.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::wire::ari::{Ari, AriError};

/// Holds a call, and renews that until it is released or dropped.
#[derive(Debug)]
pub(super) struct Leash {
    renewing: JoinHandle<()>,
    released: CancellationToken,
}

impl Leash {
    /// In place of the dialplan's guard, whose `T` extension goes on when the time is up.
    pub(super) async fn hold(ari: Ari, channel: &str, time: Duration) -> Result<Leash, AriError> {
        let channel = channel.to_owned();
        let seconds = time.as_secs().max(1).to_string();
        renew(&ari, &channel, &seconds).await?;
        let mut ticks = tokio::time::interval(time / 3);
        // Its first tick is at once.
        ticks.tick().await;
        let released = CancellationToken::new();
        let until = released.clone();
        let renewing = tokio::spawn(async move {
            // Two more tries before the time is up; a channel that is gone needs none.
            while until.run_until_cancelled(ticks.tick()).await.is_some() {
                if matches!(renew(&ari, &channel, &seconds).await, Err(AriError::Gone(_))) {
                    return;
                }
            }
        });
        Ok(Leash { renewing, released })
    }

    /// No renewal is under way any more: one that came after the dialplan has lifted its guard would end a call that talks.
    pub(super) async fn release(mut self) {
        self.released.cancel();
        // A panic in it has been reported.
        let _ = (&mut self.renewing).await;
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

async fn renew(ari: &Ari, channel: &str, seconds: &str) -> Result<(), AriError> {
    ari.set(channel, &[("TIMEOUT(absolute)", seconds)]).await
}
