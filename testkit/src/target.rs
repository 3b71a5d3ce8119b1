//! Where a server is, as a person writes it: `10.0.0.5:8080`, `[::1]:8080`, `localhost:8080` or
//! `http://host:8080`, or `https://` where TLS is spoken.
//!
//! Invariant: a request says the name that was written (a proxy chooses by it), whatever address it
//! is sent to.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};

use crate::line::Trust;

/// How long an address may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A host and a port, as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A name, or an address without brackets.
    host: String,
    port: u16,
    /// Whether TLS is spoken there.
    is_secure: bool,
}

/// A server that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where to connect.
    pub address: SocketAddr,
    /// Its name and port, for `Host` and URLs.
    pub authority: String,
    /// Whom to believe to be it; `None` if no TLS is spoken there.
    pub tls: Option<Trust>,
}

impl Endpoint {
    /// A server known by its address alone.
    pub fn at(address: SocketAddr) -> Self {
        Self { address, authority: address.to_string(), tls: None }
    }

    /// This server, where TLS is spoken.
    #[must_use]
    pub fn secured(self, tls: Option<Trust>) -> Self {
        Self { tls, ..self }
    }

    /// The URL of `path` there.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.authority)
    }

    /// The host alone.
    pub fn host(&self) -> &str {
        self.authority.rsplit_once(':').map_or(self.authority.as_str(), |(host, _)| host)
    }

    /// The host alone, if it is a name.
    pub fn name(&self) -> Option<&str> {
        let host = self.host();
        let is_address = host.starts_with('[') || host.parse::<IpAddr>().is_ok();
        (!is_address).then_some(host)
    }
}

impl Target {
    /// This host without TLS, so many ports further; `None` if there is no such port.
    pub fn port_after(&self, count: u16) -> Option<Self> {
        Some(Self { host: self.host.clone(), port: self.port.checked_add(count)?, is_secure: false })
    }

    /// Whether it was written with `https://`.
    pub const fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// Every address of the host. Of this machine's own, IPv4's come first: only those can be
    /// spread over many players.
    pub async fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        if self.host.eq_ignore_ascii_case("localhost") {
            // Whatever this machine's table of hosts says of it (RFC 6761).
            let both: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            return Ok(both.map(|address| SocketAddr::new(address, self.port)).into());
        }
        let mut found: Vec<SocketAddr> = lookup_host((self.host.as_str(), self.port)).await?.collect();
        if found.iter().all(|address| address.ip().is_loopback()) {
            found.sort_by_key(SocketAddr::is_ipv6);
        }
        found.dedup();
        if found.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        }
        Ok(found)
    }

    /// The first of the host's addresses where somebody listens.
    pub async fn find(&self) -> io::Result<Endpoint> {
        let mut why = io::Error::from(io::ErrorKind::NotFound);
        for address in self.addresses().await? {
            match tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await {
                Ok(Ok(_)) => return Ok(Endpoint { address, authority: self.to_string(), tls: None }),
                Ok(Err(error)) => why = error,
                Err(_) => why = io::Error::new(io::ErrorKind::TimedOut, format!("nothing came for {} s", PATIENCE.as_secs())),
            }
        }
        Err(why)
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let is_secure = text.starts_with("https://");
        let is_url = is_secure || text.starts_with("http://");
        let text = text.strip_prefix("https://").or(text.strip_prefix("http://")).unwrap_or(text);
        let text = text.strip_suffix('/').unwrap_or(text);
        if text.contains("://") || text.contains(['/', '?', '#', '@']) || text.contains(char::is_whitespace) {
            return Err("expected HOST:PORT, http://HOST:PORT or https://HOST:PORT, with nothing behind it".to_owned());
        }
        let no_port =
            if is_url { Ok(if is_secure { HTTPS_PORT } else { HTTP_PORT }) } else { Err("the port is missing, such as :8080".to_owned()) };
        let port = |digits: &str| match digits.parse() {
            Ok(port) if port > 0 => Ok(port),
            _ => Err(format!("`{digits}` is no port: it must be 1 to 65535")),
        };
        if let Some(rest) = text.strip_prefix('[') {
            let (host, behind) = rest.split_once(']').ok_or("the bracket is not closed: write [::1]:8080")?;
            host.parse::<Ipv6Addr>().map_err(|_| format!("`{host}` is no IPv6 address"))?;
            let port = match behind.strip_prefix(':') {
                Some(digits) => port(digits)?,
                None if behind.is_empty() => no_port?,
                None => return Err(format!("`{behind}` after the bracket is no port: write [::1]:8080")),
            };
            return Ok(Self { host: host.to_owned(), port, is_secure });
        }
        match text.split_once(':') {
            Some((_, rest)) if rest.contains(':') => Err("write an IPv6 address in brackets, such as [::1]:8080".to_owned()),
            Some(("", _)) => Err("the host is missing, such as localhost:8080".to_owned()),
            Some((host, digits)) => Ok(Self { host: host.to_owned(), port: port(digits)?, is_secure }),
            None if text.is_empty() => Err("expected HOST:PORT".to_owned()),
            None => Ok(Self { host: text.to_owned(), port: no_port?, is_secure }),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') { write!(f, "[{}]:{}", self.host, self.port) } else { write!(f, "{}:{}", self.host, self.port) }
    }
}

