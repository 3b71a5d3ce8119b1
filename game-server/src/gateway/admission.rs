//! `/ws`: handshake, Hello, and the socket goes to its match. Beside it, whether a page's handshake
//! would be refused.
//!
//! Invariants: a stranger has one deadline from the handshake to a valid Hello, however it spends
//! the time; the match alone says whether a ticket or a token is good, and hears of it only when
//! everything else about the Hello is right; who resumes is told the same whether the match or the
//! token is unknown; only of a match that could not be brought back, that.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use axum::{Extension, Router};
use http::{HeaderMap, StatusCode};
use hyper::upgrade::OnUpgrade;
use tickwire_protocol::codec::decode_prefix;
use tickwire_protocol::limits::CLIENT_MESSAGE_BYTES_MAX;
use tickwire_protocol::{CloseReason, Credential, MatchId, PROTOCOL_VERSION, PlayerId, Secret, Ticket};

use super::conduct::Whose;
use super::game_facts::{GameFacts, Hello};
use super::shared::Gateway;
use super::tickets::{self, Flaw};
use super::{problems, upgrade};
use crate::config::ms;
use crate::http::address::ClientAddress;
use crate::http::problem::Problem;
use crate::http::refusals::Cause;
use crate::http::remote::Remote;
use crate::matches::{Command, PlayerKey};
use crate::metrics;
use crate::secrets::{SecretHash, from_hex, to_hex};
use crate::transport::{Ended, Farewell, Socket};

/// Where a page asks whether its WebSocket would be refused.
pub(crate) const CONNECT_CHECK: &str = "/api/connect-check";

/// Most bytes a stranger may send, framing included, before its first message is complete.
const STRANGER_BYTES_MAX: u64 = 4 * CLIENT_MESSAGE_BYTES_MAX as u64;
/// Begins the part of a query that says whose handshake it is.
const GUEST: &str = "guest=";

/// The route of the WebSocket.
pub(crate) fn router(gateway: &Arc<Gateway>) -> Router {
    Router::new().route("/ws", any(handshake)).with_state(Arc::clone(gateway))
}

async fn handshake(
    State(gateway): State<Arc<Gateway>>,
    Extension(remote): Extension<Remote>,
    mut request: Request,
) -> Result<Response, Problem> {
    if !gateway.origins.allow(request.headers()) {
        return Err(gateway.refusals.refuse(Instant::now(), Cause::Origin, &remote, request.headers()));
    }
    let whose = allow_handshake(&gateway, remote.client, request.uri().query()).inspect_err(|problem| {
        gateway.refusals.remember(Instant::now(), problem, &remote, request.headers());
    })?;
    if upgrade::is_lost(&request) {
        gateway.refusals.refuse(Instant::now(), Cause::UpgradeLost, &remote, request.headers());
    }
    let (response, upgrading) = upgrade::accept(&mut request, None)?;
    let permit = Arc::clone(&remote.permit);
    tokio::spawn(async move {
        tokio::select! {
            () = admit(gateway, upgrading, remote, whose) => {}
            () = permit.pushed_out() => {}
        }
    });
    Ok(response)
}

/// Where a guest's client finds the WebSocket: `url`, with the session's id, so that its handshakes
/// count as the session's.
pub(crate) fn url_for(url: &str, guest: PlayerKey) -> String {
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}{GUEST}{}", to_hex(&guest.0))
}

/// The id in a query as [`url_for`] makes it.
fn guest_in(query: &str) -> Option<PlayerKey> {
    from_hex(query.split('&').find_map(|pair| pair.strip_prefix(GUEST))?).map(PlayerKey)
}

/// Refuses whoever is banned or has to wait. Counts a handshake: as a guest session's if it names
/// one that is known and has budget left, else as its address's.
pub(super) fn allow_handshake(gateway: &Gateway, client: ClientAddress, query: Option<&str>) -> Result<Whose, Problem> {
    let now = Instant::now();
    let session = query.and_then(guest_in).and_then(|id| gateway.sessions.find(now, id));
    gateway.refuse_banned(client.ip(), session.as_ref().map(|session| session.id))?;
    let whose = session.as_ref().map_or(Whose::Nameless(client.key()), |session| Whose::Player(session.id));
    gateway.conduct.check(now, whose, client.key()).map_err(|wait| {
        metrics::count_reject(metrics::Reject::Conduct);
        problems::must_wait(wait)
    })?;
    match session {
        Some(session) if session.handshakes.check().is_ok() => Ok(whose),
        _ => gateway.rates.handshakes.check(client).map(|()| whose).map_err(|wait| {
            metrics::count_reject(metrics::Reject::HandshakeRate);
            Problem::rate_limited(wait)
        }),
    }
}

/// For a page whose WebSocket failed: browsers tell pages nothing of why. Asks what the handshake
/// asks, of the request itself; where a proxy treats the two differently, what became of the
/// handshake counts.
pub(super) async fn connect_check(
    State(gateway): State<Arc<Gateway>>,
    Extension(remote): Extension<Remote>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let now = Instant::now();
    if !gateway.origins.allow(&headers) {
        return Err(gateway.refusals.refuse(now, Cause::Origin, &remote, &headers));
    }
    gateway.refusals.recall(now, &remote, &headers).map_or(Ok(StatusCode::NO_CONTENT), Err)
}

