//! A log on disk of many small streams, which outlives its process.
//!
//! A *stream* is a newest checkpoint and the records appended since. What they mean is its owner's
//! business. Each thread that writes has a [`Journal`] of its own, its *lane*; the journals of a
//! process share a directory and an [`Epoch`], which is that process's life.
//!
//! ```
//! use tickwire_journal::{Commit, Disk, Durability, Health, Journal, Options, StreamKey, lock, recover, retire};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let temporary = tempfile::tempdir()?;
//! # let dir = temporary.path().join("journal");
//! let _lock = lock(&dir)?;
//! let options = Options { dir, durability: Durability::Process, segment_bytes: 64 << 20, build: 1 };
//! let counter = StreamKey([7; 16]);
//!
//! // A process counts to 3, and is gone.
//! let found = recover(&Disk, &options.dir)?;
//! let mut journal = Journal::open(Disk, options.clone(), found.epoch, 0);
//! journal.checkpoint(counter, &[1]);
//! journal.append(counter, &[2]);
//! journal.append(counter, &[3]);
//! assert!(matches!(journal.commit(), Commit::Written { .. })); // Now it may be told to others.
//! drop(journal);
//!
//! // The next finds where it was, writes that down in its own epoch, and deletes the older one.
//! let found = recover(&Disk, &options.dir)?;
//! assert!(found.problems.is_empty());
//! let stream = &found.streams[&counter];
//! assert_eq!((stream.checkpoint.as_slice(), stream.records.len()), (&[1][..], 2));
//! let mut journal = Journal::open(Disk, options.clone(), found.epoch.clone(), 0);
//! journal.checkpoint(counter, &[3]);
//! journal.commit();
//! retire(&Disk, &options, &found)?;
//! assert_eq!(journal.health(), Health::Durable);
//! # Ok(())
//! # }
//! ```
//!
//! # What a process does
//!
//! 1. It [locks](lock()) the directory, and [recovers](recover()) what is in it. That changes
//!    nothing.
//! 2. It opens a journal for each lane, gives every stream it found a checkpoint there, or ends it,
//!    and commits. A crash meanwhile loses nothing: what a new epoch does not have is in the older
//!    one.
//! 3. It [retires](retire()) the older epochs, and tries again later if that is refused.
//! 4. It appends, commits and checkpoints; four times a second it calls [`Journal::tidy`]. With
//!    [`Durability::Second`] a [`Background`] syncs.
//!
//! # What holds
//!
//! - What [`Journal::commit`] said is written outlives the process; with [`Durability::Tick`] it
//!   outlives a power loss, with [`Durability::Second`] from the next sync on.
//! - What is recovered of a stream is what it was at some moment: never a wrong record, a missing
//!   one in the middle, or one of another epoch. A stream that has ended stays so.
//! - A file may hold anything. Its good part is used, the rest is told as a [`Problem`], and no
//!   more memory is taken than the files explain.
//! - No call fails or waits for a disk that fails. The journal is [`Degraded`](Health::Degraded),
//!   drops what it cannot write, and tries again in a new segment; it is durable once more when
//!   each stream has been checkpointed.
//! - A sync that failed is never repeated: the system may then say that it is done, and it is not.
//! - The log takes about twice the space that the newest checkpoints take, and two segments a lane.
//!
//! `tests/crashes` ends a process at every boundary of a [simulated disk](sim) and looks whether
//! that is so. `docs/decisions/0022-journal.md` says why it is made this way.

mod epoch;
mod files;
mod format;
mod journal;
mod key;
mod limits;
mod lock;
mod options;
mod problem;
mod recover;
mod retire;
pub mod sim;
mod sync;

pub use epoch::Epoch;
pub use files::{Disk, File, Files};
pub use journal::{Commit, Health, Journal};
pub use key::StreamKey;
pub use limits::{BUFFER_MAX, RECORD_MAX, STREAMS_MAX};
pub use lock::{Lock, LockError, lock};
pub use options::{Durability, Options};
pub use problem::{Problem, What};
pub use recover::{Recovered, Stream, recover};
pub use retire::{NotRetired, retire};
pub use sync::{Background, Syncer};
