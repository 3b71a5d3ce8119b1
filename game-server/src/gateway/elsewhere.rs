//! Players of other servers, and ours who want to play there: whoever asks is sent to the server
//! that runs the match, with that server's answer.
//!
//! Invariants: a server asks another at most once for a request, and that one asks nobody; while
//! the store is away a server gives what it has.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use tickwire_cluster::NodeId;
use tickwire_protocol::{CloseReason, MatchId, WsUrl};

use super::problems;
use super::seating::{Asker, Plan, Wish};
use super::sessions::{Known, PlayerSession};
use super::shared::Gateway;
use crate::cluster::letter::{Answer, Ask, AskedFor};
use crate::cluster::{Cluster, Whereabouts};
use crate::http::address::{ClientAddress, from_bytes, to_bytes};
use crate::http::problem::Problem;
use crate::matches::{MatchInfo, PlayerKey, Settings};
use crate::transport::Farewell;

/// So many servers are asked for a seat anywhere.
const TRIES_MAX: usize = 3;
/// The code of a match that somebody was just seated in leads to it for so long; its server renews
/// that.
const CODE_HELD: Duration = Duration::from_mins(1);
/// Most bytes of an answer's body.
const BODY_BYTES_MAX: usize = 16 << 10;
/// Where it is kept in which match a player was last.
const SEATS: &str = "seat";
/// For how long.
const SEAT_KEPT: Duration = Duration::from_hours(1);
/// Seconds after which it is worth asking again for a match that is being taken over.
const SOON_S: u64 = 1;

/// Where a wish is granted.
enum Where {
    /// By this server.
    Here,
    /// By one of these, the first that can.
    There(Vec<NodeId>, AskedFor),
}

impl Gateway {
    /// What another server says to a wish. `None` if it is for this one.
    pub(super) async fn seat_elsewhere(
        &self,
        session: &PlayerSession,
        client: ClientAddress,
        wish: &Wish,
    ) -> Result<Option<Response>, Problem> {
        let Some(cluster) = &self.cluster else { return Ok(None) };
        let Where::There(nodes, wish) = self.whereabouts(cluster, session.id, wish).await? else { return Ok(None) };
        let expires_in_ms = session.sign_in.left(Instant::now()).map(|left| left.as_millis() as u64);
        let ask = Ask { player: session.id, name: session.name.clone(), expires_in_ms, client: to_bytes(client.ip()), wish };
        let mut last = None;
        for node in nodes.iter().take(TRIES_MAX) {
            if node == cluster.node().id() {
                return Ok(None);
            }
            match cluster.ask(node, ask.clone()).await {
                Ok(answer) if answer.status == StatusCode::SERVICE_UNAVAILABLE.as_u16() => last = Some(pass_on(answer)),
                Ok(answer) => return Ok(Some(pass_on(answer))),
                Err(error) => {
                    tracing::warn!(%node, %error, "somebody was to be seated there");
                    last.get_or_insert_with(|| problems::between_servers().into_response());
                }
            }
        }
        Ok(last)
    }

    async fn whereabouts(&self, cluster: &Cluster, player: PlayerKey, wish: &Wish) -> Result<Where, Problem> {
        match wish {
            Wish::In(id) => self.of_match(cluster, *id).await,
            Wish::WithCode(code, plan) => {
                if self.directory.find_code(code).is_some() {
                    return Ok(Where::Here);
                }
                let code = code.to_ascii_uppercase();
                match (cluster.node().store().find_code(&code).await, plan) {
                    (Ok(Some(id)), _) => self.of_match(cluster, id).await,
                    (Ok(None), Some(plan)) => Ok(Where::There(cluster.for_match(), asked(plan, Some(code)))),
                    (Ok(None), None) => Ok(Where::Here),
                    (Err(_), _) => Err(problems::between_servers()),
                }
            }
            Wish::InNew(_) | Wish::Anywhere(_) if cluster.node().is_store_away() => Ok(Where::Here),
            Wish::InNew(plan) => Ok(Where::There(cluster.for_match(), asked(plan, None))),
            Wish::Anywhere(mode) => Ok(self.anywhere(cluster, player, mode).await),
        }
    }

    async fn of_match(&self, cluster: &Cluster, id: MatchId) -> Result<Where, Problem> {
        if self.directory.find(id).is_some() {
            return Ok(Where::Here);
        }
        match cluster.locate(id).await {
            Ok(Whereabouts::Nowhere) => Ok(Where::Here),
            Ok(Whereabouts::There(node)) => Ok(Where::There(vec![node], AskedFor::In(id))),
            Ok(Whereabouts::Between) | Err(_) => Err(problems::between_servers()),
        }
    }

