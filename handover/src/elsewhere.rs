//! Where there is no such handing over: what a server is written against, and what never is.

use std::convert::Infallible;
use std::io;
use std::net::TcpStream;

/// Keeps nothing: there is none.
#[derive(Clone, Debug)]
pub struct Handover(Infallible);

/// There is none.
#[derive(Debug)]
pub struct Mark(Infallible);

/// A connection that the server before had.
#[derive(Debug)]
pub struct Kept {
    /// The connection.
    pub stream: TcpStream,
    /// What that server said it is.
    pub note: Vec<u8>,
    /// The tick up to which its client has everything.
    pub tick: u32,
    /// There is none.
    pub mark: Mark,
}

impl Handover {
    /// Nobody hands anything over here.
    ///
    /// # Errors
    /// Always.
    pub fn take(_: i32) -> io::Result<(Self, Vec<Kept>)> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Nothing is kept.
    pub fn keep(&self, _: &TcpStream, _: &[u8], _: u64, _: u64, _: u32) -> Option<Mark> {
        match self.0 {}
    }
}
