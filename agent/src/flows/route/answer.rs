//! A decision as the variables that the dialplan acts on; the contract is in dialplan/README.md.

use super::decision::{Attempt, Behalf, Decision, Dial, Emergency};
use super::number;
use crate::store::asking::Source;
use crate::store::price::Price;

/// Longest name or number shown, in characters: enough for any phone, and far below Asterisk's line limit.
const SHOWN: usize = 80;

/// The variables in order, with who answered the questions; `TANDEM_DONE` is last, so that its presence says that all of them are there. Of a call
/// that goes on (`goes_on`) what it was, and whose, is told already.
#[must_use]
pub fn variables(decision: &Decision, source: Option<Source>, goes_on: bool) -> Vec<(String, String)> {
    let mut variables = Variables(Vec::with_capacity(16));
    match decision {
        Decision::Dial(dial) => {
            variables.set("TANDEM_ACTION", action(dial));
            if !goes_on {
                variables.set("TANDEM_ACCOUNT", &dial.account_id);
                variables.set("TANDEM_ZONE", &dial.time_zone);
                variables.set("TANDEM_ACCOUNT_CAP", dial.account_cap.to_string());
                variables.set("TANDEM_LINE_CAP", dial.line_cap.to_string());
                variables.set("TANDEM_NUMBER", &dial.number);
                variables.set("TANDEM_CLASS", &dial.class);
                variables.set("TANDEM_CALLER_NAME", shown(&dial.caller_name));
            }
            variables.set("TANDEM_CALLED_ACCOUNT", &dial.called_account_id);
            variables.set("TANDEM_REASON", dial.reason);
            variables.set("TANDEM_MAILBOX", dial.mailbox_id.clone().unwrap_or_default());
            if dial.attempts.is_empty() {
                variables.set("TANDEM_CALLER_NUMBER", shown(&dial.caller_number));
            }
            if let Some((service, name)) = &dial.service {
                variables.set(service.variable(), name);
            }
            variables.set("TANDEM_ANNOUNCES", if dial.announces { "1" } else { "" });
            variables.set("TANDEM_PRIVACY", if dial.privacy { "1" } else { "0" });
            variables.forwarding(dial);
            variables.set("TANDEM_SELL", dial.sell.as_ref().map(Price::to_string).unwrap_or_default());
            variables.attempts(&dial.attempts);
        }
        Decision::Emergency(emergency) => {
            variables.set("TANDEM_ACTION", "emergency");
            variables.set("TANDEM_NUMBER", &emergency.number);
            variables.set("TANDEM_CLASS", "emergency");
            variables.emergency(emergency, source);
            variables.attempts(&emergency.attempts);
        }
        Decision::ReadLocation => variables.set("TANDEM_ACTION", "location"),
        Decision::Feature(call) => {
            variables.set("TANDEM_ACTION", "feature");
            variables.set("TANDEM_FEATURE", call.feature.name());
            variables.set("TANDEM_ACCOUNT", &call.account_id);
            variables.set("TANDEM_ZONE", &call.time_zone);
            variables.set("TANDEM_NUMBER", &call.number);
            variables.set("TANDEM_CLASS", number::INTERNAL);
        }
        Decision::Reject(rejection) => {
            variables.set("TANDEM_ACTION", "reject");
            variables.set("TANDEM_REASON", rejection.refusal.reason());
            variables.set("TANDEM_CAUSE", rejection.refusal.cause().to_string());
            variables.set("TANDEM_PROMPT", rejection.refusal.prompt());
            if goes_on {
                variables.set("TANDEM_SOURCE", source.map_or("", Source::name));
                variables.set("TANDEM_DONE", "1");
                return variables.0;
            }
            variables.set("TANDEM_ACCOUNT", &rejection.account_id);
            variables.set("TANDEM_ZONE", &rejection.time_zone);
            variables.set("TANDEM_NUMBER", &rejection.number);
            variables.set("TANDEM_CLASS", &rejection.class);
        }
    }
    variables.set("TANDEM_SOURCE", source.map_or("", Source::name));
    variables.set("TANDEM_DONE", "1");
    variables.0
}

/// What is to be done with a call that is let through.
pub(super) fn action(dial: &Dial) -> &'static str {
    match &dial.service {
        Some((service, _)) => service.name(),
        None if dial.attempts.is_empty() => "voicemail",
        None => "dial",
    }
}

struct Variables(Vec<(String, String)>);

impl Variables {
    fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    fn emergency(&mut self, emergency: &Emergency, source: Option<Source>) {
        if let Some(caller) = &emergency.caller {
            self.set("TANDEM_ACCOUNT", &caller.account_id);
            self.set("TANDEM_ZONE", &caller.time_zone);
            self.set("TANDEM_CALLBACK", caller.callback_number.clone().unwrap_or_default());
        }
        if let Some(pidf) = &emergency.pidf {
            self.set("TANDEM_LOCATION_FORMAT", pidf.format);
            self.set("TANDEM_LOCATION", &pidf.info);
            self.set("TANDEM_LOCATION_LENGTH", pidf.read_back.to_string());
        }
        self.set("TANDEM_FACTS", facts(emergency, source));
    }

