//! TCP on Linux without a runtime: a match reads straight from the kernel when a tick begins, and
//! writes when it ends.
//!
//! What came in waits in the kernel, which notes when it came: so a message read at the tick is
//! told from when it arrived, and reading once a tick costs no precision.
//!
//! Invariants: no call blocks; a connection keeps bytes only while a frame is incomplete, on its
//! way in or out; everything else goes through buffers that its thread's connections share.

mod inbox;
mod secure;

use std::cell::Cell;
use std::future::poll_fn;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tickwire_handover::{Handover, Mark};
use tickwire_protocol::{CloseReason, Tick};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::farewell::{self, Farewell};
use super::frame::{self, Opcode, Terms};
use super::seam::{Arrival, Broken, Ended, Heard, READ_BYTES_MAX, Taken, Transport, UNSENT_BYTES};
use crate::clock::Moment;
use crate::tls::Encrypted;
use inbox::{Found, Inbox, READ_BUFFER_BYTES, Read, ask_for_stamps, is_for_later};
use secure::Secure;

/// Reads in a tick.
const READS_MAX: usize = READ_BYTES_MAX / READ_BUFFER_BYTES;
/// A thread's write buffer that grew larger than this is given back.
const WRITE_BUFFER_BYTES_KEPT: usize = 64 * 1024;

thread_local! {
    static WRITE_BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Outside a match.
pub(super) struct Socket {
    stream: TcpStream,
    bytes: Bytewise,
}

/// Inside a match.
pub(super) struct Link {
    stream: std::net::TcpStream,
    bytes: Bytewise,
    /// Reads that are left in this tick.
    reads_left: usize,
    /// When the last byte of the tick's last read came.
    stamp: Option<Instant>,
    /// What the answer to the last ping must repeat.
    owed_pong: Option<Box<[u8]>>,
    /// What messages are sent as: what the last one heard was.
    speaks: Opcode,
}

/// What is known of a connection beside its stream.
struct Bytewise {
    inbox: Inbox,
    /// What decrypts and encrypts them, if there is TLS.
    secure: Option<Box<Secure>>,
    /// What the kernel did not take of the last frame written.
    unsent: Bytes,
    written: u64,
    /// Of a connection that outlives the process.
    mark: Option<Box<Mark>>,
}

impl Socket {
    pub(super) fn on(terms: Terms, stream: TcpStream, already_read: Vec<u8>) -> Self {
        Self::of(terms, stream, already_read, None)
    }

    /// Over TLS, whose state goes with the stream from thread to thread.
    pub(super) fn over_tls(terms: Terms, stream: Encrypted, mut already_read: Vec<u8>) -> io::Result<Self> {
        let (stream, connection, records) = stream.into_parts()?;
        let secure = Secure::new(connection, records, &mut already_read)?;
        Ok(Self::of(terms, stream, already_read, Some(Box::new(secure))))
    }

    /// That the process before had, on the runtime that is to wait for it.
    pub(super) fn kept(stream: std::net::TcpStream, mark: Mark) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let mut socket = Self::of(Terms::default(), TcpStream::from_std(stream)?, Vec::new(), None);
        socket.bytes.mark = Some(Box::new(mark));
        Ok(socket)
    }

    fn of(terms: Terms, stream: TcpStream, already_read: Vec<u8>, secure: Option<Box<Secure>>) -> Self {
        let inbox = Inbox::new(already_read, terms);
        Self { stream, bytes: Bytewise { inbox, secure, unsent: Bytes::new(), written: 0, mark: None } }
    }

    /// Sets what the kernel keeps for this connection: no Nagle delay, a send buffer of
    /// `send_buffer_bytes`, when bytes came in, and next to nothing that is not on its way: what
    /// waits there is stale when it leaves.
    pub(super) fn into_link(self, send_buffer_bytes: u32) -> io::Result<Link> {
        let stream = self.stream.into_std()?;
        stream.set_nodelay(true)?;
        let socket = socket2::SockRef::from(&stream);
        socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
        socket.set_send_buffer_size(send_buffer_bytes as usize)?;
        ask_for_stamps(&stream);
        Ok(Link { stream, bytes: self.bytes, reads_left: 0, stamp: None, owed_pong: None, speaks: Opcode::Binary })
    }

    pub(super) async fn first_message(&mut self, bytes_max: u64) -> Result<Vec<u8>, Ended> {
        poll_fn(|context| {
            self.bytes.inbox.begin();
            let polled = self.poll_first(context);
            self.bytes.inbox.end();
            match polled {
                Poll::Pending if self.bytes.inbox.bytes_read() > bytes_max => Poll::Ready(Err(Ended::Closed(CloseReason::RateLimited))),
                polled => polled,
            }
        })
        .await
    }

    fn poll_first(&mut self, context: &mut Context<'_>) -> Poll<Result<Vec<u8>, Ended>> {
        loop {
            match self.bytes.inbox.next().map_err(|_| Broken::Violated)? {
                Some(Found::Message | Found::Text) => {
                    return Poll::Ready(Ok(self.bytes.inbox.message().to_vec()));
                }
                Some(Found::Close(_)) => return Poll::Ready(Err(Ended::Disconnected)),
                Some(Found::Ping(_) | Found::Pong) => {
                    return Poll::Ready(Err(Ended::Closed(CloseReason::Malformed)));
                }
                None => {}
            }
            match ready!(self.poll_read(context)) {
                Ok(0) | Err(_) => return Poll::Ready(Err(Ended::Disconnected)),
                Ok(_) => {}
            }
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.stream);
        let Bytewise { inbox, secure, .. } = &mut self.bytes;
        if let Some(secure) = secure {
            return secure.poll_read(stream, context, inbox);
        }
        let mut free = ReadBuf::new(inbox.free());
        ready!(stream.poll_read(context, &mut free))?;
        let count = free.filled().len();
        inbox.took(count);
        Poll::Ready(Ok(count))
    }

    /// Says `farewell`, and waits for the peer to close. What it still says is not heard.
    pub(super) async fn close(mut self, farewell: &Farewell) -> io::Result<()> {
        // Nothing newer will come: what waits there from now on is not stale.
        socket2::SockRef::from(&self.stream).set_tcp_notsent_lowat(i32::MAX as u32)?;
        let mut last = Vec::new();
        frame::write(&mut last, Opcode::Binary, &farewell.payload());
        let reason = farewell.reason();
        let close = frame::close_payload(reason.websocket_code(), reason.name());
        frame::write(&mut last, Opcode::Close, &close);
        if let Some(secure) = &mut self.bytes.secure {
            last = secure.seal_last(&last)?;
        }
        self.stream.write_all(&self.bytes.unsent).await?;
        self.stream.write_all(&last).await?;
        self.stream.shutdown().await?;
        farewell::hear_out(&mut self.stream).await
    }
}

