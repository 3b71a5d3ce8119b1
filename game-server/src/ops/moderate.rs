//! Operators look after people: who sits in a match, kick, ban, lift, and what was done.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tickwire_protocol::MatchId;

use super::audit::{Action, Entry, unix_ms};
use super::observer::Observer;
use crate::config::ms;
use crate::gateway::bans::{self, Ban, NewBan, TEXT_CHARS_MAX, Whom};
use crate::gateway::problems;
use crate::http::problem::Problem;
use crate::http::remote::Remote;
use crate::http::request;
use crate::matches::{MatchHandle, PlayerKey, Sitter, Stay};
use crate::secrets::{from_hex, to_hex};

type Shared = State<Arc<Observer>>;
type Id = Result<Path<String>, PathRejection>;

/// Everyone who has a seat in a match.
#[derive(Serialize)]
pub(super) struct Players {
    players: Vec<Player>,
}

#[derive(Serialize)]
struct Player {
    seat: u16,
    name: String,
    /// Tells who it is, for kick and ban. No secret: it admits to nothing.
    session: String,
    presence: &'static str,
    /// Where they are connected from, if they are.
    address: Option<String>,
    /// What a ban of that address would be for.
    network: Option<String>,
}

impl Player {
    fn of(Sitter { occupant, peer }: &Sitter) -> Self {
        let presence = match occupant.stay {
            Stay::Expected => "expected",
            Stay::Here => "here",
            Stay::Idle => "idle",
            Stay::Away => "away",
        };
        Self {
            seat: occupant.player.0,
            name: occupant.name.as_str().to_owned(),
            session: to_hex(&occupant.owner.0),
            presence,
            address: peer.map(|peer| peer.to_canonical().to_string()),
            network: peer.map(|peer| bans::network_of(peer).to_string()),
        }
    }
}

