//! Prediction against the server's truth: equal bit for bit, whatever the latency.

use std::collections::{BTreeMap, VecDeque};

use arena::geometry::Vec2;
use arena::tables::Fighter;
use arena::{Arena, Input};
use tickwire_game::testing::TestMatch;
use tickwire_game::{Predictor, Rng};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{NetId, PlayerId, Snapshot, Tick};

const ME: PlayerId = PlayerId(0);

/// A client that runs `lead` ticks ahead of the server and sees snapshots `delay` ticks late.
struct PredictingClient {
    predictor: Predictor<Arena>,
    rng: Rng,
    input: Input,
    input_until: Tick,
    lead: u32,
    delay: usize,
    /// Inputs on their way.
    sent: BTreeMap<u32, Input>,
    arriving: VecDeque<Snapshot>,
}

impl PredictingClient {
    fn new(seed: u64, lead: u32, delay: usize) -> Self {
        let predictor = Predictor::new(*TestMatch::<Arena>::mode());
        let (sent, arriving) = (BTreeMap::new(), VecDeque::new());
        Self { predictor, rng: Rng::new(seed), input: Input::default(), input_until: Tick(0), lead, delay, sent, arriving }
    }

    /// Presses keys at random, for up to a second each: runs into walls, dashes, fires.
    fn press(&mut self, tick: Tick) -> Input {
        if tick.since(self.input_until) >= 0 {
            self.input_until = tick.plus(1 + self.rng.below(30));
            let mut axis = || [-128, -127, 0, 0, 60, 127][self.rng.below(6) as usize] as i8;
            self.input = Input { move_x: axis(), move_y: axis(), aim: 0, buttons: self.rng.below(4) as u8 };
        }
        self.input.aim = self.input.aim.wrapping_add(500);
        self.input
    }

    /// The client's half of a tick; the server is about to simulate `tick`.
    fn play(&mut self, tick: Tick) -> Input {
        let ahead = tick.plus(self.lead);
        let input = self.press(ahead);
        self.sent.insert(ahead.0, input);
        self.predictor.push(ahead, input);
        self.sent.get(&tick.0).copied().unwrap_or_default()
    }

    fn receive(&mut self, view: &Snapshot) {
        self.arriving.push_back(view.clone());
        if self.arriving.len() > self.delay
            && let Some(view) = self.arriving.pop_front()
        {
            self.predictor.reconcile(&view, ME);
        }
    }
}

fn own(view: &Snapshot) -> Option<(NetId, Fighter)> {
    view.rows::<Fighter>().find(|(_, fighter)| fighter.player == ME.0)
}

#[test]
fn alone_every_prediction_comes_true() {
    for (seed, lead, delay) in [(1, 0, 0), (2, 1, 0), (3, 2, 3), (4, 6, 6), (5, 12, 20)] {
        let mut game = TestMatch::<Arena>::new(seed, Tick(0));
        game.join(ME);
        game.enter(Phase::Live);
        let mut client = PredictingClient::new(seed, lead, delay);
        let mut predicted = BTreeMap::new();
        let (mut compared, mut dashes, mut contacts) = (0, 0, 0);
        // Overcharges are not foreseen: out of the way with them.
        let world = game.world();
        let pickups: Vec<_> =
            world.query_filtered::<bevy_ecs::entity::Entity, bevy_ecs::query::With<arena::tables::Pickup>>().iter(world).collect();
        for pickup in pickups {
            game.world().despawn(pickup);
        }
        for tick in (1..6000).map(Tick) {
            let input = client.play(tick);
            if let Some(body) = client.predictor.body() {
                predicted.insert(client.predictor.tick().0, *body);
            }
            game.hold(ME, input);
            let view = game.step();
            client.receive(view);
            let truth = own(view).map(|(_, fighter)| fighter);
            if let Some(guess) = predicted.remove(&tick.0) {
                assert_eq!(Some(guess), truth, "tick {} with lead {lead}, delay {delay}", tick.0);
                compared += 1;
                dashes += u32::from(guess.is_dashing(tick));
                contacts += u32::from(guess.velocity() == Vec2::default() && input.push().length() > 100);
            }
        }
        assert!(compared > 5900 && dashes > 100 && contacts > 50, "{compared} compared, {dashes} dashing, {contacts} at walls");
    }
}

#[test]
fn in_a_fight_only_what_others_do_is_mispredicted() {
    let mut tick = Tick(u32::MAX - 2000);
    let mut game = TestMatch::<Arena>::new(9, tick);
    game.join(ME);
    for player in 1..8 {
        game.join_bot(PlayerId(player), u64::from(player));
    }
    game.enter(Phase::Live);
    let mut client = PredictingClient::new(9, 4, 5);
    let mut predicted: BTreeMap<u32, (Option<Fighter>, Option<NetId>)> = BTreeMap::new();
    let (mut compared, mut lives) = (0, 0);
    let (mut life, mut overcharge) = (None, 0);
    for _ in 0..9000 {
        tick = tick.next();
        let input = client.play(tick);
        predicted.insert(client.predictor.tick().0, (client.predictor.body().copied(), life));
        game.hold(ME, input);
        let view = game.step();
        client.receive(view);
        let truth = own(view);
        let known = (life, overcharge);
        life = truth.map(|(id, _)| id);
        overcharge = truth.map_or(0, |(_, fighter)| fighter.overcharge_until);
        lives += u32::from(life.is_some() && known.0 != life);
        let Some((guess, life_then)) = predicted.remove(&tick.0) else { continue };
        if let (Some(guess), Some((id, truth))) = (guess, truth)
            && life_then == Some(id)
            && guess.overcharge_until == truth.overcharge_until
        {
            assert_eq!(Fighter { health: truth.health, ..guess }, truth, "tick {}", tick.0);
            compared += 1;
        }
    }
    assert!(compared > 3000 && lives > 5, "{compared} compared over {lives} lives");
}

#[test]
fn the_end_of_play_is_foreseen() {
    let mut game = TestMatch::<Arena>::new(2, Tick(0));
    game.join(ME);
    let ends = Tick(200);
    game.enter_until(Phase::Live, ends);
    let mut client = PredictingClient::new(3, 5, 5);
    let mut predicted = BTreeMap::new();
    for tick in (1..260).map(Tick) {
        if tick == ends {
            game.enter(Phase::Finished);
        }
        let input = client.play(tick);
        predicted.insert(client.predictor.tick().0, client.predictor.body().copied());
        game.hold(ME, input);
        let view = game.step();
        client.receive(view);
        if let Some(Some(guess)) = predicted.remove(&tick.0) {
            assert_eq!(Some(guess), own(view).map(|(_, fighter)| fighter), "tick {}", tick.0);
        }
    }
}
