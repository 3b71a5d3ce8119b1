//! What is said on a connection, by arm: the greeting after the upgrade, an input per tick, and which messages are updates.
//!
//! Invariant: every arm gets the same controls at the same times; only their encoding differs, and is what the arm's own client
//! would send.

mod colyseus;
mod heard;
mod plain;
mod tickwire;

use tickwire_protocol::Ticket;

use crate::arm::Arm;
use crate::frame;
use crate::trace::Controls;

pub(crate) use heard::{Heard, Unexpected};

/// One connection's side of the conversation.
#[derive(Debug)]
pub(crate) enum Dialect {
    Floor(plain::Packed),
    Tickwire(tickwire::Session),
    Colyseus(colyseus::Room),
    Json(plain::Json),
    Binary(plain::Packed),
}

impl Dialect {
    pub(crate) fn new(arm: Arm, ticket: Option<Ticket>) -> Self {
        match arm {
            Arm::Floor => Self::Floor(plain::Packed::default()),
            Arm::Colyseus => Self::Colyseus(colyseus::Room::new(colyseus::Channel::Input)),
            Arm::ColyseusMessages => Self::Colyseus(colyseus::Room::new(colyseus::Channel::Message)),
            Arm::WsJson => Self::Json(plain::Json::default()),
            Arm::WsBinary => Self::Binary(plain::Packed::default()),
            _ => Self::Tickwire(tickwire::Session::new(ticket)),
        }
    }

    /// What kind of frame messages to the server are.
    pub(crate) const fn opcode(&self) -> u8 {
        match self {
            Self::Json(_) => frame::TEXT,
            _ => frame::BINARY,
        }
    }

    /// Writes what is said first; nothing if the server speaks first.
    pub(crate) fn greet(&mut self, out: &mut Vec<u8>) {
        if let Self::Tickwire(session) = self {
            session.greet(out);
        }
    }

    /// Takes in a message of the server; writes the answer, if there must be one.
    pub(crate) fn hear(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Result<Heard, Unexpected> {
        match self {
            Self::Tickwire(session) => session.hear(payload),
            Self::Colyseus(_) => colyseus::Room::hear(payload, out),
            Self::Floor(_) | Self::Json(_) | Self::Binary(_) => Ok(Heard::Update),
        }
    }

    /// Writes this tick's input.
    pub(crate) fn say(&mut self, controls: Controls, out: &mut Vec<u8>) {
        match self {
            Self::Tickwire(session) => session.say(controls, out),
            Self::Colyseus(room) => room.say(controls, out),
            Self::Json(client) => client.say(controls, out),
            Self::Floor(client) | Self::Binary(client) => client.say(controls, out),
        }
    }
}
