//! Processes that keep streams in journals, one after another, on one simulated disk.

use std::path::Path;

use tickwire_journal::sim::{Faults, Sim};
use tickwire_journal::{Commit, Durability, Health, Journal, Options, Recovered, StreamKey, recover, retire};

use crate::model::{Crash, Model, checkpoint};

/// What a process does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Do {
    /// Appends to a stream, or begins it.
    Append(u8),
    Checkpoint(u8),
    End(u8),
    /// In all lanes.
    Commit,
    /// In all lanes, and checkpoints what wants to be.
    Tidy,
    /// In all lanes, where that is asked for.
    Sync,
    Retire,
    Faults(Faults),
}

pub(crate) const LANES: u16 = 2;
const SEGMENT_BYTES: u64 = 400;

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) sim: Sim,
    pub(crate) durability: Durability,
    pub(crate) model: Model,
    /// How many processes there were.
    pub(crate) lives: u16,
}

/// A process.
pub(crate) struct Life<'a> {
    world: &'a mut World,
    pub(crate) journals: Vec<Journal<Sim>>,
    found: Recovered,
    is_retired: bool,
}

impl World {
    pub(crate) fn new(durability: Durability) -> Self {
        Self { sim: Sim::default(), durability, model: Model::default(), lives: 0 }
    }

    pub(crate) fn fork(&self) -> Self {
        Self { sim: self.sim.fork(), ..self.clone() }
    }

    pub(crate) fn options(&self) -> Options {
        Options { dir: "journal".into(), durability: self.durability, segment_bytes: SEGMENT_BYTES, build: 1 }
    }

    pub(crate) fn recover(&self) -> Recovered {
        recover(&self.sim, Path::new("journal")).unwrap()
    }

    /// What happens to the machine, and whether everything is there afterwards.
    pub(crate) fn crash(&mut self, crash: Crash) -> Result<(), String> {
        match crash {
            Crash::Process => self.sim.restart(),
            Crash::Power(survivors) => self.sim.lose_power(survivors),
        }
        let found = self.recover();
        self.model.recover(crash, self.durability, &found)
    }

    /// Runs a process until it is done, or the world ends. It ends what it finds of `ended`, and
    /// goes on with the rest.
    pub(crate) fn live(&mut self, ended: &[u8], script: &[Do]) {
        let mut life = self.begin(ended);
        for what in script {
            life.go(*what);
        }
    }

    pub(crate) fn begin(&mut self, ended: &[u8]) -> Life<'_> {
        let found = self.recover();
        self.lives += 1;
        let open = |lane| Journal::open(self.sim.clone(), self.options(), found.epoch.clone(), lane);
        let journals = (0..LANES).map(open).collect();
        let mut life = Life { world: self, journals, found, is_retired: false };
        let streams: Vec<StreamKey> = life.found.streams.keys().copied().collect();
        for key in streams {
            life.go(if ended.contains(&key.0[0]) { Do::End(key.0[0]) } else { Do::Checkpoint(key.0[0]) });
        }
        life.go(Do::Commit);
        life
    }

    fn lane(&self, key: StreamKey) -> usize {
        lane_of(key, self.lives)
    }
}

impl Life<'_> {
    pub(crate) fn go(&mut self, what: Do) {
        if self.world.sim.has_ended() {
            return;
        }
        match what {
            Do::Append(stream) => {
                let key = StreamKey([stream; 16]);
                let is_there = self.world.model.state(key).is_some();
                let token = self.world.model.append(key).to_le_bytes();
                let lane = self.world.lane(key);
                let journal = &mut self.journals[lane];
                if is_there { journal.append(key, &token) } else { journal.checkpoint(key, &token) }
            }
            Do::Checkpoint(stream) => self.checkpoint(StreamKey([stream; 16])),
            Do::End(stream) => {
                let key = StreamKey([stream; 16]);
                if self.world.model.state(key).is_some() {
                    self.world.model.end(key);
                    let lane = self.world.lane(key);
                    self.journals[lane].end(key);
                }
            }
            Do::Commit => (0..self.journals.len()).for_each(|lane| self.commit(lane)),
            Do::Tidy => {
                self.journals.iter_mut().for_each(|journal| journal.tidy(2));
                for key in self.world.model.live() {
                    if self.journals[self.world.lane(key)].wants_checkpoint(key) {
                        self.checkpoint(key);
                    }
                }
            }
            Do::Sync => (0..self.journals.len()).for_each(|lane| self.sync(lane)),
            Do::Retire if !self.is_retired => {
                self.is_retired = retire(&self.world.sim, &self.world.options(), &self.found).is_ok();
            }
            Do::Retire => {}
            Do::Faults(faults) => self.world.sim.set_faults(faults),
        }
    }

    pub(crate) fn is_durable(&self) -> bool {
        self.journals.iter().all(|journal| journal.health() == Health::Durable)
    }

    fn checkpoint(&mut self, key: StreamKey) {
        if let Some(state) = self.world.model.state(key) {
            let lane = self.world.lane(key);
            self.journals[lane].checkpoint(key, &checkpoint(&state));
        }
    }

    fn commit(&mut self, lane: usize) {
        let committed = self.journals[lane].commit();
        if committed == Commit::Lost || self.journals[lane].health() != Health::Durable {
            return;
        }
        let lives = self.world.lives;
        self.world.model.commit(|key| lane_of(key, lives) == lane);
        if self.world.durability == Durability::Tick {
            self.world.model.sync(lane == 0, |key| lane_of(key, lives) == lane);
        }
    }

    fn sync(&mut self, lane: usize) {
        if self.world.durability != Durability::Second {
            return;
        }
        let is_synced = self.journals[lane].syncer().sync().is_ok();
        if is_synced && self.journals[lane].health() == Health::Durable {
            let lives = self.world.lives;
            self.world.model.sync(lane == 0, |key| lane_of(key, lives) == lane);
        }
    }
}

/// The lane of a stream in the process with this number.
fn lane_of(key: StreamKey, lives: u16) -> usize {
    usize::from((u16::from(key.0[0]) + lives) % LANES)
}
