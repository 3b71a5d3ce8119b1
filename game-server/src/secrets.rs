//! Secrets: where they come from, what is kept of them, and how they are passed on without ever
//! being printed.

use std::fmt;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
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

/// Lower-case hex digits, two for each byte.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// `N` bytes in hex digits of either case. `None` if it is something else.
pub(crate) fn from_hex<const N: usize>(hex: &str) -> Option<[u8; N]> {
    HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?.try_into().ok()
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
        let hash: SecretHash = std::array::from_fn(|nth| nth as u8 * 7);
        assert_eq!(from_hex(&to_hex(&hash)), Some(hash));
        assert_eq!(from_hex(&to_hex(&hash).to_uppercase()), Some(hash));
        for bad in ["", "00", &"+0".repeat(32), "zz", &"0".repeat(63), &"0".repeat(65), &"é".repeat(32)] {
            assert_eq!(from_hex::<32>(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_credential_does_not_print_itself() {
        assert_eq!(format!("{:?}", Bearer::new("abc")), "Bearer(****)");
    }
}
