//! What no single value's type can say: settings that are out of range or contradict each other.

use super::error::demand;
use super::origin::Origin;
use super::{Config, ConfigError, ProxyProtocol, networks};
use tickwire_protocol::limits::TICK_RATE_MAX;

impl Config {
    /// Refuses settings that cannot work.
    pub fn check(&self) -> Result<(), ConfigError> {
        check(self)
    }
}

fn check(config: &Config) -> Result<(), ConfigError> {
    let connections = &config.connections;
    let (session, matches, tls) = (&config.session, &config.matches, &config.tls);
    at_least_one("connections.total", connections.total)?;
    at_least_one("connections.per_address", connections.per_address)?;
    at_least_one("connections.unauthenticated", connections.unauthenticated)?;
    at_least_one("connections.header_ms", connections.header_ms)?;
    at_least_one("connections.idle_ms", connections.idle_ms)?;
    at_least_one("connections.request_ms", connections.request_ms)?;
    at_least_one("connections.hello_ms", connections.hello_ms)?;
    at_least_one("sessions.per_address", config.sessions.per_address)?;
    at_least_one("sessions.seats_max", config.sessions.seats_max)?;
    at_least_one("sessions.seats_per_address", config.sessions.seats_per_address)?;
    at_least_one("sessions.matches_max", config.sessions.matches_max)?;
    at_least_one("sessions.matches_per_address", config.sessions.matches_per_address)?;
    at_least_one("session.messages_per_second", session.messages_per_second)?;
    at_least_one("session.bytes_per_second", session.bytes_per_second)?;
    at_least_one("session.send_buffer_bytes", session.send_buffer_bytes)?;
    at_least_one("matches.matches_max", matches.matches_max)?;
    at_least_one("supervise.deaths_per_minute", config.supervise.deaths_per_minute)?;
    demand(config.memory.brake_percent <= 100, "memory.brake_percent", "must be 0, for never, to 100")?;
    demand(config.memory.shed_percent <= 100, "memory.shed_percent", "must be 0, for never, to 100")?;
    demand(config.headroom.busy_percent <= 100, "headroom.busy_percent", "must be 0, for no limit, to 100")?;
    demand(config.headroom.late_percent <= 100, "headroom.late_percent", "must be 0, for no limit, to 100")?;
    demand(session.ping_after_ms < session.silence_ms, "session.ping_after_ms", "must be less than session.silence_ms")?;
    demand(matches.tick_rate <= TICK_RATE_MAX, "matches.tick_rate", "must be 0, for the game's own, or 1 to 60")?;
    demand(config.workers <= WORKERS_MAX, "workers", "is more than any machine has cores")?;
    demand(config.transport.kind().is_some(), "transport", "raw sockets are read on Linux only: take auto or portable")?;
    demand(tls.cert.is_some() == tls.key.is_some(), "tls.key", "tls.cert and tls.key go together: set both, or none")?;
    demand(!tls.self_signed || tls.cert.is_none(), "tls.self_signed", "there is a certificate already: tls.cert")?;
    demand(tls.is_on() || tls.redirect_port.is_none(), "tls.redirect_port", "there is no HTTPS to send anybody to")?;
    config.accounts.check()?;
    config.queue.check()?;
    config.journal.check()?;
    config.cluster.check(config.bind)?;
    let is_kept_once = !config.cluster.is_on() || config.journal.dir.as_os_str().is_empty();
    demand(is_kept_once, "journal.dir", "servers that share cluster.store keep their matches there")?;
    if let Some(url) = &config.public_ws_url {
        let is_mixed = tls.is_on() && url.starts_with("ws://");
        demand(!is_mixed, "public_ws_url", "a page that comes over TLS may only open wss://")?;
        let absolute = url.starts_with("ws://") || url.starts_with("wss://");
        demand(absolute || url.starts_with('/'), "public_ws_url", "must begin with ws://, wss:// or /")?;
    }
    for origin in &config.allowed_origins {
        demand(Origin::parse(origin).is_some(), "allowed_origins", "each must be scheme://host or scheme://host:port, nothing after it")?;
    }
    for (text, network) in config.proxies.trusted.iter().zip(networks(&config.proxies.trusted)) {
        demand(network.is_some(), "proxies.trusted", &format!("{text} is neither an address nor a network such as 10.0.0.0/8"))?;
    }
    let somebody = config.proxies.protocol == ProxyProtocol::Off || !config.proxies.trusted.is_empty();
    demand(somebody, "proxies.protocol", "is believed of nobody: name the proxies in proxies.trusted")?;
    let filter = tracing_subscriber::EnvFilter::builder().parse(&config.log_filter);
    demand(filter.is_ok(), "log_filter", "is no list of tracing directives, such as info or tickwire_server=debug")
}

/// More worker threads than this is a mistake.
const WORKERS_MAX: usize = 1024;

fn at_least_one(key: &str, value: impl TryInto<u64>) -> Result<(), ConfigError> {
    demand(value.try_into().is_ok_and(|value| value > 0), key, "must be at least 1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::default();
        change(&mut config);
        check(&config).expect_err("refused").to_string()
    }

    #[test]
    fn the_defaults_are_good() {
        assert!(check(&Config::default()).is_ok());
    }

    #[test]
    fn contradictions_are_named() {
        assert!(refused(|config| config.connections.total = 0).contains("connections.total"));
        assert!(refused(|config| config.session.silence_ms = 1).contains("session.silence_ms"));
        assert!(refused(|config| config.allowed_origins = vec!["play.example".into()]).contains("allowed_origins"));
        assert!(refused(|config| config.allowed_origins = vec!["https://play.example/".into()]).contains("allowed_origins"));
        assert!(refused(|config| config.public_ws_url = Some("http://x".into())).contains("public_ws_url"));
        assert!(refused(|config| config.tls.cert = Some("cert.pem".into())).contains("tls.key"));
        assert!(refused(|config| config.tls.redirect_port = Some(80)).contains("tls.redirect_port"));
        let mixed = |config: &mut Config| (config.tls.self_signed, config.public_ws_url) = (true, Some("ws://x/ws".into()));
        assert!(refused(mixed).contains("public_ws_url"));
        assert!(refused(|config| config.proxies.trusted = vec!["::1".into(), "my-proxy".into()]).contains("my-proxy is neither"));
        assert!(refused(|config| config.proxies.protocol = ProxyProtocol::Any).contains("proxies.trusted"));
        assert!(refused(|config| config.log_filter = "a=b=c".into()).contains("log_filter"));
    }
}
