//! Scripted peers: a test says what a client does and what it must hear next, so that it reads as a dialogue.

use std::time::Duration;

use tickwire_game::Game;
use tickwire_protocol::schema::{MatchState, Phase};
use tickwire_protocol::{CloseReason, Credential, Snapshot, Tick};

use crate::api::{Api, Join};
use crate::client::{Client, ClientError, Heard};
use crate::route::Route;

/// How long a scripted client waits for what it expects before the test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Says Hello with a ticket and hears Welcome.
pub async fn enter<G: Game>(api: &Api, join: &Join) -> Result<Client<G>, ClientError> {
    let mut client = Client::connect(api, &join.ws_url).await?;
    client.hello(Credential::Ticket(join.ticket)).await?;
    hear(&mut client, |heard| matches!(heard, Heard::Welcome(_)).then_some(())).await?;
    Ok(client)
}

/// Returns to a seat and hears Welcome. Goes where Migrate says.
pub async fn resume<G: Game>(api: &Api, ws_url: &str, credential: Credential) -> Result<Client<G>, ClientError> {
    let mut route = Route::new(ws_url, &[]);
    loop {
        let mut client = Client::connect(api, route.address()).await?;
        client.hello(credential).await?;
        let first = hear(&mut client, |heard| match heard {
            Heard::Welcome(_) => Some(None),
            Heard::Migrate(url) => Some(Some(url)),
            _ => None,
        });
        match first.await? {
            None => return Ok(client),
            Some(url) if route.move_to(&url) => {}
            Some(_) => return Err(ClientError::Told(CloseReason::Moved)),
        }
    }
}

/// Listens until `wanted` finds what it waits for.
pub async fn hear<G: Game, T>(client: &mut Client<G>, mut wanted: impl FnMut(Heard) -> Option<T>) -> Result<T, ClientError> {
    let listen = async {
        loop {
            let heard = client.next().await?;
            if let Heard::Closing(reason) = heard {
                return wanted(heard).ok_or(ClientError::Told(reason));
            }
            if let Some(found) = wanted(heard) {
                return Ok(found);
            }
        }
    };
    tokio::time::timeout(PATIENCE, listen).await.unwrap_or(Err(ClientError::TimedOut))
}

/// Listens until the view satisfies `wanted`; returns the view's tick.
pub async fn see<G: Game>(client: &mut Client<G>, mut wanted: impl FnMut(&Snapshot) -> bool) -> Result<Tick, ClientError> {
    let watch = async {
        loop {
            match client.next().await? {
                Heard::Snapshot(tick) if client.view().is_some_and(&mut wanted) => return Ok(tick),
                Heard::Closing(reason) => return Err(ClientError::Told(reason)),
                _ => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, watch).await.unwrap_or(Err(ClientError::TimedOut))
}

/// Listens until the server says why it ends the session.
pub async fn hear_closing<G: Game>(client: &mut Client<G>) -> Result<CloseReason, ClientError> {
    match hear(client, |heard| match heard {
        Heard::Closing(reason) => Some(reason),
        _ => None,
    })
    .await
    {
        Err(ClientError::Told(reason)) => Ok(reason),
        other => other,
    }
}

/// The phase that a snapshot shows.
pub fn phase(view: &Snapshot) -> Phase {
    view.rows::<MatchState>().next().map_or(Phase::Waiting, |(_, state)| state.phase.into())
}
