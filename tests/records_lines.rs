//! Lines of the record file: found among whatever stands between them, read field by field, in batches of any size.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::io;
use std::path::Path;

use lab::RecordWriter;
use proptest::prelude::*;
use tandem::buffer::batch::Batch;
use tandem::buffer::segment::Segment;
use tandem::buffer::spool::Spool;
use tandem::buffer::{Cargo, Unsent};
use tandem::records::line;
use tandem::store::record::{CallRecord, Direction, Record};

/// Reads as the agent does, and ships nothing.
struct Lines;

impl Cargo for Lines {
    const NAME: &'static str = "lines";
    type Row = Record;

    fn gather(&mut self, _: &Spool) -> io::Result<Vec<Segment>> {
        Ok(Vec::new())
    }

    fn survey(&mut self, _: &Spool, _: &Segment) -> io::Result<u64> {
        Ok(0)
    }

    fn row_length(&self, bytes: &[u8], ended: bool) -> Option<usize> {
        line::length(bytes, ended)
    }

    fn read(&mut self, node: &str, row: &[u8]) -> Result<Record, String> {
        line::read(node, row)
    }

    async fn send(&mut self, _: &[Record]) -> Result<(), Unsent> {
        Ok(())
    }
}

/// What may stand in a segment.
#[derive(Debug, Clone)]
enum Piece {
    Call,
    /// A call of which only so much was written, in thousandths, and the next one right behind it.
    CutOff(usize),
    Garbage(Vec<u8>),
}

fn piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        4 => Just(Piece::Call),
        1 => (1..1000_usize).prop_map(Piece::CutOff),
        1 => proptest::collection::vec(any::<u8>(), 1..300).prop_map(Piece::Garbage),
        1 => "[\",\\n\\\\]{1,40}".prop_map(|text| Piece::Garbage(text.into_bytes())),
    ]
}

fn id(record: &Record) -> (&'static str, &str) {
    match record {
        Record::Call(call) => ("call", &call.call.uniqueid),
        Record::Attempt(attempt) => ("attempt", &attempt.call.uniqueid),
        Record::EmergencyCall(call) => ("emergency", &call.call.uniqueid),
        Record::EmergencyNotice(notice) => ("notice", &notice.call.uniqueid),
    }
}

/// Everything in `bytes`, in batches of `most`.
fn read_all(bytes: &[u8], most: usize) -> Vec<Batch<Record>> {
    let mut batches = Vec::new();
    let mut start = 0;
    loop {
        let mut rest = &bytes[start as usize..];
        let batch = Batch::read(&mut Lines, "node", &mut rest, start, most, true).unwrap();
        let (end, last) = (batch.end, batch.last);
        batches.push(batch);
        if last {
            return batches;
        }
        assert!(end > start, "no batch is empty before the last");
        start = end;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Not even a line before it that is cut off within quotes takes a good line along, since that begins as no field can.
    #[test]
    fn good_lines_are_found_whatever_stands_between(pieces in proptest::collection::vec(piece(), 1..30), most in 1..20_usize) {
        let mut writer = RecordWriter::new(Path::new("/dev/null"), "1-1");
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Call => {
                    bytes.extend(writer.finish_call().concat().into_bytes());
                    let id = format!("1-1.{}", writer.calls());
                    expected.extend([("attempt", id.clone()), ("call", id)]);
                }
                Piece::CutOff(thousandths) => {
                    let [_, call] = writer.finish_call();
                    bytes.extend(&call.as_bytes()[..call.len() * thousandths / 1000]);
                    bytes.extend(writer.finish_call().concat().into_bytes());
                    let id = format!("1-1.{}", writer.calls());
                    expected.extend([("attempt", id.clone()), ("call", id)]);
                }
                Piece::Garbage(garbage) => bytes.extend(garbage),
            }
        }
        let batches = read_all(&bytes, most);
        let found: Vec<(&str, String)> =
            batches.iter().flat_map(|batch| &batch.rows).map(id).map(|(kind, id)| (kind, id.to_owned())).collect();
        prop_assert_eq!(found, expected);
        // Nothing is thrown away: rows and what is none are the whole, in order.
        let mut pieces: Vec<(u64, Vec<u8>)> = Vec::new();
        for batch in batches {
            prop_assert!(batch.rows.len() + batch.unreadable.len() <= most);
            pieces.extend(batch.places);
            pieces.extend(batch.unreadable.into_iter().map(|(at, bytes, _)| (at, bytes)));
        }
        pieces.sort();
        prop_assert_eq!(pieces.into_iter().flat_map(|(_, bytes)| bytes).collect::<Vec<u8>>(), bytes);
    }

    /// Whatever a caller is called, it stays in its field.
    #[test]
    fn a_callers_name_is_one_field(name in "[\"\\n\\r,\\\\a-z0-9-]{0,60}", forged in any::<bool>()) {
        let name = if forged { format!("\"\n\"tandem-call-1\",\"{name}") } else { name };
        let mut writer = RecordWriter::new(Path::new("/dev/null"), "1-1");
        let [_, call] = writer.finish_call();
        let field = call.split("\",\"").find(|field| field.contains("Alice")).unwrap().to_owned();
        let call = call.replace(&field, &name.replace('"', "\"\""));
        prop_assert_eq!(line::length(call.as_bytes(), true), Some(call.len()));
        prop_assert_eq!(read_call(&call).clid, name);
    }
}

