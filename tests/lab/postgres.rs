//! A PostgreSQL server of one's own.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::{Signal, run, server};
use crate::{Address, Folder, Process};

/// PostgreSQL with an empty database `tandem`, on port 5432 of its own address.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    address: Address,
    folder: Folder,
}

impl Postgres {
    /// Makes an empty server and starts it.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start() -> Postgres {
        let folder = Folder::new("postgres");
        run(server(program("initdb"))
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-U", "postgres", "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8"])
            .current_dir("/"));
        let address = Address::claim();
        let process = launch(&folder, &address);
        let postgres = Postgres { process, address, folder };
        // Not a superuser, as in production: `default_transaction_read_only` and timeouts hold for it.
        postgres.sql("CREATE ROLE tandem LOGIN");
        postgres.sql("CREATE DATABASE tandem OWNER tandem");
        postgres
    }

    /// Where it listens; the same after a restart.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address.port(5432)
    }

    /// URL of the database `tandem` for the user `tandem`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("tandem")
    }

    /// URL of another database; see [`Postgres::create`].
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://tandem@{}/{database}", self.address())
    }

    /// Makes another empty database and returns its URL.
    ///
    /// # Panics
    /// When it is there already.
    #[must_use]
    pub fn create(&self, database: &str) -> String {
        self.sql(&format!("CREATE DATABASE \"{database}\" OWNER tandem"));
        self.url_of(database)
    }

    /// Runs SQL as the server's administrator in the database `postgres`; rows come unaligned, columns split by `|`.
    ///
    /// # Panics
    /// When the server refuses it.
    pub fn sql(&self, statement: &str) -> String {
        self.sql_in("postgres", statement)
    }

    /// The same in another database.
    ///
    /// # Panics
    /// When the server refuses it.
    pub fn sql_in(&self, database: &str, statement: &str) -> String {
        let port = self.address().port().to_string();
        run(Command::new(program("psql"))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-h"])
            .args([&self.address.to_string(), "-p", &port, "-d", database, "-c", statement]))
    }

    /// Stops it in good order, ending what is connected (a "fast" shutdown).
    pub fn stop(&mut self) {
        self.process.end(Signal::INT, Duration::from_secs(20));
    }

    /// `kill -9` of the server and all its backends.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again with its data, on the same address, after [`Postgres::stop`] or [`Postgres::kill`].
    pub fn restart(&mut self) {
        self.process.kill();
        // After a kill the lock file names a process id that may have been given away again.
        let _ = fs::remove_file(self.folder.join("data").join("postmaster.pid"));
        self.process = launch(&self.folder, &self.address);
    }

    /// SIGSTOP: it accepts connections (the kernel does), and never answers.
    pub fn pause(&self) {
        self.process.pause();
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.process.resume();
    }
}

impl Drop for Postgres {
    /// An immediate shutdown: unlike a kill it leaves no orphans for the machine's init.
    fn drop(&mut self) {
        self.process.resume();
        self.process.end(Signal::QUIT, Duration::from_secs(2));
    }
}

fn launch(folder: &Folder, address: &Address) -> Process {
    let host = address.to_string();
    let mut command = server(program("postgres"));
    command
        .arg("-D")
        .arg(folder.join("data"))
        .arg("-k")
        .arg(folder.path())
        .args(["-h", &host, "-p", "5432", "-F", "-c", "max_connections=200"])
        .current_dir("/");
    let mut process = Process::start("postgres", command, &folder.join("log"));
    process.wait_ready(Duration::from_secs(60), || {
        let mut ask = Command::new(program("pg_isready"));
        ask.args(["-q", "-h", &host, "-p", "5432"]).stdout(Stdio::null()).stderr(Stdio::null());
        ask.status().is_ok_and(|status| status.success())
    });
    process
}

/// A program of the newest PostgreSQL on this machine; Debian keeps them out of `PATH`.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())))
        .max_by_key(|(version, _)| *version);
    let (_, folder) =
        newest.unwrap_or_else(|| panic!("no PostgreSQL in /usr/lib/postgresql: run tests/lab/install.sh test"));
    folder.join("bin").join(name)
}
