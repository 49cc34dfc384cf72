//! What becomes of a call: the answer to the dialplan, before it is written as variables.

use crate::emergency::atlas::Choice;
use crate::emergency::pidf::Pidf;
use crate::store::cap::Cap;
use crate::store::feature::{Feature, Untaken};
use crate::store::location::EmergencyCaller;
use crate::store::price::Price;
use crate::store::target::Service;

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Try these routes in order.
    Dial(Box<Dial>),
    /// Send it to the emergency gateways, these first, then those that the dialplan knows by itself.
    Emergency(Box<Emergency>),
    /// Read the line's registered location to the caller.
    ReadLocation,
    /// The line dialled a code: talk with its user about that.
    Feature(FeatureCall),
    /// Refuse it.
    Reject(Rejection),
}

/// A call that is to be tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dial {
    /// The account that pays, or, inbound, that is called.
    pub account_id: String,
    /// The account whose lines are rung; empty for a number outside.
    pub called_account_id: String,
    /// That account's IANA time zone.
    pub time_zone: String,
    /// Calls of that account at once.
    pub account_cap: Cap,
    /// Calls of the calling line at once.
    pub line_cap: Cap,
    /// Digits of E.164, or the extension.
    pub number: String,
    /// Class of the number.
    pub class: String,
    /// Why it is let through where others are not, or goes where it did not want to; else empty.
    pub reason: &'static str,
    /// Name to show.
    pub caller_name: String,
    /// Number to show where no attempt has one of its own: in a mailbox.
    pub caller_number: String,
    /// Whether the caller's number is withheld.
    pub privacy: bool,
    /// What the account pays when it is answered, if it is billed.
    pub sell: Option<Price>,
    /// In order of trial; none when it leads to a mailbox or a service at once.
    pub attempts: Vec<Attempt>,
    /// The mailbox in which callers leave a message when nobody answers.
    pub mailbox_id: Option<String>,
    /// The service that answers in the place of a phone, and its id or name.
    pub service: Option<(Service, String)>,
    /// Whether a caller from outside is asked for a name first.
    pub introduces: bool,
    /// On whose behalf it is tried, where that is not the caller.
    pub behalf: Option<Behalf>,
    /// Whom to ask where it goes when no attempt took it.
    pub on_failure: Option<OnFailure>,
    /// What a carrier is told of the line that passes the call on.
    pub diversion: Option<Diversion>,
    /// How often it was forwarded.
    pub forwards: u32,
    /// Whether both sides are told that they are recorded, before they talk.
    pub announces: bool,
}

impl Dial {
    /// Whether it rings this line, with its other numbers perhaps, and nobody else. (A ring group may have the line as a member.)
    #[must_use]
    pub fn rings_only(&self, line_id: &str) -> bool {
        let rings = |attempt: &Attempt| matches!(attempt.kind, Kind::Line | Kind::FindMe) && attempt.name == line_id;
        !self.attempts.is_empty() && self.attempts.iter().all(rings)
    }
}

/// A line that forwards a call: its account pays for what is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behalf {
    /// The line.
    pub line_id: String,
    /// Its account.
    pub account_id: String,
    /// Where it forwards the call to: digits of E.164, or an extension.
    pub number: String,
    /// Calls at once that it forwards on one node.
    pub most: Cap,
    /// Calls of its account at once.
    pub account_most: Cap,
}

/// The line that passes a call on to a carrier (RFC 5806): its own number, whatever caller is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diversion {
    /// `+` and digits of E.164.
    pub number: String,
    /// Why, in the words of that header.
    pub reason: &'static str,
    /// Whether the line withholds its number.
    pub privacy: bool,
}

/// A line that wants calls to go elsewhere which it does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnFailure {
    /// The line.
    pub line_id: String,
    /// For which reasons.
    pub reasons: Vec<Untaken>,
}

/// A line that dialled a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureCall {
    /// What the code is for.
    pub feature: Feature,
    /// What was dialled.
    pub number: String,
    /// The line's account.
    pub account_id: String,
    /// That account's IANA time zone.
    pub time_zone: String,
}

/// An emergency call.
#[derive(Debug, Clone, PartialEq)]
pub struct Emergency {
    /// The emergency number, without a prefix for an outside line.
    pub number: String,
    /// The gateways configured, in order; may be empty.
    pub attempts: Vec<Attempt>,
    /// The line, with its location and callback number; `None` when it is not known.
    pub caller: Option<EmergencyCaller>,
    /// Who answers there, as far as known.
    pub choice: Option<Choice>,
    /// The location for the INVITE.
    pub pidf: Option<Pidf>,
}

/// One thing to dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub name: String,
    /// Technology and resource for `Dial`.
    pub dial: String,
    /// Calls of it at once.
    pub cap: Cap,
    /// Seconds that it may ring.
    pub seconds: i32,
    /// The caller's number as it wants it; may be empty.
    pub caller: String,
    /// When the next attempt follows.
    pub next: Next,
    /// Whether the called party is told who calls, and asked, before they are connected.
    pub asks: bool,
    /// What it charges when it answers, if it is a gateway.
    pub buy: Option<Price>,
}

