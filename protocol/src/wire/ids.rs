//! Newtypes for everything that is counted or named on the wire.
//!
//! Ticks and sequences wrap, so they have no `Ord`: compare them with [`Tick::since`] and [`InputSeq::is_newer_than`].
//!
//! ```
//! use tickwire_protocol::Tick;
//!
//! let before = Tick(u32::MAX);
//! assert_eq!(before.plus(3).since(before), 3);
//! ```

use crate::wire::codec::{Decode, Encode};

/// A moment of a match's simulation. Wraps after 2^32 ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
pub struct Tick(pub u32);

impl Tick {
    /// Ticks from `earlier` to `self`; negative when `self` is the earlier one. Right while they are less than 2^31 apart.
    pub const fn since(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0) as i32
    }

    /// The tick `count` later.
    #[must_use]
    pub const fn plus(self, count: u32) -> Self {
        Self(self.0.wrapping_add(count))
    }

    /// The tick after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }
}

/// Number of an input within one session: starts at 1, rises with every input. Wraps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
pub struct InputSeq(pub u32);

impl InputSeq {
    /// Whether `self` was sent after `other`.
    pub const fn is_newer_than(self, other: Self) -> bool {
        self.0.wrapping_sub(other.0) as i32 > 0
    }
}

/// A player within a match, less than the mode's `max_players`. A freed one is given out again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
pub struct PlayerId(pub u16);

impl From<u16> for PlayerId {
    fn from(number: u16) -> Self {
        Self(number)
    }
}

/// A replicated entity within a match. Rises with every spawn and is never reused while the match lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
pub struct NetId(pub u32);

/// A match: 128 random bits, so that knowing one says nothing of another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
pub struct MatchId(pub [u8; 16]);

/// 128 random bits that prove a right (a resume token). Prints as stars: it must not reach a log.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Encode, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
pub struct Secret(pub [u8; 16]);

/// Bytes of a [`Ticket`].
pub const TICKET_BYTES: usize = 70;

/// The right to one seat of one match, signed by the server. To its client it is bytes to pass on. Prints as stars: it must
/// not reach a log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[bincode(crate = "crate::wire::codec::bincode")]
pub struct Ticket(pub [u8; TICKET_BYTES]);

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret(****)")
    }
}

impl core::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Ticket(****)")
    }
}

impl core::fmt::Display for MatchId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&to_hex(self.0))
    }
}

impl core::str::FromStr for MatchId {
    type Err = crate::wire::codec::DecodeError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        from_hex(text).map(Self)
    }
}

impl Secret {
    /// 32 lower-case hex digits. The caller shows it to its owner only.
    pub fn reveal(self) -> String {
        to_hex(self.0)
    }
}

impl core::str::FromStr for Secret {
    type Err = crate::wire::codec::DecodeError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        from_hex(text).map(Self)
    }
}

impl Ticket {
    /// 140 lower-case hex digits. The caller shows it to its owner only.
    pub fn reveal(&self) -> String {
        to_hex(self.0)
    }
}

impl core::str::FromStr for Ticket {
    type Err = crate::wire::codec::DecodeError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        from_hex(text).map(Self)
    }
}

fn to_hex<const N: usize>(bytes: [u8; N]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|nibble| char::from_digit(u32::from(nibble), 16)).collect()
}

fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], crate::wire::codec::DecodeError> {
    let digits: Vec<u8> = text.chars().take(2 * N).map_while(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    if digits.len() != 2 * N || text.len() != 2 * N {
        return Err(crate::wire::codec::DecodeError::Malformed);
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        if let [high, low] = pair {
            *byte = high << 4 | low;
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_compare_across_the_wrap() {
        let before = Tick(u32::MAX);
        assert_eq!(before.next(), Tick(0));
        assert_eq!(before.next().since(before), 1);
        assert_eq!(before.since(before.plus(3)), -3);
        assert!(InputSeq(2).is_newer_than(InputSeq(u32::MAX)));
    }

    #[test]
    fn hex_reads_back_and_refuses_anything_else() {
        let id = MatchId([0xab; 16]);
        assert_eq!(id.to_string().parse::<MatchId>(), Ok(id));
        for bad in ["", "ab", "zz", &"a".repeat(31), &"a".repeat(33), &"g".repeat(32), &"é".repeat(16)] {
            assert!(bad.parse::<MatchId>().is_err(), "{bad:?} is no match id");
        }
    }

    #[test]
    fn a_ticket_is_hex_of_one_length() {
        let ticket = Ticket(core::array::from_fn(|nth| nth as u8 * 3));
        assert_eq!(ticket.reveal().parse::<Ticket>(), Ok(ticket));
        assert_eq!(ticket.reveal().len(), 2 * TICKET_BYTES);
        for bad in ["", &"a".repeat(139), &"a".repeat(141), &"a".repeat(32), &"g".repeat(140), &"é".repeat(70)] {
            assert!(bad.parse::<Ticket>().is_err(), "{bad:?} is no ticket");
        }
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        assert_eq!(format!("{:?} {:?}", Secret([7; 16]), Ticket([7; TICKET_BYTES])), "Secret(****) Ticket(****)");
    }
}
