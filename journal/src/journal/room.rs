//! Makes room on disk: carries what is needed out of the oldest segment, and deletes it.

use std::io;

use super::Journal;
use crate::files::Files;
use crate::format::{self, Kind};
use crate::key::StreamKey;
use crate::limits::STREAMS_MAX;

use super::streams::Home;

impl<F: Files> Journal<F> {
    /// Looks after the disk; call it about four times a second. It tries to write again after
    /// trouble, with growing pauses of at most 64 calls. Where much of what is on disk or in memory
    /// is of no use any more, it copies at most `limit` checkpoints without records since out of
    /// the oldest segment. It deletes segments of which nothing is needed, the oldest first.
    ///
    /// What it copies is written with the next [`Journal::commit`].
    pub fn tidy(&mut self, limit: usize) {
        match &mut self.trouble {
            Some(trouble) if self.file.is_none() && trouble.wait > 0 => trouble.wait -= 1,
            _ if self.file.is_none() => self.begin_segment(),
            // What is on disk may not be what it was counted as.
            _ if self.streams.owed() > 0 => {}
            _ => {
                self.carry(limit);
                self.remove();
            }
        }
    }

    fn carry(&mut self, limit: usize) {
        // As much again as is needed, and two segments: so each byte is copied about once.
        let is_large = self.segments.bytes() > 2 * (self.segments.live_bytes() + self.options.segment_bytes);
        let is_crowded = is_large || self.segments.ended_count() > STREAMS_MAX / 4;
        let oldest = self.segments.oldest().filter(|_| is_crowded).map(|segment| (segment.sequence, segment.seed));
        self.crowded = oldest.map(|(sequence, _)| sequence);
        let Some((segment, seed)) = oldest else { return };
        // An older epoch may have of an ended stream what its tombstone hides.
        let copyable = self.streams.copyable(segment, limit, !self.epoch.is_alone());
        let mut bytes = Vec::new();
        for (key, home, sequence) in copyable {
            match self.copy(key, home, sequence, seed, &mut bytes) {
                Ok(()) => {}
                // There is one in memory, which its owner can give.
                Err(_) => self.streams.is_unreadable(key),
            }
        }
    }

    fn copy(&mut self, key: StreamKey, home: Home, sequence: u64, seed: u32, bytes: &mut Vec<u8>) -> io::Result<()> {
        if home.is_end {
            self.put_whole(Kind::End, key, sequence, &[]);
            return Ok(());
        }
        bytes.resize(home.length, 0);
        self.files.read_part(&self.path(home.segment), home.at, bytes)?;
        match format::read(bytes, seed) {
            Ok(record) if record.key == key && record.kind == Kind::Checkpoint => {
                self.put_whole(Kind::Checkpoint, key, sequence, record.payload);
                Ok(())
            }
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn remove(&mut self) {
        while let Some(oldest) = self.segments.oldest() {
            if oldest.live_count > 0 || oldest.ended_count > 0 && !self.epoch.is_alone() {
                return;
            }
            // Newer checkpoints must be safe before older ones go. And the removal of what an ended
            // stream was must be, before its tombstone goes: the segment before was removed before
            // this was written down.
            let free_at = *oldest.free_at.get_or_insert(self.shared.written());
            if self.shared.synced() < free_at {
                return;
            }
            let (sequence, has_ended) = (oldest.sequence, oldest.ended_count > 0);
            match self.files.remove(&self.path(sequence)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return,
                _ => {}
            }
            self.segments.remove_oldest();
            if has_ended {
                self.streams.forget_ended(sequence);
            }
            self.shared.removed();
            self.sync();
        }
    }
}
