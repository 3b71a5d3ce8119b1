//! The streams of one journal, and what of them is on disk.

use std::collections::BTreeMap;

use crate::key::StreamKey;
use crate::limits::STREAMS_MAX;

#[derive(Debug, Default)]
pub(super) struct Streams {
    entries: BTreeMap<StreamKey, Entry>,
    /// How many streams need a checkpoint before all is durable again.
    owed: usize,
    /// Whether one found no room.
    has_refused: bool,
}

#[derive(Debug)]
struct Entry {
    /// The sequence number of the next record. A number is given out once.
    next: u64,
    /// Records since the newest checkpoint.
    since: u64,
    has_ended: bool,
    /// Its checkpoint on disk cannot be read back.
    is_unreadable: bool,
    /// Whether a record, checkpoint or end of the stream may be on disk, so that its end must be
    /// written.
    may_be_on_disk: bool,
    standing: Standing,
    /// Where the newest checkpoint, or the end, is on disk.
    home: Option<Home>,
}

/// What the disk has of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// All but what is in the buffer.
    Kept,
    /// All but what is in the buffer, and a checkpoint or end is in the buffer.
    Renewed,
    /// Not all: something was dropped. Records are of no use until there is a checkpoint.
    Dropped,
    /// Not all, and what makes up for it is in the buffer.
    Mended,
}

impl Standing {
    fn is_owed(self) -> bool {
        matches!(self, Self::Dropped | Self::Mended)
    }

    fn is_pending(self) -> bool {
        matches!(self, Self::Renewed | Self::Mended)
    }
}

/// Where a checkpoint or an end is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Home {
    pub(super) segment: u64,
    pub(super) at: u64,
    /// Bytes of the whole record, header included.
    pub(super) length: usize,
    pub(super) is_end: bool,
}

impl Home {
    pub(super) fn live_bytes(self) -> u64 {
        if self.is_end { 0 } else { self.length as u64 }
    }
}

/// A record that comes after one that was dropped.
#[derive(Debug)]
pub(super) struct Gap;

impl Streams {
    pub(super) fn has(&self, key: StreamKey) -> bool {
        self.entries.contains_key(&key)
    }

    /// Whether there is no room for this one.
    pub(super) fn is_refused(&mut self, key: StreamKey) -> bool {
        let is_refused = !self.has(key) && self.entries.len() >= STREAMS_MAX;
        self.has_refused |= is_refused;
        is_refused
    }

    /// Whether one was refused, and there is still no room.
    pub(super) fn has_refused(&mut self) -> bool {
        self.has_refused &= self.entries.len() >= STREAMS_MAX;
        self.has_refused
    }

    /// How many streams the disk does not have as they came to be.
    pub(super) fn owed(&self) -> usize {
        self.owed
    }

    /// The next record's sequence number; `None` for a stream that is not there.
    pub(super) fn append(&mut self, key: StreamKey) -> Option<Result<u64, Gap>> {
        let entry = self.entries.get_mut(&key).filter(|entry| !entry.has_ended)?;
        let sequence = entry.next;
        entry.next += 1;
        entry.since += 1;
        Some(if entry.standing == Standing::Dropped { Err(Gap) } else { Ok(sequence) })
    }

    /// The sequence number of the record that follows a new checkpoint.
    pub(super) fn checkpoint(&mut self, key: StreamKey) -> u64 {
        let entry = self.entry(key);
        entry.has_ended = false;
        entry.since = 0;
        entry.next
    }

    /// The sequence number of the tombstone; `None` if none is needed.
    pub(super) fn end(&mut self, key: StreamKey, is_alone: bool) -> Option<u64> {
        let is_on_disk = match self.entries.get(&key) {
            Some(entry) if entry.has_ended => return None,
            entry => !is_alone || entry.is_some_and(|entry| entry.may_be_on_disk),
        };
        if !is_on_disk {
            self.owed -= usize::from(self.entries.remove(&key).is_some_and(|entry| entry.standing.is_owed()));
            return None;
        }
        let entry = self.entry(key);
        entry.has_ended = true;
        entry.next += 1;
        Some(entry.next)
    }

