//! What breaks between us and Redis: it is killed, frozen, restarted, wiped, written to by others.
//! Nothing hangs, nothing stays broken, and what it lost comes back.

use std::time::Duration;

use tickwire_cluster::{Claim, Epoch, Letter, NodeId, Redis, RedisSettings, Store, StoreError, Writes, Written};
use tickwire_protocol::MatchId;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::servers::{Server, free_port};

const LONG: Duration = Duration::from_mins(10);
const M: MatchId = MatchId([7; 16]);

/// With patience enough for a machine that does ten other things.
fn store(server: &Server) -> Redis {
    Redis::new(&RedisSettings { deadline: Duration::from_secs(10), ..RedisSettings::new(server.url()) }).unwrap()
}

/// For what is not there, or does not answer.
fn impatient_store(port: u16) -> Redis {
    let settings = RedisSettings::new(format!("redis://127.0.0.1:{port}"));
    Redis::new(&RedisSettings { deadline: Duration::from_millis(300), ..settings }).unwrap()
}

fn node(name: &str) -> NodeId {
    NodeId::new(name).unwrap()
}

fn checkpoint(first: u64) -> Writes {
    Writes { checkpoint: Some((first, "state".into())), ..Writes::default() }
}

fn records(numbers: impl IntoIterator<Item = u64>) -> Writes {
    Writes { records: numbers.into_iter().map(|number| (number, "step".into())).collect(), ..Writes::default() }
}

async fn write(store: &dyn Store, by: &str, epoch: u64, writes: Writes) -> Result<Written, StoreError> {
    store.write(&node(by), LONG, &[(M, Epoch(epoch), writes)]).await.map(|mut answers| answers.remove(0))
}

/// Asks until there is an answer that is no error.
pub(super) async fn in_the_end<T>(mut ask: impl AsyncFnMut() -> Result<T, StoreError>) -> T {
    for _ in 0..3_000 {
        match ask().await {
            Ok(answer) => return answer,
            Err(StoreError::Away(_)) => sleep(Duration::from_millis(10)).await,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the store stays away");
}

#[tokio::test]
async fn a_store_that_is_not_there_is_away_until_it_is() {
    let port = free_port();
    let store = impatient_store(port);
    for _ in 0..3 {
        assert!(matches!(store.nodes().await, Err(StoreError::Away(_))));
    }
    assert!(matches!(write(&store, "a", 1, checkpoint(0)).await, Err(StoreError::Away(_))));
    let mut letters = store.listen(&node("a")).await.expect("a mailbox opens when the store comes");
    let _server = Server::start_on(port, &[]);
    assert_eq!(in_the_end(async || store.nodes().await).await, []);
    assert_eq!(in_the_end(async || write(&store, "a", 1, checkpoint(0)).await).await, Written::Adopted);
    while !in_the_end(async || store.send(&node("b"), &node("a"), "there you are".into()).await).await {
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(letters.recv().await, Some(Letter { from: node("b"), body: "there you are".into() }));
}

#[tokio::test]
async fn a_frozen_store_is_away_and_then_goes_on() {
    let server = Server::start();
    let store = impatient_store(server.port);
    in_the_end(async || write(&store, "a", 1, checkpoint(0)).await).await;
    server.freeze(true);
    for _ in 0..2 {
        assert!(matches!(write(&store, "a", 1, records([0])).await, Err(StoreError::Away(_))), "the deadline counts");
    }
    server.freeze(false);
    assert_eq!(in_the_end(async || write(&store, "a", 1, records([0])).await).await, Written::Done, "whatever came of the last one");
    assert_eq!(in_the_end(async || write(&store, "a", 1, records([1])).await).await, Written::Done);
}

/// Passes everything on to a server, until it is told to let the connections that there are fall
/// silent.
async fn passage_to(port: u16) -> (u16, watch::Sender<u32>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let ours = listener.local_addr().unwrap().port();
    let (silence, silent) = watch::channel(0);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut silent = silent.clone();
            silent.mark_unchanged();
            tokio::spawn(async move {
                let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => (),
                    Ok(()) = silent.changed() => std::future::pending().await,
                }
            });
        }
    });
    (ours, silence)
}

