//! What the dialplan alone knows of emergency calls, when the agent is dead: a file of globals, made of configuration and data.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::atlas::{Atlas, Place};

/// What the configuration says of emergency calls.
#[derive(Debug, Clone)]
pub struct Fallback {
    /// Emergency numbers as dialled.
    pub numbers: Vec<String>,
    /// Prefixes for an outside line; the dialplan takes one.
    pub prefixes: Vec<String>,
    /// PJSIP endpoints of the gateways, in order.
    pub gateways: Vec<String>,
    /// Those of them that are sent the facility's number.
    pub facility_gateways: Vec<String>,
    /// Seconds that each of them may ring.
    pub ring_seconds: u32,
    /// Number shown for lines that have none of their own; digits, or empty.
    pub caller: String,
}

impl Fallback {
    /// The file's text. The dialplan cannot choose: the facility is the nation's default.
    #[must_use]
    pub fn text(&self, atlas: &Atlas) -> String {
        let mut text = String::from(
            "; Written by `tandem fallback` from the configuration and the central data: do not edit.\n\
             ; What emergency calls need when the agent is dead.\n[globals](+)\n",
        );
        let mut set = |name: &str, value: &str| {
            let _ = writeln!(text, "{name} = {value}");
        };
        set("TANDEM_EMERGENCY_NUMBERS", &self.numbers.join("&"));
        set("TANDEM_EMERGENCY_PREFIX", self.prefixes.first().map_or("", String::as_str));
        set("TANDEM_EMERGENCY_SECONDS", &self.ring_seconds.to_string());
        // What is not known here stays as tandem-site.conf has it.
        if !self.gateways.is_empty() {
            set("TANDEM_EMERGENCY_GATEWAYS", &self.gateways.join("&"));
        }
        if !self.caller.is_empty() {
            set("TANDEM_EMERGENCY_CALLER", &self.caller);
        }
        let facility = atlas.choose(&Place { point: None, state: "", county: "" }).and_then(|choice| choice.number);
        for gateway in &self.gateways {
            // Empty for the others: a global that is no longer written would stay.
            let number = facility.as_deref().filter(|_| self.facility_gateways.contains(gateway)).unwrap_or_default();
            set(&format!("TANDEM_EMERGENCY_FACILITY_{gateway}"), number);
        }
        text
    }

    /// Writes the file as a whole, unless it is so already; true when it changed.
    ///
    /// # Errors
    /// It could not be written; the old one is still there.
    pub fn write(&self, atlas: &Atlas, path: &Path) -> io::Result<bool> {
        let text = self.text(atlas);
        if fs::read_to_string(path).is_ok_and(|old| old == text) {
            return Ok(false);
        }
        let new = path.with_extension("conf.new");
        let mut file = File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        Ok(true)
    }
}
