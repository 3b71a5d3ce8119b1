//! How far an HTTP connection must have come by when: a head that has begun, an answer, and the
//! rest between two requests.
//!
//! hyper's own deadline for a head also runs while a connection is idle. A proxy keeps idle
//! connections for a minute and more, and a client that trickles its head must not have that long.
//! So [`PacedStream`] notes when bytes come, the service notes when a head is complete, and
//! [`Answer`] when its answer is.
//!
//! Invariant: a connection has exactly one deadline at any moment.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http::Response;
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::caps::ConnectionPermit;
use crate::config::{ConnectionConfig, ms};
use crate::tls::Stream;

/// A request must be read and its answer be sent after so long: whoever needs longer is not reading
/// what is sent.
const ANSWER_MAX: Duration = Duration::from_secs(90);

/// The kernel takes no more of a session's stream while so many bytes wait there to be sent.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT_BYTES: u32 = 256;

/// In the extensions of a response: it lasts as long as a session does. Its deadline is not that of
/// an answer; it is closed when the client takes nothing of it for `stall`.
#[derive(Clone)]
pub(crate) struct Streamed {
    /// How long the client may take nothing.
    pub(crate) stall: Duration,
    /// What the kernel may keep for it, bytes.
    pub(crate) send_buffer_bytes: u32,
    /// Called when all that was given has gone to the kernel.
    pub(crate) flushed: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streamed").field("stall", &self.stall).finish_non_exhaustive()
    }
}

/// How long the parts of a connection's life may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadlines {
    /// From a head's first byte to its last.
    pub(crate) head: Duration,
    /// From one answer to the next request.
    pub(crate) idle: Duration,
}

impl Deadlines {
    /// As the operator set them.
    pub(crate) fn new(config: &ConnectionConfig) -> Self {
        Self { head: ms(config.header_ms), idle: ms(config.idle_ms) }
    }
}

/// What one connection is at, and until when.
#[derive(Debug)]
pub(crate) struct Pace {
    permit: Arc<ConnectionPermit>,
    state: Mutex<State>,
    /// Whether there is a `streamed`: who writes need not lock to find out.
    is_streaming: AtomicBool,
    streamed: Mutex<Option<Streamed>>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    deadlines: Deadlines,
    phase: Phase,
    deadline: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing has come yet.
    New,
    /// Between two requests, or nothing has come for a while.
    Idle,
    /// A head has begun.
    Head,
    /// A request is answered.
    Request,
}

impl State {
    fn new(deadlines: Deadlines, now: Instant) -> Self {
        Self { deadlines, phase: Phase::New, deadline: now + deadlines.head }
    }

    /// Bytes have come. Whether they begin a head.
    fn hear(&mut self, now: Instant) -> bool {
        let begins = matches!(self.phase, Phase::New | Phase::Idle);
        if begins {
            (self.phase, self.deadline) = (Phase::Head, now + self.deadlines.head);
        }
        begins
    }

    /// A head is complete.
    fn request(&mut self, now: Instant) {
        (self.phase, self.deadline) = (Phase::Request, now + ANSWER_MAX);
    }

    /// The client has `patience` to take more of its answer.
    fn wait_for_reader(&mut self, now: Instant, patience: Duration) {
        self.deadline = now + patience;
    }

    fn rest(&mut self, now: Instant) {
        (self.phase, self.deadline) = (Phase::Idle, now + self.deadlines.idle);
    }
}

impl Pace {
    /// Of a connection that was just accepted.
    pub(crate) fn new(deadlines: Deadlines, permit: Arc<ConnectionPermit>) -> Arc<Self> {
        let state = Mutex::new(State::new(deadlines, Instant::now()));
        Arc::new(Self { permit, state, is_streaming: AtomicBool::new(false), streamed: Mutex::default() })
    }

    /// Waits until the connection is to be closed. A new one that has said nothing is kept as one
    /// that rests: browsers and proxies open connections before they need them.
    pub(crate) fn poll_overdue(&self, timer: Pin<&mut Sleep>, context: &mut Context<'_>) -> Poll<()> {
        let mut timer = timer;
        loop {
            let State { deadline, .. } = *self.state();
            if timer.deadline() != deadline {
                timer.as_mut().reset(deadline);
            }
            ready!(timer.as_mut().poll(context));
            if self.state().phase != Phase::New {
                return Poll::Ready(());
            }
            self.rest();
        }
    }

    /// A head is complete. Its answer tells when it is sent.
    pub(crate) fn request(self: &Arc<Self>) -> Exchange {
        self.state().request(Instant::now());
        self.permit.busy();
        Exchange { pace: Some(Arc::clone(self)) }
    }

