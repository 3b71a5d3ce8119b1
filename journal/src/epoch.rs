//! The life of one process, as the journal counts them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One process's life. [`recover`](crate::recover()) gives the next; every [`Journal`](crate::Journal) of
/// the process has it.
#[derive(Clone, Debug)]
pub struct Epoch {
    number: u64,
    /// Whether no segment of an older epoch is left. Until then an ended stream's tombstone is
    /// kept, which hides what older epochs have of it.
    is_alone: Arc<AtomicBool>,
}

impl Epoch {
    pub(crate) fn new(number: u64, is_alone: bool) -> Self {
        Self { number, is_alone: Arc::new(AtomicBool::new(is_alone)) }
    }

    /// Grows from process to process.
    pub fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn is_alone(&self) -> bool {
        self.is_alone.load(Ordering::Acquire)
    }

    pub(crate) fn set_alone(&self) {
        self.is_alone.store(true, Ordering::Release);
    }
}
