//! The servers that are measured.

use std::str::FromStr;

use anyhow::{Result, bail};

/// One of the servers side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Arm {
    /// One thread that writes as many bytes to as many sockets, and nothing else.
    Floor,
    /// The real server, with the fastest transport there is.
    Tickwire,
    /// The real server, with tokio-tungstenite.
    TickwirePortable,
    /// The real server, its messages over HTTP.
    TickwireHttp,
    /// The real server, with TLS that it speaks itself.
    TickwireTls,
    /// The real server, which keeps its matches on disk.
    TickwireJournal,
    /// As `TickwireJournal`, under its supervisor, which holds the players' connections.
    TickwireSupervised,
    /// As `TickwireJournal`, synced once a second.
    TickwireJournalSecond,
    /// As `TickwireJournal`, synced before each tick is sent.
    TickwireJournalTick,
    /// Colyseus as its documentation recommends it.
    Colyseus,
    /// Colyseus with inputs as room messages.
    ColyseusMessages,
    /// Node and `ws`, the state as JSON.
    WsJson,
    /// Node and `ws`, the state packed by hand.
    WsBinary,
}

impl Arm {
    /// In the order of tables.
    pub(crate) const ALL: [Self; 13] = [
        Self::Floor,
        Self::Tickwire,
        Self::TickwirePortable,
        Self::TickwireHttp,
        Self::TickwireTls,
        Self::TickwireJournal,
        Self::TickwireSupervised,
        Self::TickwireJournalSecond,
        Self::TickwireJournalTick,
        Self::WsBinary,
        Self::WsJson,
        Self::Colyseus,
        Self::ColyseusMessages,
    ];
    /// What is run when nothing else is asked for.
    pub(crate) const USUAL: [Self; 7] =
        [Self::Floor, Self::Tickwire, Self::TickwirePortable, Self::TickwireTls, Self::WsBinary, Self::WsJson, Self::Colyseus];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Tickwire => "tickwire",
            Self::TickwirePortable => "tickwire-portable",
            Self::TickwireHttp => "tickwire-http",
            Self::TickwireTls => "tickwire-tls",
            Self::TickwireJournal => "tickwire-journal",
            Self::TickwireSupervised => "tickwire-supervised",
            Self::TickwireJournalSecond => "tickwire-journal-second",
            Self::TickwireJournalTick => "tickwire-journal-tick",
            Self::Colyseus => "colyseus",
            Self::ColyseusMessages => "colyseus-messages",
            Self::WsJson => "ws-json",
            Self::WsBinary => "ws-binary",
        }
    }

    /// What `tickwire` calls its transport, for the arms that it is.
    pub(crate) const fn transport(self) -> Option<&'static str> {
        match self {
            Self::TickwirePortable => Some("portable"),
            Self::Floor | Self::Colyseus | Self::ColyseusMessages | Self::WsJson | Self::WsBinary => None,
            _ => Some("auto"),
        }
    }

    /// What it keeps of its matches outlives, if it keeps anything.
    pub(crate) const fn durability(self) -> Option<&'static str> {
        match self {
            Self::TickwireJournal | Self::TickwireSupervised => Some("process"),
            Self::TickwireJournalSecond => Some("second"),
            Self::TickwireJournalTick => Some("tick"),
            _ => None,
        }
    }

    /// Whether the server is a child of the process that is started.
    pub(crate) const fn is_supervised(self) -> bool {
        matches!(self, Self::TickwireSupervised)
    }

    /// Whether it speaks TLS.
    pub(crate) const fn is_secure(self) -> bool {
        matches!(self, Self::TickwireTls)
    }

    /// The script of the packages' folder that it is, for those that run on Node.
    pub(crate) const fn script(self) -> Option<&'static str> {
        match self {
            Self::Colyseus | Self::ColyseusMessages => Some("colyseus.js"),
            Self::WsJson | Self::WsBinary => Some("ws.js"),
            _ => None,
        }
    }
}

impl FromStr for Arm {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::ALL.iter().copied().find(|arm| arm.name() == name);
        match known {
            Some(arm) => Ok(arm),
            None => bail!("there is no arm `{name}`; there are: {}", Self::ALL.map(Self::name).join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arms_are_found_by_name() {
        for arm in Arm::ALL {
            assert_eq!(arm.name().parse::<Arm>().expect("its own name"), arm);
        }
        let refused = "socketio".parse::<Arm>().expect_err("no arm").to_string();
        assert!(refused.contains("`socketio`") && refused.contains("ws-binary"), "{refused}");
    }
}
