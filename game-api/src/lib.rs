//! The seam between a game and Tickwire: what a game declares, and nothing of sockets, threads or
//! HTTP.
//!
//! [`Game`] is all that a game must say. Its optional parts are [`Predict`], [`Bots`], [`Ranking`]
//! and [`Sight`]. Server, load test and page are built from the same crate: what a browser does not
//! run is not in its module.
//!
//! ```
//! use tickwire_game::prelude::*;
//!
//! #[derive(Replicate, Clone, Copy, Debug, PartialEq)]
//! struct Runner {
//!     #[owner]
//!     player: PlayerId,
//!     #[range(0..=1000)]
//!     x: i32,
//! }
//!
//! #[derive(Input, Clone, Copy, Debug, Default, PartialEq, Eq)]
//! struct Push {
//!     #[range(-9..=9)]
//!     right: i8,
//! }
//!
//! struct Race;
//!
//! #[game]
//! impl Game for Race {
//!     fn join(world: &mut World, player: PlayerId) {
//!         spawn(world, Runner { player, x: 0 });
//!     }
//!
//!     fn step(runner: &mut Runner, _now: &MatchClock, push: &Push, _mode: &Mode) {
//!         runner.x = (runner.x + i32::from(push.right)).clamp(0, 1000);
//!     }
//!
//!     fn ranking(world: &mut World) -> Vec<Ranked> {
//!         ranked(world, |runner: &Runner| runner.x)
//!     }
//! }
//!
//! let mut race = TestMatch::<Race>::new(1, Tick(0));
//! [PlayerId(0), PlayerId(1)].map(|player| race.join(player));
//! race.hold(PlayerId(1), Push { right: 5 });
//! race.step();
//! assert_eq!(race.ranking(), [Ranked { player: PlayerId(1), score: 5 }, Ranked { player: PlayerId(0), score: 0 }]);
//! ```
//!
//! Invariant: a game is deterministic. The same seed, joins, leaves and inputs give the same state
//! at every tick, on any machine: no clocks, no threads, no `HashMap` iteration, no platform float
//! maths, randomness only from [`Rng`].

mod capture;
mod components;
pub mod derive;
mod event;
mod events;
mod game;
pub mod interest;
pub mod page;
mod predictor;
pub mod prelude;
mod registry;
mod rng;
mod simulation;
mod state;
pub mod testing;
pub mod timers;
mod world;

pub use bevy_ecs;
pub use capture::Registry;
pub use components::{Components, Replicate};
pub use event::Event;
pub use events::{Events, Scene, Told};
pub use game::{Bots, ClientMessageOf, Game, Input, Mode, NoBody, Predict, Ranking, Sight, own};
pub use interest::Interest;
pub use predictor::Predictor;
pub use registry::GameVisitor;
pub use rng::Rng;
pub use simulation::Simulation;
pub use state::{Rows, SimulationState, Unfit, layout};
/// Makes an event of a struct or an enum: how it is sent, and its JSON and TypeScript type for the
/// page.
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
/// - `#[range(min..=max)]`: the values that a field can have. An input with others is refused.
/// - `#[buttons(FIRE, DASH)]`: what the bits of a field are called, from the lowest. They become
///   constants of the input, and booleans on the page. Other bits are legal and mean nothing.
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
///     #[buttons(FIRE, DASH)]
///     held: u8,
/// }
///
/// let push = Push { x: -9, held: Push::FIRE | Push::DASH };
/// assert_eq!(decode::<Push, 16>(&encode(&push)), Ok(push));
/// assert!(decode::<Push, 16>(&encode(&Push { x: 10, held: 0 })).is_err(), "out of range");
/// assert_eq!(Push::from_numbers(&[70, 2]), Push { x: 9, held: Push::DASH }, "the nearest there is");
/// ```
pub use tickwire_game_macros::Input;
/// Makes a component of a struct, and says what clients see of it.
///
/// A field is a whole number, a `bool`, a [`PlayerId`], a [`Tick`], an enum without fields that
/// derives `Replicate` itself, or an array of these. Each becomes a column of the component's
/// table:
///
/// - `#[range(min..=max)]`: the values it can have; without it, all of its type. Values outside are
///   clamped when sent.
/// - `#[moved_by(velocity)]`: it grows by the field `velocity`, which stands before it, every tick.
///   While that is so, it costs nothing.
/// - `#[wrapping]`: after the greatest value comes the least, as in an angle.
/// - `#[moment]`: it holds a tick near the one it changes in (its low bits, or 0 for none).
/// - `#[owner]`: whose it is. The entity goes when that player leaves.
/// - on the struct, `#[table("name")]`: what clients call the table; without it, the type's name in
///   snake case.
/// - on the struct, `#[hidden]`: clients never see it; it is only stored with the match.
/// - on the struct, in a mode that [`Sight`] divides: `#[place(x, y)]` says which fields are its
///   place on the map, `#[private]` that only its owner may know it, `#[eyes]` that its owner looks
///   from it.
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
/// States a game in one block. What stands in it goes to the trait that it belongs to ([`Game`],
/// [`Predict`], [`Bots`], [`Ranking`], [`Sight`]), and what it leaves out is filled in:
///
/// - `Body`, `Input` and `Brain` are the types that `step` and `think` take.
/// - `NAME` is the type's name in snake case, `Event` is `()`, `Components` is the body alone.
/// - Without `step`, clients show what the server says. Without `think`, a bot holds nothing down.
///   Without `ranking`, nobody is best. Without `sight`, everyone is sent everything.
///
/// ```
/// use tickwire_game::prelude::*;
///
/// #[derive(Replicate, Clone, Debug, PartialEq)]
/// struct Lamp {
///     is_lit: bool,
/// }
///
/// #[derive(Input, Clone, Copy, Debug, Default, PartialEq, Eq)]
/// struct Switch {
///     presses: bool,
/// }
///
/// struct Lamps;
///
/// #[game]
/// impl Game for Lamps {
///     type Input = Switch;
///     type Components = (Lamp,);
///
///     fn join(_: &mut World, _: PlayerId) {}
///
///     fn systems(setup: &mut Setup<'_>) {
///         setup.spawn(Lamp { is_lit: false });
///         setup.add(|inputs: Res<Inputs<Switch>>, mut lamps: Query<&mut Lamp>| {
///             lamps.iter_mut().for_each(|mut lamp| lamp.is_lit = inputs.of(PlayerId(0)).presses);
///         });
///     }
/// }
///
/// let mut game = TestMatch::<Lamps>::new(1, Tick(0));
/// game.join(PlayerId(0));
/// game.hold(PlayerId(0), Switch { presses: true });
/// assert_eq!((Lamps::NAME, game.step().rows::<Lamp>().next().map(|(_, lamp)| lamp.is_lit)), ("lamps", Some(true)));
/// ```
pub use tickwire_game_macros::game;

/// Lets a value be stored with a match and read back as it was: what a bot remembers, and the types
/// in it.
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

pub use tickwire_protocol::{PlayerId, Snapshot, Tick};
pub use world::{Inputs, MatchClock, NetIds, Networked, Playing, Random, Setup, move_bodies, ranked, spawn};

/// Makes a component of a type.
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

/// The tick as the 31-bit number that fields hold.
///
/// ```
/// use tickwire_game::{Tick, tick_field};
///
/// assert_eq!(tick_field(Tick(0x8000_0003)), 3);
/// ```
pub const fn tick_field(tick: Tick) -> u32 {
    tick.0 & 0x7fff_ffff
}
