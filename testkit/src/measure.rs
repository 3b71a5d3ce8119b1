//! What players feel, as histograms and counts that can be added up: over bots, over seconds, over processes.
//!
//! Times are microseconds, measured from the moment something was meant to happen, not from when a busy generator got round
//! to it (coordinated omission). Invariant: adding two tallies loses nothing but which of them a value came from.

mod histogram;

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

pub use histogram::{Histogram, Quantiles};

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// From the click on Play to the first snapshot: guest session, match, socket, Hello.
    Join,
    /// From the moment a lost connection is opened again to the first snapshot.
    Resume,
    /// From the moment a connection broke to the first snapshot after its player came back.
    Returned,
    /// From one snapshot to the next.
    Gap,
    /// How far a gap is from the ticks it spans.
    Jitter,
    /// How much later than the steadiest arrival of its stream a snapshot came.
    Lateness,
    /// How old the newest state is at the moments the player acts.
    Age,
    /// From the moment an input was meant to be sent to the first snapshot that shows it.
    InputToView,
    /// From ping to pong.
    RoundTrip,
}

impl Measure {
    /// All, in the order they are reported.
    pub const ALL: [Self; 9] =
        [Self::Join, Self::Resume, Self::Returned, Self::Gap, Self::Jitter, Self::Lateness, Self::Age, Self::InputToView, Self::RoundTrip];

    /// Stable name, for JSON and thresholds.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Resume => "resume",
            Self::Returned => "returned",
            Self::Gap => "gap",
            Self::Jitter => "jitter",
            Self::Lateness => "lateness",
            Self::Age => "age",
            Self::InputToView => "input_to_view",
            Self::RoundTrip => "round_trip",
        }
    }

    /// What a person reads.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Join => "click to first snapshot",
            Self::Resume => "return to a seat",
            Self::Returned => "back after a loss",
            Self::Gap => "gap between snapshots",
            Self::Jitter => "jitter of the gap",
            Self::Lateness => "snapshot lateness",
            Self::Age => "age of the newest state",
            Self::InputToView => "input to view",
            Self::RoundTrip => "round trip",
        }
    }
}

/// What is counted. Every field adds up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Seats taken.
    pub joins: u64,
    /// Attempts to take one that failed.
    pub join_failures: u64,
    /// Returns to a seat.
    pub resumes: u64,
    /// Attempts to return that failed.
    pub resume_failures: u64,
    /// Connections that broke without a word, and whose players came back to their seats.
    pub returns: u64,
    /// Of these, to another match or seat, or to what contradicts what they had seen.
    pub returns_wrong: u64,
    /// Snapshots received.
    pub snapshots: u64,
    /// Of these, compared with the server's hashes and equal.
    pub checked: u64,
    /// Ticks that no snapshot came for, because a newer one replaced it.
    pub missed_snapshots: u64,
    /// Gaps of at least 1.5 ticks.
    pub long_gaps: u64,
    /// Views that differed from the server's.
    pub divergences: u64,
    /// Inputs sent.
    pub inputs: u64,
    /// Of these, seen to move the player as they must.
    pub inputs_shown: u64,
    /// Not applied to the tick they were meant for; the server says they came too late.
    pub inputs_late: u64,
    /// Not applied, though the server says that every input came in time.
    pub inputs_lost: u64,
    /// Inputs whose effect could not be told: something else moved the player too, or a snapshot was missed.
    pub inputs_unclear: u64,
    /// Payload received: WebSocket messages without their framing, bytes.
    pub payload_bytes: u64,
    /// Received on the connection: payload and framing, bytes.
    pub received_bytes: u64,
    /// Sent on the connection, bytes.
    pub sent_bytes: u64,
    /// WebSocket messages received.
    pub messages: u64,
    /// Microseconds that players held a seat, summed.
    pub player_micros: u64,
    /// Microseconds that players should have held one and did not, summed; the time that
    /// getting in may take is left out.
    pub absent_micros: u64,
    /// Microseconds that players looked on, summed.
    pub watched_micros: u64,
    /// Of these, with nothing newer than [`crate::bot::FRESH_TICKS`] ticks to look at.
    pub stale_micros: u64,
    /// Of these, at most so many because the generator itself stood still.
    pub stale_by_generator_micros: u64,
    /// Ticks between the snapshots that players received, summed.
    pub ticks: u64,
    /// Microseconds between them, summed.
    pub ticks_micros: u64,
    /// Times that a player was told that the server is about to restart.
    pub drains_announced: u64,
    /// Sessions that ended, by reason; those that a scenario ended itself are `scenario`.
    pub closes: BTreeMap<String, u64>,
}

