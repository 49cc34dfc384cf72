//! The statements of `sql/query/`: written once with `$1, $2, ...` in order, each used once.
//!
//! A name without its file does not compile. Where a dialect really differs, `<name>.<backend>.sql` stands beside it.

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, OnceLock};

use metrics::Histogram;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// The three dialects; MariaDB speaks MySQL's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The embedded default.
    Sqlite,
    /// MariaDB and MySQL.
    MySql,
    /// PostgreSQL.
    Postgres,
}

/// What becomes of a row whose key is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It is a fault.
    Refuse,
    /// The row that is there stays. (The table's key begins with the node.)
    PassOver,
    /// It is replaced. (The table's key is node and uniqueid.)
    Replace,
}

/// A named question in its three dialects.
pub(super) struct Statement {
    /// Name of its file, and its label in metrics.
    pub(super) name: &'static str,
    sqlite: &'static str,
    mysql: LazyLock<String>,
    postgres: &'static str,
    seconds: OnceLock<Histogram>,
}

impl Statement {
    /// The text for a backend.
    pub(super) fn text(&'static self, backend: Backend) -> SqlStr {
        SqlStr::from_static(match backend {
            Backend::Sqlite => self.sqlite,
            Backend::MySql => &self.mysql,
            Backend::Postgres => self.postgres,
        })
    }

    /// The text for `count` rows of an INSERT of one; `known` says what becomes of rows whose key is there already.
    pub(super) fn rows(&'static self, backend: Backend, count: usize, known: Known) -> SqlStr {
        let (head, row) = self.sqlite.split_once("VALUES").unwrap_or((self.sqlite, ""));
        let parameters = row.matches('$').count();
        let mut text = format!("{head}VALUES ");
        for first in (0..count).map(|row| row * parameters + 1) {
            text.push_str(if first == 1 { "(" } else { ", (" });
            for n in first..first + parameters {
                let _ = write!(text, "{}${n}", if n == first { "" } else { ", " });
            }
            text.push(')');
        }
        if known == Known::PassOver {
            // Not INSERT IGNORE, which would let a row in that does not fit, cut to size.
            text.push_str(match backend {
                Backend::MySql => " ON DUPLICATE KEY UPDATE node = node",
                Backend::Sqlite | Backend::Postgres => " ON CONFLICT DO NOTHING",
            });
        }
        if known == Known::Replace {
            text.push_str(match backend {
                Backend::MySql => " ON DUPLICATE KEY UPDATE ",
                Backend::Sqlite | Backend::Postgres => " ON CONFLICT (node, uniqueid) DO UPDATE SET ",
            });
            let columns = head.split_once('(').map_or("", |(_, columns)| columns).trim_end().trim_end_matches(')');
            let others = columns.split(',').map(str::trim).filter(|column| !matches!(*column, "node" | "uniqueid"));
            let set = others.map(|column| match backend {
                Backend::MySql => format!("{column} = VALUES({column})"),
                Backend::Sqlite | Backend::Postgres => format!("{column} = excluded.{column}"),
            });
            text.push_str(&set.collect::<Vec<_>>().join(", "));
        }
        numbered(backend, text)
    }

    /// How long it took, over all hosts; the handle is registered once.
    pub(super) fn seconds(&self) -> &Histogram {
        self.seconds.get_or_init(|| metrics::histogram!("tandem_statement_seconds", "statement" => self.name))
    }
}

/// What MySQL calls otherwise: its casts know no BIGINT.
fn mysql(text: String) -> String {
    text.replace(" AS BIGINT)", " AS SIGNED)")
}

/// A statement of our own making (names of tables and columns, never a value), written with `$n`, for a backend.
pub(super) fn numbered(backend: Backend, text: String) -> SqlStr {
    // SQLite takes $n for a name, and looks each of thousands up among all of them.
    let text: Arc<str> = if backend == Backend::Postgres { text.into() } else { question_marks(&text).into() };
    AssertSqlSafe(text).into_sql_str()
}

/// `$n` becomes `?`, and comments go, whose `$n` would be counted otherwise.
fn question_marks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines().map(|line| line.split("--").next().unwrap_or_default()) {
        let mut pieces = line.split('$');
        out.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            out.push('?');
            out.push_str(piece.trim_start_matches(|c: char| c.is_ascii_digit()));
        }
        out.push('\n');
    }
    out
}

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../../../sql/query/", $name, ".sql"))
    };
}

