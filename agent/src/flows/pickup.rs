//! The flow `pickup`: which ringing lines a line may answer for. `AGI(agi://<agent>/pickup/line/<line id>)` for the extension that was dialled after the
//! code, `AGI(.../pickup/line/<line id>/group)` for the line's pickup group.
//!
//! The answer is `TANDEM_ACTION=pickup` with `TANDEM_PICKUP_LINES`, ids joined by `&`: lines of the same account, never the line itself; empty for none.

use super::{Ports, within};
use crate::call::{Call, Fault, Step};
use crate::store::target::Target;

/// Says which lines they are.
///
/// # Errors
/// The caller hung up meanwhile, or the store could not be asked.
pub async fn run(call: &mut impl Call, arguments: &[String], ports: &Ports) -> Step<&'static str> {
    let mut asking = within::asking(ports);
    let caller = within::line(call, arguments, ports, &mut asking).await?;
    let lines = match &caller {
        None => Vec::new(),
        Some(caller) if arguments.get(2).is_some_and(|whose| whose == "group") => {
            let lines = ports.store.pickup_group(&caller.line_id, &mut asking).await;
            lines.map_err(|error| Fault(format!("a pickup group cannot be read: {error}")))?
        }
        Some(caller) => caller
            .extension
            .as_ref()
            .map(lines)
            .unwrap_or_default()
            .into_iter()
            .filter(|id| *id != caller.line_id)
            .collect(),
    };
    within::tell(call, caller.as_ref(), "pickup", &[("TANDEM_PICKUP_LINES", &lines.join("&"))], asking.source()).await
}

/// The lines that ring for an extension.
fn lines(target: &Target) -> Vec<String> {
    match target {
        Target::Line(line) => vec![line.line_id.clone()],
        Target::RingGroup(group) => group.members.iter().map(|line| line.line_id.clone()).collect(),
        Target::Mailbox(_) | Target::Service(..) => Vec::new(),
    }
}
