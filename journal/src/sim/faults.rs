//! What can go wrong, and what can be made to.

/// What goes wrong from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// There is no room for more bytes than these, in all files.
    pub space: Option<usize>,
    /// Nothing can be changed.
    pub is_read_only: bool,
    /// So many syncs fail. What they were to sync never outlives a power loss, though later syncs
    /// of the same file succeed.
    pub failing_syncs: u32,
    /// Each write takes half of what it is given.
    pub has_short_writes: bool,
}

/// Something that is wrong on purpose, which a test must notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// Writes are said to be done and are not.
    NoWrites,
    /// Syncs of files are said to be done and are not.
    NoFileSyncs,
    /// Syncs of directories are said to be done and are not.
    NoDirSyncs,
    /// Files are read up to their middle.
    HalfReads,
    /// Tombstones are not read.
    NoTombstones,
    /// The world does not end where it should.
    NoEnd,
}
