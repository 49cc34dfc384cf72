//! The command line: what an operator types, and what it answers.

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use uuid::Uuid;

use crate::admin::{
    audit, calls, check, explain, fallback, import, intercept, listen, mailbox, menu, record, recordings, records,
    simulate, token,
};
use crate::config::{Config, ConfigError};
use crate::service;
use crate::store::audit::Head;
use crate::store::token::Role;

/// The agent that makes an Asterisk node stateless: it decides each call by asking the central database.
///
/// Every command reads the same configuration: defaults that run on one node with SQLite, then the TOML file, then
/// TANDEM__SECTION__KEY from the environment (TANDEM__DATABASE__URLS=mysql://tandem@db1/tandem).
#[derive(Debug, Parser)]
#[command(name = "tandem", version, max_term_width = 100)]
pub struct Arguments {
    /// Configuration file; without it, defaults and the environment alone
    #[arg(short, long, global = true, value_name = "FILE", env = "TANDEM_CONFIG")]
    pub config: Option<PathBuf>,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve calls until stopped
    ///
    /// SIGTERM or SIGINT stops softly: running conversations may finish within agi.drain_seconds, and calls are served until
    /// then; a second signal stops at once. A listener handed over by the service manager (LISTEN_FDS) is used instead of
    /// agi.listen, so that calls wait in it while the agent restarts. With SQLite the schema is kept up to date by itself.
    Serve,
    /// Say everything that is wrong with configuration, database and Asterisk, and how to mend it
    ///
    /// Exits with 0 when nothing is wrong, with 1 otherwise.
    Check,
    /// Bring the database's schema up to date
    ///
    /// Harmless when it already is. Run it once for the cluster, before the agents of a new version start.
    Migrate,
    /// Take a CSV file into the database: all of it, or nothing
    ///
    /// The first row names the columns, in any order. Importing a file again is harmless: rows are updated by their ids. A bad
    /// row is reported with its line and the reason, and then nothing of the file is taken. Rates become a new version of
    /// their deck, which comes into force as a whole at its time.
    #[command(after_long_help = import::columns())]
    Import(Import),
    /// Show what would happen to a call, step by step, with every gateway considered
    Explain(Explain),
    /// Show the calls that go on, on all nodes, a second or two old
    ///
    /// One line for each leg: who calls, and who is called. A call of two lines has two.
    Calls(Calls),
    /// Ring a line's phone, which calls when it is answered
    ///
    /// It is asked of the agent of this node, with a token of the role operator in TANDEM_TOKEN.
    Call(Call),
    /// Listen to a call: a line's phone rings, and listens when it is answered
    ///
    /// While it listens, its key 4 has it heard by nobody, 5 by the side that is listened to, 6 by both; * ends it. It is asked of the agent of this
    /// node, with a token of the role supervisor in TANDEM_TOKEN; `tandem listen list` tells who listens, `tandem listen stop ID` ends it.
    Listen(Listen),
    /// Converse with a flow in the terminal, without a telephone
    Simulate(Simulate),
    /// Write what the dialplan alone knows of emergency calls, when the agent is dead, and have Asterisk read it
    ///
    /// The file is tandem-fallback.conf beside tandem.conf, which includes it. The agent itself does so whenever the data change, if
    /// emergency.fallback_file names it.
    Fallback(Fallback),
    /// Show mailboxes, and see to them for their owners
    #[command(subcommand)]
    Mailbox(MailboxCommand),
    /// Show menus, and what is wrong with them
    #[command(subcommand)]
    Menu(MenuCommand),
    /// Have calls recorded, and end it
    ///
    /// An order holds on every node within a second, for calls that begin after it.
    #[command(subcommand)]
    Record(RecordCommand),
    /// List recordings of calls, fetch and delete them
    #[command(subcommand)]
    Recordings(RecordingsCommand),
    /// Show how call records fare on their way to the database, and mend what went wrong
    #[command(subcommand)]
    Records(Records),
    /// Give persons the right to ask the agents, and take it back
    #[command(subcommand)]
    Token(TokenCommand),
    /// Tell whether the audit log is whole, and what is in it
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Intercept a line under warrant, by two persons
    ///
    /// It is asked of the agent of this node, with a token of the role intercept in TANDEM_TOKEN.
    #[command(subcommand)]
    Intercept(InterceptCommand),
}

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

