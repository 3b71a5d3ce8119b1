//! World to bytes: the snapshots that clients have as baselines, and the frames made from them.
//!
//! `whole` is how everyone gets everything; `divided`, with `grid`, `chunk` and `view`, is how each gets what is in
//! sight.
//!
//! Invariants: a delta is encoded once per baseline and tick, and every client that has the baseline gets the same bytes; a
//! version is kept only while some client has it; in a divided match a client is sent nothing its player may not see.

mod area;
mod chunk;
mod divided;
mod encoder;
mod grid;
pub(crate) mod pool;
mod survey;
mod versions;
mod view;
mod whole;

use bytes::Bytes;
use tickwire_game::{Interest, Scene};
use tickwire_protocol::{PlayerId, Schema, Snapshot, Tick};

use divided::Divided;
use encoder::Encoder;
use pool::Pool;
use view::DividedView;
use whole::Whole;

/// What one match sends.
///
/// ```
/// use tickwire_match::{Replication, View};
/// use tickwire_protocol::schema::{Columns, MatchState};
/// use tickwire_protocol::{NetId, Replica, Schema, ServerMessage, Tick};
///
/// const SCHEMA: Schema = Schema::new(&[MatchState::TABLE]);
/// let mut replication = Replication::new(&SCHEMA, None, 0);
/// let (mut view, mut client) = (View::new(None), Replica::new(&SCHEMA));
/// for tick in 1..=3 {
///     replication.advance(Tick(tick), Default::default(), std::iter::empty(), |snapshot| {
///         snapshot.tick = Tick(tick);
///         if let Some(table) = snapshot.table_mut(0) {
///             table.clear();
///             table.push(NetId(0), &[2, tick as i32]);
///         }
///     });
///     // A keyframe first, then a delta from what this client was sent last.
///     let frame = if tick == 1 { replication.first_frame(&mut view) } else { replication.frame(&mut view) };
///     let mut rest = &frame[..];
///     while let Some(message) = ServerMessage::decode_next(&mut rest) {
///         client.apply(&message.expect("well formed")).expect("it follows on what the client has");
///     }
///     replication.sweep();
/// }
/// assert_eq!(client.snapshot().map(|snapshot| snapshot.tick), Some(Tick(3)));
/// ```
pub struct Replication {
    /// Whole snapshots: for everyone, or in a divided match for spectators.
    whole: Whole,
    divided: Option<Box<Divided>>,
    encoder: Encoder,
    /// The tick before the newest.
    previous: Option<Tick>,
    /// The tick's events for everyone, encoded; often empty.
    events: Bytes,
    /// Events and delta in one message, for those who have kept up. Made when the first of them comes.
    shared: Option<Bytes>,
    /// What messages with events in front are put together in.
    joined: Pool,
}

/// What one client has, as far as it was sent.
#[derive(Debug)]
pub struct View {
    /// Who it is; `None` for a spectator.
    player: Option<PlayerId>,
    /// The whole snapshot the client has: the baseline of its next delta.
    baseline: Option<Tick>,
    /// Only for a player of a divided match.
    divided: Option<Box<DividedView>>,
}

impl View {
    /// A client that has nothing yet.
    pub fn new(player: Option<PlayerId>) -> Self {
        Self { player, baseline: None, divided: None }
    }

    /// A client that another process sent something of the match, and nobody knows what: its next
    /// frame needs nothing that it has.
    pub fn unknown(player: Option<PlayerId>) -> Self {
        Self { divided: player.map(|_| Box::new(DividedView::unknown())), ..Self::new(player) }
    }
}

impl Replication {
    /// Nothing yet. Every `hash_every`th tick comes with hashes to compare; 0 for never.
    pub fn new(schema: &Schema, interest: Option<Interest>, hash_every: u32) -> Self {
        Self {
            whole: Whole::new(schema, hash_every),
            divided: interest.map(|interest| Box::new(Divided::new(schema, interest, hash_every))),
            encoder: Encoder::new(schema),
            previous: None,
            events: Bytes::new(),
            shared: None,
            joined: Pool::default(),
        }
    }

    /// The newest whole snapshot.
    pub fn newest(&self) -> Option<&Snapshot> {
        self.whole.newest()
    }

    /// Whether players get only what is in sight.
    pub fn is_divided(&self) -> bool {
        self.divided.is_some()
    }

    /// Whether a snapshot was too large for the wire: clients cannot follow the match any further.
    pub fn has_overflowed(&self) -> bool {
        self.encoder.has_overflowed() || self.divided.as_ref().is_some_and(|divided| divided.has_overflowed())
    }

    /// The tick's events that nobody may miss, encoded.
    pub fn events(&self) -> &Bytes {
        &self.events
    }

    /// Makes the snapshot of `tick` with `fill`, which replaces all rows. `events` are for everyone, encoded; `placed` for those
    /// who see their place.
    pub fn advance<'a>(
        &mut self,
        tick: Tick,
        events: Bytes,
        placed: impl Iterator<Item = (&'a [u8], Scene)>,
        fill: impl FnOnce(&mut Snapshot),
    ) {
        self.previous = self.whole.tick();
        self.events = events;
        self.shared = None;
        self.whole.advance(tick, fill);
        if let (Some(divided), Some(view)) = (&mut self.divided, self.whole.newest()) {
            divided.advance(view, placed);
        }
    }

    /// Forgets what no client has any more. Every client's view must have been in [`Replication::frame`] or
    /// [`Replication::skip`] since the tick was made.
    pub fn sweep(&mut self) {
        self.whole.sweep();
        if let Some(divided) = &mut self.divided {
            divided.sweep();
        }
    }