/// Waits for Hello and hands the socket over, or says why not.
async fn admit(gateway: Arc<Gateway>, upgrading: OnUpgrade, remote: Remote, whose: Whose) {
    let permit = Arc::clone(&remote.permit);
    let client = remote.client;
    let deadline = tokio::time::Instant::now() + ms(gateway.config.connections.hello_ms);
    let upgraded = upgrade::socket(gateway.transport(), upgrading, remote);
    let Ok(Some(mut socket)) = tokio::time::timeout_at(deadline, upgraded).await else { return };
    // The first message must be complete before too many bytes have come.
    let heard = tokio::time::timeout_at(deadline, socket.first_message(STRANGER_BYTES_MAX)).await;
    let hello = heard.unwrap_or(Err(Ended::Closed(CloseReason::HelloTimeout)));
    let welcome = match hello {
        Ok(bytes) => knock(&gateway, client, &bytes).await.map_err(Some),
        Err(Ended::Closed(reason)) => Err(Some(reason.into())),
        Err(Ended::Disconnected) => Err(None),
    };
    let farewell: Farewell = match welcome {
        Ok(door) => {
            if !permit.authenticate() {
                return;
            }
            permit.watch(gateway.watcher(whose, client));
            let Some((returned, reason)) = door.enter(socket) else { return };
            socket = returned;
            reason.into()
        }
        Err(None) => return,
        Err(Some(farewell)) => farewell,
    };
    let reason = farewell.reason();
    tracing::debug!(%client, reason = reason.name(), "connection refused");
    metrics::count_close(reason);
    socket.refuse(farewell).await;
}

/// Where a connection goes whose first message is `bytes`.
pub(super) async fn knock(gateway: &Gateway, client: ClientAddress, bytes: &[u8]) -> Result<Door, Farewell> {
    let hello = understand(&gateway.game, bytes)?;
    // Since the handshake, that may have changed.
    gateway.refuse_banned(client.ip(), None).map_err(|_| CloseReason::Banned)?;
    route(gateway, hello.credential).await
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

/// A Hello of another version may be laid out differently, but it begins alike: which message it
/// is, and the version.
fn blame_version(bytes: &[u8]) -> CloseReason {
    match decode_prefix::<(u32, u16), 16>(bytes) {
        Ok(((0, version), _)) if version != PROTOCOL_VERSION => CloseReason::WrongProtocol,
        _ => CloseReason::Malformed,
    }
}

/// Where an admitted socket goes.
pub(super) struct Door {
    handle: crate::matches::MatchHandle,
    ask: Ask,
}

enum Ask {
    Attach(PlayerId, SecretHash),
    Resume(Secret),
}

async fn route(gateway: &Gateway, credential: Credential) -> Result<Door, Farewell> {
    match credential {
        Credential::Ticket(ticket) => match show(gateway, &ticket) {
            Ok(door) => Ok(door),
            Err((Flaw::NoMatch, id)) => {
                let farewell = gateway.missing(id, gateway.lost_or(id, CloseReason::MatchGone)).await;
                if farewell.reason() == CloseReason::MatchGone {
                    metrics::count_ticket_refusal(Flaw::NoMatch.name());
                }
                Err(farewell)
            }
            Err((flaw, _)) => {
                metrics::count_ticket_refusal(flaw.name());
                Err(CloseReason::BadTicket.into())
            }
        },
        Credential::Resume { match_id, token } => {
            let Some(handle) = gateway.directory.find(match_id) else {
                gateway.ask_in_vain(&match_id).await;
                return Err(gateway.missing(match_id, gateway.lost_or(match_id, CloseReason::BadResume)).await);
            };
            Ok(Door { handle, ask: Ask::Resume(token) })
        }
    }
}

impl Gateway {
    /// Why nobody is let into match `id`, which does not run: it was lost, or `otherwise`.
    fn lost_or(&self, id: MatchId, otherwise: CloseReason) -> CloseReason {
        self.directory.lost().find(Instant::now(), id).map_or(otherwise, |_| CloseReason::Lost)
    }
}

/// Where a ticket leads. That its match is unknown learns only who has a signed one.
fn show(gateway: &Gateway, ticket: &Ticket) -> Result<Door, (Flaw, MatchId)> {
    let claims = gateway.ledger.find(Instant::now(), tickets::unix_now(), ticket).map_err(|flaw| (flaw, MatchId::default()))?;
    let handle = gateway.directory.find(claims.id).ok_or((Flaw::NoMatch, claims.id))?;
    Ok(Door { handle, ask: Ask::Attach(claims.player, claims.hash) })
}

impl Door {
    /// Hands the socket to the match. What comes back, the match did not take, and why.
    pub(super) fn enter(self, socket: Socket) -> Option<(Socket, CloseReason)> {
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
    use tickwire_protocol::{ClientMessage, TICKET_BYTES};

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
        encode(&ClientMessage::<u8>::Hello { protocol, schema, credential: Credential::Ticket(Ticket([1; TICKET_BYTES])) })
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
    fn a_url_says_whose_handshake_it_is() {
        let guest = PlayerKey(std::array::from_fn(|nth| nth as u8 * 7));
        for url in ["ws", "wss://play.example/ws?region=eu"] {
            let url = url_for(url, guest);
            let (_, query) = url.split_once('?').expect("a query");
            assert_eq!(guest_in(query), Some(guest), "{url}");
        }
        let long = "0".repeat(66);
        for other in ["", "guest=", "guest=00", "guest=zz", long.as_str(), &format!("guest={long}"), &format!("guest={}", "é".repeat(32))]
        {
            assert_eq!(guest_in(other), None, "{other}");
        }
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
