//! Listening sockets that outlive the server: a supervisor or systemd holds duplicates of them, so
//! that who connects while there is no server waits instead of being refused.
//!
//! They come as systemd hands them over: descriptors from 3 on, counted in `LISTEN_FDS`, named in
//! `LISTEN_FDNAMES`. Invariant: each socket has one of [`NAMES`], and no name comes twice.

use std::io;
use std::net::{SocketAddr, TcpListener};

use tickwire_handover::{Handover, Kept};

use crate::config::Config;
use crate::http::listener;

/// What the sockets are for: players, operators, metrics and health, redirects to HTTPS.
pub const NAMES: [&str; 4] = ["play", "admin", "ops", "redirect"];

/// In the environment of a server: the number of the descriptor that leads to players' connections.
#[cfg(unix)]
pub(crate) const PLAYERS: &str = "HANDOVER_FD";

/// Bound sockets by name, and players' connections.
#[derive(Debug, Default)]
pub struct Sockets {
    bound: Vec<(&'static str, TcpListener)>,
    /// Who keeps players' connections beyond this process, and those of the one before.
    players: Option<(Handover, Vec<Kept>)>,
}

/// Why sockets cannot be taken over, or made.
#[derive(Debug, thiserror::Error)]
pub enum SocketsError {
    /// It is not known what it is for.
    #[error("a socket called `{0}` was handed over: call it play, admin, ops or redirect (FileDescriptorName= in its unit)")]
    Unknown(String),
    /// Only one can be listened on.
    #[error("two sockets called `{0}` were handed over")]
    Twice(&'static str),
    /// What was handed over is none.
    #[error("descriptor {number} that was handed over cannot be listened on: {error}")]
    Broken {
        /// The number of the descriptor, 3 for the first that was handed over.
        number: usize,
        /// What is wrong with it.
        error: io::Error,
    },
    /// Nobody bound it.
    #[error("there is no socket called `{0}`")]
    Missing(&'static str),
    /// The system does not say where it is.
    #[error("the socket called `{name}` has no address: {error}")]
    Lost {
        /// What it is for: `play`, `admin`, `ops` or `redirect`.
        name: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// An address is not free.
    #[error("cannot listen on {address} for {what}: {error}")]
    Listen {
        /// What the listener is for, as a person would say it.
        what: &'static str,
        /// The address from the settings.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
}

impl Sockets {
    /// Those that were handed over to this process. To be called once, before there are threads.
    #[cfg(unix)]
    pub fn handed_over() -> Result<Self, SocketsError> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut handed = listenfd::ListenFd::from_env();
        let mut sockets = Self::default();
        for (nth, name) in names_of(&names, handed.len())?.into_iter().enumerate() {
            let broken = |error| SocketsError::Broken { number: nth + FIRST, error };
            if let Some(socket) = handed.take_tcp_listener(nth).map_err(broken)? {
                socket.set_nonblocking(true).map_err(broken)?;
                sockets.bound.push((name, socket));
            }
        }
        Ok(sockets)
    }

    /// Nobody hands over any, here.
    #[cfg(not(unix))]
    pub fn handed_over() -> Result<Self, SocketsError> {
        Ok(Self::default())
    }

    /// Takes the players' connections that a supervisor holds, if it does. Without them the server
    /// runs, and its players come back by themselves. To be called once, before there are threads.
    #[cfg(unix)]
    pub fn take_over_players(&mut self) {
        let Some(descriptor) = std::env::var(PLAYERS).ok().and_then(|number| number.parse().ok()) else { return };
        match Handover::take(descriptor) {
            Ok(players) => self.players = Some(players),
            Err(error) => tracing::warn!(%error, "the supervisor hands no players' connections over: they end with this process"),
        }
    }

    /// Who keeps players' connections, and those of the process before.
    pub(crate) fn take_players(&mut self) -> Option<(Handover, Vec<Kept>)> {
        self.players.take()
    }

    /// Binds those of `config` that were not handed over.
    pub fn bind(&mut self, config: &Config) -> Result<(), SocketsError> {
        let wanted = [
            ("play", "players", Some(config.play_address())),
            ("admin", "operators", config.admin.enabled.then(|| config.admin_address())),
            ("ops", "metrics and health", Some(config.ops_address())),
            ("redirect", "redirects to HTTPS", config.redirect_address()),
        ];
        for (name, what, address) in wanted {
            if let Some(address) = address.filter(|_| !self.has(name)) {
                let socket = listener::bind(address).map_err(|error| SocketsError::Listen { what, address, error })?;
                self.bound.push((name, socket));
            }
        }
        Ok(())
    }

    /// The socket called `name`, and its address.
    pub(crate) fn take(&mut self, name: &'static str) -> Result<(TcpListener, SocketAddr), SocketsError> {
        let place = self.bound.iter().position(|(known, _)| *known == name).ok_or(SocketsError::Missing(name))?;
        let (_, socket) = self.bound.swap_remove(place);
        let address = socket.local_addr().map_err(|error| SocketsError::Lost { name, error })?;
        Ok((socket, address))
    }

    /// All, with their names.
    #[cfg(unix)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &TcpListener)> {
        self.bound.iter().map(|(name, socket)| (*name, socket))
    }

    fn has(&self, name: &str) -> bool {
        self.bound.iter().any(|(known, _)| *known == name)
    }
}

/// The number of the first descriptor that is handed over.
#[cfg(unix)]
const FIRST: usize = 3;

/// What each of `count` sockets is for. Where nobody says, they come in the order of [`NAMES`].
#[cfg(unix)]
fn names_of(names: &str, count: usize) -> Result<Vec<&'static str>, SocketsError> {
    let mut found = Vec::new();
    let told: Vec<&str> = if names.is_empty() { Vec::new() } else { names.split(':').collect() };
    for nth in 0..count {
        let name = match told.get(nth) {
            Some(told) => NAMES.into_iter().find(|known| known == told).ok_or_else(|| SocketsError::Unknown((*told).to_owned()))?,
            None => NAMES.get(nth).copied().ok_or_else(|| SocketsError::Unknown(String::new()))?,
        };
        if found.contains(&name) {
            return Err(SocketsError::Twice(name));
        }
        found.push(name);
    }
    Ok(found)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_known_by_name_or_else_by_order() {
        assert_eq!(names_of("", 2).expect("known"), ["play", "admin"]);
        assert_eq!(names_of("ops:play", 2).expect("known"), ["ops", "play"]);
        assert_eq!(names_of("ops", 0).expect("known"), [""; 0], "meant for another process");
        assert!(names_of("tickwire.socket", 1).expect_err("unknown").to_string().contains("FileDescriptorName="));
        assert!(matches!(names_of("play:play", 2), Err(SocketsError::Twice("play"))));
        assert!(matches!(names_of("", 5), Err(SocketsError::Unknown(_))));
    }

    #[test]
    fn what_is_there_is_not_bound_again() {
        let mut config = Config { port: 0, ..Config::default() };
        config.admin.enabled = false;
        let mut sockets = Sockets::default();
        sockets.bind(&config).expect("free ports");
        let names: Vec<_> = sockets.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["play", "ops"]);
        let (play, address) = sockets.take("play").expect("bound");
        sockets.bound.push(("play", play));
        sockets.bind(&config).expect("nothing to do");
        let (_taken, again) = sockets.take("play").expect("bound");
        assert_eq!(again, address);
        config.port = address.port();
        let error = Sockets::default().bind(&config).expect_err("in use").to_string();
        assert!(error.starts_with(&format!("cannot listen on {address} for players: ")), "{error}");
    }
}
