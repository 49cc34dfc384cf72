//! Configuration: one struct per section, defaults (`defaults`) that run on one node with SQLite, and
//! [`Config::validate`], which reports every fault at once.
//!
//! Layers, later wins: the defaults below, a TOML file, `TANDEM__SECTION__KEY` in the environment.

mod defaults;
mod validate;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Everything that an operator may set.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Who this node is.
    pub node: Node,
    /// The FastAGI listener.
    pub agi: Agi,
    /// Asterisk's REST interface, by which calls come too.
    pub ari: Ari,
    /// Where the central data is.
    pub database: Database,
    /// What of it is kept on the node.
    pub replica: Replica,
    /// How calls are decided.
    pub route: Route,
    /// Emergency numbers and the way out for them.
    pub emergency: Emergency,
    /// How notices of emergency calls are sent.
    pub notices: Notices,
    /// Where audio is on the node.
    pub media: Media,
    /// Messages of mailboxes, and their audio.
    pub voicemail: Voicemail,
    /// Recordings of calls on their way to the central store.
    pub recordings: Recordings,
    /// Call records on their way to the database.
    pub records: Records,
    /// The Asterisk of this node, for `tandem check`.
    pub asterisk: Asterisk,
    /// `/live`, `/ready`, `/metrics`.
    pub http: Http,
    /// What is logged, and how.
    pub log: Log,
}

/// `[node]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    /// Name of this node in records, logs and metrics.
    pub name: String,
}

/// `[agi]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Agi {
    /// Address of the listener, unless the service manager hands one over.
    pub listen: SocketAddr,
    /// Connections that the kernel holds while none is accepted.
    pub backlog: u32,
    /// Sessions at once; one more is closed and counted, and the dialplan's fallback runs.
    pub sessions: usize,
    /// Addresses that may connect.
    pub peers: Vec<IpAddr>,
    /// Milliseconds for the whole prelude (the `agi_*` lines).
    pub prelude_ms: u64,
    /// Bytes of the whole prelude.
    pub prelude_bytes: usize,
    /// Milliseconds for the reply to a command that plays nothing.
    pub reply_ms: u64,
    /// Seconds that running sessions have to finish after a stop was asked for.
    pub drain_seconds: u64,
}

/// `[ari]`
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Ari {
    /// Address of Asterisk's REST interface (`http.conf`), `http://127.0.0.1:8088/ari`.
    pub url: String,
    /// The agent's name there (`ari.conf`).
    pub user: String,
    /// Its password; when empty, no calls come by ARI.
    pub password: String,
    /// Name of the Stasis app; two agents of one Asterisk need two.
    pub app: String,
    /// Where Asterisk connects to, instead of the agent to Asterisk (`websocket_client.conf`).
    pub listen: Option<SocketAddr>,
    /// Asterisk's recording folder, `<astspooldir>/recording`: ARI records in no other, so `media.recordings` has to be within.
    pub recordings: PathBuf,
    /// Sessions at once; one more goes on in the dialplan, and is counted.
    pub sessions: usize,
    /// Milliseconds for one request.
    pub request_ms: u64,
    /// Seconds after which a caller whose agent is gone goes on in the dialplan.
    pub orphan_seconds: u64,
    /// Whether the calls that go on are followed, for limits over all nodes and for `tandem calls`.
    pub live_calls: bool,
}

/// Without its secret.
impl std::fmt::Debug for Ari {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Ari {{ url: {:?}, user: {:?}, app: {:?}, listen: {:?} }}",
            self.url, self.user, self.app, self.listen
        )
    }
}

/// `[database]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Database {
    /// `sqlite:`, `mysql:` (MariaDB too) or `postgres:` addresses of one database, in order of preference.
    pub urls: Vec<String>,
    /// Connections kept at the most.
    pub connections: usize,
    /// Milliseconds that one question may take, on the server's side and ours.
    pub question_ms: u64,
    /// Milliseconds that connecting to one host may take.
    pub connect_ms: u64,
    /// Milliseconds between two looks at whether each host is well.
    pub probe_ms: u64,
}

/// `[replica]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Replica {
    /// Folder of the SQLite file that answers calls when the database does not.
    pub folder: PathBuf,
    /// Milliseconds between two looks for what changed.
    pub poll_ms: u64,
}

/// `[route]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Route {
    /// Milliseconds for a whole decision; stay below the dialplan's guard (800).
    pub decision_ms: u64,
    /// How a line is reached: `{line}` is its id.
    pub line_dial: String,
    /// How a gateway is reached: `{number}` and `{gateway}` (its PJSIP endpoint).
    pub gateway_dial: String,
    /// Routes handed to the dialplan at the most.
    pub attempts: usize,
    /// How often a call may be forwarded.
    pub forwards: u32,
    /// Length of call, in seconds, for which gateways are compared by cost.
    pub expected_seconds: u32,
}

