//! The flow `feature`: a line dialled a code, and its user is talked to about that: forwarding, do not disturb, block list, speed dial, and so on.
//!
//! `AGI(agi://<agent>/feature/line/<line>)`; the code, perhaps with a number behind it, is what was dialled. What is changed holds on every node from the
//! next call on. [`number`] asks for numbers, [`last_call`] tells who called last, [`status`] what is on; [`name`] is how features are called.

mod last_call;
mod name;
mod number;
mod status;

use std::time::Duration;

use tokio::time::Instant;

use self::number::is_plain;
use super::Ports;
use super::route::feature::longest;
use crate::call::{Call, Fault, Say, Step};
use crate::phrases::{Part, sentence, speak};
use crate::store::asking::Asking;
use crate::store::feature::{Feature, FindMe, Setting, Untaken};

/// For the first questions: the dialplan's guard waits.
const FIRST: Duration = Duration::from_millis(600);
/// For a question while the user waits.
const QUESTION: Duration = Duration::from_secs(2);
/// For a key.
const KEY: Duration = Duration::from_secs(6);
/// Longest number that is kept.
const LONGEST: usize = 32;
/// Keys of a slot of the speed dial.
const SLOT: usize = 2;
/// Times that a number is asked for.
const TRIES: u32 = 3;

/// How it ends.
enum End {
    /// Said and done.
    Done(&'static str),
    /// The user is connected with a number.
    Call(String),
}

/// Talks about a code.
///
/// # Errors
/// The caller hung up, or nobody could be asked what the code is for.
pub async fn run(call: &mut impl Call, arguments: &[String], ports: &Ports) -> Step<&'static str> {
    let line_id = match arguments {
        [kind, line_id] if kind == "line" => line_id.as_str(),
        _ => return Err(Fault("feature wants line/<line id>".to_owned()).into()),
    };
    let dialled = call.caller().dialled.clone();
    let mut asking = Asking::until(Instant::now() + FIRST);
    let codes = ports.store.feature_codes(&mut asking).await;
    let codes = codes.map_err(|error| Fault(format!("feature codes cannot be read: {error}")))?;
    let Some((feature, rest)) = longest(&codes, &dialled) else {
        return Err(Fault(format!("{dialled} is the code of no feature")).into());
    };
    call.answer().await?;
    let user = User { line_id, ports };
    match user.talk(call, feature, rest).await? {
        End::Done(outcome) => {
            call.hangup(16).await?;
            Ok(outcome)
        }
        End::Call(number) => {
            call.set(&[
                ("TANDEM_ACTION", "call"),
                ("TANDEM_CALL_KIND", "line"),
                ("TANDEM_CALL_ID", line_id),
                ("TANDEM_CALL_NUMBER", &number),
                ("TANDEM_DONE", "1"),
            ])
            .await?;
            Ok("feature-call")
        }
    }
}

/// Who is talked to.
struct User<'a> {
    line_id: &'a str,
    ports: &'a Ports,
}

