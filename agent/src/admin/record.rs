//! `tandem record`: whose calls are recorded.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use tokio::time::Instant;
use uuid::Uuid;

use super::listen;
use crate::cli;
use crate::config::Config;
use crate::service;
use crate::store::Store;
use crate::store::recording::{Form, NewOrder, Whose};

/// An operator has more patience than a caller.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the command.
///
/// # Errors
/// Why nothing came of it.
pub async fn run(config: &Config, command: &cli::RecordCommand) -> Result<(), String> {
    let store = service::store(config).map_err(|error| error.to_string())?;
    let text = match command {
        cli::RecordCommand::Line { line, how } => {
            let policy = store.recording_policy(line, by()).await.map_err(|error| error.to_string())?;
            policy.ok_or_else(|| format!("there is no line {line}"))?;
            order(&store, Whose::Line(line.clone()), how).await?
        }
        cli::RecordCommand::Account { account, how } => order(&store, Whose::Account(account.clone()), how).await?,
        cli::RecordCommand::Call { call, mixed } => listen::record(config, call, *mixed).await?,
        cli::RecordCommand::End { order } => end(&store, *order).await?,
        cli::RecordCommand::Orders => orders(&store).await?,
    };
    io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
}

fn by() -> Instant {
    Instant::now() + PATIENCE
}

async fn order(store: &Store, whose: Whose, how: &cli::Recorded) -> Result<String, String> {
    let order = NewOrder {
        id: Uuid::now_v7(),
        whose,
        calls: how.calls,
        form: if how.mixed { Form::Mixed } else { Form::Stereo },
        ordered_by: how.by.clone(),
        ordered_at: Utc::now(),
        ends_at: how.until,
    };
    let ordered = store.order_recording(&order, by()).await;
    ordered
        .map_err(|error| format!("the order was not taken, perhaps for there is no such line or account: {error}"))?;
    Ok(format!("{}\n", order.id))
}

async fn end(store: &Store, id: Uuid) -> Result<String, String> {
    let orders = store.recording_orders(Utc::now(), by()).await.map_err(|error| error.to_string())?;
    if !orders.iter().any(|order| order.id == id) {
        return Err(format!("there is no order {id} that holds; `tandem record orders` lists them"));
    }
    store.end_recording_order(id, Utc::now(), by()).await.map_err(|error| error.to_string())?;
    Ok("the order is ended; recordings that run by it end within seconds\n".to_owned())
}

async fn orders(store: &Store) -> Result<String, String> {
    let mut text = String::new();
    for order in store.recording_orders(Utc::now(), by()).await.map_err(|error| error.to_string())? {
        let whose = match &order.line_id {
            Some(line) => format!("line {line}"),
            None => format!("account {}", order.account_id),
        };
        let until = match (order.calls_left, order.ends_at) {
            (Some(calls), _) => format!("{calls} more calls"),
            (None, Some(end)) => format!("until {}", end.to_rfc3339_opts(SecondsFormat::Secs, true)),
            (None, None) => "until it is ended".to_owned(),
        };
        let _ = writeln!(
            text,
            "{} {} {whose:<24} {:<6} {until}, by {}",
            order.id,
            order.ordered_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            order.form.name(),
            order.ordered_by
        );
    }
    Ok(text)
}
