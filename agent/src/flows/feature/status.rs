//! What the line wants done with calls to it, read back.

use tokio::time::Instant;

use super::{End, QUESTION, User, apologise};
use crate::call::{Call, Say, Step};
use crate::phrases::{Part, speak};
use crate::store::StoreError;
use crate::store::asking::Asking;
use crate::store::feature::{Feature, Features, FindMe};
use crate::store::target::{Target, TargetKind};

impl User<'_> {
    /// Tells where calls go and whether the phone rings at all; of the rest, what is on.
    pub(super) async fn status(&self, call: &mut impl Call) -> Step<End> {
        let features = match self.features().await {
            Ok(features) => features.unwrap_or_default(),
            Err(error) => {
                tracing::warn!(line = self.line_id, %error, "what a line wants cannot be read");
                return apologise(call).await;
            }
        };
        let Features { forward_always, forwards, .. } = &features;
        for (feature, number) in [
            (Feature::ForwardAlways, forward_always),
            (Feature::ForwardBusy, &forwards.busy),
            (Feature::ForwardUnanswered, &forwards.unanswered),
            (Feature::ForwardUnreachable, &forwards.unreachable),
        ] {
            let state = match number.as_str() {
                "" if feature == Feature::ForwardAlways => vec!["de-activated".into()],
                "" => continue,
                number => vec!["is-set-to".into(), Say::Digits(number.to_owned()).into()],
            };
            self.tell(call, feature, state).await?;
        }
        let state = if features.do_not_disturb { "activated" } else { "de-activated" };
        self.tell(call, Feature::DoNotDisturb, vec![state.into()]).await?;
        for (feature, on) in [
            (Feature::RejectAnonymous, features.reject_anonymous),
            (Feature::Screening, features.screening),
            (Feature::FindMe, features.find_me != FindMe::Off),
        ] {
            if on {
                self.tell(call, feature, vec!["activated".into()]).await?;
            }
        }
        call.play(&["goodbye".into()], "").await?;
        Ok(End::Done("feature"))
    }

    /// One that has no name where nothing can be spoken is not told.
    async fn tell(&self, call: &mut impl Call, feature: Feature, state: Vec<Part>) -> Step<()> {
        let name = self.name(feature).await;
        if !name.parts.is_empty() {
            speak(call, &[name.parts.clone(), state].concat(), "").await?;
        }
        Ok(())
    }

    async fn features(&self) -> Result<Option<Features>, StoreError> {
        let mut asking = Asking::until(Instant::now() + QUESTION);
        let store = &self.ports.store;
        let Some(caller) = store.line_caller(self.line_id, "", &mut asking).await? else { return Ok(None) };
        let own = store.target(&caller.account.id, TargetKind::Line, self.line_id, &mut asking).await?;
        Ok(match own.and_then(|own| own.target) {
            Some(Target::Line(line)) => Some(line.features),
            _ => None,
        })
    }
}