/// What an attempt dials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A line.
    Line,
    /// A ring group, all at once.
    Group,
    /// A gateway.
    Gateway,
    /// A line's other numbers; its name is the line's.
    FindMe,
}

impl Kind {
    /// As the dialplan and the records call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Line => "line",
            Kind::Group => "group",
            Kind::Gateway => "gateway",
            Kind::FindMe => "find-me",
        }
    }
}

/// When the next attempt follows a failed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// On timeout, 408, and 5xx except 501 and 505.
    OnFault,
    /// On 403 and 404 as well.
    OnForbidden,
    /// On everything but an answer and the caller's hangup.
    Always,
}

impl Next {
    /// As the dialplan reads it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Next::OnFault => "",
            Next::OnForbidden => "forbidden",
            Next::Always => "any",
        }
    }
}

/// A refusal, with what is known of whom it concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Why.
    pub refusal: Refusal,
    /// The account, as far as known; else empty.
    pub account_id: String,
    /// That account's IANA time zone; else empty.
    pub time_zone: String,
    /// The number as normalised, else as dialled.
    pub number: String,
    /// Its class, as far as known; else empty.
    pub class: String,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident, $reason:literal, $cause:literal, $prompt:literal;)*) => {
        /// Why a call is refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Refusal {
            $($(#[$doc])* $name,)*
        }

        impl Refusal {
            /// Every refusal there is.
            pub const ALL: &[Refusal] = &[$(Refusal::$name),*];

            /// The word for records, logs and metrics.
            #[must_use]
            pub fn reason(self) -> &'static str {
                match self { $(Refusal::$name => $reason,)* }
            }

            /// The cause to hang up with (ITU-T Q.850).
            #[must_use]
            pub fn cause(self) -> u16 {
                match self { $(Refusal::$name => $cause,)* }
            }

            /// What the caller hears: files of Asterisk's core sounds, joined by `&`.
            #[must_use]
            pub fn prompt(self) -> &'static str {
                match self { $(Refusal::$name => $prompt,)* }
            }
        }
    };
}

refusals! {
    /// The edge named no line, or one that is not in the database.
    LineUnknown, "line-unknown", 21, "feature-not-avail-line";
    /// The line is suspended or closed.
    LineInactive, "line-inactive", 21, "feature-not-avail-line";
    /// The calling, or called, account is suspended or closed.
    AccountInactive, "account-inactive", 21, "ss-noservice";
    /// The call comes from a gateway that is not in the database.
    GatewayUnknown, "gateway-unknown", 21, "ss-noservice";
    /// The call comes from a gateway that is suspended or closed.
    GatewayInactive, "gateway-inactive", 21, "ss-noservice";
    /// What was dialled is no number.
    NumberInvalid, "number-invalid", 28, "cannot-complete-as-dialed&check-number-dial-again";
    /// An inbound call to a number that is not ours, or that leads nowhere.
    NumberUnassigned, "number-unassigned", 1, "ss-noservice";
    /// The line may not call this class of number.
    ClassForbidden, "class-forbidden", 21, "im-sorry&cannot-complete-as-dialed";
    /// The prefix is blocked for the account, or for everybody.
    PrefixBlocked, "prefix-blocked", 21, "im-sorry&cannot-complete-as-dialed";
    /// A line hands somebody on to a premium number: that is how toll fraud is done.
    TransferForbidden, "transfer-forbidden", 21, "im-sorry&cannot-complete-as-dialed";
    /// The account's deck has no price for the number.
    NoSellPrice, "no-sell-price", 21, "im-sorry&cannot-complete-as-dialed";
    /// The price is above what the account accepts.
    PriceCap, "price-cap", 21, "im-sorry&cannot-complete-as-dialed";
    /// No gateway takes the number.
    NoRoute, "no-route", 3, "im-sorry&cannot-complete-as-dialed";
    /// The line takes no calls of this caller.
    CallerBlocked, "caller-blocked", 21, "im-sorry&cannot-complete-as-dialed";
    /// The line takes no calls of those who withhold their number.
    AnonymousRejected, "anonymous-rejected", 21, "privacy-unident";
    /// The line, or every line of the ring group, is not to be disturbed.
    DoNotDisturb, "do-not-disturb", 17, "vm-nobodyavail";
    /// The call was forwarded too often, or back to where it was.
    ForwardLoop, "forward-loop", 25, "im-sorry&cannot-complete-as-dialed";
    /// The line may not use the feature whose code was dialled.
    FeatureForbidden, "feature-forbidden", 21, "feature-not-avail-line";
    /// The slot of the speed dial has no number.
    SpeedDialEmpty, "speed-dial-empty", 28, "speed-dial-empty";
    /// The line or every line of the ring group is suspended or closed.
    CalledInactive, "called-inactive", 27, "vm-nobodyavail";
}
