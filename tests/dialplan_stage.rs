//! The stage of the dialplan's tests: a node with one line, two gateways and a canned agent.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

use lab::Manner::Answers;
use lab::{Asterisk, Canned, Manner, Outcome, Sipp};

/// A node with line 1001 and two gateways, and an agent that answers each call alike.
pub struct Stage {
    pub asterisk: Asterisk,
    pub agent: Canned,
    pub phone: Sipp,
    pub gw1: Sipp,
    pub gw2: Sipp,
}

impl Stage {
    pub fn new(gw1: Manner, gw2: Manner, agent: Canned) -> Stage {
        let (phone, gw1, gw2) = (Sipp::start(Answers), Sipp::start(gw1), Sipp::start(gw2));
        let asterisk = Asterisk::builder()
            .agent(agent.address())
            .global("TANDEM_EMERGENCY_CALLER", "15125550199")
            .line("1001", phone.address())
            // Not pinged: what a gateway does with the call itself is what is tested.
            .gateway_with("gw1", gw1.address(), "qualify_frequency = 0")
            .gateway_with("gw2", gw2.address(), "qualify_frequency = 0")
            .start();
        Stage { asterisk, agent, phone, gw1, gw2 }
    }

    /// The line calls `number`.
    pub fn dial(&self, number: &str) -> Outcome {
        self.phone.call(self.asterisk.address(), number).run()
    }

    /// What was tried for the first call: `gw1 503, gw2 200`.
    pub fn tried(&self) -> String {
        self.asterisk.wait_call(1).tried()
    }

    /// A caller's status and what was tried, for a first gateway of that manner and a second one that answers.
    pub fn failover(gw1: Manner, more: &[(&str, &str)]) -> (u16, String) {
        let stage = Stage::new(gw1, Answers, gateways(more));
        let status = stage.dial("5551234567").status();
        let tried = stage.tried();
        assert_eq!(stage.asterisk.complaints(), Vec::<String>::new());
        (status, tried)
    }
}

/// The agent's answer: gw1, then gw2; then `more`.
pub fn gateways(more: &[(&str, &str)]) -> Canned {
    let mut pairs = vec![
        ("TANDEM_ACTION", "dial"),
        ("TANDEM_ACCOUNT", "acme"),
        ("TANDEM_NUMBER", "15551234567"),
        ("TANDEM_CLASS", "national"),
        ("TANDEM_CALLER_NAME", "Acme"),
        ("TANDEM_ROUTES", "2"),
        ("TANDEM_ROUTE_1_KIND", "gateway"),
        ("TANDEM_ROUTE_1_NAME", "gw1"),
        ("TANDEM_ROUTE_1_DIAL", "PJSIP/15551234567@gw1"),
        ("TANDEM_ROUTE_1_SECONDS", "20"),
        ("TANDEM_ROUTE_1_CALLER", "15125550100"),
        ("TANDEM_ROUTE_2_KIND", "gateway"),
        ("TANDEM_ROUTE_2_NAME", "gw2"),
        ("TANDEM_ROUTE_2_DIAL", "PJSIP/0015551234567@gw2"),
        ("TANDEM_ROUTE_2_SECONDS", "20"),
        ("TANDEM_ROUTE_2_CALLER", "5125550100"),
    ];
    pairs.extend_from_slice(more);
    Canned::answers(&pairs)
}
