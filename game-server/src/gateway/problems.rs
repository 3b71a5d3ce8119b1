//! What a player is told who cannot be given what the API was asked for.

use std::time::Duration;

use http::StatusCode;

use super::creations::TooMany;
use super::identity::Refusal;
use super::queue::{Crowded, Refused};
use crate::http::problem::Problem;
use crate::journal::Loss;
use crate::matches::{CreateError, ReserveError};
use crate::metrics::{self, NoRoom};

/// When it is worth asking again whether a worker has time: measurements go over two seconds.
const HEADROOM_WAIT: Duration = Duration::from_secs(5);
/// When it is worth asking again whether there is memory: matches end, and seats expire.
const MEMORY_WAIT: Duration = Duration::from_secs(15);

/// An operator does not let somebody play here, for so long; `None` until they change their mind.
pub(crate) fn banned(left: Option<Duration>, reason: &str) -> Problem {
    let mut detail = "The people who run this server do not let you play here".to_owned();
    if let Some(left) = left {
        detail.push_str(" for another ");
        detail.push_str(&span(left));
    }
    detail.push_str(if reason.is_empty() { "." } else { ": " });
    detail.push_str(reason);
    let problem = Problem::new(StatusCode::FORBIDDEN, "banned", detail);
    left.map_or(problem.clone(), |left| problem.until(left))
}

/// Somebody was closed again and again for what they sent. They may come back after `wait`.
pub(crate) fn must_wait(wait: Duration) -> Problem {
    let detail = "The server has closed your connection several times for what it sent. Wait a moment, then try again.";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).until(wait)
}

/// There is no such match, or it is over.
pub(crate) fn match_not_found() -> Problem {
    let detail = "There is no such match, or it is over. Ask for a new link, or start a match yourself.";
    Problem::new(StatusCode::NOT_FOUND, "match_not_found", detail)
}

/// The server started again and could not bring the match back.
pub(crate) fn match_lost(loss: Loss) -> Problem {
    let detail = match loss {
        Loss::Changed => "The server was updated, and that match could not go on in the new version. Start a match, or join another.",
        Loss::Failed => "The server started again and could not bring that match back. Start a match, or join another.",
    };
    Problem::new(StatusCode::NOT_FOUND, "match_lost", detail)
}

/// Too many requests from a session; the next is welcome after `wait`.
pub(crate) fn session_rate_limited(wait: Duration) -> Problem {
    let detail = "You are asking for too much at once. Wait a moment, then try again.";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).until(wait)
}

/// Only people with an account may play.
pub(crate) fn sign_in_required() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "sign_in_required", "Sign in to play.")
}

/// The workers have no time for another match.
pub(crate) fn no_time() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "at_capacity", "The server has too many matches to run. Try again in a moment.")
        .until(HEADROOM_WAIT)
}

/// The process runs short of memory.
pub(crate) fn no_memory() -> Problem {
    let detail = "The server runs short of memory and lets nobody new in. Try again in a moment.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "at_capacity", detail).until(MEMORY_WAIT)
}

/// The match is on its way from one server to another, or the servers do not find each other.
pub(crate) fn between_servers() -> Problem {
    let detail = "The match is moving to another server. Try again in a moment.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "restarting", detail).until(Duration::from_secs(1))
}

/// Somebody does not wait, or with another ticket.
pub(crate) fn not_in_queue() -> Problem {
    let detail = "You do not wait for a match here, or no longer. Enter the queue again.";
    Problem::new(StatusCode::NOT_FOUND, "not_in_queue", detail)
}

/// The mode has no queue.
pub(crate) fn no_queue() -> Problem {
    let detail = "Nobody waits for others in this mode here. Play it with whoever comes: quick play.";
    Problem::new(StatusCode::NOT_FOUND, "no_queue", detail)
}

/// The server is shutting down.
pub(crate) fn draining() -> Problem {
    let detail = "The server is about to restart and gives no new seats. Try again when it is back.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "draining", detail).until(Duration::from_secs(5))
}

