//! A player: what they were told, and what they were shown.

use std::collections::BTreeMap;

use arena::{Arena, Input};
use tickwire_game::Game;
use tickwire_protocol::codec::encode;
use tickwire_protocol::{ClientMessage, InputSeq, PlayerId, Replica, Secret, ServerMessage, Tick};
use tickwire_server::matches::Reserved;
use tickwire_server::transport::memory::Peer;
use tokio::sync::oneshot::Receiver;

/// The world's hash in each tick that somebody was shown.
pub(crate) type Shown = BTreeMap<u32, u64>;

/// What a player, by number, does in a tick.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Do {
    /// Asks for a seat.
    Reserve(usize),
    /// Comes with the ticket, if there is one.
    Attach(usize),
    /// Loses the connection.
    Drop(usize),
    /// Comes back with the newest token, if there is one.
    Resume(usize),
    /// Gives the seat up.
    Leave(usize),
}

/// Somebody who plays, or would like to.
#[derive(Default)]
pub(crate) struct Player {
    /// Asked for, and not answered yet, with the ticket that is to be good for it.
    pub(crate) asked: Option<(Receiver<Result<Reserved, tickwire_server::matches::ReserveError>>, Secret)>,
    /// A ticket that is good, and for which seat.
    pub(crate) ticket: Option<(PlayerId, Secret)>,
    /// The seat, and the newest token that is good for it.
    pub(crate) seat: Option<(PlayerId, Secret)>,
    pub(crate) connection: Option<Connection>,
    /// The newest tick that was shown.
    pub(crate) newest: Option<u32>,
    /// Wants to go: what becomes of the seat is no concern any more.
    pub(crate) has_left: bool,
    /// Inputs so far.
    seq: u32,
}

pub(crate) struct Connection {
    peer: Peer,
    replica: Replica,
}

impl Player {
    pub(crate) fn connect(&mut self, peer: Peer) {
        self.connection = Some(Connection { peer, replica: Replica::new(&Arena::SCHEMA) });
        self.seq = 0;
    }

    /// Sends an input for a tick that comes soon.
    pub(crate) fn play(&mut self, number: usize) {
        let (Some(connection), Some(tick), false) = (&self.connection, self.newest, self.has_left) else { return };
        self.seq += 1;
        let turn = (tick / 9 + number as u32) % 4;
        let [move_x, move_y] = [[127, 0], [0, 127], [-127, 0], [0, -127]][turn as usize];
        let buttons = if tick.is_multiple_of(5) { Input::FIRE } else { 0 };
        let input = Input { move_x, move_y, aim: (tick * 700) as u16, buttons };
        let message = ClientMessage::Input { seq: InputSeq(self.seq), tick: Tick(tick + 2), input };
        connection.peer.send(encode(&message));
    }

    pub(crate) fn leave(&mut self) {
        if let Some(connection) = &self.connection {
            connection.peer.send(encode(&ClientMessage::<Input>::Leave));
            self.has_left = true;
        }
    }

    /// Takes in what came.
    pub(crate) fn hear(&mut self, shown: &mut Shown) -> Result<(), String> {
        let Some(mut connection) = self.connection.take() else { return Ok(()) };
        for frame in connection.peer.take_received() {
            let mut bytes = frame.as_ref();
            while let Some(message) = ServerMessage::decode_next(&mut bytes) {
                self.take(&mut connection.replica, &message.map_err(|error| format!("a frame that is none: {error}"))?, shown)?;
            }
        }
        if self.has_left {
            (self.ticket, self.seat) = (None, None);
            return Ok(());
        }
        if let Some(reason) = connection.peer.closed() {
            return Err(format!("a player was sent away: {}", reason.name()));
        }
        self.connection = Some(connection);
        Ok(())
    }

    fn take(&mut self, replica: &mut Replica, message: &ServerMessage, shown: &mut Shown) -> Result<(), String> {
        match message {
            ServerMessage::Welcome(welcome) => {
                let player = welcome.player.ok_or("a player is taken for a spectator")?;
                let expected = self.seat.or(self.ticket).map(|(player, _)| player);
                if expected != Some(player) {
                    return Err(format!("{expected:?} came back as {player:?}"));
                }
                (self.seat, self.ticket) = (Some((player, welcome.resume)), None);
            }
            ServerMessage::Closing(reason) if !self.has_left => return Err(format!("a player was sent away: {}", reason.name())),
            ServerMessage::Check { tables } => {
                let snapshot = replica.snapshot().ok_or("a hash of nothing")?;
                if snapshot.table_hashes() != *tables {
                    return Err(format!("tick {} is another one than the server's", snapshot.tick.0));
                }
            }
            message => {
                if replica.apply(message).map_err(|error| format!("a frame that does not fit: {error}"))? {
                    self.see(replica, shown)?;
                }
            }
        }
        Ok(())
    }

    fn see(&mut self, replica: &Replica, shown: &mut Shown) -> Result<(), String> {
        let snapshot = replica.snapshot().ok_or("nothing is shown")?;
        let (tick, hash) = (snapshot.tick.0, snapshot.hash());
        if let Some(newest) = self.newest.filter(|newest| tick < *newest) {
            return Err(format!("tick {newest} was shown, and now it is {tick}"));
        }
        self.newest = Some(tick);
        match shown.insert(tick, hash) {
            Some(before) if before != hash => Err(format!("tick {tick} was shown twice, and was another one")),
            _ => Ok(()),
        }
    }
}
