//! Redis behind a Sentinel: the server that was the master dies, and a replica that had not heard
//! its last writes takes its place.

use std::time::Duration;

use tickwire_cluster::{Epoch, Letter, Redis, RedisSettings, Store, Writes, Written};
use tickwire_protocol::MatchId;
use tokio::time::sleep;

use super::failures::in_the_end;
use super::house::{LONG, node};
use crate::servers::{Server, free_port};

const M: MatchId = MatchId([7; 16]);

fn records(numbers: impl IntoIterator<Item = u64>) -> Writes {
    Writes { records: numbers.into_iter().map(|number| (number, "step".into())).collect(), ..Writes::default() }
}

#[tokio::test]
async fn a_failover_that_loses_the_last_writes_heals() {
    let mut master = Server::start();
    let replica = Server::start_with(&["--replicaof", "127.0.0.1", &master.port.to_string(), "--repl-diskless-load", "swapdb"]);
    while !replica.ask(&["INFO", "replication"]).contains("master_link_status:up") {
        sleep(Duration::from_millis(10)).await;
    }
    let sentinel = Server::start_sentinel(master.port);
    while !sentinel.ask(&["SENTINEL", "REPLICAS", "main"]).contains(&replica.port.to_string()) {
        sleep(Duration::from_millis(10)).await;
    }
    // One of the Sentinels is not there.
    let url = format!("redis+sentinel://127.0.0.1:{},127.0.0.1:{}/main", free_port(), sentinel.port);
    let store = |name: &str| (Redis::new(&RedisSettings::new(&url)).unwrap(), node(name));
    let ((ours, a), (theirs, b)) = (store("a"), store("b"));
    let mut letters = in_the_end(async || theirs.listen(&b).await).await;
    let write = async |by: &str, epoch: u64, writes: Writes| {
        in_the_end(async || ours.write(&node(by), LONG, &[(M, Epoch(epoch), writes.clone())]).await).await.remove(0)
    };
    let checkpoint = |first| Writes { checkpoint: Some((first, "state".into())), ..Writes::default() };
    assert_eq!(write("a", 1, checkpoint(0)).await, Written::Adopted);
    assert_eq!(write("a", 1, records([0])).await, Written::Done);
    while replica.ask(&["XLEN", &format!("tw:{{{M}}}:records")]).trim() != "1" {
        sleep(Duration::from_millis(10)).await;
    }
    // The replica is cut off, and is let in no more.
    master.ask(&["ACL", "SETUSER", "default", "-psync", "-sync"]);
    master.ask(&["CLIENT", "KILL", "TYPE", "replica"]);
    assert_eq!(write("a", 1, records(1..50)).await, Written::Done);
    master.kill();

    while !replica.ask(&["ROLE"]).starts_with("master") {
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(write("a", 1, records([50])).await, Written::Adopted, "records 1 to 49 are lost, and it is said");
    assert_eq!(write("a", 1, checkpoint(51)).await, Written::Done);
    while !in_the_end(async || ours.send(&a, &b, "after".into()).await).await {
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(letters.recv().await, Some(Letter { from: a, body: "after".into() }));

    // Who was the master comes back, empty, and is made a replica; the match is where it was.
    master.restart();
    while !master.ask(&["ROLE"]).starts_with("slave") {
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(write("a", 1, records([51])).await, Written::Done);
}
