//! The tables that a replica holds.

/// A table, and the columns whose values name what changed: the unit in which its rows are read anew.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub name: &'static str,
    /// One or two columns; the triggers of `sql/schema` note their values.
    pub keys: &'static [&'static str],
    /// Whether the first of them is a whole number.
    pub numeric: bool,
}

const fn table(name: &'static str, keys: &'static [&'static str]) -> Table {
    Table { name, keys, numeric: false }
}

const fn numbered(name: &'static str, keys: &'static [&'static str]) -> Table {
    Table { name, keys, numeric: true }
}

/// Rates follow their version: see `keeper`.
pub(super) static RATES: Table = numbered("rates", &["deck_version_id", "prefix"]);
/// A version is there when all of its rates are.
pub(super) static DECK_VERSIONS: Table = numbered("deck_versions", &["id"]);

/// All others.
pub(super) static TABLES: &[Table] = &[
    table("currencies", &["code"]),
    table("decks", &["id"]),
    table("accounts", &["id"]),
    table("mailboxes", &["id"]),
    table("mailbox_rules", &["account_id"]),
    table("mailbox_greetings", &["mailbox_id", "kind"]),
    table("mailbox_messages", &["mailbox_id", "id"]),
    table("directory_names", &["mailbox_id"]),
    table("directories", &["id"]),
    table("phone_lines", &["id"]),
    table("ring_groups", &["id"]),
    table("ring_group_members", &["ring_group_id"]),
    table("line_features", &["line_id"]),
    table("find_me_numbers", &["line_id"]),
    table("speed_dials", &["line_id", "slot"]),
    table("blocked_callers", &["line_id", "number"]),
    table("feature_codes", &["code"]),
    table("schedules", &["id"]),
    table("schedule_hours", &["schedule_id"]),
    table("schedule_holidays", &["schedule_id"]),
    table("prompts", &["id"]),
    table("prompt_recordings", &["prompt_id"]),
    table("prompt_passwords", &["account_id"]),
    table("menus", &["id"]),
    table("menu_options", &["menu_id"]),
    table("menu_prompts", &["menu_id"]),
    table("menu_conditions", &["menu_id"]),
    table("menu_lookups", &["id"]),
    table("numbers", &["number"]),
    table("extensions", &["account_id", "extension"]),
    table("classes", &["name"]),
    table("class_prefixes", &["prefix"]),
    table("account_permissions", &["account_id"]),
    table("line_permissions", &["line_id"]),
    table("gateways", &["id"]),
    table("blocked_prefixes", &["prefix"]),
    table("emergency_locations", &["line_id", "device"]),
    table("emergency_contacts", &["account_id"]),
    numbered("facilities", &["id"]),
    numbered("facility_areas", &["facility_id"]),
    table("facility_defaults", &["state"]),
    table("counties", &["id"]),
    table("emergency_calls", &["node", "uniqueid"]),
];

impl Table {
    /// The table of that name.
    pub(super) fn named(name: &str) -> Option<&'static Table> {
        [&RATES, &DECK_VERSIONS].into_iter().chain(TABLES).find(|table| table.name == name)
    }
}
