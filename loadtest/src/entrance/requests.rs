//! The part of coming in that goes over HTTP, through goose's own client so that it shows in
//! goose's tables.

use goose::goose::{GooseMethod, GooseRequest, GooseUser};
use http::StatusCode;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};
use tickwire_testkit::api::{self, ApiError, Join};
use tickwire_testkit::target::Endpoint;

use super::error::EnterError;
use crate::scenario::Door;

/// Who comes in: a person with a browser, which remembers its guest session.
#[derive(Debug, Default)]
pub struct Visitor {
    /// Number of the player.
    pub index: usize,
    pub(super) session: Option<String>,
}

impl Visitor {
    /// One who was never here.
    pub fn new(index: usize) -> Self {
        Self { index, session: None }
    }
}

/// Where visitors get seats.
pub(super) struct SeatApi {
    server: Endpoint,
    mode: String,
    first_user: usize,
    /// The code of the match that all hot players join.
    hot: tokio::sync::Mutex<Option<String>>,
}

impl SeatApi {
    /// At `server`, for matches of `mode`. Visitors are numbered from `first_user` on.
    pub(super) fn new(server: Endpoint, mode: String, first_user: usize) -> Self {
        Self { server, mode, first_user, hot: tokio::sync::Mutex::new(None) }
    }

    /// Where players connect to.
    pub(super) const fn server(&self) -> &Endpoint {
        &self.server
    }

    /// The number, among all processes, of the player with this index here.
    pub(super) const fn number(&self, index: usize) -> usize {
        self.first_user + index
    }

    /// A seat for a visitor, who becomes a guest first if need be.
    pub(super) async fn take(&self, user: &mut GooseUser, visitor: &mut Visitor, door: Door) -> Result<Join, EnterError> {
        let token = if let Some(token) = &visitor.session {
            token.clone()
        } else {
            let name = format!("bot {}", self.number(visitor.index));
            let session = self.post(user, "/api/session", "/api/session", None, &json!({ "name": name })).await?;
            visitor.session.insert(api::text(&session, "token")?).clone()
        };
        match door {
            Door::Hot => self.join_hot(user, &token).await,
            _ => self.seat(user, "/api/quick-play", "/api/quick-play", &token).await,
        }
    }

    async fn join_hot(&self, user: &mut GooseUser, token: &str) -> Result<Join, EnterError> {
        let mut tried = None;
        loop {
            let mut hot = self.hot.lock().await;
            if *hot == tried {
                // There is none yet, or it is full or over: this player opens the next one.
                let body = json!({ "mode": self.mode, "private": true });
                let join = Join::from_answer(&self.post(user, "/api/matches", "/api/matches", Some(token), &body).await?)?;
                *hot = Some(join.code.clone());
                return Ok(join);
            }
            tried.clone_from(&hot);
            drop(hot);
            let code = tried.as_deref().unwrap_or_default();
            match self.seat(user, &format!("/api/matches/{code}/join"), "/api/matches/{code}/join", token).await {
                Err(EnterError::Api(ApiError::Refused { status: StatusCode::CONFLICT | StatusCode::NOT_FOUND, .. })) => {}
                other => return other,
            }
        }
    }

    async fn seat(&self, user: &mut GooseUser, path: &str, name: &str, token: &str) -> Result<Join, EnterError> {
        let answer = self.post(user, path, name, Some(token), &json!({ "mode": self.mode })).await?;
        Ok(Join::from_answer(&answer)?)
    }

    async fn post(&self, user: &mut GooseUser, path: &str, name: &str, token: Option<&str>, body: &Value) -> Result<Value, EnterError> {
        let url = self.server.url(path);
        let mut request = user.client.post(url).header(CONTENT_TYPE, "application/json").body(body.to_string());
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        answer(user, GooseMethod::Post, name, request).await
    }
}

/// What a request of goose was answered.
pub(super) async fn answer(
    user: &mut GooseUser,
    method: GooseMethod,
    name: &str,
    request: reqwest::RequestBuilder,
) -> Result<Value, EnterError> {
    let request = GooseRequest::builder().method(method).path(name).name(name).set_request_builder(request).build();
    let response = user.request(request).await.map_err(|error| EnterError::Goose(error.to_string()))?.response;
    let mut response = response.map_err(|error| ApiError::Unreachable(root_cause(&error)))?;
    let status = response.status();
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| ApiError::Unreachable(root_cause(&error)))? {
        if bytes.len() + piece.len() > api::ANSWER_BYTES_MAX {
            return Err(ApiError::Unexpected(format!("more than {} bytes", api::ANSWER_BYTES_MAX)).into());
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(api::answer(status, &bytes)?)
}

/// What is at the bottom of an error: the layers above it say only that there was one.
fn root_cause(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).last().map(ToString::to_string).unwrap_or_default()
}
