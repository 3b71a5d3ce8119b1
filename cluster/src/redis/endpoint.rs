//! Where Redis is: one server, one that Sentinels name, or a cluster.

use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, RedisError, RedisResult, Value};

/// Most hosts that the store's address names.
const HOSTS_MAX: usize = 32;

/// A URL is no address of Redis. It is not repeated here: there may be a password in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the store's address is redis://host:port, redis+sentinel://host,host/name-of-the-master or \
     redis+cluster://host,host, at most {HOSTS_MAX} hosts; rediss with TLS; with a password: redis://user:password@host"
)]
pub struct AddressError;

#[derive(Clone)]
pub(super) enum Endpoint {
    One(Client),
    Sentinel { sentinels: Vec<Client>, master: String, login: Login },
    Cluster { hosts: Vec<Client>, client: Box<ClusterClient> },
}

/// What a URL says besides hosts.
#[derive(Clone)]
pub(super) struct Login {
    scheme: &'static str,
    /// `user:password@`, or nothing.
    user: String,
    /// `/` and the number of a database, or nothing.
    database: String,
}

/// An open connection.
#[derive(Clone)]
pub(super) enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Endpoint {
    /// Reads an address.
    ///
    /// # Errors
    /// If it is none.
    pub(super) fn new(url: &str, deadline: Duration) -> Result<Self, AddressError> {
        let (scheme, rest) = url.split_once("://").ok_or(AddressError)?;
        let (is_tls, kind) = match scheme {
            "redis" => (false, ""),
            "rediss" => (true, ""),
            _ => match scheme.split_once('+').ok_or(AddressError)? {
                ("redis", kind) => (false, kind),
                ("rediss", kind) => (true, kind),
                _ => return Err(AddressError),
            },
        };
        let (user, rest) = rest.rsplit_once('@').map_or(("", rest), |(user, rest)| (user, rest));
        let user = if user.is_empty() { String::new() } else { format!("{user}@") };
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let hosts: Vec<&str> = hosts.split(',').collect();
        if hosts.len() > HOSTS_MAX || hosts.iter().any(|host| host.is_empty()) {
            return Err(AddressError);
        }
        if is_tls {
            // Its client asks for the process's own; an earlier one stays.
            rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        }
        let mut login = Login { scheme: if is_tls { "rediss" } else { "redis" }, user, database: String::new() };
        match (kind, &hosts[..]) {
            ("", [host]) => {
                login.database = if path.is_empty() { String::new() } else { format!("/{path}") };
                Ok(Self::One(login.client(&with_port(host, 6_379))?))
            }
            ("sentinel", hosts) => {
                let (master, database) = path.split_once('/').unwrap_or((path, ""));
                if master.is_empty() {
                    return Err(AddressError);
                }
                let of_sentinels = Login { scheme: login.scheme, user: String::new(), database: String::new() };
                let sentinels = hosts.iter().map(|host| of_sentinels.client(&with_port(host, 26_379))).collect::<Result<_, _>>()?;
                login.database = if database.is_empty() { String::new() } else { format!("/{database}") };
                Ok(Self::Sentinel { sentinels, master: master.to_owned(), login })
            }
            ("cluster", hosts) if path.is_empty() => {
                let hosts: Vec<_> = hosts.iter().map(|host| login.client(&with_port(host, 6_379))).collect::<Result<_, _>>()?;
                let infos = hosts.iter().map(|host| host.get_connection_info().clone());
                let client = ClusterClient::builder(infos)
                    .connection_timeout(deadline / 2)
                    .response_timeout(deadline)
                    .retries(3)
                    .max_retry_wait(100)
                    .build()
                    .map_err(|_| AddressError)?;
                Ok(Self::Cluster { hosts, client: Box::new(client) })
            }
            _ => Err(AddressError),
        }
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster { .. })
    }

    /// Opens a connection. The caller sees to it that this ends.
    pub(super) async fn connect(&self) -> RedisResult<Connection> {
        match self {
            Self::Cluster { client, .. } => client.get_async_connection().await.map(Connection::Cluster),
            Self::One(client) => connect_to(client).await.map(Connection::One),
            Self::Sentinel { .. } => connect_to(&self.server(0).await?).await.map(Connection::One),
        }
    }

    /// A server to subscribe with: of a cluster another one with each attempt.
    pub(super) async fn server(&self, attempt: usize) -> RedisResult<Client> {
        match self {
            Self::One(client) => Ok(client.clone()),
            Self::Cluster { hosts, .. } => {
                let none = || RedisError::from((ErrorKind::InvalidClientConfig, "a cluster of no hosts"));
                hosts.get(attempt % hosts.len().max(1)).cloned().ok_or_else(none)
            }
            Self::Sentinel { sentinels, master, login } => find_master(sentinels, master, login).await,
        }
    }
}

