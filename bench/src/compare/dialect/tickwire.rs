//! Tickwire's own protocol, as `docs/PROTOCOL.md` has it.

use tickwire_game::{ClientMessageOf, Game};
use tickwire_protocol::{ClientMessage, Credential, InputSeq, PROTOCOL_VERSION, ServerMessage, Tick, Ticket, encode};

use arena::Arena;

use super::heard::{Heard, Unexpected};
use crate::trace::Controls;

/// How far ahead of the newest snapshot inputs are meant: on loopback the next tick but one is still to come.
const LEAD_TICKS: u32 = 2;

/// A player's connection.
#[derive(Debug)]
pub(crate) struct Session {
    ticket: Option<Ticket>,
    seq: InputSeq,
    /// Of the newest snapshot.
    tick: Tick,
    /// The tick the newest input was meant for.
    meant_for: Tick,
}

impl Session {
    pub(super) const fn new(ticket: Option<Ticket>) -> Self {
        Self { ticket, seq: InputSeq(0), tick: Tick(0), meant_for: Tick(0) }
    }

    pub(super) fn greet(&mut self, out: &mut Vec<u8>) {
        if let Some(ticket) = self.ticket.take() {
            let credential = Credential::Ticket(ticket);
            push(out, &ClientMessage::Hello { protocol: PROTOCOL_VERSION, schema: Arena::SCHEMA.hash(), credential });
        }
    }

    pub(super) fn hear(&mut self, mut payload: &[u8]) -> Result<Heard, Unexpected> {
        let mut heard = Heard::Other;
        while let Some(message) = ServerMessage::decode_next(&mut payload) {
            match message.map_err(|error| Unexpected(error.to_string()))? {
                ServerMessage::Keyframe { tick, .. } => {
                    self.tick = tick;
                    heard = Heard::Update;
                }
                ServerMessage::Delta { advance, .. } => {
                    self.tick = self.tick.plus(u32::from(advance));
                    heard = Heard::Update;
                }
                ServerMessage::Closing(reason) => return Err(Unexpected(format!("closed: {}", reason.name()))),
                _ => {}
            }
        }
        Ok(heard)
    }

    pub(super) fn say(&mut self, controls: Controls, out: &mut Vec<u8>) {
        let Controls { x, y, aim, fire } = controls;
        let wanted = self.tick.plus(LEAD_TICKS);
        // Ticks must rise: a phase that drifts over a snapshot's arrival would else repeat one.
        self.meant_for = if wanted.since(self.meant_for) > 0 { wanted } else { self.meant_for.next() };
        self.seq = InputSeq(self.seq.0.wrapping_add(1));
        let buttons = if fire { arena::Input::FIRE } else { 0 };
        let input = arena::Input { move_x: x, move_y: y, aim, buttons };
        push(out, &ClientMessage::Input { seq: self.seq, tick: self.meant_for, input });
    }
}

fn push(out: &mut Vec<u8>, message: &ClientMessageOf<Arena>) {
    out.extend_from_slice(&encode(message));
}

#[cfg(test)]
mod tests {
    use super::*;
    use tickwire_protocol::messages::Body;

    const CONTROLS: Controls = Controls { x: -50, y: 117, aim: 513, fire: true };

    fn said(session: &mut Session) -> (u32, u32) {
        let mut out = Vec::new();
        session.say(CONTROLS, &mut out);
        match ClientMessageOf::<Arena>::decode(&out).expect("a message") {
            ClientMessage::Input { seq, tick, input } => {
                assert_eq!(input, arena::Input { move_x: -50, move_y: 117, aim: 513, buttons: arena::Input::FIRE });
                (seq.0, tick.0)
            }
            other => panic!("{other:?} is no input"),
        }
    }

    #[test]
    fn inputs_are_meant_for_ticks_to_come_and_rise() {
        let mut session = Session::new(None);
        let keyframe = encode(&ServerMessage::Keyframe { tick: Tick(100), body: Body::default() });
        assert_eq!(session.hear(&keyframe), Ok(Heard::Update));
        assert_eq!(said(&mut session), (1, 102));
        assert_eq!(said(&mut session), (2, 103), "no snapshot came in between");
        let delta = encode(&ServerMessage::Delta { advance: 5, body: Body::default() });
        assert_eq!(session.hear(&delta), Ok(Heard::Update));
        assert_eq!(said(&mut session), (3, 107));
    }

    #[test]
    fn the_ticket_is_shown_once_and_an_end_is_noticed() {
        let mut session = Session::new(Some(Ticket([7; 70])));
        let mut out = Vec::new();
        session.greet(&mut out);
        assert!(matches!(ClientMessageOf::<Arena>::decode(&out), Ok(ClientMessage::Hello { .. })));
        let closing = encode(&ServerMessage::Closing(tickwire_protocol::CloseReason::Full));
        assert_eq!(session.hear(&closing), Err(Unexpected("closed: full".into())));
    }
}
