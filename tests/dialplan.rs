//! The dialplan on a real Asterisk with SIPp phones and carriers, told what to do by a canned agent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use lab::{Asterisk, Manner, Sipp};

#[test]
fn loads_without_a_complaint() {
    let phone = Sipp::start(Manner::Answers);
    let asterisk = Asterisk::builder()
        .line("1001", phone.address())
        .gateway("gw1", phone.address())
        .edge("edge", phone.address())
        .start();
    assert_eq!(asterisk.complaints(), Vec::<String>::new());
    println!("{}", asterisk.folder().read("console"));
    println!("{}", asterisk.log());
    println!("{}", asterisk.command("pjsip show endpoints"));
    std::thread::sleep(std::time::Duration::from_secs(3));
    println!("{}", asterisk.command("pjsip show contacts"));
    println!("{}", asterisk.command("dialplan show tandem-entry"));
    println!("{}", asterisk.command("dialplan show tandem-goes-on"));
}
