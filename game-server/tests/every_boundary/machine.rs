//! A machine with one match on it: its disk, its players, and one process after the other.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arena::Arena;
use tickwire_game::Game;
use tickwire_journal::sim::{Sim, Survivors};
use tickwire_journal::{Durability, Journal, Options, Stream, StreamKey, recover, retire};
use tickwire_match::{Advance, MatchCore, Setup};
use tickwire_protocol::text::Name;
use tickwire_protocol::{MatchId, Secret};
use tickwire_server::Config;
use tickwire_server::journal::record::{self, Record};
use tickwire_server::journal::{Lane, MatchLog, Revival};
use tickwire_server::matches::match_task::MatchTask;
use tickwire_server::matches::pacer::Pacer;
use tickwire_server::matches::stats::MatchStats;
use tickwire_server::matches::{Command, MatchHandle, MatchInfo, PlayerKey, Reservation, Settings};
use tickwire_server::secrets::hash;
use tickwire_server::transport::Socket;
use tickwire_server::transport::memory::Peer;
use tokio::sync::oneshot;
use tokio::task::LocalSet;

use crate::player::{Do, Player, Shown};

const ID: MatchId = MatchId([7; 16]);
const DIR: &str = "/journal";
/// The journal is tidied after so many ticks: four times a second.
const TIDY_EVERY: usize = 8;
/// Whoever was sent the newest tick plays if they are not further behind.
const BEHIND_MAX: u32 = 2;

/// How a process ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Crash {
    /// Alone.
    Process,
    /// With its machine, and this is left.
    Power(Survivors),
}

pub(crate) struct Machine {
    pub(crate) sim: Sim,
    pub(crate) players: Vec<Player>,
    durability: Durability,
    shown: Shown,
    /// Tickets and the like so far.
    secrets: u64,
}

impl Machine {
    /// One on which nothing happened yet.
    pub(crate) fn new(durability: Durability, players: usize) -> Self {
        let players = (0..players).map(|_| Player::default()).collect();
        Self { sim: Sim::default(), players, durability, shown: Shown::new(), secrets: 0 }
    }

    /// The process ends, if it has not yet, and the next one can start.
    pub(crate) fn crash(&mut self, crash: Crash) {
        match crash {
            Crash::Process => self.sim.restart(),
            Crash::Power(survivors) => self.sim.lose_power(survivors),
        }
        for player in &mut self.players {
            (player.connection, player.asked) = (None, None);
            if player.has_left {
                // Whether that was heard nobody knows.
                (player.ticket, player.seat, player.newest, player.has_left) = (None, None, None, false);
            }
        }
    }

