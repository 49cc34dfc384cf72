//! The bad days of voicemail: each store away and back, the database away, the disk full, the cache gone. No message is lost, none is there twice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "tests")]

mod mailbox_stage;

use std::fs;
use std::process::Command;
use std::time::Duration;

use lab::{Agent, AgentBuilder, Does, Folder, MariaDb, Postgres, S3Server, Session, SimulatedCall, wait_until};
use mailbox_stage::{SOON, account, left_behind, rows, wav};

/// A caller who says a tone and hangs up.
fn leaves(agent: &Agent, mailbox: &str, hertz: u32) -> Session {
    let script = vec![("RECORD FILE", Does::SpeaksAndHangsUp(wav(hertz, 2)))];
    SimulatedCall::new(&format!("voicemail/{mailbox}/unavailable"), "555", script).run(agent.agi())
}

/// An owner who listens to the first message; the session.
fn listens(agent: &Agent, mailbox: &str) -> Session {
    let script = vec![("vm-opts", Does::Key('1')), ("vm-advopts", Does::Key('#'))];
    SimulatedCall::new(&format!("mailbox/line/{mailbox}/own"), mailbox, script).run(agent.agi())
}

/// What Asterisk was told to play as the message.
fn played(session: &Session) -> Vec<u8> {
    let command = session.commands.iter().find(|command| command.starts_with("CONTROL STREAM FILE"));
    let path = command.unwrap_or_else(|| panic!("{session:?}")).split('"').nth(1).unwrap();
    ["wav", "WAV"].iter().find_map(|extension| fs::read(format!("{path}.{extension}")).ok()).unwrap_or_default()
}

fn plan() -> AgentBuilder {
    Agent::builder().set("replica.poll_ms", "100").set("voicemail.guess_delay_ms", "1")
}

fn with_account(plan: AgentBuilder) -> AgentBuilder {
    plan.tandem_ok(&["migrate"]);
    plan.sql(&account(&["2101", "2102"]));
    plan
}

fn settles(agent: &Agent) {
    let folder = agent.plan().folder();
    wait_until(&format!("{:?} is left", left_behind(folder)), SOON * 3, || left_behind(folder).is_empty());
}

fn sqlite(agent: &Agent, question: &str) -> Vec<String> {
    rows(&agent.plan().folder().join("tandem.db"), question)
}

#[test]
fn audio_in_s3_is_kept_until_the_server_is_back_and_removed_with_its_message() {
    let mut server = S3Server::default();
    let plan = plan()
        .set("voicemail.store", "s3")
        .set("voicemail.s3_bucket", "voicemail")
        .set("voicemail.s3_endpoint", &server.url())
        .set("voicemail.s3_key", S3Server::KEYS.0)
        .set("voicemail.s3_secret", S3Server::KEYS.1)
        .set("voicemail.upkeep_seconds", "1");
    let agent = with_account(plan).start();
    leaves(&agent, "2101", 500);
    wait_until("it waits", SOON, || agent.log().contains("rows wait, and are tried again"));
    assert_eq!(sqlite(&agent, "SELECT COUNT(*) FROM mailbox_messages"), ["0"], "no row without its audio");
    server.start();
    wait_until("the message", SOON * 3, || sqlite(&agent, "SELECT place FROM mailbox_messages") == ["s3"]);
    settles(&agent);
    let ids = sqlite(&agent, "SELECT id FROM mailbox_messages");
    assert_eq!(server.objects(), ids);
    assert!(agent.plan().tandem_ok(&["mailbox", "messages", "2101"]).contains(&ids[0]));

    // Played, though the cache is emptied before; then deleted, there as well.
    let cache = agent.plan().folder().join("cache");
    let _ = fs::remove_dir_all(&cache);
    assert!(played(&listens(&agent, "2101")).starts_with(b"RIFF"));
    fs::remove_dir_all(&cache).unwrap();
    let script =
        vec![("vm-opts", Does::Key('1')), ("CONTROL STREAM FILE", Does::Key('7')), ("vm-undelete", Does::Key('#'))];
    SimulatedCall::new("mailbox/line/2101/own", "2101", script).run(agent.agi());
    wait_until("it is gone", SOON, || {
        sqlite(&agent, "SELECT COUNT(*) FROM mailbox_messages") == ["0"] && server.objects().is_empty()
    });
    assert_eq!(sqlite(&agent, "SELECT COUNT(*) FROM mailbox_audio_removals"), ["0"]);

    // The bucket is away while a message is to be heard.
    leaves(&agent, "2101", 500);
    settles(&agent);
    server.stop();
    let session = listens(&agent, "2101");
    assert!(session.heard("im-sorry") && session.heard("vm-goodbye"), "{session:?}");
    assert!(!agent.log().contains(S3Server::KEYS.1), "the secret is in the log");
}

