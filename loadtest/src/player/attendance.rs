//! Whether a player is where it should be: in its seat, from when it was sent until the test is
//! over, but for the times that its scenario spends away.

use std::time::Duration;

use tokio::time::Instant;

/// Coming in may take so long. Who takes longer, or never comes in, is missed from then on.
pub const COMING_IN: Duration = Duration::from_secs(2);

/// One player's absences.
#[derive(Debug)]
pub(super) struct Attendance {
    /// When it is missed and has not been counted as absent yet; `None` while it is there.
    missed_from: Option<Instant>,
}

impl Attendance {
    /// A player who begins to come in.
    pub(super) fn new(now: Instant) -> Self {
        Self { missed_from: Some(now + COMING_IN) }
    }

    /// How long it was absent since this was last asked.
    pub(super) fn absent(&mut self, now: Instant) -> Duration {
        let Some(from) = &mut self.missed_from else { return Duration::ZERO };
        let absent = now.saturating_duration_since(*from);
        *from = (*from).max(now);
        absent
    }

    /// It has its seat.
    pub(super) fn came(&mut self) {
        self.missed_from = None;
    }

    /// It has lost or left its seat, and should begin to come in at `again`.
    pub(super) fn went(&mut self, again: Instant) {
        self.missed_from = Some(again + COMING_IN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn who_never_comes_in_is_absent_but_for_the_time_that_coming_in_may_take() {
        let start = Instant::now();
        let mut attendance = Attendance::new(start);
        let absences = [1, 3, 10].map(|at| attendance.absent(start + at * SECOND));
        assert_eq!(absences, [Duration::ZERO, SECOND, 7 * SECOND]);
    }

    #[test]
    fn who_is_seated_or_away_as_its_scenario_says_is_not_absent() {
        let start = Instant::now();
        let mut attendance = Attendance::new(start);
        attendance.came();
        assert_eq!(attendance.absent(start + 60 * SECOND), Duration::ZERO);
        attendance.went(start + 70 * SECOND);
        assert_eq!(attendance.absent(start + 72 * SECOND), Duration::ZERO, "it may just be coming in");
        assert_eq!(attendance.absent(start + 75 * SECOND), 3 * SECOND);
    }
}
