//! What a line does with calls to it, and what is dialled for that.

words! {
    /// What a code is dialled for.
    Feature {
        /// The number after the code is not told who calls.
        Withhold = "withhold",
        /// The number after the code is told who calls, whatever the line does else.
        Present = "present",
        /// Who called last is told, and called.
        LastCall = "last-call",
        /// Every call is forwarded from now on.
        ForwardAlways = "forward-always",
        /// No longer.
        ForwardAlwaysOff = "forward-always-off",
        /// Calls are forwarded while the line is busy.
        ForwardBusy = "forward-busy",
        /// No longer.
        ForwardBusyOff = "forward-busy-off",
        /// Calls are forwarded that nobody takes.
        ForwardUnanswered = "forward-unanswered",
        /// No longer.
        ForwardUnansweredOff = "forward-unanswered-off",
        /// Calls are forwarded while no phone of the line is there.
        ForwardUnreachable = "forward-unreachable",
        /// No longer.
        ForwardUnreachableOff = "forward-unreachable-off",
        /// The line is busy to everybody.
        DoNotDisturb = "do-not-disturb",
        /// No longer.
        DoNotDisturbOff = "do-not-disturb-off",
        /// The number of the slot after the code is called.
        SpeedDial = "speed-dial",
        /// A slot gets a number.
        SpeedDialSet = "speed-dial-set",
        /// A number does not reach the line any more.
        BlockCaller = "block-caller",
        /// The number that called last does not reach the line any more.
        BlockLastCaller = "block-last-caller",
        /// It does again.
        UnblockCaller = "unblock-caller",
        /// Who withholds the number does not reach the line.
        RejectAnonymous = "reject-anonymous",
        /// Does again.
        RejectAnonymousOff = "reject-anonymous-off",
        /// The line is told who calls before it takes the call.
        Screening = "screening",
        /// No longer.
        ScreeningOff = "screening-off",
        /// The line's other numbers ring, too, one after the other.
        FindMe = "find-me",
        /// They ring together with the line.
        FindMeTogether = "find-me-together",
        /// No longer.
        FindMeOff = "find-me-off",
        /// A further number for that.
        FindMeAdd = "find-me-add",
        /// None of these numbers.
        FindMeClear = "find-me-clear",
        /// What the line does with calls to it is told.
        Status = "status",
    }
}

impl Feature {
    /// The class that a line has to be allowed for it; `None` for what everybody may: to end something, to hear it, to be known.
    #[must_use]
    pub fn class(self) -> Option<&'static str> {
        match self {
            Feature::Withhold => Some("feature-caller-id"),
            Feature::LastCall => Some("feature-last-call"),
            Feature::ForwardAlways
            | Feature::ForwardBusy
            | Feature::ForwardUnanswered
            | Feature::ForwardUnreachable => Some("feature-forwarding"),
            Feature::DoNotDisturb => Some("feature-do-not-disturb"),
            Feature::SpeedDial | Feature::SpeedDialSet => Some("feature-speed-dial"),
            Feature::BlockCaller | Feature::BlockLastCaller | Feature::RejectAnonymous => Some("feature-block-list"),
            Feature::Screening => Some("feature-screening"),
            Feature::FindMe | Feature::FindMeTogether | Feature::FindMeAdd => Some("feature-find-me"),
            Feature::Present
            | Feature::ForwardAlwaysOff
            | Feature::ForwardBusyOff
            | Feature::ForwardUnansweredOff
            | Feature::ForwardUnreachableOff
            | Feature::DoNotDisturbOff
            | Feature::UnblockCaller
            | Feature::RejectAnonymousOff
            | Feature::ScreeningOff
            | Feature::FindMeOff
            | Feature::FindMeClear
            | Feature::Status => None,
        }
    }
}

words! {
    /// How a line's other numbers ring.
    FindMe {
        /// Not at all.
        Off = "off",
        /// One after the other, after the line.
        InOrder = "in_order",
        /// Together with the line.
        Together = "together",
    }
}

words! {
    /// Why a line did not take a call.
    Untaken {
        /// It is busy, or does not want to be disturbed.
        Busy = "busy",
        /// Nobody answered.
        Unanswered = "unanswered",
        /// No phone is there.
        Unreachable = "unreachable",
    }
}

/// What a line does with calls to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    /// Whether it is busy to everybody.
    pub do_not_disturb: bool,
    /// Where every call goes, as the line would dial it; empty for none.
    pub forward_always: String,
    /// Where calls go that it does not take.
    pub forwards: Forwards,
    /// Whether it refuses those who withhold their number.
    pub reject_anonymous: bool,
    /// Whether it refuses some numbers.
    pub blocks_callers: bool,
    /// Whether it is told who calls before it takes the call.
    pub screening: bool,
    /// How its other numbers ring.
    pub find_me: FindMe,
}

/// Where calls go that a line does not take, as the line would dial it; empty for none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forwards {
    /// While it is busy.
    pub busy: String,
    /// When nobody answers.
    pub unanswered: String,
    /// When no phone is there.
    pub unreachable: String,
    /// Whether the caller's number is shown on calls that leave the house, and not the line's.
    pub shows_caller: bool,
}

impl Forwards {
    /// Where a call goes that was not taken for this reason.
    #[must_use]
    pub fn number(&self, why: Untaken) -> Option<&str> {
        let number = match why {
            Untaken::Busy => &self.busy,
            Untaken::Unanswered => &self.unanswered,
            Untaken::Unreachable => &self.unreachable,
        };
        Some(number.as_str()).filter(|number| !number.is_empty())
    }

    /// The reasons for which calls go elsewhere.
    pub fn reasons(&self) -> impl Iterator<Item = Untaken> + '_ {
        Untaken::ALL.iter().copied().filter(|why| self.number(*why).is_some())
    }
}

impl Default for Features {
    fn default() -> Self {
        Features {
            do_not_disturb: false,
            forward_always: String::new(),
            forwards: Forwards::default(),
            reject_anonymous: false,
            blocks_callers: false,
            screening: false,
            find_me: FindMe::Off,
        }
    }
}

/// A line that forwards calls which it did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarder {
    /// The account that pays.
    pub account_id: String,
    /// That account's IANA time zone.
    pub account_time_zone: String,
    /// The mailbox of calls that nobody takes at all.
    pub mailbox_id: Option<String>,
    /// Where they go.
    pub forwards: Forwards,
}

/// A further number at which somebody is looked for.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FindMeNumber {
    /// As the line would dial it.
    pub number: String,
    /// Seconds that it rings.
    pub ring_seconds: i32,
}

/// A change that somebody makes by phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting<'a> {
    /// Every call goes there; empty for none.
    ForwardAlways(&'a str),
    /// Calls go there that are not taken for this reason; empty for none.
    Forward(Untaken, &'a str),
    /// Busy to everybody, or no longer.
    DoNotDisturb(bool),
    /// No callers without a number.
    RejectAnonymous(bool),
    /// Who calls is told first.
    Screening(bool),
    /// How the other numbers ring.
    FindMe(FindMe),
    /// One more of them.
    AddFindMeNumber(&'a str),
    /// None of them any more.
    ClearFindMeNumbers,
    /// The number of a slot.
    SpeedDial(&'a str, &'a str),
    /// A number does not reach the line any more.
    Block(&'a str),
    /// It does again.
    Unblock(&'a str),
}
