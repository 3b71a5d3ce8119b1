//! What all players of a run share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use tickwire_game::Game;
use tickwire_testkit::recording::Recording;

use crate::board::Board;
use crate::entrance::Entrance;

/// The run they play in.
pub struct Field<G: Game> {
    /// The way in.
    pub entrance: Entrance,
    /// Where they bring what they felt.
    pub board: Arc<Board>,
    /// The generator's own timers ran late a moment ago.
    pub generator_is_late: Arc<AtomicBool>,
    /// A person's inputs to play, instead of the bot's.
    pub recording: Option<Arc<Recording<G::Input>>>,
    /// How long a player tries to come back after its connection broke.
    pub return_within: Duration,
    /// Of the bots' choices.
    pub seed: u64,
    /// Those who left over a bad network and heard no answer: the server may keep their seats for
    /// its grace period.
    pub left_unanswered: AtomicU64,
}
