//! Accepts connections and serves HTTP/1.1 on them, with a deadline for everything a stranger may
//! take time over.
//!
//! Invariants: the accept loop awaits nothing but the next connection; a connection that is no
//! WebSocket is closed at the deadline that its [`Pace`] sets, however slowly it sends or reads.

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
use tokio::time::Instant;
use tower::ServiceExt;

use super::address::PeerAddress;
use super::caps::{Caps, ConnectionPermit};
use super::limiter::AddressLimiter;
use super::pace::{Deadlines, Pace, PacedStream};
use super::problem::Problem;
use super::proxies::Proxies;
use super::proxy_protocol;
use super::remote::{Origin, Remote};
use crate::metrics;
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
/// Pause after a failed accept: most likely the process is out of descriptors, and asking again at
/// once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

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

/// Who may connect, for whom, and how long everything may take.
#[derive(Clone, Debug)]
pub(crate) struct Entrance {
    pub(crate) caps: Arc<Caps>,
    pub(crate) proxies: Arc<Proxies>,
    pub(crate) deadlines: Deadlines,
}

/// What a listener serves, to whom, and whether over TLS.
pub(crate) struct Hall {
    router: Router,
    entrance: Entrance,
    tls: Option<Tls>,
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

impl Hall {
    /// Serves `router`; over TLS if there is some.
    pub(crate) fn new(router: Router, entrance: Entrance, tls: Option<Tls>) -> Arc<Self> {
        Arc::new(Self { router, entrance, tls })
    }

    /// Forgets what is over, for ever.
    pub(crate) async fn keep_house(&self) {
        loop {
            tokio::time::sleep(HOUSEKEEPING).await;
            if let Some(tls) = &self.tls {
                tls.handshakes.forget_idle();
            }
        }
    }
}

/// Serves everyone under the caps, for ever.
pub(crate) async fn serve(listener: TcpListener, hall: Arc<Hall>) {
    let Entrance { caps, proxies, .. } = &hall.entrance;
    let mut http = http1::Builder::new();
    http.header_read_timeout(None).max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX).half_close(false);
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let peer = PeerAddress::new(from.ip());
                match if proxies.trusts(peer) { caps.admit_proxy() } else { caps.admit(peer) } {
                    Ok(permit) => {
                        let connection = Connection { stream, peer, permit };
                        tokio::spawn(serve_connection(http.clone(), connection, Arc::clone(&hall)));
                    }
                    // Dropped without a word: an answer would cost what the cap protects.
                    Err(reject) => metrics::count_reject(reject),
                }
            }
            Err(error) => {
                metrics::count_reject(metrics::Reject::AcceptFailed);
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
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
async fn serve_connection(http: http1::Builder, connection: Connection, hall: Arc<Hall>) {
    let permit = Arc::clone(&connection.permit);
    tokio::select! {
        () = converse(http, connection, &hall) => {}
        () = permit.pushed_out() => {}
    }
}

/// What a connection begins with: a PROXY header, TLS, then HTTP.
async fn converse(http: http1::Builder, connection: Connection, hall: &Hall) {
    let Connection { mut stream, peer, permit } = connection;
    let Entrance { proxies, deadlines, .. } = &hall.entrance;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "connection was lost before its first request");
        return;
    }
    let Some(origin) = proxy_protocol::hear(&mut stream, peer, proxies, &permit, *deadlines).await else { return };
    let deadline = Instant::now() + deadlines.head;
    let secured = match tokio::time::timeout_at(deadline, secure(stream, origin, hall)).await {
        Ok(Ok(secured)) => secured,
        Ok(Err(error)) => {
            metrics::count_tls_failure(metrics::TlsFailure::Handshake);
            tracing::debug!(%peer, %error, "no TLS handshake");
            return;
        }
        Err(_) => {
            metrics::count_tls_failure(metrics::TlsFailure::Timeout);
            return;
        }
    };
    if let Some((stream, router)) = secured {
        serve_http(http, stream, origin, permit, router, &hall.entrance).await;
    }
}

/// The stream that HTTP goes over, and what answers there. `None` if this address has shaken hands
/// too often.
async fn secure(stream: TcpStream, origin: Origin, hall: &Hall) -> io::Result<Option<(Stream, Router)>> {
    let Some(tls) = &hall.tls else { return Ok(Some((Stream::Plain(stream), hall.router.clone()))) };
    if !handshake::is_spoken(&stream).await? {
        return Ok(Some((Stream::Plain(stream), tls.plain.clone())));
    }
    if tls.handshakes.check(origin.nearest().key()).is_err() {
        metrics::count_tls_failure(metrics::TlsFailure::Rate);
        return Ok(None);
    }
    let stream = tls.keeper.accept(stream).await?;
    Ok(Some((Stream::Encrypted(Box::new(stream)), hall.router.clone())))
}

async fn serve_http(
    http: http1::Builder,
    stream: Stream,
    origin: Origin,
    permit: Arc<ConnectionPermit>,
    router: Router,
    entrance: &Entrance,
) {
    let Entrance { deadlines, proxies, .. } = entrance.clone();
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
                // Answered, not dropped: a proxy takes a dropped connection for a server that is down.
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
            Ok(exchange.answer(response))
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
