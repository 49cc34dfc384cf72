//! The flow `location`, behind the test number (933): it reads back what an emergency call of this line would send, its callback number
//! and its registered location.

use std::time::Duration;

use tokio::time::Instant;

use super::Ports;
use super::route::decide::Origin;
use super::route::origin;
use crate::call::{Call, Fault, Prompt, Step};
use crate::phrases;
use crate::store::asking::Asking;
use crate::store::location::Location;

/// For the answer; the caller hears ringing meanwhile.
const PATIENCE: Duration = Duration::from_millis(500);

/// Reads back until the end or until the caller hangs up.
///
/// # Errors
/// The caller hung up, the transport broke, or nobody could be asked.
pub async fn run(call: &mut impl Call, arguments: &[String], ports: &Ports) -> Step<&'static str> {
    let (Origin::Line(line_id), device) = origin(arguments) else {
        return Err(Fault("a gateway has no location".to_owned()).into());
    };
    let mut asking = Asking::until(Instant::now() + PATIENCE);
    let caller = ports.store.emergency_caller(line_id, device, &mut asking).await;
    let caller = caller.map_err(|error| Fault(format!("the location of line {line_id} cannot be read: {error}")))?;
    call.answer().await?;
    match caller.as_ref().and_then(|caller| caller.callback_number.as_deref()) {
        Some(number) => {
            call.play(&["telephone-number".into(), "is".into()], "").await?;
            phrases::digits(call, number).await?;
        }
        None => drop(call.play(&["vm-nonumber".into()], "").await?),
    }
    let outcome = match caller.as_ref().and_then(|caller| caller.location.as_ref()) {
        Some(location) => {
            call.play(&["location".into(), "is-set-to".into()], "").await?;
            read(call, location, ports).await?;
            "location-read"
        }
        None => {
            call.play(&["im-sorry".into(), "location".into(), "invalid".into()], "").await?;
            "no-location"
        }
    };
    call.play(&["goodbye".into()], "").await?;
    call.hangup(16).await?;
    Ok(outcome)
}

/// Speaks the address where the node can speak, else spells it; without one, its coordinates.
async fn read(call: &mut impl Call, location: &Location, ports: &Ports) -> Step<()> {
    let mut text = location.to_string();
    if text.is_empty()
        && let Some(point) = location.point
    {
        text = format!("{:.4}, {:.4}", point.latitude, point.longitude);
    }
    match ports.speech.speak(&text, "").await {
        Some(spoken) => call.play(&[Prompt(spoken.prompt())], "").await.map(drop),
        None => phrases::spell(call, &text, "").await.map(drop),
    }
}
