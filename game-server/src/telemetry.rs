//! Log lines, on standard error. Values that strangers chose are written escaped; tokens are never
//! written.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Config, LogFormat};

/// Starts logging as `config` has it, panics included. Does nothing if the process logs already.
pub fn init(config: &Config) {
    let mut filter = EnvFilter::builder().parse_lossy(&config.log_filter);
    // At their finest these show what is sent and received, tickets included.
    for quiet in ["tungstenite=info", "tokio_tungstenite=info", "hyper=info"] {
        if let Ok(directive) = quiet.parse() {
            filter = filter.add_directive(directive);
        }
    }
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    let started = match config.log {
        LogFormat::Text => registry.with(lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    if started.is_ok() {
        log_panics();
    }
}

/// A panic becomes a log line like any other, so that collectors of JSON lines see it.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("no message");
        let thread = std::thread::current();
        tracing::error!(thread = thread.name().unwrap_or("unnamed"), place, message, "panic");
    }));
}