#[test]
fn audio_in_a_shared_directory_is_read_by_every_node() {
    let shared = Folder::new("shared");
    let directory = shared.path().display().to_string();
    let plan = || plan().set("voicemail.store", "directory").set("voicemail.directory", &directory);
    let first = with_account(plan()).start();
    let database = format!("sqlite:{}", first.plan().folder().join("tandem.db").display());
    let second = plan().set("database.urls", &database).set("node.name", "second").start();
    leaves(&first, "2101", 500);
    settles(&first);
    assert_eq!(sqlite(&first, "SELECT place FROM mailbox_messages"), ["directory"]);
    assert!(played(&listens(&second, "2101")).starts_with(b"RIFF"));

    // Read-only for a while: what is left then waits, and one who wants to know is told.
    let day = fs::read_dir(shared.path()).unwrap().flatten().next().unwrap().path();
    let away = shared.path().with_extension("away");
    fs::rename(shared.path(), &away).unwrap();
    fs::write(shared.path(), "no directory").unwrap();
    leaves(&first, "2102", 620);
    wait_until("it waits", SOON, || first.log().contains("rows wait, and are tried again"));
    fs::remove_file(shared.path()).unwrap();
    fs::rename(&away, shared.path()).unwrap();
    settles(&first);
    assert_eq!(sqlite(&first, "SELECT COUNT(*) FROM mailbox_messages"), ["2"]);
    assert_eq!(fs::read_dir(day).unwrap().count(), 2, "nothing half-written is left");
}

/// Whatever the database does, the caller leaves a message, and the owner is told that it is away.
fn without_the_database(url: &str, sql: &dyn Fn(&str) -> String, away: &mut dyn FnMut(bool)) {
    let plan = plan().set("database.urls", url).set("voicemail.alarm_seconds", "1");
    plan.tandem_ok(&["migrate"]);
    let agent = plan.start();
    sql(&account(&["2101", "2102"]));
    leaves(&agent, "2101", 500);
    let count = |what: &str| sql(what).trim().lines().last().unwrap_or_default().trim().to_owned();
    wait_until("a message", SOON, || count("SELECT COUNT(*) FROM mailbox_messages") == "1");
    wait_until("the replica", SOON, || agent.log().contains("the replica") || agent.get("/ready").is_some());
    std::thread::sleep(Duration::from_secs(1));

    away(true);
    let session = leaves(&agent, "2102", 620);
    assert!(session.heard("vm-theperson") && session.heard("RECORD FILE") || session.cut, "{session:?}");
    assert!(session.commands.iter().any(|command| command.starts_with("RECORD FILE")), "{session:?}");
    // The owner hears how many there are, as far as the node knows, and an apology; the password is asked all the same.
    let script = vec![("vm-password", Does::Digits("2580"))];
    let session = SimulatedCall::new(
        "mailbox/line/2101/any",
        "2101",
        [vec![("vm-login", Does::Digits("2101"))], script].concat(),
    )
    .run(agent.agi());
    for said in ["vm-youhave", "SAY NUMBER \"1\"", "vm-INBOX", "im-sorry", "please-try-call-later", "vm-goodbye"] {
        assert!(session.heard(said), "{said} in {session:?}");
    }
    let script = vec![("vm-login", Does::Digits("2101")), ("vm-password", Does::Digits("1470"))];
    let session = SimulatedCall::new("mailbox/line/2101/any", "2101", script).run(agent.agi());
    assert!(!session.heard("vm-youhave"), "{session:?}");
    // A database that hangs is given up after 20 s.
    wait_until("an alarm", SOON * 4, || agent.get("/status").unwrap().1.contains("voicemail.waiting"));
    assert!(!left_behind(agent.plan().folder()).is_empty(), "it waits on the node");

    away(false);
    settles(&agent);
    wait_until("both", SOON, || count("SELECT COUNT(*) FROM mailbox_messages") == "2");
    assert!(played(&listens(&agent, "2102")).starts_with(b"RIFF"));
    wait_until("no alarm", SOON, || !agent.get("/status").unwrap().1.contains("voicemail.waiting"));
}

