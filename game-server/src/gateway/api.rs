//! The HTTP API: what the game is, guest sessions, matches, and seats with their tickets.
//!
//! JSON in, JSON out; every refusal is a [`Problem`]. Nothing is authorised by a cookie, and bodies must say that they are
//! JSON, so a page of another site can do nothing in a player's name.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Path, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::text::Name;
use tickwire_protocol::{PROTOCOL_VERSION, PlayerId, Secret};

use super::listener::Peer;
use super::problem::Problem;
use super::tickets::{SEAT_KEPT, TICKET_LIFE, Ticket};
use super::{Gateway, names, request};
use crate::config::ms;
use crate::matches::{GuestId, MatchHandle, MatchInfo, MatchRequest, Reservation, Settings};
use crate::metrics;
use crate::secrets::{hash, random_bytes};

/// Most matches in a list.
const LIST_MAX: usize = 100;

/// What handlers share.
type Shared = State<Arc<Gateway>>;

/// The routes under `/api`.
pub fn router(gateway: &Arc<Gateway>) -> Router {
    let routes = Router::new()
        .route("/api/info", get(info))
        .route("/api/session", post(open_session))
        .route("/api/matches", get(list).post(create))
        .route("/api/matches/{id}/join", post(join))
        .route("/api/quick-play", post(quick_play))
        .route("/api/{*rest}", get(nothing).fallback(nothing))
        .route("/api", get(nothing).fallback(nothing))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .with_state(Arc::clone(gateway));
    routes.layer(from_fn_with_state(Arc::clone(gateway), guard)).layer(from_fn(count))
}

