//! The connection to Redis: opened when it is needed, given up when it breaks or is silent, never
//! waited for beyond a deadline.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::endpoint::{Connection, Endpoint};
use crate::store::StoreError;

/// After a connection could not be opened, whoever comes within this is told so at once.
const RETRY_AFTER: Duration = Duration::from_millis(50);
/// A cluster's connection repairs itself. It is given up when so many commands in a row came to
/// nothing.
const CLUSTER_PATIENCE: u32 = 4;

pub(super) struct Link {
    pub(super) place: Endpoint,
    pub(super) deadline: Duration,
    /// Where connections live: whoever asks may do so from a runtime that ends sooner.
    runtime: Handle,
    state: Mutex<State>,
    /// Held by the one that opens a connection.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// Counts connections, so that nobody gives up a newer one than it used.
    number: u64,
    open: Option<Connection>,
    /// Commands that came to nothing, in a row.
    failures: u32,
    failed: Option<(Instant, StoreError)>,
}

impl Link {
    pub(super) fn new(place: Endpoint, deadline: Duration, runtime: Handle) -> Self {
        Self { place, deadline, runtime, state: Mutex::default(), opening: tokio::sync::Mutex::new(()) }
    }

    /// What Redis answers, within the deadline. An error that it answers is an error here. If it
    /// has closed the connection meanwhile, it is asked again by another: the command must be one
    /// that can be done twice.
    pub(super) async fn ask(&self, command: &Cmd) -> Result<Value, RedisFailure> {
        self.ask_at_most(2, command).await
    }

    /// What Redis answers to a command that must not be done twice: it is asked once.
    pub(super) async fn ask_once(&self, command: &Cmd) -> Result<Value, RedisFailure> {
        self.ask_at_most(1, command).await
    }

    async fn ask_at_most(&self, tries: u32, command: &Cmd) -> Result<Value, RedisFailure> {
        let mut used = None;
        let asked = async {
            let mut tries = tries;
            loop {
                let (number, mut connection) = self.connection().await?;
                used = Some(number);
                tries -= 1;
                match connection.ask(command).await {
                    Err(error) if tries > 0 && error.is_connection_dropped() => self.give_up(number),
                    result => return result.map_err(RedisFailure::Redis),
                }
            }
        };
        let result = timeout(self.deadline, asked).await.unwrap_or_else(|_| Err(RedisFailure::Store(self.no_answer())));
        match (&result, used) {
            (Ok(_), _) => self.lock().failures = 0,
            (Err(failure), Some(used)) if failure.is_of_connection() => self.give_up(used),
            _ => (),
        }
        result
    }

    pub(super) fn no_answer(&self) -> StoreError {
        StoreError::Away(format!("no answer within {} ms", self.deadline.as_millis()))
    }

    async fn connection(&self) -> Result<(u64, Connection), RedisFailure> {
        if let Some(open) = self.open() {
            return Ok(open);
        }
        let _opening = self.opening.lock().await;
        if let Some(open) = self.open() {
            return Ok(open);
        }
        if let Some((at, error)) = &self.lock().failed
            && at.elapsed() < RETRY_AFTER
        {
            return Err(RedisFailure::Store(error.clone()));
        }
        let place = self.place.clone();
        let task = AbortOnDrop(self.runtime.spawn(async move { place.connect().await }));
        let opened = match task.join().await {
            Some(opened) => opened.map_err(RedisFailure::Redis),
            None => Err(RedisFailure::Store(StoreError::Away("its connection was given up".to_owned()))),
        };
        let mut state = self.lock();
        match opened {
            Ok(connection) => {
                state.number += 1;
                state.open = Some(connection.clone());
                state.failed = None;
                Ok((state.number, connection))
            }
            Err(failure) => {
                let error = StoreError::from(failure);
                state.failed = Some((Instant::now(), error.clone()));
                Err(RedisFailure::Store(error))
            }
        }
    }

    fn open(&self) -> Option<(u64, Connection)> {
        let state = self.lock();
        state.open.clone().map(|open| (state.number, open))
    }

    fn give_up(&self, number: u64) {
        let mut state = self.lock();
        state.failures += 1;
        if state.number == number && (!self.place.is_cluster() || state.failures >= CLUSTER_PATIENCE) {
            state.open = None;
            state.failures = 0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why Redis did not do it.
#[derive(Debug)]
pub(super) enum RedisFailure {
    /// It said so, or its connection broke.
    Redis(RedisError),
    /// It was not asked, or did not answer.
    Store(StoreError),
}

impl RedisFailure {
    pub(super) fn is_no_script(&self) -> bool {
        matches!(self, Self::Redis(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
    }

    /// Whether another connection may do better: this one is broken or silent, or leads to who is
    /// not the master any more.
    fn is_of_connection(&self) -> bool {
        match self {
            Self::Store(_) => true,
            Self::Redis(error) => !matches!(
                error.kind(),
                ErrorKind::Extension | ErrorKind::Server(ServerErrorKind::ResponseError | ServerErrorKind::NoScript)
            ),
        }
    }
}

impl From<RedisFailure> for StoreError {
    fn from(failure: RedisFailure) -> Self {
        match failure {
            RedisFailure::Store(error) => error,
            RedisFailure::Redis(error) => match error.kind() {
                ErrorKind::Parse
                | ErrorKind::UnexpectedReturnType
                | ErrorKind::Server(ServerErrorKind::ResponseError | ServerErrorKind::CrossSlot) => Self::Nonsense(error.to_string()),
                _ if error.code() == Some("WRONGTYPE") => Self::Nonsense(error.to_string()),
                _ => Self::Away(error.to_string()),
            },
        }
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> AbortOnDrop<T> {
    async fn join(mut self) -> Option<T> {
        (&mut self.0).await.ok()
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
