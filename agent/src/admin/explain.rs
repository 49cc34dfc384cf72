//! `tandem explain`: the decision of a call, told step by step.

use std::fmt::Write as _;
use std::io::Write as _;

use chrono::Utc;
use serde::Serialize;
use tokio::time::Instant;

use crate::cli;
use crate::config::Config;
use crate::emergency::atlas::Atlas;
use crate::emergency::callbacks::Callbacks;
use crate::flows::route::decide::{Origin, Request, decide};
use crate::flows::route::explanation::{Explanation, Quote};
use crate::flows::route::{Knowledge, answer};
use crate::service;
use crate::store::asking::Asking;

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Report {
    from: String,
    to: String,
    at: String,
    #[serde(flatten)]
    explanation: Explanation,
    /// What the dialplan would be told, in order.
    variables: serde_json::Map<String, serde_json::Value>,
}

/// Decides the call as the agent would, and prints how.
///
/// # Errors
/// The database could not be asked.
pub async fn run(config: &Config, call: &cli::Explain) -> Result<(), String> {
    let store = service::store(config).map_err(|error| error.to_string())?;
    store.open_replica().await;
    let rules = service::rules(config);
    let at = call.at.unwrap_or_else(Utc::now);
    let request = Request {
        origin: match call.from.split_once(':') {
            Some(("gateway", gateway)) => Origin::Gateway(gateway),
            Some(("transfer", line)) => Origin::Transferrer(line),
            Some(("line", line)) => Origin::Line(line),
            _ => Origin::Line(&call.from),
        },
        device: &call.device,
        dialled: &call.to,
        caller_number: &call.caller,
        caller_name: "",
        withheld: false,
        forwards: 0,
        seed: 0,
        at,
    };
    let mut explanation = Explanation::default();
    // An operator at the terminal has more patience than a caller, but sees the same decision.
    let mut asking = Asking::until(Instant::now() + rules.deadline * 10);
    let atlas = Atlas::new(store.gazetteer().await.unwrap_or_default()).0;
    let callbacks = Callbacks::default();
    let knowledge = Knowledge { store: &store, atlas: &atlas, callbacks: &callbacks };
    let decision = decide(&request, &rules, &knowledge, &mut asking, &mut explanation)
        .await
        .map_err(|error| format!("the call cannot be decided, the dialplan's fallback would take it: {error}"))?;
    if explanation.outside {
        let all = store.gateways(&mut asking).await;
        let all = all.map_err(|error| format!("the gateways cannot be listed: {error}"))?;
        explanation.add_priceless(all);
    }
    let variables = answer::variables(&decision, asking.source(), false);
    let text = if call.json {
        let report = Report {
            from: call.from.clone(),
            to: call.to.clone(),
            at: at.to_rfc3339(),
            explanation,
            variables: variables.into_iter().map(|(name, value)| (name, value.into())).collect(),
        };
        serde_json::to_string_pretty(&report).map_err(|error| error.to_string())? + "\n"
    } else {
        told(&explanation, &variables)
    };
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
}

/// The explanation for people.
fn told(explanation: &Explanation, variables: &[(String, String)]) -> String {
    let mut text = String::new();
    for step in &explanation.steps {
        let _ = writeln!(text, "{:>14}  {}", step.step, step.text);
    }
    if let Some(sell) = &explanation.sell {
        let _ = writeln!(text, "\nThe account pays {}", quoted(sell));
    }
    if !explanation.gateways.is_empty() {
        let _ = writeln!(text, "\nGateways considered:");
        for gateway in &explanation.gateways {
            let verdict = gateway.why.map_or("kept".to_owned(), |why| format!("dropped: {why}"));
            let _ = writeln!(text, "  {:16} {verdict}", gateway.gateway);
            if let (Some(cost), Some(price)) = (gateway.cost_micros, &gateway.price) {
                let _ = writeln!(text, "  {:16} costs {} for the expected length: {}", "", money(cost), quoted(price));
            }
        }
    }
    let _ = writeln!(text, "\nThe dialplan is told:");
    for (name, value) in variables {
        let _ = writeln!(text, "  {name}={value}");
    }
    text
}

fn quoted(quote: &Quote) -> String {
    let destination = if quote.destination.is_empty() { String::new() } else { format!(" ({})", quote.destination) };
    format!(
        "{} {}/min, connect fee {}, {}, by prefix {}{destination} of deck {} version {}",
        quote.currency,
        money(quote.per_minute_micros),
        money(quote.connect_fee_micros),
        quote.increments,
        quote.prefix,
        quote.deck,
        quote.deck_version,
    )
}

/// Millionths as a decimal, without trailing zeros beyond cents.
fn money(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let decimals = format!("{:06}", micros % 1_000_000);
    let kept = decimals.trim_end_matches('0').len().max(2);
    format!("{sign}{}.{}", micros / 1_000_000, &decimals[..kept])
}
