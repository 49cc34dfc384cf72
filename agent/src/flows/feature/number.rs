//! Numbers that a user keys in.

use chrono::Utc;
use tokio::time::Instant;

use super::{KEY, LONGEST, QUESTION, TRIES, User};
use crate::call::{Call, Prompt, Step};
use crate::flows::route::Knowledge;
use crate::flows::route::decide::{Origin, Request, decide};
use crate::flows::route::decision::{Decision, Refusal, Rejection};
use crate::flows::route::explanation::Silent;
use crate::flows::route::number::{self, Habits};
use crate::phrases::{KEYS, Part, speak};
use crate::store::asking::Asking;

impl User<'_> {
    /// A number that the line may call, behind the code or asked for; `None` when there is none.
    pub(super) async fn number(&self, call: &mut impl Call, rest: &str, name: &[Part]) -> Step<Option<String>> {
        let mut given = Some(rest).filter(|rest| !rest.is_empty()).map(str::to_owned);
        for _ in 0..TRIES {
            let number = match given.take() {
                Some(number) => number,
                None => match speak(call, name, KEYS).await? {
                    // The first key of the number interrupted.
                    Some(key) => {
                        let more = call.collect(&[], LONGEST, KEY).await?.keys;
                        format!("{key}{more}")
                    }
                    None => {
                        let prompts: [Prompt; 2] = ["telephone-number".into(), "vm-then-pound".into()];
                        call.collect(&prompts, LONGEST, KEY).await?.keys
                    }
                },
            };
            if is_plain(&number) {
                match self.refusal(call, &number).await {
                    None => return Ok(Some(number)),
                    Some(prompts) => {
                        call.play(&prompts, "").await?;
                    }
                }
            } else {
                call.play(&["pbx-invalid".into()], "").await?;
            }
        }
        call.play(&["vm-goodbye".into()], "").await?;
        Ok(None)
    }

    /// What the line hears where it may not call a number.
    async fn refusal(&self, call: &impl Call, number: &str) -> Option<Vec<Prompt>> {
        let ports = self.ports;
        if ports.rules.emergency_number(number).is_some() {
            return Some(vec!["pbx-invalid".into()]);
        }
        let request = Request {
            origin: Origin::Line(self.line_id),
            device: "",
            dialled: number,
            caller_number: "",
            caller_name: "",
            withheld: false,
            forwards: 0,
            seed: 0,
            at: Utc::now(),
        };
        let atlas = ports.atlas.borrow().clone();
        let knowledge = Knowledge { store: &ports.store, atlas: &atlas, callbacks: &ports.callbacks };
        let mut asking = Asking::until(Instant::now() + QUESTION);
        match decide(&request, &ports.rules, &knowledge, &mut asking, &mut Silent).await {
            // In a circle.
            Ok(Decision::Dial(call)) if call.rings_only(self.line_id) => Some(vec!["pbx-invalid".into()]),
            Ok(Decision::Dial(_)) => None,
            // That is how it is now, and for this caller.
            Ok(Decision::Reject(Rejection {
                refusal: Refusal::DoNotDisturb | Refusal::CallerBlocked | Refusal::AnonymousRejected,
                ..
            })) => None,
            Ok(Decision::Reject(rejection)) => Some(rejection.refusal.prompt().split('&').map(Prompt::from).collect()),
            Ok(_) => Some(vec!["pbx-invalid".into()]),
            Err(error) => {
                tracing::warn!(line = self.line_id, uniqueid = call.caller().uniqueid, %error, "a number cannot be checked");
                Some(vec!["im-sorry".into(), "please-try-call-later".into()])
            }
        }
    }

    /// A number as a caller would present it: an extension of the account, else digits of E.164, else as it was keyed in; or with `all` (`*`) the beginning
    /// of many. `None` when nobody can be asked.
    pub(super) async fn as_presented(&self, keyed: &str, all: &str) -> Option<String> {
        let mut asking = Asking::until(Instant::now() + QUESTION);
        let line = match self.ports.store.line_caller(self.line_id, keyed, &mut asking).await {
            Ok(line) => line?,
            Err(error) => {
                tracing::warn!(line = self.line_id, %error, "a number cannot be read");
                return None;
            }
        };
        let habits =
            Habits { country: &line.country, area_code: &line.area_code, outside_prefix: &line.outside_prefix };
        if !all.is_empty() {
            return Some(number::read_beginning(keyed, habits) + all);
        }
        if line.extension.is_some() {
            return Some(keyed.to_owned());
        }
        Some(number::read(keyed, habits).map_or_else(|| keyed.to_owned(), |number| number.e164))
    }
}

/// Whether a text is a number as it may be dialled, and nothing else.
pub(super) fn is_plain(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    !digits.is_empty() && text.len() <= LONGEST && digits.bytes().all(|byte| byte.is_ascii_digit())
}
