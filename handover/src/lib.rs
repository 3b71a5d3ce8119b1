//! Players' connections that outlive the server process.
//!
//! A supervisor [holds](Held) a duplicate of each connection. A server [keeps](Handover) each there
//! with a note of what it is, and [marks](Mark), in memory that outlives a killed process, where its
//! stream stands. The next server [takes](Handover::take) them: the kernel says how many bytes it had
//! taken and given, and where that is the end of a whole frame each way, the stream goes on. Where
//! it is not, the connection is closed, and its client comes back by itself.
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

/// Most bytes of a note.
pub const NOTE_BYTES_MAX: usize = 256;
