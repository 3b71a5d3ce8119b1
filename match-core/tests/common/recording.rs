//! Matches as people would have them who come, go, return, play, vote and are cut off, as a seed
//! has it: each a setup and its steps.

use tickwire_game::{Game, Rng};
use tickwire_match::{Advance, Change, Happened, MatchCore, Outcome, OwnerId, Reserve, Rules, SessionId, Setup, Step};
use tickwire_protocol::codec::decode_prefix;
use tickwire_protocol::text::Name;
use tickwire_protocol::{MatchId, PlayerId};

/// What happened in a match, to be played again.
#[derive(Clone, Debug)]
#[allow(dead_code)] // every test uses a part of it
pub(crate) struct Recording<G: Game> {
    pub(crate) setup: Setup,
    pub(crate) steps: Vec<Step<G::Input>>,
    /// What came of each step, and the match's hash after it.
    pub(crate) after: Vec<(Outcome, u64)>,
}

/// Somebody who may have a seat.
#[derive(Clone, Copy, Default)]
struct Person {
    seat: Option<PlayerId>,
    session: Option<SessionId>,
    /// Sessions there have been: tickets and tokens are numbered with them.
    times: u8,
}

/// Short rounds, so that a recording has results and rematches in it.
pub(crate) fn setup<G: Game>(mode_index: u8, seed: u64) -> Setup {
    let mode = G::MODES[usize::from(mode_index)];
    let rules = Rules {
        countdown: 10,
        live: 150,
        results: 30,
        grace: 40,
        idle_after: 60,
        empty_for: 50,
        bots_fill: mode.bots_fill.min(24),
        hash_every: 0,
    };
    Setup { id: MatchId([9; 16]), mode, mode_index, lobby: seed.is_multiple_of(3), bots: true, rules, seed }
}

/// Records `count` steps, or as many as there are until the match is over.
pub(crate) fn record<G: Game>(setup: Setup, count: usize) -> Recording<G> {
    let mut core = MatchCore::<G>::new(&setup);
    let mut rng = Rng::new(setup.seed ^ 0x5eed);
    let mut people = [Person::default(); 6];
    let mut next_session = 0;
    let mut recording = Recording { setup, steps: Vec::new(), after: Vec::new() };
    while recording.steps.len() < count {
        let who = rng.below(people.len() as u32) as usize;
        let connected = people.iter().any(|person| person.session.is_some());
        let changes = match rng.below(8) {
            0..=3 if connected => play::<G>(&core, &people, &mut rng),
            _ => meddle(&mut people[who], who as u8, &mut next_session, &mut rng),
        };
        let advance = match rng.below(10) {
            0 => Advance::Nothing,
            _ if connected => Advance::Tick,
            _ => Advance::Doze(rng.below(12)),
        };
        let step = Step { changes, advance };
        let outcome = core.step(&step);
        note(&outcome, &mut people, who);
        let is_over = outcome.over.is_some();
        recording.steps.push(step);
        recording.after.push((outcome, core.hash()));
        if is_over {
            break;
        }
    }
    recording
}

/// All who are connected give an input, and some say something.
fn play<G: Game>(core: &MatchCore<G>, people: &[Person], rng: &mut Rng) -> Vec<Change<G::Input>> {
    let mut changes = Vec::new();
    for player in people.iter().filter(|person| person.session.is_some()).filter_map(|person| person.seat) {
        let bytes: Vec<u8> = (0..4).flat_map(|_| rng.next_u64().to_le_bytes()).map(|byte| byte & 0x7f).collect();
        let input = decode_prefix::<G::Input, 64>(&bytes).map(|(input, _)| input).unwrap_or_default();
        let tick = core.tick().plus(rng.below(4));
        changes.push(match rng.below(24) {
            0 => Change::Rematch(player),
            1 => Change::Ready(player, rng.below(4) > 0),
            2 => Change::Start(player),
            3 => Change::Bots(player, rng.below(2) > 0),
            4 => Change::Confirm(player),
            // Whoever does nothing falls idle.
            5..=9 => continue,
            _ => Change::Input { player, tick, input },
        });
    }
    changes
}

/// Somebody comes, goes, is cut off or returns.
fn meddle<I>(person: &mut Person, number: u8, next_session: &mut SessionId, rng: &mut Rng) -> Vec<Change<I>> {
    let secret = |times: u8| [number.wrapping_mul(40).wrapping_add(times); 32];
    match (person.seat, person.session, rng.below(4)) {
        (Some(player), Some(session), 0 | 1) => {
            person.session = None;
            vec![Change::Disconnect { player, session, may_return: rng.below(6) > 0 }]
        }
        (Some(player), Some(_), 2) => vec![Change::Leave(player)],
        (Some(_), None, 0..=2) if rng.below(6) == 0 => {
            *next_session += 1;
            vec![Change::Resume { token: [255; 32], session: *next_session, resume: [254; 32] }]
        }
        (Some(_), None, 0..=2) => {
            let token = secret(person.times);
            person.times = person.times.wrapping_add(1);
            *next_session += 1;
            person.session = Some(*next_session);
            vec![Change::Resume { token, session: *next_session, resume: secret(person.times) }]
        }
        (Some(player), None, _) if person.times == 0 => {
            *next_session += 1;
            person.session = Some(*next_session);
            vec![Change::Attach { player, ticket: secret(0), session: *next_session, resume: secret(0) }]
        }
        (None, ..) => {
            person.times = 0;
            let name = Name::truncated(if number.is_multiple_of(2) { "Ada" } else { "Bob" });
            let reserve = Reserve { owner: OwnerId([number; 32]), name, ticket: secret(0), patience: 30, own_only: rng.below(9) == 0 };
            vec![Change::Reserve(Box::new(reserve))]
        }
        _ => vec![Change::Release(OwnerId([number; 32]))],
    }
}

fn note(outcome: &Outcome, people: &mut [Person], who: usize) {
    for happened in &outcome.happened {
        match *happened {
            Happened::Reserved(player) => people[who].seat = Some(player),
            Happened::Freed(player) => {
                people.iter_mut().filter(|person| person.seat == Some(player)).for_each(|person| *person = Person::default());
            }
            Happened::Refused(session, _) => {
                people.iter_mut().filter(|person| person.session == Some(session)).for_each(|person| person.session = None);
            }
            Happened::NotReserved(_) | Happened::Seated { .. } | Happened::Dismissed(..) => {}
        }
    }
}
