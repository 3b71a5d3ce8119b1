//! Tickets: nobody makes one, nobody alters one, and who has the keys can check one.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;

use std::path::Path;

use harness::Harness;
use tag::Tag;
use tickwire_game::Game;
use tickwire_protocol::{ClientMessage, CloseReason, Credential, MatchId, Ticket};
use tickwire_server::{Config, Server};
use tickwire_testkit::script::{enter, hear, hear_closing};
use tickwire_testkit::{Api, Client, Heard, Join};

/// What becomes of whoever shows this ticket.
async fn show(api: &Api, join: &Join, ticket: Ticket) -> CloseReason {
    let mut client = Client::<Tag>::connect(api, &join.ws_url).await.expect("connected");
    client.hello(Credential::Ticket(ticket)).await.expect("sent");
    hear_closing(&mut client).await.expect("a reason")
}

fn with_keys(file: &Path) -> Harness {
    Harness::start::<Tag>(|config| config.tickets.key_file = Some(file.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_alters_a_ticket_has_none_and_the_good_one_stays_good() {
    let harness = Harness::start::<Tag>(|_| {});
    let (ada, bob) = (harness.guest(0).await, harness.guest(1).await);
    let mode = Tag::MODES[0].id;
    let of_ada = ada.create(mode, true).await.expect("a match");
    let of_bob = bob.create(mode, true).await.expect("another match");
    let next_seat = harness.guest(2).await.join(&of_ada.code).await.expect("a seat beside Ada");

    let (good, other) = (of_ada.ticket.0, of_bob.ticket.0);
    let id: MatchId = of_ada.match_id.parse().expect("an id");
    assert_eq!((&good[..16], &good[16..18]), (&id.0[..], &[0, 0][..]), "a ticket names match and player");
    assert_eq!(next_seat.ticket.0[16..18], [1, 0]);
    // One part of each field, then whole fields of another good ticket: match, seat, owner, expiry,
    // nonce, signature.
    let parts = [0..16, 16..18, 18..34, 34..38, 38..54, 54..70];
    for part in parts {
        let mut altered = good;
        altered[part.start] ^= 1;
        assert_eq!(show(&bob, &of_ada, Ticket(altered)).await, CloseReason::BadTicket, "a bit of {part:?}");
        for from in [other, next_seat.ticket.0] {
            let mut mixed = good;
            mixed[part.clone()].copy_from_slice(&from[part.clone()]);
            if mixed != good {
                assert_eq!(show(&bob, &of_ada, Ticket(mixed)).await, CloseReason::BadTicket, "{part:?} of another ticket");
            }
        }
    }
    let mut client: Client<Tag> = enter(&ada, &of_ada).await.expect("the good one is still good");
    client.send(ClientMessage::Ping { client_time_ms: 0 }).await.expect("sent");
    hear(&mut client, |heard| matches!(heard, Heard::Pong(_)).then_some(())).await.expect("an answer");
    assert_eq!(show(&ada, &of_ada, of_ada.ticket).await, CloseReason::BadTicket, "spent");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tickets_of_a_seat_that_is_given_up_are_void() {
    let harness = Harness::start::<Tag>(|_| {});
    let ada = harness.guest(0).await;
    let mode = Tag::MODES[0].id;
    let first = ada.create(mode, true).await.expect("a match");
    let second = ada.create(mode, true).await.expect("another match");
    assert_eq!(show(&ada, &first, first.ticket).await, CloseReason::BadTicket);
    let _client: Client<Tag> = enter(&ada, &second).await.expect("the seat that is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_share_the_keys_know_each_others_tickets() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("tickets.key");
    let (one, two, stranger) = (with_keys(&file), with_keys(&file), Harness::start::<Tag>(|_| {}));
    let join = one.guest(0).await.create(Tag::MODES[0].id, true).await.expect("a match");
    // The ticket is good there, and its match is not there.
    assert_eq!(show(&two.guest(0).await, &join, join.ticket).await, CloseReason::MatchGone);
    assert_eq!(show(&stranger.guest(0).await, &join, join.ticket).await, CloseReason::BadTicket);
    let _client: Client<Tag> = enter(&one.guest(1).await, &join).await.expect("and it is good where its match is");
}

#[cfg(unix)]
#[test]
fn keys_that_are_no_secret_start_no_server() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("tickets.key");
    let check = || {
        let mut config = Config::default();
        (config.admin.enabled, config.tickets.key_file) = (false, Some(file.clone()));
        Server::check(&config).map_err(|error| error.to_string())
    };
    check().expect("a file that is not there is made when the server starts");
    assert!(!file.exists());
    let write = |text: &str, mode| {
        std::fs::write(&file, text).expect("written");
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).expect("set");
    };
    write("short", 0o600);
    assert!(check().is_err_and(|told| told.contains("line 1 is no key") && !told.contains("short")));
    write(&"01".repeat(32), 0o644);
    assert!(check().is_err_and(|told| told.contains("others on this machine can read or change it")));
    write(&"0123".repeat(16), 0o640);
    check().expect("a good key");
}
