//! Reads what is in a directory: the newest good state of every stream. Changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use crate::epoch::Epoch;
use crate::files::Files;
use crate::format::{Kind, Reader, Record, SegmentId};
use crate::key::StreamKey;
use crate::limits::{EPOCH_END, SET_ASIDE};
use crate::problem::{Problem, What};

/// What was in a directory.
#[derive(Debug)]
pub struct Recovered {
    /// The streams that had not ended.
    pub streams: BTreeMap<StreamKey, Stream>,
    /// What could not be used, for the operator.
    pub problems: Vec<Problem>,
    /// The epoch that begins now.
    pub epoch: Epoch,
    /// The streams that have ended, of which there is still something.
    pub(crate) ended: Vec<StreamKey>,
    /// The segments that were read, in order.
    pub(crate) segments: Vec<Old>,
}

/// A segment of an older epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Old {
    pub(crate) id: SegmentId,
    /// It could not be read, or a newer build wrote it: somebody may want it.
    pub(crate) is_kept: bool,
}

/// A stream as it was when its process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// The newest checkpoint.
    pub checkpoint: Vec<u8>,
    /// [`Options::build`](crate::Options::build) of the process that wrote it.
    pub checkpoint_build: u64,
    /// The epoch it was written in.
    pub epoch: u64,
    /// What was appended since, in order and without a gap.
    pub records: Vec<Vec<u8>>,
}

/// Reads all segments in `dir`. What cannot be used is told in [`Recovered::problems`]; an error is
/// only that the directory cannot be listed. A directory that is not there is an empty one.
///
/// It takes at most a few times the memory that the files take, whatever is in them.
///
/// ```
/// use tickwire_journal::{Disk, recover};
///
/// # let temporary = tempfile::tempdir()?;
/// // A directory that no process has used yet: nothing is found, and the first epoch begins.
/// let found = recover(&Disk, temporary.path())?;
/// assert!(found.streams.is_empty() && found.problems.is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn recover<F: Files>(files: &F, dir: &Path) -> io::Result<Recovered> {
    let names = match files.list(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        names => names?,
    };
    // What was set aside is not read, and its epoch is not given out again.
    let aside = names.iter().filter_map(|name| SegmentId::of_name(name.strip_suffix(SET_ASIDE)?));
    let newest_aside = aside.map(|id| id.epoch).filter(|epoch| *epoch < EPOCH_END).max();
    let mut ids: Vec<SegmentId> = names.iter().filter_map(|name| SegmentId::of_name(name)).filter(|id| id.epoch < EPOCH_END).collect();
    ids.sort_unstable();
    let newest = ids.last().map(|id| id.epoch).max(newest_aside);

    let mut found = Found::default();
    let mut streams = BTreeMap::new();
    // The epochs come in order, so what is newer takes the place of what is older.
    for epoch in ids.chunk_by(|a, b| a.epoch == b.epoch) {
        let states = found.read_epoch(files, dir, epoch);
        for key in std::mem::take(&mut found.hidden) {
            streams.remove(&key);
        }
        for (key, state) in states {
            match state {
                State::Lost => {}
                State::Live { stream, .. } => drop(streams.insert(key, stream)),
                State::Ended => drop(streams.remove(&key)),
            }
        }
    }
    found.problems.extend(found.gaps.into_values());
    let ended: Vec<StreamKey> = found.begun.into_iter().filter(|key| !streams.contains_key(key)).collect();
    let epoch = Epoch::new(newest.unwrap_or_default() + 1, ids.is_empty(), ended.clone());
    Ok(Recovered { streams, problems: found.problems, epoch, ended, segments: found.segments })
}

#[derive(Default)]
struct Found {
    segments: Vec<Old>,
    problems: Vec<Problem>,
    /// Where a stream's records were first found to be of no use. A later checkpoint removes it.
    gaps: BTreeMap<StreamKey, Problem>,
    /// The streams that an epoch says had ended before.
    hidden: BTreeSet<StreamKey>,
    /// The streams that have a checkpoint anywhere.
    begun: BTreeSet<StreamKey>,
}

/// What is known of a stream while an epoch is read.
enum State {
    /// Only records, without a checkpoint.
    Lost,
    Live {
        stream: Stream,
        /// The sequence number of the next record.
        next: u64,
        /// Records are missing, so later ones are of no use.
        is_broken: bool,
    },
    Ended,
}

impl Found {
    /// What an epoch has of each stream, from its segments in order. A stream is in one lane only.
    fn read_epoch<F: Files>(&mut self, files: &F, dir: &Path, epoch: &[SegmentId]) -> BTreeMap<StreamKey, State> {
        let mut states = BTreeMap::new();
        for id in epoch {
            let file = id.name();
            let read = match files.read(&dir.join(&file)) {
                Ok(bytes) => self.read_segment(*id, &file, &bytes, &mut states),
                Err(error) => Err(What::Unreadable(error.to_string())),
            };
            let is_kept = matches!(read, Err(What::Unreadable(_) | What::UnknownVersion(_)));
            self.segments.push(Old { id: *id, is_kept });
            if let Err(what) = read {
                self.problems.push(Problem { file, offset: 0, what });
            }
        }
        states
    }

    /// An error says what is there instead of a segment.
    fn read_segment(&mut self, id: SegmentId, file: &str, bytes: &[u8], states: &mut BTreeMap<StreamKey, State>) -> Result<(), What> {
        let mut reader = Reader::new(bytes, id)?;
        loop {
            let problem = |offset: usize, what| Problem { file: file.to_owned(), offset: offset as u64, what };
            let at = reader.at;
            let record = match reader.next() {
                None => return Ok(()),
                Some(Err(bad)) => {
                    self.problems.push(problem(at, bad.into()));
                    return Ok(());
                }
                Some(Ok(record)) => record,
            };
            let key = record.key;
            match record.kind {
                Kind::Hide => drop(self.hidden.insert(key)),
                Kind::End => {
                    states.insert(key, State::Ended);
                    self.gaps.remove(&key);
                }
                Kind::Checkpoint => {
                    states.insert(key, State::begin(&record, id.epoch, reader.build));
                    self.gaps.remove(&key);
                    self.begun.insert(key);
                }
                Kind::Record => {
                    if let Err(what) = states.entry(key).or_insert(State::Lost).append(&record) {
                        self.gaps.entry(key).or_insert_with(|| problem(at, what));
                    }
                }
            }
        }
    }
}

impl State {
    fn begin(checkpoint: &Record, epoch: u64, build: u64) -> Self {
        let stream = Stream { checkpoint: checkpoint.payload.to_vec(), checkpoint_build: build, epoch, records: Vec::new() };
        Self::Live { stream, next: checkpoint.sequence, is_broken: false }
    }

    fn append(&mut self, record: &Record) -> Result<(), What> {
        let key = record.key;
        match self {
            Self::Live { stream, next, is_broken: false } if *next == record.sequence => {
                stream.records.push(record.payload.to_vec());
                *next = next.saturating_add(1);
                Ok(())
            }
            Self::Live { next, is_broken, .. } => {
                *is_broken = true;
                Err(What::Gap { key, expected: *next })
            }
            // Or it has ended, and the checkpoint that it began anew with is not there.
            Self::Lost | Self::Ended => Err(What::NoCheckpoint { key }),
        }
    }
}
