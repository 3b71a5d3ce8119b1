//! One direction of a link: segments on their way, in order, each with the link time at which it is there.
//!
//! Bounded in bytes and in segments. A segment is handed on when it is due *and* all before it are: that is TCP's head of the line.
//!
//! A lost segment is sent again as Linux does (RFC 6298, RFC 8985): once a later segment has come and its acknowledgement has waited for
//! reordering, a quarter of a round trip, or at the latest when the retransmission timer runs out, a round trip and 200 ms after it was
//! sent. Losses of what is sent again are drawn singly, since the burst is over by then, and double the timer. Left out: congestion
//! windows, which flows of a few kB/s do not fill, and tail loss probes, which for a lone segment come no sooner than the timer.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::time::Duration;

use tickwire_game::Rng;
use tokio::time::Instant;

use super::conditions::{Conditions, Loss};

/// What one direction holds at most: about the window that a connection begins with. More than this per round trip never gets through.
pub(super) const QUEUE_BYTES_MAX: usize = 64 * 1024;
/// As many segments of a single byte are a queue of their own, so they are bounded too.
pub(super) const QUEUE_SEGMENTS_MAX: usize = 1024;
/// An Ethernet frame's payload without the usual headers of tunnels, IP and TCP.
pub(super) const SEGMENT_BYTES: usize = 1_400;

pub(super) struct Lane {
    delay: Duration,
    jitter: Duration,
    round_trip: Duration,
    rate: Option<NonZeroU64>,
    loss: Option<Gilbert>,
    rng: Rng,
    bytes: VecDeque<u8>,
    segments: VecDeque<Segment>,
    /// When the first of the bytes taken away since this was last asked came in, and the last of
    /// all.
    taken: (Option<Instant>, Option<Instant>),
    /// When the last segment will have left.
    line_free_at: Duration,
}

struct Segment {
    /// 0 for the end of the stream.
    len: usize,
    /// On the wall's clock, which no stall of the link holds up.
    came: Instant,
    due: Duration,
    /// Of a lost one that nothing has followed yet: from being sent again to being there.
    resent_for: Option<Duration>,
}

impl Lane {
    pub(super) fn new(conditions: &Conditions, rate: Option<NonZeroU64>, rng: Rng) -> Self {
        Self {
            delay: conditions.delay,
            jitter: conditions.jitter,
            round_trip: conditions.round_trip(),
            rate,
            loss: conditions.loss.map(Gilbert::new),
            rng,
            bytes: VecDeque::new(),
            segments: VecDeque::new(),
            taken: (None, None),
            line_free_at: Duration::ZERO,
        }
    }

    /// Bytes that [`Lane::push`] takes now.
    pub(super) fn room(&self) -> usize {
        let segments = QUEUE_SEGMENTS_MAX.saturating_sub(self.segments.len());
        QUEUE_BYTES_MAX.saturating_sub(self.bytes.len()).min(segments * SEGMENT_BYTES)
    }

    /// Sends bytes, at most [`Lane::room`] of them.
    pub(super) fn push(&mut self, now: Duration, bytes: &[u8]) {
        self.bytes.extend(bytes);
        for segment in bytes.chunks(SEGMENT_BYTES) {
            self.send(now, segment.len());
        }
    }

    /// Sends the end of the stream.
    pub(super) fn push_end(&mut self, now: Duration) {
        self.send(now, 0);
    }

    fn send(&mut self, now: Duration, len: usize) {
        let came = Instant::now();
        let sent = now.max(self.line_free_at) + self.rate.map_or(Duration::ZERO, |rate| serialisation(len, rate));
        self.line_free_at = sent;
        let travel = self.delay + self.draw_jitter();
        if self.loss.as_mut().is_some_and(|loss| loss.loses_next(&mut self.rng)) {
            let resent_for = travel + self.resending_again();
            let due = sent + self.timer() + resent_for;
            self.segments.push_back(Segment { len, came, due, resent_for: Some(resent_for) });
            return;
        }
        let noticed = sent + self.round_trip * 5 / 4;
        for lost in &mut self.segments {
            if let Some(resent_for) = lost.resent_for.take() {
                lost.due = lost.due.min(noticed + resent_for);
            }
        }
        self.segments.push_back(Segment { len, came, due: sent + travel, resent_for: None });
    }

    fn draw_jitter(&mut self) -> Duration {
        let micros = u32::try_from(self.jitter.as_micros()).unwrap_or(u32::MAX);
        if micros == 0 { Duration::ZERO } else { Duration::from_micros(u64::from(self.rng.below(micros.saturating_add(1)))) }
    }