    /// Where the player was last, if that is of this mode and goes on; else where there is room.
    async fn anywhere(&self, cluster: &Cluster, player: PlayerKey, mode: &str) -> Where {
        if let Ok(Some(seat)) = cluster.node().store().get(SEATS, &player.0, None).await
            && let Some((id, of_mode)) = seat.split_first_chunk::<16>()
            && of_mode == mode.as_bytes()
            && let Ok(found) = self.of_match(cluster, MatchId(*id)).await
            && (matches!(found, Where::There(..)) || self.directory.find(MatchId(*id)).is_some())
        {
            return found;
        }
        Where::There(cluster.for_newcomer(), AskedFor::Anywhere(mode.to_owned()))
    }

    /// Remembers for all servers where a player has a seat, and where the match's code leads.
    pub(super) async fn note_seat(&self, player: PlayerKey, info: &MatchInfo) {
        let Some(cluster) = self.cluster.as_ref().filter(|cluster| !cluster.node().is_store_away()) else { return };
        let seat = Bytes::from([&info.id.0, info.mode.id.as_bytes()].concat());
        let store = cluster.node().store();
        // While the store is away they are given a seat anywhere the next time, and others find the
        // match when its server writes the code again.
        let _ = tokio::join!(store.put(SEATS, &player.0, seat, SEAT_KEPT), store.hold_code(&info.code, info.id, CODE_HELD));
    }

    /// Seats a player of another server here.
    pub(crate) async fn answer(self: &Arc<Self>, ask: Ask) -> Answer {
        let Ask { player, name, expires_in_ms, client, wish } = ask;
        let (now, client) = (Instant::now(), ClientAddress::new(from_bytes(client)));
        let expires = expires_in_ms.map(|left| now + Duration::from_millis(left));
        let session = self.sessions.enter(now, Known { id: player, name, expires }, client.key());
        let wish = match wish {
            AskedFor::Anywhere(mode) => Wish::Anywhere(mode),
            AskedFor::In(id) => Wish::In(id),
            AskedFor::InNew { mode, private, lobby, bots, code } => {
                let plan = Plan { mode, settings: Settings { private, lobby, bots } };
                match code {
                    Some(code) => Wish::WithCode(code, Some(plan)),
                    None => Wish::InNew(plan),
                }
            }
        };
        let response = super::api::seated(self, Asker { session, client }, wish).await;
        written(response.map_or_else(IntoResponse::into_response, IntoResponse::into_response)).await
    }

    /// Why nobody is let into match `id` here: perhaps it goes on elsewhere.
    pub(super) async fn missing(&self, id: MatchId, otherwise: CloseReason) -> Farewell {
        let Some(cluster) = &self.cluster else { return otherwise.into() };
        match cluster.locate(id).await {
            Ok(Whereabouts::There(node)) => {
                let ws_url = cluster.ws_url_of(&node).and_then(|url| WsUrl::new(&url));
                ws_url.map_or_else(|| CloseReason::Restarting.into(), Farewell::moved_to)
            }
            Ok(Whereabouts::Between) | Err(_) => CloseReason::Restarting.into(),
            Ok(Whereabouts::Nowhere) => otherwise.into(),
        }
    }

    /// Other ways in for a client whose server is lost.
    pub(super) fn alternates(&self) -> Vec<String> {
        self.cluster.as_ref().map(|cluster| cluster.alternates()).unwrap_or_default()
    }
}

fn asked(plan: &Plan, code: Option<String>) -> AskedFor {
    let Settings { private, lobby, bots } = plan.settings;
    AskedFor::InNew { mode: plan.mode.clone(), private, lobby, bots, code }
}

/// An answer as a letter has it.
async fn written(response: Response) -> Answer {
    let (parts, body) = response.into_parts();
    let retry_after = parts.headers.get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse::<u64>().ok());
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default();
    Answer { status: parts.status.as_u16(), body: body.to_vec(), retry_after_ms: retry_after.map(|wait| wait * 1_000) }
}

/// Another server's answer, as our own.
fn pass_on(answer: Answer) -> Response {
    let Answer { status, body, retry_after_ms } = answer;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    let mut response = (status, Body::from(body)).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(wait) = retry_after_ms {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.div_ceil(1_000).max(SOON_S)));
    }
    response
}
