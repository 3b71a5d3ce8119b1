//! People with an account: which tokens let them in, keys that change, and a sign-in that expires
//! in the middle of a match.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;
#[path = "common/provider.rs"]
mod provider;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use harness::{Harness, eventually};
use http::{get, post, request};
use provider::{Provider, claims, sign, signer};
use serde_json::{Value, json};
use tag::Tag;
use tickwire_game::Game;
use tickwire_protocol::CloseReason;
use tickwire_server::Config;
use tickwire_server::config::JwtAlgorithm;
use tickwire_server::tokens::{Flaw, Keys, KeysError, Rules};
use tickwire_testkit::script::{enter, hear_closing, resume, see};
use tickwire_testkit::{Api, Client, Join};

const ALGORITHMS: [JwtAlgorithm; 4] = [JwtAlgorithm::EdDSA, JwtAlgorithm::ES256, JwtAlgorithm::RS256, JwtAlgorithm::HS256];

fn server(provider: &Provider, adjust: impl FnOnce(&mut Config)) -> Harness {
    Harness::start::<Tag>(|config| {
        provider.configure(config);
        adjust(config);
    })
}

/// What the server says of a token: how long it is good, or why it is not.
fn renew(server: SocketAddr, token: &str) -> Result<u64, (u16, String)> {
    let bearer = format!("Bearer {token}");
    let answer = request(server, "POST", "/api/session/renew", &[("Authorization", &bearer)], "");
    if answer.status == 200 { Ok(answer.json()["expires_in_s"].as_u64().expect("an end")) } else { Err((answer.status, answer.problem())) }
}

fn refused(code: &str) -> Result<u64, (u16, String)> {
    Err((401, code.to_owned()))
}

/// A player with this token, and a seat in a match of their own.
async fn join(harness: &Harness, token: &str) -> (Api, Join) {
    let mut api = Api::new(harness.server.play_addr(), Api::loopback_source(0));
    api.sign_in(token);
    let join = api.create(Tag::MODES[0].id, true).await.expect("a seat");
    (api, join)
}

fn rules(algorithm: JwtAlgorithm) -> Rules {
    let (issuer, audience) = (provider::ISSUER.into(), provider::AUDIENCE.into());
    Rules { algorithm, issuer, audience, leeway_s: 0, name_claim: "name".into(), rating_claim: None }
}

/// The private and the public key, each as it is for this algorithm, and its name in the set.
const fn pair(algorithm: JwtAlgorithm) -> (&'static str, &'static str, &'static str) {
    match algorithm {
        JwtAlgorithm::EdDSA => (provider::ED25519, provider::ED25519_PUBLIC, "ed"),
        JwtAlgorithm::ES256 => (provider::P256, provider::P256_PUBLIC, "p256"),
        JwtAlgorithm::RS256 => (provider::RSA, provider::RSA_PUBLIC, "rsa"),
        JwtAlgorithm::HS256 => (provider::SECRET, provider::SECRET, ""),
    }
}

fn name(algorithm: JwtAlgorithm) -> Value {
    serde_json::to_value(algorithm).expect("a name")
}

fn verify(algorithm: JwtAlgorithm, keys: &str, token: &str) -> Option<Flaw> {
    let keys = Keys::parse(keys.as_bytes(), algorithm).expect("keys");
    let read = rules(algorithm).read(token, provider::unix_now());
    read.and_then(|unverified| unverified.verify(&keys)).err()
}