    fn timer(&self) -> Duration {
        self.round_trip + TIMER_VARIANCE_MIN
    }

    /// The time that losses of the same segment sent again add.
    fn resending_again(&mut self) -> Duration {
        let Some(loss) = &self.loss else { return Duration::ZERO };
        let lost_again = (0..RESENT_LOST_MAX).take_while(|_| loss.loses_a_single_one(&mut self.rng)).count();
        (1..=lost_again).map(|attempt| self.timer() * (1 << attempt)).sum()
    }

    /// What of the head of the line is there now, as far as it lies together; empty if nothing is.
    pub(super) fn arrived(&self, now: Duration) -> &[u8] {
        let whole = self.segments.iter().take_while(|segment| segment.len > 0 && segment.due <= now);
        let front = self.bytes.as_slices().0;
        let mut len = 0;
        for segment in whole {
            len += segment.len;
            if len >= front.len() {
                return front;
            }
        }
        front.get(..len).unwrap_or(front)
    }

    /// Takes the first `len` bytes away.
    pub(super) fn consume(&mut self, len: usize) {
        self.bytes.drain(..len);
        let mut left = len;
        while left > 0 {
            let Some(head) = self.segments.front_mut() else { return };
            let taken = head.len.min(left);
            self.taken = (self.taken.0.or(Some(head.came)), Some(head.came));
            head.len -= taken;
            left -= taken;
            if head.len == 0 {
                self.segments.pop_front();
            }
        }
    }

    /// When the first and the last of the bytes taken away since this was last asked came in. If
    /// there were none since, both are the last before; `None` if there were none at all.
    pub(super) fn take_arrivals(&mut self) -> Option<(Instant, Instant)> {
        let last = self.taken.1?;
        Some((self.taken.0.take().unwrap_or(last), last))
    }

    /// When the oldest of the bytes on their way came in.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.segments.front().filter(|head| head.len > 0).map(|head| head.came)
    }

    /// Whether the end of the stream is there. It stays.
    pub(super) fn is_at_end(&self, now: Duration) -> bool {
        self.segments.front().is_some_and(|head| head.len == 0 && head.due <= now)
    }

    /// Whether there is anything to take, bytes or the end.
    pub(super) fn has_arrived(&self, now: Duration) -> bool {
        self.segments.front().is_some_and(|head| head.due <= now)
    }

    /// When the head of the line will be there, if it is not yet.
    pub(super) fn next_arrival(&self, now: Duration) -> Option<Duration> {
        self.segments.front().map(|head| head.due).filter(|due| *due > now)
    }

    /// Forgets everything on its way.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.segments.clear();
    }
}

/// Linux's floor under what the timer adds to a round trip (`TCP_RTO_MIN`).
const TIMER_VARIANCE_MIN: Duration = Duration::from_millis(200);
/// After so many the doubling timer is past any player's patience.
const RESENT_LOST_MAX: u32 = 4;

fn serialisation(len: usize, rate: NonZeroU64) -> Duration {
    Duration::from_nanos(len as u64 * 1_000_000_000 / rate)
}

/// Gilbert's two states as probabilities of changing them, in 2^-32.
struct Gilbert {
    enter: u64,
    leave: u64,
    single: u64,
    is_losing: bool,
}

impl Gilbert {
    fn new(loss: Loss) -> Self {
        let per_million = f64::from(loss.per_million.min(Loss::PER_MILLION_MAX));
        let leave = 1.0 / f64::from(loss.burst.max(1));
        let scaled = |probability: f64| (probability.min(1.0) * (1u64 << 32) as f64) as u64;
        // In the long run a share of enter / (enter + leave) of all segments is lost.
        Self {
            enter: scaled(leave * per_million / (1_000_000.0 - per_million)),
            leave: scaled(leave),
            single: scaled(per_million / 1_000_000.0),
            is_losing: false,
        }
    }

    fn loses_next(&mut self, rng: &mut Rng) -> bool {
        let changes = draw(rng) < if self.is_losing { self.leave } else { self.enter };
        self.is_losing ^= changes;
        self.is_losing
    }

    fn loses_a_single_one(&self, rng: &mut Rng) -> bool {
        draw(rng) < self.single
    }
}

