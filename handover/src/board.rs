//! Where each kept stream stands, in memory that outlives a killed process: a file without a name,
//! which the supervisor keeps and each server maps.
//!
//! A slot has five numbers, each written on its own. A server that is killed leaves them as they
//! were after its last instruction: what its processor wrote reaches the memory whatever becomes of
//! it. Before a frame is handed to the kernel its end is written, and after the kernel has taken it
//! that it has: whatever lies between, the kernel's own count tells which of the two it came to.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::MmapRaw;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};

use crate::kernel::Progress;

/// Numbers in a slot: as many as fill a cache line, so that no two workers write to one.
const WORDS: usize = 8;
const SLOT_BYTES: usize = WORDS * size_of::<u64>();
/// The numbers of a slot.
const READ: usize = 0;
const SENT: usize = 1;
const SENT_TICK: usize = 2;
const END: usize = 3;
const END_TICK: usize = 4;

/// All slots.
#[derive(Debug)]
pub(crate) struct Board {
    map: MmapRaw,
    slots: u32,
}

/// Memory for `slots` slots, without a name.
pub(crate) fn create(slots: u32) -> io::Result<OwnedFd> {
    let file = memfd_create("tickwire-handover", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&file, slots as u64 * SLOT_BYTES as u64)?;
    // Nobody who has it can make reading or writing it fail.
    fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    Ok(file)
}

impl Board {
    /// The memory that [`create`] made.
    pub(crate) fn map(file: impl AsFd) -> io::Result<Arc<Self>> {
        let file = File::from(file.as_fd().try_clone_to_owned()?);
        let slots = file.metadata()?.len() / SLOT_BYTES as u64;
        let map = MmapRaw::map_raw(&file)?;
        Ok(Arc::new(Self { map, slots: u32::try_from(slots).map_err(io::Error::other)? }))
    }

    /// How many slots there are.
    pub(crate) fn slots(&self) -> u32 {
        self.slots
    }

    fn words(&self) -> &[AtomicU64] {
        let count = self.map.len() / size_of::<AtomicU64>();
        #[allow(unsafe_code, clippy::cast_ptr_alignment)]
        // SAFETY: a mapping begins at a page, is `count` numbers long and as old as `self`; its
        // file is sealed, so it does not become shorter. Whoever else maps it reads and writes it
        // as these atomic numbers only, of which any bits are valid.
        unsafe {
            std::slice::from_raw_parts(self.map.as_mut_ptr().cast::<AtomicU64>().cast_const(), count)
        }
    }

    fn word(&self, slot: u32, which: usize) -> Option<&AtomicU64> {
        self.words().get(slot as usize * WORDS + which)
    }

    fn set(&self, slot: u32, which: usize, to: u64) {
        if let Some(word) = self.word(slot, which) {
            word.store(to, Ordering::Release);
        }
    }

    fn get(&self, slot: u32, which: usize) -> u64 {
        self.word(slot, which).map_or(0, |word| word.load(Ordering::Acquire))
    }

    /// A connection comes to `slot`, whose stream is there, with all of `tick` and before.
    pub(crate) fn begin(&self, slot: u32, at: Progress, tick: u32) {
        self.set(slot, END, at.written);
        self.set(slot, END_TICK, tick as u64);
        self.sent(slot);
        self.read(slot, at.read);
    }

    /// Up to there the stream was read, and what was read is written down.
    pub(crate) fn read(&self, slot: u32, bytes: u64) {
        self.set(slot, READ, bytes);
    }

    /// The kernel is about to be asked to take a frame of `tick`, which ends there.
    pub(crate) fn sending(&self, slot: u32, end: u64, tick: u32) {
        self.set(slot, END, end);
        self.set(slot, END_TICK, tick as u64);
    }

    /// The kernel has taken all of it.
    pub(crate) fn sent(&self, slot: u32) {
        self.set(slot, SENT_TICK, self.get(slot, END_TICK));
        self.set(slot, SENT, self.get(slot, END));
    }

    /// The tick up to which the client of `slot` has everything, if the stream, which the kernel
    /// says is `at`, stands between two frames each way.
    pub(crate) fn tick_at(&self, slot: u32, at: Progress) -> Option<u32> {
        let sent = [(SENT, SENT_TICK), (END, END_TICK)].into_iter().find(|(bytes, _)| self.get(slot, *bytes) == at.written);
        let (_, tick) = sent.filter(|_| self.get(slot, READ) == at.read)?;
        u32::try_from(self.get(slot, tick)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(read: u64, written: u64) -> Progress {
        Progress { read, written }
    }

    #[test]
    fn what_one_mapping_writes_another_reads() {
        let file = create(3).expect("memory");
        let [ours, theirs] = [(); 2].map(|()| Board::map(&file).expect("mapped"));
        assert_eq!(ours.slots(), 3);
        ours.begin(2, at(10, 20), 5);
        assert_eq!(theirs.tick_at(2, at(10, 20)), Some(5));
        assert_eq!(theirs.tick_at(1, at(10, 20)), None);
        ours.begin(3, at(1, 1), 1);
        assert_eq!(theirs.tick_at(3, at(1, 1)), None, "there is no such slot");
    }

    #[test]
    fn a_stream_goes_on_only_between_two_frames() {
        let file = create(1).expect("memory");
        let board = Board::map(&file).expect("mapped");
        board.begin(0, at(100, 200), 7);
        board.sending(0, 250, 8);
        let came_to = |written| board.tick_at(0, at(100, written));
        assert_eq!([200, 201, 249, 250, 251].map(came_to), [Some(7), None, None, Some(8), None]);
        board.sent(0);
        assert_eq!([200, 250].map(came_to), [None, Some(8)]);
        board.read(0, 130);
        assert_eq!(board.tick_at(0, at(130, 250)), Some(8));
        assert_eq!([100, 129, 131].map(|read| board.tick_at(0, at(read, 250))), [None; 3], "what lies between is lost");
    }

    /// Wherever a server is killed while it sends, what it left tells the whole frames.
    #[test]
    fn between_any_two_writes_the_board_tells_the_truth() {
        let file = create(1).expect("memory");
        let board = Board::map(&file).expect("mapped");
        board.begin(0, at(0, 100), 1);
        let steps: [(&dyn Fn(), u64, u32); 6] = [
            (&|| board.set(0, END, 180), 100, 1),
            (&|| board.set(0, END_TICK, 2), 100, 1),
            (&|| (), 180, 2),
            (&|| board.set(0, SENT_TICK, 2), 180, 2),
            (&|| board.set(0, SENT, 180), 180, 2),
            (&|| board.sending(0, 260, 3), 180, 2),
        ];
        for (nth, (step, written, tick)) in steps.into_iter().enumerate() {
            step();
            assert_eq!(board.tick_at(0, at(0, written)), Some(tick), "after step {nth}");
        }
    }
}
