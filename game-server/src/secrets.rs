//! Secrets: where they come from, and what is kept of them.

use sha2::{Digest, Sha256};
use tickwire_protocol::Secret;

pub use tickwire_match::SecretHash;

/// What is kept of `secret`.
pub fn hash(secret: Secret) -> SecretHash {
    Sha256::digest(secret.0).into()
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
