//! A node with mailboxes, for tests of voicemail: lines, whose mailboxes they are, and messages of tones.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests; each uses a part"
)]

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use lab::{Conversation, Manner, Node, NodeBuilder, Transcript, Voice, wait_until};
use tandem::store::password;
use uuid::Uuid;

pub const SOON: Duration = Duration::from_secs(30);
pub const SECOND: Duration = Duration::from_secs(1);

/// The password of every mailbox.
pub const PASSWORD: &str = "2580";

/// Tones that tell messages apart, none of which a prompt has.
pub const TONES: [u32; 5] = [500, 620, 740, 860, 980];

/// The account and its lines `2101`, `2102`, ...: each has the extension and the mailbox of its number, which it may enter without a password.
/// What tests need besides is `UPDATE`d.
#[must_use]
pub fn account(lines: &[&str]) -> String {
    let hash = password::hash(PASSWORD).unwrap();
    let mut sql = String::from(
        "INSERT INTO accounts (id, name, status, currency, time_zone, created_at)
            VALUES ('voice', 'Voices', 'active', 'USD', 'America/Chicago', '2026-01-01 00:00:00');\n",
    );
    for line in lines {
        let _ = write!(
            sql,
            "INSERT INTO phone_lines (id, account_id, name, status, country, created_at)
                VALUES ('{line}', 'voice', 'Line {line}', 'active', 'US', '2026-01-01 00:00:00');
             INSERT INTO mailboxes (id, account_id, number, name, password_hash, set_up, login_from_line, min_seconds, created_at)
                VALUES ('{line}', 'voice', '{line}', '{}', '{hash}', TRUE, TRUE, 1, '2026-01-01 00:00:00');
             UPDATE phone_lines SET mailbox_id = '{line}' WHERE id = '{line}';
             INSERT INTO extensions (account_id, extension, line_id) VALUES ('voice', '{line}', '{line}');\n",
            name(line)
        );
    }
    sql
}

/// Whose the mailbox of a line is: each has letters of its own.
#[must_use]
pub fn name(line: &str) -> String {
    let letters: String =
        line.chars().map(|digit| "kadgjmptwz".chars().nth(digit.to_digit(10).unwrap() as usize).unwrap()).collect();
    format!("Owner {letters}")
}

/// Messages in a folder of a mailbox, oldest first, each a tone of two seconds.
#[must_use]
pub fn messages(mailbox: &str, folder: &str, tones: &[u32]) -> String {
    tones
        .iter()
        .enumerate()
        .map(|(nth, hertz)| message(mailbox, folder, false, nth, &wav(*hertz, 2), "12145550123"))
        .collect()
}

/// A message that was left `nth` minutes after noon.
#[must_use]
pub fn message(mailbox: &str, folder: &str, urgent: bool, nth: usize, audio: &[u8], caller: &str) -> String {
    let id = Uuid::now_v7();
    let hex: String = audio.iter().map(|byte| format!("{byte:02X}")).collect();
    let (bytes, duration) = (audio.len(), (audio.len() - 44) / 16);
    let at = format!("2026-11-01 18:{nth:02}:00.000");
    format!(
        "INSERT INTO mailbox_audio (id, part, audio) VALUES ('{id}', 0, X'{hex}');
         INSERT INTO mailbox_messages (id, mailbox_id, account_id, folder, urgent, caller_number, left_at, duration_ms, place, format, bytes, node,
            uniqueid, changed_at)
            VALUES ('{id}', '{mailbox}', (SELECT account_id FROM mailboxes WHERE id = '{mailbox}'), '{folder}', {urgent}, '{caller}', '{at}', {duration}, 'database', 'wav', {bytes}, 'test', '1.1', '{at}');\n"
    )
}

/// A tone as Asterisk records it.
#[must_use]
pub fn wav(hertz: u32, seconds: u32) -> Vec<u8> {
    let samples = seconds * 8000;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + samples * 2).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data");
    bytes.extend((samples * 2).to_le_bytes());
    for at in 0..samples {
        let angle = std::f64::consts::TAU * f64::from(hertz) * f64::from(at) / 8000.0;
        bytes.extend(((8000.0 * angle.sin()) as i16).to_le_bytes());
    }
    bytes
}

