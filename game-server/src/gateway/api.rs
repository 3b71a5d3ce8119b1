//! The HTTP API: what the game is, guest sessions, matches, and seats with their tickets.
//!
//! JSON in, JSON out; every refusal is a [`Problem`]. Nothing is authorised by a cookie, and bodies
//! must say that they are JSON, so a page of another site can do nothing in a player's name.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::rejection::PathRejection;
use axum::extract::{MatchedPath, Path, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use tickwire_protocol::PROTOCOL_VERSION;

use super::admission::{CONNECT_CHECK, connect_check};
use super::identity::guests::Opened;
use super::identity::{Identity, Refusal};
use super::match_list::MatchSummary;
use super::seating::{Asker, Plan, Seat, Wish};
use super::sessions::{Known, PlayerSession};
use super::shared::Gateway;
use super::{admission, problems};
use crate::config::ms;
use crate::http::address::ClientAddress;
use crate::http::problem::Problem;
use crate::http::remote::Remote;
use crate::http::request;
use crate::matches::{PlayerKey, Settings};
use crate::metrics;
use crate::secrets::hash;

/// Routes of which `GET` is a read that counts as one.
const READS: [&str; 2] = [INFO, MATCHES];
const INFO: &str = "/api/info";
const MATCHES: &str = "/api/matches";
const SESSION: &str = "/api/session";

/// Where somebody waits for a match.
pub(super) const QUEUE_TICKET: &str = "/api/queue/{ticket}";
/// Longest that a request waits for one.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(10);

/// What handlers share.
pub(super) type Shared = State<Arc<Gateway>>;

/// The routes under `/api`, with `further` ones.
pub(crate) fn router(gateway: &Arc<Gateway>, further: Router<Arc<Gateway>>) -> Router {
    let routes = further
        .route(INFO, get(info))
        .route(SESSION, post(open_session))
        .route("/api/session/renew", post(renew_session))
        .route(MATCHES, get(list).post(create))
        .route("/api/matches/{id}/join", post(join))
        .route("/api/quick-play", post(quick_play))
        .route(CONNECT_CHECK, post(connect_check))
        .route("/api/{*rest}", get(nothing).fallback(nothing))
        .route("/api", get(nothing).fallback(nothing))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .with_state(Arc::clone(gateway));
    routes.layer(from_fn_with_state(Arc::clone(gateway), guard)).layer(from_fn(count))
}

/// Who calls.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    /// Somebody the server knows, and how good they are, if their identity provider has said it.
    Known(Arc<PlayerSession>, Option<i32>),
    /// Anybody else, and why.
    Stranger(Refusal),
}

/// What every call goes through: its caller's budget, a limit on its size, and one on its time.
async fn guard(
    State(gateway): Shared,
    Extension(remote): Extension<Remote>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = recognise(&gateway, remote.client, request.headers()).await;
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    let player = if let Caller::Known(session, _) = &caller { Some(session.id) } else { None };
    if !is_read(request.method(), route) && route != CONNECT_CHECK {
        gateway.refuse_banned(remote.client.ip(), player)?;
    }
    charge(&gateway, &caller, remote.client, request.method(), route)?;
    let waits = if route == QUEUE_TICKET { WAIT_MAX } else { Duration::ZERO };
    request.extensions_mut().insert(caller);
    request::check_announced_length(request.headers())?;
    // The body has a deadline of its own, and who waits has one, so what takes so long here is the
    // server.
    let patience = ms(gateway.config.connections.request_ms) + Duration::from_secs(1) + waits;
    let mut response = tokio::time::timeout(patience, next.run(request)).await.map_err(|_| Problem::overloaded())?;
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Counts a call in the budget it belongs to.
fn charge(gateway: &Gateway, caller: &Caller, client: ClientAddress, method: &Method, route: &str) -> Result<(), Problem> {
    let rates = &gateway.rates;
    match caller {
        Caller::Known(session, _) => session.calls.check().map_err(problems::session_rate_limited),
        Caller::Stranger(_) if is_read(method, route) => rates.reads.check(client).map_err(Problem::rate_limited),
        // The handler knows whether it opens a session.
        Caller::Stranger(_) if *method == Method::POST && route == SESSION => Ok(()),
        Caller::Stranger(_) => rates.strangers.check(client).map_err(Problem::rate_limited),
    }
}

/// Whether a call only reads what is open to all.
fn is_read(method: &Method, route: &str) -> bool {
    matches!(*method, Method::GET | Method::HEAD) && READS.contains(&route)
}

/// Counts calls by route and status. Unknown routes count as one, so strangers cannot invent
/// labels.
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
    /// Whether whoever gives a name may play.
    guests: bool,
    /// Whether people with an account may.
    accounts: bool,
    /// Where they sign in.
    #[serde(skip_serializing_if = "Option::is_none")]
    sign_in_url: Option<String>,
    /// Seconds for which a seat is kept whose connection is lost.
    grace_s: u64,
    modes: Vec<ModeInfo>,
}

