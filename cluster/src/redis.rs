//! The store of many processes: Redis 7 or Valkey, as one server, behind Sentinels, or as a
//! cluster.
//!
//! A match's keys share a hash tag, so each script works in one slot. Every decision is made in a
//! script, by the server's clock. Nothing here waits beyond the deadline of a command, and whatever
//! breaks is made anew when it is next needed. What a server does not have any more comes back
//! with its owner's next write: docs/decisions/0025-store.md.

mod endpoint;
mod index;
mod link;
mod mailbox;
mod reply;
mod scripts;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{join, join_all};
use redis::Value;
use tickwire_protocol::MatchId;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use self::endpoint::Endpoint;
use self::index::Ends;
use self::link::Link;
use self::mailbox::Names;
use self::reply::{Fields, Found, nonsense};
use self::scripts::Call;
use crate::store::{
    Claim, ENDED_KEPT, EXCHANGE_MAX, Epoch, Exchange, Letter, MAILBOX_MAX, MESSAGE_BYTES_MAX, MatchEntry, NodeCard, NodeId, ORPHAN_KEPT,
    RECORDS_MAX, Reply, SHELF_MAX, Store, StoreError, Writes, Written,
};

pub use self::endpoint::AddressError;

/// Most characters of what the keys of a store begin with.
const PREFIX_CHARS_MAX: usize = 64;
/// Most times that Redis is asked for matches again because all that its index named was stale.
const INDEX_ROUNDS_MAX: usize = 4;
/// The shelves of this store's own. Others have no such sign in their names.
const NODES: &str = "=nodes";
const CODES: &str = "=codes";

/// How to reach Redis.
#[derive(Clone)]
pub struct RedisSettings {
    /// `redis://`, `redis+sentinel://` or `redis+cluster://`, or the same with `rediss`.
    pub url: String,
    /// What all keys and channels begin with: services that share a Redis are told apart by it.
    pub prefix: String,
    /// How long a command may take, with all that it needs.
    pub deadline: Duration,
}

/// A store in Redis.
pub struct Redis {
    link: Arc<Link>,
    prefix: String,
    ends: Ends,
    mailboxes: Mutex<BTreeMap<NodeId, AbortHandle>>,
    runtime: Handle,
}

/// Settings that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedisSettingsError {
    /// The URL leads to no Redis.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The prefix is empty, too long, or has other characters.
    #[error("the prefix of the store's keys is 1 to {PREFIX_CHARS_MAX} of a-z, 0-9, -, _ and :")]
    Prefix,
    /// The deadline is 0: no command could meet it.
    #[error("the store's deadline is longer than nothing")]
    Deadline,
}

impl RedisSettings {
    /// Redis at `url`, with the prefix `tw` and a deadline of half a second.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), prefix: "tw".to_owned(), deadline: Duration::from_millis(500) }
    }
}

