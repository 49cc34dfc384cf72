//! What is typed about mailboxes.

use std::path::PathBuf;

use clap::Subcommand;

/// `tandem mailbox`
#[derive(Debug, Subcommand)]
pub enum MailboxCommand {
    /// List mailboxes with what is in them
    List {
        /// Those of this account only
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// For programs: one JSON array
        #[arg(long)]
        json: bool,
    },
    /// List the messages of a mailbox, oldest first
    Messages {
        /// The mailbox's id
        mailbox: String,
    },
    /// Give a mailbox a new password, and unlock it
    ///
    /// A password is made up and printed, unless one is handed over.
    Password {
        /// The mailbox's id
        mailbox: String,
        /// Read the password from standard input, a line
        #[arg(long)]
        stdin: bool,
    },
    /// Move all messages of a mailbox into another
    Move {
        /// The mailbox that they are in
        from: String,
        /// The mailbox that they are to be in
        to: String,
        /// Those of this folder only: INBOX, Old, Work, ...
        #[arg(long, value_name = "NAME")]
        folder: Option<String>,
    },
    /// Write the messages and greetings of a mailbox as files, as app_voicemail's spool has them
    Export {
        /// The mailbox's id
        mailbox: String,
        /// The folder in which a folder of the mailbox's number is made
        folder: PathBuf,
    },
}
