//! What everybody who was there wrote down: the bots what they saw, the killer what it did, the
//! supervisor whom it started. One JSON object a line; the checker reads nothing else.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tickwire_testkit::comeback::Seen;

/// What happened, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// Microseconds since the run began.
    pub(crate) at: u64,
    /// What.
    #[serde(flatten)]
    pub(crate) what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(crate) enum What {
    /// A bot took a new seat.
    Seated { bot: u32, view: View },
    /// A bot sees this.
    Saw {
        bot: u32,
        view: View,
        /// When its newest snapshot came, microseconds since the run began.
        #[serde(default)]
        heard: u64,
    },
    /// Its connection broke without a word; this it had seen last.
    Lost { bot: u32, view: View },
    /// It is back in its seat; this it sees first.
    Returned { bot: u32, view: View },
    /// It has a connection, and of late nothing had come for so long, at most, when the next snapshot
    /// came.
    Waited {
        bot: u32,
        /// Microseconds.
        gap: u64,
        /// Microseconds since the run began.
        ended: u64,
    },
    /// It does not come back, because it was told so or for the time is over.
    LostSeat { bot: u32, why: String },
    /// The server gave a reason to end its session.
    Closed { bot: u32, reason: String },
    /// Its view differed from the server's.
    Diverged { bot: u32, tick: u32, component: String },
    /// The server's process was killed, or would have been.
    Kill { nth: u32, pid: u32 },
    /// The supervisor, or this program, started a server.
    Started { pid: u32 },
    /// What was done is undone, by the process that it was done to: it goes on, or its network does.
    Healed { nth: u32 },
    /// What is to be expected, where not of every kill that it breaks every connection and costs
    /// nothing.
    Rules {
        /// Servers.
        nodes: u32,
        /// Ticks that a bot may have seen and that are played again; `None`: any number.
        rollback_max: Option<u32>,
        /// Each fault must break a connection.
        breaks: bool,
    },
}

/// What a bot sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct View {
    /// Its match.
    #[serde(rename = "match")]
    pub(crate) match_id: String,
    /// Its seat.
    pub(crate) player: u32,
    /// Of this tick.
    pub(crate) tick: u32,
    /// Everything in it.
    pub(crate) hash: Option<u64>,
}

impl From<Seen> for View {
    fn from(seen: Seen) -> Self {
        let player = seen.player.map_or(u32::MAX, |player| u32::from(player.0));
        Self { match_id: seen.match_id.to_string(), player, tick: seen.tick.0, hash: seen.hash }
    }
}

/// Where it is written down.
#[derive(Debug)]
pub(crate) struct Recorder {
    began: Instant,
    events: Mutex<Vec<Event>>,
}

impl Recorder {
    /// Begins now.
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), events: Mutex::default() }
    }

    /// `what` happened now.
    pub(crate) fn note(&self, what: What) {
        let at = self.began.elapsed().as_micros() as u64;
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(Event { at, what });
    }

    /// Microseconds from when it began to `moment`.
    pub(crate) fn micros(&self, moment: Instant) -> u64 {
        moment.saturating_duration_since(self.began).as_micros() as u64
    }

    /// Since it began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Everything so far, in order of time.
    pub(crate) fn events(&self) -> Vec<Event> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner).clone();
        events.sort_by_key(|event| event.at);
        events
    }
}

/// Writes a history, a line for each event.
pub(crate) fn write(events: &[Event], path: &Path) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let mut file = BufWriter::new(File::create(path).with_context(failed)?);
    for event in events {
        serde_json::to_writer(&mut file, event).with_context(failed)?;
        file.write_all(b"\n").with_context(failed)?;
    }
    file.flush().with_context(failed)
}

/// Reads what [`write()`] wrote.
pub(crate) fn read(path: &Path) -> Result<Vec<Event>> {
    let file = BufReader::new(File::open(path).with_context(|| format!("cannot read {}", path.display()))?);
    let parsed = file.lines().enumerate().map(|(nth, line)| {
        let event = line.map_err(anyhow::Error::from).and_then(|line| Ok(serde_json::from_str(&line)?));
        event.with_context(|| format!("{}:{} is no event", path.display(), nth + 1))
    });
    parsed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_read_as_it_was_written() {
        let view = View { match_id: "ab".into(), player: 3, tick: u32::MAX, hash: Some(u64::MAX) };
        let events = vec![
            Event { at: 1, what: What::Seated { bot: 0, view: view.clone() } },
            Event { at: 2, what: What::Kill { nth: 1, pid: 77 } },
            Event { at: 3, what: What::Returned { bot: 0, view: View { hash: None, ..view } } },
        ];
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("history.jsonl");
        write(&events, &path).expect("written");
        assert_eq!(read(&path).expect("read"), events);
        std::fs::write(&path, "{\"at\":1,\"what\":\"kill\"}\n").expect("written");
        assert!(format!("{:#}", read(&path).expect_err("no pid")).contains("history.jsonl:1 is no event"));
    }
}
