//! Accepts connections and serves HTTP/1.1 on them, with a deadline for everything a stranger may
//! take time over.
//!
//! Invariants: the accept loop awaits nothing but the next connection, and that those it pushed out
//! are gone, which they are as soon as they are told; so there are never more descriptors than the
//! caps and [`LEAVING_MAX`] allow. A connection that is no WebSocket is closed at the deadline that
//! its [`Pace`] sets, however slowly it sends or reads.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use http::StatusCode;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use super::accepting::Accepting;
use super::address::PeerAddress;
use super::caps::{Caps, ConnectionPermit, LEAVING_MAX};
use super::limiter::AddressLimiter;
use super::pace::{Deadlines, Pace, PacedStream};
use super::problem::Problem;
use super::proxies::Proxies;
use super::proxy_protocol;
use super::remote::{Origin, Remote};
use crate::metrics::{self, TlsFailure};
use crate::tls::{Keeper, Stream, handshake};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;
/// Largest request head, bytes; hyper's least.
const HEAD_BYTES_MAX: usize = 8 * 1024;
/// Most headers of a request.
const HEADERS_MAX: usize = 64;
/// When a client that has too many connections through a proxy may come again.
const FULL_WAIT: Duration = Duration::from_secs(1);
/// How often a listener forgets what is over.
const HOUSEKEEPING: Duration = Duration::from_secs(5);

/// Opens a listening socket.
pub(crate) fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A server that restarts takes its port back from its predecessor's last connections.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Who may connect, for whom, and whether over TLS.
#[derive(Clone)]
pub(crate) struct Entrance {
    pub(crate) caps: Arc<Caps>,
    pub(crate) proxies: Arc<Proxies>,
    pub(crate) deadlines: Deadlines,
    pub(crate) tls: Option<Arc<Tls>>,
}

/// What there is beside plain HTTP.
pub(crate) struct Tls {
    /// The certificate.
    pub(crate) keeper: Arc<Keeper>,
    /// How often one address may shake hands.
    pub(crate) handshakes: AddressLimiter,
    /// Answers those who speak HTTP where TLS is spoken.
    pub(crate) plain: Router,
}

/// Serves `router` to everyone under the caps, for ever.
pub(crate) async fn serve(listener: TcpListener, router: Router, entrance: Entrance) {
    tokio::join!(accept(listener, router, &entrance), keep_house(&entrance));
}

async fn accept(listener: TcpListener, router: Router, entrance: &Entrance) {
    let mut http = http1::Builder::new();
    http.header_read_timeout(None).max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX).half_close(false);
    let mut accepting = Accepting::new(&listener);
    loop {
        entrance.caps.fewer_leaving_than(LEAVING_MAX).await;
        match listener.accept().await {
            Ok((stream, from)) => {
                let peer = PeerAddress::new(from.ip());
                match if entrance.proxies.trusts(peer) { entrance.caps.admit_proxy() } else { entrance.caps.admit(peer) } {
                    Ok(permit) => {
                        let connection = Connection { stream, peer, permit };
                        tokio::spawn(serve_connection(http.clone(), connection, router.clone(), entrance.clone()));
                    }
                    // Dropped without a word: an answer would cost what the cap protects.
                    Err(reject) => metrics::count_reject(reject),
                }
            }
            Err(error) => accepting.failed(&error, &listener, &entrance.caps).await,
        }
    }
}

/// Forgets what is over, for ever.
async fn keep_house(entrance: &Entrance) {
    loop {
        tokio::time::sleep(HOUSEKEEPING).await;
        if let Some(tls) = &entrance.tls {
            tls.handshakes.forget_idle();
        }
    }
}

/// One that was accepted.
struct Connection {
    stream: TcpStream,
    peer: PeerAddress,
    permit: Arc<ConnectionPermit>,
}

