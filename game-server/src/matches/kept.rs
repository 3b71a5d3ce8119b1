//! Connections of the process before, which go on in this one: what each was, and whether its
//! match can go on with it.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use tickwire_handover::Kept;
use tickwire_protocol::codec::{Decode, Encode, decode, encode};
use tickwire_protocol::{MatchId, PlayerId, Tick};

use crate::http::caps::ConnectionPermit;
use crate::transport::Socket;

/// The layout of a note. A process that knows another one closes the connection.
const LAYOUT: u8 = 1;

/// What a connection is, for the process that takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct ConnectionNote {
    layout: u8,
    /// The match.
    pub id: MatchId,
    /// The slot of its session there.
    pub slot: u32,
    /// Whose seat it plays from; `None` for a spectator.
    pub player: Option<PlayerId>,
    /// Where it comes from, an IPv4 address as IPv6 has it.
    peer: u128,
}

impl ConnectionNote {
    /// Of a session in `slot`.
    pub fn new(id: MatchId, slot: usize, player: Option<PlayerId>, peer: IpAddr) -> Self {
        let peer = match peer {
            IpAddr::V4(peer) => peer.to_ipv6_mapped(),
            IpAddr::V6(peer) => peer,
        };
        Self { layout: LAYOUT, id, slot: slot as u32, player, peer: peer.into() }
    }

    /// For whoever keeps the connection.
    pub fn write(&self) -> Vec<u8> {
        encode(self)
    }

    /// As [`write`](Self::write) wrote it. `None` if another build did.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        decode::<Self, NOTE_BYTES_MAX>(bytes).ok().filter(|note| note.layout == LAYOUT)
    }

    /// Where it comes from.
    pub fn peer(&self) -> IpAddr {
        IpAddr::V6(Ipv6Addr::from(self.peer)).to_canonical()
    }
}

/// Bytes of a note, at most.
const NOTE_BYTES_MAX: usize = 64;

/// A connection that was counted in this process, on its way to its match.
pub struct KeptConnection {
    /// What it is.
    pub note: ConnectionNote,
    connection: Kept,
    permit: Arc<ConnectionPermit>,
}

impl KeptConnection {
    /// Of a place under the caps.
    pub(crate) fn new(note: ConnectionNote, connection: Kept, permit: Arc<ConnectionPermit>) -> Self {
        Self { note, connection, permit }
    }

    /// The tick up to which its client has everything.
    pub fn tick(&self) -> Tick {
        Tick(self.connection.tick)
    }

    /// The connection, on the calling runtime.
    pub(super) fn into_socket(self) -> std::io::Result<Socket> {
        Socket::kept(self.connection, self.note.peer(), self.permit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written_and_no_other_is() {
        for (peer, player) in [("127.0.0.1", Some(PlayerId(300))), ("2001:db8::7", None)] {
            let note = ConnectionNote::new(MatchId([7; 16]), 70_000, player, peer.parse().expect("an address"));
            let bytes = note.write();
            assert!(bytes.len() <= NOTE_BYTES_MAX);
            assert_eq!(ConnectionNote::read(&bytes), Some(note));
            assert_eq!(note.peer().to_string(), peer);
            assert_eq!(ConnectionNote::read(&[&bytes[..], b"x"].concat()), None);
            assert_eq!(ConnectionNote::read(&[&[LAYOUT + 1], &bytes[1..]].concat()), None);
            assert_eq!(ConnectionNote::read(&bytes[..bytes.len() - 1]), None);
        }
    }
}
