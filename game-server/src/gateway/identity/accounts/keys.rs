//! The keys that tokens are signed with, from the text of a file: a JWKS (RFC 7517), public keys as
//! PEM, or a secret for HS256.
//!
//! Invariants: every key fits the one algorithm that is configured; a public key is never taken for
//! a secret; no key can be printed.

use std::collections::HashSet;
use std::fmt;

use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use serde::Deserialize;
use serde_json::Value;

use crate::config::JwtAlgorithm;

/// Largest file, bytes.
pub(crate) const FILE_BYTES_MAX: usize = 256 * 1024;
/// Most keys of a JWKS: a token names one of them.
const KEYS_MAX: usize = 64;
/// Most keys that have no name: each is tried.
const NAMELESS_MAX: usize = 4;
/// Shortest secret, bytes: as long as what HS256 makes of it.
pub(crate) const SECRET_BYTES_MIN: usize = 32;
/// Bits of an RSA key, as bytes of its modulus.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=512;
/// Bytes of an RSA key in DER: its modulus and a few more.
const RSA_DER_BYTES: std::ops::RangeInclusive<usize> = 266..=532;
/// Ends a key in PEM.
const END: &str = "-----END";
const ED25519_BYTES: usize = 32;
const P256_BYTES: usize = 65;

/// Keys that are good.
pub struct Keys(Vec<Key>);

/// One key, and its name if it has one.
pub(super) struct Key {
    id: Option<String>,
    key: DecodingKey,
}

/// Why a file gave no keys. Says nothing of what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// It is too large to hold keys.
    #[error("it is larger than {FILE_BYTES_MAX} bytes")]
    TooLarge,
    /// It is neither of the forms.
    #[error("it is neither a JWKS nor public keys as PEM")]
    NotKeys,
    /// It has a private key.
    #[error("it holds a private key: give the public one, and keep the private one where tokens are signed")]
    Private,
    /// No key in it is for the algorithm.
    #[error("no key in it is one for {0} (RSA keys have 2048 to 4096 bits)")]
    NoneFits(&'static str),
    /// More keys than can be told apart.
    #[error("it holds more than {NAMELESS_MAX} keys without a name, or more than {KEYS_MAX} in all")]
    TooMany,
    /// Two keys have one name.
    #[error("two of its keys have the same kid")]
    SameId,
    /// It has a public key where a secret is to be.
    #[error("it holds a public key or a JWKS, which is no secret: HS256 takes a secret")]
    NotSecret,
    /// Its secret can be guessed.
    #[error("a secret in it is shorter than {SECRET_BYTES_MIN} characters")]
    ShortSecret,
}

/// As it is in a file; keys of kinds that are not known here are passed over.
#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

impl Keys {
    /// The keys in `text` that fit `algorithm`.
    pub fn parse(text: &[u8], algorithm: JwtAlgorithm) -> Result<Self, KeysError> {
        if text.len() > FILE_BYTES_MAX {
            return Err(KeysError::TooLarge);
        }
        let text = std::str::from_utf8(text).map_err(|_| KeysError::NotKeys)?.trim();
        let keys = match algorithm {
            JwtAlgorithm::HS256 => secrets(text)?,
            _ if text.starts_with('{') => set(text, algorithm)?,
            _ => pems(text, algorithm)?,
        };
        if keys.is_empty() {
            return Err(KeysError::NoneFits(algorithm.name()));
        }
        let nameless = keys.iter().filter(|key| key.id.is_none()).count();
        if nameless > NAMELESS_MAX || keys.len() > KEYS_MAX {
            return Err(KeysError::TooMany);
        }
        let mut ids = HashSet::new();
        let are_apart = keys.iter().filter_map(|key| key.id.as_ref()).all(|id| ids.insert(id));
        if are_apart { Ok(Self(keys)) } else { Err(KeysError::SameId) }
    }

    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The keys that may have signed a token that names `id`: the one of that name, and those that
    /// have none. A token that names none may be signed by the only one that has a name.
    pub(super) fn fitting<'a>(&'a self, id: Option<&'a str>) -> impl Iterator<Item = &'a Key> {
        let is_only = self.0.len() == 1;
        self.0.iter().filter(move |key| match (&key.id, id) {
            (None, _) => true,
            (Some(own), Some(id)) => own == id,
            (Some(_), None) => is_only,
        })
    }
}

