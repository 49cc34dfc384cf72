//! What is read of a channel.

use chrono::{DateTime, Utc};

use crate::store::live_call::{LiveCall, Side, State};
use crate::wire::ari::model::Channel;

/// The variables of the dialplan that tell of a leg (`channelvars` of `ari.conf`): the account; what was dialled; the same of the caller of a called leg.
const ACCOUNT: &str = "TANDEM_ACCOUNT";
const DIALLED: &str = "TANDEM_DIALLED";
const CALLED: &str = "TANDEM_CALLED";

/// Characters of a text at the most.
const LONGEST: usize = 100;

/// Asterisk's helpers, which are no leg of anybody.
const HELPERS: [&str; 2] = ["Local/", "Snoop/"];

/// The leg that a channel is. `None` for a helper, and as long as the dialplan has not said whose it is.
pub(super) fn read(channel: &Channel) -> Option<LiveCall> {
    let (kind, id) = channel.accountcode.split_once('/')?;
    let ids = match kind {
        "line" => (Some(id.to_owned()), None),
        "gateway" => (None, Some(id.to_owned())),
        _ => return None,
    };
    if HELPERS.iter().any(|helper| channel.name.starts_with(helper)) {
        return None;
    }
    let variable = |name: &str| channel.channelvars.get(name).filter(|value| !value.is_empty());
    let called = variable(CALLED);
    let (side, shown) =
        if called.is_some() { (Side::Takes, &channel.connected) } else { (Side::Makes, &channel.caller) };
    let state = if channel.state == "Up" { State::Talks } else { State::Rings };
    Some(LiveCall {
        uniqueid: channel.id.clone(),
        linked_id: channel.id.clone(),
        channel: short(&channel.name),
        side,
        line_id: ids.0,
        gateway_id: ids.1,
        account_id: variable(ACCOUNT).cloned(),
        shown_number: short(&shown.number),
        dialled: called.or_else(|| variable(DIALLED)).map(|number| short(number)).unwrap_or_default(),
        state,
        began_at: began_at(&channel.creationtime).unwrap_or_else(Utc::now),
        answered_at: None,
    })
}

/// What callers and carriers send may be anything; a table takes no more than this.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// `2026-11-26T00:24:56.000+0000`.
fn began_at(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z").ok().map(|time| time.to_utc())
}
