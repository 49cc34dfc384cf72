//! The value of every key that nobody sets: they run on one node with SQLite.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::{
    Agi, Ari, Asterisk, Database, Emergency, Http, Log, LogFormat, Media, Node, Notices, Recordings, Records, Replica,
    Route, Voicemail,
};

impl Default for Node {
    fn default() -> Self {
        // Asked of the kernel: the unit's sandbox hides /proc/sys.
        let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Node { name: if name.is_empty() { "node".into() } else { name } }
    }
}

impl Default for Agi {
    fn default() -> Self {
        Agi {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4573)),
            backlog: 1024,
            sessions: 10_000,
            peers: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
            prelude_ms: 2_000,
            prelude_bytes: 64 * 1024,
            reply_ms: 5_000,
            drain_seconds: 30,
        }
    }
}

impl Default for Ari {
    fn default() -> Self {
        Ari {
            url: "http://127.0.0.1:8088/ari".into(),
            user: "tandem".into(),
            password: String::new(),
            app: "tandem".into(),
            listen: None,
            recordings: "/var/spool/asterisk/recording".into(),
            sessions: 10_000,
            request_ms: 2_000,
            orphan_seconds: 30,
            live_calls: true,
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Database {
            urls: vec!["sqlite:tandem.db".into()],
            connections: 8,
            question_ms: 250,
            connect_ms: 200,
            probe_ms: 1_000,
        }
    }
}

impl Default for Replica {
    fn default() -> Self {
        Replica { folder: "/var/lib/tandem/replica".into(), poll_ms: 1_000 }
    }
}

impl Default for Route {
    fn default() -> Self {
        Route {
            decision_ms: 500,
            line_dial: "PJSIP/{line}".into(),
            gateway_dial: "PJSIP/{number}@{gateway}".into(),
            attempts: 6,
            forwards: 5,
            expected_seconds: 180,
        }
    }
}

impl Default for Emergency {
    fn default() -> Self {
        Emergency {
            numbers: vec!["911".into()],
            prefixes: ["9", "*67", "*82"].map(Into::into).into(),
            test_numbers: vec!["933".into()],
            gateways: Vec::new(),
            facility_gateways: Vec::new(),
            ring_seconds: 60,
            callback_minutes: 120,
            file: "/var/log/asterisk/cdr-custom/tandem-emergency.csv".into(),
            spool: "/var/log/asterisk/cdr-custom/tandem-emergency.spool".into(),
            fallback_caller: String::new(),
            fallback_file: PathBuf::new(),
            peers: Vec::new(),
            peer_token: String::new(),
        }
    }
}

impl Default for Notices {
    fn default() -> Self {
        Notices {
            smtp: String::new(),
            from: "tandem@localhost".into(),
            contacts: Vec::new(),
            try_seconds: 10,
            alarm_seconds: 60,
        }
    }
}

impl Default for Media {
    fn default() -> Self {
        Media { recordings: "/var/spool/tandem/recordings".into(), speech: true }
    }
}

impl Default for Voicemail {
    fn default() -> Self {
        Voicemail {
            spool: "/var/spool/tandem/voicemail".into(),
            cache: "/var/spool/tandem/cache".into(),
            cache_mib: 256,
            store: "database".into(),
            directory: PathBuf::new(),
            s3_bucket: String::new(),
            s3_region: "us-east-1".into(),
            s3_endpoint: String::new(),
            s3_key: String::new(),
            s3_secret: String::new(),
            compact: true,
            least_sound_ms: 200,
            password_digits: 4,
            lockout_guesses: 10,
            lockout_minutes: 15,
            guess_delay_ms: 1_000,
            lamp_uri: String::new(),
            alarm_seconds: 300,
            upkeep_seconds: 300,
        }
    }
}

impl Default for Recordings {
    fn default() -> Self {
        Recordings { spool: "/var/spool/tandem/calls".into(), compact: true, alarm_seconds: 600, upkeep_seconds: 300 }
    }
}

impl Default for Records {
    fn default() -> Self {
        Records {
            file: "/var/log/asterisk/cdr-custom/tandem.csv".into(),
            spool: "/var/log/asterisk/cdr-custom/tandem.spool".into(),
            batch_rows: 500,
            batch_ms: 1_000,
            rows_per_second: 2_000,
            write_seconds: 10,
            alarm_seconds: 300,
            keep_hours: 72,
            reserve_mib: 16,
        }
    }
}

impl Default for Asterisk {
    fn default() -> Self {
        Asterisk {
            command: vec!["asterisk".into()],
            manager: SocketAddr::from((Ipv4Addr::LOCALHOST, 5038)),
            manager_user: "tandem".into(),
            manager_secret: String::new(),
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Http { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4580)) }
    }
}

impl Default for Log {
    fn default() -> Self {
        Log { filter: "info".into(), format: LogFormat::Text }
    }
}
