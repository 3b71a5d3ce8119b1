//! `/ws`: handshake, Hello, and the socket goes to its match.
//!
//! Invariants: a stranger has one deadline from the handshake to a valid Hello, however it spends the time; a ticket is
//! redeemed only when everything else about the Hello is right, so an outdated client does not burn it; who resumes is
//! told the same whether the match or the token is unknown.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use axum::{Extension, Router};
use http::StatusCode;
use hyper::upgrade::OnUpgrade;
use tickwire_protocol::codec::decode_prefix;
use tickwire_protocol::limits::CLIENT_MESSAGE_BYTES_MAX;
use tickwire_protocol::{CloseReason, Credential, PROTOCOL_VERSION};

use super::listener::Peer;
use super::problem::Problem;
use super::{GameFacts, Gateway, Hello, upgrade};
use crate::config::ms;
use crate::matches::Command;
use crate::metrics;
use crate::session::Socket;
use crate::session::frame::Incoming;
use crate::session::socket::Broken;

/// Most bytes a stranger may send, framing included, before its first message is complete.
const STRANGER_BYTES_MAX: u64 = 4 * CLIENT_MESSAGE_BYTES_MAX as u64;

/// The route of the WebSocket.
pub fn router(gateway: &Arc<Gateway>) -> Router {
    Router::new().route("/ws", any(handshake)).with_state(Arc::clone(gateway))
}

async fn handshake(
    State(gateway): State<Arc<Gateway>>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
) -> Result<Response, Problem> {
    gateway.rates.handshakes.check(peer.key).map_err(|wait| {
        metrics::count_reject(metrics::Reject::HandshakeRate);
        Problem::rate_limited(wait)
    })?;
    if !gateway.origins.allow(request.headers()) {
        metrics::count_reject(metrics::Reject::Origin);
        return Err(Problem::new(StatusCode::FORBIDDEN, "origin_not_allowed", "Pages of that origin may not connect here."));
    }
    let (response, upgrading) = upgrade::accept(&mut request, None)?;
    let permit = Arc::clone(&peer.permit);
    tokio::spawn(async move {
        tokio::select! {
            () = admit(gateway, upgrading, peer) => {}
            () = permit.pushed_out() => {}
        }
    });
    Ok(response)
}

/// Waits for Hello and hands the socket over, or says why not.
async fn admit(gateway: Arc<Gateway>, upgrading: OnUpgrade, peer: Peer) {
    let permit = Arc::clone(&peer.permit);
    let address = peer.address;
    let deadline = tokio::time::Instant::now() + ms(gateway.config.connections.hello_ms);
    let Ok(Some(mut socket)) = tokio::time::timeout_at(deadline, upgrade::socket(upgrading, peer)).await else { return };
    let heard = tokio::time::timeout_at(deadline, first_message(&mut socket)).await;
    let welcome = heard.unwrap_or(Err(Unheard::Refused(CloseReason::HelloTimeout))).and_then(|bytes| {
        let hello = understand(&gateway.game, &bytes).map_err(Unheard::Refused)?;
        route(&gateway, hello.credential).map_err(Unheard::Refused)
    });
    let reason = match welcome {
        Ok(door) => {
            if !permit.authenticate() {
                return;
            }
            let Some((returned, reason)) = door.enter(socket) else { return };
            socket = returned;
            reason
        }
        Err(Unheard::Gone) => return,
        Err(Unheard::Refused(reason)) => reason,
    };
    tracing::debug!(peer = %address, reason = reason.name(), "connection refused");
    metrics::count_close(reason);
    socket.refuse(reason).await;
}

/// Why there is no first message to act on.
enum Unheard {
    /// The stranger left.
    Gone,
    /// It is told why it may not stay.
    Refused(CloseReason),
}

/// The first message, which must be binary, and complete before too many bytes have come.
async fn first_message(socket: &mut Socket) -> Result<Vec<u8>, Unheard> {
    let first = poll_fn(|context| {
        let polled = socket.poll_next(context, |incoming| match incoming {
            Incoming::Binary(bytes) => Ok(bytes.into_owned()),
            Incoming::Close(_) => Err(Unheard::Gone),
            Incoming::Ping(_) | Incoming::Pong => Err(Unheard::Refused(CloseReason::Malformed)),
        });
        match polled {
            Poll::Pending if socket.bytes_read() > STRANGER_BYTES_MAX => Poll::Ready(Err(Unheard::Refused(CloseReason::RateLimited))),
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(heard)) => Poll::Ready(heard),
            Poll::Ready(Err(Broken::Lost)) => Poll::Ready(Err(Unheard::Gone)),
            Poll::Ready(Err(Broken::Violated(_))) => Poll::Ready(Err(Unheard::Refused(CloseReason::Malformed))),
        }
    });
    first.await
}

