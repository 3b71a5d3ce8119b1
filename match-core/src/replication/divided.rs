//! A divided match: its grid, the rows that everyone sees, and the frames made of both.

use bytes::{Bytes, BytesMut};
use tickwire_game::{Interest, Scene};
use tickwire_protocol::codec::{BoundedBytesRef, encode_into};
use tickwire_protocol::messages::{EventRef, ServerMessageRef};
use tickwire_protocol::{PlayerId, Schema, Snapshot, Tick};

use super::grid::Grid;
use super::survey::Survey;
use super::view::{Budget, Desk, DividedView};
use super::whole::Whole;

/// Events with a place may take this part of a frame's budget.
const PLACED_SHARE: usize = 4;

/// The tick's events that have a place.
#[derive(Default)]
struct Nearby {
    /// Encoded, one after another.
    events: Vec<u8>,
    /// The cell of each, and where it ends.
    places: Vec<([i32; 2], usize)>,
    /// Whom they concern, rising, and which of them do.
    concerned: Vec<(PlayerId, usize)>,
    /// What is told of them in each cell, as far as the budget reaches, made when the first viewer
    /// there is told: a part of `heard`.
    heard_in: Vec<Option<(usize, usize)>>,
    heard: Vec<u8>,
}

pub(super) struct Divided {
    grid: Grid,
    /// The rows that are in everyone's sight.
    everywhere: Whole,
    desk: Desk,
    nearby: Nearby,
    survey: Survey,
    frame: Vec<u8>,
    buffer: BytesMut,
    hash_every: u32,
}

impl Divided {
    pub(super) fn new(schema: &Schema, interest: Interest, hash_every: u32) -> Self {
        Self {
            grid: Grid::new(schema, interest),
            everywhere: Whole::new(schema, 0),
            desk: Desk::new(schema, hash_every > 0),
            nearby: Nearby::default(),
            survey: Survey::default(),
            frame: Vec::new(),
            buffer: BytesMut::new(),
            hash_every,
        }
    }

    pub(super) fn has_overflowed(&self) -> bool {
        self.desk.encoder.has_overflowed()
    }

    /// Divides `view`, the newest whole snapshot.
    pub(super) fn advance<'a>(&mut self, view: &Snapshot, placed: impl Iterator<Item = (&'a [u8], Scene)>) {
        let Self { grid, everywhere, .. } = self;
        everywhere.advance(view.tick, |everywhere| grid.advance(view, everywhere));
        self.desk.begin();
        self.nearby.replace(&self.grid, placed);
    }

    pub(super) fn sweep(&mut self) {
        self.everywhere.sweep();
        if let Some(now) = self.everywhere.tick() {
            self.grid.sweep(now);
        }
    }

    pub(super) fn forget(&mut self, player: PlayerId) {
        self.grid.forget(player);
    }

    /// The client is sent nothing this tick.
    pub(super) fn skip(&mut self, baseline: Option<Tick>, view: Option<&DividedView>) {
        if let (Some(now), Some(view)) = (self.everywhere.tick(), view) {
            view.keep(&mut self.grid, now);
        }
        if let Some(baseline) = baseline {
            self.everywhere.keep(baseline);
        }
    }

    /// The frame for `player`, who has `baseline` of what everyone sees and the chunks of `view`:
    /// the tick's events, those for everyone being `events`, then chunks, then what everyone sees.
    /// Without `events` it has none at all.
    pub(super) fn frame(&mut self, player: PlayerId, baseline: &mut Option<Tick>, view: &mut DividedView, events: Option<&Bytes>) -> Bytes {
        let Self { grid, everywhere, desk, frame, .. } = self;
        let Some(now) = everywhere.tick() else { return Bytes::new() };
        let max = grid.interest.bytes_per_tick;
        let ending = everywhere.message(baseline.replace(now), &mut desk.encoder);
        frame.clear();
        if let Some(events) = events {
            frame.extend_from_slice(events);
            if let Some(watcher) = grid.watcher(player) {
                self.nearby.tell(player, watcher.cell, grid, max / PLACED_SHARE, frame);
            }
        }
        let budget = Budget { spent: frame.len() + ending.len(), max };
        view.gather(player, now, grid, desk, budget, frame);
        frame.extend_from_slice(&ending);
        if self.hash_every > 0 && now.0.is_multiple_of(self.hash_every) {
            let whole = everywhere.newest().map_or(0, Snapshot::hash);
            encode_into(&ServerMessageRef::ChunksCheck { hash: view.hash(whole) }, frame);
        }
        // One allocation serves many frames, and is used again when they have been sent.
        self.buffer.extend_from_slice(frame);
        self.buffer.split().freeze()
    }

    /// All of `view`, the newest snapshot, that `player` has in sight.
    pub(super) fn see(&mut self, view: &Snapshot, player: PlayerId, out: &mut Snapshot) {
        self.survey.see(&self.grid, view, player, out);
    }
}

