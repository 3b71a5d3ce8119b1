//! `docs/PROTOCOL.md` says what the code does, wherever it names a number.

use tickwire_protocol::codec::encode;
use tickwire_protocol::messages::{Body, Retry};
use tickwire_protocol::schema::{Columns, MatchState};
use tickwire_protocol::{CloseReason, PROTOCOL_VERSION, ServerMessage, limits};

use crate::golden::{FIXTURE_SCHEMA, hex, worked_example};
use crate::support::encoded;

fn protocol_document() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/PROTOCOL.md");
    std::fs::read_to_string(path).expect("the document is in the checkout")
}

fn assert_says(document: &str, words: &str) {
    assert!(document.contains(words), "docs/PROTOCOL.md does not say `{words}`");
}

#[test]
fn the_document_lists_every_close_reason() {
    let document = protocol_document();
    for (number, reason) in CloseReason::ALL.into_iter().enumerate() {
        let row = format!("| {number} | `{}` | {} | ", reason.name(), reason.websocket_code());
        let line = document.lines().find(|line| line.starts_with(&row)).unwrap_or_else(|| panic!("docs/PROTOCOL.md has no row `{row}`"));
        let advice = match reason.retry() {
            Retry::Resume => "| resume |",
            Retry::Rejoin => "| rejoin |",
            Retry::Reload => "| reload |",
            Retry::No => "| nothing |",
        };
        assert!(line.ends_with(advice), "{}: `{line}` should end with `{advice}`", reason.name());
    }
}

#[test]
fn the_document_lists_every_limit() {
    let document = protocol_document();
    let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/wire/limits.rs")).expect("our own source");
    let names = source.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    // These two bound what a server offers, not what a peer sends.
    for name in names.filter(|name| !["NAME_GRAPHEMES_MAX", "TICK_RATE_MIN"].contains(name)) {
        assert_says(&document, &format!("| `{name}` | {} |", limit(name)));
    }
}

fn limit(name: &str) -> u64 {
    match name {
        "CLIENT_MESSAGE_BYTES_MAX" => limits::CLIENT_MESSAGE_BYTES_MAX as u64,
        "SERVER_MESSAGE_BYTES_MAX" => limits::SERVER_MESSAGE_BYTES_MAX as u64,
        "BODY_BYTES_MAX" => limits::BODY_BYTES_MAX as u64,
        "GAME_EVENT_BYTES_MAX" => limits::GAME_EVENT_BYTES_MAX as u64,
        "NAME_BYTES_MAX" => limits::NAME_BYTES_MAX as u64,
        "WS_URL_BYTES_MAX" => limits::WS_URL_BYTES_MAX as u64,
        "PLAYERS_MAX" => limits::PLAYERS_MAX as u64,
        "TABLES_MAX" => limits::TABLES_MAX as u64,
        "FIELDS_MAX" => limits::FIELDS_MAX as u64,
        "ROWS_MAX" => limits::ROWS_MAX as u64,
        "FIELD_BITS_MAX" => limits::FIELD_BITS_MAX.into(),
        "BASELINE_AGE_MAX" => limits::BASELINE_AGE_MAX.into(),
        "INPUT_LEAD_MAX" => limits::INPUT_LEAD_MAX.into(),
        "BATCH_MESSAGES_MAX" => limits::BATCH_MESSAGES_MAX as u64,
        "BATCH_BYTES_MAX" => limits::BATCH_BYTES_MAX as u64,
        "CHUNK_SLOTS_MAX" => limits::CHUNK_SLOTS_MAX as u64,
        "TICK_RATE_MAX" => limits::TICK_RATE_MAX.into(),
        _ => panic!("a new limit, {name}: say it in docs/PROTOCOL.md and here"),
    }
}

#[test]
fn the_worked_example_is_the_bytes_of_today() {
    let document = protocol_document();
    let (base, next) = worked_example();
    let body = encoded(&base, &next);
    let message = ServerMessage::Delta { advance: 1, body: Body::new(body.clone()).expect("short") };
    let [kind, advance, length, ..] = encode(&message)[..] else { panic!("a head and a body") };
    assert_says(&document, &format!("`{kind:02x} {advance:02x} {length:02x} {}`", hex(&body)));
    assert_says(&document, &format!("At the start `code` is {} in hex", hex(&body[..4])));
    assert_says(&document, &format!("`{:016x}`", FIXTURE_SCHEMA.hash()));
}

#[test]
fn the_first_table_and_the_version_are_those_of_today() {
    let document = protocol_document();
    for field in MatchState::TABLE.fields {
        assert_says(&document, &format!("| `{}` | {} | {} |", field.name, field.min, field.max));
    }
    assert_says(&document, &format!("This is version {PROTOCOL_VERSION}"));
}
