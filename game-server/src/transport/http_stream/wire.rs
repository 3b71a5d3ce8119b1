//! What is on its way between a match and HTTP, in both directions.
//!
//! Invariants: a batch is taken in once and in order; a message is given out once and in order, but
//! for the last answer of a client that polls; nothing grows with what a client sends.

use std::collections::VecDeque;
use std::ops::Range;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::time::Instant;

use super::framing::frame;
use crate::transport::farewell::Farewell;
use crate::transport::seam::{Broken, MESSAGES_MAX, Taken};

/// The last answer is given again so often.
const REPEATS_MAX: u32 = 8;

/// Why a request of a client is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The connection is over.
    Gone,
    /// The number is not the one that is due.
    OutOfOrder,
    /// There is a response already, or a later poll.
    Second,
    /// The last answer was asked for too often.
    TooOften,
}

pub(super) struct Wire {
    /// Messages from the client, at most [`MESSAGES_MAX`]; `None` is a sign of life.
    heard: VecDeque<(Option<Bytes>, Instant)>,
    /// The number that the next batch from the client must have; a repeat of the one before is
    /// answered and not taken in again.
    next_batch: u32,
    bytes_read: u64,
    /// A batch waits for room.
    is_awaited: bool,
    is_violated: bool,
    /// What the match said last and nobody has taken.
    said: Option<Bytes>,
    /// Whoever reads is ready for more.
    is_wanted: bool,
    bytes_written: u64,
    reader: Reader,
    waker: Option<Waker>,
    closing: Option<Farewell>,
    end: End,
    /// Waits until the client was told.
    farewell: Option<Waker>,
}

/// Who takes what the match says.
enum Reader {
    Nobody,
    Response,
    Polls(Polls),
}

#[derive(Default)]
struct Polls {
    /// The number of the next answer.
    next: u32,
    /// The answer before.
    last: Option<Bytes>,
    repeats: u32,
    /// Counts polls: the newest is answered.
    turn: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Not yet.
    Open,
    /// The client has been told why it is closed.
    Told,
    /// The client is gone.
    Lost,
    /// The match is.
    Over,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Took {
    It,
    NoRoom,
}

/// What a poll asks for.
pub(super) enum Asked {
    /// An answer that was given before.
    Again(Bytes),
    /// The next one, in this turn.
    Turn(u64),
}

impl Wire {
    pub(super) fn new(bytes_read: u64) -> Self {
        Self {
            heard: VecDeque::new(),
            next_batch: 0,
            bytes_read,
            is_awaited: false,
            is_violated: false,
            said: None,
            // Welcome is kept until somebody asks for it.
            is_wanted: true,
            bytes_written: 0,
            reader: Reader::Nobody,
            waker: None,
            closing: None,
            end: End::Open,
            farewell: None,
        }
    }

    pub(super) fn deliver(&mut self, number: u32, body: &[u8], messages: &[Range<usize>], by: Instant) -> Result<Took, Refused> {
        if self.end != End::Open || self.closing.is_some() {
            return Err(Refused::Gone);
        }
        let is_repeated = number.checked_add(1) == Some(self.next_batch);
        if number != self.next_batch && !is_repeated {
            self.charge(body.len(), by);
            return Err(Refused::OutOfOrder);
        }
        // One without messages, or that says nothing new, costs as much as a message.
        let count = if is_repeated { 1 } else { messages.len().max(1) };
        if self.heard.len() + count > MESSAGES_MAX {
            self.is_awaited = true;
            return Ok(Took::NoRoom);
        }
        if is_repeated || messages.is_empty() {
            self.charge(body.len(), by);
        } else {
            self.bytes_read += body.len() as u64;
            let copies = messages.iter().filter_map(|range| body.get(range.clone()).map(Bytes::copy_from_slice));
            self.heard.extend(copies.map(|message| (Some(message), by)));
        }
        if !is_repeated {
            self.next_batch = self.next_batch.wrapping_add(1);
        }
        Ok(Took::It)
    }

    /// A request that brought nothing: the meter hears of it, like of a sign of life.
    fn charge(&mut self, bytes: usize, by: Instant) {
        self.bytes_read += bytes as u64;
        if self.heard.len() < MESSAGES_MAX {
            self.heard.push_back((None, by));
        }
    }

    pub(super) fn violate(&mut self) {
        self.is_violated = true;
    }

    pub(super) fn respond(&mut self) -> Result<(), Refused> {
        match (&self.reader, self.end) {
            (_, End::Lost | End::Over | End::Told) => Err(Refused::Gone),
            (Reader::Nobody, End::Open) => {
                self.reader = Reader::Response;
                Ok(())
            }
            (_, End::Open) => {
                self.charge(0, Instant::now());
                Err(Refused::Second)
            }
        }
    }

