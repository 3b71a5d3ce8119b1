//! The life of one process, as the journal counts them.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::key::StreamKey;

/// One process's life. [`recover`](crate::recover()) gives the next; every
/// [`Journal`](crate::Journal) of the process has it.
#[derive(Clone)]
pub struct Epoch(Arc<Inner>);

struct Inner {
    number: u64,
    /// Whether no segment of an older epoch is left. Until then every tombstone is needed: it hides
    /// what older epochs have of its stream.
    is_alone: AtomicBool,
    /// Streams that older epochs have ended. The first journal ends them again: a power loss may
    /// take the older tombstone, and leave what it hides.
    ended: Mutex<Vec<StreamKey>>,
    lanes: Mutex<Vec<Arc<dyn Lane>>>,
}

/// A journal of the epoch, to whoever deletes what came before it.
pub(crate) trait Lane: Send + Sync {
    /// Waits until all that it has written is safe from a power loss.
    fn sync(&self) -> io::Result<bool>;
    /// Whether the disk has all of its streams.
    fn is_durable(&self) -> bool;
    /// How often it had to begin anew, for a file could not be relied on.
    fn failures(&self) -> u64;
}

impl Epoch {
    pub(crate) fn new(number: u64, is_alone: bool, ended: Vec<StreamKey>) -> Self {
        Self(Arc::new(Inner { number, is_alone: AtomicBool::new(is_alone), ended: Mutex::new(ended), lanes: Mutex::default() }))
    }

    /// Grows from process to process.
    pub fn number(&self) -> u64 {
        self.0.number
    }

    pub(crate) fn is_alone(&self) -> bool {
        self.0.is_alone.load(Ordering::Acquire)
    }

    pub(crate) fn set_alone(&self) {
        self.0.is_alone.store(true, Ordering::Release);
    }

    /// For the first who asks.
    pub(crate) fn take_ended(&self) -> Vec<StreamKey> {
        std::mem::take(&mut locked(&self.0.ended))
    }

    pub(crate) fn add(&self, lane: Arc<dyn Lane>) {
        locked(&self.0.lanes).push(lane);
    }

    pub(crate) fn lanes(&self) -> Vec<Arc<dyn Lane>> {
        locked(&self.0.lanes).clone()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that holds it can leave it half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Epoch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Epoch").field(&self.0.number).finish()
    }
}
