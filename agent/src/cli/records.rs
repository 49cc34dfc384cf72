//! What is typed about call records, and what else waits to be sent.

use chrono::{DateTime, Utc};
use clap::{Subcommand, ValueEnum};

use super::parse_time;

/// `tandem records`
#[derive(Debug, Subcommand)]
pub enum Records {
    /// Tell what waits on this node, since when, how fast it is sent, and what is in quarantine, and why
    Status {
        /// What is asked about
        #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
        of: Cargo,
    },
    /// Put rows of the quarantine back, to be sent again
    ///
    /// Do so when the cause is mended. A row that is in the database already is not counted twice.
    Retry {
        /// What they are
        #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
        of: Cargo,
        /// Files of the quarantine as `status` names them; all by default
        rows: Vec<String>,
    },
    /// Compare the lines that this node kept with the rows of the database, and name every missing or double one
    ///
    /// Exits with 1 when there is one.
    Verify {
        /// Calls that began at this time or later, RFC 3339 or YYYY-MM-DD (UTC); an hour before the end by default
        #[arg(long, value_name = "TIME", value_parser = parse_time)]
        from: Option<DateTime<Utc>>,
        /// Calls that began before this time; now by default
        #[arg(long, value_name = "TIME", value_parser = parse_time)]
        before: Option<DateTime<Utc>>,
        /// Send the segments of missing rows again
        #[arg(long)]
        mend: bool,
    },
}

/// What waits on a node for the central store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Cargo {
    /// Call records.
    #[default]
    Records,
    /// Messages of mailboxes.
    Voicemail,
    /// Recordings of calls.
    Recordings,
    /// What was intercepted.
    Interceptions,
}