impl Redis {
    /// A store that connects when it is first asked, on the runtime that calls this.
    ///
    /// # Errors
    /// If the settings cannot be. That Redis is away is no error here.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn new(settings: &RedisSettings) -> Result<Self, RedisSettingsError> {
        let RedisSettings { url, prefix, deadline } = settings;
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_:".contains(&byte);
        if prefix.is_empty() || prefix.len() > PREFIX_CHARS_MAX || !prefix.bytes().all(is_allowed) {
            return Err(RedisSettingsError::Prefix);
        }
        if deadline.is_zero() {
            return Err(RedisSettingsError::Deadline);
        }
        let runtime = Handle::current();
        Ok(Self {
            link: Arc::new(Link::new(Endpoint::new(url, *deadline)?, *deadline, runtime.clone())),
            prefix: prefix.clone(),
            ends: Ends::default(),
            mailboxes: Mutex::default(),
            runtime,
        })
    }

    fn match_key(&self, id: MatchId) -> String {
        format!("{}:{{{id}}}:match", self.prefix)
    }

    fn match_keys(&self, id: MatchId) -> [String; 2] {
        [self.match_key(id), format!("{}:{{{id}}}:records", self.prefix)]
    }

    fn index_key(&self) -> String {
        format!("{}:matches", self.prefix)
    }

    fn shelf_keys(&self, shelf: &str) -> [String; 2] {
        ["values", "ends"].map(|part| format!("{}:{{shelf:{shelf}}}:{part}", self.prefix))
    }

    fn mailbox_names(&self, node: &NodeId) -> Names {
        let prefix = &self.prefix;
        Names { own: format!("{prefix}:to:{node}"), to_all: format!("{prefix}:to-all"), sign: format!("{prefix}:listens:{node}") }
    }

    async fn write_one(
        &self,
        node: &NodeId,
        lease: Duration,
        (id, epoch, writes): &(MatchId, Epoch, Writes),
    ) -> Result<Answered, StoreError> {
        let (number, checkpoint) = writes.checkpoint.as_ref().map_or((String::new(), Bytes::new()), |(n, c)| (n.to_string(), c.clone()));
        let call = scripts::WRITE
            .call(self.match_keys(*id))
            .text(node)
            .text(&epoch.0)
            .text(&millis(lease))
            .text(&millis(ORPHAN_KEPT))
            .text(&RECORDS_MAX)
            .text(&u8::from(writes.card.is_some()))
            .bytes(writes.card.clone().unwrap_or_default())
            .text(&number)
            .bytes(checkpoint);
        let call = writes.records.iter().fold(call, |call, (number, record)| call.text(number).bytes(record.clone()));
        let (written, end) = reply::written(call.run(&self.link).await?)?;
        let is_unlisted = self.ends.note(*id, end) || written == Written::Adopted;
        Ok((written, end.filter(|_| is_unlisted).map(|end| (*id, end))))
    }

    async fn look(&self, id: MatchId) -> Result<Option<Found>, StoreError> {
        reply::found(id, scripts::FIND.call([self.match_key(id)]).run(&self.link).await?)
    }

    /// What is true of matches that the index named.
    async fn look_at(&self, ids: Value) -> Result<Vec<(MatchId, Option<Found>)>, StoreError> {
        let mut names = Fields::of(ids)?;
        let mut ids = Vec::new();
        while let Some(name) = names.next_bytes() {
            ids.push(reply::match_id(&name?)?);
        }
        let found = join_all(ids.iter().map(|id| self.look(*id))).await;
        ids.into_iter().zip(found).map(|(id, found)| Ok((id, found?))).collect()
    }

    async fn forget(&self, ids: impl Iterator<Item = MatchId>) {
        let index = self.index_key();
        join_all(ids.map(|id| index::drop_from(&self.link, &index, id))).await;
    }

    fn put_call(&self, yields: &str, shelf: &str, key: &[u8], value: Bytes, ttl: Duration) -> Call {
        scripts::PUT.call(self.shelf_keys(shelf)).text(yields).bytes(key.to_vec()).bytes(value).text(&millis(ttl)).text(&SHELF_MAX)
    }

    fn remove_call(&self, shelf: &str, key: &[u8], beginning: String) -> Call {
        scripts::REMOVE.call(self.shelf_keys(shelf)).bytes(key.to_vec()).bytes(beginning)
    }

    async fn all_of(&self, shelf: &str, max: usize) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        let mut fields = Fields::of(scripts::ALL.call(self.shelf_keys(shelf)).text(&max).run(&self.link).await?)?;
        let mut all = Vec::new();
        while let Some(key) = fields.next_bytes() {
            all.push((key?, fields.bytes()?));
        }
        all.sort_unstable();
        Ok(all)
    }

    async fn publish(&self, channel: &str, from: &NodeId, body: &Bytes) -> Result<bool, StoreError> {
        if body.len() > MESSAGE_BYTES_MAX {
            return Err(StoreError::TooLong(body.len()));
        }
        let sealed = mailbox::seal(from, body);
        match self.link.ask_once(redis::cmd("PUBLISH").arg(channel).arg(&sealed[..])).await? {
            Value::Int(count) => Ok(count > 0),
            _ => Err(nonsense("not how many listen")),
        }
    }

    /// A server of a cluster knows only who listens by itself; so in a cluster nodes leave a sign.
    async fn has_sign(&self, sign: &str) -> Result<bool, StoreError> {
        if !self.link.place.is_cluster() {
            return Ok(false);
        }
        Ok(self.link.ask(redis::cmd("EXISTS").arg(sign)).await? == Value::Int(1))
    }
}

/// What came of a write, and the lease's end if the index is to hear of it at once.
type Answered = (Written, Option<(MatchId, u64)>);