    /// On whose behalf it is tried, and who is asked where it goes when that comes to nothing.
    fn forwarding(&mut self, dial: &Dial) {
        let behalf = dial.behalf.as_ref();
        let text = |of: fn(&Behalf) -> String| behalf.map(of).unwrap_or_default();
        self.set("TANDEM_FOR_LINE", text(|behalf| behalf.line_id.clone()));
        self.set("TANDEM_FOR_ACCOUNT", text(|behalf| behalf.account_id.clone()));
        self.set("TANDEM_FOR_NUMBER", text(|behalf| behalf.number.clone()));
        self.set("TANDEM_FOR_CAP", text(|behalf| behalf.most.to_string()));
        self.set("TANDEM_FOR_ACCOUNT_CAP", text(|behalf| behalf.account_most.to_string()));
        let reasons = dial.on_failure.as_ref().map(|failure| {
            let words: Vec<&str> = failure.reasons.iter().map(|why| why.name()).collect();
            words.join("&")
        });
        let line = dial.on_failure.as_ref().map(|failure| failure.line_id.clone());
        self.set("TANDEM_FORWARD_LINE", line.unwrap_or_default());
        self.set("TANDEM_FORWARD_ON", reasons.unwrap_or_default());
        self.set("TANDEM_INTRODUCES", if dial.introduces { "1" } else { "" });
        self.set("TANDEM_FORWARDS", dial.forwards.to_string());
        let diversion = dial.diversion.as_ref();
        self.set("TANDEM_DIVERTED_NUMBER", diversion.map(|diversion| diversion.number.clone()).unwrap_or_default());
        self.set(
            "TANDEM_DIVERTED_BY",
            diversion
                .map(|diversion| {
                    let privacy = if diversion.privacy { "full" } else { "off" };
                    format!("reason={};counter={};privacy={privacy}", diversion.reason, dial.forwards)
                })
                .unwrap_or_default(),
        );
    }

    fn attempts(&mut self, attempts: &[Attempt]) {
        self.set("TANDEM_ROUTES", attempts.len().to_string());
        for (n, attempt) in attempts.iter().enumerate() {
            let n = n + 1;
            self.set(format!("TANDEM_ROUTE_{n}_KIND"), attempt.kind.name());
            self.set(format!("TANDEM_ROUTE_{n}_NAME"), &attempt.name);
            self.set(format!("TANDEM_ROUTE_{n}_DIAL"), &attempt.dial);
            self.set(format!("TANDEM_ROUTE_{n}_CAP"), attempt.cap.to_string());
            self.set(format!("TANDEM_ROUTE_{n}_SECONDS"), attempt.seconds.to_string());
            self.set(format!("TANDEM_ROUTE_{n}_CALLER"), shown(&attempt.caller));
            self.set(format!("TANDEM_ROUTE_{n}_NEXT"), attempt.next.name());
            self.set(format!("TANDEM_ROUTE_{n}_ASKS"), if attempt.asks { "1" } else { "" });
            self.set(format!("TANDEM_ROUTE_{n}_BUY"), attempt.buy.as_ref().map(Price::to_string).unwrap_or_default());
        }
    }
}

/// What the call's line says of it: location, latitude, longitude, the location's source and age, facility and its name, method,
/// distance, who answered; as fields of CSV.
fn facts(emergency: &Emergency, source: Option<Source>) -> String {
    let location = emergency.caller.as_ref().and_then(|caller| caller.location.as_ref());
    let choice = emergency.choice.as_ref();
    let point = location.and_then(|location| location.point);
    let facts = [
        location.map(ToString::to_string).unwrap_or_default(),
        point.map(|point| point.latitude.to_string()).unwrap_or_default(),
        point.map(|point| point.longitude.to_string()).unwrap_or_default(),
        location.map(|location| location.source.clone()).unwrap_or_default(),
        location
            .and_then(|location| location.placed_at)
            .map(|at| at.timestamp_millis().to_string())
            .unwrap_or_default(),
        choice.and_then(|choice| choice.facility_id).map(|id| id.to_string()).unwrap_or_default(),
        choice.map(|choice| choice.name.clone()).unwrap_or_default(),
        choice.map_or("none", |choice| choice.method.name()).to_owned(),
        choice.and_then(|choice| choice.distance_m).map(|m| format!("{m:.0}")).unwrap_or_default(),
        source.map_or("", Source::name).to_owned(),
    ];
    let quoted = facts.map(|fact| {
        let plain: String = fact.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        format!("\"{}\"", plain.replace('"', "\"\""))
    });
    quoted.join(",")
}

/// What may be shown: no control characters, which AGI cannot carry, and not more than a phone can show.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}
