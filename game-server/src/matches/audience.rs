//! The sockets of one match, players' and spectators': read and sent to in each tick, closed with a
//! reason.
//!
//! Invariant: what one client does or fails to do changes nothing for the others.

use std::net::IpAddr;

use bytes::Bytes;
use tickwire_handover::Handover;
use tickwire_match::Replication;
use tickwire_protocol::{CloseReason, MatchId, PlayerId, Tick};

use super::kept::ConnectionNote;
use crate::clock::Moment;
use crate::config::SessionConfig;
use crate::transport::session::{Deadlines, Session};
use crate::transport::{Arrival, Ended, Farewell, Socket};

/// The sessions of one match, each in a slot of its own.
pub struct Audience {
    slots: Vec<Option<Session>>,
    config: SessionConfig,
    deadlines: Deadlines,
    /// Sessions that ended since last asked.
    lost: Vec<Lost>,
    /// The slot whose messages are taken in.
    reading: usize,
    /// To whom connections are handed over, and of which match they are.
    handing_over: Option<HandingOver>,
}

/// What becomes of connections when the process ends.
struct HandingOver {
    handover: Handover,
    /// Of the game.
    schema: u64,
    id: MatchId,
}

/// What a client said.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// Its slot, for answers.
    pub slot: usize,
    /// Whose it is; `None` for a spectator's.
    pub player: Option<PlayerId>,
    /// A message, not decoded.
    pub bytes: &'a [u8],
    /// When it came.
    pub arrival: Arrival,
}

/// A session that ended by itself.
#[derive(Clone, Copy, Debug)]
pub struct Lost {
    /// The slot that it had, which is free now.
    pub slot: usize,
    /// Whose it was; `None` for a spectator.
    pub player: Option<PlayerId>,
    /// Whether the connection was lost, or why it is closed.
    pub ended: Ended,
}

/// What was sent in a tick.
#[derive(Clone, Copy, Debug, Default)]
pub struct SentTotals {
    /// Payload bytes.
    pub bytes: u64,
    /// WebSocket messages.
    pub frames: u64,
    /// Bytes kept for clients that have not taken them.
    pub kept_bytes: u64,
}

impl Audience {
    /// No one, in a match of `tick_rate` ticks a second.
    pub fn new(config: SessionConfig, tick_rate: u8) -> Self {
        let deadlines = Deadlines::new(&config, tick_rate);
        Self { slots: Vec::new(), config, deadlines, lost: Vec::new(), reading: 0, handing_over: None }
    }

    /// From now on the connection of whoever comes to match `id`, of the game with this `schema`,
    /// is handed over, so that it outlives the process.
    pub fn hand_over_to(&mut self, handover: Handover, schema: u64, id: MatchId) {
        self.handing_over = Some(HandingOver { handover, schema, id });
    }

    /// Goes on with a connection of the process before in `slot`, which must be free. Its client
    /// has everything up to `since`; `moment` is the newest tick's, that one or the next.
    pub fn go_on(
        &mut self,
        slot: usize,
        socket: Socket,
        player: Option<PlayerId>,
        since: Tick,
        replication: &mut Replication,
        moment: &Moment,
    ) {
        let Ok(session) = Session::go_on(socket, player, &self.config, moment) else {
            self.lost.push(Lost { slot, player, ended: Ended::Disconnected });
            return;
        };
        self.put(slot, session);
        if since != moment.tick {
            let deadlines = self.deadlines;
            self.with(slot, |session| session.send_frame(replication, moment.tick, &deadlines).map(drop));
        }
    }

