//! A checking client: keeps the whole view like the page does, and compares its hash with the server's whenever one comes.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::VecDeque;

use futures_util::{SinkExt, StreamExt};
use tickwire_game::{ClientMessageOf, Game};
use tickwire_protocol::codec::encode;
use tickwire_protocol::limits::SERVER_MESSAGE_BYTES_MAX;
use tickwire_protocol::messages::{Pong, TableHashes, Welcome};
use tickwire_protocol::{
    ClientMessage, CloseReason, Credential, DecodeError, Event, InputSeq, MatchId, PROTOCOL_VERSION, PlayerId, Replica, ServerMessage,
    Snapshot, Tick, Workspace, WsUrl,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::api::Api;
use crate::comeback::Seen;
use crate::http_stream::{HttpStream, Reading, StreamError};
use crate::line::Line;

/// Bytes that may wait for a server that takes nothing.
const WRITE_BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Things said in one WebSocket message: more than the events that wait for a slow client, in the
/// fewest bytes they can have.
const HEARD_MAX: usize = 16 * 1024;

/// One player's connection.
pub struct Client<G: Game, S = Line> {
    wire: Wire<S>,
    replica: Replica,
    welcome: Option<Welcome>,
    seq: InputSeq,
    heard: VecDeque<Heard>,
    traffic: Traffic,
    /// It is shown the cells around its player, not everything.
    is_divided: bool,
    game: std::marker::PhantomData<fn() -> G>,
}

/// What carries a client's messages.
enum Wire<S> {
    WebSocket(Box<WebSocketStream<S>>),
    Http(Box<HttpStream<S>>),
}

/// What a client received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Snapshots.
    pub snapshots: u64,
    /// Of these, compared with the server's hashes and found equal.
    pub checked: u64,
    /// WebSocket messages.
    pub messages: u64,
    /// Their payload, bytes.
    pub payload_bytes: u64,
}

/// What a client hears, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The session has begun.
    Welcome(Welcome),
    /// The view is now of this tick.
    Snapshot(Tick),
    /// Something happened.
    Event(Event),
    /// A ping was answered.
    Pong(Pong),
    /// The match goes on there.
    Migrate(WsUrl),
    /// The server ends the session.
    Closing(CloseReason),
}

/// Why a client stopped.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The connection failed or broke.
    #[error("connection lost: {0}")]
    Connection(#[from] tungstenite::Error),
    /// The socket could not be opened.
    #[error("cannot connect: {0}")]
    Io(#[from] std::io::Error),
    /// The server sent what is no message.
    #[error("the server sent a {0}")]
    Malformed(#[from] DecodeError),
    /// The server closed the connection.
    #[error("the server closed the connection")]
    Closed,
    /// The server gave a reason and will close.
    #[error("the server ends the session: {}", .0.name())]
    Told(CloseReason),
    /// The server answered what is not expected, over HTTP.
    #[error("over HTTP: {0}")]
    Http(String),
    /// One message says more than any server has to say.
    #[error("the server says too much in one message")]
    TooMuch,
    /// What was waited for did not come.
    #[error("what was waited for did not come in time")]
    TimedOut,
    /// The view differs from the server's.
    #[error("diverged in match {match_id} at tick {}: component `{table}` differs from the server's", tick.0)]
    Diverged {
        /// Where.
        match_id: MatchId,
        /// When.
        tick: Tick,
        /// The first table that differs.
        table: &'static str,
    },
}

impl From<StreamError> for ClientError {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Io(error) => Self::Io(error),
            StreamError::Closed => Self::Closed,
            StreamError::Unexpected(what) => Self::Http(what),
        }
    }
}

/// Gives `work` this thread's workspace, which all its clients use in turn.
fn with_workspace<G: Game, R>(work: impl FnOnce(&mut Workspace) -> R) -> R {
    thread_local! {
        static OF_GAME: RefCell<Option<(TypeId, Workspace)>> = const { RefCell::new(None) };
    }
    OF_GAME.with_borrow_mut(|of_game| {
        let (_, workspace) = match of_game {
            Some(known) if known.0 == TypeId::of::<G>() => known,
            other => other.insert((TypeId::of::<G>(), Workspace::new(&G::SCHEMA))),
        };
        work(workspace)
    })
}

