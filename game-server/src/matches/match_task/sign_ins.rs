//! Who must sign in again: their connection is closed, their seat is kept, and nothing opens it
//! until they have. To the core an expiry is a connection that ended, and no more.

use std::sync::Arc;

use tickwire_game::Game;
use tickwire_protocol::{CloseReason, PlayerId};
use tokio::time::Instant;

use super::MatchTask;
use crate::matches::sign_in::SignIn;

impl<G: Game> MatchTask<G> {
    /// The holder of this seat may play until then.
    pub(super) fn note_sign_in(&mut self, player: PlayerId, sign_in: Option<Arc<SignIn>>) {
        match sign_in {
            Some(sign_in) => drop(self.sign_ins.insert(player, sign_in)),
            None => drop(self.sign_ins.remove(&player)),
        }
    }

    /// Whether the holder of this seat must sign in again.
    pub(super) fn is_signed_out(&self, player: PlayerId) -> bool {
        self.sign_ins.get(&player).is_some_and(|sign_in| sign_in.has_expired(std::time::Instant::now()))
    }

    /// Once a second: closes the connections of those who must sign in again.
    pub(super) fn close_expired(&mut self, now: Instant) {
        let rate = u32::from(self.info.mode.tick_rate.max(1));
        if self.sign_ins.is_empty() || !self.core.tick().0.is_multiple_of(rate) {
            return;
        }
        let now = now.into_std();
        for (player, sign_in) in &self.sign_ins {
            if sign_in.has_expired(now) {
                self.audience.end_player(*player, CloseReason::SignInExpired);
            }
        }
        self.note_lost();
    }
}
