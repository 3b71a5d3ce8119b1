//! A liar between players and a true server: passes everything on, but for one fault. To the players it is a faulty server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use arena::{Arena, Input};
use futures_util::{SinkExt, StreamExt};
use tickwire_game::GameDef;
use tickwire_protocol::codec::encode_into;
use tickwire_protocol::delta::{self, Scratch};
use tickwire_protocol::messages::Body;
use tickwire_protocol::{ClientMessage, Replica, ServerMessage, Snapshot, Tick};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// What the relay does wrong.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Changes one number of the component in one of so many snapshots.
    Corrupt { component: &'static str, one_in: u64, seen: AtomicU64 },
    /// Holds every match's snapshots back, once, when the match reaches this tick.
    Stall { at: Tick, length: Duration },
    /// Drops one of so many inputs.
    DropInput { one_in: u64, seen: AtomicU64 },
    /// Lets the first player to leave go without telling the server, whose connection stays open.
    LeakSeat { left: AtomicU64 },
}

/// Listens, and relays to `server`. Ends with the runtime.
pub(crate) async fn start(server: SocketAddr, fault: Fault) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let fault = Arc::new(fault);
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let fault = Arc::clone(&fault);
            tokio::spawn(async move {
                // From the player's own address: the server limits what one address may do.
                let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
                socket.bind(SocketAddr::new(peer.ip(), 0)).expect("a loopback address");
                if let Ok(upstream) = socket.connect(server).await {
                    let _ = relay(stream, upstream, server, &fault).await;
                }
            });
        }
    });
    address
}

async fn relay(mut player: TcpStream, mut upstream: TcpStream, server: SocketAddr, fault: &Fault) -> anyhow::Result<()> {
    let mut head = [0; 8];
    player.peek(&mut head).await?;
    if !head.starts_with(b"GET /ws") {
        tokio::io::copy_bidirectional(&mut player, &mut upstream).await?;
        return Ok(());
    }
    player.set_nodelay(true)?;
    upstream.set_nodelay(true)?;
    let mut player = tokio_tungstenite::accept_async(player).await?;
    let (mut upstream, _) = tokio_tungstenite::client_async(format!("ws://{server}/ws"), upstream).await?;
    let mut liar = Liar { replica: Replica::new(&Arena::SCHEMA), scratch: Scratch::default() };
    loop {
        tokio::select! {
            from_player = player.next() => match from_player {
                Some(Ok(Message::Binary(bytes))) if fault.swallows(&bytes) => {}
                Some(Ok(message @ (Message::Binary(_) | Message::Text(_)))) => upstream.send(message).await?,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
            from_server = upstream.next() => match from_server {
                Some(Ok(Message::Binary(bytes))) => {
                    let told = liar.tell(&bytes, fault).await;
                    player.send(Message::Binary(told.into())).await?;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
        }
    }
    if let Fault::LeakSeat { left } = fault
        && left.load(Relaxed) == 1
    {
        left.store(2, Relaxed);
        return hold(upstream).await;
    }
    let _ = tokio::join!(player.close(None), upstream.close(None));
    Ok(())
}

/// Keeps a connection alive that nobody is behind any more.
async fn hold(mut upstream: WebSocketStream<TcpStream>) -> anyhow::Result<()> {
    while upstream.next().await.is_some() {}
    Ok(())
}

impl Fault {
    /// Whether what a player says is kept from the server.
    fn swallows(&self, bytes: &[u8]) -> bool {
        let message = ClientMessage::<Input>::decode(bytes);
        match (self, message) {
            (Self::DropInput { one_in, seen }, Ok(ClientMessage::Input { .. })) => (seen.fetch_add(1, Relaxed) + 1).is_multiple_of(*one_in),
            (Self::LeakSeat { left }, Ok(ClientMessage::Leave)) => left.compare_exchange(0, 1, Relaxed, Relaxed).is_ok(),
            _ => false,
        }
    }
}

/// What one player is told.
struct Liar {
    /// The truth, to know what a delta is based on.
    replica: Replica,
    scratch: Scratch,
}

impl Liar {
    async fn tell(&mut self, bytes: &[u8], fault: &Fault) -> Vec<u8> {
        let (mut rest, mut told) = (bytes, Vec::new());
        while let Some(Ok(message)) = ServerMessage::decode_next(&mut rest) {
            let before = self.replica.snapshot().cloned();
            let is_snapshot = self.replica.apply(&message).expect("the server sends what applies");
            let Some(now) = self.replica.snapshot().filter(|_| is_snapshot) else {
                encode_into(&message, &mut told);
                continue;
            };
            match (fault, &message, before) {
                (Fault::Corrupt { component, one_in, seen }, ServerMessage::Delta { advance, .. }, Some(before))
                    if (seen.fetch_add(1, Relaxed) + 1).is_multiple_of(*one_in) =>
                {
                    let mut body = Vec::new();
                    delta::encode(&before, &corrupted(now, component), &mut self.scratch, &mut body);
                    let body = Body::new(body).expect("as small as the truth");
                    encode_into(&ServerMessage::Delta { advance: *advance, body }, &mut told);
                }
                (Fault::Stall { at, length }, ..) if now.tick == *at => {
                    tokio::time::sleep(*length).await;
                    encode_into(&message, &mut told);
                }
                _ => encode_into(&message, &mut told),
            }
        }
        told
    }
}

/// The snapshot with one number of one row of `component` changed by one.
fn corrupted(truth: &Snapshot, component: &str) -> Snapshot {
    let mut lie = truth.clone();
    let index = truth.tables().iter().position(|table| table.name() == component).expect("the game has it");
    let source = truth.table(index).expect("it is there");
    let table = lie.table_mut(index).expect("it is there");
    table.clear();
    for (row, id) in source.ids().iter().enumerate() {
        let mut values: Vec<i32> = (0..source.fields().len()).map(|field| source.column(field)[row]).collect();
        if row == 0 {
            let last = values.len() - 1;
            values[last] ^= 1;
        }
        assert!(table.push(*id, &values), "as the truth was");
    }
    lie
}
