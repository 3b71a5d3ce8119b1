//! Hashes that tell whether two ends have the same state.
//!
//! ```
//! use tickwire_protocol::hash::Fnv;
//!
//! let of = |words: [u32; 2]| {
//!     let mut hash = Fnv::new();
//!     words.into_iter().for_each(|word| hash.word(word));
//!     hash.finish()
//! };
//! assert_ne!(of([1, 2]), of([2, 1]));
//! ```

/// FNV-1a over 32-bit words, 64 bits wide: to compare states, not to resist an attacker.
#[derive(Clone, Copy, Debug)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self::new()
    }
}

impl Fnv {
    /// An empty hash.
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds a word.
    pub const fn word(&mut self, word: u32) {
        self.0 = (self.0 ^ word as u64).wrapping_mul(0x0000_0100_0000_01b3);
    }

    /// Adds a text and its end.
    pub fn text(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.word(u32::from(byte)));
        self.word(0x100);
    }

    /// The hash so far. The final mix spreads the last words over all bits.
    pub const fn finish(self) -> u64 {
        let x = (self.0 ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        x ^ (x >> 29)
    }
}

/// Hash of all that a client has of a divided match.
#[derive(Clone, Copy, Debug)]
pub struct ChunksHash(Fnv);

impl ChunksHash {
    /// Of [`crate::Snapshot::hash`] of the snapshot that came outside of chunks. Slots follow.
    pub const fn new(snapshot: u64) -> Self {
        let mut hash = Self(Fnv::new());
        hash.long(snapshot);
        hash
    }

    /// Adds a filled slot and [`crate::Snapshot::rows_hash`] of the chunk in it. Slots rise.
    pub const fn slot(&mut self, slot: u8, chunk: u64) {
        self.0.word(slot as u32);
        self.long(chunk);
    }

    /// The hash.
    pub const fn finish(self) -> u64 {
        self.0.finish()
    }

    const fn long(&mut self, word: u64) {
        self.0.word(word as u32);
        self.0.word((word >> 32) as u32);
    }
}
