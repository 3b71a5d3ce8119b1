//! From an HTTP request to a WebSocket: the opening handshake of RFC 6455, answered by hand, and the socket behind it.
//!
//! By hand because the socket goes to another thread with exactly the buffers that [`Socket`] sets; axum's own WebSocket
//! support would choose both for us.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::http::pace::PacedStream;
use crate::http::problem::Problem;
use crate::http::remote::Remote;
use crate::session::Socket;

/// Checks a handshake. Returns the 101 answer, which chooses `protocol` if given, and what becomes the socket once it is sent.
pub(crate) fn accept(request: &mut Request, protocol: Option<HeaderValue>) -> Result<(Response, OnUpgrade), Problem> {
    let headers = request.headers();
    if request.method() != Method::GET {
        return Err(Problem::method_not_allowed());
    }
    let wants_websocket = has_token(headers, CONNECTION, "upgrade") && has_token(headers, UPGRADE, "websocket");
    if request.version() != Version::HTTP_11 || !wants_websocket {
        return Err(Problem::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", "This is a WebSocket."));
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Problem::bad_request("Only WebSocket version 13 is spoken here."));
    }
    let mut keys = headers.get_all(SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(Problem::bad_request("A handshake has one Sec-WebSocket-Key."));
    };
    if !is_key(key.as_bytes()) {
        return Err(Problem::bad_request("Sec-WebSocket-Key must be 16 bytes in base64."));
    }
    let accept =
        HeaderValue::from_str(&derive_accept_key(key.as_bytes())).map_err(|_| Problem::bad_request("The handshake has a bad key."))?;

    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let answer = response.headers_mut();
    answer.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    answer.insert(UPGRADE, HeaderValue::from_static("websocket"));
    answer.insert(SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(protocol) = protocol {
        answer.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    Ok((response, hyper::upgrade::on(request)))
}

/// Whether this was a WebSocket's handshake before a proxy took the wish to upgrade out of it.
pub(crate) fn is_lost(request: &Request) -> bool {
    let headers = request.headers();
    let is_whole =
        request.version() == Version::HTTP_11 && has_token(headers, CONNECTION, "upgrade") && has_token(headers, UPGRADE, "websocket");
    request.method() == Method::GET && headers.contains_key(SEC_WEBSOCKET_KEY) && !is_whole
}

/// The socket of a handshake that was answered. `None` if the connection was lost meanwhile.
pub(crate) async fn socket(upgrading: OnUpgrade, remote: Remote) -> Option<Socket> {
    let upgraded = upgrading.await.ok()?;
    let parts = upgraded.downcast::<TokioIo<PacedStream>>().ok()?;
    // Copied, not taken over: behind these few bytes, mostly none, is the HTTP read buffer of 8 KiB.
    let already_read = parts.read_buf.to_vec();
    Some(Socket::new(parts.io.into_inner().into_inner(), already_read, remote.client.ip(), remote.permit))
}

/// Whether a comma-separated header has `token`, in any case.
fn has_token(headers: &HeaderMap, name: http::HeaderName, token: &str) -> bool {
    let values = headers.get_all(name);
    values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// 16 bytes in base64: 22 digits and two signs of padding.
fn is_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == 24 && key.strip_suffix(b"==").is_some_and(|digits| digits.iter().all(is_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handshake(change: impl FnOnce(&mut Request)) -> Result<Response, StatusCode> {
        let request = Request::get("/ws")
            .header(CONNECTION, "keep-alive, Upgrade")
            .header(UPGRADE, "WebSocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
        let mut request = request.body(Body::empty()).expect("a request");
        change(&mut request);
        accept(&mut request, None).map(|(response, _)| response).map_err(|problem| problem.status)
    }

    #[test]
    fn the_example_of_the_rfc_is_answered_as_there() {
        let response = handshake(|_| ()).expect("accepted");
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(response.headers()[SEC_WEBSOCKET_ACCEPT], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn anything_else_is_refused() {
        let header = |name: http::HeaderName, value: &'static str| {
            handshake(|request| drop(request.headers_mut().insert(name, HeaderValue::from_static(value)))).err()
        };
        assert_eq!(header(CONNECTION, "keep-alive"), Some(StatusCode::UPGRADE_REQUIRED));
        assert_eq!(header(UPGRADE, "h2c"), Some(StatusCode::UPGRADE_REQUIRED));
        assert_eq!(header(SEC_WEBSOCKET_VERSION, "8"), Some(StatusCode::BAD_REQUEST));
        assert_eq!(header(SEC_WEBSOCKET_KEY, "short=="), Some(StatusCode::BAD_REQUEST));
        assert_eq!(header(SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25j*Q=="), Some(StatusCode::BAD_REQUEST));
        assert_eq!(handshake(|request| *request.method_mut() = Method::POST).err(), Some(StatusCode::METHOD_NOT_ALLOWED));
        assert_eq!(handshake(|request| *request.version_mut() = Version::HTTP_10).err(), Some(StatusCode::UPGRADE_REQUIRED));
        let second = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        assert!(handshake(|request| assert!(request.headers_mut().append(SEC_WEBSOCKET_KEY, second))).is_err());
    }
}
