//! What is looked at before anyone is sent: the server, its game, and what this machine allows. Each refusal is one line that
//! says what to do.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use serde::Deserialize;
use tickwire_game::GameDef;
use tickwire_protocol::PROTOCOL_VERSION;

use crate::api::{Api, ApiError};
use crate::options::Options;
use crate::recording::RecordingError;

/// Descriptors that are no player's: runtimes, files, metrics.
const RESERVE: u64 = 128;

/// What the server said of itself.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Its game.
    pub game: String,
    /// The game's schema.
    schema: String,
    /// The mode to play.
    pub mode: ModeFacts,
    /// Where its metrics are; `None` if they cannot or are not to be read.
    pub ops: Option<SocketAddr>,
    /// Why its metrics cannot be read.
    pub ops_missing: Option<String>,
}

/// A way to play.
#[derive(Clone, Debug, Deserialize)]
pub struct ModeFacts {
    /// Stable name.
    pub id: String,
    /// Ticks per second.
    pub tick_rate: u8,
}

/// Why a load test did not begin.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    /// Nobody is there.
    #[error("no server at {server}: {error}; start one with `tickwire --hash-every 30`, or name another with --server")]
    NoServer {
        /// Where.
        server: SocketAddr,
        /// What happened.
        error: ApiError,
    },
    /// Something else is there.
    #[error("what answers at {server} is no Tickwire server: {error}")]
    NotTickwire {
        /// Where.
        server: SocketAddr,
        /// What is wrong with its answer.
        error: String,
    },
    /// The server speaks another version.
    #[error("the server speaks protocol {theirs}, this program {PROTOCOL_VERSION}: build both from the same version")]
    OtherProtocol {
        /// The server's version.
        theirs: u16,
    },
    /// The server's game was built from another version.
    #[error("the server's `{game}` has schema {theirs}, this program's has {ours}: build both from the same version")]
    OtherSchema {
        /// The game.
        game: String,
        /// The server's.
        theirs: String,
        /// Ours.
        ours: String,
    },
    /// This program has no bots for the server's game.
    #[error("the server runs `{game}`, for which this program has no bots: build it with that game, see docs/BRING_YOUR_OWN_GAME.md")]
    UnknownGame {
        /// The game.
        game: String,
    },
    /// The game has no such mode.
    #[error("there is no mode `{mode}`; there are {modes}")]
    NoSuchMode {
        /// What was asked for.
        mode: String,
        /// What there is.
        modes: String,
    },
    /// Too few descriptors.
    #[error("{users} users need {needed} file descriptors, only {limit} are allowed: raise the limit (ulimit -n) or use fewer users")]
    Descriptors {
        /// Users.
        users: usize,
        /// Descriptors they need.
        needed: u64,
        /// Descriptors there are.
        limit: u64,
    },
    /// The operator's token is missing.
    #[error("the scenario `spectate` needs --admin-token-file")]
    SpectateNeedsToken,
    /// The operator's token cannot be read.
    #[error("cannot read the operator's token from {path}: {error}")]
    Token {
        /// Where.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The recording cannot be played.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// Goose does not accept its options.
    #[error("{0}")]
    Goose(String),
    /// This program's own fault.
    #[error("internal error: {0}")]
    Internal(String),
}

#[derive(Deserialize)]
struct Info {
    game: String,
    protocol: u16,
    schema: String,
    modes: Vec<ModeFacts>,
}

impl Facts {
    /// Asks the server.
    pub async fn ask(options: &Options) -> Result<Self, PreflightError> {
        let server = options.server;
        let source = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let answer = Api::new(server, source).call(http::Method::GET, "/api/info", None).await.map_err(|error| match error {
            ApiError::Unreachable(_) => PreflightError::NoServer { server, error },
            other => PreflightError::NotTickwire { server, error: other.to_string() },
        })?;
        let info: Info =
            serde_json::from_value(answer).map_err(|error| PreflightError::NotTickwire { server, error: error.to_string() })?;
        if info.protocol != PROTOCOL_VERSION {
            return Err(PreflightError::OtherProtocol { theirs: info.protocol });
        }
        let modes = info.modes.iter().map(|mode| mode.id.as_str()).collect::<Vec<_>>().join(", ");
        let mut found = info.modes.into_iter();
        let mode = match &options.mode {
            Some(wanted) => found.find(|mode| mode.id == *wanted),
            None => found.next(),
        };
        let mode = mode.ok_or_else(|| PreflightError::NoSuchMode { mode: options.mode.clone().unwrap_or_default(), modes })?;
        let (ops, ops_missing) = match options.ops_address() {
            Some(address) => match Api::new(address, source).get_text("/metrics").await {
                Ok(_) => (Some(address), None),
                Err(error) => {
                    (None, Some(format!("no metrics at {address} ({error}): the server's CPU, ticks and seats are not in the report")))
                }
            },
            None => (None, None),
        };
        Ok(Self { game: info.game, schema: info.schema, mode, ops, ops_missing })
    }

    /// Whether the server's game is `G`; an error if it is another version of it.
    pub fn is_of<G: GameDef>(&self) -> Result<bool, PreflightError> {
        if self.game != G::NAME {
            return Ok(false);
        }
        let ours = format!("{:016x}", G::SCHEMA.hash());
        if self.schema == ours {
            return Ok(true);
        }
        Err(PreflightError::OtherSchema { game: self.game.clone(), theirs: self.schema.clone(), ours })
    }
}

/// Makes room for `users` connections, raising this process's limit as far as it may. Returns the limit; 0 for none.
pub(super) fn provide_descriptors(users: usize) -> Result<u64, PreflightError> {
    // A socket each, and an HTTP connection while they come in, at worst all at once.
    let needed = 2 * users as u64 + RESERVE;
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        if current.is_some_and(|current| current < needed) {
            let wanted = maximum.map_or(needed, |maximum| maximum.min(needed));
            // If it does not work, the limit stays too low, and the error below says so.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
        }
        match getrlimit(Resource::Nofile).current {
            Some(limit) if limit < needed => Err(PreflightError::Descriptors { users, needed, limit }),
            limit => Ok(limit.unwrap_or(0)),
        }
    }
    #[cfg(not(unix))]
    Ok(0)
}

pub(super) fn read_token(path: &Path) -> Result<String, PreflightError> {
    let token = std::fs::read_to_string(path).map_err(|error| PreflightError::Token { path: path.display().to_string(), error })?;
    Ok(token.trim().to_owned())
}