/// A session has as many seats as it may have.
pub(crate) fn too_many_seats(seats: usize) -> Problem {
    let detail = format!("You have a seat in {seats} other matches. Leave one of them first, or wait until it ends.");
    Problem::new(StatusCode::CONFLICT, "too_many_seats", detail)
}

/// As many people play from an address as may.
pub(crate) fn address_is_full() -> Problem {
    let detail = "As many people play from your network address as may. Try again when one of them has left.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "at_capacity", detail).until(Duration::from_secs(30))
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Missing | Refusal::Unknown => {
                let detail = "The server does not know your session. Make a new one and try again.";
                Self::new(StatusCode::UNAUTHORIZED, "session_required", detail)
            }
            Refusal::Expired => {
                Self::new(StatusCode::UNAUTHORIZED, "session_expired", "You were signed in for as long as that lasts. Sign in again.")
            }
            Refusal::NotAccepted => {
                let detail = "The server does not accept what you signed in with. Sign in again.";
                Self::new(StatusCode::UNAUTHORIZED, "sign_in_refused", detail)
            }
            Refusal::TooMany(wait) => Self::rate_limited(wait),
            Refusal::Unavailable(wait) => {
                let detail = "The server cannot find out who you are at the moment. Try again in a moment.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "identity_unavailable", detail).until(wait)
            }
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let wait = Duration::from_secs(5);
        let full = |detail: &'static str| Self::new(StatusCode::SERVICE_UNAVAILABLE, "at_capacity", detail).until(wait);
        match refused {
            Refused::PartyFull => {
                let detail = "Your party is complete without you. Ask its host for a larger one, or enter alone.";
                Self::new(StatusCode::CONFLICT, "party_full", detail)
            }
            Refused::Full | Refused::Crowded(Crowded::All) => full("As many people wait for a match as may. Try again in a moment."),
            Refused::Crowded(Crowded::Address) => {
                full("As many people of your network address wait for a match as may. Try again in a moment.")
            }
            Refused::Store(error) => {
                tracing::warn!(%error, "somebody cannot wait for a match");
                let detail = "The servers do not find each other at the moment. Try again in a moment.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "restarting", detail).until(Duration::from_secs(1))
            }
        }
    }
}

impl From<TooMany> for Problem {
    fn from(too_many: TooMany) -> Self {
        let detail = match too_many {
            TooMany::ByGuest(matches) => {
                format!("You have started {matches} matches that still go on. Join one of them, or wait until one ends.")
            }
            TooMany::ByAddress(matches) => format!(
                "{matches} matches that were started from your network address still go on. Join one of them, or wait until one ends."
            ),
        };
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_matches", detail)
    }
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::AtCapacity => Self::at_capacity(),
            CreateError::NoTime => {
                metrics::count_refusal(NoRoom::Headroom);
                no_time()
            }
            CreateError::Draining => draining(),
            CreateError::NoSuchMode => Self::bad_request("There is no such mode here. Reload the page; /api/info names the modes."),
            CreateError::BadCode | CreateError::CodeTaken => match_not_found(),
        }
    }
}

impl From<ReserveError> for Problem {
    fn from(error: ReserveError) -> Self {
        match error {
            ReserveError::Full => {
                Self::new(StatusCode::CONFLICT, "match_full", "Every seat of that match is taken. Join another, or start one yourself.")
            }
            ReserveError::NoSeat | ReserveError::Gone => match_not_found(),
            ReserveError::Busy => Self::overloaded(),
        }
    }
}

/// How long something goes on, for people.
fn span(time: Duration) -> String {
    let minutes = time.as_secs().div_ceil(60).max(1);
    let (count, unit) = match minutes {
        0..=119 => (minutes, "minute"),
        120..=2_879 => (minutes.div_ceil(60), "hour"),
        _ => (minutes.div_ceil(60 * 24), "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_round_figures() {
        let told = |seconds| span(Duration::from_secs(seconds));
        assert_eq!([told(0), told(61), told(3_600), told(7_201)], ["1 minute", "2 minutes", "60 minutes", "3 hours"]);
        assert_eq!([told(47 * 3_600), told(48 * 3_600), told(30 * 86_400)], ["47 hours", "2 days", "30 days"]);
    }
}
