//! What a tick of a large match costs, without sockets: `cargo run --release -p tickwire-server --example royale_cost -- [players [spread|crowd|small]]`.
//!
//! Bots play, each on what its player is sent. Every part of a tick is timed on its own; per player and tick, in microseconds.
//! For comparison the same number of players in matches of sixteen.

use std::time::{Duration, Instant};

use arena::tables::Fighter;
use arena::{Arena, Input};
use bytes::Bytes;
use tickwire_game::{Game, GameDef, MatchClock, Mode, Simulation};
use tickwire_protocol::codec::{BoundedBytes, encode_into};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{Event, PlayerId, Replica, ServerMessage, Snapshot, Tick};
use tickwire_server::replication::{Replication, View};

/// Ticks before anything is counted, and ticks that are.
const WARM_UP: u32 = 300;
const TICKS: u32 = 300;

/// What is done to the fighters before each tick.
#[derive(Clone, Copy, PartialEq)]
enum Scene {
    /// They go where they like.
    Spread,
    /// They are kept in one cell.
    Crowd,
}

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
    seen: usize,
    ticks: u32,
}

struct Playing {
    simulation: Simulation<Arena>,
    replication: Replication,
    clock: MatchClock,
    players: Vec<(PlayerId, <Arena as GameDef>::Brain, Input, View)>,
    probe: Replica,
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
            probe: Replica::new(&Arena::SCHEMA),
            sight: Snapshot::empty(&Arena::SCHEMA),
        }
    }

    fn tick(&mut self, scene: Scene, cost: &mut Cost) {
        let began = Instant::now();
        self.think();
        cost.think += began.elapsed();
        if scene == Scene::Crowd {
            huddle(&mut self.simulation);
        }
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
        self.replication.advance(self.clock.tick, Bytes::from(events), placed.into_iter(), |snapshot| simulation.capture(snapshot));
        cost.advance += began.elapsed();
        self.send(cost);
        cost.ticks += 1;
    }

    fn think(&mut self) {
        let is_divided = self.replication.is_divided();
        for (player, brain, input, _) in &mut self.players {
            if is_divided {
                if self.replication.see(*player, &mut self.sight) {
                    *input = Arena::think(brain, &self.sight, *player);
                }
            } else if let Some(view) = self.replication.newest() {
                *input = Arena::think(brain, view, *player);
            }
        }
    }

    fn send(&mut self, cost: &mut Cost) {
        for (player, _, _, view) in &mut self.players {
            let began = Instant::now();
            let frame = self.replication.frame(view);
            cost.frames += began.elapsed();
            cost.bytes += frame.len() as u64;
            cost.longest = cost.longest.max(frame.len());
            if player.0 == 0 {
                let mut rest = &frame[..];
                while let Some(Ok(message)) = ServerMessage::decode_next(&mut rest) {
                    let _ = self.probe.apply(&message);
                }
            }
        }
        let began = Instant::now();
        self.replication.sweep();
        cost.frames += began.elapsed();
        cost.seen += self.probe.snapshot().map_or(0, |view| view.rows::<Fighter>().count());
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

fn run(name: &str, mut matches: Vec<Playing>, scene: Scene) {
    let mut cost = Cost::default();
    let players: usize = matches.iter().map(|playing| playing.players.len()).sum();
    for tick in 0..WARM_UP + TICKS {
        if tick == WARM_UP {
            cost = Cost::default();
        }
        matches.iter_mut().for_each(|playing| playing.tick(scene, &mut cost));
    }
    let each = |duration: Duration| duration.as_secs_f64() * 1e6 / f64::from(TICKS) / players as f64;
    let all = each(cost.simulate + cost.advance + cost.frames);
    let bytes = cost.bytes as f64 / f64::from(TICKS) / players as f64;
    println!("{name}: {players} players, {:.1} fighters seen", cost.seen as f64 / f64::from(cost.ticks));
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

fn main() {
    let [ffa, royale] = Arena::MODES else { return };
    let mut arguments = std::env::args().skip(1);
    let players: u16 = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(1000);
    let only = arguments.next();
    let is_wanted = |scene: &str| only.as_deref().is_none_or(|only| only == scene);
    if is_wanted("spread") {
        run("royale, spread", vec![Playing::new(royale, players, 1)], Scene::Spread);
    }
    if is_wanted("crowd") {
        run("royale, one cell", vec![Playing::new(royale, players, 1)], Scene::Crowd);
    }
    if is_wanted("small") {
        let small = (0..u64::from(players / 16)).map(|seed| Playing::new(ffa, 16, seed * 100)).collect();
        run("matches of sixteen", small, Scene::Spread);
    }
}