/// A node whose lines are these, with phones that are busy: their calls go to the mailbox.
#[must_use]
pub fn builder(lines: &[&str]) -> NodeBuilder {
    bare(lines).sql(&account(lines))
}

/// The same without its data: they are in a database of its own.
#[must_use]
pub fn bare(lines: &[&str]) -> NodeBuilder {
    let mut builder =
        Node::builder().brief_prompts().set("replica.poll_ms", "200").set("voicemail.guess_delay_ms", "10");
    for line in lines {
        builder = builder.line(line, Manner::Refuses(486));
    }
    builder
}

/// A node with its transcript.
pub struct Stage {
    pub node: Node,
    pub transcript: Transcript,
}

impl Stage {
    /// Its calls reach the agent so.
    #[must_use]
    pub fn by(transport: Transport, builder: NodeBuilder) -> Stage {
        match transport {
            Transport::Agi => Stage::start(builder),
            Transport::Ari => {
                let mut stage = Stage::start(builder.by_ari().set("log.filter", "info,tandem::adapters=debug"));
                stage.transcript = stage.transcript.with(&stage.node.agent);
                stage
            }
        }
    }

    #[must_use]
    pub fn start(builder: NodeBuilder) -> Stage {
        let node = builder.start();
        let transcript = Transcript::begin(&node.asterisk);
        Stage { node, transcript }
    }

    /// A call of a line.
    #[must_use]
    pub fn call<'a>(&'a self, line: &str, voice: &'a Voice, number: &str) -> Conversation<'a> {
        let phone = self.node.peer(line);
        Conversation::begin(&self.transcript, phone, voice, line, self.node.asterisk.address(), number)
    }

    #[must_use]
    pub fn voice(&self, line: &str) -> Voice {
        self.node.peer(line).voice()
    }

    /// Rows of the node's SQLite, as text: `a|b`.
    #[must_use]
    pub fn rows(&self, question: &str) -> Vec<String> {
        rows(&self.node.agent.plan().folder().join("tandem.db"), question)
    }

    /// What is in a mailbox: `folder|urgent`, oldest first.
    #[must_use]
    pub fn contents(&self, mailbox: &str) -> Vec<String> {
        self.rows(&format!(
            "SELECT folder, urgent FROM mailbox_messages WHERE mailbox_id = '{mailbox}' ORDER BY left_at, id"
        ))
    }

    /// Waits until that is in the mailbox.
    pub fn wait_contents(&self, mailbox: &str, wanted: &[&str]) {
        let what = format!("{wanted:?} in mailbox {mailbox}, where {:?} is", self.contents(mailbox));
        wait_until(&what, SOON, || self.contents(mailbox) == wanted);
    }

    /// Lengths of the messages in a mailbox, oldest first.
    #[must_use]
    pub fn lengths(&self, mailbox: &str) -> Vec<Duration> {
        let question =
            format!("SELECT duration_ms FROM mailbox_messages WHERE mailbox_id = '{mailbox}' ORDER BY left_at, id");
        self.rows(&question).iter().map(|ms| Duration::from_millis(ms.parse().unwrap())).collect()
    }

    /// Files that wait on the node: recordings, spool, mails.
    #[must_use]
    pub fn left_behind(&self) -> Vec<String> {
        left_behind(self.node.agent.plan().folder())
    }
}

/// Files that wait in an agent's folder: recordings, spool, mails.
#[must_use]
pub fn left_behind(folder: &lab::Folder) -> Vec<String> {
    let mut left = Vec::new();
    for place in ["recordings", "voicemail", "voicemail/quarantine", "voicemail/post/waiting"] {
        for file in std::fs::read_dir(folder.join(place)).into_iter().flatten().flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            if file.file_type().is_ok_and(|kind| kind.is_file()) && !["id", "lock"].contains(&name.as_str()) {
                left.push(name);
            }
        }
    }
    left
}

