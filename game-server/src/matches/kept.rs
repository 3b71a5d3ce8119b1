//! Connections of the process before, which go on in this one: what each was, and whether its
//! match can go on with it.

use std::net::IpAddr;
use std::sync::Arc;

use tickwire_handover::Kept;
use tickwire_protocol::codec::{Decode, Encode, decode, encode};
use tickwire_protocol::{MatchId, PROTOCOL_VERSION, PlayerId, Tick};

use crate::http::address::{from_bytes, to_bytes};
use crate::http::caps::ConnectionPermit;
use crate::transport::Socket;

/// The layout of a note. A process that knows another one closes the connection.
const LAYOUT: u8 = 1;

/// What a connection is, for the process that takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct ConnectionNote {
    layout: u8,
    /// What its client speaks.
    protocol: u16,
    /// Of the game that it was built for.
    schema: u64,
    /// The match.
    pub id: MatchId,
    /// The slot of its session there.
    pub slot: u32,
    /// Whose seat it plays from; `None` for a spectator.
    pub player: Option<PlayerId>,
    /// Where it comes from.
    peer: [u8; 16],
}

impl ConnectionNote {
    /// Of a session in `slot`, whose client was built for the game with this `schema`.
    pub fn new(schema: u64, id: MatchId, slot: usize, player: Option<PlayerId>, peer: IpAddr) -> Self {
        Self { layout: LAYOUT, protocol: PROTOCOL_VERSION, schema, id, slot: slot as u32, player, peer: to_bytes(peer) }
    }

    /// For whoever keeps the connection.
    pub fn write(&self) -> Vec<u8> {
        encode(self)
    }

    /// As [`write`](Self::write) wrote it. `None` if its client would not understand a server of
    /// this protocol and `schema`, or another build wrote it.
    pub fn read(bytes: &[u8], schema: u64) -> Option<Self> {
        let note = decode::<Self, NOTE_BYTES_MAX>(bytes).ok()?;
        (note.layout == LAYOUT && note.protocol == PROTOCOL_VERSION && note.schema == schema).then_some(note)
    }

    /// Where it comes from.
    pub fn peer(&self) -> IpAddr {
        from_bytes(self.peer)
    }
}

/// Most bytes of a note that is read: what a connection is takes fewer.
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
            let note = ConnectionNote::new(9, MatchId([7; 16]), 70_000, player, peer.parse().expect("an address"));
            let bytes = note.write();
            assert!(bytes.len() <= NOTE_BYTES_MAX);
            let read = |bytes: &[u8]| ConnectionNote::read(bytes, 9);
            assert_eq!(read(&bytes), Some(note));
            assert_eq!(ConnectionNote::read(&bytes, 10), None, "its client was built for another game");
            assert_eq!(note.peer().to_string(), peer);
            assert_eq!(read(&[&bytes[..], b"x"].concat()), None);
            assert_eq!(read(&[&[LAYOUT + 1], &bytes[1..]].concat()), None);
            assert_eq!(read(&bytes[..bytes.len() - 1]), None);
            let older = ConnectionNote { protocol: PROTOCOL_VERSION - 1, ..note };
            assert_eq!(read(&older.write()), None);
        }
    }
}
