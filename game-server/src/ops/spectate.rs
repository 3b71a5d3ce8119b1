//! Watching a match: the ordinary stream without a player, over a WebSocket that may only ping.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::HeaderValue;
use hyper::upgrade::OnUpgrade;
use tickwire_protocol::MatchId;

use super::audit::Action;
use super::auth::offered_subprotocols;
use super::observer::Observer;
use crate::config::TransportKind;
use crate::gateway::{problems, upgrade};
use crate::http::problem::Problem;
use crate::http::remote::Remote;
use crate::matches::{Command, MatchHandle};
use crate::metrics;

/// The subprotocol of a spectator's WebSocket.
const SUBPROTOCOL: &str = "tickwire.spectate";

pub(super) async fn handshake(
    State(observer): State<Arc<Observer>>,
    Extension(remote): Extension<Remote>,
    id: Result<Path<String>, PathRejection>,
    mut request: Request,
) -> Result<Response, Problem> {
    let Path(id) = id.map_err(|_| problems::match_not_found())?;
    let id: MatchId = id.parse().map_err(|_| problems::match_not_found())?;
    let handle = observer.directory.find(id).ok_or_else(problems::match_not_found)?;
    let offered = offered_subprotocols(request.headers()).any(|protocol| protocol == SUBPROTOCOL);
    let (response, upgrading) = upgrade::accept(&mut request, offered.then(|| HeaderValue::from_static(SUBPROTOCOL)))?;
    observer.audit.note(remote.client, Action::Watch, format!("match {} ({id})", handle.info.code), String::new());
    tokio::spawn(watch(observer.gateway.transport(), handle, upgrading, remote));
    Ok(response)
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
