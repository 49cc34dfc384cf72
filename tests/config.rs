//! Configuration: layers, and every fault named at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::collections::HashMap;
use std::io::Write as _;

use tandem::config::{Config, LogFormat};

fn from(toml: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(toml.as_bytes()).unwrap();
    let environment: HashMap<String, String> =
        environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Config::from_layers(Some(file.path()), Some(environment)).map_err(|error| error.to_string())
}

#[test]
fn all_defaults_are_valid_and_need_no_file() {
    let config = Config::from_layers(None, Some(HashMap::new())).unwrap();
    assert_eq!(config.database.urls, ["sqlite:tandem.db"]);
    assert_eq!(config.agi.listen.to_string(), "127.0.0.1:4573");
    assert_eq!(config.emergency.numbers, ["911"]);
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_defaults() {
    let config = from(
        "[agi]\nsessions = 7\nbacklog = 9\n[log]\nformat = \"json\"\n",
        &[
            ("TANDEM__AGI__SESSIONS", "8"),
            ("TANDEM__DATABASE__URLS", "mysql://a/tandem,mysql://b/tandem"),
            ("TANDEM__EMERGENCY__GATEWAYS", "em-1"),
            ("TANDEM__AGI__PEERS", "127.0.0.1,::1"),
            ("TANDEM__AGI__LISTEN", "127.0.0.9:4573"),
            ("TANDEM__NODE__NAME", "12"),
        ],
    )
    .unwrap();
    assert_eq!((config.agi.sessions, config.agi.backlog), (8, 9));
    assert_eq!(config.database.urls, ["mysql://a/tandem", "mysql://b/tandem"]);
    assert_eq!(config.emergency.gateways, ["em-1"]);
    assert_eq!(config.agi.peers.len(), 2);
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.node.name, "12", "a name of digits is a name");
}

#[test]
fn unknown_keys_are_refused_by_name_all_at_once() {
    let fault = from("[agi]\nsesions = 7\n[databse]\nurls = []\n", &[("TANDEM__ROUTE__ATEMPTS", "3")]).unwrap_err();
    for key in ["agi.sesions", "databse", "route.atempts"] {
        assert!(fault.contains(key), "{key} in {fault}");
    }
}

#[test]
fn values_of_the_wrong_kind_are_refused_by_key() {
    let fault = from("[agi]\nsessions = \"many\"\n", &[]).unwrap_err();
    assert!(fault.contains("agi.sessions"), "{fault}");
    let fault = from("", &[("TANDEM__AGI__LISTEN", "nowhere")]).unwrap_err();
    assert!(fault.contains("agi.listen") || fault.contains("nowhere"), "{fault}");
}

#[test]
fn values_that_cannot_work_are_all_named() {
    let fault = from(
        "[agi]\nsessions = 0\n[route]\ndecision_ms = 900\nattempts = 0\nline_dial = \"PJSIP/x\"\n\
         [database]\nurls = [\"oracle:x\"]\n[emergency]\nnumbers = []\n",
        &[],
    )
    .unwrap_err();
    for key in
        ["agi.sessions", "route.decision_ms", "route.attempts", "route.line_dial", "database.urls", "emergency.numbers"]
    {
        assert!(fault.contains(key), "{key} in {fault}");
    }
}

#[test]
fn hosts_of_different_kinds_of_database_are_refused() {
    let fault = from("[database]\nurls = [\"mysql://a/x\", \"postgres://b/x\"]\n", &[]).unwrap_err();
    assert!(fault.contains("mixes kinds"), "{fault}");
}
