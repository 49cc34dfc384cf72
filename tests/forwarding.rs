//! What lines want done with calls to them, as the decision honours it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod provider_stage;

use std::io::Cursor;

use provider_stage::{Provider, request};
use tandem::flows::route::decide::{Origin, Request};
use tandem::store::feature::Untaken;
use tandem::store::import::Kind;

const ALICE: Origin<'_> = Origin::Line("1001");
const CARRIER: Origin<'_> = Origin::Gateway("gw-a");

/// A provider whose line 1002 has these features.
async fn with(columns: &str, values: &str) -> Provider {
    let provider = Provider::new().await;
    provider.sql(&format!("INSERT INTO line_features (line_id, {columns}) VALUES ('1002', {values})")).await;
    provider
}

#[tokio::test]
async fn every_call_is_forwarded_at_the_lines_cost_with_the_lines_number() {
    let provider = with("forward_always", "'95125550123'").await;
    let answer = provider.call(ALICE, "102").await;
    answer.dials(&["PJSIP/+15125550123@gw-a", "PJSIP/77015125550123@carrier-b"]);
    // 1002 has no number of its own: the account's.
    assert_eq!(answer.routes("CALLER"), ["+12145550100", "2145550100"]);
    assert_eq!(
        ["FOR_LINE", "FOR_ACCOUNT", "FOR_NUMBER", "FORWARDS"].map(|name| answer.get(name)),
        ["1002", "acme", "15125550123", "1"]
    );
    // The call stays what it was.
    assert_eq!((answer.get("NUMBER"), answer.get("CLASS"), answer.get("REASON")), ("102", "internal", "forwarded"));
    assert!(answer.get("SELL").starts_with("retail/"), "{}", answer.get("SELL"));
    let diversion =
        |answer: &provider_stage::Answer| ["DIVERTED_NUMBER", "DIVERTED_BY"].map(|name| answer.get(name).to_owned());
    assert_eq!(diversion(&answer), ["+12145550100", "reason=unconditional;counter=1;privacy=off"]);
    assert_eq!(diversion(&provider.call(ALICE, "95125550123").await), ["", ""], "a call of the line's own");
    // By way of a private line: it is that one which passes the call on to the carrier.
    let sql = "UPDATE line_features SET forward_always = '', do_not_disturb = TRUE, forward_busy = '104';
        UPDATE line_permissions SET allowed = TRUE WHERE line_id = '1004';
        INSERT INTO line_features (line_id, forward_always) VALUES ('1004', '95125550123')";
    provider.sql(sql).await;
    let answer = provider.call(ALICE, "102").await;
    assert_eq!(diversion(&answer), ["+12145550100", "reason=unconditional;counter=2;privacy=full"]);
    provider.sql("UPDATE line_features SET forward_busy = '95125550123' WHERE line_id = '1002'").await;
    assert!(provider.call(ALICE, "102").await.get("DIVERTED_BY").starts_with("reason=do-not-disturb;counter=1"));
}

#[tokio::test]
async fn the_forwarding_lines_permissions_hold() {
    let provider = with("forward_always", "'9011442071838750'").await;
    // 1002 may not call abroad, although the caller may.
    provider.call(ALICE, "102").await.refused("class-forbidden");
    provider.sql("UPDATE phone_lines SET mailbox_id = NULL; UPDATE line_features SET forward_always = '911'").await;
    let answer = provider.call(ALICE, "102").await;
    answer.refused("number-invalid");
}

#[tokio::test]
async fn a_call_is_forwarded_to_a_mailbox_a_menu_or_a_ring_group() {
    let provider = with("forward_always", "'801'").await;
    provider
        .sql(
            "INSERT INTO mailboxes (id, account_id, number, name, created_at) VALUES
                  ('b', 'acme', '102', 'Bob', '2026-01-01 00:00:00'), ('s', 'acme', '801', 'Sales', '2026-01-01 00:00:00');
              UPDATE phone_lines SET mailbox_id = 'b' WHERE id = '1002';
              INSERT INTO extensions (account_id, extension, mailbox_id) VALUES ('acme', '801', 's');
              INSERT INTO extensions (account_id, extension, queue) VALUES ('acme', '802', 'sales')",
        )
        .await;
    let to = async |number| {
        provider.sql(&format!("UPDATE line_features SET forward_always = '{number}'")).await;
        let answer = provider.call(ALICE, "102").await;
        ["ACTION", "MAILBOX", "QUEUE", "ROUTE_1_DIAL"].map(|name| answer.get(name).to_owned())
    };
    assert_eq!(to("801").await, ["voicemail", "s", "", ""]);
    assert_eq!(to("802").await, ["queue", "b", "sales", ""]);
    assert_eq!(to("601").await, ["dial", "b", "", "PJSIP/1002"]);
    // Where nobody may call, the caller may still say something.
    assert_eq!(to("9011442071838750").await, ["voicemail", "b", "", ""]);
}

