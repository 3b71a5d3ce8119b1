//! Tokens of the identity provider: a table of bad ones, and what a flood of them costs.

use std::net::{IpAddr, Ipv4Addr};

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, EncodingKey};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::token::{LIFE_MAX_S, TOKEN_BYTES_MAX};
use super::*;
use crate::config::{JwtAlgorithm, JwtConfig};

const NOW: u64 = 1_800_000_000;
const SECRET: &[u8] = b"a secret of the provider's and ours, of 32 bytes";
const OTHER: &[u8] = b"a secret that nobody has but who tries his luck";
const HERE: ClientAddress = ClientAddress::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
const THERE: ClientAddress = ClientAddress::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)));

fn rules() -> Rules {
    Rules {
        algorithm: JwtAlgorithm::HS256,
        issuer: "https://id.example".into(),
        audience: "tickwire".into(),
        leeway_s: 10,
        name_claim: "name".into(),
        rating_claim: Some("rating".into()),
    }
}

fn keys() -> Keys {
    Keys::parse(SECRET, JwtAlgorithm::HS256).expect("a secret")
}

fn claims(now: u64) -> Value {
    json!({ "iss": "https://id.example", "aud": "tickwire", "sub": "ada", "name": " Ada\u{202e}\n", "nbf": now, "exp": now + 60 })
}

fn encoded(text: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(text.as_ref())
}

/// A token of these texts, which need not be JSON.
fn token(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>, secret: &[u8]) -> String {
    let signed = format!("{}.{}", encoded(header), encoded(claims));
    let signer = (DEFAULT_PROVIDER.signer_factory)(&Algorithm::HS256, &EncodingKey::from_secret(secret)).expect("a signer");
    let signature = signer.try_sign(signed.as_bytes()).expect("a signature");
    format!("{signed}.{}", encoded(signature))
}

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

fn good(now: u64) -> String {
    token(HEADER, claims(now).to_string(), SECRET)
}

fn flaw(token: &str) -> Option<Flaw> {
    rules().read(token, NOW).and_then(|unverified| unverified.verify(&keys())).err()
}

/// The claims with one changed, or taken out.
fn with(name: &str, value: Value) -> String {
    let mut claims = claims(NOW);
    let members = claims.as_object_mut().expect("an object");
    if value.is_null() {
        members.remove(name)
    } else {
        members.insert(name.to_owned(), value)
    };
    token(HEADER, claims.to_string(), SECRET)
}

