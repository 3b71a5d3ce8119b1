//! What an attack is, what it is given, and what it counts.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::wire::{Request, Target, source};

/// Most kinds of ending that are told apart; the others are counted as one.
const ENDINGS_MAX: usize = 12;

/// One row of the table.
#[derive(Clone, Copy)]
pub(crate) struct Attack {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    /// What it does, for the table.
    pub(crate) what: &'static str,
    /// Does it until [`Field::until`].
    pub(crate) run: fn(Field) -> Work,
}

/// An attack at work.
pub(crate) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where an attack takes place.
#[derive(Clone)]
pub(crate) struct Field {
    /// The players' listener.
    pub(crate) play: Target,
    /// The operators'.
    pub(crate) admin: Target,
    /// That of metrics and health.
    pub(crate) ops: Target,
    /// The operator's token.
    pub(crate) admin_token: Arc<str>,
    /// Second part of the attackers' addresses: no two attacks share any.
    pub(crate) net: u8,
    /// When it ends.
    pub(crate) until: Instant,
    /// What it counts.
    pub(crate) tally: Arc<Tally>,
}

/// What an attack has sent and what came of it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    sent: AtomicU64,
    bytes: AtomicU64,
    endings: Mutex<BTreeMap<String, u64>>,
    breaches: Mutex<BTreeMap<String, u64>>,
}

impl Tally {
    /// A connection, request or message was sent.
    pub(crate) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// How one of them ended.
    pub(crate) fn ended(&self, how: impl Into<String>) {
        let mut endings = self.endings.lock().unwrap_or_else(PoisonError::into_inner);
        let how = how.into();
        let is_new = !endings.contains_key(&how);
        let how = if is_new && endings.len() >= ENDINGS_MAX { "other".to_owned() } else { how };
        *endings.entry(how).or_default() += 1;
    }

    /// The answer to a request, or that there was none.
    pub(crate) fn answered(&self, status: Result<u16>) {
        self.ended(status.map_or_else(|_| "no answer".to_owned(), |status| status.to_string()));
    }

    /// Something that must never happen.
    pub(crate) fn breach(&self, what: impl Into<String>) {
        let mut breaches = self.breaches.lock().unwrap_or_else(PoisonError::into_inner);
        let what = what.into();
        if breaches.len() < ENDINGS_MAX || breaches.contains_key(&what) {
            *breaches.entry(what).or_default() += 1;
        }
    }

    /// Connections, requests or messages, and their bytes.
    pub(crate) fn total(&self) -> (u64, u64) {
        (self.sent.load(Relaxed), self.bytes.load(Relaxed))
    }

    /// How often each ending was seen.
    pub(crate) fn endings(&self) -> BTreeMap<String, u64> {
        self.endings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What must never happen and did.
    pub(crate) fn breaches(&self) -> Vec<String> {
        let breaches = self.breaches.lock().unwrap_or_else(PoisonError::into_inner);
        breaches.iter().map(|(what, count)| if *count == 1 { what.clone() } else { format!("{what} ({count} times)") }).collect()
    }
}

impl Field {
    /// The `nth` address of the attacker.
    pub(crate) fn source(&self, nth: usize) -> IpAddr {
        source(self.net, nth)
    }

    /// Whether the attack goes on.
    pub(crate) fn goes_on(&self) -> bool {
        Instant::now() < self.until
    }

    /// Time that is left.
    pub(crate) fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Runs `work` in `count` tasks, again and again until the end.
    pub(crate) async fn repeat<F>(self, count: usize, work: impl Fn(Self, usize) -> F + Clone + Send + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        let mut tasks = JoinSet::new();
        for nth in 0..count {
            let (field, work) = (self.clone(), work.clone());
            tasks.spawn(async move {
                while field.goes_on() {
                    let _ = tokio::time::timeout(field.left(), work(field.clone(), nth)).await;
                    // An attacker that is refused at once leaves the others a turn.
                    tokio::task::yield_now().await;
                }
            });
        }
        tasks.join_all().await;
    }

    /// Asks the players' listener, and counts that.
    pub(crate) async fn ask(&self, nth: usize, request: Request<'_>) -> Result<u16> {
        self.tally.sent(request.path.len() + request.headers.len() + request.body.map_or(0, str::len));
        let status = self.play.ask(self.source(nth), &request).await.map(|answer| answer.status);
        if let Ok(status @ 500..=502) = status {
            self.tally.breach(format!("{status} for {} {}", request.method, request.path));
        }
        status
    }

    /// Becomes a guest at the `nth` address: the line that proves it.
    pub(crate) async fn guest(&self, nth: usize) -> Option<String> {
        let answer = self.play.ask(self.source(nth), &Request::post("/api/session", "", r#"{"name":"Mallory"}"#)).await.ok()?;
        self.tally.sent(0);
        answer.member("token").map(|token| format!("Authorization: Bearer {token}\r\n"))
    }
}
