//! A client's bytes on their way in: read into a buffer that its thread's connections share, and parsed there.
//!
//! Invariants: a connection keeps bytes only while a frame is incomplete; what a peer sends is counted before it is parsed, so that frames
//! that never complete count too.

use std::cell::Cell;
use std::ops::Range;

use super::frame::{Incoming, Parser, Violation};

/// Read buffer of a thread, bytes: more than a request's head and the longest frame together, so there is always room to read on.
const READ_BUFFER_BYTES: usize = 16 * 1024;

thread_local! {
    static READ_BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// One connection's incoming side.
#[derive(Debug)]
pub struct Inbox {
    bytes_read: u64,
    /// Read and not parsed: part of a frame, and mostly nothing.
    unparsed: Vec<u8>,
    parser: Parser,
}

/// The thread's read buffer, lent to the one connection that is being read.
#[derive(Debug)]
pub struct Intake {
    buffer: Vec<u8>,
    /// What was read and not parsed.
    filled: Range<usize>,
}

impl Intake {
    /// Where the bytes of the next read go.
    pub fn free(&mut self) -> &mut [u8] {
        if self.filled.start > 0 {
            self.buffer.copy_within(self.filled.clone(), 0);
            self.filled = 0..self.filled.len();
        }
        self.buffer.get_mut(self.filled.end..).unwrap_or_default()
    }
}

impl Inbox {
    /// Of a connection that was upgraded; `already_read` came with the request.
    pub fn new(already_read: Vec<u8>) -> Self {
        Self { bytes_read: already_read.len() as u64, unparsed: already_read, parser: Parser::default() }
    }

    /// Bytes read since the connection was upgraded.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Lends the thread's read buffer, with what this connection has not parsed yet in it.
    pub fn begin(&mut self) -> Intake {
        let mut buffer = READ_BUFFER.take();
        buffer.resize(READ_BUFFER_BYTES.max(2 * self.unparsed.len()), 0);
        let filled = 0..self.unparsed.len();
        if let Some(front) = buffer.get_mut(filled.clone()) {
            front.copy_from_slice(&std::mem::take(&mut self.unparsed));
        }
        Intake { buffer, filled }
    }

    /// So many bytes were read into [`Intake::free`].
    pub fn took(&mut self, intake: &mut Intake, count: usize) {
        self.bytes_read += count as u64;
        intake.filled.end += count;
    }

    /// The next message that is complete, if any.
    pub fn next<'a>(&mut self, intake: &'a mut Intake) -> Result<Option<Incoming<'a>>, Violation> {
        let mut bytes = intake.buffer.get_mut(intake.filled.clone()).unwrap_or_default();
        let incoming = self.parser.next(&mut bytes)?;
        intake.filled.start = intake.filled.end - bytes.len();
        Ok(incoming)
    }

    /// Gives the thread's read buffer back and keeps what was not parsed.
    pub fn end(&mut self, intake: Intake) {
        self.unparsed = intake.buffer.get(intake.filled).unwrap_or_default().to_vec();
        READ_BUFFER.set(intake.buffer);
    }
}
