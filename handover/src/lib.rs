//! Players' connections that outlive the server process.
//!
//! A supervisor [holds](Held) a duplicate of each connection. A server [keeps](Handover) each there
//! with a note of what it is, and [marks](Mark), in memory that outlives a killed process, where
//! its stream stands. The next server [takes](Handover::take) them: the kernel says how many bytes
//! it had taken and given, and where that is the end of a whole frame each way, the stream goes on.
//! Where it is not, the connection is closed, and its client comes back by itself.
//!
//! ```
//! # #[cfg(target_os = "linux")]
//! # fn main() -> std::io::Result<()> {
//! use std::io::Write;
//! use std::net::{TcpListener, TcpStream};
//! use std::os::fd::IntoRawFd;
//!
//! use tickwire_handover::{Handover, Held};
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let _client = TcpStream::connect(listener.local_addr()?)?;
//! let (mut stream, _) = listener.accept()?;
//!
//! // A server has a connection held, and says where its frame of tick 8 ends. Then it is gone.
//! let held = Held::new(4)?;
//! let (end, attendant) = held.give()?;
//! let (server, _) = Handover::take(end.into_raw_fd())?;
//! let mut mark = server.keep(&stream, b"ada", 0, 0, 7).expect("there is room");
//! mark.tick(8);
//! mark.sending(5);
//! stream.write_all(b"frame")?;
//! mark.sent();
//! mark.leave();
//! drop((stream, server));
//! attendant.join();
//!
//! // The next one goes on with it.
//! let (end, _attendant) = held.give()?;
//! let (_server, kept) = Handover::take(end.into_raw_fd())?;
//! assert_eq!((kept[0].note.as_slice(), kept[0].tick), (&b"ada"[..], 8));
//! # Ok(())
//! # }
//! # #[cfg(not(target_os = "linux"))]
//! # fn main() {}
//! ```
//!
//! Only on Linux. Invariants: a connection that is not kept behaves as if there were no supervisor;
//! a slot of the board is given to another connection only after the supervisor was told to forget
//! the one before; what a mark says is never ahead of what the kernel was asked to take.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod board;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod handover;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod held;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod kernel;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod line;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod elsewhere;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub use elsewhere::{Handover, Kept, Mark};
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use handover::{Handover, Kept, Mark};
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use held::{Attendant, Held};

/// Most bytes of the note that says what a kept connection is; a connection with a longer one is
/// not kept.
pub const NOTE_BYTES_MAX: usize = 256;