impl AddAssign<&Self> for Counts {
    fn add_assign(&mut self, other: &Self) {
        self.joins += other.joins;
        self.join_failures += other.join_failures;
        self.resumes += other.resumes;
        self.resume_failures += other.resume_failures;
        self.returns += other.returns;
        self.returns_wrong += other.returns_wrong;
        self.snapshots += other.snapshots;
        self.checked += other.checked;
        self.missed_snapshots += other.missed_snapshots;
        self.long_gaps += other.long_gaps;
        self.divergences += other.divergences;
        self.inputs += other.inputs;
        self.inputs_shown += other.inputs_shown;
        self.inputs_late += other.inputs_late;
        self.inputs_lost += other.inputs_lost;
        self.inputs_unclear += other.inputs_unclear;
        self.payload_bytes += other.payload_bytes;
        self.received_bytes += other.received_bytes;
        self.sent_bytes += other.sent_bytes;
        self.messages += other.messages;
        self.player_micros += other.player_micros;
        self.absent_micros += other.absent_micros;
        self.watched_micros += other.watched_micros;
        self.stale_micros += other.stale_micros;
        self.stale_by_generator_micros += other.stale_by_generator_micros;
        self.ticks += other.ticks;
        self.ticks_micros += other.ticks_micros;
        self.drains_announced += other.drains_announced;
        for (reason, count) in &other.closes {
            *self.closes.entry(reason.clone()).or_default() += count;
        }
    }
}

/// How a session ends whose connection broke without a word from the server.
pub const CONNECTION_LOST: &str = "connection_lost";
/// Ends of sessions that go on, here or on another server.
const LOST: [&str; 3] = [CONNECTION_LOST, "moved", "restarting"];

/// TCP and IP headers of a segment, bytes: an estimate, 20 + 32 with timestamps, for a message that fits one segment.
pub const SEGMENT_HEADER_BYTES: u64 = 52;

impl Counts {
    /// Player-seconds.
    pub fn player_seconds(&self) -> f64 {
        self.player_micros as f64 / 1e6
    }

    /// Estimated bytes on the wire towards players: what came on the connections, and a segment's headers a message.
    pub fn wire_bytes(&self) -> u64 {
        self.received_bytes + self.messages * SEGMENT_HEADER_BYTES
    }

    /// Sessions that ended though no player asked for it and no match was over, by reason; without
    /// the connections that broke and whose players came back.
    pub fn unasked_closes(&self) -> impl Iterator<Item = (&str, u64)> {
        let asked = ["scenario", "left", "match_over"];
        let unasked = self.closes.iter().filter(move |(reason, _)| !asked.contains(&reason.as_str()));
        let not_back = unasked.scan(self.returns, |back, (reason, count)| {
            let came_back = if LOST.contains(&reason.as_str()) { (*count).min(*back) } else { 0 };
            *back -= came_back;
            Some((reason.as_str(), count - came_back))
        });
        not_back.filter(|(_, count)| *count > 0)
    }

    /// Connections that broke, or that a server ended which made way for another.
    pub fn lost(&self) -> u64 {
        LOST.iter().filter_map(|reason| self.closes.get(*reason)).sum()
    }

    /// How many there were.
    pub fn unexplained_closes(&self) -> u64 {
        self.unasked_closes().map(|(_, count)| count).sum()
    }

    /// Of the time that players should have held a seat, the share that they did, 0 to 1; `None` if
    /// none should have.
    pub fn attendance(&self) -> Option<f64> {
        share(self.player_micros, self.player_micros + self.absent_micros)
    }

    /// Of the time that players looked on, the share with a fresh snapshot, 0 to 1, weighed by
    /// players; `None` if nobody did. What the generator itself missed is not held against the
    /// server.
    pub fn fresh_share(&self) -> Option<f64> {
        let stale = self.stale_micros.saturating_sub(self.stale_by_generator_micros).min(self.watched_micros);
        share(self.watched_micros - stale, self.watched_micros)
    }

