//! The name a request asks for: exactly one `Host`, and on the operators' and the monitoring
//! system's listener only names that they were told.
//!
//! A page of another site can have its own name lead to this machine (DNS rebinding): then the
//! browser takes the server for that page's own, and the page may ask it anything. What gives it
//! away is the name, which it cannot change.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::header::HOST;
use http::{HeaderMap, StatusCode, Uri};

use super::problem::Problem;
use super::table::ExpiringTable;
use crate::metrics::{self, Reject};

/// Longest `Host`, bytes: a name of DNS and a port.
const HOST_BYTES_MAX: usize = 262;
/// The log has one line about a name in this time.
const TOLD_AGAIN: Duration = Duration::from_hours(1);
/// Names that have a line.
const TOLD_MAX: usize = 64;

/// A `Host`, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Host<'a> {
    /// As it was sent: of signs that are safe in any header.
    pub(crate) text: &'a str,
    name: &'a str,
}

impl<'a> Host<'a> {
    /// The one that a request names. `None` if there is none, several, or what is none.
    pub(crate) fn of(headers: &'a HeaderMap, uri: &Uri) -> Option<Self> {
        let mut hosts = headers.get_all(HOST).iter();
        let (host, None) = (hosts.next()?, hosts.next()) else { return None };
        let host = Self::parse(host.to_str().ok()?)?;
        let is_the_same = uri.authority().is_none_or(|authority| authority.as_str().eq_ignore_ascii_case(host.text));
        is_the_same.then_some(host)
    }

    fn parse(text: &'a str) -> Option<Self> {
        if text.len() > HOST_BYTES_MAX {
            return None;
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
            _ => (text, None),
        };
        let is_port = |port: &str| port.bytes().all(|digit| digit.is_ascii_digit()) && u16::from_str(port).is_ok();
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(|sign| sign.is_ascii_alphanumeric() || b"-._".contains(&sign));
        (port.is_none_or(is_port) && (is_name(name) || bracketed(name).is_some())).then_some(Self { text, name })
    }

    fn address(&self) -> Option<IpAddr> {
        bracketed(self.name).or_else(|| self.name.parse().ok())
    }
}

fn bracketed(name: &str) -> Option<IpAddr> {
    name.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6)
}

/// The names that a listener answers to.
#[derive(Debug)]
pub(crate) struct Hosts {
    /// `None` for any.
    told: Option<Told>,
}

#[derive(Debug)]
struct Told {
    setting: &'static str,
    listed: Vec<String>,
    bind: IpAddr,
    logged: Mutex<ExpiringTable<String, ()>>,
}

impl Hosts {
    /// Any name.
    pub(crate) const fn any() -> Self {
        Self { told: None }
    }

    /// Those that `setting` lists. If it lists none: localhost, loopback addresses and the
    /// listener's own address; if it listens on all, any address, as nobody's name is one.
    pub(crate) fn told(setting: &'static str, listed: &[String], bind: IpAddr) -> Self {
        let listed = listed.iter().map(|name| plain(name)).collect();
        Self { told: Some(Told { setting, listed, bind, logged: Mutex::new(ExpiringTable::new(TOLD_MAX)) }) }
    }

    /// The `Host` of a request, if it may be answered.
    pub(crate) fn check<'a>(&self, headers: &'a HeaderMap, uri: &Uri) -> Result<Host<'a>, Problem> {
        let host = Host::of(headers, uri).ok_or_else(|| {
            metrics::count_reject(Reject::Host);
            Problem::bad_request("A request names the server's address in one Host header.")
        })?;
        match &self.told {
            Some(told) if !told.has(host) => {
                metrics::count_reject(Reject::Host);
                told.log(Instant::now(), host);
                let detail = format!("This listener does not answer to that name. Whoever runs the server adds it to {}.", told.setting);
                Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "host_not_allowed", detail))
            }
            _ => Ok(host),
        }
    }
}

