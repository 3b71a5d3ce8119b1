//! Injected figures: no test here takes time.

use super::*;

const INTERVAL: Duration = Duration::from_millis(20);

/// A worker whose time is told, beat by beat.
struct Worker {
    load: Arc<Load>,
    gauge: Gauge,
    now: Instant,
}

impl Worker {
    fn new(busy_percent: u8, late_percent: u8) -> Self {
        let now = Instant::now();
        Self { load: Load::new(HeadroomConfig { busy_percent, late_percent }), gauge: Gauge::new(now), now }
    }

    /// `beats` in which it worked for `percent` of the time.
    fn work(&mut self, beats: usize, percent: u32) {
        for _ in 0..beats {
            self.now += BEAT;
            self.load.slept(BEAT * (100 - percent) / 100);
            self.gauge.beat(self.now, &self.load);
        }
    }

    /// A beat of `ticks`, of which `late` were late.
    fn tick(&mut self, ticks: u64, late: u64) {
        for nth in 0..ticks {
            self.load.ticked(0, Duration::from_millis(1), INTERVAL, nth < late);
        }
        self.work(1, 10);
    }

    fn has_room(&self) -> bool {
        self.load.has_room(0, Comer::New)
    }
}

#[test]
fn a_busy_worker_takes_nobody_new_until_it_is_much_less_busy() {
    let mut worker = Worker::new(80, 0);
    let _running = worker.load.wake(0);
    worker.load.ticked(0, Duration::from_millis(1), INTERVAL, false);
    worker.work(8, 70);
    assert!(worker.has_room() && !worker.load.is_full());
    worker.work(8, 78);
    assert!(!worker.has_room() && !worker.load.is_full(), "less is left than a match costs");
    worker.work(8, 85);
    assert!(!worker.has_room() && worker.load.is_full());
    worker.work(8, 74);
    assert!(!worker.has_room() && worker.load.is_full(), "not much less");
    worker.work(8, 69);
    assert!(worker.has_room() && !worker.load.is_full());
}

#[test]
fn who_comes_back_may_use_more_than_who_is_new() {
    let mut worker = Worker::new(80, 10);
    let _running = worker.load.wake(0);
    worker.load.ticked(0, Duration::from_millis(1), INTERVAL, false);
    worker.work(9, 84);
    assert!(!worker.has_room() && worker.load.has_room(0, Comer::Returning));
    worker.work(8, 88);
    assert!(!worker.load.has_room(0, Comer::Returning));
}

#[test]
fn a_crowd_within_one_measurement_is_counted_by_what_its_matches_will_cost() {
    let mut worker = Worker::new(80, 0);
    let mut awake = vec![worker.load.wake(0)];
    // A match takes a twentieth of the worker.
    worker.load.ticked(0, Duration::from_millis(1), INTERVAL, false);
    worker.work(9, 5);
    while worker.has_room() {
        awake.push(worker.load.wake(0));
    }
    assert_eq!(awake.len(), 16, "80 % are sixteen times 5 %");
    // As they cost what was promised, nothing changes while the measurement comes to show it.
    for _ in 0..12 {
        worker.work(1, 80);
        assert!(!worker.has_room());
    }
    assert!((790_000..=810_000).contains(&worker.load.expected()), "{}", worker.load.expected());
    // Most of them end.
    awake.truncate(2);
    worker.work(8, 10);
    assert!(worker.has_room());
}

#[test]
fn of_a_mode_that_was_never_played_a_few_are_taken_at_once() {
    let worker = Worker::new(80, 0);
    let mut awake = Vec::new();
    while worker.has_room() {
        awake.push(worker.load.wake(3));
    }
    assert_eq!(awake.len(), 8);
}

#[test]
fn ticks_that_start_late_stop_everyone_however_little_the_worker_does() {
    let mut worker = Worker::new(80, 10);
    let _running = worker.load.wake(0);
    for _ in 0..8 {
        worker.tick(50, 4);
    }
    assert!(worker.has_room());
    for _ in 0..8 {
        worker.tick(50, 10);
    }
    assert!(!worker.has_room() && !worker.load.has_room(0, Comer::Returning) && worker.load.is_full());
    for _ in 0..8 {
        worker.tick(50, 4);
    }
    assert!(!worker.has_room(), "not half of what it may be");
    for _ in 0..8 {
        worker.tick(50, 1);
    }
    assert!(worker.has_room());
}

#[test]
fn a_worker_without_matches_takes_the_first_one_however_slow_the_machine_is() {
    let mut worker = Worker::new(80, 10);
    worker.work(8, 100);
    assert!(worker.has_room() && !worker.load.is_full());
    let first = worker.load.wake(0);
    assert!(!worker.has_room());
    drop(first);
    assert!(worker.has_room());
}

#[test]
fn with_no_limit_there_is_always_room() {
    let mut worker = Worker::new(0, 0);
    let _running = worker.load.wake(0);
    for _ in 0..8 {
        worker.tick(50, 50);
        worker.work(1, 100);
    }
    assert!(worker.has_room() && !worker.load.is_full());
}
