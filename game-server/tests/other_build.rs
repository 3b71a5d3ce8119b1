//! A deploy with another version of the game: matches go on in it, and of one that cannot its
//! players are told so.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::path::Path;

use harness::Harness;
use http::get;
use tempfile::TempDir;
use tickwire_game::Game;
use tickwire_game::prelude::{Setup as Fill, *};
use tickwire_protocol::{CloseReason, Credential};
use tickwire_testkit::script::{enter, resume, see};
use tickwire_testkit::{Api, ApiError, Client, ClientError};

const MODE: Mode = Mode { id: "run", ..Mode::DEFAULT };

/// A version of a game in which a runner gets to `$max` at most.
macro_rules! version {
    ($name:ident, $max:literal, $($hurdle:ident)?) => {
        mod $name {
            use super::*;

            #[derive(Replicate, Clone, Copy, Debug, PartialEq)]
            pub(crate) struct Runner {
                #[owner]
                pub(crate) player: PlayerId,
                #[range(0..=$max)]
                pub(crate) x: i32,
            }

            $(#[derive(Replicate, Clone, Copy, Debug, PartialEq)]
            pub(crate) struct $hurdle {
                pub(crate) x: u8,
            })?

            pub(crate) struct Run;

            #[game]
            impl Game for Run {
                const NAME: &'static str = "run";
                const MODES: &'static [Mode] = &[MODE];
                type Components = (Runner, $($hurdle)?);

                fn join(world: &mut World, player: PlayerId) {
                    spawn(world, Runner { player, x: 150 });
                }

                fn step(_: &mut Runner, _: &MatchClock, _: &u8, _: &Mode) {}
            }
        }
    };
}

version!(before, 1000,);
version!(after, 200, Hurdle);
version!(too_narrow, 100,);

/// A version that cannot even be built.
mod broken {
    use super::{Fill, Game, MODE, MatchClock, Mode, PlayerId, World, before, game};

    pub(crate) struct Run;

    #[game]
    impl Game for Run {
        const NAME: &'static str = "run";
        const MODES: &'static [Mode] = &[MODE];
        type Components = (before::Runner,);

        fn join(_: &mut World, _: PlayerId) {}

        fn systems(_: &mut Fill<'_>) {
            panic!("this version's mistake");
        }

        fn step(_: &mut before::Runner, _: &MatchClock, _: &u8, _: &Mode) {}
    }
}

fn keeping<G: Game>(dir: &Path, port: u16) -> Harness {
    Harness::start::<G>(|config| {
        config.port = port;
        config.ops.port = Some(0);
        dir.clone_into(&mut config.journal.dir);
    })
}

/// Ada plays a match of the version before, and the server is killed. What it leaves, Ada's key,
/// and her match's code and where it is.
struct Left {
    dir: TempDir,
    port: u16,
    api: Api,
    token: Credential,
    id: String,
    code: String,
    ws_url: String,
}

async fn played() -> Left {
    let dir = tempfile::tempdir().expect("a folder");
    let harness = keeping::<before::Run>(dir.path(), 0);
    let api = harness.guest(0).await;
    let join = api.create(MODE.id, true).await.expect("a match");
    let mut ada: Client<before::Run> = enter(&api, &join).await.expect("Welcome");
    see(&mut ada, |view| view.tick.0 >= 20).await.expect("Ada plays");
    let token = ada.resume_credential().expect("welcomed");
    let port = harness.server.play_addr().port();
    let freezing = tokio::task::spawn_blocking(move || harness.server.freeze());
    freezing.await.expect("frozen");
    Left { dir, port, api, token, id: join.match_id, code: join.code, ws_url: join.ws_url }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_match_goes_on_in_the_next_version_of_its_game() {
    let Left { dir, port, api, token, ws_url, .. } = played().await;
    let _harness = keeping::<after::Run>(dir.path(), port);
    let mut back: Client<after::Run> = resume(&api, &ws_url, token).await.expect("the seat is there");
    let x = see(&mut back, |view| view.table_of::<after::Runner>().is_some_and(|table| table.len() == 1)).await;
    x.expect("Ada's runner");
    let view = back.view().expect("a view");
    let (_, runner) = view.table_of::<after::Runner>().and_then(|table| table.rows::<after::Runner>().next()).expect("a runner");
    assert_eq!(runner.x, 150);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_for_a_match_that_cannot_go_on_is_told_so() {
    let Left { dir, port, api, token, id, code, ws_url } = played().await;
    let harness = keeping::<too_narrow::Run>(dir.path(), port);
    let refused = resume::<too_narrow::Run>(&api, &ws_url, token).await.err();
    assert!(matches!(refused, Some(ClientError::Told(CloseReason::Lost))), "{refused:?}");
    let stranger = harness.guest(1).await;
    for wanted in [&code, &id] {
        let refused = stranger.join(wanted).await.err();
        assert!(matches!(&refused, Some(ApiError::Refused { code, .. }) if code == "match_lost"), "{refused:?}");
    }
    assert!(lost(&harness) >= 1);

    harness.server.shutdown();
    let harness = keeping::<before::Run>(dir.path(), port);
    let refused = harness.guest(2).await.join(&id).await.err();
    assert!(matches!(&refused, Some(ApiError::Refused { code, .. }) if code == "match_not_found"), "it was ended: {refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_match_whose_return_panics_is_counted_and_told_of() {
    let Left { dir, port, id, .. } = played().await;
    let harness = keeping::<broken::Run>(dir.path(), port);
    let refused = harness.guest(1).await.join(&id).await.err();
    assert!(matches!(&refused, Some(ApiError::Refused { code, .. }) if code == "match_lost"), "{refused:?}");
    assert!(lost(&harness) >= 1);
}

/// How many matches the monitoring system is told were lost, by all servers of these tests.
fn lost(harness: &Harness) -> u64 {
    let metrics = get(harness.server.ops_addr(), "/metrics").text();
    let line = metrics.lines().find(|line| line.starts_with("tickwire_match_revivals_total{outcome=\"lost\"}")).expect("a count");
    line.rsplit_once(' ').and_then(|(_, count)| count.parse().ok()).expect("a number")
}
