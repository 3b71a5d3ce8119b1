//! The queue, as the API has it: enter, ask how far, leave.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tickwire_protocol::{MatchId, Secret};
use tokio::time::Instant;

use super::api::{self, Caller, QUEUE_TICKET, Shared, WAIT_MAX, Whose, known};
use super::problems;
use super::queue::{PARTY_MAX, Progress, Refused, Turn, Wanted};
use super::seating::{Asker, Wish};
use super::sessions::PlayerSession;
use super::shared::Gateway;
use super::tickets::unix_now;
use crate::cluster::Whereabouts;
use crate::cluster::letter::Member;
use crate::config::ms;
use crate::http::address::{ClientAddress, to_bytes};
use crate::http::problem::Problem;
use crate::http::request;
use crate::matches::CreateError;
use crate::secrets::random_bytes;

/// How often it looks, where no word comes from this server's own matchmaking.
const LOOK: Duration = Duration::from_millis(500);
/// A new match of another server's shows in the store after a moment: so long, and looked for so
/// often.
const SHOWS_AFTER: Duration = Duration::from_millis(50);
const SHOWS_LOOKS: usize = 20;

/// The routes under `/api/queue`.
pub(super) fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/api/queue", post(enter)).route(QUEUE_TICKET, get(ask).delete(leave))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    mode: String,
    #[serde(default = "one")]
    players: u16,
    party: Option<String>,
    rating: Option<i32>,
}

const fn one() -> u16 {
    1
}

/// Somebody waits.
#[derive(Serialize)]
struct WaitAnswer {
    ticket: String,
    mode: String,
    /// Players of the party.
    players: u16,
    /// Those of them who are here.
    here: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    party: Option<String>,
    /// What counts of the rating; told to who enters.
    #[serde(skip_serializing_if = "Option::is_none")]
    rating: Option<i32>,
    waited_s: u64,
}

