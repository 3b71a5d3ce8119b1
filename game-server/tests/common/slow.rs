//! Clients that read slowly: little room in their kernel, a stream that lets through what it is
//! told to, and what the server's kernel keeps.

#![allow(dead_code)] // every test uses a part of it
#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use futures_util::FutureExt;
use socket2::SockRef;
use tickwire_game::Game;
use tickwire_protocol::{Credential, Tick};
use tickwire_testkit::{Api, Client, Heard, Join};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::unconstrained;

/// A connection whose kernel buffers hold next to nothing, so that not reading shows at once.
pub(crate) async fn narrow_connection(server: SocketAddr) -> TcpStream {
    connection_of(server, 2_048).await
}

/// A connection whose kernel is asked to keep so many bytes for its reader. It takes twice as much,
/// for its own bookkeeping.
pub(crate) async fn connection_of(server: SocketAddr, receive_buffer_bytes: u32) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(receive_buffer_bytes).expect("a small buffer");
    socket.connect(server).await.expect("connected")
}

/// A stream that reads no more bytes than were granted. Nothing wakes whoever waits for more: grant
/// first, then read.
pub(crate) struct Granted {
    stream: TcpStream,
    bytes: AtomicUsize,
}

impl Granted {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, bytes: AtomicUsize::new(usize::MAX) }
    }

    /// From now on only so many more bytes.
    pub(crate) fn limit(&self, bytes: usize) {
        self.bytes.store(bytes, Relaxed);
    }

    pub(crate) fn grant(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Relaxed);
    }

    /// Whether the kernel has something that may be read.
    fn has_more(&self) -> bool {
        let peeked = SockRef::from(&self.stream).peek(&mut [MaybeUninit::uninit()]);
        self.bytes.load(Relaxed) > 0 && peeked.is_ok_and(|count| count > 0)
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.stream.local_addr().expect("an address")
    }
}

impl AsyncRead for Granted {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let left = self.bytes.load(Relaxed);
        if left == 0 {
            return Poll::Pending;
        }
        let mut part = out.take(left);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut part))?;
        let read = part.filled().len();
        out.advance(read);
        self.bytes.fetch_sub(read, Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Granted {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Takes the seat of `join` over `stream` and hears Welcome.
pub(crate) async fn enter_over<G: Game>(server: SocketAddr, stream: TcpStream, join: &Join) -> Client<G, Granted> {
    let url = format!("ws://{server}{}", join.ws_url);
    let mut client = Client::<G, _>::over(Granted::new(stream), url).await.expect("upgraded");
    client.hello(Credential::Ticket(join.ticket)).await.expect("sent");
    while client.welcome().is_none() {
        client.next().await.expect("Welcome");
    }
    client
}

/// As [`enter_over`], from the guest's own address.
pub(crate) async fn enter_granted<G: Game>(server: SocketAddr, guest: &Api, join: &Join) -> Client<G, Granted> {
    enter_over(server, guest.connect().await.expect("connected"), join).await
}

/// Reads what has come. Returns the ticks of the snapshots. What the kernel has counts as come,
/// also where the runtime does not know of it yet: on a busy machine that can be ticks later. A
/// task that never pauses has a budget of reads, which many clients in a row would exhaust: the
/// later ones would read nothing.
pub(crate) async fn drain<G: Game>(client: &mut Client<G, Granted>) -> Vec<Tick> {
    let mut ticks = Vec::new();
    loop {
        while let Some(heard) = unconstrained(client.next()).now_or_never() {
            match heard.expect("the stream holds together and the view is the server's") {
                Heard::Snapshot(tick) => ticks.push(tick),
                Heard::Closing(reason) => panic!("closed: {}", reason.name()),
                _ => {}
            }
        }
        if !client.stream().has_more() {
            return ticks;
        }
        client.stream().stream.readable().await.expect("a socket");
    }
}

/// Bytes that the kernel keeps for each connection of the server, by the client's port: not sent,
/// or sent and not acknowledged.
#[cfg(target_os = "linux")]
pub(crate) fn unsent_in_kernel(server: SocketAddr) -> Vec<(u16, usize)> {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's sockets");
    let hex = |text: &str| usize::from_str_radix(text, 16).ok();
    let rows = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, local, remote, _, queues, ..] = &fields[..] else { return None };
        let ports = (hex(local.split_once(':')?.1)?, hex(remote.split_once(':')?.1)? as u16);
        (ports.0 == usize::from(server.port())).then_some((ports.1, hex(queues.split_once(':')?.0)?))
    });
    rows.collect()
}
