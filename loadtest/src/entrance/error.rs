//! Why a player did not get in, and what can be done about it.

use std::io;
use std::time::Duration;

use tickwire_protocol::messages::Retry;
use tickwire_testkit::api::ApiError;
use tickwire_testkit::client::ClientError;

/// How long any part of coming in may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// Why a player did not get in.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    /// The HTTP API gave no seat.
    #[error("no seat: {0}")]
    Api(#[from] ApiError),
    /// Goose could not make the request.
    #[error("no request: {0}")]
    Goose(String),
    /// The connection could not be opened, or broke.
    #[error("no connection: {0}")]
    Io(#[from] io::Error),
    /// The session did not begin.
    #[error("no session: {0}")]
    Client(#[from] ClientError),
    /// There is nothing to watch.
    #[error("there is no match to watch")]
    NothingToWatch,
    /// It took too long.
    #[error("nothing came for {} s", PATIENCE.as_secs())]
    TimedOut,
}

impl EnterError {
    /// Whether coming back to the same seat cannot help: the server said so.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Client(ClientError::Told(reason)) => reason.retry() != Retry::Resume,
            Self::Client(ClientError::Malformed(_) | ClientError::Diverged { .. }) => true,
            _ => false,
        }
    }

    /// What to do about it, if this machine ran out of something.
    pub fn shortage(&self) -> Option<&'static str> {
        let (Self::Io(error) | Self::Client(ClientError::Io(error))) = self else { return None };
        match error.kind() {
            io::ErrorKind::AddrNotAvailable | io::ErrorKind::AddrInUse => {
                Some("this machine has no free local port left: spread the players with --users-per-address 16, or over more machines")
            }
            _ if error.raw_os_error() == Some(TOO_MANY_FILES) => {
                Some("this process has no free file descriptor left: raise the limit (ulimit -n) or use fewer users")
            }
            _ => None,
        }
    }
}

/// EMFILE, on Linux and elsewhere.
const TOO_MANY_FILES: i32 = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_ran_out_of_something_is_told_what_to_do() {
        let advice = |error: io::Error| EnterError::Io(error).shortage().unwrap_or_default();
        assert!(advice(io::ErrorKind::AddrNotAvailable.into()).contains("--users-per-address"));
        assert!(advice(io::Error::from_raw_os_error(TOO_MANY_FILES)).contains("ulimit -n"));
        assert_eq!(advice(io::ErrorKind::ConnectionRefused.into()), "");
    }
}
