//! Matches played by bots who want to win, as the snapshots that everyone sees. A seed decides everything.

use tickwire_game::Game;
use tickwire_game::testing::TestMatch;
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{PlayerId, Snapshot, Tick};

/// Ticks until the first fights: what comes before is not recorded.
const WARM_UP_TICKS: u32 = 60;

/// A match to record.
#[derive(Clone, Copy, Debug)]
pub struct Recording {
    /// Decides the match and its bots.
    pub seed: u64,
    /// Bots that play.
    pub players: u16,
    /// Ticks that are recorded.
    pub ticks: u32,
}

/// Plays the match.
pub fn record<G: Game>(recording: Recording) -> Vec<Snapshot> {
    let start = Tick(1_000 * recording.seed as u32);
    let mut game = TestMatch::<G>::new(recording.seed, start);
    for player in 0..recording.players {
        game.join_contender(PlayerId(player), recording.seed * 1_000 + u64::from(player));
    }
    game.enter_until(Phase::Live, start.plus(1_000_000));
    for _ in 0..WARM_UP_TICKS {
        game.step();
    }
    (0..recording.ticks).map(|_| game.step().clone()).collect()
}
