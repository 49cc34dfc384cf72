//! The record file as Asterisk writes it, without Asterisk: one `write()` a line, to a file that is opened for it.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// One run of Asterisk that writes finished calls to a record file.
#[derive(Debug)]
pub struct RecordWriter {
    file: PathBuf,
    boot: String,
    calls: u64,
}

impl RecordWriter {
    /// A run named `boot`, which writes to `file`.
    #[must_use]
    pub fn new(file: &Path, boot: &str) -> RecordWriter {
        RecordWriter { file: file.to_owned(), boot: boot.to_owned(), calls: 0 }
    }

    /// How many calls it wrote; the unique id of the nth is `<boot>.n`, from 1, its sequence n.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// Appends `count` calls, each after its one attempt, as Asterisk does.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn append(&mut self, count: u64) {
        for _ in 0..count {
            let [attempt, call] = self.finish_call();
            self.write(attempt.as_bytes());
            self.write(call.as_bytes());
        }
    }

    /// The lines of the next call: its attempt, answered by gateway gw-a for 65 s, and its record.
    pub fn finish_call(&mut self) -> [String; 2] {
        self.calls += 1;
        let (boot, n) = (&self.boot, self.calls);
        let id = format!("{boot}.{n}");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_millis();
        let (started, answered) = (now - 66_000, now - 65_000);
        let seconds = |milliseconds: u128| format!("{}.{:03}000", milliseconds / 1000, milliseconds % 1000);
        let media =
            "ssrc=1;themssrc=2;lp=3;rxjitter=0.000125;rxcount=3247;txjitter=0.000250;txcount=3250;rlp=1;rtt=0.021000";
        let attempt = format!(
            "\"tandem-attempt-1\",\"{boot}\",\"{id}\",\"1\",\"gateway\",\"gw-a\",\"line\",\"1001\",\"acme\",\"15125550123\",\
             \"cheap/2/1512/1450/0/6/6/USD\",\"retail/1/1/20000/0/60/6/USD\",\"{started}\",\"180\",\"{answered}\",\"{now}\",\
             \"ANSWER\",\"16\",\"200\",\"{id}9\",\"{id}\",\"ulaw\",\"{media}\"\n"
        );
        let call = format!(
            "\"tandem-call-1\",\"{boot}\",\"{id}\",\"{id}\",\"{n}\",\"{}\",\"{}\",\"{}\",\"ANSWERED\",\"12145550101\",\
             \"95125550123\",\"tandem-call\",\"\"\"Alice \\\"\"A\\\"\"\"\" <12145550101>\",\"PJSIP/1001-{n:08x}\",\
             \"PJSIP/gw-a-{n:08x}\",\"Dial\",\"PJSIP/15125550123@gw-a,40\",\"line\",\"1001\",\"acme\",\"America/Chicago\",\
             \"15125550123\",\"national\",\"\",\"16\",\"{started}\",\"{answered}\",\"{now}\",\"ulaw\",\"{media}\"\n",
            seconds(started),
            seconds(answered),
            seconds(now),
        );
        [attempt, call]
    }

    /// Appends bytes by one `write()`, whatever they are.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn write(&self, bytes: &[u8]) {
        let path = &self.file;
        let file = File::options().create(true).append(true).open(path);
        let mut file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        file.write_all(bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}