/// Rows of a SQLite file, as text: `a|b`.
#[must_use]
pub fn rows(file: &std::path::Path, question: &str) -> Vec<String> {
    use sqlx::{Column as _, Connection as _, Row as _, TypeInfo as _};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = sqlx::SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
        let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(question)).fetch_all(&mut connection).await.unwrap();
        let text = |row: &sqlx::sqlite::SqliteRow| {
            let values: Vec<String> = row
                .columns()
                .iter()
                .map(|column| match column.type_info().name() {
                    "TEXT" => row.try_get_unchecked::<String, _>(column.ordinal()).unwrap_or_default(),
                    _ => row
                        .try_get_unchecked::<i64, _>(column.ordinal())
                        .map(|number| number.to_string())
                        .or_else(|_| row.try_get_unchecked::<String, _>(column.ordinal()))
                        .unwrap_or_default(),
                })
                .collect();
            values.join("|")
        };
        rows.iter().map(text).collect()
    })
}

/// How the calls of a stage reach the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    Agi,
    Ari,
}

thread_local! {
    /// What this thread's conversation is held by.
    static TRANSPORT: Cell<Transport> = const { Cell::new(Transport::Agi) };
}

/// What this thread's conversation is held by.
#[must_use]
pub fn transport() -> Transport {
    TRANSPORT.get()
}

/// A stage for each transport: what is true on the one has to be on the other.
pub struct Stages<S> {
    agi: OnceLock<S>,
    ari: OnceLock<S>,
}

impl<S> Stages<S> {
    #[must_use]
    pub const fn new() -> Stages<S> {
        Stages { agi: OnceLock::new(), ari: OnceLock::new() }
    }

    /// The one of this thread's conversation.
    pub fn get(&self, start: impl FnOnce(Transport) -> S) -> &S {
        match TRANSPORT.get() {
            Transport::Agi => self.agi.get_or_init(|| start(Transport::Agi)),
            Transport::Ari => self.ari.get_or_init(|| start(Transport::Ari)),
        }
    }
}

/// A conversation, and what it is held by.
type Held = (&'static str, Transport);

/// Conversations that go on side by side, over each transport: most of each is waiting. Those are held that the test runner was asked for.
pub struct Crowd {
    results: Mutex<HashMap<Held, Receiver<thread::Result<()>>>>,
}

impl Crowd {
    #[must_use]
    pub fn start(conversations: Vec<(&'static str, fn())>) -> Crowd {
        let filters: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
        let wanted = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
        let mut results = HashMap::new();
        for transport in [Transport::Agi, Transport::Ari] {
            let mut todo = VecDeque::new();
            for (name, conversation) in conversations.iter().filter(|(name, _)| wanted(name)) {
                let (result, awaited) = channel();
                results.insert((*name, transport), awaited);
                todo.push_back((*conversation, result));
            }
            let todo = Arc::new(Mutex::new(todo));
            for _ in 0..12 {
                let todo = Arc::clone(&todo);
                thread::spawn(move || {
                    TRANSPORT.set(transport);
                    loop {
                        let next = todo.lock().unwrap().pop_front();
                        let Some((conversation, result)) = next else { return };
                        let _ = result.send(std::panic::catch_unwind(conversation));
                    }
                });
            }
        }
        Crowd { results: Mutex::new(results) }
    }

    /// Waits for a conversation, and fails as it did.
    pub fn wait(&self, name: &'static str) {
        for transport in [Transport::Agi, Transport::Ari] {
            let awaited = self.results.lock().unwrap().remove(&(name, transport)).unwrap();
            if let Err(panic) = awaited.recv().unwrap() {
                let said = panic.downcast_ref::<String>().cloned();
                let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                panic!("over {transport:?}: {}", said.unwrap_or_default());
            }
        }
    }
}

/// Tests that are conversations of a [`Crowd`].
#[macro_export]
macro_rules! conversations {
    ($(fn $name:ident() $body:block)*) => {
        fn crowd() -> &'static mailbox_stage::Crowd {
            static CROWD: std::sync::OnceLock<mailbox_stage::Crowd> = std::sync::OnceLock::new();
            CROWD.get_or_init(|| mailbox_stage::Crowd::start(vec![$((stringify!($name), (|| $body) as fn())),*]))
        }

        $(#[test]
        fn $name() {
            crowd().wait(stringify!($name));
        })*
    };
}
