//! One socket's life, from Welcome to the close frame.
//!
//! [`socket`] is the connection outside a match and [`link`] inside one, [`inbox`] and [`frame`] are its bytes, [`meter`] is what a client may
//! send, [`outbox`] what it is told. [`Session`] ties them together.

pub mod frame;
pub mod inbox;
pub mod link;
pub mod meter;
pub mod outbox;
pub mod socket;

use bytes::Bytes;
use tickwire_protocol::{CloseReason, PlayerId, Tick};
use tokio::time::Instant;

use crate::clock::{self, Moment};
use crate::config::SessionConfig;
use frame::{Incoming, Opcode};
use inbox::Intake;
use link::{Arrived, Link, Sent};
use meter::{Meter, Verdict};
use outbox::{Failure, Outbox, Patience};
use socket::Broken;
pub use socket::Socket;
use tickwire_match::{Replication, View};

/// Reads of a socket in a tick: whoever sends without end keeps nobody waiting.
const READS_MAX: usize = 4;
/// Messages of a socket that are taken in in a tick; the others wait for the next one. A burst that a silence has earned delays no tick.
const MESSAGES_MAX: usize = 64;

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
}

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The connection is gone: nobody to tell.
    Disconnected,
    /// The client is told why.
    Closed(CloseReason),
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handled {
    /// It was heard.
    Done,
    /// It came too late to matter, as after a stall: it costs the sender its bytes and nothing else.
    TooLate,
    /// This goes out with the next frame.
    Answer(Bytes),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Disconnected => Self::Disconnected,
            Failure::TooSlow => Self::Closed(CloseReason::TooSlow),
        }
    }
}

/// A peer that broke the protocol or a limit is told so, a broken connection is nobody's fault.
impl From<Broken> for Ended {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Lost => Self::Disconnected,
            Broken::Violated(_) => Self::Closed(CloseReason::Malformed),
        }
    }
}

