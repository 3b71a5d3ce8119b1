//! One session of a client, of any game: what arrives becomes a replica and JSON records, what is said becomes bytes.
//!
//! Invariants: the prediction starts from the newest snapshot whenever there is one; inputs are numbered from 1 within a
//! session; after an error nothing more may be received before a [`ClientCore::reset`].

use tickwire_game::Event as _;
use tickwire_game::{ClientMessageOf, Game, Mode, Predictor, Replicate};
use tickwire_protocol::codec::{DecodeError, encode_into};
use tickwire_protocol::limits::FIELDS_MAX;
use tickwire_protocol::messages::{ClientMessage, Credential, Event, Pong, Presence, RosterEntry, ServerMessage, Welcome};
use tickwire_protocol::snapshot::Table;
use tickwire_protocol::{InputSeq, PROTOCOL_VERSION, PlayerId, Replica, Snapshot, Tick};

use crate::json::Json;

/// What one WebSocket message brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// There is a new snapshot.
    pub snapshot: bool,
    /// There are records in the outbox.
    pub records: bool,
}

/// A client's session.
#[derive(Debug)]
pub struct ClientCore<G: Game> {
    replica: Replica,
    predictor: Option<Predictor<G>>,
    me: Option<PlayerId>,
    /// The match's mode; the game's first until Welcome tells.
    mode: Option<Mode>,
    last_input: InputSeq,
    /// How far the own body was from where it is now, at the last message that brought a snapshot.
    correction: [i32; 2],
}

impl<G: Game> Default for ClientCore<G> {
    fn default() -> Self {
        Self {
            replica: Replica::new(&G::SCHEMA),
            predictor: None,
            me: None,
            mode: G::MODES.first().copied(),
            last_input: InputSeq(0),
            correction: [0; 2],
        }
    }
}

impl<G: Game> ClientCore<G> {
    /// Forgets everything: a new connection begins.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Takes in one WebSocket message. Everything in it but snapshots is appended to `records`, a line of JSON each.
    pub fn receive(&mut self, mut bytes: &[u8], records: &mut Vec<u8>) -> Result<Received, DecodeError> {
        let mut received = Received::default();
        self.correction = [0; 2];
        while let Some(message) = ServerMessage::decode_next(&mut bytes) {
            let message = message?;
            if let ServerMessage::Welcome(welcome) = &message {
                self.welcome(welcome)?;
            }
            if self.replica.apply(&message)? {
                self.reconcile();
                received.snapshot = true;
            } else if !matches!(message, ServerMessage::Chunks { .. }) && !self.confirms(&message) {
                Json::new(records).object(|json| self.describe(&message, json));
                records.push(b'\n');
                received.records = true;
            }
        }
        Ok(received)
    }

    /// The newest snapshot.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.replica.snapshot()
    }

    /// The own body at [`ClientCore::predicted_tick`]; `None` while there is none.
    pub fn predicted(&self) -> Option<&G::Body> {
        self.predictor.as_ref()?.body()
    }

    /// The tick that the own body is predicted for.
    pub fn predicted_tick(&self) -> Tick {
        self.predictor.as_ref().map_or(Tick(0), Predictor::tick)
    }

    /// Where the own body was shown minus where it is now, after the last [`ClientCore::receive`].
    pub fn correction(&self) -> &[i32; 2] {
        &self.correction
    }

    /// The match's mode; the game's first before Welcome.
    pub fn mode(&self) -> Option<&Mode> {
        self.mode.as_ref()
    }

    /// Starts a session.
    pub fn hello(&mut self, credential: Credential, out: &mut Vec<u8>) {
        self.reset();
        Self::say(&ClientMessage::Hello { protocol: PROTOCOL_VERSION, schema: G::SCHEMA.hash(), credential }, out);
    }

    /// The player holds `input` during `tick`: predicts it, and says so.
    pub fn input(&mut self, tick: Tick, input: G::Input, out: &mut Vec<u8>) {
        if let Some(predictor) = &mut self.predictor {
            predictor.push(tick, input);
        }
        self.last_input = InputSeq(self.last_input.0.wrapping_add(1));
        Self::say(&ClientMessage::Input { seq: self.last_input, tick, input }, out);
    }

    /// Encodes `message`.
    pub fn say(message: &ClientMessageOf<G>, out: &mut Vec<u8>) {
        encode_into(message, out);
    }

    fn welcome(&mut self, welcome: &Welcome) -> Result<(), DecodeError> {
        let mode = G::MODES.get(usize::from(welcome.mode)).ok_or(DecodeError::Malformed)?;
        self.replica = Replica::new(&G::SCHEMA);
        self.me = welcome.player;
        let mode = Mode { tick_rate: welcome.tick_rate, ..*mode };
        self.mode = Some(mode);
        self.predictor = welcome.player.map(|_| Predictor::new(mode));
        Ok(())
    }

    fn reconcile(&mut self) {
        let (Some(predictor), Some(me), Some(view)) = (&mut self.predictor, self.me, self.replica.snapshot()) else { return };
        let shown_tick = predictor.tick();
        // Both bodies are of one tick, unless the snapshot overtook the prediction: then nothing was mispredicted.
        if let (Some(shown), Some(now)) = predictor.reconcile(view, me)
            && predictor.tick() == shown_tick
        {
            let (shown, now) = (place(&shown), place(&now));
            for (sum, (shown, now)) in self.correction.iter_mut().zip(shown.into_iter().zip(now)) {
                *sum = sum.wrapping_add(shown.wrapping_sub(now));
            }
        }
    }

    /// Whether `message` only says that the newest snapshot is right.
    fn confirms(&self, message: &ServerMessage) -> bool {
        match message {
            ServerMessage::Check { tables } => self.snapshot().is_some_and(|view| view.first_difference(tables).is_none()),
            ServerMessage::ChunksCheck { hash } => self.replica.chunks_hash() == *hash,
            _ => false,
        }
    }

    /// Writes the members of a record.
    fn describe(&self, message: &ServerMessage, json: &mut Json<'_>) {
        match message {
            ServerMessage::Keyframe { .. } | ServerMessage::Delta { .. } | ServerMessage::Chunks { .. } => {}
            ServerMessage::Check { .. } | ServerMessage::ChunksCheck { .. } => {
                json.kind("desync");
                json.key("tick").number_or_null(self.snapshot().map(|view| view.tick.0));
                let table = match message {
                    ServerMessage::Check { tables } => self.snapshot().and_then(|view| view.first_difference(tables)),
                    _ => None,
                };
                json.key("table").string(table.map_or("", Table::name));
            }
            ServerMessage::Welcome(welcome) => describe_welcome(welcome, json),
            ServerMessage::Event(event) => describe_event::<G>(event, json),
            ServerMessage::Pong(pong) => describe_pong(pong, json),
            ServerMessage::Migrate { ws_url } => {
                json.kind("migrate");
                json.key("url").string(ws_url.as_str());
            }
            ServerMessage::Closing(reason) => {
                json.kind("closing");
                json.key("reason").string(reason.name());
            }
        }
    }
}

