//! A worker's sleep: to the microsecond for ticks, and long enough that what arrives meanwhile is read together.
//!
//! tokio's timers are a millisecond coarse, and its driver wakes for every packet. A worker about to park therefore sleeps first: up to
//! the next tick if that is near, else `NAP`. Packets wait in the kernel, and one look at the sockets afterwards finds them all.
//! Without anything to do soon the worker then parks as usual, and a coarse timer brings it back in time.
//!
//! Invariants: no alarm rings early; a worker is deaf for `NEAR` at most.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::time::{Instant, Sleep};

/// How long packets are let gather.
const NAP: Duration = Duration::from_millis(2);
/// A tick so near is slept up to without looking at the sockets.
const NEAR: Duration = Duration::from_millis(4);
/// How much before a tick the coarse timer is set: less than [`NEAR`], and more than it is late.
const COARSE: Duration = Duration::from_millis(3);

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
    sleeper: Arc<AtomicWaker>,
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
        let Some(next) = self.alarms().peek().map(|Reverse(entry)| entry.at) else { return };
        let left = next.saturating_duration_since(Instant::now());
        std::thread::sleep(if left <= NEAR { left } else { NAP });
        let now = Instant::now();
        let mut alarms = self.alarms();
        while let Some(Reverse(entry)) = alarms.peek()
            && entry.at <= now
        {
            alarms.pop().inspect(|Reverse(entry)| entry.sleeper.wake());
        }
    }

    /// An alarm, to be set.
    pub fn alarm(self: &Arc<Self>) -> Alarm {
        Alarm { pacer: Arc::clone(self), at: Instant::now(), sleeper: Arc::default(), coarse: Box::pin(tokio::time::sleep(Duration::ZERO)) }
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
    sleeper: Arc<AtomicWaker>,
    /// Sees to it that the worker is awake a little before.
    coarse: Pin<Box<Sleep>>,
}

impl Alarm {
    /// To ring at `at`. An alarm that has rung rings again only when it is set again.
    pub fn set(&mut self, at: Instant) {
        self.at = at;
        self.coarse.as_mut().reset(at.checked_sub(COARSE).unwrap_or(at));
        self.pacer.alarms().push(Reverse(Entry { at, sleeper: Arc::clone(&self.sleeper) }));
    }
}

impl Drop for Alarm {
    /// Its entry stays until it is due, and must not keep the match's task, and with it the runtime, until then.
    fn drop(&mut self) {
        self.sleeper.take();
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.at {
            return Poll::Ready(());
        }
        self.sleeper.register(context.waker());
        let _ = self.coarse.as_mut().poll(context);
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
        assert_eq!(rung.0.load(std::sync::atomic::Ordering::Relaxed), 1);
        assert!(Pin::new(&mut soon).poll(&mut context).is_ready());
        drop(waker);
        drop((soon, late));
        assert_eq!(Arc::strong_count(&rung), 1, "the hour's entry is still there, its waker is not");
    }
}
