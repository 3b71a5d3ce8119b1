//! Accepts connections and serves HTTP/1.1 on them, with a deadline for everything a stranger may take time over.
//!
//! Invariants: the accept loop awaits nothing but the next connection; a connection that is no WebSocket lives for
//! `AGE_MAX` at most, however slowly it reads.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use super::address::AddressKey;
use super::caps::{Caps, ConnectionPermit};
use crate::metrics;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;
/// Largest request head, bytes; hyper's least.
const HEAD_BYTES_MAX: usize = 8 * 1024;
/// Most headers of a request.
const HEADERS_MAX: usize = 64;
/// An HTTP connection is told to finish after so long: whoever needs it longer is not reading what was sent.
const AGE_MAX: Duration = Duration::from_mins(1);
/// A connection that was told to finish is cut off after so long.
const FINISHING_MAX: Duration = Duration::from_secs(30);
/// Pause after a failed accept: most likely the process is out of descriptors, and asking again at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Who a request comes from. In every request's extensions.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// What its budgets are counted under.
    pub key: AddressKey,
    /// Its place under the caps.
    pub permit: Arc<ConnectionPermit>,
}

/// Opens a listening socket.
pub fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A server that restarts takes its port back from its predecessor's last connections.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Serves `router` to everyone under the caps, for ever. `header_timeout` bounds each request's head, and the pause before it.
pub async fn serve(listener: TcpListener, router: Router, caps: Arc<Caps>, header_timeout: Duration) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .half_close(false);
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let key = AddressKey::from(from.ip());
                match caps.admit(key) {
                    Ok(permit) => {
                        let peer = Peer { address: from.ip().to_canonical(), key, permit };
                        tokio::spawn(serve_connection(http.clone(), stream, router.clone(), peer));
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

async fn serve_connection(http: http1::Builder, stream: TcpStream, router: Router, peer: Peer) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(peer = %peer.address, %error, "connection was lost before its first request");
        return;
    }
    let permit = Arc::clone(&peer.permit);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        router.clone().oneshot(request)
    });
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
    // How an HTTP connection ends is its peer's business: nothing here fails with it.
    let served = async {
        if tokio::time::timeout(AGE_MAX, connection.as_mut()).await.is_err() {
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(FINISHING_MAX, connection).await;
        }
    };
    tokio::select! {
        () = served => {}
        () = permit.pushed_out() => {}
    }
}