#[derive(Serialize)]
struct ModeInfo {
    id: &'static str,
    title: &'static str,
    max_players: u16,
    tick_rate: u8,
    /// Whether people wait for others in it.
    queue: bool,
}

async fn info(State(gateway): Shared) -> Json<Info> {
    let game = &gateway.game;
    let modes = gateway.directory.modes().iter();
    let modes = modes.map(|mode| ModeInfo {
        id: mode.id,
        title: mode.title,
        max_players: mode.max_players,
        tick_rate: mode.tick_rate,
        queue: gateway.queues.line(mode.id).is_some(),
    });
    let grace_s = ms(gateway.config.session.grace_ms).as_secs();
    let schema = format!("{:016x}", game.schema_hash);
    Json(Info {
        game: game.name,
        protocol: PROTOCOL_VERSION,
        schema,
        guests: gateway.guests.is_some(),
        accounts: gateway.accounts.is_some(),
        sign_in_url: gateway.config.accounts.sign_in_url.clone(),
        grace_s,
        modes: modes.collect(),
    })
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

async fn open_session(
    State(gateway): Shared,
    Extension(remote): Extension<Remote>,
    request: Request,
) -> Result<(StatusCode, Json<SessionAnswer>), Problem> {
    let Some(guests) = &gateway.guests else {
        gateway.rates.strangers.check(remote.client).map_err(Problem::rate_limited)?;
        return Err(problems::sign_in_required());
    };
    refuse_while_draining(&gateway)?;
    gateway.conduct.check_address(Instant::now(), remote.client.key()).map_err(problems::must_wait)?;
    let asked = request::json(request, ms(gateway.config.connections.request_ms)).await;
    // Mistakes take nothing from those who mean to play.
    let budget = if asked.is_ok() { &gateway.rates.sessions } else { &gateway.rates.strangers };
    budget.check(remote.client).map_err(Problem::rate_limited)?;
    let NewSession { name } = asked?;
    gateway.check_memory()?;
    let Opened { token, name } = guests.open(Instant::now(), &name, remote.client.key()).await;
    gateway.kept.guest(PlayerKey(hash(token)), &name, remote.client.key());
    gateway.kept.flush().await;
    Ok((StatusCode::CREATED, Json(SessionAnswer { token: token.reveal(), name: name.as_str().to_owned() })))
}

#[derive(Serialize)]
struct RenewAnswer {
    name: String,
    /// Seconds for which the player is known; absent for guests.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in_s: Option<u64>,
}

/// Says who calls, and for how long they are known. That they called has renewed it.
async fn renew_session(State(gateway): Shared, Extension(caller): Extension<Caller>) -> Result<Json<RenewAnswer>, Problem> {
    let session = known(&gateway, caller)?;
    let expires_in_s = session.sign_in.left(Instant::now()).map(|left| left.as_secs());
    Ok(Json(RenewAnswer { name: session.name.as_str().to_owned(), expires_in_s }))
}

/// Public matches that are not over.
async fn list(State(gateway): Shared, headers: HeaderMap) -> Response {
    gateway.match_list.answer(Instant::now(), &gateway.directory, gateway.cluster.as_deref(), &headers)
}

/// What the creator of a match chooses, and what those who join it are told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MatchSettings {
    mode: String,
    #[serde(default)]
    private: bool,
    #[serde(default)]
    lobby: bool,
    #[serde(default = "yes")]
    bots: bool,
}

const fn yes() -> bool {
    true
}

impl From<MatchSettings> for Plan {
    fn from(MatchSettings { mode, private, lobby, bots }: MatchSettings) -> Self {
        Self { mode, settings: Settings { private, lobby, bots } }
    }
}

/// A seat, and the way to it.
#[derive(Serialize)]
struct JoinAnswer {
    r#match: MatchSummary,
    code: String,
    settings: MatchSettings,
    ticket: String,
    expires_in_s: u64,
    ws_url: String,
    /// Other ways in, for when this server is lost.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alternates: Vec<String>,
}

/// Who calls, from where.
pub(super) type Whose = (Extension<Remote>, Extension<Caller>);

