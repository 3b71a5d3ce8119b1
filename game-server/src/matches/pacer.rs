//! A worker's sleep, to the microsecond: tokio's timers are a millisecond coarse.
//!
//! A worker's runtime parks its thread when no task has anything to do. It calls [`Pacer::nap`]
//! just before, and the nap sleeps until the next tick, or for `STEP` if that is further away.
//!
//! ```text
//! run tasks -> nothing to do -> nap: sleep min(next alarm, STEP) -> wake who is due -> run tasks ...
//!                                                              \-> nobody is due: wake the first
//!
//! alarms      A        B B                    C
//! time   -----|--------|-|--------------------|----->
//! naps   zzzzz|zzzzzzzz|z|zzzzzzzz|zzzzzzzz|zz|        the longest is STEP: then the runtime
//!                                                      looks for commands and closing sockets
//! ```
//!
//! Why the first is woken when nobody is due: a runtime that has something to do does not park, and
//! so comes back here; one that parks wakes for tokio's own timers, a millisecond late. The task that
//! was woken finds that its time has not come and waits again. Players' sockets are nobody's concern
//! between ticks.
//!
//! A match whose tick is over its time sets an alarm that should have rung already. It must not run
//! on at once, or the commands and the matches beside it would never have a turn: `is_late` makes it
//! wait for the next nap, which lasts for no time and wakes everyone who is due.
//!
//! Invariants: no alarm rings early; a worker is deaf for `STEP` at most; who is always late takes its turn with the others.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::time::Instant;

/// The longest sleep.
const STEP: Duration = Duration::from_millis(4);

/// Lets the sleeps of the calling thread end when they should. Else the kernel lets each last up to 50 µs longer, to wake threads together.
pub fn sleep_exactly() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Err(error) = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1)) {
        tracing::debug!(%error, "ticks start up to 50 µs later than they could");
    }
}

/// The alarms of one worker's matches.
#[derive(Debug, Default)]
pub struct Pacer {
    alarms: Mutex<BinaryHeap<Reverse<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    at: Instant,
    /// Gone when the alarm was dropped.
    sleeper: Weak<Sleeper>,
}

/// Whoever waits for an alarm.
#[derive(Debug, Default)]
struct Sleeper {
    waker: AtomicWaker,
    /// Whether it was late when it lay down: then it waits to be called, however late it is.
    is_late: AtomicBool,
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
    /// Sleeps as told above and rings the alarms that are due. To be called by the worker's thread when it is about to park.
    pub fn nap(&self) {
        self.timed_nap();
    }

    /// The same. Returns how much longer it lasted than it was meant to: so long the thread waited for a processor.
    pub fn timed_nap(&self) -> Duration {
        let Some(next) = self.alarms().peek().map(|Reverse(entry)| entry.at) else { return Duration::ZERO };
        let began = Instant::now();
        let meant = next.saturating_duration_since(began).min(STEP);
        std::thread::sleep(meant);
        let now = Instant::now();
        let mut alarms = self.alarms();
        let mut has_rung = false;
        while let Some(Reverse(entry)) = alarms.peek() {
            let is_due = entry.at <= now;
            if !is_due && has_rung {
                break;
            }
            // The first is woken even if it is not due: a thread that has something to do does not park, and comes back here.
            if let Some(sleeper) = entry.sleeper.upgrade() {
                sleeper.waker.wake();
                has_rung = true;
                if !is_due {
                    break;
                }
                sleeper.is_late.store(false, Relaxed);
            }
            alarms.pop();
        }
        now.saturating_duration_since(began + meant)
    }

    /// An alarm, to be set.
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
    /// To ring at `at`. An alarm that has rung rings again only when it is set again. One that should have rung already does so when the
    /// worker's thread would park: who is never in time must not keep the others, nor its own commands, from having their turn.
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
