//! `make run`: Asterisk, the agent on SQLite with the sample provider, a phone, two carriers, and a real call.
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    reason = "it shows itself to a person at a terminal"
)]

use std::path::Path;
use std::process::ExitCode;

use lab::{Agent, AgentBuilder, Asterisk, Manner, Sipp};
use sqlx::{Connection as _, Row as _};

/// What line 1001 of the sample dials: its outside prefix, then a number in San Francisco.
const NUMBER: &str = "914155550123";

/// The password of line 1002, for a softphone on this machine.
const PASSWORD: &str = "tandem-demo";

/// Files of `sql/sample/` in an order in which nothing refers to what comes later.
const BEFORE_RATES: [&str; 1] = ["currencies"];
const RATES: [(&str, &str); 3] = [("retail", "USD"), ("gw-a", "USD"), ("gw-b", "EUR")];
const AFTER_RATES: &[&str] = &[
    "accounts",
    "lines",
    "mailboxes",
    "mailbox-rules",
    "ring-groups",
    "directories",
    "numbers",
    "extensions",
    "permissions",
    "gateways",
    "blocked-prefixes",
    "locations",
    "emergency-contacts",
    "facility-defaults",
    "line-features",
    "find-me-numbers",
    "speed-dials",
    "blocked-callers",
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let once = std::env::args().any(|argument| argument == "--once");

    println!("Importing the sample provider of sql/sample/ into SQLite");
    let plan = Agent::builder().set("emergency.gateways", "gw-a,gw-b");
    import(&plan);

    println!("Starting Asterisk with dialplan/asterisk/, the agent, a phone (line 1001) and two carriers (gw-a, gw-b)");
    let [phone, a, b] = [(); 3].map(|()| Sipp::start(Manner::Answers));
    let asterisk = Asterisk::builder()
        .agent(plan.agi())
        .global("TANDEM_EMERGENCY_GATEWAYS", "gw-a&gw-b")
        .line("1001", phone.address())
        .gateway("gw-a", a.address())
        .gateway("gw-b", b.address())
        .pjsip(&softphone())
        .start();
    let agent = plan.ships(&asterisk).lights(&asterisk).start();

    println!("\nLine 1001 dials {NUMBER}. What the agent decides, and why (tandem explain 1001 {NUMBER}):\n");
    println!("{}", agent.plan().tandem_ok(&["explain", "1001", NUMBER]));

    println!("And if it dialled 911 (tandem explain 1001 911):\n");
    let emergency = agent.plan().tandem_ok(&["explain", "1001", "911"]);
    println!("{}\n", emergency.lines().take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"));

    let status = phone.call(asterisk.address(), NUMBER).run().status();
    println!("The call: SIP {status}; and as a row of the view calls in the database:\n\n{}\n", row(&agent).await);
    let carried = [("gw-a", &a), ("gw-b", &b)].into_iter().find(|(_, carrier)| !carrier.invites().is_empty());
    if let Some((name, carrier)) = carried {
        let invite = &carrier.invites()[0];
        println!("Carrier {name} was asked for {} by {}", invite.number(), invite.caller());
    }
    print!("\nThe agent's log:\n{}", agent.log());
    if status != 200 {
        println!("\nThe call failed. Asterisk says:\n{}", asterisk.log());
        return ExitCode::FAILURE;
    }
    if !once {
        stay(&asterisk, &agent).await;
    }
    ExitCode::SUCCESS
}

fn import(plan: &AgentBuilder) {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql/sample");
    let file = |name: &str| sample.join(format!("{name}.csv")).display().to_string();
    plan.tandem_ok(&["migrate"]);
    for kind in BEFORE_RATES {
        plan.tandem_ok(&["import", kind, &file(kind)]);
    }
    for (deck, currency) in RATES {
        let file = file(&format!("rates-{deck}"));
        let options = ["--deck", deck, "--currency", currency, "--effective", "2026-01-01"];
        plan.tandem_ok(&[&["import", "rates", &file][..], &options].concat());
    }
    for kind in AFTER_RATES {
        plan.tandem_ok(&["import", kind, &file(kind)]);
    }
    plan.tandem_ok(&["import", "menus", &sample.join("menus.toml").display().to_string()]);
    plan.tandem_ok(&["import", "extensions", &file("menu-extensions")]);
    let (points, numbers) = (file("facility-points"), file("facility-numbers"));
    plan.tandem_ok(&["import", "facilities", &file("facilities"), "--points", &points, "--numbers", &numbers]);
}

/// Line 1002, at which a softphone registers.
fn softphone() -> String {
    format!(
        "[1002](tandem-line)\nauth = 1002\naors = 1002\nmailboxes = 1002@tandem\n\
         [1002]\ntype = auth\nauth_type = userpass\nusername = 1002\npassword = {PASSWORD}\n\
         [1002]\ntype = aor\nmax_contacts = 1\nremove_existing = yes\n"
    )
}

/// The first call in the database, once it is there.
async fn row(agent: &Agent) -> String {
    let url = format!("sqlite:{}", agent.plan().folder().join("tandem.db").display());
    let mut database = sqlx::SqliteConnection::connect(&url).await.expect("the agent has made its database");
    for _ in 0..100 {
        let query = sqlx::query(
            "SELECT started_local, account, line, dialled, number, destination, carried_by, talk_seconds, \
                                 price, price_currency, cost, cost_currency FROM calls",
        );
        if let Some(row) = query.fetch_optional(&mut database).await.expect("the view calls is there") {
            let text = |column: &str| row.try_get_unchecked::<String, _>(column).unwrap_or_default();
            let number = |column: &str| row.try_get_unchecked::<f64, _>(column).unwrap_or_default();
            return format!(
                "  at {}, {} ({}) dialled {}: +{}, {}, carried by {} for {:.1} s; price {} {:.6}, cost {} {:.6}",
                text("started_local"),
                text("line"),
                text("account"),
                text("dialled"),
                text("number"),
                text("destination"),
                text("carried_by"),
                number("talk_seconds"),
                text("price_currency"),
                number("price"),
                text("cost_currency"),
                number("cost"),
            );
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    "  (it did not arrive within 5 s: see the agent's log)".to_owned()
}

async fn stay(asterisk: &Asterisk, agent: &Agent) {
    let (sip, http) = (asterisk.address(), agent.http());
    println!(
        "
Everything stays up until Ctrl-C.

Register a softphone on this machine:  user 1002, password {PASSWORD}, server {sip}, UDP
and dial:   1001            the phone of line 1001, which answers
            600             the ring group: both lines
            914155550123    San Francisco, by the cheapest carrier
            011442079460000 London: line 1002 may not call abroad; hear the refusal
            911             an emergency call: goes out whatever is broken (try it with the agent killed)
            *99             the line test: keys and voice are read and played back
            700             the mailbox of Sales: leave a message after the tone
            800             the menu of the account, or, outside of office hours in New York, where it leads then
            *97             your own mailbox, password 7351: you are led through it
            *98             any mailbox, 600 for Sales, password 8264

Look:       curl http://{http}/metrics    curl http://{http}/status"
    );
    if let Err(error) = tokio::signal::ctrl_c().await {
        println!("Ctrl-C cannot be caught ({error}); ending");
    }
    println!("\nStopping");
}
