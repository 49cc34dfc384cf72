//! An account with menus, for tests: its lines, who is called, and menus that have every action.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, missing_docs, reason = "tests; each uses a part")]

use std::fmt::Write as _;

use lab::{Agent, AgentBuilder};

/// The line and the phone that menus lead to.
pub const CALLED: &str = "3901";

/// What there is beside menus: kind of import, and file.
#[must_use]
pub fn surroundings(lines: &[&str]) -> Vec<(&'static str, String)> {
    let mut all = String::from("id,account,name\n3901,menus,Called\n3902,menus,Other\n9001,other,Stranger\n");
    for line in lines {
        let _ = writeln!(all, "{line},menus,Line {line}");
    }
    vec![
        ("accounts", "id,name,time_zone\nmenus,Menus,America/Chicago\nother,Other,UTC\n".to_owned()),
        ("lines", all),
        ("mailboxes", "id,account,number,name\nbox,menus,3800,Sales\nforeign,other,1,Foreign\n".to_owned()),
        ("directories", "id,account,name\nstaff,menus,Staff\n".to_owned()),
        ("ring-groups", "id,account,name,members\nteam,menus,Team,3901\nforeigners,other,Others,9001\n".to_owned()),
        (
            "extensions",
            "account,extension,line,ring_group\nmenus,3901,3901,\nmenus,3902,3902,\nmenus,60,,team\nmenus,front-desk,3902,\nother,9001,9001,\n"
                .to_owned(),
        ),
        ("numbers", "number,account,line\n12145550177,menus,3901\n".to_owned()),
    ]
}

/// Menus with every action, way of keying in and end. Each prompt is a sound of its own, so that a transcript tells them apart.
pub const MENUS: &str = r##"
account = "menus"

[prompt]
main = { number = "1", sound = "demo-instruct" }
sub = { sound = "demo-moreinfo" }
wide = { sound = "demo-thanks" }
direct = { sound = "demo-nomatch" }
closed = { sound = "vm-nobodyavail" }
hours = { sound = "hours" }
hold = { sound = "pls-hold-while-try" }
late = { sound = "vm-sorry" }
wrong = { sound = "pm-invalid-option" }
tone = { number = "77", text = "A tone of ten seconds." }
news = { text = "What is new." }
nothing = { text = "Spoken, where that can be done." }
two = { sound = "hello&world-that-is-not-there" }

[schedule]
always = { hours = ["daily 00:00-24:00"] }
never = {}

[menu.main]
entry = true
greeting = ["main"]
operator = "3902"
line = "3902"
timeout_seconds = 4
[menu.main.options]
0 = "operator"
1 = "line 3901"
2 = "group team"
3 = "mailbox box"
4 = "menu sub"
5 = "extension 3902"
6 = "number +12145550177"
7 = "queue help"
8 = "conference room"
9 = { say = ["hours"] }
"*" = "language en"
"#" = "hangup"

[menu.sub]
greeting = ["sub"]
language = "brief"
timeout_seconds = 3
max_timeouts = 2
max_invalid = 2
[menu.sub.options]
1 = { say = ["hold"], then = "line 3901" }
9 = "menu main"
t = { say = ["late"], then = "extension 3902" }
i = { say = ["wrong"], then = "group team" }

[menu.wide]
entry = true
greeting = ["wide"]
line = "3902"
between_ms = 1000
timeout_seconds = 3
max_invalid = 1
[menu.wide.options]
1 = "line 3901"
12 = "directory staff"
123 = "number +442071838750"
25 = "number 911"
26 = "number 933"
7 = "extension front-desk"
8 = { say = ["news"] }

[menu.direct]
entry = true
greeting = ["direct"]
direct_dial = true
between_ms = 1000
timeout_seconds = 3
max_timeouts = 1
max_invalid = 2
[menu.direct.options]
3 = "group team"

[menu.open]
entry = true
greeting = ["main"]
conditions = [{ outside = "always", then = "hangup" }, { during = "never", then = "hangup" }, { during = "always", then = "line 3901" }]

[menu.shut]
entry = true
greeting = ["main"]
conditions = [{ outside = "never", then = "menu closed" }]

[menu.closed]
greeting = ["closed"]
[menu.closed.options]
t = "mailbox box"

[menu.long]
entry = true
greeting = ["tone"]
timeout_seconds = 1
max_timeouts = 1
[menu.long.options]
1 = "hangup"

[menu.poor]
entry = true
greeting = ["nothing", "two"]
timeout_seconds = 1
max_timeouts = 1
[menu.poor.options]
1 = "hangup"
"##;

/// Extensions that lead to menus and other services, once these are there.
pub const ENTRANCES: &str = "account,extension,menu,queue,conference,directory\nmenus,800,main,,,\nmenus,801,wide,,,\nmenus,802,direct,,,\nmenus,803,open,,,\n\
    menus,804,shut,,,\nmenus,805,long,,,\nmenus,806,poor,,,\nmenus,807,loop,,,\nmenus,808,round,,,\nmenus,810,,help,,\nmenus,811,,,room,\nmenus,812,,,,staff\nmenus,813,,nobody,,\n";

/// Menus that go round without a key, as no import lets them: by plain SQL.
pub const LOOP: &str = "INSERT INTO menus (id, account_id, name) VALUES ('loop', 'menus', 'Loop');
    INSERT INTO menu_conditions (menu_id, position, schedule_id, during, action, target) VALUES ('loop', 1, 'always', TRUE, 'menu', 'loop');
    INSERT INTO menus (id, account_id, name) VALUES ('round', 'menus', 'Round by an extension');
    INSERT INTO menu_conditions (menu_id, position, schedule_id, during, action, target) VALUES ('round', 1, 'always', TRUE, 'extension', '808');";

/// An agent that has all of this, not started yet.
#[must_use]
pub fn plan(menus: &str) -> AgentBuilder {
    let plan = Agent::builder().set("replica.poll_ms", "200").set("voicemail.guess_delay_ms", "1");
    fill(&plan, menus);
    plan
}

/// Puts all of this into the database of an agent.
pub fn fill(plan: &AgentBuilder, menus: &str) {
    plan.tandem_ok(&["migrate"]);
    for (kind, csv) in surroundings(&["3101"]) {
        plan.import(kind, &csv);
    }
    plan.import("menus", menus);
}
