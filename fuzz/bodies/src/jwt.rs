//! Tokens of an identity provider, as a stranger presents them, and files of keys.
//!
//! Input: a byte that says what the rest is. 0: a token as it is. 1: a header and, after a line break, claims, which are
//! signed with the right secret. Else: a file of keys for one of the algorithms.

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use tickwire_server::config::JwtAlgorithm;
use tickwire_server::tokens::{Account, Flaw, Keys, Rules};

/// Some tokens longer than any that is read.
const INPUT_BYTES_MAX: usize = 8 * 1024;
const NOW: u64 = 1_800_000_000;
const LEEWAY_S: u64 = 10;
const YEAR_S: u64 = 366 * 24 * 60 * 60;
const SECRET: &str = "a secret of the provider's and of ours";

fn read(token: &str) -> Result<Account, Flaw> {
    let rules = Rules {
        algorithm: JwtAlgorithm::HS256,
        issuer: "https://id.example".into(),
        audience: "tickwire".into(),
        leeway_s: LEEWAY_S,
        name_claim: "name".into(),
        rating_claim: Some("rating".into()),
    };
    let keys = Keys::parse(SECRET.as_bytes(), JwtAlgorithm::HS256).expect("a secret of the right length");
    rules.read(token, NOW)?.verify(&keys)
}

/// Tries it.
pub fn run(input: &[u8]) {
    let Some((kind, rest)) = input.split_first().filter(|_| input.len() <= INPUT_BYTES_MAX) else { return };
    match kind {
        0 => {
            let Ok(token) = std::str::from_utf8(rest) else { return };
            assert!(read(token).is_err(), "nobody but the provider has the secret");
        }
        1 => {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let (header, claims) = rest.split_at(end);
            let claims = claims.get(1..).unwrap_or_default();
            let signed = format!("{}.{}", BASE64URL_NOPAD.encode(header), BASE64URL_NOPAD.encode(claims));
            let key = EncodingKey::from_secret(SECRET.as_bytes());
            let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::HS256).expect("a signature");
            let token = format!("{signed}.{signature}");
            let Ok(account) = read(&token) else { return };
            assert!(account.expires > NOW && account.expires - NOW <= YEAR_S, "good for no time, or for too long");
            assert!(!account.name.as_str().is_empty());
            let claims: serde_json::Value = serde_json::from_slice(claims).expect("it was read");
            assert!(claims["exp"].is_u64() && claims["nbf"].is_u64() && claims["sub"].is_string());
            assert_eq!(claims["iss"], "https://id.example");
        }
        kind => {
            let algorithms = [JwtAlgorithm::EdDSA, JwtAlgorithm::ES256, JwtAlgorithm::RS256, JwtAlgorithm::HS256];
            let Some(algorithm) = algorithms.get(usize::from(kind % 4)) else { return };
            // Whatever it is, it gives keys or says why not, and prints none.
            if let Ok(keys) = Keys::parse(rest, *algorithm) {
                assert!(format!("{keys:?}").len() < 16);
            }
        }
    }
}
