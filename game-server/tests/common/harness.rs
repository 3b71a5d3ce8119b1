//! A whole server in this process, on ports of its own, and clients to talk to it.

use tickwire_game::Game;
use tickwire_loadtest::{Api, ApiError, Client, Join, script};
use tickwire_server::server::RunningServer;
use tickwire_server::{Config, Server};

/// A server that ends with the test.
pub struct Harness {
    pub server: RunningServer,
}

impl Harness {
    /// Starts `G` with short deadlines, hashes in every snapshot, and whatever else the test wants.
    pub fn start<G: Game>(adjust: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.port = 0;
        config.workers = 2;
        config.admin.enabled = false;
        config.matches.hash_every = 1;
        config.matches.bots_fill = Some(0);
        config.matches.countdown_seconds = 0;
        adjust(&mut config);
        Self { server: Server::start::<G>(config).expect("a server starts on free ports") }
    }

    /// A guest with an address of their own.
    pub async fn guest(&self, index: usize) -> Api {
        let mut api = Api::new(self.server.play_addr(), Api::loopback_source(index));
        api.open_session(&format!("player {index}")).await.expect("a guest session");
        api
    }

    /// Two players in a match of their own.
    pub async fn pair<G: Game>(&self) -> (Client<G>, Client<G>, Join) {
        let (ada, bob) = (self.guest(0).await, self.guest(1).await);
        let mode = G::MODES[0].id;
        let first = ada.create(mode, true).await.expect("a match");
        let second = bob.join(&first.code).await.expect("a seat");
        let ada = script::enter(&ada, &first).await.expect("Welcome");
        let bob = script::enter(&bob, &second).await.expect("Welcome");
        (ada, bob, first)
    }
}

/// The code of a refusal.
pub fn refusal(error: ApiError) -> String {
    match error {
        ApiError::Refused { code, .. } => code,
        other => panic!("expected a refusal, not: {other}"),
    }
}
