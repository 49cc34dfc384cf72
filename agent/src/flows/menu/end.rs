//! Where a call goes from its menus, as the dialplan is told.

use super::super::Ports;
use crate::call::{Call, Caller, Step};
use crate::store::menu::{Action, Loaded};
use crate::store::target::{Service, TargetKind};

/// What is dialled when the transport does not tell: for records only.
const NOT_TOLD: &str = "menu";

/// Where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// Inside the account: by extension, or to something else of it.
    Inside { account_id: String, number: String, target: Option<(TargetKind, String)>, name: &'static str },
    /// To an outside number, with the permissions of a line.
    Outside { line_id: String, number: String },
    /// To what else answers callers.
    Service { account_id: String, service: Service, name: String },
    /// Nowhere: the caller is told good-bye.
    HangUp,
    /// Nowhere, since what was wanted is not there.
    Sorry,
    /// Nowhere, since it went round too often.
    Depth,
}

impl End {
    /// Of what a menu leads to, and that is none itself.
    pub(super) fn of(action: Action, loaded: &Loaded, caller: &Caller, ports: &Ports) -> End {
        let name = action.name();
        let account_id = loaded.account_id.clone();
        let dialled =
            || Some(&caller.dialled).filter(|dialled| !dialled.is_empty()).map_or(NOT_TOLD, |dialled| dialled);
        let to = |kind, id| End::Inside {
            account_id: account_id.clone(),
            number: dialled().to_owned(),
            target: Some((kind, id)),
            name,
        };
        let extension = |number: String| End::Inside { account_id: account_id.clone(), number, target: None, name };
        let service = |service, name| End::Service { account_id: account_id.clone(), service, name };
        match action {
            Action::Line(id) => to(TargetKind::Line, id),
            Action::RingGroup(id) => to(TargetKind::RingGroup, id),
            Action::Mailbox(id) => to(TargetKind::Mailbox, id),
            Action::Extension(number) => extension(number),
            Action::Operator if !loaded.menu.operator.is_empty() => extension(loaded.menu.operator.clone()),
            Action::Number(number) => match &loaded.menu.line_id {
                // Somebody unknown would send, or hear, the location of the menu's line.
                Some(line_id)
                    if ports.rules.emergency_number(&number).is_none() && !ports.rules.is_emergency_test(&number) =>
                {
                    End::Outside { line_id: line_id.clone(), number }
                }
                _ => End::Sorry,
            },
            Action::Directory(id) => service(Service::Directory, id),
            Action::Queue(name) => service(Service::Queue, name),
            Action::Conference(name) => service(Service::Conference, name),
            Action::HangUp => End::HangUp,
            // These are gone through before.
            Action::Menu(_) | Action::Lookup(_) | Action::Say | Action::Language(_) | Action::Operator => End::Sorry,
        }
    }

    /// For the log and metrics: the action's word, or `sorry` or `depth`.
    pub(super) fn name(&self) -> &'static str {
        match self {
            End::Inside { name, .. } => name,
            End::Outside { .. } => "number",
            End::Service { service, .. } => service.name(),
            End::HangUp => "hangup",
            End::Sorry => "sorry",
            End::Depth => "depth",
        }
    }

    /// Tells the dialplan, in one exchange, or ends the call; `menu` is where it goes from.
    pub(super) async fn tell(&self, call: &mut impl Call, menu: &str, depth: u32) -> Step<()> {
        let depth = depth.to_string();
        let mut variables = vec![("TANDEM_MENU", menu), ("TANDEM_MENU_DEPTH", depth.as_str())];
        let target = match self {
            End::Inside { target: Some((kind, id)), .. } => format!("{}/{id}", kind.name()),
            _ => String::new(),
        };
        match self {
            End::Inside { account_id, number, .. } => variables.extend([
                ("TANDEM_ACTION", "call"),
                ("TANDEM_CALL_KIND", "account"),
                ("TANDEM_CALL_ID", account_id),
                ("TANDEM_CALL_NUMBER", number),
                ("TANDEM_CALL_TARGET", &target),
            ]),
            End::Outside { line_id, number } => variables.extend([
                ("TANDEM_ACTION", "call"),
                ("TANDEM_CALL_KIND", "line"),
                ("TANDEM_CALL_ID", line_id),
                ("TANDEM_CALL_NUMBER", number),
                ("TANDEM_CALL_TARGET", ""),
            ]),
            End::Service { account_id, service, name } => variables.extend([
                ("TANDEM_ACTION", service.name()),
                ("TANDEM_ACCOUNT", account_id),
                (service.variable(), name),
            ]),
            End::HangUp => return leave(call, &["vm-goodbye"]).await,
            End::Sorry | End::Depth => return leave(call, &["im-sorry", "please-try-call-later"]).await,
        }
        variables.push(("TANDEM_DONE", "1"));
        call.set(&variables).await
    }
}

async fn leave(call: &mut impl Call, said: &[&str]) -> Step<()> {
    call.answer().await?;
    let prompts: Vec<_> = said.iter().copied().map(Into::into).collect();
    call.play(&prompts, "").await?;
    call.hangup(16).await
}