#[test]
fn each_algorithm_takes_its_own_signatures_and_no_others() {
    let claims = claims("ada", 60);
    for algorithm in ALGORITHMS {
        let (private, public, id) = pair(algorithm);
        let by = signer(algorithm, private);
        let token = |header: Value| sign(&by, &header, &claims);
        assert_eq!(verify(algorithm, public, &token(json!({ "alg": name(algorithm) }))), None, "{algorithm:?}");
        assert_eq!(
            verify(algorithm, public, &token(json!({ "alg": name(algorithm), "kid": "any" }))),
            None,
            "keys without names are tried"
        );
        if !id.is_empty() {
            let named = |kid: &str| verify(algorithm, provider::JWKS, &token(json!({ "alg": name(algorithm), "kid": kid })));
            assert_eq!(named(id), None, "{algorithm:?}");
            for other in ["", "ed", "ed-other", "p256", "rsa", "rsa-short", "later", "to-encrypt"].into_iter().filter(|other| *other != id)
            {
                assert!(matches!(named(other), Some(Flaw::UnknownKey | Flaw::Signature)), "{algorithm:?} {other}");
            }
        }
        // What one kind of key signs, and another kind of header says.
        for other in ALGORITHMS.into_iter().filter(|other| *other != algorithm) {
            let (_, other_public, _) = pair(other);
            assert_eq!(verify(other, other_public, &token(json!({ "alg": name(algorithm) }))), Some(Flaw::Algorithm));
            assert_eq!(verify(other, other_public, &token(json!({ "alg": name(other) }))), Some(Flaw::Signature));
        }
        // The public key, as everybody has it, taken for a secret.
        let confused = sign(&signer(JwtAlgorithm::HS256, public), &json!({ "alg": "HS256" }), &claims);
        if algorithm != JwtAlgorithm::HS256 {
            assert_eq!(verify(algorithm, public, &confused), Some(Flaw::Algorithm));
            let dressed = sign(&signer(JwtAlgorithm::HS256, public), &json!({ "alg": name(algorithm) }), &claims);
            assert_eq!(verify(algorithm, public, &dressed), Some(Flaw::Signature));
        }
    }
}

