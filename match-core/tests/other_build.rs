//! A match that another build of its game goes on with: what fits by name goes on, what does not is
//! forgotten or refused, and people keep their seats whatever the game has become.

#![allow(clippy::expect_used)] // a test fails by panicking

use tickwire_game::prelude::{Setup as Fill, *};
use tickwire_game::{Game, Stored, Unfit};
use tickwire_match::{Change, Happened, MatchCore, OwnerId, Reserve, RestoreError, Restored, Rules, SecretHash, Setup, Step, View};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::text::Name;
use tickwire_protocol::{MatchId, Replica, ServerMessage};

const MODE: Mode = Mode { id: "run", bots_fill: 3, ..Mode::DEFAULT };

#[derive(Input, Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Push {
    #[range(-9..=9)]
    right: i8,
}

/// Before the deploy.
mod before {
    use super::*;

    #[derive(Replicate, Clone, Copy, Debug, PartialEq)]
    pub(crate) struct Runner {
        #[owner]
        pub(crate) player: PlayerId,
        #[range(0..=1000)]
        pub(crate) x: i32,
    }

    #[derive(Replicate, Clone, Copy, Debug, PartialEq)]
    pub(crate) struct Lamp {
        pub(crate) is_lit: bool,
    }

    #[derive(Stored, Clone, Debug)]
    pub(crate) struct Memory {
        pub(crate) thoughts: u32,
    }

    pub(crate) struct Run;

    #[game]
    impl Game for Run {
        const NAME: &'static str = "run";
        const MODES: &'static [Mode] = &[MODE];
        type Input = Push;
        type Components = (Runner, Lamp);

        fn join(world: &mut World, player: PlayerId) {
            spawn(world, Runner { player, x: 0 });
        }

        fn systems(setup: &mut Fill<'_>) {
            setup.spawn(Lamp { is_lit: true });
            setup.add(move_bodies::<Self>);
        }

        fn step(runner: &mut Runner, _now: &MatchClock, push: &Push, _mode: &Mode) {
            runner.x = (runner.x + i32::from(push.right)).clamp(0, 1000);
        }

        fn brain(_seed: u64) -> Memory {
            Memory { thoughts: 0 }
        }

        fn think(memory: &mut Memory, _view: &Snapshot, _me: PlayerId) -> Push {
            memory.thoughts += 1;
            Push { right: i8::from(memory.thoughts > 9) }
        }
    }
}

/// After it: the field is narrower, runners can jump, and there are hurdles instead of a lamp.
mod after {
    use super::*;

    #[derive(Replicate, Clone, Copy, Debug, PartialEq)]
    pub(crate) struct Hurdle {
        #[range(1..=9)]
        pub(crate) height: i32,
    }

    #[derive(Replicate, Clone, Copy, Debug, PartialEq)]
    pub(crate) struct Runner {
        #[owner]
        pub(crate) player: PlayerId,
        #[range(5..=20)]
        pub(crate) legs: i32,
        #[range(0..=100)]
        pub(crate) x: i32,
    }

    pub(crate) struct Run;

    #[game]
    impl Game for Run {
        const NAME: &'static str = "run";
        const MODES: &'static [Mode] = &[MODE];
        type Input = Push;
        type Components = (Hurdle, Runner);

        fn join(world: &mut World, player: PlayerId) {
            spawn(world, Runner { player, legs: 7, x: 0 });
        }

        fn systems(setup: &mut Fill<'_>) {
            setup.spawn(Hurdle { height: 3 });
            setup.add(move_bodies::<Self>);
        }

        fn step(runner: &mut Runner, _now: &MatchClock, push: &Push, _mode: &Mode) {
            runner.x = (runner.x + i32::from(push.right)).clamp(0, 100);
        }
    }
}

/// Only what bots remember is something else.
mod wiser {
    use super::*;

    #[derive(Stored, Clone, Debug)]
    pub(crate) struct Memory {
        pub(crate) thoughts: u32,
        pub(crate) prey: Option<u16>,
    }

    pub(crate) struct Run;

    #[game]
    impl Game for Run {
        const NAME: &'static str = "run";
        const MODES: &'static [Mode] = &[MODE];
        type Input = Push;
        type Components = (before::Runner, before::Lamp);

        fn join(_: &mut World, _: PlayerId) {}

        fn step(_: &mut before::Runner, _: &MatchClock, _: &Push, _: &Mode) {}

        fn brain(_seed: u64) -> Memory {
            Memory { thoughts: 0, prey: None }
        }

        fn think(memory: &mut Memory, _view: &Snapshot, _me: PlayerId) -> Push {
            memory.thoughts += u32::from(memory.prey.is_none());
            Push { right: 1 }
        }
    }
}

/// Only an input is something else.
mod faster {
    use super::*;

    #[derive(Input, Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(crate) struct Push {
        #[range(-12..=12)]
        pub(crate) right: i8,
    }

    pub(crate) struct Run;

    #[game]
    impl Game for Run {
        const NAME: &'static str = "run";
        const MODES: &'static [Mode] = &[MODE];
        type Input = Push;
        type Components = (before::Runner, before::Lamp);

        fn join(_: &mut World, _: PlayerId) {}

        fn step(_: &mut before::Runner, _: &MatchClock, _: &Push, _: &Mode) {}
    }
}

