//! A player's or spectator's connection inside a match, from Welcome to the close frame: what it
//! may say, what it is told, and when it is given up.

use bytes::Bytes;
use tickwire_handover::Handover;
use tickwire_match::{Replication, View};
use tickwire_protocol::{CloseReason, PlayerId, Tick};

use super::meter::{Meter, Ruling};
use super::outbox::{Outbox, Patience};
use super::seam::{Arrival, Ended, Heard, MESSAGES_MAX, Transport};
use super::socket::{Link, Socket};
use crate::clock::{self, Moment};
use crate::config::SessionConfig;

/// A player's or spectator's connection inside a match.
pub struct Session {
    link: Link,
    /// The seat it plays from; `None` for a spectator.
    player: Option<PlayerId>,
    /// What the client has of the match.
    view: View,
    outbox: Outbox,
    meter: Meter,
    last_heard: Tick,
    pinged: bool,
    /// Since when a message is begun and not complete, with no other one since.
    unfinished_since: Option<Tick>,
    /// Messages that may still be taken in in this tick; `None` while it is not read.
    room: Option<usize>,
    /// It has said something in this tick that must outlive the process: what it has said counts as
    /// read when that is in the journal.
    must_last: bool,
    /// To whom the connection is handed over with its first frame, and the note.
    hand_over: Option<Box<(Handover, Vec<u8>)>>,
}

/// The deadlines of a match's sessions, in its ticks: a server that stands still for a while has
/// nobody to blame but itself.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    ping_after: i32,
    silence: i32,
    patience: Patience,
}

impl Deadlines {
    /// As the operator set them, in a match of `tick_rate` ticks a second.
    pub fn new(config: &SessionConfig, tick_rate: u8) -> Self {
        let ticks = |ms| clock::ticks(ms, tick_rate) as i32;
        let patience = Patience { blocked: ticks(config.slow_ms), waiting_bytes: config.reliable_bytes_max };
        Self { ping_after: ticks(config.ping_after_ms), silence: ticks(config.silence_ms), patience }
    }
}

impl Session {
    /// Takes over a connection of the process before, whose client may have been sent anything.
    ///
    /// # Errors
    /// If the connection is lost already.
    pub fn go_on(socket: Socket, player: Option<PlayerId>, config: &SessionConfig, moment: &Moment) -> std::io::Result<Self> {
        Ok(Self { view: View::unknown(player), ..Self::new(socket, player, config, moment)? })
    }

    /// Takes over a connection.
    ///
    /// # Errors
    /// If the connection is lost already.
    pub fn new(socket: Socket, player: Option<PlayerId>, config: &SessionConfig, moment: &Moment) -> std::io::Result<Self> {
        Ok(Self {
            link: socket.into_link(config.send_buffer_bytes)?,
            player,
            view: View::new(player),
            outbox: Outbox::default(),
            meter: Meter::new(config, moment.now),
            last_heard: moment.tick,
            pinged: false,
            unfinished_since: None,
            room: None,
            must_last: false,
            hand_over: None,
        })
    }

    /// With its first frame the connection is handed over, so that it outlives the process, if that
    /// is possible.
    #[must_use]
    pub fn handed_over(self, handover: Handover, note: Vec<u8>) -> Self {
        Self { hand_over: Some(Box::new((handover, note))), ..self }
    }

    /// The seat it plays from; `None` for a spectator.
    pub fn player(&self) -> Option<PlayerId> {
        self.player
    }

    /// Where it comes from.
    pub fn peer(&self) -> std::net::IpAddr {
        self.link.peer()
    }

    /// Goes on to the next message within budget. Returns when it came; `None` if there are no more
    /// in this tick.
    pub fn advance(&mut self, moment: &Moment) -> Result<Option<Arrival>, Ended> {
        if self.room.is_none() {
            self.link.begin();
        }
        let mut room = self.room.unwrap_or(MESSAGES_MAX);
        while room > 0
            && let Some(heard) = self.link.advance(moment)?
        {
            room -= 1;
            self.room = Some(room);
            self.last_heard = moment.tick;
            self.pinged = false;
            if matches!(heard, Heard::Message(_)) {
                self.unfinished_since = None;
            }
            match (self.meter.message(self.link.bytes_read(), moment.now), heard) {
                (Ruling::Close, _) => return Err(Ended::Closed(CloseReason::RateLimited)),
                (Ruling::Keep, Heard::Message(arrival)) => return Ok(Some(arrival)),
                (Ruling::Drop, _) | (Ruling::Keep, Heard::Alive) => {}
            }
        }
        Ok(None)
    }