impl Key {
    /// Whether `signature` of `message` was made with this key.
    pub(super) fn has_signed(&self, algorithm: JwtAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        // Refused if the key is one for another kind of algorithm.
        let verifier = (DEFAULT_PROVIDER.verifier_factory)(&spelled(algorithm), &self.key);
        verifier.is_ok_and(|verifier| verifier.verify(message, &signature.to_vec()).is_ok())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

const fn spelled(algorithm: JwtAlgorithm) -> Algorithm {
    match algorithm {
        JwtAlgorithm::EdDSA => Algorithm::EdDSA,
        JwtAlgorithm::ES256 => Algorithm::ES256,
        JwtAlgorithm::RS256 => Algorithm::RS256,
        JwtAlgorithm::HS256 => Algorithm::HS256,
    }
}

/// One a line: while secrets change, the new and the old.
fn secrets(text: &str) -> Result<Vec<Key>, KeysError> {
    if text.starts_with('{') || text.contains("-----BEGIN") {
        return Err(KeysError::NotSecret);
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|secret| {
            let is_long = secret.len() >= SECRET_BYTES_MIN;
            is_long.then(|| Key { id: None, key: DecodingKey::from_secret(secret.as_bytes()) }).ok_or(KeysError::ShortSecret)
        })
        .collect()
}

fn pems(text: &str, algorithm: JwtAlgorithm) -> Result<Vec<Key>, KeysError> {
    if text.contains("PRIVATE KEY") {
        return Err(KeysError::Private);
    }
    let mut keys = Vec::new();
    for block in text.split_inclusive(END).filter(|block| block.contains("-----BEGIN")) {
        let block = block.trim_end_matches(END).get(block.find("-----BEGIN").unwrap_or(0)..).unwrap_or_default();
        // The label of the end is that of the beginning.
        let label = block.trim_start_matches("-----BEGIN ").split("-----").next().unwrap_or_default();
        let whole = format!("{block}{END} {label}-----\n");
        let key = match algorithm {
            JwtAlgorithm::RS256 => DecodingKey::from_rsa_pem(whole.as_bytes()),
            JwtAlgorithm::ES256 => DecodingKey::from_ec_pem(whole.as_bytes()),
            _ => DecodingKey::from_ed_pem(whole.as_bytes()),
        };
        let length = key.as_ref().ok().and_then(|key| key.try_get_as_bytes().ok()).map_or(0, <[u8]>::len);
        let fits = match algorithm {
            JwtAlgorithm::RS256 => RSA_DER_BYTES.contains(&length),
            JwtAlgorithm::ES256 => length == P256_BYTES,
            _ => length == ED25519_BYTES,
        };
        let key = key.ok().filter(|_| fits).ok_or(KeysError::NoneFits(algorithm.name()))?;
        keys.push(Key { id: None, key });
    }
    if keys.is_empty() { Err(KeysError::NotKeys) } else { Ok(keys) }
}

fn set(text: &str, algorithm: JwtAlgorithm) -> Result<Vec<Key>, KeysError> {
    let Set { keys } = serde_json::from_str(text).map_err(|_| KeysError::NotKeys)?;
    if keys.len() > KEYS_MAX {
        return Err(KeysError::TooMany);
    }
    // What RFC 7518 calls the private part, whatever the kind of key.
    if keys.iter().any(|key| key.get("d").is_some()) {
        return Err(KeysError::Private);
    }
    Ok(keys.into_iter().filter_map(|key| fitting_key(key, algorithm)).collect())
}

/// The key, if it is one for `algorithm`, and for signatures.
fn fitting_key(mut key: Value, algorithm: JwtAlgorithm) -> Option<Key> {
    if let Some(own) = key.as_object_mut()?.remove("alg") {
        algorithm.is_called(own.as_str()?).then_some(())?;
    }
    let key: Jwk = serde_json::from_value(key).ok()?;
    key.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature).then_some(())?;
    let decoding = DecodingKey::from_jwk(&key).ok()?;
    let length = match decoding.kind() {
        DecodingKeyKind::SecretOrDer(bytes) => bytes.len(),
        DecodingKeyKind::RsaModulusExponent { n, .. } => n.len(),
    };
    let fits = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::OctetKeyPair(pair), JwtAlgorithm::EdDSA) => pair.curve == EllipticCurve::Ed25519 && length == ED25519_BYTES,
        (AlgorithmParameters::EllipticCurve(point), JwtAlgorithm::ES256) => point.curve == EllipticCurve::P256 && length == P256_BYTES,
        (AlgorithmParameters::RSA(_), JwtAlgorithm::RS256) => RSA_BYTES.contains(&length),
        _ => false,
    };
    fits.then(|| Key { id: key.common.key_id.clone(), key: decoding })
}