impl Store for Redis {
    fn kind(&self) -> &'static str {
        "redis"
    }

    fn beat<'a>(&'a self, card: &'a NodeCard, ttl: Duration) -> Reply<'a, ()> {
        Box::pin(async move {
            let written = reply::write_card(card).into();
            self.put_call("none", NODES, card.id.as_str().as_bytes(), written, ttl).run(&self.link).await?;
            Ok(())
        })
    }

    fn nodes(&self) -> Reply<'_, Vec<NodeCard>> {
        Box::pin(async move { self.all_of(NODES, SHELF_MAX).await?.iter().map(|(name, card)| reply::read_card(name, card)).collect() })
    }

    fn leave<'a>(&'a self, node: &'a NodeId, incarnation: u64) -> Reply<'a, ()> {
        Box::pin(async move {
            self.remove_call(NODES, node.as_str().as_bytes(), format!("{incarnation:016x} ")).run(&self.link).await?;
            Ok(())
        })
    }

    fn claim<'a>(&'a self, id: MatchId, node: &'a NodeId, lease: Duration) -> Reply<'a, Claim> {
        Box::pin(async move {
            let call = scripts::CLAIM.call(self.match_keys(id)).text(node).text(&millis(lease)).text(&millis(ORPHAN_KEPT));
            let (claim, end) = reply::claimed(call.run(&self.link).await?)?;
            if let Some(end) = end {
                self.ends.note(id, Some(end));
                index::tell(&self.link, &self.index_key(), &[(id, end)]).await;
            }
            Ok(claim)
        })
    }

    fn write<'a>(&'a self, node: &'a NodeId, lease: Duration, writes: &'a [(MatchId, Epoch, Writes)]) -> Reply<'a, Vec<Written>> {
        Box::pin(async move {
            let index = self.index_key();
            let known = self.ends.of(writes.iter().map(|(id, ..)| *id));
            let scripts = join_all(writes.iter().map(|one| self.write_one(node, lease, one)));
            let (answers, ()) = join(scripts, index::tell(&self.link, &index, &known)).await;
            let unlisted: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()?.1).collect();
            index::tell(&self.link, &index, &unlisted).await;
            answers.into_iter().map(|answer| answer.map(|(written, _)| written)).collect()
        })
    }

    fn give_up<'a>(&'a self, node: &'a NodeId, matches: &'a [(MatchId, Epoch)]) -> Reply<'a, ()> {
        Box::pin(async move {
            let given_up = join_all(matches.iter().map(async |(id, epoch)| {
                let call = scripts::GIVE_UP.call([self.match_key(*id)]).text(node).text(&epoch.0);
                let Some(end) = reply::optional_bytes(call.run(&self.link).await?)? else {
                    return Ok(None);
                };
                self.ends.note(*id, None);
                let end = std::str::from_utf8(&end).ok().and_then(|end| end.parse().ok());
                end.map(|end| Some((*id, end))).ok_or_else(|| nonsense("not a time"))
            }));
            let ends: Vec<_> = given_up.await.into_iter().collect::<Result<_, StoreError>>()?;
            let ends: Vec<(MatchId, u64)> = ends.into_iter().flatten().collect();
            index::tell(&self.link, &self.index_key(), &ends).await;
            Ok(())
        })
    }

    fn end<'a>(&'a self, node: &'a NodeId, matches: &'a [(MatchId, Epoch)]) -> Reply<'a, ()> {
        Box::pin(async move {
            let ended = join_all(matches.iter().map(async |(id, epoch)| {
                let call = scripts::END.call(self.match_keys(*id)).text(node).text(&epoch.0).text(&millis(ENDED_KEPT));
                self.ends.note(*id, None);
                Ok((call.run(&self.link).await? == Value::Int(1)).then_some(*id))
            }));
            let ended: Vec<_> = ended.await.into_iter().collect::<Result<_, StoreError>>()?;
            self.forget(ended.into_iter().flatten()).await;
            Ok(())
        })
    }

    fn find(&self, id: MatchId) -> Reply<'_, Option<MatchEntry>> {
        Box::pin(async move { Ok(self.look(id).await?.filter(Found::has_future).map(|found| found.entry)) })
    }

    fn list(&self, max: usize) -> Reply<'_, Vec<MatchEntry>> {
        Box::pin(async move {
            if max == 0 {
                return Ok(Vec::new());
            }
            for _ in 0..INDEX_ROUNDS_MAX {
                let named = self.link.ask(redis::cmd("ZRANGE").arg(self.index_key()).arg(0).arg(max - 1)).await?;
                let named = self.look_at(named).await?;
                let (listed, stale): (Vec<_>, Vec<_>) =
                    named.into_iter().partition(|(_, found)| found.as_ref().is_some_and(Found::has_future));
                if !listed.is_empty() || stale.is_empty() {
                    return Ok(listed.into_iter().filter_map(|(_, found)| found.map(|found| found.entry)).collect());
                }
                self.forget(stale.into_iter().map(|(id, _)| id)).await;
            }
            Ok(Vec::new())
        })
    }

    fn orphans(&self, max: usize) -> Reply<'_, Vec<MatchId>> {
        Box::pin(async move {
            for _ in 0..INDEX_ROUNDS_MAX {
                let named = scripts::DUE.call([self.index_key()]).text(&max).run(&self.link).await?;
                let named = self.look_at(named).await?;
                let mut orphans = Vec::new();
                let mut later = Vec::new();
                let mut gone = Vec::new();
                for (id, found) in named {
                    match found {
                        Some(found) if found.entry.is_held => later.push((id, found.lease_end)),
                        Some(found) if found.has_checkpoint => orphans.push((found.lease_end, id)),
                        _ => gone.push(id),
                    }
                }
                let had_stale = !(later.is_empty() && gone.is_empty());
                index::tell(&self.link, &self.index_key(), &later).await;
                self.forget(gone.into_iter()).await;
                if !orphans.is_empty() || !had_stale {
                    orphans.sort_unstable();
                    return Ok(orphans.into_iter().map(|(_, id)| id).collect());
                }
            }
            Ok(Vec::new())
        })
    }

    fn find_code<'a>(&'a self, code: &'a str) -> Reply<'a, Option<MatchId>> {
        Box::pin(async move { self.get(CODES, code.as_bytes(), None).await?.map(|id| reply::match_id(&id)).transpose() })
    }

    fn hold_code<'a>(&'a self, code: &'a str, id: MatchId, ttl: Duration) -> Reply<'a, bool> {
        Box::pin(async move {
            let value = Bytes::from(id.to_string());
            let call = self.put_call("same", CODES, code.as_bytes(), value.clone(), ttl);
            Ok(reply::bytes(call.run(&self.link).await?)? == value)
        })
    }

    fn put<'a>(&'a self, shelf: &'a str, key: &'a [u8], value: Bytes, ttl: Duration) -> Reply<'a, ()> {
        Box::pin(async move {
            self.put_call("none", shelf, key, value, ttl).run(&self.link).await?;
            Ok(())
        })
    }

    fn put_first<'a>(&'a self, shelf: &'a str, key: &'a [u8], value: Bytes, ttl: Duration) -> Reply<'a, Bytes> {
        Box::pin(async move { reply::bytes(self.put_call("first", shelf, key, value, ttl).run(&self.link).await?) })
    }

    fn exchange<'a>(&'a self, shelf: &'a str, exchanges: &'a [Exchange], ttl: Duration) -> Reply<'a, bool> {
        Box::pin(async move {
            if exchanges.len() > EXCHANGE_MAX {
                return Err(StoreError::TooMany(exchanges.len()));
            }
            let call = scripts::EXCHANGE.call(self.shelf_keys(shelf)).text(&millis(ttl));
            let parts = exchanges.iter().flat_map(|Exchange { key, from, to }| [key, from, to]);
            let call = parts.fold(call, |call, part| call.bytes(part.clone()));
            Ok(call.run(&self.link).await? == Value::Int(1))
        })
    }

    fn get<'a>(&'a self, shelf: &'a str, key: &'a [u8], renew: Option<Duration>) -> Reply<'a, Option<Bytes>> {
        Box::pin(async move {
            let renewed = renew.map(|ttl| millis(ttl).to_string()).unwrap_or_default();
            let call = scripts::GET.call(self.shelf_keys(shelf)).bytes(key.to_vec()).bytes(renewed);
            reply::optional_bytes(call.run(&self.link).await?)
        })
    }

    fn remove<'a>(&'a self, shelf: &'a str, key: &'a [u8]) -> Reply<'a, ()> {
        Box::pin(async move {
            self.remove_call(shelf, key, String::new()).run(&self.link).await?;
            Ok(())
        })
    }

    fn all<'a>(&'a self, shelf: &'a str, max: usize) -> Reply<'a, Vec<(Bytes, Bytes)>> {
        Box::pin(self.all_of(shelf, max))
    }

    fn listen<'a>(&'a self, node: &'a NodeId) -> Reply<'a, mpsc::Receiver<Letter>> {
        Box::pin(async move {
            let (sender, receiver) = mpsc::channel(MAILBOX_MAX);
            let (listens, does_listen) = oneshot::channel();
            let task = self.runtime.spawn(mailbox::run(self.link.clone(), self.mailbox_names(node), sender, listens));
            {
                let mut mailboxes = self.mailboxes.lock().unwrap_or_else(PoisonError::into_inner);
                mailboxes.retain(|_, task| !task.is_finished());
                if let Some(older) = mailboxes.insert(node.clone(), task.abort_handle()) {
                    older.abort();
                }
            }
            // With Redis away the mailbox opens later, as it does after Redis was away.
            timeout(self.link.deadline, does_listen).await.ok();
            Ok(receiver)
        })
    }

    fn send<'a>(&'a self, from: &'a NodeId, to: &'a NodeId, body: Bytes) -> Reply<'a, bool> {
        Box::pin(async move {
            let names = self.mailbox_names(to);
            Ok(self.publish(&names.own, from, &body).await? || self.has_sign(&names.sign).await?)
        })
    }

    fn announce<'a>(&'a self, from: &'a NodeId, body: Bytes) -> Reply<'a, ()> {
        Box::pin(async move {
            self.publish(&self.mailbox_names(from).to_all, from, &body).await?;
            Ok(())
        })
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Redis").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

fn millis(duration: Duration) -> u128 {
    duration.as_millis()
}