impl Bytewise {
    /// Whether the last byte read ended a message, as far as messages were taken out.
    fn is_read_up(&self) -> bool {
        self.inbox.is_empty() && self.secure.as_ref().is_none_or(|secure| secure.is_whole())
    }

    /// Writes a frame as far as the kernel takes it and keeps the rest. Says whether there is none.
    fn write(&mut self, frame: &[u8], stream: &std::net::TcpStream) -> io::Result<bool> {
        if let Some(secure) = &mut self.secure {
            return secure.write(frame, stream, &mut self.written);
        }
        if let Some(mark) = &self.mark {
            mark.sending(self.written + frame.len() as u64);
        }
        let mut rest = frame;
        let whole = write_all(stream, &mut rest);
        self.written += (frame.len() - rest.len()) as u64;
        if rest.is_empty() {
            self.mark.iter().for_each(|mark| mark.sent());
        } else {
            self.unsent = Bytes::copy_from_slice(rest);
        }
        whole
    }
}

impl Link {
    /// Inside the runtime that is to wait for it.
    pub(super) fn into_socket(mut self) -> io::Result<Socket> {
        self.bytes.inbox.end();
        Ok(Socket { stream: TcpStream::from_std(self.stream)?, bytes: self.bytes })
    }

    /// Reads once. Says whether anything came.
    fn read(&mut self, moment: &Moment) -> Result<bool, Broken> {
        let Some(reads_left) = self.reads_left.checked_sub(1) else { return Ok(false) };
        self.reads_left = reads_left;
        let Bytewise { inbox, secure, .. } = &mut self.bytes;
        let read = match secure {
            None => inbox.read(&self.stream),
            Some(secure) => secure.read(&self.stream, inbox),
        };
        match read {
            Ok(Read { count: 0, .. }) => Err(Broken::Lost),
            Ok(Read { at, more, .. }) => {
                self.stamp = Some(moment.of(at));
                if !more {
                    self.reads_left = 0;
                }
                Ok(true)
            }
            Err(error) if is_for_later(&error) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                // TLS says what was wrong, if the peer still takes it.
                let _ = self.flush();
                Err(Broken::Violated)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The arrival of a message that was just found. The stamp is that of the last byte read: it
    /// belongs to the message that this byte ends.
    fn arrival(&self, moment: &Moment) -> Arrival {
        match self.stamp {
            Some(by) => Arrival { by, is_exact: self.bytes.is_read_up() },
            // It was left over by the tick before.
            None => Arrival { by: moment.now, is_exact: false },
        }
    }

    /// Writes a frame as far as the kernel takes it and keeps the rest. Skips it if something is
    /// left of the one before.
    fn write(&mut self, opcode: Opcode, payload: &[u8]) -> Result<Taken, Broken> {
        if !self.flush()? {
            return Ok(Taken::Nothing);
        }
        let mut buffer = WRITE_BUFFER.take();
        buffer.clear();
        frame::write(&mut buffer, opcode, payload);
        let whole = self.bytes.write(&buffer, &self.stream);
        if buffer.capacity() <= WRITE_BUFFER_BYTES_KEPT {
            WRITE_BUFFER.set(buffer);
        }
        Ok(if whole? { Taken::Whole } else { Taken::Part })
    }

    /// Answers a close frame, if that can be sent at once.
    fn acknowledge_close(&mut self, code: Option<u16>) {
        let payload = code.map_or_else(Vec::new, |code| frame::close_payload(frame::answer_to_close(code), ""));
        // The peer has gone either way.
        let _ = self.write(Opcode::Close, &payload);
    }
}

impl Transport for Link {
    fn begin(&mut self) {
        self.bytes.inbox.begin();
        (self.reads_left, self.stamp) = (READS_MAX, None);
    }

    fn advance(&mut self, moment: &Moment) -> Result<Option<Heard>, Broken> {
        loop {
            match self.bytes.inbox.next().map_err(|_| Broken::Violated)? {
                Some(found @ (Found::Message | Found::Text)) => {
                    self.speaks = if found == Found::Text { Opcode::Text } else { Opcode::Binary };
                    return Ok(Some(Heard::Message(self.arrival(moment))));
                }
                Some(Found::Ping(payload)) => {
                    self.owed_pong = Some(payload);
                    return Ok(Some(Heard::Alive));
                }
                Some(Found::Pong) => return Ok(Some(Heard::Alive)),
                Some(Found::Close(code)) => {
                    self.acknowledge_close(code);
                    return Err(Broken::Lost);
                }
                None if self.read(moment)? => {}
                None => return Ok(None),
            }
        }
    }

    fn message(&self) -> &[u8] {
        self.bytes.inbox.message()
    }

    /// RFC 6455 lets who was pinged more than once answer the last ping only.
    fn end(&mut self) {
        self.bytes.inbox.end();
        if let Some(payload) = self.owed_pong.take() {
            // What is wrong shows when the frame is sent.
            let _ = self.write(Opcode::Pong, &payload);
        }
    }

    fn is_unfinished(&self) -> bool {
        self.bytes.inbox.is_unfinished()
    }

    fn bytes_read(&self) -> u64 {
        self.bytes.inbox.bytes_read()
    }

    fn send(&mut self, message: &Bytes) -> Result<Taken, Broken> {
        self.write(self.speaks, message)
    }

    fn flush(&mut self) -> Result<bool, Broken> {
        let Bytewise { unsent, written, secure, mark, .. } = &mut self.bytes;
        if let Some(secure) = secure {
            return Ok(secure.flush(&self.stream, written)?);
        }
        if unsent.is_empty() {
            return Ok(true);
        }
        let before = unsent.len();
        let whole = write_all(&self.stream, unsent);
        *written += (before - unsent.len()) as u64;
        if unsent.is_empty() {
            mark.iter().for_each(|mark| mark.sent());
        }
        Ok(whole?)
    }

    fn is_clear(&self) -> bool {
        self.bytes.secure.as_ref().map_or(self.bytes.unsent.is_empty(), |secure| secure.is_clear())
    }

    fn unsent_bytes(&self) -> usize {
        self.bytes.secure.as_ref().map_or(self.bytes.unsent.len(), |secure| secure.unsent_bytes())
    }

    fn bytes_written(&self) -> u64 {
        self.bytes.written
    }

    fn ping(&mut self) -> Result<(), Broken> {
        self.write(Opcode::Ping, &[]).map(drop)
    }

    /// Not over TLS, whose state ends with the process.
    fn hand_over(&mut self, handover: &Handover, note: &[u8], tick: Tick) {
        let Bytewise { inbox, secure, unsent, written, mark } = &mut self.bytes;
        if secure.is_none() && unsent.is_empty() && !inbox.is_unfinished() {
            *mark = handover.keep(&self.stream, note, inbox.bytes_read(), *written, tick.0).map(Box::new);
        }
    }

    fn leave(&mut self) -> bool {
        self.bytes.mark.take().map(|mark| mark.leave()).is_some()
    }

    fn note_read(&mut self) {
        let Bytewise { inbox, mark, .. } = &self.bytes;
        if let Some(mark) = mark.as_ref().filter(|_| !inbox.is_unfinished()) {
            mark.read(inbox.bytes_read());
        }
    }

    fn begin_frame(&mut self, tick: Tick) {
        self.bytes.mark.iter_mut().for_each(|mark| mark.tick(tick.0));
    }
}

/// Writes until nothing is left of `bytes` or the kernel takes no more. Says whether nothing is
/// left.
fn write_all(mut stream: &std::net::TcpStream, bytes: &mut impl Buf) -> io::Result<bool> {
    while bytes.has_remaining() {
        match stream.write(bytes.chunk()) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes.advance(count),
            Err(error) if is_for_later(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}
