//! Reads what is in a directory: the newest good state of every stream. Changes nothing.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::epoch::Epoch;
use crate::files::Files;
use crate::format::{Kind, Reader, Record, SegmentId};
use crate::key::StreamKey;
use crate::limits::{EPOCH_MAX, SET_ASIDE};
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
pub fn recover<F: Files>(files: &F, dir: &Path) -> io::Result<Recovered> {
    let names = match files.list(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        names => names?,
    };
    // What was set aside is not read, and its epoch is not given out again.
    let aside = names.iter().filter_map(|name| SegmentId::of_name(name.strip_suffix(SET_ASIDE)?));
    let newest_aside = aside.map(|id| id.epoch).filter(|epoch| *epoch < EPOCH_MAX).max();
    let mut ids: Vec<SegmentId> = names.iter().filter_map(|name| SegmentId::of_name(name)).filter(|id| id.epoch < EPOCH_MAX).collect();
    ids.sort_unstable();
    let newest = ids.last().map(|id| id.epoch).max(newest_aside);

    let mut found = Found { segments: Vec::with_capacity(ids.len()), problems: Vec::new(), gaps: BTreeMap::new() };
    let mut streams = BTreeMap::new();
    // The epochs and their lanes come in order, so what is newer takes the place of what is older.
    for lane in ids.chunk_by(|a, b| (a.epoch, a.lane) == (b.epoch, b.lane)) {
        for (key, state) in found.read_lane(files, dir, lane) {
            match state {
                State::Lost => {}
                State::Ended => drop(streams.remove(&key)),
                State::Live { stream, .. } => drop(streams.insert(key, stream)),
            }
        }
    }
    found.problems.extend(found.gaps.into_values());
    let epoch = Epoch::new(newest.unwrap_or_default() + 1, ids.is_empty());
    Ok(Recovered { streams, problems: found.problems, epoch, segments: found.segments })
}

struct Found {
    segments: Vec<Old>,
    problems: Vec<Problem>,
    /// Where a stream's records were first found to be of no use. A later checkpoint removes it.
    gaps: BTreeMap<StreamKey, Problem>,
}

/// What is known of a stream while a lane is read.
enum State {
    /// Records without a checkpoint.
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
    /// What a lane has of each stream, from its segments in order.
    fn read_lane<F: Files>(&mut self, files: &F, dir: &Path, lane: &[SegmentId]) -> BTreeMap<StreamKey, State> {
        let mut states = BTreeMap::new();
        for id in lane {
            let file = id.name();
            let mut old = Old { id: *id, is_kept: false };
            let mut problem = |offset: usize, what| self.problems.push(Problem { file: file.clone(), offset: offset as u64, what });
            match files.read(&dir.join(&file)) {
                Err(error) => {
                    old.is_kept = true;
                    problem(0, What::Unreadable(error.to_string()));
                }
                Ok(bytes) => match Reader::new(&bytes, *id) {
                    Err(bad) => {
                        let what = What::from(bad);
                        old.is_kept = matches!(what, What::UnknownVersion(_));
                        problem(0, what);
                    }
                    Ok(mut reader) => loop {
                        let at = reader.at;
                        match reader.next() {
                            None => break,
                            Some(Err(bad)) => {
                                problem(at, bad.into());
                                break;
                            }
                            Some(Ok(record)) => match take(&mut states, &record, id.epoch, reader.build) {
                                Taken::Whole => drop(self.gaps.remove(&record.key)),
                                Taken::Next => {}
                                Taken::Not(what) => {
                                    self.gaps.entry(record.key).or_insert_with(|| Problem { file: file.clone(), offset: at as u64, what });
                                }
                            },
                        }
                    },
                },
            }
            self.segments.push(old);
        }
        states
    }
}

enum Taken {
    /// A checkpoint or an end: nothing before it matters.
    Whole,
    Next,
    Not(What),
}

fn take(states: &mut BTreeMap<StreamKey, State>, record: &Record, epoch: u64, build: u64) -> Taken {
    let key = record.key;
    match record.kind {
        Kind::Checkpoint => {
            let stream = Stream { checkpoint: record.payload.to_vec(), checkpoint_build: build, epoch, records: Vec::new() };
            states.insert(key, State::Live { stream, next: record.sequence, is_broken: false });
            Taken::Whole
        }
        Kind::End => {
            states.insert(key, State::Ended);
            Taken::Whole
        }
        Kind::Record => match states.entry(key).or_insert(State::Lost) {
            State::Live { stream, next, is_broken: false } if *next == record.sequence => {
                stream.records.push(record.payload.to_vec());
                *next = next.saturating_add(1);
                Taken::Next
            }
            State::Live { next, is_broken, .. } => {
                *is_broken = true;
                Taken::Not(What::Gap { key, expected: *next })
            }
            // Or it has ended, and the checkpoint that it began anew with is not there.
            State::Lost | State::Ended => Taken::Not(What::NoCheckpoint { key }),
        },
    }
}
