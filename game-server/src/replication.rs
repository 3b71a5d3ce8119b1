//! World to bytes: the snapshots that clients have as baselines, and the frames made from them.
//!
//! [`whole`] is how everyone gets everything; [`grid`], [`chunk`] and [`view`] are how each gets what is in sight.
//!
//! Invariants: a delta is encoded once per baseline and tick, and every client that has the baseline gets the same bytes; a
//! version is kept only while some client has it; in a divided match a client is sent nothing its player may not see.

mod area;
mod chunk;
mod encoder;
mod grid;
mod versions;
mod view;
mod whole;

use bytes::{Bytes, BytesMut};
use tickwire_game::{Interest, Told};
use tickwire_protocol::codec::{BoundedBytes, encode_into};
use tickwire_protocol::{Event, NetId, PlayerId, Schema, ServerMessage, Snapshot, Tick};

use encoder::Encoder;
use grid::{Grid, Sight};
use view::{Budget, CellView, Desk};
use whole::Whole;

/// Events with a place may take this part of a frame's budget.
const PLACED_SHARE: usize = 4;

/// What one match sends.
pub struct Replication {
    /// Whole snapshots: for everyone, or in a divided match for spectators.
    whole: Whole,
    cells: Option<Box<Cells>>,
    encoder: Encoder,
    hash_every: u32,
    /// The tick before the newest.
    previous: Option<Tick>,
    /// The tick's events for everyone, encoded; often empty.
    events: Bytes,
    /// Events and delta in one message, for those who have kept up. Made when the first of them comes.
    shared: Option<Bytes>,
}

/// What is particular to a divided match.
struct Cells {
    grid: Grid,
    /// The rows that are in everyone's sight.
    everywhere: Whole,
    desk: Desk,
    /// The tick's events that have a place, encoded, and where each ends.
    placed: Vec<u8>,
    places: Vec<([i32; 2], usize)>,
    sights: Vec<Sight>,
    order: Vec<(NetId, u32, u32)>,
    frame: Vec<u8>,
    buffer: BytesMut,
}

/// What one client has, as far as it was sent.
#[derive(Debug)]
pub struct View {
    /// Who it is; `None` for a spectator.
    player: Option<PlayerId>,
    /// The whole snapshot the client has: the baseline of its next delta.
    baseline: Option<Tick>,
    /// Only for a player of a divided match.
    cells: Option<Box<CellView>>,
}

impl View {
    /// A client that has nothing yet.
    pub fn new(player: Option<PlayerId>) -> Self {
        Self { player, baseline: None, cells: None }
    }
}

impl Replication {
    /// Nothing yet. Every `hash_every`th tick comes with hashes to compare; 0 for never.
    pub fn new(schema: &Schema, interest: Option<Interest>, hash_every: u32) -> Self {
        let cells = interest.map(|interest| {
            Box::new(Cells {
                grid: Grid::new(schema, interest),
                everywhere: Whole::new(schema, 0),
                desk: Desk::default(),
                placed: Vec::new(),
                places: Vec::new(),
                sights: Vec::new(),
                order: Vec::new(),
                frame: Vec::new(),
                buffer: BytesMut::new(),
            })
        });
        Self {
            whole: Whole::new(schema, hash_every),
            cells,
            encoder: Encoder::new(schema),
            hash_every,
            previous: None,
            events: Bytes::new(),
            shared: None,
        }
    }

    /// The newest whole snapshot.
    pub fn newest(&self) -> Option<&Snapshot> {
        self.whole.newest()
    }

    /// Whether players get only what is in sight.
    pub fn is_divided(&self) -> bool {
        self.cells.is_some()
    }

    /// Whether a snapshot was too large for the wire: clients cannot follow the match any further.
    pub fn has_overflowed(&self) -> bool {
        self.encoder.has_overflowed()
    }

    /// The tick's events that nobody may miss, encoded.
    pub fn events(&self) -> &Bytes {
        &self.events
    }

    /// Makes the snapshot of `tick` with `fill`, which replaces all rows. `events` are for everyone, encoded; `placed` for those
    /// who see their place.
    pub fn advance(&mut self, tick: Tick, events: Bytes, placed: impl Iterator<Item = Told>, fill: impl FnOnce(&mut Snapshot)) {
        self.previous = self.whole.tick();
        self.events = events;
        self.shared = None;
        self.whole.advance(tick, fill);
        let (Some(cells), Some(view)) = (&mut self.cells, self.whole.newest()) else { return };
        cells.everywhere.advance(tick, |everywhere| cells.grid.advance(view, everywhere));
        cells.desk.news.clear();
        cells.note(placed);
    }

    /// Forgets what no client has any more. Every client's view must have been in [`Replication::frame`] or
    /// [`Replication::skip`] since the tick was made.
    pub fn sweep(&mut self) {
        self.whole.sweep();
        if let Some(cells) = &mut self.cells
            && let Some(now) = cells.everywhere.tick()
        {
            cells.everywhere.sweep();
            cells.grid.sweep(now);
        }
    }

    /// What brings a client up to the newest tick: the tick's events and the way from what it has. It has that then.
    pub fn frame(&mut self, view: &mut View) -> Bytes {
        if self.cells.is_some() && view.player.is_some() {
            return self.frame_of_cells(view, true);
        }
        let baseline = std::mem::replace(&mut view.baseline, self.whole.tick());
        let Self { whole, encoder, events, shared, previous, .. } = self;
        let mut make = || {
            let snapshot = whole.message(baseline, encoder);
            if events.is_empty() { snapshot } else { [events.as_ref(), &snapshot].concat().into() }
        };
        if baseline.is_some() && baseline == *previous { shared.get_or_insert_with(make).clone() } else { make() }
    }

