//! A liar between players and a true server: passes everything on, but for one fault. To the
//! players it is a faulty server.

#![allow(clippy::expect_used)] // for tests, which fail by panicking

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tickwire_game::Game;
use tickwire_protocol::codec::encode_into;
use tickwire_protocol::delta::{self, Scratch};
use tickwire_protocol::messages::Body;
use tickwire_protocol::{ClientMessage, CloseReason, Credential, Replica, ServerMessage, Snapshot, Tick, WsUrl};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// What the relay does wrong.
#[derive(Debug)]
pub enum Fault {
    /// Nothing.
    None,
    /// Changes a number in some snapshots.
    Corrupt {
        /// The name of the component that the number is in.
        component: &'static str,
        /// It changes one of so many snapshots.
        one_in: u64,
    },
    /// Holds back, once, what all players are told. What they say goes through.
    Stall {
        /// It begins a second after so many players are there.
        players: u64,
        /// How long it holds back.
        length: Duration,
    },
    /// Ends one player's session.
    Close {
        /// That of the first player who has heard so many snapshots.
        after: u64,
        /// What it tells the player.
        reason: CloseReason,
    },
    /// Takes each token of a return once, as if it were spent before its holder has the next.
    SpendAtOnce,
    /// Dies: breaks every connection, and lets nobody in again.
    Die {
        /// When it has passed on so many snapshots.
        after: u64,
    },
    /// Breaks every connection, once, and takes new ones.
    Blink {
        /// When it has passed on so many snapshots.
        after: u64,
        /// Whether it tells the first player who comes back another match's id.
        swaps: bool,
    },
    /// Sends every player elsewhere, those who come later in place of Welcome.
    Move {
        /// When it has passed on so many snapshots.
        after: u64,
        /// Where it sends them.
        to: SocketAddr,
    },
    /// Drops inputs.
    DropInput {
        /// It drops one of so many.
        one_in: u64,
    },
    /// Lets the first player to leave go without telling the server, whose connection stays open.
    LeakSeat,
}

/// What went through it so far.
#[derive(Debug)]
pub struct Relay {
    fault: Fault,
    players: AtomicU64,
    snapshots: AtomicU64,
    inputs: AtomicU64,
    /// How often it did what it does wrong.
    faults: AtomicU64,
    /// Sessions that are over.
    closed: AtomicU64,
    /// Connections that it did not take.
    refused: AtomicU64,
    /// Tokens that brought somebody back.
    spent: Mutex<HashSet<[u8; 16]>>,
    /// When it holds back what players are told.
    stall_at: OnceLock<Tick>,
}

