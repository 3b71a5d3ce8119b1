//! Reverse proxies in front of the server, and what they are believed.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

/// Proxies in front of the server, and how they say whom a connection is for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProxyConfig {
    /// Networks (`10.0.0.0/8`) and addresses (`127.0.0.1`, `::1`) of the proxies. Nobody else is
    /// believed.
    pub trusted: Vec<String>,
    /// The header in which they say whom a request is for.
    pub header: ForwardingHeader,
    /// Whether they begin every connection to the players' listener with a PROXY header.
    pub protocol: ProxyProtocol,
}

/// The one header that is read. A proxy passes on what strangers put into the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardingHeader {
    /// `X-Forwarded-For`, which most proxies write.
    #[default]
    XForwardedFor,
    /// `Forwarded` of RFC 7239.
    Forwarded,
    /// None: for proxies that only pass bytes on.
    None,
}

/// What a trusted proxy's connection begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProxyProtocol {
    /// With TLS or HTTP.
    #[default]
    Off,
    /// With a PROXY header in its text form.
    V1,
    /// With a PROXY header in its binary form.
    V2,
    /// With a PROXY header in either form.
    Any,
}

/// The networks of `trusted`. `None` for one that is no network.
pub(crate) fn networks(trusted: &[String]) -> impl Iterator<Item = Option<IpNet>> {
    trusted.iter().map(|text| network(text))
}

/// Reads `192.0.2.0/24`, `2001:db8::/32` or a single address. What is IPv4 mapped into IPv6 comes
/// out as IPv4.
fn network(text: &str) -> Option<IpNet> {
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
    match network {
        IpNet::V6(mapped) if mapped.prefix_len() >= MAPPED_PREFIX && mapped.network().to_ipv4_mapped().is_some() => {
            let address = mapped.network().to_ipv4_mapped()?;
            Ipv4Net::new(address, mapped.prefix_len() - MAPPED_PREFIX).ok().map(IpNet::V4)
        }
        // It would hold the mapped addresses besides IPv6 ones: nobody means that.
        IpNet::V6(wide) if wide.prefix_len() > 0 && wide.contains(&Ipv6Addr::from_bits(0xffff_0000_0000)) => None,
        other => Some(other.trunc()),
    }
}

/// Bits of `::ffff:0:0/96`.
const MAPPED_PREFIX: u8 = 96;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_single_addresses_are_read() {
        let read = |text: &str| network(text).map(|network| network.to_string());
        assert_eq!(read("10.0.0.0/8").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(read("10.1.2.3/8").as_deref(), Some("10.0.0.0/8"), "whatever the host bits say");
        assert_eq!(read("127.0.0.1").as_deref(), Some("127.0.0.1/32"));
        assert_eq!(read("2001:db8::/32").as_deref(), Some("2001:db8::/32"));
        assert_eq!(read("::ffff:10.0.0.1").as_deref(), Some("10.0.0.1/32"), "as its addresses come out");
        assert_eq!(read("::ffff:10.0.0.0/104").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(read("::/0").as_deref(), Some("::/0"));
        for wrong in ["", "localhost", "10.0.0.0/33", "10.0.0", "::ffff:0:0/95", "10.0.0.1:80", "*"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
