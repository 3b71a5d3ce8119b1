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
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use http::StatusCode;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use super::address::PeerAddress;
use super::caps::{Caps, ConnectionPermit, LEAVING_MAX};
use super::pace::{Deadlines, Pace, PacedStream};
use super::remote::Remote;
use crate::metrics;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;
/// Largest request head, bytes; hyper's least.
const HEAD_BYTES_MAX: usize = 8 * 1024;
/// Most headers of a request.
const HEADERS_MAX: usize = 64;
/// Pause after an accept that failed and that nothing here mends: asking again at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What keeps the server from accepting has a log line so often.
const TOLD_AGAIN: Duration = Duration::from_mins(1);

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

/// Serves `router` to everyone under the caps, for ever.
pub(crate) async fn serve(listener: TcpListener, router: Router, caps: Arc<Caps>, deadlines: Deadlines) {
    let mut http = http1::Builder::new();
    http.header_read_timeout(None).max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX).half_close(false);
    let mut spare = spare_descriptor(&listener);
    let mut told: Option<Instant> = None;
    loop {
        caps.fewer_leaving_than(LEAVING_MAX).await;
        match listener.accept().await {
            Ok((stream, from)) => {
                let peer = PeerAddress::new(from.ip());
                match caps.admit(peer) {
                    Ok(permit) => {
                        let connection = Connection { stream, peer, permit };
                        tokio::spawn(serve_connection(http.clone(), connection, router.clone(), deadlines));
                    }
                    // Dropped without a word: an answer would cost what the cap protects.
                    Err(reject) => metrics::count_reject(reject),
                }
            }
            Err(error) => {
                metrics::count_reject(metrics::Reject::AcceptFailed);
                if is_lost(&error) {
                    continue;
                }
                if told.is_none_or(|told| told.elapsed() > TOLD_AGAIN) {
                    told = Some(Instant::now());
                    tracing::warn!(%error, "cannot accept a connection");
                }
                if !is_out_of_descriptors(&error) {
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                } else if caps.make_room() {
                    caps.fewer_leaving_than(1).await;
                } else {
                    turn_one_away(&listener, &mut spare).await;
                }
            }
        }
    }
}

/// A descriptor to be given up for one that is missing. `None` if there is none already.
fn spare_descriptor(listener: &TcpListener) -> Option<Socket> {
    SockRef::from(listener).try_clone().ok()
}

/// The process has no descriptor left, and no stranger whose could be taken. One who waits is
/// accepted with the spare one and closed: else whoever waits would wait until it gives up.
async fn turn_one_away(listener: &TcpListener, spare: &mut Option<Socket>) {
    if spare.take().is_some() {
        let accepted = tokio::time::timeout(ACCEPT_PAUSE, listener.accept()).await;
        drop(accepted);
    } else {
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
    *spare = spare_descriptor(listener);
}

/// The peer went away before it was accepted: that is no reason to pause.
fn is_lost(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

/// The process, or the system, has as many open files as it may have.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error().is_some_and(|code| {
        use rustix::io::Errno;
        code == Errno::MFILE.raw_os_error() || code == Errno::NFILE.raw_os_error()
    });
    #[cfg(not(unix))]
    return error.kind() == io::ErrorKind::OutOfMemory;
}

/// One that was accepted.
struct Connection {
    stream: TcpStream,
    peer: PeerAddress,
    permit: Arc<ConnectionPermit>,
}

async fn serve_connection(http: http1::Builder, connection: Connection, router: Router, deadlines: Deadlines) {
    let Connection { stream, peer, permit } = connection;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "connection was lost before its first request");
        return;
    }
    let pace = Pace::new(deadlines, Arc::clone(&permit));
    let stream = TokioIo::new(PacedStream::new(stream, Arc::clone(&pace)));
    let (exchanges, place) = (Arc::clone(&pace), Arc::clone(&permit));
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let exchange = exchanges.request();
        let mut request = request.map(Body::new);
        let remote = Remote::new(peer, Arc::clone(&place), request.headers());
        request.extensions_mut().insert(remote);
        let answering = router.clone().oneshot(request);
        async move {
            let Ok(response) = answering.await;
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
