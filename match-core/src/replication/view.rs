//! What one client has of a divided match, and what it is sent next.
//!
//! A client has up to 256 slots. The server remembers of each which chunk is in it and which version
//! of that chunk the client has. [`DividedView::gather`] makes one frame:
//!
//! 1. `look`: finds the slots of the chunks in sight. A chunk that has none gets a free one, or the
//!    slot of something out of sight, or that of a chunk farther away.
//! 2. `list_due`: a slot is *fixed* if its chunk must be in every frame (the viewer's own), and *due*
//!    if its chunk has a newer version and this is a tick to send it in.
//! 3. `choose`: the fixed ones go first. If all that is due fits into the budget, all of it goes, and
//!    nothing is sorted. Else:
//!
//! ```text
//!  |<------------------------------- budget.max -------------------------------->|
//!  | fixed | longest waiter | out of sight: dropped | half: nearest | longest waiters |
//! ```
//!
//! 4. `keep`: tells the chunks which versions this client still has, so that they keep them.
//!
//! Urgency is `waited`: it grows each tick by 8 where the viewer is, and by less farther away, until
//! the slot is sent.
//!
//! Invariants: a slot's chunk and version are what the client has in it, because what is sent
//! arrives; a frame stays within the budget but for the least it can be; of what waits, the one that
//! waited longest for its nearness goes first.

use std::cmp::Reverse;
use std::ops::Range;

use tickwire_protocol::hash::ChunksHash;
use tickwire_protocol::limits::CHUNK_SLOTS_MAX;
use tickwire_protocol::messages::chunks::{self, GONE_NEWS};
use tickwire_protocol::{PlayerId, Schema, Tick};

use super::encoder::Encoder;
use super::grid::{Grid, NONE, Sight, Watcher};

/// How many chunks that do not fit into the rest of the budget are passed over before a frame is
/// closed.
const MISFITS_MAX: usize = 2;
/// How long the client keeps a chunk that was divided, while its parts have not all been sent: else
/// rows would vanish for some ticks. A measure of `waited`, so ticks.
const ORPHAN_TICKS: u32 = 8;
/// What a chunk's `waited` gains a tick where the viewer is. It halves with each quarter of a cell
/// farther away, three times.
const WEIGHT_MAX: u32 = 8;
/// In `slot_of`: the view at hand has no slot for the node.
const NO_SLOT: u16 = u16::MAX;
/// In `distance`: the slot's chunk is out of sight.
const UNSEEN: i32 = -1;
/// In place of where the news are: the slot is emptied.
const GONE: Range<usize> = usize::MAX..usize::MAX;
/// Bytes of a slot's number, in front of what is sent of its chunk.
const SLOT_BYTES: usize = 1;
/// Most bytes of a Chunks message's head: its number, the tick, and how many parts it has.
const HEAD_BYTES: usize = 1 + 5 + 3;

/// What one client has, slot by slot.
#[derive(Debug, Default)]
pub(super) struct DividedView {
    slots: Vec<Slot>,
    /// The client may have something in any slot, and has to empty them first.
    is_unknown: bool,
}

/// One of a client's slots.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The chunk it is for; [`NONE`] if it is for none.
    node: u32,
    generation: u32,
    /// The version of the chunk that the client has.
    since: Option<Tick>,
    /// How urgent the slot is: grows in each tick in which it is due and not sent, and is 0 once it is
    /// sent.
    waited: u32,
    /// `Some` if the client has rows in the slot, even rows of a chunk that is gone; with their hash if
    /// hashes are sent, else 0.
    filled: Option<u64>,
}

const EMPTY: Slot = Slot { node: NONE, generation: 0, since: None, waited: 0, filled: None };

/// Most bytes of memory that one client's slots take.
pub(super) const VIEW_BYTES_MAX: usize = CHUNK_SLOTS_MAX * 40;
const _: () = assert!(size_of::<Slot>() * CHUNK_SLOTS_MAX <= VIEW_BYTES_MAX);

