//! A real SMTP server: aiosmtpd, which keeps what it takes in a Maildir.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::process::server;
use crate::{Address, Folder, Process};

/// An SMTP server on port 2525 of its own address, down at first.
#[derive(Debug)]
pub struct MailServer {
    process: Option<Process>,
    address: Address,
    folder: Folder,
}

impl Default for MailServer {
    fn default() -> Self {
        let folder = Folder::new("mail");
        MailServer { process: None, address: Address::claim(), folder }
    }
}

impl MailServer {
    /// Where it takes mail.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address.port(2525)
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(&mut self) {
        let mut command = server("aiosmtpd");
        let address = self.address();
        command
            .args(["-n", "-l", &address.to_string(), "-c", "aiosmtpd.handlers.Mailbox"])
            .arg(self.folder.join("mails"));
        command.current_dir("/");
        let mut process = Process::start("aiosmtpd", command, &self.folder.join("log"));
        process.wait_ready(Duration::from_secs(20), || TcpStream::connect(address).is_ok());
        self.process = Some(process);
    }

    /// The mails that it took.
    #[must_use]
    pub fn mails(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.folder.join("mails/new")) else { return Vec::new() };
        entries.flatten().filter_map(|entry| fs::read_to_string(entry.path()).ok()).collect()
    }
}
