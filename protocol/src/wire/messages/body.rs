//! The one part of a message that bincode does not write: an encoded snapshot.

use crate::wire::codec::{BoundedBytes, BoundedBytesRef};
use crate::wire::limits::BODY_BYTES_MAX;

/// An encoded snapshot.
pub type Body = BoundedBytes<BODY_BYTES_MAX>;

/// A borrowed [`Body`].
pub type BodyRef<'a> = BoundedBytesRef<'a, BODY_BYTES_MAX>;
