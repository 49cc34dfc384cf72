//! What an operator may set and what cannot work all the same.

use super::Config;

impl Config {
    /// Every value that parses but cannot work, as `key: what is wrong; what to do`.
    #[must_use]
    pub fn validate(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut wrong = |bad: bool, text: &str| {
            if bad {
                faults.push(text.to_owned());
            }
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        wrong(
            !(1..=64).contains(&self.node.name.len()) || !self.node.name.bytes().all(plain),
            "node.name: is not 1 to 64 of A-Z a-z 0-9 . _ -; give this node a name of its own",
        );
        wrong(self.agi.backlog == 0, "agi.backlog: is 0; use 1024");
        wrong(self.agi.sessions == 0, "agi.sessions: is 0, so that no call could be served; use 10000");
        wrong(
            self.agi.peers.is_empty(),
            "agi.peers: is empty, so that Asterisk could not connect; use [\"127.0.0.1\"]",
        );
        wrong(self.agi.prelude_ms == 0, "agi.prelude_ms: is 0; use 2000");
        wrong(self.agi.prelude_bytes < 4096, "agi.prelude_bytes: below 4096, which a common prelude needs; use 65536");
        wrong(self.agi.reply_ms == 0, "agi.reply_ms: is 0; use 5000");
        let ari = &self.ari;
        wrong(
            !ari.url.starts_with("http://"),
            "ari.url: does not begin with http://; use \"http://127.0.0.1:8088/ari\"",
        );
        wrong(
            ari.app.is_empty() || !ari.app.bytes().all(plain),
            "ari.app: is not of A-Z a-z 0-9 . _ -; use \"tandem\", as TANDEM_APP of tandem-site.conf",
        );
        wrong(ari.sessions == 0, "ari.sessions: is 0, so that no call could be served; use 10000");
        wrong(ari.request_ms == 0, "ari.request_ms: is 0; use 2000");
        wrong(ari.orphan_seconds < 3, "ari.orphan_seconds: below 3; a restart takes longer; use 30");
        wrong(
            ari.is_used() && !self.media.recordings.starts_with(&ari.recordings),
            "media.recordings: is not within ari.recordings, the only folder in which ARI records; use a folder there",
        );
        wrong(
            self.database.urls.is_empty(),
            "database.urls: is empty; name at least one, such as \"sqlite:tandem.db\"",
        );
        wrong(self.database.connections == 0, "database.connections: is 0; use 8");
        wrong(self.database.question_ms < 5, "database.question_ms: below 5; use 250");
        wrong(self.database.connect_ms == 0, "database.connect_ms: is 0; use 200");
        wrong(self.database.probe_ms < 50, "database.probe_ms: below 50; use 1000");
        wrong(!self.replica.folder.is_absolute(), "replica.folder: is not an absolute path");
        wrong(
            !(50..=5_000).contains(&self.replica.poll_ms),
            "replica.poll_ms: not within 50 to 5000, so that a change holds within 5 s; use 1000",
        );
        wrong(
            self.route.decision_ms < self.database.question_ms,
            "route.decision_ms: below database.question_ms; a decision asks up to two questions",
        );
        wrong(
            self.route.decision_ms >= 800,
            "route.decision_ms: not below 800, the dialplan's guard; calls would take the fallback first",
        );
        wrong(!self.route.line_dial.contains("{line}"), "route.line_dial: lacks {line}; use \"PJSIP/{line}\"");
        wrong(
            !(self.route.gateway_dial.contains("{gateway}") && self.route.gateway_dial.contains("{number}")),
            "route.gateway_dial: lacks {gateway} or {number}; use \"PJSIP/{number}@{gateway}\"",
        );
        wrong(!(1..=20).contains(&self.route.attempts), "route.attempts: not within 1 to 20; use 6");
        wrong(self.route.expected_seconds == 0, "route.expected_seconds: is 0; use 180");
        wrong(self.asterisk.command.is_empty(), "asterisk.command: is empty; use [\"asterisk\"]");
        wrong(!self.media.recordings.is_absolute(), "media.recordings: is not an absolute path; Asterisk needs one");
        let voicemail = &self.voicemail;
        wrong(
            !voicemail.spool.is_absolute() || !voicemail.cache.is_absolute(),
            "voicemail.spool, voicemail.cache: is not an absolute path; Asterisk reads the cache",
        );
        wrong(
            !["database", "directory", "s3"].contains(&voicemail.store.as_str()),
            "voicemail.store: is none of database, directory, s3",
        );
        wrong(
            voicemail.store == "directory" && !voicemail.directory.is_absolute(),
            "voicemail.directory: is not the absolute path of a directory that all nodes share",
        );
        wrong(voicemail.store == "s3" && voicemail.s3_bucket.is_empty(), "voicemail.s3_bucket: is empty");
        wrong(voicemail.cache_mib == 0, "voicemail.cache_mib: is 0, so that nothing could be played; use 256");
        wrong(
            !(3..=32).contains(&voicemail.password_digits),
            "voicemail.password_digits: not within 3 to 32; use 4, or better 6",
        );
        wrong(voicemail.lockout_guesses == 0, "voicemail.lockout_guesses: is 0, so that nobody could log in; use 10");
        wrong(
            !voicemail.lamp_uri.is_empty() && !voicemail.lamp_uri.contains("{line}"),
            "voicemail.lamp_uri: lacks {line}; use \"sip:{line}@edge.example.com\"",
        );
        wrong(voicemail.upkeep_seconds == 0, "voicemail.upkeep_seconds: is 0; use 300");
        wrong(!self.recordings.spool.is_absolute(), "recordings.spool: is not an absolute path");
        wrong(self.recordings.upkeep_seconds == 0, "recordings.upkeep_seconds: is 0; use 300");
        let records = &self.records;
        wrong(
            !records.file.is_absolute() || records.file.file_name().is_none(),
            "records.file: is not the absolute path of a file; it is what TANDEM_RECORDS in tandem-site.conf says",
        );
        wrong(!records.spool.is_absolute(), "records.spool: is not an absolute path");
        // SQLite takes 32766 parameters, and a row has up to 50.
        wrong(!(1..=650).contains(&records.batch_rows), "records.batch_rows: not within 1 to 650; use 500");
        wrong(records.batch_ms > 60_000, "records.batch_ms: above 60000; use 1000");
        wrong(records.rows_per_second == 0, "records.rows_per_second: is 0, so that nothing would be sent; use 2000");
        wrong(records.write_seconds == 0, "records.write_seconds: is 0; use 10");
        wrong(records.keep_hours == 0, "records.keep_hours: is 0, so that nothing could be compared; use 72");
        wrong(
            self.emergency.numbers.is_empty(),
            "emergency.numbers: is empty; 911 must always be an emergency call, use [\"911\"]",
        );
        wrong(
            self.emergency
                .numbers
                .iter()
                .chain(&self.emergency.prefixes)
                .any(|text| text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit() || b == b'*' || b == b'#')),
            "emergency.numbers, emergency.prefixes: hold something else than digits",
        );
        let mut kinds: Vec<&str> = self.database.urls.iter().map(|url| scheme(url)).collect();
        for (place, _) in kinds.iter().enumerate().filter(|(_, kind)| **kind == "?") {
            // Without its text, which may hold a password anywhere.
            let place = place + 1;
            faults.push(format!(
                "database.urls: number {place} does not begin with sqlite:, mysql:, mariadb: or postgres:"
            ));
        }
        kinds.dedup();
        if kinds.len() > 1 {
            faults.push("database.urls: mixes kinds of database; list the hosts of one".to_owned());
        }
        faults
    }
}

/// The kind of database that a URL names, `?` for none we know.
pub(super) fn scheme(url: &str) -> &'static str {
    match url.split(':').next() {
        Some("sqlite") => "sqlite",
        Some("mysql" | "mariadb") => "mysql",
        Some("postgres" | "postgresql") => "postgres",
        _ => "?",
    }
}