#[test]
fn a_file_that_gives_no_keys_says_why() {
    let why = |text: &str, algorithm| Keys::parse(text.as_bytes(), algorithm).map(drop).expect_err("no keys");
    let long = "x".repeat(300_000);
    let private_jwk = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"x"}]}"#;
    let twice = provider::JWKS.replace("ed-other", "ed");
    let six = provider::ED25519_PUBLIC.repeat(6);
    for (text, algorithm, expected) in [
        ("", JwtAlgorithm::EdDSA, KeysError::NotKeys),
        ("{}", JwtAlgorithm::EdDSA, KeysError::NotKeys),
        (r#"{"keys":[]}"#, JwtAlgorithm::EdDSA, KeysError::NoneFits("EdDSA")),
        (r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA"}]}"#, JwtAlgorithm::EdDSA, KeysError::NoneFits("EdDSA")),
        (private_jwk, JwtAlgorithm::EdDSA, KeysError::Private),
        (provider::ED25519, JwtAlgorithm::EdDSA, KeysError::Private),
        (provider::RSA, JwtAlgorithm::RS256, KeysError::Private),
        (provider::RSA_PUBLIC, JwtAlgorithm::EdDSA, KeysError::NoneFits("EdDSA")),
        (provider::ED25519_PUBLIC, JwtAlgorithm::ES256, KeysError::NoneFits("ES256")),
        (provider::RSA_SHORT_PUBLIC, JwtAlgorithm::RS256, KeysError::NoneFits("RS256")),
        (&twice, JwtAlgorithm::EdDSA, KeysError::SameId),
        (&six, JwtAlgorithm::EdDSA, KeysError::TooMany),
        (provider::RSA_PUBLIC, JwtAlgorithm::HS256, KeysError::NotSecret),
        (provider::JWKS, JwtAlgorithm::HS256, KeysError::NotSecret),
        ("too short for a secret", JwtAlgorithm::HS256, KeysError::ShortSecret),
        (&long, JwtAlgorithm::HS256, KeysError::TooLarge),
    ] {
        assert_eq!(why(text, algorithm), expected, "{text:.60}");
    }
    let both = [provider::ED25519_PUBLIC, provider::ED25519_OTHER_PUBLIC].concat();
    assert!(Keys::parse(both.as_bytes(), JwtAlgorithm::EdDSA).is_ok());
}

#[test]
fn a_page_is_told_whom_the_server_takes_and_what_is_wrong_with_a_token() {
    let provider = Provider::new();
    let harness = server(&provider, |config| config.accounts.sign_in_url = Some("https://id.example/login".into()));
    let address = harness.server.play_addr();
    let info = get(address, "/api/info").json();
    let told = [&info["guests"], &info["accounts"], &info["sign_in_url"]];
    assert_eq!(told, [&json!(true), &json!(true), &json!("https://id.example/login")]);

    assert!(renew(address, &Provider::token("ada", 60)).is_ok_and(|left| (50..=60).contains(&left)));
    let by = signer(JwtAlgorithm::EdDSA, provider::ED25519);
    let header = json!({ "alg": "EdDSA" });
    let with = |claim: &str, value: Value| {
        let mut claims = claims("ada", 60);
        claims[claim] = value;
        sign(&by, &header, &claims)
    };
    let mut over = claims("ada", 60);
    (over["nbf"], over["exp"]) = (json!(0), json!(provider::unix_now() - 1));
    assert_eq!(renew(address, &sign(&by, &header, &over)), refused("session_expired"));
    for bad in [
        with("exp", json!("9999999999")),
        with("aud", json!("other")),
        with("iss", json!("https://evil.example")),
        with("nbf", json!(provider::unix_now() + 30)),
        sign(&by, &json!({ "alg": "none" }), &claims("ada", 60)),
        Provider::token_by(provider::ED25519_OTHER, "ada", 60),
        "a.b.c".to_owned(),
        format!("{}.", "x".repeat(4_096)),
    ] {
        assert_eq!(renew(address, &bad), refused("sign_in_refused"), "{bad:.60}");
    }
    let guest = http::guest(address);
    let answer = post(address, "/api/session/renew", Some(&guest), "{}");
    assert_eq!((answer.status, answer.json()), (200, json!({ "name": "Ada" })));
    let metrics = get(harness.server.ops_addr(), "/metrics").text();
    assert!(metrics.contains(r#"tickwire_sign_in_refusals_total{flaw="signature"}"#), "{metrics}");
}

#[test]
fn guests_can_be_turned_off() {
    let provider = Provider::new();
    let harness = server(&provider, |config| config.accounts.guests = false);
    let address = harness.server.play_addr();
    assert_eq!(get(address, "/api/info").json()["guests"], false);
    let mode = format!(r#"{{"mode":"{}"}}"#, Tag::MODES[0].id);
    for (path, token, body) in [
        ("/api/session", None, r#"{"name":"Ada"}"#),
        ("/api/quick-play", None, mode.as_str()),
        ("/api/quick-play", Some("00000000000000000000000000000000"), mode.as_str()),
    ] {
        let answer = post(address, path, token, body);
        assert_eq!((answer.status, answer.problem()), (401, "sign_in_required".into()), "{path}");
        assert_eq!(answer.json()["detail"], "Sign in to play.");
    }
    assert_eq!(post(address, "/api/quick-play", Some(&Provider::token("ada", 60)), &mode).status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_has_one_seat_whatever_the_token() {
    let provider = Provider::new();
    let harness = server(&provider, |_| {});
    let (mut api, first) = join(&harness, &Provider::token("ada", 60)).await;
    let ada: Client<Tag> = enter(&api, &first).await.expect("Welcome");
    let names: Vec<_> = ada.welcome().map(|welcome| welcome.roster.as_slice().to_vec()).unwrap_or_default();
    assert_eq!(names[0].name.as_str(), "ada", "as the provider says");
    api.sign_in(&Provider::token("ada", 61));
    let again = api.join(&first.code).await.expect("the same seat");
    let back: Client<Tag> = enter(&api, &again).await.expect("Welcome");
    assert_eq!(back.player(), ada.player());
    api.sign_in(&Provider::token("bob", 60));
    let other = api.join(&first.code).await.expect("a seat");
    let bob: Client<Tag> = enter(&api, &other).await.expect("Welcome");
    assert_ne!(bob.player(), ada.player());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_expires_ends_the_connection_and_keeps_the_seat_for_who_renews_it() {
    let provider = Provider::new();
    let harness = server(&provider, |_| {});
    let (api, seat) = join(&harness, &Provider::token("ada", 3)).await;
    let mut ada: Client<Tag> = enter(&api, &seat).await.expect("Welcome");
    let (player, token) = (ada.player(), ada.resume_credential().expect("welcomed"));
    assert_eq!(hear_closing(&mut ada).await.expect("a reason"), CloseReason::SignInExpired);

    let mut early = Client::<Tag>::connect(&api, &seat.ws_url).await.expect("connected");
    early.hello(token).await.expect("sent");
    assert_eq!(hear_closing(&mut early).await.expect("a reason"), CloseReason::SignInExpired, "the token admits to nothing");
    assert_eq!(renew(harness.server.play_addr(), &Provider::token("bob", 60)).map(drop), Ok(()), "somebody else's changes nothing");
    let mut early = Client::<Tag>::connect(&api, &seat.ws_url).await.expect("connected");
    early.hello(token).await.expect("sent");
    assert_eq!(hear_closing(&mut early).await.expect("a reason"), CloseReason::SignInExpired);

    assert!(renew(harness.server.play_addr(), &Provider::token("ada", 60)).is_ok());
    let back: Client<Tag> = resume(&api, &seat.ws_url, token).await.expect("the same token, which was not spent");
    assert_eq!(back.player(), player);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_renews_in_time_plays_on() {
    let provider = Provider::new();
    let harness = server(&provider, |_| {});
    let (api, seat) = join(&harness, &Provider::token("ada", 3)).await;
    let until = Instant::now() + Duration::from_secs(3);
    let mut ada: Client<Tag> = enter(&api, &seat).await.expect("Welcome");
    assert!(renew(harness.server.play_addr(), &Provider::token("ada", 60)).is_ok());
    // An older one changes nothing.
    assert!(renew(harness.server.play_addr(), &Provider::token("ada", 30)).is_ok());
    see(&mut ada, |_| Instant::now() > until + Duration::from_secs(2)).await.expect("still there");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_changed_without_a_restart_and_a_broken_file_keeps_the_old() {
    let provider = Provider::new();
    let harness = server(&provider, |_| {});
    let address = harness.server.play_addr();
    let (old, new) = (Provider::token("ada", 600), Provider::token_by(provider::ED25519_OTHER, "ada", 600));
    let are_good = || (renew(address, &old).is_ok(), renew(address, &new).is_ok());
    assert_eq!(are_good(), (true, false));
    provider.publish("these are no keys");
    provider.publish(&[provider::ED25519_PUBLIC, provider::ED25519_OTHER_PUBLIC].concat());
    eventually("both are good", || (are_good() == (true, true)).then_some(())).await;
    provider.publish(provider::JWKS);
    eventually("of a set, the named one is asked for", || (are_good() == (false, false)).then_some(())).await;
    provider.publish(provider::ED25519_OTHER_PUBLIC);
    eventually("only the new one is good", || (are_good() == (false, true)).then_some(())).await;
}

#[test]
fn the_check_of_settings_reads_the_keys() {
    let provider = Provider::new();
    let mut config = Config { port: 0, ..Config::default() };
    config.admin.enabled = false;
    provider.configure(&mut config);
    assert!(tickwire_server::Server::check(&config).is_ok());
    provider.publish(provider::ED25519);
    let error = tickwire_server::Server::check(&config).expect_err("refused").to_string();
    assert!(error.contains("accounts.jwt.keys_file") && error.contains("private key"), "{error}");
    config.accounts.jwt.keys_file = Some("/no/such/file".into());
    assert!(tickwire_server::Server::check(&config).expect_err("refused").to_string().contains("cannot read"));
}
