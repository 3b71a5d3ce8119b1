//! The bytes on the wire, for good: every message and every part of the delta format, as hex and as JSON in `fixtures/`.
//!
//! These files are for clients in other languages, and they fail when the bytes change. After a change that is meant, run
//! `TICKWIRE_BLESS=1 cargo test -p tickwire-protocol golden` and raise `PROTOCOL_VERSION` if an old client could misread.

mod client;
mod json;
mod primitives;
mod server;
mod snapshots;
mod trained;

use std::fmt::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

/// One example: its name, the bytes, and what they say.
pub(crate) struct Vector {
    name: &'static str,
    hex: String,
    value: Value,
}

impl Vector {
    fn new(name: &'static str, bytes: &[u8], value: Value) -> Self {
        Self { name, hex: hex(bytes), value }
    }
}

/// A fixture file: what it is about, and its examples.
struct Fixture {
    file: &'static str,
    head: Vec<(&'static str, Value)>,
    vectors: Vec<Vector>,
}

impl Fixture {
    /// Fails if the file says anything else; rewrites it when blessing.
    fn check(&self) {
        let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "fixtures", self.file].iter().collect();
        if std::env::var_os("TICKWIRE_BLESS").is_some() {
            std::fs::write(&path, self.text()).expect("the fixtures are in the checkout");
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let kept: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for vector in &self.vectors {
            let kept = kept["vectors"].as_array().into_iter().flatten().find(|kept| kept["name"] == vector.name);
            let kept = kept.unwrap_or_else(|| panic!("{}: no vector {}", self.file, vector.name));
            assert_eq!(kept["hex"], vector.hex, "{}: the bytes of {} have changed", self.file, vector.name);
            assert_eq!(kept["value"], vector.value, "{}: the meaning of {} has changed", self.file, vector.name);
        }
        let now: Value = serde_json::from_str(&self.text()).expect("our own JSON");
        assert_eq!(kept, now, "{}: what is around the vectors has changed", self.file);
    }

    /// A line per vector, so that a difference names what changed.
    fn text(&self) -> String {
        let mut text = String::from("{\n");
        self.head.iter().for_each(|(key, value)| writeln!(text, "{}: {value},", json!(key)).expect("a string"));
        text.push_str("\"vectors\": [\n");
        let lines = self
            .vectors
            .iter()
            .map(|Vector { name, hex, value }| format!("{{\"name\": {}, \"hex\": {}, \"value\": {value}}}", json!(name), json!(hex)));
        text.push_str(&lines.collect::<Vec<_>>().join(",\n"));
        text.push_str("\n]\n}\n");
        text
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string");
        text
    })
}

pub(crate) use snapshots::{FIXTURE_SCHEMA, worked_example};
