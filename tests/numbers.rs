//! From what was dialled to a number and its class.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use proptest::prelude::*;
use tandem::flows::route::number::{Habits, is_diallable, read, read_from_gateway, write};
use tandem::store::destination::NumberFormat;

const DALLAS: Habits<'_> = Habits { country: "US", area_code: "214", outside_prefix: "9" };
const LONDON: Habits<'_> = Habits { country: "GB", area_code: "20", outside_prefix: "" };

#[track_caller]
fn reads(dialled: &str, habits: Habits<'_>, e164: &str, class: &str) {
    let number = read(dialled, habits).unwrap_or_else(|| panic!("{dialled} is read as a number"));
    assert_eq!((number.e164.as_str(), number.class), (e164, class), "{dialled}");
}

#[test]
fn a_line_in_the_united_states_dials_as_people_do_there() {
    reads("5550123", DALLAS, "12145550123", "local");
    reads("2145550123", DALLAS, "12145550123", "local");
    reads("5125550123", DALLAS, "15125550123", "national");
    reads("15125550123", DALLAS, "15125550123", "national");
    reads("+15125550123", DALLAS, "15125550123", "national");
    reads("512-555-0123", DALLAS, "15125550123", "national");
    reads("(512)555.0123", DALLAS, "15125550123", "national");
    reads("18005550123", DALLAS, "18005550123", "national");
    reads("19005550123", DALLAS, "19005550123", "premium");
    reads("01144207946000", DALLAS, "44207946000", "international");
    reads("011442079460000", DALLAS, "442079460000", "international");
    reads("+442079460000", DALLAS, "442079460000", "international");
}

#[test]
fn the_outside_prefix_may_stand_before_each_of_them_or_not() {
    reads("95125550123", DALLAS, "15125550123", "national");
    reads("915125550123", DALLAS, "15125550123", "national");
    reads("95550123", DALLAS, "12145550123", "local");
    reads("9011442079460000", DALLAS, "442079460000", "international");
    // A number that begins with 9 by itself: 903 is in Texas.
    reads("9035550123", DALLAS, "19035550123", "national");
}

#[test]
fn countries_that_share_the_code_of_the_united_states_are_international() {
    reads("18765550123", DALLAS, "18765550123", "international"); // Jamaica
    reads("14165550123", DALLAS, "14165550123", "international"); // Toronto
    reads("+16847330123", DALLAS, "16847330123", "international"); // American Samoa
}

#[test]
fn a_foreign_number_keeps_digits_that_look_like_the_lines_national_prefix() {
    reads("01186 13812345678".replace(' ', "").as_str(), DALLAS, "8613812345678", "international");
    reads("+8613812345678", DALLAS, "8613812345678", "international");
    reads("+74951234567", DALLAS, "74951234567", "international");
}

#[test]
fn a_line_in_london_dials_as_people_do_there() {
    reads("02079460000", LONDON, "442079460000", "local");
    reads("79460000", LONDON, "442079460000", "local");
    reads("01132496000", LONDON, "441132496000", "national");
    reads("07400123456", LONDON, "447400123456", "mobile");
    reads("0012145550123", LONDON, "12145550123", "international");
    reads("09061234567", LONDON, "449061234567", "premium");
}

#[test]
fn what_is_no_number_is_not_read_as_one() {
    for dialled in
        ["", "1", "12", "1001", "55501", "alice", "*97", "#31#", "+", "++1512", "123456789012345678901", "+9991234567"]
    {
        assert_eq!(read(dialled, DALLAS), None, "{dialled}");
    }
}

#[test]
fn a_number_too_new_for_the_plan_is_taken_by_its_length() {
    reads("9995550123", DALLAS, "19995550123", "national");
    reads("+19995550123", DALLAS, "19995550123", "national");
    reads("+441999999999", DALLAS, "441999999999", "international");
}

#[test]
fn gateways_send_numbers_with_or_without_a_plus_or_as_at_home() {
    for sent in ["+15125550123", "15125550123", "5125550123"] {
        assert_eq!(read_from_gateway(sent, "US").unwrap().e164, "15125550123", "{sent}");
    }
    for sent in ["+442079460000", "442079460000", "02079460000"] {
        assert_eq!(read_from_gateway(sent, "GB").unwrap().e164, "442079460000", "{sent}");
    }
    assert_eq!(read_from_gateway("442079460000", "US").unwrap().e164, "442079460000");
}

#[test]
fn gateways_get_numbers_as_they_want_them() {
    assert_eq!(write("15125550123", NumberFormat::E164, "US"), "15125550123");
    assert_eq!(write("15125550123", NumberFormat::PlusE164, "US"), "+15125550123");
    assert_eq!(write("15125550123", NumberFormat::National, "US"), "5125550123");
    assert_eq!(write("442079460000", NumberFormat::National, "US"), "011442079460000");
    assert_eq!(write("442079460000", NumberFormat::National, "GB"), "02079460000");
    assert_eq!(write("15125550123", NumberFormat::National, "GB"), "0015125550123");
}

#[test]
fn what_a_caller_may_dial_holds_nothing_but_keys_letters_and_separators() {
    assert!(is_diallable("+1(512)555-0123"));
    assert!(is_diallable("*97"));
    for hostile in ["", "\"", "1,2", "${SHELL(id)}", "1 2", "1;2", "1&2", "1\n", "é", &"1".repeat(65)] {
        assert!(!is_diallable(hostile), "{hostile:?}");
    }
}

proptest! {
    #[test]
    fn nothing_dialled_panics_and_numbers_are_digits(dialled in "[0-9+*#a-zA-Z._()-]{0,64}", area in "[0-9]{0,4}", prefix in "[0-9]{0,2}") {
        for country in ["US", "GB", "DE", "IT", "RU", "BR", "XX"] {
            if let Some(number) = read(&dialled, Habits { country, area_code: &area, outside_prefix: &prefix }) {
                prop_assert!((7..=15).contains(&number.e164.len()));
                prop_assert!(number.e164.bytes().all(|b| b.is_ascii_digit()));
            }
        }
    }

    #[test]
    fn a_number_read_and_written_is_read_as_the_same(area in 201u32..=989, rest in 2_000_000u32..=9_999_999) {
        let dialled = format!("1{area}{rest}");
        if let Some(number) = read(&dialled, DALLAS) {
            let again = read(&write(&number.e164, NumberFormat::PlusE164, "US"), DALLAS).unwrap();
            prop_assert_eq!(number, again);
        }
    }
}
