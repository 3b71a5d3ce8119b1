//! What bounds the journal.

/// The longest record or checkpoint. A longer one is refused: its stream is not kept until it is
/// given a shorter checkpoint.
pub const RECORD_MAX: usize = 80 << 20;
/// The most that waits for a commit, but for one longer record. Beyond it the journal writes early.
pub const BUFFER_MAX: usize = 1 << 20;
/// Streams of one journal, with those that ended and are still on disk. More are refused: they are
/// not kept.
pub const STREAMS_MAX: usize = 65_536;

/// Epochs from here on are nobody's: names that hold one are no segments.
pub(crate) const EPOCH_END: u64 = 1 << 48;
/// What a segment's name is followed by when it is kept for somebody who can read it.
pub(crate) const SET_ASIDE: &str = ".aside";
