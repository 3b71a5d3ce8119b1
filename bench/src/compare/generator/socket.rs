//! One player's socket: opened from an address of its own, upgraded, then frames both ways.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use mio::net::TcpStream;
use rustls::ClientConfig;
use socket2::{Domain, Protocol, Socket, Type};

use super::window::Window;
use super::wire::Wire;
use crate::dialect::{Dialect, Heard};
use crate::frame;
use crate::seats::Seat;
use crate::trace::Trace;
use crate::watch::Watcher;

/// Players per source address: far below what servers allow one address.
const PLAYERS_PER_ADDRESS: usize = 50;

/// One player's connection and what it knows.
pub(crate) struct Player {
    wire: Wire,
    phase: Phase,
    dialect: Dialect,
    trace: Trace,
    watcher: Option<Watcher>,
    /// Received and not yet understood: the front of a frame.
    rest: Vec<u8>,
    /// Written and not yet taken by the socket.
    unsent: Vec<u8>,
    last_update: Option<Instant>,
    /// Changes with every frame, as it must.
    mask: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Connecting,
    Upgrading,
    Open,
}

/// Begins to connect. `index` decides where from.
pub(super) fn connect(server: SocketAddr, index: usize) -> Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).context("no further socket")?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    let [.., high, low] = (index / PLAYERS_PER_ADDRESS + 1).to_be_bytes();
    socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, high, low), 0)).into()).context("no free port on a loopback address")?;
    match socket.connect(&server.into()) {
        Err(error) if error.raw_os_error() != Some(IN_PROGRESS) => Err(error).context("cannot connect"),
        _ => Ok(TcpStream::from_std(socket.into())),
    }
}

impl Player {
    /// Begins to connect. `index` decides where from, and what it will do.
    pub(crate) fn open(
        server: SocketAddr,
        index: usize,
        seat: &Seat,
        dialect: Dialect,
        watcher: Option<Watcher>,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Result<Self> {
        Ok(Self {
            wire: Wire::new(connect(server, index)?, tls)?,
            phase: Phase::Connecting,
            dialect,
            trace: Trace::new(index),
            watcher,
            rest: Vec::new(),
            unsent: frame::upgrade_request(&server.to_string(), &seat.path).into_bytes(),
            last_update: None,
            mask: index as u32,
        })
    }

    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        self.wire.tcp()
    }

    /// It has been told the state of the match.
    pub(crate) fn is_playing(&self) -> bool {
        self.last_update.is_some()
    }

    /// Whether it may say something: Colyseus and Tickwire speak first, plain servers wait for nobody.
    pub(crate) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    pub(crate) fn watcher(&self) -> Option<&Watcher> {
        self.watcher.as_ref()
    }

    /// The socket takes bytes: the first time, that means it is connected.
    pub(crate) fn on_writable(&mut self) -> Result<()> {
        if self.phase == Phase::Connecting {
            if let Some(error) = self.wire.tcp().take_error()? {
                return Err(error).context("cannot connect");
            }
            if self.wire.tcp().peer_addr().is_err() {
                return Ok(());
            }
            self.phase = Phase::Upgrading;
        }
        self.flush()
    }

    /// Sends the input of the tick that is due.
    pub(crate) fn play(&mut self, scratch: &mut Vec<u8>) -> Result<()> {
        let controls = self.trace.next();
        scratch.clear();
        self.dialect.say(controls, scratch);
        self.send(self.dialect.opcode(), scratch)
    }

    /// Reads all there is. `buffer` is shared by all players.
    pub(crate) fn on_readable(&mut self, buffer: &mut [u8], scratch: &mut Vec<u8>, window: &mut Window) -> Result<()> {
        loop {
            let kept = self.rest.len();
            let Some((front, space)) = buffer.split_at_mut_checked(kept) else { bail!("a message larger than {} bytes", buffer.len()) };
            front.copy_from_slice(&self.rest);
            let count = match self.wire.read(space) {
                Ok(0) if space.is_empty() => bail!("a message larger than {kept} bytes"),
                Ok(0) => bail!("the server closed the connection"),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("the connection broke"),
            };
            // Less than there was room for is all there was; more raises another event.
            let is_drained = count < space.len();
            self.rest.clear();
            let received = buffer.get(..kept + count).unwrap_or_default();
            let used = self.take_in(received, scratch, window)?;
            self.rest.extend_from_slice(received.get(used..).unwrap_or_default());
            if is_drained {
                return Ok(());
            }
        }
    }

    /// Handles the whole frames in `bytes`; returns how many bytes they are.
    fn take_in(&mut self, bytes: &[u8], scratch: &mut Vec<u8>, window: &mut Window) -> Result<usize> {
        let mut used = 0;
        if self.phase != Phase::Open {
            let Some(length) = frame::check_upgrade(bytes)? else { return Ok(0) };
            self.phase = Phase::Open;
            used = length;
            scratch.clear();
            self.dialect.greet(scratch);
            if !scratch.is_empty() {
                self.send(self.dialect.opcode(), scratch)?;
            }
        }
        let now = Instant::now();
        while let Some(frame) = frame::first(bytes.get(used..).unwrap_or_default())? {
            used += frame.wire_bytes;
            window.wire_bytes += frame.wire_bytes as u64;
            match frame.opcode {
                frame::TEXT | frame::BINARY => self.hear(frame.payload, now, scratch, window)?,
                frame::PING => self.send(frame::PONG, frame.payload)?,
                frame::CLOSE => bail!("the server closed the connection: {}", close_reason(frame.payload)),
                _ => {}
            }
        }
        Ok(used)
    }

    fn hear(&mut self, payload: &[u8], now: Instant, scratch: &mut Vec<u8>, window: &mut Window) -> Result<()> {
        window.payload_bytes += payload.len() as u64;
        if let Some(watcher) = &mut self.watcher {
            watcher.see(payload);
        }
        scratch.clear();
        match self.dialect.hear(payload, scratch)? {
            Heard::Update => {
                window.updates += 1;
                if let Some(last) = self.last_update.replace(now) {
                    window.gaps.record(now.duration_since(last).as_micros() as u64);
                }
            }
            Heard::Answered => self.send(self.dialect.opcode(), scratch)?,
            Heard::Other => {}
        }
        Ok(())
    }

    fn send(&mut self, opcode: u8, payload: &[u8]) -> Result<()> {
        self.mask = self.mask.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        frame::push_masked(&mut self.unsent, opcode, payload, self.mask.to_be_bytes());
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        if self.phase != Phase::Connecting {
            self.wire.flush().context("the connection broke")?;
        }
        while self.phase != Phase::Connecting && !self.unsent.is_empty() {
            match self.wire.write(&self.unsent) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Whoever does not read for so long is not going to.
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.unsent.len() < UNSENT_BYTES_MAX => return Ok(()),
                Err(error) => return Err(error).context("the connection broke"),
            }
        }
        Ok(())
    }
}

fn close_reason(payload: &[u8]) -> String {
    match payload {
        [high, low, reason @ ..] => format!("{} {}", u16::from_be_bytes([*high, *low]), String::from_utf8_lossy(reason)),
        _ => "no reason given".to_owned(),
    }
}

/// `EINPROGRESS`: what a socket that does not block says while it connects.
const IN_PROGRESS: i32 = 115;
const UNSENT_BYTES_MAX: usize = 64 * 1024;
