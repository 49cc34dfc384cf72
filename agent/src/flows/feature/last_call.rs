//! Who called last: called back, or never let through again.

use tokio::time::Instant;

use super::{End, KEY, QUESTION, User, apologise, refuse};
use crate::call::{Call, Say, Step};
use crate::phrases::{Part, ask};
use crate::store::asking::Asking;
use crate::store::caller::LineCaller;
use crate::store::feature::Setting;

impl User<'_> {
    /// Tells who called last, and when; 1 calls back.
    pub(super) async fn last_call(&self, call: &mut impl Call) -> Step<End> {
        let last = self.ports.store.last_caller(self.line_id, Instant::now() + QUESTION).await;
        let (number, at) = match last {
            Ok(Some((number, at))) if !number.is_empty() => (number, at),
            Ok(_) => return refuse(call, "vm-nonumber").await,
            Err(error) => {
                tracing::warn!(line = self.line_id, %error, "who called last cannot be read");
                return apologise(call).await;
            }
        };
        let zone = self.line().await.map(|line| line.account.time_zone).unwrap_or_default();
        let told: Vec<Part> = vec![
            "telephone-number".into(),
            Say::Digits(number.clone()).into(),
            "vm-received".into(),
            Say::DateTime(at.timestamp(), zone).into(),
            "to-call-this-number".into(),
            "vm-press".into(),
            Say::Digits("1".to_owned()).into(),
        ];
        match ask(call, &told, KEY).await? {
            Some('1') => Ok(End::Call(number)),
            _ => {
                call.play(&["vm-goodbye".into()], "").await?;
                Ok(End::Done("feature"))
            }
        }
    }

    /// Blocks who called last.
    pub(super) async fn block_last(&self, call: &mut impl Call) -> Step<End> {
        let last = self.ports.store.last_caller(self.line_id, Instant::now() + QUESTION).await;
        let number = match last {
            Ok(Some((number, _))) if !number.is_empty() => number,
            Ok(_) => return refuse(call, "vm-nonumber").await,
            Err(error) => {
                tracing::warn!(line = self.line_id, %error, "who called last cannot be read");
                return apologise(call).await;
            }
        };
        let Some(number) = self.as_presented(&number).await else { return apologise(call).await };
        let told = [
            "telephone-number".into(),
            Say::Digits(number.clone()).into(),
            "num-was-successfully".into(),
            "added".into(),
        ];
        self.change(call, &Setting::Block(&number), &told).await
    }

    async fn line(&self) -> Option<LineCaller> {
        let mut asking = Asking::until(Instant::now() + QUESTION);
        self.ports.store.line_caller(self.line_id, "", &mut asking).await.ok().flatten()
    }
}