    fn hear(&self) {
        let begins = self.state().hear(Instant::now());
        if begins {
            self.permit.busy();
        }
    }

    /// The answer lasts as long as a session.
    fn stream(&self, streamed: Streamed) {
        self.state().wait_for_reader(Instant::now(), streamed.stall);
        *self.streamed.lock().unwrap_or_else(PoisonError::into_inner) = Some(streamed);
        self.is_streaming.store(true, Relaxed);
    }

    /// What is streamed, if anything is.
    fn streamed(&self) -> Option<Streamed> {
        if !self.is_streaming.load(Relaxed) {
            return None;
        }
        self.streamed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The kernel has taken some bytes.
    fn sent(&self) {
        if let Some(streamed) = self.streamed() {
            self.state().wait_for_reader(Instant::now(), streamed.stall);
        }
    }

    /// The kernel has taken all bytes.
    fn flushed(&self) {
        if let Some(streamed) = self.streamed() {
            (streamed.flushed)();
        }
    }

    fn rest(&self) {
        if self.is_streaming.swap(false, Relaxed) {
            *self.streamed.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        self.state().rest(Instant::now());
        self.permit.idle();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being answered. When dropped, the connection rests.
#[derive(Debug)]
pub(crate) struct Exchange {
    pace: Option<Arc<Pace>>,
}

impl Exchange {
    /// The connection will be no HTTP any more.
    pub(crate) fn upgrade(mut self) {
        self.pace = None;
    }

    /// Goes on until the body is sent.
    pub(crate) fn answer(self, mut response: Response<Body>) -> Response<Body> {
        if let (Some(pace), Some(streamed)) = (&self.pace, response.extensions_mut().remove::<Streamed>()) {
            pace.stream(streamed);
        }
        response.map(|body| Body::new(Answer { body, _exchange: self }))
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(pace) = &self.pace {
            pace.rest();
        }
    }
}

/// An answer's body.
#[derive(Debug)]
struct Answer {
    body: Body,
    _exchange: Exchange,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection's stream, which tells its [`Pace`] when bytes come.
#[derive(Debug)]
pub(crate) struct PacedStream {
    stream: Stream,
    pace: Arc<Pace>,
    /// The kernel was told to keep little.
    is_shallow: bool,
}

impl PacedStream {
    /// Tells `pace` of `stream`.
    pub(crate) fn new(stream: Stream, pace: Arc<Pace>) -> Self {
        Self { stream, pace, is_shallow: false }
    }

    /// The kernel keeps little of what lasts as long as a session: what waits there grows old.
    fn keep_shallow(&mut self) {
        if self.is_shallow {
            return;
        }
        let Some(streamed) = self.pace.streamed() else { return };
        self.is_shallow = true;
        let Ok(stream) = self.stream.tcp() else { return };
        let socket = socket2::SockRef::from(stream);
        // A connection that cannot be told so is still one.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = socket.set_tcp_notsent_lowat(UNSENT_BYTES);
        let _ = socket.set_send_buffer_size(streamed.send_buffer_bytes as usize);
    }

    /// The stream alone.
    pub(crate) fn into_inner(self) -> Stream {
        self.stream
    }
}

impl AsyncRead for PacedStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, into))?;
        if into.filled().len() > before {
            self.pace.hear();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for PacedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.keep_shallow();
        let sent = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.pace.sent();
        Poll::Ready(Ok(sent))
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.keep_shallow();
        let sent = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, bytes))?;
        self.pace.sent();
        Poll::Ready(Ok(sent))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.pace.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINES: Deadlines = Deadlines { head: Duration::from_secs(5), idle: Duration::from_mins(2) };
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_head_that_has_begun_must_end_soon_however_many_bytes_come() {
        let start = Instant::now();
        let mut state = State::new(DEADLINES, start);
        assert!(state.hear(start + SECOND));
        for _ in 0..4 {
            assert!(!state.hear(start + 2 * SECOND));
        }
        assert_eq!(state.deadline, start + SECOND + DEADLINES.head);
    }

    #[test]
    fn between_requests_a_connection_rests_and_then_has_as_long_for_a_head_as_any() {
        let start = Instant::now();
        let mut state = State::new(DEADLINES, start);
        state.hear(start);
        state.request(start);
        assert_eq!(state.deadline, start + ANSWER_MAX);
        assert!(!state.hear(start + SECOND), "a body, or what a client sends in advance");
        assert_eq!(state.deadline, start + ANSWER_MAX);
        state.rest(start + SECOND);
        assert_eq!(state.deadline, start + SECOND + DEADLINES.idle);
        assert!(state.hear(start + 9 * SECOND));
        assert_eq!(state.deadline, start + 9 * SECOND + DEADLINES.head);
    }
}