/// An address that means: any of the family of `of`.
pub fn any_like(of: SocketAddr) -> IpAddr {
    if of.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() }
}

const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        text.parse::<Target>().unwrap_or_else(|why| panic!("{text}: {why}")).to_string()
    }

    fn refused(text: &str) -> String {
        text.parse::<Target>().expect_err(text)
    }

    #[test]
    fn names_both_families_and_urls_are_places() {
        for (text, expected) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("localhost:8080", "localhost:8080"),
            ("[::1]:8080", "[::1]:8080"),
            ("http://[2001:db8::7]:81/", "[2001:db8::7]:81"),
            ("http://game.example", "game.example:80"),
            ("https://game.example/", "game.example:443"),
            (" http://game.example:8080/ ", "game.example:8080"),
        ] {
            assert_eq!(written(text), expected);
        }
        assert_eq!("[::1]:8080".parse::<Target>().expect("a place").port_after(2).expect("a port").to_string(), "[::1]:8082");
        assert_eq!("a:65535".parse::<Target>().expect("a place").port_after(1), None);
    }

    #[test]
    fn what_is_no_place_is_refused_with_a_reason() {
        assert_eq!(refused("localhost"), "the port is missing, such as :8080");
        assert_eq!(refused("::1:8080"), "write an IPv6 address in brackets, such as [::1]:8080");
        assert_eq!(refused("[::1:8080"), "the bracket is not closed: write [::1]:8080");
        assert_eq!(refused("[host]:8080"), "`host` is no IPv6 address");
        assert_eq!(refused("[::1]8080"), "`8080` after the bracket is no port: write [::1]:8080");
        assert_eq!(refused("host:0"), "`0` is no port: it must be 1 to 65535");
        assert_eq!(refused("host:http"), "`http` is no port: it must be 1 to 65535");
        assert_eq!(refused(":8080"), "the host is missing, such as localhost:8080");
        assert!(refused("http://host:80/page").contains("nothing behind it") && refused("ws://host:80").contains("nothing behind it"));
    }

    #[test]
    fn an_endpoint_knows_whether_it_has_a_name() {
        let at = |authority: &str| Endpoint { address: SocketAddr::from(([127, 0, 0, 1], 80)), authority: authority.to_owned(), tls: None };
        assert_eq!([at("game.example:80").name(), at("[::1]:80").name(), at("10.0.0.1:80").name()], [Some("game.example"), None, None]);
    }

    #[tokio::test]
    async fn somebody_is_found_at_whichever_address_listens() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let target: Target = format!("localhost:{}", address.port()).parse().expect("a place");
        let endpoint = target.find().await.expect("found");
        assert_eq!((endpoint.address, endpoint.authority), (address, target.to_string()));
    }
}
