//! What can be imported: for each kind its columns, and the tables that they go to.

use super::field::Field;
use crate::store::feature::{Feature, FindMe};
use crate::store::recording::Notice;

/// A kind of import file other than rates, whose format is [`super::RateFile`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `currency,value`
    Currencies,
    /// `id,name,status,currency,...`
    Accounts,
    /// `id,account,name,status,country,...`
    Lines,
    /// `id,account,number,name,password,lines,mail,...`
    Mailboxes,
    /// `account,max_messages,retention_days,mail_subject,...`
    MailboxRules,
    /// `id,account,name,strategy,ring_seconds,members,mailbox`
    RingGroups,
    /// `number,account,line,ring_group,mailbox,menu,directory,queue,conference`
    Numbers,
    /// `account,extension,line,ring_group,mailbox,menu,directory,queue,conference`
    Extensions,
    /// `account,line,class,allowed`
    Permissions,
    /// `id,name,status,deck,number_format,country,...`
    Gateways,
    /// `prefix,account,reason`
    BlockedPrefixes,
    /// `line,device,country,state,...`
    Locations,
    /// `account,kind,address`
    EmergencyContacts,
    /// `state,facility,name,number`
    FacilityDefaults,
    /// `line,do_not_disturb,forward_always,...`
    LineFeatures,
    /// `line,number,ring_seconds`
    FindMeNumbers,
    /// `line,slot,number`
    SpeedDials,
    /// `line,number`
    BlockedCallers,
    /// `code,feature`
    FeatureCodes,
    /// `id,account,name,department,search,letters,...`
    Directories,
}

/// What an empty cell, or a column that the file lacks, stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    /// It must be there.
    Refused,
    /// Nothing: NULL.
    Null,
    /// This text.
    Is(&'static str),
}

/// A table to whose rows a cell refers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Reference {
    Account,
    Line,
    RingGroup,
    Mailbox,
    Menu,
    Directory,
    Deck,
    Currency,
    Class,
}

/// A column of an import file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// Its name in the file's first row.
    pub name: &'static str,
    /// The column of the table, empty when it goes elsewhere.
    pub column: &'static str,
    pub field: Field,
    pub absent: Absent,
    pub refers: Option<Reference>,
    /// Whether it is given to new rows only: what has become of it since is not the file's.
    pub initial: bool,
}

const fn column(name: &'static str, column: &'static str, field: Field, absent: Absent) -> Column {
    Column { name, column, field, absent, refers: None, initial: false }
}

const fn reference(name: &'static str, column: &'static str, to: Reference, absent: Absent) -> Column {
    let field = match to {
        Reference::Currency => Field::Currency,
        _ => Field::Id,
    };
    Column { name, column, field, absent, refers: Some(to), initial: false }
}

const fn initial(name: &'static str, column: &'static str, field: Field, absent: Absent) -> Column {
    Column { name, column, field, absent, refers: None, initial: true }
}

/// Lines that belong to the row, in an own table or an own column.
const fn lines(name: &'static str) -> Column {
    Column { name, column: "", field: Field::Members, absent: Null, refers: Some(Reference::Line), initial: false }
}

use Absent::{Is, Null, Refused};

