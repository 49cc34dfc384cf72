//! A line of the record file, by `dialplan/README.md`.
//!
//! A line begins with its kind and version in quotes. What a caller controls stands in quotes too, where every quote is
//! doubled, so that no caller can write `"tandem-call-1","`: a record begins wherever that stands, also after a line that was
//! cut off, and a caller's name may hold line ends.

use std::sync::LazyLock;

use chrono::{DateTime, Offset, TimeDelta, Utc};
use chrono_tz::Tz;
use memchr::memchr2_iter;
use memchr::memmem::Finder;

use super::emergency;
use crate::store::price::Price;
use crate::store::record::{CallAttempt, CallId, CallRecord, Charge, Direction, Media, Record, Span};

/// What every line begins with.
const BEGIN: &[u8] = b"\"tandem-";
/// A call; without `source` in the first version, which older dialplans write.
const CALL: &str = "tandem-call-2";
const CALL_1: &str = "tandem-call-1";
/// An attempt; the first version does not say which number was shown.
const ATTEMPT: &str = "tandem-attempt-2";

/// The kinds with the following comma and quote, which makes them unlike anything within a field.
const KINDS: [&[u8]; 6] = [
    b"\"tandem-call-2\",\"",
    b"\"tandem-call-1\",\"",
    b"\"tandem-attempt-2\",\"",
    b"\"tandem-attempt-1\",\"",
    b"\"tandem-emergency-1\",\"",
    b"\"tandem-notice-1\",\"",
];

/// A line longer than this is none: Asterisk's own limits keep lines below 12 KiB.
const LONGEST: usize = 64 * 1024;

static BEGINNING: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(BEGIN));

/// Length of the first line in `bytes`, which may be something that is no line; `None` when more bytes are needed.
#[must_use]
pub fn length(bytes: &[u8], ended: bool) -> Option<usize> {
    let horizon = bytes.get(..LONGEST).unwrap_or(bytes);
    let end = line_end(horizon);
    let horizon = end.and_then(|end| horizon.get(..end)).unwrap_or(horizon);
    let next = BEGINNING.find_iter(horizon).filter(|at| *at > 0).find(|at| {
        let here = bytes.get(*at..).unwrap_or_default();
        KINDS.iter().any(|kind| here.starts_with(kind))
    });
    if let Some(length) = next.or(end) {
        return Some(length);
    }
    if bytes.len() >= LONGEST {
        return Some(LONGEST);
    }
    (ended && bytes.ends_with(b"\n")).then_some(bytes.len())
}

/// Length up to the first line end that stands outside of quotes.
fn line_end(bytes: &[u8]) -> Option<usize> {
    let mut quoted = false;
    for at in memchr2_iter(b'"', b'\n', bytes) {
        if bytes.get(at) == Some(&b'"') {
            // A doubled quote does so twice.
            quoted = !quoted;
        } else if !quoted {
            return Some(at + 1);
        }
    }
    None
}

/// Reads a line with its line end, written on `node`.
///
/// # Errors
/// What is wrong with it.
pub fn read(node: &str, line: &[u8]) -> Result<Record, String> {
    if !KINDS.iter().any(|kind| line.starts_with(kind)) {
        return Err("does not begin as a record does; is the dialplan newer than the agent?".to_owned());
    }
    if !line.ends_with(b"\n") {
        return Err("has no end; the disk was full, or the machine went down".to_owned());
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line);
    let mut bytes = csv::ByteRecord::new();
    if !reader.read_byte_record(&mut bytes).map_err(|error| error.to_string())? {
        return Err("is empty".to_owned());
    }
    if reader.position().byte() != line.len() as u64 {
        return Err("is more than one line".to_owned());
    }
    // What is not UTF-8 (a carrier's Latin-1 name) is replaced, and no reason to lose a call.
    let fields: Vec<String> =
        bytes.iter().map(|field| String::from_utf8_lossy(field).replace('\0', "\u{FFFD}")).collect();
    let mut fields = Fields { fields: fields.into_iter(), number: 0 };
    let kind = fields.text()?;
    let record = match kind.as_str() {
        CALL | CALL_1 => call(node, &mut fields, kind == CALL)?,
        emergency::CALL => Record::EmergencyCall(Box::new(emergency::call(node, &mut fields)?)),
        emergency::NOTICE => Record::EmergencyNotice(Box::new(emergency::notice(node, &mut fields)?)),
        _ => attempt(node, &mut fields, kind == ATTEMPT)?,
    };
    match fields.fields.len() {
        0 => Ok(record),
        more => Err(format!("has {more} fields too many")),
    }
}

