//! An emergency call: what is known of the caller and who answers there. It goes out whatever is known: nothing here can refuse it.

use chrono::TimeDelta;

use super::Knowledge;
use super::decide::Request;
use super::decision::{Attempt, Decision, Dial, Emergency, Kind, Next};
use super::explanation::Listener;
use super::rules::Rules;
use crate::emergency::atlas::{Choice, Place};
use crate::emergency::callbacks::Callback;
use crate::emergency::pidf::Pidf;
use crate::store::asking::Asking;
use crate::store::cap::Cap;
use crate::store::location::EmergencyCaller;

/// Seconds for which a line rings that is called back.
const RING_SECONDS: i32 = 60;

/// The way out for an emergency call to `number` from a line.
pub(super) async fn decide(
    number: &str,
    line_id: &str,
    request: &Request<'_>,
    rules: &Rules,
    knowledge: &Knowledge<'_>,
    asking: &mut Asking,
    listener: &mut impl Listener,
) -> Emergency {
    listener.step("emergency", || format!("{} is an emergency number: nothing stands before it", request.dialled));
    let caller = match knowledge.store.emergency_caller(line_id, request.device, asking).await {
        Ok(caller) => caller,
        Err(error) => {
            tracing::error!(line = line_id, %error, "an emergency call goes out without location and callback number");
            None
        }
    };
    let location = caller.as_ref().and_then(|caller| caller.location.as_ref());
    let nowhere = Place { point: None, state: "", county: "" };
    let choice = knowledge.atlas.choose(&location.map_or(nowhere, Place::from));
    let pidf = location.and_then(Pidf::of);
    explain(caller.as_ref(), choice.as_ref(), pidf.as_ref(), request, listener);
    let attempts = rules.emergency_gateways.iter().map(|gateway| {
        let facility = choice.as_ref().and_then(|choice| choice.number.as_deref());
        let dialled = facility.filter(|_| rules.emergency_facility_gateways.contains(gateway)).unwrap_or(number);
        Attempt {
            kind: Kind::Gateway,
            name: gateway.clone(),
            dial: rules.dial_gateway(gateway, dialled),
            cap: Cap::default(),
            seconds: i32::try_from(rules.emergency_ring_seconds).unwrap_or(i32::MAX),
            caller: String::new(),
            next: Next::Always,
            asks: false,
            buy: None,
        }
    });
    let emergency = Emergency { number: number.to_owned(), attempts: attempts.collect(), caller, choice, pidf };
    if let Some(caller) = &emergency.caller {
        knowledge.callbacks.protect(Callback {
            number: caller.callback_number.clone().unwrap_or_default(),
            line_id: caller.line_id.clone(),
            account_id: caller.account_id.clone(),
            called_at: request.at,
        });
    }
    emergency
}

fn explain(
    caller: Option<&EmergencyCaller>,
    choice: Option<&Choice>,
    pidf: Option<&Pidf>,
    request: &Request<'_>,
    listener: &mut impl Listener,
) {
    listener.step("caller-number", || match caller.map(|caller| &caller.callback_number) {
        Some(Some(number)) => format!("shows +{number}, where the line is called back"),
        Some(None) => "the line has no callback number: the node's own is shown (TANDEM_EMERGENCY_CALLER)".to_owned(),
        None => "the line is not known: the node's own number is shown (TANDEM_EMERGENCY_CALLER)".to_owned(),
    });
    listener.step("location", || match caller.and_then(|caller| caller.location.as_ref()) {
        Some(location) => {
            let whose =
                if location.device.is_empty() { "the line".to_owned() } else { format!("device {}", location.device) };
            let point = location
                .point
                .map_or("no coordinates".to_owned(), |point| format!("{:.5} {:.5}", point.latitude, point.longitude));
            let age = location.placed_at.map_or("of unknown age".to_owned(), |at| {
                format!("placed on {}, {} days ago", at.format("%Y-%m-%d"), (request.at - at).num_days())
            });
            let source = if location.source.is_empty() { "unknown" } else { &location.source };
            format!("{whose} is at {location} ({point}; source {source}, {age}, validation {})", location.validation)
        }
        None => "nobody has registered where the line is".to_owned(),
    });
    listener.step("facility", || match choice {
        Some(choice) => {
            let id = choice.facility_id.map_or("not in the registry".to_owned(), |id| format!("registry id {id}"));
            let far = choice.distance_m.map_or(String::new(), |m| format!(", {:.1} km away", m / 1000.0));
            let number = choice.number.as_ref().map_or("no number known".to_owned(), |number| format!("+{number}"));
            format!("{} ({id}, {number}) by {}{far}", choice.name, choice.method.name())
        }
        None => "none is known: the carrier finds one".to_owned(),
    });
    listener.step("pidf", || match pidf {
        Some(pidf) => format!("the INVITE says {} {}, where the gateway takes it", pidf.format, pidf.info),
        None => "the INVITE says no location".to_owned(),
    });
}

/// The way to those who called for help and showed the number that is called now.
pub(super) fn call_back(
    request: &Request<'_>,
    rules: &Rules,
    knowledge: &Knowledge<'_>,
    listener: &mut impl Listener,
) -> Option<Decision> {
    let window = TimeDelta::from_std(rules.callback).unwrap_or(TimeDelta::zero());
    let callbacks = knowledge.callbacks.for_number(request.dialled, request.at, window);
    let first = callbacks.first()?;
    listener.step("callback", || {
        format!("line {} called for help at {}: it rings, whatever else holds", first.line_id, first.called_at)
    });
    let attempts = callbacks.iter().map(|callback| Attempt {
        kind: Kind::Line,
        name: callback.line_id.clone(),
        dial: rules.dial_line(&callback.line_id),
        cap: Cap::default(),
        seconds: RING_SECONDS,
        caller: request.caller_number.to_owned(),
        next: Next::Always,
        asks: false,
        buy: None,
    });
    Some(Decision::Dial(Box::new(Dial {
        account_id: first.account_id.clone(),
        called_account_id: first.account_id.clone(),
        number: first.number.clone(),
        reason: CALL_BACK,
        caller_name: request.caller_name.to_owned(),
        caller_number: request.caller_number.to_owned(),
        // Help that calls back is not to talk to a machine: no mailbox, and nothing that the line does with calls else.
        attempts: attempts.take(rules.attempts).collect(),
        ..Dial::default()
    })))
}

/// Why a call rings that others would not let through.
const CALL_BACK: &str = "emergency-callback";