impl<G: Game> Client<G> {
    /// Connects without saying anything yet: to a path on the API's server, or to a whole URL.
    pub async fn connect(api: &Api, ws_url: &str) -> Result<Self, ClientError> {
        let (api, path) = api.towards(ws_url).await?;
        let stream = api.open().await?;
        // Whether TLS is between is none of the WebSocket's business.
        let url = format!("ws://{}{path}", api.server().authority);
        Self::over(stream, url).await
    }

    /// A connection whose messages go over HTTP. Nothing is said before Hello.
    pub async fn connect_over_http(api: &Api, ws_path: &str, reading: Reading) -> Result<Self, ClientError> {
        let (down, up) = (api.open().await?, api.open().await?);
        Ok(Self::over_http(HttpStream::new(down, up, reading, &api.server().authority, query_of(ws_path))))
    }
}

/// What stands behind the question mark.
pub fn query_of(url: &str) -> &str {
    url.split_once('?').map_or("", |(_, query)| query)
}

impl<G: Game, S: AsyncRead + AsyncWrite + Unpin> Client<G, S> {
    /// Starts WebSocket on a connection. `request` is its URL, or a request with more headers.
    pub async fn over(stream: S, request: impl IntoClientRequest + Unpin) -> Result<Self, ClientError> {
        let config = WebSocketConfig::default()
            .read_buffer_size(1024)
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE_BUFFER_BYTES_MAX)
            .max_message_size(Some(SERVER_MESSAGE_BYTES_MAX))
            .max_frame_size(Some(SERVER_MESSAGE_BYTES_MAX));
        let (ws, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
        Ok(Self::with(Wire::WebSocket(Box::new(ws))))
    }

    /// Has its messages carried over HTTP.
    pub fn over_http(stream: HttpStream<S>) -> Self {
        Self::with(Wire::Http(Box::new(stream)))
    }

    fn with(wire: Wire<S>) -> Self {
        Self {
            wire,
            replica: Replica::new(&G::SCHEMA),
            welcome: None,
            seq: InputSeq(0),
            heard: VecDeque::new(),
            traffic: Traffic::default(),
            is_divided: false,
            game: std::marker::PhantomData,
        }
    }

    /// Says Hello.
    pub async fn hello(&mut self, credential: Credential) -> Result<(), ClientError> {
        self.send(ClientMessage::Hello { protocol: PROTOCOL_VERSION, schema: G::SCHEMA.hash(), credential }).await
    }

    /// Says anything.
    pub async fn send(&mut self, message: ClientMessageOf<G>) -> Result<(), ClientError> {
        self.send_bytes(encode(&message)).await
    }

    /// Sends bytes, whatever they are.
    pub async fn send_bytes(&mut self, bytes: Vec<u8>) -> Result<(), ClientError> {
        match &mut self.wire {
            Wire::WebSocket(ws) => Ok(ws.send(Message::Binary(bytes.into())).await?),
            Wire::Http(http) => Ok(http.send(bytes).await?),
        }
    }

    /// Sends the input meant for `tick`.
    pub async fn input(&mut self, tick: Tick, input: G::Input) -> Result<(), ClientError> {
        self.seq = InputSeq(self.seq.0.wrapping_add(1));
        self.send(ClientMessage::Input { seq: self.seq, tick, input }).await
    }

    /// The WebSocket itself, to send what no client should.
    ///
    /// # Panics
    /// If there is none, but HTTP.
    #[allow(clippy::panic)]
    pub fn websocket(&mut self) -> &mut WebSocketStream<S> {
        match &mut self.wire {
            Wire::WebSocket(ws) => ws,
            Wire::Http(_) => panic!("this client has no WebSocket"),
        }
    }

    /// The connection over HTTP, if that is what it has.
    pub fn http_stream(&mut self) -> Option<&mut HttpStream<S>> {
        match &mut self.wire {
            Wire::WebSocket(_) => None,
            Wire::Http(http) => Some(http),
        }
    }

