//! What a tick of a large match costs, without sockets: `cargo run --release -p tickwire-server
//! --example royale_cost -- [players [spread|crowd|small]]`.
//!
//! Bots play, each on what its player is sent. Every part of a tick is timed on its own; per player
//! and tick, in microseconds. For comparison the same number of players in matches of sixteen. With
//! `count` for the number of players 1,024 play for a few ticks, a function named `measured` does
//! all that these take, for callgrind to count, and how often a player was served stands on
//! standard output: `cargo xtask instructions` does that.

use std::hint::black_box;
use std::time::{Duration, Instant};

use arena::tables::Fighter;
use arena::{Arena, Input};
use bytes::Bytes;
use tickwire_game::{Bots, Game, MatchClock, Mode, Simulation};
use tickwire_match::{Replication, View};
use tickwire_protocol::codec::{BoundedBytes, encode_into};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{Event, PlayerId, ServerMessage, Snapshot, Tick};

/// Ticks before anything is timed, and ticks that are.
const WARM_UP: u32 = 300;
const TICKS: u32 = 300;
/// Ticks before anything is counted, and ticks that are, under callgrind, which takes its time.
const COUNTED_WARM_UP: u32 = 90;
const COUNTED_TICKS: u32 = 16;
const COUNTED_PLAYERS: u16 = 1024;

/// What is done to the fighters before each tick.
#[derive(Clone, Copy, PartialEq)]
enum Scene {
    /// They go where they like.
    Spread,
    /// They are kept in one cell.
    Crowd,
}

/// Lets matches play a scene and says what it cost.
type Report = fn(&str, Vec<Playing>, Scene);

#[derive(Default)]
struct Cost {
    think: Duration,
    simulate: Duration,
    /// Capture, gathering rows into chunks, versions.
    advance: Duration,
    /// Choosing, encoding what nobody had encoded before, and writing all frames.
    frames: Duration,
    bytes: u64,
    longest: usize,
}

struct Playing {
    simulation: Simulation<Arena>,
    replication: Replication,
    clock: MatchClock,
    players: Vec<(PlayerId, <Arena as Bots>::Brain, Input, View)>,
    sight: Snapshot,
}

impl Playing {
    fn new(mode: &Mode, players: u16, seed: u64) -> Self {
        let mut simulation = Simulation::<Arena>::new(mode, seed, Tick(0), 0);
        let players = (0..players).map(|player| {
            simulation.join(PlayerId(player));
            (PlayerId(player), Arena::brain(seed + u64::from(player)), Input::default(), View::new(Some(PlayerId(player))))
        });
        let players = players.collect();
        Self {
            simulation,
            players,
            replication: Replication::new(&Arena::SCHEMA, Arena::interest(mode), 0),
            clock: MatchClock { tick: Tick(0), phase: Phase::Live, phase_ends: None },
            sight: Snapshot::empty(&Arena::SCHEMA),
        }
    }

    /// A tick, of which `serve` does what a server does.
    fn tick(&mut self, scene: Scene, cost: &mut Cost, serve: fn(&mut Self, &mut Cost)) {
        let began = Instant::now();
        self.think();
        cost.think += began.elapsed();
        if scene == Scene::Crowd {
            huddle(&mut self.simulation);
        }
        serve(self, cost);
    }

    /// How many fighters all players have in sight together.
    fn seen(&mut self) -> usize {
        let Self { replication, players, sight, .. } = self;
        let mut see = |player| if replication.see(player, sight) { sight.rows::<Fighter>().count() } else { 0 };
        players.iter().map(|(player, ..)| see(*player)).sum()
    }

    /// Half of the bots in even ticks and half in odd ones.
    fn think(&mut self) {
        let is_divided = self.replication.is_divided();
        let tick = self.clock.tick.0;
        for (player, brain, input, _) in self.players.iter_mut().filter(|(player, ..)| (tick ^ u32::from(player.0)) & 1 == 0) {
            if is_divided {
                if self.replication.see(*player, &mut self.sight) {
                    *input = Arena::think(brain, &self.sight, *player);
                }
            } else if let Some(view) = self.replication.newest() {
                *input = Arena::think(brain, view, *player);
            }
        }
    }

    /// All that a server does in a tick but for its sockets.
    fn serve(&mut self, cost: &mut Cost) {
        let began = Instant::now();
        self.clock.tick = self.clock.tick.next();
        self.simulation.step(self.clock, self.players.iter().map(|(player, _, input, _)| (*player, *input)));
        let (mut events, mut placed) = (Vec::new(), Vec::new());
        let is_divided = self.replication.is_divided();
        self.simulation.drain_events(|told| match BoundedBytes::new(told.bytes.clone()) {
            Some(_) if told.at.is_some() && is_divided => placed.push(told),
            Some(bytes) => encode_into(&ServerMessage::Event(Event::Game(bytes)), &mut events),
            None => {}
        });
        cost.simulate += began.elapsed();
        let began = Instant::now();
        let simulation = &mut self.simulation;
        let placed = placed.iter().filter_map(|told| Some((told.bytes.as_slice(), told.at?)));
        self.replication.advance(self.clock.tick, Bytes::from(events), placed, |snapshot| simulation.capture(snapshot));
        cost.advance += began.elapsed();
        let began = Instant::now();
        for (.., view) in &mut self.players {
            let frame = black_box(self.replication.frame(view));
            cost.bytes += frame.len() as u64;
            cost.longest = cost.longest.max(frame.len());
        }
        self.replication.sweep();
        cost.frames += began.elapsed();
    }

