//! How a goose user becomes a player: guest session and seat over HTTP, through goose's own client so that they show in its
//! tables, then a WebSocket to the first snapshot.
//!
//! Invariant: players of one machine come from many addresses, as real ones do; a server that limits what one address may do
//! is loaded as it would be, not refused.

mod error;
mod requests;

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use goose::goose::{GooseMethod, GooseUser};
use http::StatusCode;
use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use serde_json::Value;
use tickwire_game::Game;
use tickwire_protocol::{CloseReason, Credential, WsUrl};
use tickwire_testkit::api::{self, Api, ApiError};
use tickwire_testkit::client::{Client, ClientError, Heard, query_of};
use tickwire_testkit::http_stream::{HttpStream, Reading};
use tickwire_testkit::line::Line;
use tickwire_testkit::link::{Link, Mix};
use tickwire_testkit::route::Route;
use tickwire_testkit::target::{Endpoint, any_like};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::scenario::{Door, Scenario};
pub use requests::Visitor;
use requests::{SeatApi, answer};

pub use error::EnterError;
use error::PATIENCE;

/// After a line that dropped a player tries again so soon.
const SECOND_TRY: Duration = Duration::from_millis(250);

/// A player's connection, over whatever network it has.
pub type PlayerClient<G> = Client<G, Link<Line>>;

/// What all players of a run need to come in.
pub struct Entrance {
    seats: SeatApi,
    network: Mix,
    reading: Option<Reading>,
    seed: u64,
    /// HTTP clients, each with its source address; players share them.
    clients: Vec<(Option<IpAddr>, reqwest::Client)>,
    users_per_address: usize,
    watch: Option<WatchAccess>,
}

/// The operator's door.
#[derive(Clone)]
pub struct WatchAccess {
    /// Where it is.
    pub admin: Endpoint,
    /// The operator's token.
    pub token: String,
}

/// How an entrance is set up.
pub struct Setup {
    /// Where players connect to.
    pub server: Endpoint,
    /// The mode they play.
    pub mode: String,
    /// Their networks.
    pub network: Mix,
    /// How they read messages over HTTP; `None` for WebSockets.
    pub reading: Option<Reading>,
    /// Of all random choices.
    pub seed: u64,
    /// Players in all.
    pub users: usize,
    /// Players that share a source address; 0 leaves the address to the system.
    pub users_per_address: usize,
    /// Index of the first player, where several processes load a server.
    pub first_user: usize,
    /// For spectators.
    pub watch: Option<WatchAccess>,
}

/// A way back in.
#[derive(Clone, Debug)]
pub struct WayBack {
    pub(crate) route: Route,
    credential: Credential,
    /// What the session was opened with that `credential` is of. A server that died, or was none any more, may
    /// have told nobody of the newest.
    before: Option<Credential>,
}

impl Entrance {
    /// Makes the clients that players share.
    pub fn new(setup: Setup) -> Result<Self, reqwest::Error> {
        // IPv6 has one loopback address, and this machine's others are not its own.
        let spreads = setup.users_per_address > 0 && setup.server.address.is_ipv4() && setup.server.address.ip().is_loopback();
        let (users_per_address, count) =
            if spreads { (setup.users_per_address, setup.users.div_ceil(setup.users_per_address)) } else { (setup.users.max(1), 1) };
        let first_address = setup.first_user / users_per_address;
        let clients = (0..count).map(|nth| {
            let source = spreads.then(|| Api::loopback_source(first_address + nth));
            let builder = reqwest::Client::builder().local_address(source).timeout(PATIENCE).pool_max_idle_per_host(1).no_proxy();
            let builder = match &setup.server.tls {
                Some(trust) => builder.tls_backend_preconfigured(trust.config().as_ref().clone()),
                // Reading the roots takes milliseconds a client, and nobody is to be believed.
                None => builder.tls_certs_only([]),
            };
            // The address that preflight found, for one of several may not answer.
            let builder = match setup.server.name() {
                Some(name) => builder.resolve(name, setup.server.address),
                None => builder,
            };
            Ok((source, builder.build()?))
        });
        Ok(Self {
            clients: clients.collect::<Result<_, reqwest::Error>>()?,
            seats: SeatApi::new(setup.server, setup.mode, setup.first_user),
            network: setup.network,
            reading: setup.reading,
            seed: setup.seed,
            users_per_address,
            watch: setup.watch,
        })
    }

