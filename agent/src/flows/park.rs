//! The flow `park`: whose parked calls a line may reach. `AGI(agi://<agent>/park/line/<line id>)`, where the code for parking, or a slot, was dialled.
//!
//! Slots are the account's: the answer is `TANDEM_ACTION=park` with the account. What is an extension of the account remains one, and is decided as
//! any call; and so is an emergency number before anything is asked.

use super::{Ports, route, within};
use crate::call::{Call, Step};

/// Says whose slots they are.
///
/// # Errors
/// The caller hung up meanwhile, or the store could not be asked.
pub async fn run(call: &mut impl Call, arguments: &[String], ports: &Ports) -> Step<&'static str> {
    if ports.rules.emergency_number(&call.caller().dialled).is_some() {
        return route::run(call, arguments, ports).await;
    }
    let mut asking = within::asking(ports);
    let caller = within::line(call, arguments, ports, &mut asking).await?;
    if caller.as_ref().is_some_and(|caller| caller.extension.is_some()) {
        return route::run(call, arguments, ports).await;
    }
    within::tell(call, caller.as_ref(), "park", &[], asking.source()).await
}
