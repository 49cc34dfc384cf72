//! Tells the loop that taps which channels there are, and what is wanted of them. Whoever knows the calls of the node holds one.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use super::purpose::Purpose;
use super::subject::Subject;
use crate::store::recording::{Form, Order};

/// Why a channel is not tapped.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// Asterisk cannot be asked, or refuses.
    #[error("{0}")]
    Asterisk(#[from] crate::wire::ami::AmiError),
    /// What is known of it cannot be written down.
    #[error("a recording cannot be noted in media.recordings: {0}")]
    Disk(#[from] std::io::Error),
    /// There is none of this id.
    #[error("nothing of the id {0} is recorded here")]
    Unknown(Uuid),
    /// The agent stops.
    #[error("the agent stops")]
    Stopping,
}

/// What is wanted of the loop.
#[derive(Debug)]
pub(super) enum Wish {
    /// There is a new channel.
    Appeared(Box<Subject>),
    /// A channel is gone: its unique id.
    Gone(String),
    /// A channel is to be tapped now.
    Start(Box<Subject>, Box<Purpose>, Form, oneshot::Sender<Result<Uuid, TapError>>),
    /// A tap is to end.
    Stop(Uuid, oneshot::Sender<Result<(), TapError>>),
}

/// Tells the loop. Cheap to clone; nothing here waits, but for [`Tapper::start`] and [`Tapper::stop`].
#[derive(Debug, Clone)]
pub struct Tapper {
    pub(super) wishes: UnboundedSender<Wish>,
    pub(super) orders: watch::Receiver<Arc<Vec<Order>>>,
}

impl Tapper {
    /// There is a new channel: it is tapped, if an order wants it.
    pub fn appeared(&self, subject: &Subject) {
        self.wish(Wish::Appeared(Box::new(subject.clone())));
    }

    /// A channel is gone: what was recorded of it is complete.
    pub fn gone(&self, uniqueid: &str) {
        self.wish(Wish::Gone(uniqueid.to_owned()));
    }

    /// Taps a channel, whatever was ordered; the tap's id.
    ///
    /// # Errors
    /// See [`TapError`].
    pub async fn start(&self, subject: &Subject, purpose: Purpose, form: Form) -> Result<Uuid, TapError> {
        let (answer, answered) = oneshot::channel();
        self.wish(Wish::Start(Box::new(subject.clone()), Box::new(purpose), form, answer));
        answered.await.map_err(|_| TapError::Stopping)?
    }

    /// Ends a tap; what was recorded is kept.
    ///
    /// # Errors
    /// See [`TapError`].
    pub async fn stop(&self, id: Uuid) -> Result<(), TapError> {
        let (answer, answered) = oneshot::channel();
        self.wish(Wish::Stop(id, answer));
        answered.await.map_err(|_| TapError::Stopping)?
    }

    /// What is to be recorded, as this node knows it.
    #[must_use]
    pub fn orders(&self) -> watch::Receiver<Arc<Vec<Order>>> {
        self.orders.clone()
    }

    fn wish(&self, wish: Wish) {
        // When the agent stops, the next one finds what it has to do.
        let _ = self.wishes.send(wish);
    }
}
