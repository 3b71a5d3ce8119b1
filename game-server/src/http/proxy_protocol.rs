//! What a connection begins with before TLS and HTTP: a PROXY header, of those proxies that are
//! told to send one.
//!
//! Invariants: a header is taken off the stream to its last byte, and no byte of what follows; one
//! that nobody may send, or that does not come, ends the connection, and the operator is told why.

use std::io;
use std::net::IpAddr;
use std::time::Instant;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::address::PeerAddress;
use super::caps::ConnectionPermit;
use super::pace::Deadlines;
use super::proxies::Proxies;
use super::proxy_header::{self, Malformed, Parsed};
use super::remote::Origin;
use crate::config::ProxyProtocol;
use crate::metrics::{self, Reject};

/// Read at once of a header.
const PIECE_BYTES: usize = 256;
/// Enough to know what a stream begins with.
const GLANCE_BYTES: usize = 12;
const CERTAIN_BYTES: usize = 6;

/// Why a connection ends before it has begun.
#[derive(Debug, thiserror::Error)]
enum Refused {
    /// Of a proxy that should send a header.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Of a proxy that should send a header.
    #[error("its PROXY header did not come in time")]
    Late,
    /// Of anybody else.
    #[error("it begins with a PROXY header")]
    Unexpected,
    /// It went by itself.
    #[error(transparent)]
    Lost(#[from] io::Error),
}

/// Hears what `peer` says before TLS and HTTP. `None` if its connection is to be dropped.
pub(super) async fn hear(
    stream: &mut TcpStream,
    peer: PeerAddress,
    proxies: &Proxies,
    permit: &ConnectionPermit,
    deadlines: Deadlines,
) -> Option<Origin> {
    let protocol = proxies.protocol_of(peer);
    let heard = if protocol == ProxyProtocol::Off {
        glance(stream, permit, deadlines).await.map(|()| None)
    } else {
        let read = tokio::time::timeout(deadlines.head, read(stream, protocol));
        read.await.unwrap_or(Err(Refused::Late))
    };
    match heard {
        Ok(client) => {
            let named = client.map(PeerAddress::new);
            if let Some(named) = named.filter(|named| !proxies.trusts(*named))
                && let Err(reject) = permit.belongs_to(named.as_client())
            {
                metrics::count_reject(reject);
                return None;
            }
            Some(Origin { peer, named })
        }
        Err(Refused::Lost(error)) => {
            tracing::debug!(%peer, %error, "connection was lost before its first request");
            None
        }
        Err(refused) => {
            metrics::count_reject(Reject::ProxyHeader);
            tell(proxies, peer, &refused);
            None
        }
    }
}

/// Takes the header off the stream. Bytes are looked at before they are taken: what follows stays.
async fn read(stream: &mut TcpStream, protocol: ProxyProtocol) -> Result<Option<IpAddr>, Refused> {
    let (mut header, mut piece) = (Vec::new(), [0; PIECE_BYTES]);
    loop {
        let taken = header.len();
        let seen = stream.peek(&mut piece).await?;
        if seen == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        header.extend(piece.iter().take(seen));
        let (more, client) = match parse(protocol, &header)? {
            Parsed::Incomplete => (seen, None),
            Parsed::Complete { client, bytes } => (bytes - taken, Some(client)),
        };
        stream.read_exact(piece.get_mut(..more).unwrap_or_default()).await?;
        if let Some(client) = client {
            return Ok(client);
        }
    }
}

fn parse(protocol: ProxyProtocol, header: &[u8]) -> Result<Parsed, Malformed> {
    let is_text = header.first() == Some(&b'P');
    match protocol {
        ProxyProtocol::V1 => proxy_header::parse_v1(header),
        ProxyProtocol::Any if is_text => proxy_header::parse_v1(header),
        ProxyProtocol::V2 | ProxyProtocol::Any => proxy_header::parse_v2(header),
        ProxyProtocol::Off => Err(Malformed::Missing),
    }
}

/// Waits for the first bytes, as long as a connection may rest, and looks at them. They stay.
async fn glance(stream: &TcpStream, permit: &ConnectionPermit, deadlines: Deadlines) -> Result<(), Refused> {
    let mut first = [0; GLANCE_BYTES];
    let seen = if let Ok(seen) = tokio::time::timeout(deadlines.head, stream.peek(&mut first)).await {
        seen?
    } else {
        // Browsers and proxies open connections before they need them.
        permit.idle();
        let seen = tokio::time::timeout(deadlines.idle, stream.peek(&mut first)).await;
        seen.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??
    };
    let first = first.get(..seen).unwrap_or_default();
    // Fewer could be the empty lines that HTTP allows before a request.
    if first.len() >= CERTAIN_BYTES && proxy_header::looks_like_one(first) { Err(Refused::Unexpected) } else { Ok(()) }
}

fn tell(proxies: &Proxies, peer: PeerAddress, refused: &Refused) {
    let is_trusted = proxies.trusts(peer);
    let remedy = match refused {
        Refused::Unexpected if is_trusted => "set proxies.protocol, or let the proxy send none",
        Refused::Unexpected => {
            "if this is your proxy, add its address to proxies.trusted and set proxies.protocol; nobody else is believed"
        }
        _ => {
            "let the proxy send one as proxies.protocol says (HAProxy: send-proxy-v2; nginx: proxy_protocol on), or set proxies.protocol \
             to off, or take the address out of proxies.trusted"
        }
    };
    if proxies.is_news(Instant::now(), peer, remedy) {
        tracing::warn!(%peer, is_trusted, reason = %refused, remedy, "a connection is refused for its PROXY header");
    }
}
