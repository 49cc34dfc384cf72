//! `tandem check`: everything that is wrong with configuration, database and Asterisk, and how to mend it.

use std::fmt;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use chrono::Utc;
use tokio::time::timeout;

use super::{check_ari, check_voicemail, status};
use crate::buffer::spool::Spool;
use crate::config::Config;
use crate::console::Console;
use crate::emergency::atlas::Atlas;
use crate::service;
use crate::store::StoreError;
use crate::store::emergencies::LACKS;
use crate::store::host::Health;
use crate::store::schema::SchemaState;

/// Patience with Asterisk and the database; an operator waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// Dialplan contexts of `dialplan/asterisk/tandem.conf` without which calls do not reach the agent.
const CONTEXTS: &[&str] = &[
    "tandem-from-edge",
    "tandem-from-gateway",
    "tandem-from-line",
    "tandem-act",
    "tandem-emergency",
    "tandem-lamps",
    "tandem-notice",
    "tandem-fallback",
];

/// Modules of Asterisk that the dialplan needs.
const MODULES: &[&str] = &[
    "res_agi.so",
    "app_dial.so",
    "chan_pjsip.so",
    "pbx_config.so",
    "cdr_custom.so",
    "func_env.so",
    "func_groupcount.so",
    "func_callerid.so",
    "func_channel.so",
    "app_minivm.so",
    "res_pjsip_mwi.so",
    "res_pjsip_refer.so",
    "bridge_builtin_features.so",
    "bridge_holding.so",
    "res_parking.so",
    "app_directed_pickup.so",
    "format_wav_gsm.so",
    "res_geolocation.so",
    "res_pjsip_geolocation.so",
];

/// Lines that are named of those that lack something.
const LISTED: usize = 10;

/// What was found about one thing.
#[derive(Debug)]
pub enum Finding {
    /// It is as it should be.
    Good(String),
    /// Calls go, but somebody should look; and at what.
    Doubtful(String, String),
    /// It is wrong; how to mend it.
    Wrong(String, String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Good(what) => write!(f, "ok     {what}"),
            Finding::Doubtful(what, mend) => write!(f, "LOOK   {what}\n       -> {mend}"),
            Finding::Wrong(what, mend) => write!(f, "WRONG  {what}\n       -> {mend}"),
        }
    }
}

/// Prints every finding; fails when one is wrong.
pub async fn run(config: &Config) -> ExitCode {
    let mut findings = vec![Finding::Good("configuration: every key is known and every value can be used".into())];
    let (database, asterisk, running) = tokio::join!(database(config), asterisk(config), running(config));
    findings.extend(database);
    findings.extend(asterisk);
    findings.extend(records(config));
    findings.extend(emergency(config).await);
    findings.extend(check_voicemail::findings(config).await);
    findings.extend(check_ari::findings(config).await);
    findings.extend(running);
    if config.emergency.gateways.is_empty() {
        findings.push(Finding::Wrong(
            "emergency.gateways: is empty; 911 goes out on the dialplan's own list alone".into(),
            "name the PJSIP endpoints that carry emergency calls, in order".into(),
        ));
    }
    if !config.emergency.facility_gateways.iter().all(|gateway| config.emergency.gateways.contains(gateway)) {
        findings.push(Finding::Wrong(
            "emergency.facility_gateways: names one that emergency.gateways does not".into(),
            "name it there, too".into(),
        ));
    }
    let wrong = findings.iter().any(|finding| matches!(finding, Finding::Wrong(..)));
    let text: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) if !wrong => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

async fn database(config: &Config) -> Vec<Finding> {
    let store = match service::store(config) {
        Ok(store) => store,
        Err(error) => return vec![Finding::Wrong(format!("database.urls: {error}"), "mend the URL".into())],
    };
    let mut findings = Vec::new();
    let mend = if config.database.is_embedded() {
        "make the file by `tandem migrate`, or mend database.urls or who may read it"
    } else {
        "calls use the other hosts, if any; start it, or mend database.urls"
    };
    for host in store.look_at_hosts().await {
        findings.push(match host.health {
            Health::Up | Health::Unknown => Finding::Good(format!("database {}: is ready", host.name)),
            Health::Down(fault) => Finding::Wrong(
                // The fault names its host.
                format!("database {fault}"),
                mend.into(),
            ),
        });
    }
    let schema = match timeout(PATIENCE, store.schema_state()).await {
        Ok(Ok(SchemaState::Current)) => Finding::Good("schema: is up to date".into()),
        Ok(Ok(SchemaState::Behind { applied, known })) => {
            Finding::Wrong(format!("schema: has {applied} of {known} migrations"), "run `tandem migrate`".into())
        }
        Ok(Ok(SchemaState::Foreign)) => Finding::Wrong(
            "schema: is of a newer version than this agent, or was changed by hand".into(),
            "update the agent on this node, or restore the schema".into(),
        ),
        Ok(Err(error)) => Finding::Wrong(format!("schema: cannot be read: {error}"), "see the database above".into()),
        Err(_) => Finding::Wrong("schema: no answer within 5 s".into(), "see the database above".into()),
    };
    findings.push(schema);
    findings
}