async fn create(State(gateway): Shared, (Extension(remote), Extension(caller)): Whose, request: Request) -> Result<Response, Problem> {
    let session = known(&gateway, caller)?;
    let settings: MatchSettings = request::json(request, ms(gateway.config.connections.request_ms)).await?;
    let mut joined = seat(&gateway, session, remote.client, Wish::InNew(settings.into())).await?;
    if joined.status() == StatusCode::OK {
        *joined.status_mut() = StatusCode::CREATED;
    }
    Ok(joined)
}

/// What else is in it is not looked at.
#[derive(Default, Deserialize)]
struct JoinRequest {
    recreate: Option<MatchSettings>,
}

async fn join(
    State(gateway): Shared,
    (Extension(remote), Extension(caller)): Whose,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let session = known(&gateway, caller)?;
    let Path(id) = id.map_err(|_| problems::match_not_found())?;
    let asked: Option<JoinRequest> = request::optional_json(request, ms(gateway.config.connections.request_ms)).await?;
    let plan = asked.unwrap_or_default().recreate.map(Plan::from);
    let wish = id.parse().map_or_else(|_| Wish::WithCode(id, plan), Wish::In);
    seat(&gateway, session, remote.client, wish).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuickPlayRequest {
    mode: String,
}

async fn quick_play(State(gateway): Shared, (Extension(remote), Extension(caller)): Whose, request: Request) -> Result<Response, Problem> {
    let session = known(&gateway, caller)?;
    let QuickPlayRequest { mode } = request::json(request, ms(gateway.config.connections.request_ms)).await?;
    seat(&gateway, session, remote.client, Wish::Anywhere(mode)).await
}

fn refuse_while_draining(gateway: &Gateway) -> Result<(), Problem> {
    if gateway.directory.is_draining() { Err(problems::draining()) } else { Ok(()) }
}

/// Who a request is from.
async fn recognise(gateway: &Gateway, client: ClientAddress, headers: &HeaderMap) -> Caller {
    let Some(credential) = request::bearer(headers) else { return Caller::Stranger(Refusal::Missing) };
    let now = Instant::now();
    match gateway.authenticator.authenticate(now, client, credential).await {
        Ok(Identity { subject, name, expires, rating }) => {
            Caller::Known(gateway.sessions.enter(now, Known { id: subject, name, expires }, client.key()), rating)
        }
        Err(refusal) => Caller::Stranger(refusal),
    }
}

/// The session of somebody who must have one.
pub(super) fn known(gateway: &Gateway, caller: Caller) -> Result<Arc<PlayerSession>, Problem> {
    match caller {
        Caller::Known(session, _) => Ok(session),
        // Who is told to make a session must be able to.
        Caller::Stranger(Refusal::Missing | Refusal::Unknown) if gateway.guests.is_none() => Err(problems::sign_in_required()),
        Caller::Stranger(refusal) => Err(refusal.into()),
    }
}

/// A seat, wherever it is.
pub(super) async fn seat(
    gateway: &Arc<Gateway>,
    session: Arc<PlayerSession>,
    client: ClientAddress,
    wish: Wish,
) -> Result<Response, Problem> {
    match gateway.seat_elsewhere(&session, client, &wish).await? {
        Some(answer) => Ok(answer),
        None => seated(gateway, Asker { session, client }, wish).await.map(IntoResponse::into_response),
    }
}

/// A seat on this server.
pub(super) async fn seated(gateway: &Arc<Gateway>, asker: Asker, wish: Wish) -> Result<impl IntoResponse + use<>, Problem> {
    let id = asker.session.id;
    let Seat { handle, ticket, expires_in } = gateway.seat(asker, wish).await?;
    let info = &handle.info;
    let Settings { private, lobby, bots } = info.settings;
    gateway.note_seat(id, info).await;
    let cluster_url = gateway.cluster.as_ref().map(|cluster| cluster.ws_url());
    let ws_url = gateway.config.public_ws_url.as_deref().or(cluster_url).unwrap_or("ws");
    Ok(Json(JoinAnswer {
        r#match: MatchSummary::of(info),
        code: info.code.clone(),
        settings: MatchSettings { mode: info.mode.id.to_owned(), private, lobby, bots },
        ticket: ticket.reveal(),
        expires_in_s: expires_in.as_secs_f32().round() as u64,
        ws_url: admission::url_for(ws_url, id),
        alternates: gateway.alternates().iter().map(|url| admission::url_for(url, id)).collect(),
    }))
}

#[cfg(test)]
mod tests;
