//! One server with one set of players on it: what a measurement is made of.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::arm::Arm;
use crate::generator::window::Health;
use crate::generator::{Generator, Watch};
use crate::server::{Programs, Server};
use crate::watch::Tally;

/// How long players play before anything is counted.
pub(crate) const SETTLE: Duration = Duration::from_millis(1500);

/// A running server and its players.
pub(crate) struct Trial {
    server: Server,
    generator: Generator,
    /// Of the server before anybody joined.
    idle_bytes: u64,
    players: usize,
}

/// What one window of one arm showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) players: usize,
    pub(crate) user_us_per_update: f64,
    pub(crate) system_us_per_update: f64,
    pub(crate) payload_bytes_per_update: f64,
    pub(crate) wire_bytes_per_update: f64,
    /// Of the server, whole.
    pub(crate) resident_bytes: f64,
    pub(crate) idle_bytes: f64,
    pub(crate) gap_ms_p99: f64,
    pub(crate) delivered_hz: f64,
    pub(crate) generator: Health,
}

impl Sample {
    pub(crate) fn cpu_us_per_update(&self) -> f64 {
        self.user_us_per_update + self.system_us_per_update
    }
}

impl Trial {
    /// Starts `arm` with nobody on it.
    pub(crate) fn start(programs: &Programs, arm: Arm, floor_payload_bytes: usize, watch: Watch, stop: Arc<AtomicBool>) -> Result<Self> {
        let server = Server::start(programs, arm, floor_payload_bytes)?;
        let idle_bytes = server.resident_bytes()?;
        let generator = Generator::new(arm, server.address, watch, stop)?;
        Ok(Self { server, generator, idle_bytes, players: 0 })
    }

    /// Lets players join until there are `players`, and lets them settle.
    pub(crate) fn grow_to(&mut self, players: usize) -> Result<()> {
        self.players = players;
        let grown = self.generator.grow_to(players).and_then(|()| self.generator.run_for(SETTLE));
        grown.with_context(|| self.whose())
    }

    /// Counts for `duration`.
    pub(crate) fn measure(&mut self, duration: Duration) -> Result<Sample> {
        let before = self.server.cpu()?;
        let whose = self.whose();
        let window = self.generator.measure(duration).context(whose)?;
        let used = self.server.cpu()?.since(before);
        let updates = window.updates.max(1) as f64;
        let per_update = |time: Duration| time.as_secs_f64() * 1e6 / updates;
        Ok(Sample {
            players: self.players,
            user_us_per_update: per_update(used.user),
            system_us_per_update: per_update(used.system),
            payload_bytes_per_update: window.payload_bytes as f64 / updates,
            wire_bytes_per_update: window.wire_bytes as f64 / updates,
            resident_bytes: self.server.resident_bytes()? as f64,
            idle_bytes: self.idle_bytes as f64,
            gap_ms_p99: window.gap_ms_p99(),
            delivered_hz: window.updates as f64 / self.players as f64 / window.elapsed().as_secs_f64(),
            generator: window.health(used.total())?,
        })
    }

    /// Plays on without counting.
    pub(crate) fn run_for(&mut self, duration: Duration) -> Result<()> {
        let whose = self.whose();
        self.generator.run_for(duration).context(whose)
    }

    /// What the decoded updates showed so far.
    pub(crate) fn tally(&self) -> Tally {
        self.generator.tally()
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.server.address
    }

    fn whose(&self) -> String {
        format!("{} with {} players (its last words: {})", self.server.arm.name(), self.players, self.server.last_words())
    }
}
