//! Who may look in: tokens that are good, and all that are not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod store_world;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use lab::{Agent, AgentBuilder, Api, MariaDb};
use serde_json::{Value, json};
use store_world::options;
use tandem::admin::http::guesses::Guesses;
use tandem::store::Store;
use tandem::store::token::Role;
use tokio::time::Instant;

fn complained(output: &std::process::Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn refused(api: &Api, path: &str, status: u16, why: &str) {
    let answer = api.get(path);
    assert_eq!((answer.status, answer.error().contains(why)), (status, true), "{}: {}", answer.head, answer.body);
}

#[test]
fn a_token_is_good_for_its_person_its_role_and_its_time() {
    let plan = Agent::builder();
    plan.tandem_ok(&["migrate"]);
    let agent = plan.start();
    let plan = agent.plan();
    let operator = plan.token("Olga@example.com", "operator");
    let answer = agent.api(&operator).get("/v1/whoami");
    assert_eq!((answer.status, answer.body), (200, json!({ "person": "olga@example.com", "role": "operator" })));

    refused(&agent.api(""), "/v1/whoami", 401, "a token is needed");
    refused(&agent.api("nonsense"), "/v1/whoami", 401, "no token of ours");
    let last = if operator.ends_with('0') { "1" } else { "0" };
    let wrong = format!("{}{last}", &operator[..operator.len() - 1]);
    refused(&agent.api(&wrong), "/v1/whoami", 401, "no token of ours");

    // No role is above another.
    let [supervisor, auditor, intercept] =
        ["supervisor", "auditor", "intercept"].map(|role| plan.token(&format!("the-{role}"), role));
    for (token, path) in [
        (&operator, "/v1/intercepts"),
        (&supervisor, "/v1/intercepts"),
        (&auditor, "/v1/intercepts"),
        (&intercept, "/v1/audit"),
        (&supervisor, "/v1/audit"),
    ] {
        refused(&agent.api(token), path, 403, "may not do this");
    }
    assert_eq!(agent.api(&intercept).get("/v1/intercepts").status, 200);
    refused(&agent.api(&intercept), "/v1/elsewhere", 404, "no such path");
    let much = json!({ "line": "1".repeat(70_000) });
    assert_eq!(agent.api(&intercept).post("/v1/intercepts", &much).status, 413);
    assert_eq!(agent.api(&intercept).post("/v1/intercepts", &json!([])).status, 422);

    let expired = token_without_a_day(plan, "late");
    refused(&agent.api(&expired), "/v1/whoami", 401, "has expired");
    let id = operator.split('_').nth(1).unwrap();
    plan.tandem_ok(&["token", "revoke", id]);
    refused(&agent.api(&operator), "/v1/whoami", 401, "was revoked");
    assert!(complained(&plan.tandem(&["token", "revoke", id])).contains("there is no token"));
    assert!(plan.tandem_ok(&["token", "list"]).lines().any(|line| line.starts_with(id) && line.contains(" revoked ")));
    // By hand nothing is won: the audit log tells otherwise.
    plan.sql("UPDATE tokens SET revoked_at = NULL");
    refused(&agent.api(&operator), "/v1/whoami", 401, "was revoked");
    plan.sql("UPDATE tokens SET expires_at = '2099-01-01 00:00:00' WHERE person = 'late'");
    refused(&agent.api(&expired), "/v1/whoami", 401, "no token of ours");
    plan.sql("UPDATE tokens SET role = 'intercept' WHERE person = 'the-auditor'");
    refused(&agent.api(&auditor), "/v1/intercepts", 401, "no token of ours");

    let list = plan.tandem_ok(&["token", "list"]);
    let line = |person: &str| list.lines().find(|line| line.contains(person)).unwrap_or_default().to_owned();
    assert!(line("olga@example.com").contains("operator") && line("the-supervisor").contains("supervisor"), "{list}");
    let secret = operator.split('_').nth(2).unwrap();
    let database = std::fs::read(plan.folder().join("tandem.db")).unwrap();
    let kept = [list.as_bytes(), agent.log().as_bytes(), &database].concat();
    assert!(!kept.windows(secret.len()).any(|text| text == secret.as_bytes()), "a secret is kept nowhere");
    let metrics = agent.get("/metrics").unwrap().1;
    for (why, times) in [("missing", 1), ("wrong", 4), ("expired", 1), ("revoked", 2), ("role", 5)] {
        let line = format!("tandem_api_refused_total{{why=\"{why}\"}} {times}");
        assert!(metrics.contains(&line), "{line}\n{metrics}");
    }
    assert!(
        complained(&plan.tandem(&["token", "create", "--person", "a b", "--role", "operator"])).contains("no name")
    );
}

/// A token that is good for no day, which no command makes.
fn token_without_a_day(plan: &AgentBuilder, person: &str) -> String {
    let url = format!("sqlite:{}", plan.folder().join("tandem.db").display());
    let made = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::new(&options(&[&url])).unwrap();
        store.create_token(person, Role::Auditor, 0, "nobody", false).await.unwrap()
    });
    made.reveal()
}

