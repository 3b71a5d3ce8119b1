//! `/stream`: the same messages over HTTP, for where no WebSocket gets through.
//!
//! `POST stream` with Hello opens a connection and answers with its secret, which every other
//! request shows as a bearer token. Then either `POST stream/down` answers with all that the match
//! says, as long as the connection lasts; or `POST stream/poll` answers with the next message,
//! again and again. `POST stream/up` brings the client's messages, in numbered batches.
//!
//! Invariants: a page's origin is checked before anything is counted; a secret that is unknown and
//! one whose connection is over get the same answer; what a request brings is bounded in bytes,
//! messages and time, and metered as what comes over a WebSocket is.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use tickwire_protocol::Secret;
use tickwire_protocol::limits::BATCH_BYTES_MAX;

use super::admission;
use super::shared::Gateway;
use crate::config::ms;
use crate::http::pace::Streamed;
use crate::http::problem::Problem;
use crate::http::refusals::Cause;
use crate::http::remote::Remote;
use crate::http::request;
use crate::metrics;
use crate::transport::http_stream::framing::{Malformed, parse_batch, parse_messages, parse_number};
use crate::transport::http_stream::{HttpEnd, Refused};

/// Largest body that opens a connection: Hello is much shorter.
const HELLO_BYTES_MAX: usize = 512;
/// Bodies are bytes; a page of another site cannot send this type without being asked first.
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
/// A response that takes nothing is closed so long after its session is.
const STALLED: Duration = Duration::from_secs(5);
/// Asks a proxy not to keep back what is to be passed on at once.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The routes under `/stream`.
pub(crate) fn router(gateway: &Arc<Gateway>) -> Router {
    let routes = Router::new()
        .route("/stream", post(open))
        .route("/stream/down", post(down))
        .route("/stream/poll", post(poll))
        .route("/stream/up", post(up))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .with_state(Arc::clone(gateway));
    routes.layer(from_fn_with_state(Arc::clone(gateway), guard))
}

