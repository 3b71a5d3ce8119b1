//! The seam between a game and Tickwire: what a game declares, and nothing of sockets, threads or HTTP.
//!
//! [`GameDef`] is what both ends know: inputs, replicated tables, the prediction step, bots. It has no ECS, so it builds
//! for the browser. [`Game`] (feature `ecs`) is the server's half: components, systems, joining and leaving.
//!
//! Invariant: a game is deterministic. The same seed, joins, leaves and inputs give the same state at every tick, on any
//! machine: no clocks, no threads, no `HashMap` iteration, no platform float maths, randomness only from [`Rng`].

mod predictor;
mod rng;

#[cfg(feature = "ecs")]
mod capture;
#[cfg(feature = "ecs")]
mod game;
#[cfg(feature = "ecs")]
pub mod interest;
#[cfg(feature = "ecs")]
mod simulation;
#[cfg(feature = "ecs")]
pub mod testing;

pub use predictor::Predictor;
pub use rng::Rng;

#[cfg(feature = "ecs")]
pub use capture::Registry;
#[cfg(feature = "ecs")]
pub use game::{Events, Game, Inputs, MatchClock, NetIds, Networked, Random, Scene, Setup, Told};
#[cfg(feature = "ecs")]
pub use interest::Interest;
#[cfg(feature = "ecs")]
pub use simulation::Simulation;

use tickwire_protocol::codec::{Decode, Encode};
use tickwire_protocol::messages::ClientMessage;
use tickwire_protocol::{PlayerId, Schema, Snapshot, Tick};

/// What a player holds down during one tick: fixed-size, and every bit pattern that decodes is a legal input.
///
/// `Default` is the neutral input, used before the first one arrives and while the player's connection is lost.
pub trait Input: Copy + Default + Eq + core::fmt::Debug + Encode + Decode<()> + Send + Sync + 'static {}

impl<T: Copy + Default + Eq + core::fmt::Debug + Encode + Decode<()> + Send + Sync + 'static> Input for T {}

/// One way to play a game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Stable name, for URLs.
    pub id: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// Most players in a match.
    pub max_players: u16,
    /// Ticks per second, 30 or 60.
    pub tick_rate: u8,
    /// How long a match is live, seconds.
    pub live_seconds: u32,
    /// Seats that bots fill in a match anyone may join; 0 for none.
    pub bots_fill: u16,
    /// Whether a bot plays the seat of a player whose connection is lost or who gives no input for a while.
    pub stand_in: bool,
}

/// What both ends know of a game.
pub trait GameDef: Send + Sync + 'static {
    /// Stable name.
    const NAME: &'static str;
    /// What is replicated. Both ends must agree on it: its hash is compared when joining.
    const SCHEMA: Schema;
    /// The ways to play, at least one.
    const MODES: &'static [Mode];
    /// What a player holds down during a tick.
    type Input: Input;
    /// The part of the player's own state that is predicted: exact, so that replaying inputs gives what the server got.
    type Body: Clone + PartialEq + core::fmt::Debug + Send;
    /// A bot's memory.
    type Brain: Send;

    /// The state that `me` predicts from, as replicated in `view`; `None` while there is nothing to move.
    fn body(view: &Snapshot, me: PlayerId) -> Option<Self::Body>;

    /// Moves `body` on by one tick. The server's movement system calls the same function.
    fn step(body: &mut Self::Body, input: &Self::Input, mode: &Mode);

    /// A new bot's memory. Bots of the same seed that see the same do the same.
    fn brain(seed: u64) -> Self::Brain;

    /// The memory of a bot that plays as a person who wants to win: a load test's players. It is [`GameDef::brain`], unless the game's
    /// own bots hold back.
    fn contender(seed: u64) -> Self::Brain {
        Self::brain(seed)
    }

    /// What bot `me` does next. It sees what a player's client sees, so the same bot plays on the server and over the wire.
    fn think(brain: &mut Self::Brain, view: &Snapshot, me: PlayerId) -> Self::Input;

    /// What a game event says, as JSON for the page and for logs; `None` if `event` is not one.
    fn describe_event(event: &[u8]) -> Option<String>;
}

/// The client message of a game.
pub type ClientMessageOf<G> = ClientMessage<<G as GameDef>::Input>;

/// The tick as the 31-bit number that fields hold.
pub const fn tick_field(tick: Tick) -> u32 {
    tick.0 & 0x7fff_ffff
}
