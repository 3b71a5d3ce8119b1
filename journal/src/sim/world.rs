//! The state of the file system, and what each call does to it.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::faults::{Faults, Planted};

#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub(super) inodes: Vec<Inode>,
    /// The files as a process sees them.
    pub(super) entries: BTreeMap<PathBuf, usize>,
    /// The files as of the last sync of their directory.
    pub(super) synced_entries: BTreeMap<PathBuf, usize>,
    pub(super) boundaries: u64,
    pub(super) end_at: Option<u64>,
    pub(super) has_ended: bool,
    pub(super) faults: Faults,
    pub(super) planted: Option<Planted>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Inode {
    pub(super) data: Vec<u8>,
    /// How much of it outlives a power loss.
    pub(super) synced: usize,
    /// What does not all the same: a sync of it has failed.
    pub(super) holes: Vec<Range<usize>>,
}

impl World {
    /// Whether calls still do anything.
    pub(super) fn alive(&self) -> io::Result<()> {
        if self.has_ended { Err(io::Error::other("the world has ended")) } else { Ok(()) }
    }

    pub(super) fn begin_again(&mut self) {
        // An end that has not come yet is one of a later process.
        if std::mem::take(&mut self.has_ended) {
            self.end_at = None;
        }
    }

    pub(super) fn inode(&self, path: &Path) -> io::Result<&Inode> {
        self.alive()?;
        let inode = self.entries.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(&self.inodes[*inode])
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<usize> {
        self.change()?;
        if self.entries.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.inodes.push(Inode::default());
        self.entries.insert(path.to_path_buf(), self.inodes.len() - 1);
        Ok(self.inodes.len() - 1)
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.change()?;
        let inode = self.entries.remove(from).ok_or(io::ErrorKind::NotFound)?;
        self.entries.insert(to.to_path_buf(), inode);
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.change()?;
        self.entries.remove(path).map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    pub(super) fn write(&mut self, inode: usize, bytes: &[u8]) -> io::Result<usize> {
        self.change()?;
        let used: usize = self.entries.values().map(|inode| self.inodes[*inode].data.len()).sum();
        let room = self.faults.space.map_or(usize::MAX, |space| space.saturating_sub(used));
        if room == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let whole = if self.faults.has_short_writes { bytes.len().div_ceil(2) } else { bytes.len() };
        let taken = &bytes[..whole.min(room)];
        if self.planted == Some(Planted::NoWrites) {
            self.boundary()?;
            return Ok(taken.len());
        }
        let (half, rest) = taken.split_at(taken.len() / 2);
        self.inodes[inode].data.extend_from_slice(half);
        self.boundary()?;
        self.inodes[inode].data.extend_from_slice(rest);
        Ok(taken.len())
    }

    pub(super) fn sync(&mut self, inode: usize) -> io::Result<()> {
        self.boundary()?;
        let fails = self.fails_sync();
        let inode = &mut self.inodes[inode];
        if fails {
            inode.holes.push(inode.synced..inode.data.len());
        }
        if self.planted != Some(Planted::NoFileSyncs) {
            inode.synced = inode.data.len();
        }
        if fails { Err(failed_sync()) } else { Ok(()) }
    }

    pub(super) fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        self.boundary()?;
        if self.fails_sync() {
            return Err(failed_sync());
        }
        if self.planted != Some(Planted::NoDirSyncs) {
            self.synced_entries.retain(|path, _| path.parent() != Some(dir));
            let inside = self.entries.iter().filter(|(path, _)| path.parent() == Some(dir));
            self.synced_entries.extend(inside.map(|(path, inode)| (path.clone(), *inode)));
        }
        Ok(())
    }

    pub(super) fn put(&mut self, path: &Path, data: Vec<u8>) {
        self.inodes.push(Inode { synced: data.len(), data, holes: Vec::new() });
        self.entries.insert(path.to_path_buf(), self.inodes.len() - 1);
        self.synced_entries.insert(path.to_path_buf(), self.inodes.len() - 1);
    }

    /// Before something changes.
    fn change(&mut self) -> io::Result<()> {
        self.boundary()?;
        if self.faults.is_read_only { Err(io::ErrorKind::ReadOnlyFilesystem.into()) } else { Ok(()) }
    }

    /// The process may end here.
    fn boundary(&mut self) -> io::Result<()> {
        if self.end_at == Some(self.boundaries) && self.planted != Some(Planted::NoEnd) {
            self.has_ended = true;
        }
        self.alive()?;
        self.boundaries += 1;
        Ok(())
    }

    fn fails_sync(&mut self) -> bool {
        let fails = self.faults.failing_syncs > 0;
        self.faults.failing_syncs = self.faults.failing_syncs.saturating_sub(1);
        fails
    }
}

fn failed_sync() -> io::Error {
    io::Error::other("input/output error")
}
