//! The encoder against a model of how Asterisk reads a command: `parse_args` of `res/res_agi.c`, then
//! `__ast_app_separate_args` of `main/app.c` as `MSet` calls it, then variable substitution as under `AGIEXECFULL`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use proptest::prelude::*;
use tandem::wire::agi::WireError;
use tandem::wire::agi::command::{check_name, encode, encode_mset};

/// The words that Asterisk takes from one line.
fn words(line: &[u8]) -> Vec<Vec<u8>> {
    let (mut words, mut word) = (Vec::new(), None::<Vec<u8>>);
    let (mut quoted, mut escaped) = (false, false);
    for &byte in line {
        match byte {
            b'"' if !escaped => {
                quoted = !quoted;
                if quoted && word.is_none() {
                    word = Some(Vec::new());
                }
            }
            b'\\' if !escaped => {
                escaped = true;
                continue;
            }
            b' ' | b'\t' if !quoted && !escaped => words.extend(word.take()),
            byte => word.get_or_insert_default().push(byte),
        }
        escaped = false;
    }
    words.extend(word);
    words
}

/// What `MSet` sets: the last name-and-value of each comma-separated part.
fn mset(text: &[u8]) -> Vec<(String, String)> {
    let (parts, argument_limit) = (split(text, b',', 99), 2);
    parts.iter().map(|part| split(part, b'=', argument_limit)).filter(|pair| pair.len() == 2).map(pair).collect()
}

fn pair(pair: Vec<Vec<u8>>) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&pair[0]), text(&pair[1]))
}

/// Splits into at most `most` parts; the last is all the rest, as it stands.
fn split(text: &[u8], delimiter: u8, most: usize) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    let (mut parens, mut brackets, mut quoted) = (0, 0, false);
    let mut rest = text;
    let mut trailing = false;
    while !rest.is_empty() && parts.len() < most - 1 {
        let mut part = Vec::new();
        let mut at = 0;
        trailing = false;
        while at < rest.len() {
            let byte = rest[at];
            at += 1;
            match byte {
                b'(' => parens += 1,
                b')' => parens = i32::max(parens - 1, 0),
                b'[' => brackets += 1,
                b']' => brackets = i32::max(brackets - 1, 0),
                b'"' => {
                    quoted = !quoted;
                    continue;
                }
                b'\\' => {
                    part.extend(rest.get(at));
                    at += 1;
                    continue;
                }
                _ if byte == delimiter && parens == 0 && brackets == 0 && !quoted => {
                    trailing = true;
                    break;
                }
                _ => {}
            }
            part.push(byte);
        }
        rest = rest.get(at..).unwrap_or_default();
        parts.push(part);
    }
    if !rest.is_empty() || trailing {
        parts.push(rest.to_vec());
    }
    parts
}

fn encoded_pairs(pairs: &[(&str, &str)], limit: usize) -> Vec<(String, String)> {
    let mut out = Vec::new();
    encode_mset(&mut out, pairs, limit).unwrap();
    let mut set = Vec::new();
    for line in out.split_inclusive(|byte| *byte == b'\n') {
        assert!(line.len() <= limit, "{} bytes for a limit of {limit}", line.len());
        let words = words(line.strip_suffix(b"\n").unwrap());
        assert_eq!(words[..2], [b"EXEC".to_vec(), b"MSet".to_vec()]);
        assert_eq!(words.len(), 3);
        for evaluated in [b"${", b"$["] {
            assert!(!words[2].windows(2).any(|pair| pair == evaluated), "AGIEXECFULL would evaluate {words:?}");
        }
        set.extend(mset(&words[2]));
    }
    set
}

/// Text in which everything that has a meaning somewhere is frequent.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => r#"[\\",(){}\[\]$'=&|;: \t<>%^~*#+-]"#.prop_map(String::from),
        1 => Just("${SHELL(id)}".to_owned()),
        1 => Just("$[1+1]".to_owned()),
        2 => "[a-z0-9]{1,6}",
        1 => any::<char>().prop_filter("refused anyway", |c| !"\r\n\0".contains(*c)).prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Z_][A-Z0-9_]{0,20}",
        "[A-Z]{1,8}\\([a-z]{1,8}\\)",
        Just("PJSIP_HEADER(add,X-Tandem-Line)".to_owned())
    ]
}

