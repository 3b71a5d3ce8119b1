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
use tower::ServiceExt;

use super::address::PeerAddress;
use super::caps::{Caps, ConnectionPermit};
use super::pace::{Deadlines, Pace, PacedStream};
use super::problem::Problem;
use super::proxies::Proxies;
use super::proxy_protocol;
use super::remote::Remote;
use crate::metrics;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;
/// Largest request head, bytes; hyper's least.
const HEAD_BYTES_MAX: usize = 8 * 1024;
/// Most headers of a request.
const HEADERS_MAX: usize = 64;
/// When a client that has too many connections through a proxy may come again.
const FULL_WAIT: Duration = Duration::from_secs(1);
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

/// Who may connect, and for whom.
#[derive(Clone, Debug)]
pub(crate) struct Entrance {
    pub(crate) caps: Arc<Caps>,
    pub(crate) proxies: Arc<Proxies>,
    pub(crate) deadlines: Deadlines,
}

/// Serves `router` to everyone under the caps, for ever.
pub(crate) async fn serve(listener: TcpListener, router: Router, entrance: Entrance) {
    let Entrance { caps, proxies, deadlines } = entrance;
    let mut http = http1::Builder::new();
    http.header_read_timeout(None).max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX).half_close(false);
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let peer = PeerAddress::new(from.ip());
                match if proxies.trusts(peer) { caps.admit_proxy() } else { caps.admit(peer) } {
                    Ok(permit) => {
                        let connection = Connection { stream, peer, permit, proxies: Arc::clone(&proxies) };
                        tokio::spawn(serve_connection(http.clone(), connection, router.clone(), deadlines));
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
    proxies: Arc<Proxies>,
}

async fn serve_connection(http: http1::Builder, connection: Connection, router: Router, deadlines: Deadlines) {
    let Connection { mut stream, peer, permit, proxies } = connection;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "connection was lost before its first request");
        return;
    }
    let origin = tokio::select! {
        origin = proxy_protocol::hear(&mut stream, peer, &proxies, &permit, deadlines) => origin,
        () = permit.pushed_out() => None,
    };
    let Some(origin) = origin else { return };
    let pace = Pace::new(deadlines, Arc::clone(&permit));
    let stream = TokioIo::new(PacedStream::new(stream, Arc::clone(&pace)));
    let (exchanges, place) = (Arc::clone(&pace), Arc::clone(&permit));
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let exchange = exchanges.request();
        let mut request = request.map(Body::new);
        let answering = Remote::new(&proxies, origin, Arc::clone(&place), request.headers()).map(|remote| {
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
            Ok(response.map(|body| Body::new(exchange.answer(body))))
        }
    });
    let mut connection = pin!(http.serve_connection(stream, service).with_upgrades());
    let mut timer = pin!(tokio::time::sleep(deadlines.head));
    // How an HTTP connection ends is its peer's business: nothing here fails with it.
    let served = poll_fn(|context| match connection.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(()),
        Poll::Pending => pace.poll_overdue(timer.as_mut(), context),
    });
    tokio::select! {
        () = served => {}
        () = permit.pushed_out() => {}
    }
}
