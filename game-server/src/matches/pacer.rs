//! A worker's sleep, to the microsecond: tokio's timers are a millisecond coarse.
//!
//! Each match of a worker sets one alarm, to its next tick's deadline. When no task of the worker
//! has anything to do, tokio is about to park the thread. The worker then naps in place of that: it
//! sleeps until the first alarm is due, or for `STEP` if that is sooner.
//!
//! ```text
//!             A ticks   B ticks     nothing to do        not due yet      C is due
//! thread   --[#######]-[#####]--(nap: STEP, 4 ms)-[look]-(nap: 1.2 ms)-[########]---> time
//!                                                   |                   C ticks
//!                         commands, and sockets on their way out
//!
//! alarms, soonest first:   C 5.2 ms | A 33.1 ms | B 34.0 ms
//! ```
//!
//! After a nap every alarm that is due rings: it wakes its match. If none is due, the first is
//! woken all the same. Its match sees that it is early and waits again. So the thread has had
//! something to do and does not park; tokio has looked for commands meanwhile; and the next nap
//! begins. Between ticks nobody looks at players' sockets.
//!
//! Invariants: no alarm rings early; a worker hears nothing for `STEP` at most; a match that is
//! always late takes its turn with the others.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::time::Instant;

/// The longest nap: so long a command may wait for a worker that has nothing to do.
const STEP: Duration = Duration::from_millis(4);

/// Lets the sleeps of the calling thread end when they should. Without it the kernel lets each last
/// up to 50 µs longer, to wake threads together.
pub fn sleep_exactly() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Err(error) = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1)) {
        tracing::debug!(%error, "ticks start up to 50 µs later than they could");
    }
}

/// The alarms of one worker's matches.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use tickwire_server::matches::pacer::Pacer;
/// use tokio::time::Instant;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let pacer = Arc::<Pacer>::default();
/// let deadline = Instant::now() + Duration::from_millis(1);
/// let mut alarm = pacer.alarm();
/// alarm.set(deadline);
/// // A worker's runtime does this whenever it is about to park.
/// let worker = std::thread::spawn(move || while Arc::strong_count(&pacer) > 1 { pacer.nap() });
/// alarm.await;
/// assert!(Instant::now() >= deadline);
/// # worker.join().expect("it ends with the last alarm");
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Pacer {
    alarms: Mutex<BinaryHeap<Reverse<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    at: Instant,
    /// Cannot be upgraded once the alarm was dropped: such an entry is passed over.
    sleeper: Weak<Sleeper>,
}

/// The match that waits for an alarm.
#[derive(Debug, Default)]
struct Sleeper {
    waker: AtomicWaker,
    /// Whether the alarm was set to a moment that had passed. Then it rings in the next nap only,
    /// not at once: the worker's other matches and commands come first.
    is_late: AtomicBool,
}

impl Entry {
    fn is_dropped(&self) -> bool {
        self.sleeper.strong_count() == 0
    }
}

