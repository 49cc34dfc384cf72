//! A server's process: started as an unprivileged user, gone with the test.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, mpsc};
use std::time::{Duration, Instant};
use std::{io, thread};

pub use rustix::process::Signal;
use rustix::process::{Pid, getuid, kill_process};

/// Who the servers run as when the test runs as root: most of them refuse to be root.
pub(crate) struct User {
    pub(crate) name: &'static str,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The servers' user, or `None` when the test is unprivileged itself.
pub(crate) fn servers_user() -> Option<User> {
    getuid().is_root().then_some(User { name: "nobody", uid: 65_534, gid: 65_534 })
}

/// `program`, run as the servers' user and killed by the kernel when the laboratory's process dies.
pub(crate) fn server(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if let Some(user) = servers_user() {
        command.args([format!("--reuid={}", user.uid), format!("--regid={}", user.gid), "--clear-groups".into()]);
    }
    command.arg("--").arg(program.as_ref());
    command
}

/// `program`, run as the test's own user and killed by the kernel when the laboratory's process dies.
pub(crate) fn same_user(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program.as_ref());
    command
}

/// Runs a server's helper program to its end.
///
/// # Panics
/// When it cannot be run or fails, with what it said.
pub(crate) fn run(command: &mut Command) -> String {
    let output =
        command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{said}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

/// Asks `ready` until it says yes.
///
/// # Panics
/// After `limit`, naming `what` was awaited.
pub fn wait_until(what: &str, limit: Duration, mut ready: impl FnMut() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(start.elapsed() < limit, "waited {limit:?} in vain for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A running program with its descendants.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`, whose output goes to the end of the file `log`.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(name: &str, mut command: Command, log: &Path) -> Process {
        let file = File::options().create(true).append(true).open(log);
        let file = file.unwrap_or_else(|error| panic!("{name}: cannot open {}: {error}", log.display()));
        let copy = file.try_clone().unwrap_or_else(|error| panic!("{name}: {error}"));
        command.stdout(file).stderr(copy).process_group(0);
        let child = spawn(command).unwrap_or_else(|error| panic!("{name}: cannot start: {error}"));
        Process { name: name.to_owned(), child, log: log.to_owned() }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `ready` says yes.
    ///
    /// # Panics
    /// After `limit`, or when the process ends before, with the end of its log.
    pub fn wait_ready(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) {
        let start = Instant::now();
        while !ready() {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("{} ended before it was ready: {status}\n{}", self.name, self.log_end());
            }
            assert!(start.elapsed() < limit, "{} not ready after {limit:?}\n{}", self.name, self.log_end());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The end of its output, for a failure's message.
    #[must_use]
    pub fn log_end(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks it to end (SIGTERM), and waits; after `limit` it is killed. Returns whether it ended by itself.
    pub fn stop(&mut self, limit: Duration) -> bool {
        self.end(Signal::TERM, limit)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        signal_to(self.id(), signal);
    }

    /// As [`Process::stop`], with the signal that asks this program to end.
    pub(crate) fn end(&mut self, signal: Signal, limit: Duration) -> bool {
        signal_to(self.id(), signal);
        let start = Instant::now();
        while self.is_running() {
            if start.elapsed() > limit {
                self.kill();
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// `kill -9`, of its descendants too, and waits for its end.
    pub fn kill(&mut self) {
        self.signal_all(Signal::KILL);
        let _ = self.child.wait();
    }

    /// SIGSTOP: it keeps its sockets, and answers nothing.
    pub fn pause(&self) {
        self.signal_all(Signal::STOP);
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.signal_all(Signal::CONT);
    }

    /// Sends a signal to the process and its descendants. (Not to its group: PostgreSQL gives each backend its own.)
    fn signal_all(&self, signal: Signal) {
        let mut tree = vec![self.id()];
        let mut next = 0;
        while let Some(&parent) = tree.get(next) {
            tree.extend(children(parent));
            next += 1;
        }
        for id in tree {
            signal_to(id, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_running() {
            self.kill();
        }
    }
}

fn signal_to(id: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        // It may have ended meanwhile.
        let _ = kill_process(pid, signal);
    }
}

fn children(parent: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    tasks
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|ids| ids.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<u32>>())
        .collect()
}

/// Spawns from one thread that lives as long as the process: the kernel sends the parent-death signal when the
/// *thread* that spawned ends, and a test's thread may end before the server should.
fn spawn(command: Command) -> io::Result<Child> {
    type Order = (Command, mpsc::Sender<io::Result<Child>>);
    static SPAWNER: LazyLock<Mutex<mpsc::Sender<Order>>> = LazyLock::new(|| {
        let (orders, todo) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, reply) in todo {
                let _ = reply.send(command.spawn());
            }
        });
        Mutex::new(orders)
    });
    let (reply, child) = mpsc::channel();
    let orders = SPAWNER.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    orders.send((command, reply)).map_err(io::Error::other)?;
    child.recv().map_err(io::Error::other)?
}
