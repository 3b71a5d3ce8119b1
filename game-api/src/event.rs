//! What happens in a match and is told once.

use tickwire_protocol::codec::{Decode, Encode, decode};
use tickwire_protocol::limits::GAME_EVENT_BYTES_MAX;

/// Something that happened. Derive it: see [`Event`](derive@crate::Event).
pub trait Event: Encode + Decode<()> {
    /// The TypeScript type of each kind's JSON, in parts to be joined.
    const TYPESCRIPT: &'static [&'static [&'static str]];

    /// Appends the event as JSON, an object with a `kind`.
    fn write_json(&self, json: &mut String);

    /// The event as JSON, for the page and for logs.
    fn to_json(&self) -> String {
        let mut json = String::new();
        self.write_json(&mut json);
        json
    }

    /// Reads an event off the wire; `None` if `bytes` are not one.
    fn read(bytes: &[u8]) -> Option<Self> {
        decode::<Self, GAME_EVENT_BYTES_MAX>(bytes).ok()
    }

    /// The TypeScript type of [`Event::to_json`]: a line for each kind.
    fn typescript() -> String {
        let kinds: Vec<String> = Self::TYPESCRIPT.iter().map(|parts| format!("| {}", parts.concat())).collect();
        kinds.join("\n")
    }
}

/// A game in which nothing is told.
impl Event for () {
    const TYPESCRIPT: &'static [&'static [&'static str]] = &[];

    fn write_json(&self, json: &mut String) {
        json.push_str("null");
    }
}
