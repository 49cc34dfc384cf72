//! `tandem fallback`: writes what the dialplan alone knows of emergency calls, and has Asterisk read it.

use std::io::Write as _;

use crate::cli;
use crate::config::Config;
use crate::console::Console;
use crate::emergency::atlas::Atlas;
use crate::service;

/// Writes the file, and reloads the dialplan if it changed.
///
/// # Errors
/// The data cannot be read, the file cannot be written, or Asterisk cannot be asked.
pub async fn run(config: &Config, command: &cli::Fallback) -> Result<(), String> {
    let configured = Some(config.emergency.fallback_file.clone()).filter(|file| !file.as_os_str().is_empty());
    let path = command.file.clone().or(configured);
    let path = path.ok_or("name the file, tandem-fallback.conf beside tandem.conf, or set emergency.fallback_file")?;
    let store = service::store(config).map_err(|error| error.to_string())?;
    store.open_replica().await;
    let (atlas, _) = Atlas::new(store.gazetteer().await.map_err(|error| error.to_string())?);
    let fallback = service::emergency::fallback(config);
    let changed = fallback.write(&atlas, &path).map_err(|error| format!("{}: {error}", path.display()))?;
    let told = if !changed {
        "is as it should be"
    } else if command.no_reload {
        "is written"
    } else {
        Console::new(&config.asterisk.command)
            .ask("dialplan reload")
            .await
            .map_err(|error| format!("{} is written, and Asterisk has not read it: {error}", path.display()))?;
        "is written, and Asterisk has read it"
    };
    writeln!(std::io::stdout(), "{} {told}", path.display()).map_err(|error| error.to_string())
}
