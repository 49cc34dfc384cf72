//! The commands as an operator types them, and what the running agent tells.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "tests")]

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Output;

use lab::{Agent, AgentBuilder, Asterisk, Manner, MariaDb, Node, wait_until};
use serde_json::Value;

const PROVIDER: &str = include_str!("data/provider.sql");
const SECRET: &str = "s3cr-t#word";
/// [`SECRET`] as it stands in a URL.
const SECRET_IN_URL: &str = "s3cr-t%23word";

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Everything that a command printed, after its exit code.
fn all(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), out(output) + &err(output))
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

/// A provider's data in a SQLite file of its own; nothing runs.
fn provider() -> AgentBuilder {
    let plan = Agent::builder().set("emergency.gateways", "em-1");
    plan.tandem_ok(&["migrate"]);
    plan.sql(PROVIDER);
    plan
}

#[test]
fn check_is_content_with_a_good_node() {
    let asterisk = Asterisk::builder().start();
    let plan = provider().set("asterisk.command", &asterisk.console().join(",")).ships(&asterisk);
    let (code, text) = all(&plan.tandem(&["check"]));
    assert_eq!(code, Some(0), "{text}");
    assert!(!text.contains("WRONG"), "{text}");
    says(&text, &["tandem.db: is ready", "schema: is up to date", "asterisk: Asterisk ", "tandem-from-line is there"]);
}

#[test]
fn check_names_every_fault_with_its_mend_at_once() {
    let url = format!("mysql://tandem:{SECRET_IN_URL}@127.0.0.1:1/x,mysql://tandem:{SECRET_IN_URL}@127.0.0.1:2/x");
    let plan = Agent::builder().set("database.urls", &url).set("asterisk.command", "/nowhere/asterisk");
    let (code, text) = all(&plan.tandem(&["check"]));
    assert_eq!(code, Some(1));
    let wrongs = [
        "WRONG  database 127.0.0.1:1: ",
        "WRONG  database 127.0.0.1:2: ",
        "mend database.urls",
        "WRONG  schema: cannot be read",
        "WRONG  asterisk: /nowhere/asterisk cannot be run",
        "-> start Asterisk",
        "WRONG  emergency.gateways: is empty",
        "-> name the PJSIP endpoints",
    ];
    says(&text, &wrongs);
    let (faults, mends) = (text.matches("WRONG").count(), text.matches("       -> ").count());
    assert_eq!((faults, mends), (5, 5), "{text}");
}

#[test]
fn check_tells_directories_that_lead_nowhere() {
    let plan = Agent::builder();
    plan.tandem_ok(&["migrate"]);
    plan.import("accounts", "id,name\nacme,Acme\n");
    plan.import(
        "mailboxes",
        "id,account,number,name,department,hidden\n1,acme,1,Alice Baker,Sales,no\n2,acme,2,Bob Carter,Care,yes\n",
    );
    plan.import(
        "directories",
        "id,account,name,department,operator\nall,acme,All,,\nsales,acme,Sales,Sales,99\ncare,acme,Care,Care,\n",
    );
    let text = out(&plan.tandem(&["check"]));
    let faults = [
        "directories: 1 have nobody whom callers could find: care",
        "directories: 1 have an operator whose extension is not there: sales",
    ];
    says(&text, &faults);
}

#[test]
fn check_tells_menus_that_lead_nowhere() {
    let plan = Agent::builder();
    plan.tandem_ok(&["migrate"]);
    plan.import("accounts", "id,name\nacme,Acme\n");
    plan.import(
        "menus",
        "account = \"acme\"\n[prompt]\nhello = { sound = \"hello\" }\n[menu.main]\nentry = true\ngreeting = [\"hello\"]\noptions = { 1 = \"hangup\" }\n",
    );
    assert!(!out(&plan.tandem(&["check"])).contains("menus:"), "nothing is wrong");
    plan.sql("UPDATE menu_options SET action = 'group', target = 'x'");
    let fault = "menus: 1 faults, the first: account acme: menu main > option 1: there is no ring group x";
    says(&out(&plan.tandem(&["check"])), &[fault, "-> `tandem menu check` names them all"]);
}

