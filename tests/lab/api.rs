//! Requests to an agent below `/v1/`.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use socket2::{Domain, Socket, Type};

/// Who asks an agent: a token, and the address that it comes from.
#[derive(Debug, Clone)]
pub struct Api {
    agent: SocketAddr,
    token: String,
    from: Ipv4Addr,
}

/// What it answers.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The status line and the headers.
    pub head: String,
    /// The body; null when it is no JSON.
    pub body: Value,
}

impl Answer {
    /// The text of a refusal.
    #[must_use]
    pub fn error(&self) -> &str {
        self.body["error"].as_str().unwrap_or_default()
    }
}

impl Api {
    pub(crate) fn new(agent: SocketAddr, token: &str) -> Api {
        Api { agent, token: token.to_owned(), from: Ipv4Addr::LOCALHOST }
    }

    /// Comes from another address.
    #[must_use]
    pub fn from(mut self, address: Ipv4Addr) -> Api {
        self.from = address;
        self
    }

    /// A GET request.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "")
    }

    /// A POST request.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, &body.to_string())
    }

    /// A DELETE request.
    #[must_use]
    pub fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, "")
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a TCP socket");
        socket.bind(&SocketAddr::from((self.from, 0)).into()).expect("a loopback address is ours");
        socket.connect(&self.agent.into()).expect("the agent listens");
        let mut stream: TcpStream = socket.into();
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket has a timeout");
        let bearer =
            if self.token.is_empty() { String::new() } else { format!("Authorization: Bearer {}\r\n", self.token) };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{bearer}Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.agent,
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("the agent reads the head");
        // It may refuse a body that is too long before it is whole.
        let _ = stream.write_all(body.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{method} {path}: {answer:?}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Answer { status, head: head.to_owned(), body: serde_json::from_str(body).unwrap_or_default() }
    }
}