async fn enter(State(gateway): Shared, (Extension(remote), Extension(caller)): Whose, request: Request) -> Result<Response, Problem> {
    let rating = rated(&caller);
    let session = known(&gateway, caller)?;
    let Entry { mode, players, party, rating: claimed } = request::json(request, ms(gateway.config.connections.request_ms)).await?;
    let client = remote.client;
    let asker = Asker { session: Arc::clone(&session), client };
    gateway.allow_new_seat(&asker)?;
    if !gateway.directory.modes().iter().any(|known| known.id == mode) {
        return Err(CreateError::NoSuchMode.into());
    }
    let line = gateway.queues.line(&mode).ok_or_else(problems::no_queue)?;
    let most = PARTY_MAX.min(line.seats);
    if !(1..=most).contains(&players) {
        return Err(Problem::bad_request(format!("A party has 1 to {most} players.")));
    }
    let party = match party {
        None if players > 1 => Some(Secret(random_bytes())),
        None => None,
        Some(_) if players == 1 => return Err(Problem::bad_request("Who is alone has no party.")),
        Some(party) => Some(party.parse().map_err(|_| Problem::bad_request("A party is 32 hex digits, as its host was told."))?),
    };
    let rating = gateway.queues.rating(rating, claimed);
    let member = member(&session, client, rating);
    // One request of a session after the other.
    let turn = Arc::clone(&session.turn).lock_owned().await;
    let mut waits = gateway.queues.enter(line, Wanted { players, party }, member, client.key()).await?;
    let progress = match waits.step().await {
        Ok(progress) => progress,
        Err(refused) => {
            drop(waits);
            // What stays of them goes by itself.
            let _ = gateway.queues.put_out(session.id).await;
            return Err(refused.into());
        }
    };
    drop(turn);
    let answer = WaitAnswer { party: party.map(Secret::reveal), rating: Some(rating), ..answer(&waits, progress) };
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

#[derive(Deserialize)]
struct Patience {
    /// Seconds.
    wait: Option<u64>,
}

async fn ask(
    State(gateway): Shared,
    (Extension(remote), Extension(caller)): Whose,
    ticket: Result<Path<String>, PathRejection>,
    patience: Result<Query<Patience>, QueryRejection>,
) -> Result<Response, Problem> {
    let rating = rated(&caller);
    let session = known(&gateway, caller)?;
    let ticket = ticket_of(ticket)?;
    let Query(Patience { wait }) = patience.map_err(|_| Problem::bad_request("`wait` is a number of seconds."))?;
    let client = remote.client;
    let until = Instant::now() + wait.map_or(WAIT_MAX, |wait| Duration::from_secs(wait).min(WAIT_MAX));
    let member = member(&session, client, gateway.queues.rating(rating, None));
    let turn = gateway.queues.come_back(member, ticket, client.key()).await?;
    let mut turn = turn.ok_or_else(problems::not_in_queue)?;
    loop {
        let progress = turn.step().await?;
        match progress {
            Progress::Gone => return Err(problems::not_in_queue()),
            Progress::Seated(id) => {
                drop(turn);
                return join(&gateway, session, client, id).await;
            }
            Progress::Gathers(_) | Progress::Waits(_) if gateway.directory.is_draining() => return Err(problems::draining()),
            Progress::Gathers(_) | Progress::Waits(_) if Instant::now() >= until => {
                return Ok((StatusCode::ACCEPTED, Json(answer(&turn, progress))).into_response());
            }
            Progress::Gathers(_) | Progress::Waits(_) => {}
        }
        let look = until.min(Instant::now() + LOOK);
        tokio::select! {
            () = tokio::time::sleep_until(look) => {}
            () = turn.told() => {}
        }
    }
}

async fn leave(
    State(gateway): Shared,
    (_, Extension(caller)): Whose,
    ticket: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let session = known(&gateway, caller)?;
    let ticket = ticket_of(ticket)?;
    let has_left = gateway.queues.leave(session.id, ticket).await.map_err(|error| Problem::from(Refused::from(error)))?;
    if has_left { Ok(StatusCode::NO_CONTENT) } else { Err(problems::not_in_queue()) }
}

/// A seat for somebody whose match is there.
async fn join(gateway: &Arc<Gateway>, session: Arc<PlayerSession>, client: ClientAddress, id: MatchId) -> Result<Response, Problem> {
    for _ in 0..SHOWS_LOOKS {
        let Some(cluster) = &gateway.cluster else { break };
        if gateway.directory.find(id).is_some() || cluster.locate(id).await.is_ok_and(|found| found != Whereabouts::Nowhere) {
            break;
        }
        tokio::time::sleep(SHOWS_AFTER).await;
    }
    api::seat(gateway, session, client, Wish::In(id)).await
}

/// How good somebody is, if their identity provider has said it.
const fn rated(caller: &Caller) -> Option<i32> {
    if let Caller::Known(_, rating) = caller { *rating } else { None }
}

fn ticket_of(ticket: Result<Path<String>, PathRejection>) -> Result<Secret, Problem> {
    let ticket = ticket.ok().and_then(|Path(ticket)| ticket.parse().ok());
    ticket.ok_or_else(problems::not_in_queue)
}

fn member(session: &PlayerSession, client: ClientAddress, rating: i32) -> Member {
    let expires = session.sign_in.left(std::time::Instant::now()).map(|left| unix_now().saturating_add(left.as_secs()));
    Member { player: session.id, name: session.name.clone(), expires, client: to_bytes(client.ip()), rating }
}

fn answer(turn: &Turn<'_>, progress: Progress) -> WaitAnswer {
    let waiting = &turn.waiting;
    let (here, waited) = match progress {
        Progress::Gathers(here) => (here, Duration::ZERO),
        Progress::Waits(waited) => (waiting.players, waited),
        Progress::Gone | Progress::Seated(_) => (waiting.players, Duration::ZERO),
    };
    WaitAnswer {
        ticket: waiting.ticket.reveal(),
        mode: waiting.mode.clone(),
        players: waiting.players,
        here,
        party: None,
        rating: None,
        waited_s: waited.as_secs(),
    }
}