/// Working memory that all views of a match share, one after the other.
pub(super) struct Desk {
    pub(super) encoder: Encoder,
    /// What is sent of chunks in this tick, encoded, each delta once.
    news: Vec<u8>,
    /// Whether views will be asked for hashes.
    hashes: bool,
    /// Chunks in sight of the view at hand.
    sights: Vec<Sight>,
    /// The slot of each node, of the view at hand; [`NO_SLOT`] for most, and for all between views.
    slot_of: Vec<u16>,
    /// How far away what is in each slot is, of the view at hand; [`UNSEEN`] if it is out of sight.
    distance: Vec<i32>,
    /// Slots that are due, in no order.
    due: Vec<u8>,
    /// Filled from `due` if there is no room for all: the slots, the most urgent first.
    waiting: Vec<(Reverse<u32>, u8)>,
    /// Filled from `due` if there is no room for all: the slots, the nearest first.
    nearest: Vec<(i32, u8)>,
    /// Slots whose news must be in this frame.
    fixed: Vec<u8>,
    /// The frame so far: slots, and where in `news` their part is.
    chosen: Vec<(u8, Range<usize>)>,
}

/// In which order due slots are sent when there is no room for all.
#[derive(Clone, Copy, Debug)]
enum SendOrder {
    Nearest,
    Waiting,
}

/// What a frame may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    /// Bytes that are spent already.
    pub(super) spent: usize,
    /// Bytes that may be spent in all.
    pub(super) max: usize,
}

impl Desk {
    /// For snapshots of `schema`. `hashes` says whether views will be asked for theirs.
    pub(super) fn new(schema: &Schema, hashes: bool) -> Self {
        Self {
            encoder: Encoder::new(schema),
            news: Vec::new(),
            hashes,
            sights: Vec::new(),
            slot_of: Vec::new(),
            distance: Vec::new(),
            due: Vec::new(),
            waiting: Vec::new(),
            nearest: Vec::new(),
            fixed: Vec::new(),
            chosen: Vec::new(),
        }
    }

    /// Begins a tick: what was encoded for the tick before is forgotten.
    pub(super) fn begin(&mut self) {
        self.news.clear();
    }
}

impl DividedView {
    /// Of a client that may have anything in its slots.
    pub(super) fn unknown() -> Self {
        Self { is_unknown: true, ..Self::default() }
    }

    /// Appends a Chunks message with what `player` is sent at `now`, if there is anything.
    pub(super) fn gather(&mut self, player: PlayerId, now: Tick, grid: &mut Grid, desk: &mut Desk, budget: Budget, out: &mut Vec<u8>) {
        grid.sights(player, &mut desk.sights);
        let watcher = grid.watcher(player).copied();
        let begin = out.len();
        if std::mem::take(&mut self.is_unknown) {
            chunks::put_reset(now, out);
        }
        self.look(grid, desk, watcher.as_ref());
        self.list_due(grid, desk, now);
        self.choose(grid, desk, Budget { spent: budget.spent + (out.len() - begin) + HEAD_BYTES, ..budget });
        self.keep(grid, now);
        if !desk.chosen.is_empty() {
            let news = &desk.news;
            let parts = desk.chosen.iter().map(|(slot, range)| {
                debug_assert!(*range == GONE || range.end <= news.len(), "the news of slot {slot} are not on the desk");
                (*slot, news.get(range.clone()).unwrap_or(&GONE_NEWS))
            });
            chunks::put_chunks(now, parts, out);
        }
    }

    /// Holds the versions that the client has, for a tick in which it is sent nothing or not all.
    pub(super) fn keep(&self, grid: &mut Grid, now: Tick) {
        for slot in &self.slots {
            if let (Some(since), Some(brief)) = (slot.since, grid.brief(slot.node))
                && brief.generation == slot.generation
                && brief.since != slot.since
                && let Some(node) = grid.nodes.get_mut(slot.node as usize)
            {
                node.chunk.keep(since, now);
            }
        }
    }

    /// Hash of what the client has, `whole` being that of the snapshot outside of chunks.
    pub(super) fn hash(&self, whole: u64) -> u64 {
        let mut hash = ChunksHash::new(whole);
        for (index, slot) in (0u8..=u8::MAX).zip(&self.slots) {
            if let Some(chunk) = slot.filled {
                hash.slot(index, chunk);
            }
        }
        hash.finish()
    }

