//! A player that plays by itself: the game's bot behind a real client, until the time is up or the server ends it.

use std::time::Duration;

use hdrhistogram::Histogram;
use tickwire_game::GameDef;
use tickwire_protocol::limits::INPUT_LEAD_MAX;
use tickwire_protocol::{ClientMessage, CloseReason};
use tokio::time::Instant;

use crate::client::{Client, ClientError, Heard};

/// How far ahead of the newest snapshot inputs are meant, ticks: on loopback the next tick but one is still to come.
const LEAD_TICKS: u32 = 2;
const _: () = assert!(LEAD_TICKS < INPUT_LEAD_MAX);
/// Time between pings, which also keep the session alive.
const PING_EVERY: Duration = Duration::from_secs(1);

/// What a player saw.
#[derive(Debug)]
pub struct Played {
    /// Snapshots received.
    pub snapshots: u64,
    /// Of these, compared with the server's hash and equal.
    pub checked: u64,
    /// Payload bytes received.
    pub bytes: u64,
    /// Microseconds between snapshots.
    pub gaps: Histogram<u32>,
    /// How it ended, if not by time.
    pub ended: Option<Ended>,
}

/// Why a player stopped early.
#[derive(Debug)]
pub enum Ended {
    /// The server gave a reason.
    Closing(CloseReason),
    /// Something failed.
    Failed(ClientError),
}

/// Plays until `until`.
pub async fn play<G: GameDef>(client: &mut Client<G>, seed: u64, until: Instant) -> Played {
    let mut brain = G::brain(seed);
    let mut gaps = new_histogram();
    let mut last_snapshot: Option<Instant> = None;
    let mut next_ping = Instant::now();
    let ended = loop {
        let heard = tokio::select! {
            heard = client.next() => heard,
            () = tokio::time::sleep_until(until) => break None,
        };
        let outcome = match heard {
            Ok(Heard::Snapshot(tick)) => {
                let now = Instant::now();
                if let Some(last) = last_snapshot.replace(now) {
                    gaps.saturating_record(now.duration_since(last).as_micros() as u64);
                }
                let thought = client.view().zip(client.player()).map(|(view, me)| G::think(&mut brain, view, me));
                match thought {
                    Some(input) => client.input(tick.plus(LEAD_TICKS), input).await,
                    None => Ok(()),
                }
            }
            Ok(Heard::Closing(reason)) => break Some(Ended::Closing(reason)),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            break Some(Ended::Failed(error));
        }
        if Instant::now() >= next_ping {
            next_ping += PING_EVERY;
            if let Err(error) = client.send(ClientMessage::Ping { client_time_ms: 0 }).await {
                break Some(Ended::Failed(error));
            }
        }
    };
    Played { snapshots: client.snapshots, checked: client.checked, bytes: client.bytes, gaps, ended }
}

/// Microseconds up to a minute, three digits.
#[allow(clippy::expect_used)] // constants
pub fn new_histogram() -> Histogram<u32> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are valid")
}
