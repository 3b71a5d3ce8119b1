//! Operators of other servers who watch a match of this one: a letter asks for the next message,
//! the answer has it.
//!
//! As where a client polls ([`crate::transport::http_stream`]), a message is handed out when it is
//! asked for: none grows old on the way, and the match closes whoever does not ask any more.
//!
//! Bounded: [`WATCHED_MAX`] at a time; one more is told that no place is left. Who has not asked
//! for [`FORGOTTEN_AFTER`] is forgotten.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;

use crate::cluster::letter::{Answer, WATCHED_PART_BYTES, Watching};
use crate::http::address::from_bytes;
use crate::matches::{Command, Directory};
use crate::metrics;
use crate::transport::Socket;
use crate::transport::http_stream::{HttpEnd, Refused};

/// Most who watch matches of this server from others.
const WATCHED_MAX: usize = 64;
/// Longer than a match waits for somebody who takes nothing.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30);
/// An answer comes after so long, with or without a message: the one who asks waits no longer.
const ANSWER_AFTER: Duration = Duration::from_secs(1);
/// Who asks is there: the match is told so often.
const ALIVE_EVERY: Duration = Duration::from_secs(1);
/// What is said must be taken in after so long, or is lost.
const SAID_WITHIN: Duration = Duration::from_millis(100);

/// All who watch from other servers.
#[derive(Default)]
pub(super) struct Watched(Mutex<HashMap<u64, Stream>>);

struct Stream {
    end: HttpEnd,
    /// The number of the next batch of what is said.
    batch: u32,
    /// When it was told last that somebody is there.
    alive: Instant,
    asked: Instant,
}

/// Why there is no message.
enum Missing {
    /// Nothing was said.
    Silent,
    /// The stream is over, or there is none.
    Gone,
    /// As many watch as may.
    Full,
    /// This server runs no match with that id.
    NoMatch,
}

impl Watched {
    fn streams(&self) -> MutexGuard<'_, HashMap<u64, Stream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream's end, and the number of a batch if it is time for a sign of life.
    fn find(&self, now: Instant, watching: &Watching) -> Option<(HttpEnd, Option<u32>)> {
        let mut streams = self.streams();
        let stream = streams.get_mut(&watching.stream)?;
        stream.asked = now;
        let is_due = !watching.said.is_empty() || now.duration_since(stream.alive) >= ALIVE_EVERY;
        Some((stream.end.clone(), is_due.then_some(stream.batch)))
    }

    /// What was said was taken in.
    fn said(&self, now: Instant, watching: &Watching) {
        if let Some(stream) = self.streams().get_mut(&watching.stream) {
            stream.alive = now;
            stream.batch = stream.batch.wrapping_add(1);
        }
    }

    /// The next message for an operator of another server, or that there is none.
    pub(super) async fn answer(&self, directory: &Directory, watching: &Watching) -> Answer {
        let (status, body) = match self.next_message(directory, watching).await {
            Ok(part) => (StatusCode::OK, part),
            Err(Missing::Silent) => (StatusCode::NO_CONTENT, Vec::new()),
            Err(Missing::Gone) => (StatusCode::GONE, Vec::new()),
            Err(Missing::Full) => (StatusCode::SERVICE_UNAVAILABLE, Vec::new()),
            Err(Missing::NoMatch) => (StatusCode::NOT_FOUND, Vec::new()),
        };
        Answer { status: status.as_u16(), body, retry_after_ms: None }
    }

    async fn next_message(&self, directory: &Directory, watching: &Watching) -> Result<Vec<u8>, Missing> {
        if watching.number == 0 && watching.offset == 0 && !self.streams().contains_key(&watching.stream) {
            self.begin(directory, watching)?;
        }
        let (end, batch) = self.find(Instant::now(), watching).ok_or(Missing::Gone)?;
        if let Some(batch) = batch {
            let (body, messages) = joined(&watching.said);
            let delivered = tokio::time::timeout(SAID_WITHIN, end.deliver(batch, &body, &messages)).await;
            // What a match is too busy to take in is lost.
            if delivered.is_ok_and(|delivered| delivered.is_ok()) {
                self.said(Instant::now(), watching);
            }
        }
        match tokio::time::timeout(ANSWER_AFTER, end.poll(watching.number)).await {
            Ok(Ok(framed)) => Ok(part(&framed, watching.offset)),
            // A later question of the same one has taken its place.
            Err(_) | Ok(Err(Refused::Second)) => Err(Missing::Silent),
            Ok(Err(_)) => {
                self.streams().remove(&watching.stream);
                Err(Missing::Gone)
            }
        }
    }

    /// Nobody watches this stream any more.
    pub(super) fn end(&self, stream: u64) {
        let ended = self.streams().remove(&stream);
        ended.into_iter().for_each(|stream| stream.end.leave());
    }

    fn begin(&self, directory: &Directory, watching: &Watching) -> Result<(), Missing> {
        let handle = directory.find(watching.id).ok_or(Missing::NoMatch)?;
        let now = Instant::now();
        let mut streams = self.streams();
        streams.retain(|_, stream| now.duration_since(stream.asked) < FORGOTTEN_AFTER);
        if streams.len() >= WATCHED_MAX {
            return Err(Missing::Full);
        }
        let (end, socket) = Socket::over_http(0, from_bytes(watching.client), ());
        streams.insert(watching.stream, Stream { end, batch: 0, alive: now, asked: now });
        drop(streams);
        if let Err((refused, reason)) = handle.send(Command::Spectate { socket: Box::new(socket) })
            && let Some(socket) = refused.into_socket()
        {
            metrics::count_close(reason);
            tokio::spawn(socket.refuse(reason));
        }
        Ok(())
    }
}

/// Messages in a row, and where each is.
fn joined(said: &[Vec<u8>]) -> (Vec<u8>, Vec<Range<usize>>) {
    let mut body = Vec::new();
    let ranges = said.iter().map(|message| {
        let start = body.len();
        body.extend_from_slice(message);
        start..body.len()
    });
    let ranges = ranges.collect();
    (body, ranges)
}

/// The length of a framed message, and what follows `offset` of it, as far as it fits into a
/// letter.
fn part(framed: &Bytes, offset: u32) -> Vec<u8> {
    let (length, message) = framed.split_at_checked(4).unwrap_or_default();
    let rest = message.get(offset as usize..).unwrap_or_default();
    [length, rest.get(..WATCHED_PART_BYTES).unwrap_or(rest)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::http_stream::framing::frame;

    #[test]
    fn a_long_message_goes_in_parts() {
        let message: Vec<u8> = (0..WATCHED_PART_BYTES * 2 + 3).map(|at| at as u8).collect();
        let framed = frame(&message);
        let mut whole = Vec::new();
        while whole.len() < message.len() {
            let part = part(&framed, whole.len() as u32);
            assert_eq!(part[..4], (message.len() as u32).to_le_bytes());
            assert!(part.len() > 4 && part.len() <= 4 + WATCHED_PART_BYTES);
            whole.extend_from_slice(&part[4..]);
        }
        assert_eq!(whole, message);
        assert_eq!(part(&frame(&[]), 0), [0; 4]);
    }
}
