//! The seam between a game and Tickwire: what a game declares, and nothing of sockets, threads or HTTP.
//!
//! [`GameDef`] is what both ends know: inputs, replicated tables, the prediction step, bots. It has no ECS, so it builds
//! for the browser. [`Game`] (feature `ecs`) is the server's half: components, systems, joining and leaving.
//!
//! Invariant: a game is deterministic. The same seed, joins, leaves and inputs give the same state at every tick, on any
//! machine: no clocks, no threads, no `HashMap` iteration, no platform float maths, randomness only from [`Rng`].

pub mod derive;
mod event;
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
mod state;
#[cfg(feature = "ecs")]
pub mod testing;

pub use event::Event;
pub use predictor::Predictor;
pub use rng::Rng;
/// Makes an event of a struct or an enum: how it is sent, and its JSON and TypeScript type for the page.
///
/// ```
/// use tickwire_game::Event;
///
/// #[derive(Event, Clone, Copy, Debug, PartialEq, Eq)]
/// enum Happened {
///     Kill { killer: u16, victim: u16 },
///     Over,
/// }
///
/// assert_eq!(Happened::Kill { killer: 3, victim: 4 }.to_json(), r#"{"kind":"kill","killer":3,"victim":4}"#);
/// assert_eq!(Happened::typescript(), "\
///     | { readonly kind: 'kill'; readonly killer: number; readonly victim: number }\n\
///     | { readonly kind: 'over' }");
/// ```
pub use tickwire_game_macros::Event;
/// Makes an input of a struct: how it is sent, what is refused, and how the page gives it.
///
/// ```
/// use tickwire_game::Input;
/// use tickwire_game::derive::FromNumbers;
/// use tickwire_protocol::codec::{decode, encode};
///
/// #[derive(Input, Clone, Copy, Debug, Default, PartialEq, Eq)]
/// struct Push {
///     #[range(-9..=9)]
///     x: i8,
///     fire: bool,
/// }
///
/// assert_eq!(decode::<Push, 16>(&encode(&Push { x: -9, fire: true })), Ok(Push { x: -9, fire: true }));
/// assert!(decode::<Push, 16>(&encode(&Push { x: 10, fire: false })).is_err(), "out of range");
/// assert_eq!(Push::from_numbers(&[70, 1]), Push { x: 9, fire: true }, "the nearest there is");
/// ```
pub use tickwire_game_macros::Input;
/// Makes a component of a struct, and says what clients see of it.
///
/// A field is a whole number, a `bool`, a [`PlayerId`], a [`Tick`], an enum without fields that derives `Replicate` itself, or an
/// array of these. Each becomes a column of the component's table:
///
/// - `#[range(min..=max)]`: the values it can have; without it, all of its type. Values outside are clamped when sent.
/// - `#[moved_by(velocity)]`: it grows by the field `velocity`, which stands before it, every tick. While that is so, it costs nothing.
/// - `#[wrapping]`: after the greatest value comes the least, as in an angle.
/// - `#[moment]`: it holds a tick near the one it changes in (its low bits, or 0 for none).
/// - `#[owner]`: whose it is. The entity goes when that player leaves.
/// - on the struct, `#[table("name")]`: what clients call the table; without it, the type's name in snake case.
///
/// ```
/// use tickwire_game::Replicate;
/// use tickwire_protocol::{Columns, PlayerId};
///
/// const WIDTH: i32 = 4_000;
///
/// #[derive(Replicate, Clone, Copy, Debug, PartialEq)]
/// struct Mover {
///     #[owner]
///     player: PlayerId,
///     #[range(-100..=100)]
///     vx: i32,
///     #[range(0..=WIDTH)]
///     #[moved_by(vx)]
///     x: i32,
///     is_it: bool,
/// }
///
/// let names: Vec<_> = Mover::TABLE.fields.iter().map(|field| field.name).collect();
/// assert_eq!((Mover::TABLE.name, names), ("mover", vec!["player", "vx", "x", "is_it"]));
/// assert_eq!(Mover::TABLE.fields[2].max, WIDTH);
/// ```
pub use tickwire_game_macros::Replicate;

/// Lets a value be stored with a match and read back as it was: what a bot remembers, and the types in it.
///
/// ```
/// use tickwire_game::{Rng, Stored};
/// use tickwire_protocol::codec::{decode, encode};
///
/// #[derive(Stored, Clone, Debug, PartialEq)]
/// struct Brain {
///     rng: Rng,
///     prey: Option<u16>,
/// }
///
/// let brain = Brain { rng: Rng::new(7), prey: Some(3) };
/// assert_eq!(decode::<Brain, 64>(&encode(&brain)), Ok(brain));
/// ```
pub use tickwire_game_macros::Stored;

#[cfg(feature = "ecs")]
pub use bevy_ecs;
#[cfg(feature = "ecs")]
pub use capture::Registry;
#[cfg(feature = "ecs")]
pub use game::{Events, Game, Inputs, MatchClock, NetIds, Networked, Random, Scene, Setup, Told};
#[cfg(feature = "ecs")]
pub use interest::Interest;
#[cfg(feature = "ecs")]
pub use simulation::Simulation;
#[cfg(feature = "ecs")]
pub use state::{OtherTables, Rows, SimulationState};

use tickwire_protocol::codec::{Decode, Encode};
use tickwire_protocol::messages::ClientMessage;
use tickwire_protocol::{PlayerId, Schema, Snapshot, Tick};

/// Makes a component of a type where this crate has components.
#[cfg(feature = "ecs")]
#[doc(hidden)]
#[macro_export]
macro_rules! component {
    ($name:ident) => {
        impl $crate::bevy_ecs::component::Component for $name {
            const STORAGE_TYPE: $crate::bevy_ecs::component::StorageType = $crate::bevy_ecs::component::StorageType::Table;
            type Mutability = $crate::bevy_ecs::component::Mutable;
        }
    };
}

/// Nothing is a component in the browser.
#[cfg(not(feature = "ecs"))]
#[doc(hidden)]
#[macro_export]
macro_rules! component {
    ($name:ident) => {};
}

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
    /// A bot's memory. It is part of a match that is stored: derive [`Stored`](derive@Stored).
    type Brain: Encode + Decode<()> + Send;

    /// The state that `me` predicts from, as replicated in `view`; `None` while there is nothing to move.
    fn body(view: &Snapshot, me: PlayerId) -> Option<Self::Body>;

    /// Moves `body` on by one tick. The server's movement system calls the same function.
    fn step(body: &mut Self::Body, input: &Self::Input, mode: &Mode);

    /// A new bot's memory. Bots of the same seed that see the same do the same.
    fn brain(seed: u64) -> Self::Brain;

    /// The memory of a bot that plays as a person who wants to win: a load test's players. It is
    /// [`GameDef::brain`], unless the game's own bots hold back.
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
