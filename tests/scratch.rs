#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]
use std::time::Duration;
use lab::Manner::Answers;
use lab::{Asterisk, Canned, Sipp};
#[test]
fn tries() {
    for info in [
        "country=US,A1=TX,A3=\"a &amp; b &lt;c&gt; ; d\",PC=75201",
        "country=US,A1=TX,A3=\"a < b > c ; d\",PC=75201",
        "country=US,A1=TX,A3='a, b',PC=75201",
        "country=US,A1=TX,A3=\"a, b,PC=75201",
        "country=US,bogus=TX,A3=\"a\"",
        "country",
        "",
    ] {
        let (phone, gw1) = (Sipp::start(Answers), Sipp::start(Answers));
        let agent = Canned::answers(&[
            ("TANDEM_ACTION", "emergency"), ("TANDEM_NUMBER", "911"), ("TANDEM_ROUTES", "1"), ("TANDEM_ROUTE_1_NAME", "gw1"),
            ("TANDEM_ROUTE_1_DIAL", "PJSIP/911@gw1"), ("TANDEM_ROUTE_1_SECONDS", "20"), ("TANDEM_CALLBACK", "15125550100"), ("TANDEM_LOCATION", info), ("X", "1"),
        ]);
        let asterisk = Asterisk::builder().agent(agent.address()).line("1001", phone.address()).gateway_with_location("gw1", gw1.address()).start();
        let status = phone.call(asterisk.address(), "911").run().status();
        let invite = gw1.wait_invite(1, Duration::from_secs(5));
        println!("=== {info}\n{status} {:?}\n{}\n{:?}\n{}", invite.header("Geolocation"), invite.body.lines().filter(|l| l.contains("ca:") || l.contains("<")).collect::<Vec<_>>().join("\n"), { let c: Vec<String> = asterisk.complaints(); c }, std::fs::read_to_string(asterisk.notice_file()).unwrap_or_default());
    }
}
