//! What is typed about calls that go on.

use clap::{Args, Subcommand};
use uuid::Uuid;

/// `tandem calls`
#[derive(Debug, Args)]
pub struct Calls {
    /// Those of this node only
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
    /// Those of this line only
    #[arg(long, value_name = "ID")]
    pub line: Option<String>,
    /// Those of this account only
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// Those of this gateway only
    #[arg(long, value_name = "ID")]
    pub gateway: Option<String>,
    /// For programs: one JSON array; with --follow one object a line
    #[arg(long)]
    pub json: bool,
    /// Go on with what changes, second by second: + is new, ~ is so now, - has ended
    #[arg(long)]
    pub follow: bool,
}

/// `tandem call`
#[derive(Debug, Args)]
pub struct Call {
    /// The line whose phone rings
    pub from: String,
    /// What is called, as it would be dialled there
    pub to: String,
    /// The node that does it; this one by default
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
}

/// `tandem listen`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Listen {
    /// `list`, `stop`
    #[command(subcommand)]
    pub command: Option<ListenCommand>,
    /// The call: the id that `tandem calls` shows in brackets
    #[arg(required_unless_present = "of")]
    pub call: Option<String>,
    /// The call of this line instead
    #[arg(long, value_name = "LINE", conflicts_with = "call")]
    pub of: Option<String>,
    /// The line whose phone listens
    #[arg(long, value_name = "LINE", required = true)]
    pub line: Option<String>,
    /// It is heard by the side that is listened to
    #[arg(long, conflicts_with = "barge")]
    pub whisper: bool,
    /// It is heard by both sides
    #[arg(long)]
    pub barge: bool,
    /// The node of the call; by default it is looked for
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
}

/// `tandem listen`
#[derive(Debug, Subcommand)]
pub enum ListenCommand {
    /// List who listens, on all nodes
    List,
    /// End a listening
    Stop {
        /// Its id, as `list` tells it
        id: Uuid,
    },
}