    fn put(&mut self, slot: usize, session: Session) {
        if slot >= self.slots.len() {
            self.slots.resize_with(slot + 1, || None);
        }
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(session);
        }
    }

    /// The slot the next session gets.
    pub fn free_slot(&self) -> usize {
        self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len())
    }

    /// Takes a socket over into `slot`, which must be free, and sends `welcome` and what there is
    /// to see.
    pub fn admit(
        &mut self,
        slot: usize,
        socket: Socket,
        player: Option<PlayerId>,
        welcome: &[u8],
        replication: &mut Replication,
        moment: &Moment,
    ) {
        let peer = socket.peer();
        let session = match Session::new(socket, player, &self.config, moment) {
            Ok(session) => session,
            Err(error) => {
                tracing::debug!(%peer, %error, "socket was lost before it joined");
                self.lost.push(Lost { slot, player, ended: Ended::Disconnected });
                return;
            }
        };
        let session = match &self.handing_over {
            Some(HandingOver { handover, schema, id }) => {
                session.handed_over(handover.clone(), ConnectionNote::new(*schema, *id, slot, player, peer).write())
            }
            None => session,
        };
        self.put(slot, session);
        let deadlines = self.deadlines;
        self.with(slot, |session| session.welcome(welcome, replication, moment.tick, &deadlines).map(drop));
    }

    /// The next message of whoever has said something, one session after the other. `None` when all
    /// of a tick have been read; then it begins again.
    ///
    /// After its last message a session that is silent is pinged, and one that is lost given up.
    pub fn next(&mut self, moment: &Moment) -> Option<Said<'_>> {
        let deadlines = self.deadlines;
        let arrival = loop {
            if self.reading >= self.slots.len() {
                self.reading = 0;
                return None;
            }
            let mut arrived = None;
            self.with(self.reading, |session| {
                arrived = session.advance(moment)?;
                if arrived.is_none() { session.end_reading(moment, &deadlines) } else { Ok(()) }
            });
            match arrived {
                Some(arrival) => break arrival,
                None => self.reading += 1,
            }
        };
        let session = self.slots.get(self.reading)?.as_ref()?;
        Some(Said { slot: self.reading, player: session.player(), bytes: session.message(), arrival })
    }

    /// Answers what the session in `slot` said, with the next frame.
    pub fn answer(&mut self, slot: usize, answer: Bytes) {
        if let Some(session) = self.session(slot) {
            session.answer(answer);
        }
    }

    /// What the session in `slot` said last must outlive the process.
    pub fn must_last(&mut self, slot: usize) {
        if let Some(session) = self.session(slot) {
            session.must_last();
        }
    }

    /// What the session in `slot` said last came too late to matter.
    pub fn refund(&mut self, slot: usize) {
        if let Some(session) = self.session(slot) {
            session.refund();
        }
    }

    /// Ends the session in `slot` for what it said.
    pub fn end(&mut self, slot: usize, reason: CloseReason) {
        self.with(slot, |_| Err(Ended::Closed(reason)));
    }

    /// Ends the session of `player`, if there is one.
    pub fn end_player(&mut self, player: PlayerId, reason: CloseReason) {
        let is_its = |slot: &Option<Session>| slot.as_ref().is_some_and(|session| session.player() == Some(player));
        if let Some(slot) = self.slots.iter().position(is_its) {
            self.end(slot, reason);
        }
    }

    fn session(&mut self, slot: usize) -> Option<&mut Session> {
        self.slots.get_mut(slot)?.as_mut()
    }

    /// Sends everyone the frame of `tick`, beginning with another one each time.
    pub fn send_frames(&mut self, tick: Tick, replication: &mut Replication) -> SentTotals {
        let count = self.slots.len();
        let first = tick.0 as usize % count.max(1);
        let mut totals = SentTotals::default();
        let deadlines = self.deadlines;
        for slot in (first..count).chain(0..first) {
            self.with(slot, |session| {
                let bytes = session.send_frame(replication, tick, &deadlines)?;
                totals.bytes += bytes as u64;
                totals.frames += u64::from(bytes > 0);
                totals.kept_bytes += session.kept_bytes() as u64;
                Ok(())
            });
        }
        replication.sweep();
        totals
    }

    /// Sessions that ended by themselves since last asked.
    pub fn take_lost(&mut self) -> Vec<Lost> {
        std::mem::take(&mut self.lost)
    }

    /// Closes the session in `slot`, if there is one.
    pub fn close(&mut self, slot: usize, reason: CloseReason) {
        if let Some(session) = self.slots.get_mut(slot).and_then(Option::take) {
            say_farewell(session, reason);
        }
    }

    /// Memory runs short: the client for which most is kept has to come back.
    pub fn shed(&mut self) {
        let kept = self.slots.iter().enumerate().filter_map(|(slot, session)| Some((session.as_ref()?.kept_bytes(), slot)));
        if let Some((bytes, slot)) = kept.max().filter(|(bytes, _)| *bytes > 0) {
            tracing::warn!(bytes, "memory runs short: a client that does not take what is kept for it was closed");
            self.end(slot, CloseReason::Overloaded);
        }
    }

    /// Leaves the sessions to the next process that it can go on with.
    pub fn leave_all(&mut self) {
        for place in &mut self.slots {
            if place.as_mut().is_some_and(Session::leave) {
                *place = None;
            }
        }
    }

    /// Closes all sessions.
    pub fn close_all(&mut self, farewell: &Farewell) {
        self.slots.drain(..).flatten().for_each(|session| say_farewell(session, farewell.clone()));
    }

    /// Where the session in `slot` comes from.
    pub fn peer(&self, slot: usize) -> Option<IpAddr> {
        self.slots.get(slot)?.as_ref().map(Session::peer)
    }

    /// Number of spectators.
    pub fn spectators(&self) -> usize {
        self.slots.iter().flatten().filter(|session| session.player().is_none()).count()
    }

    /// Lets `act` do something with a session, and takes the session out if that ends it.
    fn with(&mut self, slot: usize, act: impl FnOnce(&mut Session) -> Result<(), Ended>) {
        let Some(place) = self.slots.get_mut(slot) else { return };
        let Some(session) = place else { return };
        let Err(ended) = act(session) else { return };
        if let Some(session) = place.take() {
            self.lost.push(Lost { slot, player: session.player(), ended });
            match ended {
                Ended::Disconnected => {}
                Ended::Closed(reason) => say_farewell(session, reason),
            }
        }
    }
}

/// The closing handshake takes its time, bounded, beside the ticks.
fn say_farewell(session: Session, farewell: impl Into<Farewell>) {
    let farewell = farewell.into();
    crate::metrics::count_close(farewell.reason());
    // A socket that the runtime does not take is one that is gone.
    if let Ok(socket) = session.into_socket() {
        tokio::task::spawn_local(socket.refuse(farewell));
    }
}
