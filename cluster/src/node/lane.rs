//! One match's part of a node: what its thread writes, and what the node knows of its lease.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tickwire_protocol::MatchId;
use tokio::sync::watch;

use super::pending::Pending;
use crate::store::Epoch;

/// Whether a match's frames wait for the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// No: it plays on while the store is away, and what was not flushed may be lost with its node.
    Available,
    /// Yes: what anybody has been told is in the store.
    Consistent,
}

/// What a node knows of the lease of a match that it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It lasts.
    Held,
    /// It may be over, or was for a while, and a later owner may still come forward: a consistent
    /// match must not tick, an available one plays on.
    Doubtful,
    /// The match is another node's by now, or was handed over, or has ended: it must stop here.
    Fenced,
}

/// What the thread of a match and its node's driver share.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) id: MatchId,
    pub(super) epoch: Epoch,
    pub(super) is_consistent: AtomicBool,
    pending: Mutex<Pending>,
    acked: watch::Sender<u64>,
    /// Until when the lease lasts for sure: microseconds of the node's clock.
    held_until: AtomicU64,
    /// It counts as doubtful until then all the same.
    doubtful_until: AtomicU64,
    /// The match is another's, or has ended.
    is_fenced: AtomicBool,
    /// Nothing more is written of it from here.
    is_closed: AtomicBool,
    /// The store has had it once.
    is_known: AtomicBool,
}

impl Lane {
    pub(super) fn new(id: MatchId, epoch: Epoch, next: u64, has_checkpoint: bool) -> Self {
        Self {
            id,
            epoch,
            is_consistent: AtomicBool::new(false),
            pending: Mutex::new(Pending::new(next, has_checkpoint)),
            acked: watch::Sender::new(if has_checkpoint { next } else { 0 }),
            held_until: AtomicU64::new(0),
            doubtful_until: AtomicU64::new(0),
            is_fenced: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            is_known: AtomicBool::new(has_checkpoint),
        }
    }

    /// Short, from both sides: bytes are copied, and nothing is waited for.
    pub(super) fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn acked(&self) -> u64 {
        *self.acked.borrow()
    }

    pub(super) fn watch_acked(&self) -> watch::Receiver<u64> {
        self.acked.subscribe()
    }

    /// Records below `number` are in the store. Also wakes who waits for the rest of what a write
    /// has done.
    pub(super) fn ack(&self, number: Option<u64>) {
        self.acked.send_modify(|acked| *acked = number.map_or(*acked, |number| number.max(*acked)));
    }

    /// The lease was renewed, at `since` at the earliest.
    pub(super) fn renewed(&self, until: Duration) {
        self.held_until.fetch_max(micros(until), Ordering::AcqRel);
    }

    /// It is doubtful until then, whatever the store says.
    pub(super) fn doubt_until(&self, until: Duration) {
        self.doubtful_until.fetch_max(micros(until), Ordering::AcqRel);
    }

    /// Whether it was held once, and was no longer at `now`.
    pub(super) fn has_lapsed(&self, now: Duration) -> bool {
        let until = self.held_until.load(Ordering::Acquire);
        until > 0 && until <= micros(now)
    }

    pub(super) fn held_until(&self) -> Duration {
        Duration::from_micros(self.held_until.load(Ordering::Acquire))
    }

    pub(super) fn standing(&self, now: Duration) -> Standing {
        let now = micros(now);
        if !self.is_open() {
            Standing::Fenced
        } else if now < self.held_until.load(Ordering::Acquire) && now >= self.doubtful_until.load(Ordering::Acquire) {
            Standing::Held
        } else {
            Standing::Doubtful
        }
    }

    /// Says whether it was not fenced before.
    pub(super) fn fence(&self) -> bool {
        let was_fenced = self.is_fenced.swap(true, Ordering::AcqRel);
        // Whoever waits for a number looks at the standing again.
        self.ack(None);
        !was_fenced
    }

    pub(super) fn is_fenced(&self) -> bool {
        self.is_fenced.load(Ordering::Acquire)
    }

    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.ack(None);
    }

    /// Whether its writes still go to the store.
    pub(super) fn is_open(&self) -> bool {
        !self.is_closed.load(Ordering::Acquire) && !self.is_fenced()
    }

    /// The store has it from now on. Says whether it had it before.
    pub(super) fn known(&self) -> bool {
        self.is_known.swap(true, Ordering::AcqRel)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