    /// Its checkpoint or end is in the buffer.
    pub(super) fn is_put(&mut self, key: StreamKey) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.standing = if entry.standing.is_owed() { Standing::Mended } else { Standing::Renewed };
            entry.is_unreadable = false;
            entry.may_be_on_disk = true;
        }
    }

    /// Something of it was dropped.
    pub(super) fn is_dropped(&mut self, key: StreamKey) {
        if let Some(entry) = self.entries.get_mut(&key) {
            self.owed += usize::from(!entry.standing.is_owed());
            entry.standing = Standing::Dropped;
        }
    }

    /// What is in the buffer is dropped, and what is on disk is not to be relied on.
    pub(super) fn are_dropped(&mut self) {
        self.owed = self.entries.len();
        self.entries.values_mut().for_each(|entry| entry.standing = Standing::Dropped);
    }

    /// Its checkpoint or end is on disk now. Says where the one before is.
    pub(super) fn is_written(&mut self, key: StreamKey, home: Home) -> Option<Home> {
        let entry = self.entries.get_mut(&key)?;
        // If something was dropped after it, there is still a gap.
        if entry.standing.is_pending() {
            self.owed -= usize::from(entry.standing.is_owed());
            entry.standing = Standing::Kept;
        }
        entry.home.replace(home)
    }

    /// The ends that were dropped, with their sequence numbers.
    pub(super) fn dropped_ends(&self) -> Vec<(StreamKey, u64)> {
        let ends = self.entries.iter().filter(|(_, entry)| entry.has_ended && entry.standing.is_owed());
        ends.map(|(key, entry)| (*key, entry.next)).collect()
    }

    pub(super) fn wants_checkpoint(&self, key: StreamKey, crowded: Option<u64>) -> bool {
        let Some(entry) = self.entries.get(&key) else { return true };
        let is_in_the_way = crowded.is_some() && !entry.standing.is_pending() && entry.home.map(|home| home.segment) == crowded;
        !entry.has_ended && (entry.standing == Standing::Dropped || entry.is_unreadable || is_in_the_way && entry.since > 0)
    }

    /// Of the streams whose checkpoint is in this segment, at most `limit` that need only be
    /// copied: where they are, and the sequence number of the record that follows. Those that have
    /// ended only if their `tombstones` are needed.
    pub(super) fn copyable(&self, segment: u64, limit: usize, tombstones: bool) -> Vec<(StreamKey, Home, u64)> {
        let copyable = self.entries.iter().filter_map(|(key, entry)| {
            let home = entry.home.filter(|home| home.segment == segment)?;
            let is_whole = entry.standing == Standing::Kept && !entry.is_unreadable;
            let is_needed = if entry.has_ended { tombstones } else { entry.since == 0 };
            (is_whole && is_needed).then_some((*key, home, entry.next))
        });
        copyable.take(limit).collect()
    }

    pub(super) fn is_unreadable(&mut self, key: StreamKey) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.is_unreadable = true;
        }
    }

    /// A segment is gone, and with it the tombstones in it.
    pub(super) fn forget_ended(&mut self, segment: u64) {
        self.entries.retain(|_, entry| {
            let is_gone = entry.home.is_some_and(|home| home.segment == segment);
            if is_gone {
                entry.home = None;
            }
            !(is_gone && entry.has_ended && entry.standing == Standing::Kept)
        });
    }

    fn entry(&mut self, key: StreamKey) -> &mut Entry {
        self.entries.entry(key).or_insert_with(|| {
            // Until it is written.
            self.owed += 1;
            Entry {
                next: 0,
                since: 0,
                has_ended: false,
                is_unreadable: false,
                may_be_on_disk: false,
                standing: Standing::Dropped,
                home: None,
            }
        })
    }
}
