//! Many worlds, one owner each.
//!
//! [`directory`] finds and creates matches, [`handle`] is the only door into one, [`worker`] is a
//! thread that owns some, [`pacer`] is its sleep and [`headroom`] what is left of its time,
//! [`match_task`] decides when one ticks, and [`audience`] is its sockets.
//! [`card`] is what other servers list, [`kept`] are connections of the process before, [`lost`] is
//! what could not be brought back. What happens in a match is [`tickwire_match`]'s.

pub mod audience;
pub mod card;
pub mod directory;
pub mod handle;
pub mod headroom;
pub mod kept;
pub mod lost;
pub mod match_task;
pub mod pacer;
pub mod sign_in;
pub mod stats;
pub mod worker;

pub use card::MatchCard;
pub use directory::{CreateError, Directory, MatchRequest};
pub use handle::{
    Command, Halt, MatchHandle, MatchInfo, PlayerKey, Reservation, ReserveError, Reserved, SeatState, SeatWatch, Settings, Sitter, Stay,
};
pub use kept::{ConnectionNote, KeptConnection};
pub use match_task::RevivedSeat;
pub use sign_in::SignIn;