    /// Counts a session's end.
    pub fn count_close(&mut self, reason: &str) {
        *self.closes.entry(reason.to_owned()).or_default() += 1;
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// What one bot felt since it last told: cheap to write, as thousands of bots do in turn, and read once a second.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// What was counted.
    pub counts: Counts,
    times: Vec<(Measure, u32)>,
}

/// Times after which a bot should tell what it felt, though its second is not over: some seconds' worth.
const TIMES_MANY: usize = 4096;

impl Notes {
    /// Adds a time, microseconds. One of more than an hour counts as an hour.
    pub fn record(&mut self, measure: Measure, micros: u64) {
        self.times.push((measure, u32::try_from(micros).unwrap_or(u32::MAX)));
    }

    /// Whether it is time to tell.
    pub fn are_many(&self) -> bool {
        self.times.len() >= TIMES_MANY
    }
}

/// Histograms and counts of one second, or a whole run.
#[derive(Clone, Debug)]
pub struct Tally {
    /// What was counted.
    pub counts: Counts,
    histograms: [Histogram; Measure::ALL.len()],
}

impl Default for Tally {
    fn default() -> Self {
        Self { counts: Counts::default(), histograms: std::array::from_fn(|_| Histogram::default()) }
    }
}

impl Tally {
    /// Adds a time, microseconds.
    pub fn record(&mut self, measure: Measure, micros: u64) {
        self.histograms[measure as usize].record(micros);
    }

    /// The times of `measure`.
    pub fn histogram(&self, measure: Measure) -> &Histogram {
        &self.histograms[measure as usize]
    }

    /// Adds what a bot felt, and leaves its notes empty.
    pub fn take(&mut self, notes: &mut Notes) {
        self.counts += &std::mem::take(&mut notes.counts);
        notes.times.drain(..).for_each(|(measure, micros)| self.record(measure, u64::from(micros)));
    }

    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        self.counts += &other.counts;
        for (mine, theirs) in self.histograms.iter_mut().zip(&other.histograms) {
            mine.add(theirs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_time_and_weighed_by_players() {
        let second = 1_000_000;
        // Ninety-nine players who looked on for a second, and one who saw nothing new for half of
        // ten seconds.
        let mut counts = Counts { watched_micros: 99 * second, ..Counts::default() };
        counts += &Counts { watched_micros: 10 * second, stale_micros: 5 * second, ..Counts::default() };
        assert_eq!(counts.fresh_share(), Some(104.0 / 109.0));
        counts.stale_by_generator_micros = 5 * second;
        assert_eq!(counts.fresh_share(), Some(1.0));
        assert_eq!((Counts::default().fresh_share(), Counts::default().attendance()), (None, None));
        let half = Counts { player_micros: 126 * second, absent_micros: 174 * second, ..Counts::default() };
        assert_eq!(half.attendance(), Some(0.42));
    }

    #[test]
    fn a_close_is_asked_for_by_its_player_or_by_the_end_of_a_match() {
        let mut counts = Counts::default();
        ["scenario", "left", "match_over", "draining", "draining", "too_slow"].into_iter().for_each(|reason| counts.count_close(reason));
        assert_eq!(counts.unasked_closes().collect::<Vec<_>>(), [("draining", 2), ("too_slow", 1)]);
        assert_eq!(counts.unexplained_closes(), 3);
    }

    #[test]
    fn who_came_back_is_not_lost() {
        let mut counts = Counts { returns: 2, ..Counts::default() };
        (0..3).for_each(|_| counts.count_close(CONNECTION_LOST));
        assert_eq!(counts.unasked_closes().collect::<Vec<_>>(), [(CONNECTION_LOST, 1)]);
        counts.returns = 3;
        assert_eq!((counts.unexplained_closes(), counts.closes[CONNECTION_LOST]), (0, 3));
        ["moved", "moved", "restarting"].into_iter().for_each(|reason| counts.count_close(reason));
        counts.returns = 5;
        assert_eq!((counts.unexplained_closes(), counts.lost()), (1, 6));
    }
}
