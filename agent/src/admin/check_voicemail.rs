//! The part of `tandem check` about mailboxes: where audio goes, what makes it small, the quarantine, the lamps and the mail.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::check::Finding;
use super::{check_directory, check_menu};
use crate::buffer::spool::Spool;
use crate::config::Config;
use crate::service;
use crate::store::mailbox::Overview;
use crate::wire::ami::Ami;

/// An operator waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was found.
pub(super) async fn findings(config: &Config) -> Vec<Finding> {
    let mut findings = vec![depot(config).await];
    findings.extend(quarantine(config));
    let Ok(store) = service::store(config) else { return findings };
    store.open_replica().await;
    let mailboxes = match timeout(PATIENCE, store.mailboxes()).await {
        Ok(Ok(mailboxes)) => mailboxes,
        // What is said of the database says why.
        Ok(Err(_)) | Err(_) => Vec::new(),
    };
    if config.voicemail.compact && !has_sox().await {
        findings.push(Finding::Doubtful(
            "voicemail.compact: sox is not installed; messages are kept ten times as large, and none can be put behind a comment".into(),
            "apt install sox, or voicemail.compact = false".into(),
        ));
    }
    if !mailboxes.is_empty() {
        findings.push(Finding::Good(format!("voicemail: {} mailboxes", mailboxes.len())));
        findings.extend(unreachable(&mailboxes));
    }
    findings.extend(check_directory::findings(&store).await);
    findings.extend(check_menu::findings(&store).await);
    findings.extend(lamps(config, !mailboxes.is_empty()).await);
    findings
}

async fn depot(config: &Config) -> Finding {
    let mend = "mend voicemail.store and what belongs to it; messages wait on the node meanwhile";
    let checked = match service::store(config) {
        Ok(store) => match service::voicemail::depot(config, &store) {
            Ok(depot) => timeout(PATIENCE, depot.check()).await.unwrap_or_else(|_| Err("no answer within 30 s".into())),
            Err(error) => Err(error.to_string()),
        },
        Err(error) => Err(error.to_string()),
    };
    match checked {
        Ok(()) => Finding::Good(format!("voicemail: audio is kept in the {}", config.voicemail.store)),
        Err(error) => Finding::Wrong(format!("voicemail.store: {error}"), mend.into()),
    }
}

fn quarantine(config: &Config) -> Option<Finding> {
    match Spool::new(&config.voicemail.spool).count_set_aside() {
        Ok(count) if count > 0 => Some(Finding::Wrong(
            format!("voicemail: {count} messages are in quarantine"),
            format!("see the reasons in {}/quarantine/*.why", config.voicemail.spool.display()),
        )),
        // The agent makes the spool when it starts.
        _ => None,
    }
}

/// Mailboxes that nobody can log in to.
fn unreachable(mailboxes: &[Overview]) -> Option<Finding> {
    let closed: Vec<&str> =
        mailboxes.iter().filter(|one| !one.has_password && one.status == "active").map(|one| one.id.as_str()).collect();
    let first = closed.get(..closed.len().min(10)).filter(|first| !first.is_empty())?;
    Some(Finding::Doubtful(
        format!("voicemail: {} mailboxes have no password: {}", closed.len(), first.join(", ")),
        "tandem mailbox password MAILBOX".into(),
    ))
}

async fn has_sox() -> bool {
    let mut command = Command::new("sox");
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().await.is_ok_and(|status| status.success())
}

async fn lamps(config: &Config, wanted: bool) -> Option<Finding> {
    let manager = service::voicemail::manager(config);
    if manager.secret.is_empty() {
        return wanted.then(|| {
            Finding::Doubtful(
                "asterisk.manager_secret: is empty; no phone's lamp tells of messages, and no call can be recorded"
                    .into(),
                "enable manager.conf, choose a secret, and write it into the configuration".into(),
            )
        });
    }
    Some(match Ami::connect(manager.address, &manager.user, &manager.secret).await {
        Ok(_) => Finding::Good(format!("asterisk.manager: {} lets the agent in", manager.address)),
        Err(error) => Finding::Wrong(
            format!("asterisk.manager: {}: {error}", manager.address),
            "enable manager.conf with the agent's user, its secret, read = system and write = originate,system; `asterisk -rx 'manager reload'`".into(),
        ),
    })
}
