//! A small identity provider: signs tokens, and writes the keys to check them with to a file.

#![allow(dead_code)] // every test uses a part of it
#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use tickwire_server::Config;
use tickwire_server::config::JwtAlgorithm;

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const AUDIENCE: &str = "tickwire";

/// Keys made for these tests, in the forms in which providers have them.
pub(crate) const ED25519: &str = include_str!("keys/ed25519.private.pem");
pub(crate) const ED25519_PUBLIC: &str = include_str!("keys/ed25519.public.pem");
pub(crate) const ED25519_OTHER: &str = include_str!("keys/ed25519-other.private.pem");
pub(crate) const ED25519_OTHER_PUBLIC: &str = include_str!("keys/ed25519-other.public.pem");
pub(crate) const P256: &str = include_str!("keys/p256.private.pem");
pub(crate) const P256_PUBLIC: &str = include_str!("keys/p256.public.pem");
pub(crate) const RSA: &str = include_str!("keys/rsa.private.pem");
pub(crate) const RSA_PUBLIC: &str = include_str!("keys/rsa.public.pem");
pub(crate) const RSA_SHORT_PUBLIC: &str = include_str!("keys/rsa-1024.public.pem");
/// The public ones, with names: `ed`, `ed-other`, `p256`, `rsa`, one of a kind that nobody knows,
/// and one to encrypt with.
pub(crate) const JWKS: &str = include_str!("keys/jwks.json");
pub(crate) const SECRET: &str = "a secret that the provider and the server share";

/// How a provider signs.
pub(crate) fn signer(algorithm: JwtAlgorithm, private: &str) -> (Algorithm, EncodingKey) {
    let key = private.as_bytes();
    match algorithm {
        JwtAlgorithm::EdDSA => (Algorithm::EdDSA, EncodingKey::from_ed_pem(key).expect("a key")),
        JwtAlgorithm::ES256 => (Algorithm::ES256, EncodingKey::from_ec_pem(key).expect("a key")),
        JwtAlgorithm::RS256 => (Algorithm::RS256, EncodingKey::from_rsa_pem(key).expect("a key")),
        JwtAlgorithm::HS256 => (Algorithm::HS256, EncodingKey::from_secret(key)),
    }
}

/// A token of this header and these claims.
pub(crate) fn sign((algorithm, key): &(Algorithm, EncodingKey), header: &Value, claims: &Value) -> String {
    let encoded = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", encoded(header), encoded(claims));
    let signer = (DEFAULT_PROVIDER.signer_factory)(algorithm, key).expect("a signer");
    let signature = signer.try_sign(signed.as_bytes()).expect("a signature");
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}

pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs()
}

/// Signs with Ed25519, and keeps its public key in a file.
pub(crate) struct Provider {
    dir: tempfile::TempDir,
}

impl Provider {
    pub(crate) fn new() -> Self {
        let provider = Self { dir: tempfile::tempdir().expect("a folder") };
        provider.publish(ED25519_PUBLIC);
        provider
    }

    pub(crate) fn keys_file(&self) -> PathBuf {
        self.dir.path().join("keys")
    }

    /// From now on these are the keys.
    pub(crate) fn publish(&self, keys: &str) {
        let new = self.dir.path().join("new");
        std::fs::write(&new, keys).expect("a file");
        std::fs::rename(new, self.keys_file()).expect("a file");
    }

    /// The settings of a server that goes by this provider, without leeway.
    pub(crate) fn configure(&self, config: &mut Config) {
        let jwt = &mut config.accounts.jwt;
        jwt.algorithm = Some(JwtAlgorithm::EdDSA);
        jwt.keys_file = Some(self.keys_file());
        jwt.issuer = Some(ISSUER.into());
        jwt.audience = Some(AUDIENCE.into());
        jwt.leeway_s = 0;
    }

    /// A token of `subject` that is good for so many seconds.
    pub(crate) fn token(subject: &str, seconds: u64) -> String {
        Self::token_by(ED25519, subject, seconds)
    }

    /// A token that another key has signed.
    pub(crate) fn token_by(private: &str, subject: &str, seconds: u64) -> String {
        sign(&signer(JwtAlgorithm::EdDSA, private), &json!({ "alg": "EdDSA", "typ": "JWT" }), &claims(subject, seconds))
    }
}

pub(crate) fn claims(subject: &str, seconds: u64) -> Value {
    let now = unix_now();
    json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "name": subject, "nbf": now, "exp": now + seconds })
}
