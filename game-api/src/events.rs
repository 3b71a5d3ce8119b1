//! What happened in a tick, on its way to the clients.

use bevy_ecs::resource::Resource;
use tickwire_protocol::PlayerId;
use tickwire_protocol::codec::{Encode, encode_into};
use tickwire_protocol::limits::GAME_EVENT_BYTES_MAX;

/// Things that happened this tick, to be told to clients. What they are written into is used again
/// every tick.
///
/// ```
/// use tickwire_game::{Event, Events, PlayerId};
///
/// #[derive(Event, Clone, Copy, Debug, PartialEq, Eq)]
/// struct Tagged {
///     player: PlayerId,
/// }
///
/// let mut events = Events::default();
/// events.emit(&Tagged { player: PlayerId(2) });
/// events.emit_at([800, 600], &Tagged { player: PlayerId(5) });
/// let mut told = Vec::new();
/// events.take(|bytes, scene| told.push((Tagged::read(bytes), scene.map(|scene| scene.place))));
/// assert_eq!(told[0], (Some(Tagged { player: PlayerId(2) }), None));
/// assert_eq!(told[1], (Some(Tagged { player: PlayerId(5) }), Some([800, 600])));
/// ```
#[derive(Resource, Clone, Debug, Default)]
pub struct Events(Box<Said>); // Boxed: the world keeps room for 64 of every resource.

#[derive(Clone, Debug, Default)]
struct Said {
    /// Encoded, one after the other.
    bytes: Vec<u8>,
    /// Where each one ends in `bytes`, and where it happened.
    told: Vec<(usize, Option<Scene>)>,
    to_everyone: usize,
}

/// One thing to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The event, encoded.
    pub bytes: Vec<u8>,
    /// Where it happened; `None` if everyone is told, reliably.
    pub at: Option<Scene>,
}

/// Where something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scene {
    /// Where on the map, in the units of [`Place::at`](crate::interest::Place::at).
    pub place: [i32; 2],
    /// Players whom it concerns: they are told wherever they look.
    pub concerns: [Option<PlayerId>; 2],
}

impl Events {
    /// Most events in a tick for everyone; more are dropped, so that no burst outgrows a message.
    pub const PER_TICK_MAX: usize = 64;
    /// Most events in a tick, with those that have a place.
    pub const PLACED_PER_TICK_MAX: usize = 1024;

    /// Tells every client of `event`, whose encoding must stay under [`GAME_EVENT_BYTES_MAX`]
    /// bytes.
    pub fn emit<E: Encode>(&mut self, event: &E) {
        if self.0.to_everyone < Self::PER_TICK_MAX {
            self.0.to_everyone += 1;
            self.push(event, None);
        }
    }

    /// Tells those of `event` who have the place `at` in sight at this tick and can be sent
    /// something: for what is worth nothing later or elsewhere, such as a hit. It has no group:
    /// nobody who is near may be kept from knowing it. In a mode without an
    /// [`Interest`](crate::Interest) this is [`Events::emit`].
    pub fn emit_at<E: Encode>(&mut self, at: [i32; 2], event: &E) {
        self.push(event, Some(Scene { place: at, concerns: [None; 2] }));
    }

    /// Tells those of `event` who have the place `at` in sight at this tick, and `players`, whom it
    /// concerns, wherever they look. Their own events come before others' where there is not room
    /// for all. See [`Events::emit_at`].
    pub fn emit_between<E: Encode>(&mut self, at: [i32; 2], players: [PlayerId; 2], event: &E) {
        self.push(event, Some(Scene { place: at, concerns: players.map(Some) }));
    }

    fn push<E: Encode>(&mut self, event: &E, at: Option<Scene>) {
        if self.0.told.len() < Self::PLACED_PER_TICK_MAX {
            let Said { bytes, told, .. } = &mut *self.0;
            let start = bytes.len();
            encode_into(event, bytes);
            debug_assert!(bytes.len() - start <= GAME_EVENT_BYTES_MAX, "an event is small");
            told.push((bytes.len(), at));
        }
    }

    /// Hands over this tick's events, each with where it happened, and forgets them.
    pub fn take(&mut self, mut each: impl FnMut(&[u8], Option<Scene>)) {
        let Said { bytes, told, to_everyone } = &mut *self.0;
        let mut start = 0;
        for (end, at) in told.drain(..) {
            each(bytes.get(start..end).unwrap_or_default(), at);
            start = end;
        }
        bytes.clear();
        *to_everyone = 0;
    }
}
