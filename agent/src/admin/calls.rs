//! `tandem calls`: the calls that go on, on all nodes.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval};

use crate::cli;
use crate::config::Config;
use crate::service;
use crate::store::Store;
use crate::store::live_call::{ListedCall, Side, Which};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// What became of a leg between two looks.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Change {
    Appeared,
    Altered,
    Gone,
}

#[derive(Serialize)]
struct Changed<'a> {
    change: Change,
    #[serde(flatten)]
    call: &'a ListedCall,
}

/// Runs the command.
///
/// # Errors
/// The database could not be asked.
pub async fn run(config: &Config, wanted: &cli::Calls) -> Result<(), String> {
    let store = service::store(config).map_err(|error| error.to_string())?;
    if wanted.follow {
        return follow(&store, wanted).await;
    }
    let calls = look(&store, wanted).await?;
    let text = if wanted.json {
        serde_json::to_string_pretty(&calls).map_err(|error| error.to_string())? + "\n"
    } else {
        let now = Utc::now();
        calls.iter().map(|call| told(call, now) + "\n").collect()
    };
    say(&text)
}

async fn follow(store: &Store, wanted: &cli::Calls) -> Result<(), String> {
    let mut before = BTreeMap::new();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let calls = look(store, wanted).await?;
        let now: BTreeMap<_, _> =
            calls.into_iter().map(|call| ((call.node.clone(), call.call.uniqueid.clone()), call)).collect();
        let new = now.iter().filter_map(|(key, call)| match before.get(key) {
            None => Some((Change::Appeared, call)),
            Some(old) if old != call => Some((Change::Altered, call)),
            Some(_) => None,
        });
        let gone = before.iter().filter(|(key, _)| !now.contains_key(*key)).map(|(_, call)| (Change::Gone, call));
        for (change, call) in new.chain(gone) {
            let line = if wanted.json {
                serde_json::to_string(&Changed { change, call }).map_err(|error| error.to_string())?
            } else {
                let mark = match change {
                    Change::Appeared => '+',
                    Change::Altered => '~',
                    Change::Gone => '-',
                };
                format!("{mark} {}", told(call, Utc::now()))
            };
            say(&(line + "\n"))?;
        }
        before = now;
    }
}

/// The calls that are asked for.
async fn look(store: &Store, wanted: &cli::Calls) -> Result<Vec<ListedCall>, String> {
    let mut calls = store.live_calls().await.map_err(|error| error.to_string())?;
    let (node, line) = (wanted.node.clone(), wanted.line.clone());
    let which = Which { node, line, account: wanted.account.clone(), gateway: wanted.gateway.clone() };
    calls.retain(|call| which.is(call));
    Ok(calls)
}

/// A leg in a line.
fn told(ListedCall { node, call }: &ListedCall, now: DateTime<Utc>) -> String {
    let whose = match (&call.line_id, &call.gateway_id) {
        (Some(line), _) => format!("line {line}"),
        (None, Some(gateway)) => format!("gateway {gateway}"),
        (None, None) => "nobody".to_owned(),
    };
    let or_nobody = |text: &str| if text.is_empty() { "?".to_owned() } else { text.to_owned() };
    let what = match call.side {
        Side::Makes => format!("{whose} calls {}", or_nobody(&call.dialled)),
        Side::Takes => {
            format!("{whose} is called by {} (who dialled {})", or_nobody(&call.shown_number), or_nobody(&call.dialled))
        }
    };
    let since = (now - call.answered_at.unwrap_or(call.began_at)).num_seconds().max(0);
    let (hours, minutes, seconds) = (since / 3600, since / 60 % 60, since % 60);
    let account = call.account_id.as_deref().unwrap_or("-");
    format!(
        "{node:<16} {} {hours:02}:{minutes:02}:{seconds:02}  {account:<16} {what}  [{}]",
        call.state.name(),
        call.uniqueid
    )
}

fn say(text: &str) -> Result<(), String> {
    let mut out = io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| error.to_string())
}