fn draw(rng: &mut Rng) -> u64 {
    rng.next_u64() >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn lane(text: &str) -> Lane {
        let conditions: Conditions = text.parse().unwrap();
        Lane::new(&conditions, conditions.down, Rng::new(3))
    }

    /// A lane that loses exactly its next segment.
    fn losing_next(text: &str) -> Lane {
        let mut lane = lane(text);
        lane.loss = Some(Gilbert { enter: 1 << 32, leave: 1 << 32, single: 0, is_losing: false });
        lane
    }

    #[test]
    fn losses_are_as_many_and_as_long_as_said() {
        let mut rng = Rng::new(5);
        let mut gilbert = Gilbert::new(Loss { per_million: 20_000, burst: 5 });
        let lost: Vec<bool> = (0..1_000_000).map(|_| gilbert.loses_next(&mut rng)).collect();
        let count = lost.iter().filter(|lost| **lost).count();
        let bursts = lost.windows(2).filter(|pair| pair == &[false, true]).count();
        assert!((19_000..21_000).contains(&count), "2 % of a million: {count}");
        assert!((4.7..5.3).contains(&(count as f64 / bursts as f64)), "five in a row: {count} in {bursts}");
    }

    #[test]
    fn a_lost_segment_that_nothing_follows_waits_for_the_timer() {
        let mut lane = losing_next("delay=40ms");
        lane.push(MS, b"lost");
        assert_eq!(lane.next_arrival(MS), Some(MS + 80 * MS + 200 * MS + 40 * MS));
    }

    #[test]
    fn a_later_segment_lets_a_loss_be_noticed_and_waits_behind_it() {
        let mut lane = losing_next("delay=40ms");
        lane.push(MS, b"lost");
        lane.push(34 * MS, b"next");
        let noticed = 34 * MS + 100 * MS;
        assert_eq!(lane.next_arrival(74 * MS), Some(noticed + 40 * MS), "the next is there, but not its turn");
        assert_eq!(lane.arrived(noticed + 39 * MS), b"");
        assert_eq!(lane.arrived(noticed + 40 * MS), b"lostnext");
    }

    #[test]
    fn a_loss_is_noticed_once() {
        let mut lane = losing_next("delay=40ms");
        lane.push(Duration::ZERO, b"lost");
        lane.push(10 * MS, b"next");
        let due = lane.next_arrival(Duration::ZERO);
        lane.loss = None;
        lane.push(20 * MS, b"later");
        assert_eq!(lane.next_arrival(Duration::ZERO), due);
    }

    #[test]
    fn both_bounds_hold() {
        let mut lane = lane("delay=1s");
        lane.push(Duration::ZERO, &vec![0; QUEUE_BYTES_MAX - 1]);
        assert_eq!(lane.room(), 1);
        lane.clear();
        for _ in 0..QUEUE_SEGMENTS_MAX {
            assert!(lane.room() > 0);
            lane.push(Duration::ZERO, &[1]);
        }
        assert_eq!(lane.room(), 0);
    }

    #[test]
    fn segments_leave_one_after_another() {
        let mut lane = lane("down=8kbit,delay=10ms");
        lane.push(Duration::ZERO, &[1; 100]);
        lane.push(Duration::ZERO, &[2; 100]);
        assert_eq!(lane.arrived(110 * MS), [1; 100]);
        lane.consume(30);
        assert_eq!(lane.arrived(209 * MS), [1; 70]);
        lane.consume(70);
        assert_eq!(lane.next_arrival(110 * MS), Some(210 * MS));
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_are_known_by_when_they_came_in() {
        let mut lane = lane("delay=10ms");
        let start = Instant::now();
        lane.push(Duration::ZERO, b"ab");
        tokio::time::advance(5 * MS).await;
        lane.push(5 * MS, b"c");
        assert_eq!((lane.waiting_since(), lane.take_arrivals()), (Some(start), None));
        lane.consume(1);
        assert_eq!((lane.waiting_since(), lane.take_arrivals()), (Some(start), Some((start, start))));
        lane.consume(2);
        assert_eq!((lane.waiting_since(), lane.take_arrivals()), (None, Some((start, start + 5 * MS))));
        assert_eq!(lane.take_arrivals(), Some((start + 5 * MS, start + 5 * MS)), "nothing more was taken");
    }

    #[test]
    fn the_end_comes_after_the_bytes_and_stays() {
        let mut lane = lane("delay=10ms");
        lane.push(Duration::ZERO, b"last");
        lane.push_end(MS);
        assert!(!lane.is_at_end(20 * MS), "bytes come first");
        lane.consume(4);
        assert!(!lane.is_at_end(10 * MS) && lane.is_at_end(11 * MS) && lane.is_at_end(12 * MS));
    }
}
