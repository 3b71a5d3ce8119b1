use std::task::Waker;

use futures_util::{FutureExt, StreamExt};
use tickwire_protocol::CloseReason;
use tickwire_protocol::Tick;
use tickwire_protocol::codec::encode;
use tickwire_protocol::messages::ServerMessage;

use super::*;
use crate::transport::seam::MESSAGES_MAX;

fn connection() -> (HttpEnd, Link) {
    let (end, socket) = pair(30);
    (end, socket.into_link())
}

fn framed(message: &'static [u8]) -> Bytes {
    framing::frame(message)
}

fn bytes(message: &'static [u8]) -> Bytes {
    Bytes::from_static(message)
}

/// What a tick hears: messages, and `None` for signs of life.
fn hear(link: &mut Link) -> Result<Vec<Option<Vec<u8>>>, Broken> {
    let moment = Moment::now(Tick(0));
    link.begin();
    let mut heard = Vec::new();
    while let Some(said) = link.advance(&moment)? {
        heard.push(matches!(said, Heard::Message(_)).then(|| link.message().to_vec()));
    }
    link.end();
    Ok(heard)
}

fn deliver(end: &HttpEnd, number: u32, messages: &[&[u8]]) -> Option<Result<(), Refused>> {
    let body = messages.concat();
    let mut at = 0;
    let ranges = messages.iter().map(|message| {
        let start = at;
        at += message.len();
        start..at
    });
    let ranges: Vec<_> = ranges.collect();
    end.deliver(number, &body, &ranges).now_or_never()
}

#[test]
fn a_batch_is_heard_once_and_in_order() {
    let (end, mut link) = connection();
    assert_eq!(deliver(&end, 1, &[b"early"]), Some(Err(Refused::OutOfOrder)));
    assert_eq!(deliver(&end, 0, &[b"a", b"b"]), Some(Ok(())));
    assert_eq!(deliver(&end, 0, &[b"a", b"b"]), Some(Ok(())), "its answer was lost");
    assert_eq!(deliver(&end, 1, &[b"c"]), Some(Ok(())));
    assert_eq!(deliver(&end, 0, &[b"a", b"b"]), Some(Err(Refused::OutOfOrder)), "too long ago");
    let heard = hear(&mut link).expect("it goes on");
    let said: Vec<_> = heard.iter().flatten().map(Vec::as_slice).collect();
    assert_eq!(said, [b"a", b"b", b"c"]);
    assert_eq!(heard.len() - said.len(), 3, "what brings nothing counts as a sign of life");
    assert_eq!(link.bytes_read(), 30 + 5 + 2 + 2 + 1 + 2, "and costs its bytes");
}

#[tokio::test]
async fn a_batch_that_does_not_fit_waits_for_the_tick() {
    let (end, mut link) = connection();
    let many = [&b"x"[..]; MESSAGES_MAX];
    assert_eq!(deliver(&end, 0, &many), Some(Ok(())));
    let mut next = tokio::task::spawn({
        let end = end.clone();
        async move { end.deliver(1, b"y", std::slice::from_ref(&(0..1))).await }
    });
    tokio::task::yield_now().await;
    assert!((&mut next).now_or_never().is_none(), "there is no room");
    assert_eq!(hear(&mut link).expect("it goes on").len(), MESSAGES_MAX);
    assert_eq!(next.await.expect("no panic"), Ok(()));
    assert_eq!(hear(&mut link), Ok(vec![Some(b"y".to_vec())]));
}

#[test]
fn a_response_gets_a_message_when_it_has_got_rid_of_the_one_before() {
    let (end, mut link) = connection();
    assert_eq!(link.send(&bytes(b"welcome")), Ok(Taken::Part));
    let mut response = end.respond().expect("the first");
    assert_eq!(response.next().now_or_never(), Some(Some(Ok(framed(b"welcome")))));
    assert_eq!((link.is_clear(), link.bytes_written()), (false, 11), "it is not in the kernel yet");
    assert_eq!(link.send(&bytes(b"old")), Ok(Taken::Nothing));
    end.flushed();
    assert!(link.is_clear());
    assert_eq!(link.send(&bytes(b"new")), Ok(Taken::Part));
    end.flushed();
    assert!(!link.is_clear(), "nobody has taken it");
    assert_eq!(response.next().now_or_never(), Some(Some(Ok(framed(b"new")))));
    assert_eq!(response.next().now_or_never(), None);
}