    /// The message that [`advance`](Self::advance) came to last.
    pub fn message(&self) -> &[u8] {
        self.link.message()
    }

    /// That message must outlive the process: it is no input, which may be lost.
    pub fn must_last(&mut self) {
        self.must_last = true;
    }

    /// That message came too late to matter, as after a stall: it costs the sender its bytes and
    /// nothing else.
    pub fn refund(&mut self) {
        self.meter.refund_message();
    }

    /// Puts an answer in front of the next frame.
    pub fn answer(&mut self, answer: Bytes) {
        self.outbox.answer(&self.link, answer);
    }

    /// The tick has read. Judges what came, pings a client that has been silent for a while, and
    /// gives up on one silent for too long.
    pub fn end_reading(&mut self, moment: &Moment, deadlines: &Deadlines) -> Result<(), Ended> {
        self.link.end();
        self.room = None;
        if !self.must_last {
            self.link.note_read();
        }
        // Bytes that complete no message count too.
        if self.meter.bytes(self.link.bytes_read(), moment.now) == Ruling::Close {
            return Err(Ended::Closed(CloseReason::RateLimited));
        }
        let silent = moment.tick.since(self.last_heard);
        if silent > deadlines.silence || self.unfinished_for(moment.tick) > deadlines.silence {
            return Err(Ended::Closed(CloseReason::Silent));
        }
        if silent > deadlines.ping_after && !self.pinged {
            self.pinged = true;
            if self.outbox.flush(&mut self.link, moment.tick)? {
                self.link.ping()?;
            }
        }
        Ok(())
    }

    /// For how many ticks a message has been begun and not complete: pings in between are no
    /// excuse.
    fn unfinished_for(&mut self, tick: Tick) -> i32 {
        if !self.link.is_unfinished() {
            self.unfinished_since = None;
            return 0;
        }
        tick.since(*self.unfinished_since.get_or_insert(tick))
    }

    /// Sends Welcome and what there is to see. Returns the payload bytes sent.
    pub fn welcome(&mut self, welcome: &[u8], replication: &mut Replication, tick: Tick, deadlines: &Deadlines) -> Result<usize, Ended> {
        let payload = Bytes::from([welcome, &replication.first_frame(&mut self.view)].concat());
        if self.outbox.flush(&mut self.link, tick)? {
            return self.outbox.send(&mut self.link, &payload, tick);
        }
        self.outbox.hold(payload, tick, deadlines.patience)?;
        Ok(0)
    }

    /// Sends the tick's frame. Returns the payload bytes sent: 0 if the connection takes nothing;
    /// then the tick's events wait.
    pub fn send_frame(&mut self, replication: &mut Replication, tick: Tick, deadlines: &Deadlines) -> Result<usize, Ended> {
        if std::mem::take(&mut self.must_last) {
            self.link.note_read();
        }
        if self.outbox.flush(&mut self.link, tick)? {
            if self.outbox.waiting_bytes() == 0
                && let Some(hand_over) = self.hand_over.take()
            {
                let (handover, note) = &*hand_over;
                self.link.hand_over(handover, note, Tick(tick.0.wrapping_sub(1)));
            }
            self.link.begin_frame(tick);
            let frame = replication.frame(&mut self.view);
            return self.outbox.send(&mut self.link, &frame, tick);
        }
        replication.skip(&self.view);
        self.outbox.hold(replication.events().clone(), tick, deadlines.patience)?;
        Ok(0)
    }

    /// Bytes read since the connection was upgraded.
    #[cfg(test)]
    pub(super) fn bytes_read(&self) -> u64 {
        self.link.bytes_read()
    }

    /// Bytes kept for the client, which has not taken them.
    pub fn kept_bytes(&self) -> usize {
        self.outbox.waiting_bytes() + self.link.unsent_bytes()
    }

    /// From now on the connection stays open for the next process when this is dropped, if that can
    /// go on with it. Says whether it can.
    pub fn leave(&mut self) -> bool {
        let is_between = self.outbox.waiting_bytes() == 0 && self.link.is_clear() && !self.link.is_unfinished();
        is_between && self.link.leave()
    }

    /// The connection, to close it.
    pub fn into_socket(self) -> std::io::Result<Socket> {
        self.link.into_socket()
    }
}
