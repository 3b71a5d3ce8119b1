//! A client's side of the same messages over HTTP: one connection that they come down, one that
//! they go up. What is said goes out in batches, one on its way at a time.
//!
//! [`Request`] and [`Records`] are bytes only, for whoever reads and writes by itself.

pub mod response;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tickwire_protocol::limits::{BATCH_BYTES_MAX, BATCH_MESSAGES_MAX, SERVER_MESSAGE_BYTES_MAX};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use response::{NoResponse, Part, Responses};

const READ_BYTES: usize = 4 * 1024;

/// Why a connection over HTTP stopped.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// It failed or broke.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The server ended it.
    #[error("the server closed the connection")]
    Closed,
    /// The server answered what is not expected.
    #[error("{0}")]
    Unexpected(String),
}

impl From<NoResponse> for StreamError {
    fn from(error: NoResponse) -> Self {
        Self::Unexpected(error.to_string())
    }
}

/// How the server's messages come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// In one response.
    Stream,
    /// Each in a response of its own.
    Poll,
}

/// A request, as bytes.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What is asked for, as in `/stream/up`.
    pub path: &'a str,
    /// The server's name.
    pub host: &'a str,
    /// The connection's secret, once there is one.
    pub secret: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

impl Request<'_> {
    /// Appends it to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let Self { path, host, secret, body } = self;
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n", body.len());
        out.extend_from_slice(head.as_bytes());
        if let Some(secret) = secret {
            out.extend_from_slice(format!("Authorization: Bearer {secret}\r\n").as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(body);
    }
}

/// Appends a message with its length in front.
pub fn push_record(out: &mut Vec<u8>, message: &[u8]) {
    out.extend_from_slice(&(message.len() as u32).to_le_bytes());
    out.extend_from_slice(message);
}

/// The server's messages, as a body brings them.
#[derive(Debug, Default)]
pub struct Records {
    bytes: Vec<u8>,
    read: usize,
}

impl Records {
    /// More of a body has come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..std::mem::take(&mut self.read));
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message that is whole; an empty one asks for a sign of life.
    pub fn advance(&mut self) -> Result<Option<&[u8]>, StreamError> {
        let rest = self.bytes.get(self.read..).unwrap_or_default();
        let Some((length, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_le_bytes(*length) as usize;
        if length > SERVER_MESSAGE_BYTES_MAX {
            return Err(StreamError::Unexpected("a message longer than any".to_owned()));
        }
        let Some(message) = rest.get(..length) else { return Ok(None) };
        self.read += 4 + length;
        Ok(Some(message))
    }
}

/// The `stream` key of the answer that opens a connection.
pub fn secret_in(answer: &[u8]) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(answer).ok()?;
    answer.get("stream")?.as_str().map(str::to_owned)
}

/// A connection over HTTP.
pub struct HttpStream<S> {
    down: Line<S>,
    up: Line<S>,
    reading: Reading,
    host: String,
    /// Of `ws_url`: whose connection it is.
    query: String,
    secret: Option<String>,
    records: Records,
    /// What is to be said.
    batch: VecDeque<Vec<u8>>,
    next_batch: u32,
    next_poll: u32,
    /// The server's answer to the last batch is still to come.
    is_waiting: bool,
    is_over: bool,
}

/// One HTTP connection.
struct Line<S> {
    stream: S,
    responses: Responses,
    unsent: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    fn new(stream: S) -> Self {
        Self { stream, responses: Responses::default(), unsent: Vec::new() }
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        while !self.unsent.is_empty() {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(context, &self.unsent))?;
            self.unsent.drain(..sent);
        }
        Pin::new(&mut self.stream).poll_flush(context).map_err(StreamError::from)
    }

