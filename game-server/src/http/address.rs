//! Whose address: that of who connected, and that of who a request is for. Both are told apart by
//! type, and counted as strangers are: by IPv4 address, or by IPv6 /64, which is what one household
//! or machine is given.

use std::fmt;
use std::net::IpAddr;

use tickwire_protocol::codec::{Decode, Encode};

/// Who connected, as the kernel or a PROXY header says: a client, or a proxy in front of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PeerAddress(IpAddr);

/// Who a request is for. Caps, rates, logs and the audit go by it. `Remote` alone says which client
/// a peer speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientAddress(IpAddr);

impl PeerAddress {
    /// Of a connection that was accepted from `address`.
    pub(super) const fn new(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    /// Any, for tests: in the server, the listener makes them.
    #[cfg(test)]
    pub(crate) const fn made_up(address: IpAddr) -> Self {
        Self::new(address)
    }

    /// What its connections are counted under.
    pub(super) fn key(self) -> AddressKey {
        self.0.into()
    }

    /// Of a client that connected by itself.
    pub(super) const fn as_client(self) -> ClientAddress {
        ClientAddress(self.0)
    }
}

impl ClientAddress {
    /// Any. In the server, `proxies` alone makes them.
    pub(crate) const fn new(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    /// What its budgets are counted under.
    pub(crate) fn key(self) -> AddressKey {
        self.0.into()
    }

    /// The address itself, for those who log it.
    pub(crate) fn ip(self) -> IpAddr {
        self.0
    }
}

/// An address in sixteen bytes, an IPv4 one as IPv6 has it: for other servers and processes.
pub(crate) fn to_bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// The address that [`to_bytes`] wrote.
pub(crate) fn from_bytes(bytes: [u8; 16]) -> IpAddr {
    IpAddr::from(bytes).to_canonical()
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The unit in which strangers are counted and limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub(crate) enum AddressKey {
    /// An IPv4 address, also when it comes mapped into IPv6.
    V4([u8; 4]),
    /// The first 64 bits of an IPv6 address.
    V6(u64),
}

impl From<IpAddr> for AddressKey {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(address: &str) -> AddressKey {
        address.parse::<IpAddr>().expect("an address").into()
    }

    #[test]
    fn one_key_is_an_ipv4_address_or_an_ipv6_64() {
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
        assert_eq!(key("192.0.2.1"), key("::ffff:192.0.2.1"), "mapped into IPv6 it is the same machine");
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
    }
}
