//! One player's two sockets where messages go over HTTP: updates come down one response, inputs go up in requests, one
//! on its way at a time.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use mio::net::TcpStream;
use tickwire_testkit::client::query_of;
use tickwire_testkit::http_stream::response::{Part, Responses};
use tickwire_testkit::http_stream::{Records, Request, push_record, secret_in};

use super::socket::connect;
use super::window::Window;
use crate::dialect::{Dialect, Heard};
use crate::seats::Seat;
use crate::trace::Trace;
use crate::watch::Watcher;

/// One player, and what it knows.
pub(super) struct HttpPlayer {
    lines: [Line; 2],
    host: String,
    secret: Option<String>,
    dialect: Dialect,
    trace: Trace,
    watcher: Option<Watcher>,
    records: Records,
    /// Inputs that wait for the answer to those before them, each with its length in front.
    batch: Vec<u8>,
    next_batch: u32,
    is_waiting: bool,
    last_update: Option<Instant>,
}

/// One connection.
struct Line {
    stream: TcpStream,
    is_connected: bool,
    unsent: Vec<u8>,
    responses: Responses,
}

/// The first connection is the one that inputs go up.
const UP: usize = 0;

impl Line {
    fn open(server: SocketAddr, index: usize) -> Result<Self> {
        let stream = connect(server, index)?;
        Ok(Self { stream, is_connected: false, unsent: Vec::new(), responses: Responses::default() })
    }

    fn flush(&mut self) -> Result<()> {
        while self.is_connected && !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("the connection broke"),
            }
        }
        Ok(())
    }

    /// Reads all there is. Returns how many bytes that was.
    fn read(&mut self, buffer: &mut [u8]) -> Result<u64> {
        let mut bytes = 0;
        loop {
            match self.stream.read(buffer) {
                Ok(0) => bail!("the server closed the connection"),
                Ok(count) => {
                    bytes += count as u64;
                    self.responses.push(buffer.get(..count).unwrap_or_default());
                    if count < buffer.len() {
                        return Ok(bytes);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(bytes),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("the connection broke"),
            }
        }
    }
}

impl HttpPlayer {
    /// Begins to connect. `index` decides where from, and what it will do.
    pub(super) fn open(server: SocketAddr, index: usize, seat: &Seat, mut dialect: Dialect, watcher: Option<Watcher>) -> Result<Self> {
        let mut lines = [Line::open(server, index)?, Line::open(server, index)?];
        let host = server.to_string();
        let (mut hello, mut body) = (Vec::new(), Vec::new());
        dialect.greet(&mut hello);
        push_record(&mut body, &hello);
        let path = format!("/stream?{}", query_of(&seat.path));
        if let Some(up) = lines.get_mut(UP) {
            Request { path: &path, host: &host, secret: None, body: &body }.write(&mut up.unsent);
        }
        Ok(Self {
            lines,
            host,
            secret: None,
            dialect,
            trace: Trace::new(index),
            watcher,
            records: Records::default(),
            batch: Vec::new(),
            next_batch: 0,
            is_waiting: true,
            last_update: None,
        })
    }

    pub(super) fn streams(&mut self) -> impl Iterator<Item = &mut TcpStream> {
        self.lines.iter_mut().map(|line| &mut line.stream)
    }

    pub(super) fn is_playing(&self) -> bool {
        self.last_update.is_some()
    }

    pub(super) fn is_open(&self) -> bool {
        self.secret.is_some()
    }

    pub(super) fn watcher(&self) -> Option<&Watcher> {
        self.watcher.as_ref()
    }

    pub(super) fn on_writable(&mut self, which: usize) -> Result<()> {
        let line = self.line(which)?;
        if !line.is_connected {
            if let Some(error) = line.stream.take_error()? {
                return Err(error).context("cannot connect");
            }
            line.is_connected = line.stream.peer_addr().is_ok();
        }
        line.flush()
    }

    /// Says the input of the tick that is due.
    pub(super) fn play(&mut self, scratch: &mut Vec<u8>) -> Result<()> {
        let controls = self.trace.next();
        scratch.clear();
        self.dialect.say(controls, scratch);
        push_record(&mut self.batch, scratch);
        self.say()
    }

    pub(super) fn on_readable(&mut self, which: usize, buffer: &mut [u8], scratch: &mut Vec<u8>, window: &mut Window) -> Result<()> {
        window.wire_bytes += self.line(which)?.read(buffer)?;
        if which == UP { self.hear_answers() } else { self.hear_updates(scratch, window) }
    }

    fn line(&mut self, which: usize) -> Result<&mut Line> {
        self.lines.get_mut(which).context("there are two connections")
    }

    fn say(&mut self) -> Result<()> {
        if self.is_waiting || self.batch.is_empty() {
            return Ok(());
        }
        let mut body = self.next_batch.to_le_bytes().to_vec();
        body.append(&mut self.batch);
        self.next_batch += 1;
        self.is_waiting = true;
        let [up, _] = &mut self.lines;
        Request { path: "/stream/up", host: &self.host, secret: self.secret.as_deref(), body: &body }.write(&mut up.unsent);
        up.flush()
    }

    fn hear_answers(&mut self) -> Result<()> {
        loop {
            let [up, down] = &mut self.lines;
            match up.responses.advance()? {
                Some(Part::Head(200..=299)) => {}
                Some(Part::Head(status)) => bail!("a request was answered with {status}"),
                Some(Part::Data(answer)) => {
                    self.secret = Some(secret_in(answer).context("no secret in the answer")?);
                    Request { path: "/stream/down", host: &self.host, secret: self.secret.as_deref(), body: b"" }.write(&mut down.unsent);
                    down.flush()?;
                }
                Some(Part::End) => {
                    self.is_waiting = false;
                    self.say()?;
                }
                None => return Ok(()),
            }
        }
    }

    fn hear_updates(&mut self, scratch: &mut Vec<u8>, window: &mut Window) -> Result<()> {
        let now = Instant::now();
        let [_, down] = &mut self.lines;
        while let Some(part) = down.responses.advance()? {
            match part {
                Part::Head(200) => {}
                Part::Head(status) => bail!("updates were refused with {status}"),
                Part::Data(bytes) => self.records.push(bytes),
                Part::End => bail!("the server ended the updates"),
            }
            while let Some(message) = self.records.advance()? {
                window.payload_bytes += message.len() as u64;
                if let Some(watcher) = &mut self.watcher {
                    watcher.see(message);
                }
                scratch.clear();
                if self.dialect.hear(message, scratch)? == Heard::Update {
                    window.updates += 1;
                    if let Some(last) = self.last_update.replace(now) {
                        window.gaps.record(now.duration_since(last).as_micros() as u64);
                    }
                }
            }
        }
        Ok(())
    }
}
