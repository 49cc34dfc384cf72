//! What is left of a call: Asterisk's record of it, and its attempts.

use chrono::{DateTime, Utc};

use super::location::Point;
use super::price::Price;

/// Which call: the run of Asterisk on a node, and the unique id of the calling channel there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallId {
    /// The node's name.
    pub node: String,
    /// The run of Asterisk, as the dialplan drew it; empty when it did not.
    pub boot: String,
    /// Asterisk's unique id of the calling channel.
    pub uniqueid: String,
}

/// Something that is shipped to the database.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A call, or a part of one.
    Call(Box<CallRecord>),
    /// An attempt.
    Attempt(Box<CallAttempt>),
    /// An emergency call, as it was sent out.
    EmergencyCall(Box<EmergencyCall>),
    /// A notice of an emergency call that was delivered.
    EmergencyNotice(Box<EmergencyNotice>),
}

/// When something was, by Asterisk's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it was answered, if it was.
    pub answered_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
}

impl Span {
    /// Milliseconds from beginning to end, 0 where the clock went back.
    #[must_use]
    pub fn duration_ms(&self) -> i64 {
        (self.ended_at - self.started_at).num_milliseconds().max(0)
    }

    /// Milliseconds from the answer to the end, 0 without an answer and where the clock went back.
    #[must_use]
    pub fn talk_ms(&self) -> i64 {
        self.answered_at.map_or(0, |answered_at| (self.ended_at - answered_at).num_milliseconds().max(0))
    }

    /// True when its times are in an order that no clock shows that goes forward.
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        let answered_at = self.answered_at.unwrap_or(self.started_at);
        answered_at < self.started_at || self.ended_at < answered_at
    }
}

/// Which way a call goes, as seen by us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From a line to a line of its account.
    Internal,
    /// From a line to anywhere else.
    Outbound,
    /// From a gateway.
    Inbound,
}

impl Direction {
    /// As the database calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Direction::Internal => "internal",
            Direction::Outbound => "outbound",
            Direction::Inbound => "inbound",
        }
    }
}

/// How a channel heard and was heard, by its own RTCP. `None` is "not known", for a channel without audio.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Media {
    /// Codec of what was received.
    pub codec: Option<String>,
    /// RTP packets received.
    pub packets_in: Option<i64>,
    /// RTP packets sent.
    pub packets_out: Option<i64>,
    /// Packets that did not arrive here.
    pub lost_in: Option<i64>,
    /// Packets that did not arrive there, as the other side reports.
    pub lost_out: Option<i64>,
    /// Jitter of what was received, in microseconds (RFC 3550, 6.4.1).
    pub jitter_in_us: Option<i64>,
    /// Jitter of what was sent, as the other side reports, in microseconds.
    pub jitter_out_us: Option<i64>,
    /// Round trip in microseconds.
    pub round_trip_us: Option<i64>,
}

/// A line of Asterisk's call records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// Which call.
    pub call: CallId,
    /// Number of the record in its run of Asterisk.
    pub sequence: i64,
    /// Unique id that transferred calls share.
    pub linkedid: String,
    /// When it was.
    pub span: Span,
    /// What the clocks of the account's people were ahead of UTC then.
    pub utc_offset_minutes: i32,
    /// Asterisk's word: `ANSWERED`, `NO ANSWER`, `BUSY`, `FAILED`, `CONGESTION`.
    pub disposition: String,
    /// Caller's number as last shown.
    pub src: String,
    /// What was dialled.
    pub dst: String,
    /// Context of the dialplan.
    pub context: String,
    /// Caller's name and number.
    pub clid: String,
    /// The calling channel.
    pub channel: String,
    /// The called channel; may be empty.
    pub dstchannel: String,
    /// The last application.
    pub lastapp: String,
    /// Its arguments, cut by Asterisk.
    pub lastdata: String,
    /// `None` for a record of a part of a call.
    pub direction: Option<Direction>,
    /// The line that called.
    pub line_id: Option<String>,
    /// The gateway from which it came.
    pub gateway_id: Option<String>,
    /// The account of the decision.
    pub account_id: Option<String>,
    /// The normalised number; may be empty.
    pub number: String,
    /// Its class; may be empty.
    pub class: String,
    /// Why it was refused, or `emergency`; may be empty.
    pub reason: String,
    /// Q.850 cause.
    pub cause: Option<i64>,
    /// Whether it was an emergency call.
    pub emergency: bool,
    /// The caller's audio.
    pub media: Media,
    /// Who answered the questions of its decision: `central`, `replica`, or empty.
    pub source: String,
}

