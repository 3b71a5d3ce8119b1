//! What the streams have been, and which of that must be there after a crash.

use std::collections::{BTreeMap, BTreeSet};

use tickwire_journal::sim::Survivors;
use tickwire_journal::{Durability, Recovered, StreamKey};

/// A stream's records since it began. `None`: it has not, or has ended.
pub(crate) type State = Option<Vec<u64>>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    streams: BTreeMap<StreamKey, History>,
    /// Every state that any stream ever had.
    ever: BTreeSet<(StreamKey, State)>,
    last_token: u64,
}

#[derive(Clone, Debug)]
struct History {
    states: Vec<State>,
    /// Which of them the process was last told is kept.
    committed: usize,
    /// Which of them no power loss may take back.
    synced: usize,
    /// What was committed last is that it had ended before this process began.
    is_over: bool,
}

/// How a process came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    Process,
    Power(Survivors),
}

impl Model {
    /// Appends something unique to a stream, which begins with it if it is not there. Says what.
    pub(crate) fn append(&mut self, key: StreamKey) -> u64 {
        self.last_token += 1;
        let mut state = self.state(key).unwrap_or_default();
        state.push(self.last_token);
        self.push(key, Some(state));
        self.last_token
    }

    pub(crate) fn end(&mut self, key: StreamKey) {
        self.push(key, None);
    }

    pub(crate) fn state(&self, key: StreamKey) -> State {
        self.streams.get(&key).and_then(|history| history.states.last().cloned().flatten())
    }

    pub(crate) fn live(&self) -> Vec<StreamKey> {
        let live = self.streams.iter().filter(|(_, history)| history.states.last().is_some_and(Option::is_some));
        live.map(|(key, _)| *key).collect()
    }

    /// All that these streams are is kept.
    pub(crate) fn commit(&mut self, is_of_lane: impl Fn(StreamKey) -> bool) {
        for (_, history) in self.streams.iter_mut().filter(|(key, _)| is_of_lane(**key)) {
            let newest = history.states.len() - 1;
            history.is_over &= history.committed == newest;
            history.committed = newest;
        }
    }

    /// All that was kept of these streams outlives a power loss too. What was over before this
    /// process began is the first lane's.
    pub(crate) fn sync(&mut self, is_first: bool, is_of_lane: impl Fn(StreamKey) -> bool) {
        let streams = self.streams.iter_mut().filter(|(key, history)| if history.is_over { is_first } else { is_of_lane(**key) });
        streams.for_each(|(_, history)| history.synced = history.committed);
    }

    /// Compares what was recovered, and goes on with that.
    pub(crate) fn recover(&mut self, crash: Crash, durability: Durability, found: &Recovered) -> Result<(), String> {
        let unknown = found.streams.keys().find(|key| !self.streams.contains_key(key));
        if let Some(key) = unknown {
            return Err(format!("stream {key} never was"));
        }
        for (key, history) in &mut self.streams {
            let state = found.streams.get(key).map(|stream| read(&stream.checkpoint, &stream.records));
            let least = match (crash, durability) {
                (Crash::Process, _) => history.committed,
                (Crash::Power(_), Durability::Process) => {
                    // It promises nothing, but what there is has been so once.
                    if !self.ever.contains(&(*key, state.clone())) && state.is_some() {
                        return Err(format!("stream {key} never was {state:?}"));
                    }
                    *history = History { states: vec![state], committed: 0, synced: 0, is_over: false };
                    continue;
                }
                (Crash::Power(_), _) => history.synced,
            };
            let Some(at) = (least..history.states.len()).rev().find(|at| history.states[*at] == state) else {
                return Err(format!("stream {key} is {state:?}, which is not of {:?}", &history.states[least..]));
            };
            history.states.truncate(at + 1);
            history.committed = at;
            history.is_over = history.states[at].is_none();
            if matches!(crash, Crash::Power(_)) {
                history.synced = at;
            }
        }
        Ok(())
    }

    fn push(&mut self, key: StreamKey, state: State) {
        self.ever.insert((key, state.clone()));
        let history = self.streams.entry(key).or_insert_with(|| History { states: vec![None], committed: 0, synced: 0, is_over: false });
        history.states.push(state);
    }
}

/// A checkpoint of a state.
pub(crate) fn checkpoint(state: &[u64]) -> Vec<u8> {
    state.iter().flat_map(|token| token.to_le_bytes()).collect()
}

/// What a checkpoint and the records after it come to.
fn read(checkpoint: &[u8], records: &[Vec<u8>]) -> Vec<u64> {
    let tokens = checkpoint.chunks(8).chain(records.iter().map(Vec::as_slice));
    tokens.map(|token| u64::from_le_bytes(token.try_into().unwrap())).collect()
}
