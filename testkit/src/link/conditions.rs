//! What a network does to a connection, in numbers and as presets.

use std::num::NonZeroU64;
use std::time::Duration;

/// What a network does to one connection. The default is [`Conditions::ideal`]: nothing.
///
/// Written `wifi`, or `delay=40ms,jitter=10ms,down=2Mbit,up=500kbit,loss=1%,burst=3,stall=2s/30s` with what is left out being ideal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Conditions {
    /// One way, added to every segment in both directions: half of the round trip. Whole microseconds.
    pub delay: Duration,
    /// The most that is added to `delay`, evenly drawn for each segment. Whole microseconds.
    pub jitter: Duration,
    /// Bytes per second from the server, without limit if `None`.
    pub down: Option<NonZeroU64>,
    /// Bytes per second to the server, without limit if `None`.
    pub up: Option<NonZeroU64>,
    /// Segments that are lost on the way and sent again.
    pub loss: Option<Loss>,
    /// Times when nothing moves in either direction.
    pub stall: Option<Stall>,
}

/// Losses that come in bursts: Gilbert's model of two states, where the good one loses nothing and the bad one everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Segments lost of a million, on average; at most [`Loss::PER_MILLION_MAX`].
    pub per_million: u32,
    /// Segments lost in a row, on average; at least 1.
    pub burst: u32,
}

impl Loss {
    /// Half of all: beyond that it is an outage, which [`Stall`] describes better.
    pub const PER_MILLION_MAX: u32 = 500_000;
    /// A burst longer than this is an outage too.
    pub const BURST_MAX: u32 = 1_000;
}

/// Outages without loss, as when a radio changes its cell: everything waits and then goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    /// How long each lasts.
    pub length: Duration,
    /// From the end of one to the start of the next, on average; they come at random, with the same probability in each moment.
    pub every: Duration,
}

impl Conditions {
    /// A network that does nothing at all.
    pub const fn ideal() -> Self {
        Self { delay: Duration::ZERO, jitter: Duration::ZERO, down: None, up: None, loss: None, stall: None }
    }

    /// A laptop or console at home, two rooms from its access point, and a server in the same country.
    ///
    /// 20 ms there and back is fixed broadband's usual distance to a server of the region. The radio gives no bandwidth problem (it is that of
    /// the line: 50 and 10 Mbit) but waits for its turn, hence the jitter of the size of the delay. Its retries hide nearly all loss; what is
    /// left comes in short bursts. Most clients look for other access points about once a minute, off their channel for about 100 ms.
    pub const fn wifi() -> Self {
        Self {
            delay: millis(10),
            jitter: millis(8),
            down: mbit(50),
            up: mbit(10),
            loss: Some(Loss { per_million: 1_000, burst: 2 }),
            stall: Some(Stall { length: millis(100), every: Duration::from_mins(1) }),
        }
    }

    /// A telephone standing still, with fair reception.
    ///
    /// 12 Mbit both ways and 70 ms there and back are the `LTE` profile that web performance tests have long used. Upward grants and
    /// scheduling spread delays by tens of milliseconds. The radio resends what it loses, so that loss is rare, and a change of cell stops
    /// everything for a fraction of a second.
    pub const fn lte() -> Self {
        Self {
            delay: millis(35),
            jitter: millis(25),
            down: mbit(12),
            up: mbit(12),
            loss: Some(Loss { per_million: 2_000, burst: 3 }),
            stall: Some(Stall { length: millis(300), every: Duration::from_secs(45) }),
        }
    }

    /// A wired player across the Atlantic from the server.
    ///
    /// Light takes 28 ms through 5,600 km of fibre; real routes between the coasts' cities are about 80 ms there and back. Long wired paths
    /// hardly jitter, and lose a little where they are crowded, several segments at once as a queue overflows.
    pub const fn transatlantic() -> Self {
        Self {
            delay: millis(40),
            jitter: millis(3),
            down: mbit(50),
            up: mbit(10),
            loss: Some(Loss { per_million: 1_000, burst: 4 }),
            stall: None,
        }
    }

    /// A telephone on a moving train, the worst that somebody still tries to play on.
    ///
    /// Cells are changed every half minute or so, with seconds without service where the next one is weak or a tunnel comes; what is left of
    /// the bandwidth is shared with the carriage. Delay and loss are those of bad reception: some percent, in long bursts.
    pub const fn train() -> Self {
        Self {
            delay: millis(60),
            jitter: millis(60),
            down: mbit(2),
            up: kbit(500),
            loss: Some(Loss { per_million: 20_000, burst: 5 }),
            stall: Some(Stall { length: Duration::from_secs(2), every: Duration::from_secs(30) }),
        }
    }

    /// Whether they change nothing.
    pub fn is_ideal(&self) -> bool {
        *self == Self::ideal()
    }

    /// The time from sending a segment to hearing that it came, at its longest without queues.
    pub(super) fn round_trip(&self) -> Duration {
        self.delay * 2 + self.jitter
    }
}

/// Every preset by its name.
pub const PRESETS: [(&str, Conditions); 5] = [
    ("ideal", Conditions::ideal()),
    ("wifi", Conditions::wifi()),
    ("4g", Conditions::lte()),
    ("transatlantic", Conditions::transatlantic()),
    ("train", Conditions::train()),
];

const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

const fn mbit(count: u64) -> Option<NonZeroU64> {
    kbit(count * 1_000)
}

const fn kbit(count: u64) -> Option<NonZeroU64> {
    NonZeroU64::new(count * 125)
}