#[tokio::test]
async fn a_connection_that_fell_silent_is_given_up() {
    let server = Server::start();
    let (port, silence) = passage_to(server.port).await;
    let store = impatient_store(port);
    let mut letters = store.listen(&node("a")).await.unwrap();
    in_the_end(async || write(&store, "a", 1, checkpoint(0)).await).await;
    silence.send_modify(|times| *times += 1);
    assert!(matches!(write(&store, "a", 1, records([0])).await, Err(StoreError::Away(_))));
    assert_eq!(in_the_end(async || write(&store, "a", 1, records([0])).await).await, Written::Done);
    // The older mailbox is still open as far as the server knows: only what is heard counts.
    let heard = loop {
        in_the_end(async || store.send(&node("b"), &node("a"), "again".into()).await).await;
        if let Ok(heard) = timeout(Duration::from_millis(10), letters.recv()).await {
            break heard;
        }
    };
    assert_eq!(heard, Some(Letter { from: node("b"), body: "again".into() }));
}

#[tokio::test]
async fn a_store_that_was_killed_and_comes_back_empty_heals() {
    let mut server = Server::start();
    let (ours, theirs) = (store(&server), store(&server));
    let mut letters = theirs.listen(&node("b")).await.unwrap();
    write(&ours, "a", 1, checkpoint(0)).await.unwrap();
    server.kill();
    assert!(matches!(write(&ours, "a", 1, records([0])).await, Err(StoreError::Away(_))));
    assert!(matches!(ours.list(9).await, Err(StoreError::Away(_))));
    server.restart();
    assert_eq!(in_the_end(async || write(&ours, "a", 1, records([0])).await).await, Written::Adopted);
    assert_eq!(write(&ours, "a", 1, checkpoint(1)).await, Ok(Written::Done));
    assert_eq!(in_the_end(async || theirs.list(9).await).await.len(), 1);
    while !in_the_end(async || ours.send(&node("a"), &node("b"), "again".into()).await).await {
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(letters.recv().await, Some(Letter { from: node("a"), body: "again".into() }), "mailboxes open again by themselves");
}

#[tokio::test]
async fn a_restart_between_two_commands_is_not_noticed() {
    let mut server = Server::start();
    let store = store(&server);
    write(&store, "a", 1, checkpoint(0)).await.unwrap();
    server.ask(&["SAVE"]);
    server.restart();
    assert_eq!(write(&store, "a", 1, records([0])).await, Ok(Written::Done));
}

#[tokio::test]
async fn what_others_put_under_our_keys_is_nonsense_until_we_write() {
    let server = Server::start();
    let store = store(&server);
    let hex = M.to_string();
    let (of_match, of_records) = (format!("tw:{{{hex}}}:match"), format!("tw:{{{hex}}}:records"));
    for key in [&of_match, &of_records, "tw:matches", "tw:{shelf:s}:values", "tw:{shelf:s}:ends", "tw:{shelf:=nodes}:ends"] {
        server.ask(&["SET", key, "mine"]);
    }
    let is_nonsense = |error: Option<StoreError>| assert!(matches!(error, Some(StoreError::Nonsense(_))), "{error:?}");
    is_nonsense(store.find(M).await.err());
    is_nonsense(store.claim(M, &node("a"), LONG).await.err());
    is_nonsense(store.list(9).await.err());
    is_nonsense(store.orphans(9).await.err());
    is_nonsense(store.get("s", b"k", None).await.err());
    is_nonsense(store.all("s", 9).await.err());
    is_nonsense(store.nodes().await.err());

    assert_eq!(write(&store, "a", 1, checkpoint(0)).await, Ok(Written::Adopted));
    assert_eq!(write(&store, "a", 1, records([0])).await, Ok(Written::Done));
    assert_eq!(store.list(9).await.unwrap().len(), 1);
    store.put("s", b"k", "v".into(), LONG).await.unwrap();
    assert_eq!(store.get("s", b"k", None).await, Ok(Some("v".into())));

    server.ask(&["HSET", &of_match, "node", "NOT A NAME", "epoch", "first"]);
    is_nonsense(store.find(M).await.err());
    is_nonsense(store.list(9).await.err());
    assert_eq!(write(&store, "a", 1, checkpoint(1)).await, Ok(Written::Adopted));
    server.ask(&["ZADD", "tw:matches", "0", "no match"]);
    is_nonsense(store.orphans(9).await.err());
}

#[tokio::test]
async fn a_lost_index_is_made_again_by_the_next_write() {
    let server = Server::start();
    let store = store(&server);
    write(&store, "a", 1, checkpoint(0)).await.unwrap();
    server.ask(&["DEL", "tw:matches"]);
    assert_eq!(store.list(9).await, Ok(vec![]));
    write(&store, "a", 1, Writes::default()).await.unwrap();
    assert_eq!(store.list(9).await.unwrap().len(), 1);
    server.ask(&["ZADD", "tw:matches", "0", &M.to_string(), "0", &MatchId([1; 16]).to_string()]);
    assert_eq!(store.orphans(9).await, Ok(vec![]), "the index is only a hint");
    assert_eq!(server.ask(&["ZCOUNT", "tw:matches", "0", "0"]).trim(), "0", "and is put right");
}

#[tokio::test]
async fn records_that_went_missing_are_not_handed_out() {
    let server = Server::start();
    let store = store(&server);
    write(&store, "a", 1, checkpoint(5)).await.unwrap();
    write(&store, "a", 1, records(5..9)).await.unwrap();
    let of_records = format!("tw:{{{M}}}:records");
    server.ask(&["XDEL", &of_records, "8-0"]);
    assert_eq!(write(&store, "a", 1, records([9])).await, Ok(Written::Adopted), "it notices");
    store.give_up(&node("a"), &[(M, Epoch(1))]).await.unwrap();
    let Claim::Granted { kept, .. } = store.claim(M, &node("b"), LONG).await.unwrap() else { panic!("it was given up") };
    assert_eq!((kept.first, kept.records.len()), (5, 2), "up to the gap");
    assert_eq!(write(&store, "b", 2, records([7])).await, Ok(Written::Adopted));
    assert_eq!(write(&store, "b", 2, checkpoint(8)).await, Ok(Written::Done));
}

#[tokio::test]
async fn nothing_stays_for_ever() {
    let server = Server::start();
    let store = store(&server);
    write(&store, "a", 1, Writes { records: vec![(0, "step".into())], ..checkpoint(0) }).await.unwrap();
    store.end(&node("a"), &[(MatchId([1; 16]), Epoch(1))]).await.unwrap();
    store.hold_code("CODE", M, LONG).await.unwrap();
    store.put("s", b"k", "v".into(), LONG).await.unwrap();
    let keys = server.ask(&["KEYS", "*"]);
    assert_eq!(keys.lines().count(), 8, "{keys}");
    for key in keys.lines() {
        assert!(key.starts_with("tw:"), "{key}");
        assert!(server.ask(&["PTTL", key]).trim().parse::<i64>().unwrap() > 0, "{key} stays");
    }
}

#[tokio::test]
async fn a_password_is_asked_for_and_never_told() {
    let server = Server::start();
    server.ask(&["CONFIG", "SET", "requirepass", "hush-hush"]);
    let with = |login: &str| Redis::new(&RedisSettings::new(format!("redis://{login}127.0.0.1:{}", server.port))).unwrap();
    assert_eq!(with(":hush-hush@").nodes().await, Ok(vec![]));
    for login in ["", ":wrong-hush@"] {
        let store = with(login);
        let error = store.nodes().await.expect_err("it is not let in");
        let told = format!("{error} {error:?} {store:?}");
        assert!(matches!(error, StoreError::Away(_)) && !told.contains("hush"), "{told}");
    }
}
