//! Watching a match: the ordinary stream without a player, over a WebSocket that may only ping. One
//! of another server comes through [`relay`].

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::HeaderValue;
use hyper::upgrade::OnUpgrade;
use tickwire_cluster::NodeId;
use tickwire_protocol::MatchId;

use super::audit::Action;
use super::auth::offered_subprotocols;
use super::observer::Observer;
use super::relay;
use crate::cluster::Whereabouts;
use crate::config::TransportKind;
use crate::gateway::{problems, upgrade};
use crate::http::problem::Problem;
use crate::http::remote::Remote;
use crate::matches::{Command, MatchHandle};
use crate::metrics;

/// The subprotocol of a spectator's WebSocket.
const SUBPROTOCOL: &str = "tickwire.spectate";

/// Where a match runs.
enum Runs {
    Here(MatchHandle),
    On(NodeId),
}

pub(super) async fn handshake(
    State(observer): State<Arc<Observer>>,
    Extension(remote): Extension<Remote>,
    id: Result<Path<String>, PathRejection>,
    mut request: Request,
) -> Result<Response, Problem> {
    let Path(id) = id.map_err(|_| problems::match_not_found())?;
    let id: MatchId = id.parse().map_err(|_| problems::match_not_found())?;
    let runs = match observer.directory.find(id) {
        Some(handle) => Runs::Here(handle),
        None => Runs::On(elsewhere(&observer, id).await?),
    };
    let offered = offered_subprotocols(request.headers()).any(|protocol| protocol == SUBPROTOCOL);
    let (response, upgrading) = upgrade::accept(&mut request, offered.then(|| HeaderValue::from_static(SUBPROTOCOL)))?;
    let what = match &runs {
        Runs::Here(handle) => format!("match {} ({id})", handle.info.code),
        Runs::On(node) => format!("match {id} on {node}"),
    };
    observer.audit.note(remote.client, Action::Watch, what, String::new());
    match runs {
        Runs::Here(handle) => tokio::spawn(watch(observer.gateway.transport(), handle, upgrading, remote)),
        Runs::On(node) => tokio::spawn(relay::watch(observer, node, id, upgrading, remote)),
    };
    Ok(response)
}

/// The server that runs a match which is not here.
async fn elsewhere(observer: &Observer, id: MatchId) -> Result<NodeId, Problem> {
    let cluster = observer.gateway.cluster().ok_or_else(problems::match_not_found)?;
    match cluster.locate(id).await {
        Ok(Whereabouts::There(node)) => Ok(node),
        Ok(Whereabouts::Nowhere) => Err(problems::match_not_found()),
        Ok(Whereabouts::Between) | Err(_) => Err(problems::between_servers()),
    }
}

async fn watch(transport: TransportKind, handle: MatchHandle, upgrading: OnUpgrade, remote: Remote) {
    let Some(socket) = upgrade::socket(transport, upgrading, remote).await else { return };
    if let Err((refused, reason)) = handle.send(Command::Spectate { socket: Box::new(socket) })
        && let Some(socket) = refused.into_socket()
    {
        metrics::count_close(reason);
        socket.refuse(reason).await;
    }
}
