//! Which parties that wait play together: pure, and the same on every node that has the same list.

use std::time::Duration;

use super::ticket::{Ticket, TicketId};

/// What makes a match of those who wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Players of a full match.
    pub seats: u16,
    /// Players with whom a match begins when somebody of them has waited for `patience`.
    pub seats_min: u16,
    /// See `seats_min`.
    pub patience: Duration,
    /// How far ratings may be apart to begin with.
    pub spread: u32,
    /// How much farther with each second that a party waits.
    pub widening_per_second: u32,
}

impl Rules {
    /// How far apart this party lets the ratings of its match be.
    fn spread_of(&self, ticket: &Ticket) -> u32 {
        let widened = u128::from(self.widening_per_second) * ticket.waited.as_millis() / 1_000;
        self.spread.saturating_add(u32::try_from(widened).unwrap_or(u32::MAX))
    }
}

/// Groups that play together. Who has waited longest is served first, with those of the nearest
/// ratings.
///
/// In each group no party lets ratings be less far apart than they are.
pub(super) fn form(tickets: &[Ticket], rules: &Rules) -> Vec<Vec<TicketId>> {
    let fits = |ticket: &&Ticket| (1..=rules.seats).contains(&ticket.players);
    let mut by_rating: Vec<&Ticket> = tickets.iter().filter(fits).collect();
    by_rating.sort_unstable_by_key(|ticket| (ticket.rating, ticket.id));
    let mut by_age: Vec<usize> = (0..by_rating.len()).collect();
    by_age.sort_unstable_by_key(|at| by_rating.get(*at).map(|ticket| (std::cmp::Reverse(ticket.waited), ticket.id)));

    let mut is_taken = vec![false; by_rating.len()];
    let mut groups = Vec::new();
    for first in by_age {
        let Some(group) = gather(&by_rating, &is_taken, first, rules) else { continue };
        let members = group.iter().filter_map(|at| {
            *is_taken.get_mut(*at)? = true;
            by_rating.get(*at).map(|ticket| ticket.id)
        });
        groups.push(members.collect());
    }
    groups
}