    /// The same for a client that has just come: no events, as they happened before it came.
    pub fn first_frame(&mut self, view: &mut View) -> Bytes {
        if self.cells.is_some() && view.player.is_some() {
            return self.frame_of_cells(view, false);
        }
        view.baseline = self.whole.tick();
        self.whole.message(None, &mut self.encoder)
    }

    /// The client is sent nothing this tick; what it has is kept for when it is.
    pub fn skip(&mut self, view: &View) {
        match (&mut self.cells, view.player) {
            (Some(cells), Some(_)) => {
                if let (Some(now), Some(slots)) = (cells.everywhere.tick(), &view.cells) {
                    slots.keep(&mut cells.grid, now);
                }
                if let Some(baseline) = view.baseline {
                    cells.everywhere.keep(baseline);
                }
            }
            _ => {
                if let Some(baseline) = view.baseline {
                    self.whole.keep(baseline);
                }
            }
        }
    }

    /// The player has left the match.
    pub fn forget(&mut self, player: PlayerId) {
        if let Some(cells) = &mut self.cells {
            cells.grid.forget(player);
        }
    }

    /// What `player` sees of the newest tick, all of it as new as can be: for bots. Says whether there is anything.
    pub fn see(&mut self, player: PlayerId, out: &mut Snapshot) -> bool {
        let Some(cells) = &mut self.cells else {
            let newest = self.whole.newest();
            newest.into_iter().for_each(|newest| out.copy_from(newest));
            return self.whole.newest().is_some();
        };
        cells.see(player, out)
    }

    fn frame_of_cells(&mut self, view: &mut View, with_events: bool) -> Bytes {
        let (Some(cells), Some(player)) = (&mut self.cells, view.player) else { return Bytes::new() };
        let Some(now) = cells.everywhere.tick() else { return Bytes::new() };
        let Cells { grid, everywhere, desk, frame, buffer, placed, places, .. } = cells.as_mut();
        let ending = everywhere.message(view.baseline, &mut self.encoder);
        let budget = grid.interest.bytes_per_tick;
        frame.clear();
        if with_events {
            frame.extend_from_slice(&self.events);
            tell_nearby(grid, player, (placed, places), budget / PLACED_SHARE, frame);
        }
        let slots = view.cells.get_or_insert_default();
        let spent = Budget { spent: frame.len() + ending.len(), max: budget };
        let hashes = self.hash_every > 0;
        slots.gather(player, now, (grid, desk, &mut self.encoder), spent, hashes, frame);
        frame.extend_from_slice(&ending);
        if hashes && now.0.is_multiple_of(self.hash_every) {
            let whole = everywhere.newest().map_or(0, Snapshot::hash);
            encode_into(&ServerMessage::CellsCheck { hash: slots.hash(whole) }, frame);
        }
        view.baseline = Some(now);
        buffer.extend_from_slice(frame);
        buffer.split().freeze()
    }
}

impl Cells {
    fn note(&mut self, placed: impl Iterator<Item = Told>) {
        self.placed.clear();
        self.places.clear();
        for Told { bytes, at } in placed {
            if let (Some(at), Some(bytes)) = (at, BoundedBytes::new(bytes)) {
                encode_into(&ServerMessage::Event(Event::Game(bytes)), &mut self.placed);
                self.places.push((at, self.placed.len()));
            }
        }
    }

    fn see(&mut self, player: PlayerId, out: &mut Snapshot) -> bool {
        let Self { grid, everywhere, sights, order, .. } = self;
        let Some(whole) = everywhere.newest() else { return false };
        grid.sights(player, sights);
        out.tick = whole.tick;
        let seen = |sight: u32| sights.get(sight as usize).and_then(|sight| grid.nodes.get(sight.node as usize)?.chunk.newest());
        for index in 0..whole.tables().len() {
            order.clear();
            for sight in 0..=sights.len() as u32 {
                let source = if sight as usize == sights.len() { Some(whole) } else { seen(sight) };
                let ids = source.and_then(|source| source.table(index)).map_or(&[][..], |table| table.ids());
                order.extend((0u32..).zip(ids).map(|(row, id)| (*id, sight, row)));
            }
            order.sort_unstable();
            let Some(table) = out.table_mut(index) else { continue };
            table.clear();
            for (_, sight, row) in order.iter() {
                if let Some(source) = seen(*sight).unwrap_or(whole).table(index) {
                    table.push_from(source, *row as usize);
                }
            }
        }
        true
    }
}

/// Appends the events whose place `player` has in sight, as far as `room` reaches.
fn tell_nearby(grid: &Grid, player: PlayerId, (placed, places): (&[u8], &[([i32; 2], usize)]), mut room: usize, out: &mut Vec<u8>) {
    let Some(watcher) = grid.watcher(player) else { return };
    let mut start = 0;
    for (at, end) in places {
        let event = placed.get(start..*end).unwrap_or_default();
        start = *end;
        if event.len() <= room && grid.is_in_sight(watcher, *at) {
            room -= event.len();
            out.extend_from_slice(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use tickwire_protocol::Replica;
    use tickwire_protocol::schema::{Columns, MatchState};

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
        [&mut ada, &mut bob].map(|view| replication.first_frame(view));
        advance(&mut replication, 2);
        let (first, second) = (replication.frame(&mut ada), replication.frame(&mut bob));
        assert_eq!(first.as_ptr(), second.as_ptr(), "the same bytes, not equal ones");
    }
}