/// What every request goes through: its page's origin, and what proxies and browsers may do with
/// the answer. The other headers of the server's answers are for pages: they would be most of what
/// is sent here.
async fn guard(State(gateway): State<Arc<Gateway>>, Extension(remote): Extension<Remote>, request: Request, next: Next) -> Response {
    let mut response = if gateway.origins.allow(request.headers()) {
        next.run(request).await
    } else {
        gateway.refuse_page(Cause::Origin, &remote, request.headers()).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[derive(Serialize)]
struct Opened {
    stream: String,
}

/// Hello, and what it is answered with waits for the first `down` or `poll`.
async fn open(
    State(gateway): State<Arc<Gateway>>,
    Extension(remote): Extension<Remote>,
    request: Request,
) -> Result<(StatusCode, Json<Opened>), Problem> {
    let whose = admission::allow_handshake(&gateway, remote.client, request.uri().query())?;
    let body = octets(request, HELLO_BYTES_MAX, ms(gateway.config.connections.hello_ms)).await?;
    let messages = parse_messages(&body).map_err(|_| malformed())?;
    let [hello] = messages.as_slice() else { return Err(malformed()) };
    let door = admission::knock(&gateway, remote.client, body.get(hello.clone()).unwrap_or_default()).await;
    let (watcher, is_known) = (gateway.watcher(whose, remote.client), door.is_ok());
    let watcher = move |reason| {
        if is_known {
            watcher(reason);
        }
    };
    let (secret, socket) = gateway.streams.open(remote.client, body.len() as u64, watcher).map_err(|reject| {
        metrics::count_reject(reject);
        Problem::at_capacity()
    })?;
    let refused = match door {
        Ok(door) => door.enter(socket).map(|(socket, reason)| (socket, reason.into())),
        Err(farewell) => Some((socket, farewell)),
    };
    if let Some((socket, farewell)) = refused {
        let reason = farewell.reason();
        tracing::debug!(client = %remote.client, reason = reason.name(), "connection refused");
        metrics::count_close(reason);
        tokio::spawn(socket.refuse(farewell));
    }
    Ok((StatusCode::CREATED, Json(Opened { stream: secret.reveal() })))
}

/// All that the match says, in one response.
async fn down(State(gateway): State<Arc<Gateway>>, Extension(remote): Extension<Remote>, request: Request) -> Result<Response, Problem> {
    let end = find(&gateway, &remote, request.headers())?;
    let body = end.respond().map_err(refusal)?;
    metrics::count_slower_path(metrics::SlowerPath::Stream);
    let session = &gateway.config.session;
    let streamed = Streamed {
        stall: ms(session.slow_ms) + STALLED,
        send_buffer_bytes: session.send_buffer_bytes,
        flushed: Arc::new(move || end.flushed()),
    };
    let mut response = Response::new(Body::from_stream(body));
    response.extensions_mut().insert(streamed);
    response.headers_mut().insert(CONTENT_TYPE, OCTETS);
    response.headers_mut().insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

/// The next message, or the last one again.
async fn poll(State(gateway): State<Arc<Gateway>>, Extension(remote): Extension<Remote>, request: Request) -> Result<Response, Problem> {
    let end = find(&gateway, &remote, request.headers())?;
    let number = parse_number(&brought(&gateway, request).await?).map_err(|_| broken(&end))?;
    if number == 0 {
        metrics::count_slower_path(metrics::SlowerPath::Poll);
    }
    let answer = end.poll(number).await.map_err(refusal)?;
    Ok(([(CONTENT_TYPE, OCTETS)], answer).into_response())
}

/// A batch of the client's messages.
async fn up(State(gateway): State<Arc<Gateway>>, Extension(remote): Extension<Remote>, request: Request) -> Result<StatusCode, Problem> {
    let end = find(&gateway, &remote, request.headers())?;
    let body = brought(&gateway, request).await?;
    let batch = parse_batch(&body).map_err(|_: Malformed| broken(&end))?;
    let delivered = tokio::time::timeout(ms(gateway.config.connections.request_ms), end.deliver(batch.number, &body, &batch.messages));
    delivered.await.map_err(|_| Problem::overloaded())?.map_err(refusal)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The connection whose secret a request shows. Guesses are counted as any stranger's mistakes are.
fn find(gateway: &Gateway, remote: &Remote, headers: &HeaderMap) -> Result<HttpEnd, Problem> {
    let secret = request::bearer(headers).and_then(|token| token.reveal().parse::<Secret>().ok());
    if let Some(end) = secret.and_then(|secret| gateway.streams.find(secret, &remote.permit)) {
        return Ok(end);
    }
    gateway.rates.strangers.check(remote.client).map_err(Problem::rate_limited)?;
    Err(gone())
}

async fn brought(gateway: &Gateway, request: Request) -> Result<Bytes, Problem> {
    octets(request, BATCH_BYTES_MAX, ms(gateway.config.connections.request_ms)).await
}

async fn octets(request: Request, bytes_max: usize, deadline: Duration) -> Result<Bytes, Problem> {
    if request.headers().get(CONTENT_TYPE) != Some(&OCTETS) {
        let detail = "The body must be bytes, sent as application/octet-stream.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
    }
    request::bytes(request, bytes_max, deadline).await
}

/// A whole body that breaks the protocol ends the session, as such a WebSocket message does.
fn broken(end: &HttpEnd) -> Problem {
    end.violate();
    malformed()
}

fn malformed() -> Problem {
    Problem::bad_request("The body is not laid out as the protocol has it.")
}

fn gone() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "stream_gone", "There is no such connection, or it is over. Connect again.")
}

fn refusal(refused: Refused) -> Problem {
    match refused {
        Refused::Gone => gone(),
        Refused::OutOfOrder => Problem::new(StatusCode::CONFLICT, "out_of_order", "Another number is due. Connect again."),
        Refused::Second => {
            Problem::new(StatusCode::CONFLICT, "second_stream", "This connection is read by another request. Connect again.")
        }
        Refused::TooOften => Problem::rate_limited(Duration::from_secs(1)),
    }
}