    /// The reader has got rid of what it had.
    pub(super) fn want_next(&mut self) {
        self.is_wanted = self.said.is_none();
    }

    /// The next part of the response; `None` at its end.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.end != End::Open {
            return Poll::Ready(None);
        }
        match self.take_said() {
            Some(message) => Poll::Ready(Some(message)),
            None => self.wait(context),
        }
    }

    pub(super) fn ask(&mut self, number: u32) -> Result<Asked, Refused> {
        if matches!(self.end, End::Lost | End::Over) {
            return Err(Refused::Gone);
        }
        if matches!(self.reader, Reader::Nobody) {
            self.reader = Reader::Polls(Polls::default());
        }
        let Reader::Polls(polls) = &mut self.reader else {
            self.charge(0, Instant::now());
            return Err(Refused::Second);
        };
        if number == polls.next {
            if self.end != End::Open {
                return Err(Refused::Gone);
            }
            polls.turn += 1;
            polls.last = None;
            let turn = polls.turn;
            self.want_next();
            // A poll before it, whose connection broke perhaps, is not answered.
            self.wake();
            return Ok(Asked::Turn(turn));
        }
        match &polls.last {
            Some(last) if number.checked_add(1) == Some(polls.next) => {
                polls.repeats += 1;
                let again = if polls.repeats > REPEATS_MAX { Err(Refused::TooOften) } else { Ok(Asked::Again(last.clone())) };
                self.charge(0, Instant::now());
                again
            }
            _ => {
                self.charge(0, Instant::now());
                Err(Refused::OutOfOrder)
            }
        }
    }

    pub(super) fn poll_answer(&mut self, turn: u64, context: &mut Context<'_>) -> Poll<Result<Bytes, Refused>> {
        match &self.reader {
            Reader::Polls(polls) if polls.turn == turn => {}
            _ => return Poll::Ready(Err(Refused::Second)),
        }
        if self.end != End::Open {
            return Poll::Ready(Err(Refused::Gone));
        }
        let Some(answer) = self.take_said() else { return self.wait(context) };
        if let Reader::Polls(polls) = &mut self.reader {
            (polls.next, polls.last, polls.repeats) = (polls.next.wrapping_add(1), Some(answer.clone()), 0);
        }
        Poll::Ready(Ok(answer))
    }

    /// What the match said last, and at last why it closes.
    fn take_said(&mut self) -> Option<Bytes> {
        if let Some(message) = self.said.take() {
            let framed = frame(&message);
            self.bytes_written += framed.len() as u64;
            return Some(framed);
        }
        let farewell = self.closing.take()?;
        self.end = End::Told;
        if let Some(waker) = self.farewell.take() {
            waker.wake();
        }
        Some(frame(&farewell.payload()))
    }

    fn wait<T>(&mut self, context: &Context<'_>) -> Poll<T> {
        self.waker = Some(context.waker().clone());
        Poll::Pending
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    pub(super) fn lose(&mut self) {
        if self.end == End::Open {
            self.end = End::Lost;
        }
        if let Some(waker) = self.farewell.take() {
            waker.wake();
        }
    }

    pub(super) fn end(&mut self) {
        if self.end == End::Open {
            self.end = End::Over;
        }
        self.wake();
    }

    pub(super) fn close(&mut self, farewell: Farewell) {
        self.closing = Some(farewell);
        self.wake();
    }

    pub(super) fn poll_told(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.end != End::Open {
            return Poll::Ready(());
        }
        self.farewell = Some(context.waker().clone());
        Poll::Pending
    }

    pub(super) fn take_heard(&mut self) -> Result<Option<(Option<Bytes>, Instant)>, Broken> {
        match self.heard.pop_front() {
            None if self.is_violated => Err(Broken::Violated),
            None if self.end != End::Open => Err(Broken::Lost),
            heard => Ok(heard),
        }
    }

    /// Whether a batch waited for room. Then it looks again.
    pub(super) fn is_awaited(&mut self) -> bool {
        std::mem::take(&mut self.is_awaited)
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    pub(super) fn offer(&mut self, message: &Bytes) -> Result<Taken, Broken> {
        if self.end != End::Open {
            return Err(Broken::Lost);
        }
        if !self.is_clear() {
            return Ok(Taken::Nothing);
        }
        self.said = Some(message.clone());
        self.is_wanted = false;
        self.wake();
        // It is on its way when it is taken.
        Ok(Taken::Part)
    }

    pub(super) fn is_clear(&self) -> bool {
        self.is_wanted && self.said.is_none()
    }

    pub(super) fn bytes_written(&self) -> u64 {
        self.bytes_written
    }
}