    /// Finds the slots of the chunks in sight, and gives slots to those that have none.
    fn look(&mut self, grid: &Grid, desk: &mut Desk, watcher: Option<&Watcher>) {
        let Desk { sights, slot_of, distance, .. } = desk;
        slot_of.resize(grid.count(), NO_SLOT);
        distance.clear();
        distance.resize(self.slots.len(), UNSEEN);
        for (index, slot) in (0u8..=u8::MAX).zip(&self.slots) {
            if grid.brief(slot.node).is_some_and(|brief| brief.generation == slot.generation)
                && let Some(place) = slot_of.get_mut(slot.node as usize)
            {
                *place = u16::from(index);
            }
        }
        let far = |sight: &Sight| {
            let area = grid.brief(sight.node).and_then(|brief| brief.area);
            if sight.every == 0 { 0 } else { area.zip(watcher).map_or(0, |(area, watcher)| area.distance(watcher.at)) }
        };
        let mut are_all_known = true;
        for sight in sights.iter() {
            let slot = slot_of.get(sight.node as usize).map_or(usize::MAX, |slot| usize::from(*slot));
            match distance.get_mut(slot) {
                Some(place) => *place = far(sight),
                None => are_all_known = false,
            }
        }
        if !are_all_known {
            for sight in sights.iter() {
                let Some(brief) = grid.brief(sight.node) else { continue };
                if slot_of.get(sight.node as usize) != Some(&NO_SLOT) {
                    continue;
                }
                let Some(index) = self.claim(distance, far(sight)) else { continue };
                let Some(slot) = self.slots.get_mut(usize::from(index)) else { continue };
                if let Some(before) = slot_of.get_mut(slot.node as usize).filter(|before| **before == u16::from(index)) {
                    *before = NO_SLOT;
                }
                if let Some(place) = slot_of.get_mut(sight.node as usize) {
                    *place = u16::from(index);
                }
                *slot = Slot { node: sight.node, generation: brief.generation, since: None, waited: 0, filled: slot.filled };
            }
        }
    }

    /// A slot for a chunk `far` away: one that nothing is in sight through, or the farthest one's.
    fn claim(&mut self, distance: &mut Vec<i32>, far: i32) -> Option<u8> {
        let unseen = || distance.iter().position(|seen| *seen == UNSEEN);
        let free = self.slots.iter().zip(distance.iter()).position(|(slot, seen)| slot.filled.is_none() && *seen == UNSEEN);
        let index = if let Some(free) = free {
            free
        } else if self.slots.len() < CHUNK_SLOTS_MAX {
            self.slots.push(EMPTY);
            distance.push(UNSEEN);
            self.slots.len() - 1
        } else if let Some(unseen) = unseen() {
            unseen
        } else {
            let (index, farthest) = distance.iter().enumerate().max_by_key(|(_, seen)| **seen)?;
            (*farthest > far).then_some(index)?
        };
        *distance.get_mut(index)? = far;
        Some(index as u8)
    }

    /// Lists what has something to tell: what must be told, and what is due.
    fn list_due(&mut self, grid: &Grid, desk: &mut Desk, now: Tick) {
        let Desk { sights, slot_of, due, fixed, .. } = desk;
        due.clear();
        fixed.clear();
        for sight in &*sights {
            let Some(Ok(index)) = slot_of.get(sight.node as usize).map(|slot| u8::try_from(*slot)) else { continue };
            // Who lost the slot to something nearer is out of sight after all.
            let Some(slot) = self.slots.get_mut(usize::from(index)).filter(|slot| slot.node == sight.node) else { continue };
            let Some(brief) = grid.brief(sight.node) else { continue };
            if slot.since == brief.since {
                slot.waited = 0;
            } else if sight.every == 0 {
                fixed.push(index);
            } else if sight.every == 1
                || slot.waited > 0
                || slot.since.is_none()
                || now.0.wrapping_add(brief.stagger).is_multiple_of(u32::from(sight.every))
            {
                due.push(index);
            }
        }
        for node in sights.iter().map(|sight| sight.node).chain(self.slots.iter().map(|slot| slot.node)) {
            if let Some(place) = slot_of.get_mut(node as usize) {
                *place = NO_SLOT;
            }
        }
    }

