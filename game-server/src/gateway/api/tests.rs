//! What the API makes of an [`Authenticator`] that is not the guests'.

use std::net::{IpAddr, Ipv4Addr};

use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use tickwire_protocol::text::Name;
use tower::ServiceExt;

use super::*;
use crate::config::Config;
use crate::gateway::game_facts::GameFacts;
use crate::gateway::identity::{Answer, Authenticator};
use crate::gateway::tickets::signer::Signer;
use crate::matches::{Directory, PlayerKey};
use crate::secrets::Bearer;

/// Knows one account, of whose tokens one has expired, and cannot say of some.
struct Accounts;

impl Authenticator for Accounts {
    fn authenticate<'a>(&'a self, now: Instant, _: ClientAddress, credential: Bearer<'a>) -> Answer<'a> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let expires = Some(now + Duration::from_mins(5));
            match credential.reveal() {
                "ada" | "ada-again" => Ok(Identity { subject: PlayerKey([1; 32]), name: Name::truncated("Ada"), expires, rating: None }),
                "old" => Err(Refusal::Expired),
                "later" => Err(Refusal::Unavailable(Duration::from_secs(7))),
                _ => Err(Refusal::Unknown),
            }
        })
    }
}

fn gateway() -> Arc<Gateway> {
    let game = GameFacts { name: "none", schema_hash: 7, decode_hello: |_| None };
    let directory = Directory::new(Box::new([]), Vec::new(), 1, None);
    let gateway = Gateway::new(game, Arc::new(Config::default()), directory, None, Signer::default(), None);
    Arc::new(Gateway { authenticator: Box::new(Accounts), ..gateway })
}

async fn call(gateway: &Arc<Gateway>, request: Request) -> (StatusCode, String, Option<HeaderValue>) {
    let response = router(gateway, Router::new()).oneshot(request).await.expect("an answer");
    let (status, wait) = (response.status(), response.headers().get(RETRY_AFTER).cloned());
    let body = axum::body::to_bytes(response.into_body(), 4_096).await.expect("a body");
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    (status, body["code"].as_str().unwrap_or_default().to_owned(), wait)
}

fn request(method: &str, path: &str, token: Option<&str>) -> Request {
    let mut request = http::Request::builder().method(method).uri(path).header(CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let mut request = request.body(Body::from("{\"mode\":\"none\"}")).expect("a request");
    request.extensions_mut().insert(Remote::made_up(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    request
}

#[tokio::test(flavor = "current_thread")]
async fn a_page_is_told_what_to_do_about_its_credential() {
    let gateway = gateway();
    for (token, status, code, wait) in [
        (None, 401, "session_required", None),
        (Some("nobody's"), 401, "session_required", None),
        (Some("old"), 401, "session_expired", None),
        (Some("later"), 503, "identity_unavailable", Some("7")),
        (Some("ada"), 400, "bad_request", None),
    ] {
        let answer = call(&gateway, request("POST", "/api/quick-play", token)).await;
        let wait = wait.map(HeaderValue::from_static);
        assert_eq!(answer, (StatusCode::from_u16(status).expect("a status"), code.to_owned(), wait), "{token:?}");
        let (status, ..) = call(&gateway, request("GET", "/api/info", token)).await;
        assert_eq!(status, StatusCode::OK, "what strangers may read, {token:?} may");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn one_account_has_one_session_whatever_its_token() {
    let gateway = gateway();
    for token in ["ada", "ada-again", "ada", "old", "nobody's"] {
        call(&gateway, request("POST", "/api/quick-play", Some(token))).await;
    }
    let session = gateway.sessions.find(Instant::now(), PlayerKey([1; 32])).expect("a session");
    assert_eq!((gateway.sessions.len(), session.name.as_str()), (1, "Ada"));
}