impl Sleeper {
    /// Wakes the match that waits for the alarm. Returns whether one did.
    fn wake(&self) -> bool {
        self.waker.take().map(std::task::Waker::wake).is_some()
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

impl Pacer {
    /// Naps once and rings the alarms that are due. The worker's thread calls it when it is about
    /// to park.
    pub fn nap(&self) {
        self.timed_nap();
    }

    /// Naps once, as [`Pacer::nap`]. Returns how much longer the nap lasted than it was meant to:
    /// so long the thread waited for a processor.
    pub fn timed_nap(&self) -> Duration {
        let Some(next) = self.alarms().peek().map(|Reverse(entry)| entry.at) else { return Duration::ZERO };
        let began = Instant::now();
        let meant = next.saturating_duration_since(began).min(STEP);
        std::thread::sleep(meant);
        let now = Instant::now();
        let mut alarms = self.alarms();
        let mut has_woken = false;
        while let Some(Reverse(entry)) = alarms.peek().filter(|Reverse(entry)| entry.at <= now || entry.is_dropped()) {
            if let Some(sleeper) = entry.sleeper.upgrade() {
                sleeper.is_late.store(false, Relaxed);
                has_woken |= sleeper.wake();
            }
            alarms.pop();
        }
        if !has_woken {
            // A thread that has something to do does not park, and comes back here. So somebody is
            // woken who is not due, mostly the first. A match that fell asleep, or is busy with a
            // command, does not wait for its alarm and cannot stand for the others.
            let _ = alarms.iter().any(|Reverse(entry)| entry.sleeper.upgrade().is_some_and(|sleeper| sleeper.wake()));
        }
        now.saturating_duration_since(began + meant)
    }

    /// A new alarm, which does not ring before it is set.
    pub fn alarm(self: &Arc<Self>) -> Alarm {
        Alarm { pacer: Arc::clone(self), at: Instant::now(), sleeper: Arc::default() }
    }

    fn alarms(&self) -> MutexGuard<'_, BinaryHeap<Reverse<Entry>>> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One match's alarm.
#[derive(Debug)]
pub struct Alarm {
    pacer: Arc<Pacer>,
    at: Instant,
    sleeper: Arc<Sleeper>,
}

impl Alarm {
    /// Lets the alarm ring at `at`, once. If `at` has passed already, it rings when the worker's
    /// thread would park: a match that is never in time must not keep the others, nor its own
    /// commands, from having their turn.
    pub fn set(&mut self, at: Instant) {
        self.at = at;
        self.sleeper.is_late.store(at <= Instant::now(), Relaxed);
        self.pacer.alarms().push(Reverse(Entry { at, sleeper: Arc::downgrade(&self.sleeper) }));
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.at && !self.sleeper.is_late.load(Relaxed) {
            return Poll::Ready(());
        }
        self.sleeper.waker.register(context.waker());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::task::Wake;

    use super::*;

    struct Rung(std::sync::atomic::AtomicU32);

    impl Wake for Rung {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn an_alarm_rings_when_it_is_due_and_a_dropped_one_keeps_nothing() {
        let pacer = Arc::<Pacer>::default();
        let count = |rung: &Rung| rung.0.load(std::sync::atomic::Ordering::Relaxed);
        let rung = Arc::new(Rung(0.into()));
        let waker = Arc::clone(&rung).into();
        let mut context = Context::from_waker(&waker);
        let (mut soon, mut late) = (pacer.alarm(), pacer.alarm());
        let due = Instant::now() + Duration::from_millis(3);
        soon.set(due);
        late.set(due + Duration::from_hours(1));
        assert!([&mut soon, &mut late].into_iter().all(|alarm| Pin::new(alarm).poll(&mut context).is_pending()));
        pacer.nap();
        assert!(Instant::now() >= due);
        assert_eq!(count(&rung), 1);
        assert!(Pin::new(&mut soon).poll(&mut context).is_ready());
        pacer.nap();
        assert_eq!(count(&rung), 2, "nothing is due, and the thread is kept from parking");
        assert!(Pin::new(&mut late).poll(&mut context).is_pending());
        drop(waker);
        drop((soon, late));
        assert_eq!(Arc::strong_count(&rung), 1, "the hour's entry is still there, its waker is not");
        pacer.nap();
        assert!(pacer.alarms().is_empty());
    }

    /// A match that falls asleep leaves its last alarm behind. Its worker parked until something
    /// came in, and all its other matches were late.
    #[tokio::test]
    async fn who_does_not_wait_any_more_lets_nobody_oversleep() {
        let pacer = Arc::<Pacer>::default();
        let rung = Arc::new(Rung(0.into()));
        let waker = Arc::clone(&rung).into();
        let (mut asleep, mut awake) = (pacer.alarm(), pacer.alarm());
        let soon = Instant::now() + Duration::from_hours(1);
        asleep.set(soon);
        awake.set(soon + Duration::from_millis(1));
        assert!(Pin::new(&mut asleep).poll(&mut Context::from_waker(std::task::Waker::noop())).is_pending());
        assert!(Pin::new(&mut awake).poll(&mut Context::from_waker(&waker)).is_pending());
        pacer.nap();
        pacer.nap();
        assert_eq!(rung.0.load(Relaxed), 1, "the first was woken once, does not wait again, and the other is woken in its place");
    }

    #[tokio::test]
    async fn an_alarm_that_is_set_too_late_takes_its_turn() {
        let pacer = Arc::<Pacer>::default();
        let mut context = Context::from_waker(std::task::Waker::noop());
        let (mut late, mut other) = (pacer.alarm(), pacer.alarm());
        let now = Instant::now();
        other.set(now + Duration::from_millis(1));
        late.set(now);
        assert!(Pin::new(&mut late).poll(&mut context).is_pending(), "the thread has not come to park");
        std::thread::sleep(Duration::from_millis(2));
        pacer.nap();
        assert!([late, other].iter_mut().all(|alarm| Pin::new(alarm).poll(&mut context).is_ready()), "both had their turn");
    }
}
