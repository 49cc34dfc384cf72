//! Passwords of mailboxes: argon2id, on a thread of its own, since each takes tens of milliseconds and 19 MiB by intention (OWASP's parameters).

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};

use tokio::sync::oneshot;

use crate::store::password::{hash, verify};

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

#[cfg(test)]
mod tests {
    use super::*;

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
