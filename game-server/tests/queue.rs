//! The queue: who waits gets one match with others of like rating, on whichever server.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;
#[path = "common/provider.rs"]
mod provider;
#[cfg(unix)]
#[path = "common/redis.rs"]
mod redis;

use ::http::Method;
use harness::{Harness, eventually};
use http::{get, guest, post, request};
use provider::{Provider, claims, sign, signer};
use serde_json::{Value, json};
use tag::Tag;
use tickwire_game::Game;
use tickwire_server::Config;
use tickwire_server::config::JwtAlgorithm;
use tickwire_testkit::script::{enter, see};
use tickwire_testkit::{Api, Client, Join};

/// A server whose queue makes matches of two at once.
fn duels(adjust: impl FnOnce(&mut Config)) -> Harness {
    Harness::start::<Tag>(|config| {
        config.queue.players = 2;
        config.queue.rating_by_client = true;
        config.rates.calls_per_minute = 0;
        adjust(config);
    })
}

fn mode() -> &'static str {
    Tag::MODES[0].id
}

/// Begins to wait, with further members of the body.
async fn wait(api: &Api, more: Value) -> Value {
    let mut body = json!({ "mode": mode() });
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    api.call(Method::POST, "/api/queue", Some(body)).await.expect("a place in the queue")
}

fn path(waiting: &Value) -> String {
    format!("/api/queue/{}", waiting["ticket"].as_str().expect("a ticket"))
}

/// Asks until there is a match.
async fn seat(api: &Api, waiting: &Value) -> Join {
    for _ in 0..6 {
        let answer = api.call(Method::GET, &path(waiting), None).await.expect("an answer");
        if answer["match"].is_object() {
            return Join::from_answer(&answer).expect("a seat");
        }
    }
    panic!("never: a match for {waiting}")
}

