//! Tokens: who may ask the agents, and what for.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::audit::Entry;

/// The deeds of the audit log that make and end one.
pub(super) const CREATE: &str = "token.create";
pub(super) const REVOKE: &str = "token.revoke";

words! {
    /// What a token is good for. None is above the others: nobody but `intercept` has to do with warrants.
    Role {
        /// Lists calls, and places them.
        Operator = "operator",
        /// An operator who also listens, whispers, barges in and records.
        Supervisor = "supervisor",
        /// Warrants, and nothing else.
        Intercept = "intercept",
        /// Reads the audit log.
        Auditor = "auditor",
    }
}

/// A token as the database knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub person: String,
    /// What it is good for.
    pub role: Role,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// From when on it is good for nothing.
    pub expires_at: DateTime<Utc>,
    /// When it was taken back.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// What a token is made with.
#[derive(Serialize)]
struct Rights<'a> {
    person: &'a str,
    role: Role,
    expires_at: DateTime<Utc>,
}

/// Why a token is good for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// There is none of this text.
    #[error("this is no token of ours")]
    Unknown,
    /// It was one.
    #[error("the token has expired; `tandem token create` makes a new one")]
    Expired,
    /// It was one, and was taken back.
    #[error("the token was revoked")]
    Revoked,
}

/// A token as its holder knows it: `tandem_<id>_<secret>`, hexadecimal.
#[derive(Clone)]
pub struct Bearer {
    /// The token's id.
    pub id: String,
    secret: String,
}

/// Without its secret.
impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bearer({})", self.id)
    }
}

impl Token {
    /// How the audit log tells of its making.
    pub(super) fn subject(&self) -> String {
        let rights = Rights { person: &self.person, role: self.role, expires_at: self.expires_at };
        serde_json::to_string(&rights).unwrap_or_default()
    }

    /// Whether it is good, by its row and what the audit log tells of it: a row by hand is no token, and what was revoked stays so.
    pub(super) fn checked(self, told: &[Entry], now: DateTime<Utc>) -> Result<Token, Rejected> {
        let subject = self.subject();
        if !told.iter().any(|entry| entry.action == CREATE && entry.subject == subject && entry.is_whole()) {
            Err(Rejected::Unknown)
        } else if self.revoked_at.is_some() || told.iter().any(|entry| entry.action == REVOKE) {
            Err(Rejected::Revoked)
        } else if self.expires_at <= now {
            Err(Rejected::Expired)
        } else {
            Ok(self)
        }
    }
}

impl Bearer {
    /// A new one: 64 random bits of id, 256 of secret.
    ///
    /// # Errors
    /// The system has no chance to give.
    pub fn draw() -> Result<Bearer, getrandom::Error> {
        let (mut id, mut secret) = ([0; 8], [0; 32]);
        getrandom::fill(&mut id)?;
        getrandom::fill(&mut secret)?;
        Ok(Bearer { id: hex::encode(id), secret: hex::encode(secret) })
    }

    /// Reads one; `None` for what cannot be one.
    #[must_use]
    pub fn read(text: &str) -> Option<Bearer> {
        let (id, secret) = text.strip_prefix("tandem_")?.split_once('_')?;
        let is_hex = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_hex(id, 16) && is_hex(secret, 64)).then(|| Bearer { id: id.to_owned(), secret: secret.to_owned() })
    }

    /// The text for its holder, which nobody keeps but them.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("tandem_{}_{}", self.id, self.secret)
    }

    /// What the database keeps of the secret. It is random throughout, so that nothing slower than SHA-256 is needed.
    #[must_use]
    pub fn hash(&self) -> String {
        hex::encode(Sha256::digest(&self.secret))
    }

    /// Whether this is the secret of that hash, found out in a time that tells nothing of it.
    #[must_use]
    pub fn matches(&self, hash: &str) -> bool {
        self.hash().as_bytes().ct_eq(hash.as_bytes()).into()
    }
}

/// A person's name as tokens have it, in one spelling: `alice@example.com`.
///
/// # Errors
/// It has something else than letters, digits and `. _ - @`, or more than 64 of them.
pub fn person(name: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
    if (1..=64).contains(&name.len()) && name.bytes().all(plain) {
        Ok(name.to_ascii_lowercase())
    } else {
        Err(format!("{name:?} is no name for a person: 1 to 64 of A-Z a-z 0-9 . _ - @"))
    }
}
