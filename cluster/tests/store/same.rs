//! Whatever one store answers to any questions in any order, the other does too.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tickwire_cluster::{Embedded, Epoch, MatchEntry, Redis, RedisSettings, Store, Writes};
use tickwire_protocol::MatchId;

use super::house::{LONG, node};
use crate::servers::Server;

#[derive(Clone, Debug)]
enum Question {
    Write { name: usize, id: u8, epoch: u64, writes: Writes },
    Claim { name: usize, id: u8 },
    GiveUp { name: usize, id: u8, epoch: u64 },
    End { name: usize, id: u8, epoch: u64 },
    Look,
}

const NAMES: [&str; 3] = ["a", "b", "c"];

fn questions() -> impl Strategy<Value = Vec<Question>> {
    let who = || (0..NAMES.len(), 0..2_u8, 1..5_u64);
    let bytes = || any::<u8>().prop_map(|byte| Bytes::from(vec![byte]));
    let records =
        (0..8_u64, proptest::collection::vec(bytes(), 0..4)).prop_map(|(first, records)| (first..).zip(records).collect::<Vec<_>>());
    let writes = (proptest::option::of(bytes()), proptest::option::of((0..8_u64, bytes())), records)
        .prop_map(|(card, checkpoint, records)| Writes { card, checkpoint, records });
    let question = prop_oneof![
        8 => (who(), writes).prop_map(|((name, id, epoch), writes)| Question::Write { name, id, epoch, writes }),
        3 => who().prop_map(|(name, id, _)| Question::Claim { name, id }),
        3 => who().prop_map(|(name, id, epoch)| Question::GiveUp { name, id, epoch }),
        1 => who().prop_map(|(name, id, epoch)| Question::End { name, id, epoch }),
        1 => Just(Question::Look),
    ];
    proptest::collection::vec(question, 1..40)
}

async fn ask(store: &dyn Store, question: &Question) -> String {
    let of = |id: u8| MatchId([id; 16]);
    match question.clone() {
        Question::Write { name, id, epoch, writes } => {
            format!("{:?}", store.write(&node(NAMES[name]), LONG, &[(of(id), Epoch(epoch), writes)]).await)
        }
        Question::Claim { name, id } => format!("{:?}", store.claim(of(id), &node(NAMES[name]), LONG).await),
        Question::GiveUp { name, id, epoch } => format!("{:?}", store.give_up(&node(NAMES[name]), &[(of(id), Epoch(epoch))]).await),
        Question::End { name, id, epoch } => format!("{:?}", store.end(&node(NAMES[name]), &[(of(id), Epoch(epoch))]).await),
        Question::Look => {
            let mut listed: Vec<MatchEntry> = store.list(9).await.unwrap();
            listed.sort_by_key(|entry| entry.id);
            let mut orphans = store.orphans(9).await.unwrap();
            orphans.sort_unstable();
            format!("{listed:?} {orphans:?} {:?} {:?}", store.find(of(0)).await, store.find(of(1)).await)
        }
    }
}

#[test]
fn both_stores_answer_alike() {
    let server = Server::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let cases = Cell::new(0);
    let tried = |questions: Vec<Question>| {
        let case = cases.replace(cases.get() + 1);
        runtime.block_on(async {
            let settings = RedisSettings::new(server.url());
            let settings = RedisSettings { prefix: format!("case-{case}"), deadline: Duration::from_secs(10), ..settings };
            let (embedded, redis) = (Embedded::new(), Redis::new(&settings).unwrap());
            for (number, question) in questions.iter().chain([&Question::Look]).enumerate() {
                let (one, other) = (ask(&embedded, question).await, ask(&redis, question).await);
                prop_assert_eq!(one, other, "question {}: {:?}", number, question);
            }
            Ok(())
        })
    };
    let result = TestRunner::new(ProptestConfig::with_cases(300)).run(&questions(), tried);
    result.unwrap_or_else(|error| panic!("{error}"));
}
