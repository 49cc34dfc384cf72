//! What the operator's configuration says about decisions.

use std::time::Duration;

/// What the operator's configuration says about decisions.
#[derive(Debug, Clone)]
pub struct Rules {
    /// For a whole decision.
    pub deadline: Duration,
    /// How a line is dialled: `{line}` is its id.
    pub line_dial: String,
    /// How a gateway is dialled: `{number}`, `{gateway}`.
    pub gateway_dial: String,
    /// Gateways handed to the dialplan at the most.
    pub attempts: usize,
    /// How often a call may be forwarded.
    pub forwards: u32,
    /// Length of call for which costs are compared.
    pub expected_seconds: u32,
    /// Emergency numbers as dialled.
    pub emergency_numbers: Vec<String>,
    /// Prefixes for an outside line after which they are emergency numbers too.
    pub emergency_prefixes: Vec<String>,
    /// Numbers that read the caller's location back.
    pub emergency_test_numbers: Vec<String>,
    /// Endpoints of the emergency gateways in order.
    pub emergency_gateways: Vec<String>,
    /// Those of them that are sent the facility's own number.
    pub emergency_facility_gateways: Vec<String>,
    /// For how long the way back to the caller is kept free.
    pub callback: Duration,
    /// Seconds that each of them may ring.
    pub emergency_ring_seconds: u32,
}

impl Rules {
    /// The emergency number in what was dialled, with or without a prefix for an outside line (47 CFR 9.16).
    #[must_use]
    pub fn emergency_number(&self, dialled: &str) -> Option<&str> {
        self.emergency_numbers.iter().map(String::as_str).find(|number| {
            dialled.strip_suffix(number).is_some_and(|before| {
                before.is_empty() || self.emergency_prefixes.iter().any(|prefix| prefix == before)
            })
        })
    }

    /// Whether a number reads the caller's location back, with or without a prefix for an outside line.
    #[must_use]
    pub fn is_emergency_test(&self, dialled: &str) -> bool {
        self.emergency_test_numbers.iter().any(|number| {
            dialled.strip_suffix(number.as_str()).is_some_and(|before| {
                before.is_empty() || self.emergency_prefixes.iter().any(|prefix| prefix == before)
            })
        })
    }

    /// Technology and resource for `Dial` to a line.
    #[must_use]
    pub fn dial_line(&self, line_id: &str) -> String {
        self.line_dial.replace("{line}", line_id)
    }

    /// Technology and resource for `Dial` to a number through a gateway.
    #[must_use]
    pub fn dial_gateway(&self, endpoint: &str, number: &str) -> String {
        self.gateway_dial.replace("{gateway}", endpoint).replace("{number}", number)
    }
}
