//! An agent that ships, and who writes calls for it as Asterisk does.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lab::{Agent, AgentBuilder, RecordWriter, wait_until};
use sqlx::{AssertSqlSafe, Connection as _};

pub const PATIENCE: Duration = Duration::from_secs(20);

/// An agent on SQLite, and who writes calls for it.
pub struct Node {
    pub agent: Agent,
    pub writer: RecordWriter,
}

impl Node {
    pub fn start() -> Node {
        Node::start_with(Agent::builder())
    }

    pub fn start_with(plan: AgentBuilder) -> Node {
        let plan = plan.set("records.batch_ms", "50");
        plan.tandem_ok(&["migrate"]);
        let writer = RecordWriter::new(&plan.folder().join("tandem.csv"), "1-1");
        Node { agent: plan.start(), writer }
    }

    pub fn folder(&self) -> &Path {
        self.agent.plan().folder().path()
    }

    pub fn spool(&self) -> PathBuf {
        self.folder().join("tandem.spool")
    }

    /// Every call that was written, and its attempt, are in the database.
    #[track_caller]
    pub fn all_arrive(&self) {
        self.arrive(self.writer.calls());
    }

    #[track_caller]
    pub fn arrive(&self, calls: u64) {
        let counts = || {
            let of = |table: &str| self.count(&format!("SELECT COUNT(*) FROM {table}"));
            (of("call_records"), of("call_attempts"))
        };
        let calls = i64::try_from(calls).unwrap();
        wait_until(&format!("{calls} calls"), PATIENCE, || counts() >= (calls, calls));
        assert_eq!(counts(), (calls, calls));
    }

    pub fn count(&self, query: &str) -> i64 {
        let url = format!("sqlite:{}", self.folder().join("tandem.db").display());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
            let (count,): (i64,) = sqlx::query_as(AssertSqlSafe(query)).fetch_one(&mut connection).await.unwrap();
            count
        })
    }

    pub fn alarms(&self) -> Vec<String> {
        let (_, text) = self.agent.get("/status").expect("the agent lives");
        let status: serde_json::Value = serde_json::from_str(&text).unwrap();
        let alarms = status["alarms"].as_array().unwrap().iter();
        alarms.map(|alarm| alarm["name"].as_str().unwrap().to_owned()).collect()
    }

    #[track_caller]
    pub fn wait_alarm(&self, name: &str) {
        wait_until(&format!("the alarm {name}"), PATIENCE, || self.alarms().iter().any(|alarm| alarm == name));
        let logged = self.agent.log().matches(&format!("alarm=\"{name}\"")).count();
        assert!(logged > 0, "{name} is not logged:\n{}", self.agent.log());
    }

    pub fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.agent.get("/metrics").unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse().unwrap()
    }

    pub fn records(&self, arguments: &[&str]) -> (bool, String) {
        let output = self.agent.plan().tandem(&[&["records"], arguments].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    }
}

/// Segments in a folder.
pub fn segments(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "segment")).collect()
}

/// Segments that were sent.
pub fn sent(spool: &Path) -> Vec<PathBuf> {
    fs::read_dir(spool.join("sent")).unwrap().flatten().flat_map(|hour| segments(&hour.path())).collect()
}