#[test]
fn check_knows_a_schema_that_is_missing_behind_or_foreign() {
    let plan = Agent::builder();
    says(&out(&plan.tandem(&["check"])), &["WRONG  database ", "-> make the file by `tandem migrate`"]);
    says(&err(&plan.tandem(&["menu", "show", "main"])), &["tandem.db: ", "; run `tandem migrate` if it was never run"]);
    plan.folder().write("tandem.db", "");
    says(&out(&plan.tandem(&["check"])), &["WRONG  schema: has 0 of ", "-> run `tandem migrate`"]);
    plan.tandem_ok(&["migrate"]);
    says(&out(&plan.tandem(&["check"])), &["ok     schema: is up to date"]);
    plan.sql("UPDATE _sqlx_migrations SET checksum = x'00'");
    says(&out(&plan.tandem(&["check"])), &["WRONG  schema: is of a newer version", "-> update the agent"]);
}

#[test]
fn check_sees_what_asterisk_lacks() {
    let mut asterisk = Asterisk::builder().start();
    let plan = provider().set("asterisk.command", &asterisk.console().join(",")).ships(&asterisk);
    asterisk.command("dialplan remove context tandem-from-edge");
    asterisk.command("module unload func_groupcount.so");
    let (code, text) = all(&plan.tandem(&["check"]));
    assert_eq!((code, text.matches("WRONG").count()), (Some(1), 2), "{text}");
    says(&text, &["context tandem-from-edge is missing", "-> #include \"tandem.conf\""]);
    says(&text, &["module func_groupcount.so is not running", "-> load it in modules.conf"]);
    asterisk.process().kill();
    let (code, text) = all(&plan.tandem(&["check"]));
    assert_eq!(code, Some(1));
    says(&text, &["WRONG  asterisk: is not running", "-> start Asterisk"]);
}

#[test]
fn check_sees_calls_that_would_go_unrecorded() {
    for (setting, told) in
        [("unanswered = no", "Log unanswered calls"), ("batch = yes", "Mode"), ("enable = no", "Logging")]
    {
        let asterisk = Asterisk::builder().append("cdr.conf", &format!("{setting}\n")).start();
        let plan = provider().set("asterisk.command", &asterisk.console().join(",")).ships(&asterisk);
        let (code, text) = all(&plan.tandem(&["check"]));
        assert_eq!((code, text.matches("WRONG").count()), (Some(1), 1), "{text}");
        says(&text, &[told, "-> use cdr.conf of dialplan/asterisk"]);
    }
}

#[test]
fn migrate_may_be_run_again() {
    let plan = Agent::builder();
    plan.tandem_ok(&["migrate"]);
    plan.sql(PROVIDER);
    plan.tandem_ok(&["migrate"]);
    says(&plan.tandem_ok(&["explain", "1001", "102"]), &["line 1002"]);
    let gone = Agent::builder().set("database.urls", "mysql://tandem@127.0.0.1:1/x");
    let (code, text) = all(&gone.tandem(&["migrate"]));
    assert_eq!(code, Some(1));
    says(&text, &["tandem: 127.0.0.1:1: "]);
}

