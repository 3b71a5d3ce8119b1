//! What servers tell each other. They trust each other, as they share a store; a letter of another
//! version is not understood and left unanswered.

use tickwire_cluster::store::MESSAGE_BYTES_MAX;
use tickwire_protocol::MatchId;
use tickwire_protocol::codec::{Decode, Encode, decode};
use tickwire_protocol::text::Name;

use crate::matches::PlayerKey;

/// A message from server to server.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub enum Message {
    /// Somebody wants a seat. Numbered by who asks.
    Ask(u64, Box<Ask>),
    /// The answer to the question of this number.
    Answer(u64, Answer),
    /// These matches were given up for the receiver to run on.
    Take(Vec<MatchId>),
    /// A match is to be made for people who waited for it. Numbered by who asks.
    Open(u64, Box<Opening>),
    /// Somebody watches a match of the receiver. Numbered by who asks.
    Watch(u64, Box<Watching>),
    /// They watch no more: the stream.
    Unwatch(u64),
}

/// Most bytes of a message in the answer to [`Message::Watch`].
pub const WATCHED_PART_BYTES: usize = 48 << 10;
/// Most messages of a page that go with one question; a further one is dropped.
pub const SAID_MAX: usize = 16;

/// An operator watches a match of another server, and asks for what comes next.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct Watching {
    /// Tells this from all others. Random.
    pub stream: u64,
    /// The match.
    pub id: MatchId,
    /// Which message is wanted, from 0 on.
    pub number: u32,
    /// From which byte of it on.
    pub offset: u32,
    /// What the operator's page has said since.
    pub said: Vec<Vec<u8>>,
    /// Where the operator is, as an IPv6 address.
    pub client: [u8; 16],
}

/// Somebody who waits for a match.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct Member {
    /// Who.
    pub player: PlayerKey,
    /// How the others see them.
    pub name: Name,
    /// Until when they are known, seconds since 1970, if there is such a moment.
    pub expires: Option<u64>,
    /// Where they wait, as an IPv6 address.
    pub client: [u8; 16],
    /// How good they are.
    pub rating: i32,
}

/// A match for people who waited for it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct Opening {
    /// What it is to be called.
    pub id: MatchId,
    /// The id of its mode.
    pub mode: String,
    /// Who has a seat in it.
    pub members: Vec<Member>,
}

/// Somebody who asked one server wants a seat on another.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct Ask {
    /// Who.
    pub player: PlayerKey,
    /// How the others see them.
    pub name: Name,
    /// Until when they are known, milliseconds from now on, if there is such a moment.
    pub expires_in_ms: Option<u64>,
    /// Where the request came from, as an IPv6 address.
    pub client: [u8; 16],
    /// What they want.
    pub wish: AskedFor,
}

/// What somebody wants of another server.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub enum AskedFor {
    /// A seat in any match of this mode.
    Anywhere(String),
    /// A seat in this match.
    In(MatchId),
    /// A seat in a new match.
    InNew {
        /// The id of its mode.
        mode: String,
        /// Not listed.
        private: bool,
        /// Its first round waits.
        lobby: bool,
        /// Bots fill it.
        bots: bool,
        /// The code it shall have, if nobody else's match has it.
        code: Option<String>,
    },
}

/// What another server says, to be passed on as it is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// JSON.
    pub body: Vec<u8>,
    /// When to ask again.
    pub retry_after_ms: Option<u64>,
}

impl Message {
    /// What another server sent; `None` if it is of another version.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        decode::<_, MESSAGE_BYTES_MAX>(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use tickwire_protocol::codec::encode;

    use super::*;
    use crate::http::address::to_bytes;

    #[test]
    fn a_letter_is_read_as_it_was_written_and_nothing_else_is() {
        let ask = Ask {
            player: PlayerKey([7; 32]),
            name: Name::truncated("Ada"),
            expires_in_ms: Some(5),
            client: to_bytes("192.0.2.1".parse().expect("an address")),
            wish: AskedFor::InNew { mode: "duel".into(), private: true, lobby: false, bots: true, code: Some("CODE42".into()) },
        };
        let member = Member { player: PlayerKey([8; 32]), name: Name::truncated("Bob"), expires: Some(9), client: [0; 16], rating: -3 };
        let watching = Watching { stream: 1, id: MatchId([3; 16]), number: 2, offset: 3, said: vec![vec![4]], client: [0; 16] };
        let letters = [
            Message::Ask(3, Box::new(ask)),
            Message::Answer(4, Answer { status: 503, body: b"{}".to_vec(), retry_after_ms: Some(1) }),
            Message::Take(vec![MatchId([1; 16])]),
            Message::Watch(6, Box::new(watching)),
            Message::Unwatch(7),
            Message::Open(5, Box::new(Opening { id: MatchId([2; 16]), mode: "duel".into(), members: vec![member] })),
        ];
        for letter in letters {
            let bytes = encode(&letter);
            assert_eq!(Message::read(&bytes), Some(letter));
            assert_eq!(Message::read(&bytes[..bytes.len() - 1]), None);
        }
        assert_eq!(Message::read(&[9]), None);
    }
}