const ADA: PlayerId = PlayerId(0);
const TOKEN: SecretHash = [3; 32];

fn setup() -> Setup {
    let rules = Rules { countdown: 5, bots_fill: 3, ..Rules::default() };
    Setup { id: MatchId([7; 16]), mode: MODE, mode_index: 0, lobby: false, bots: true, rules, seed: 1 }
}

/// Ada and two bots have played for `ticks`, in which she went nine to the right in each.
fn played(ticks: u32) -> MatchCore<before::Run> {
    let mut core = MatchCore::new(&setup());
    let ask = Reserve { owner: OwnerId([1; 32]), name: Name::truncated("Ada"), ticket: [2; 32], patience: 900, own_only: false };
    core.step(&Step::of(Change::Reserve(Box::new(ask))));
    core.step(&Step::of(Change::Attach { player: ADA, ticket: [2; 32], session: 0, resume: TOKEN }));
    for tick in 1..=ticks {
        core.step(&Step::tick(vec![Change::Input { player: ADA, tick: Tick(tick), input: Push { right: 9 } }]));
    }
    // One that is meant for a tick to come.
    core.step(&Step::of(Change::Input { player: ADA, tick: Tick(ticks + 2), input: Push { right: -9 } }));
    core
}

/// Ada comes back to `core` and plays for some ticks. What her client sees then is what there is.
fn comes_back<G: Game>(core: &mut MatchCore<G>) -> Replica {
    core.step(&Step::of(Change::Disconnect { player: ADA, session: 0, may_return: true }));
    let back = core.step(&Step::of(Change::Resume { token: TOKEN, session: 1, resume: [4; 32] }));
    assert!(matches!(back.happened[..], [Happened::Seated { player: ADA, .. }]), "{back:?}");
    let (mut view, mut replica) = (View::new(Some(ADA)), Replica::new(&G::SCHEMA));
    feed(&mut replica, &core.replication().first_frame(&mut view));
    for _ in 0..3 {
        let input = G::Input::default();
        let tick = core.tick().next();
        core.step(&Step::tick(vec![Change::Input { player: ADA, tick, input }]));
        feed(&mut replica, &core.replication().frame(&mut view));
    }
    assert_eq!(replica.snapshot(), core.replication().newest());
    replica
}

fn feed(replica: &mut Replica, mut bytes: &[u8]) {
    while let Some(message) = ServerMessage::decode_next(&mut bytes) {
        replica.apply(&message.expect("well formed")).expect("applies");
    }
}

#[test]
fn what_fits_by_name_goes_on_and_everybody_has_their_seat() {
    let mut old = played(10);
    let Restored { mut core, can_replay, left_out } = MatchCore::<after::Run>::restore(&setup(), &old.state()).expect("it fits");
    assert!(!can_replay, "steps of other tables could be misread");
    assert_eq!(left_out, ["component `lamp`", "inputs to come", "what bots remember"]);
    assert_eq!((core.tick(), core.phase(), core.bots()), (old.tick(), Phase::Live, 2));
    let view = comes_back(&mut core);
    let view = view.snapshot().expect("she sees");
    let runners = view.table_of::<after::Runner>().expect("the table");
    let (_, ada) = runners.rows::<after::Runner>().find(|(_, runner)| runner.player == ADA).expect("her runner");
    assert_eq!(
        ada,
        after::Runner { player: ADA, legs: 5, x: 90 },
        "the new field has the nearest to 0, and the input to come is forgotten"
    );
    assert_eq!(runners.len(), 3, "the bots' runners too");
    assert_eq!(view.table_of::<after::Hurdle>().map(tickwire_protocol::snapshot::Table::len), Some(0), "what is new is nowhere");
}

#[test]
fn a_value_that_does_not_fit_refuses_the_match_and_says_which() {
    let refused = MatchCore::<after::Run>::restore(&setup(), &played(12).state()).err();
    let unfit = Unfit::OutOfRange { component: "runner".into(), field: "x".into(), value: 108 };
    assert_eq!(refused, Some(RestoreError::Unfit(unfit)));
}

#[test]
fn bots_whose_memory_cannot_be_read_begin_anew_and_nothing_else_is_lost() {
    let mut old = played(20);
    let restored = MatchCore::<wiser::Run>::restore(&setup(), &old.state()).expect("it fits");
    assert_eq!((restored.can_replay, &restored.left_out[..]), (true, &["what bots remember".to_owned()][..]));
    let mut core = restored.core;
    assert_eq!(core.hash(), old.hash());
    comes_back(&mut core);
}

#[test]
fn inputs_of_another_kind_are_forgotten() {
    let mut old = played(20);
    let restored = MatchCore::<faster::Run>::restore(&setup(), &old.state()).expect("it fits");
    assert_eq!((restored.can_replay, &restored.left_out[..]), (false, &["inputs to come".to_owned(), "what bots remember".to_owned()][..]));
    let mut core = restored.core;
    assert_eq!(core.hash(), old.hash());
    comes_back(&mut core);
}

#[test]
fn nothing_is_left_out_in_the_same_build() {
    let mut old = played(20);
    let restored = MatchCore::<before::Run>::restore(&setup(), &old.state()).expect("what was stored");
    assert_eq!((restored.can_replay, restored.left_out.len()), (true, 0));
}
