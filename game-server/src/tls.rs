//! TLS: the certificate in force, and what a connection's bytes come over.
//!
//! [`stream`] is a connection's stream, encrypted or not. [`material`] reads certificate and key,
//! [`keeper`] has what is in force and takes over what is new, [`handshake`] makes an encrypted
//! stream of a connection when its turn in [`mod@line`] has come, and [`self_signed`] a certificate
//! where there is none.
//!
//! Invariants: keys never leave this room; a pair that does not work never takes the place of one
//! that does; who has not completed a handshake costs bounded time and room.

pub(crate) mod handshake;
mod keeper;
mod line;
mod material;
mod records;
mod self_signed;
mod stream;

pub(crate) use keeper::Keeper;
pub use material::MaterialError;
pub(crate) use records::Records;
pub(crate) use stream::{Encrypted, Stream};
