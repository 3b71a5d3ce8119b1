//! Messages and snapshots as the fixtures' JSON.

use serde_json::{Map, Value, json};
use tickwire_protocol::messages::chunks::{News, Part};
use tickwire_protocol::messages::{Lobby, Presence, Ranked};
use tickwire_protocol::model::{ColumnModel, Source, TableModel, Tokens};
use tickwire_protocol::{ClientMessage, Credential, Event, RosterEntry, Schema, ServerMessage, Snapshot};

use super::hex;
use crate::support::Stick;

pub(super) fn client_message(message: &ClientMessage<Stick>) -> Value {
    match message {
        ClientMessage::Hello { protocol, schema, credential } => {
            json!({ "type": "hello", "protocol": protocol, "schema": word(*schema), "credential": credential_json(credential) })
        }
        ClientMessage::Input { seq, tick, input: Stick { x, y, aim, fire } } => {
            json!({ "type": "input", "seq": seq.0, "tick": tick.0, "input": { "x": x, "y": y, "aim": aim, "fire": fire } })
        }
        ClientMessage::Ping { client_time_ms } => json!({ "type": "ping", "client_time_ms": client_time_ms }),
        ClientMessage::Leave => json!({ "type": "leave" }),
        ClientMessage::Rematch => json!({ "type": "rematch" }),
        ClientMessage::Ready(ready) => json!({ "type": "ready", "ready": ready }),
        ClientMessage::Start => json!({ "type": "start" }),
        ClientMessage::Bots(bots) => json!({ "type": "bots", "bots": bots }),
    }
}

fn credential_json(credential: &Credential) -> Value {
    match credential {
        Credential::Ticket(ticket) => json!({ "type": "ticket", "ticket": ticket.reveal() }),
        Credential::Resume { match_id, token } => {
            json!({ "type": "resume", "match_id": match_id.to_string(), "token": token.reveal() })
        }
    }
}

pub(super) fn server_message(message: &ServerMessage) -> Value {
    match message {
        ServerMessage::Welcome(welcome) => json!({
            "type": "welcome",
            "match_id": welcome.match_id.to_string(),
            "player": welcome.player.map(|player| player.0),
            "mode": welcome.mode,
            "tick_rate": welcome.tick_rate,
            "tick": welcome.tick.0,
            "resume": welcome.resume.reveal(),
            "roster": welcome.roster.as_slice().iter().map(roster_entry).collect::<Vec<_>>(),
        }),
        ServerMessage::Keyframe { tick, body } => json!({ "type": "keyframe", "tick": tick.0, "body": hex(body.as_slice()) }),
        ServerMessage::Delta { advance, body } => json!({ "type": "delta", "advance": advance, "body": hex(body.as_slice()) }),
        ServerMessage::Event(event) => json!({ "type": "event", "event": event_json(event) }),
        ServerMessage::Pong(pong) => json!({
            "type": "pong",
            "client_time_ms": pong.client_time_ms,
            "tick": pong.tick.0,
            "phase": pong.phase,
            "held": pong.held,
            "margin": pong.margin,
            "last_input": pong.last_input.0,
        }),
        ServerMessage::Closing(reason) => json!({ "type": "closing", "reason": reason.name() }),
        ServerMessage::Check { tables } => {
            json!({ "type": "check", "tables": tables.as_slice().iter().map(|hash| word(*hash)).collect::<Vec<_>>() })
        }
        ServerMessage::Chunks { tick, parts } => {
            json!({ "type": "chunks", "tick": tick.0, "parts": parts.as_slice().iter().map(part).collect::<Vec<_>>() })
        }
        ServerMessage::Migrate { ws_url } => json!({ "type": "migrate", "ws_url": ws_url.as_str() }),
        ServerMessage::ChunksCheck { hash } => json!({ "type": "chunks_check", "hash": word(*hash) }),
    }
}

