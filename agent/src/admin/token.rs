//! `tandem token`: who may ask the agents. It works on the database itself: the first token has to come from somewhere.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::client;
use crate::cli;
use crate::config::Config;
use crate::service;
use crate::store::Store;
use crate::store::token::{Role, Token, person};

/// An operator has more patience than a caller.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the command.
///
/// # Errors
/// Why nothing came of it.
pub async fn run(config: &Config, command: &cli::TokenCommand) -> Result<(), String> {
    let store = service::store(config).map_err(|error| error.to_string())?;
    let text = match command {
        cli::TokenCommand::Create { person: name, role, days } => {
            let person = person(name)?;
            let role = Role::named(role).ok_or_else(|| format!("{role:?} is no role"))?;
            let (maker, admitted) = maker(config, &store).await?;
            let made = store.create_token(&person, role, *days, &maker, admitted).await;
            made.map_err(|error| error.to_string())?.reveal() + "\n"
        }
        cli::TokenCommand::List => list(&store.tokens(by()).await.map_err(|error| error.to_string())?, Utc::now()),
        cli::TokenCommand::Revoke { id } => {
            let (maker, _) = maker(config, &store).await?;
            store.revoke_token(id, &maker).await.map_err(|error| error.to_string())?;
            format!("token {id} is worth nothing any more\n")
        }
    };
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
}

fn by() -> Instant {
    Instant::now() + PATIENCE
}

/// In whose name: that of the token in the environment, else of the machine's user; and whether they may intercept.
async fn maker(config: &Config, store: &Store) -> Result<(String, bool), String> {
    let Some(text) = client::token() else {
        return Ok((format!("user {} of {}", rustix::process::getuid().as_raw(), config.node.name), false));
    };
    let known = store.token(&text, Utc::now(), by()).await.map_err(|error| error.to_string())?;
    let token = known.map_err(|rejected| format!("TANDEM_TOKEN: {rejected}"))?;
    Ok((token.person, token.role == Role::Intercept))
}

fn list(tokens: &[Token], now: DateTime<Utc>) -> String {
    let mut text = format!("{:<18} {:<24} {:<11} {:<17} {}\n", "token", "person", "role", "made", "until");
    for token in tokens {
        let until = match token.revoked_at {
            Some(at) => format!("revoked {}", at.format("%F %R")),
            None if token.expires_at <= now => format!("expired {}", token.expires_at.format("%F %R")),
            None => token.expires_at.format("%F %R").to_string(),
        };
        let made = token.created_at.format("%F %R").to_string();
        let _ = writeln!(text, "{:<18} {:<24} {:<11} {made:<17} {until}", token.id, token.person, token.role.name());
    }
    text
}
