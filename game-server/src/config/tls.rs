//! TLS on the players' listener.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// TLS on the players' listener, and on the operator's where that is not on loopback.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// File with the certificate in PEM, and those that vouch for it. Without one there is no TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// File with its private key in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Make a certificate that nobody vouches for instead, for a LAN party.
    pub self_signed: bool,
    /// Port where plain HTTP is sent to HTTPS; absent for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_port: Option<u16>,
    /// Handshakes per minute from one address; 0 for no limit.
    pub handshakes_per_minute: u32,
}

impl Default for TlsConfig {
    fn default() -> Self {
        Self { cert: None, key: None, self_signed: false, redirect_port: None, handshakes_per_minute: 2_400 }
    }
}

impl TlsConfig {
    /// Whether there is any.
    pub fn is_on(&self) -> bool {
        self.cert.is_some() || self.self_signed
    }
}
