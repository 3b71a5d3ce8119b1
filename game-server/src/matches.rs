//! Many worlds, one owner each.
//!
//! [`directory`] finds and creates matches, [`handle`] is the only door into one, [`worker`] is a thread that owns some,
//! [`pacer`] is its sleep, [`tick_loop`] moves one on, [`lifecycle`] says what phase it is in and [`lobby`] what the first
//! one waits for, [`roster`] who sits where and [`credentials`] what returns to a seat.

pub mod audience;
pub mod bots;
pub mod credentials;
pub mod directory;
pub mod handle;
pub mod lifecycle;
pub mod lobby;
pub mod pacer;
pub mod players;
pub mod roster;
pub mod stats;
pub mod tick_loop;
pub mod worker;

pub use directory::{CreateError, Directory, MatchRequest};
pub use handle::{Command, GuestId, MatchHandle, MatchInfo, Reservation, ReserveError, Reserved, SeatState, SeatWatch, Settings};
