//! A lock whose holder never leaves anything half done.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Nobody panics while they hold one; if somebody did, what they left would still be whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
