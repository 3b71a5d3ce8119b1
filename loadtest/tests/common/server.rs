//! A true server in this process, and the program under test beside it.

#![allow(dead_code)] // every test uses a part of it

use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use arena::Arena;
use tickwire_server::config::HeadroomConfig;
use tickwire_server::server::RunningServer;
use tickwire_server::{Config, Server};

/// A server without bots of its own and with hashes in every snapshot.
pub(crate) fn start(adjust: impl FnOnce(&mut Config)) -> RunningServer {
    let mut config = Config { port: 0, workers: 1, ..Config::default() };
    config.admin.enabled = false;
    config.matches.hash_every = 1;
    config.matches.bots_fill = Some(0);
    config.matches.countdown_seconds = 0;
    config.headroom = HeadroomConfig::NONE;
    adjust(&mut config);
    Server::start::<Arena>(config).expect("a server starts on free ports")
}

/// Runs the program as a user does.
pub(crate) fn run(server: SocketAddr, arguments: &[&str]) -> Output {
    command(server, arguments).output().expect("it runs")
}

/// Runs the program as a user does, against a server as the user writes it.
pub(crate) fn run_at(server: &str, arguments: &[&str]) -> Output {
    command_at(server, arguments).output().expect("it runs")
}

/// Runs the program until there is enough, and then ends it as a user does, with Ctrl-C.
pub(crate) fn run_until(server: SocketAddr, arguments: &[&str], is_enough: impl FnMut() -> bool) -> Output {
    run_at_until(&server.to_string(), arguments, is_enough)
}

/// As [`run_until`], against a server as the user writes it.
pub(crate) fn run_at_until(server: &str, arguments: &[&str], mut is_enough: impl FnMut() -> bool) -> Output {
    let mut child = command_at(server, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    while !is_enough() && child.try_wait().expect("it is ours").is_none() {
        std::thread::sleep(Duration::from_millis(20));
    }
    Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().expect("a shell");
    child.wait_with_output().expect("it ends")
}

fn command(server: SocketAddr, arguments: &[&str]) -> Command {
    command_at(&server.to_string(), arguments)
}

fn command_at(server: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire-loadtest"));
    command.args(["--server", server, "--quiet"]).args(arguments);
    command
}