    /// The next thing the server says. Snapshots are applied and checked on the way.
    pub async fn next(&mut self) -> Result<Heard, ClientError> {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return Ok(heard);
            }
            match &mut self.wire {
                Wire::WebSocket(ws) => match ws.next().await {
                    Some(Ok(Message::Binary(bytes))) => self.take_in(&bytes)?,
                    Some(Ok(Message::Close(_))) | None => return Err(ClientError::Closed),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error.into()),
                },
                Wire::Http(http) => {
                    let bytes = http.next().await?;
                    self.take_in(&bytes)?;
                }
            }
        }
    }

    fn take_in(&mut self, mut bytes: &[u8]) -> Result<(), ClientError> {
        self.traffic.messages += 1;
        self.traffic.payload_bytes += bytes.len() as u64;
        while let Some(message) = ServerMessage::decode_next(&mut bytes) {
            let message = message?;
            self.is_divided |= matches!(message, ServerMessage::Chunks { .. });
            if self.heard.len() >= HEARD_MAX {
                return Err(ClientError::TooMuch);
            }
            if with_workspace::<G, _>(|workspace| self.replica.apply_with(&message, workspace))? {
                self.traffic.snapshots += 1;
                self.heard.extend(self.view().map(|view| Heard::Snapshot(view.tick)));
                continue;
            }
            match message {
                ServerMessage::Welcome(welcome) => {
                    self.welcome = Some(welcome.clone());
                    self.heard.push_back(Heard::Welcome(welcome));
                }
                ServerMessage::Event(event) => self.heard.push_back(Heard::Event(event)),
                ServerMessage::Pong(pong) => self.heard.push_back(Heard::Pong(pong)),
                // The last message there is.
                ServerMessage::Closing(reason) => {
                    self.heard.push_back(Heard::Closing(reason));
                    return Ok(());
                }
                ServerMessage::Check { tables } => self.check(&tables)?,
                ServerMessage::ChunksCheck { hash } => self.check_chunks(hash)?,
                ServerMessage::Migrate { ws_url } => self.heard.push_back(Heard::Migrate(ws_url)),
                ServerMessage::Keyframe { .. } | ServerMessage::Delta { .. } | ServerMessage::Chunks { .. } => {}
            }
        }
        Ok(())
    }

    fn check(&mut self, theirs: &TableHashes) -> Result<(), ClientError> {
        let Some(view) = self.view() else { return Ok(()) };
        if let Some(table) = view.first_difference(theirs) {
            let match_id = self.welcome.as_ref().map_or(MatchId::default(), |welcome| welcome.match_id);
            return Err(ClientError::Diverged { match_id, tick: view.tick, table: table.name() });
        }
        self.traffic.checked += 1;
        Ok(())
    }

    /// Of a divided match: everything this client has, in the form it came in.
    fn check_chunks(&mut self, theirs: u64) -> Result<(), ClientError> {
        let Some(tick) = self.view().map(|view| view.tick) else { return Ok(()) };
        if self.replica.chunks_hash() != theirs {
            let match_id = self.welcome.as_ref().map_or(MatchId::default(), |welcome| welcome.match_id);
            return Err(ClientError::Diverged { match_id, tick, table: "chunks" });
        }
        self.traffic.checked += 1;
        Ok(())
    }

    /// What was received so far.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// What was received since this was last asked.
    pub fn take_traffic(&mut self) -> Traffic {
        std::mem::take(&mut self.traffic)
    }

    /// The connection below the WebSocket, or the one that messages come down.
    pub fn stream(&self) -> &S {
        match &self.wire {
            Wire::WebSocket(ws) => ws.get_ref(),
            Wire::Http(http) => http.stream(),
        }
    }

    /// The connection below the WebSocket, to ask it. What is read from it or written to it breaks
    /// the WebSocket.
    pub fn stream_mut(&mut self) -> &mut S {
        match &mut self.wire {
            Wire::WebSocket(ws) => ws.get_mut(),
            Wire::Http(http) => http.stream_mut(),
        }
    }

    /// The newest snapshot.
    pub fn view(&self) -> Option<&Snapshot> {
        self.replica.snapshot()
    }

    /// What the session began with.
    pub fn welcome(&self) -> Option<&Welcome> {
        self.welcome.as_ref()
    }

    /// Who this client plays.
    pub fn player(&self) -> Option<PlayerId> {
        self.welcome.as_ref().and_then(|welcome| welcome.player)
    }

    /// What it has seen by now; `None` before its first snapshot.
    pub fn seen(&self) -> Option<Seen> {
        let (welcome, view) = (self.welcome.as_ref()?, self.view()?);
        Some(Seen { match_id: welcome.match_id, player: welcome.player, tick: view.tick, hash: (!self.is_divided).then(|| view.hash()) })
    }

    /// Returns to this client's seat.
    pub fn resume_credential(&self) -> Option<Credential> {
        self.welcome.as_ref().map(|welcome| Credential::Resume { match_id: welcome.match_id, token: welcome.resume })
    }
}