#[test]
fn without_mariadb_messages_are_left_and_owners_are_told() {
    let server = std::cell::RefCell::new(MariaDb::start());
    let url = server.borrow().url();
    without_the_database(&url, &|text| server.borrow().sql(&format!("USE tandem; {text}")), &mut |gone| {
        if gone { server.borrow_mut().kill() } else { server.borrow_mut().restart() }
    });
}

#[test]
fn without_postgres_messages_are_left_and_owners_are_told() {
    let server = std::cell::RefCell::new(Postgres::start());
    let url = server.borrow().url();
    // It hangs rather than refuses.
    without_the_database(&url, &|text| server.borrow().sql_in("tandem", text), &mut |gone| {
        if gone { server.borrow().pause() } else { server.borrow().resume() }
    });
}

#[test]
fn on_a_full_disk_a_message_is_kept_or_the_caller_is_told() {
    // A file system of one MiB for recordings and spool.
    let folder = Folder::new("full");
    let mounted = folder.path().display().to_string();
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m,mode=777", "tmpfs", &mounted]).status();
    if !mount.is_ok_and(|status| status.success()) {
        println!("SKIPPED: no disk of its own to fill");
        return;
    }
    let _mounted = Mounted(mounted);
    let (recordings, spool) = (folder.folder("recordings"), folder.folder("spool"));
    let plan = plan()
        .set("media.recordings", &recordings.display().to_string())
        .set("voicemail.spool", &spool.display().to_string())
        .set("voicemail.compact", "false");
    let agent = with_account(plan).start();
    let fill = |size: usize| fs::write(folder.join("fill"), vec![0; size]).is_ok();
    // No room for the notes even: nobody is recorded who would not be kept.
    assert!(!fill(1 << 20), "it is full");
    let session = leaves(&agent, "2101", 500);
    assert!(session.heard("im-sorry") && session.heard("vm-goodbye"), "{session:?}");
    assert!(!session.heard("RECORD FILE"), "{session:?}");
    // Room for the recording of 32 kB, but not for a second copy in the spool: it waits where it is, and is shipped when there is room.
    assert!(fill((1 << 20) - 61_440));
    leaves(&agent, "2101", 620);
    wait_until("it is told", SOON, || agent.log().contains("waits beside the spool"));
    assert_eq!(sqlite(&agent, "SELECT COUNT(*) FROM mailbox_messages"), ["0"]);
    fs::remove_file(folder.join("fill")).unwrap();
    wait_until("the message", SOON * 3, || sqlite(&agent, "SELECT duration_ms FROM mailbox_messages") == ["2000"]);
    // But a folder, in which what is intercepted is.
    let left = || fs::read_dir(&recordings).unwrap().flatten().filter(|file| file.path().is_file()).count();
    wait_until("nothing is left", SOON, || left() == 0);
}

struct Mounted(String);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l", &self.0]).status();
    }
}

