//! What is typed about menus and their prompts.

use std::path::PathBuf;

use clap::Subcommand;

/// `tandem menu`
#[derive(Debug, Subcommand)]
pub enum MenuCommand {
    /// Draw a menu with all that it leads to
    Show {
        /// The menu's id
        menu: String,
        /// Write a drawing into this file instead
        #[arg(long, value_name = "FILE")]
        svg: Option<PathBuf>,
    },
    /// Name what is wrong with the menus in the database, each with the path on which a caller meets it
    ///
    /// Exits with 1 when something is. A file of menus is checked when it is imported; this finds what was changed since.
    Check {
        /// Those of this account only
        #[arg(long, value_name = "ID")]
        account: Option<String>,
    },
    /// Put a sound file in the place of what a prompt says, on every node
    ///
    /// It is kept as what is recorded by phone is, which takes its place in turn. WAV: where sox is installed, of any rate and number of channels. Run it as
    /// the agent's user where audio is kept in a directory.
    Prompt {
        /// The prompt's id
        prompt: String,
        /// The file
        #[arg(required_unless_present = "erase", conflicts_with = "erase")]
        file: Option<PathBuf>,
        /// Erase what was recorded: the prompt's sound or text holds again
        #[arg(long)]
        erase: bool,
    },
    /// Give an account a new password for recording its prompts by phone
    ///
    /// A password is made up and printed, unless one is handed over.
    Password {
        /// The account's id
        account: String,
        /// Read the password from standard input, a line
        #[arg(long)]
        stdin: bool,
    },
}
