//! The agent itself: the binary that the workspace builds.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::server;
use crate::{Address, Folder, Process};

/// Ports of the agent on its own address.
const AGI: u16 = 4573;
const HTTP: u16 = 4580;

/// A running `tandem serve`.
#[derive(Debug)]
pub struct Agent {
    process: Process,
    address: Address,
    folder: Folder,
    environment: Vec<(String, String)>,
    /// Held from outside, as the service manager does.
    listener: Option<TcpListener>,
}

impl Agent {
    /// Starts it with `environment` on an address of its own; without a word about the database it has SQLite in its folder.
    ///
    /// # Panics
    /// When it does not become ready.
    #[must_use]
    pub fn start(environment: &[(&str, &str)]) -> Agent {
        Agent::launch(environment, false)
    }

    /// As [`Agent::start`], with the FastAGI listener held by the laboratory, so that calls wait in it while the agent is away.
    ///
    /// # Panics
    /// When it does not become ready.
    #[must_use]
    pub fn start_with_held_listener(environment: &[(&str, &str)]) -> Agent {
        Agent::launch(environment, true)
    }

    fn launch(environment: &[(&str, &str)], hold: bool) -> Agent {
        let address = Address::claim();
        let folder = Folder::new("agent");
        let listener = hold.then(|| held(address.port(AGI)));
        let mut all: Vec<(String, String)> = [
            ("TANDEM__AGI__LISTEN", address.port(AGI).to_string()),
            ("TANDEM__AGI__PEERS", "127.0.0.1".into()),
            ("TANDEM__HTTP__LISTEN", address.port(HTTP).to_string()),
            ("TANDEM__DATABASE__URLS", format!("sqlite:{}", folder.join("tandem.db").display())),
            ("TANDEM__MEDIA__RECORDINGS", folder.path().display().to_string()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        all.extend(environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let process = spawn(&folder, &all, listener.as_ref());
        let mut agent = Agent { process, address, folder, environment: all, listener };
        agent.wait_ready();
        agent
    }

    fn wait_ready(&mut self) {
        let http = self.http();
        self.process.wait_ready(Duration::from_secs(20), || get(http, "/ready").0 == 200);
    }

    /// Starts it again on the same addresses and folder, after [`Process::stop`] or [`Process::kill`].
    ///
    /// # Panics
    /// When it does not become ready.
    pub fn start_again(&mut self) {
        self.process = spawn(&self.folder, &self.environment, self.listener.as_ref());
        self.wait_ready();
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Where the dialplan finds it.
    #[must_use]
    pub fn agi(&self) -> SocketAddr {
        self.address.port(AGI)
    }

    /// Where its HTTP surface is.
    #[must_use]
    pub fn http(&self) -> SocketAddr {
        self.address.port(HTTP)
    }

    /// Status and body of its answer to `GET path`.
    #[must_use]
    pub fn get(&self, path: &str) -> (u16, String) {
        get(self.http(), path)
    }

    /// A metric's value, by name and labels as Prometheus writes them; 0 when it is not there.
    #[must_use]
    pub fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.get("/metrics");
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).unwrap_or(0.0)
    }

    /// What it logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.folder.read("log")
    }

    /// Another command of the same binary with the same configuration, such as `["explain", "1001", "911"]`.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).envs(self.environment.iter().cloned()).stdin(Stdio::null());
        command
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }
}

/// The binary beside the test's own: `cargo build --workspace` makes both.
#[must_use]
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap_or_else(|error| panic!("where is this test's program? {error}"));
    let folder = test.ancestors().find(|folder| folder.join("tandem").is_file());
    folder.unwrap_or_else(|| panic!("no tandem beside {}: run cargo build --workspace", test.display())).join("tandem")
}

/// A listener that a child inherits as its standard input and finds as descriptor 3, as the service manager's.
fn held(address: SocketAddr) -> TcpListener {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let socket = socket.unwrap_or_else(|error| panic!("no socket: {error}"));
    let bound = socket.set_reuse_address(true).and_then(|()| socket.bind(&address.into())).and_then(|()| socket.listen(1024));
    bound.unwrap_or_else(|error| panic!("cannot listen on {address}: {error}"));
    socket.into()
}

fn spawn(folder: &Folder, environment: &[(String, String)], listener: Option<&TcpListener>) -> Process {
    let mut command;
    if let Some(listener) = listener {
        let listener = listener.try_clone().unwrap_or_else(|error| panic!("the listener cannot be shared: {error}"));
        command = server("sh");
        command.args(["-c", r#"LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" serve 3<&0 </dev/null"#]).arg(binary());
        command.stdin(Stdio::from(OwnedFd::from(listener)));
    } else {
        command = server(binary());
        command.arg("serve").stdin(Stdio::null());
    }
    command.envs(environment.iter().cloned()).current_dir(folder.path());
    Process::start("tandem", command, &folder.join("log"))
}

/// A plain `GET`; status 0 when nobody answers.
fn get(address: SocketAddr, path: &str) -> (u16, String) {
    use std::io::{Read, Write};
    let exchange = || -> std::io::Result<String> {
        let mut stream = std::net::TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    let Ok(text) = exchange() else { return (0, String::new()) };
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    (status, text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}
