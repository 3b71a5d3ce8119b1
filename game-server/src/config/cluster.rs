//! Several servers that are one: what they share, and how this one is found.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use tickwire_cluster::NodeId;

use super::error::{ConfigError, demand};

/// Longest address of a node, so that every message that names it has room.
const ADDRESS_BYTES_MAX: usize = 200;

/// Several servers that are one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClusterConfig {
    /// What the servers share: the URL of a Redis, as `redis://10.0.0.5/`. Absent for a server
    /// alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// This server's name among them: 1 to 32 of a-z, 0-9 and -. It keeps it when it starts again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_id: Option<String>,
    /// Where players reach this server: an http or https URL that ends with a slash. Absent for
    /// where it listens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertise: Option<String>,
    /// A server that is lost loses its matches to others after so long, milliseconds.
    pub lease_ms: u64,
    /// The modes whose frames wait until their tick is in the store. Others play on without it.
    pub consistent_modes: Vec<String>,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        Self { store: None, node_id: None, advertise: None, lease_ms: 1_200, consistent_modes: Vec::new() }
    }
}

impl ClusterConfig {
    /// Whether there are other servers.
    pub fn is_on(&self) -> bool {
        self.store.is_some()
    }

    /// Where players reach this server, which listens on `play`.
    pub fn address(&self, play: SocketAddr, is_secure: bool) -> String {
        let scheme = if is_secure { "https" } else { "http" };
        self.advertise.clone().unwrap_or_else(|| format!("{scheme}://{play}/"))
    }

    pub(super) fn check(&self, bind: IpAddr) -> Result<(), ConfigError> {
        demand((500..=60_000).contains(&self.lease_ms), "cluster.lease_ms", "must be 500 to 60000")?;
        if !self.is_on() {
            let key = if self.node_id.is_some() { "cluster.node_id" } else { "cluster.advertise" };
            return demand(self.node_id.is_none() && self.advertise.is_none(), key, "is of no use without cluster.store");
        }
        let is_name = self.node_id.as_deref().is_some_and(|name| NodeId::new(name).is_ok());
        demand(is_name, "cluster.node_id", "every server of a cluster has a name of its own: 1 to 32 of a-z, 0-9 and -")?;
        let is_address = self.advertise.as_deref().map_or(!bind.is_unspecified(), is_address);
        demand(is_address, "cluster.advertise", "must say where players reach this server: http:// or https://, a slash at the end")
    }
}

fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>\\;,?#".contains(&byte);
    text.len() <= ADDRESS_BYTES_MAX && text.ends_with('/') && text.bytes().all(is_plain) && rest.is_some_and(|rest| !rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn a_server_of_a_cluster_has_a_name_and_an_address() {
        let good = ClusterConfig {
            store: Some("redis://127.0.0.1/".into()),
            node_id: Some("a".into()),
            advertise: Some("https://play.example/n/a/".into()),
            ..ClusterConfig::default()
        };
        assert!(good.check(HERE).is_ok() && ClusterConfig::default().check(HERE).is_ok());
        let play = SocketAddr::from((HERE, 4_001));
        assert_eq!(good.address(play, false), "https://play.example/n/a/");
        let told = ClusterConfig { advertise: None, ..good.clone() };
        assert_eq!(told.address(play, true), "https://127.0.0.1:4001/");
        assert!(told.check(HERE).is_ok() && told.check(Ipv4Addr::UNSPECIFIED.into()).is_err());
        let refused = |change: fn(&mut ClusterConfig)| {
            let mut config = good.clone();
            change(&mut config);
            config.check(HERE).expect_err("refused").to_string()
        };
        assert!(refused(|config| config.store = None).contains("cluster.node_id"));
        assert!(refused(|config| config.node_id = Some("A".into())).contains("cluster.node_id"));
        assert!(refused(|config| config.lease_ms = 1).contains("cluster.lease_ms"));
        for other in ["", "play.example/", "https:///", "https://play.example", "ws://play.example/", "https://a/;script-src b/"] {
            let config = ClusterConfig { advertise: Some(other.into()), ..good.clone() };
            assert!(config.check(HERE).is_err(), "{other:?}");
        }
    }
}