#[test]
fn the_cache_is_bounded_and_what_is_old_is_deleted_by_one_node() {
    let plan =
        plan().set("voicemail.cache_mib", "1").set("voicemail.compact", "false").set("voicemail.upkeep_seconds", "1");
    let agent = with_account(plan).start();
    let database = format!("sqlite:{}", agent.plan().folder().join("tandem.db").display());
    let second = Agent::builder()
        .set("database.urls", &database)
        .set("node.name", "second")
        .set("voicemail.upkeep_seconds", "1")
        .start();
    for _ in 0..5 {
        let script = vec![("RECORD FILE", Does::SpeaksAndHangsUp(wav(500, 30)))];
        SimulatedCall::new("voicemail/2101/unavailable", "555", script).run(agent.agi());
    }
    settles(&agent);
    let next = |text| (text, Does::Key('6'));
    let script = vec![
        ("vm-opts", Does::Key('1')),
        next("vm-advopts"),
        next("vm-advopts"),
        next("vm-advopts"),
        next("vm-advopts"),
        ("vm-advopts", Does::Key('#')),
    ];
    let session = SimulatedCall::new("mailbox/line/2101/own", "2101", script).run(agent.agi());
    assert_eq!(session.commands.iter().filter(|command| command.starts_with("CONTROL STREAM FILE")).count(), 5);
    let cache = agent.plan().folder().join("cache");
    let size: u64 = fs::read_dir(cache).unwrap().flatten().map(|file| file.metadata().unwrap().len()).sum();
    assert!(size > 400_000 && size <= 1 << 20, "{size}");

    // Three days old where two are kept.
    agent.plan().sql(
        "UPDATE mailboxes SET retention_days = 2;
         UPDATE mailbox_messages SET left_at = strftime('%Y-%m-%d %H:%M:%f', 'now', '-3 days')
            WHERE id IN (SELECT id FROM mailbox_messages ORDER BY id LIMIT 3)",
    );
    wait_until("the old ones go", SOON, || sqlite(&agent, "SELECT COUNT(*) FROM mailbox_messages") == ["2"]);
    assert_eq!(sqlite(&agent, "SELECT COUNT(DISTINCT id) FROM mailbox_audio"), ["2"]);
    let deleted = [agent.log(), second.log()].iter().filter(|log| log.contains("were kept long enough")).count();
    assert_eq!(deleted, 1, "one node does it");
    let holder = sqlite(&agent, "SELECT node FROM job_leases WHERE job = 'mailbox-upkeep'").remove(0);
    // When that node dies, another takes over.
    let (mut first, mut second) = (agent, second);
    let dead = if holder == "second" { &mut second } else { &mut first };
    dead.process().kill();
    let holds = || {
        rows(
            &std::path::PathBuf::from(database.trim_start_matches("sqlite:")),
            "SELECT node FROM job_leases WHERE job = 'mailbox-upkeep'",
        )
        .remove(0)
    };
    wait_until("another takes over", SOON, || holds() != holder);
}

#[test]
fn a_peer_that_is_full_of_garbage_costs_nobody_a_message() {
    let agent = with_account(plan()).start();
    let spool = agent.plan().folder().join("voicemail");
    let name = |nth: u8| format!("01890000-0000-7000-8000-00000000000{nth}.0.node.segment");
    fs::write(spool.join(name(1)), "garbage\nmore garbage").unwrap();
    fs::write(
        spool.join(name(2)),
        "tandem-voicemail-1 {\"audio\":99,\"format\":\"wav\",\"duration_ms\":1,\"changes\":[]}\nshort",
    )
    .unwrap();
    fs::write(agent.plan().folder().join("recordings/voicemail-01890000-0000-7000-8000-000000000003.json"), "{")
        .unwrap();
    leaves(&agent, "2101", 500);
    // And one for a mailbox that was deleted meanwhile.
    wait_until("the message", SOON, || sqlite(&agent, "SELECT COUNT(*) FROM mailbox_messages") == ["1"]);
    wait_until("the garbage is set aside", SOON * 3, || fs::read_dir(spool.join("quarantine")).unwrap().count() == 4);
    let (_, status) = agent.get("/status").unwrap();
    assert!(
        status.contains("voicemail.quarantine") && status.contains("tandem records retry --of voicemail"),
        "{status}"
    );
    let told = agent.plan().tandem_ok(&["records", "status", "--of", "voicemail"]);
    assert!(told.contains("quarantine   ") && !told.contains("quarantine   0 rows"), "{told}");
    assert!(agent.plan().tandem_ok(&["records", "retry", "--of", "voicemail"]).contains("rows are put back"));
}
