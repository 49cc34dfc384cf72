//! The agent itself: the real `tandem` program of this workspace.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::process::same_user;
use crate::{Address, Api, Asterisk, Folder, Process};

/// How an agent is configured: its environment, and nothing of the test's own.
#[derive(Debug)]
pub struct AgentBuilder {
    folder: Folder,
    address: Address,
    settings: Vec<(String, String)>,
    listener: Option<Arc<TcpListener>>,
}

/// `tandem serve` on an address of its own: FastAGI on port 4573, HTTP on 4580.
#[derive(Debug)]
pub struct Agent {
    process: Process,
    plan: AgentBuilder,
}

impl Default for AgentBuilder {
    fn default() -> Self {
        let folder = Folder::new("agent");
        let address = Address::claim();
        let builder = AgentBuilder { folder, address, settings: Vec::new(), listener: None };
        let database = format!("sqlite:{}", builder.folder.join("tandem.db").display());
        let (records, spool) = (builder.folder.join("tandem.csv"), builder.folder.join("tandem.spool"));
        let replica = builder.folder.join("replica").display().to_string();
        let (recordings, voicemail, cache) =
            (builder.folder.folder("recordings"), builder.folder.join("voicemail"), builder.folder.join("cache"));
        let calls = builder.folder.join("calls").display().to_string();
        let (notices, notice_spool) = (builder.folder.join("emergency.csv"), builder.folder.join("emergency.spool"));
        let builder = builder
            .set("replica.folder", &replica)
            .set("media.recordings", &recordings.display().to_string())
            .set("voicemail.spool", &voicemail.display().to_string())
            .set("voicemail.cache", &cache.display().to_string())
            .set("recordings.spool", &calls)
            .set("emergency.file", &notices.display().to_string())
            .set("emergency.spool", &notice_spool.display().to_string())
            .set("records.file", &records.display().to_string())
            .set("records.spool", &spool.display().to_string());
        let (agi, http) = (builder.address.port(4573).to_string(), builder.address.port(4580).to_string());
        builder.set("database.urls", &database).set("agi.listen", &agi).set("http.listen", &http)
    }
}

impl AgentBuilder {
    /// A configuration key, such as `database.urls`; lists are joined by commas.
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Self {
        let name = variable(key);
        self.settings.retain(|(other, _)| *other != name);
        self.settings.push((name, value.to_owned()));
        self
    }

    /// It ships the records that `asterisk` writes.
    #[must_use]
    pub fn ships(self, asterisk: &Asterisk) -> Self {
        let file = asterisk.record_file();
        let spool = file.with_extension("spool").display().to_string();
        let notices = asterisk.notice_file();
        let notice_spool = notices.with_extension("spool").display().to_string();
        self.set("records.file", &file.display().to_string())
            .set("records.spool", &spool)
            .set("emergency.file", &notices.display().to_string())
            .set("emergency.spool", &notice_spool)
            .set("asterisk.command", &asterisk.console().join(","))
    }

    /// It tells this Asterisk's phones of messages.
    #[must_use]
    pub fn lights(self, asterisk: &Asterisk) -> Self {
        let (address, secret) = asterisk.manager();
        self.set("asterisk.manager", &address.to_string()).set("asterisk.manager_secret", secret)
    }

    /// It takes this Asterisk's calls by ARI, too.
    #[must_use]
    pub fn serves(self, asterisk: &Asterisk) -> Self {
        let (url, password) = asterisk.ari();
        let root = asterisk.recordings();
        let recordings = root.join("tandem");
        self.set("ari.url", &url)
            .set("ari.password", password)
            .set("ari.recordings", &root.display().to_string())
            .set("media.recordings", &recordings.display().to_string())
    }

