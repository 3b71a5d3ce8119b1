//! Secrets: where they come from, what is kept of them, and how they are passed on without ever
//! being printed.

use std::fmt;

use sha2::{Digest, Sha256};
use tickwire_protocol::Secret;

pub use tickwire_match::SecretHash;

/// What a request brings as `Authorization: Bearer`. It prints as stars.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bearer<'a>(&'a str);

impl<'a> Bearer<'a> {
    /// A credential somebody presents.
    pub(crate) const fn new(credential: &'a str) -> Self {
        Self(credential)
    }

    /// The credential itself, to be compared and nothing else.
    pub(crate) const fn reveal(self) -> &'a str {
        self.0
    }
}

impl fmt::Debug for Bearer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer(****)")
    }
}

/// What is kept of `secret`.
///
/// ```
/// use tickwire_protocol::Secret;
/// use tickwire_server::secrets::hash;
///
/// let secret = Secret([7; 16]);
/// assert_eq!(hash(secret), hash(Secret([7; 16])));
/// assert!(!format!("{secret:?}").contains('7'));
/// ```
pub fn hash(secret: Secret) -> SecretHash {
    Sha256::digest(secret.0).into()
}

/// 64 lower-case hex digits.
pub(crate) fn to_hex(hash: SecretHash) -> String {
    hash.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// What [`to_hex`] wrote. `None` if it is something else.
pub(crate) fn from_hex(hex: &str) -> Option<SecretHash> {
    let byte = |nth: usize| hex.get(2 * nth..2 * nth + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let mut hash = [0; 32];
    for (nth, place) in hash.iter_mut().enumerate() {
        *place = byte(nth)?;
    }
    (hex.len() == 64).then_some(hash)
}

/// Random bytes from the operating system.
///
/// # Panics
/// If the operating system has none to give: nothing safe can be done without them.
#[allow(clippy::expect_used)] // a server that cannot make secrets must not go on
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_written_and_read_alike() {
        let hash = std::array::from_fn(|nth| nth as u8 * 7);
        assert_eq!(from_hex(&to_hex(hash)), Some(hash));
        for bad in ["", "00", "zz", &"0".repeat(63), &"0".repeat(65), &"é".repeat(32)] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_credential_does_not_print_itself() {
        assert_eq!(format!("{:?}", Bearer::new("abc")), "Bearer(****)");
    }
}