#[test]
fn import_takes_all_of_a_file_or_nothing() {
    let plan = Agent::builder();
    let file = |name: &str, text: &str| plan.folder().write(name, text).display().to_string();
    let currencies = file("currencies.csv", "currency,value\nUSD,1\n");
    let (code, text) = all(&plan.tandem(&["import", "currencies", &currencies]));
    assert_eq!(code, Some(1));
    says(&text, &["tandem: ", "currencies.csv: nothing was taken"]);
    plan.tandem_ok(&["migrate"]);

    assert_eq!(plan.tandem_ok(&["import", "currencies", &currencies]), "1 rows taken\n");
    let rates =
        file("rates.csv", "prefix,destination,per_minute,connect_fee,increments\n1,North America,0.01,0,60/6\n");
    assert!(plan.tandem_ok(&["import", "rates", &rates, "--deck", "retail"]).starts_with("1 rows taken, version "));
    let accounts = file("accounts.csv", "id,name,currency,sell_deck\nacme,Acme,USD,retail\n");
    plan.tandem_ok(&["import", "accounts", &accounts]);

    let lines =
        "id,account,name,status,country\n1001,acme,A,active,US\n1002,nobody,B,active,US\n10 03,acme,C,active,US\n";
    let (code, text) = all(&plan.tandem(&["import", "lines", &file("lines.csv", lines)]));
    assert_eq!(code, Some(1));
    says(&text, &["lines.csv: nothing was taken", "line 3: account: there is no \"nobody\"", "line 4: id: "]);
    let unknown = plan.tandem_ok(&["explain", "1001", "911123"]);
    says(&unknown, &["there is no line 1001"]);

    let (code, text) = all(&plan.tandem(&["import", "accounts", "/nowhere/a.csv"]));
    assert_eq!((code, text.contains("/nowhere/a.csv: nothing was taken")), (Some(1), true), "{text}");
    let (code, text) = all(&plan.tandem(&["import", "telephones", &accounts]));
    assert_eq!((code, text.contains("there are: rates, currencies, accounts")), (Some(2), true), "{text}");
    let (code, text) = all(&plan.tandem(&["import", "rates", &rates]));
    assert_eq!((code, text.contains("--deck <ID>")), (Some(2), true), "{text}");
}

#[test]
fn explain_tells_people_and_programs_the_same() {
    let plan = provider();
    plan.sql(
        "INSERT INTO gateways (id, name, status, endpoint, number_format, country, dial_prefix, max_calls, priority, weight,
            ring_seconds, next_on_forbidden, created_at)
         VALUES ('gw-d', 'Carrier D', 'active', 'gw-d', 'e164', 'US', '', 0, 0, 1, 40, FALSE, '2026-01-01 00:00:00')",
    );
    let text = plan.tandem_ok(&["explain", "1001", "95125550123"]);
    let parts = [
        "line 1001 (Active) of account acme",
        "The account pays USD 0.02/min",
        "gw-a             kept",
        "costs 0.00435 for the expected length: USD 0.00145/min",
        "gw-c             dropped: the gateway is not active",
        "gw-d             dropped: it has no deck",
        "TANDEM_ROUTE_2_DIAL=PJSIP/77015125550123@carrier-b",
    ];
    says(&text, &parts);

    let report = |arguments: &[&str]| -> Value {
        serde_json::from_str(&plan.tandem_ok(&[&["explain", "--json"], arguments].concat())).unwrap()
    };
    let json = report(&["1001", "95125550123"]);
    assert_eq!(json["variables"]["TANDEM_ROUTE_1_NAME"], "gw-a");
    assert_eq!(json["gateways"].as_array().unwrap().len(), 4, "every gateway there is: {json:#}");
    assert_eq!(json["gateways"][0]["cost_micros"], 4350);
    assert_eq!(json["sell"]["per_minute_micros"], 20_000);

    // Germany: Carrier B has a deck, without a rate for it.
    let json = report(&["1001", "+4930123456"]);
    let whys: Vec<(&str, &str)> = json["gateways"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gateway| (gateway["gateway"].as_str().unwrap(), gateway["why"].as_str().unwrap()))
        .collect();
    assert!(whys.contains(&("gw-b", "its deck has no rate for this number")), "{whys:?}");
    assert!(whys.contains(&("gw-d", "it has no deck")), "{whys:?}");
    assert_eq!(json["variables"]["TANDEM_REASON"], "no-route");
    // Carrier A's prices of 2030 are above what the account pays.
    let later = report(&["1001", "2145550199", "--at", "2030-02-01"]);
    assert_eq!(later["variables"]["TANDEM_ROUTE_1_NAME"], "gw-b");
    assert_eq!(later["at"], "2030-02-01T00:00:00+00:00");

    says(
        &plan.tandem_ok(&["explain", "1001", "19005550123"]),
        &["refused: class-forbidden, cause 21", "TANDEM_CAUSE=21"],
    );
    let transferred = plan.tandem_ok(&["explain", "transfer:1001", "19005550123"]);
    says(&transferred, &["nobody is handed on to a number of class premium", "refused: transfer-forbidden"]);
    says(&plan.tandem_ok(&["explain", "1001", "9911"]), &["emergency number", "TANDEM_ROUTE_1_NAME=em-1"]);
    says(
        &plan.tandem_ok(&["explain", "gateway:gw-a", "12145550100"]),
        &["ring group sales", "TANDEM_ROUTE_1_KIND=group"],
    );
    assert!(!plan.tandem_ok(&["explain", "1001", "102"]).contains("Gateways considered"));

    let (code, text) = all(&plan.tandem(&["explain", "1001", "102", "--at", "tomorrow"]));
    assert_eq!((code, text.contains("2027-01-31T18:00:00Z")), (Some(2), true), "{text}");
    let gone = Agent::builder().set("database.urls", "mysql://tandem@127.0.0.1:1/x");
    let (code, text) = all(&gone.tandem(&["explain", "1001", "102"]));
    assert_eq!(code, Some(1));
    says(&text, &["the dialplan's fallback would take it", "127.0.0.1:1"]);
    says(&gone.tandem_ok(&["explain", "1001", "911"]), &["TANDEM_ACTION=emergency"]);
}

