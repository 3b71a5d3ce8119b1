//! Network conditions in user space: a stream that behaves as if a home, a telephone or an ocean were between it and its peer.
//!
//! It shows what TCP shows: bytes late, never lost, never out of order. Delay and jitter hold up whole segments; bandwidth lets them leave
//! one after another; a lost one holds up all behind it until it has been sent again; a stall stops everything. Nothing of it needs
//! the kernel's traffic control, so every one of thousands of clients can have its own.
//!
//! Invariants: the bytes that come out are those that went in; both directions are bounded, and when one is full the stream inside
//! is not read, or the writer waits, so that the peer feels it through the real socket; the same seed and the same bytes at the same times give
//! the same delays.

mod clock;
mod conditions;
mod counted;
mod lane;
mod mix;
mod shaper;
mod text;

pub use conditions::{Conditions, Loss, PRESETS, Stall};
pub use mix::Mix;
pub use text::ConditionsError;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use counted::Counted;
use shaper::Shaper;

/// A stream as its user meets it at the far end of a network.
///
/// - Reading gives what the inner stream gave, when it would have come through the network; its end or error comes after that.
/// - Writing accepts bytes until 64 KiB (or 1,024 segments) are under way. **A flush completes when bytes are accepted**, not when they are
///   delivered: a socket's does the same, and a WebSocket that waited for delivery could not answer what it reads meanwhile.
/// - Shutting down completes when all accepted bytes and the end have been passed on. Dropping a link loses what is under way.
///
/// No task runs behind it. Bytes move, in both directions, while somebody waits for it to be readable, writable or shut down; a client that
/// keeps reading needs no more. Times are those of tokio's timers: late by up to a millisecond. With ideal conditions everything goes
/// straight to the inner stream, without timer, copy or allocation.
pub struct Link<S> {
    inner: Counted<S>,
    shaper: Option<Box<Shaper>>,
}

impl<S> Link<S> {
    /// Puts a network before `stream`. What it does at random depends on `seed` alone.
    pub fn new(stream: S, conditions: &Conditions, seed: u64) -> Self {
        let shaper = (!conditions.is_ideal()).then(|| Box::new(Shaper::new(conditions, seed)));
        Self { inner: Counted { stream, bytes_in: 0, bytes_out: 0 }, shaper }
    }

    /// Bytes read from the inner stream so far: what the peer has sent, delivered or still under way.
    pub const fn bytes_in(&self) -> u64 {
        self.inner.bytes_in
    }

    /// Bytes written to the inner stream so far: what has reached the peer.
    pub const fn bytes_out(&self) -> u64 {
        self.inner.bytes_out
    }

    /// Whether it lets everything straight through.
    pub const fn is_ideal(&self) -> bool {
        self.shaper.is_none()
    }

    /// The stream inside.
    pub const fn get_ref(&self) -> &S {
        &self.inner.stream
    }
}

/// A stream that knows when what is read from it reached this machine.
pub trait Arrivals {
    /// When the first and the last of the bytes read since this was last asked came; if none was
    /// read since, twice the last before. `None` if bytes can be read as they come.
    fn take_arrivals(&mut self) -> Option<(Instant, Instant)>;

    /// When the oldest of the bytes that came and cannot be read yet came.
    fn waiting_since(&self) -> Option<Instant>;
}

impl<S> Arrivals for Link<S> {
    fn take_arrivals(&mut self) -> Option<(Instant, Instant)> {
        self.shaper.as_mut()?.take_arrivals()
    }

    fn waiting_since(&self) -> Option<Instant> {
        self.shaper.as_ref()?.waiting_since()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Link<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { inner, shaper } = self.get_mut();
        match shaper {
            Some(shaper) => shaper.poll_read(cx, inner, out),
            None => Pin::new(inner).poll_read(cx, out),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Link<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { inner, shaper } = self.get_mut();
        match shaper {
            Some(shaper) => shaper.poll_write(cx, inner, bytes),
            None => Pin::new(inner).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { inner, shaper } = self.get_mut();
        match shaper {
            Some(shaper) => shaper.poll_flush(),
            None => Pin::new(inner).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { inner, shaper } = self.get_mut();
        match shaper {
            Some(shaper) => shaper.poll_shutdown(cx, inner),
            None => Pin::new(inner).poll_shutdown(cx),
        }
    }
}