/// What every call goes through: its address's budget, a limit on its size, and one on its time.
async fn guard(State(gateway): Shared, Extension(peer): Extension<Peer>, request: Request, next: Next) -> Result<Response, Problem> {
    gateway.rates.api_calls.check(peer.key).map_err(Problem::rate_limited)?;
    request::check_announced_length(request.headers())?;
    // The body has a deadline of its own, so what takes so long here is the server.
    let patience = ms(gateway.config.connections.request_ms) + Duration::from_secs(1);
    let mut response = tokio::time::timeout(patience, next.run(request)).await.map_err(|_| Problem::at_capacity())?;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Counts calls by route and status. Unknown routes count as one, so strangers cannot invent labels.
async fn count(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let method = request.method().clone();
    let response = next.run(request).await;
    metrics::count_api_request(&method, &route, response.status());
    response
}

async fn nothing() -> Problem {
    Problem::not_found()
}

#[derive(Serialize)]
struct Info {
    game: &'static str,
    protocol: u16,
    schema: String,
    modes: Vec<ModeInfo>,
}

#[derive(Serialize)]
struct ModeInfo {
    id: &'static str,
    title: &'static str,
    max_players: u16,
    tick_rate: u8,
}

async fn info(State(gateway): Shared) -> Json<Info> {
    let game = &gateway.game;
    let modes = gateway.directory.modes().iter();
    let modes = modes.map(|mode| ModeInfo { id: mode.id, title: mode.title, max_players: mode.max_players, tick_rate: mode.tick_rate });
    Json(Info { game: game.name, protocol: PROTOCOL_VERSION, schema: format!("{:016x}", game.schema_hash), modes: modes.collect() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSession {
    name: String,
}

#[derive(Serialize)]
struct SessionAnswer {
    token: String,
    name: String,
}

async fn open_session(State(gateway): Shared, request: Request) -> Result<(StatusCode, Json<SessionAnswer>), Problem> {
    refuse_while_draining(&gateway)?;
    let NewSession { name } = request::json(request, ms(gateway.config.connections.request_ms)).await?;
    let name = names::clean(&name);
    let token = gateway.guests().open(Instant::now(), name.clone());
    Ok((StatusCode::CREATED, Json(SessionAnswer { token: token.reveal(), name: name.as_str().to_owned() })))
}

/// A match in a list.
#[derive(Debug, Serialize)]
pub struct MatchSummary {
    id: String,
    mode: &'static str,
    phase: &'static str,
    players: u32,
    bots: u32,
    max_players: u16,
}

impl MatchSummary {
    fn of(info: &MatchInfo) -> Self {
        Self {
            id: info.id.to_string(),
            mode: info.mode.id,
            phase: info.stats.phase().name(),
            players: info.stats.held.load(Relaxed),
            bots: info.stats.bots.load(Relaxed),
            max_players: info.mode.max_players,
        }
    }
}

#[derive(Serialize)]
struct MatchList {
    matches: Vec<MatchSummary>,
}

/// Public matches that are not over, those with seats first, of these the fullest first.
async fn list(State(gateway): Shared) -> Json<MatchList> {
    let handles = gateway.directory.all().into_iter();
    let open = handles.filter(|handle| !handle.info.settings.private && !handle.is_gone() && handle.info.stats.phase() != Phase::Finished);
    let mut matches: Vec<_> = open.map(|handle| MatchSummary::of(&handle.info)).collect();
    matches.sort_by_key(|summary| {
        let is_full = summary.players >= u32::from(summary.max_players);
        (is_full, std::cmp::Reverse(summary.players), summary.id.clone())
    });
    matches.truncate(LIST_MAX);
    Json(MatchList { matches })
}

/// A reserved seat.
#[derive(Serialize)]
struct JoinAnswer {
    r#match: MatchSummary,
    code: String,
    ticket: String,
    expires_in_s: u64,
    ws_url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMatch {
    mode: String,
    #[serde(default)]
    private: bool,
}

async fn create(
    State(gateway): Shared,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Result<(StatusCode, Json<JoinAnswer>), Problem> {
    let (owner, name) = recognise(&gateway, request.headers())?;
    refuse_while_draining(&gateway)?;
    let NewMatch { mode, private } = request::json(request, ms(gateway.config.connections.request_ms)).await?;
    gateway.rates.matches.check(peer.key).map_err(Problem::rate_limited)?;
    let handle = gateway.directory.create(MatchRequest::new(&mode, Settings { private, ..Settings::PUBLIC }))?;
    tracing::info!(match_id = %handle.info.id, mode = handle.info.mode.id, private, peer = %peer.address, "match created by request");
    let (ticket, reservation) = reservation(owner, name);
    let player = handle.reserve(reservation).await?.player;
    Ok((StatusCode::CREATED, issue(&gateway, handle, player, ticket)?))
}

async fn join(State(gateway): Shared, Path(id): Path<String>, request: Request) -> Result<Json<JoinAnswer>, Problem> {
    let (owner, name) = recognise(&gateway, request.headers())?;
    refuse_while_draining(&gateway)?;
    let found = match id.parse() {
        Ok(id) => gateway.directory.find(id),
        Err(_) => gateway.directory.find_code(&id),
    };
    let handle = found.filter(|handle| handle.info.stats.phase() != Phase::Finished).ok_or_else(Problem::match_not_found)?;
    let (ticket, reservation) = reservation(owner, name);
    let player = handle.reserve(reservation).await?.player;
    issue(&gateway, handle, player, ticket)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuickPlayRequest {
    mode: String,
}

async fn quick_play(State(gateway): Shared, request: Request) -> Result<Json<JoinAnswer>, Problem> {
    let (owner, name) = recognise(&gateway, request.headers())?;
    refuse_while_draining(&gateway)?;
    let QuickPlayRequest { mode } = request::json(request, ms(gateway.config.connections.request_ms)).await?;
    let (ticket, reservation) = reservation(owner, name);
    let (handle, reserved) = gateway.quick_play.find_seat(&mode, &reservation).await?;
    issue(&gateway, handle, reserved.player, ticket)
}

fn refuse_while_draining(gateway: &Gateway) -> Result<(), Problem> {
    if gateway.directory.is_draining() { Err(Problem::draining()) } else { Ok(()) }
}

/// Whoever's token came with the request, and their name.
fn recognise(gateway: &Gateway, headers: &HeaderMap) -> Result<(GuestId, Name), Problem> {
    let token = request::bearer(headers).and_then(|token| token.parse().ok()).ok_or_else(Problem::session_required)?;
    let name = gateway.guests().recognise(Instant::now(), token).ok_or_else(Problem::session_required)?;
    Ok((GuestId(hash(token)), name))
}

/// A new ticket, and what its seat is asked for with.
fn reservation(owner: GuestId, name: Name) -> (Secret, Reservation) {
    let ticket = Secret(random_bytes());
    (ticket, Reservation { owner, name, ticket: hash(ticket), until: Instant::now() + SEAT_KEPT, own_only: false })
}

fn issue(gateway: &Gateway, handle: MatchHandle, player: PlayerId, ticket: Secret) -> Result<Json<JoinAnswer>, Problem> {
    let info = Arc::clone(&handle.info);
    if !gateway.tickets().issue(Instant::now(), hash(ticket), Ticket { handle, player }) {
        return Err(Problem::at_capacity());
    }
    Ok(Json(JoinAnswer {
        r#match: MatchSummary::of(&info),
        code: info.code.clone(),
        ticket: ticket.reveal(),
        expires_in_s: TICKET_LIFE.as_secs(),
        ws_url: gateway.config.public_ws_url.clone().unwrap_or_else(|| "/ws".to_owned()),
    }))
}