impl Login {
    fn client(&self, host: &str) -> Result<Client, AddressError> {
        Client::open(format!("{}://{}{host}{}", self.scheme, self.user, self.database)).map_err(|_| AddressError)
    }
}

impl Connection {
    pub(super) async fn ask(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::One(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => command.query_async(connection).await,
        }
    }
}

/// Asks all Sentinels at once, so that one that hangs keeps nobody waiting. The first server that
/// one of them names and that says itself that it is the master is it.
async fn find_master(sentinels: &[Client], name: &str, login: &Login) -> RedisResult<Client> {
    let mut answers: FuturesUnordered<_> = sentinels.iter().map(|sentinel| ask_sentinel(sentinel, name, login)).collect();
    let mut last: RedisError = (ErrorKind::EmptySentinelList, "no Sentinel answers").into();
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(master) => return Ok(master),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn ask_sentinel(sentinel: &Client, name: &str, login: &Login) -> RedisResult<Client> {
    let unknown = || RedisError::from((ErrorKind::MasterNameNotFoundBySentinel, "Sentinel knows no such master"));
    let mut connection = connect_to(sentinel).await?;
    let address: Option<(String, u16)> =
        redis::cmd("SENTINEL").arg("get-master-addr-by-name").arg(name).query_async(&mut connection).await?;
    let (host, port) = address.ok_or_else(unknown)?;
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let server = login.client(&format!("{host}:{port}")).map_err(|_| unknown())?;
    let mut connection = connect_to(&server).await?;
    let role: Vec<Value> = redis::cmd("ROLE").query_async(&mut connection).await?;
    match role.first() {
        Some(Value::BulkString(role)) if role == b"master" => Ok(server),
        _ => Err((ErrorKind::Server(redis::ServerErrorKind::ReadOnly), "who is called the master is a replica").into()),
    }
}

async fn connect_to(client: &Client) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None).set_pipeline_buffer_size(1_024);
    client.get_multiplexed_async_connection_with_config(&config).await
}

fn with_port(host: &str, port: u16) -> String {
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) && !host.ends_with(']');
    if has_port { host.to_owned() } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_one_server_sentinels_or_a_cluster() {
        let read = |url: &str| Endpoint::new(url, Duration::from_secs(1));
        for url in ["redis://h", "redis://u:p@h:1/2", "rediss://[::1]:1", "redis://[::1]"] {
            assert!(matches!(read(url), Ok(Endpoint::One(_))), "{url}");
        }
        assert!(matches!(read("redis+cluster://:p@h,i:7"), Ok(Endpoint::Cluster { hosts, .. }) if hosts.len() == 2));
        let Ok(Endpoint::Sentinel { sentinels, master, login }) = read("rediss+sentinel://u:p@h,i:7/main/3") else {
            panic!("Sentinels are named");
        };
        assert_eq!((sentinels.len(), master.as_str()), (2, "main"));
        assert_eq!((login.user.as_str(), login.database.as_str()), ("u:p@", "/3"));
        assert_eq!(sentinels[0].get_connection_info().redis_settings().username(), None, "players' store, not Sentinels', has that login");
    }

    #[test]
    fn anything_else_is_refused_and_not_repeated() {
        let many = format!("redis+cluster://{}", vec!["h"; HOSTS_MAX + 1].join(","));
        for url in [
            "",
            "h",
            "http://h",
            "redis://",
            "redis://h,i",
            "redis+sentinel://h",
            "redis+sentinel://h/",
            "redis+cluster://h/1",
            "redis+x://h",
            "redis://secret@h:x/y",
            &many,
        ] {
            let error = Endpoint::new(url, Duration::from_secs(1)).err().unwrap_or_else(|| panic!("{url} is taken"));
            assert!(!error.to_string().contains("secret"));
        }
    }
}
