//! A whole node: Asterisk, the agent on SQLite, phones and carriers.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{Agent, AgentBuilder, Asterisk, AsteriskBuilder, Manner, Outcome, Sipp, wait_until};

/// Asterisk with its agent, the phones of its lines and the carriers of its gateways.
#[derive(Debug)]
pub struct Node {
    /// Asterisk.
    pub asterisk: Asterisk,
    /// Its agent.
    pub agent: Agent,
    /// Phones by the id of their line, carriers by the id of their gateway.
    pub peers: BTreeMap<String, Sipp>,
}

/// An address from which nothing comes.
const NOBODY: &str = "192.0.2.1";

/// What a node is to have.
#[derive(Debug)]
pub struct NodeBuilder {
    agent: AgentBuilder,
    asterisk: AsteriskBuilder,
    peers: BTreeMap<String, Sipp>,
    imports: Vec<(String, String)>,
    statements: Vec<String>,
    ships_records: bool,
    by_ari: bool,
}

impl Default for NodeBuilder {
    fn default() -> Self {
        NodeBuilder {
            agent: Agent::builder(),
            asterisk: Asterisk::builder(),
            peers: BTreeMap::new(),
            imports: Vec::new(),
            statements: Vec::new(),
            ships_records: false,
            by_ari: false,
        }
    }
}

impl NodeBuilder {
    /// A line with a phone of that manner.
    #[must_use]
    pub fn line(mut self, id: &str, manner: Manner) -> Self {
        let phone = Sipp::start(manner);
        self.asterisk = self.asterisk.line(id, phone.address());
        self.peers.insert(id.to_owned(), phone);
        self
    }

    /// A gateway with a carrier of that manner. It is not pinged, so that it is what it does with calls that counts.
    #[must_use]
    pub fn gateway(mut self, id: &str, manner: Manner) -> Self {
        let carrier = Sipp::start(manner);
        self.asterisk = self.asterisk.gateway_with(id, carrier.address(), "qualify_frequency = 0");
        self.peers.insert(id.to_owned(), carrier);
        self
    }

    /// As [`NodeBuilder::gateway`], for a carrier that takes the caller's location.
    #[must_use]
    pub fn gateway_with_location(mut self, id: &str, manner: Manner) -> Self {
        let carrier = Sipp::start(manner);
        self.asterisk = self.asterisk.gateway_with_location(id, carrier.address());
        self.peers.insert(id.to_owned(), carrier);
        self
    }

    /// See [`AsteriskBuilder::brief_prompts`]; before the lines.
    #[must_use]
    pub fn brief_prompts(mut self) -> Self {
        self.asterisk = self.asterisk.brief_prompts();
        self
    }

    /// A configuration key of the agent; see [`AgentBuilder::set`].
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.agent = self.agent.set(key, value);
        self
    }

    /// A value of `tandem-site.conf`; see [`AsteriskBuilder::global`].
    #[must_use]
    pub fn global(mut self, name: &str, value: &str) -> Self {
        self.asterisk = self.asterisk.global(name, value);
        self
    }

    /// Further dialplan; see [`AsteriskBuilder::dialplan`].
    #[must_use]
    pub fn dialplan(mut self, text: &str) -> Self {
        self.asterisk = self.asterisk.dialplan(text);
        self
    }

    /// Further text at the end of one of Asterisk's files; see [`AsteriskBuilder::append`].
    #[must_use]
    pub fn append(mut self, file: &str, text: &str) -> Self {
        self.asterisk = self.asterisk.append(file, text);
        self
    }

    /// The test holds the FastAGI listener; see [`AgentBuilder::held_listener`].
    #[must_use]
    pub fn held_listener(mut self) -> Self {
        self.agent = self.agent.held_listener();
        self
    }

    /// The agent takes Asterisk's records away, as on a real node; without this a test reads them where Asterisk wrote them.
    #[must_use]
    pub fn ships_records(mut self) -> Self {
        self.ships_records = true;
        self
    }

    /// Calls are served by ARI, and by nothing else: AGI, to which the dialplan would fall back, is refused.
    #[must_use]
    pub fn by_ari(mut self) -> Self {
        self.by_ari = true;
        self.global("TANDEM_TRANSPORT", "ari").set("agi.peers", NOBODY)
    }

    /// Data that is imported, in the order given, before the agent starts.
    #[must_use]
    pub fn import(mut self, kind: &str, csv: &str) -> Self {
        self.imports.push((kind.to_owned(), csv.to_owned()));
        self
    }

    /// Statements that are run, in the order given, before the agent starts; see [`AgentBuilder::sql`].
    #[must_use]
    pub fn sql(mut self, text: &str) -> Self {
        self.statements.push(text.to_owned());
        self
    }

    /// Migrates the database, imports, and starts everything.
    ///
    /// # Panics
    /// When a part does not come up or an import is refused.
    #[must_use]
    pub fn start(self) -> Node {
        self.agent.tandem_ok(&["migrate"]);
        for (kind, csv) in &self.imports {
            self.agent.import(kind, csv);
        }
        for text in &self.statements {
            self.agent.sql(text);
        }
        let asterisk = self.asterisk.agent(self.agent.agi()).start();
        let agent = self.agent.lights(&asterisk);
        let agent = if self.ships_records { agent.ships(&asterisk) } else { agent };
        let agent = if self.by_ari { agent.serves(&asterisk) } else { agent };
        let node = Node { asterisk, agent: agent.start(), peers: self.peers };
        if self.by_ari {
            node.wait_app();
        }
        node
    }
}

impl Node {
    /// A node with nothing yet.
    #[must_use]
    pub fn builder() -> NodeBuilder {
        NodeBuilder::default()
    }

    /// Waits until the agent takes calls by ARI.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait_app(&self) {
        let is_there = || self.asterisk.command("ari show apps").lines().any(|app| app.trim() == "tandem");
        wait_until("the Stasis app", Duration::from_secs(10), is_there);
    }

    /// The phone of a line or the carrier of a gateway.
    ///
    /// # Panics
    /// When there is none of that id.
    #[must_use]
    pub fn peer(&self, id: &str) -> &Sipp {
        self.peers.get(id).unwrap_or_else(|| panic!("no line or gateway {id}"))
    }

    /// As [`Node::peer`], to change its manner.
    ///
    /// # Panics
    /// When there is none of that id.
    pub fn peer_mut(&mut self, id: &str) -> &mut Sipp {
        self.peers.get_mut(id).unwrap_or_else(|| panic!("no line or gateway {id}"))
    }

    /// A call from a line or gateway to its end.
    #[must_use]
    pub fn dial(&self, from: &str, number: &str) -> Outcome {
        self.peer(from).call(self.asterisk.address(), number).run()
    }
}