impl Relay {
    /// Listens, and relays to `server`, which runs `G`. Ends with the runtime.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start<G: Game>(server: SocketAddr, fault: Fault) -> (SocketAddr, Arc<Self>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let none = AtomicU64::default;
        let relay = Arc::new(Self {
            fault,
            spent: Mutex::default(),
            players: none(),
            snapshots: none(),
            inputs: none(),
            faults: none(),
            closed: none(),
            refused: none(),
            stall_at: OnceLock::new(),
        });
        let shared = Arc::clone(&relay);
        tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                let relay = Arc::clone(&shared);
                if relay.is_dead() {
                    relay.refused.fetch_add(1, Relaxed);
                    continue;
                }
                tokio::spawn(async move {
                    // From the player's own address: the server limits what one address may do.
                    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
                    socket.bind(SocketAddr::new(peer.ip(), 0)).expect("a loopback address");
                    if let Ok(upstream) = socket.connect(server).await {
                        let _ = relay.pass::<G>(stream, upstream, server).await;
                    }
                });
            }
        });
        (address, relay)
    }

    /// Snapshots that players were told.
    pub fn snapshots(&self) -> u64 {
        self.snapshots.load(Relaxed)
    }

    /// Inputs that players sent.
    pub fn inputs(&self) -> u64 {
        self.inputs.load(Relaxed)
    }

    /// How often it did what it does wrong.
    pub fn faults(&self) -> u64 {
        self.faults.load(Relaxed)
    }

    /// Sessions that are over.
    pub fn closed(&self) -> u64 {
        self.closed.load(Relaxed)
    }

    /// Connections that it did not take, for it is dead.
    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// The tick at which it held back what players are told.
    pub fn stall_at(&self) -> Option<Tick> {
        self.stall_at.get().copied()
    }

    async fn pass<G: Game>(&self, mut player: TcpStream, mut upstream: TcpStream, server: SocketAddr) -> anyhow::Result<()> {
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
        let mut liar = Liar { replica: Replica::new(&G::SCHEMA), scratch: Scratch::default(), has_stalled: false };
        let began_before = !self.has_blinked();
        let mut leaks = false;
        // What the player is not told yet, and until when.
        let (mut held, mut until) = (Vec::new(), None);
        while !(self.is_dead() || began_before && self.has_blinked()) {
            if let Some(url) = self.moves() {
                player.send(moving(&url)).await?;
                break;
            }
            tokio::select! {
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                    self.faults.fetch_add(1, Relaxed);
                    until = None;
                    for told in held.drain(..) {
                        player.send(told).await?;
                    }
                }
                from_player = player.next() => match from_player {
                    Some(Ok(Message::Binary(bytes))) => match ClientMessage::<G::Input>::decode(&bytes) {
                        Ok(ClientMessage::Input { .. }) if self.swallows_input() => {}
                        Ok(ClientMessage::Leave) if self.swallows_leave() => leaks = true,
                        Ok(ClientMessage::Hello { credential, .. }) if self.is_spent(credential) => {
                            player.send(closing(CloseReason::BadResume)).await?;
                            break;
                        }
                        _ => upstream.send(Message::Binary(bytes)).await?,
                    },
                    Some(Ok(message @ Message::Text(_))) => upstream.send(message).await?,
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => break,
                },
                from_server = upstream.next() => match from_server {
                    Some(Ok(Message::Binary(bytes))) => {
                        let told = liar.tell::<G>(&bytes, self);
                        until = until.or_else(|| self.stall(&mut liar));
                        let told = Message::Binary(told.into());
                        if until.is_some() { held.push(told) } else { player.send(told).await? }
                        if let Some(reason) = self.closes() {
                            player.send(closing(reason)).await?;
                            break;
                        }
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => break,
                },
            }
        }
        self.closed.fetch_add(1, Relaxed);
        if leaks {
            return hold(upstream).await;
        }
        if self.is_dead() || (began_before && self.has_blinked()) {
            return Ok(());
        }
        let _ = tokio::join!(player.close(None), upstream.close(None));
        Ok(())
    }

    fn swallows_input(&self) -> bool {
        let inputs = self.inputs.fetch_add(1, Relaxed) + 1;
        matches!(self.fault, Fault::DropInput { one_in } if self.is_due(inputs / one_in))
    }

    fn swallows_leave(&self) -> bool {
        matches!(self.fault, Fault::LeakSeat) && self.is_due(1)
    }

    /// The component of which the next delta tells something wrong.
    fn corrupts(&self) -> Option<&'static str> {
        match self.fault {
            Fault::Corrupt { component, one_in } if self.is_due(self.snapshots() / one_in) => Some(component),
            _ => None,
        }
    }

    /// Until when to hold back what a player is told, once.
    fn stall(&self, liar: &mut Liar) -> Option<Instant> {
        let (Fault::Stall { length, .. }, Some(at)) = (&self.fault, self.stall_at()) else { return None };
        let is_due = liar.replica.snapshot().is_some_and(|view| view.tick.since(at) >= 0);
        (is_due && !std::mem::replace(&mut liar.has_stalled, true)).then(|| Instant::now() + *length)
    }

    /// The reason to end a session now.
    fn closes(&self) -> Option<CloseReason> {
        match self.fault {
            Fault::Close { after, reason } if self.snapshots() >= after && self.is_due(1) => Some(reason),
            _ => None,
        }
    }

    /// Whether this token brought somebody back before, and may not again.
    fn is_spent(&self, credential: Credential) -> bool {
        let (Fault::SpendAtOnce, Credential::Resume { token, .. }) = (&self.fault, credential) else { return false };
        !self.spent.lock().expect("nobody panics with it").insert(token.0)
    }

    fn is_dead(&self) -> bool {
        matches!(self.fault, Fault::Die { after } if self.snapshots() >= after)
    }

    /// Where everyone goes by now.
    fn moves(&self) -> Option<WsUrl> {
        match self.fault {
            Fault::Move { after, to } if self.snapshots() >= after => WsUrl::new(&format!("ws://{to}/ws")),
            _ => None,
        }
    }

    fn has_blinked(&self) -> bool {
        matches!(self.fault, Fault::Blink { after, .. } if self.snapshots() >= after)
    }

    /// Whether to tell another match's id.
    fn swaps(&self) -> bool {
        matches!(self.fault, Fault::Blink { swaps: true, .. }) && self.has_blinked() && self.is_due(1)
    }

    /// Whether the fault has happened less than `due` times. Then it happens now.
    fn is_due(&self, due: u64) -> bool {
        self.faults.fetch_update(Relaxed, Relaxed, |faults| (faults < due).then_some(faults + 1)).is_ok()
    }

    /// A player's first snapshot.
    fn joined<G: Game>(&self, tick: Tick) {
        let there = self.players.fetch_add(1, Relaxed) + 1;
        if matches!(self.fault, Fault::Stall { players, .. } if players == there) {
            self.stall_at.get_or_init(|| tick.plus(G::MODES[0].tick_rate.into()));
        }
    }
}

