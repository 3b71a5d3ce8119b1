//! Deletes what older epochs left behind, once nothing in it is needed.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use crate::files::Files;
use crate::format::{Kind, Reader, SegmentId};
use crate::key::StreamKey;
use crate::limits::SET_ASIDE;
use crate::options::{Durability, Options};
use crate::recover::Recovered;

/// Why older segments stay for now. Nothing is lost; it can be tried again.
#[derive(Debug, thiserror::Error)]
pub enum NotRetired {
    /// This stream has neither a checkpoint nor an end in the new epoch.
    #[error("stream {0} is not in the new epoch yet: older segments stay until it is checkpointed or ended, and committed")]
    Missing(StreamKey),
    /// A journal of the new epoch is [`Degraded`](crate::Health::Degraded), or was meanwhile.
    #[error("older segments stay: what is new is not all safe yet")]
    Degraded,
    /// The system refuses.
    #[error("older segments stay: {0}")]
    Io(#[from] io::Error),
}

/// Deletes the segments of older epochs. Call it when each stream of [`Recovered::streams`] has
/// been checkpointed in a journal of the new epoch, or ended there, and this was committed.
///
/// It looks for itself, in the new epoch's files, whether that is so, and syncs its journals unless
/// [`Durability::Process`] is chosen: nothing old goes before its successor is safe. A file that a
/// newer build wrote, or that could not be read, is not deleted but renamed, and not looked at
/// again.
///
/// Where it is refused, old and new files stay, and it can be tried again after a while.
///
/// It reads and waits for the disk, so call it on a thread that may.
pub fn retire<F: Files>(files: &F, options: &Options, recovered: &Recovered) -> Result<(), NotRetired> {
    let dir = options.dir.as_path();
    let syncs = options.durability != Durability::Process;
    let lanes = recovered.epoch.lanes();
    let failures = || lanes.iter().map(|lane| lane.failures()).sum::<u64>();
    let failures_before = failures();
    let there = keys(files, dir, recovered.epoch.number())?;
    if let Some(missing) = recovered.streams.keys().chain(&recovered.ended).find(|key| !there.contains(key)) {
        return Err(NotRetired::Missing(*missing));
    }
    if syncs {
        for lane in &lanes {
            lane.sync()?;
        }
        // What was read above may be in a file that could not be synced, and only seem to be there.
        if failures() != failures_before || lanes.iter().any(|lane| !lane.is_durable()) {
            return Err(NotRetired::Degraded);
        }
    }
    for old in &recovered.segments {
        let name = old.id.name();
        let path = dir.join(&name);
        let gone = if old.is_kept { files.rename(&path, &dir.join(name + SET_ASIDE)) } else { files.remove(&path) };
        match gone {
            // By an earlier attempt.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            gone => gone?,
        }
    }
    if syncs {
        files.sync_dir(dir)?;
    }
    recovered.epoch.set_alone();
    Ok(())
}

/// The streams that have a checkpoint or an end in this epoch.
fn keys<F: Files>(files: &F, dir: &Path, epoch: u64) -> io::Result<BTreeSet<StreamKey>> {
    let mut keys = BTreeSet::new();
    let ids = files.list(dir)?.into_iter().filter_map(|name| SegmentId::of_name(&name));
    for id in ids.filter(|id| id.epoch == epoch) {
        let bytes = match files.read(&dir.join(id.name())) {
            // The journal may delete a segment meanwhile; what it had is in a newer one.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            bytes => bytes?,
        };
        let Ok(mut reader) = Reader::new(&bytes, id) else { continue };
        while let Some(Ok(record)) = reader.next() {
            if record.kind != Kind::Record {
                keys.insert(record.key);
            }
        }
    }
    Ok(keys)
}
