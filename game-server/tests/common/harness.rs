//! A whole server in this process, on ports of its own, and clients to talk to it.

#![allow(dead_code)] // every test uses a part of it
#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

use std::time::Duration;

use tickwire_game::Game;
use tickwire_server::config::{HeadroomConfig, TransportChoice};
use tickwire_server::server::RunningServer;
use tickwire_server::{Config, Server};
use tickwire_testkit::line::Trust;
use tickwire_testkit::target::Endpoint;
use tickwire_testkit::{Api, Client, Join, script};

/// Looks again and again until what is looked for is there.
pub(crate) async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..400 {
        if let Some(found) = look() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}")
}

/// The transport that the environment asks for, as it would ask a server: `cargo xtask test` runs
/// the tests that show how connections behave over each.
pub(crate) fn transport_under_test() -> TransportChoice {
    match std::env::var("TICKWIRE_TRANSPORT").as_deref() {
        Err(_) => TransportChoice::Auto,
        Ok("raw") => TransportChoice::Raw,
        Ok("portable") => TransportChoice::Portable,
        Ok(other) => panic!("there is no transport `{other}`"),
    }
}

/// Whom clients believe where the environment asks for TLS, with which most tests of sockets can
/// run as well.
fn trust_under_test() -> Option<Trust> {
    std::env::var("TICKWIRE_TLS").is_ok_and(|asked| asked == "1").then(|| Trust::anyone().expect("a client"))
}

/// A server that ends with the test.
pub(crate) struct Harness {
    pub(crate) server: RunningServer,
}

impl Harness {
    /// Starts `G` with short deadlines, hashes in every snapshot, and whatever else the test wants.
    pub(crate) fn start<G: Game>(adjust: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config { port: 0, workers: 2, ..Config::default() };
        config.admin.enabled = false;
        config.matches.hash_every = 1;
        config.matches.bots_fill = Some(0);
        config.matches.countdown_seconds = 0;
        config.transport = transport_under_test();
        config.tls.self_signed = trust_under_test().is_some();
        // How busy the machine of the tests is decides nothing but where that is what is tested.
        config.headroom = HeadroomConfig::NONE;
        (config.memory.brake_percent, config.memory.shed_percent) = (0, 0);
        adjust(&mut config);
        Self { server: Server::start::<G>(config).expect("a server starts on free ports") }
    }

    /// A guest with an address of their own.
    pub(crate) async fn guest(&self, index: usize) -> Api {
        let place = Endpoint::at(self.server.play_addr()).secured(trust_under_test());
        let mut api = Api::to(place, Api::loopback_source(index));
        api.open_session(&format!("player {index}")).await.expect("a guest session");
        api
    }

    /// Two players in a match of their own.
    pub(crate) async fn pair<G: Game>(&self) -> (Client<G>, Client<G>, Join) {
        let (ada, bob) = (self.guest(0).await, self.guest(1).await);
        let mode = G::MODES[0].id;
        let first = ada.create(mode, true).await.expect("a match");
        let second = bob.join(&first.code).await.expect("a seat");
        let ada = script::enter(&ada, &first).await.expect("Welcome");
        let bob = script::enter(&bob, &second).await.expect("Welcome");
        (ada, bob, first)
    }
}
