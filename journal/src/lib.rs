//! An append-only log of many small streams that outlives its process.
//!
//! A *stream* is a newest checkpoint and the records appended since. The journal knows nothing of
//! what they mean.

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