/// The Hello of a client that speaks this protocol about this game.
fn understand(game: &GameFacts, bytes: &[u8]) -> Result<Hello, CloseReason> {
    let hello = (game.decode_hello)(bytes).ok_or_else(|| blame_version(bytes))?;
    if hello.protocol != PROTOCOL_VERSION {
        return Err(CloseReason::WrongProtocol);
    }
    if hello.schema != game.schema_hash {
        return Err(CloseReason::WrongSchema);
    }
    Ok(hello)
}

/// A Hello of another version may be laid out differently, but it begins alike: which message it is, and the version.
fn blame_version(bytes: &[u8]) -> CloseReason {
    match decode_prefix::<(u32, u16), 16>(bytes) {
        Ok(((0, version), _)) if version != PROTOCOL_VERSION => CloseReason::WrongProtocol,
        _ => CloseReason::Malformed,
    }
}

/// Where an admitted socket goes.
struct Door {
    handle: crate::matches::MatchHandle,
    ask: Ask,
}

enum Ask {
    Attach(tickwire_protocol::PlayerId, tickwire_protocol::Secret),
    Resume(tickwire_protocol::Secret),
}

fn route(gateway: &Gateway, credential: Credential) -> Result<Door, CloseReason> {
    match credential {
        Credential::Ticket(secret) => {
            let ticket = gateway.tickets().find(Instant::now(), secret).ok_or(CloseReason::BadTicket)?;
            Ok(Door { handle: ticket.handle, ask: Ask::Attach(ticket.player, secret) })
        }
        Credential::Resume { match_id, token } => {
            let handle = gateway.directory.find(match_id).ok_or(CloseReason::BadResume)?;
            Ok(Door { handle, ask: Ask::Resume(token) })
        }
    }
}

impl Door {
    /// Hands the socket to the match. What comes back, the match did not take, and why.
    fn enter(self, socket: Socket) -> Option<(Socket, CloseReason)> {
        let command = match self.ask {
            Ask::Attach(player, ticket) => Command::Attach { player, ticket, socket: Box::new(socket) },
            Ask::Resume(token) => Command::Resume { token, socket: Box::new(socket) },
        };
        let (refused, reason) = self.handle.send(command).err()?;
        refused.into_socket().map(|socket| (socket, reason))
    }
}

#[cfg(test)]
mod tests {
    use tickwire_protocol::codec::encode;
    use tickwire_protocol::{ClientMessage, Secret};

    use super::*;

    const GAME: GameFacts = GameFacts {
        name: "none",
        schema_hash: 7,
        decode_hello: |bytes| match ClientMessage::<u8>::decode(bytes) {
            Ok(ClientMessage::Hello { protocol, schema, credential }) => Some(Hello { protocol, schema, credential }),
            _ => None,
        },
    };

    fn hello(protocol: u16, schema: u64) -> Vec<u8> {
        encode(&ClientMessage::<u8>::Hello { protocol, schema, credential: Credential::Ticket(Secret([1; 16])) })
    }

    fn refusal(bytes: &[u8]) -> Option<CloseReason> {
        understand(&GAME, bytes).err()
    }

    #[test]
    fn only_the_right_version_of_the_right_game_is_heard() {
        assert_eq!(refusal(&hello(PROTOCOL_VERSION, 7)), None);
        assert_eq!(refusal(&hello(PROTOCOL_VERSION + 1, 7)), Some(CloseReason::WrongProtocol));
        assert_eq!(refusal(&hello(PROTOCOL_VERSION, 8)), Some(CloseReason::WrongSchema));
        assert_eq!(refusal(&encode(&ClientMessage::<u8>::Leave)), Some(CloseReason::Malformed));
        assert_eq!(refusal(b""), Some(CloseReason::Malformed));
    }

    #[test]
    fn a_newer_hello_with_another_layout_is_told_about_the_version() {
        let mut longer = hello(PROTOCOL_VERSION + 1, 7);
        longer.extend_from_slice(b"more");
        assert_eq!(refusal(&longer), Some(CloseReason::WrongProtocol));
        let mut trailing = hello(PROTOCOL_VERSION, 7);
        trailing.push(0);
        assert_eq!(refusal(&trailing), Some(CloseReason::Malformed));
    }
}
