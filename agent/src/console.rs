//! Asterisk's console: a command, and what Asterisk says to it.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// For an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How Asterisk is asked: program and arguments, to which `-rx COMMAND` is added.
#[derive(Debug, Clone)]
pub struct Console {
    command: Vec<String>,
}

impl Console {
    /// By `asterisk.command` of the configuration.
    #[must_use]
    pub fn new(command: &[String]) -> Console {
        Console { command: command.to_owned() }
    }

    /// What Asterisk says to a command.
    ///
    /// # Errors
    /// It does not run, or cannot be asked.
    pub async fn ask(&self, question: &str) -> Result<String, String> {
        let [program, arguments @ ..] = self.command.as_slice() else {
            return Err("asterisk.command is empty".into());
        };
        let asked = Command::new(program)
            .args(arguments)
            .args(["-rx", question])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = match timeout(PATIENCE, asked).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => return Err(format!("{program} cannot be run: {error}")),
            Err(_) => return Err(format!("{program} -rx {question:?} gave no answer within 5 s")),
        };
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(format!("is not running: {}", String::from_utf8_lossy(&output.stderr).trim()))
        }
    }
}
