//! Writes what matches have to say, all in one call, and so keeps their leases.
//!
//! Invariants: one write is on its way at a time; a lease is renewed from the moment before the
//! write began; a match whose write fails is written again with the next one.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tickwire_protocol::MatchId;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use super::lane::{Lane, Standing};
use super::lock::lock;
use super::options::Event;
use super::pending::Taken;
use super::random::Random;
use super::shared::{Parting, Shared};
use crate::store::{StoreError, Written};

/// Most matches in one write.
const MATCHES_MAX: usize = 256;
/// A write with so many bytes is sent without adding more.
const BYTES_MAX: usize = 4 << 20;
/// The first pause after a write that failed: it doubles, up to a sixth of a lease.
const PAUSE: Duration = Duration::from_millis(20);

pub(super) async fn run(shared: &Shared, events: &mpsc::Sender<Event>) {
    let mut flush = Flush { shared, events, untold: VecDeque::new(), matches_max: MATCHES_MAX, after: None };
    let mut random = Random::new(shared.options.seed, 2);
    let mut pause = PAUSE;
    loop {
        let next = Instant::now() + shared.options.flush;
        match flush.round().await {
            Ok(()) => pause = PAUSE,
            Err(error) => {
                tracing::debug!(%error, "matches were not written: it is tried again");
                sleep(random.about(pause)).await;
                pause = (pause * 2).min(shared.options.lease / 6);
                continue;
            }
        }
        tokio::select! {
            biased;
            () = sleep_until(next) => {}
            () = shared.flush_now.notified() => {}
        }
    }
}

struct Flush<'a> {
    shared: &'a Shared,
    events: &'a mpsc::Sender<Event>,
    /// Events for which there was no room: at most one for each match.
    untold: VecDeque<Event>,
    /// So many matches go into a write: fewer after one that failed, so that one which cannot be
    /// written keeps no other from it.
    matches_max: usize,
    /// A write that failed ended there: the next round goes on with others.
    after: Option<MatchId>,
}

impl Flush<'_> {
    /// Writes everything that waits or whose lease is to be renewed.
    async fn round(&mut self) -> Result<(), StoreError> {
        while let Some(event) = self.untold.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(event)) = self.events.try_send(event) {
                self.untold.push_front(event);
                break;
            }
        }
        let mut due = self.due();
        if let Some(after) = self.after.take() {
            let others = due.partition_point(|lane| lane.id <= after);
            due.rotate_left(others);
        }
        let mut due = due.into_iter().peekable();
        while due.peek().is_some() {
            let (mut lanes, mut bytes) = (Vec::new(), 0);
            while lanes.len() < self.matches_max && bytes < BYTES_MAX {
                let Some(lane) = due.next() else { break };
                bytes += lane.pending().len();
                lanes.push(lane);
            }
            let last = lanes.last().map(|lane| lane.id);
            if let Err(error) = self.write(&lanes).await {
                self.after = last;
                self.matches_max = (self.matches_max / 2).max(1);
                return Err(error);
            }
            self.matches_max = (self.matches_max * 2).min(MATCHES_MAX);
        }
        Ok(())
    }

    /// The lanes that have something to say, or whose lease has been renewed a quarter of it ago.
    fn due(&self) -> Vec<Arc<Lane>> {
        let renewed_now = self.shared.lease_from(Instant::now());
        let mut lanes = self.shared.all_lanes();
        lanes.retain(|lane| {
            let is_due = lane.held_until() + self.shared.options.lease / 4 <= renewed_now || !lane.pending().is_empty();
            lane.is_open() && is_due
        });
        lanes
    }

    async fn write(&mut self, lanes: &[Arc<Lane>]) -> Result<(), StoreError> {
        let shared = self.shared;
        let turn = shared.writing.lock().await;
        let (mut writes, mut taken) = (Vec::new(), Vec::new());
        for lane in lanes.iter().filter(|lane| lane.is_open()) {
            let (write, what) = lane.pending().take();
            writes.push((lane.id, lane.epoch, write));
            taken.push((lane, what));
        }
        if writes.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        let options = &shared.options;
        let answers = shared.contact.ask(shared.store.write(&options.id, options.lease, &writes)).await?;
        drop(turn);
        if answers.len() != writes.len() {
            return Err(StoreError::Nonsense(format!("{} answers to {} writes", answers.len(), writes.len())));
        }
        for ((lane, what), answer) in taken.into_iter().zip(answers) {
            self.written(lane, what, answer, began);
        }
        Ok(())
    }

    fn written(&mut self, lane: &Arc<Lane>, taken: Taken, answer: Written, began: Instant) {
        let shared = self.shared;
        match answer {
            Written::Done => {
                lane.known();
                let acked = lane.pending().written(taken);
                self.renewed(lane, acked, began);
            }
            Written::Adopted => {
                let acked = lane.pending().adopted(taken);
                if lane.known() {
                    tracing::warn!(match_id = %lane.id, epoch = lane.epoch.0, "the store had lost a match: it is written again");
                }
                self.renewed(lane, acked, began);
            }
            Written::Fenced(owner) => {
                if !lane.fence() {
                    return;
                }
                tracing::warn!(match_id = %lane.id, epoch = lane.epoch.0, ?owner, "a match is another node's by now: it stops here");
                if let Some(owner) = owner.as_ref().filter(|owner| owner.node == shared.options.id)
                    && lock(&shared.claims).was_lost(lane.id)
                {
                    // Our own claim, of which we were never told.
                    shared.part(lane.id, owner.epoch, Parting::GiveUp);
                }
                self.untold.push_back(Event::Fenced { id: lane.id, owner });
            }
        }
    }

    /// The lease is renewed, and records below `acked` are in the store.
    fn renewed(&self, lane: &Lane, acked: Option<u64>, began: Instant) {
        let now = self.shared.since_start(began);
        if lane.has_lapsed(now) {
            // A store that forgets may have forgotten an owner who came after this one. They have
            // time to say so, and until then nobody is told anything.
            lane.doubt_until(now + self.shared.options.lease);
        }
        lane.renewed(self.shared.lease_from(began));
        let is_sure = lane.standing(now) == Standing::Held;
        lane.ack(acked.filter(|_| is_sure));
    }
}
