//! What clients say, once a tick: it becomes part of the next step.

use tickwire_game::Game;
use tickwire_match::Change;
use tickwire_protocol::codec::encode;
use tickwire_protocol::messages::{ClientMessage, Pong, ServerMessage};
use tickwire_protocol::{CloseReason, Tick};

use super::MatchTask;
use crate::clock::Moment;
use crate::session::Handled;

impl<G: Game> MatchTask<G> {
    /// Reads what clients have sent.
    pub(super) fn hear_all(&mut self, moment: &Moment) {
        let (next, clock) = (self.core.tick().next(), self.clock);
        let Self { timings, step, audience, .. } = self;
        let changes = &mut step.changes;
        audience.read(moment, |player, bytes, arrived| {
            let message = ClientMessage::<G::Input>::decode(bytes).map_err(|_| CloseReason::Malformed)?;
            if let (ClientMessage::Input { .. } | ClientMessage::Ping { .. }, Some(player)) = (&message, player)
                && timings.speaks_first(player)
            {
                changes.push(Change::Confirm(player));
            }
            match (message, player) {
                (ClientMessage::Input { seq, tick, input }, Some(player)) => {
                    let lead = tick.since(next);
                    let margin = lead.saturating_mul(256).saturating_add(clock.until_next(arrived) as i32);
                    if timings.note(player, seq, tick, next, Some(margin)) {
                        changes.push(Change::Input { player, tick, input });
                    }
                    return Ok(if lead < 0 { Handled::TooLate } else { Handled::Done });
                }
                (ClientMessage::Ping { client_time_ms }, _) => {
                    let (margin, last_input) = player.map_or_else(Default::default, |player| timings.take_feedback(player));
                    let (tick, phase) = (Tick(next.0.wrapping_sub(1)), clock.phase(arrived));
                    let held = clock.until_next(arrived) - clock.until_next(moment.now);
                    let pong = Pong { client_time_ms, tick, phase, held: held as u16, margin, last_input };
                    return Ok(Handled::Answer(encode(&ServerMessage::Pong(pong)).into()));
                }
                (ClientMessage::Leave, Some(player)) => {
                    changes.push(Change::Leave(player));
                    return Err(CloseReason::Left);
                }
                (ClientMessage::Rematch, Some(player)) => changes.push(Change::Rematch(player)),
                (ClientMessage::Ready(is_ready), Some(player)) => changes.push(Change::Ready(player, is_ready)),
                (ClientMessage::Start, Some(player)) => changes.push(Change::Start(player)),
                (ClientMessage::Bots(bots), Some(player)) => changes.push(Change::Bots(player, bots)),
                // A second Hello, or a spectator who plays.
                _ => return Err(CloseReason::Malformed),
            }
            Ok(Handled::Done)
        });
        self.note_lost();
    }
}