    /// What brings a client up to the newest tick: the tick's events and the way from what it has. It has that then.
    pub fn frame(&mut self, view: &mut View) -> Bytes {
        if let (Some(divided), Some(player)) = (&mut self.divided, view.player) {
            return divided.frame(player, &mut view.baseline, view.divided.get_or_insert_default(), Some(&self.events));
        }
        let baseline = std::mem::replace(&mut view.baseline, self.whole.tick());
        let Self { whole, encoder, events, shared, previous, joined, .. } = self;
        let mut make = || {
            let snapshot = whole.message(baseline, encoder);
            if events.is_empty() { snapshot } else { joined.concat(&[events, &snapshot]) }
        };
        if baseline.is_some() && baseline == *previous { shared.get_or_insert_with(make).clone() } else { make() }
    }

    /// A keyframe of the newest tick for a client that has just come. It has no events, as they
    /// happened before the client came.
    pub fn first_frame(&mut self, view: &mut View) -> Bytes {
        if let (Some(divided), Some(player)) = (&mut self.divided, view.player) {
            return divided.frame(player, &mut view.baseline, view.divided.get_or_insert_default(), None);
        }
        view.baseline = self.whole.tick();
        self.whole.message(None, &mut self.encoder)
    }

    /// The client is sent nothing this tick; what it has is kept for when it is.
    pub fn skip(&mut self, view: &View) {
        match (&mut self.divided, view.player) {
            (Some(divided), Some(_)) => divided.skip(view.baseline, view.divided.as_deref()),
            _ => {
                if let Some(baseline) = view.baseline {
                    self.whole.keep(baseline);
                }
            }
        }
    }

    /// The player has left the match.
    pub fn forget(&mut self, player: PlayerId) {
        if let Some(divided) = &mut self.divided {
            divided.forget(player);
        }
    }

    /// What `player` sees of the newest tick, all of it as new as can be: for bots. Says whether
    /// there is anything.
    pub fn see(&mut self, player: PlayerId, out: &mut Snapshot) -> bool {
        let Some(newest) = self.whole.newest() else { return false };
        match &mut self.divided {
            Some(divided) => divided.see(newest, player, out),
            None => out.copy_from(newest),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use tickwire_protocol::schema::{Columns, MatchState};
    use tickwire_protocol::{NetId, Replica, ServerMessage};

    use super::*;

    const SCHEMA: Schema = Schema::new(&[MatchState::TABLE]);

    fn advance(replication: &mut Replication, tick: u32) {
        replication.advance(Tick(tick), Bytes::new(), std::iter::empty(), |snapshot| {
            snapshot.tick = Tick(tick);
            if let Some(table) = snapshot.table_mut(0) {
                table.clear();
                table.push(NetId(0), &[2, tick as i32]);
            }
        });
    }

    fn feed(replica: &mut Replica, mut bytes: &[u8]) -> Option<Tick> {
        while let Some(message) = ServerMessage::decode_next(&mut bytes) {
            replica.apply(&message.expect("well formed")).expect("applies");
        }
        replica.snapshot().map(|snapshot| snapshot.tick)
    }

    #[test]
    fn one_who_kept_up_one_who_fell_behind_and_one_who_was_forgotten_all_see_the_newest() {
        let mut replication = Replication::new(&SCHEMA, None, 1);
        let [mut steady, mut slow, mut lost] = std::array::from_fn(|_| (View::new(None), Replica::new(&SCHEMA)));
        advance(&mut replication, 100);
        for (view, replica) in [&mut steady, &mut slow, &mut lost] {
            feed(replica, &replication.first_frame(view));
        }
        for tick in 101..=180 {
            advance(&mut replication, tick);
            assert_eq!(feed(&mut steady.1, &replication.frame(&mut steady.0)), Some(Tick(tick)));
            if tick % 20 == 0 {
                let bytes = replication.frame(&mut slow.0);
                assert!(matches!(ServerMessage::decode_next(&mut &bytes[..]), Some(Ok(ServerMessage::Delta { advance: 20, .. }))));
                assert_eq!(feed(&mut slow.1, &bytes), Some(Tick(tick)));
            } else {
                replication.skip(&slow.0);
            }
            replication.sweep();
            assert!(replication.whole.older_count() <= 1, "only the slow client's baseline is kept");
        }
        let bytes = replication.frame(&mut lost.0);
        assert!(matches!(ServerMessage::decode_next(&mut &bytes[..]), Some(Ok(ServerMessage::Keyframe { .. }))));
        feed(&mut lost.1, &bytes);
        assert_eq!([&slow, &lost].map(|(_, replica)| replica.snapshot()), [steady.1.snapshot(); 2]);
    }

    #[test]
    fn what_is_kept_for_clients_that_fall_behind_is_bounded() {
        let mut replication = Replication::new(&SCHEMA, None, 0);
        let mut views = Vec::new();
        for tick in 1..200 {
            advance(&mut replication, tick);
            views.iter().for_each(|view| replication.skip(view));
            replication.sweep();
            let mut view = View::new(None);
            replication.first_frame(&mut view);
            views.push(view);
        }
        assert_eq!(replication.whole.older_count(), versions::OLDER_MAX);
    }

    #[test]
    fn a_baseline_is_encoded_once_per_tick() {
        let mut replication = Replication::new(&SCHEMA, None, 0);
        advance(&mut replication, 1);
        let [mut ada, mut bob] = [View::new(None), View::new(Some(PlayerId(1)))];
        for view in [&mut ada, &mut bob] {
            replication.first_frame(view);
        }
        advance(&mut replication, 2);
        let (first, second) = (replication.frame(&mut ada), replication.frame(&mut bob));
        assert_eq!(first.as_ptr(), second.as_ptr(), "the same bytes, not equal ones");
    }
}
