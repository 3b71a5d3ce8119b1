//! What clients say, once a tick: it becomes part of the next step.

use tickwire_game::Game;
use tickwire_match::Change;
use tickwire_protocol::codec::encode;
use tickwire_protocol::messages::{ClientMessage, Pong, ServerMessage};
use tickwire_protocol::{CloseReason, Tick};

use super::MatchTask;
use crate::clock::{Moment, TickClock};
use crate::transport::Arrival;

impl<G: Game> MatchTask<G> {
    /// Reads what clients have sent.
    pub(super) fn hear_all(&mut self, moment: &Moment) {
        let (next, clock) = (self.core.tick().next(), self.clock);
        let Self { timings, step, audience, .. } = self;
        let changes = &mut step.changes;
        while let Some(said) = audience.next(moment) {
            let (slot, player, arrival) = (said.slot, said.player, said.arrival);
            let Ok(message) = ClientMessage::<G::Input>::decode(said.bytes) else {
                audience.end(slot, CloseReason::Malformed);
                continue;
            };
            if !matches!(message, ClientMessage::Input { .. } | ClientMessage::Ping { .. }) {
                audience.must_last(slot);
            } else if let Some(player) = player.filter(|player| timings.speaks_first(*player)) {
                // The token that was used before this session counts no more, once this is written.
                audience.must_last(slot);
                changes.push(Change::Confirm(player));
            }
            match (message, player) {
                (ClientMessage::Input { seq, tick, input }, Some(player)) => {
                    let lead = tick.since(next);
                    if timings.note(player, seq, tick, next, margin(lead, arrival, &clock)) {
                        changes.push(Change::Input { player, tick, input });
                    }
                    if lead < 0 {
                        audience.refund(slot);
                    }
                }
                (ClientMessage::Ping { client_time_ms }, _) => {
                    let (margin, last_input) = player.map_or_else(Default::default, |player| timings.take_feedback(player));
                    let (tick, phase) = (Tick(next.0.wrapping_sub(1)), clock.phase(arrival.by));
                    let held = clock.until_next(arrival.by) - clock.until_next(moment.now);
                    let pong = Pong { client_time_ms, tick, phase, held: held as u16, margin, last_input };
                    audience.answer(slot, encode(&ServerMessage::Pong(pong)).into());
                }
                (ClientMessage::Leave, Some(player)) => {
                    changes.push(Change::Leave(player));
                    audience.end(slot, CloseReason::Left);
                }
                (ClientMessage::Rematch, Some(player)) => changes.push(Change::Rematch(player)),
                (ClientMessage::Ready(is_ready), Some(player)) => changes.push(Change::Ready(player, is_ready)),
                (ClientMessage::Start, Some(player)) => changes.push(Change::Start(player)),
                (ClientMessage::Bots(bots), Some(player)) => changes.push(Change::Bots(player, bots)),
                // A second Hello, or a spectator who plays.
                _ => audience.end(slot, CloseReason::Malformed),
            }
        }
        self.note_lost();
    }
}

/// How long before its tick an input came, in 1/256 tick: negative if too late, and `None` if
/// nobody knows. `lead` is how many ticks after the one that is due now the input is for.
///
/// Of several inputs that were read at once only the last one's arrival is known. Had the others
/// that moment too, they would seem up to a tick later than they were, and their client would run
/// ahead by as much. That one was too late is known in any case, and how late at least.
fn margin(lead: i32, arrival: Arrival, clock: &TickClock) -> Option<i32> {
    let by_ticks = |lead: i32| lead.saturating_mul(256);
    match arrival.exact() {
        Some(arrived) => Some(by_ticks(lead).saturating_add(clock.until_next(arrived) as i32)),
        None if lead < 0 => Some(by_ticks(lead + 1).min(-1)),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;

    #[test]
    fn what_came_at_a_known_moment_has_a_margin_and_what_did_not_has_none_unless_it_was_late() {
        let due = Instant::now();
        let clock = TickClock::new(50, due, Duration::ZERO);
        let early = due.checked_sub(Duration::from_millis(5)).expect("a moment");
        let margin = |lead, is_exact| margin(lead, Arrival { by: early, is_exact }, &clock);
        assert_eq!([0, 2, -1, -3].map(|lead| margin(lead, true)), [64, 576, -192, -704].map(Some));
        assert_eq!([0, 2].map(|lead| margin(lead, false)), [None, None]);
        assert_eq!([-1, -3].map(|lead| margin(lead, false)), [-1, -512].map(Some), "late by that at least");
    }
}