/// The last that a session is told.
fn closing(reason: CloseReason) -> Message {
    let mut goodbye = Vec::new();
    encode_into(&ServerMessage::Closing(reason), &mut goodbye);
    Message::Binary(goodbye.into())
}

/// The last that a session is told whose match is elsewhere.
fn moving(url: &WsUrl) -> Message {
    let mut goodbye = Vec::new();
    encode_into(&ServerMessage::Migrate { ws_url: url.clone() }, &mut goodbye);
    encode_into(&ServerMessage::Closing(CloseReason::Moved), &mut goodbye);
    Message::Binary(goodbye.into())
}

/// Keeps a connection alive that nobody is behind any more.
async fn hold(mut upstream: WebSocketStream<TcpStream>) -> anyhow::Result<()> {
    while upstream.next().await.is_some() {}
    Ok(())
}

/// What one player is told.
struct Liar {
    /// The truth, to know what a delta is based on.
    replica: Replica,
    scratch: Scratch,
    has_stalled: bool,
}

impl Liar {
    fn tell<G: Game>(&mut self, bytes: &[u8], relay: &Relay) -> Vec<u8> {
        let (mut rest, mut told) = (bytes, Vec::new());
        while let Some(Ok(mut message)) = ServerMessage::decode_next(&mut rest) {
            if let ServerMessage::Welcome(welcome) = &mut message
                && relay.swaps()
            {
                welcome.match_id.0[0] ^= 1;
            }
            let before = self.replica.snapshot().cloned();
            let is_snapshot = self.replica.apply(&message).expect("the server sends what applies");
            let Some(now) = self.replica.snapshot().filter(|_| is_snapshot) else {
                encode_into(&message, &mut told);
                continue;
            };
            relay.snapshots.fetch_add(1, Relaxed);
            if before.is_none() {
                relay.joined::<G>(now.tick);
            }
            match (before, &message) {
                (Some(before), ServerMessage::Delta { advance, .. }) if let Some(component) = relay.corrupts() => {
                    let mut body = Vec::new();
                    delta::encode(&before, &corrupted(now, component), &mut self.scratch, &mut body);
                    let body = Body::new(body).expect("as small as the truth");
                    encode_into(&ServerMessage::Delta { advance: *advance, body }, &mut told);
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