/// Until it ends, or its place is given to somebody else.
async fn serve_connection(http: http1::Builder, connection: Connection, router: Router, entrance: Entrance) {
    let permit = Arc::clone(&connection.permit);
    tokio::select! {
        () = converse(http, connection, router, &entrance) => {}
        () = permit.pushed_out() => {}
    }
}

/// What a connection begins with, then TLS, then HTTP.
async fn converse(http: http1::Builder, connection: Connection, router: Router, entrance: &Entrance) {
    let Connection { mut stream, peer, permit } = connection;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "connection was lost before its first request");
        return;
    }
    let heard = proxy_protocol::hear(&mut stream, peer, &entrance.proxies, &permit, entrance.deadlines).await;
    let Some(origin) = heard else { return };
    if let Some((stream, router)) = secure(stream, origin, router, entrance).await {
        serve_http(http, stream, origin, permit, router, entrance).await;
    }
}

/// The stream that HTTP goes over, and what answers there. `None` without TLS where it is spoken,
/// in the time that a request's head has.
async fn secure(stream: TcpStream, origin: Origin, router: Router, entrance: &Entrance) -> Option<(Stream, Router)> {
    let Some(tls) = &entrance.tls else { return Some((Stream::Plain(stream), router)) };
    let secured = tokio::time::timeout(entrance.deadlines.head, async {
        if !handshake::is_spoken(&stream).await? {
            return Ok((Stream::Plain(stream), tls.plain.clone()));
        }
        // All clients of a proxy that does not name them shake hands from its address.
        let client = if entrance.proxies.trusts(origin.peer) { origin.named } else { Some(origin.peer) };
        if client.is_some_and(|client| tls.handshakes.check(client.key()).is_err()) {
            return Err(TlsFailure::Rate);
        }
        Ok((Stream::Encrypted(Box::new(tls.keeper.accept(stream).await?)), router))
    });
    let failure = match secured.await {
        Ok(Ok(secured)) => return Some(secured),
        Ok(Err(failure)) => failure,
        Err(_) => TlsFailure::Timeout,
    };
    tracing::debug!(peer = %origin.peer, ?failure, "no TLS");
    metrics::count_tls_failure(failure);
    None
}

async fn serve_http(
    http: http1::Builder,
    stream: Stream,
    origin: Origin,
    permit: Arc<ConnectionPermit>,
    router: Router,
    entrance: &Entrance,
) {
    let Entrance { proxies, deadlines, .. } = entrance.clone();
    let pace = Pace::new(deadlines, Arc::clone(&permit));
    let stream = TokioIo::new(PacedStream::new(stream, Arc::clone(&pace)));
    let exchanges = Arc::clone(&pace);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let exchange = exchanges.request();
        let mut request = request.map(Body::new);
        let answering = Remote::new(&proxies, origin, Arc::clone(&permit), request.headers()).map(|remote| {
            remote.tell_if_nobodys(&proxies, request.uri().path());
            request.extensions_mut().insert(remote);
            router.clone().oneshot(request)
        });
        async move {
            let response = match answering {
                Ok(answering) => {
                    let Ok(response) = answering.await;
                    response
                }
                // Answered, not dropped: a proxy takes a dropped connection for a server that is
                // down.
                Err((client, reject)) => {
                    metrics::count_reject(reject);
                    tracing::debug!(%client, "a client of a proxy has as many connections as it may");
                    Problem::rate_limited(FULL_WAIT).into_response()
                }
            };
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                exchange.upgrade();
                return Ok::<_, Infallible>(response);
            }
            Ok(exchange.answer(response).map(Body::new))
        }
    });
    let mut connection = pin!(http.serve_connection(stream, service).with_upgrades());
    let mut timer = pin!(tokio::time::sleep(deadlines.head));
    // How an HTTP connection ends is its peer's business: nothing here fails with it.
    poll_fn(|context| match connection.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(()),
        Poll::Pending => pace.poll_overdue(timer.as_mut(), context),
    })
    .await;
}
