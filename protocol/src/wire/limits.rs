//! Every number that bounds what a peer may send, in one place, related to each other by const assertions.
//!
//! Operators tune rates and deadlines in the server's config; these are part of the wire and change only with
//! [`crate::PROTOCOL_VERSION`].

/// Largest client message, bytes. A WebSocket frame that declares more is refused at its header.
pub const CLIENT_MESSAGE_BYTES_MAX: usize = 256;
/// Largest server message (one WebSocket message, possibly several [`crate::ServerMessage`]s), bytes.
pub const SERVER_MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// Largest encoded snapshot body (keyframe or delta), bytes.
pub const BODY_BYTES_MAX: usize = 128 * 1024;
/// Largest game event, bytes.
pub const GAME_EVENT_BYTES_MAX: usize = 256;
/// Longest player name, bytes of UTF-8 after cleaning.
pub const NAME_BYTES_MAX: usize = 64;
/// Longest player name, user-perceived characters (grapheme clusters).
pub const NAME_GRAPHEMES_MAX: usize = 16;
/// Longest address that a Migrate message names, bytes of ASCII.
pub const WS_URL_BYTES_MAX: usize = 256;
/// Most seats in one match, and so most roster or ranking entries in a message.
pub const PLAYERS_MAX: usize = 1024;
/// Most tables (replicated components) in a schema.
pub const TABLES_MAX: usize = 16;
/// Most fields in a table.
pub const FIELDS_MAX: usize = 16;
/// Most rows (entities) in one table of a snapshot.
pub const ROWS_MAX: usize = 4096;
/// Widest replicated field, bits.
pub const FIELD_BITS_MAX: u32 = 31;
/// Furthest a delta may reach back for its baseline, ticks.
pub const BASELINE_AGE_MAX: u32 = 64;
/// Furthest ahead of the server an input may be meant for, ticks.
pub const INPUT_LEAD_MAX: u32 = 32;
/// Over HTTP: most messages in a client's request.
pub const BATCH_MESSAGES_MAX: usize = 64;
/// Over HTTP: longest body of a client's request, bytes.
pub const BATCH_BYTES_MAX: usize = 4 * 1024;
/// Most slots a client keeps chunks of a divided match in; a slot's number is one byte.
pub const CHUNK_SLOTS_MAX: usize = 256;
/// Fastest tick rate, Hz.
pub const TICK_RATE_MAX: u8 = 60;
/// Slowest tick rate, Hz.
pub const TICK_RATE_MIN: u8 = 1;

/// Upper bound of one roster entry's encoding: player, name with its length, flag, presence.
const ROSTER_ENTRY_BYTES_MAX: usize = 3 + 1 + NAME_BYTES_MAX + 1 + 1;

const _: () = assert!(BODY_BYTES_MAX * 2 <= SERVER_MESSAGE_BYTES_MAX, "a snapshot, a tick's events and those that waited fit one message");
const _: () =
    assert!(PLAYERS_MAX * ROSTER_ENTRY_BYTES_MAX + 256 < SERVER_MESSAGE_BYTES_MAX, "a Welcome with a full roster fits one message");
const _: () = assert!(GAME_EVENT_BYTES_MAX * 64 < SERVER_MESSAGE_BYTES_MAX);
const _: () = assert!(INPUT_LEAD_MAX.is_power_of_two(), "the input buffer is a ring indexed by tick");
const _: () = assert!(BASELINE_AGE_MAX <= u8::MAX as u32, "a delta's advance is one byte");
const _: () = assert!(CHUNK_SLOTS_MAX == u8::MAX as usize + 1, "a slot's number is one byte, and every byte is one");
const _: () = assert!(NAME_BYTES_MAX < 251, "a name's length is one varint byte");
const _: () = assert!(PLAYERS_MAX < u16::MAX as usize);
const _: () = assert!(FIELD_BITS_MAX < 32, "a field's span and its zigzag residual fit 32 bits");
