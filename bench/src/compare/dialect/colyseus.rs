//! Colyseus 0.18: the join acknowledged, then inputs as its SDK encodes them.
//!
//! An input goes out as the SDK's input handle sends it: its code, then each field that changed. Or as a room message: its code, the
//! message's type, and a msgpack map.

use super::heard::{Heard, Unexpected};
use crate::trace::Controls;

const JOIN_ROOM: u8 = 10;
const ERROR: u8 = 11;
const ROOM_DATA: u8 = 13;
const ROOM_STATE: u8 = 14;
const ROOM_STATE_PATCH: u8 = 15;
const ROOM_INPUT_RELIABLE: u8 = 19;
/// Says that the server's time stands in front of a state.
const TIMED: u8 = 0x80;
/// Set or add, in the byte with the field's index.
const ADD: u8 = 0x80;

/// How inputs are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// `room.input()`, for a room that has called `defineInput`.
    Input,
    /// `room.send("input", ...)`.
    Message,
}

/// A player's connection.
#[derive(Debug)]
pub(crate) struct Room {
    channel: Channel,
    /// What the server was told last; inputs are sent as changes.
    last: Option<Controls>,
    seq: u32,
}

impl Room {
    pub(super) const fn new(channel: Channel) -> Self {
        Self { channel, last: None, seq: 0 }
    }

    pub(super) fn hear(payload: &[u8], out: &mut Vec<u8>) -> Result<Heard, Unexpected> {
        match payload.first().map(|code| code & !TIMED) {
            Some(JOIN_ROOM) => {
                out.push(JOIN_ROOM);
                Ok(Heard::Answered)
            }
            Some(ROOM_STATE | ROOM_STATE_PATCH) => Ok(Heard::Update),
            Some(ERROR) => Err(Unexpected(format!("the room refuses: {}", String::from_utf8_lossy(payload)))),
            _ => Ok(Heard::Other),
        }
    }

    pub(super) fn say(&mut self, controls: Controls, out: &mut Vec<u8>) {
        match self.channel {
            Channel::Input => self.push_changes(controls, out),
            Channel::Message => self.push_message(controls, out),
        }
    }

    /// Fields in the order of the schema: x `int8`, y `int8`, aim `uint16`, fire `boolean`.
    fn push_changes(&mut self, controls: Controls, out: &mut Vec<u8>) {
        let last = self.last.replace(controls);
        let has_changed = |field: fn(&Controls) -> i32| last.as_ref().is_none_or(|last| field(last) != field(&controls));
        out.push(ROOM_INPUT_RELIABLE);
        if has_changed(|controls| i32::from(controls.x)) {
            out.extend_from_slice(&[ADD, controls.x as u8]);
        }
        if has_changed(|controls| i32::from(controls.y)) {
            out.extend_from_slice(&[ADD | 1, controls.y as u8]);
        }
        if has_changed(|controls| i32::from(controls.aim)) {
            let [low, high] = controls.aim.to_le_bytes();
            out.extend_from_slice(&[ADD | 2, low, high]);
        }
        if has_changed(|controls| i32::from(controls.fire)) {
            out.extend_from_slice(&[ADD | 3, u8::from(controls.fire)]);
        }
    }

    /// A map of five members in msgpack.
    fn push_message(&mut self, controls: Controls, out: &mut Vec<u8>) {
        self.seq = self.seq.wrapping_add(1);
        let Controls { x, y, aim, fire } = controls;
        out.extend_from_slice(&[ROOM_DATA, 0xa0 | 5]);
        out.extend_from_slice(b"input");
        out.extend_from_slice(&[0x85, 0xa0 | 3]);
        out.extend_from_slice(b"seq");
        out.push(0xce);
        out.extend_from_slice(&self.seq.to_be_bytes());
        out.extend_from_slice(&[0xa1, b'x', 0xd0, x as u8, 0xa1, b'y', 0xd0, y as u8, 0xa3]);
        out.extend_from_slice(b"aim");
        out.push(0xcd);
        out.extend_from_slice(&aim.to_be_bytes());
        out.push(0xa4);
        out.extend_from_slice(b"fire");
        out.push(if fire { 0xc3 } else { 0xc2 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(room: &mut Room, controls: Controls) -> Vec<u8> {
        let mut out = Vec::new();
        room.say(controls, &mut out);
        out
    }

    /// The bytes that the SDK's own encoder writes for these values.
    #[test]
    fn inputs_are_what_the_sdk_sends() {
        let mut room = Room::new(Channel::Input);
        let first = Controls { x: 100, y: -100, aim: 513, fire: false };
        assert_eq!(said(&mut room, first), [19, 0x80, 0x64, 0x81, 0x9c, 0x82, 0x01, 0x02, 0x83, 0x00]);
        assert_eq!(said(&mut room, Controls { aim: 514, ..first }), [19, 0x82, 0x02, 0x02]);
        let third = Controls { x: -100, y: -100, aim: 515, fire: true };
        assert_eq!(said(&mut room, third), [19, 0x80, 0x9c, 0x82, 0x03, 0x02, 0x83, 0x01]);
        assert_eq!(said(&mut room, third), [19], "nothing changed");
    }

    #[test]
    fn a_join_is_acknowledged_and_states_are_updates() {
        let mut out = Vec::new();
        assert_eq!(Room::hear(&[10, 1, 65], &mut out), Ok(Heard::Answered));
        assert_eq!(out, [10]);
        assert_eq!(Room::hear(&[15 | TIMED, 0], &mut out), Ok(Heard::Update));
        assert_eq!(Room::hear(&[18], &mut out), Ok(Heard::Other));
        assert!(Room::hear(&[11, 0], &mut out).is_err());
    }
}
