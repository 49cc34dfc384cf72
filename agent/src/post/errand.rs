//! Something that is to be told to one address.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// Something that is to be told to one address.
pub trait Errand: Clone + Serialize + DeserializeOwned + Send + 'static {
    /// The same for the same news and address, whoever makes it: it is delivered once.
    fn id(&self) -> Uuid;

    /// When it came into being.
    fn created_at(&self) -> DateTime<Utc>;

    /// To whom it goes, and how, for people: `mail to noc@example.com`.
    fn whither(&self) -> String;
}