/// What the agent that serves here has to tell: its alarms.
async fn running(config: &Config) -> Vec<Finding> {
    match status::ask(config.http.listen).await {
        Ok(status) if status.alarms.is_empty() => vec![Finding::Good("agent: serves, and has no alarm".into())],
        Ok(status) => {
            let wrong = |alarm: crate::alarm::Alarm| {
                Finding::Wrong(
                    format!("{}: {}", alarm.name, alarm.text),
                    format!("an alarm of the agent since {}", alarm.since.format("%F %T")),
                )
            };
            status.alarms.into_iter().map(wrong).collect()
        }
        // It may be looked at before it is started.
        Err(error) => vec![Finding::Good(format!("agent: is not asked for its alarms: {error}"))],
    }
}

/// Whether finished calls can be taken into the spool: it has to be on the file system of the record file.
fn records(config: &Config) -> Vec<Finding> {
    let (file, spool) = (&config.records.file, &config.records.spool);
    // The agent makes the spool when it starts.
    let kept = if spool.exists() { spool.as_path() } else { spool.parent().unwrap_or(spool) };
    let written = file.parent().unwrap_or(file);
    let device = |key: &str, folder: &Path| match std::fs::metadata(folder) {
        Ok(metadata) => Ok(metadata.dev()),
        Err(error) => Err(Finding::Wrong(
            format!("{key}: {} cannot be read: {error}", folder.display()),
            format!("make the folder for Asterisk and the agent (systemd/tandem.tmpfiles), or mend {key}"),
        )),
    };
    match (device("records.file", written), device("records.spool", kept)) {
        (Ok(written), Ok(kept)) if written == kept => {}
        (Ok(_), Ok(_)) => {
            return vec![Finding::Wrong(
                "records.spool: is on another file system than records.file, so that no file can be moved there".into(),
                "use a folder beside records.file".into(),
            )];
        }
        (written, kept) => return [written.err(), kept.err()].into_iter().flatten().collect(),
    }
    match Spool::new(spool).count_set_aside() {
        Ok(count) if count > 0 => vec![Finding::Wrong(
            format!("records: {count} rows are in quarantine"),
            "see `tandem records status`; when the cause is mended, `tandem records retry`".into(),
        )],
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => vec![Finding::Wrong(
            format!("records: the quarantine cannot be read: {error}"),
            "run this as the agent's user or root".into(),
        )],
        _ => vec![Finding::Good(format!("records: {} is taken into {}", file.display(), spool.display()))],
    }
}

/// What the data of emergency calls lack, before anybody calls.
async fn emergency(config: &Config) -> Vec<Finding> {
    let Ok(store) = service::store(config) else { return Vec::new() };
    store.open_replica().await;
    let read = async {
        let gaps = store.emergency_gaps(Utc::now()).await?;
        Ok::<_, StoreError>((gaps, store.gazetteer().await?, store.emergency_contact_kinds().await?))
    };
    let (gaps, gazetteer, kinds) = match timeout(PATIENCE * 6, read).await {
        Ok(Ok(read)) => read,
        // What is said of the database above says why.
        Ok(Err(_)) | Err(_) => return Vec::new(),
    };
    let mut findings = Vec::new();
    for what in LACKS {
        let lines: Vec<&str> =
            gaps.iter().filter(|gap| gap.lacks.contains(&what)).map(|gap| gap.who.as_str()).collect();
        if let Some(first) = lines.get(..lines.len().min(LISTED)).filter(|first| !first.is_empty()) {
            let more = if lines.len() > LISTED { ", ..." } else { "" };
            findings.push(Finding::Doubtful(
                format!("emergency: {} lines or devices have no {what}: {}{more}", lines.len(), first.join(", ")),
                "tell where they are, by `tandem import locations`; their emergency calls go out all the same".into(),
            ));
        }
    }
    let (atlas, doubts) = Atlas::new(gazetteer);
    let mend = "tandem import facilities, with --points, --numbers, --counties and --areas".to_owned();
    if atlas.is_empty() {
        findings.push(Finding::Doubtful("emergency: no facility is known; the carriers find one".into(), mend));
    } else {
        findings.push(Finding::Good(format!("emergency: {} facilities are known", atlas.len())));
        let unplaced = doubts.unplaced.len();
        if unplaced > 0 {
            let text = format!("emergency: {unplaced} facilities can never be chosen; importing them tells which");
            findings.push(Finding::Doubtful(text, mend));
        }
    }
    if config.notices.smtp.is_empty() && kinds.iter().any(|kind| kind == "mail") {
        findings.push(Finding::Wrong(
            "notices.smtp: is empty, and there are contacts who are told of emergency calls by mail".into(),
            "name the mail server, smtp://host:25".into(),
        ));
    }
    findings
}

