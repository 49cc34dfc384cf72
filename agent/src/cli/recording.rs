//! What is typed about recordings of calls.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use uuid::Uuid;

use super::parse_time;

/// `tandem record`
#[derive(Debug, Subcommand)]
pub enum RecordCommand {
    /// Record the calls of a line: all from now on, until it is ended
    Line {
        /// The line's id
        line: String,
        /// How
        #[command(flatten)]
        how: Recorded,
    },
    /// Record the calls of all lines of an account: all from now on, until it is ended
    Account {
        /// The account's id
        account: String,
        /// How
        #[command(flatten)]
        how: Recorded,
    },
    /// Record a call that goes on, with a token of the role supervisor in TANDEM_TOKEN
    Call {
        /// The call: the id that `tandem calls` shows in brackets, of a line's side
        call: String,
        /// Both sides in one channel; else left is what the line says, right what it hears
        #[arg(long)]
        mixed: bool,
    },
    /// End an order, and the recordings that run by it; what was recorded is kept
    End {
        /// The order's id, as `orders` lists it
        order: Uuid,
    },
    /// List the orders that nobody has ended
    Orders,
}

/// How calls are recorded.
#[derive(Debug, Args)]
pub struct Recorded {
    /// The next so many calls, and no more
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=1_000_000))]
    pub calls: Option<i32>,
    /// Until this time, RFC 3339 or YYYY-MM-DD (UTC)
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with = "calls")]
    pub until: Option<DateTime<Utc>>,
    /// Both sides in one channel; else left is what the line says, right what it hears
    #[arg(long)]
    pub mixed: bool,
    /// Who wants it
    #[arg(long, value_name = "NAME", env = "USER", default_value = "operator")]
    pub by: String,
}

/// `tandem recordings`
#[derive(Debug, Subcommand)]
pub enum RecordingsCommand {
    /// List recordings, the newest first, a thousand at the most
    List {
        /// Those of this line only
        #[arg(long, value_name = "ID")]
        line: Option<String>,
        /// Those of this account only
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// Those that began at this time or later, RFC 3339 or YYYY-MM-DD (UTC); a week ago by default
        #[arg(long, value_name = "TIME", value_parser = parse_time)]
        since: Option<DateTime<Utc>>,
        /// For programs: one JSON array
        #[arg(long)]
        json: bool,
    },
    /// Write a recording into a WAV file
    Fetch {
        /// The recording's id
        recording: Uuid,
        /// The file
        file: PathBuf,
    },
    /// Delete a recording
    Delete {
        /// The recording's id
        recording: Uuid,
    },
}