impl Nearby {
    fn replace<'a>(&mut self, grid: &Grid, placed: impl Iterator<Item = (&'a [u8], Scene)>) {
        let Self { events, places, concerned, heard_in, heard } = self;
        events.clear();
        places.clear();
        concerned.clear();
        heard.clear();
        heard_in.clear();
        heard_in.resize(grid.cell_count(), None);
        for (bytes, at) in placed {
            if let Some(bytes) = BoundedBytesRef::new(bytes) {
                encode_into(&ServerMessageRef::Event(EventRef::Game(bytes)), events);
                concerned.extend(at.concerns.into_iter().flatten().map(|player| (player, places.len())));
                places.push((grid.cell_at(at.place), events.len()));
            }
        }
        concerned.sort_unstable();
        concerned.dedup();
    }

    /// Appends what `player`, who looks from `cell`, is told, as far as `room` reaches: what
    /// concerns them, then what is in sight.
    fn tell(&mut self, player: PlayerId, cell: [i32; 2], grid: &Grid, room: usize, frame: &mut Vec<u8>) {
        let first = self.concerned.partition_point(|(other, _)| *other < player);
        let count = self.concerned.get(first..).unwrap_or_default().iter().take_while(|(other, _)| *other == player).count();
        let own = self.concerned.get(first..first + count).unwrap_or_default();
        if own.is_empty() {
            frame.extend_from_slice(self.heard_in(grid, cell, room));
            return;
        }
        // Few are concerned in one tick: what they are told is put together for them alone.
        let end = frame.len() + room;
        let is_own = |index: usize| own.iter().any(|(_, concerning)| *concerning == index);
        let in_sight = (0..self.places.len()).filter(|index| !is_own(*index) && self.is_in_sight(*index, cell, grid));
        for index in own.iter().map(|(_, index)| *index).chain(in_sight) {
            let event = self.event(index);
            if frame.len() + event.len() <= end {
                frame.extend_from_slice(event);
            }
        }
    }

    fn event(&self, index: usize) -> &[u8] {
        let ends = |index: usize| self.places.get(index).map_or(0, |(_, end)| *end);
        self.events.get(index.checked_sub(1).map_or(0, ends)..ends(index)).unwrap_or_default()
    }

    fn is_in_sight(&self, index: usize, cell: [i32; 2], grid: &Grid) -> bool {
        self.places.get(index).is_some_and(|(at, _)| grid.is_in_sight([at[0] - cell[0], at[1] - cell[1]]))
    }

    /// The events in sight from `cell`, as far as `room` reaches.
    fn heard_in(&mut self, grid: &Grid, cell: [i32; 2], mut room: usize) -> &[u8] {
        let known = self.heard_in.get(grid.cell_index(cell)).copied().flatten();
        let (start, end) = known.unwrap_or_else(|| {
            let mut heard = std::mem::take(&mut self.heard);
            let begin = heard.len();
            for index in (0..self.places.len()).filter(|index| self.is_in_sight(*index, cell, grid)) {
                let event = self.event(index);
                if event.len() <= room {
                    room -= event.len();
                    heard.extend_from_slice(event);
                }
            }
            let part = (begin, heard.len());
            self.heard = heard;
            part
        });
        if let Some(known) = self.heard_in.get_mut(grid.cell_index(cell)) {
            *known = Some((start, end));
        }
        self.heard.get(start..end).unwrap_or_default()
    }
}
