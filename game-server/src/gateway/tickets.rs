//! Tickets: the right to one seat, to be shown soon. A ticket is signed and says itself where it
//! leads, so that whoever has the key can check it; the match says whether it is spent.
//!
//! ```text
//! match id 16 | player 2 | owner 16 | expires 4 | nonce 16 | MAC 16      numbers are little-endian
//! ```
//!
//! The owner is the first half of the player's key, `expires` is in seconds since 1970, and the MAC
//! is HMAC-SHA-256 of what is before it, cut. The match knows a ticket by the hash of owner, expiry
//! and nonce: they are known before the seat is. It compares them for the seat that the ticket
//! names, so match, seat and hash are all of the ticket.
//!
//! Invariants: nothing of a ticket is believed, or looked at, before its MAC is right, and that is
//! compared in constant time; nothing is kept of a ticket here.
//!
//! Time is the wall's here, as nodes share no other. A clock that jumps ahead ends tickets early:
//! their players ask again. One that jumps back lengthens nothing, because the match counts the
//! seat's patience by its own ticks.

pub(crate) mod keys;
pub(crate) mod signer;

use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tickwire_protocol::{MatchId, PlayerId, TICKET_BYTES, Ticket};

use crate::matches::PlayerKey;
use crate::secrets::{SecretHash, random_bytes};
use keys::{Keys, MAC_BYTES};

/// How long a ticket may be shown.
pub(crate) const TICKET_LIFE: Duration = Duration::from_secs(30);
/// How long the seat of a ticket is kept: longer than the ticket lives, so that one shown in time
/// finds its seat.
pub(crate) const SEAT_KEPT: Duration = Duration::from_secs(32);
/// Seconds that the clocks of two nodes may be apart, and that one may be set by.
pub(crate) const CLOCK_LEEWAY_S: u64 = 5;

/// Bytes in front of the MAC: all that is signed.
const SIGNED_BYTES: usize = TICKET_BYTES - MAC_BYTES;
/// Owner, expiry and nonce: what a ticket has before it has a seat.
const BLANK_BYTES: usize = 36;
/// Bytes of the player's key that a ticket has.
const OWNER_BYTES: usize = 16;

/// The first half of a player's key.
pub(crate) type Owner = [u8; OWNER_BYTES];

/// The part of a player's key that tickets have.
pub(crate) fn owner(key: PlayerKey) -> Owner {
    key.0.first_chunk().copied().unwrap_or_default()
}

/// What a good ticket says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    /// In which match the seat is.
    pub(crate) id: MatchId,
    /// Whose seat, there.
    pub(crate) player: PlayerId,
    /// Who was given it.
    pub(crate) owner: Owner,
    /// What the match knows it by.
    pub(crate) hash: SecretHash,
}

/// Why a ticket leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// None of the keys has signed this.
    Forged,
    /// Its time is over.
    Expired,
    /// Its seat was given up.
    Void,
    /// Its match is not here, or over.
    NoMatch,
}

impl Flaw {
    /// For logs and metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Forged => "forged",
            Self::Expired => "expired",
            Self::Void => "void",
            Self::NoMatch => "no_match",
        }
    }
}

/// A ticket without a seat.
#[derive(Debug)]
pub(crate) struct Blank {
    bytes: [u8; BLANK_BYTES],
    until: Instant,
}

impl Blank {
    /// For `owner`. The time begins.
    pub(crate) fn new(now: Instant, unix: u64, key: PlayerKey) -> Self {
        let expires = u32::try_from(unix.saturating_add(TICKET_LIFE.as_secs())).unwrap_or(u32::MAX);
        let mut bytes = [0; BLANK_BYTES];
        write(&mut bytes, &[&owner(key), &expires.to_le_bytes(), &random_bytes::<16>()]);
        Self { bytes, until: now + TICKET_LIFE }
    }

    /// What the match will know it by.
    pub(crate) fn hash(&self) -> SecretHash {
        Sha256::digest(self.bytes).into()
    }

    /// It leads to this seat. Returns the ticket, and how long it may be shown; `None` if that time
    /// is over.
    pub(crate) fn grant(self, now: Instant, keys: &Keys, id: MatchId, player: PlayerId) -> Option<(Ticket, Duration)> {
        let left = self.until.checked_duration_since(now).filter(|left| !left.is_zero())?;
        let mut signed = [0; SIGNED_BYTES];
        write(&mut signed, &[&id.0, &player.0.to_le_bytes(), &self.bytes]);
        let mut ticket = [0; TICKET_BYTES];
        write(&mut ticket, &[&signed, &keys.sign(&signed)]);
        Some((Ticket(ticket), left))
    }
}

/// What `ticket` says at this time, if one of the keys has signed it and it has not expired.
pub(crate) fn read(ticket: &Ticket, unix: u64, keys: &Keys) -> Result<Claims, Flaw> {
    let (Some(signed), Some(mac)) = (ticket.0.first_chunk::<SIGNED_BYTES>(), ticket.0.last_chunk::<MAC_BYTES>()) else {
        return Err(Flaw::Forged);
    };
    if !keys.has_signed(signed, mac) {
        return Err(Flaw::Forged);
    }
    let mut rest = signed.as_slice();
    let id = MatchId(take(&mut rest).unwrap_or_default());
    let player = PlayerId(u16::from_le_bytes(take(&mut rest).unwrap_or_default()));
    let hash = Sha256::digest(rest).into();
    let owner = take(&mut rest).unwrap_or_default();
    let expires = u64::from(u32::from_le_bytes(take(&mut rest).unwrap_or_default()));
    if unix >= expires.saturating_add(CLOCK_LEEWAY_S) {
        return Err(Flaw::Expired);
    }
    Ok(Claims { id, player, owner, hash })
}

/// For the fuzz targets: a file of keys, and what tickets it makes and takes.
#[derive(Debug)]
pub struct TicketDesk(Keys);

impl TicketDesk {
    /// With the keys that this file gives, if it gives any.
    pub fn new(file: &[u8]) -> Option<Self> {
        Keys::parse(file).ok().map(Self)
    }

    /// A ticket for a seat.
    pub fn give(&self, unix: u64, key: PlayerKey, id: MatchId, player: PlayerId) -> Option<Ticket> {
        let now = Instant::now();
        Blank::new(now, unix, key).grant(now, &self.0, id, player).map(|(ticket, _)| ticket)
    }

    /// Where a ticket leads, or what is wrong with it.
    pub fn read(&self, ticket: &Ticket, unix: u64) -> Result<(MatchId, PlayerId), &'static str> {
        read(ticket, unix, &self.0).map(|claims| (claims.id, claims.player)).map_err(Flaw::name)
    }
}

/// Seconds since 1970, which tickets are written in.
pub(crate) fn unix_now() -> u64 {
    crate::clock::unix().as_secs()
}

fn write(bytes: &mut [u8], parts: &[&[u8]]) {
    let parts = parts.iter().flat_map(|part| part.iter());
    bytes.iter_mut().zip(parts).for_each(|(byte, part)| *byte = *part);
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

#[cfg(test)]
mod tests;