    /// Lets a player in, and returns its connection at the first snapshot.
    pub async fn enter<G: Game>(
        &self,
        user: &mut GooseUser,
        visitor: &mut Visitor,
        scenario: &Scenario,
    ) -> Result<(PlayerClient<G>, Option<WayBack>), EnterError> {
        let source = self.use_client(user, visitor.index);
        if scenario.door == Door::Watch {
            return Ok((self.watch(user, visitor.index, source).await?, None));
        }
        let join = match self.seats.take(user, visitor, scenario.door).await {
            // The server has forgotten the guest, as after a restart.
            Err(EnterError::Api(ApiError::Refused { status: StatusCode::UNAUTHORIZED, .. })) => {
                visitor.session = None;
                self.seats.take(user, visitor, scenario.door).await?
            }
            other => other?,
        };
        let route = Route::new(&join.ws_url, &join.alternates);
        let mut way_in = WayBack { route, credential: Credential::Ticket(join.ticket), before: None };
        self.resume(user, visitor, scenario, &mut way_in).await
    }

    /// Brings a player to the seat that `way` leads to.
    pub async fn resume<G: Game>(
        &self,
        user: &mut GooseUser,
        visitor: &Visitor,
        scenario: &Scenario,
        way: &mut WayBack,
    ) -> Result<(PlayerClient<G>, Option<WayBack>), EnterError> {
        let source = self.use_client(user, visitor.index);
        if scenario.loses_welcome {
            self.lose_welcome::<G>(visitor.index, source, way).await?;
            tokio::time::sleep(SECOND_TRY).await;
        }
        let mut opened = self.open(visitor.index, source, way).await;
        let is_unknown = matches!(opened, Err(EnterError::Client(ClientError::Told(CloseReason::BadResume))));
        if let Some(before) = way.before.take().filter(|_| is_unknown && way.route.has_others()) {
            way.credential = before;
            opened = self.open(visitor.index, source, way).await;
        }
        let client = opened?;
        way.route.arrived();
        let way_back =
            client.resume_credential().map(|credential| WayBack { route: way.route.clone(), credential, before: Some(way.credential) });
        Ok((client, way_back))
    }

    /// Goose gives every user a client of its own; thousands of them share a few instead.
    fn use_client(&self, user: &mut GooseUser, index: usize) -> Option<IpAddr> {
        let (source, client) = self.clients.get(index / self.users_per_address).or(self.clients.last())?;
        user.client = client.clone();
        *source
    }

