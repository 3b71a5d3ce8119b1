//! Seats and matches: taken, hoarded, guessed, stolen.

use std::time::Duration;

use tickwire_game::Game as _;
use tickwire_protocol::codec::encode;
use tickwire_protocol::{ClientMessage, Credential, MatchId, PROTOCOL_VERSION, Secret, TICKET_BYTES, Ticket};
use tokio::io::AsyncWriteExt;

use crate::attack::{Attack, Field};
use crate::wire::{Request, Stream, ending, frame};

/// How long the end of a refused connection is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// These.
pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "royale",
        what: "one address makes private matches of 120 bots and keeps them awake",
        run: |field| Box::pin(matches(field, 1)),
    },
    Attack { name: "royale-18", what: "the same from 18 addresses", run: |field| Box::pin(matches(field, 18)) },
    Attack { name: "hoard", what: "seats that nobody comes to, from 32 sessions of one address", run: |field| Box::pin(hoard(field)) },
    Attack { name: "guess", what: "tickets and resume tokens at random", run: |field| Box::pin(guess(field)) },
    Attack { name: "races", what: "one ticket used by eight at once", run: |field| Box::pin(races(field)) },
    Attack { name: "reconnects", what: "players that come and go as fast as they can", run: |field| Box::pin(reconnects(field)) },
];

/// A seated attacker, past its Hello.
pub(super) struct Player {
    pub(super) stream: Stream,
}

/// Takes a seat by quick play at the `nth` address.
pub(super) async fn sit(field: &Field, nth: usize, mode: &str) -> Option<Player> {
    let (ticket, ws_url) = ticket(field, nth, mode).await?;
    enter(field, nth, ticket, &ws_url).await
}

/// A ticket by quick play at the `nth` address, and where it is good.
pub(super) async fn ticket(field: &Field, nth: usize, mode: &str) -> Option<(Ticket, String)> {
    let bearer = field.guest(nth).await?;
    let body = format!(r#"{{"mode":"{mode}"}}"#);
    let answer = field.play.ask(field.source(nth), &Request::post("/api/quick-play", &bearer, &body)).await.ok()?;
    Some((answer.member("ticket")?.parse().ok()?, answer.member("ws_url")?.to_owned()))
}

/// Hello with a ticket.
pub(super) fn hello_with(ticket: Ticket) -> Vec<u8> {
    hello(Credential::Ticket(ticket))
}

async fn enter(field: &Field, nth: usize, ticket: Ticket, ws_url: &str) -> Option<Player> {
    let (status, mut stream) = field.play.upgrade(field.source(nth), &format!("/{ws_url}"), None).await.ok()?;
    if status != 101 {
        field.tally.ended(status.to_string());
        return None;
    }
    stream.write_all(&frame(0x82, &hello(Credential::Ticket(ticket)))).await.ok()?;
    Some(Player { stream })
}

fn hello(credential: Credential) -> Vec<u8> {
    let schema = arena::Arena::SCHEMA.hash();
    encode(&ClientMessage::<arena::input::Input>::Hello { protocol: PROTOCOL_VERSION, schema, credential })
}

async fn matches(field: Field, addresses: usize) {
    field
        .repeat(30 * addresses, move |field, nth| async move {
            let address = nth % addresses;
            let Some(bearer) = field.guest(address).await else {
                field.tally.ended("no session");
                return tokio::time::sleep(Duration::from_millis(500)).await;
            };
            let body = r#"{"mode":"royale","private":true}"#;
            field.tally.sent(body.len());
            let Ok(answer) = field.play.ask(field.source(address), &Request::post("/api/matches", &bearer, body)).await else { return };
            field.tally.ended(answer.status.to_string());
            let (Some(Ok(ticket)), Some(ws_url)) = (answer.member("ticket").map(str::parse), answer.member("ws_url")) else {
                return tokio::time::sleep(Duration::from_millis(500)).await;
            };
            // Connected, so that the match has its bots and ticks; closed for its silence after ten seconds.
            if let Some(mut player) = enter(&field, address, ticket, ws_url).await {
                field.tally.ended("match awake");
                field.tally.ended(ending(&mut player.stream, field.left()).await);
            }
        })
        .await;
}

async fn hoard(field: Field) {
    field
        .repeat(32, |field, _| async move {
            let Some(bearer) = field.guest(0).await else { return tokio::time::sleep(Duration::from_millis(200)).await };
            for _ in 0..8 {
                let status = field.ask(0, Request::post("/api/quick-play", &bearer, r#"{"mode":"ffa"}"#)).await;
                field.tally.answered(status);
                let status = field.ask(0, Request::post("/api/matches", &bearer, r#"{"mode":"ffa"}"#)).await;
                field.tally.answered(status);
            }
        })
        .await;
}

async fn guess(field: Field) {
    field
        .repeat(32, |field, nth| async move {
            let Ok((status, mut stream)) = field.play.upgrade(field.source(nth % 8), "/ws", None).await else { return };
            field.tally.sent(60);
            if status != 101 {
                field.tally.ended(status.to_string());
                return tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let guess = field.tally.total().0 as u8;
            let credential = if nth % 2 == 0 {
                Credential::Ticket(Ticket([guess; TICKET_BYTES]))
            } else {
                Credential::Resume { match_id: MatchId([7; 16]), token: Secret([guess; 16]) }
            };
            let _ = stream.write_all(&frame(0x82, &hello(credential))).await;
            let how = ending(&mut stream, PATIENCE).await;
            if how == "still open" {
                field.tally.breach("a guess has opened a session");
            }
            field.tally.ended(how);
        })
        .await;
}

async fn races(field: Field) {
    field
        .repeat(4, |field, nth| async move {
            let Some(bearer) = field.guest(nth).await else { return tokio::time::sleep(Duration::from_millis(200)).await };
            let Ok(answer) = field.play.ask(field.source(nth), &Request::post("/api/quick-play", &bearer, r#"{"mode":"ffa"}"#)).await
            else {
                return;
            };
            let (Some(Ok(ticket)), Some(ws_url)) = (answer.member("ticket").map(str::parse), answer.member("ws_url")) else { return };
            let mut racers = tokio::task::JoinSet::new();
            for _ in 0..8 {
                let (field, ws_url) = (field.clone(), ws_url.to_owned());
                racers.spawn(async move {
                    field.tally.sent(60);
                    match enter(&field, nth, ticket, &ws_url).await {
                        Some(mut player) => ending(&mut player.stream, Duration::from_secs(1)).await,
                        None => "refused".to_owned(),
                    }
                });
            }
            let endings = racers.join_all().await;
            let open = endings.iter().filter(|how| *how == "still open").count();
            if open > 1 {
                field.tally.breach(format!("{open} are in with one ticket"));
            }
            endings.into_iter().for_each(|how| field.tally.ended(how));
        })
        .await;
}

async fn reconnects(field: Field) {
    field
        .repeat(64, |field, nth| async move {
            field.tally.sent(60);
            if sit(&field, nth, "ffa").await.is_some() {
                return field.tally.ended("seated, then gone");
            }
            field.tally.ended("refused");
            tokio::time::sleep(Duration::from_millis(50)).await;
        })
        .await;
}