#[tokio::test]
async fn the_callers_number_is_shown_outside_where_the_line_wants_so() {
    let provider = with("forward_always, forward_shows_caller", "'95125550123', TRUE").await;
    provider.sql("UPDATE numbers SET line_id = '1002' WHERE number = '12145550101'").await;
    let answer = provider.call_as(CARRIER, "12145550101", "+442071838750", "2026-06-01T00:00:00Z").await;
    assert_eq!(answer.routes("CALLER"), ["+442071838750", "011442071838750"]);
    let withheld = Request { caller_number: "+442071838750", withheld: true, ..request(CARRIER, "12145550101") };
    let answer = provider.ask(withheld).await;
    assert_eq!(answer.routes("CALLER"), ["+12145550100", "2145550100"]);
    assert_eq!(answer.get("PRIVACY"), "1");
}

#[tokio::test]
async fn an_outside_callers_number_is_shown_so_that_it_can_be_called_back() {
    let provider = Provider::new().await;
    for (presented, shown) in [
        ("5125550123", "5125550123"),
        ("15125550123", "15125550123"),
        ("442071838750", "+442071838750"),
        ("+442071838750", "+442071838750"),
        ("anonymous", "anonymous"),
        // A redial would carry it out.
        ("*7219005550123", "7219005550123"),
        ("#31#5125550123", "315125550123"),
    ] {
        let answer = provider.ask(Request { caller_number: presented, ..request(CARRIER, "12145550101") }).await;
        assert_eq!(answer.routes("CALLER"), [shown]);
    }
}

#[tokio::test]
async fn forwards_from_line_to_line_end_after_the_limit() {
    let provider = with("forward_always", "'104'").await;
    provider.sql("INSERT INTO line_features (line_id, forward_always) VALUES ('1004', '101')").await;
    // 1004 may not call within the account.
    provider.sql("UPDATE line_permissions SET allowed = TRUE WHERE line_id = '1004'").await;
    let answer = provider.call(Origin::Line("1002"), "102").await;
    answer.dials(&["PJSIP/1001"]);
    assert_eq!((answer.get("FORWARDS"), answer.get("FOR_LINE")), ("2", "1004"));
    assert_eq!(answer.routes("CALLER"), ["102"], "who called first");
    provider.sql("INSERT INTO line_features (line_id, forward_always) VALUES ('1001', '102')").await;
    provider.call(ALICE, "102").await.refused("forward-loop");
    let provider = with("forward_always", "'104'").await;
    provider.sql("UPDATE line_permissions SET allowed = TRUE WHERE line_id = '1004'").await;
    let late = Request { forwards: 5, ..request(ALICE, "102") };
    provider.ask(late).await.refused("forward-loop");
}

