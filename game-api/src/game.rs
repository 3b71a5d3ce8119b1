//! What a game is: one trait that says what it must have, and four parts that it may leave out.

use bevy_ecs::world::World;
use tickwire_protocol::codec::{Decode, Encode};
use tickwire_protocol::messages::{ClientMessage, Ranked};
use tickwire_protocol::schema::{Columns, TableSchema};
use tickwire_protocol::{PlayerId, Schema, Snapshot};

use crate::derive::FromNumbers;
use crate::page::Question;
use crate::{Components, Event, Interest, MatchClock, Replicate, Setup, move_bodies};

/// The one extension point: a game that server, load test and page can run.
///
/// It has four parts that it may leave out: [`Predict`], [`Bots`], [`Ranking`] and [`Sight`].
/// [`#[game]`](macro@crate::game) lets one block state all of it.
///
/// The systems run once per tick, in every phase of the match; [`MatchClock`] tells which one.
pub trait Game: Predict + Bots + Ranking + Sight + Send + Sync + Sized + 'static {
    /// Stable name.
    const NAME: &'static str;
    /// The ways to play, at least one.
    const MODES: &'static [Mode] = &[Mode::DEFAULT];
    /// What a player holds down during a tick.
    type Input: Input;
    /// What is told once when it happens; `()` if nothing is.
    type Event: Event;
    /// What the match's state is made of: a tuple of components that derive
    /// [`Replicate`](derive@crate::Replicate). The order of tables on the wire is theirs.
    type Components: Components;
    /// The tables on the wire. Both ends must agree on them: their hash is compared when joining. A
    /// game says more than its components do only if it has trained a model.
    const SCHEMA: Schema = <Self::Components as Components>::SCHEMA;
    /// Numbers that the page must know, by their names there.
    const CONSTANTS: &'static [(&'static str, i64)] = &[];
    /// What the page asks this code while it runs.
    const QUESTIONS: &'static [Question] = &[];

    /// Gives `player` what it plays with.
    fn join(world: &mut World, player: PlayerId);

    /// Fills a new match: its systems in order, and what is there from the start. Unless a game
    /// says more, inputs move the bodies that its clients predict.
    fn systems(setup: &mut Setup<'_>) {
        setup.add(move_bodies::<Self>);
    }

    /// `player` leaves. The entities that it owned, as `#[owner]` says, are gone already.
    fn leave(_world: &mut World, _player: PlayerId) {}

    /// Who is sent what in `mode`: [`Sight::sight`], for the tables of the game.
    fn interest(mode: &Mode) -> Option<Interest> {
        Self::sight(mode).map(Interest::of::<Self::Components>)
    }

    /// Whether the match is over before its time.
    fn is_decided(_world: &mut World) -> bool {
        false
    }
}

/// How a client guesses its own state, so that an input shows at once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what a client predicts",
    note = "implement `Predict`, or write `#[game]` above `impl Game for {Self}`: it fills in what is left out"
)]
pub trait Predict {
    /// The component that is predicted: exact, so that replaying inputs gives what the server got.
    type Body: Replicate + Clone + PartialEq + core::fmt::Debug + Send;

    /// The state that `me` predicts from, as replicated in `view`; `None` while there is nothing to
    /// move. It is the player's own component; a game that cannot foretell all of it says what it
    /// can.
    fn body(view: &Snapshot, me: PlayerId) -> Option<Self::Body> {
        own(view, me)
    }

    /// Moves `body` on by one tick, to that of `now`. The server's movement system does the same.
    fn step(body: &mut Self::Body, now: &MatchClock, input: &<Self as Game>::Input, mode: &Mode)
    where
        Self: Game;
}

/// How bots play.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how bots play it",
    note = "implement `Bots`, or write `#[game]` above `impl Game for {Self}`: it fills in what is left out"
)]
pub trait Bots {
    /// A bot's memory. It is part of a match that is stored: derive
    /// [`Stored`](derive@crate::Stored).
    type Brain: Encode + Decode<()> + Send;

    /// A new bot's memory. Bots of the same seed that see the same do the same.
    fn brain(seed: u64) -> Self::Brain;

    /// The memory of a bot that plays as a person who wants to win: a load test's players. It is
    /// [`Bots::brain`], unless the game's own bots hold back.
    fn contender(seed: u64) -> Self::Brain {
        Self::brain(seed)
    }

    /// What bot `me` does next. It sees what a player's client sees, so the same bot plays on the
    /// server and over the wire.
    fn think(brain: &mut Self::Brain, view: &Snapshot, me: PlayerId) -> <Self as Game>::Input
    where
        Self: Game;
}