#[test]
fn simulate_converses_in_the_terminal() {
    let plan = provider();
    let (code, text) = all(&plan.tandem(&["simulate", "route", "line", "1001", "--dialled", "102"]));
    assert_eq!(code, Some(0));
    says(&text, &["sets TANDEM_ROUTE_1_NAME=1002", "sets TANDEM_DONE=1", "outcome=\"dial\""]);
    // Standard input is closed: the caller hangs up.
    let (code, text) = all(&plan.tandem(&["simulate", "linetest", "--caller", "1001"]));
    assert_eq!(code, Some(0));
    says(&text, &["says the digits 1001", "(you hang up)", "outcome=\"hangup\""]);
    let (code, text) = all(&plan.tandem(&["simulate", "voicemial"]));
    assert_eq!(code, Some(1));
    says(&text, &["there is no flow \"voicemial\"; there are: route, linetest"]);
}

#[test]
fn what_cannot_work_is_refused_by_name() {
    for (key, value, parts) in [
        ("agi.session", "5", &["agi.session: no such key"][..]),
        ("agi.sessions", "0", &["agi.sessions: is 0"]),
        ("route.decision_ms", "soon", &["route.decision_ms", "\"soon\""]),
        ("log.format", "xml", &["log.format", "\"xml\" is neither text nor json"]),
        ("log.filter", "tandem=[", &["log.filter", "use \"info\""]),
        ("database.urls", "oracle:x", &["database.urls", "number 1 does not begin with sqlite:"]),
        ("agi.listen", "localhost", &["agi.listen"]),
        ("agi.listen", "192.0.2.1:4573", &["cannot listen on 192.0.2.1:4573 for FastAGI"]),
        ("http.listen", "192.0.2.1:4580", &["cannot listen on 192.0.2.1:4580 for HTTP"]),
    ] {
        let (code, text) = all(&Agent::builder().set(key, value).tandem(&["serve"]));
        assert_eq!(code, Some(1), "{key} = {value}: {text}");
        assert!(text.starts_with("tandem: "), "{text}");
        says(&text, parts);
    }
    let plan = Agent::builder();
    let file = plan.folder().write("tandem.toml", "[agi]\nsessions = 0\nport = 1\n[route]\nattempts = 99\n");
    let (code, text) = all(&plan.tandem(&["--config", &file.to_string_lossy(), "serve"]));
    assert_eq!(code, Some(1));
    says(&text, &["agi.port: no such key", "agi.sessions: is 0", "route.attempts: not within"]);
}

