//! Where a number or an extension leads: a line, a ring group, a mailbox, or a service such as a menu.

use std::fmt;

use super::cap::Cap;
use super::feature::Features;

/// Where a number or an extension leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One line.
    Line(Ringing),
    /// Several lines.
    RingGroup(RingGroup),
    /// No phone at all: callers leave a message in the mailbox of this id.
    Mailbox(String),
    /// No phone yet: the caller is answered by a service of this id or name.
    Service(Service, String),
}

/// What answers a caller in the place of a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// A menu, by its id.
    Menu,
    /// A directory of names, by its id.
    Directory,
    /// A queue of Asterisk, by its name in `queues.conf`.
    Queue,
    /// A conference of the account, by its name.
    Conference,
}

impl Service {
    /// As the dialplan calls it, in `TANDEM_ACTION`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Service::Menu => "menu",
            Service::Directory => "directory",
            Service::Queue => "queue",
            Service::Conference => "conference",
        }
    }

    /// The variable in which the dialplan finds which one.
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Service::Menu => "TANDEM_MENU",
            Service::Directory => "TANDEM_DIRECTORY_ID",
            Service::Queue => "TANDEM_QUEUE",
            Service::Conference => "TANDEM_CONFERENCE",
        }
    }
}

/// A line that is to ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ringing {
    /// The line's id, which is its SIP user or PJSIP endpoint.
    pub line_id: String,
    /// False when the line or its account is suspended or closed.
    pub active: bool,
    /// Calls to it at once.
    pub max_calls: Cap,
    /// Seconds it rings before the call counts as unanswered.
    pub ring_seconds: i32,
    /// The mailbox of calls that it does not take; of a member of a ring group, the group's holds.
    pub mailbox_id: Option<String>,
    /// What it does with calls to it.
    pub features: Features,
}

/// Lines that ring together or one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RingGroup {
    /// The ring group's id.
    pub id: String,
    /// Together, or in order of position.
    pub strategy: Strategy,
    /// Seconds that it (or, in order, each member) rings.
    pub ring_seconds: i32,
    /// Its lines in order of position; may be empty.
    pub members: Vec<Ringing>,
    /// The mailbox of calls that nobody takes.
    pub mailbox_id: Option<String>,
}

/// What a number, an extension or a menu may lead to, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// `line`
    Line,
    /// `group`
    RingGroup,
    /// `mailbox`
    Mailbox,
    /// `menu`
    Menu,
}

impl TargetKind {
    /// Each of them.
    pub const ALL: &[TargetKind] = &[TargetKind::Line, TargetKind::RingGroup, TargetKind::Mailbox, TargetKind::Menu];

    /// As the dialplan calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            TargetKind::Line => "line",
            TargetKind::RingGroup => "group",
            TargetKind::Mailbox => "mailbox",
            TargetKind::Menu => "menu",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<TargetKind> {
        TargetKind::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

impl Target {
    /// The mailbox of calls that nobody takes there.
    #[must_use]
    pub fn mailbox_id(&self) -> Option<&str> {
        match self {
            Target::Line(line) => line.mailbox_id.as_deref(),
            Target::RingGroup(group) => group.mailbox_id.as_deref(),
            Target::Mailbox(id) => Some(id),
            Target::Service(..) => None,
        }
    }

    /// The service that answers there.
    #[must_use]
    pub fn service(&self) -> Option<(Service, &str)> {
        if let Target::Service(service, name) = self { Some((*service, name)) } else { None }
    }

    /// Whether phones ring there.
    #[must_use]
    pub fn rings(&self) -> bool {
        matches!(self, Target::Line(_) | Target::RingGroup(_))
    }
}

/// How a ring group rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// `together`: all at once.
    Together,
    /// `in_order`: one after the other.
    InOrder,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Mailbox(id) => write!(f, "mailbox {id}"),
            Target::Service(service, name) => write!(f, "{} {name}", service.name()),
            Target::Line(line) => write!(f, "line {}{}", line.line_id, if line.active { "" } else { " (not active)" }),
            Target::RingGroup(group) => {
                let how = match group.strategy {
                    Strategy::Together => "together",
                    Strategy::InOrder => "in order",
                };
                let lines: Vec<&str> = group.members.iter().map(|line| line.line_id.as_str()).collect();
                write!(f, "ring group {}, {how}: {}", group.id, lines.join(", "))
            }
        }
    }
}