    /// A process starts, goes on with what it finds, and runs the match for as many ticks as the
    /// script has, or until it ends.
    pub(crate) fn live(&mut self, script: &[Vec<Do>]) -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        LocalSet::new().block_on(&runtime, self.process(script))
    }

    async fn process(&mut self, script: &[Vec<Do>]) -> Result<(), String> {
        let options = Options { dir: DIR.into(), durability: self.durability, segment_bytes: 6 << 10, build: 1 };
        let mut found = recover(&self.sim, &options.dir).map_err(|error| format!("the folder cannot be read: {error}"))?;
        let journal = Journal::open(self.sim.clone(), options.clone(), found.epoch.clone(), 0);
        let lane = Lane::over(journal, 300, Path::new("attempt"));
        let (handle, task) = self.begin(found.streams.get_mut(&StreamKey(ID.0)))?;
        let mut task = task.kept(MatchLog::of(&lane, ID));
        // What cannot be deleted now is deleted by the next process.
        let _ = retire(&self.sim, &options, &found);

        let pacer = Arc::<Pacer>::default();
        let alarm = pacer.alarm();
        let running = tokio::task::spawn_local(tokio::task::unconstrained(async move { task.run(alarm).await }));
        let interval = Duration::from_secs(1) / u32::from(handle.info.mode.tick_rate);
        for (tick, deeds) in script.iter().enumerate() {
            for deed in deeds {
                self.carry_out(*deed, &handle);
                settle().await;
                self.hear()?;
            }
            self.players.iter_mut().enumerate().for_each(|(number, player)| player.play(number));
            tokio::time::advance(interval).await;
            pacer.nap();
            settle().await;
            if tick % TIDY_EVERY == 0 {
                lane.tidy();
            }
            self.hear()?;
            if self.sim.has_ended() {
                break;
            }
            if running.is_finished() {
                return Err("the match is over".to_owned());
            }
        }
        running.abort();
        Ok(())
    }

    /// The match as `stream` has it, or a new one if nobody was told of any.
    fn begin(&self, stream: Option<&mut Stream>) -> Result<(MatchHandle, MatchTask<Arena>), String> {
        let mut config = Config::default();
        config.matches.bots_fill = Some(5);
        config.matches.countdown_seconds = 0;
        config.matches.hash_every = 1;
        // Beyond what a match of this test lasts.
        config.session.grace_ms = 60_000;
        let (code, mode) = ("TEST".to_owned(), *Arena::MODES.first().expect("a mode"));
        let info = MatchInfo {
            id: ID,
            code,
            mode,
            mode_index: 0,
            settings: Settings::PUBLIC,
            created: Instant::now(),
            stats: MatchStats::default(),
        };
        let (handle, orders) = MatchHandle::new(Arc::new(info));
        let info = Arc::clone(&handle.info);
        let task = match stream {
            Some(stream) => {
                let revival = Revival::read(ID, stream, 0).map_err(|error| error.to_string())?;
                self.compare(&revival)?;
                let revived = MatchTask::revive(info, orders, config.session, &config.matches, Duration::ZERO, &revival, Vec::new());
                revived.map_err(|error| format!("the match does not go on: {error}"))?
            }
            None if self.players.iter().any(|player| player.seat.is_some() || player.ticket.is_some()) => {
                return Err("the match is gone".to_owned());
            }
            None => MatchTask::new(info, orders, 7, config.session, &config.matches, Duration::ZERO),
        };
        Ok((handle, task))
    }

    /// Replays what was written, beside the server that does it too: each tick that was shown has
    /// to be there, as it was.
    fn compare(&self, revival: &Revival) -> Result<(), String> {
        let identity = &revival.identity;
        let (rules, seed, lobby, bots) = (identity.rules, identity.seed, identity.lobby, identity.bots);
        let setup = Setup { id: ID, mode: Arena::MODES[0], mode_index: 0, lobby, bots, rules, seed };
        let mut core = MatchCore::<Arena>::restore(&setup, &revival.core).map_err(|error| error.to_string())?.core;
        for bytes in &revival.records {
            match record::read(bytes).map_err(|error| error.to_string())? {
                Record::Step(step) => {
                    core.step(&step);
                    let newest = core.replication().newest().filter(|_| step.advance == Advance::Tick);
                    let Some((tick, hash)) = newest.map(|snapshot| (snapshot.tick.0, snapshot.hash())) else { continue };
                    if self.shown.get(&tick).is_some_and(|shown| *shown != hash) {
                        return Err(format!("tick {tick} was shown, and what was written comes to another one"));
                    }
                }
                Record::Hash(hash) if core.hash() == hash => {}
                Record::Hash(_) => return Err("what was written comes to another world".to_owned()),
            }
        }
        let tick = core.tick().0;
        match self.players.iter().filter_map(|player| player.newest).max() {
            Some(newest) if tick < newest => Err(format!("tick {newest} was shown, and what was written comes to {tick}")),
            _ => Ok(()),
        }
    }

    fn carry_out(&mut self, deed: Do, handle: &MatchHandle) {
        match deed {
            Do::Reserve(number) => {
                let secret = self.secret();
                let player = &mut self.players[number];
                if player.ticket.is_some() || player.seat.is_some() || player.connection.is_some() || player.has_left {
                    return;
                }
                let reservation = Reservation {
                    owner: PlayerKey([number as u8 + 1; 32]),
                    name: Name::truncated("somebody"),
                    ticket: hash(secret),
                    until: Instant::now() + Duration::from_mins(10),
                    own_only: false,
                    sign_in: None,
                };
                let (reply, answer) = oneshot::channel();
                player.asked = Some((answer, secret));
                let _ = handle.send(Command::Reserve { reservation: Box::new(reservation), reply });
            }
            Do::Attach(number) => {
                let Some((player, ticket)) = self.players[number].ticket else { return };
                let socket = Box::new(self.connect(number));
                let _ = handle.send(Command::Attach { player, ticket: hash(ticket), socket });
            }
            Do::Resume(number) => {
                let Some((_, token)) = self.players[number].seat else { return };
                let socket = Box::new(self.connect(number));
                let _ = handle.send(Command::Resume { token, socket });
            }
            Do::Drop(number) => self.players[number].connection = None,
            Do::Leave(number) => self.players[number].leave(),
        }
    }

    /// A connection, over which nothing comes any more when the process has ended.
    fn connect(&mut self, number: usize) -> Socket {
        let (peer, socket): (Peer, _) = Socket::in_memory();
        let sim = self.sim.clone();
        peer.lose_while(move || sim.has_ended());
        self.players[number].connect(peer);
        socket
    }

    fn secret(&mut self) -> Secret {
        self.secrets += 1;
        let mut secret = [0x5a; 16];
        secret[..8].copy_from_slice(&self.secrets.to_le_bytes());
        Secret(secret)
    }

    /// Everybody takes in what came.
    fn hear(&mut self) -> Result<(), String> {
        let has_ended = self.sim.has_ended();
        for (number, player) in self.players.iter_mut().enumerate() {
            player.hear(&mut self.shown).map_err(|wrong| format!("player {number}: {wrong}"))?;
            let Some((answer, secret)) = &mut player.asked else { continue };
            match answer.try_recv() {
                // Whether it was told before the process ended nobody knows.
                _ if has_ended => {}
                Ok(Ok(reserved)) => player.ticket = Some((reserved.player, *secret)),
                Ok(Err(error)) => return Err(format!("player {number} has no seat: {error:?}")),
                Err(oneshot::error::TryRecvError::Empty) => continue,
                Err(error) => return Err(format!("player {number} got no answer: {error}")),
            }
            player.asked = None;
        }
        Ok(())
    }

    /// Whoever had a seat or a ticket plays in that seat.
    pub(crate) fn everybody_plays(&self) -> Result<(), String> {
        let newest = self.shown.last_key_value().map(|(tick, _)| *tick).unwrap_or_default();
        for (number, player) in self.players.iter().enumerate() {
            let has_seat = (player.seat.is_some() || player.ticket.is_some()) && !player.has_left;
            let plays = player.connection.is_some() && player.newest.is_some_and(|tick| tick + BEHIND_MAX > newest);
            if has_seat && !plays {
                return Err(format!("player {number} is not back: shown {:?} of {newest}", player.newest));
            }
        }
        Ok(())
    }
}

/// Lets the match do what it has to.
async fn settle() {
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
}
