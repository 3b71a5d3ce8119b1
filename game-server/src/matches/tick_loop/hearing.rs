//! What clients say, once a tick.

use tickwire_game::Game;
use tickwire_protocol::codec::encode;
use tickwire_protocol::messages::{ClientMessage, Pong, ServerMessage};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{CloseReason, Tick};

use super::MatchTask;
use crate::clock::Moment;
use crate::session::Handled;

impl<G: Game> MatchTask<G> {
    /// Reads what clients have sent.
    pub(super) fn hear_all(&mut self, moment: &Moment) {
        let (next, clock) = (self.tick.next(), self.clock);
        let votes_count = self.lifecycle.phase() == Phase::Finished;
        let Self { players, roster, lobby, audience, .. } = self;
        let (mut leavers, mut stirred) = (Vec::new(), Vec::new());
        audience.read(moment, |player, bytes, arrived| {
            let message = ClientMessage::<G::Input>::decode(bytes).map_err(|_| CloseReason::Malformed)?;
            if let (ClientMessage::Input { .. } | ClientMessage::Ping { .. }, Some(player)) = (&message, player)
                && players.speaks_first(player)
            {
                roster.confirm(player);
            }
            match (message, player) {
                (ClientMessage::Input { seq, tick, input }, Some(player)) => {
                    let lead = tick.since(next);
                    let margin = lead.saturating_mul(256).saturating_add(clock.until_next(arrived) as i32);
                    if players.offer(player, seq, tick, input, next, margin) {
                        stirred.push(player);
                    }
                    return Ok(if lead < 0 { Handled::TooLate } else { Handled::Done });
                }
                (ClientMessage::Ping { client_time_ms }, _) => {
                    let (margin, last_input) = player.map_or_else(Default::default, |player| players.take_feedback(player));
                    let (tick, phase) = (Tick(next.0.wrapping_sub(1)), clock.phase(arrived));
                    let held = clock.until_next(arrived) - clock.until_next(moment.now);
                    let pong = Pong { client_time_ms, tick, phase, held: held as u16, margin, last_input };
                    return Ok(Handled::Answer(encode(&ServerMessage::Pong(pong)).into()));
                }
                (ClientMessage::Leave, Some(player)) => {
                    leavers.push(player);
                    return Err(CloseReason::Left);
                }
                (ClientMessage::Rematch, Some(player)) => {
                    if votes_count {
                        roster.vote_rematch(player);
                    }
                    if players.stir(player, next) {
                        stirred.push(player);
                    }
                }
                (ClientMessage::Ready(is_ready), Some(player)) if lobby.is_open() => roster.set_ready(player, is_ready),
                (ClientMessage::Start, Some(player)) => lobby.start(player, roster),
                (ClientMessage::Bots(bots), Some(player)) => lobby.set_bots(player, bots, roster),
                (ClientMessage::Ready(_), Some(_)) => {}
                // A second Hello, or a spectator who plays.
                _ => return Err(CloseReason::Malformed),
            }
            Ok(Handled::Done)
        });
        for player in leavers {
            let freed = self.roster.free(player);
            self.unseat(freed);
        }
        for player in stirred {
            if self.roster.set_idle(player, false) {
                self.mind(player);
                self.tell_of(player);
            }
        }
        self.settle_lost();
    }
}