/// The deadlines of a match's sessions, in its ticks: a server that stands still for a while has nobody to blame but itself.
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
    /// Takes over a socket.
    pub fn new(socket: Socket, player: Option<PlayerId>, config: &SessionConfig, moment: &Moment) -> std::io::Result<Self> {
        let link = socket.into_link(config.send_buffer_bytes)?;
        let (view, meter) = (View::new(player), Meter::new(config, moment.now));
        Ok(Self { link, player, view, outbox: Outbox::default(), meter, last_heard: moment.tick, pinged: false })
    }

    /// The seat it plays from; `None` for a spectator.
    pub fn player(&self) -> Option<PlayerId> {
        self.player
    }

    /// Reads what has come in, handing each message within budget and when it came to `handle`.
    pub fn read(&mut self, moment: &Moment, mut handle: impl FnMut(&[u8], Instant) -> Result<Handled, CloseReason>) -> Result<(), Ended> {
        let mut intake = self.link.begin_reading();
        let read = self.read_into(&mut intake, moment, &mut handle);
        self.link.end_reading(intake);
        read
    }

    fn read_into(
        &mut self,
        intake: &mut Intake,
        moment: &Moment,
        handle: &mut impl FnMut(&[u8], Instant) -> Result<Handled, CloseReason>,
    ) -> Result<(), Ended> {
        let mut room = MESSAGES_MAX;
        // What came with the request, or was too much for the tick before, is there before the first read.
        self.take_in(intake, moment, moment.now, &mut room, handle)?;
        for _ in 0..READS_MAX {
            if room == 0 {
                break;
            }
            let Arrived::Bytes { at, more } = self.link.read(intake)? else { break };
            self.take_in(intake, moment, moment.of(at), &mut room, handle)?;
            if !more {
                break;
            }
        }
        self.judge_bytes(moment.now)
    }

    /// Takes in the messages that are complete, as far as there is room for them in this tick.
    fn take_in(
        &mut self,
        intake: &mut Intake,
        moment: &Moment,
        arrived: Instant,
        room: &mut usize,
        handle: &mut impl FnMut(&[u8], Instant) -> Result<Handled, CloseReason>,
    ) -> Result<(), Ended> {
        while *room > 0
            && let Some(incoming) = self.link.next(intake).map_err(Broken::Violated)?
        {
            *room -= 1;
            self.last_heard = moment.tick;
            self.pinged = false;
            match self.meter.message(self.link.bytes_read(), moment.now) {
                Verdict::Keep => {}
                Verdict::Drop => continue,
                Verdict::Close => return Err(Ended::Closed(CloseReason::RateLimited)),
            }
            match incoming {
                Incoming::Binary(bytes) => match handle(&bytes, arrived).map_err(Ended::Closed)? {
                    Handled::Done => {}
                    Handled::TooLate => self.meter.refund_message(),
                    Handled::Answer(answer) => self.outbox.answer(&self.link, answer),
                },
                Incoming::Ping(bytes) => self.outbox.send_now_or_never(&mut self.link, Opcode::Pong, bytes, moment.tick)?,
                Incoming::Pong => {}
                Incoming::Close(code) => return Err(self.acknowledge_close(code, moment.tick)),
            }
        }
        Ok(())
    }

    /// Answers a close frame, if that can be sent at once.
    fn acknowledge_close(&mut self, code: Option<u16>, tick: Tick) -> Ended {
        let payload = code.map_or_else(Vec::new, |code| frame::close_payload(frame::answer_to_close(code), ""));
        let sent = self.outbox.send_now_or_never(&mut self.link, Opcode::Close, &payload, tick);
        sent.map_or_else(Ended::from, |()| Ended::Disconnected)
    }

    /// Bytes that complete no message count too.
    fn judge_bytes(&mut self, now: Instant) -> Result<(), Ended> {
        match self.meter.bytes(self.link.bytes_read(), now) {
            Verdict::Keep | Verdict::Drop => Ok(()),
            Verdict::Close => Err(Ended::Closed(CloseReason::RateLimited)),
        }
    }

    /// Sends Welcome and what there is to see. Returns the payload bytes sent.
    pub fn welcome(&mut self, welcome: &[u8], replication: &mut Replication, tick: Tick, deadlines: &Deadlines) -> Result<usize, Ended> {
        let payload = Bytes::from([welcome, &replication.first_frame(&mut self.view)].concat());
        if self.outbox.flush(&mut self.link, tick)? == Sent::Part {
            self.outbox.hold(payload, tick, deadlines.patience)?;
            return Ok(0);
        }
        Ok(self.outbox.send(&mut self.link, &payload, tick)?)
    }

    /// Sends the tick's frame. Returns the payload bytes sent: 0 if the socket takes nothing; then the tick's events wait.
    pub fn send_frame(&mut self, replication: &mut Replication, tick: Tick, deadlines: &Deadlines) -> Result<usize, Ended> {
        if self.outbox.flush(&mut self.link, tick)? == Sent::Part {
            replication.skip(&self.view);
            self.outbox.hold(replication.events().clone(), tick, deadlines.patience)?;
            return Ok(0);
        }
        let frame = replication.frame(&mut self.view);
        Ok(self.outbox.send(&mut self.link, &frame, tick)?)
    }

    /// Pings a client that has been silent for a while, and gives up on one silent for too long.
    pub fn check_silence(&mut self, tick: Tick, deadlines: &Deadlines) -> Result<(), Ended> {
        let silent = tick.since(self.last_heard);
        if silent > deadlines.silence {
            return Err(Ended::Closed(CloseReason::Silent));
        }
        if silent > deadlines.ping_after && !self.pinged {
            self.pinged = true;
            self.outbox.send_now_or_never(&mut self.link, Opcode::Ping, &[], tick)?;
        }
        Ok(())
    }

    /// The socket, to close it.
    pub fn into_socket(self) -> std::io::Result<Socket> {
        self.link.into_socket()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{IpAddr, Ipv4Addr, TcpStream};

    use super::*;

    #[tokio::test]
    async fn a_burst_is_heard_over_several_ticks_and_whole() {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let mut client = TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
        let (stream, _) = listener.accept().await.expect("accepted");
        let socket = Socket::new(stream, Vec::new(), IpAddr::V4(Ipv4Addr::LOCALHOST), ());
        let moment = Moment::now(Tick(0));
        let config = SessionConfig { message_burst: 1_000, ..SessionConfig::default() };
        let mut session = Session::new(socket, Some(PlayerId(0)), &config, &moment).expect("a session");
        // Numbered binary messages, masked with zeros.
        let sent: Vec<u8> = (0..250).collect();
        let frames: Vec<u8> = sent.iter().flat_map(|number| [0x82, 0x81, 0, 0, 0, 0, *number]).collect();
        client.write_all(&frames).expect("sent");
        let mut heard = Vec::new();
        while heard.len() < sent.len() {
            let before = heard.len();
            let read = session.read(&moment, |bytes, _| {
                heard.extend_from_slice(bytes);
                Ok(Handled::Done)
            });
            assert_eq!(read, Ok(()));
            assert!(heard.len() - before <= MESSAGES_MAX, "{} at once", heard.len() - before);
        }
        assert_eq!(heard, sent);
    }
}