/// The group around one party, if there is one: outwards from its rating to both sides.
fn gather(by_rating: &[&Ticket], is_taken: &[bool], first: usize, rules: &Rules) -> Option<Vec<usize>> {
    let is_free = |at: usize| is_taken.get(at) == Some(&false);
    let oldest = *by_rating.get(first).filter(|_| is_free(first))?;
    let spread = rules.spread_of(oldest);
    let mut group = vec![first];
    let mut players = oldest.players;
    let mut narrowest = spread;
    let (mut low, mut high) = (oldest.rating, oldest.rating);
    let (mut below, mut above) = (first.checked_sub(1), Some(first + 1));
    while players < rules.seats {
        let distance = |at: Option<usize>| Some(by_rating.get(at?)?.rating.abs_diff(oldest.rating));
        let (at, distance) = match (distance(below), distance(above)) {
            (Some(down), up) if up.is_none_or(|up| down <= up) => {
                let at = below?;
                below = at.checked_sub(1);
                (at, down)
            }
            (_, Some(up)) => {
                let at = above?;
                above = Some(at + 1);
                (at, up)
            }
            _ => break,
        };
        if distance > spread {
            break;
        }
        let candidate = *by_rating.get(at)?;
        let (lower, higher) = (low.min(candidate.rating), high.max(candidate.rating));
        let narrower = narrowest.min(rules.spread_of(candidate));
        if is_free(at) && candidate.players <= rules.seats - players && higher.abs_diff(lower) <= narrower {
            group.push(at);
            players += candidate.players;
            (low, high, narrowest) = (lower, higher, narrower);
        }
    }
    let is_enough = players == rules.seats || (players >= rules.seats_min && oldest.waited >= rules.patience);
    is_enough.then_some(group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn rules(seats: u16, seats_min: u16) -> Rules {
        Rules { seats, seats_min, patience: Duration::from_secs(20), spread: 100, widening_per_second: 10 }
    }

    fn ticket(id: u8, players: u16, rating: i32, waited_secs: u64) -> Ticket {
        Ticket { id: TicketId([id; 16]), players, rating, waited: Duration::from_secs(waited_secs) }
    }

    fn formed(tickets: &[Ticket], rules: &Rules) -> Vec<Vec<u8>> {
        form(tickets, rules).iter().map(|group| group.iter().map(|id| id.0[0]).collect()).collect()
    }

    #[test]
    fn the_nearest_play_together_and_who_waited_longest_comes_first() {
        let tickets = [ticket(1, 1, 0, 0), ticket(2, 1, 60, 0), ticket(3, 1, 90, 5), ticket(4, 1, 500, 0)];
        assert_eq!(formed(&tickets, &rules(2, 2)), [[3, 2]]);
        assert_eq!(formed(&[], &rules(2, 2)), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn waiting_widens_for_both_or_for_none() {
        let apart = |of_first: u64, of_second: u64| formed(&[ticket(1, 1, 0, of_first), ticket(2, 1, 200, of_second)], &rules(2, 2));
        assert_eq!(apart(0, 0).len(), 0);
        assert_eq!(apart(10, 9).len(), 0, "the second would be too far from the first");
        assert_eq!(apart(10, 10), [[1, 2]]);
    }

    #[test]
    fn parties_stay_together_and_a_match_is_never_overfull() {
        let tickets = [ticket(1, 3, 0, 9), ticket(2, 2, 0, 8), ticket(3, 1, 50, 0), ticket(4, 9, 0, 99)];
        assert_eq!(formed(&tickets, &rules(4, 4)), [[1, 3]], "a party of two would be too many, one of nine always is");
    }

    #[test]
    fn who_is_out_of_patience_plays_with_fewer() {
        let two = |waited| [ticket(1, 1, 0, waited), ticket(2, 1, 0, 0)];
        assert_eq!(formed(&two(19), &rules(4, 2)).len(), 0);
        assert_eq!(formed(&two(20), &rules(4, 2)), [[1, 2]]);
        assert_eq!(formed(&[ticket(1, 1, i32::MIN, 1 << 50), ticket(2, 1, i32::MAX, 1 << 50)], &rules(2, 2)), [[1, 2]]);
    }

    proptest! {
        #[test]
        fn groups_are_as_the_rules_say(
            waiting in proptest::collection::vec((1..4_u16, -300..300_i32, 0..40_u64), 0..60),
            seats in 2..6_u16,
            turn in 0..60_usize,
        ) {
            let rules = rules(seats, 2);
            let mut tickets: Vec<_> =
                (1..).zip(&waiting).map(|(id, (players, rating, waited))| ticket(id, *players, *rating, *waited)).collect();
            let groups = form(&tickets, &rules);
            let by_id: BTreeMap<_, _> = tickets.iter().map(|ticket| (ticket.id, ticket.clone())).collect();
            let mut seen = BTreeSet::new();
            for group in &groups {
                let members: Vec<_> = group.iter().map(|id| &by_id[id]).collect();
                prop_assert!(group.iter().all(|id| seen.insert(*id)), "nobody plays twice");
                let players: u16 = members.iter().map(|ticket| ticket.players).sum();
                let is_out_of_patience = members.iter().any(|ticket| ticket.waited >= rules.patience);
                prop_assert!(players == seats || (players >= 2 && players < seats && is_out_of_patience));
                let ratings = || members.iter().map(|ticket| ticket.rating);
                let apart = ratings().max().unwrap().abs_diff(ratings().min().unwrap());
                prop_assert!(members.iter().all(|ticket| apart <= rules.spread_of(ticket)));
            }
            if !tickets.is_empty() {
                let turn = turn % tickets.len();
                tickets.rotate_left(turn);
                prop_assert_eq!(form(&tickets, &rules), groups, "in whatever order they are told");
            }
        }

        #[test]
        fn of_two_who_could_play_together_one_plays(waiting in proptest::collection::vec((-300..300_i32, 0..40_u64), 0..40)) {
            let rules = rules(2, 2);
            let tickets: Vec<_> = (1..).zip(&waiting).map(|(id, (rating, waited))| ticket(id, 1, *rating, *waited)).collect();
            let playing: BTreeSet<_> = form(&tickets, &rules).into_iter().flatten().collect();
            let left: Vec<_> = tickets.iter().filter(|ticket| !playing.contains(&ticket.id)).collect();
            for (at, one) in left.iter().enumerate() {
                for other in &left[at + 1..] {
                    let apart = one.rating.abs_diff(other.rating);
                    prop_assert!(apart > rules.spread_of(one) || apart > rules.spread_of(other), "{one:?} and {other:?}");
                }
            }
        }
    }
}