    /// Fills the frame, as the module says in 3.
    fn choose(&mut self, grid: &mut Grid, desk: &mut Desk, mut budget: Budget) {
        desk.chosen.clear();
        for place in 0..desk.fixed.len() {
            let Some(index) = desk.fixed.get(place).copied() else { break };
            let news = self.news(index, grid, desk);
            budget.spent += self.send(index, news, grid, desk);
        }
        if self.send_all(grid, desk, &mut budget) {
            self.let_go(grid, desk, &mut budget, false);
            return;
        }
        self.queue(grid, desk);
        let has_unsent = desk.due.iter().any(|index| self.slots.get(usize::from(*index)).is_some_and(|slot| slot.since.is_none()));
        // One always goes, whether it fits or not: nothing waits for ever.
        if let Some((_, first)) = sort_next(&mut desk.waiting, 0) {
            let news = self.news(first, grid, desk);
            budget.spent += self.send(first, news, grid, desk);
        }
        self.let_go(grid, desk, &mut budget, has_unsent);
        // Half of what is left is for what is nearest, so that it is as new as can be; the rest for what has waited longest.
        let half = Budget { max: budget.spent.midpoint(budget.max.max(budget.spent)), ..budget };
        budget.spent = self.send_while_it_fits(SendOrder::Nearest, grid, desk, half);
        self.send_while_it_fits(SendOrder::Waiting, grid, desk, budget);
    }

    /// Sends everything that is due, if there is room for all of it. Says whether there was.
    fn send_all(&mut self, grid: &mut Grid, desk: &mut Desk, budget: &mut Budget) -> bool {
        let (start, mut spent) = (desk.chosen.len(), budget.spent);
        for place in 0..desk.due.len() {
            let Some(index) = desk.due.get(place).copied() else { break };
            let news = self.news(index, grid, desk);
            spent += SLOT_BYTES + news.len();
            if spent > budget.max {
                desk.chosen.truncate(start);
                return false;
            }
            desk.chosen.push((index, news));
        }
        for (index, _) in desk.chosen.get(start..).unwrap_or_default() {
            if let Some(slot) = self.slots.get_mut(usize::from(*index)) {
                slot.is_sent(grid, desk.hashes);
            }
        }
        budget.spent = spent;
        true
    }

    /// Makes what is due more urgent, and fills `waiting` and `nearest`.
    fn queue(&mut self, grid: &Grid, desk: &mut Desk) {
        let Desk { due, waiting, nearest, distance, .. } = desk;
        waiting.clear();
        nearest.clear();
        for index in &*due {
            let Some(slot) = self.slots.get_mut(usize::from(*index)) else { continue };
            let far = distance.get(usize::from(*index)).copied().unwrap_or(0);
            let quarters_of_a_cell = 4 * far / grid.interest.cell[0].max(1);
            // What has just come into sight is missed more than what is a little old.
            let gain = (WEIGHT_MAX >> quarters_of_a_cell.clamp(0, 3)) * if slot.since.is_none() { 2 } else { 1 };
            slot.waited = slot.waited.saturating_add(gain);
            waiting.push((Reverse(slot.waited), *index));
            nearest.push((far, *index));
        }
    }

    /// Sends what is due in the order of `queue`. Returns the bytes spent then.
    fn send_while_it_fits(&mut self, queue: SendOrder, grid: &mut Grid, desk: &mut Desk, mut budget: Budget) -> usize {
        let mut misfits = 0;
        let count = desk.waiting.len();
        for place in 0..count {
            let next = match queue {
                SendOrder::Nearest => sort_next(&mut desk.nearest, place).map(|(_, index)| index),
                SendOrder::Waiting => sort_next(&mut desk.waiting, place).map(|(_, index)| index),
            };
            let Some(index) = next.filter(|index| self.has_news(*index, grid)) else { continue };
            let news = self.news(index, grid, desk);
            if budget.spent + SLOT_BYTES + news.len() <= budget.max {
                budget.spent += self.send(index, news, grid, desk);
                continue;
            }
            misfits += 1;
            if misfits > MISFITS_MAX {
                break;
            }
        }
        budget.spent
    }

