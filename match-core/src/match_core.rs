//! The match itself: its state, and what a step does to it.
//!
//! A tick: seats that expired are freed, bots fill up, the phase moves on, inputs are latched, the
//! world is stepped and captured. `changes` is what comes from outside, `people` who plays which
//! seat, `rounds` from the first phase to a rematch, `state` the match as bytes.
//!
//! Invariants: what a match does follows from its setup and its steps, and from nothing else; while
//! it dozes there are no ticks, and before anybody has been there is no world.

mod changes;
mod people;
mod placed;
mod rounds;
mod state;

use bytes::Bytes;
use tickwire_game::{Events, Game, Rng, Simulation, layout};
use tickwire_protocol::codec::{BoundedBytesRef, BoundedVec, encode, encode_into};
use tickwire_protocol::messages::{Event, EventRef, ServerMessageRef, Welcome};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{CloseReason, PlayerId, Secret, Tick};

use crate::bots::Bots;
use crate::lifecycle::Lifecycle;
use crate::lobby::Room;
use crate::players::Players;
use crate::replication::Replication;
use crate::replication::pool::Pool;
use crate::roster::Roster;
use crate::roster::counts::Counts;
use crate::roster::occupant::Occupant;
use crate::rules::Setup;
use crate::step::{Advance, Outcome, SecretHash, Step};
use crate::time::Age;
use placed::PlacedEvents;
pub use state::{RestoreError, Restored};

/// One match.
///
/// ```
/// use tag::Tag;
/// use tickwire_game::Game;
/// use tickwire_match::{Advance, Change, Happened, MatchCore, OwnerId, Reserve, Rules, Setup, Step};
/// use tickwire_protocol::text::Name;
/// use tickwire_protocol::{MatchId, PlayerId};
///
/// let rules = Rules { bots_fill: 4, ..Rules::default() };
/// let setup = Setup { id: MatchId([7; 16]), mode: Tag::MODES[0], mode_index: 0, lobby: false, bots: true, rules, seed: 1 };
/// let mut tag = MatchCore::<Tag>::new(&setup);
///
/// // Ada asks for a seat, and comes.
/// let (owner, ticket, name) = (OwnerId([1; 32]), [2; 32], Name::truncated("Ada"));
/// let ask = Reserve { owner, name, ticket, patience: 900, own_only: false };
/// let seat = tag.step(&Step::of(Change::Reserve(Box::new(ask))));
/// assert_eq!(seat.happened, [Happened::Reserved(PlayerId(0))]);
/// tag.step(&Step::of(Change::Attach { player: PlayerId(0), ticket, session: 0, resume: [3; 32] }));
///
/// // Three bots join her at the first tick.
/// tag.step(&Step::tick(Vec::new()));
/// assert_eq!((tag.counts().connected, tag.bots()), (1, 3));
/// ```
pub struct MatchCore<G: Game> {
    setup: Setup,
    /// Of the game's tables and its input: what is stored says so.
    layout: u64,
    age: Age,
    /// The tick last simulated.
    tick: Tick,
    /// `None` until somebody has connected.
    simulation: Option<Simulation<G>>,
    lifecycle: Lifecycle,
    lobby: Room,
    roster: Roster,
    players: Players<G::Input>,
    bots: Bots<G>,
    replication: Replication,
    /// Seeds of worlds and of bots.
    seeds: Rng,
    /// The tick's events, encoded, for everyone.
    events: Vec<u8>,
    shared_events: Pool,
    /// The tick's events for those who see their place.
    placed: PlacedEvents,
    /// The last results, for those who come while they are shown.
    results: Option<Event>,
    /// Since when nobody holds a seat.
    empty_since: Option<Age>,
    /// The match was told that it ends then.
    ends_by: Option<Age>,
}

impl<G: Game> MatchCore<G> {
    /// A match nobody plays yet.
    pub fn new(setup: &Setup) -> Self {
        let (mode, rules) = (&setup.mode, &setup.rules);
        Self {
            setup: *setup,
            layout: layout::<G>(),
            age: Age::default(),
            tick: Tick(0),
            simulation: None,
            lifecycle: Lifecycle::new(rules),
            lobby: Room::new(setup.lobby, setup.bots),
            roster: Roster::new(mode.max_players, mode.stand_in),
            players: Players::default(),
            bots: Bots::new(rules.bots_fill.min(mode.max_players)),
            replication: Replication::new(&G::SCHEMA, G::interest(mode), rules.hash_every),
            seeds: Rng::new(setup.seed),
            events: Vec::new(),
            shared_events: Pool::default(),
            placed: PlacedEvents::default(),
            results: None,
            empty_since: None,
            ends_by: None,
        }
    }

    /// Takes everything in that happens at one moment, and lets time go on. The only way to change
    /// a match.
    pub fn step(&mut self, step: &Step<G::Input>) -> Outcome {
        let mut outcome = Outcome::default();
        for change in &step.changes {
            self.change(change, &mut outcome.happened);
        }
        outcome.over = match step.advance {
            Advance::Nothing => None,
            Advance::Doze(intervals) => self.doze(intervals, &mut outcome),
            Advance::Tick => self.advance(&mut outcome),
        };
        outcome
    }

    /// What was fixed about the match before anybody came.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The tick last simulated.
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// How long the match has existed.
    pub fn age(&self) -> Age {
        self.age
    }

    /// The phase now.
    pub fn phase(&self) -> Phase {
        self.lifecycle.phase()
    }

    /// How many people there are, and what they want.
    pub fn counts(&self) -> Counts {
        self.roster.counts()
    }

