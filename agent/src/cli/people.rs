//! What is typed about persons: their tokens, what they did, what they intercept.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Subcommand;

use super::parse_time;
use crate::admin::audit;
use crate::store::audit::Head;
use crate::store::token::Role;

/// `tandem token`
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token, and print it, once
    ///
    /// When two persons may intercept, a further token of that role is made with a token of one of them in TANDEM_TOKEN only.
    Create {
        /// Whose it is, such as alice@example.com; one name for one person
        #[arg(long, value_name = "NAME")]
        person: String,
        /// operator, supervisor (an operator who listens and records), intercept (warrants alone) or auditor
        #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(Role::NAMES))]
        role: String,
        /// Days for which it is good
        #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
    },
    /// List tokens, without their secrets
    List,
    /// Take a token back; it is worth nothing from now on
    Revoke {
        /// Its id, as `list` tells it
        id: String,
    },
}

/// `tandem audit`
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Hold every entry against the chain, name the first that is altered, missing or exchanged, and print the head
    ///
    /// Exits with 1 when there is one. Keep the head elsewhere: with it a log whose end was cut off, or that was written anew, is found.
    Verify {
        /// A head that was kept
        #[arg(long, value_name = "NUMBER:HASH", value_parser = audit::parse_head)]
        head: Option<Head>,
    },
    /// Print the entries, with a token of the role auditor in TANDEM_TOKEN
    List {
        /// Those after this number only
        #[arg(long, value_name = "NUMBER")]
        after: Option<i64>,
    },
}

/// `tandem intercept`
#[derive(Debug, Subcommand)]
pub enum InterceptCommand {
    /// Ask for an interception; it does nothing until another person approves
    Request {
        /// The line's id
        #[arg(long, value_name = "ID")]
        line: String,
        /// The number of the court's warrant
        #[arg(long, value_name = "NUMBER")]
        warrant: String,
        /// When it begins, RFC 3339 or YYYY-MM-DD (UTC)
        #[arg(long, value_name = "TIME", value_parser = parse_time)]
        start: DateTime<Utc>,
        /// When it ends
        #[arg(long, value_name = "TIME", value_parser = parse_time)]
        end: DateTime<Utc>,
        /// The public key of age that alone reads what is intercepted
        #[arg(long, value_name = "age1...")]
        recipient: String,
    },
    /// Approve one that another person requested
    Approve {
        /// Its id
        id: String,
    },
    /// End one, at once
    End {
        /// Its id
        id: String,
    },
    /// List all, and how they stand; and what keeps this node from intercepting
    List,
    /// Write what was intercepted under one to a folder, as files of age that its recipient alone reads
    ///
    /// A call's parts are <call>-<part>.wav.age, ten seconds each, and <call>-<part>.json.age: who, whom, when. Files that are there are passed over.
    Fetch {
        /// Its id
        id: String,
        /// Where to; it is made
        folder: PathBuf,
    },
    /// Delete all that was intercepted under one
    Delete {
        /// Its id
        id: String,
    },
}
