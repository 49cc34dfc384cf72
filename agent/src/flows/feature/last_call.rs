//! Who called last: called back, or never let through again.

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::number::is_plain;
use super::{End, KEY, QUESTION, User, apologise, refuse};
use crate::call::{Call, Say, Step};
use crate::phrases::{Part, ask};
use crate::store::asking::Asking;
use crate::store::feature::Setting;

/// Who called last, or how the conversation ends because nobody knows.
type Last = Result<(String, DateTime<Utc>), End>;

impl User<'_> {
    /// Tells who called last, and when; 1 calls back.
    pub(super) async fn last_call(&self, call: &mut impl Call) -> Step<End> {
        let (number, at) = match self.last(call).await? {
            Ok(last) => last,
            Err(end) => return Ok(end),
        };
        let told: Vec<Part> = vec![
            "telephone-number".into(),
            Say::Digits(number.clone()).into(),
            "vm-received".into(),
            Say::DateTime(at.timestamp(), self.time_zone().await).into(),
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
        let number = match self.last(call).await? {
            Ok((number, _)) => number,
            Err(end) => return Ok(end),
        };
        let Some(number) = self.as_presented(&number, "").await else { return apologise(call).await };
        let told = [
            "telephone-number".into(),
            Say::Digits(number.clone()).into(),
            "num-was-successfully".into(),
            "added".into(),
        ];
        self.change(call, &Setting::Block(&number), &told).await
    }

    async fn last(&self, call: &mut impl Call) -> Step<Last> {
        match self.ports.store.last_caller(self.line_id, Instant::now() + QUESTION).await {
            // Callers write what they like there: a code would be carried out, and nobody calls for help so.
            Ok(Some((number, at))) if is_plain(&number) && self.ports.rules.emergency_number(&number).is_none() => {
                Ok(Ok((number, at)))
            }
            Ok(_) => refuse(call, "vm-nonumber").await.map(Err),
            Err(error) => {
                tracing::warn!(line = self.line_id, %error, "who called last cannot be read");
                apologise(call).await.map(Err)
            }
        }
    }

    /// Of the line's account; UTC where nobody knows.
    async fn time_zone(&self) -> String {
        let mut asking = Asking::until(Instant::now() + QUESTION);
        let line = self.ports.store.line_caller(self.line_id, "", &mut asking).await.ok().flatten();
        line.map_or_else(|| "UTC".to_owned(), |line| line.account.time_zone)
    }
}
