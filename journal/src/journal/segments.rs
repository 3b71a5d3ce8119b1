//! The segments of one journal, and what in them is needed.

use std::collections::VecDeque;

use super::streams::Home;
use crate::format::HEADER;

#[derive(Debug, Default)]
pub(super) struct Segments {
    /// In order. The last is written to, if anything is.
    list: VecDeque<Segment>,
    next: u64,
    /// Bytes of all live streams' newest checkpoints.
    live_bytes: u64,
}

#[derive(Debug)]
pub(super) struct Segment {
    pub(super) sequence: u64,
    /// What its records' checksums begin with.
    pub(super) seed: u32,
    pub(super) bytes: u64,
    /// Streams whose newest checkpoint is here.
    pub(super) live_count: usize,
    /// Ended streams whose tombstone is here.
    pub(super) ended_count: usize,
    /// What had been written when it was the oldest and nothing in it was needed any more. It goes
    /// when this is synced.
    pub(super) free_at: Option<u64>,
}

impl Segments {
    pub(super) fn next_sequence(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn begin(&mut self, sequence: u64, seed: u32) {
        self.list.push_back(Segment { sequence, seed, bytes: HEADER as u64, live_count: 0, ended_count: 0, free_at: None });
    }

    pub(super) fn newest(&self) -> Option<&Segment> {
        self.list.back()
    }

    /// The oldest, if it is not the newest too.
    pub(super) fn oldest(&mut self) -> Option<&mut Segment> {
        if self.list.len() > 1 { self.list.front_mut() } else { None }
    }

    pub(super) fn remove_oldest(&mut self) {
        self.list.pop_front();
    }

    /// The newest has this many bytes more.
    pub(super) fn grow(&mut self, bytes: usize) {
        if let Some(newest) = self.list.back_mut() {
            newest.bytes += bytes as u64;
        }
    }

    /// A stream's newest checkpoint or end is here now.
    pub(super) fn moved(&mut self, from: Option<Home>, to: Home) {
        if let Some(from) = from {
            *self.count(from) -= 1;
            self.live_bytes -= from.live_bytes();
        }
        *self.count(to) += 1;
        self.live_bytes += to.live_bytes();
    }

    /// Forgets the newest if nothing was written to it.
    pub(super) fn drop_if_empty(&mut self) -> Option<u64> {
        let empty = self.list.pop_back_if(|newest| newest.bytes == HEADER as u64);
        empty.map(|segment| segment.sequence)
    }

    /// What was counted as written may not be there.
    pub(super) fn unfree(&mut self) {
        self.list.iter_mut().for_each(|segment| segment.free_at = None);
    }

    pub(super) fn bytes(&self) -> u64 {
        self.list.iter().map(|segment| segment.bytes).sum()
    }

    pub(super) fn ended_count(&self) -> usize {
        self.list.iter().map(|segment| segment.ended_count).sum()
    }

    pub(super) fn live_bytes(&self) -> u64 {
        self.live_bytes
    }

    fn count(&mut self, home: Home) -> &mut usize {
        // A segment is there as long as one of its counts is not 0.
        let place = self.list.partition_point(|segment| segment.sequence < home.segment);
        let segment = &mut self.list[place];
        if home.is_end { &mut segment.ended_count } else { &mut segment.live_count }
    }
}
