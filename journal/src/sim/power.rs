//! What is left after a power loss.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::world::{Inode, World};

/// What is left, after a power loss, of what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survivors {
    /// Nothing: bytes, created files and removals are undone.
    None,
    /// All of it.
    All,
    /// The files and their lengths, with zeros in them.
    Zeros,
    /// Of each file's bytes and each directory entry something else, by this seed.
    Some(u64),
}

pub(super) fn lose(world: &mut World, survivors: Survivors) {
    let mut chance = Chance(if let Survivors::Some(seed) = survivors { seed } else { 0 });
    let paths: BTreeSet<PathBuf> = world.entries.keys().chain(world.synced_entries.keys()).cloned().collect();
    for path in paths {
        let keeps_change = match survivors {
            Survivors::None => false,
            Survivors::All | Survivors::Zeros => true,
            Survivors::Some(_) => chance.next(2) == 0,
        };
        let (from, to) =
            if keeps_change { (&world.entries, &mut world.synced_entries) } else { (&world.synced_entries, &mut world.entries) };
        match from.get(&path) {
            Some(inode) => to.insert(path, *inode),
            None => to.remove(&path),
        };
    }
    for inode in &mut world.inodes {
        lose_bytes(inode, survivors, &mut chance);
    }
}

fn lose_bytes(inode: &mut Inode, survivors: Survivors, chance: &mut Chance) {
    for hole in std::mem::take(&mut inode.holes) {
        inode.data[hole].fill(0);
    }
    let unsynced = inode.data.len() - inode.synced;
    match survivors {
        Survivors::None => inode.data.truncate(inode.synced),
        Survivors::All => {}
        Survivors::Zeros => inode.data[inode.synced..].fill(0),
        Survivors::Some(_) => {
            // Some of the bytes are right, some are zeros, and one is anything.
            inode.data.truncate(inode.synced + chance.next(unsynced + 1));
            let unsynced = &mut inode.data[inode.synced..];
            if !unsynced.is_empty() && chance.next(2) == 0 {
                let start = chance.next(unsynced.len());
                let end = start + chance.next(unsynced.len() - start + 1);
                unsynced[start..end].fill(0);
                let at = chance.next(unsynced.len());
                unsynced[at] = chance.next(256) as u8;
            }
        }
    }
    inode.synced = inode.data.len();
}

/// Numbers that a seed decides (splitmix64).
struct Chance(u64);

impl Chance {
    /// Below `end`, which is not 0.
    fn next(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % end
    }
}
