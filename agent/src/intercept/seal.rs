//! The key of a warrant's recipient.

use std::io;
use std::str::FromStr as _;

use age::x25519::Recipient;

/// Seals bytes, so that only the holder of the private key reads them.
///
/// # Errors
/// The recipient is no key of age.
pub fn seal(recipient: &str, plain: &[u8]) -> io::Result<Vec<u8>> {
    let recipient = Recipient::from_str(recipient).map_err(io::Error::other)?;
    age::encrypt(&recipient, plain).map_err(io::Error::other)
}