/// The run of Asterisk that wrote a line; `None` for what is no line.
#[must_use]
pub fn boot(line: &[u8]) -> Option<&[u8]> {
    let rest = KINDS.iter().find_map(|kind| line.strip_prefix(*kind))?;
    rest.split(|byte| *byte == b'"').next()
}

fn call(node: &str, fields: &mut Fields, tells_source: bool) -> Result<Record, String> {
    let call = CallId { node: node.to_owned(), boot: fields.text()?, uniqueid: fields.text()? };
    let linkedid = fields.text()?;
    let sequence = fields.number()?;
    let span = Span {
        started_at: fields.seconds()?.ok_or("has no beginning")?,
        answered_at: fields.seconds()?,
        ended_at: fields.seconds()?.ok_or("has no end")?,
    };
    let [disposition, src, dst, context, clid, channel, dstchannel, lastapp, lastdata] = fields.texts()?;
    let [kind, id] = fields.texts()?;
    let account_id = fields.optional()?;
    let zone = fields.text()?;
    let [number, class, reason] = fields.texts()?;
    let cause = fields.optional_number()?;
    let whole = (fields.milliseconds()?, fields.milliseconds()?, fields.milliseconds()?);
    let codec = fields.optional()?;
    let media = media(codec, &fields.text()?);
    let source = if tells_source { fields.text()? } else { String::new() };
    let id = Some(id).filter(|id| !id.is_empty());
    let direction = match kind.as_str() {
        "line" if class == "internal" => Some(Direction::Internal),
        "line" => Some(Direction::Outbound),
        "gateway" => Some(Direction::Inbound),
        "" => None,
        other => return Err(format!("comes from {other:?}, which is neither line nor gateway")),
    };
    let span = Span {
        started_at: whole.0.unwrap_or(span.started_at),
        answered_at: whole.1.or(span.answered_at),
        ended_at: whole.2.unwrap_or(span.ended_at),
    };
    // The last record tells of the whole call; Asterisk's word may be about one of several phones.
    let answered = direction.is_some() && span.answered_at.is_some();
    let disposition = if answered { "ANSWERED".to_owned() } else { disposition };
    Ok(Record::Call(Box::new(CallRecord {
        call,
        sequence,
        linkedid,
        utc_offset_minutes: utc_offset_minutes(&zone, span.started_at),
        span,
        disposition,
        src,
        dst,
        context,
        clid,
        channel,
        dstchannel,
        lastapp,
        lastdata,
        line_id: id.clone().filter(|_| kind == "line"),
        gateway_id: id.filter(|_| kind == "gateway"),
        direction,
        account_id,
        emergency: class == "emergency" || reason == "emergency",
        number,
        class,
        reason,
        cause,
        media,
        source,
    })))
}

fn attempt(node: &str, fields: &mut Fields, tells_shown: bool) -> Result<Record, String> {
    let call = CallId { node: node.to_owned(), boot: fields.text()?, uniqueid: fields.text()? };
    let number = fields.number()?;
    let [kind, name, caller_kind, caller_id] = fields.texts()?;
    let account_id = fields.optional()?;
    let called_number = fields.text()?;
    let shown_number = if tells_shown { fields.text()? } else { String::new() };
    let [buy, sell] = fields.texts()?;
    let started_at = fields.milliseconds()?.ok_or("has no beginning")?;
    let post_dial_delay_ms = fields.optional_number()?;
    let span =
        Span { started_at, answered_at: fields.milliseconds()?, ended_at: fields.milliseconds()?.ok_or("has no end")? };
    let status = fields.text()?;
    let cause = fields.optional_number()?;
    let sip_code = fields.optional_number()?;
    let leg_uniqueid = fields.optional()?;
    let linkedid = fields.text()?;
    let codec = fields.optional()?;
    let media = media(codec, &fields.text()?);
    let caller = Some(caller_id).filter(|id| !id.is_empty());
    Ok(Record::Attempt(Box::new(CallAttempt {
        call,
        number,
        linkedid,
        leg_uniqueid,
        kind,
        name,
        status,
        cause,
        sip_code,
        span,
        post_dial_delay_ms,
        line_id: caller.clone().filter(|_| caller_kind == "line"),
        gateway_id: caller.filter(|_| caller_kind == "gateway"),
        account_id,
        called_number,
        shown_number,
        buy: charge(&buy, &span)?,
        sell: charge(&sell, &span)?,
        media,
    })))
}

