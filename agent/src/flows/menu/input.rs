//! What is keyed in: an option, by the longest match, or an extension of the account.

use std::collections::BTreeMap;

use super::Walk;
use crate::call::{Call, Step};
use crate::store::menu::{Loaded, Menu};
use crate::store::target::{Service, Target};

/// What was keyed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Keyed {
    /// No key in time.
    Nothing,
    /// Keys that lead nowhere.
    Wrong,
    /// The digits of an option.
    Option(String),
    /// An extension that there is.
    Extension(String),
}

/// The keys with which something begins: they interrupt the greeting, and no other does.
pub(super) fn first_keys(menu: &Menu) -> String {
    let begins = |key: &char| menu.keys().any(|digits| digits.starts_with(*key));
    "0123456789*#".chars().filter(|key| begins(key) || menu.direct_dial && key.is_ascii_digit()).collect()
}

/// Waits for keys; `first` was pressed already. `#` ends what may go on.
pub(super) async fn read(
    call: &mut impl Call,
    loaded: &Loaded,
    first: Option<char>,
    walk: &mut Walk<'_>,
) -> Step<Keyed> {
    let menu = &loaded.menu;
    let mut keys = String::new();
    match first {
        Some(key) => keys.push(key),
        None => {
            let digits = call.collect(&[], 1, menu.timeout).await?;
            match digits.keys.chars().next() {
                Some(key) => keys.push(key),
                None if digits.timed_out => return Ok(Keyed::Nothing),
                None => keys.push('#'),
            }
        }
    }
    while let Some(more) = further(menu, &loaded.extensions, &keys) {
        let digits = call.collect(&[], more, menu.between).await?;
        keys.push_str(&digits.keys);
        if digits.keys.len() < more {
            break;
        }
    }
    walk.keyed.clone_from(&keys);
    if menu.keys().any(|digits| digits == keys) {
        return Ok(Keyed::Option(keys));
    }
    let is_number = keys.bytes().all(|key| key.is_ascii_digit());
    if !menu.direct_dial || !is_number {
        return Ok(Keyed::Wrong);
    }
    let extension = Box::pin(walk.ports.store.extension(&loaded.account_id, &keys, &mut walk.asking())).await;
    let extension = extension.inspect_err(|error| {
        tracing::warn!(account_id = loaded.account_id, %error, "an extension that was keyed in cannot be looked up");
    });
    let target = extension.ok().flatten().and_then(|extension| extension.target);
    Ok(if target.is_some_and(|target| may_be_keyed_in(&target)) { Keyed::Extension(keys) } else { Keyed::Wrong })
}

/// Not a conference: whoever tries numbers would be among people who talk to each other. An option may lead there.
fn may_be_keyed_in(target: &Target) -> bool {
    !matches!(target, Target::Service(Service::Conference, _))
}

/// How many further keys are waited for at once, if any may follow. `extensions` are the lengths of the longest that begin with a digit. Keys with which
/// nothing begins may be a wrong extension, whose last keys are none of their own.
fn further(menu: &Menu, extensions: &BTreeMap<char, usize>, keys: &str) -> Option<usize> {
    let begins = || menu.keys().filter(|digits| digits.starts_with(keys));
    let options = begins().map(|digits| digits.len() - keys.len()).filter(|more| *more > 0);
    if !menu.direct_dial || !keys.bytes().all(|key| key.is_ascii_digit()) {
        return options.min();
    }
    let longest = keys.chars().next().and_then(|first| extensions.get(&first));
    let longest = longest.or_else(|| extensions.values().max().filter(|_| begins().next().is_none()));
    match longest {
        Some(longest) => options.chain(longest.checked_sub(keys.len())).max().filter(|more| *more > 0),
        None => options.min(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::menu::Action;

    fn menu(options: &[&str], direct_dial: bool) -> Menu {
        Menu {
            id: "m".into(),
            name: String::new(),
            entry: false,
            language: String::new(),
            direct_dial,
            timeout: Duration::ZERO,
            between: Duration::ZERO,
            max_timeouts: 1,
            max_invalid: 1,
            operator: String::new(),
            line_id: None,
            conditions: Vec::new(),
            options: options.iter().map(|digits| ((*digits).to_owned(), Action::HangUp)).collect(),
            said: BTreeMap::new(),
        }
    }

    #[test]
    fn only_keys_with_which_something_begins_interrupt() {
        assert_eq!(first_keys(&menu(&["1", "25", "*", "#", "t", "i"], false)), "12*#");
        assert_eq!(first_keys(&menu(&["*", "t"], true)), "0123456789*");
        assert_eq!(first_keys(&menu(&["t"], false)), "");
    }

    #[test]
    fn keys_are_waited_for_as_long_as_some_may_follow() {
        let plain = menu(&["1", "12", "1234", "25", "t", "i"], false);
        for (keys, more) in [
            ("1", Some(1)),
            ("12", Some(2)),
            ("123", Some(1)),
            ("1234", None),
            ("2", Some(1)),
            ("3", None),
            ("t", None),
        ] {
            assert_eq!(further(&plain, &BTreeMap::from([('3', 9)]), keys), more, "{keys}");
        }
        let direct = menu(&["1", "2", "7", "70007"], true);
        let extensions = BTreeMap::from([('1', 3), ('7', 3)]);
        for (keys, more) in [
            ("1", Some(2)),
            ("101", None),
            ("7", Some(4)),
            ("2", None),
            ("3", Some(2)),
            ("35", Some(1)),
            ("*", None),
            ("1010", None),
        ] {
            assert_eq!(further(&direct, &extensions, keys), more, "{keys}");
        }
    }
}
