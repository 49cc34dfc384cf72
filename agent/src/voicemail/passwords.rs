//! Passwords of mailboxes: argon2id, on a thread of its own, since each takes tens of milliseconds and 19 MiB by intention (OWASP's parameters).

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use tokio::sync::oneshot;

/// Passwords that may wait: more are guesses.
const WAITING: usize = 64;

enum Job {
    Verify(String, Option<String>, oneshot::Sender<bool>),
    Hash(String, oneshot::Sender<Option<String>>),
}

/// Checks passwords. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Passwords {
    jobs: SyncSender<Job>,
}

impl Passwords {
    /// Starts the thread.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start() -> io::Result<Passwords> {
        let (jobs, todo) = sync_channel(WAITING);
        std::thread::Builder::new().name("passwords".to_owned()).spawn(move || {
            // For mailboxes that do not exist: a guesser is not to hear the difference.
            let nobody = hash("").unwrap_or_default();
            while let Ok(job) = todo.recv() {
                // Whoever asked may have gone.
                match job {
                    Job::Verify(password, known, answer) => {
                        let right = verify(&password, known.as_deref().unwrap_or(&nobody));
                        let _ = answer.send(right && known.is_some());
                    }
                    Job::Hash(password, answer) => {
                        let _ = answer.send(hash(&password));
                    }
                }
            }
        })?;
        Ok(Passwords { jobs })
    }

    /// Whether a password is the one of this hash; never without a hash. `None` when too many are checked already.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Option<bool> {
        let (answer, answered) = oneshot::channel();
        self.jobs.try_send(Job::Verify(password.to_owned(), hash.map(str::to_owned), answer)).ok()?;
        answered.await.ok()
    }

    /// The hash of a new password; `None` when too many are made already.
    pub async fn hash(&self, password: &str) -> Option<String> {
        let (answer, answered) = oneshot::channel();
        self.jobs.try_send(Job::Hash(password.to_owned(), answer)).ok()?;
        answered.await.ok()?
    }
}

/// The hash of a password, as a PHC string.
#[must_use]
pub fn hash(password: &str) -> Option<String> {
    Argon2::default().hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
}

fn verify(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Why a password is not taken.
#[must_use]
pub fn fault(password: &str, number: &str, least: usize) -> Option<&'static str> {
    let digits: Vec<u8> = password.bytes().filter(u8::is_ascii_digit).collect();
    let steps = |by: i16| digits.windows(2).all(|pair| matches!(pair, [a, b] if i16::from(*b) - i16::from(*a) == by));
    let halves = digits.split_at_checked(digits.len() / 2);
    if digits.len() != password.len() {
        Some("holds something else than digits")
    } else if digits.len() < least {
        Some("is too short")
    } else if password == number || number.chars().rev().collect::<String>() == password {
        Some("is the mailbox's number")
    } else if steps(0) || steps(1) || steps(-1) {
        Some("is a row of digits")
    } else if halves.is_some_and(|(first, second)| first == second) {
        Some("is the same twice")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trivial_passwords_are_refused() {
        for password in ["", "123", "1111", "1234", "4321", "1001", "0110", "1212", "98765", "12a4", "7*77", "555555"] {
            assert!(fault(password, "1001", 4).is_some(), "{password}");
        }
        for password in ["2580", "7351", "1357", "00012"] {
            assert_eq!(fault(password, "1001", 4), None, "{password}");
        }
        assert!(fault("2580", "1001", 6).is_some());
    }

    #[tokio::test]
    async fn a_hash_is_of_one_password_only() {
        let passwords = Passwords::start().unwrap();
        let hash = passwords.hash("2580").await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert_eq!(passwords.verify("2580", Some(&hash)).await, Some(true));
        assert_eq!(passwords.verify("2581", Some(&hash)).await, Some(false));
        for nothing in [None, Some(""), Some("2580"), Some("$argon2id$")] {
            assert_eq!(passwords.verify("", nothing).await, Some(false), "{nothing:?}");
        }
    }
}
