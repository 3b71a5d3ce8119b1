//! Whether the server did with an input what it must: the game's own step, run on what the server showed before, says what
//! the next snapshot must show if the input was applied, and what it shows if it was not.
//!
//! Invariant: an input is called missed only if the snapshot shows exactly what holding the input before it gives, and that
//! differs from what applying it gives. What something else moved too is unclear, and no fault of anybody.

use std::collections::VecDeque;

use tickwire_game::{Game, MatchClock, Mode};
use tickwire_protocol::{PlayerId, Snapshot, Tick};
use tokio::time::Instant;

/// Inputs remembered until their ticks are seen. More are under way only if snapshots have stopped.
const SENT_MAX: usize = 128;

/// Watches one player's inputs come true.
#[derive(Debug)]
pub(super) struct Witness<G: Game> {
    mode: Mode,
    /// Inputs whose ticks have not been seen; ticks rise.
    sent: VecDeque<Sent<G::Input>>,
    /// What the server applied last.
    held: G::Input,
    /// The player's body in the snapshot before.
    before: Option<(MatchClock, G::Body)>,
}

#[derive(Clone, Copy, Debug)]
struct Sent<I> {
    tick: Tick,
    input: I,
    origin: Origin,
}

/// Where an input came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// When it was meant to be sent.
    pub(super) intended: Instant,
    /// Inputs it stands for: more than one if the generator was late.
    pub(super) stands_for: u32,
    /// Pings sent before it.
    pub(super) window: u32,
}

/// What a snapshot says of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The player moved as the input says.
    Shown(Origin),
    /// The player moved as without it.
    Missed(Origin),
    /// Something else happened to the player, or its tick was not seen.
    Unclear,
}

impl<G: Game> Witness<G> {
    /// Nothing sent, nothing seen.
    pub(super) fn new(mode: Mode) -> Self {
        Self { mode, sent: VecDeque::new(), held: G::Input::default(), before: None }
    }

    /// `input` was sent, meant for `tick`, which is later than those before.
    pub(super) fn sent(&mut self, tick: Tick, input: G::Input, origin: Origin) {
        if self.sent.len() >= SENT_MAX {
            self.sent.pop_front();
        }
        self.sent.push_back(Sent { tick, input, origin });
    }

    /// Looks at a new snapshot; says of each input whose tick it shows what became of it, unless it makes no difference.
    pub(super) fn look(&mut self, view: &Snapshot, me: PlayerId, mut say: impl FnMut(Seen)) {
        let now = G::body(view, me);
        let clock = MatchClock::of(view);
        // In another phase than was foreseen, an input may mean something else.
        let foreseen = |before: &MatchClock| before.tick.next() == view.tick && before.at(view.tick).phase == clock.phase;
        let before = self.before.take().filter(|(before, _)| foreseen(before));
        while let Some(sent) = self.sent.pop_front_if(|sent| sent.tick.since(view.tick) <= 0) {
            let previous = std::mem::replace(&mut self.held, sent.input);
            let (Some((earlier, before)), Some(now), true) = (&before, &now, sent.tick == view.tick) else {
                say(Seen::Unclear);
                continue;
            };
            let [applied, without] = [sent.input, previous].map(|input| self.stepped(before, &earlier.at(view.tick), &input));
            if applied == without {
                continue;
            }
            if *now == applied {
                say(Seen::Shown(sent.origin));
            } else if *now == without {
                self.held = previous;
                say(Seen::Missed(sent.origin));
            } else {
                say(Seen::Unclear);
            }
        }
        self.before = now.map(|body| (clock, body));
    }

    fn stepped(&self, body: &G::Body, now: &MatchClock, input: &G::Input) -> G::Body {
        let mut body = body.clone();
        G::step(&mut body, now, input, &self.mode);
        body
    }
}

#[cfg(test)]
mod tests {
    use tag::{Input, Tag};
    use tickwire_game::testing::TestMatch;

    use super::*;

    const ME: PlayerId = PlayerId(0);
    const RIGHT: Input = Input { x: 100, y: 0 };
    const LEFT: Input = Input { x: -100, y: 0 };

    fn origin(window: u32) -> Origin {
        Origin { intended: Instant::now(), stands_for: 1, window }
    }

    fn begin() -> (TestMatch<Tag>, Witness<Tag>) {
        let mut game = TestMatch::new(7, Tick(100));
        game.join(ME);
        let mut witness = Witness::new(*TestMatch::<Tag>::mode());
        witness.look(game.step(), ME, |_| {});
        (game, witness)
    }

    /// What the witness says when the server applies `applied` though `meant` was sent.
    fn verdicts(steps: &[(Input, Input)]) -> Vec<Seen> {
        let (mut game, mut witness) = begin();
        let mut seen = Vec::new();
        for (nth, (meant, applied)) in steps.iter().enumerate() {
            witness.sent(game.view().tick.next(), *meant, origin(nth as u32));
            game.hold(ME, *applied);
            witness.look(game.step(), ME, |verdict| seen.push(verdict));
        }
        seen
    }

    fn windows(seen: &[Seen]) -> Vec<(char, u32)> {
        let short = |seen: &Seen| match seen {
            Seen::Shown(origin) => ('s', origin.window),
            Seen::Missed(origin) => ('m', origin.window),
            Seen::Unclear => ('u', 0),
        };
        seen.iter().map(short).collect()
    }

    #[test]
    fn an_input_that_moves_the_player_is_shown_and_a_dropped_one_is_missed() {
        let seen = verdicts(&[(RIGHT, RIGHT), (LEFT, RIGHT), (LEFT, LEFT)]);
        assert_eq!(windows(&seen), [('s', 0), ('m', 1), ('s', 2)]);
    }

    #[test]
    fn an_input_like_the_one_before_proves_nothing() {
        assert_eq!(windows(&verdicts(&[(RIGHT, RIGHT), (RIGHT, RIGHT)])), [('s', 0)]);
    }

    #[test]
    fn a_tick_that_was_not_seen_leaves_its_input_unclear() {
        let (mut game, mut witness) = begin();
        witness.sent(game.view().tick.next(), RIGHT, origin(0));
        game.hold(ME, RIGHT);
        game.step();
        let mut seen = Vec::new();
        witness.look(game.step(), ME, |verdict| seen.push(verdict));
        assert_eq!(seen, [Seen::Unclear]);
    }
}