fn read_call(text: &str) -> CallRecord {
    match line::read("node", text.as_bytes()) {
        Ok(Record::Call(call)) => *call,
        other => panic!("{other:?}"),
    }
}

#[test]
fn local_time_follows_the_accounts_zone_in_winter_and_summer() {
    let mut writer = RecordWriter::new(Path::new("/dev/null"), "1-1");
    let [_, call] = writer.finish_call();
    let fields: Vec<&str> = call.split("\",\"").collect();
    let at = |zone: &str, time: &str| {
        let mut fields = fields.clone();
        (fields[5], fields[6], fields[7], fields[20]) = (time, time, time, zone);
        (fields[25], fields[26], fields[27]) = ("", "", "");
        read_call(&fields.join("\",\"")).utc_offset_minutes
    };
    // 2027-01-15 and 2027-07-15.
    let (winter, summer) = ("1799971200.000000", "1815609600.000000");
    assert_eq!((at("America/New_York", winter), at("America/New_York", summer)), (-300, -240));
    assert_eq!((at("Asia/Kolkata", winter), at("UTC", summer), at("", summer), at("No/Where", summer)), (330, 0, 0, 0));
}

#[test]
fn what_is_not_utf_8_loses_no_call() {
    let mut writer = RecordWriter::new(Path::new("/dev/null"), "1-1");
    let [_, call] = writer.finish_call();
    let bytes: Vec<u8> = call.replace("Alice", "J@rgen").bytes().map(|b| if b == b'@' { 0xFC } else { b }).collect();
    let Ok(Record::Call(read)) = line::read("node", &bytes) else { panic!("not read") };
    assert!(read.clid.contains("J\u{FFFD}rgen"), "{}", read.clid);
    assert_eq!(read.direction, Some(Direction::Outbound));
}

#[test]
fn every_field_goes_where_it_belongs() {
    let mut writer = RecordWriter::new(Path::new("/dev/null"), "1-1");
    let [attempt, call] = writer.finish_call();
    let read = read_call(&call);
    assert_eq!((read.call.node.as_str(), read.call.boot.as_str(), read.sequence), ("node", "1-1", 1));
    assert_eq!(
        (read.line_id.as_deref(), read.gateway_id, read.account_id.as_deref()),
        (Some("1001"), None, Some("acme"))
    );
    assert_eq!((read.span.talk_ms(), read.span.duration_ms(), read.span.is_doubtful()), (65_000, 66_000, false));
    assert_eq!((read.media.packets_in, read.media.lost_in, read.media.lost_out), (Some(3247), Some(3), Some(1)));
    assert_eq!(
        (read.media.jitter_in_us, read.media.jitter_out_us, read.media.round_trip_us),
        (Some(125), Some(250), Some(21_000))
    );

    let Ok(Record::Attempt(read)) = line::read("node", attempt.as_bytes()) else { panic!("not read") };
    assert_eq!((read.kind.as_str(), read.name.as_str(), read.status.as_str()), ("gateway", "gw-a", "ANSWER"));
    assert_eq!((read.sip_code, read.cause, read.post_dial_delay_ms), (Some(200), Some(16), Some(180)));
    // 65 s: by 6/6 66 seconds at 0.00145 a minute; by 60/6 66 seconds at 0.02.
    let (buy, sell) = (read.buy.unwrap(), read.sell.unwrap());
    assert_eq!((buy.seconds, buy.micros, sell.seconds, sell.micros), (66, 1_595, 66, 22_000));
}
