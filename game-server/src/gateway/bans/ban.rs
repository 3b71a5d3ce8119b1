//! A ban: of whom, why, until when.

use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime};

use ipnet::IpNet;

use crate::http::address::AddressKey;
use crate::matches::PlayerKey;

/// Most bans.
pub(crate) const BANS_MAX: usize = 4_096;
/// Most characters of a reason, and of the name that a ban is remembered by.
pub(crate) const TEXT_CHARS_MAX: usize = 200;
/// Who bans more of the internet than this bans everyone by mistake.
const PREFIX_MIN: [u8; 2] = [8, 16];

/// Whom a ban is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Whom {
    /// A guest's session, or an account.
    Player(PlayerKey),
    /// Everyone who comes from there.
    Network(IpNet),
}

/// A ban that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct NewBan {
    /// The player or network that is kept out.
    pub(crate) whom: Whom,
    /// What the operator remembers them by.
    pub(crate) name: String,
    /// The player reads it.
    pub(crate) reason: String,
    /// `None` until it is lifted.
    pub(crate) lasts: Option<Duration>,
}

/// A ban.
#[derive(Clone, Debug)]
pub(crate) struct Ban {
    /// Tells it from others.
    pub(crate) id: u64,
    /// What was asked for.
    pub(crate) what: NewBan,
    /// When.
    pub(crate) since: SystemTime,
    /// Until when; `None` until it is lifted.
    pub(crate) until: Option<Instant>,
}

impl Whom {
    /// An address or network, as `192.0.2.7` or `2001:db8::/48`. `None` if it is none, or so much
    /// of the internet that it must be a mistake.
    pub(crate) fn network(text: &str) -> Option<Self> {
        let network: IpNet = text.parse().or_else(|_| text.parse().map(single)).ok()?;
        let least = if network.addr().is_ipv4() { PREFIX_MIN[0] } else { PREFIX_MIN[1] };
        (network.prefix_len() >= least).then_some(Self::Network(network.trunc()))
    }
}

/// The network that stands for one stranger at `address`.
pub(crate) fn network_of(address: IpAddr) -> IpNet {
    single(address.to_canonical())
}

fn single(address: IpAddr) -> IpNet {
    match AddressKey::from(address) {
        AddressKey::V4(_) => IpNet::from(address.to_canonical()),
        AddressKey::V6(_) => IpNet::new_assert(address, 64).trunc(),
    }
}

impl Ban {
    /// How much longer it lasts; `None` until it is lifted.
    pub(crate) fn left(&self, now: Instant) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(now))
    }
}
