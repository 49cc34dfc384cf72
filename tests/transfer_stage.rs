//! The stage of the tests of transfers, parking and pickup: one node, whose lines are handsets that the conversations take for themselves.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests; each uses a part"
)]

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use lab::{Agent, Asterisk, AsteriskBuilder, Handset, Manner, Relay, Sipp, wait_until};

use crate::mailbox_stage::Transport;
use crate::records_stage::{Row, ask_sqlite};

pub const SOON: Duration = Duration::from_secs(30);

/// Lines of the account `acme`, each of which has the extension of its id, and the number `1214555<id>`.
#[must_use]
pub fn lines(ids: &[&str]) -> String {
    lines_of("acme", ids)
}

#[must_use]
pub fn lines_of(account: &str, ids: &[&str]) -> String {
    let mut sql = String::new();
    for id in ids {
        let _ = write!(
            sql,
            "INSERT INTO phone_lines (id, account_id, name, status, country, area_code, outside_prefix, ring_seconds, created_at)
                VALUES ('{id}', '{account}', 'Line {id}', 'active', 'US', '214', '9', 25, '2026-01-01 00:00:00');
             INSERT INTO extensions (account_id, extension, line_id) VALUES ('{account}', '{id}', '{id}');
             INSERT INTO numbers (number, account_id, line_id) VALUES ('1214555{id}', '{account}', '{id}');\n"
        );
    }
    sql
}

/// What a node is to have.
pub struct Plan {
    handsets: Vec<&'static str>,
    carriers: Vec<&'static str>,
    peers: Vec<(&'static str, Manner)>,
    sql: String,
    edge: bool,
    manager: bool,
    settings: Vec<(&'static str, &'static str)>,
    asterisk: AsteriskBuilder,
    by_ari: bool,
    relayed: bool,
}

impl Plan {
    /// A node with carrier `gw-a`, which takes calls to numbers. It has time for its decisions: these tests ask what comes of them.
    #[must_use]
    pub fn new() -> Plan {
        Plan {
            handsets: Vec::new(),
            carriers: Vec::new(),
            peers: Vec::new(),
            sql: "UPDATE accounts SET max_calls = 0;\n".to_owned(),
            edge: false,
            manager: false,
            settings: vec![("route.decision_ms", "790"), ("database.question_ms", "500")],
            asterisk: Asterisk::builder().brief_prompts().global("TANDEM_GUARD", "5"),
            by_ari: false,
            relayed: false,
        }
    }