    /// Reads something. The end of the connection is an error.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        let mut buffer = [0; READ_BYTES];
        let mut buffer = ReadBuf::new(&mut buffer);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
        if buffer.filled().is_empty() {
            return Poll::Ready(Err(StreamError::Closed));
        }
        self.responses.push(buffer.filled());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> HttpStream<S> {
    /// Over two connections to `host`. `query` is what stands behind the question mark of `ws_url`.
    pub fn new(down: S, up: S, reading: Reading, host: &str, query: &str) -> Self {
        Self {
            down: Line::new(down),
            up: Line::new(up),
            reading,
            host: host.to_owned(),
            query: query.to_owned(),
            secret: None,
            records: Records::default(),
            batch: VecDeque::new(),
            next_batch: 0,
            next_poll: 0,
            is_waiting: false,
            is_over: false,
        }
    }

    /// Says something; the first time it is Hello.
    pub async fn send(&mut self, message: Vec<u8>) -> Result<(), StreamError> {
        if self.secret.is_none() {
            return self.open(&message).await;
        }
        self.batch.push_back(message);
        self.say();
        poll_fn(|context| self.up.poll_send(context)).await
    }

    /// The next message of the server.
    pub async fn next(&mut self) -> Result<Vec<u8>, StreamError> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The secret that requests show, once Hello was said.
    pub fn secret(&self) -> Option<&str> {
        self.secret.as_deref()
    }

    /// The connection that messages come down.
    pub fn stream(&self) -> &S {
        &self.down.stream
    }

    /// The connection that messages come down.
    pub fn stream_mut(&mut self) -> &mut S {
        &mut self.down.stream
    }

    async fn open(&mut self, hello: &[u8]) -> Result<(), StreamError> {
        let mut body = Vec::new();
        push_record(&mut body, hello);
        let path = if self.query.is_empty() { "/stream".to_owned() } else { format!("/stream?{}", self.query) };
        Request { path: &path, host: &self.host, secret: None, body: &body }.write(&mut self.up.unsent);
        poll_fn(|context| self.up.poll_send(context)).await?;
        let (mut status, mut answer) = (0, Vec::new());
        loop {
            match self.up.responses.advance()? {
                Some(Part::Head(told)) => status = told,
                Some(Part::Data(bytes)) => answer.extend_from_slice(bytes),
                Some(Part::End) => break,
                None => poll_fn(|context| self.up.poll_read(context)).await?,
            }
        }
        let secret = secret_in(&answer).filter(|_| status == 201);
        self.secret = Some(secret.ok_or_else(|| StreamError::Unexpected(format!("{status}: {}", String::from_utf8_lossy(&answer))))?);
        self.ask();
        poll_fn(|context| self.down.poll_send(context)).await
    }

    /// Asks for the server's messages, or for the next of them.
    fn ask(&mut self) {
        let number = self.next_poll.to_le_bytes();
        let (path, body) = match self.reading {
            Reading::Stream => ("/stream/down", &[][..]),
            Reading::Poll => ("/stream/poll", &number[..]),
        };
        self.next_poll += 1;
        Request { path, host: &self.host, secret: self.secret.as_deref(), body }.write(&mut self.down.unsent);
    }

    /// Puts what is to be said into a request, unless one is on its way.
    fn say(&mut self) {
        if self.is_waiting || self.batch.is_empty() {
            return;
        }
        let mut body = self.next_batch.to_le_bytes().to_vec();
        let mut count = 0;
        while let Some(message) = self.batch.front()
            && count < BATCH_MESSAGES_MAX
            && body.len() + 4 + message.len() <= BATCH_BYTES_MAX
        {
            push_record(&mut body, message);
            self.batch.pop_front();
            count += 1;
        }
        self.next_batch += 1;
        self.is_waiting = true;
        Request { path: "/stream/up", host: &self.host, secret: self.secret.as_deref(), body: &body }.write(&mut self.up.unsent);
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Vec<u8>, StreamError>> {
        loop {
            self.hear_answers(context)?;
            while let Some(message) = self.records.advance()? {
                if !message.is_empty() {
                    return Poll::Ready(Ok(message.to_vec()));
                }
                // A sign of life is a batch without messages.
                if !self.is_waiting && self.batch.is_empty() {
                    let body = self.next_batch.to_le_bytes();
                    self.next_batch += 1;
                    self.is_waiting = true;
                    Request { path: "/stream/up", host: &self.host, secret: self.secret.as_deref(), body: &body }
                        .write(&mut self.up.unsent);
                    let _ = self.up.poll_send(context)?;
                }
            }
            if self.is_over {
                return Poll::Ready(Err(StreamError::Closed));
            }
            let _ = self.down.poll_send(context)?;
            match self.down.responses.advance()? {
                Some(Part::Head(200)) => {}
                Some(Part::Head(status)) => return Poll::Ready(Err(StreamError::Unexpected(format!("no messages: {status}")))),
                Some(Part::Data(bytes)) => self.records.push(bytes),
                Some(Part::End) if self.reading == Reading::Poll => self.ask(),
                Some(Part::End) => self.is_over = true,
                None => ready!(self.down.poll_read(context))?,
            }
        }
    }

    /// Reads answers to batches, and says what waited for them.
    fn hear_answers(&mut self, context: &mut Context<'_>) -> Result<(), StreamError> {
        loop {
            let _ = self.up.poll_send(context)?;
            match self.up.responses.advance()? {
                // Why a batch is refused is told by what comes down, or by its end.
                Some(Part::Head(_) | Part::Data(_)) => {}
                Some(Part::End) => {
                    self.is_waiting = false;
                    self.say();
                }
                None if !self.is_waiting => return Ok(()),
                None => match self.up.poll_read(context) {
                    Poll::Ready(read) => read?,
                    Poll::Pending => return Ok(()),
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_however_a_body_comes() {
        let mut bytes = Vec::new();
        for message in [&b"first"[..], b"", b"second"] {
            push_record(&mut bytes, message);
        }
        for piece in 1..bytes.len() {
            let (mut records, mut heard) = (Records::default(), Vec::new());
            for piece in bytes.chunks(piece) {
                records.push(piece);
                while let Some(message) = records.advance().expect("messages") {
                    heard.push(message.to_vec());
                }
            }
            assert_eq!(heard, [b"first".to_vec(), Vec::new(), b"second".to_vec()]);
        }
        let mut records = Records::default();
        records.push(&u32::MAX.to_le_bytes());
        assert!(records.advance().is_err(), "longer than any message");
    }
}
