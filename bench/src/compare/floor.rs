//! The floor: what it costs to write as many bytes to as many sockets at the same times, and to read what the players send, with no
//! game, no protocol and no framework. One thread, epoll, a `write` per player and tick.
//!
//! It speaks just enough WebSocket that the same generator measures it: it answers the upgrade, and what it writes is a frame.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use crate::frame;
use crate::workload::{MATCH_SEATS, TICK};

const LISTENER: Token = Token(usize::MAX);
/// The golden ratio's fraction: matches begin their ticks evenly spread, however many there are.
const SPREAD: f64 = 0.618_033_988_749_895;

/// Serves until standard input ends.
pub(crate) fn serve(payload_bytes: usize) -> Result<()> {
    let mut listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).context("no port is free")?;
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("ready http://{}/", listener.local_addr()?);
    io::stdout().flush()?;
    thread::spawn(|| {
        // The benchmark holds the other end: this returns when it is gone.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        process::exit(0);
    });
    let mut frame = Vec::new();
    frame::push_plain(&mut frame, frame::BINARY, &vec![0x5a; payload_bytes]);
    let floor = Floor {
        poll,
        listener,
        began: Instant::now(),
        sockets: Vec::new(),
        matches: Vec::new(),
        due: BinaryHeap::new(),
        indices: HashMap::new(),
    };
    floor.run(&frame)
}

struct Floor {
    poll: Poll,
    listener: TcpListener,
    began: Instant,
    sockets: Vec<Option<Socket>>,
    /// The sockets of each match.
    matches: Vec<Vec<usize>>,
    /// When each match ticks next.
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    /// Matches by their path.
    indices: HashMap<String, usize>,
}

struct Socket {
    stream: TcpStream,
    /// The upgrade, as far as it has come; `None` when it is done.
    request: Option<Vec<u8>>,
    /// The rest of a frame that did not fit.
    rest: Vec<u8>,
}

impl Floor {
    fn run(mut self, frame: &[u8]) -> Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let now = Instant::now();
            while let Some(Reverse((due, index))) = self.due.peek().copied().filter(|Reverse((due, _))| *due <= now) {
                self.due.pop();
                self.due.push(Reverse((due + TICK, index)));
                self.send(index, frame);
            }
            let wait = self.due.peek().map(|Reverse((due, _))| due.saturating_duration_since(Instant::now()));
            if let Err(error) = self.poll.poll(&mut events, wait)
                && error.kind() != ErrorKind::Interrupted
            {
                return Err(error.into());
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    Token(index) => self.read(index, &mut buffer),
                }
            }
        }
    }

    fn send(&mut self, match_index: usize, frame: &[u8]) {
        let Some(members) = self.matches.get(match_index) else { return };
        for index in members {
            let Some(Some(socket)) = self.sockets.get_mut(*index) else { continue };
            let bytes = if socket.rest.is_empty() { frame } else { socket.rest.as_slice() };
            // A socket that takes nothing misses this tick.
            if let Ok(written) = socket.stream.write(bytes) {
                socket.rest = bytes.get(written..).unwrap_or_default().to_vec();
            }
        }
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            match self.listener.accept() {
                Ok((mut stream, _)) => {
                    stream.set_nodelay(true)?;
                    self.poll.registry().register(&mut stream, Token(self.sockets.len()), Interest::READABLE)?;
                    self.sockets.push(Some(Socket { stream, request: Some(Vec::new()), rest: Vec::new() }));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("cannot accept"),
            }
        }
    }

    /// Reads what is there, and discards it once the upgrade is done.
    fn read(&mut self, index: usize, buffer: &mut [u8]) {
        let Some(slot) = self.sockets.get_mut(index) else { return };
        let Some(socket) = slot else { return };
        loop {
            match socket.stream.read(buffer) {
                Ok(0) => {
                    *slot = None;
                    return;
                }
                Ok(count) => {
                    if let Some(request) = &mut socket.request {
                        request.extend_from_slice(buffer.get(..count).unwrap_or_default());
                        if frame::head_length(request).is_some() {
                            break;
                        }
                    }
                    // Less than asked for is all there was; more raises another event.
                    if count < buffer.len() {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    if error.kind() != ErrorKind::WouldBlock {
                        *slot = None;
                    }
                    return;
                }
            }
        }
        let request = socket.request.take().unwrap_or_default();
        if socket.stream.write_all(frame::upgrade_response().as_bytes()).is_ok() {
            self.seat(index, &String::from_utf8_lossy(&request));
        }
    }

    fn seat(&mut self, index: usize, request: &str) {
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        let next = self.matches.len();
        let match_index = *self.indices.entry(path).or_insert(next);
        if match_index == next {
            self.matches.push(Vec::with_capacity(MATCH_SEATS));
            let phase: Duration = TICK.mul_f64((next as f64 * SPREAD).fract());
            let elapsed = self.began.elapsed().as_nanos() / TICK.as_nanos();
            self.due.push(Reverse((self.began + TICK * (elapsed as u32 + 1) + phase, match_index)));
        }
        if let Some(members) = self.matches.get_mut(match_index) {
            members.push(index);
        }
    }
}