/// Where a body is.
fn place<C: Replicate>(body: &C) -> [i32; 2] {
    let mut row = [0; FIELDS_MAX];
    body.write(&mut row);
    let value = |column: usize| row.get(column).copied().unwrap_or(0);
    C::PLACE.map_or([0; 2], |columns| columns.map(value))
}

fn describe_event<G: Game>(event: &Event, json: &mut Json<'_>) {
    match event {
        Event::Joined(entry) => {
            json.kind("joined");
            describe_entry(entry, json);
        }
        Event::Left(player) => {
            json.kind("left");
            json.key("player").number(player.0);
        }
        Event::Results { ranking, rematch_by } => {
            json.kind("results");
            json.key("ranking").list(ranking.as_slice(), |json, ranked| {
                json.object(|json| {
                    json.key("player").number(ranked.player.0);
                    json.key("score").number(ranked.score);
                });
            });
            json.key("rematchBy").number(rematch_by.0);
        }
        Event::Game(bytes) => {
            json.kind("game");
            json.key("event").raw(G::Event::read(bytes.as_slice()).map(|event| event.to_json()).as_deref().unwrap_or("null"));
        }
        Event::Updated(entry) => {
            json.kind("updated");
            describe_entry(entry, json);
        }
        Event::Lobby(lobby) => {
            json.kind("lobby");
            json.key("host").number_or_null(lobby.host.map(|player| player.0));
            json.key("bots").boolean(lobby.bots);
            json.key("ready").list(lobby.ready.as_slice(), |json, player| json.number(player.0));
        }
        Event::Draining { until } => {
            json.kind("draining");
            json.key("until").number(until.0);
        }
    }
}

fn describe_welcome(welcome: &Welcome, json: &mut Json<'_>) {
    json.kind("welcome");
    json.key("matchId").hex(&welcome.match_id.0);
    json.key("player").number_or_null(welcome.player.map(|player| player.0));
    json.key("mode").number(welcome.mode);
    json.key("tickRate").number(welcome.tick_rate);
    json.key("tick").number(welcome.tick.0);
    json.key("resume").hex(&welcome.resume.0);
    json.key("roster").list(welcome.roster.as_slice(), |json, entry| json.object(|json| describe_entry(entry, json)));
}

fn describe_entry(entry: &RosterEntry, json: &mut Json<'_>) {
    json.key("player").number(entry.player.0);
    json.key("name").string(entry.name.as_str());
    json.key("bot").boolean(entry.bot);
    json.key("presence").string(match entry.presence {
        Presence::Here => "here",
        Presence::Idle => "idle",
        Presence::Away => "away",
    });
}

fn describe_pong(pong: &Pong, json: &mut Json<'_>) {
    json.kind("pong");
    json.key("clientTimeMs").number(pong.client_time_ms);
    json.key("tick").number(pong.tick.0);
    json.key("phase").number(pong.phase);
    json.key("held").number(pong.held);
    json.key("margin").number_or_null(pong.margin);
    json.key("lastInputSeq").number(pong.last_input.0);
}