proptest! {
    #[test]
    fn words_arrive_as_they_were_given(given in prop::collection::vec(hostile(), 0..20)) {
        let mut out = Vec::new();
        let borrowed: Vec<&str> = given.iter().map(String::as_str).collect();
        encode(&mut out, "GET DATA", &borrowed, 100_000).unwrap();
        let line = out.strip_suffix(b"\n").unwrap();
        prop_assert!(!line.contains(&b'\n'));
        let mut expected = vec!["GET".to_owned(), "DATA".to_owned()];
        expected.extend(given);
        let read: Vec<String> = words(line).into_iter().map(|word| String::from_utf8(word).unwrap()).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn pairs_arrive_as_they_were_given_and_in_order(
        given in prop::collection::vec((name(), hostile()), 1..150),
        limit in prop_oneof![Just(2047_usize), Just(8191), 700_usize..3000],
    ) {
        let borrowed: Vec<(&str, &str)> = given.iter().map(|(name, value)| (&**name, &**value)).collect();
        prop_assert_eq!(encoded_pairs(&borrowed, limit), given);
    }

    #[test]
    fn what_would_end_the_command_is_refused(before in hostile(), after in hostile(), end in "[\r\n\u{0}]") {
        let value = format!("{before}{end}{after}");
        let mut out = b"kept".to_vec();
        prop_assert!(matches!(encode(&mut out, "NOOP", &["a", &value], 8191), Err(WireError::Refused(_))));
        prop_assert!(matches!(encode_mset(&mut out, &[("A", "1"), ("B", &value)], 8191), Err(WireError::Refused(_))));
        prop_assert_eq!(out, b"kept");
    }

    #[test]
    fn no_name_can_be_read_as_anything_else(name in hostile()) {
        if check_name(&name).is_ok() {
            let read = encoded_pairs(&[("A", "1"), (&name, "x"), ("Z", "2")], 8191);
            prop_assert_eq!(&read[1], &(name, "x".to_owned()));
        }
    }
}

#[test]
fn the_model_reads_as_asterisk_was_seen_to() {
    assert_eq!(words(br#"EXEC  MSet "a=1,b=\"" "" x\ y"#).len(), 5);
    let split_at_commas = [("a", "{z"), ("b", "(a,b)"), ("c", "[q,r]"), ("d", "'1")];
    let read = mset(b"a={z,w},b=(a,b),c=[q,r],d='1,2'");
    assert_eq!(read, split_at_commas.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(mset(br#"a=x\,y,b="q,r""#), [("a".into(), "x,y".into()), ("b".into(), "q,r".into())]);
    assert_eq!(mset(b"a=(,b=1"), [("a".into(), "(,b=1".into())]);
}

#[test]
fn a_pair_too_large_for_the_line_is_refused_and_the_others_are_not_sent() {
    let value = "x".repeat(2047);
    let mut out = Vec::new();
    let error = encode_mset(&mut out, &[("SMALL", "1"), ("LARGE", &value)], 2047).unwrap_err();
    assert!(error.to_string().contains("LARGE"), "{error}");
    assert!(out.is_empty());
    encode_mset(&mut out, &[("SMALL", "1"), ("LARGE", &value)], 8191).unwrap();
}

#[test]
fn a_line_is_filled_to_its_last_byte() {
    for limit in [2047, 8191] {
        let value = "x".repeat(limit - "EXEC MSet \"A=\"\n".len());
        let mut out = Vec::new();
        encode_mset(&mut out, &[("A", &value)], limit).unwrap();
        assert_eq!(out.len(), limit);
        assert!(encode_mset(&mut out, &[("AB", &value)], limit).is_err());
        out.clear();
        let word = "x".repeat(limit - "NOOP \"\"\n".len());
        encode(&mut out, "NOOP", &[&word], limit).unwrap();
        assert_eq!(out.len(), limit);
        assert!(encode(&mut out, "NOOPE", &[&word], limit).is_err());
    }
}

#[test]
fn too_many_words_are_refused() {
    let mut out = Vec::new();
    encode(&mut out, "NOOP", &["x"; 120], 8191).unwrap();
    assert!(encode(&mut out, "NOOP", &["x"; 121], 8191).is_err());
}

#[test]
fn names_of_variables_and_functions_only() {
    for name in ["A", "TANDEM_ROUTE_1_DIAL", "__INHERITED", "CDR(carrier)", "PJSIP_HEADER(read,X-Tandem-Line,1)"] {
        check_name(name).unwrap();
    }
    for name in ["", "(", "A=B", "A,B", "A B", "${A}", "A}", "A\"", "A\\", "F(a)b", "F(${x})", "F(a", "F(a))", "F((a)"]
    {
        assert!(check_name(name).is_err(), "{name}");
    }
}
