//! The order of a decision, case by case, over a real store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod provider_stage;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::Utc;
use provider_stage::{Provider, request};
use tandem::config::Config;
use tandem::emergency::atlas::Atlas;
use tandem::emergency::callbacks::Callbacks;
use tandem::flows::route::Knowledge;
use tandem::flows::route::decide::{Origin, Request, decide};
use tandem::flows::route::explanation::Explanation;
use tandem::flows::route::inside::Inside;
use tandem::service;
use tandem::store::asking::Asking;
use tandem::store::target::TargetKind;
use tokio::time::Instant;

const ALICE: Origin<'_> = Origin::Line("1001");
const BOB: Origin<'_> = Origin::Line("1002");

#[tokio::test]
async fn an_extension_rings_its_line_and_shows_the_callers_extension() {
    let answer = Provider::new().await.call(ALICE, "102").await;
    answer.dials(&["PJSIP/1002"]);
    assert_eq!(answer.routes("CALLER"), ["101"]);
    assert_eq!(answer.routes("SECONDS"), ["25"]);
    assert_eq!((answer.get("CLASS"), answer.get("NUMBER"), answer.get("ACCOUNT")), ("internal", "102", "acme"));
    assert_eq!((answer.get("LINE_CAP"), answer.get("ACCOUNT_CAP")), ("2", "20"));
    assert_eq!(answer.get("CALLER_NAME"), r#"Alice "A", O'Hara ${SHELL(id)}"#);
}

#[tokio::test]
async fn a_national_number_takes_the_cheapest_gateway_then_the_next() {
    let answer = Provider::new().await.call(ALICE, "95125550123").await;
    // 1512 costs 0.00145 at A; 1 costs 0.006 EUR at B, whose numbers are national behind a technical prefix.
    answer.dials(&["PJSIP/+15125550123@gw-a", "PJSIP/77015125550123@carrier-b"]);
    assert_eq!(answer.routes("NAME"), ["gw-a", "gw-b"]);
    assert_eq!(answer.routes("CALLER"), ["+12145550101", "2145550101"]);
    assert_eq!(answer.routes("CAP"), ["30", "0"]);
    assert_eq!(answer.routes("NEXT"), ["", "forbidden"]);
    assert_eq!(answer.routes("BUY"), ["cheap/2/1512/1450/0/6/6/USD", "dear/3/1/6000/0/1/1/EUR"]);
    assert_eq!((answer.get("SELL"), answer.get("ZONE")), ("retail/1/1/20000/0/60/6/USD", "UTC"));
    let dropped: BTreeMap<&str, &str> =
        answer.explanation.gateways.iter().filter_map(|g| Some((g.gateway.as_str(), g.why?))).collect();
    assert_eq!(dropped.keys().copied().collect::<Vec<_>>(), ["gw-c"], "a gateway that is out is named with its reason");
}

#[tokio::test]
async fn a_deck_is_valid_from_its_effective_date_on() {
    let provider = Provider::new().await;
    let answer = provider.call_as(ALICE, "5125550123", "", "2029-12-31T23:59:59Z").await;
    assert_eq!(answer.routes("NAME"), ["gw-a", "gw-b"]);
    let answer = provider.call_as(ALICE, "5125550123", "", "2030-01-01T00:00:00Z").await;
    assert_eq!(answer.routes("NAME"), ["gw-b", "gw-a"]);
    assert!(answer.routes("BUY")[1].starts_with("cheap/4/1/19000/"), "{:?}", answer.routes("BUY"));
}

#[tokio::test]
async fn what_a_line_may_call_is_said_by_the_line_else_its_account_else_the_class() {
    let provider = Provider::new().await;
    provider
        .call(ALICE, "011442079460000")
        .await
        .dials(&["PJSIP/701011442079460000@carrier-b".replace("701", "7701").as_str(), "PJSIP/+442079460000@gw-a"]);
    provider.call(BOB, "011442079460000").await.refused("class-forbidden");
    provider.call(ALICE, "19005550123").await.refused("class-forbidden");
    provider.call(Origin::Line("1004"), "101").await.refused("class-forbidden");
}

#[tokio::test]
async fn a_class_of_the_providers_own_goes_by_prefix() {
    let provider = Provider::new().await;
    // Allowed as satellite although it is abroad; above the account's cap of 1.00 a minute.
    provider.call(BOB, "+881612345678").await.refused("price-cap");
    let answer = provider.call(ALICE, "15129765555").await;
    answer.refused("class-forbidden");
    assert_eq!(answer.get("CLASS"), "premium");
}

#[tokio::test]
async fn prices_decide_too() {
    let provider = Provider::new().await;
    // Bob may call premium numbers; only A has a price for 1900, at less than it is sold for.
    assert_eq!(provider.call(BOB, "19005550123").await.routes("NAME"), ["gw-a", "gw-b"]);
    provider.call(ALICE, "+33142685300").await.refused("prefix-blocked");
    provider.call(ALICE, "+390236618300").await.refused("no-sell-price");
    // Germany is sold below what the only gateway charges.
    provider.call(ALICE, "+4930123456").await.refused("no-route");
    // Toronto: B blocks the prefix, A takes it.
    assert_eq!(provider.call(ALICE, "14165550123").await.routes("NAME"), ["gw-a"]);
}

#[tokio::test]
async fn blocked_prefixes_hold_for_everybody_or_for_one_account() {
    let provider = Provider::new().await;
    provider.call(ALICE, "12685550123").await.refused("prefix-blocked");
    provider.call(ALICE, "13035550123").await.refused("prefix-blocked");
    assert_eq!(provider.call(Origin::Line("3001"), "13035550123").await.get("ACTION"), "dial");
}

#[tokio::test]
async fn an_account_without_a_deck_pays_what_gateways_charge_up_to_its_cap() {
    let provider = Provider::new().await;
    // The cap is 0.005 EUR, 0.0054 USD: B's 0.006 EUR is above it.
    assert_eq!(provider.call(Origin::Line("3001"), "13035550123").await.routes("NAME"), ["gw-a"]);
}

#[tokio::test]
async fn ring_groups_ring_together_or_in_order_and_leave_out_who_is_not_active() {
    let provider = Provider::new().await;
    let answer = provider.call(BOB, "600").await;
    answer.dials(&["PJSIP/1001&PJSIP/1002"]);
    assert_eq!((answer.routes("KIND"), answer.routes("SECONDS")), (vec!["group"], vec!["20"]));
    let answer = provider.call(ALICE, "601").await;
    answer.dials(&["PJSIP/1002", "PJSIP/1004"]);
    assert_eq!((answer.routes("NEXT"), answer.routes("SECONDS")), (vec!["any", "any"], vec!["12", "12"]));
    provider.call(ALICE, "602").await.refused("called-inactive");
    provider.call(ALICE, "103").await.refused("called-inactive");
}

#[tokio::test]
async fn suspended_and_unknown_callers_are_refused() {
    let provider = Provider::new().await;
    provider.call(Origin::Line("2001"), "5125550123").await.refused("account-inactive");
    provider.call(Origin::Line("1003"), "101").await.refused("line-inactive");
    provider.call(Origin::Line("9999"), "101").await.refused("line-unknown");
    for hostile in ["", "\"; DROP TABLE phone_lines", "1001 ", "1001\u{0}", "é", &"1".repeat(10_000)] {
        provider.call(Origin::Line(hostile), "101").await.refused("line-unknown");
        provider.call(Origin::Gateway(hostile), "12145550101").await.refused("gateway-unknown");
    }
}

#[tokio::test]
async fn what_is_no_number_is_refused_as_such() {
    let provider = Provider::new().await;
    for dialled in ["12", "alice", "*97", "", "1'; DROP TABLE rates; --", "${SHELL(id)}", &"5".repeat(10_000)] {
        provider.call(ALICE, dialled).await.refused("number-invalid");
    }
}

#[tokio::test]
async fn an_inbound_number_rings_its_line_and_shows_who_calls() {
    let provider = Provider::new().await;
    let gateway = Origin::Gateway("gw-b");
    let answer = provider.call_as(gateway, "2145550101", "+4930123456", "2026-06-01T00:00:00Z").await;
    answer.dials(&["PJSIP/1001"]);
    assert_eq!((answer.routes("CALLER"), answer.get("CALLER_NAME")), (vec!["+4930123456"], "Caller"));
    provider.call(gateway, "+12145550100").await.dials(&["PJSIP/1001&PJSIP/1002"]);
    provider.call(gateway, "12145550109").await.refused("number-unassigned");
    provider.call(gateway, "12145550199").await.refused("number-unassigned");
    provider.call(gateway, "15125550120").await.refused("account-inactive");
    provider.call(Origin::Gateway("gw-c"), "12145550101").await.refused("gateway-inactive");
    provider.call(Origin::Gateway("gw-z"), "12145550101").await.refused("gateway-unknown");
}

#[tokio::test]
async fn numbers_of_ours_are_reached_without_a_gateway() {
    let provider = Provider::new().await;
    let answer = provider.call(ALICE, "15125550130").await;
    answer.dials(&["PJSIP/3001"]);
    assert_eq!((answer.routes("CALLER"), answer.get("CLASS")), (vec!["+12145550101"], "national"));
    let answer = provider.call(BOB, "2145550101").await;
    answer.dials(&["PJSIP/1001"]);
    assert_eq!(answer.get("CLASS"), "internal");
    provider.call(ALICE, "15125550120").await.refused("called-inactive");
}

#[tokio::test]
async fn only_numbers_of_the_account_are_shown() {
    let provider = Provider::new().await;
    let shown = async |line: &'static str, presented: &'static str| {
        let answer = provider.call_as(Origin::Line(line), "15125550123", presented, "2026-06-01T00:00:00Z").await;
        answer.routes("CALLER")[0].to_owned()
    };
    assert_eq!(shown("1001", "2145550100").await, "+12145550100", "a number of the account that the phone asked for");
    assert_eq!(shown("1001", "+12125550199").await, "+12145550101", "somebody else's: the line's own instead");
    assert_eq!(shown("1001", "15125550130").await, "+12145550101", "another account's");
    assert_eq!(shown("1002", "anonymous").await, "+12145550100", "the account's, where the line has none");
    assert_eq!(shown("1002", "\"; DROP TABLE numbers; --").await, "+12145550100");
    let answer = provider.call(Origin::Line("1004"), "15125550123").await;
    assert_eq!(answer.get("PRIVACY"), "1");
}

#[tokio::test]
async fn emergency_calls_go_out_whoever_cannot_be_asked() {
    let mut provider = Provider::new().await;
    provider.config.database.urls = vec!["mysql://tandem@127.0.0.1:1/gone".into()];
    provider.store = service::store(&provider.config).unwrap();
    for line in ["1001", "2001", "9999", "", "\"; DROP TABLE phone_lines"] {
        for dialled in ["911", "9911"] {
            let answer = provider.call(Origin::Line(line), dialled).await;
            assert_eq!((answer.get("ACTION"), answer.get("NUMBER")), ("emergency", "911"));
            assert_eq!(answer.routes("DIAL"), ["PJSIP/911@em-1", "PJSIP/911@em-2"]);
            assert_eq!(answer.routes("NEXT"), ["any", "any"]);
        }
    }
}

#[tokio::test]
async fn a_database_that_is_gone_decides_nothing_and_says_so() {
    let mut config = Config::default();
    config.database.urls = vec!["mysql://tandem:secret@127.0.0.1:1/gone".into()];
    let store = service::store(&config).unwrap();
    let request = Request {
        origin: ALICE,
        device: "",
        dialled: "102",
        caller_number: "",
        caller_name: "",
        withheld: false,
        forwards: 0,
        seed: 0,
        at: Utc::now(),
    };
    let mut asking = Asking::until(Instant::now() + Duration::from_millis(500));
    let rules = service::rules(&config);
    let (atlas, callbacks) = (Atlas::default(), Callbacks::default());
    let knowledge = Knowledge { store: &store, atlas: &atlas, callbacks: &callbacks };
    let error = decide(&request, &rules, &knowledge, &mut asking, &mut Explanation::default()).await.unwrap_err();
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_transferrers_rights_decide_and_premium_numbers_are_never_reached() {
    let provider = Provider::new().await;
    provider.call(Origin::Transferrer("1001"), "102").await.dials(&["PJSIP/1002"]);
    let answer = provider.call(Origin::Transferrer("1001"), "95125550123").await;
    assert_eq!(
        (answer.get("ACTION"), answer.get("ACCOUNT"), answer.routes("CALLER")[0]),
        ("dial", "acme", "+12145550101")
    );
    // What a line may not call it transfers nobody to; premium numbers even if it may.
    provider.call(Origin::Transferrer("1002"), "011442079460000").await.refused("class-forbidden");
    provider.call(Origin::Transferrer("1004"), "101").await.refused("class-forbidden");
    assert_eq!(provider.call(BOB, "919005550123").await.get("ACTION"), "dial");
    for premium in ["919005550123", "15129765550"] {
        provider.call(Origin::Transferrer("1002"), premium).await.refused("transfer-forbidden");
    }
    provider.call(Origin::Transferrer("1003"), "101").await.refused("line-inactive");
    provider.call(Origin::Transferrer("gw-a"), "101").await.refused("line-unknown");
    provider.call(Origin::Consulting("1002"), "919005550123").await.refused("transfer-forbidden");
    // Nothing refuses 911.
    assert_eq!(provider.call(Origin::Transferrer("1001"), "9911").await.get("ACTION"), "emergency");
}

#[tokio::test]
async fn who_is_handed_on_is_shown_within_the_house_and_the_line_outside() {
    let provider = Provider::new().await;
    let shown = async |origin, dialled, withheld| {
        let request =
            Request { caller_number: "442079460000", caller_name: "Eve", withheld, ..request(origin, dialled) };
        let answer = provider.ask(request).await;
        (answer.routes("CALLER")[0].to_owned(), answer.get("CALLER_NAME").to_owned(), answer.get("PRIVACY").to_owned())
    };
    let said = |number: &str, name: &str, privacy: &str| (number.to_owned(), name.to_owned(), privacy.to_owned());
    let alice = r#"Alice "A", O'Hara ${SHELL(id)}"#;
    let (hands_on, asks) = (Origin::Transferrer("1001"), Origin::Consulting("1001"));
    assert_eq!(shown(hands_on, "102", false).await, said("442079460000", "Eve", "0"));
    assert_eq!(shown(hands_on, "102", true).await, said("442079460000", "Eve", "1"));
    assert_eq!(shown(hands_on, "95125550123", true).await, said("+12145550101", alice, "0"));
    assert_eq!(shown(asks, "102", false).await, said("101", alice, "0"));
    // Asterisk does not always know who it is.
    assert_eq!(provider.call(hands_on, "102").await.routes("CALLER"), ["101"]);
}

#[tokio::test]
async fn whose_lines_are_rung_is_told() {
    let provider = Provider::new().await;
    let called = async |origin, dialled| provider.call(origin, dialled).await.get("CALLED_ACCOUNT").to_owned();
    assert_eq!(called(ALICE, "102").await, "acme");
    assert_eq!(called(ALICE, "15125550130").await, "free", "a number of another account");
    assert_eq!(called(ALICE, "15125550123").await, "", "a number outside");
    assert_eq!(called(Origin::Gateway("gw-b"), "12145550101").await, "acme");
}

#[tokio::test]
async fn a_caller_inside_an_account_reaches_what_belongs_to_it_and_nothing_else() {
    let provider = Provider::new().await;
    let extension = |account_id| Origin::Inside(Inside::Extension(account_id));
    provider.call(extension("acme"), "102").await.dials(&["PJSIP/1002"]);
    provider.call(extension("late"), "102").await.refused("number-unassigned");
    provider.call(extension("acme"), "15125550123").await.refused("number-unassigned");
    let target = |account_id, kind, id| Origin::Inside(Inside::Target { account_id, kind, id });
    provider.call(target("acme", TargetKind::Line, "1002"), "x").await.dials(&["PJSIP/1002"]);
    provider.call(target("acme", TargetKind::RingGroup, "support"), "x").await.dials(&["PJSIP/1002", "PJSIP/1004"]);
    provider.call(target("acme", TargetKind::Line, "3001"), "x").await.refused("number-unassigned");
    provider.call(target("free", TargetKind::RingGroup, "support"), "x").await.refused("number-unassigned");
    provider.call(target("late", TargetKind::Line, "2001"), "x").await.refused("account-inactive");
    provider.call(target("acme", TargetKind::Line, "a b"), "x").await.refused("line-unknown");
}