fn part(Part { slot, news }: &Part) -> Value {
    match news {
        News::Keyframe(body) => json!({ "slot": slot, "how": 0, "body": hex(body.as_slice()) }),
        News::Delta { advance, body } => json!({ "slot": slot, "how": advance, "body": hex(body.as_slice()) }),
        News::Gone => json!({ "slot": slot, "how": 255, "body": null }),
        News::Reset => json!({ "slot": slot, "how": 254, "body": null }),
    }
}

fn event_json(event: &Event) -> Value {
    match event {
        Event::Joined(entry) => json!({ "type": "joined", "entry": roster_entry(entry) }),
        Event::Left(player) => json!({ "type": "left", "player": player.0 }),
        Event::Results { ranking, rematch_by } => {
            let ranked = |ranked: &Ranked| json!({ "player": ranked.player.0, "score": ranked.score });
            json!({ "type": "results", "ranking": ranking.as_slice().iter().map(ranked).collect::<Vec<_>>(), "rematch_by": rematch_by.0 })
        }
        Event::Game(bytes) => json!({ "type": "game", "bytes": hex(bytes.as_slice()) }),
        Event::Updated(entry) => json!({ "type": "updated", "entry": roster_entry(entry) }),
        Event::Lobby(Lobby { host, bots, ready }) => {
            let ready: Vec<_> = ready.as_slice().iter().map(|player| player.0).collect();
            json!({ "type": "lobby", "host": host.map(|player| player.0), "bots": bots, "ready": ready })
        }
        Event::Draining { until } => json!({ "type": "draining", "until": until.0 }),
    }
}

fn roster_entry(entry: &RosterEntry) -> Value {
    let presence = match entry.presence {
        Presence::Here => "here",
        Presence::Idle => "idle",
        Presence::Away => "away",
    };
    json!({ "player": entry.player.0, "name": entry.name.as_str(), "bot": entry.bot, "presence": presence })
}

pub(super) fn schema(schema: &Schema) -> Value {
    let tables = schema.tables().iter().enumerate().map(|(index, table)| {
        let fields = table.fields.iter().map(|field| {
            json!({
                "name": field.name, "min": field.min, "max": field.max,
                "wraps": field.wraps, "moment": field.moment, "moved_by": field.moved_by,
            })
        });
        let spawn = schema.spawns().iter().find(|spawn| spawn.table == table.name);
        json!({
            "name": table.name,
            "fields": fields.collect::<Vec<_>>(),
            "expects": spawn.map(|spawn| spawn.version),
            "model": schema.model().and_then(|model| model.tables.get(index)).map(model_json),
        })
    });
    tables.collect()
}

fn model_json(model: &TableModel) -> Value {
    let spawned = model.spawned.iter().map(|field| json!({ "usual": field.usual, "tokens": tokens(&field.tokens) }));
    json!({
        "quiet": model.quiet,
        "gone": column(&model.gone),
        "no_more": model.no_more,
        "ids": tokens(&model.ids),
        "fields": model.fields.iter().map(column).collect::<Vec<_>>(),
        "spawned": spawned.collect::<Vec<_>>(),
    })
}

fn column(model: &ColumnModel) -> Value {
    let sources = model.sources.map(|source| match source {
        Source::None => Value::Null,
        Source::Base(field) => json!(["base", field]),
        Source::Residual(field) => json!(["residual", field]),
    });
    json!({ "form": model.form, "sources": sources, "contexts": model.contexts, "tokens": tokens(&model.tokens) })
}

fn tokens(tokens: &Tokens) -> Value {
    json!({ "direct": tokens.direct, "distributions": tokens.distributions })
}

pub(super) fn snapshot(snapshot: &Snapshot) -> Value {
    let tables = snapshot.tables().iter().map(|table| {
        let columns = table.fields().iter().enumerate().map(|(index, field)| (field.name.to_owned(), json!(table.column(index))));
        let ids: Vec<u32> = table.ids().iter().map(|id| id.0).collect();
        (table.name().to_owned(), json!({ "ids": ids, "columns": columns.collect::<Map<_, _>>() }))
    });
    json!({ "tick": snapshot.tick.0, "hash": word(snapshot.hash()), "tables": tables.collect::<Map<_, _>>() })
}

pub(super) fn word(word: u64) -> String {
    format!("{word:016x}")
}