#[tokio::test]
async fn a_line_that_does_not_take_a_call_says_where_it_goes() {
    let provider = with("forward_busy, forward_unanswered", "'104', '95125550123'").await;
    let answer = provider.call(ALICE, "102").await;
    answer.dials(&["PJSIP/1002"]);
    assert_eq!((answer.get("FORWARD_LINE"), answer.get("FORWARD_ON")), ("1002", "busy&unanswered"));
    let told = answer.explanation.steps.iter().find(|step| step.step == "forward").unwrap();
    assert_eq!(told.text, "line 1002 forwards to 104 when it is busy, to 95125550123 when it is unanswered");
    let untaken = |why| Request { caller_number: "101", ..request(Origin::Untaken("1002", why), "102") };
    let answer = provider.ask(untaken(Untaken::Busy)).await;
    answer.dials(&["PJSIP/1004"]);
    assert_eq!(answer.routes("CALLER"), ["101"]);
    // What the call is was told before.
    assert_eq!((answer.get("ACCOUNT"), answer.get("FOR_LINE")), ("", "1002"));
    let answer = provider.ask(untaken(Untaken::Unanswered)).await;
    answer.dials(&["PJSIP/+15125550123@gw-a", "PJSIP/77015125550123@carrier-b"]);
    provider.ask(untaken(Untaken::Unreachable)).await.refused("number-unassigned");
    // A line that forwards to itself, by import, is not rung again.
    provider.sql("UPDATE line_features SET forward_busy = '102'").await;
    provider.ask(untaken(Untaken::Busy)).await.refused("forward-loop");
}