pub(super) async fn players(State(observer): Shared, id: Id) -> Result<Json<Players>, Problem> {
    let sitters = find(&observer, id)?.look().await.ok_or_else(Problem::overloaded)?;
    Ok(Json(Players { players: sitters.iter().map(Player::of).collect() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kick {
    session: String,
    #[serde(default)]
    reason: String,
}

pub(super) async fn kick(
    State(observer): Shared,
    Extension(remote): Extension<Remote>,
    id: Id,
    request: Request,
) -> Result<StatusCode, Problem> {
    let handle = find(&observer, id)?;
    let Kick { session, reason } = request::json(request, patience(&observer)).await?;
    let player = player(&session)?;
    let kicked = observer.gateway.kick(&handle, player).await.ok_or_else(nobody)?;
    let subject = format!("{} in match {}", kicked.occupant.name.as_str(), handle.info.code);
    observer.audit.note(remote.client, Action::Kick, subject, clean(&reason));
    Ok(StatusCode::NO_CONTENT)
}

/// Somebody by session, by network, or by both.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Banish {
    session: Option<String>,
    network: Option<String>,
    #[serde(default)]
    name: String,
    /// Absent until it is lifted.
    seconds: Option<u64>,
    #[serde(default)]
    reason: String,
}

/// Bans.
#[derive(Serialize)]
pub(super) struct Listed {
    bans: Vec<Shown>,
}

#[derive(Serialize)]
struct Shown {
    id: u64,
    session: Option<String>,
    network: Option<String>,
    name: String,
    reason: String,
    since_ms: u64,
    /// `None` until it is lifted.
    expires_ms: Option<u64>,
}

impl Shown {
    fn of(Ban { id, what, since, until }: &Ban, now: Instant) -> Self {
        let (session, network) = match what.whom {
            Whom::Player(player) => (Some(to_hex(&player.0)), None),
            Whom::Network(network) => (None, Some(network.to_string())),
        };
        let left = until.map(|until| until.saturating_duration_since(now));
        let expires_ms = left.and_then(|left| SystemTime::now().checked_add(left)).map(unix_ms);
        Self { id: *id, session, network, name: what.name.clone(), reason: what.reason.clone(), since_ms: unix_ms(*since), expires_ms }
    }
}

pub(super) async fn ban(
    State(observer): Shared,
    Extension(remote): Extension<Remote>,
    request: Request,
) -> Result<(StatusCode, Json<Listed>), Problem> {
    let Banish { session, network, name, seconds, reason } = request::json(request, patience(&observer)).await?;
    let session = session.map(|session| player(&session).map(Whom::Player)).transpose()?;
    let network = network.map(|network| Whom::network(&network).ok_or_else(no_network)).transpose()?;
    let (name, reason, lasts) = (clean(&name), clean(&reason), seconds.map(Duration::from_secs));
    let mut bans = Vec::new();
    for whom in [session, network].into_iter().flatten() {
        let asked = NewBan { whom, name: name.clone(), reason: reason.clone(), lasts };
        let (ban, dismissed) = observer.gateway.ban(asked).await.ok_or_else(too_many)?;
        let whom = match whom {
            Whom::Player(_) => "the player".to_owned(),
            Whom::Network(network) => network.to_string(),
        };
        let length = seconds.map_or_else(|| "until it is lifted".to_owned(), |seconds| format!("for {seconds} s"));
        let subject = format!("{whom} ({name}), ban {} {length}, {dismissed} taken out of matches", ban.id);
        observer.audit.note(remote.client, Action::Ban, subject, reason.clone());
        bans.push(Shown::of(&ban, Instant::now()));
    }
    if bans.is_empty() {
        Err(Problem::bad_request("Name a session, a network, or both."))
    } else {
        Ok((StatusCode::CREATED, Json(Listed { bans })))
    }
}

pub(super) async fn bans(State(observer): Shared) -> Json<Listed> {
    let now = Instant::now();
    Json(Listed { bans: observer.gateway.bans().list(now).iter().map(|ban| Shown::of(ban, now)).collect() })
}

pub(super) async fn lift(State(observer): Shared, Extension(remote): Extension<Remote>, id: Id) -> Result<StatusCode, Problem> {
    let id = id.ok().and_then(|Path(id)| id.parse().ok());
    let ban = id
        .and_then(|id| observer.gateway.bans().lift(Instant::now(), id))
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "ban_not_found", "There is no such ban, or it is over."))?;
    observer.audit.note(remote.client, Action::Lift, format!("ban {} ({})", ban.id, ban.what.name), String::new());
    Ok(StatusCode::NO_CONTENT)
}

/// What operators did.
#[derive(Serialize)]
pub(super) struct Trail {
    entries: Vec<Entry>,
}

pub(super) async fn trail(State(observer): Shared) -> Json<Trail> {
    Json(Trail { entries: observer.audit.list() })
}

fn find(observer: &Observer, id: Id) -> Result<MatchHandle, Problem> {
    let Path(id) = id.map_err(|_| problems::match_not_found())?;
    let id: MatchId = id.parse().map_err(|_| problems::match_not_found())?;
    observer.directory.find(id).ok_or_else(problems::match_not_found)
}

fn patience(observer: &Observer) -> Duration {
    ms(observer.gateway.request_ms())
}

fn player(hex: &str) -> Result<PlayerKey, Problem> {
    from_hex(hex).map(PlayerKey).ok_or_else(no_session)
}

fn no_session() -> Problem {
    Problem::bad_request("A session is 64 hexadecimal digits, as the list of players has them.")
}

fn no_network() -> Problem {
    Problem::bad_request("A network is an address, or one with a prefix as 192.0.2.0/24, of no more than a /8 of IPv4 or a /16 of IPv6.")
}

fn nobody() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "player_not_found", "This player has no seat in that match any more.")
}

fn too_many() -> Problem {
    Problem::new(StatusCode::CONFLICT, "too_many_bans", "There are as many bans as there may be. Lift some first.")
}

/// One line that can be shown and logged.
fn clean(text: &str) -> String {
    text.chars().filter(|sign| !sign.is_control()).take(TEXT_CHARS_MAX).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_one_short_line() {
        assert_eq!(clean(" a\nb\u{1b}[31m "), "ab[31m");
        assert_eq!(clean(&"x".repeat(999)).len(), TEXT_CHARS_MAX);
    }
}
