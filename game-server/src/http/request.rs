//! Reads what API requests carry: a small JSON body, a bearer token.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body as _;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::secrets::Bearer;

/// Largest request body, bytes.
pub(crate) const BODY_BYTES_MAX: usize = 4 * 1024;

/// The body as a `T`, if it is JSON, small, and there by `deadline`.
pub(crate) async fn json<T: DeserializeOwned>(request: Request, deadline: Duration) -> Result<T, Problem> {
    if !is_json(request.headers()) {
        let detail = "The body must be JSON, sent as application/json.";
        return Err(Problem::new(http::StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
    }
    let bytes = bytes(request, BODY_BYTES_MAX, deadline).await?;
    serde_json::from_slice(&bytes).map_err(|error| Problem::bad_request(format!("The body is not what is expected: {error}.")))
}

/// The body as [`json`] reads it; `None` if there is none.
pub(crate) async fn optional_json<T: DeserializeOwned>(request: Request, deadline: Duration) -> Result<Option<T>, Problem> {
    if request.body().is_end_stream() { Ok(None) } else { json(request, deadline).await.map(Some) }
}

/// Refuses a request that announces a body larger than any route takes, before anything of it is
/// read.
pub(crate) fn check_announced_length(headers: &HeaderMap) -> Result<(), Problem> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()).and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|length| length > BODY_BYTES_MAX as u64) { Err(Problem::too_large()) } else { Ok(()) }
}

/// The token of `Authorization: Bearer <token>`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<Bearer<'_>> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Bearer::new(token.trim()))
}

/// The body as it is, if it is small, and there by `deadline`.
pub(crate) async fn bytes(request: Request, bytes_max: usize, deadline: Duration) -> Result<bytes::Bytes, Problem> {
    tokio::time::timeout(deadline, read(request.into_body(), bytes_max)).await.map_err(|_| Problem::timed_out())?
}

async fn read(body: Body, bytes_max: usize) -> Result<bytes::Bytes, Problem> {
    let read = Limited::new(body, bytes_max).collect().await;
    read.map(http_body_util::Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() { Problem::too_large() } else { Problem::bad_request("The body did not arrive whole.") }
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    content_type.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}
