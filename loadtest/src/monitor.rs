//! Looks at everything once a second: the bots' board, the generator itself, the server's metrics. Says how it goes, and
//! keeps the series that a report is drawn from.

mod excuse;
mod own;
mod scrape;

use std::sync::Arc;
use std::time::Duration;

use tickwire_testkit::measure::{Measure, Tally};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

pub use own::{Own, OwnSecond, Pulse, cores};
pub use scrape::Scraper;

use crate::board::Board;
use crate::capacity::Search;
use crate::report::{Second, ServerSecond};

/// Longest series kept, seconds: two days.
const SECONDS_MAX: usize = 48 * 60 * 60;

/// The end of a run, seconds, from which on it is a second of its own.
const SECOND_MIN: f64 = 0.5;

/// The server's metrics are waited for so long, so that the next second is looked at in time.
const ANSWER: Duration = Duration::from_millis(800);

/// What a monitor watches.
pub struct Monitor {
    /// The bots' board.
    pub board: Arc<Board>,
    /// This process.
    pub own: Own,
    /// The server's metrics, if they are to be read.
    pub scraper: Option<Scraper>,
    /// Users that are to be sent. While they are, and while they leave, the generator is not
    /// judged.
    pub users_wanted: u64,
    /// The search for the capacity, if there is one.
    pub search: Option<Search>,
    /// Says how it goes.
    pub progress: Box<dyn FnMut(&Second) + Send>,
}

/// What a monitor saw.
pub struct Watched {
    /// Everything the bots felt.
    pub total: Tally,
    /// Second by second.
    pub series: Vec<Second>,
    /// Most users at once.
    pub users_max: u64,
    /// This process.
    pub own: Own,
    /// The search, with what it found.
    pub search: Option<Search>,
}

impl Monitor {
    /// Watches until `stop` says so, by a message or by being dropped; then once more.
    pub async fn watch(mut self, mut stop: mpsc::Receiver<()>) -> Watched {
        let began = Instant::now();
        let mut seconds = tokio::time::interval_at(began + Duration::from_secs(1), Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut watched = Watched { total: Tally::default(), series: Vec::new(), users_max: 0, own: self.own, search: self.search };
        loop {
            let is_last = tokio::select! {
                _ = seconds.tick() => false,
                _ = stop.recv() => true,
            };
            let tally = self.board.take_second();
            let users = self.board.users();
            watched.users_max = watched.users_max.max(users);
            let own = watched.own.look(watched.search.is_some() || self.board.sent() >= self.users_wanted && !self.board.ends());
            let at = began.elapsed().as_secs_f64();
            let server = match &mut self.scraper {
                Some(scraper) => ask(scraper).await,
                None => None,
            };
            watched.total.add(&tally);
            let divergences = watched.total.counts.divergences;
            let second = Second { at, users, divergences, server, ..of(&tally, own) };
            if let Some(search) = &mut watched.search {
                search.look(users, &tally, own.is_saturated);
            }
            // A rate over a moment says nothing.
            let is_moment = |before: &Second| is_last && second.at - before.at < SECOND_MIN;
            if let Some(before) = watched.series.last_mut().filter(|before| is_moment(before)) {
                before.absorb(&second);
            } else if watched.series.len() < SECONDS_MAX {
                watched.series.push(second.clone());
            }
            if is_last {
                excuse::excuse(&mut watched.series);
                let excused: f64 = watched.series.iter().map(|second| second.stale_by_generator_seconds).sum();
                watched.total.counts.stale_by_generator_micros = (excused * 1e6) as u64;
                return watched;
            }
            (self.progress)(&second);
        }
    }
}

/// What the server says of its last second. One that does not answer shows as a gap in the plot;
/// the players tell why, every second.
async fn ask(scraper: &mut Scraper) -> Option<ServerSecond> {
    tokio::time::timeout(ANSWER, scraper.second()).await.ok()?.ok().flatten()
}

fn of(tally: &Tally, own: OwnSecond) -> Second {
    let quantile = |measure: Measure, quantile: f64| {
        let histogram = tally.histogram(measure);
        (!histogram.is_empty()).then(|| histogram.ms_at(quantile))
    };
    let counts = &tally.counts;
    let seconds = |micros: u64| micros as f64 / 1e6;
    Second {
        player_seconds: seconds(counts.player_micros),
        absent_seconds: seconds(counts.absent_micros),
        watched_seconds: seconds(counts.watched_micros),
        stale_seconds: seconds(counts.stale_micros),
        closes: counts.unexplained_closes(),
        snapshots: counts.snapshots,
        payload_bytes: counts.payload_bytes,
        gap_p50_ms: quantile(Measure::Gap, 0.5),
        gap_p99_ms: quantile(Measure::Gap, 0.99),
        input_to_view_p50_ms: quantile(Measure::InputToView, 0.5),
        input_to_view_p99_ms: quantile(Measure::InputToView, 0.99),
        generator_late_p99_ms: own.late_p99_ms,
        generator_cpu: own.cpu,
        generator_stood_ms: own.stood_ms,
        ..Second::default()
    }
}
