//! What is looked at before anyone is sent: the server, its game, and what this machine allows. Each refusal is one line that
//! says what to do.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use tickwire_game::Game;
use tickwire_protocol::PROTOCOL_VERSION;
use tickwire_testkit::api::{Api, ApiError};
use tickwire_testkit::descriptors;
use tickwire_testkit::recording::RecordingError;
use tickwire_testkit::target::{Endpoint, Target, any_like};

use crate::options::Options;
use crate::scenario::Door;

/// Descriptors that are no player's: runtimes, files, metrics.
const RESERVE: u64 = 128;

/// What the server said of itself.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Where it was found.
    pub place: Endpoint,
    /// Its game.
    pub game: String,
    /// The game's schema.
    schema: String,
    /// The mode to play.
    pub mode: ModeFacts,
    /// How long it keeps the seat of a player whose connection broke, if it says so.
    pub grace: Option<Duration>,
    /// Where its metrics are; `None` if they cannot or are not to be read.
    pub ops: Option<Endpoint>,
    /// Where its operators connect to, if spectators are to.
    pub admin: Option<Endpoint>,
    /// What a reader must know of how it was found.
    pub warnings: Vec<String>,
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
        server: Target,
        /// What happened.
        error: std::io::Error,
    },
    /// Something else is there.
    #[error("what answers at {server} is no Tickwire server for players: {error}; --server wants the first address that `tickwire` prints")]
    NotTickwire {
        /// Where.
        server: Target,
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
    /// The operators' listener is not there.
    #[error("no operators' listener at {admin}, which the scenario `spectate` needs: {error}; name it with --admin")]
    NoAdmin {
        /// Where.
        admin: Target,
        /// What happened.
        error: std::io::Error,
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
    grace_s: Option<f64>,
}

impl Facts {
    /// Asks the server.
    pub async fn ask(options: &Options) -> Result<Self, PreflightError> {
        let server = &options.server;
        let place = options.find(server).await.map_err(|error| PreflightError::NoServer { server: server.clone(), error })?;
        let other = |error: String| PreflightError::NotTickwire { server: server.clone(), error };
        let api = Api::to(place.clone(), any_like(place.address));
        let answer = api.call(http::Method::GET, "/api/info", None).await.map_err(|error| other(what_is_wrong(&error)))?;
        let info: Info = serde_json::from_value(answer).map_err(|error| other(format!("its /api/info says {error}")))?;
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
        let mut warnings = Vec::new();
        let ops = match options.ops_target() {
            Some(target) => find_ops(&target, &place, options.ops.is_some(), &mut warnings).await,
            None => None,
        };
        warnings.extend(one_address(options, &place));
        let admin = match options.admin_target() {
            Some(admin) if options.mix.uses(Door::Watch) && options.admin_token_file.is_some() => {
                Some(options.find(&admin).await.map_err(|error| PreflightError::NoAdmin { admin, error })?)
            }
            _ => None,
        };
        let grace = info.grace_s.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Ok(Self { place, game: info.game, schema: info.schema, mode, grace, ops, admin, warnings })
    }

    /// An error if the server has another version of `G`, which is its game.
    pub fn check_schema<G: Game>(&self) -> Result<(), PreflightError> {
        let ours = format!("{:016x}", G::SCHEMA.hash());
        if self.schema == ours {
            return Ok(());
        }
        Err(PreflightError::OtherSchema { game: self.game.clone(), theirs: self.schema.clone(), ours })
    }
}

/// Where the metrics can be read, of all places where `target` may be.
async fn find_ops(target: &Target, server: &Endpoint, was_named: bool, warnings: &mut Vec<String>) -> Option<Endpoint> {
    let mut places = Vec::new();
    if was_named {
        places.extend(target.find().await.ok());
    } else if let Some(port) = server.address.port().checked_add(2) {
        places.push(Endpoint::at(SocketAddr::new(server.address.ip(), port)));
        // Players may come over one family while the metrics listen on the other.
        if server.address.ip().is_loopback() {
            let other = if server.address.is_ipv6() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
            places.push(Endpoint::at(SocketAddr::new(other, port)));
        }
    }
    let mut why = "nobody listens there".to_owned();
    for place in places {
        let source = any_like(place.address);
        match Api::to(place.clone(), source).get_text("/metrics").await {
            Ok(_) => return Some(place),
            Err(ApiError::Unreachable(_)) => {}
            Err(error) => why = error.to_string(),
        }
    }
    warnings.push(format!("no metrics at {target} ({why}): the server's CPU, ticks and seats are not in the report"));
    None
}

/// What a reader must know if all players come from one address.
fn one_address(options: &Options, place: &Endpoint) -> Option<String> {
    let is_v6_loopback = place.address.is_ipv6() && place.address.ip().is_loopback();
    (is_v6_loopback && options.users_per_address > 0 && options.users > options.users_per_address).then(|| {
        format!(
            "all {} players come from ::1, for IPv6 has no other loopback address: a server limits what one address may do; \
             with 127.0.0.1 they come from many",
            options.users
        )
    })
}

/// What of an answer to `/api/info` is not what a server for players says.
fn what_is_wrong(error: &ApiError) -> String {
    match error {
        ApiError::Refused { status, .. } => format!("it answers {status} to /api/info"),
        ApiError::Unexpected(why) => format!("what it answers to /api/info is {why}"),
        ApiError::Unreachable(why) => why.clone(),
    }
}

/// Makes room for `users` connections, raising this process's limit as far as it may. Returns the limit; 0 for none.
pub(super) fn provide_descriptors(users: usize) -> Result<u64, PreflightError> {
    // A socket each, and an HTTP connection while they come in, at worst all at once.
    let needed = 2 * users as u64 + RESERVE;
    match descriptors::provide(needed) {
        limit if limit < needed => Err(PreflightError::Descriptors { users, needed, limit }),
        limit => Ok(if limit == u64::MAX { 0 } else { limit }),
    }
}

pub(super) fn read_token(path: &Path) -> Result<String, PreflightError> {
    let token = std::fs::read_to_string(path).map_err(|error| PreflightError::Token { path: path.display().to_string(), error })?;
    Ok(token.trim().to_owned())
}