fn charge(price: &str, span: &Span) -> Result<Option<Charge>, String> {
    if price.is_empty() {
        return Ok(None);
    }
    Ok(Some(Charge::of(price.parse::<Price>()?, span)))
}

/// What the clocks of a zone were ahead of UTC; 0 for a zone that is not known.
fn utc_offset_minutes(zone: &str, at: DateTime<Utc>) -> i32 {
    zone.parse::<Tz>().map_or(0, |zone| at.with_timezone(&zone).offset().fix().local_minus_utc() / 60)
}

/// What `CHANNEL(rtcp,all)` says, `ssrc=..;themssrc=..;lp=0;rxjitter=0.000125;rxcount=499;...` (res_rtp_asterisk.c). Jitter and
/// round trip are in seconds there.
fn media(codec: Option<String>, text: &str) -> Media {
    let value = |name: &str| text.split(';').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let count = |name: &str| value(name)?.parse::<i64>().ok();
    let microseconds = |name: &str| {
        let seconds = value(name)?.parse::<f64>().ok().filter(|seconds| (0.0..1e6).contains(seconds))?;
        Some((seconds * 1e6).round() as i64)
    };
    Media {
        codec,
        packets_in: count("rxcount"),
        packets_out: count("txcount"),
        lost_in: count("lp"),
        lost_out: count("rlp"),
        jitter_in_us: microseconds("rxjitter"),
        jitter_out_us: microseconds("txjitter"),
        round_trip_us: microseconds("rtt"),
    }
}

/// The fields of a line, one after the other.
pub(super) struct Fields {
    fields: std::vec::IntoIter<String>,
    number: usize,
}

impl Fields {
    pub(super) fn text(&mut self) -> Result<String, String> {
        self.number += 1;
        self.fields.next().ok_or_else(|| format!("has {} fields, which are too few", self.number - 1))
    }

    pub(super) fn texts<const N: usize>(&mut self) -> Result<[String; N], String> {
        let mut texts = [const { String::new() }; N];
        for text in &mut texts {
            *text = self.text()?;
        }
        Ok(texts)
    }

    pub(super) fn optional(&mut self) -> Result<Option<String>, String> {
        self.text().map(|text| Some(text).filter(|text| !text.is_empty()))
    }

    pub(super) fn number(&mut self) -> Result<i64, String> {
        self.optional_number()?.ok_or_else(|| format!("field {} is empty", self.number))
    }

    pub(super) fn optional_number(&mut self) -> Result<Option<i64>, String> {
        let Some(text) = self.optional()? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("field {}: {text:?} is no whole number", self.number))
    }

    /// Degrees; empty is not known.
    pub(super) fn degrees(&mut self) -> Result<Option<f64>, String> {
        let Some(text) = self.optional()? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("field {}: {text:?} is no number of degrees", self.number))
    }

    /// Seconds since 1970 with microseconds; `0.000000` is never.
    fn seconds(&mut self) -> Result<Option<DateTime<Utc>>, String> {
        let text = self.text()?;
        let wrong = || format!("field {}: {text:?} is no time", self.number);
        let (seconds, fraction) = text.split_once('.').ok_or_else(wrong)?;
        let seconds: i64 = seconds.parse().map_err(|_| wrong())?;
        let fraction: String = fraction.chars().chain("000000".chars()).take(6).collect();
        let microseconds: i64 = fraction.parse().map_err(|_| wrong())?;
        let time = DateTime::from_timestamp(seconds, 0).ok_or_else(wrong)? + TimeDelta::microseconds(microseconds);
        Ok((time.timestamp_micros() != 0).then_some(time))
    }

    /// Milliseconds since 1970; empty is never.
    pub(super) fn milliseconds(&mut self) -> Result<Option<DateTime<Utc>>, String> {
        let Some(milliseconds) = self.optional_number()? else { return Ok(None) };
        let time = DateTime::from_timestamp_millis(milliseconds);
        time.map(Some).ok_or_else(|| format!("field {}: {milliseconds} is no time", self.number))
    }
}