    /// Lines whose phones the tests steer.
    #[must_use]
    pub fn handsets(mut self, ids: &[&'static str]) -> Plan {
        self.handsets.extend(ids);
        self.sql.push_str(&lines(ids));
        self
    }

    /// The same, of another account.
    #[must_use]
    pub fn strangers(mut self, account: &str, ids: &[&'static str]) -> Plan {
        self.handsets.extend(ids);
        self.sql.push_str(&lines_of(account, ids));
        self
    }

    /// Lines whose phones do the same with every call.
    #[must_use]
    pub fn phones(mut self, ids: &[&'static str], manner: Manner) -> Plan {
        self.peers.extend(ids.iter().map(|id| (*id, manner)));
        self.sql.push_str(&lines(ids));
        self
    }

    /// Carriers from which calls come in; handsets, too.
    #[must_use]
    pub fn carriers(mut self, ids: &[&'static str]) -> Plan {
        self.carriers.extend(ids);
        for id in ids {
            let _ = write!(
                self.sql,
                "INSERT INTO gateways (id, name, status, endpoint, number_format, country, dial_prefix, created_at)
                    VALUES ('{id}', '{id}', 'active', '{id}', 'e164', 'US', '', '2026-01-01 00:00:00');\n"
            );
        }
        self
    }

    /// An edge, `edge1`, which is a handset as well; lines are dialled through it when the agent is set so.
    #[must_use]
    pub fn edge(mut self) -> Plan {
        self.edge = true;
        self
    }

    /// The agent uses Asterisk's manager interface.
    #[must_use]
    pub fn manager(mut self) -> Plan {
        self.manager = true;
        self
    }

    /// A key of the agent's configuration.
    #[must_use]
    pub fn set(mut self, key: &'static str, value: &'static str) -> Plan {
        self.settings.push((key, value));
        self
    }

    #[must_use]
    pub fn sql(mut self, text: &str) -> Plan {
        self.sql.push_str(text);
        self
    }

    #[must_use]
    pub fn global(mut self, name: &str, value: &str) -> Plan {
        self.asterisk = self.asterisk.global(name, value);
        self
    }

    #[must_use]
    pub fn append(mut self, file: &str, text: &str) -> Plan {
        self.asterisk = self.asterisk.append(file, text);
        self
    }

    /// Calls reach the agent so.
    #[must_use]
    pub fn by(mut self, transport: Transport) -> Plan {
        if transport == Transport::Ari {
            self.by_ari = true;
            self = self.global("TANDEM_TRANSPORT", "ari").set("agi.peers", "192.0.2.1");
        }
        self
    }

    /// The agent reaches Asterisk's REST interface through a relay.
    #[must_use]
    pub fn relayed(mut self) -> Plan {
        self.relayed = true;
        self
    }

    #[must_use]
    pub fn start(self) -> Stage {
        let mut plan = Agent::builder().set("records.batch_ms", "100");
        for (key, value) in self.settings {
            plan = plan.set(key, value);
        }
        plan.tandem_ok(&["migrate"]);
        plan.sql(include_str!("data/provider.sql"));
        plan.sql(&self.sql);
        let mut asterisk = self.asterisk.agent(plan.agi());
        let (mut phones, mut peers) = (HashMap::new(), HashMap::new());
        for id in self.handsets {
            let phone = Handset::new();
            asterisk = asterisk.line(id, phone.address());
            phones.insert(id, phone);
        }
        for id in self.carriers {
            let carrier = Handset::new();
            asterisk = asterisk
                .gateway_with(id, carrier.address(), "qualify_frequency = 0")
                .pjsip(&format!("[{id}](+)\nlanguage = brief\n"));
            phones.insert(id, carrier);
        }
        if self.edge {
            let edge = Handset::new();
            asterisk = asterisk
                .edge("edge1", edge.address())
                .pjsip(&format!("[edge1](+)\naors = edge1\n[edge1]\ntype = aor\ncontact = sip:{}\n", edge.address()));
            phones.insert("edge1", edge);
        }
        for (id, manner) in self.peers {
            let phone = Sipp::start(manner);
            asterisk = asterisk.line(id, phone.address());
            peers.insert(id, phone);
        }
        let carrier = Sipp::start(Manner::Answers);
        asterisk = asterisk.gateway_with("gw-a", carrier.address(), "qualify_frequency = 0");
        peers.insert("gw-a", carrier);
        let asterisk = asterisk.start();
        let mut plan = if self.by_ari { plan.serves(&asterisk) } else { plan };
        let relay = self.relayed.then(|| {
            let (url, _) = asterisk.ari();
            Relay::start(url.split('/').nth(2).unwrap().parse().unwrap())
        });
        if let Some(relay) = &relay {
            plan = plan.set("ari.url", &format!("http://{}/ari", relay.address()));
        }
        let plan = plan.ships(&asterisk);
        let plan = if self.manager { plan.lights(&asterisk) } else { plan };
        let agent = plan.start();
        if self.by_ari {
            let is_there = || asterisk.command("dialplan show globals").contains("TANDEM_ARI_WRITES=1");
            wait_until("calls by ARI", SOON, is_there);
        }
        Stage { asterisk, agent: Mutex::new(agent), phones: Mutex::new(phones), peers, relay }
    }
}

/// A node, and its phones.
pub struct Stage {
    pub asterisk: Asterisk,
    pub agent: Mutex<Agent>,
    phones: Mutex<HashMap<&'static str, Handset>>,
    peers: HashMap<&'static str, Sipp>,
    /// Between agent and Asterisk's REST interface, where it was asked for.
    pub relay: Option<Relay>,
}

impl Stage {
    /// The handset of a line or carrier, for one conversation alone.
    pub fn phone(&self, id: &str) -> Handset {
        let phone = self.phones.lock().unwrap().remove(id);
        phone.unwrap_or_else(|| panic!("{id} is no handset, or is taken"))
    }

    pub fn peer(&self, id: &str) -> &Sipp {
        self.peers.get(id).unwrap_or_else(|| panic!("no phone {id}"))
    }

    /// An outside call to a line, answered: the carrier's and the line's side.
    pub fn call_in(&self, carrier: &mut Handset, line: &mut Handset, id: &str) -> (lab::Dialog, lab::Dialog) {
        let placed = carrier.start_call(self.asterisk.address(), &format!("1214555{id}"));
        let rings = line.wait_call();
        let taken = line.answer(rings);
        (carrier.finish_call(placed).0.expect("the line answered"), taken)
    }

    pub fn rows(&self, question: &str) -> Vec<Row> {
        let file = self.agent.lock().unwrap().plan().folder().join("tandem.db");
        ask_sqlite(&format!("sqlite:{}", file.display()), question)
    }

    /// The attempts of everything that has to do with a line, in order, once there are so many of them: `kind name STATUS by line_id`. All are tied together.
    pub fn story(&self, line: &str, attempts: usize) -> Vec<String> {
        let question = format!(
            "SELECT * FROM call_attempts WHERE linkedid IN
                (SELECT linkedid FROM call_attempts WHERE line_id = '{line}' OR kind = 'line' AND name = '{line}')
                ORDER BY started_at, number"
        );
        wait_until(&format!("{attempts} attempts of {line}"), SOON, || self.rows(&question).len() >= attempts);
        let rows = self.rows(&question);
        let linked: BTreeSet<&str> = rows.iter().map(|row| row.get("linkedid")).collect();
        assert_eq!(linked.len(), 1, "{rows:#?}");
        rows.iter()
            .map(|row| {
                let by = if row.get("line_id").is_empty() { "gateway_id" } else { "line_id" };
                format!("{} {} {} by {}", row.get("kind"), row.get("name"), row.get("status"), row.get(by))
            })
            .collect()
    }

    /// Why the calls of which a line's story consists ended as they did, in order of their ends; empty where nothing was out of the ordinary.
    pub fn reasons(&self, line: &str) -> Vec<String> {
        let question = format!(
            "SELECT reason FROM call_records WHERE direction IS NOT NULL AND linkedid IN
                (SELECT linkedid FROM call_attempts WHERE line_id = '{line}' OR kind = 'line' AND name = '{line}') ORDER BY ended_at"
        );
        self.rows(&question).iter().map(|row| row.get("reason").to_owned()).collect()
    }

    /// Waits until they are these.
    pub fn wait_reasons(&self, line: &str, wanted: &[&str]) {
        wait_until(&format!("{wanted:?} of {line}, where {:?} is", self.reasons(line)), SOON, || {
            self.reasons(line) == wanted
        });
    }

    /// Waits until one hears the other.
    pub fn wait_heard(&self, speaker: &Handset, listener: &Handset) {
        let before = listener.voice().heard_tone(620);
        speaker.voice().tone(620, Duration::from_secs(3));
        wait_until("a tone", SOON, || listener.voice().heard_tone(620) - before > Duration::from_secs(1));
    }

    /// Waits until a line or carrier converses with the agent.
    pub fn wait_conversation(&self, name: &str) {
        wait_until(&format!("{name} hears the agent"), SOON, || {
            let channels = self.asterisk.command("core show channels concise");
            channels.lines().any(|line| line.starts_with(&format!("PJSIP/{name}-")) && line.contains("!tandem-ask!"))
        });
    }

    /// Waits until a line or carrier talks.
    pub fn wait_bridged(&self, name: &str) {
        wait_until(&format!("{name} talking"), SOON, || {
            let channels = self.asterisk.command("core show channels concise");
            channels.lines().any(|line| {
                let fields: Vec<&str> = line.split('!').collect();
                fields.first().is_some_and(|channel| channel.starts_with(&format!("PJSIP/{name}-")))
                    && fields.get(12).is_some_and(|bridge| bridge.len() > 6)
            })
        });
    }
}