const STATUS: Column = column("status", "status", Field::Word(&["active", "suspended", "closed"]), Is("active"));
const CAP: Column = column("max_calls", "max_calls", Field::Count(0, 1_000_000), Is("0"));
const CALLER_NUMBER: Column = column("caller_number", "caller_number", Field::Number, Null);
const RINGING: Field = Field::Count(1, 3600);
const ID: Column = column("id", "id", Field::Id, Refused);
const NAME: Column = column("name", "name", Field::Text, Refused);
const ACCOUNT: Column = reference("account", "account_id", Reference::Account, Refused);
const LINE: Column = reference("line", "line_id", Reference::Line, Null);
const RING_GROUP: Column = reference("ring_group", "ring_group_id", Reference::RingGroup, Null);
const MAILBOX: Column = reference("mailbox", "mailbox_id", Reference::Mailbox, Null);
const WHOSE: Column = reference("line", "line_id", Reference::Line, Refused);
const DEPARTMENT: Column = column("department", "department", Field::Text, Is(""));
const OPERATOR: Column = column("operator", "operator", Field::Extension, Is(""));
const LANGUAGE: Column = column("language", "language", Field::Text, Is(""));
const MENU: Column = reference("menu", "menu_id", Reference::Menu, Null);
const DIRECTORY: Column = reference("directory", "directory_id", Reference::Directory, Null);
const QUEUE: Column = column("queue", "queue", Field::Id, Null);
const CONFERENCE: Column = column("conference", "conference", Field::Id, Null);
const CLASS: Column = reference("class", "class_name", Reference::Class, Refused);

impl Kind {
    /// Every kind, in an order in which nothing refers to what comes later (decks come with the rates).
    pub const ALL: &[Kind] = &[
        Kind::Currencies,
        Kind::Accounts,
        Kind::Lines,
        Kind::Mailboxes,
        Kind::MailboxRules,
        Kind::RingGroups,
        Kind::Directories,
        Kind::Numbers,
        Kind::Extensions,
        Kind::Permissions,
        Kind::Gateways,
        Kind::BlockedPrefixes,
        Kind::Locations,
        Kind::EmergencyContacts,
        Kind::FacilityDefaults,
        Kind::LineFeatures,
        Kind::FindMeNumbers,
        Kind::SpeedDials,
        Kind::BlockedCallers,
        Kind::FeatureCodes,
    ];

