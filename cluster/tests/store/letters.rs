//! Laws of mailboxes.

use bytes::Bytes;
use tickwire_cluster::store::{MAILBOX_MAX, MESSAGE_BYTES_MAX};
use tickwire_cluster::{Letter, StoreError};

use super::house::{House, node};

/// A letter as it is received.
#[expect(clippy::unnecessary_wraps, reason = "a mailbox that closes gives none")]
fn letter(from: &str, body: &str) -> Option<Letter> {
    Some(Letter { from: node(from), body: body.to_owned().into() })
}

pub(crate) async fn nobody_listens_until_somebody_does(house: &impl House) {
    let (a, b) = (house.store(), house.store());
    assert_eq!(a.send(&node("a"), &node("b"), "lost".into()).await, Ok(false));
    a.announce(&node("a"), "lost".into()).await.unwrap();
    let mut letters = b.listen(&node("b")).await.unwrap();
    assert_eq!(a.send(&node("a"), &node("b"), "heard".into()).await, Ok(true));
    assert_eq!(letters.recv().await, letter("a", "heard"));
    drop(letters);
    house.until(async || !a.send(&node("a"), &node("b"), "lost".into()).await.unwrap()).await;
}

pub(crate) async fn letters_arrive_in_order_and_announcements_everywhere(house: &impl House) {
    let (a, b) = (house.store(), house.store());
    let mut of_a = a.listen(&node("a")).await.unwrap();
    let mut of_b = b.listen(&node("b")).await.unwrap();
    for count in 0..10 {
        assert_eq!(a.send(&node("a"), &node("b"), count.to_string().into()).await, Ok(true));
    }
    a.announce(&node("a"), "to all\n\0".into()).await.unwrap();
    b.send(&node("b"), &node("a"), "to a".into()).await.unwrap();
    for count in 0..10 {
        assert_eq!(of_b.recv().await, letter("a", &count.to_string()));
    }
    assert_eq!(of_b.recv().await, letter("a", "to all\n\0"));
    let mut heard = [of_a.recv().await, of_a.recv().await];
    heard.sort_by_key(|heard| heard.as_ref().map(|letter| letter.body.clone()));
    assert_eq!(heard, [letter("b", "to a"), letter("a", "to all\n\0")]);

    let mut newer = b.listen(&node("b")).await.unwrap();
    assert_eq!(of_b.recv().await, None, "of two mailboxes with one name the newer is open");
    assert_eq!(a.send(&node("a"), &node("b"), "again".into()).await, Ok(true));
    assert_eq!(newer.recv().await, letter("a", "again"));
}

pub(crate) async fn a_full_mailbox_keeps_nobody_waiting(house: &impl House) {
    let (a, b) = (house.store(), house.store());
    let mut letters = b.listen(&node("b")).await.unwrap();
    for count in 0..MAILBOX_MAX + 100 {
        a.send(&node("a"), &node("b"), count.to_string().into()).await.unwrap();
    }
    for count in 0..MAILBOX_MAX {
        assert_eq!(letters.recv().await, letter("a", &count.to_string()));
    }
    a.send(&node("a"), &node("b"), "there is room".into()).await.unwrap();
    while letters.recv().await != letter("a", "there is room") {}
}

pub(crate) async fn a_letter_that_is_too_long_is_not_sent(house: &impl House) {
    let store = house.store();
    let mut letters = store.listen(&node("b")).await.unwrap();
    let longest = Bytes::from(vec![7; MESSAGE_BYTES_MAX]);
    let too_long = Bytes::from(vec![7; MESSAGE_BYTES_MAX + 1]);
    let refused = StoreError::TooLong(MESSAGE_BYTES_MAX + 1);
    assert_eq!(store.send(&node("a"), &node("b"), too_long.clone()).await, Err(refused.clone()));
    assert_eq!(store.announce(&node("a"), too_long).await, Err(refused));
    assert_eq!(store.send(&node("a"), &node("b"), longest.clone()).await, Ok(true));
    assert_eq!(letters.recv().await.map(|letter| letter.body), Some(longest));
}
