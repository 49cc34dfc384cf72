//! Emergency calls on real Asterisk: what the facility is sent, and that the call arrives, whatever is broken.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod records_stage;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use lab::{Agent, Asterisk, Manner, Message, Node, NodeBuilder, Sipp, wait_until};
use records_stage::ask;
use roxmltree::Document;

const SOON: Duration = Duration::from_secs(5);

/// Lines 1001 (whose location has everything), 1002 (which has none) and 2001 (of a suspended account); em-1 takes the location and
/// the carrier's 911, em-2 the number of the facility.
fn node(em_1: Manner, em_2: Manner) -> NodeBuilder {
    Node::builder()
        .ships_records()
        .set("records.batch_ms", "100")
        .set("replica.poll_ms", "100")
        .set("emergency.gateways", "em-1,em-2")
        .global("TANDEM_EMERGENCY_GATEWAYS", "em-1&em-2")
        .set("emergency.facility_gateways", "em-2")
        .line("1001", Manner::Answers)
        .line("1002", Manner::Answers)
        .line("1004", Manner::Answers)
        .line("2001", Manner::Answers)
        .gateway("gw-a", Manner::Answers)
        .gateway_with_location("em-1", em_1)
        .gateway("em-2", em_2)
        .sql(include_str!("data/provider.sql"))
        .sql(LOCATIONS)
}

const LOCATIONS: &str = r#"
INSERT INTO emergency_locations
    (line_id, device, country, state, county, city, postal_code, street, house_number, building, floor, room, latitude, longitude,
     source, placed_at, validation, callback_number)
VALUES
    ('1001', '', 'US', 'TX', 'Dallas', 'Dallas', '75201', 'N "Main" St, Suite <5> & ${EXTEN} Co', '100', 'B', '3', '9, left', 32.78, -96.8,
     'operator', '2026-01-05 12:00:00', 'valid', '12145550177'),
    ('1001', 'desk-2', 'US', 'TX', 'Dallas', 'Garland', '75040', 'Ölberg Rd', '7', '', '', '', 32.9, -96.6, 'device', NULL, 'none', NULL),
    ('1004', '', 'US', '', '', '', '', '', '', '', '', '', 32.8, -96.7, 'gps', '2026-11-01 12:00:00', 'none', NULL),
    ('2001', '', 'US', 'TX', '', 'Austin', '78701', 'Congress Ave', '1', '', '', '', NULL, NULL, '', NULL, 'none', '15125550188');
INSERT INTO facilities (id, name, state, county, city, status, latitude, longitude, number) VALUES
    (7001, 'Dallas, "Main" Dispatch', 'TX', 'Dallas', 'Dallas', 'active', 32.79, -96.79, '12145559110'),
    (7002, 'Old Dispatch', 'TX', 'Dallas', 'Dallas', 'orphaned', 32.78, -96.8, '12145559111');
INSERT INTO facility_defaults (state, facility_id, name, number) VALUES ('', NULL, 'National Relay', '18005559110');
"#;

/// Waits until the agent has read the facilities.
fn ready(node: &Node) {
    wait_until("the atlas", SOON, || node.agent.log().contains("facilities=1 "));
}

/// The elements of the location in an INVITE, in order.
fn location(invite: &Message) -> Vec<(String, String)> {
    let start = invite.body.find("<?xml").unwrap_or_else(|| panic!("no PIDF-LO: {invite:?}"));
    let end = invite.body.find("</presence>").unwrap() + "</presence>".len();
    let document = Document::parse(&invite.body[start..end]).unwrap();
    assert!(document.descendants().any(|node| node.tag_name().name() == "device"), "no wrapper: {invite:?}");
    let whole = document.descendants().find(|node| {
        node.has_tag_name("civicAddress")
            || node.tag_name().name() == "civicAddress"
            || node.tag_name().name() == "Point"
    });
    let elements = whole.expect("a location").children().filter(roxmltree::Node::is_element);
    elements.map(|node| (node.tag_name().name().to_owned(), node.text().unwrap_or_default().to_owned())).collect()
}

