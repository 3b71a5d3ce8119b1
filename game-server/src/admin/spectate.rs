//! Watching a match: the ordinary stream without a player, over a WebSocket that may only ping.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::HeaderValue;
use hyper::upgrade::OnUpgrade;
use tickwire_protocol::MatchId;

use super::auth::offered_subprotocols;
use crate::gateway::listener::Peer;
use crate::gateway::origin::AllowedOrigins;
use crate::gateway::problem::Problem;
use crate::gateway::refusals::Cause;
use crate::gateway::upgrade;
use crate::matches::{Command, MatchHandle};
use crate::metrics::{self, Observer};
use crate::transport::Kind;

/// The subprotocol of a spectator's WebSocket.
const SUBPROTOCOL: &str = "tickwire.spectate";

pub(super) async fn handshake(
    State(observer): State<Arc<Observer>>,
    Extension(peer): Extension<Peer>,
    id: Result<Path<String>, PathRejection>,
    mut request: Request,
) -> Result<Response, Problem> {
    // Only the operator's own page: no other has business here.
    if !AllowedOrigins::default().allow(request.headers()) {
        return Err(observer.gateway.refuse_page(Cause::OperatorsOrigin, &peer, request.headers()));
    }
    let Path(id) = id.map_err(|_| Problem::match_not_found())?;
    let id: MatchId = id.parse().map_err(|_| Problem::match_not_found())?;
    let handle = observer.directory.find(id).ok_or_else(Problem::match_not_found)?;
    let offered = offered_subprotocols(request.headers()).any(|protocol| protocol == SUBPROTOCOL);
    let (response, upgrading) = upgrade::accept(&mut request, offered.then(|| HeaderValue::from_static(SUBPROTOCOL)))?;
    tracing::info!(target: "audit", peer = %peer.address, match_id = %id, "operator watches a match");
    tokio::spawn(watch(observer.gateway.transport(), handle, upgrading, peer));
    Ok(response)
}

async fn watch(transport: Kind, handle: MatchHandle, upgrading: OnUpgrade, peer: Peer) {
    let Some(socket) = upgrade::socket(transport, upgrading, peer).await else { return };
    if let Err((refused, reason)) = handle.send(Command::Spectate { socket: Box::new(socket) })
        && let Some(socket) = refused.into_socket()
    {
        metrics::count_close(reason);
        socket.refuse(reason).await;
    }
}
