//! What is read of a channel.

use chrono::{DateTime, Utc};

use crate::store::live_call::{LiveCall, Side, State};
use crate::wire::ari::model::Channel;

/// The variables of the dialplan that tell of a leg: the account; what was dialled; the same of the caller of a called leg. They are asked for: to be
/// told of them (`channelvars` of `ari.conf`) Asterisk would look at the channel anew with each variable that is set, and take the first of a `Gosub`
/// for what was dialled.
pub(super) const VARIABLES: [&str; 3] = ["TANDEM_ACCOUNT", "TANDEM_DIALLED", "TANDEM_CALLED"];
/// What runs on a called channel: of any call, and of a queue.
const DIALLED_BY: [&str; 2] = ["AppDial", "AppQueue"];

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
    let called = DIALLED_BY.contains(&channel.dialplan.app_name.as_str());
    let (side, shown) = if called { (Side::Takes, &channel.connected) } else { (Side::Makes, &channel.caller) };
    let state = if channel.state == "Up" { State::Talks } else { State::Rings };
    Some(LiveCall {
        uniqueid: channel.id.clone(),
        linked_id: channel.id.clone(),
        channel: short(&channel.name),
        side,
        line_id: ids.0,
        gateway_id: ids.1,
        account_id: None,
        shown_number: short(&shown.number),
        dialled: String::new(),
        state,
        began_at: began_at(&channel.creationtime).unwrap_or_else(Utc::now),
        answered_at: None,
    })
}

/// The account and what was dialled, by the values of [`VARIABLES`].
pub(super) fn facts(values: &[String]) -> Option<(Option<String>, String)> {
    let [account, dialled, called] = values else { return None };
    let account = Some(account.clone()).filter(|id| !id.is_empty());
    Some((account, short(if called.is_empty() { dialled } else { called })))
}

/// What callers and carriers send may be anything; a table takes no more than this.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// `2026-11-26T00:24:56.000+0000`.
fn began_at(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z").ok().map(|time| time.to_utc())
}