#[test]
fn there_is_one_response_and_with_it_the_connection_is_lost() {
    let (end, mut link) = connection();
    let response = end.respond().expect("the first");
    assert_eq!(end.respond().err(), Some(Refused::Second));
    assert_eq!(end.poll(0).now_or_never(), Some(Err(Refused::Second)));
    assert_eq!(deliver(&end, 0, &[b"last"]), Some(Ok(())));
    drop(response);
    assert_eq!(deliver(&end, 1, &[b"late"]), Some(Err(Refused::Gone)));
    let moment = Moment::now(Tick(0));
    let heard: Vec<_> = std::iter::repeat_with(|| link.advance(&moment)).take(4).collect();
    assert!(matches!(heard[2], Ok(Some(Heard::Message(_)))), "what came before is heard");
    assert_eq!(heard[3], Err(Broken::Lost));
    assert_eq!(link.send(&bytes(b"x")), Err(Broken::Lost));
    assert_eq!(end.respond().err(), Some(Refused::Gone));
}

#[test]
fn polls_are_answered_in_turn_and_the_last_answer_can_be_had_again() {
    let (end, mut link) = connection();
    assert_eq!(link.send(&bytes(b"welcome")), Ok(Taken::Part));
    assert_eq!(end.poll(1).now_or_never(), Some(Err(Refused::OutOfOrder)));
    assert_eq!(end.poll(0).now_or_never(), Some(Ok(framed(b"welcome"))));
    assert!(!link.is_clear(), "nobody waits");
    assert_eq!(end.poll(0).now_or_never(), Some(Ok(framed(b"welcome"))));
    let mut context = Context::from_waker(Waker::noop());
    let mut overtaken = Box::pin(end.poll(1));
    assert!(overtaken.poll_unpin(&mut context).is_pending());
    assert!(link.is_clear(), "somebody waits");
    let mut newest = Box::pin(end.poll(1));
    assert!(newest.poll_unpin(&mut context).is_pending());
    assert_eq!(link.send(&bytes(b"a")), Ok(Taken::Part));
    assert_eq!(overtaken.poll_unpin(&mut context), Poll::Ready(Err(Refused::Second)));
    assert_eq!(newest.poll_unpin(&mut context), Poll::Ready(Ok(framed(b"a"))));
    assert_eq!(end.poll(0).now_or_never(), Some(Err(Refused::OutOfOrder)));
    let again: Vec<_> = (0..20).filter_map(|_| end.poll(1).now_or_never()).collect();
    assert_eq!((&again[0], &again[19]), (&Ok(framed(b"a")), &Err(Refused::TooOften)));
    assert_eq!(end.respond().err(), Some(Refused::Second));
}

#[tokio::test]
async fn who_is_closed_is_told_why_after_all_else() {
    let closing = framing::frame(&encode(&ServerMessage::Closing(CloseReason::Left)));
    for polls in [false, true] {
        let (end, mut link) = connection();
        assert_eq!(link.send(&bytes(b"last")), Ok(Taken::Part));
        let closed = tokio::spawn(async move { link.into_socket().close(&CloseReason::Left.into()).await });
        tokio::task::yield_now().await;
        assert_eq!(deliver(&end, 0, &[b"x"]), Some(Err(Refused::Gone)));
        if polls {
            assert_eq!(end.poll(0).await, Ok(framed(b"last")));
            assert_eq!(end.poll(1).await, Ok(closing.clone()));
        } else {
            let told: Vec<_> = end.respond().expect("the first").map(Result::unwrap_or_default).collect().await;
            assert_eq!(told, [framed(b"last"), closing.clone()]);
        }
        closed.await.expect("told");
        let after = if polls { end.poll(2).await.err() } else { end.respond().err() };
        assert_eq!(after, Some(Refused::Gone));
    }
}

#[test]
fn a_match_that_ends_ends_the_response_and_a_violation_the_session() {
    let (end, mut link) = connection();
    let mut response = end.respond().expect("the first");
    end.violate();
    assert_eq!(hear(&mut link), Err(Broken::Violated));
    drop(link);
    assert_eq!(response.next().now_or_never(), Some(None));
}
