//! `tandem records`: how call records fare on their way to the database.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use chrono::{TimeDelta, Utc};
use clap::ValueEnum as _;

use super::status;
use crate::buffer::segment::Segment;
use crate::buffer::spool::Spool;
use crate::cli::{self, Cargo};
use crate::config::Config;
use crate::records::verify::{Findings, verify};
use crate::service;
use crate::store::recorded::Recorded;

/// Rows that are named one by one; the rest is counted.
const LISTED: usize = 100;

/// Runs the command.
pub async fn run(config: &Config, command: &cli::Records) -> ExitCode {
    let outcome = match command {
        cli::Records::Status { of } => status(config, *of).await.map(|text| (text, true)),
        cli::Records::Retry { of, rows } => retry(config, *of, rows).map(|text| (text, true)),
        cli::Records::Verify { from, before, mend } => {
            let before = before.unwrap_or_else(Utc::now);
            let from = from.unwrap_or(before - TimeDelta::hours(1));
            compare(config, from, before, *mend).await
        }
    };
    match outcome {
        Ok((text, good)) => match std::io::stdout().write_all(text.as_bytes()) {
            Ok(()) if good => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        },
        Err(error) => cli::failed(error),
    }
}

fn unreadable(spool: &Spool, error: &std::io::Error) -> String {
    format!("the spool {} cannot be read: {error}", spool.folder().display())
}

/// Where that waits.
fn spool_of(config: &Config, of: Cargo) -> Spool {
    match of {
        Cargo::Records => Spool::new(&config.records.spool),
        Cargo::Voicemail => Spool::new(&config.voicemail.spool),
        Cargo::Recordings => Spool::new(&config.recordings.spool),
        Cargo::Interceptions => Spool::new(&service::interceptions::spool(config)),
    }
}

async fn status(config: &Config, of: Cargo) -> Result<String, String> {
    let spool = spool_of(config, of);
    let fault = |error: std::io::Error| unreadable(&spool, &error);
    let waiting = spool.waiting().map_err(fault)?;
    let mut bytes = 0;
    let mut oldest = None;
    for segment in &waiting {
        // The agent may file it away at this moment.
        let Ok((length, since)) = spool.look(segment) else { continue };
        bytes += length.saturating_sub(segment.done);
        oldest = oldest.min(Some(since)).or(Some(since));
    }
    let set_aside = spool.set_aside_rows().map_err(fault)?;
    let mut text = String::new();
    if of == Cargo::Records {
        let unsent = std::fs::metadata(&config.records.file).map_or(0, |metadata| metadata.len());
        let _ = writeln!(text, "record file  {}: {unsent} bytes not taken yet", config.records.file.display());
    }
    let _ = writeln!(text, "spool        {}: {} segments, {bytes} bytes wait", spool.folder().display(), waiting.len());
    let age =
        oldest.map_or("nothing waits".to_owned(), |since| format!("{} s", (Utc::now() - since).num_seconds().max(0)));
    let _ = writeln!(text, "oldest       {age}");
    match status::ask(config.http.listen).await {
        Ok(status) => {
            let name = of.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
            for shipment in status.shipments.iter().filter(|shipment| shipment.cargo == name) {
                let _ = writeln!(text, "backlog      {} rows", shipment.backlog_rows);
                let _ = writeln!(text, "rate         {:.1} rows/s over the last ten seconds", shipment.rows_per_second);
            }
            for alarm in status.alarms {
                let _ =
                    writeln!(text, "ALARM        {} since {}: {}", alarm.name, alarm.since.format("%F %T"), alarm.text);
            }
        }
        Err(error) => {
            let _ = writeln!(text, "rate         nothing is shipped: {error}");
        }
    }
    let _ = writeln!(text, "quarantine   {} rows", set_aside.len());
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in &set_aside {
        reasons.entry(entry.why.as_str()).or_default().push(entry.segment.file_name());
    }
    for (why, names) in &reasons {
        let _ = writeln!(text, "  {} x {why}", names.len());
        for name in names.iter().take(3) {
            let _ = writeln!(text, "    {name}");
        }
    }
    Ok(text)
}

/// Puts rows of the quarantine back: those named, or all. The running agent finds them.
fn retry(config: &Config, of: Cargo, names: &[String]) -> Result<String, String> {
    let spool = spool_of(config, of);
    let fault = |error: std::io::Error| unreadable(&spool, &error);
    let all: Vec<Segment> = spool.set_aside_rows().map_err(fault)?.into_iter().map(|entry| entry.segment).collect();
    let chosen: Vec<Segment> = if names.is_empty() {
        all
    } else {
        let find = |name: &String| all.iter().find(|segment| segment.file_name() == *name).cloned();
        let chosen: Option<Vec<Segment>> = names.iter().map(find).collect();
        chosen.ok_or("not all of these rows are in quarantine; `tandem records status` names them")?
    };
    for segment in &chosen {
        spool.put_back(segment).map_err(|error| format!("{} could not be put back: {error}", segment.file_name()))?;
    }
    Ok(format!("{} rows are put back; the agent sends them within seconds\n", chosen.len()))
}

async fn compare(
    config: &Config,
    from: chrono::DateTime<Utc>,
    before: chrono::DateTime<Utc>,
    mend: bool,
) -> Result<(String, bool), String> {
    let spool = Spool::new(&config.records.spool);
    let store = service::store(config).map_err(|error| error.to_string())?;
    let findings =
        verify(&spool, &config.records.file, &store, from, before).await.map_err(|error| error.to_string())?;
    let mut text = told(&findings);
    if mend {
        for (segment, path) in findings.mend.values() {
            // One that waits is sent again from its beginning by its name, as one that was sent.
            spool
                .send_again(segment, path)
                .map_err(|error| format!("{} could not be put back: {error}", path.display()))?;
        }
        let _ = writeln!(text, "{} segments are put back; the agent sends them again", findings.mend.len());
    }
    Ok((text, findings.missing.is_empty() && findings.double.is_empty()))
}

fn told(findings: &Findings) -> String {
    let mut text = format!(
        "{} rows on the node; {} of them in the database, {} wait, {} in quarantine; {} unreadable\n",
        findings.lines, findings.found, findings.waiting, findings.set_aside, findings.unreadable
    );
    let what = |what: Recorded| if what == Recorded::Calls { "call" } else { "attempt" };
    for key in findings.missing.iter().take(LISTED) {
        let _ = writeln!(text, "MISSING  {} {} {} of boot {}", what(key.what), key.uniqueid, key.sequence, key.boot);
    }
    for (key, nodes) in findings.double.iter().take(LISTED) {
        let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
        let _ = writeln!(
            text,
            "DOUBLE   {} {} {} of boot {}: on {}",
            what(key.what),
            key.uniqueid,
            key.sequence,
            key.boot,
            nodes.join(", ")
        );
    }
    let _ = writeln!(text, "{} missing, {} double", findings.missing.len(), findings.double.len());
    if !findings.foreign.is_empty() {
        let _ = writeln!(
            text,
            "{} rows of these runs of Asterisk are in the database and no more on the node (records.keep_hours)",
            findings.foreign.len()
        );
    }
    text
}