/// `tandem import`
#[derive(Debug, Args)]
pub struct Import {
    /// What the file holds: rates, menus, facilities (the FCC's PSAP registry), or one of the kinds below
    #[arg(value_parser = import::parse_kind)]
    pub kind: import::Imports,
    /// The CSV file (for menus TOML), or - for standard input; for mailboxes also Asterisk's voicemail.conf, with --account
    pub file: PathBuf,
    /// For mailboxes of voicemail.conf: the account that they become mailboxes of
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// For mailboxes of voicemail.conf: the context that is read
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub context: String,
    /// For mailboxes of voicemail.conf: also messages and greetings, of app_voicemail's spool folder of the context
    #[arg(long, value_name = "FOLDER", requires = "account")]
    pub messages: Option<PathBuf>,
    /// For rates: the deck, which is made when there is none of this id
    #[arg(long, value_name = "ID", required_if_eq("kind", "rates"))]
    pub deck: Option<String>,
    /// For rates: the deck's currency, USD for a new one
    #[arg(long, value_name = "CODE")]
    pub currency: Option<String>,
    /// For facilities: psap_id,lat,lon, CSV; without it the places stay that are known
    #[arg(long, value_name = "FILE")]
    pub points: Option<PathBuf>,
    /// For facilities: psap_id,number, CSV; without it the numbers stay that are known
    #[arg(long, value_name = "FILE")]
    pub numbers: Option<PathBuf>,
    /// For facilities: counties, GeoJSON of the Census (GEOID, NAME, LSAD); without it they stay
    #[arg(long, value_name = "FILE")]
    pub counties: Option<PathBuf>,
    /// For facilities: service areas, GeoJSON with the property psap_id; without it they stay
    #[arg(long, value_name = "FILE")]
    pub areas: Option<PathBuf>,
    /// For rates: when the deck comes into force, RFC 3339 or YYYY-MM-DD (UTC); now by default
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub effective: Option<DateTime<Utc>>,
}

/// `tandem explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// Who calls: the id of a line, gateway:ID for an inbound call, or transfer:ID for somebody whom a line hands on
    pub from: String,
    /// What is dialled: an extension, a number in any of the line's ways of dialling, 911
    pub to: String,
    /// Caller number that the phone or carrier presents
    #[arg(long, default_value = "", value_name = "NUMBER")]
    pub caller: String,
    /// Which of the line's devices, where they have locations of their own
    #[arg(long, default_value = "", value_name = "ID")]
    pub device: String,
    /// The time whose rates hold, RFC 3339 or YYYY-MM-DD (UTC); now by default
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub at: Option<DateTime<Utc>>,
    /// For programs: one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `tandem fallback`
#[derive(Debug, Args)]
pub struct Fallback {
    /// The file; emergency.fallback_file by default
    pub file: Option<PathBuf>,
    /// Do not have Asterisk read it
    #[arg(long)]
    pub no_reload: bool,
}

/// `tandem simulate`
#[derive(Debug, Args)]
pub struct Simulate {
    /// The flow: route, linetest, location, voicemail, mailbox, menu
    pub flow: String,
    /// Its arguments as in AGI(agi://host/FLOW/ARGUMENTS): for route "line 1001" or "gateway gw-a", for voicemail "1001 unavailable", for mailbox
    /// "line 1001 own", for menu "main"
    pub arguments: Vec<String>,
    /// What was dialled
    #[arg(long, default_value = "", value_name = "NUMBER")]
    pub dialled: String,
    /// The caller's number
    #[arg(long, default_value = "", value_name = "NUMBER")]
    pub caller: String,
}

/// RFC 3339, or a day, which starts at midnight UTC.
fn parse_time(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .ok()
        .or_else(|| Some(text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?.and_utc()))
        .ok_or_else(|| format!("{text:?} is neither a time such as 2027-01-31T18:00:00Z nor a day such as 2027-01-31"))
}

/// Runs a command; its failure is told on standard error.
pub async fn run(arguments: Arguments) -> ExitCode {
    let config = match Config::load(arguments.config.as_deref()) {
        Ok(config) => config,
        Err(error @ ConfigError(_)) => return failed(error),
    };
    match arguments.command {
        Command::Serve => ended(service::serve(config).await),
        Command::Check => check::run(&config).await,
        Command::Migrate => ended(service::migrate(&config).await),
        Command::Import(import) => ended(import::run(&config, &import).await),
        Command::Calls(wanted) => ended(calls::run(&config, &wanted).await),
        Command::Call(call) => ended(listen::call(&config, &call).await),
        Command::Listen(wanted) => ended(listen::run(&config, &wanted).await),
        Command::Explain(call) => ended(explain::run(&config, &call).await),
        Command::Fallback(command) => ended(fallback::run(&config, &command).await),
        Command::Mailbox(command) => ended(mailbox::run(&config, &command).await),
        Command::Menu(command) => ended(menu::run(&config, &command).await),
        Command::Record(command) => ended(record::run(&config, &command).await),
        Command::Recordings(command) => ended(recordings::run(&config, &command).await),
        Command::Records(command) => records::run(&config, &command).await,
        Command::Token(command) => ended(token::run(&config, &command).await),
        Command::Audit(command) => audit::run(&config, &command).await,
        Command::Intercept(command) => ended(intercept::run(&config, command).await),
        Command::Simulate(simulation) => ended(simulate::run(&config, simulation).await),
    }
}

fn ended<E: std::fmt::Display>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error),
    }
}

/// Says on standard error why nothing came of it.
#[allow(clippy::print_stderr, reason = "the command line's own voice")]
pub fn failed(error: impl std::fmt::Display) -> ExitCode {
    eprintln!("tandem: {error}");
    ExitCode::FAILURE
}