#[test]
fn a_good_token_says_who_it_is() {
    let account = rules().read(&good(NOW), NOW).and_then(|unverified| unverified.verify(&keys())).expect("good");
    assert_eq!((account.name.as_str(), account.expires), ("Ada", NOW + 70));
    let of = |iss: &str, sub: &str| {
        let rules = Rules { issuer: iss.into(), ..rules() };
        let mut claims = claims(NOW);
        (claims["iss"], claims["sub"]) = (iss.into(), sub.into());
        let token = token(HEADER, claims.to_string(), SECRET);
        rules.read(&token, NOW).and_then(|unverified| unverified.verify(&keys())).expect("good").subject
    };
    assert_eq!(of("https://id.example", "ada"), account.subject);
    assert_ne!(of("https://id.example", "bob"), account.subject);
    assert_ne!(of("a", "bc"), of("ab", "c"), "who is who does not depend on where one text ends");
    for fine in [
        with("name", Value::Null),
        with("name", json!(7)),
        with("aud", json!(["other", "tickwire"])),
        with("more", json!({"a": [1.5]})),
        token(r#"{"alg":"HS256"}"#, claims(NOW).to_string(), SECRET),
        token(r#"{"alg":"HS256","typ":"at+JWT","x5t":"x"}"#, claims(NOW).to_string(), SECRET),
        with("nbf", json!(NOW + 10)),
        with("exp", json!(NOW + LIFE_MAX_S - 10)),
    ] {
        assert_eq!(flaw(&fine), None, "{fine}");
    }
}

#[test]
fn every_bad_token_has_its_flaw() {
    let claims_text = claims(NOW).to_string();
    let header = |header: &str| token(header, &claims_text, SECRET);
    let claims = |claims: &str| token(HEADER, claims, SECRET);
    let doubled = |member: &str| claims(&claims_text.replacen('{', &format!("{{{member},"), 1));
    let fine = good(NOW);
    let (signed, signature) = fine.rsplit_once('.').expect("three parts");
    let table: Vec<(String, Flaw)> = vec![
        // What is no token at all.
        (String::new(), Flaw::NotAToken),
        ("a.b".into(), Flaw::NotAToken),
        ("..".into(), Flaw::NotAToken),
        (format!("{fine}.more"), Flaw::NotAToken),
        (format!(".{fine}"), Flaw::NotAToken),
        (format!("{fine}="), Flaw::NotAToken),
        (format!("{signed}.+{signature}"), Flaw::NotAToken),
        (format!("{signed}.{signature} "), Flaw::NotAToken),
        (token("[]", &claims_text, SECRET), Flaw::NotAToken),
        (token(HEADER, "[]", SECRET), Flaw::NotAToken),
        (token(HEADER, b"\xff\xfe", SECRET), Flaw::NotAToken),
        (token(HEADER, format!("{claims_text}{claims_text}"), SECRET), Flaw::NotAToken),
        (token(HEADER, "[".repeat(900), SECRET), Flaw::NotAToken),
        (with("pad", json!("x".repeat(TOKEN_BYTES_MAX))), Flaw::TooLong),
        // A token within a token, and what is in a header.
        (token(r#"{"alg":"HS256","cty":"JWT"}"#, &fine, SECRET), Flaw::Header),
        (token(r#"{"alg":"HS256"}"#, &fine, SECRET), Flaw::NotAToken),
        (header(r#"{"alg":"HS256","crit":["exp"],"exp":1}"#), Flaw::Header),
        (header(r#"{"alg":"HS256","crit":[]}"#), Flaw::Header),
        (header(r#"{"alg":"HS256","b64":false}"#), Flaw::Header),
        (header(r#"{"alg":"HS256","zip":"DEF"}"#), Flaw::Header),
        (header(r#"{"alg":"HS256","enc":"A128GCM"}"#), Flaw::Header),
        (header(r#"{"alg":"HS256","typ":"JWE"}"#), Flaw::Header),
        (header(r#"{"alg":"HS256","typ":7}"#), Flaw::Header),
        (header(r#"{"alg":"HS256","kid":["a"]}"#), Flaw::Header),
        (header(&format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "k".repeat(257))), Flaw::Header),
        // Another algorithm, or none.
        (header("{}"), Flaw::Algorithm),
        (header(r#"{"alg":"none"}"#), Flaw::Algorithm),
        (format!("{}.{}.", encoded(r#"{"alg":"none"}"#), encoded(&claims_text)), Flaw::Algorithm),
        (header(r#"{"alg":"nOnE"}"#), Flaw::Algorithm),
        (header(r#"{"alg":"hs256"}"#), Flaw::Algorithm),
        (header(r#"{"alg":"RS256"}"#), Flaw::Algorithm),
        (header(r#"{"alg":"EdDSA"}"#), Flaw::Algorithm),
        (header(r#"{"alg":["HS256"]}"#), Flaw::Algorithm),
        (header(r#"{"alg":"none","alg":"HS256"}"#), Flaw::NotAToken),
        // Claims of another type.
        (with("exp", Value::Null), Flaw::Claims),
        (with("exp", json!((NOW + 60).to_string())), Flaw::Claims),
        (with("exp", json!(NOW as f64 + 60.5)), Flaw::Claims),
        (claims(&claims_text.replace(&(NOW + 60).to_string(), "18000000600e-1")), Flaw::Claims),
        (with("exp", json!(-1)), Flaw::Claims),
        (with("exp", json!([NOW + 60])), Flaw::Claims),
        (with("exp", json!(true)), Flaw::Claims),
        (claims(&claims_text.replace(&(NOW + 60).to_string(), "99999999999999999999999")), Flaw::Claims),
        (claims(&claims_text.replace(&(NOW + 60).to_string(), "1e400")), Flaw::NotAToken),
        (with("nbf", Value::Null), Flaw::Claims),
        (with("nbf", json!(NOW.to_string())), Flaw::Claims),
        (with("nbf", json!(-1)), Flaw::Claims),
        (with("nbf", json!(NOW + 61)), Flaw::Claims),
        (with("iss", Value::Null), Flaw::Claims),
        (with("iss", json!(["https://id.example"])), Flaw::Claims),
        (with("aud", Value::Null), Flaw::Claims),
        (with("aud", json!({"tickwire": 1})), Flaw::Claims),
        (with("aud", json!(["tickwire", 1])), Flaw::Claims),
        (with("sub", Value::Null), Flaw::Claims),
        (with("sub", json!("")), Flaw::Claims),
        (with("sub", json!(7)), Flaw::Claims),
        (with("sub", json!("s".repeat(256))), Flaw::Claims),
        (doubled(&format!(r#""exp":{}"#, NOW + 999)), Flaw::NotAToken),
        (doubled(r#""sub":"bob""#), Flaw::NotAToken),
        (doubled(r#""s\u0075b":"bob""#), Flaw::NotAToken),
        // Claims that say something else.
        (with("iss", json!("https://id.example/")), Flaw::Issuer),
        (with("aud", json!("tickwire2")), Flaw::Audience),
        (with("aud", json!([])), Flaw::Audience),
        (with("nbf", json!(NOW + 11)), Flaw::NotYet),
        (with("exp", json!(u64::MAX)), Flaw::TooLasting),
        (with("exp", json!(NOW + LIFE_MAX_S)), Flaw::TooLasting),
        // Signatures.
        (format!("{signed}."), Flaw::Signature),
        (format!("{signed}.{}", encoded([0; 32])), Flaw::Signature),
        (format!("{signed}.{}", &signature[..40]), Flaw::Signature),
        (token(HEADER, &claims_text, OTHER), Flaw::Signature),
        (token(HEADER, &claims_text, b""), Flaw::Signature),
    ];
    for (token, expected) in &table {
        assert_eq!(flaw(token), Some(*expected), "{token:.300}");
    }
    let gone = |ago| {
        let mut old = super::tests::claims(NOW);
        (old["nbf"], old["exp"]) = (json!(0), json!(NOW - ago));
        flaw(&token(HEADER, old.to_string(), SECRET))
    };
    assert_eq!([gone(9), gone(10), gone(999)], [None, Some(Flaw::Expired), Some(Flaw::Expired)]);
}

/// Accounts with a file of its own.
fn accounts(dir: &tempfile::TempDir, per_minute: u32) -> Arc<Accounts> {
    let file = dir.path().join("keys");
    std::fs::write(&file, SECRET).expect("a file");
    let Rules { algorithm, issuer, audience, .. } = rules();
    let jwt = JwtConfig {
        algorithm: Some(algorithm),
        keys_file: Some(file),
        issuer: Some(issuer),
        audience: Some(audience),
        ..JwtConfig::default()
    };
    let config = AccountsConfig { verifications_per_minute: per_minute, jwt, ..AccountsConfig::default() };
    Accounts::new(&config).expect("keys").expect("accounts")
}

#[test]
fn a_flood_of_forged_tokens_is_limited_by_address_and_who_is_known_is_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let (accounts, start, now) = (accounts(&dir, 3), Instant::now(), unix_now());
    let ada = accounts.recognise(start, HERE, &good(now)).expect("known");
    assert!(ada.expires.expect("an end") > start + Duration::from_mins(1));
    let forged = |nth: u64| {
        let mut claims = claims(now);
        claims["nth"] = nth.into();
        token(HEADER, claims.to_string(), OTHER)
    };
    assert_eq!([1, 2].map(|nth| accounts.recognise(start, HERE, &forged(nth))), [const { Err(Refusal::NotAccepted) }; 2]);
    assert!(matches!(accounts.recognise(start, HERE, &forged(3)), Err(Refusal::TooMany(_))));
    assert_eq!(accounts.recognise(start, HERE, &good(now)), Ok(ada), "without another look at the signature");
    assert_eq!(accounts.recognise(start, THERE, &forged(4)), Err(Refusal::NotAccepted), "others have a budget of their own");
}

#[test]
fn other_keys_are_taken_and_a_broken_file_changes_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let (accounts, start, now) = (accounts(&dir, 0), Instant::now(), unix_now());
    let (old, new) = (good(now), token(HEADER, claims(now).to_string(), OTHER));
    let says = |token: &str| accounts.recognise(start, HERE, token).map(drop);
    assert_eq!((says(&old), says(&new)), (Ok(()), Err(Refusal::NotAccepted)));
    for broken in [&b""[..], b"short", b"{\"keys\":[]}", &vec![b'x'; keys::FILE_BYTES_MAX + 1], b"\xff"] {
        accounts.renew_keys(Ok(broken.to_vec()));
        assert_eq!((says(&old), says(&new)), (Ok(()), Err(Refusal::NotAccepted)), "as before");
    }
    accounts.renew_keys(Err(io::Error::other("it is gone")));
    assert_eq!(says(&old), Ok(()));
    accounts.renew_keys(Ok([SECRET, b"\n", OTHER, b"\n"].concat()));
    assert_eq!((says(&old), says(&new)), (Ok(()), Ok(())), "both, while they change");
    accounts.renew_keys(Ok(OTHER.to_vec()));
    assert_eq!((says(&old), says(&new)), (Err(Refusal::NotAccepted), Ok(())), "what was known is known no more");
}

#[test]
fn what_is_remembered_ends_with_its_token() {
    let dir = tempfile::tempdir().expect("a folder");
    let (accounts, start, now) = (accounts(&dir, 1), Instant::now(), unix_now());
    let token = good(now);
    let ends = accounts.recognise(start, HERE, &token).expect("known").expires.expect("an end");
    let before = ends.checked_sub(Duration::from_secs(1)).expect("a moment");
    assert!(accounts.recognise(before, HERE, &token).is_ok());
    // By the clock on the wall it is good, as no time has passed: it is read again.
    assert!(matches!(accounts.recognise(ends, HERE, &token), Err(Refusal::TooMany(_))));
    accounts.purge(ends);
    assert_eq!(accounts.known().tokens.len(), 0);
}

proptest! {
    /// Whatever is done to a token, it is refused, or says what it said.
    #[test]
    fn no_change_of_a_token_is_accepted(place in 0usize..400, byte in 0u8..128, cut in 0usize..400) {
        let fine = good(NOW);
        let mut changed = fine.clone().into_bytes();
        let place = place % changed.len();
        changed[place] = byte;
        let changed = String::from_utf8(changed).expect("ASCII");
        prop_assert_eq!(flaw(&changed).is_none(), changed == fine);
        let cut = &fine[..cut % fine.len()];
        prop_assert!(flaw(cut).is_some());
    }

    /// Whatever is read as a file of keys, nothing panics, and what gives keys gives few.
    #[test]
    fn any_file_gives_few_keys_or_none(text in "[{}\\[\\]\":,a-zA-Z0-9\\-\n =/+]{0,200}", nth in 0usize..4) {
        let algorithm = [JwtAlgorithm::EdDSA, JwtAlgorithm::ES256, JwtAlgorithm::RS256, JwtAlgorithm::HS256][nth];
        if let Ok(keys) = Keys::parse(text.as_bytes(), algorithm) {
            prop_assert!(keys.count() > 0 && keys.count() <= 64);
        }
    }
}