#[test]
fn who_guesses_is_locked_and_nobody_else() {
    let plan = Agent::builder();
    plan.tandem_ok(&["migrate"]);
    let agent = plan.start();
    let right = agent.plan().token("olga", "operator");
    let [guesser, other] = [Ipv4Addr::new(127, 9, 9, 1), Ipv4Addr::new(127, 9, 9, 2)];
    std::thread::scope(|scope| {
        for n in 0..6 {
            let wrong = format!("tandem_{n:016x}_{n:064x}");
            let api = agent.api(&wrong).from(guesser);
            scope.spawn(move || assert_eq!(api.get("/v1/whoami").status, 401));
        }
    });
    let locked = agent.api(&right).from(guesser).get("/v1/whoami");
    assert_eq!(locked.status, 429, "{}", locked.head);
    let wait = locked.head.lines().find_map(|line| line.strip_prefix("retry-after: ")?.parse::<u32>().ok());
    assert!(wait.is_some_and(|wait| (1..=61).contains(&wait)), "{}", locked.head);
    assert_eq!(agent.api(&right).from(other).get("/v1/whoami").status, 200);
    assert!(agent.get("/metrics").unwrap().1.contains("tandem_api_refused_total{why=\"locked\"} 1"));
}

#[test]
fn an_address_is_answered_ever_later_and_few_are_remembered() {
    let (guesses, now) = (Guesses::default(), Instant::now());
    let [bad, good] = [1, 2].map(|last| IpAddr::from([10, 0, 0, last]));
    let after = |seconds| now + Duration::from_secs(seconds);
    let pauses: Vec<u128> = (0..6).map(|_| guesses.wrong(bad, now).as_millis()).collect();
    assert_eq!(pauses, [100, 200, 400, 800, 1600, 1600]);
    assert_eq!(guesses.locked(bad, now), Some(Duration::from_secs(60)));
    assert_eq!((guesses.locked(good, now), guesses.locked(bad, after(60))), (None, None));
    guesses.wrong(bad, after(60));
    assert_eq!(guesses.locked(bad, after(60)), Some(Duration::from_secs(120)));
    assert_eq!(guesses.wrong(bad, after(60 + 720)).as_millis(), 100, "it was forgotten");
    // Whoever has a network of IPv6 is one.
    let [one, two] = ["2001:db8::1", "2001:db8::2:3:4:5"].map(|address| address.parse().unwrap());
    assert_eq!([guesses.wrong(one, now), guesses.wrong(two, now)].map(|pause| pause.as_millis()), [100, 200]);
    // Of very many the oldest go; the lock of the latest holds.
    for n in 0..10_000_u32 {
        guesses.wrong(IpAddr::from((0x0B00_0000 + n).to_be_bytes()), after(100));
    }
    for _ in 0..6 {
        guesses.wrong(good, after(101));
    }
    assert_eq!(guesses.wrong(one, after(101)).as_millis(), 100, "it had to go");
    assert!(guesses.locked(good, after(102)).is_some());
    assert!(guesses.addresses() <= 4096);
}

#[test]
fn while_the_database_is_away_nobody_is_let_in() {
    let mut database = MariaDb::start();
    let plan = Agent::builder().set("database.urls", &database.url());
    plan.tandem_ok(&["migrate"]);
    let agent = plan.start();
    let right = agent.plan().token("olga", "operator");
    assert_eq!(agent.api(&right).get("/v1/whoami").status, 200);
    database.kill();
    refused(&agent.api(&right), "/v1/whoami", 503, "the database does not answer");
    database.restart();
    assert_eq!(agent.api(&right).get("/v1/whoami").status, 200);
}

#[test]
fn two_persons_who_intercept_alone_admit_a_third() {
    let plan = Agent::builder();
    plan.tandem_ok(&["migrate"]);
    let supervisor = plan.token("susan", "supervisor");
    let first = plan.token("ida", "intercept");
    // Of the same person: still one alone.
    let again = plan.token("Ida", "intercept");
    plan.token("ivan", "intercept");
    let third = ["token", "create", "--person", "mallory", "--role", "intercept"];
    assert!(complained(&plan.tandem(&third)).contains("TANDEM_TOKEN"));
    assert!(complained(&plan.tandem_as(&supervisor, &third)).contains("TANDEM_TOKEN"));
    plan.tandem_ok(&["token", "revoke", again.split('_').nth(1).unwrap()]);
    assert!(complained(&plan.tandem_as(&again, &third)).contains("was revoked"));
    assert!(plan.tandem_as(&first, &third).status.success());

    let auditor = plan.token("arthur", "auditor");
    let agent = plan.start();
    let log = agent.api(&auditor).get("/v1/audit").body;
    let told: Vec<(&str, &str)> =
        log.as_array().unwrap().iter().map(|entry| (text(entry, "action"), text(entry, "person"))).collect();
    assert_eq!(told.len(), 7);
    assert_eq!(told[5], ("token.create", "ida"));
    assert!(told[0].1.starts_with("user ") && text(&log[5], "subject").contains("mallory"));
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry[field].as_str().unwrap_or_default()
}
