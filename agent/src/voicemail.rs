//! Voicemail on its way: from what Asterisk recorded to a message that any node can play, and to its owner's lamp and mail.
//!
//! # A message's way
//!
//! ```text
//! <recordings>/voicemail-<uuid>.json    what is known of it, on disk before the caller speaks
//! <recordings>/voicemail-<uuid>.wav     Asterisk records
//! <spool>/<segment>                     one message for one mailbox, with its audio (the format of `buffer`)
//! the central store                     audio and row, in one step
//! <spool>/post/waiting/<uuid>.json      mails, pager texts and webhooks about it, with their audio
//! ```
//!
//! # Invariants
//!
//! 1. A message's id is written down before it is recorded: however often a step is done again, there is one message.
//! 2. A recording is removed when all of its messages are in the spool, a segment when its message is in the central store, and the errands about it are
//!    on disk; never before.
//! 3. What a dead session or a dead agent left of a recording is put into the spool by the next one ([`drafts`]).
//! 4. A caller waits for the disk of the node, and for nothing central.
//!
//! [`drafts`] are recordings in progress, [`clerk`] is the thread that works at the disk for the flows, [`item`] what is in the spool, [`cargo`] what the
//! buffer ships; [`errand`], [`text`] and [`postman`] tell owners by mail and web, [`lamps`] by their phones; [`passwords`] checks them, [`guesses`] counts while the
//! database is away, [`upkeep`] and [`names`] are done by one node for all.

pub mod cargo;
pub mod clerk;
pub mod drafts;
pub mod errand;
pub mod guesses;
pub mod item;
pub mod lamps;
pub mod names;
pub mod passwords;
pub mod postman;
pub mod text;
pub mod upkeep;

use std::time::Duration;

use crate::media::cache::Cache;
use crate::media::sox::Sox;
use clerk::Clerk;
use guesses::Guesses;
use passwords::Passwords;

/// What the flows of mailboxes need.
#[derive(Debug, Clone)]
pub struct Voicemail {
    /// Works at the disk.
    pub clerk: Clerk,
    /// Audio on this node.
    pub cache: Cache,
    /// Puts recordings together.
    pub sox: Sox,
    /// Checks passwords.
    pub passwords: Passwords,
    /// Those that were tried while the database was away.
    pub guesses: Guesses,
    /// What holds for all mailboxes.
    pub rules: Rules,
}

/// What holds for all mailboxes.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Sound that a message has at the least; with less it is silence, and not kept.
    pub least_sound: Duration,
    /// Digits of a password at the least.
    pub password_digits: usize,
    /// Wrong passwords in a row after which a mailbox is locked.
    pub lockout_guesses: i64,
    /// For how long, at first.
    pub lockout: Duration,
    /// Pause after the first wrong password; each further one doubles it.
    pub guess_delay: Duration,
}