    /// Never inlined, so that callgrind finds it by its name.
    #[inline(never)]
    fn measured(&mut self, cost: &mut Cost) {
        self.serve(black_box(cost));
    }
}

/// Puts whoever has left the middle of the map back into one cell there.
fn huddle(simulation: &mut Simulation<Arena>) {
    let inside = 126_100..137_900;
    let world = simulation.world();
    for mut fighter in world.query::<&mut Fighter>().iter_mut(world) {
        if !inside.contains(&fighter.x) || !inside.contains(&fighter.y) {
            let place = i32::from(fighter.player);
            (fighter.x, fighter.y) = (128_400 + place % 32 * 250, 128_400 + place / 32 * 250);
        }
        fighter.health = 100;
    }
}

/// Lets `matches` play for `ticks` after `warm_up`, and says what `serve` cost in these.
fn play(matches: &mut [Playing], scene: Scene, warm_up: u32, ticks: u32, serve: fn(&mut Playing, &mut Cost)) -> Cost {
    let mut unmeasured = Cost::default();
    (0..warm_up).for_each(|_| matches.iter_mut().for_each(|playing| playing.tick(scene, &mut unmeasured, Playing::serve)));
    let mut cost = Cost::default();
    (0..ticks).for_each(|_| matches.iter_mut().for_each(|playing| playing.tick(scene, &mut cost, serve)));
    cost
}

/// How many fighters a player has in sight.
fn seen(matches: &mut [Playing], players: usize) -> f64 {
    matches.iter_mut().map(Playing::seen).sum::<usize>() as f64 / players as f64
}

fn time(name: &str, mut matches: Vec<Playing>, scene: Scene) {
    let players: usize = matches.iter().map(|playing| playing.players.len()).sum();
    let cost = play(&mut matches, scene, WARM_UP, TICKS, Playing::serve);
    let each = |duration: Duration| duration.as_secs_f64() * 1e6 / f64::from(TICKS) / players as f64;
    let all = each(cost.simulate + cost.advance + cost.frames);
    let bytes = cost.bytes as f64 / f64::from(TICKS) / players as f64;
    println!("{name}: {players} players, {:.1} fighters in sight", seen(&mut matches, players));
    println!(
        "  us per player and tick: simulate {:.2}, advance {:.2}, frames {:.2}, together {all:.2} ({:.2} ms a tick); bots' thinking {:.2}",
        each(cost.simulate),
        each(cost.advance),
        each(cost.frames),
        all * players as f64 / 1e3,
        each(cost.think),
    );
    println!("  {bytes:.1} bytes a frame, the longest {}, {:.2} kB/s", cost.longest, bytes * 30.0 / 1e3);
}

fn count(name: &str, mut matches: Vec<Playing>, scene: Scene) {
    let players: usize = matches.iter().map(|playing| playing.players.len()).sum();
    let cost = play(&mut matches, scene, COUNTED_WARM_UP, COUNTED_TICKS, Playing::measured);
    let (bytes, seen) = (cost.bytes as f64 / (players * COUNTED_TICKS as usize) as f64, seen(&mut matches, players));
    println!(
        "{} player and tick: {name}, {seen:.0} fighters in sight, {bytes:.0} bytes a frame, the longest {}",
        players * COUNTED_TICKS as usize,
        cost.longest
    );
}

fn main() {
    let [ffa, royale] = Arena::MODES else { return };
    let mut arguments = std::env::args().skip(1);
    let players = arguments.next();
    let (players, report): (u16, Report) = match players.as_deref() {
        Some("count") => (COUNTED_PLAYERS, count),
        players => (players.and_then(|players| players.parse().ok()).unwrap_or(COUNTED_PLAYERS), time),
    };
    let only = arguments.next();
    let is_wanted = |scene: &str| only.as_deref().is_none_or(|only| only == scene);
    if is_wanted("spread") {
        report("royale, spread", vec![Playing::new(royale, players, 1)], Scene::Spread);
    }
    if is_wanted("crowd") {
        report("royale, one cell", vec![Playing::new(royale, players, 1)], Scene::Crowd);
    }
    if is_wanted("small") {
        let small = (0..u64::from(players / 16)).map(|seed| Playing::new(ffa, 16, seed * 100)).collect();
        report("matches of sixteen", small, Scene::Spread);
    }
}
