//! What is in a mailbox, as its owner goes through it. Numbers are computed here; others may leave, move and delete meanwhile, by ids that never
//! collide.

use std::collections::HashSet;

use chrono::Utc;
use tokio::time::Instant;
use uuid::Uuid;

use super::super::Ports;
use super::{QUESTION, asking};
use crate::store::StoreError;
use crate::store::asking::Source;
use crate::store::mailbox::{Change, Counts, Folder, Mailbox, Message};

/// A message, and what its owner did with it since the folder was opened.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub message: Message,
    pub heard: bool,
    pub deleted: bool,
    /// Where it was saved to.
    pub saved_to: Option<Folder>,
}

/// An owner's visit.
pub(super) struct Session<'a> {
    pub ports: &'a Ports,
    pub mailbox: Mailbox,
    entries: Vec<Entry>,
    folder: Folder,
    /// Places in `entries` of what is in the folder, in the order in which it is told.
    shown: Vec<usize>,
    current: Option<usize>,
    outdated: bool,
}

impl<'a> Session<'a> {
    /// Opens a mailbox.
    pub(super) async fn open(mailbox: Mailbox, ports: &'a Ports) -> Result<Session<'a>, StoreError> {
        let mut asking = asking();
        let messages = ports.store.messages(&mailbox.id, &mut asking).await?;
        let mut session = Session {
            ports,
            mailbox,
            entries: Vec::new(),
            folder: Folder::Inbox,
            shown: Vec::new(),
            current: None,
            outdated: asking.source() != Some(Source::Central),
        };
        session.add(messages);
        Ok(session)
    }

    /// Whether this is what the node knew when it last saw the database.
    pub(super) fn is_outdated(&self) -> bool {
        self.outdated
    }

    pub(super) fn counts(&self) -> Counts {
        let count = |wanted: &dyn Fn(&Message) -> bool| {
            let found = self.entries.iter().filter(|entry| wanted(&entry.message)).count();
            i64::try_from(found).unwrap_or(i64::MAX)
        };
        Counts {
            urgent: count(&|message| message.folder == Folder::Inbox && message.urgent),
            fresh: count(&|message| message.folder == Folder::Inbox && !message.urgent),
            old: count(&|message| message.folder == Folder::Old),
        }
    }

    /// Opens the first folder: the old messages, if there are no new ones.
    pub(super) fn start(&mut self) {
        let counts = self.counts();
        let only_old = counts.urgent + counts.fresh == 0 && counts.old > 0;
        self.show(if only_old { Folder::Old } else { Folder::Inbox });
    }

    pub(super) fn folder(&self) -> Folder {
        self.folder
    }

    /// Messages in the folder.
    pub(super) fn len(&self) -> usize {
        self.shown.len()
    }

    /// Place of the current message in the folder, from 0; `None` before one was chosen.
    pub(super) fn place(&self) -> Option<usize> {
        self.current
    }

    pub(super) fn current(&self) -> Option<&Entry> {
        self.entries.get(*self.shown.get(self.current?)?)
    }

    pub(super) fn current_mut(&mut self) -> Option<&mut Entry> {
        let place = *self.shown.get(self.current?)?;
        self.entries.get_mut(place)
    }

    /// Goes to a message of the folder; false when there is none at this place.
    pub(super) fn go(&mut self, place: usize) -> bool {
        let there = place < self.shown.len();
        if there {
            self.current = Some(place);
        }
        there
    }

    /// Closes the folder, which makes what was done there hold, and opens another.
    pub(super) async fn change_folder(&mut self, folder: Folder) {
        self.commit().await;
        if let Ok(messages) = self.ports.store.messages(&self.mailbox.id, &mut asking()).await {
            self.add(messages);
        }
        self.show(folder);
    }

    /// Makes what the owner did hold: heard messages are old, saved ones are where they were put, deleted ones go. What the database does not take now
    /// is sent later.
    pub(super) async fn commit(&mut self) {
        let now = Utc::now();
        let mut changes = Vec::new();
        for entry in &mut self.entries {
            let id = entry.message.audio.id;
            let heard = entry.heard && entry.message.folder == Folder::Inbox;
            if std::mem::take(&mut entry.deleted) {
                changes.push(Change::Delete(id));
                continue;
            }
            if let Some(folder) = entry.saved_to.take().or_else(|| heard.then_some(Folder::Old)) {
                changes.push(Change::Move(id, folder, now));
                entry.message.folder = folder;
            }
            entry.heard = false;
        }
        let gone: HashSet<Uuid> =
            changes.iter().filter(|change| matches!(change, Change::Delete(_))).map(Change::id).collect();
        self.entries.retain(|entry| !gone.contains(&entry.message.audio.id));
        if changes.is_empty() {
            return;
        }
        let made = self.ports.store.change_messages(&changes, Instant::now() + QUESTION).await;
        self.ports.store.follow_now();
        if let Err(error) = made {
            tracing::warn!(mailbox = self.mailbox.id, %error, "what an owner did is sent to the database later");
            if let Err(error) = self.ports.voicemail.clerk.change(changes).await {
                tracing::error!(mailbox = self.mailbox.id, %error, "what an owner did is lost: neither the database nor the disk took it");
            }
        }
    }

    /// Takes in messages that are not known yet.
    fn add(&mut self, messages: Vec<Message>) {
        let known: HashSet<Uuid> = self.entries.iter().map(|entry| entry.message.audio.id).collect();
        let new = messages.into_iter().filter(|message| !known.contains(&message.audio.id));
        self.entries.extend(new.map(|message| Entry { message, heard: false, deleted: false, saved_to: None }));
    }

    /// What is in a folder, oldest first, urgent messages before the others.
    fn show(&mut self, folder: Folder) {
        self.folder = folder;
        self.current = None;
        let mut shown: Vec<usize> = (0..self.entries.len()).collect();
        shown.retain(|place| self.entries.get(*place).is_some_and(|entry| entry.message.folder == folder));
        shown.sort_by_key(|place| {
            let message = self.entries.get(*place).map(|entry| &entry.message);
            message.map(|message| (folder == Folder::Inbox && !message.urgent, message.left_at, message.audio.id))
        });
        self.shown = shown;
    }
}
