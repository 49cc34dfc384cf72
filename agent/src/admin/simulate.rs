//! `tandem simulate`: a flow in the terminal.

use std::io::Write as _;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use tokio::sync::watch;

use crate::adapters::simulator::{Phone, Press, Simulator};
use crate::alarm::Alarms;
use crate::call::Caller;
use crate::cli;
use crate::config::Config;
use crate::emergency::atlas::Atlas;
use crate::emergency::callbacks::Callbacks;
use crate::flows::{self, Flow, Ports};
use crate::service;

/// A telephone made of a terminal: what is heard is printed, a line typed is keys pressed.
struct Terminal {
    typed: Lines<BufReader<Stdin>>,
}

impl Phone for Terminal {
    fn hears(&mut self, line: String) {
        // A closed terminal is noticed when the next key is read.
        let _ = writeln!(std::io::stdout(), "  {line}");
    }

    async fn acts(&mut self, asked: &str) -> Press {
        let mut out = std::io::stdout();
        let _ = write!(out, "[{asked}; Enter waits, h hangs up] > ").and_then(|()| out.flush());
        match self.typed.next_line().await {
            Ok(Some(line)) if line.trim() == "h" => Press::HangUp,
            Ok(Some(line)) if line.trim().is_empty() => Press::Nothing,
            Ok(Some(line)) => Press::Keys(line.trim().to_owned()),
            Ok(None) | Err(_) => Press::HangUp,
        }
    }
}

/// Runs the flow until it ends or the caller hangs up.
///
/// # Errors
/// There is no such flow, or the store or the log could not be set up.
pub async fn run(config: &Config, simulation: cli::Simulate) -> Result<(), String> {
    let Some(flow) = Flow::named(&simulation.flow) else {
        let names: Vec<&str> = Flow::ALL.iter().map(|flow| flow.name()).collect();
        return Err(format!("there is no flow {:?}; there are: {}", simulation.flow, names.join(", ")));
    };
    // The line that the agent logs for a call ends the conversation here, too.
    service::start_logging(config).map_err(|error| error.to_string())?;
    let store = service::store(config).map_err(|error| error.to_string())?;
    let atlas = Atlas::new(store.gazetteer().await.unwrap_or_default()).0;
    let (_, atlas) = watch::channel(Arc::new(atlas));
    let recordings = config.media.recordings.clone();
    let voicemail = service::voicemail::port(config, &store, &Alarms::default()).map_err(|error| error.to_string())?;
    let (rules, speech) = (service::rules(config), service::speech(config));
    let lookups = service::lookups().map_err(|error| error.to_string())?;
    let ports = Ports::new(store, rules, atlas, Callbacks::default(), speech, recordings, voicemail, lookups);
    let caller = Caller {
        uniqueid: "simulated".into(),
        channel: "Simulated/1".into(),
        dialled: simulation.dialled,
        number: simulation.caller,
        name: String::new(),
        withheld: false,
        language: "en".into(),
    };
    let typed = BufReader::new(tokio::io::stdin()).lines();
    let mut call = Simulator::new(caller, Terminal { typed });
    flows::run(flow, &simulation.arguments, &mut call, &ports).await;
    Ok(())
}
