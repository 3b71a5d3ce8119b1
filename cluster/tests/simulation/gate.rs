//! A process that stands still.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

/// Stops everything of a process for a while, as SIGSTOP does.
#[derive(Default)]
pub(crate) struct Gate {
    is_shut: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
}

impl Gate {
    pub(crate) fn shut(&self) {
        self.is_shut.store(true, Ordering::Relaxed);
    }

    pub(crate) fn open(&self) {
        self.is_shut.store(false, Ordering::Relaxed);
        self.waiting.lock().unwrap().drain(..).for_each(Waker::wake);
    }

    /// `work`, while the gate is open.
    pub(crate) async fn pass<T>(self: Arc<Self>, work: impl Future<Output = T>) -> T {
        let mut work = Box::pin(work);
        std::future::poll_fn(move |context| {
            if self.is_shut.load(Ordering::Relaxed) {
                self.waiting.lock().unwrap().push(context.waker().clone());
                return Poll::Pending;
            }
            work.as_mut().poll(context)
        })
        .await
    }
}
