//! Passwords of mailboxes: kept as argon2id, with OWASP's parameters, and not all are taken.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};

/// The hash of a password, as a PHC string.
#[must_use]
pub fn hash(password: &str) -> Option<String> {
    Argon2::default().hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
}

/// Whether a password is the one of this hash.
#[must_use]
pub fn verify(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Why a password is not taken.
#[must_use]
pub fn fault(password: &str, number: &str, least: usize) -> Option<&'static str> {
    let digits: Vec<u8> = password.bytes().filter(u8::is_ascii_digit).collect();
    let steps = |by: i16| digits.windows(2).all(|pair| matches!(pair, [a, b] if i16::from(*b) - i16::from(*a) == by));
    let halves = digits.split_at_checked(digits.len() / 2);
    if digits.len() != password.len() {
        Some("holds something else than digits")
    } else if digits.len() < least {
        Some("is too short")
    } else if password == number || number.chars().rev().collect::<String>() == password {
        Some("is the mailbox's number")
    } else if steps(0) || steps(1) || steps(-1) {
        Some("is a row of digits")
    } else if halves.is_some_and(|(first, second)| first == second) {
        Some("is the same twice")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trivial_passwords_are_refused() {
        for password in ["", "123", "1111", "1234", "4321", "1002", "2001", "1212", "98765", "12a4", "7*77", "555555"] {
            assert!(fault(password, "1002", 4).is_some(), "{password}");
        }
        for password in ["2580", "7351", "1357", "00012"] {
            assert_eq!(fault(password, "1002", 4), None, "{password}");
        }
        assert!(fault("2580", "1002", 6).is_some());
    }
}
