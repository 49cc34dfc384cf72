//! The command line: what an operator types, and what it answers.

mod calls;
mod mailbox;
mod menu;
mod people;
mod recording;
mod records;

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, Parser, Subcommand};

pub use self::calls::{Call, Calls, Listen, ListenCommand};
pub use self::mailbox::MailboxCommand;
pub use self::menu::MenuCommand;
pub use self::people::{AuditCommand, InterceptCommand, TokenCommand};
pub use self::recording::{RecordCommand, Recorded, RecordingsCommand};
pub use self::records::{Cargo, Records};

use crate::admin;
use crate::config::{Config, ConfigError};
use crate::service;

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
    #[command(after_long_help = admin::import::columns())]
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

/// `tandem import`
#[derive(Debug, Args)]
pub struct Import {
    /// What the file holds: rates, menus, facilities (the FCC's PSAP registry), or one of the kinds below
    #[arg(value_parser = admin::import::parse_kind)]
    pub kind: admin::import::Imports,
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
        Command::Check => admin::check::run(&config).await,
        Command::Migrate => ended(service::migrate(&config).await),
        Command::Import(import) => ended(admin::import::run(&config, &import).await),
        Command::Calls(wanted) => ended(admin::calls::run(&config, &wanted).await),
        Command::Call(call) => ended(admin::listen::call(&config, &call).await),
        Command::Listen(wanted) => ended(admin::listen::run(&config, &wanted).await),
        Command::Explain(call) => ended(admin::explain::run(&config, &call).await),
        Command::Fallback(command) => ended(admin::fallback::run(&config, &command).await),
        Command::Mailbox(command) => ended(admin::mailbox::run(&config, &command).await),
        Command::Menu(command) => ended(admin::menu::run(&config, &command).await),
        Command::Record(command) => ended(admin::record::run(&config, &command).await),
        Command::Recordings(command) => ended(admin::recordings::run(&config, &command).await),
        Command::Records(command) => admin::records::run(&config, &command).await,
        Command::Token(command) => ended(admin::token::run(&config, &command).await),
        Command::Audit(command) => admin::audit::run(&config, &command).await,
        Command::Intercept(command) => ended(admin::intercept::run(&config, command).await),
        Command::Simulate(simulation) => ended(admin::simulate::run(&config, simulation).await),
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