/// Asks once, and finds that there is none yet.
async fn waits(api: &Api, waiting: &Value) -> Value {
    let answer = api.call(Method::GET, &format!("{}?wait=0", path(waiting)), None).await.expect("an answer");
    assert!(answer["match"].is_null(), "{answer}");
    assert_eq!(answer["ticket"], waiting["ticket"]);
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_wait_play_together_and_a_third_waits_on() {
    let harness = duels(|_| ());
    let [ada, bob, eve] = [harness.guest(0).await, harness.guest(1).await, harness.guest(2).await];
    let first = wait(&ada, json!({})).await;
    assert_eq!((&first["mode"], &first["players"], &first["here"], &first["rating"]), (&mode().into(), &1.into(), &1.into(), &0.into()));
    waits(&ada, &first).await;
    let second = wait(&bob, json!({})).await;
    let (first, second) = tokio::join!(seat(&ada, &first), seat(&bob, &second));
    assert_eq!(first.match_id, second.match_id);
    let third = wait(&eve, json!({})).await;
    waits(&eve, &third).await;

    let mut playing: [Client<Tag>; 2] = [enter(&ada, &first).await.expect("Welcome"), enter(&bob, &second).await.expect("Welcome")];
    for client in &mut playing {
        see(client, |view| view.rows::<tag::Runner>().count() == 2).await.expect("both play");
    }
    assert_ne!(playing[0].player(), playing[1].player());
    let list = get(harness.server.play_addr(), "/api/matches").json();
    assert_eq!(list["matches"], json!([]), "the match is theirs");
    waits(&eve, &third).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_again_has_the_same_seat() {
    let harness = duels(|_| ());
    let (ada, bob) = (harness.guest(0).await, harness.guest(1).await);
    let (first, second) = (wait(&ada, json!({})).await, wait(&bob, json!({})).await);
    let joined = seat(&ada, &first).await;
    let again = seat(&ada, &first).await;
    assert_eq!(joined.match_id, again.match_id);
    seat(&bob, &second).await;
    enter::<Tag>(&ada, &again).await.expect("the newer ticket is good");
}

#[tokio::test(flavor = "multi_thread")]
async fn ratings_that_are_apart_wait_until_that_is_forgiven() {
    let harness = duels(|config| config.queue.rating_widening_per_second = 200);
    let [ada, bob, eve, dan] = [harness.guest(0).await, harness.guest(1).await, harness.guest(2).await, harness.guest(3).await];
    let low = wait(&ada, json!({ "rating": 1_000 })).await;
    assert_eq!(low["rating"], 1_000);
    let high = [wait(&bob, json!({ "rating": 1_500 })).await, wait(&eve, json!({ "rating": 1_550 })).await];
    let (bobs, eves) = tokio::join!(seat(&bob, &high[0]), seat(&eve, &high[1]));
    assert_eq!(bobs.match_id, eves.match_id, "they are of like strength");
    let middle = wait(&dan, json!({ "rating": 1_450 })).await;
    let (adas, dans) = tokio::join!(seat(&ada, &low), seat(&dan, &middle));
    assert_eq!(adas.match_id, dans.match_id, "in the end somebody is better than nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_stays_together() {
    let harness = duels(|config| config.queue.players = 3);
    let [ada, bob, eve, dan] = [harness.guest(0).await, harness.guest(1).await, harness.guest(2).await, harness.guest(3).await];
    let adas = wait(&ada, json!({ "players": 2 })).await;
    let party = adas["party"].as_str().expect("a secret for friends").to_owned();
    assert_eq!((&adas["here"], &adas["players"]), (&1.into(), &2.into()));
    let (eves, dans) = (wait(&eve, json!({})).await, wait(&dan, json!({})).await);
    let bobs = wait(&bob, json!({ "players": 2, "party": party })).await;
    assert_eq!(bobs["here"], 2);
    let stranger = harness.guest(4).await;
    let refused = stranger.call(Method::POST, "/api/queue", Some(json!({ "mode": mode(), "players": 2, "party": party }))).await;
    assert!(refused.expect_err("full").to_string().contains("party_full"));

    let (first, second) = tokio::join!(seat(&ada, &adas), seat(&bob, &bobs));
    assert_eq!(first.match_id, second.match_id);
    let mut playing: [Client<Tag>; 2] = [enter(&ada, &first).await.expect("Welcome"), enter(&bob, &second).await.expect("Welcome")];
    see(&mut playing[0], |view| view.rows::<tag::Runner>().count() == 2).await.expect("both play");
    // One of the two who are alone is in it, and the other waits.
    let mut with_them = 0;
    for (api, waiting) in [(&eve, &eves), (&dan, &dans)] {
        let answer = api.call(Method::GET, &format!("{}?wait=0", path(waiting)), None).await.expect("an answer");
        with_them += usize::from(answer["match"]["id"] == first.match_id.as_str());
    }
    assert_eq!(with_them, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_somebody_leaves_gathers_again() {
    let harness = duels(|_| ());
    let [ada, bob, eve] = [harness.guest(0).await, harness.guest(1).await, harness.guest(2).await];
    let adas = wait(&ada, json!({ "players": 2 })).await;
    let party = adas["party"].as_str().expect("a secret for friends").to_owned();
    let bobs = wait(&bob, json!({ "players": 2, "party": "0".repeat(32) })).await;
    assert_eq!((&bobs["here"], &waits(&ada, &adas).await["here"]), (&1.into(), &1.into()), "another party");
    let eves = wait(&eve, json!({})).await;
    let bobs = wait(&bob, json!({ "players": 2, "party": party })).await;
    let (first, second) = tokio::join!(seat(&ada, &adas), seat(&bob, &bobs));
    assert_eq!(first.match_id, second.match_id, "complete");
    waits(&eve, &eves).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_is_not_waited_for() {
    let harness = duels(|_| ());
    let address = harness.server.play_addr();
    let [ada, bob, eve] = [harness.guest(0).await, harness.guest(1).await, harness.guest(2).await];
    let gone = guest(address);
    let bearer = format!("Bearer {gone}");
    let auth = [("Authorization", bearer.as_str())];
    let left = post(address, "/api/queue", Some(&gone), &format!(r#"{{"mode":"{}"}}"#, mode()));
    assert_eq!(left.status, 202, "{left:?}");
    let ticket = path(&left.json());
    assert_eq!(request(address, "DELETE", &ticket, &auth, "").status, 204);
    for method in ["DELETE", "GET"] {
        assert_eq!(request(address, method, &ticket, &auth, "").problem(), "not_in_queue", "{method}");
    }
    let first = wait(&ada, json!({})).await;
    waits(&ada, &first).await;
    let second = wait(&bob, json!({})).await;
    let (first, second) = tokio::join!(seat(&ada, &first), seat(&bob, &second));
    assert_eq!(first.match_id, second.match_id);
    let earlier = wait(&eve, json!({})).await;
    let later = wait(&eve, json!({})).await;
    let refused = eve.call(Method::GET, &path(&earlier), None).await.expect_err("who enters again has left the place before");
    assert!(refused.to_string().contains("not_in_queue"));
    waits(&eve, &later).await;
}

#[test]
fn refusals_are_problems_and_a_ticket_is_its_owners() {
    let harness = duels(|config| config.queue.waiting_per_address = 2);
    let address = harness.server.play_addr();
    let (ada, eve) = (guest(address), guest(address));
    let enter = |token: &str, more: &str| post(address, "/api/queue", Some(token), &format!(r#"{{"mode":"{}"{more}}}"#, mode()));
    let told = |answer: http::Answer| (answer.status, answer.problem());
    let refused = |status: u16, code: &str| (status, code.to_owned());
    for more in
        [r#","players":0"#, r#","players":3"#, r#","players":2,"party":"friends""#, r#","party":"00""#, r#","rating":1.5"#, r#","x":1"#]
    {
        assert_eq!(told(enter(&ada, more)), refused(400, "bad_request"), "{more}");
    }
    assert_eq!(told(post(address, "/api/queue", Some(&ada), r#"{"mode":"none"}"#)), refused(400, "bad_request"));
    assert_eq!(told(post(address, "/api/queue", None, r#"{"mode":"tag"}"#)), refused(401, "session_required"));
    assert_eq!(told(get(address, "/api/queue")), refused(405, "method_not_allowed"));

    let ticket = path(&enter(&ada, "").json());
    let unknown = format!("/api/queue/{}", "0".repeat(32));
    let bearers = [&ada, &eve].map(|token| format!("Bearer {token}"));
    let auths = [&bearers[0], &bearers[1]].map(|bearer| [("Authorization", bearer.as_str())]);
    for method in ["GET", "DELETE"] {
        for (path, auth) in [(&ticket, &auths[1]), (&unknown, &auths[0]), (&"/api/queue/x".to_owned(), &auths[0])] {
            assert_eq!(told(request(address, method, path, auth, "")), refused(404, "not_in_queue"), "{method} {path}");
        }
        assert_eq!(told(request(address, method, &ticket, &[], "")), refused(401, "session_required"));
    }
    assert_eq!(request(address, "GET", &format!("{ticket}?wait=0"), &auths[0], "").status, 202, "it is there all the same");
    assert_eq!(told(request(address, "GET", &format!("{ticket}?wait=x"), &auths[0], "")), refused(400, "bad_request"));

    assert_eq!(enter(&guest(address), r#","rating":5000"#).status, 202);
    let full = enter(&guest(address), "");
    assert!(full.header("retry-after").is_some());
    assert_eq!(told(full), refused(503, "at_capacity"), "two of the address wait");
}

#[test]
fn a_mode_may_have_no_queue() {
    let harness = duels(|config| config.queue.modes = vec!["other".into()]);
    let address = harness.server.play_addr();
    let body = format!(r#"{{"mode":"{}"}}"#, mode());
    assert_eq!(get(address, "/api/info").json()["modes"][0]["queue"], false);
    let answer = post(address, "/api/queue", Some(&guest(address)), &body);
    assert_eq!((answer.status, answer.problem().as_str()), (404, "no_queue"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_drains_has_no_queue() {
    let harness = duels(|_| ());
    let (ada, bob) = (harness.guest(0).await, harness.guest(1).await);
    let waiting = wait(&ada, json!({})).await;
    harness.server.start_draining();
    let enter = bob.call(Method::POST, "/api/queue", Some(json!({ "mode": mode() }))).await;
    for refused in [enter, ada.call(Method::GET, &path(&waiting), None).await] {
        let refused = refused.expect_err("nobody is seated any more").to_string();
        assert!(refused.contains("draining"), "{refused}");
    }
}

/// Several servers in processes of their own, which share a Redis.
#[cfg(unix)]
mod servers {
    use tickwire_testkit::target::Endpoint;

    use super::*;
    use crate::redis::{Redis, Server, pair};

    const DUELS: [&str; 4] = ["--set", "queue.players=2", "--set", "matches.bots_fill=0"];

    async fn at(server: &Server, index: usize) -> Api {
        let mut api = Api::to(Endpoint::at(server.play), Api::loopback_source(index));
        api.open_session(&format!("player {index}")).await.expect("a guest session");
        api
    }

    /// Goes where the answer says.
    async fn play(api: &Api, join: &Join) -> Client<Tag> {
        let (api, path) = api.towards(&join.ws_url).await.expect("a whole address");
        enter(&api, &Join { ws_url: path, ..join.clone() }).await.expect("Welcome")
    }

    async fn both_play(first: (&Api, &Join), second: (&Api, &Join)) {
        assert_eq!(first.1.match_id, second.1.match_id);
        let mut ada = play(first.0, first.1).await;
        let _bob = play(second.0, second.1).await;
        see(&mut ada, |view| view.rows::<tag::Runner>().count() == 2).await.expect("both play");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_waits_at_one_server_plays_with_who_waits_at_the_other() {
        let redis = Redis::start();
        let [a, b] = pair(&redis, &DUELS);
        let (ada, bob) = (at(&a, 0).await, at(&b, 1).await);
        let (first, second) = (wait(&ada, json!({})).await, wait(&bob, json!({})).await);
        let (first, second) = tokio::join!(seat(&ada, &first), seat(&bob, &second));
        both_play((&ada, &first), (&bob, &second)).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn their_match_is_made_where_new_matches_go() {
        let redis = Redis::start();
        let [a, b] = pair(&redis, &DUELS);
        let (ada, bob) = (at(&b, 0).await, at(&b, 1).await);
        let (first, second) = (wait(&ada, json!({})).await, wait(&bob, json!({})).await);
        let (first, second) = tokio::join!(seat(&ada, &first), seat(&bob, &second));
        assert!(first.ws_url.starts_with(&format!("ws://{}/", a.play)), "of two that are empty it is the first: {}", first.ws_url);
        both_play((&ada, &first), (&bob, &second)).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_waits_at_a_server_that_is_lost_waits_on_at_another() {
        let redis = Redis::start();
        let [mut a, b] = pair(&redis, &DUELS);
        let ada = at(&a, 0).await;
        let first = wait(&ada, json!({})).await;
        a.kill();
        let ada = ada.moved_to(Endpoint::at(b.play));
        waits(&ada, &first).await;
        let bob = at(&b, 1).await;
        let second = wait(&bob, json!({})).await;
        let (first, second) = tokio::join!(seat(&ada, &first), seat(&bob, &second));
        both_play((&ada, &first), (&bob, &second)).await;
    }
}

/// A rating is what the identity provider says, whatever the client does; a guest has none.
#[tokio::test(flavor = "multi_thread")]
async fn a_rating_is_believed_of_the_identity_provider_alone() {
    let provider = Provider::new();
    let harness = duels(|config| {
        provider.configure(config);
        config.accounts.jwt.rating_claim = Some("mmr".into());
        config.queue.rating_by_client = false;
    });
    let by = signer(JwtAlgorithm::EdDSA, provider::ED25519);
    let token = |claim: Value| {
        let mut claims = claims("ada", 60);
        claims["mmr"] = claim;
        sign(&by, &json!({ "alg": "EdDSA" }), &claims)
    };
    for (claim, rating) in [(json!(1_700), 1_700), (json!(-3), -3), (json!("1700"), 0), (json!(1u64 << 40), 0), (json!(null), 0)] {
        let mut ada = Api::new(harness.server.play_addr(), Api::loopback_source(0));
        ada.sign_in(&token(claim.clone()));
        assert_eq!(wait(&ada, json!({ "rating": 9_000 })).await["rating"], rating, "{claim}");
    }
    assert_eq!(wait(&harness.guest(1).await, json!({ "rating": 9_000 })).await["rating"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_counted() {
    let harness = duels(|_| ());
    let (ada, bob) = (harness.guest(0).await, harness.guest(1).await);
    let metric = |name: &str| {
        let text = get(harness.server.ops_addr(), "/metrics").text();
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")).map(str::to_owned));
        line.and_then(|value| value.parse::<f64>().ok()).unwrap_or_else(|| panic!("no {name} in {text}"))
    };
    let (matches, waited) = (metric("tickwire_queue_matches_total"), metric("tickwire_queue_waited_seconds_count"));
    let first = wait(&ada, json!({})).await;
    assert!((metric("tickwire_queue_waiting") - 1.0).abs() < 0.5);
    let second = wait(&bob, json!({})).await;
    tokio::join!(seat(&ada, &first), seat(&bob, &second));
    eventually("counted", || (metric("tickwire_queue_matches_total") > matches).then_some(())).await;
    assert!(metric("tickwire_queue_waited_seconds_count") > waited + 1.5);
}
