//! The origin of a page, as browsers send it and operators write it.

use std::fmt;

use http::uri::Authority;

/// Scheme, host and port of a page, in one spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: String,
    /// Lower case, without the scheme's default port.
    authority: String,
}

impl Origin {
    /// Reads `scheme://host[:port]` with nothing after it. `null` is no origin.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let authority = normalised(&scheme, authority)?;
        matches!(scheme.as_str(), "http" | "https").then_some(Self { scheme, authority })
    }

    /// The host, in brackets if it is an IPv6 address.
    pub(crate) fn host(&self) -> &str {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.authority,
        }
    }

    /// The host, with its port unless it is the scheme's own.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Where its WebSockets are.
    pub(crate) fn websocket(&self) -> String {
        let scheme = if self.scheme == "https" { "wss" } else { "ws" };
        format!("{scheme}://{}", self.authority)
    }

    /// Whether a request with this `Host` goes to where the page came from. The scheme is not
    /// compared: behind a proxy that ends TLS the server does not know its own.
    pub(crate) fn is_at(&self, host: &str) -> bool {
        normalised(&self.scheme, host).is_some_and(|host| host == self.authority)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

fn normalised(scheme: &str, authority: &str) -> Option<String> {
    let authority: Authority = authority.parse().ok()?;
    if authority.as_str().contains('@') {
        return None;
    }
    let default_port = if scheme == "https" { 443 } else { 80 };
    let host = authority.host().to_ascii_lowercase();
    // Hosts end up in a header of ours: none brings signs that mean something there.
    if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte)) {
        return None;
    }
    match authority.port() {
        // A colon with nothing behind it, or with what is no port.
        None if authority.as_str() != authority.host() => None,
        Some(port) if port.as_str().parse() != Ok(default_port) => Some(format!("{host}:{}", port.as_str().parse::<u16>().ok()?)),
        _ => Some(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_in_one_spelling() {
        let spelled = |text: &str| Origin::parse(text).map(|origin| origin.to_string());
        assert_eq!(spelled("HTTPS://CDN.Example:443").as_deref(), Some("https://cdn.example"));
        assert_eq!(spelled("http://[::1]:08081").as_deref(), Some("http://[::1]:8081"));
        assert_eq!(spelled("https://cdn.example,https://evil.example"), None);
    }
}