impl Told {
    fn has(&self, host: Host<'_>) -> bool {
        let name = plain(host.name);
        if !self.listed.is_empty() {
            return self.listed.contains(&name);
        }
        match host.address() {
            Some(address) => {
                let address = address.to_canonical();
                address.is_loopback() || self.bind.is_unspecified() || address == self.bind.to_canonical()
            }
            None => name == "localhost" || name.ends_with(".localhost"),
        }
    }

    fn log(&self, now: Instant, host: Host<'_>) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let name = plain(host.name);
        if logged.get_mut(now, &name).is_none() && logged.insert(now, name, (), now + TOLD_AGAIN).is_ok() {
            let (host, setting) = (host.text, self.setting);
            tracing::warn!(host, setting, "refused a request by its Host; if the name is yours, add it to the setting");
        }
    }
}

/// As names are compared.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn checked(hosts: &Hosts, values: &[&str]) -> u16 {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HOST, value.parse().expect("a header"));
        }
        hosts.check(&headers, &Uri::from_static("/")).map_or_else(|problem| problem.status.as_u16(), |_| 200)
    }

    #[test]
    fn there_is_one_host_and_it_is_one() {
        let any = Hosts::any();
        for good in ["a", "play.example", "play.example:8080", "127.0.0.1:1", "[::1]", "[::1]:65535", "tickwire_backend", "EXAMPLE."] {
            assert_eq!(checked(&any, &[good]), 200, "{good}");
        }
        for bad in ["", ":80", "a:", "a:x", "a:65536", "a b", "a;b", "a/b", "[::1", "::1", "[x]", "a@b", "a,b", "\u{e9}", &"x".repeat(300)]
        {
            assert_eq!(checked(&any, &[bad]), 400, "{bad}");
        }
        assert_eq!([checked(&any, &[]), checked(&any, &["a", "a"])], [400; 2]);
    }

    #[test]
    fn a_request_in_absolute_form_names_the_same() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "play.example".parse().expect("a header"));
        assert!(Host::of(&headers, &Uri::from_static("http://Play.Example/x")).is_some());
        assert!(Host::of(&headers, &Uri::from_static("http://other.example/x")).is_none());
    }

    #[test]
    fn operators_are_answered_by_the_names_that_were_told() {
        let loopback = Hosts::told("admin.hosts", &[], IpAddr::V4(Ipv4Addr::LOCALHOST));
        for own in
            ["127.0.0.1:8081", "localhost:8081", "LocalHost", "localhost.", "[::1]:8081", "127.0.0.9", "[::ffff:127.0.0.1]", "x.localhost"]
        {
            assert_eq!(checked(&loopback, &[own]), 200, "{own}");
        }
        for other in [
            "evil.example:8081",
            "192.0.2.1",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "[2001:db8::1]",
            "0x7f000001",
            "2130706433",
        ] {
            assert_eq!(checked(&loopback, &[other]), 421, "{other}");
        }
        let all = Hosts::told("admin.hosts", &[], IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        assert_eq!([checked(&all, &["192.0.2.1:8081"]), checked(&all, &["evil.example"])], [200, 421]);
        let listed = Hosts::told("admin.hosts", &["Admin.Example".to_owned()], IpAddr::V4(Ipv4Addr::LOCALHOST));
        assert_eq!([checked(&listed, &["admin.example:443"]), checked(&listed, &["localhost"])], [200, 421]);
    }

    #[test]
    fn a_flood_of_names_does_not_fill_the_log() {
        let told = Hosts::told("admin.hosts", &[], IpAddr::V4(Ipv4Addr::LOCALHOST)).told.expect("names");
        let now = Instant::now();
        (0..1_000).for_each(|n| told.log(now, Host::parse(&format!("{n}.example")).expect("a host")));
        assert_eq!(told.logged.lock().expect("a table").len(), TOLD_MAX);
    }
}