#[tokio::test]
async fn who_is_not_to_be_disturbed_is_busy() {
    let provider = with("do_not_disturb", "TRUE").await;
    provider.call(ALICE, "102").await.refused("do-not-disturb");
    // In groups it does not ring, the others do.
    provider.call(ALICE, "600").await.dials(&["PJSIP/1001"]);
    provider.call(ALICE, "601").await.dials(&["PJSIP/1004"]);
    provider.sql("UPDATE line_features SET forward_busy = '104'").await;
    provider.call(ALICE, "102").await.dials(&["PJSIP/1004"]);
    provider
        .sql("UPDATE line_features SET forward_busy = '';
              INSERT INTO mailboxes (id, account_id, number, name, created_at) VALUES ('b', 'acme', '102', 'Bob', '2026-01-01 00:00:00');
              UPDATE phone_lines SET mailbox_id = 'b' WHERE id = '1002'")
        .await;
    let answer = provider.call(ALICE, "102").await;
    assert_eq!((answer.get("ACTION"), answer.get("MAILBOX")), ("voicemail", "b"));
}

#[tokio::test]
async fn blocked_and_anonymous_callers_do_not_get_through() {
    let provider = with("reject_anonymous", "TRUE").await;
    provider
        .sql(
            "UPDATE numbers SET line_id = '1002' WHERE number = '12145550101';
              INSERT INTO blocked_callers (line_id, number) VALUES ('1002', '442071838750'), ('1002', '104')",
        )
        .await;
    let call = |caller_number, withheld| {
        let request = Request { caller_number, withheld, ..request(CARRIER, "12145550101") };
        provider.ask(request)
    };
    call("+15125550123", false).await.dials(&["PJSIP/1002"]);
    call("+442071838750", false).await.refused("caller-blocked");
    call("442071838750", false).await.refused("caller-blocked");
    call("+15125550123", true).await.refused("anonymous-rejected");
    call("", false).await.refused("anonymous-rejected");
    call("anonymous", false).await.refused("anonymous-rejected");
    // By extension, and never by a colleague's privacy.
    provider.sql("UPDATE line_permissions SET allowed = TRUE WHERE line_id = '1004'").await;
    provider.call(Origin::Line("1004"), "102").await.refused("caller-blocked");
    provider.sql("DELETE FROM blocked_callers WHERE number = '104'").await;
    provider.call(Origin::Line("1004"), "102").await.dials(&["PJSIP/1002"]);
}

#[tokio::test]
async fn a_code_or_the_phone_itself_makes_a_caller_anonymous_or_known_to_other_lines() {
    let provider = with("reject_anonymous", "TRUE").await;
    provider
        .sql(
            "UPDATE numbers SET line_id = '1002' WHERE number = '12145550101';
              UPDATE phone_lines SET caller_number = '15125550130' WHERE id = '3001'",
        )
        .await;
    const FAY: Origin<'_> = Origin::Line("3001");
    let (plain, withheld, shown) = ("12145550101", "*6712145550101", "*8212145550101");
    provider.call(FAY, plain).await.dials(&["PJSIP/1002"]);
    provider.call(FAY, withheld).await.refused("anonymous-rejected");
    provider.ask(Request { withheld: true, ..request(FAY, plain) }).await.refused("anonymous-rejected");
    provider.ask(Request { withheld: true, ..request(FAY, shown) }).await.dials(&["PJSIP/1002"]);
    provider.sql("UPDATE phone_lines SET privacy = TRUE WHERE id = '3001'").await;
    provider.call(FAY, plain).await.refused("anonymous-rejected");
    let answer = provider.call(FAY, shown).await;
    answer.dials(&["PJSIP/1002"]);
    assert_eq!(answer.get("PRIVACY"), "0");
    // Of two codes the later one holds.
    provider.call(FAY, "*82*6712145550101").await.refused("anonymous-rejected");
    // Within the account, too, where who calls is told else.
    provider.call(ALICE, "102").await.dials(&["PJSIP/1002"]);
    provider.call(ALICE, "*67102").await.refused("anonymous-rejected");
    // What the phone says of another line's call is not that line's.
    let outside = |dialled| Request { withheld: true, ..request(ALICE, dialled) };
    assert_eq!(provider.ask(outside("95125550123")).await.get("PRIVACY"), "1");
    assert_eq!(provider.ask(outside("*8295125550123")).await.get("PRIVACY"), "0");
    let handed_on = Request { withheld: true, ..request(Origin::Transferrer("1001"), "95125550123") };
    assert_eq!(provider.ask(handed_on).await.get("PRIVACY"), "0");
}

#[tokio::test]
async fn who_is_looked_for_by_way_of_a_line_that_forwards_says_yes_and_is_in_no_mailbox() {
    let provider = with("find_me", "'together'").await;
    provider
        .sql(
            "INSERT INTO find_me_numbers (line_id, position, number, ring_seconds) VALUES ('1002', 1, '104', 15);
              INSERT INTO mailboxes (id, account_id, number, name, created_at) VALUES ('d', 'acme', '104', 'Dave', '2026-01-01 00:00:00');
              UPDATE phone_lines SET mailbox_id = 'd' WHERE id = '1004';
              UPDATE line_permissions SET allowed = TRUE WHERE line_id = '1004';
              INSERT INTO line_features (line_id, forward_always) VALUES ('1004', '95125550123')",
        )
        .await;
    let branch = || provider.ask(Request { caller_number: "101", ..request(Origin::FindMe("1002"), "104") });
    let answer = branch().await;
    answer.dials(&["PJSIP/+15125550123@gw-a", "PJSIP/77015125550123@carrier-b"]);
    assert_eq!((answer.routes("ASKS"), answer.routes("SECONDS")), (vec!["1", "1"], vec!["15", "15"]));
    assert_eq!(["MAILBOX", "FOR_LINE", "FORWARDS"].map(|name| answer.get(name)), ["", "1004", "2"]);
    provider.sql("UPDATE line_features SET forward_always = '', forward_busy = '102' WHERE line_id = '1004'").await;
    let answer = branch().await;
    answer.dials(&["PJSIP/1004"]);
    assert_eq!(["MAILBOX", "FORWARD_LINE"].map(|name| answer.get(name)), ["", ""]);
    provider.sql("UPDATE line_features SET forward_busy = '', do_not_disturb = TRUE WHERE line_id = '1004'").await;
    branch().await.refused("number-invalid");
}

#[tokio::test]
async fn other_numbers_ring_after_the_line_or_with_it() {
    let provider = with("find_me, screening", "'in_order', TRUE").await;
    provider
        .sql(
            "INSERT INTO find_me_numbers (line_id, position, number, ring_seconds)
              VALUES ('1002', 1, '95125550123', 15), ('1002', 2, '104', 30)",
        )
        .await;
    let answer = provider.call(ALICE, "102").await;
    answer.dials(&["PJSIP/1002", "Local/95125550123@tandem-find-me/n", "Local/104@tandem-find-me/n"]);
    assert_eq!(answer.routes("KIND"), ["line", "find-me", "find-me"]);
    assert_eq!(answer.routes("SECONDS"), ["25", "35", "50"]);
    assert_eq!(answer.routes("NEXT"), ["any", "any", "any"]);
    assert_eq!(answer.routes("ASKS"), ["1", "", ""]);
    provider.sql("UPDATE line_features SET find_me = 'together'").await;
    let answer = provider.call(ALICE, "102").await;
    answer.dials(&["PJSIP/1002&Local/95125550123@tandem-find-me/n&Local/104@tandem-find-me/n"]);
    assert_eq!((answer.routes("KIND"), answer.routes("SECONDS")), (vec!["find-me"], vec!["50"]));

    let branch = |number| Request { caller_number: "101", ..request(Origin::FindMe("1002"), number) };
    let answer = provider.ask(branch("95125550123")).await;
    answer.dials(&["PJSIP/+15125550123@gw-a", "PJSIP/77015125550123@carrier-b"]);
    assert_eq!(answer.routes("SECONDS"), ["15", "15"]);
    // Out there a machine may answer; the call is the line's.
    assert_eq!(answer.routes("ASKS"), ["1", "1"]);
    assert_eq!((answer.get("ACCOUNT"), answer.get("FORWARDS"), answer.get("FOR_LINE")), ("acme", "1", ""));
    assert_eq!(answer.get("DIVERTED_BY"), "reason=follow-me;counter=1;privacy=off");
    let answer = provider.ask(branch("104")).await;
    answer.dials(&["PJSIP/1004"]);
    assert_eq!((answer.routes("ASKS"), answer.routes("CALLER")), (vec![""], vec!["101"]));
    provider.ask(branch("95125550199")).await.refused("number-unassigned");
    // Nobody is looked for at the emergency centre.
    provider.sql("INSERT INTO find_me_numbers (line_id, position, number) VALUES ('1002', 3, '911')").await;
    provider.ask(branch("911")).await.refused("number-invalid");
    provider.ask(Request { forwards: 5, ..branch("104") }).await.refused("forward-loop");
}

#[tokio::test]
async fn codes_before_a_number_withhold_and_show_who_calls() {
    let provider = Provider::new().await;
    let answer = provider.call(ALICE, "*6795125550123").await;
    answer.dials(&["PJSIP/+15125550123@gw-a", "PJSIP/77015125550123@carrier-b"]);
    assert_eq!((answer.get("PRIVACY"), answer.get("NUMBER")), ("1", "15125550123"));
    assert_eq!(provider.call(ALICE, "*67102").await.get("PRIVACY"), "1");
    assert_eq!(provider.call(Origin::Line("1004"), "95125550123").await.get("PRIVACY"), "1");
    assert_eq!(provider.call(Origin::Line("1004"), "*8295125550123").await.get("PRIVACY"), "0");
    for dialled in ["*67911", "*679911", "*82911"] {
        assert_eq!(provider.call(ALICE, dialled).await.get("ACTION"), "emergency", "{dialled}");
    }
    provider.call(ALICE, "*67").await.refused("number-invalid");
    provider.call(ALICE, "*67*67*67*67102").await.refused("number-invalid");
    // Of the provider's own making.
    provider.sql("INSERT INTO feature_codes (code, feature) VALUES ('*31#', 'withhold')").await;
    assert_eq!(provider.call(ALICE, "*31#911").await.get("ACTION"), "emergency");
    assert_eq!(provider.call(ALICE, "*31#102").await.get("PRIVACY"), "1");
}

#[tokio::test]
async fn a_speed_dial_is_the_number_of_its_slot() {
    let provider = Provider::new().await;
    provider
        .sql(
            "INSERT INTO speed_dials (line_id, slot, number) VALUES ('1001', '7', '95125550123'), ('1001', '8', '911')",
        )
        .await;
    let answer = provider.call(ALICE, "*07").await;
    answer.dials(&["PJSIP/+15125550123@gw-a", "PJSIP/77015125550123@carrier-b"]);
    assert_eq!(provider.call(ALICE, "*08").await.get("ACTION"), "emergency");
    provider.call(ALICE, "*09").await.refused("speed-dial-empty");
    provider.call(Origin::Line("1002"), "*07").await.refused("speed-dial-empty");
}

#[tokio::test]
async fn a_code_is_talked_about_unless_it_is_an_extension() {
    let provider = Provider::new().await;
    let answer = provider.call(ALICE, "*72").await;
    assert_eq!(
        (answer.get("ACTION"), answer.get("FEATURE"), answer.get("ACCOUNT")),
        ("feature", "forward-always", "acme")
    );
    assert_eq!(provider.call(ALICE, "*7295125550123").await.get("FEATURE"), "forward-always");
    provider.call(ALICE, "*11").await.refused("number-invalid");
    provider.sql("INSERT INTO extensions (account_id, extension, line_id) VALUES ('acme', '*72', '1002')").await;
    provider.call(ALICE, "*72").await.dials(&["PJSIP/1002"]);
}

#[tokio::test]
async fn a_feature_is_for_lines_that_may_use_it() {
    let provider = Provider::new().await;
    let forbid = "INSERT INTO account_permissions (account_id, class_name, allowed)
        VALUES ('acme', 'feature-forwarding', FALSE), ('acme', 'feature-caller-id', FALSE);
        INSERT INTO line_permissions (line_id, class_name, allowed) VALUES ('1002', 'feature-forwarding', TRUE)";
    provider.sql(forbid).await;
    for code in ["*72", "*90104", "*6795125550123"] {
        provider.call(ALICE, code).await.refused("feature-forbidden");
    }
    // Its end is nobody's loss.
    for (line, code) in [("1001", "*73"), ("1001", "*91"), ("1002", "*72"), ("3001", "*72"), ("1001", "*76")] {
        assert_eq!(provider.call(Origin::Line(line), code).await.get("ACTION"), "feature", "{line} {code}");
    }
    assert_eq!(provider.call(ALICE, "*67911").await.get("ACTION"), "emergency");
}

#[tokio::test]
async fn callers_are_blocked_by_the_beginning_of_their_numbers() {
    let provider = Provider::new().await;
    let import = |row: &str| provider.store.import(Kind::BlockedCallers, Cursor::new(format!("line,number\n{row}\n")));
    import("1001,+4420*").await.unwrap();
    let call = |caller_number| provider.ask(Request { caller_number, ..request(CARRIER, "12145550101") });
    call("+442071838750").await.refused("caller-blocked");
    call("442071838750").await.refused("caller-blocked");
    call("+441632960000").await.dials(&["PJSIP/1001"]);
    for wrong in ["1001,*", "1001,1*2", "1001,44**", "1001,%*"] {
        let fault = import(wrong).await.unwrap_err().to_string();
        assert!(fault.contains("number"), "{wrong}: {fault}");
    }
}

#[tokio::test]
async fn who_is_handed_on_sets_nothing_of_the_line_and_reaches_no_premium_number_by_a_forward() {
    let provider = Provider::new().await;
    const HANDS_ON: Origin<'_> = Origin::Transferrer("1001");
    for code in ["*72", "*7295125550123", "*60", "*69"] {
        provider.call(HANDS_ON, code).await.refused("number-invalid");
    }
    assert_eq!(provider.call(HANDS_ON, "*67102").await.get("PRIVACY"), "1");
    assert_eq!(provider.call(HANDS_ON, "*67911").await.get("ACTION"), "emergency");
    // 1002 may call premium numbers; who is handed on to it is not forwarded there.
    provider.sql("INSERT INTO line_features (line_id, forward_always) VALUES ('1002', '919005550123')").await;
    provider.call(ALICE, "102").await.dials(&["PJSIP/+19005550123@gw-a", "PJSIP/77019005550123@carrier-b"]);
    provider.call(HANDS_ON, "102").await.refused("transfer-forbidden");
}

#[tokio::test]
async fn who_called_for_help_is_reached_whatever_the_line_does_with_calls_and_by_a_code_too() {
    let provider = with("do_not_disturb, forward_always", "TRUE, '95125550123'").await;
    assert_eq!(provider.call(Origin::Line("1002"), "911").await.get("ACTION"), "emergency");
    provider.sql("INSERT INTO speed_dials (line_id, slot, number) VALUES ('1001', '7', '12145550100')").await;
    // The line that called, not those of the ring group that the number leads to.
    for (origin, dialled) in
        [(CARRIER, "12145550100"), (ALICE, "12145550100"), (ALICE, "*6712145550100"), (ALICE, "*07")]
    {
        let answer = provider.call(origin, dialled).await;
        answer.dials(&["PJSIP/1002"]);
        assert_eq!(answer.get("REASON"), "emergency-callback", "{dialled}");
    }
}