macro_rules! statements {
    ($($(#[$doc:meta])* $constant:ident = $name:literal;)*) => {
        $($(#[$doc])* pub(super) static $constant: Statement = Statement {
            name: $name,
            sqlite: file!($name),
            mysql: LazyLock::new(|| mysql(question_marks(file!($name)))),
            postgres: file!($name),
            seconds: OnceLock::new(),
        };)*

        /// Every statement.
        pub(super) static STATEMENTS: &[&Statement] = &[$(&$constant),*];
    };
}

statements! {
    LINE_CALLER = "line_caller";
    GATEWAY_CALLER = "gateway_caller";
    OWN_NUMBER = "own_number";
    EXTENSION = "extension";
    TARGET = "target";
    PICKUP_GROUP = "pickup_group";
    DESTINATION = "destination";
    GATEWAYS = "gateways";
    KNOWN_ACCOUNTS = "known_accounts";
    KNOWN_LINES = "known_lines";
    KNOWN_RING_GROUPS = "known_ring_groups";
    KNOWN_DECKS = "known_decks";
    KNOWN_CURRENCIES = "known_currencies";
    KNOWN_CLASSES = "known_classes";
    DECK = "deck";
    INSERT_DECK = "insert_deck";
    INCOMPLETE_DECK_VERSIONS = "incomplete_deck_versions";
    NEXT_DECK_VERSION = "next_deck_version";
    INSERT_DECK_VERSION = "insert_deck_version";
    COMPLETE_DECK_VERSION = "complete_deck_version";
    COUNT_RATES = "count_rates";
    RATE_AT = "rate_at";
    DELETE_RATES = "delete_rates";
    DELETE_DECK_VERSION = "delete_deck_version";
    INSERT_RATE = "insert_rate";
    INSERT_CALL_RECORD = "insert_call_record";
    INSERT_CALL_ATTEMPT = "insert_call_attempt";
    INSERT_EMERGENCY_CALL = "insert_emergency_call";
    INSERT_EMERGENCY_NOTICE = "insert_emergency_notice";
    UPDATE_NODE_SPOOL = "update_node_spool";
    INSERT_NODE_SPOOL = "insert_node_spool";
    OTHER_SPOOLS = "other_spools";
    RECORDED_CALLS = "recorded_calls";
    RECORDED_ATTEMPTS = "recorded_attempts";
    EMERGENCY_CALLER = "emergency_caller";
    EMERGENCY_CONTACTS = "emergency_contacts";
    EMERGENCY_CONTACT_KINDS = "emergency_contact_kinds";
    EMERGENCY_GAPS = "emergency_gaps";
    RECENT_EMERGENCY_CALLS = "recent_emergency_calls";
    ALL_FACILITIES = "all_facilities";
    ALL_FACILITY_AREAS = "all_facility_areas";
    ALL_FACILITY_DEFAULTS = "all_facility_defaults";
    ALL_COUNTIES = "all_counties";
    CHANGES_AFTER = "changes_after";
    CHANGES_BETWEEN = "changes_between";
    CHANGES_BEFORE = "changes_before";
    CHANGES_BOUNDS = "changes_bounds";
    DATA_ORIGIN = "data_origin";
    DELETE_OLD_CHANGES = "delete_old_changes";
    USABLE_DECK_VERSIONS = "usable_deck_versions";
    MAILBOX = "mailbox";
    MAILBOX_GREETINGS = "mailbox_greetings";
    MAILBOX_OF_LINE = "mailbox_of_line";
    MAILBOX_BY_NUMBER = "mailbox_by_number";
    MAILBOX_OF_ACCOUNT = "mailbox_of_account";
    MAILBOX_MESSAGES = "mailbox_messages";
    MAILBOX_COUNTS = "mailbox_counts";
    ALL_MAILBOX_COUNTS = "all_mailbox_counts";
    MAILBOX_AUDIO = "mailbox_audio";
    KNOWN_MESSAGE = "known_message";
    INSERT_MESSAGE = "insert_message";
    INSERT_AUDIO = "insert_audio";
    DELETE_AUDIO = "delete_audio";
    MOVE_MESSAGE = "move_message";
    REMOVE_MESSAGE_AUDIO = "remove_message_audio";
    DELETE_MESSAGE = "delete_message";
    GREETING_AUDIO = "greeting_audio";
    INSERT_GREETING = "insert_greeting";
    DELETE_GREETING = "delete_greeting";
    INSERT_AUDIO_REMOVAL = "insert_audio_removal";
    AUDIO_REMOVALS = "audio_removals";
    DELETE_AUDIO_REMOVAL = "delete_audio_removal";
    SET_PASSWORD = "set_password";
    SET_UP_MAILBOX = "set_up_mailbox";
    MAILBOX_GUESSES = "mailbox_guesses";
    COUNT_GUESS = "count_guess";
    FIRST_GUESS = "first_guess";
    FORGET_GUESSES = "forget_guesses";
    TAKE_LEASE = "take_lease";
    LEASE = "lease";
    EXPIRED_MESSAGES = "expired_messages";
    RETENTIONS = "retentions";
    MAILBOX_MAIL = "mailbox_mail";
    MAILBOX_OPERATOR = "mailbox_operator";
    LINES_OF_MAILBOX = "lines_of_mailbox";
    LISTED_MAILBOXES = "listed_mailboxes";
    MOVE_TO_MAILBOX = "move_to_mailbox";
    KNOWN_MAILBOXES = "known_mailboxes";
    KNOWN_DIRECTORIES = "known_directories";
    LINE_FORWARDS = "line_forwards";
    FIND_ME_NUMBERS = "find_me_numbers";
    CALLER_BLOCKED = "caller_blocked";
    FEATURE_CODES = "feature_codes";
    MAY_USE = "may_use";
    SPEED_DIAL = "speed_dial";
    LAST_CALLER = "last_caller";
    INSERT_LINE_FEATURES = "insert_line_features";
    SET_FORWARD_ALWAYS = "set_forward_always";
    SET_FORWARD_BUSY = "set_forward_busy";
    SET_FORWARD_UNANSWERED = "set_forward_unanswered";
    SET_FORWARD_UNREACHABLE = "set_forward_unreachable";
    SET_DO_NOT_DISTURB = "set_do_not_disturb";
    SET_REJECT_ANONYMOUS = "set_reject_anonymous";
    SET_SCREENING = "set_screening";
    SET_FIND_ME = "set_find_me";
    ADD_FIND_ME_NUMBER = "add_find_me_number";
    DELETE_FIND_ME_NUMBERS = "delete_find_me_numbers";
    DELETE_SPEED_DIAL = "delete_speed_dial";
    INSERT_SPEED_DIAL = "insert_speed_dial";
    DELETE_BLOCKED_CALLER = "delete_blocked_caller";
    INSERT_BLOCKED_CALLER = "insert_blocked_caller";
    DIRECTORY = "directory";
    DIRECTORY_PEOPLE = "directory_people";
    DIRECTORY_GAPS = "directory_gaps";
    UNSPELLED_NAMES = "unspelled_names";
    UNSPELLED_NAME = "unspelled_name";
    INSERT_DIRECTORY_NAME = "insert_directory_name";
    DELETE_DIRECTORY_NAMES = "delete_directory_names";
    SET_DIRECTORY_NAME = "set_directory_name";
    MENU = "menu";
    MENUS_OF_ACCOUNT = "menus_of_account";
    MENU_ENTRANCES = "menu_entrances";
    MENU_LOOKUP = "menu_lookup";
    LOOKUPS_OF_ACCOUNT = "lookups_of_account";
    PROMPT = "prompt";
    PROMPT_BY_NUMBER = "prompt_by_number";
    PROMPTS_OF_ACCOUNT = "prompts_of_account";
    PROMPT_PASSWORD = "prompt_password";
    SET_PROMPT_PASSWORD = "set_prompt_password";
    INSERT_PROMPT_PASSWORD = "insert_prompt_password";
    PROMPT_GUESSES = "prompt_guesses";
    FIRST_PROMPT_GUESS = "first_prompt_guess";
    COUNT_PROMPT_GUESS = "count_prompt_guess";
    FORGET_PROMPT_GUESSES = "forget_prompt_guesses";
    PROMPT_RECORDING = "prompt_recording";
    INSERT_PROMPT_RECORDING = "insert_prompt_recording";
    DELETE_PROMPT_RECORDING = "delete_prompt_recording";
    KNOWN_MENUS = "known_menus";
    KNOWN_EXTENSIONS = "known_extensions";
    KNOWN_PROMPTS = "known_prompts";
    KNOWN_SCHEDULES = "known_schedules";
    KNOWN_LOOKUPS = "known_lookups";
    INSERT_MENU = "insert_menu";
    UPDATE_MENU = "update_menu";
    DELETE_MENU = "delete_menu";
    INSERT_MENU_OPTION = "insert_menu_option";
    DELETE_MENU_OPTIONS = "delete_menu_options";
    INSERT_MENU_PROMPT = "insert_menu_prompt";
    DELETE_MENU_PROMPTS = "delete_menu_prompts";
    INSERT_MENU_CONDITION = "insert_menu_condition";
    DELETE_MENU_CONDITIONS = "delete_menu_conditions";
    INSERT_MENU_LOOKUP = "insert_menu_lookup";
    DELETE_MENU_LOOKUPS = "delete_menu_lookups";
    INSERT_SCHEDULE = "insert_schedule";
    INSERT_SCHEDULE_HOURS = "insert_schedule_hours";
    INSERT_SCHEDULE_HOLIDAY = "insert_schedule_holiday";
    DELETE_SCHEDULES = "delete_schedules";
    DELETE_SCHEDULE_HOURS = "delete_schedule_hours";
    DELETE_SCHEDULE_HOLIDAYS = "delete_schedule_holidays";
    INSERT_PROMPT = "insert_prompt";
    UPDATE_PROMPT = "update_prompt";
    DELETE_PROMPT = "delete_prompt";
    FORGET_PROMPT_NUMBERS = "forget_prompt_numbers";
    TOKEN = "token";
    TOKENS = "tokens";
    INSERT_TOKEN = "insert_token";
    REVOKE_TOKEN = "revoke_token";
    INTERCEPT_HOLDERS = "intercept_holders";
    AUDIT_HEAD = "audit_head";
    AUDIT_PAGE = "audit_page";
    INSERT_AUDIT_ENTRY = "insert_audit_entry";
    WARRANT_LINE = "warrant_line";
    INSERT_WARRANT = "insert_warrant";
    WARRANT = "warrant";
    WARRANTS = "warrants";
    WARRANT_ENTRIES = "warrant_entries";
    APPROVE_WARRANT = "approve_warrant";
    END_WARRANT = "end_warrant";
    ARMED_WARRANTS = "armed_warrants";
    KNOWN_INTERCEPTION = "known_interception";
    INSERT_INTERCEPTION = "insert_interception";
    INTERCEPTIONS = "interceptions";
    INTERCEPTION = "interception";
    DELETE_INTERCEPTIONS = "delete_interceptions";
    LIVE_CALLS = "live_calls";
    UPSERT_LIVE_CALL = "upsert_live_call";
    DELETE_LIVE_CALLS = "delete_live_calls";
    PURGE_LIVE_CALLS = "purge_live_calls";
    GONE_LIVE_NODES = "gone_live_nodes";
    SEE_LIVE_NODE = "see_live_node";
    INSERT_LIVE_NODE = "insert_live_node";
    LIVE_NODES = "live_nodes";
    INSERT_NODE_ORDER = "insert_node_order";
    WAITING_NODE_ORDERS = "waiting_node_orders";
    TAKE_NODE_ORDER = "take_node_order";
    FINISH_NODE_ORDER = "finish_node_order";
    NODE_ORDER = "node_order";
    DELETE_NODE_ORDERS = "delete_node_orders";
    RECORDING_ORDERS = "recording_orders";
    RECORDING_POLICY = "recording_policy";
    INSERT_RECORDING_ORDER = "insert_recording_order";
    END_RECORDING_ORDER = "end_recording_order";
    INSERT_RECORDING_CLAIM = "insert_recording_claim";
    COUNT_RECORDING_CALL = "count_recording_call";
    RECORDING_CLAIM = "recording_claim";
    END_LAPSED_ORDERS = "end_lapsed_orders";
    FORGET_RECORDING_CLAIMS = "forget_recording_claims";
    KNOWN_RECORDING = "known_recording";
    INSERT_RECORDING = "insert_recording";
    RECORDINGS = "recordings";
    RECORDING = "recording";
    DELETE_RECORDING = "delete_recording";
    EXPIRED_RECORDINGS = "expired_recordings";
}