async fn asterisk(config: &Config) -> Vec<Finding> {
    let version = match ask(config, "core show version").await {
        Ok(version) => version,
        Err(fault) => {
            let mend = "start Asterisk, run this as a user who may ask it, or mend asterisk.command";
            return vec![Finding::Wrong(format!("asterisk: {fault}"), mend.into())];
        }
    };
    let mut findings = vec![match major(&version) {
        Some(major) if major < 18 => {
            Finding::Wrong(format!("asterisk: version {major} is too old"), "update it to 18 or later".into())
        }
        Some(_) | None => Finding::Good(format!("asterisk: {}", version.lines().next().unwrap_or_default())),
    }];
    for context in CONTEXTS {
        match ask(config, &format!("dialplan show {context}")).await {
            Ok(answer) if answer.contains(&format!("'{context}'")) && !answer.contains("There is no existence") => {
                findings.push(Finding::Good(format!("asterisk: context {context} is there")));
            }
            _ => findings.push(Finding::Wrong(
                format!("asterisk: context {context} is missing"),
                "#include \"tandem.conf\" in extensions.conf, then `asterisk -rx 'dialplan reload'`".into(),
            )),
        }
    }
    findings.extend(record_files(config).await);
    findings.push(record_settings(config).await);
    for module in MODULES {
        match ask(config, &format!("module show like {module}")).await {
            Ok(answer) if answer.contains("Running") && !answer.contains("Not Running") => {}
            _ => findings.push(Finding::Wrong(
                format!("asterisk: module {module} is not running"),
                format!("load it in modules.conf, then `asterisk -rx 'module load {module}'`"),
            )),
        }
    }
    findings
}

/// Whether the dialplan writes where the agent takes it.
async fn record_files(config: &Config) -> Vec<Finding> {
    let globals = ask(config, "dialplan show globals").await.unwrap_or_default();
    let files = [
        ("TANDEM_RECORDS", "attempts", "records.file", &config.records.file),
        ("TANDEM_NOTICES", "emergency calls", "emergency.file", &config.emergency.file),
    ];
    let compare = |(global, what, key, file): (&str, &str, &str, &std::path::PathBuf)| {
        let value = |line: &'_ str| Some(line.trim().strip_prefix(global)?.strip_prefix('=')?.to_owned());
        let written = globals.lines().find_map(value).unwrap_or_default();
        if Path::new(&written) == file {
            Finding::Good(format!("asterisk: writes {what} to {written}"))
        } else {
            Finding::Wrong(
                format!("asterisk: {global} is {written:?}, {key} is {}", file.display()),
                "make them the same, in <astlogdir>/cdr-custom, in tandem-site.conf and in the configuration".into(),
            )
        }
    };
    files.into_iter().map(compare).collect()
}

/// Settings of `cdr.conf` without which calls go unrecorded, or are lost in a crash, as `cdr show status` tells them.
const CDR: &[(&str, &str)] = &[
    ("Logging", "Enabled"),
    ("Mode", "Simple"),
    ("Log calls by default", "Yes"),
    ("Log unanswered calls", "Yes"),
    ("Log congestion", "Yes"),
];

/// Whether Asterisk records every call, at once.
async fn record_settings(config: &Config) -> Finding {
    let status = ask(config, "cdr show status").await.unwrap_or_default();
    let told = |name: &str| {
        let values = status.lines().filter_map(|line| line.trim().split_once(':'));
        values.filter(|(key, _)| *key == name).map(|(_, value)| value.trim().to_owned()).next()
    };
    let wrong = CDR.iter().find_map(|(name, wanted)| {
        let found = told(name).unwrap_or_default();
        (found != *wanted).then(|| format!("asterisk: call records: {name:?} is {found:?}, not {wanted}"))
    });
    match wrong {
        Some(wrong) => {
            Finding::Wrong(wrong, "use cdr.conf of dialplan/asterisk, then `asterisk -rx 'module reload cdr'`".into())
        }
        None => Finding::Good("asterisk: records every call, at once".into()),
    }
}

/// What Asterisk answers to a command of its console.
async fn ask(config: &Config, question: &str) -> Result<String, String> {
    Console::new(&config.asterisk.command).ask(question).await
}

/// 22 of `Asterisk 22.10.1~dfsg built by ...`; `None` for a development build.
fn major(version: &str) -> Option<u32> {
    version.split_whitespace().nth(1)?.split('.').next()?.parse().ok()
}
