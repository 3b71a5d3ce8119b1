//! Which of a match's sockets have something to read or room to write, so that one task can own them all.
//!
//! Every socket is polled with a waker of its own that puts its slot on the match's list and wakes the match once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

use tokio::sync::Notify;

/// The list of one match.
#[derive(Debug, Default)]
pub struct Readiness {
    slots: Mutex<Vec<usize>>,
    notify: Notify,
}

impl Readiness {
    /// What wakes the match for the socket in `slot`.
    pub fn slot(self: &Arc<Self>, slot: usize) -> Arc<SlotWaker> {
        Arc::new(SlotWaker { slot, listed: AtomicBool::new(false), list: Arc::clone(self) })
    }

    /// Waits until a socket is ready.
    pub async fn wait(&self) {
        self.notify.notified().await;
    }

    /// Moves the ready slots into `into`, which must be empty.
    pub fn take(&self, into: &mut Vec<usize>) {
        std::mem::swap(&mut *self.slots.lock().unwrap_or_else(PoisonError::into_inner), into);
    }
}

/// Puts its slot on the list when woken, once until [`SlotWaker::rearm`].
#[derive(Debug)]
pub struct SlotWaker {
    slot: usize,
    listed: AtomicBool,
    list: Arc<Readiness>,
}

impl SlotWaker {
    /// The waker to poll the slot's socket with.
    pub fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }

    /// The slot was taken off the list and is about to be polled.
    pub fn rearm(&self) {
        self.listed.store(false, Ordering::Release);
    }
}

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.listed.swap(true, Ordering::AcqRel) {
            self.list.slots.lock().unwrap_or_else(PoisonError::into_inner).push(self.slot);
            self.list.notify.notify_one();
        }
    }
}
