//! The most players for whom the service level holds: plateaus of rising height, each judged by what the players on it felt.
//!
//! Invariant: a plateau on which the generator was saturated says nothing about the server, and the answer says so.

use std::time::Duration;

use tickwire_testkit::measure::{Measure, Tally};

use crate::report::{Capacity, CapacityStep};

/// Share of gaps between snapshots that must be under 1.5 ticks.
pub const GAPS_WITHIN: f64 = 0.99;
/// Share of their time that players must have a fresh snapshot.
pub const FRESH: f64 = 0.99;
/// Each plateau is higher by this.
const GROWTH: f64 = 1.2;
/// Seconds after everyone is seated that are not judged.
const SETTLE_SECONDS: u32 = 2;
/// Seconds for the players of a step to arrive.
const ARRIVE_SECONDS: u64 = 3;
/// Seconds beyond its need that a plateau is given before its players count as not seated.
const SPARE_SECONDS: u64 = 3;

/// A search under way.
#[derive(Debug)]
pub struct Search {
    plan: Vec<u32>,
    hold_seconds: u32,
    gap_max_micros: u64,
    /// The plateau that is being judged.
    current: usize,
    /// Seconds that everyone on it has been seated.
    seated_seconds: u32,
    /// Seconds that it has been waited for.
    waited_seconds: u32,
    felt: Tally,
    saturated_seconds: u32,
    steps: Vec<CapacityStep>,
    broken: Option<String>,
}

/// The heights of the plateaus from `from` to `most`.
pub fn plan(from: u32, most: u32) -> Vec<u32> {
    let mut plan = vec![from.min(most)];
    while let Some(last) = plan.last().copied().filter(|last| *last < most) {
        plan.push((f64::from(last) * GROWTH).ceil().min(f64::from(most)) as u32);
    }
    plan
}

/// `plan` as goose's test plan: pairs of users and how long they take to get there, or stay.
pub fn test_plan(plan: &[u32], hold: Duration) -> String {
    let stay = hold.as_secs().max(1) + u64::from(SETTLE_SECONDS) + SPARE_SECONDS;
    let steps: Vec<String> = plan.iter().map(|users| format!("{users},{ARRIVE_SECONDS}s;{users},{stay}s")).collect();
    steps.join(";")
}

impl Search {
    /// Over the plateaus of `plan`, at `interval` between ticks.
    pub fn new(plan: Vec<u32>, hold: Duration, interval: Duration) -> Self {
        Self {
            plan,
            hold_seconds: hold.as_secs().max(1) as u32,
            gap_max_micros: (interval * 3 / 2).as_micros() as u64,
            current: 0,
            seated_seconds: 0,
            waited_seconds: 0,
            felt: Tally::default(),
            saturated_seconds: 0,
            steps: Vec::new(),
            broken: None,
        }
    }

    /// Takes in a second in which `users` were seated. When the level breaks, the test is stopped.
    pub fn look(&mut self, users: u64, tally: &Tally, generator_is_saturated: bool) {
        if self.broken.is_some() {
            return;
        }
        let Some(wanted) = self.plan.get(self.current).copied() else { return };
        self.waited_seconds += 1;
        if users >= u64::from(wanted) {
            self.seated_seconds += 1;
            if self.seated_seconds > SETTLE_SECONDS {
                self.felt.add(tally);
                self.saturated_seconds += u32::from(generator_is_saturated);
            }
            if self.seated_seconds >= SETTLE_SECONDS + self.hold_seconds {
                self.judge(wanted);
            }
        } else if self.seated_seconds > SETTLE_SECONDS && tally.counts.unexplained_closes() > 0 {
            self.felt.add(tally);
            self.judge(wanted);
        } else if u64::from(self.waited_seconds) > ARRIVE_SECONDS + SPARE_SECONDS + u64::from(SETTLE_SECONDS + self.hold_seconds) {
            self.stop(format!("only {users} of {wanted} players could be seated"));
        }
    }

    fn judge(&mut self, users: u32) {
        let felt = std::mem::take(&mut self.felt);
        let gaps = felt.histogram(Measure::Gap);
        let step = CapacityStep {
            users: u64::from(users),
            gaps_within: gaps.share_within(self.gap_max_micros),
            fresh_share: felt.counts.fresh_share().unwrap_or(1.0),
            gap_p99_ms: gaps.ms_at(0.99),
            divergences: felt.counts.divergences,
            saturated: self.saturated_seconds * 4 > self.hold_seconds,
            held: false,
        };
        let breach = if step.divergences > 0 {
            Some(format!("{} views differed from the server's", step.divergences))
        } else if felt.counts.unexplained_closes() > 0 {
            Some(format!("{} sessions ended that no player had ended", felt.counts.unexplained_closes()))
        } else if step.fresh_share < FRESH {
            Some(format!("players had a fresh snapshot for only {:.2} % of their time", step.fresh_share * 100.0))
        } else if step.gaps_within < GAPS_WITHIN {
            let (within, limit) = (step.gaps_within * 100.0, self.gap_max_micros as f64 / 1000.0);
            Some(format!("only {within:.2} % of gaps were under 1.5 ticks ({limit:.1} ms)"))
        } else {
            None
        };
        self.steps.push(CapacityStep { held: breach.is_none(), ..step });
        (self.current, self.seated_seconds, self.waited_seconds, self.saturated_seconds) = (self.current + 1, 0, 0, 0);
        match breach {
            Some(breach) => self.stop(breach),
            None if self.current >= self.plan.len() => goose::trigger_killswitch("the search for the capacity is through"),
            None => {}
        }
    }

