//! What a player is told who cannot be given what the API was asked for.

use std::time::Duration;

use http::StatusCode;

use super::creations::TooMany;
use super::identity::Refusal;
use crate::http::problem::Problem;
use crate::matches::{CreateError, ReserveError};
use crate::metrics::{self, NoRoom};

/// When it is worth asking again whether a worker has time: measurements go over two seconds.
const HEADROOM_WAIT: Duration = Duration::from_secs(5);
/// When it is worth asking again whether there is memory: matches end, and seats expire.
const MEMORY_WAIT: Duration = Duration::from_secs(15);

/// There is no such match, or it is over.
pub(crate) fn match_not_found() -> Problem {
    let detail = "There is no such match, or it is over. Ask for a new link, or start a match yourself.";
    Problem::new(StatusCode::NOT_FOUND, "match_not_found", detail)
}

/// Too many requests from a session; the next is welcome after `wait`.
pub(crate) fn session_rate_limited(wait: Duration) -> Problem {
    let detail = "You are asking for too much at once. Wait a moment, then try again.";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).until(wait)
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
            Refusal::Unavailable(wait) => {
                let detail = "The server cannot find out who you are at the moment. Try again in a moment.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "identity_unavailable", detail).until(wait)
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