/// Who is best.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say who is best",
    note = "implement `Ranking`, or write `#[game]` above `impl Game for {Self}`: it fills in what is left out"
)]
pub trait Ranking {
    /// Scores so far, best first, in an order that does not depend on anything but the state.
    fn ranking(_world: &mut World) -> Vec<Ranked> {
        Vec::new()
    }
}

/// Who is sent what of a match that is too large to be sent whole.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say who is sent what",
    note = "implement `Sight`, or write `#[game]` above `impl Game for {Self}`: it fills in what is left out"
)]
pub trait Sight {
    /// How matches of `mode` are divided; `None` if everyone is sent everything. Where a component
    /// is and who may see it, the component says: see [`Replicate`](derive@crate::Replicate).
    fn sight(_mode: &Mode) -> Option<Interest> {
        None
    }
}

/// Fills in parts of a game that is written as the traits it is, without
/// [`#[game]`](macro@crate::game): `without!(MyGame: Bots, Sight)`.
///
/// Without `Predict`, clients show what the server says. Without `Bots`, a bot holds nothing down.
/// Without `Ranking`, nobody is best. Without `Sight`, everyone is sent everything.
#[macro_export]
macro_rules! without {
    (@Predict $game:ty) => {
        impl $crate::Predict for $game {
            type Body = $crate::NoBody;
            fn step(_: &mut $crate::NoBody, _: &$crate::MatchClock, _: &<Self as $crate::Game>::Input, _: &$crate::Mode) {}
        }
    };
    (@Bots $game:ty) => {
        impl $crate::Bots for $game {
            type Brain = ();
            fn brain(_: u64) {}
            fn think((): &mut (), _: &$crate::Snapshot, _: $crate::PlayerId) -> <Self as $crate::Game>::Input {
                ::core::default::Default::default()
            }
        }
    };
    (@Ranking $game:ty) => { impl $crate::Ranking for $game {} };
    (@Sight $game:ty) => { impl $crate::Sight for $game {} };
    ($game:ty: $($part:ident),+ $(,)?) => { $($crate::without!(@$part $game);)+ };
}

/// `me`'s own `C` in `view`: the first that it owns.
pub fn own<C: Replicate>(view: &Snapshot, me: PlayerId) -> Option<C> {
    let table = view.table_of::<C>()?;
    // Only the column of owners is looked through.
    let owners = table.column(C::OWNER?);
    table.get(owners.iter().position(|owner| *owner == i32::from(me.0))?)
}

/// The body of a game that predicts nothing: no client ever has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoBody;

impl Columns for NoBody {
    const TABLE: TableSchema = TableSchema { name: "", fields: &[] };

    fn write(&self, _: &mut [i32]) {}

    fn read(_: &[i32]) -> Self {
        Self
    }
}

impl Replicate for NoBody {}

crate::component!(NoBody);

/// What a player holds down during one tick: fixed-size, and every bit pattern that decodes is a
/// legal input. Derive it: see [`Input`](derive@crate::Input). A whole number is one too.
///
/// `Default` is the neutral input, used before the first one arrives and while the player's
/// connection is lost.
pub trait Input: Copy + Default + Eq + core::fmt::Debug + Encode + Decode<()> + FromNumbers + Send + Sync + 'static {}

impl<T: Copy + Default + Eq + core::fmt::Debug + Encode + Decode<()> + FromNumbers + Send + Sync + 'static> Input for T {}

/// One way to play a game.
///
/// ```
/// use tickwire_game::Mode;
///
/// const DUEL: Mode = Mode { id: "duel", title: "Duel", max_players: 2, live_seconds: 90, ..Mode::DEFAULT };
/// assert_eq!((DUEL.max_players, DUEL.tick_rate), (2, 60));
/// ```
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
    /// Whether a bot plays the seat of a player whose connection is lost or who gives no input for
    /// a while.
    pub stand_in: bool,
}

impl Mode {
    /// What a mode does not say, it has from here:
    /// `Mode { id: "duel", max_players: 2, ..Mode::DEFAULT }`.
    pub const DEFAULT: Self =
        Self { id: "play", title: "Play", max_players: 8, tick_rate: 60, live_seconds: 300, bots_fill: 0, stand_in: false };
}

/// What clients of game `G` send: messages with its input in them.
pub type ClientMessageOf<G> = ClientMessage<<G as Game>::Input>;