    fn stop(&mut self, reason: String) {
        goose::trigger_killswitch(&reason);
        self.broken = Some(reason);
    }

    /// What was found.
    pub fn finish(self) -> Capacity {
        let users = self.steps.iter().filter(|step| step.held).map(|step| step.users).max().unwrap_or(0);
        let failed = self.steps.iter().find(|step| !step.held);
        let is_saturated = failed.is_some_and(|step| step.saturated);
        let broke_at =
            self.broken.as_ref().and_then(|_| failed.map(|step| step.users).or(self.plan.get(self.current).map(|users| u64::from(*users))));
        let reason = match self.broken {
            Some(reason) if is_saturated => format!("{reason}, but the generator itself could not keep up"),
            Some(reason) => reason,
            None => "the service level held to the last step".to_owned(),
        };
        Capacity { users, broke_at, reason, is_server_limit: broke_at.is_some() && !is_saturated, steps: self.steps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(gap_ms: u64, divergences: u64) -> Tally {
        let mut tally = Tally::default();
        (0..100).for_each(|_| tally.record(Measure::Gap, gap_ms * 1000));
        tally.counts.divergences = divergences;
        tally
    }

    fn search() -> Search {
        Search::new(vec![100, 120], Duration::from_secs(2), Duration::from_millis(33))
    }

    fn plateau(search: &mut Search, users: u64, tally: &Tally, saturated: bool) {
        (0..4).for_each(|_| search.look(users, tally, saturated));
    }

    #[test]
    fn plateaus_grow_to_the_most() {
        assert_eq!(plan(100, 200), [100, 120, 144, 173, 200]);
        assert_eq!(plan(500, 200), [200]);
        assert_eq!(test_plan(&[100, 120], Duration::from_secs(5)), "100,3s;100,10s;120,3s;120,10s");
    }

    #[test]
    fn the_knee_is_the_last_plateau_that_held() {
        let mut search = search();
        plateau(&mut search, 100, &second(33, 0), false);
        plateau(&mut search, 120, &second(60, 0), false);
        let found = search.finish();
        assert_eq!((found.users, found.broke_at, found.is_server_limit), (100, Some(120), true));
        assert!(found.reason.starts_with("only 0.00 % of gaps"), "{}", found.reason);
    }

    #[test]
    fn a_saturated_generator_proves_nothing_about_the_server() {
        let mut search = search();
        plateau(&mut search, 100, &second(60, 0), true);
        let found = search.finish();
        assert!(!found.is_server_limit && found.reason.ends_with("could not keep up"), "{}", found.reason);
    }

    #[test]
    fn one_divergence_breaks_the_level() {
        let mut search = search();
        plateau(&mut search, 100, &second(33, 1), false);
        assert_eq!(search.finish().broke_at, Some(100));
    }

    #[test]
    fn a_server_that_stands_still_or_lets_players_go_breaks_it() {
        let broken = |spoil: fn(&mut Tally)| {
            let mut search = search();
            let mut tally = second(33, 0);
            spoil(&mut tally);
            plateau(&mut search, 100, &tally, false);
            search.finish().reason
        };
        let still = broken(|tally| {
            (tally.counts.watched_micros, tally.counts.stale_micros) = (100_000_000, 20_000_000);
        });
        assert_eq!(still, "players had a fresh snapshot for only 80.00 % of their time");
        assert_eq!(broken(|tally| tally.counts.count_close("too_slow")), "2 sessions ended that no player had ended");
        let mut search = search();
        (0..3).for_each(|_| search.look(100, &second(33, 0), false));
        let mut lost = second(33, 0);
        lost.counts.count_close("connection_lost");
        search.look(99, &lost, false);
        assert_eq!(search.finish().broke_at, Some(100), "who is gone is missed at once");
    }

    #[test]
    fn players_that_are_not_let_in_break_it_too() {
        let mut search = search();
        (0..20).for_each(|_| search.look(70, &second(33, 0), false));
        let found = search.finish();
        assert_eq!((found.users, found.broke_at), (0, Some(100)));
        assert_eq!(found.reason, "only 70 of 100 players could be seated");
    }
}