    async fn watch<G: Game>(&self, user: &mut GooseUser, index: usize, source: Option<IpAddr>) -> Result<PlayerClient<G>, EnterError> {
        let access = self.watch.as_ref().ok_or(EnterError::NothingToWatch)?;
        let bearer = format!("Bearer {}", access.token);
        let request = user.client.get(access.admin.url("/admin/api/matches")).header(AUTHORIZATION, &bearer);
        let list = answer(user, GooseMethod::Get, "/admin/api/matches", request).await?;
        let matches =
            list.get("matches").and_then(Value::as_array).filter(|matches| !matches.is_empty()).ok_or(EnterError::NothingToWatch)?;
        let watched = matches.get(index % matches.len()).ok_or(EnterError::NothingToWatch)?;
        let url = format!("ws://{}/admin/api/matches/{}/spectate", access.admin.address, api::text(watched, "id")?);
        let mut request = url.into_client_request().map_err(ClientError::from)?;
        let offer = format!("tickwire.spectate, bearer.{}", access.token);
        let offer = offer.parse().map_err(|_| EnterError::Goose("the operator's token is no header value".to_owned()))?;
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, offer);
        in_time(async {
            let stream = connect(&access.admin, source).await?;
            let mut client = Client::over(self.link(stream, index), request).await?;
            first_snapshot(&mut client).await?;
            Ok(client)
        })
        .await
    }

    /// Goes where Migrate says. After an error without a reason the next try is somewhere else.
    async fn open<G: Game>(&self, index: usize, source: Option<IpAddr>, way: &mut WayBack) -> Result<PlayerClient<G>, EnterError> {
        let opened = in_time(async {
            loop {
                let mut client = self.say_hello(index, source, way).await?;
                match start_of(&mut client).await? {
                    Start::Here => return Ok(client),
                    Start::There(url) if way.route.move_to(&url) => {}
                    Start::There(_) => return Err(ClientError::Told(CloseReason::Moved).into()),
                }
            }
        })
        .await;
        if !matches!(opened, Ok(_) | Err(EnterError::Client(ClientError::Told(_)))) {
            way.route.failed();
        }
        opened
    }

    /// Says Hello, and loses the line: every other player before the server's answer has come, the
    /// others before they have read it.
    async fn lose_welcome<G: Game>(&self, index: usize, source: Option<IpAddr>, way: &WayBack) -> Result<(), EnterError> {
        in_time(async {
            let mut client: PlayerClient<G> = self.say_hello(index, source, way).await?;
            if index.is_multiple_of(2) {
                return Ok(());
            }
            match client.next().await? {
                Heard::Closing(reason) => Err(ClientError::Told(reason).into()),
                _ => Ok(()),
            }
        })
        .await
    }

    async fn say_hello<G: Game>(&self, index: usize, source: Option<IpAddr>, way: &WayBack) -> Result<PlayerClient<G>, EnterError> {
        let home = Api::to(self.seats.server().clone(), source.unwrap_or_else(|| any_like(self.seats.server().address)));
        let (api, path) = home.towards(way.route.address()).await?;
        let server = api.server();
        let stream = api.open().await?;
        let url = format!("ws://{}{path}", server.authority);
        let down = self.link(stream, index);
        let mut client = match self.reading {
            None => Client::over(down, url).await?,
            Some(reading) => {
                let up = self.link(api.open().await?, index);
                Client::over_http(HttpStream::new(down, up, reading, &server.authority, query_of(&url)))
            }
        };
        client.hello(way.credential).await?;
        Ok(client)
    }

    fn link(&self, stream: Line, index: usize) -> Link<Line> {
        let user = self.seats.number(index);
        Link::new(stream, &self.network.deal(user, self.seed), self.seed.wrapping_add(user as u64))
    }
}

async fn connect(to: &Endpoint, source: Option<IpAddr>) -> io::Result<Line> {
    Api::to(to.clone(), source.unwrap_or_else(|| any_like(to.address))).open().await
}

/// What a session starts with.
enum Start {
    /// The first snapshot.
    Here,
    /// The match is elsewhere.
    There(WsUrl),
}

async fn start_of<G: Game>(client: &mut PlayerClient<G>) -> Result<Start, ClientError> {
    loop {
        match client.next().await? {
            Heard::Snapshot(_) => return Ok(Start::Here),
            Heard::Migrate(url) => return Ok(Start::There(url)),
            Heard::Closing(reason) => return Err(ClientError::Told(reason)),
            _ => {}
        }
    }
}

async fn first_snapshot<G: Game>(client: &mut PlayerClient<G>) -> Result<(), ClientError> {
    loop {
        match client.next().await? {
            Heard::Snapshot(_) => return Ok(()),
            Heard::Closing(reason) => return Err(ClientError::Told(reason)),
            _ => {}
        }
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, EnterError>>) -> Result<T, EnterError> {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or(Err(EnterError::TimedOut))
}