    /// Its name on the command line, and of its file in `sql/sample/`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Currencies => "currencies",
            Kind::Accounts => "accounts",
            Kind::Lines => "lines",
            Kind::Mailboxes => "mailboxes",
            Kind::MailboxRules => "mailbox-rules",
            Kind::RingGroups => "ring-groups",
            Kind::Numbers => "numbers",
            Kind::Extensions => "extensions",
            Kind::Permissions => "permissions",
            Kind::Gateways => "gateways",
            Kind::BlockedPrefixes => "blocked-prefixes",
            Kind::Locations => "locations",
            Kind::EmergencyContacts => "emergency-contacts",
            Kind::FacilityDefaults => "facility-defaults",
            Kind::LineFeatures => "line-features",
            Kind::FindMeNumbers => "find-me-numbers",
            Kind::SpeedDials => "speed-dials",
            Kind::BlockedCallers => "blocked-callers",
            Kind::FeatureCodes => "feature-codes",
            Kind::Directories => "directories",
        }
    }

    /// Names of the columns that its file may have; those that must be there first, and whether they must.
    pub fn column_names(self) -> impl Iterator<Item = (&'static str, bool)> {
        let needed = |column: &&Column| column.absent == Absent::Refused;
        let (must, may): (Vec<&Column>, Vec<&Column>) = self.columns().iter().partition(needed);
        let named = |columns: Vec<&'static Column>, must| columns.into_iter().map(move |column| (column.name, must));
        named(must, true).chain(named(may, false))
    }

    /// The columns that its file may have.
    pub(super) fn columns(self) -> &'static [Column] {
        match self {
            Kind::Currencies => {
                const {
                    &[
                        column("currency", "code", Field::Currency, Refused),
                        column("value", "value_micros", Field::Worth, Refused),
                    ]
                }
            }
            Kind::Accounts => {
                const {
                    &[
                        ID,
                        NAME,
                        STATUS,
                        reference("currency", "currency", Reference::Currency, Is("USD")),
                        column("time_zone", "time_zone", Field::TimeZone, Is("UTC")),
                        CALLER_NUMBER,
                        CAP,
                        reference("sell_deck", "sell_deck_id", Reference::Deck, Null),
                        column("allow_loss", "allow_loss", Field::Flag, Is("no")),
                        column("max_per_minute", "max_per_minute_micros", Field::Money, Null),
                        column("max_connect_fee", "max_connect_fee_micros", Field::Money, Null),
                        column("recording_notice", "recording_notice", Field::Word(Notice::NAMES), Is("none")),
                        column("recording_beep_seconds", "recording_beep_seconds", Field::Count(0, 3600), Is("15")),
                        column("recording_days", "recording_days", Field::Count(0, 36_500), Is("90")),
                    ]
                }
            }
            Kind::Lines => {
                const {
                    &[
                        ID,
                        ACCOUNT,
                        NAME,
                        STATUS,
                        column("country", "country", Field::Country, Is("US")),
                        column("area_code", "area_code", Field::Digits, Is("")),
                        column("outside_prefix", "outside_prefix", Field::Digits, Is("")),
                        CALLER_NUMBER,
                        column("privacy", "privacy", Field::Flag, Is("no")),
                        CAP,
                        column("ring_seconds", "ring_seconds", RINGING, Is("30")),
                        column("pickup_group", "pickup_group", Field::Id, Is("")),
                    ]
                }
            }
            Kind::RingGroups => {
                const {
                    &[
                        ID,
                        ACCOUNT,
                        NAME,
                        column("strategy", "strategy", Field::Word(&["together", "in_order"]), Is("together")),
                        column("ring_seconds", "ring_seconds", RINGING, Is("30")),
                        MAILBOX,
                        lines("members"),
                    ]
                }
            }
            Kind::Mailboxes => {
                const {
                    &[
                        ID,
                        ACCOUNT,
                        column("number", "number", Field::Digits, Refused),
                        NAME,
                        STATUS,
                        initial("password", "password_hash", Field::Password, Null),
                        initial("set_up", "set_up", Field::Flag, Is("no")),
                        column("login_from_line", "login_from_line", Field::Flag, Is("no")),
                        LANGUAGE,
                        column("time_zone", "time_zone", Field::TimeZone, Null),
                        column("mail", "mail", Field::Addresses, Is("")),
                        column("pager", "pager", Field::Addresses, Is("")),
                        column("webhook", "webhook", Field::Urls, Is("")),
                        column("attach", "attach", Field::Flag, Is("yes")),
                        column("delete_after_mail", "delete_after_mail", Field::Flag, Is("no")),
                        OPERATOR,
                        LINE,
                        column("call_back", "call_back", Field::Flag, Is("no")),
                        column("dial_out", "dial_out", Field::Flag, Is("no")),
                        column("send_messages", "send_messages", Field::Flag, Is("yes")),
                        column("review", "review", Field::Flag, Is("yes")),
                        column("say_envelope", "say_envelope", Field::Flag, Is("yes")),
                        column("say_caller", "say_caller", Field::Flag, Is("no")),
                        column("say_duration", "say_duration", Field::Flag, Is("no")),
                        column("hidden", "hidden", Field::Flag, Is("no")),
                        DEPARTMENT,
                        column("extension", "extension", Field::Extension, Null),
                        column("max_messages", "max_messages", Field::Count(0, 1_000_000), Is("100")),
                        column("max_minutes", "max_minutes", Field::Count(0, 1_000_000), Is("0")),
                        column("max_seconds", "max_seconds", Field::Count(1, 3600), Is("300")),
                        column("min_seconds", "min_seconds", Field::Count(0, 60), Is("2")),
                        column("silence_seconds", "silence_seconds", Field::Count(0, 60), Is("10")),
                        column("greeting_seconds", "greeting_seconds", Field::Count(1, 600), Is("60")),
                        column("retention_days", "retention_days", Field::Count(0, 36_500), Is("0")),
                        column("gain_db", "gain_db", Field::Count(-30, 30), Is("0")),
                        lines("lines"),
                    ]
                }
            }
            Kind::MailboxRules => {
                const {
                    &[
                        ACCOUNT,
                        column("max_messages", "max_messages", Field::Count(0, 100_000_000), Is("0")),
                        column("max_minutes", "max_minutes", Field::Count(0, 100_000_000), Is("0")),
                        column("retention_days", "retention_days", Field::Count(0, 36_500), Is("0")),
                        column("mail_from", "mail_from", Field::Text, Is("")),
                        column("mail_subject", "mail_subject", Field::Template(255), Is("")),
                        column("mail_body", "mail_body", Field::Template(10_000), Is("")),
                        column("pager_subject", "pager_subject", Field::Template(255), Is("")),
                        column("pager_body", "pager_body", Field::Template(1_000), Is("")),
                    ]
                }
            }
            Kind::Numbers => {
                const {
                    &[
                        column("number", "number", Field::Number, Refused),
                        ACCOUNT,
                        LINE,
                        RING_GROUP,
                        MAILBOX,
                        MENU,
                        DIRECTORY,
                        QUEUE,
                        CONFERENCE,
                    ]
                }
            }
            Kind::Extensions => {
                const {
                    &[
                        ACCOUNT,
                        column("extension", "extension", Field::Extension, Refused),
                        LINE,
                        RING_GROUP,
                        MAILBOX,
                        MENU,
                        DIRECTORY,
                        QUEUE,
                        CONFERENCE,
                    ]
                }
            }
            Kind::Permissions => {
                const {
                    &[
                        reference("account", "account_id", Reference::Account, Null),
                        LINE,
                        CLASS,
                        column("allowed", "allowed", Field::Flag, Refused),
                    ]
                }
            }
            Kind::Gateways => {
                const {
                    &[
                        ID,
                        NAME,
                        STATUS,
                        column("endpoint", "endpoint", Field::Id, Refused),
                        reference("deck", "deck_id", Reference::Deck, Null),
                        column(
                            "number_format",
                            "number_format",
                            Field::Word(&["e164", "plus_e164", "national"]),
                            Is("e164"),
                        ),
                        column("country", "country", Field::Country, Is("US")),
                        column("dial_prefix", "dial_prefix", Field::Digits, Is("")),
                        CAP,
                        column("priority", "priority", Field::Count(-1_000_000, 1_000_000), Is("0")),
                        column("weight", "weight", Field::Count(0, 1_000_000), Is("1")),
                        column("ring_seconds", "ring_seconds", RINGING, Is("60")),
                        column("next_on_forbidden", "next_on_forbidden", Field::Flag, Is("no")),
                    ]
                }
            }
            Kind::Locations => {
                const {
                    &[
                        reference("line", "line_id", Reference::Line, Refused),
                        column("device", "device", Field::Id, Is("")),
                        column("country", "country", Field::Country, Is("US")),
                        column("state", "state", Field::Text, Is("")),
                        column("county", "county", Field::Text, Is("")),
                        column("city", "city", Field::Text, Is("")),
                        column("postal_code", "postal_code", Field::Text, Is("")),
                        column("street", "street", Field::Text, Is("")),
                        column("house_number", "house_number", Field::Text, Is("")),
                        column("building", "building", Field::Text, Is("")),
                        column("floor", "floor", Field::Text, Is("")),
                        column("room", "room", Field::Text, Is("")),
                        column("latitude", "latitude", Field::Degrees(90), Null),
                        column("longitude", "longitude", Field::Degrees(180), Null),
                        column("source", "source", Field::Text, Is("")),
                        column("placed_at", "placed_at", Field::Time, Null),
                        column(
                            "validation",
                            "validation",
                            Field::Word(&["none", "pending", "valid", "invalid"]),
                            Is("none"),
                        ),
                        column("callback_number", "callback_number", Field::Number, Null),
                    ]
                }
            }
            Kind::EmergencyContacts => {
                const {
                    &[
                        ACCOUNT,
                        column("kind", "kind", Field::Word(&["mail", "webhook", "message", "call"]), Refused),
                        column("address", "address", Field::Text, Refused),
                    ]
                }
            }
            Kind::FacilityDefaults => {
                const {
                    &[
                        column("state", "state", Field::Text, Is("")),
                        column("facility", "facility_id", Field::Count(1, i64::MAX), Null),
                        column("name", "name", Field::Text, Is("")),
                        column("number", "number", Field::Number, Null),
                    ]
                }
            }
            Kind::LineFeatures => {
                const {
                    &[
                        WHOSE,
                        column("do_not_disturb", "do_not_disturb", Field::Flag, Is("no")),
                        column("forward_always", "forward_always", Field::Dialled, Is("")),
                        column("forward_busy", "forward_busy", Field::Dialled, Is("")),
                        column("forward_unanswered", "forward_unanswered", Field::Dialled, Is("")),
                        column("forward_unreachable", "forward_unreachable", Field::Dialled, Is("")),
                        column("forward_shows_caller", "forward_shows_caller", Field::Flag, Is("no")),
                        column("reject_anonymous", "reject_anonymous", Field::Flag, Is("no")),
                        column("screening", "screening", Field::Flag, Is("no")),
                        column("find_me", "find_me", Field::Word(FindMe::NAMES), Is("off")),
                    ]
                }
            }
            Kind::FindMeNumbers => {
                const {
                    &[
                        WHOSE,
                        column("number", "number", Field::Dialled, Refused),
                        column("ring_seconds", "ring_seconds", RINGING, Is("20")),
                    ]
                }
            }
            Kind::SpeedDials => {
                const {
                    &[
                        WHOSE,
                        column("slot", "slot", Field::Digits, Refused),
                        column("number", "number", Field::Dialled, Refused),
                    ]
                }
            }
            Kind::BlockedCallers => const { &[WHOSE, column("number", "number", Field::Callers, Refused)] },
            Kind::FeatureCodes => {
                const {
                    &[
                        column("code", "code", Field::Digits, Refused),
                        column("feature", "feature", Field::Word(Feature::NAMES), Refused),
                    ]
                }
            }
            Kind::Directories => {
                const {
                    &[
                        ID,
                        ACCOUNT,
                        NAME,
                        DEPARTMENT,
                        column("search", "search", Field::Word(&["last", "first", "both"]), Is("both")),
                        column("letters", "letters", Field::Count(1, 9), Is("3")),
                        column("presentation", "presentation", Field::Word(&["one", "menu"]), Is("one")),
                        column("say_extension", "say_extension", Field::Flag, Is("no")),
                        OPERATOR,
                        LANGUAGE,
                    ]
                }
            }
            Kind::BlockedPrefixes => {
                const {
                    &[
                        column("prefix", "prefix", Field::Prefix, Refused),
                        reference("account", "account_id", Reference::Account, Null),
                        column("reason", "reason", Field::Text, Refused),
                    ]
                }
            }
        }
    }

    /// The columns of the file that tell one row from another.
    pub(super) fn key(self) -> &'static [&'static str] {
        match self {
            Kind::Currencies => &["currency"],
            Kind::Accounts | Kind::Lines | Kind::Mailboxes | Kind::RingGroups | Kind::Gateways | Kind::Directories => {
                &["id"]
            }
            Kind::MailboxRules => &["account"],
            Kind::Numbers => &["number"],
            Kind::Extensions => &["account", "extension"],
            Kind::Permissions => &["account", "line", "class"],
            Kind::BlockedPrefixes => &["prefix", "account"],
            Kind::Locations => &["line", "device"],
            Kind::EmergencyContacts => &["account", "kind", "address"],
            Kind::FacilityDefaults => &["state"],
            Kind::LineFeatures => &["line"],
            Kind::FindMeNumbers | Kind::BlockedCallers => &["line", "number"],
            Kind::SpeedDials => &["line", "slot"],
            Kind::FeatureCodes => &["code"],
        }
    }

    /// Whether its table keeps when a row came.
    pub(super) fn has_created_at(self) -> bool {
        matches!(self, Kind::Accounts | Kind::Lines | Kind::Mailboxes | Kind::Gateways)
    }
}
