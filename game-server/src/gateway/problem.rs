//! What a caller of the HTTP API is told when something is wrong: `application/problem+json` (RFC 9457) with a stable code.

use std::borrow::Cow;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::matches::{CreateError, ReserveError};

/// An error answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// Stable, for programs.
    pub code: &'static str,
    /// One sentence for people.
    pub detail: Cow<'static, str>,
    /// When to ask again.
    pub retry_after: Option<Duration>,
}

/// The body of an error answer.
#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
}

impl Problem {
    /// With `status`, `code` and one sentence.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, detail: detail.into(), retry_after: None }
    }

    /// The request is not what the route takes.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// There is no such route or file.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here.")
    }

    /// The route does not take this method.
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This does not take that method.")
    }

    /// No guest session, or one that has expired.
    pub fn session_required() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "session_required", "Make a new session and try again.")
    }

    /// There is no such match, or it is over.
    pub fn match_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "match_not_found", "There is no such match, or it is over.")
    }

    /// Too many requests; the next is welcome after `wait`.
    pub fn rate_limited(wait: Duration) -> Self {
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests from your address. Wait a moment.");
        Self { retry_after: Some(wait), ..problem }
    }

    /// The request did not come, or was not answered, in time.
    pub fn timed_out() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "timeout", "The request took too long.")
    }

    /// The server is full.
    pub fn at_capacity() -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "at_capacity", "The server is full.");
        Self { retry_after: Some(Duration::from_secs(10)), ..problem }
    }

    /// The server is shutting down.
    pub fn draining() -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "draining", "The server is about to restart.");
        Self { retry_after: Some(Duration::from_secs(5)), ..problem }
    }

    /// The body is larger than the route takes.
    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The request body is too large.")
    }
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::AtCapacity => Self::at_capacity(),
            CreateError::Draining => Self::draining(),
            CreateError::NoSuchMode => Self::bad_request("There is no such mode."),
            CreateError::BadCode | CreateError::CodeTaken => Self::match_not_found(),
        }
    }
}

impl From<ReserveError> for Problem {
    fn from(error: ReserveError) -> Self {
        match error {
            ReserveError::Full => Self::new(StatusCode::CONFLICT, "match_full", "Every seat of the match is taken."),
            ReserveError::NoSeat | ReserveError::Gone => Self::match_not_found(),
            ReserveError::Busy => Self::at_capacity(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
        };
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.retry_after {
            // Rounded up: coming back too early is refused again.
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_millis().div_ceil(1000).max(1) as u64));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body(response: Response) -> serde_json::Value {
        let bytes = axum::body::to_bytes(response.into_body(), 4096).await.expect("a body");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_problem_says_what_programs_and_people_need() {
        let response = Problem::match_not_found().into_response();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        let expected = serde_json::json!({
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "There is no such match, or it is over.",
            "code": "match_not_found",
        });
        assert_eq!(body(response).await, expected);
    }

    #[test]
    fn waiting_times_are_rounded_up_to_seconds() {
        let header = |wait| Problem::rate_limited(Duration::from_millis(wait)).into_response().headers()[RETRY_AFTER].clone();
        assert_eq!([header(0), header(1000), header(1001)], ["1", "1", "2"]);
    }

    #[test]
    fn a_missing_session_is_told_how_to_authenticate() {
        assert_eq!(Problem::session_required().into_response().headers()[WWW_AUTHENTICATE], "Bearer");
    }
}