/// `[emergency]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Emergency {
    /// Numbers that are emergency calls, as dialled.
    pub numbers: Vec<String>,
    /// Prefixes for an outside line after which they are emergency calls too (47 CFR 9.16).
    pub prefixes: Vec<String>,
    /// Numbers that read the caller's registered location back.
    pub test_numbers: Vec<String>,
    /// PJSIP endpoints that carry them, in order; when empty, the dialplan's own list is used alone.
    pub gateways: Vec<String>,
    /// Those of them that are sent the facility's own number, where it is known; the others the number as dialled.
    pub facility_gateways: Vec<String>,
    /// Seconds that each of them may ring.
    pub ring_seconds: u32,
    /// Minutes for which calls to the number of an emergency call ring the line that called, whatever else holds.
    pub callback_minutes: u32,
    /// The file to which the dialplan appends emergency calls, for the notices: TANDEM_NOTICES in tandem-site.conf.
    pub file: PathBuf,
    /// Folder in which notices wait, on the same file system as the file.
    pub spool: PathBuf,
    /// Number shown by the dialplan alone, when the agent is dead and the line has none of its own; see `tandem fallback`.
    pub fallback_caller: String,
    /// The file that `tandem fallback` writes, beside tandem.conf; when empty, the agent itself writes none.
    pub fallback_file: PathBuf,
    /// `/emergency` of the other nodes' agents, `http://node2:4580`: they protect the call back, too, at once and without the database.
    pub peers: Vec<String>,
    /// A word that agents tell each other; without one, nothing is taken from others.
    pub peer_token: String,
}

/// `[notices]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Notices {
    /// `smtp://[user:password@]host[:port]`, `smtps://...`; `?tls=required` for STARTTLS. When empty, no mail is sent.
    pub smtp: String,
    /// Sender of mails.
    pub from: String,
    /// Told of every emergency call, whoever's, besides the account's contacts: `mail:noc@example.com`, `webhook:https://...`, `call:1001`.
    pub contacts: Vec<String>,
    /// Seconds for one delivery.
    pub try_seconds: u64,
    /// Seconds that a notice may wait before it is an alarm.
    pub alarm_seconds: u32,
}

/// `[media]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Media {
    /// Folder for recordings in progress, which Asterisk and the agent may both write.
    pub recordings: PathBuf,
    /// Whether addresses are spoken, where espeak-ng and sox are installed; else they are spelled.
    pub speech: bool,
}

/// `[voicemail]`
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Voicemail {
    /// Folder in which messages wait for the central store, and mails for the mail server.
    pub spool: PathBuf,
    /// Folder for audio that was fetched from there, which Asterisk may read; it may be removed at any time.
    pub cache: PathBuf,
    /// MiB that the cache may have.
    pub cache_mib: u32,
    /// Where new audio goes: `database`, `directory` or `s3`.
    pub store: String,
    /// A directory that all nodes share.
    pub directory: PathBuf,
    /// An S3 bucket.
    pub s3_bucket: String,
    /// Its region.
    pub s3_region: String,
    /// `https://s3.example.com`; empty for Amazon's own.
    pub s3_endpoint: String,
    /// Access key.
    pub s3_key: String,
    /// Secret access key.
    pub s3_secret: String,
    /// Whether audio is kept as GSM 6.10, a tenth of its size, where sox is installed.
    pub compact: bool,
    /// Milliseconds of sound that a message has at the least; with less it is silence, and not kept. 0 keeps every message.
    pub least_sound_ms: u64,
    /// Digits of a password at the least.
    pub password_digits: usize,
    /// Wrong passwords in a row, over all calls and nodes, after which a mailbox is locked.
    pub lockout_guesses: u32,
    /// Minutes for which it is locked, and twice as long with each further one.
    pub lockout_minutes: u32,
    /// Milliseconds of pause after a wrong password, doubled by each further one.
    pub guess_delay_ms: u64,
    /// For phones behind an edge: where a line is sent how many messages it has, `sip:{line}@edge.example.com`. When empty, Asterisk tells the
    /// phones that register here.
    pub lamp_uri: String,
    /// Seconds that messages, and mails about them, may wait before it is an alarm.
    pub alarm_seconds: u32,
    /// Seconds between two times of deleting what was kept long enough; one node does it for all.
    pub upkeep_seconds: u64,
}

/// Without its secret.
impl std::fmt::Debug for Voicemail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Voicemail {{ spool: {:?}, cache: {:?}, store: {:?} }}", self.spool, self.cache, self.store)
    }
}

/// `[recordings]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Recordings {
    /// Folder in which recordings wait for the central store. Where their audio goes there, `voicemail.store` says.
    pub spool: PathBuf,
    /// Whether stereo is kept as mu-law, half of its size, and mixed as GSM 6.10, a tenth, where sox is installed.
    pub compact: bool,
    /// Seconds that recordings may wait before it is an alarm.
    pub alarm_seconds: u32,
    /// Seconds between two times of deleting what was kept long enough; one node does it for all.
    pub upkeep_seconds: u64,
}