    /// Whether it has not been sent already.
    fn has_news(&self, index: u8, grid: &Grid) -> bool {
        let slot = self.slots.get(usize::from(index));
        slot.is_some_and(|slot| grid.brief(slot.node).is_some_and(|brief| brief.since != slot.since))
    }

    /// Empties the slots of what is out of sight.
    fn let_go(&mut self, grid: &Grid, desk: &mut Desk, budget: &mut Budget, has_unsent: bool) {
        for (index, slot) in (0u8..=u8::MAX).zip(&mut self.slots) {
            if desk.distance.get(usize::from(index)).is_some_and(|seen| *seen != UNSEEN) {
                continue;
            }
            let is_orphan = grid.brief(slot.node).is_some_and(|brief| brief.generation != slot.generation);
            if slot.filled.is_some() && is_orphan && has_unsent && slot.waited < ORPHAN_TICKS {
                slot.waited += 1;
                continue;
            }
            if slot.filled.is_some() {
                if budget.spent + SLOT_BYTES + GONE_NEWS.len() > budget.max {
                    continue;
                }
                budget.spent += SLOT_BYTES + GONE_NEWS.len();
                desk.chosen.push((index, GONE));
            }
            *slot = EMPTY;
        }
    }

    /// Encodes what is new in a slot's chunk, unless another client with the same version had it
    /// encoded in this tick. Returns where in `desk.news` it is.
    fn news(&self, index: u8, grid: &mut Grid, desk: &mut Desk) -> Range<usize> {
        let node = self.slots.get(usize::from(index)).and_then(|slot| Some((slot, grid.nodes.get_mut(slot.node as usize)?)));
        let Some((slot, node)) = node else {
            debug_assert!(false, "slot {index} has something to tell, and no chunk");
            return 0..0;
        };
        node.chunk.news(slot.since, &mut desk.encoder, &mut desk.news)
    }

    /// Puts `news` of a slot into the frame. Returns the bytes that they take there.
    fn send(&mut self, index: u8, news: Range<usize>, grid: &mut Grid, desk: &mut Desk) -> usize {
        let Some(slot) = self.slots.get_mut(usize::from(index)) else { return 0 };
        slot.is_sent(grid, desk.hashes);
        let bytes = SLOT_BYTES + news.len();
        desk.chosen.push((index, news));
        bytes
    }
}

impl Slot {
    /// Notes that the newest version of its chunk is on its way to the client.
    fn is_sent(&mut self, grid: &mut Grid, hashes: bool) {
        self.since = grid.brief(self.node).and_then(|brief| brief.since);
        self.waited = 0;
        let hash = grid.nodes.get_mut(self.node as usize).filter(|_| hashes).map(|node| node.chunk.hash());
        self.filled = Some(hash.unwrap_or(0));
    }
}

/// The item that belongs at `place` of the sorted list. `place` rises by one from call to call, and
/// the list is sorted only as far as that takes: of hundreds that wait in a crowd, a frame has room
/// for a few.
fn sort_next<T: Ord + Copy>(list: &mut [T], place: usize) -> Option<T> {
    const BATCH: usize = 16;
    if place.is_multiple_of(BATCH) {
        let rest = list.get_mut(place..)?;
        if rest.len() > BATCH {
            rest.select_nth_unstable(BATCH);
        }
        let count = rest.len().min(BATCH);
        rest.get_mut(..count)?.sort_unstable();
    }
    list.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_taken_item_by_item_comes_out_sorted() {
        for count in [0, 1, 15, 16, 17, 33, 256] {
            let mut list: Vec<u32> = (0..count).map(|n| n * 7919 % 263).collect();
            let mut sorted = list.clone();
            sorted.sort_unstable();
            let taken: Vec<u32> = (0..list.len()).filter_map(|place| sort_next(&mut list, place)).collect();
            assert_eq!(taken, sorted);
        }
    }
}
