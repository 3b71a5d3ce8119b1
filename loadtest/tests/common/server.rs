//! A true server in this process, and the program under test beside it.

#![allow(dead_code)] // every test uses a part of it

use std::net::SocketAddr;
use std::process::{Command, Output};

use arena::Arena;
use tickwire_server::server::RunningServer;
use tickwire_server::{Config, Server};

/// A server without bots of its own and with hashes in every snapshot.
pub(crate) fn start(adjust: impl FnOnce(&mut Config)) -> RunningServer {
    let mut config = Config { port: 0, workers: 1, ..Config::default() };
    config.admin.enabled = false;
    config.matches.hash_every = 1;
    config.matches.bots_fill = Some(0);
    config.matches.countdown_seconds = 0;
    adjust(&mut config);
    Server::start::<Arena>(config).expect("a server starts on free ports")
}

/// Runs the program as a user does.
pub(crate) fn run(server: SocketAddr, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tickwire-loadtest"))
        .args(["--server", &server.to_string(), "--quiet"])
        .args(arguments)
        .output()
        .expect("it runs")
}
