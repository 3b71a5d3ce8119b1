//! The client's guess of its own state: inputs are applied at once, and replayed over the server's
//! truth when it comes.
//!
//! Invariant: with every input arriving in time the guess for a tick equals the server's state at
//! that tick, bit for bit.

use tickwire_protocol::{PlayerId, Snapshot, Tick};

use crate::{Game, MatchClock, Mode};

/// Inputs remembered for replay. Older ones are forgotten: a snapshot that late is shown
/// unpredicted.
const REMEMBERED: u32 = 128;

/// Predicts one player's body. A page has it in its browser module; a test can ask it what a page
/// would show.
///
/// ```
/// # use tickwire_game::prelude::*;
/// # #[derive(Replicate, Clone, Copy, Debug, PartialEq)]
/// # struct Runner {
/// #     #[owner]
/// #     player: PlayerId,
/// #     x: i16,
/// # }
/// # #[derive(Input, Clone, Copy, Debug, Default, PartialEq, Eq)]
/// # struct Push {
/// #     right: i8,
/// # }
/// # struct Race;
/// # #[game]
/// # impl Game for Race {
/// #     fn join(world: &mut World, player: PlayerId) {
/// #         spawn(world, Runner { player, x: 0 });
/// #     }
/// #     fn step(runner: &mut Runner, _: &MatchClock, push: &Push, _: &Mode) {
/// #         runner.x += i16::from(push.right);
/// #     }
/// # }
/// const ME: PlayerId = PlayerId(0);
/// let mut server = TestMatch::<Race>::new(1, Tick(0));
/// server.join(ME);
/// let mut page = Predictor::<Race>::new(Mode::DEFAULT);
/// page.reconcile(server.step(), ME);
///
/// // The page is two ticks ahead of what it was told, and what it is told agrees.
/// [2, 3].map(|tick| page.push(Tick(tick), Push { right: 5 }));
/// assert_eq!((page.tick(), page.body().map(|runner| runner.x)), (Tick(3), Some(10)));
/// server.hold(ME, Push { right: 5 });
/// let (before, now) = page.reconcile(server.step(), ME);
/// assert_eq!((before, now), (Some(Runner { player: ME, x: 10 }), Some(Runner { player: ME, x: 10 })));
/// ```
#[derive(Debug)]
pub struct Predictor<G: Game> {
    mode: Mode,
    /// Input meant for tick `t` at `t % REMEMBERED`.
    inputs: Vec<(Tick, G::Input)>,
    /// The guess, and the tick it is for.
    body: Option<G::Body>,
    tick: Tick,
    /// The clock of the newest snapshot.
    clock: MatchClock,
    newest_input: G::Input,
}

impl<G: Game> Predictor<G> {
    /// Before the first snapshot.
    pub fn new(mode: Mode) -> Self {
        let inputs = vec![(Tick(u32::MAX), G::Input::default()); REMEMBERED as usize];
        Self { mode, inputs, body: None, tick: Tick(0), clock: MatchClock::default(), newest_input: G::Input::default() }
    }

    /// The guess at [`Predictor::tick`]; `None` while there is nothing to move.
    pub fn body(&self) -> Option<&G::Body> {
        self.body.as_ref()
    }

    /// The tick the guess is for.
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// The player holds `input` during `tick`. Moves the guess on to that tick.
    pub fn push(&mut self, tick: Tick, input: G::Input) {
        if let Some(slot) = self.inputs.get_mut((tick.0 % REMEMBERED) as usize) {
            *slot = (tick, input);
        }
        self.advance_to(tick);
        self.newest_input = input;
    }

    /// Takes the server's truth in and replays the inputs it does not contain yet. Returns the
    /// guess for the newest tick before and after; they differ by what was mispredicted.
    pub fn reconcile(&mut self, view: &Snapshot, me: PlayerId) -> (Option<G::Body>, Option<G::Body>) {
        let before = self.body.take();
        let newest = self.tick;
        self.body = G::body(view, me);
        self.tick = view.tick;
        self.clock = MatchClock::of(view);
        let ahead = newest.since(view.tick);
        if ahead > 0 && ahead < REMEMBERED as i32 {
            self.advance_to(newest);
        }
        (before, self.body.clone())
    }

    fn advance_to(&mut self, target: Tick) {
        let count = target.since(self.tick);
        if count <= 0 || count >= REMEMBERED as i32 {
            self.tick = if count <= 0 { self.tick } else { target };
            return;
        }
        for _ in 0..count {
            self.tick = self.tick.next();
            let input = self.input_for(self.tick);
            if let Some(body) = &mut self.body {
                G::step(body, &self.clock.at(self.tick), &input, &self.mode);
            }
        }
    }

    /// The input meant for `tick`, or what the server does without one: the one before is held.
    fn input_for(&self, tick: Tick) -> G::Input {
        (0..REMEMBERED)
            .map(|back| Tick(tick.0.wrapping_sub(back)))
            .find_map(|tick| self.inputs.get((tick.0 % REMEMBERED) as usize).filter(|slot| slot.0 == tick))
            .map_or(self.newest_input, |slot| slot.1)
    }
}
