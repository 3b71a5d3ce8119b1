//! What a caller of the HTTP API is told when something is wrong: `application/problem+json` (RFC
//! 9457) with a stable code.

use std::borrow::Cow;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

/// An error answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// Stable, for programs.
    pub(crate) code: &'static str,
    /// One sentence for people.
    pub(crate) detail: Cow<'static, str>,
    /// When to ask again.
    pub(crate) retry_after: Option<Duration>,
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
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, detail: detail.into(), retry_after: None }
    }

    /// Says in `Retry-After` when to ask again.
    pub(crate) fn until(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// The request is not what the route takes.
    pub(crate) fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// There is no such route or file.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here. Check the address.")
    }

    /// The route does not take this method.
    pub(crate) fn method_not_allowed() -> Self {
        let detail = "This address does not take that method. The Allow header names those that it takes.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    }

    /// Too many requests from an address; the next is welcome after `wait`.
    pub(crate) fn rate_limited(wait: Duration) -> Self {
        let detail = "Too many requests come from your network address. Wait a moment, then try again.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).until(wait)
    }

    /// The request did not come in time.
    pub(crate) fn timed_out() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "timeout", "Your request took too long to arrive. Try again.")
    }

    /// The server has no room for what is asked for.
    pub(crate) fn at_capacity() -> Self {
        Self::busy("The server is full. Try again in a moment.")
    }

    /// The server has room, but no time.
    fn busy(detail: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "at_capacity", detail).until(Duration::from_secs(10))
    }

    /// The server did not answer in time.
    pub(crate) fn overloaded() -> Self {
        Self::busy("The server has too much to do. Try again in a moment.")
    }

    /// The body is larger than the route takes.
    pub(crate) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The request's body is too large. Send less.")
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
        let response = Problem::too_large().into_response();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        let expected = serde_json::json!({
            "type": "about:blank",
            "title": "Payload Too Large",
            "status": 413,
            "detail": "The request's body is too large. Send less.",
            "code": "too_large",
        });
        assert_eq!(body(response).await, expected);
    }

    #[test]
    fn waiting_times_are_rounded_up_to_seconds() {
        let header = |wait| Problem::rate_limited(Duration::from_millis(wait)).into_response().headers()[RETRY_AFTER].clone();
        assert_eq!([header(0), header(1000), header(1001)], ["1", "1", "2"]);
    }

    #[test]
    fn who_must_say_who_they_are_is_told_how() {
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "session_required", "Who are you?");
        assert_eq!(problem.into_response().headers()[WWW_AUTHENTICATE], "Bearer");
    }
}
