//! What moves bytes between the two lanes of a link and the stream inside it.
//!
//! There is no task behind a link: whoever polls it, for reading or for writing, moves both directions as far as they go. One timer, set
//! to the next arrival in either, and the stream's own wake-ups go to both who wait for reading and who wait for writing, since either may
//! be the only one there.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tickwire_game::Rng;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::clock::Clock;
use super::conditions::Conditions;
use super::counted::Counted;
use super::lane::Lane;

/// What is read from the inner stream at once.
const READ_BYTES: usize = 4096;

pub(super) struct Shaper {
    clock: Clock,
    down: Lane,
    up: Lane,
    /// The inner stream gives nothing more.
    is_read: bool,
    read_error: Option<io::ErrorKind>,
    write_error: Option<io::ErrorKind>,
    is_shut: bool,
    /// Bytes were written to the inner stream since it was flushed.
    is_unflushed: bool,
    timer: Option<Pin<Box<Sleep>>>,
    waiting: Arc<Waiting>,
    /// Wakes all of `waiting`.
    waker: Waker,
}

#[derive(Default)]
struct Waiting {
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.reader.wake();
        self.writer.wake();
    }
}

impl Shaper {
    pub(super) fn new(conditions: &Conditions, seed: u64) -> Self {
        // Each part draws from its own seed, so that what one direction carries changes nothing for the other.
        let mut seeds = Rng::new(seed);
        let mut rng = || Rng::new(seeds.next_u64());
        let waiting = Arc::new(Waiting::default());
        Self {
            clock: Clock::new(conditions.stall, rng()),
            down: Lane::new(conditions, conditions.down, rng()),
            up: Lane::new(conditions, conditions.up, rng()),
            is_read: false,
            read_error: None,
            write_error: None,
            is_shut: false,
            is_unflushed: false,
            timer: None,
            waker: waiting.clone().into(),
            waiting,
        }
    }

    pub(super) fn poll_read<S>(&mut self, cx: &Context<'_>, inner: &mut Counted<S>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if out.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        self.waiting.reader.register(cx.waker());
        self.advance(inner);
        let now = self.clock.now();
        let before = out.filled().len();
        loop {
            let arrived = self.down.arrived(now);
            let len = arrived.len().min(out.remaining());
            if len == 0 {
                break;
            }
            out.put_slice(&arrived[..len]);
            self.down.consume(len);
        }
        if out.filled().len() > before {
            return Poll::Ready(Ok(()));
        }
        if self.down.is_at_end(now) {
            return Poll::Ready(self.read_error.map_or(Ok(()), |kind| Err(kind.into())));
        }
        Poll::Pending
    }

    /// See [`Lane::take_arrivals`]: of what was read.
    pub(super) fn take_arrivals(&mut self) -> Option<(Instant, Instant)> {
        self.down.take_arrivals()
    }

    /// See [`Lane::waiting_since`]: of what is to be read.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.down.waiting_since()
    }

    pub(super) fn poll_write<S>(&mut self, cx: &Context<'_>, inner: &mut Counted<S>, bytes: &[u8]) -> Poll<io::Result<usize>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if self.is_shut {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if self.up.room() == 0 {
            self.waiting.writer.register(cx.waker());
            self.advance_for_writer(inner);
        }
        self.check_written()?;
        let len = bytes.len().min(self.up.room());
        if len == 0 && !bytes.is_empty() {
            return Poll::Pending;
        }
        let now = self.clock.now();
        self.up.push(now, &bytes[..len]);
        self.advance_for_writer(inner);
        Poll::Ready(Ok(len))
    }

    /// Bytes are flushed once they are accepted, as with a socket: they will move on without it.
    pub(super) fn poll_flush(&self) -> Poll<io::Result<()>> {
        Poll::Ready(self.check_written())
    }

    pub(super) fn poll_shutdown<S>(&mut self, cx: &mut Context<'_>, inner: &mut Counted<S>) -> Poll<io::Result<()>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if !self.is_shut {
            self.is_shut = true;
            let now = self.clock.now();
            self.up.push_end(now);
        }
        let now = self.clock.now();
        if !self.up.is_at_end(now) {
            self.waiting.writer.register(cx.waker());
            self.advance_for_writer(inner);
        }
        self.check_written()?;
        let now = self.clock.now();
        if self.up.is_at_end(now) { Pin::new(inner).poll_shutdown(cx) } else { Poll::Pending }
    }

    fn check_written(&self) -> io::Result<()> {
        self.write_error.map_or(Ok(()), |kind| Err(kind.into()))
    }

    /// As [`Shaper::advance`], which sets no timer for what is there to be read already: the reader must come for it.
    fn advance_for_writer<S: AsyncRead + AsyncWrite + Unpin>(&mut self, inner: &mut Counted<S>) {
        self.advance(inner);
        let now = self.clock.now();
        if self.down.has_arrived(now) {
            self.waiting.reader.wake();
        }
    }

    /// Moves both directions as far as they go now, and sees to it that somebody comes back when there is more to do.
    fn advance<S: AsyncRead + AsyncWrite + Unpin>(&mut self, inner: &mut Counted<S>) {
        let waker = self.waker.clone();
        let mut cx = Context::from_waker(&waker);
        loop {
            self.take_in(&mut cx, inner);
            // One moment for both: what came between them would have no timer.
            let now = self.clock.now();
            if let Poll::Ready(Err(error)) = self.pass_on(&mut cx, inner, now) {
                self.write_error = Some(error.kind());
                self.up.clear();
                self.waiting.writer.wake();
            }
            let arrivals = [self.down.next_arrival(now), self.up.next_arrival(now)];
            let Some(next) = arrivals.into_iter().flatten().min() else { return };
            if self.poll_timer(&mut cx, self.clock.instant(next)).is_pending() {
                return;
            }
        }
    }

    /// Reads the inner stream while there is room: when there is none, the kernel's buffers fill and the peer feels it.
    fn take_in<S: AsyncRead + Unpin>(&mut self, cx: &mut Context<'_>, inner: &mut Counted<S>) {
        while !self.is_read && self.down.room() > 0 {
            let mut space = [MaybeUninit::uninit(); READ_BYTES];
            let mut read = ReadBuf::uninit(&mut space[..READ_BYTES.min(self.down.room())]);
            let Poll::Ready(result) = Pin::new(&mut *inner).poll_read(cx, &mut read) else { return };
            let now = self.clock.now();
            match result {
                Ok(()) if !read.filled().is_empty() => self.down.push(now, read.filled()),
                ended => {
                    self.is_read = true;
                    self.read_error = ended.err().map(|error| error.kind());
                    self.down.push_end(now);
                }
            }
        }
    }

    /// Writes what has arrived at the far end of the link, as much as the inner stream takes.
    fn pass_on<S: AsyncWrite + Unpin>(&mut self, cx: &mut Context<'_>, inner: &mut Counted<S>, now: Duration) -> Poll<io::Result<()>> {
        loop {
            let arrived = self.up.arrived(now);
            if arrived.is_empty() {
                break;
            }
            let len = ready!(Pin::new(&mut *inner).poll_write(cx, arrived))?;
            if len == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.up.consume(len);
            self.is_unflushed = true;
            self.waiting.writer.wake();
        }
        if self.is_unflushed {
            ready!(Pin::new(inner).poll_flush(cx))?;
            self.is_unflushed = false;
        }
        if self.up.is_at_end(now) {
            self.waiting.writer.wake();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx)
    }
}