    /// Seats of bots.
    pub fn bots(&self) -> usize {
        self.roster.bots()
    }

    /// The people who have a seat, for those who look after the match.
    pub fn occupants(&self) -> impl Iterator<Item = Occupant> + '_ {
        self.roster.occupants()
    }

    /// Inputs that came after their tick, over the match's life.
    pub fn late_inputs(&self) -> u64 {
        self.players.late_count()
    }

    /// What clients are sent of the newest tick. Reading it changes nothing about the match.
    pub fn replication(&mut self) -> &mut Replication {
        &mut self.replication
    }

    /// When there is something to do although nobody is connected: a seat expires, or the match
    /// ends.
    pub fn next_deadline(&self) -> Age {
        let abandoned = self.empty_since.map(|since| since.plus(self.setup.rules.empty_for));
        // There is one: a seat that is held by nobody connected expires.
        [self.roster.next_expiry(), abandoned].into_iter().flatten().min().unwrap_or(self.age)
    }

    /// The seat that `secret` opens, if it opens one: what a session that presents it would hold.
    pub fn opened_by(&self, secret: &SecretHash) -> Option<PlayerId> {
        self.roster.opened_by(secret, self.age)
    }

    /// What a session is told first: everything about the match but what there is to see. `player`
    /// is `None` for a spectator, who has no use for `resume`.
    pub fn welcome(&self, player: Option<PlayerId>, resume: Secret) -> Vec<u8> {
        let welcome = Welcome {
            match_id: self.setup.id,
            player,
            mode: self.setup.mode_index,
            tick_rate: self.setup.mode.tick_rate,
            tick: self.tick,
            resume,
            roster: BoundedVec::truncated(self.roster.entries()),
        };
        let mut bytes = encode(&ServerMessageRef::Welcome(&welcome));
        let lobby = self.lobby.state(&self.roster).map(Event::Lobby);
        let draining = self.draining();
        for event in [&self.results, &lobby, &draining].into_iter().flatten() {
            encode_into(&ServerMessageRef::Event(event.into()), &mut bytes);
        }
        bytes
    }

    /// Hash of everything that decides what happens in the world next; 0 before there is a world.
    pub fn hash(&mut self) -> u64 {
        let Self { simulation, replication, .. } = self;
        simulation.as_mut().zip(replication.newest()).map_or(0, |(simulation, newest)| simulation.state_hash(newest))
    }

    /// Time goes by without a tick.
    fn doze(&mut self, intervals: u32, outcome: &mut Outcome) -> Option<CloseReason> {
        // Nobody is there to be told.
        self.events.clear();
        self.age = self.age.plus(intervals);
        self.keep_seats(&mut outcome.happened)
    }

    fn advance(&mut self, outcome: &mut Outcome) -> Option<CloseReason> {
        let tick = self.tick.next();
        self.age = self.age.plus(1);
        if let Some(over) = self.keep_seats(&mut outcome.happened) {
            return Some(over);
        }
        self.fill_with_bots(&mut outcome.happened);
        if let Some(over) = self.move_on(tick, &mut outcome.happened) {
            return Some(over);
        }
        self.look_for_idlers(tick);
        self.tell_of_lobby();
        self.simulate(tick);
        self.replicate(tick);
        self.replication.has_overflowed().then_some(CloseReason::InternalError)
    }

    /// Latches every player's input and steps the world to `tick`.
    fn simulate(&mut self, tick: Tick) {
        if self.lifecycle.phase() != Phase::Finished {
            self.bots.think(&mut self.replication, tick);
        }
        self.tick = tick;
        let Self { simulation: Some(simulation), roster, players, bots, events, placed, replication, .. } = self else { return };
        let inputs = roster.joined().map(|(player, is_played_for)| {
            let input = if is_played_for { bots.input(player) } else { players.take(player, tick) };
            (player, input)
        });
        simulation.step(self.lifecycle.clock(tick), inputs);
        let mut count = 0;
        simulation.take_events(|bytes, at| {
            if let Some(at) = at.filter(|_| replication.is_divided()) {
                placed.push(bytes, at);
            } else if count < Events::PER_TICK_MAX {
                let Some(bytes) = BoundedBytesRef::new(bytes) else { return };
                count += 1;
                encode_into(&ServerMessageRef::Event(EventRef::Game(bytes)), events);
            }
        });
    }

    /// Makes the snapshot of `tick`, with the tick's events.
    fn replicate(&mut self, tick: Tick) {
        let Self { simulation: Some(simulation), replication, shared_events, events, placed, .. } = self else { return };
        let shared = shared_events.concat(&[events]);
        events.clear();
        replication.advance(tick, shared, placed.iter(), |snapshot| simulation.capture(snapshot));
        placed.clear();
    }

    /// Builds the world for the first who comes, and takes a first look at it.
    fn need_world(&mut self) {
        let Self { simulation, setup, seeds, tick, replication, .. } = self;
        if simulation.is_none() {
            let simulation = simulation.insert(Simulation::new(&setup.mode, seeds.next_u64(), *tick, 0));
            replication.advance(*tick, Bytes::new(), std::iter::empty(), |snapshot| simulation.capture(snapshot));
        }
    }

    /// Tells everyone with the next frame.
    fn tell(&mut self, event: &Event) {
        encode_into(&ServerMessageRef::Event(event.into()), &mut self.events);
    }

    /// What is told of the end that was announced: by which tick it comes, if ticks go on from now.
    fn draining(&self) -> Option<Event> {
        Some(Event::Draining { until: self.tick.plus(self.ends_by?.since(self.age)) })
    }
}
