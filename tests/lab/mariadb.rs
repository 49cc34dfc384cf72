//! A MariaDB server of one's own.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::process::{run, server};
use crate::{Address, Folder, Process};

/// Run by the server before it takes connections. The user `tandem` owns every database whose name starts
/// with `tandem`, and nothing else, as in production: `read_only` holds for it.
const INIT: &str = "\
CREATE DATABASE IF NOT EXISTS tandem CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'tandem'@'%';
GRANT ALL ON `tandem%`.* TO 'tandem'@'%';
";

/// MariaDB with an empty database `tandem`, on port 3306 of its own address.
#[derive(Debug)]
pub struct MariaDb {
    process: Process,
    address: Address,
    folder: Folder,
}

impl MariaDb {
    /// Makes an empty server and starts it.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start() -> MariaDb {
        let folder = Folder::new("mariadb");
        folder.folder("tmp");
        folder.write("init.sql", INIT);
        run(server("mariadb-install-db")
            .arg("--no-defaults")
            .arg(format!("--datadir={}", folder.join("data").display()))
            .arg(format!("--tmpdir={}", folder.join("tmp").display()))
            .args(["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]));
        let address = Address::claim();
        let process = launch(&folder, &address);
        MariaDb { process, address, folder }
    }

    /// Where it listens; the same after a restart.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address.port(3306)
    }

    /// URL of the database `tandem` for the user `tandem`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("tandem")
    }

    /// URL of another database; see [`MariaDb::create`].
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("mysql://tandem@{}/{database}", self.address())
    }

    /// Makes another empty database, whose name has to start with `tandem`, and returns its URL.
    ///
    /// # Panics
    /// When it is there already.
    #[must_use]
    pub fn create(&self, database: &str) -> String {
        self.sql(&format!("CREATE DATABASE `{database}` CHARACTER SET utf8mb4"));
        self.url_of(database)
    }

    /// Runs SQL as the server's administrator, `SET GLOBAL read_only=1` for instance; rows come tab-separated.
    ///
    /// # Panics
    /// When the server refuses it.
    pub fn sql(&self, statement: &str) -> String {
        let socket = format!("--socket={}", self.folder.join("socket").display());
        run(Command::new("mariadb").args(["--no-defaults", "-uroot", &socket, "-N", "-B", "-e", statement]))
    }

    /// The file with its process id.
    #[must_use]
    pub fn pid_file(&self) -> PathBuf {
        self.folder.join("pid")
    }

    /// Stops it in good order.
    pub fn stop(&mut self) {
        self.process.stop(Duration::from_secs(20));
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again with its data, on the same address, after [`MariaDb::stop`] or [`MariaDb::kill`].
    pub fn restart(&mut self) {
        self.process.kill();
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

fn launch(folder: &Folder, address: &Address) -> Process {
    let option = |name: &str, file: &str| format!("--{name}={}", folder.join(file).display());
    let mut command = server("mariadbd");
    command
        .arg("--no-defaults")
        .args([option("datadir", "data"), option("socket", "socket"), option("tmpdir", "tmp")])
        .args([option("pid-file", "pid"), option("init-file", "init.sql")])
        .arg(format!("--bind-address={address}"))
        .args(["--port=3306", "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=2", "--skip-log-bin"])
        .args(["--innodb-buffer-pool-size=128M", "--max-connections=500"]);
    let mut process = Process::start("mariadb", command, &folder.join("log"));
    process.wait_ready(Duration::from_secs(60), || greets(address.port(3306)));
    process
}

/// Whether the server sends its greeting: packet header of 4 bytes, then protocol version 10.
fn greets(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) else { return false };
    let mut greeting = [0; 5];
    stream.set_read_timeout(Some(Duration::from_secs(1))).is_ok()
        && stream.read_exact(&mut greeting).is_ok()
        && greeting[4] == 10
}
