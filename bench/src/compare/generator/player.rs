//! A player, whatever its messages go over.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use mio::net::TcpStream;
use rustls::ClientConfig;

use super::over_http::HttpPlayer;
use super::socket;
use super::window::Window;
use crate::arm::Arm;
use crate::dialect::Dialect;
use crate::seats::Seat;
use crate::watch::Watcher;

/// One of the players.
pub(super) enum Player {
    Socket(Box<socket::Player>),
    Http(Box<HttpPlayer>),
}

/// Does the same with whichever it is.
macro_rules! each {
    ($player:expr, $it:ident => $act:expr) => {
        match $player {
            Player::Socket($it) => $act,
            Player::Http($it) => $act,
        }
    };
}

impl Player {
    /// Begins to connect. `index` decides where from, and what it will do.
    pub(super) fn open(
        arm: Arm,
        server: SocketAddr,
        index: usize,
        seat: &Seat,
        dialect: Dialect,
        watcher: Option<Watcher>,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Result<Self> {
        Ok(if arm == Arm::TickwireHttp {
            Self::Http(Box::new(HttpPlayer::open(server, index, seat, dialect, watcher)?))
        } else {
            Self::Socket(Box::new(socket::Player::open(server, index, seat, dialect, watcher, tls)?))
        })
    }

    /// Its sockets, in the order of their numbers.
    pub(super) fn streams(&mut self) -> Vec<&mut TcpStream> {
        match self {
            Self::Socket(player) => vec![player.stream()],
            Self::Http(player) => player.streams().collect(),
        }
    }

    /// It has been told the state of the match.
    pub(super) fn is_playing(&self) -> bool {
        each!(self, player => player.is_playing())
    }

    /// Whether it may say something.
    pub(super) fn is_open(&self) -> bool {
        each!(self, player => player.is_open())
    }

    pub(super) fn watcher(&self) -> Option<&Watcher> {
        each!(self, player => player.watcher())
    }

    /// One of its sockets takes bytes.
    pub(super) fn on_writable(&mut self, which: usize) -> Result<()> {
        match self {
            Self::Socket(player) => player.on_writable(),
            Self::Http(player) => player.on_writable(which),
        }
    }

    /// One of its sockets has bytes.
    pub(super) fn on_readable(&mut self, which: usize, buffer: &mut [u8], scratch: &mut Vec<u8>, window: &mut Window) -> Result<()> {
        match self {
            Self::Socket(player) => player.on_readable(buffer, scratch, window),
            Self::Http(player) => player.on_readable(which, buffer, scratch, window),
        }
    }

    /// Sends the input of the tick that is due.
    pub(super) fn play(&mut self, scratch: &mut Vec<u8>) -> Result<()> {
        each!(self, player => player.play(scratch))
    }
}
