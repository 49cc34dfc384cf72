//! The bad days of the spool: lines are written as Asterisk writes them, and something is wrong with them, with the disk, or with who
//! writes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "tests")]

mod records_node;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use lab::{Agent, RecordWriter, wait_until};
use records_node::{Node, PATIENCE, segments, sent};

#[test]
fn a_second_agent_on_the_same_spool_refuses() {
    let mut node = Node::start();
    let first = node.agent.process().id().to_string();
    let spool = node.spool().display().to_string();
    let output = Agent::builder().set("records.spool", &spool).tandem(&["serve"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{text}");
    assert!(text.contains(&spool) && text.contains(&format!("process {first}")), "{text}");
    node.writer.append(1);
    node.all_arrive();
}

#[test]
fn what_is_no_line_is_set_aside_with_the_reason_and_holds_up_nothing() {
    let mut node = Node::start();
    let bad: [(&[u8], &str); 6] = [
        (b"\"tandem-call-1\",\"1-1\",\"too few\"\n", "too few"),
        (b"\"tandem-call-2\",\"of a newer dialplan\"\n", "is the dialplan newer than the agent?"),
        (b"\0\0\0\0\0\0\n", "does not begin as a record does"),
        (b"\"tandem-attempt-1\",\"1-1\",\"cut off without a line end", "has no end"),
        (b"\"tandem-call-1\",\"1-1\",\"x\",\"x\",\"a number\",\"\"\n", "is no whole number"),
        (b"\"tandem-call-1\",\"1-1\",\"cut off, then a line end\n", "too few"),
    ];
    for (bytes, _) in bad {
        node.writer.append(2);
        node.writer.write(bytes);
    }
    node.writer.append(2);
    node.all_arrive();
    let quarantine = node.spool().join("quarantine");
    wait_until("bad lines set aside", PATIENCE, || segments(&quarantine).len() == bad.len());
    let (_, status) = node.records(&["status"]);
    for (_, reason) in bad {
        assert!(status.contains(reason), "{reason} is not in\n{status}");
    }
    node.wait_alarm("records.quarantine");
    assert!(node.metric(r#"tandem_shipment_quarantined_rows{cargo="records"}"#) >= 6.0);
    assert_eq!(node.metric(r#"tandem_alarm{alarm="records.quarantine"}"#), 1.0);
    let check = node.agent.plan().tandem(&["check"]);
    assert!(String::from_utf8_lossy(&check.stdout).contains("rows are in quarantine"));
}

#[test]
fn ten_megabytes_of_garbage_are_set_aside_in_pieces() {
    let mut node = Node::start();
    node.writer.append(1);
    node.writer.write(&vec![b'x'; 10 << 20]);
    node.writer.append(3);
    node.all_arrive();
    // Nothing of it is thrown away.
    wait_until("ten megabytes in quarantine", PATIENCE, || {
        let pieces = segments(&node.spool().join("quarantine"));
        pieces.iter().map(|piece| fs::metadata(piece).unwrap().len()).sum::<u64>() == 10 << 20
    });
}

#[test]
fn a_line_that_is_cut_off_at_the_end_waits_for_its_rest() {
    let mut node = Node::start();
    let [attempt, call] = node.writer.finish_call();
    node.writer.write(attempt.as_bytes());
    let (begin, rest) = call.split_at(100);
    // Asterisk still holds the file when it is taken away.
    let mut held = File::options().create(true).append(true).open(node.folder().join("tandem.csv")).unwrap();
    held.write_all(begin.as_bytes()).unwrap();
    wait_until("the file taken", PATIENCE, || !node.folder().join("tandem.csv").exists());
    wait_until("the attempt", PATIENCE, || node.count("SELECT COUNT(*) FROM call_attempts") == 1);
    held.write_all(rest.as_bytes()).unwrap();
    node.all_arrive();
}

#[test]
fn a_writer_that_still_holds_a_file_that_was_sent_loses_nothing() {
    let mut node = Node::start();
    node.writer.append(1);
    let held = File::options().append(true).open(node.folder().join("tandem.csv"));
    // It may have been taken already.
    let Ok(mut held) = held else { return a_writer_that_still_holds_a_file_that_was_sent_loses_nothing() };
    node.all_arrive();
    wait_until("the segment filed away", PATIENCE, || sent(&node.spool()).len() == 1);
    let lines = node.writer.finish_call().concat();
    held.write_all(lines.as_bytes()).unwrap();
    node.all_arrive();
}

#[test]
fn a_rotated_file_is_taken_too_and_a_compressed_one_is_an_alarm() {
    let mut node = Node::start();
    let file = node.folder().join("tandem.csv");
    for ending in [".1", "-20261124"] {
        wait_until("a rotation before the file was taken", PATIENCE, || {
            node.writer.append(1);
            let mut name = file.clone().into_os_string();
            name.push(ending);
            fs::rename(&file, name).is_ok()
        });
    }
    fs::write(node.folder().join("tandem.csv.2.gz"), "compressed").unwrap();
    node.writer.append(1);
    node.all_arrive();
    node.wait_alarm("records.rotated");
}

#[test]
fn a_full_or_read_only_disk_holds_up_records_and_nothing_else() {
    let plan = Agent::builder().set("records.reserve_mib", "1");
    let disk = plan.folder().folder("disk");
    let mount = |options: &str| {
        let done =
            Command::new("mount").args(["-t", "tmpfs", "-o", options, "tandem-test"]).arg(&disk).output().unwrap();
        done.status.success().then_some(()).ok_or(String::from_utf8_lossy(&done.stderr).into_owned())
    };
    if let Err(why) = mount("size=6m,mode=0777") {
        println!("SKIPPED: no disk of its own to fill: {why}");
        return;
    }
    let _mounted = Unmount(disk.clone());
    let plan = plan
        .set("records.file", &disk.join("tandem.csv").display().to_string())
        .set("records.spool", &disk.join("tandem.spool").display().to_string());
    let mut node = Node::start_with(plan);
    node.writer = RecordWriter::new(&disk.join("tandem.csv"), "1-1");
    node.writer.append(5);
    node.all_arrive();

    let reserve = disk.join("tandem.spool/reserve");
    wait_until("the reserve", PATIENCE, || reserve.exists());
    let mut filler = File::create(disk.join("filler")).unwrap();
    for piece in [1 << 16, 1] {
        while filler.write_all(&vec![0; piece]).is_ok() {}
    }
    wait_until("the reserve given up", PATIENCE, || !reserve.exists());
    node.writer.append(5);
    node.all_arrive();
    // And when that is used up as well.
    while filler.write_all(&[0; 4096]).is_ok() {}
    node.wait_alarm("records.disk");
    assert_eq!(node.agent.get("/ready").unwrap().0, 200);
    drop(filler);
    fs::remove_file(disk.join("filler")).unwrap();
    node.writer.append(5);
    node.all_arrive();

    // Over the folder the same once more, read-only.
    node.writer.append(1);
    let bound = |arguments: &[&str]| Command::new("mount").args(arguments).arg(&disk).status().unwrap().success();
    assert!(bound(&["--bind", &disk.display().to_string()]) && bound(&["-o", "remount,bind,ro"]));
    wait_until("an alarm", PATIENCE, || {
        node.alarms().iter().any(|name| name == "records.intake" || name == "records.spool")
    });
    assert_eq!(node.agent.get("/ready").unwrap().0, 200);
    assert!(Command::new("umount").arg("-l").arg(&disk).status().unwrap().success());
    node.all_arrive();
    wait_until("no alarm", PATIENCE, || node.alarms().is_empty());
}

/// Unmounts a test's disk.
struct Unmount(PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[test]
fn two_asterisks_on_one_file_are_named_and_a_restart_is_not() {
    let mut node = Node::start();
    let file = node.folder().join("tandem.csv");
    let mut second = RecordWriter::new(&file, "2-2");
    node.writer.append(2);
    second.append(2);
    node.arrive(4);
    second.append(2);
    node.arrive(6);
    assert_eq!(node.alarms(), Vec::<String>::new(), "Asterisk was restarted");
    node.writer.append(1);
    node.wait_alarm("records.writers");
    RecordWriter::new(&file, "").append(1);
    node.wait_alarm("records.boot");
    node.arrive(8);
}

#[test]
fn a_clock_that_went_back_gives_a_doubtful_row_and_no_negative_price() {
    let mut node = Node::start();
    let [attempt, call] = node.writer.finish_call();
    // Everything ends an hour before it was answered.
    let back = |line: &str, field: usize, time: &str| {
        let mut fields: Vec<&str> = line.trim_end().split("\",\"").collect();
        fields[field] = time;
        fields.join("\",\"") + "\n"
    };
    node.writer.write(back(&attempt, 15, "1000000000000").as_bytes());
    let call = back(&call, 7, "1000000000.000000");
    node.writer.write(back(&call, 27, "1000000000000").as_bytes());
    node.all_arrive();
    let doubtful = "SELECT COUNT(*) FROM call_records WHERE clock_doubtful AND duration_ms = 0 AND talk_ms = 0";
    assert_eq!(node.count(doubtful), 1);
    // 6 and 60 seconds at once on answer: 0.00145 and 0.02 a minute.
    let charged =
        "SELECT COUNT(*) FROM call_attempts WHERE clock_doubtful AND buy_micros = 145 AND sell_micros = 20000";
    assert_eq!(node.count(charged), 1);
}

#[test]
fn what_was_sent_goes_after_its_time_and_what_waits_never() {
    let mut node = Node::start();
    node.writer.append(1);
    node.all_arrive();
    node.agent.process().stop(Duration::from_secs(10));
    let old = node.spool().join("sent/2020-01-01T00");
    fs::create_dir(&old).unwrap();
    let name = "016f5e66-e800-7000-8000-000000000000";
    fs::write(old.join(format!("{name}.4.node.segment")), "old\n").unwrap();
    fs::write(node.spool().join(format!("{name}.0.node.segment")), node.writer.finish_call().concat()).unwrap();
    node.agent.restart();
    node.all_arrive();
    wait_until("the old hour is gone", PATIENCE, || !old.exists());
    assert!(!sent(&node.spool()).is_empty(), "what is not old is kept");
    assert_eq!(
        node.count("SELECT COUNT(*) FROM call_records WHERE node = 'node'"),
        1,
        "rows belong to the node that took them"
    );
}

#[test]
fn a_soft_stop_right_after_a_call_loses_nothing() {
    let mut node = Node::start();
    for _ in 0..5 {
        node.writer.append(20);
        assert!(node.agent.process().stop(Duration::from_secs(10)), "{}", node.agent.log());
        node.writer.append(1);
        node.agent.restart();
    }
    node.all_arrive();
}

#[test]
fn a_spool_that_cannot_be_used_keeps_no_agent_from_calls() {
    let plan = Agent::builder();
    let file = plan.folder().write("no-folder", "");
    let plan = plan.set("records.spool", &file.join("spool").display().to_string());
    let mut node = Node::start_with(plan);
    node.wait_alarm("records.spool");
    assert_eq!(node.agent.get("/ready").unwrap().0, 200);
    node.writer.append(2);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    node.all_arrive();
}
