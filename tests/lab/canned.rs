//! A FastAGI server with a canned answer: the dialplan's tests need no agent.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::Address;

/// What it does with a session.
#[derive(Debug, Clone)]
enum Manner {
    Answers(Vec<(String, String)>),
    Hangs,
    Dies,
}

/// A FastAGI server on port 4573 of its own address.
#[derive(Debug)]
pub struct Canned {
    address: Address,
    preludes: Arc<Mutex<Vec<String>>>,
}

impl Canned {
    /// Sets these variables, and then `TANDEM_DONE`, in every session.
    #[must_use]
    pub fn answers(pairs: &[(&str, &str)]) -> Canned {
        Canned::start(Manner::Answers(pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()))
    }

    /// Reads the prelude and never answers.
    #[must_use]
    pub fn hangs() -> Canned {
        Canned::start(Manner::Hangs)
    }

    /// Sets one variable and closes the connection.
    #[must_use]
    pub fn dies() -> Canned {
        Canned::start(Manner::Dies)
    }

    /// Nothing listens.
    #[must_use]
    pub fn gone() -> Canned {
        Canned { address: Address::claim(), preludes: Arc::default() }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address.port(4573)
    }

    /// The preludes received: `agi_*` lines.
    #[must_use]
    pub fn preludes(&self) -> Vec<String> {
        self.preludes.lock().expect("no session panics").clone()
    }

    /// A value of the last prelude, `extension` or `arg_2`.
    #[must_use]
    pub fn asked(&self, key: &str) -> Option<String> {
        let preludes = self.preludes();
        let line = preludes.last()?.lines().find_map(|line| line.strip_prefix(&format!("agi_{key}: ")))?;
        Some(line.to_owned())
    }

    fn start(manner: Manner) -> Canned {
        let address = Address::claim();
        let listener = TcpListener::bind(address.port(4573)).expect("a fresh address is free");
        let preludes = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&preludes);
        // Ends with the test's process; nothing of it outlives that.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (manner, seen) = (manner.clone(), Arc::clone(&seen));
                // A peer that goes away is part of the tests.
                thread::spawn(move || serve(stream, &manner, &seen).ok());
            }
        });
        Canned { address, preludes }
    }
}

fn serve(mut stream: TcpStream, manner: &Manner, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream.try_clone()?);
    let mut prelude = String::new();
    while lines.read_line(&mut prelude)? > 1 {}
    seen.lock().expect("no session panics").push(prelude);
    match manner {
        Manner::Hangs => thread::sleep(Duration::from_secs(60)),
        Manner::Dies => {
            writeln!(stream, "SET VARIABLE TANDEM_ACTION reject")?;
            lines.read_line(&mut String::new())?;
        }
        Manner::Answers(pairs) => {
            for (key, value) in pairs {
                let value = value.replace('\\', "\\\\").replace('"', "\\\"");
                stream.write_all(format!("SET VARIABLE {key} \"{value}\"\n").as_bytes())?;
                lines.read_line(&mut String::new())?;
            }
            stream.write_all(b"SET VARIABLE TANDEM_DONE \"1\"\n")?;
            lines.read_line(&mut String::new())?;
        }
    }
    Ok(())
}