impl User<'_> {
    async fn talk(&self, call: &mut impl Call, feature: Feature, rest: &str) -> Step<End> {
        match feature {
            Feature::ForwardAlways => self.forward(call, feature, rest, None).await,
            Feature::ForwardBusy => self.forward(call, feature, rest, Some(Untaken::Busy)).await,
            Feature::ForwardUnanswered => self.forward(call, feature, rest, Some(Untaken::Unanswered)).await,
            Feature::ForwardUnreachable => self.forward(call, feature, rest, Some(Untaken::Unreachable)).await,
            Feature::ForwardAlwaysOff => self.switch(call, feature, Setting::ForwardAlways(""), false).await,
            Feature::ForwardBusyOff => self.switch(call, feature, Setting::Forward(Untaken::Busy, ""), false).await,
            Feature::ForwardUnansweredOff => {
                self.switch(call, feature, Setting::Forward(Untaken::Unanswered, ""), false).await
            }
            Feature::ForwardUnreachableOff => {
                self.switch(call, feature, Setting::Forward(Untaken::Unreachable, ""), false).await
            }
            Feature::DoNotDisturb => self.switch(call, feature, Setting::DoNotDisturb(true), true).await,
            Feature::DoNotDisturbOff => self.switch(call, feature, Setting::DoNotDisturb(false), false).await,
            Feature::RejectAnonymous => self.switch(call, feature, Setting::RejectAnonymous(true), true).await,
            Feature::RejectAnonymousOff => self.switch(call, feature, Setting::RejectAnonymous(false), false).await,
            Feature::Screening => self.switch(call, feature, Setting::Screening(true), true).await,
            Feature::ScreeningOff => self.switch(call, feature, Setting::Screening(false), false).await,
            Feature::FindMe => self.switch(call, feature, Setting::FindMe(FindMe::InOrder), true).await,
            Feature::FindMeTogether => self.switch(call, feature, Setting::FindMe(FindMe::Together), true).await,
            Feature::FindMeOff => self.switch(call, feature, Setting::FindMe(FindMe::Off), false).await,
            Feature::FindMeAdd => self.add_find_me_number(call, rest).await,
            Feature::FindMeClear => {
                self.change(call, &Setting::ClearFindMeNumbers, &sentence(&["telephone-number", "removed"])).await
            }
            Feature::SpeedDialSet => self.set_speed_dial(call, rest).await,
            Feature::BlockCaller => self.block(call, rest, true).await,
            Feature::UnblockCaller => self.block(call, rest, false).await,
            Feature::BlockLastCaller => self.block_last(call).await,
            Feature::LastCall => self.last_call(call).await,
            Feature::Status => self.status(call).await,
            // The decision takes these for what they are: part of a number.
            Feature::Withhold | Feature::Present | Feature::SpeedDial => refuse(call, "pbx-invalid").await,
        }
    }

    /// Calls go to a number from now on, for a reason or always.
    async fn forward(&self, call: &mut impl Call, feature: Feature, rest: &str, why: Option<Untaken>) -> Step<End> {
        let name = self.name(feature).await;
        let Some(number) = self.number(call, rest, &name.parts).await? else {
            return Ok(End::Done("feature-given-up"));
        };
        let setting = match why {
            None => Setting::ForwardAlways(&number),
            Some(why) => Setting::Forward(why, &number),
        };
        let told = [name.parts, vec!["is-set-to".into(), Say::Digits(number.clone()).into()]].concat();
        self.change(call, &setting, &told).await
    }

    async fn switch(&self, call: &mut impl Call, feature: Feature, setting: Setting<'_>, on: bool) -> Step<End> {
        let mut name = self.name(feature).await;
        name.parts.push(if on { "activated" } else { "de-activated" }.into());
        self.change(call, &setting, &name.parts).await
    }

    async fn add_find_me_number(&self, call: &mut impl Call, rest: &str) -> Step<End> {
        let name = self.name(Feature::FindMeAdd).await;
        let Some(number) = self.number(call, rest, &name.parts).await? else {
            return Ok(End::Done("feature-given-up"));
        };
        let told = ["telephone-number".into(), Say::Digits(number.clone()).into(), "added".into()];
        self.change(call, &Setting::AddFindMeNumber(&number), &told).await
    }

    async fn set_speed_dial(&self, call: &mut impl Call, rest: &str) -> Step<End> {
        let slot = match rest {
            "" => call.collect(&["speed-dial".into(), "number".into()], SLOT, KEY).await?.keys,
            slot => slot.to_owned(),
        };
        if slot.is_empty() || slot.len() > SLOT || !slot.bytes().all(|byte| byte.is_ascii_digit()) {
            return refuse(call, "pbx-invalid").await;
        }
        let name = ["speed-dial".into(), Say::Digits(slot.clone()).into()];
        let Some(number) = self.number(call, "", &name).await? else { return Ok(End::Done("feature-given-up")) };
        let [first, second] = name;
        let told = [first, second, "is-set-to".into(), Say::Digits(number.clone()).into()];
        self.change(call, &Setting::SpeedDial(&slot, &number), &told).await
    }

    async fn block(&self, call: &mut impl Call, rest: &str, block: bool) -> Step<End> {
        let prompt = if block { "enter-num-blacklist" } else { "entr-num-rmv-blklist" };
        let keyed = match rest {
            "" => call.collect(&[prompt.into()], LONGEST, KEY).await?.keys,
            number => number.to_owned(),
        };
        let (digits, all) = keyed.strip_suffix('*').map_or((keyed.as_str(), ""), |digits| (digits, "*"));
        if !is_plain(digits) || keyed.len() > LONGEST {
            return refuse(call, "pbx-invalid").await;
        }
        let Some(number) = self.as_presented(digits, all).await else { return apologise(call).await };
        let (setting, done) = match block {
            true => (Setting::Block(&number), "added"),
            false => (Setting::Unblock(&number), "removed"),
        };
        self.change(call, &setting, &sentence(&["num-was-successfully", done])).await
    }

    /// Makes a change, and tells so.
    async fn change(&self, call: &mut impl Call, setting: &Setting<'_>, told: &[Part]) -> Step<End> {
        let made = self.ports.store.set_feature(self.line_id, setting, Instant::now() + QUESTION).await;
        self.ports.store.follow_now();
        if let Err(error) = made {
            tracing::warn!(line = self.line_id, ?setting, %error, "what a line wants could not be noted");
            return apologise(call).await;
        }
        // To its end: a # too many after the number would else cut off what was understood.
        speak(call, told, "").await?;
        call.play(&["goodbye".into()], "").await?;
        Ok(End::Done("feature"))
    }
}

async fn refuse(call: &mut impl Call, prompt: &str) -> Step<End> {
    call.play(&[prompt.into(), "vm-goodbye".into()], "").await?;
    Ok(End::Done("feature-refused"))
}

/// The database is away.
async fn apologise(call: &mut impl Call) -> Step<End> {
    call.play(&["im-sorry".into(), "please-try-call-later".into()], "").await?;
    Ok(End::Done("feature-away"))
}