    /// A variable of its environment that is no configuration, such as `NOTIFY_SOCKET`.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The FastAGI listener is held by the test, as systemd's socket unit holds it: calls wait in its backlog while
    /// the agent is stopped. Its address is the agent's.
    #[must_use]
    pub fn held_listener(mut self) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a TCP socket");
        socket.bind(&self.address.port(4573).into()).expect("a fresh address is free");
        socket.listen(1024).expect("a bound socket listens");
        self.listener = Some(Arc::new(socket.into()));
        self
    }

    /// Where it takes FastAGI.
    #[must_use]
    pub fn agi(&self) -> SocketAddr {
        self.address.port(4573)
    }

    /// Runs another command of the program with this configuration: `["migrate"]`, `["explain", "1001", "911"]`.
    ///
    /// # Panics
    /// When it cannot be run.
    pub fn tandem(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("tandem {arguments:?}: {error}"))
    }

    /// As [`AgentBuilder::tandem`], with a token in `TANDEM_TOKEN`.
    ///
    /// # Panics
    /// When it cannot be run.
    pub fn tandem_as(&self, token: &str, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.env("TANDEM_TOKEN", token).stdin(Stdio::null());
        command.output().unwrap_or_else(|error| panic!("tandem {arguments:?}: {error}"))
    }

    /// A new token, as `tandem token create` prints it.
    ///
    /// # Panics
    /// When it is refused.
    pub fn token(&self, person: &str, role: &str) -> String {
        self.tandem_ok(&["token", "create", "--person", person, "--role", role]).trim().to_owned()
    }

    /// Runs another command of the program that goes on until it is killed; what it prints is in the folder's file `file`.
    #[must_use]
    pub fn keep_running(&self, arguments: &[&str], file: &str) -> Process {
        Process::start("tandem", self.command(arguments), &self.folder.join(file))
    }

    /// Its folder; the SQLite file is `tandem.db` there.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// As [`AgentBuilder::tandem`]; returns what it printed.
    ///
    /// # Panics
    /// When it fails.
    pub fn tandem_ok(&self, arguments: &[&str]) -> String {
        let output = self.tandem(arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tandem {arguments:?}: {}\n{said}{complained}", output.status);
        said
    }

    /// Imports `csv` as `tandem import KIND FILE` does.
    ///
    /// # Panics
    /// When it is refused.
    pub fn import(&self, kind: &str, csv: &str) {
        let file = self.folder.write(&format!("{kind}.csv"), csv);
        self.tandem_ok(&["import", kind, &file.to_string_lossy()]);
    }

    /// Starts `tandem serve`, and waits until it lives (which is before it is ready: the database may be down).
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start(self) -> Agent {
        Agent { process: self.launch(), plan: self }
    }

    /// Runs statements on its SQLite, once `tandem migrate` has made it.
    ///
    /// # Panics
    /// When the database refuses them, or is none of SQLite.
    pub fn sql(&self, text: &str) {
        let url = self.setting("database.urls");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let connection = sqlx::SqliteConnection::connect(url).await;
            let mut connection = connection.unwrap_or_else(|error| panic!("{url}: {error}"));
            let run = sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await;
            run.unwrap_or_else(|error| panic!("{url}: {text}: {error}"));
        });
    }

    fn setting(&self, key: &str) -> &str {
        let name = variable(key);
        self.settings.iter().find(|(other, _)| *other == name).map_or("", |(_, value)| value)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = same_user(program());
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.envs(std::env::vars().filter(|(name, _)| name == "PATH" || name == "HOME"));
        command.envs(self.settings.iter().cloned());
        command
    }

    fn launch(&self) -> Process {
        let mut command = self.command(&["serve"]);
        if let Some(listener) = &self.listener {
            // systemd's protocol (sd_listen_fds(3)): descriptor 3, for the process that LISTEN_PID names. The shell
            // becomes the agent, so its own id is the right one.
            let listener: OwnedFd = listener.try_clone().expect("a descriptor can be copied").into();
            let script = r#"LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" serve 3<&0 </dev/null"#;
            let mut shell = same_user("sh");
            shell.args(["-c", script]).arg(program()).stdin(listener);
            shell.current_dir(self.folder.path()).env_clear();
            shell.envs(command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))));
            command = shell;
        }
        let mut process = Process::start("tandem", command, &self.folder.join("log"));
        let http = self.address.port(4580);
        process.wait_ready(Duration::from_secs(20), || get(http, "/live").is_some_and(|(status, _)| status == 200));
        process
    }
}

impl Agent {
    /// An agent with its own empty SQLite file (see `tandem_ok(&["migrate"])`).
    #[must_use]
    pub fn builder() -> AgentBuilder {
        AgentBuilder::default()
    }

    /// Its configuration, to run further commands of the program with.
    #[must_use]
    pub fn plan(&self) -> &AgentBuilder {
        &self.plan
    }

    /// Where it takes FastAGI.
    #[must_use]
    pub fn agi(&self) -> SocketAddr {
        self.plan.agi()
    }

    /// Where its HTTP surface is.
    #[must_use]
    pub fn http(&self) -> SocketAddr {
        self.plan.address.port(4580)
    }

    /// Its own IP address.
    #[must_use]
    pub fn ip(&self) -> Ipv4Addr {
        self.plan.address.ip()
    }

    /// Status and body of `/live`, `/ready` or `/metrics`; `None` when it does not answer.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        get(self.plan.address.port(4580), path)
    }

    /// What it logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.plan.folder.read("log")
    }

    /// What is asked of it below `/v1/` with a token.
    #[must_use]
    pub fn api(&self, token: &str) -> Api {
        Api::new(self.http(), token)
    }

    /// Its process: stop, kill, pause, resume.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Starts it again, with the same address and listener; one that still runs is killed.
    pub fn restart(&mut self) {
        self.process.kill();
        self.process = self.plan.launch();
    }
}

/// The environment's name for a configuration key.
fn variable(key: &str) -> String {
    format!("TANDEM__{}", key.to_uppercase().replace('.', "__"))
}

/// The program that `cargo build --workspace` put beside the tests. (Cargo tells a test its own package's programs only.)
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let program =
        test.ancestors().skip(1).take(2).map(|folder| folder.join("tandem")).find(|program| program.is_file());
    program.unwrap_or_else(|| panic!("no tandem beside {}: run cargo build --workspace", test.display()))
}

/// A GET request; `None` when nothing answers within a second.
fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let limit = Duration::from_secs(1);
    let mut stream = TcpStream::connect_timeout(&address, limit).ok()?;
    stream.set_read_timeout(Some(limit)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}