/// A price, and what it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The price that was decided by.
    pub price: Price,
    /// Seconds charged.
    pub seconds: i64,
    /// Millionths of the price's currency.
    pub micros: i64,
}

impl Charge {
    /// What an attempt costs: nothing unless it was answered.
    #[must_use]
    pub fn of(price: Price, span: &Span) -> Charge {
        let talk = span.answered_at.map(|_| span.talk_ms());
        Charge {
            seconds: talk.map_or(0, |talk| price.charged_seconds(talk)),
            micros: talk.map_or(0, |talk| price.charge(talk)),
            price,
        }
    }
}

/// One attempt of a call to reach somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallAttempt {
    /// Which call.
    pub call: CallId,
    /// From 1, through the life of the calling channel.
    pub number: i64,
    /// Unique id that transferred calls share.
    pub linkedid: String,
    /// Unique id of the called channel, when it was answered.
    pub leg_uniqueid: Option<String>,
    /// `line`, `group`, `gateway` or `find-me`.
    pub kind: String,
    /// Id of the line (of `find-me`, whose numbers they are), ring group or gateway.
    pub name: String,
    /// `ANSWER`, `BUSY`, `NOANSWER`, `CANCEL`, `CONGESTION`, `CHANUNAVAIL`, `CAP`.
    pub status: String,
    /// Q.850 cause.
    pub cause: Option<i64>,
    /// Final SIP code.
    pub sip_code: Option<i64>,
    /// When it was.
    pub span: Span,
    /// Milliseconds until it rang, or said so by early media.
    pub post_dial_delay_ms: Option<i64>,
    /// The line that called.
    pub line_id: Option<String>,
    /// The gateway from which the call came.
    pub gateway_id: Option<String>,
    /// The account of the decision.
    pub account_id: Option<String>,
    /// The normalised number of the decision.
    pub called_number: String,
    /// The caller's number as it was shown; empty when it was withheld.
    pub shown_number: String,
    /// What the gateway charges.
    pub buy: Option<Charge>,
    /// What the account pays.
    pub sell: Option<Charge>,
    /// The called leg's audio.
    pub media: Media,
}

/// An emergency call, as it was sent out. What is not known is empty or `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct EmergencyCall {
    /// Which call.
    pub call: CallId,
    /// Unique id that transferred calls share.
    pub linkedid: String,
    /// When.
    pub called_at: DateTime<Utc>,
    /// The line that called.
    pub line_id: Option<String>,
    /// Its device, where they are told apart.
    pub device: String,
    /// Address and port from which the device called.
    pub device_address: String,
    /// The line's account.
    pub account_id: Option<String>,
    /// The emergency number.
    pub number: String,
    /// The number that was shown.
    pub callback_number: String,
    /// The registered location, in words.
    pub location: String,
    /// Its coordinates.
    pub point: Option<Point>,
    /// Who said so.
    pub location_source: String,
    /// When that was.
    pub location_placed_at: Option<DateTime<Utc>>,
    /// The facility that answers there.
    pub facility_id: Option<i64>,
    /// Its name.
    pub facility_name: String,
    /// How it was chosen; `fallback` when the dialplan was alone.
    pub method: String,
    /// How far it is from the caller.
    pub distance_m: Option<i64>,
    /// Who answered: `replica`, `central`, or empty.
    pub source: String,
}

/// A notice of an emergency call that was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyNotice {
    /// Which call.
    pub call: CallId,
    /// `mail`, `webhook`, `message`, `call`, `peer`.
    pub kind: String,
    /// To whom.
    pub address: String,
    /// When it came into being.
    pub created_at: DateTime<Utc>,
    /// When it was delivered.
    pub delivered_at: DateTime<Utc>,
    /// How often it was tried.
    pub tries: i64,
    /// Why the last try before failed; else empty.
    pub last_error: String,
}