/// `[records]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Records {
    /// The file that Asterisk appends finished calls to: `<astlogdir>/cdr-custom/tandem.csv`, the dialplan's TANDEM_RECORDS.
    pub file: PathBuf,
    /// Folder in which they wait, on the same file system as the file.
    pub spool: PathBuf,
    /// Rows sent at once at the most.
    pub batch_rows: usize,
    /// Milliseconds that a finished call waits for others to be sent with.
    pub batch_ms: u64,
    /// Rows sent a second at the most, so that a backlog leaves the database to the calls.
    pub rows_per_second: u32,
    /// Seconds that the database may take for a batch.
    pub write_seconds: u64,
    /// Seconds that rows may wait before it is an alarm.
    pub alarm_seconds: u32,
    /// Hours that sent rows are kept on the node for `tandem records verify`.
    pub keep_hours: u32,
    /// MiB of the spool's disk that are held back, and given up when it is full: Asterisk loses records that it cannot write.
    pub reserve_mib: u32,
}

/// `[asterisk]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Asterisk {
    /// Program and arguments to which `-rx COMMAND` is added to ask Asterisk something.
    pub command: Vec<String>,
    /// Address of its manager interface (`manager.conf`), by which lamps are told and calls recorded.
    pub manager: SocketAddr,
    /// The agent's name there.
    pub manager_user: String,
    /// Its password; when empty, no lamp is told, and no call recorded.
    pub manager_secret: String,
}

/// `[http]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Http {
    /// Address of the listener.
    pub listen: SocketAddr,
}

/// `[log]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Log {
    /// A `tracing` filter: `info`, `tandem=debug,info`.
    pub filter: String,
    /// `text` or `json`.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs, one object a line.
    Json,
}

impl TryFrom<String> for LogFormat {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        match word.as_str() {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err(format!("{word:?} is neither text nor json")),
        }
    }
}

impl Ari {
    /// Whether calls come by ARI at all.
    #[must_use]
    pub fn is_used(&self) -> bool {
        !self.password.is_empty()
    }
}

impl Database {
    /// Whether the database is a file of this node alone, which the agent looks after by itself.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.urls.iter().all(|url| validate::scheme(url) == "sqlite")
    }
}

/// Configuration that cannot be used: every fault at once, each naming its key and the mend.
#[derive(Debug, thiserror::Error)]
#[error("configuration: {}", .0.join("\nconfiguration: "))]
pub struct ConfigError(pub Vec<String>);

impl From<config::ConfigError> for ConfigError {
    fn from(error: config::ConfigError) -> Self {
        ConfigError(vec![error.to_string()])
    }
}

impl Config {
    /// Reads the layers: defaults, `file` if given, then `TANDEM__SECTION__KEY` from the environment.
    ///
    /// # Errors
    /// Unknown keys, values of the wrong kind, and everything [`Config::validate`] finds.
    pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
        Config::from_layers(file, None)
    }

    /// As [`Config::load`], with `environment` in place of the process's own.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_layers(
        file: Option<&Path>,
        environment: Option<std::collections::HashMap<String, String>>,
    ) -> Result<Config, ConfigError> {
        let mut layers = config::Config::builder();
        if let Some(file) = file {
            layers = layers.add_source(config::File::from(PathBuf::from(file)).format(config::FileFormat::Toml));
        }
        let environment = config::Environment::with_prefix("TANDEM")
            .prefix_separator("__")
            .separator("__")
            .list_separator(",")
            .with_list_parse_key("agi.peers")
            .with_list_parse_key("asterisk.command")
            .with_list_parse_key("database.urls")
            .with_list_parse_key("emergency.numbers")
            .with_list_parse_key("emergency.prefixes")
            .with_list_parse_key("emergency.test_numbers")
            .with_list_parse_key("emergency.facility_gateways")
            .with_list_parse_key("emergency.peers")
            .with_list_parse_key("notices.contacts")
            .with_list_parse_key("emergency.gateways")
            .try_parsing(true)
            .source(environment);
        let layers = layers.add_source(environment).build()?;

        let mut unknown = BTreeSet::new();
        let config: Config = serde_ignored::deserialize(layers, |key| {
            unknown.insert(key.to_string());
        })?;
        let mut faults: Vec<String> =
            unknown.iter().map(|key| format!("{key}: no such key; see the table in README.md")).collect();
        faults.extend(config.validate());
        if faults.is_empty() { Ok(config) } else { Err(ConfigError(faults)) }
    }

    /// The deadline of a whole decision.
    #[must_use]
    pub fn decision_deadline(&self) -> Duration {
        Duration::from_millis(self.route.decision_ms)
    }
}