#[test]
fn the_facility_is_sent_number_callback_and_location_and_the_call_is_one_row() {
    let node = node(Manner::Answers, Manner::Answers).start();
    ready(&node);
    let explained = node.agent.plan().tandem_ok(&["explain", "1001", "911"]);
    for told in [
        "shows +12145550177",
        "the line is at 100 N \"Main\" St",
        "floor 3, room 9, left",
        "source operator, placed on 2026-01-05",
        "validation valid",
        "Dallas, \"Main\" Dispatch (registry id 7001, +12145559110) by nearest, 1.5 km away",
        "TANDEM_ROUTE_1_DIAL=PJSIP/911@em-1",
        "TANDEM_ROUTE_2_DIAL=PJSIP/12145559110@em-2",
    ] {
        assert!(explained.contains(told), "{told}\n{explained}");
    }

    // A phone that withholds its number is called back all the same.
    let call = node.peer("1001").call(node.asterisk.address(), "911").claims("16665550000", "DROP TABLE");
    assert_eq!(call.header("Privacy: id").run().status(), 200);
    let invite = node.peer("em-1").wait_invite(1, SOON);
    assert_eq!((invite.number(), invite.caller(), invite.asserted()), ("911", "12145550177", Some("12145550177")));
    assert_eq!(invite.header("Privacy"), None);
    assert!(invite.header("Content-Type").unwrap().starts_with("multipart/mixed"), "{invite:?}");
    assert!(invite.header("Geolocation").unwrap().starts_with("<cid:"), "{invite:?}");
    assert_eq!(invite.header("Geolocation-Routing"), Some("yes"));
    let expected = [
        ("country", "US"),
        ("A1", "TX"),
        ("A2", "Dallas"),
        ("A3", "Dallas"),
        ("RD", "N \"Main\" St, Suite <5> &   EXTEN  Co"),
        ("HNO", "100"),
        ("BLD", "B"),
        ("FLR", "3"),
        ("ROOM", "9, left"),
        ("PC", "75201"),
    ];
    assert_eq!(location(&invite), expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    assert!(node.peer("em-2").invites().is_empty());

    wait_until("the call's rows", SOON, || ask(&node, "SELECT * FROM call_attempts").len() == 1);
    let rows = ask(&node, "SELECT * FROM emergency_calls");
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    assert_eq!(
        row.all(["line_id", "device", "account_id", "number", "callback_number", "location_source"]),
        ["1001", "", "acme", "911", "12145550177", "operator"]
    );
    assert_eq!(
        row.get("location"),
        "100 N \"Main\" St, Suite <5> & ${EXTEN} Co, building B, floor 3, room 9, left, Dallas, TX 75201"
    );
    assert_eq!(
        row.all(["latitude", "longitude", "location_placed_at", "facility_id", "facility_name", "method", "source"]),
        ["32.78", "-96.8", "2026-01-05 12:00:00", "7001", "Dallas, \"Main\" Dispatch", "nearest", "replica"]
    );
    assert_eq!(row.number("distance_m"), 1_452);
    assert!(row.get("device_address").starts_with(&node.peer("1001").address().ip().to_string()), "{row:?}");
    let attempts =
        ask(&node, "SELECT a.name, a.sip_code FROM call_attempts a JOIN emergency_calls e ON e.uniqueid = a.uniqueid");
    assert_eq!(attempts.iter().map(|row| row.all(["name", "sip_code"])).collect::<Vec<_>>(), [["em-1", "200"]]);
    let record = ask(&node, "SELECT emergency, source, reason FROM call_records WHERE direction IS NOT NULL");
    assert_eq!(record[0].all(["emergency", "source", "reason"]), ["1", "replica", "emergency"]);
    assert_eq!(node.asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn the_second_gateway_is_sent_the_facilitys_number_when_the_first_is_dead() {
    for first in [Manner::Dead, Manner::Refuses(486), Manner::Refuses(603), Manner::Silent] {
        let node = node(first, Manner::Answers).start();
        ready(&node);
        assert_eq!(node.dial("1001", "9911").status(), 200, "{first:?}");
        let invite = node.peer("em-2").wait_invite(1, SOON);
        assert_eq!((invite.number(), invite.caller()), ("12145559110", "12145550177"), "{first:?}");
        assert_eq!(invite.header("Geolocation"), None, "this carrier takes no location");
        wait_until("both attempts", SOON, || ask(&node, "SELECT * FROM call_attempts").len() == 2);
        assert_eq!(ask(&node, "SELECT * FROM emergency_calls").len(), 1);
    }
}

#[test]
fn a_line_without_a_location_and_one_of_a_suspended_account_and_one_that_nobody_knows_get_through() {
    let node = node(Manner::Answers, Manner::Refuses(503)).start();
    ready(&node);
    assert_eq!(node.dial("1002", "911").status(), 200);
    let invite = node.peer("em-1").wait_invite(1, SOON);
    assert_eq!((invite.caller(), invite.header("Geolocation")), ("12145550100", None), "the account's number");
    assert_eq!(node.dial("2001", "911").status(), 200);
    let invite = node.peer("em-1").wait_invite(2, SOON);
    assert_eq!(invite.caller(), "15125550188");
    assert!(location(&invite).contains(&("RD".to_owned(), "Congress Ave".to_owned())));
    assert_eq!(node.dial("1004", "911").status(), 200);
    let invite = node.peer("em-1").wait_invite(3, SOON);
    assert_eq!(location(&invite), [("pos".to_owned(), "32.800000 -96.700000".to_owned())], "coordinates alone");
    wait_until("all calls", SOON, || ask(&node, "SELECT * FROM emergency_calls").len() == 3);
    let rows = ask(&node, "SELECT * FROM emergency_calls ORDER BY called_at");
    let told = ["line_id", "location", "method", "facility_name", "facility_id"];
    assert_eq!(rows[0].all(told), ["1002", "", "nation", "National Relay", ""]);
    assert_eq!(rows[1].all(told), ["2001", "1 Congress Ave, Austin, TX 78701", "nation", "National Relay", ""]);
    assert_eq!(node.asterisk.complaints(), Vec::<String>::new());
}

#[test]
fn a_full_gateway_gives_up_another_call_but_not_one_for_help() {
    let node = Node::builder()
        .ships_records()
        .set("emergency.gateways", "gw-a")
        .global("TANDEM_EMERGENCY_GATEWAYS", "gw-a")
        .line("1001", Manner::Answers)
        .line("1002", Manner::Answers)
        .line("1004", Manner::Answers)
        .gateway("gw-a", Manner::OnePlace)
        .sql(include_str!("data/provider.sql"))
        .start();
    let proxy = node.asterisk.address();
    let talk = Duration::from_secs(20);
    let mut ordinary = node.peer("1002").call(proxy, "15125550123").talks(talk).start();
    wait_until("the ordinary call", SOON, || ordinary.so_far().statuses().contains(&200));
    let mut help = node.peer("1001").call(proxy, "911").talks(talk).start();
    wait_until("the call for help", SOON, || help.so_far().statuses().contains(&200));
    wait_until("the ordinary call is over", SOON, || !ordinary.is_running());
    assert!(node.asterisk.log().contains("takes the place of PJSIP/gw-a-"), "{}", node.asterisk.log());

    // A second one finds the place taken by the first, which stays.
    let other = node.peer("1004").call(proxy, "911").run();
    assert_eq!(other.status(), 503);
    assert!(help.is_running());
    drop(help);
}

#[test]
fn the_call_arrives_with_the_agent_killed_or_stopped_and_the_records_folder_read_only() {
    let mut node = node(Manner::Answers, Manner::Answers).start();
    ready(&node);
    let folder = node.asterisk.record_file().parent().unwrap().to_owned();
    let mut calls = 0;
    for harm in ["read-only", "stopped", "killed"] {
        match harm {
            "read-only" => fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap(),
            "stopped" => node.agent.process().pause(),
            _ => node.agent.process().kill(),
        }
        let outcome = node.dial("1001", "911");
        calls += 1;
        assert_eq!(outcome.status(), 200, "{harm}");
        let invite = node.peer("em-1").wait_invite(calls, SOON);
        assert!(invite.at.saturating_sub(outcome.started()) < Duration::from_secs(2), "{harm}");
        match harm {
            "read-only" => fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap(),
            "stopped" => node.agent.process().resume(),
            _ => node.agent.restart(),
        }
    }
    // What the dialplan did alone is recorded, too.
    wait_until("the calls that could be written", SOON, || ask(&node, "SELECT * FROM emergency_calls").len() == 2);
    let rows = ask(&node, "SELECT method, line_id, callback_number FROM emergency_calls");
    assert!(rows.iter().all(|row| row.all(["method", "line_id"]) == ["fallback", "1001"]), "{rows:?}");
}

#[test]
fn the_fallback_knows_callback_number_and_facility_and_follows_the_data() {
    let (phone, em_1, em_2) =
        (Sipp::start(Manner::Answers), Sipp::start(Manner::Refuses(503)), Sipp::start(Manner::Answers));
    let plan = Agent::builder()
        .set("replica.poll_ms", "100")
        .set("emergency.gateways", "em-1,em-2")
        .set("emergency.facility_gateways", "em-2")
        .set("emergency.fallback_caller", "12145550100");
    plan.tandem_ok(&["migrate"]);
    plan.sql(include_str!("data/provider.sql"));
    plan.sql(LOCATIONS);
    let asterisk = Asterisk::builder()
        .agent(plan.agi())
        .line("1001", phone.address())
        .gateway_with("em-1", em_1.address(), "qualify_frequency = 0")
        .gateway_with("em-2", em_2.address(), "qualify_frequency = 0")
        .start();
    let file = asterisk.folder().join("etc/tandem-fallback.conf");
    let mut agent = plan.ships(&asterisk).set("emergency.fallback_file", &file.to_string_lossy()).start();
    let knows = |number: &str| asterisk.command("dialplan show globals").contains(&format!("FACILITY_em-2={number}"));
    wait_until("Asterisk has read it", SOON, || knows("18005559110"));
    agent.plan().sql("UPDATE facility_defaults SET number = '18005559222' WHERE state = ''");
    wait_until("Asterisk has read the change", SOON, || knows("18005559222"));
    let again = agent.plan().tandem_ok(&["fallback"]);
    assert!(again.contains("is as it should be"), "{again}");
    let elsewhere = asterisk.folder().join("etc/other.conf");
    agent.plan().tandem_ok(&["fallback", &elsewhere.to_string_lossy(), "--no-reload"]);
    assert_eq!(fs::read(elsewhere).unwrap(), fs::read(&file).unwrap());

    assert_eq!(asterisk.complaints(), Vec::<String>::new());
    agent.process().kill();
    assert_eq!(phone.call(asterisk.address(), "9911").run().status(), 200);
    assert_eq!(em_1.wait_invite(1, SOON).number(), "911");
    let invite = em_2.wait_invite(1, SOON);
    assert_eq!((invite.number(), invite.caller()), ("18005559222", "12145550100"));
}

#[test]
fn check_tells_what_lacks_before_anybody_calls() {
    let plan = Agent::builder().set("emergency.gateways", "em-1");
    plan.tandem_ok(&["migrate"]);
    plan.sql(include_str!("data/provider.sql"));
    plan.sql(LOCATIONS);
    plan.sql("INSERT INTO emergency_contacts (account_id, kind, address) VALUES ('acme', 'mail', 'desk@example.com')");
    let output = plan.tandem(&["check"]);
    let text = String::from_utf8_lossy(&output.stdout);
    for told in [
        "LOOK   emergency: 1 lines or devices have no callback number: 3001",
        "LOOK   emergency: 3 lines or devices have no location: 1002, 1003, 3001",
        "LOOK   emergency: 1 lines or devices have no coordinates: 2001",
        "LOOK   emergency: 1 lines or devices have no street: 1004",
        "LOOK   emergency: 3 lines or devices have no validation: 1001/desk-2, 1004, 2001",
        "ok     emergency: 1 facilities are known",
        "WRONG  notices.smtp: is empty",
    ] {
        assert!(text.contains(told), "{told}\n{text}");
    }
}

#[test]
fn the_test_number_reads_callback_number_and_location_back() {
    let node = node(Manner::Answers, Manner::Answers).start();
    ready(&node);
    let call = node.peer("1001").call(node.asterisk.address(), "933").talks(Duration::from_secs(60)).start();
    wait_until("it is answered", SOON, || call.so_far().status() == 200);
    wait_until("all of it is read", Duration::from_secs(60), || node.agent.log().contains("location-read"));
    drop(call);
    assert!(node.peer("em-1").invites().is_empty());

    let folder = node.agent.plan().folder().path().to_owned();
    let database = format!("sqlite:{}", folder.join("tandem.db").display());
    let heard = |speech: &str| {
        let plan = Agent::builder().set("database.urls", &database).set("media.speech", speech);
        plan.set("media.recordings", &folder.display().to_string())
            .tandem_ok(&["simulate", "location", "line", "1001", "desk-2"])
    };
    // Spelled word by word, without its accents; or spoken.
    let (spelled, spoken) = (heard("false"), heard("true"));
    for told in
        ["says the digits 12145550177", "plays location", "says the digits 7", "spells olberg", "says the digits 75040"]
    {
        assert!(spelled.contains(told), "{told}\n{spelled}");
    }
    assert!(spoken.contains("speech-") && !spoken.contains("spells"), "{spoken}");
}