/// A line's value in `/metrics`.
fn metric(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name} is not in:\n{text}"))
}

#[test]
fn the_agent_tells_how_it_is_and_what_it_did() {
    let node = Node::builder()
        .set("log.format", "json")
        .sql(PROVIDER)
        .line("1001", Manner::Answers)
        .line("1002", Manner::Answers)
        .start();
    assert_eq!(node.agent.get("/live").unwrap(), (200, "live\n".into()));
    assert_eq!(node.agent.get("/ready").unwrap(), (200, "ready\n".into()));
    assert_eq!(node.agent.get("/nothing").unwrap().0, 404);
    assert_eq!(node.dial("1001", "102").status(), 200);
    assert_eq!(node.dial("1001", "19005550123").status(), 403);
    let host = node.agent.plan().folder().join("tandem.db").display().to_string();
    let connections = format!("tandem_pool_connections{{host=\"{host}\"}}");
    let metrics = || node.agent.get("/metrics").unwrap().1;
    wait_until("the pool's figures", std::time::Duration::from_secs(5), || metrics().contains(&connections));
    let text = metrics();
    for (name, value) in [
        ("tandem_agi_sessions", 0.0),
        (r#"tandem_agi_sessions_total{flow="route"}"#, 2.0),
        (r#"tandem_agi_sessions_total{flow="linetest"}"#, 0.0),
        (r#"tandem_agi_refused_total{why="full"}"#, 0.0),
        ("tandem_agi_panics_total", 0.0),
        (r#"tandem_decisions_total{outcome="dial"}"#, 1.0),
        (r#"tandem_decisions_total{outcome="class-forbidden"}"#, 1.0),
        (r#"tandem_decisions_total{outcome="undecided"}"#, 0.0),
        ("tandem_decision_seconds_count", 2.0),
        (r#"tandem_decision_seconds_bucket{le="+Inf"}"#, 2.0),
        (r#"tandem_statement_seconds_count{statement="line_caller"}"#, 2.0),
        (&format!("tandem_host_up{{host=\"{host}\"}}"), 1.0),
        // Opened before the first call: database.connections.
        (&connections, 8.0),
    ] {
        assert_eq!(metric(&text, name), value, "{name}");
    }

    // One line a call, which names it as the node's records do.
    let log = node.agent.log();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let uniqueid = node.asterisk.wait_call(1).get("uniqueid").to_owned();
    let of_call: Vec<&Value> =
        lines.iter().filter(|line| line["message"] == "call" && line["span"]["uniqueid"] == *uniqueid).collect();
    assert_eq!(of_call.len(), 1, "{log}");
    let line = of_call[0];
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["outcome"], "dial");
    assert!(line["microseconds"].is_u64(), "{line}");
    assert_eq!((&line["from"], &line["dialled"], &line["flow"]), (&"line 1001".into(), &"102".into(), &"route".into()));
}

#[test]
fn no_password_is_ever_told() {
    let database = MariaDb::start();
    database.sql(&format!("CREATE USER secretive IDENTIFIED BY '{SECRET}'; GRANT ALL ON *.* TO secretive"));
    let (host, good) = (database.address(), format!("mysql://secretive:{SECRET_IN_URL}@{}/tandem", database.address()));
    let mut said = String::new();
    for url in [
        good.clone(),
        format!("mysql://stranger:{SECRET_IN_URL}@{host}/tandem"),
        format!("mysql://secretive:{SECRET_IN_URL}@{host}/nowhere"),
        format!("mysql://secretive:{SECRET_IN_URL}@127.0.0.1:1/tandem"),
        format!("mysql://secretive:{SECRET_IN_URL}@{host}:99999/tandem"),
        format!("mysql://secretive:{SECRET_IN_URL}@[bad/tandem"),
        format!("mysql://secretive:{SECRET_IN_URL}@{host}/tandem?ssl-mode=nonsense"),
        format!("postgres://secretive:{SECRET_IN_URL}@{host}/tandem"),
        format!("{SECRET}:secretive@{host}/tandem"),
    ] {
        let plan = Agent::builder().set("database.urls", &url).set("log.filter", "debug");
        for arguments in
            [&["migrate"][..], &["check"], &["explain", "1001", "102"], &["simulate", "route", "line", "1001"]]
        {
            said += &all(&plan.tandem(arguments)).1;
        }
    }
    let agent = Agent::builder().set("database.urls", &good).set("log.filter", "trace").start();
    let call = "agi_network: yes\nagi_network_script: route/line/1001\nagi_uniqueid: 1.1\nagi_extension: 102\n\n";
    let mut stream = std::net::TcpStream::connect(agent.agi()).unwrap();
    stream.write_all(call.as_bytes()).unwrap();
    assert!(stream.read(&mut [0; 8192]).unwrap() > 0, "an answer");
    drop(stream);
    wait_until("the call in the log", std::time::Duration::from_secs(5), || agent.log().contains("flow=\"route\""));
    said += &agent.log();
    said += &agent.get("/metrics").unwrap().1;
    says(&said, &["is ready", "Access denied", "Connection refused"]);
    for secret in [SECRET, SECRET_IN_URL] {
        let line = said.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
    }
}

#[allow(clippy::print_stdout, reason = "says why it did nothing")]
#[test]
fn the_units_are_valid_and_hardened() {
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd");
    let folder = lab::Folder::new("units");
    for name in ["tandem.service", "tandem.socket"] {
        // The program is not installed here; everything else is verified as it stands.
        let text = std::fs::read_to_string(units.join(name)).unwrap().replace("/usr/bin/tandem", "/bin/true");
        folder.write(name, &text);
    }
    let analyze = |arguments: &[&str]| {
        std::process::Command::new("systemd-analyze").args(arguments).current_dir(folder.path()).output()
    };
    let service = folder.join("tandem.service").display().to_string();
    let socket = folder.join("tandem.socket").display().to_string();
    let Ok(verified) = analyze(&["verify", "--man=no", &socket, &service]) else {
        println!("systemd-analyze is not installed: the units are not verified");
        return;
    };
    assert_eq!(all(&verified), (Some(0), String::new()));
    // At most 1.9 of 10: "OK".
    let rated = analyze(&["security", "--offline=true", "--threshold=19", "--no-pager", &service]).unwrap();
    let (code, text) = all(&rated);
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn an_unusable_database_file_keeps_no_agent_from_emergency_calls() {
    let agent = Agent::builder().set("database.urls", "sqlite:/proc/nowhere/tandem.db").start();
    wait_until("readiness", std::time::Duration::from_secs(10), || {
        agent.get("/ready").is_some_and(|(code, _)| code == 200)
    });
    assert!(agent.log().contains("the database cannot be used"), "{}", agent.log());
}

#[test]
fn check_sees_whether_calls_can_come_by_ari() {
    let asterisk = Asterisk::builder().global("TANDEM_TRANSPORT", "ari").start();
    let plan = provider().set("asterisk.command", &asterisk.console().join(",")).ships(&asterisk).serves(&asterisk);
    let (_, text) = all(&plan.tandem(&["check"]));
    says(
        &text,
        &["lets the agent in", "LOOK   ari: calls are to come by ARI and come by AGI", "live_dangerously = yes"],
    );
    asterisk.command("dialplan set global TANDEM_ARI_WRITES 1");
    assert_eq!(all(&plan.tandem(&["check"])).1.matches("ari:").count(), 1);
    let plan = plan.set("ari.app", "other");
    says(
        &all(&plan.tandem(&["check"])).1,
        &["WRONG  ari: the dialplan hands calls to the app \"tandem\"", "TANDEM_APP"],
    );
    let plan = plan.set("ari.password", "wrong");
    says(&all(&plan.tandem(&["check"])).1, &["WRONG  ari: ", "not those of ari.conf"]);
}
