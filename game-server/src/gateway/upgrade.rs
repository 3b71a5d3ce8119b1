//! From an HTTP request to a WebSocket: the opening handshake of RFC 6455, as tungstenite answers
//! it, and the socket behind it.
//!
//! axum's own WebSocket support would also choose what carries the socket, and with which buffers.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{CONNECTION, HeaderName, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use http::{HeaderValue, Method, StatusCode};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

use crate::config::TransportKind;
use crate::http::pace::PacedStream;
use crate::http::problem::Problem;
use crate::http::remote::Remote;
use crate::tls::Stream;
use crate::transport::Socket;
use crate::transport::page::PageSocket;

/// Checks a handshake. Returns the 101 answer, which chooses `protocol` if given, and what becomes
/// the socket once it is sent.
pub(crate) fn accept(request: &mut Request, protocol: Option<HeaderValue>) -> Result<(Response, OnUpgrade), Problem> {
    let mut response = answer(request).map_err(|error| match error {
        ProtocolError::WrongHttpMethod => Problem::method_not_allowed(),
        ProtocolError::MissingSecWebSocketVersionHeader => Problem::bad_request("Only WebSocket version 13 is spoken here."),
        ProtocolError::MissingSecWebSocketKey => Problem::bad_request("A handshake has one Sec-WebSocket-Key."),
        ProtocolError::InvalidSecWebSocketKey => Problem::bad_request("Sec-WebSocket-Key must be 16 bytes in base64."),
        error if is_no_wish_to_upgrade(&error) => Problem::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", "This is a WebSocket."),
        _ => Problem::bad_request("This is no handshake of a WebSocket."),
    })?;
    if let Some(protocol) = protocol {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    Ok((response, hyper::upgrade::on(request)))
}

/// Whether this was a WebSocket's handshake before a proxy took the wish to upgrade out of it.
pub(crate) fn is_lost(request: &Request) -> bool {
    let has_key = request.method() == Method::GET && request.headers().contains_key(SEC_WEBSOCKET_KEY);
    has_key && answer(request).is_err_and(|error| is_no_wish_to_upgrade(&error))
}

/// The socket of a handshake that was answered. `None` if the connection was lost meanwhile.
pub(crate) async fn socket(transport: TransportKind, upgrading: OnUpgrade, remote: Remote) -> Option<Socket> {
    let (stream, already_read) = taken_over(upgrading).await?;
    Socket::over_stream(transport, stream, already_read, remote.client.ip(), remote.permit).await.ok()
}

/// The socket of a page that watches another server's match. `None` if the connection was lost
/// meanwhile.
pub(crate) async fn page(upgrading: OnUpgrade) -> Option<PageSocket> {
    let (stream, already_read) = taken_over(upgrading).await?;
    Some(PageSocket::on(stream, already_read).await)
}

/// The stream of a handshake that was answered, and what came with the request.
async fn taken_over(upgrading: OnUpgrade) -> Option<(Stream, Vec<u8>)> {
    let upgraded = upgrading.await.ok()?;
    let parts = upgraded.downcast::<TokioIo<PacedStream>>().ok()?;
    // Copied, not taken over: behind these few bytes, mostly none, is the HTTP read buffer of 8
    // KiB.
    let already_read = parts.read_buf.to_vec();
    Some((parts.io.into_inner().into_inner(), already_read))
}

fn answer(request: &Request) -> Result<Response, ProtocolError> {
    let mut keys = request.headers().get_all(SEC_WEBSOCKET_KEY).iter().skip(1);
    let answer = create_response_with_body(&with_lists_in_one_line(request), Body::empty);
    match answer {
        // Which of them would be meant nobody knows; tungstenite takes the first.
        Ok(_) if keys.next().is_some() => Err(ProtocolError::MissingSecWebSocketKey),
        Ok(response) => Ok(response),
        Err(Error::Protocol(error)) => Err(error),
        // It answers with nothing that a header could not hold.
        Err(_) => Err(ProtocolError::InvalidSecWebSocketKey),
    }
}

/// The request as tungstenite reads it. `Connection` and `Upgrade` are lists that a proxy may have
/// put into several lines; tungstenite looks at the first line, and for nothing but `websocket`.
fn with_lists_in_one_line(request: &Request) -> http::Request<()> {
    let mut copy = http::Request::new(());
    *copy.method_mut() = request.method().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    let has = |name: HeaderName, wanted: &str| {
        let lines = request.headers().get_all(name).into_iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).any(|item| item.trim().eq_ignore_ascii_case(wanted))
    };
    for (name, wanted) in [(CONNECTION, "upgrade"), (UPGRADE, "websocket")] {
        if has(name.clone(), wanted) {
            copy.headers_mut().insert(name, HeaderValue::from_static(wanted));
        }
    }
    copy
}

fn is_no_wish_to_upgrade(error: &ProtocolError) -> bool {
    matches!(
        error,
        ProtocolError::WrongHttpVersion | ProtocolError::MissingConnectionUpgradeHeader | ProtocolError::MissingUpgradeWebSocketHeader
    )
}

#[cfg(test)]
mod tests {
    use http::Version;
    use http::header::{SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_VERSION};

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
    fn a_proxy_may_write_lists_in_several_lines() {
        let lists = |connection: [&'static str; 2], upgrade: &'static str| {
            handshake(|request| {
                request.headers_mut().insert(CONNECTION, HeaderValue::from_static(connection[0]));
                request.headers_mut().append(CONNECTION, HeaderValue::from_static(connection[1]));
                request.headers_mut().insert(UPGRADE, HeaderValue::from_static(upgrade));
            })
        };
        assert!(lists(["keep-alive", "Upgrade"], "websocket").is_ok());
        assert!(lists(["upgrade", "TE"], "h2c, WebSocket").is_ok());
        assert_eq!(lists(["keep-alive", "TE"], "websocket").err(), Some(StatusCode::UPGRADE_REQUIRED));
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
