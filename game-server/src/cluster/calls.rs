//! Questions to other servers that wait for an answer. Bounded: one more than [`CALLS_MAX`] is
//! refused.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::letter::Answer;

/// Most questions that wait at a time.
const CALLS_MAX: usize = 4_096;

/// Who waits for which answer.
#[derive(Debug, Default)]
pub(super) struct Calls(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    calls: HashMap<u64, oneshot::Sender<Answer>>,
}

impl Calls {
    /// One more question: its number, and the answer to come. `None` if too many wait.
    pub(super) fn begin(&self) -> Option<(u64, oneshot::Receiver<Answer>)> {
        let mut waiting = self.waiting();
        if waiting.calls.len() >= CALLS_MAX {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        let number = waiting.next;
        waiting.next += 1;
        waiting.calls.insert(number, sender);
        Some((number, receiver))
    }

    /// The answer to a question. One that nobody waits for any more is dropped.
    pub(super) fn end(&self, number: u64, answer: Answer) {
        let call = self.waiting().calls.remove(&number);
        if let Some(call) = call {
            let _ = call.send(answer);
        }
    }

    /// Nobody waits for the answer any more.
    pub(super) fn give_up(&self, number: u64) {
        self.waiting().calls.remove(&number);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_finds_its_question_once_and_questions_are_bounded() {
        let calls = Calls::default();
        let answer = || Answer { status: 200, body: b"{}".to_vec(), retry_after_ms: None };
        let (number, mut answered) = calls.begin().expect("room");
        calls.end(number + 1, answer());
        assert!(answered.try_recv().is_err(), "another one's answer");
        calls.end(number, answer());
        assert_eq!(answered.try_recv(), Ok(answer()));
        calls.end(number, answer());
        let waiting: Vec<_> = std::iter::from_fn(|| calls.begin()).collect();
        assert_eq!(waiting.len(), CALLS_MAX);
        calls.give_up(waiting[0].0);
        assert!(calls.begin().is_some() && calls.begin().is_none());
    }
}
