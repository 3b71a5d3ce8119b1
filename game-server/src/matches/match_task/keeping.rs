//! What is written down of the match, so that it outlives the process.

use std::time::{Duration, Instant};

use tickwire_game::Game;
use tickwire_match::Setup;

use super::MatchTask;
use crate::clock;
use crate::journal::MatchLog;
use crate::journal::record::Identity;
use crate::matches::card::MatchCard;

/// So many ticks after another the hash of the world is written: whoever replays them sees that
/// they came to the same.
const HASH_EVERY: u32 = 16;

impl<G: Game> MatchTask<G> {
    /// Writes what happens to `log` from now on, beginning with a checkpoint.
    #[must_use]
    pub fn kept(self, log: MatchLog) -> Self {
        let checkpoint_every = clock::ticks(log.checkpoint_ms(), self.info.mode.tick_rate).max(1);
        let mut kept = Self { log, checkpoint_every, ..self };
        kept.keep_all();
        kept
    }

    /// After a tick: what is due of the world's hash and of the whole match. Matches take turns.
    pub(super) fn keep_newest(&mut self) {
        if !self.log.is_on() {
            return;
        }
        let turn = self.core.tick().0.wrapping_add(u32::from(self.info.id.0[0]));
        if turn.is_multiple_of(HASH_EVERY) {
            let hash = self.core.hash();
            self.log.hash(hash);
        }
        if turn.is_multiple_of(self.checkpoint_every) || self.log.wants_checkpoint() {
            self.checkpoint();
        }
    }

    /// While nobody is connected: the whole match, if anything happened.
    pub(super) fn keep_all(&mut self) {
        if !self.log.is_complete() || self.log.wants_checkpoint() {
            self.checkpoint();
        }
    }

    /// Writes the whole match.
    pub(super) fn checkpoint(&mut self) {
        let identity = self.identity();
        self.log.checkpoint(&identity, |out| self.core.write_state(out));
        let info = &self.info;
        self.log.card(|out| MatchCard::of(info).write(out));
    }

    fn identity(&self) -> Identity {
        let Setup { mode, lobby, bots, rules, seed, .. } = *self.core.setup();
        let now = Instant::now();
        let sign_ins = self.sign_ins.iter().filter_map(|(player, sign_in)| Some((*player, unix_ms(sign_in.left(now)?))));
        Identity {
            code: self.info.code.clone(),
            mode: mode.id.to_owned(),
            tick_rate: mode.tick_rate,
            private: self.info.settings.private,
            lobby,
            bots,
            rules,
            seed,
            created: clock::unix().saturating_sub(self.info.created.elapsed()).as_secs(),
            sign_ins: sign_ins.collect(),
        }
    }
}

/// Milliseconds since 1970 when `left` from now on is over.
fn unix_ms(left: Duration) -> u64 {
    u64::try_from((clock::unix() + left).as_millis()).unwrap_or(u64::MAX)
}
