//! How features are called.

use super::User;
use crate::call::Prompt;
use crate::phrases::{Part, sentence};
use crate::speech::Spoken;
use crate::store::feature::Feature;

/// The name of a feature, and the file that it is spoken in.
pub(super) struct Name {
    pub parts: Vec<Part>,
    _spoken: Option<Spoken>,
}

impl User<'_> {
    /// How a feature is called: by a prompt of Asterisk's, else spoken, else not at all.
    pub(super) async fn name(&self, feature: Feature) -> Name {
        let prompt = |prompt: &str| Name { parts: sentence(&[prompt]), _spoken: None };
        let text = match feature {
            Feature::ForwardAlways | Feature::ForwardAlwaysOff => return prompt("call-fwd-unconditional"),
            Feature::ForwardBusy | Feature::ForwardBusyOff => return prompt("call-fwd-on-busy"),
            Feature::ForwardUnanswered | Feature::ForwardUnansweredOff => return prompt("call-fwd-no-ans"),
            Feature::ForwardUnreachable | Feature::ForwardUnreachableOff => return prompt("call-forwarding"),
            Feature::DoNotDisturb | Feature::DoNotDisturbOff => return prompt("do-not-disturb"),
            Feature::RejectAnonymous | Feature::RejectAnonymousOff => "Rejection of anonymous callers",
            Feature::Screening | Feature::ScreeningOff => "Call screening",
            _ => "Find me",
        };
        let spoken = self.ports.speech.speak(text, "").await;
        let parts = spoken.iter().map(|spoken| Part::Play(Prompt(spoken.prompt()))).collect();
        Name { parts, _spoken: spoken }
    }
}
