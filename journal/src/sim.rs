//! A file system in memory that ends at any boundary, forgets what was not synced, and fails.
//!
//! A *boundary* is a moment at which a process can end: before each call that changes something,
//! and in the middle of each write. [`Sim::end_at`] chooses one. From then on every call fails and
//! changes nothing, until [`Sim::restart`] (the process has ended, all that it wrote is there) or
//! [`Sim::lose_power`] (what was not synced may be there, or not, or as garbage).

mod faults;
mod power;
mod world;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::files::{File, Files};
use crate::format::{HEADER, Kind, Reader, SegmentId};
pub use faults::{Faults, Planted};
pub use power::Survivors;
use world::World;

/// A file system in memory. Clones are the same one.
///
/// ```
/// use tickwire_journal::sim::{Faults, Sim};
/// use tickwire_journal::{Commit, Durability, Health, Journal, Options, StreamKey, recover};
///
/// let (disk, counter) = (Sim::default(), StreamKey([7; 16]));
/// let options = Options { dir: "journal".into(), durability: Durability::Process, segment_bytes: 1 << 20, build: 1 };
/// let found = recover(&disk, &options.dir)?;
/// let mut journal = Journal::open(disk.clone(), options, found.epoch, 0);
/// journal.checkpoint(counter, &[1]);
/// assert!(matches!(journal.commit(), Commit::Written { .. }));
///
/// // The disk fails. The journal says so; no call fails or waits.
/// disk.set_faults(Faults { is_read_only: true, ..Faults::default() });
/// journal.append(counter, &[2]);
/// assert_eq!(journal.commit(), Commit::Lost);
/// assert!(matches!(journal.health(), Health::Degraded { lost: 1, .. }));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Sim(Arc<Mutex<World>>);

/// An open file of a [`Sim`].
#[derive(Debug)]
pub struct SimFile {
    sim: Sim,
    inode: usize,
}

impl Sim {
    /// Ends the world at the boundary with this number, counted from the beginning.
    pub fn end_at(&self, boundary: u64) {
        self.world().end_at = Some(boundary);
    }

    /// Whether the world has ended.
    pub fn has_ended(&self) -> bool {
        self.world().has_ended
    }

    /// How many boundaries there were so far.
    pub fn boundaries(&self) -> u64 {
        self.world().boundaries
    }

    /// Sets what goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.world().faults = faults;
    }

    /// Plants a fault that a test must notice, from now on.
    pub fn plant(&self, planted: Planted) {
        self.world().planted = Some(planted);
    }

    /// A world of its own that is as this one is.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.world().clone())))
    }

    /// The process has ended, and the next one finds all that it wrote.
    pub fn restart(&self) {
        self.world().begin_again();
    }

    /// The machine has lost its power, and what was not synced is as chosen.
    pub fn lose_power(&self, survivors: Survivors) {
        let mut world = self.world();
        power::lose(&mut world, survivors);
        world.begin_again();
    }

    /// The files, with what is in them.
    pub fn contents(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let world = self.world();
        world.entries.iter().map(|(path, inode)| (path.clone(), world.inodes[*inode].data.clone())).collect()
    }

    /// Puts a file there as it is, in place of another.
    pub fn put(&self, path: &Path, data: Vec<u8>) {
        self.world().put(path, data);
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files for Sim {
    type File = SimFile;

    fn create_dir(&self, _: &Path) -> io::Result<()> {
        self.world().alive()
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let world = self.world();
        world.alive()?;
        let inside = world.entries.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let world = self.world();
        let mut bytes = world.inode(path)?.data.clone();
        match world.planted {
            Some(Planted::HalfReads) => bytes.truncate(bytes.len() / 2),
            Some(Planted::NoTombstones) => bytes = without_tombstones(path, bytes),
            _ => {}
        }
        Ok(bytes)
    }

    fn read_part(&self, path: &Path, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let world = self.world();
        let part = world.inode(path)?.data.get(offset as usize..).and_then(|rest| rest.get(..into.len()));
        into.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<SimFile> {
        let inode = self.world().create(path)?;
        Ok(SimFile { sim: self.clone(), inode })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.world().rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.world().remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.world().sync_dir(dir)
    }
}

impl File for SimFile {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.sim.world().write(self.inode, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.sim.world().sync(self.inode)
    }
}

/// A segment as one would be that had none: each record stands for itself.
fn without_tombstones(path: &Path, bytes: Vec<u8>) -> Vec<u8> {
    let id = path.file_name().and_then(|name| SegmentId::of_name(name.to_str()?));
    let Some(Ok(mut reader)) = id.map(|id| Reader::new(&bytes, id)) else { return bytes };
    let mut kept = bytes[..HEADER].to_vec();
    let mut start = reader.at;
    while let Some(Ok(record)) = reader.next() {
        if !matches!(record.kind, Kind::End | Kind::Hide) {
            kept.extend_from_slice(&bytes[start..reader.at]);
        }
        start = reader.at;
    }
    kept.extend_from_slice(&bytes[start..]);
    kept
}
