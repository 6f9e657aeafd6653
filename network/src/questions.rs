//! The questions that we have asked on one link, and how long they may wait.

use std::collections::{BTreeMap, BTreeSet};

use cairn_node::QuestionId;
use cairn_protocol::messages::{Request, RequestId};
use tokio::time::Instant;

use crate::limits::{MAX_OVERDUE_ANSWERS, QUESTION_STALL};

/// Questions without an answer.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    next: u32,
    open: BTreeMap<RequestId, Open>,
    /// Those given up, whose answers may still come.
    overdue: BTreeSet<RequestId>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) question: QuestionId,
    pub(crate) request: Request,
    asked: Instant,
    /// When it is given up, whatever arrives.
    deadline: Instant,
}

impl Open {
    /// When it is given up if nothing more arrives.
    fn until(&self, last_arrival: Instant) -> Instant {
        self.deadline.min(self.asked.max(last_arrival) + QUESTION_STALL)
    }
}

/// An answer that nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unasked;

impl Questions {
    /// Notes a question, and gives it its number on this link.
    pub(crate) fn ask(
        &mut self,
        question: QuestionId,
        request: Request,
        deadline: Instant,
        now: Instant,
    ) -> RequestId {
        let id = RequestId(self.next);
        self.next = self.next.wrapping_add(1);
        self.open.insert(id, Open { question, request, asked: now, deadline });
        id
    }

    /// The question that this number answers; `None` if it was given up before.
    ///
    /// # Errors
    /// [`Unasked`] if there never was such a question, or it is answered already.
    pub(crate) fn answered(&mut self, id: RequestId) -> Result<Option<Open>, Unasked> {
        match self.open.remove(&id) {
            Some(open) => Ok(Some(open)),
            None if self.overdue.remove(&id) => Ok(None),
            None => Err(Unasked),
        }
    }

    /// Gives up those whose time is over.
    pub(crate) fn expire(&mut self, last_arrival: Instant, now: Instant) -> Vec<QuestionId> {
        let mut expired = Vec::new();
        self.open.retain(|id, open| {
            let over = open.until(last_arrival) <= now;
            if over {
                self.overdue.insert(*id);
                expired.push(open.question);
            }
            !over
        });
        expired
    }

    /// Whether so many answers are overdue that the peer must be taken for dead.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.overdue.len() > MAX_OVERDUE_ANSWERS
    }

    /// When the next one is given up if nothing more arrives.
    pub(crate) fn deadline(&self, last_arrival: Instant) -> Option<Instant> {
        self.open.values().map(|open| open.until(last_arrival)).min()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::limits::QUESTION_TIMEOUT;

    const REQUEST: Request = Request::MempoolIds(None);

    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn rule_l5_a_question_is_given_up_without_progress_or_in_the_end() {
        let start = Instant::now();
        let mut questions = Questions::default();
        questions.ask(QuestionId(7), REQUEST, start + QUESTION_TIMEOUT, start);
        assert_eq!(questions.deadline(start), Some(after(start, 2_000)));
        assert!(questions.expire(start, after(start, 1_999)).is_empty());
        let arrival = after(start, 1_500);
        assert!(questions.expire(arrival, after(start, 3_499)).is_empty());
        assert_eq!(questions.expire(arrival, after(start, 3_500)), [QuestionId(7)]);

        questions.ask(QuestionId(8), REQUEST, start + QUESTION_TIMEOUT, start);
        let (arrival, end) = (after(start, 9_999), after(start, 10_000));
        assert_eq!(questions.expire(arrival, end), [QuestionId(8)]);
        assert_eq!(questions.deadline(arrival), None);
    }

    #[test]
    fn rule_l3_open_questions_have_different_numbers() {
        let start = Instant::now();
        let mut questions = Questions { next: u32::MAX - 1, ..Questions::default() };
        let ids: BTreeSet<_> = (0..256)
            .map(|n| questions.ask(QuestionId(n), REQUEST, start + QUESTION_TIMEOUT, start))
            .collect();
        assert_eq!(ids.len(), 256);
        for (id, number) in [(RequestId(u32::MAX), 1), (RequestId(3), 5)] {
            let open = questions.answered(id).expect("asked").expect("in time");
            assert_eq!(open.question, QuestionId(number));
        }
    }

    #[test]
    fn an_old_arrival_does_not_shorten_a_new_question() {
        let start = Instant::now();
        let mut questions = Questions::default();
        let asked = after(start, 60_000);
        questions.ask(QuestionId(1), REQUEST, asked + QUESTION_TIMEOUT, asked);
        assert_eq!(questions.deadline(start), Some(asked + QUESTION_STALL));
    }

    #[test]
    fn rule_l4_each_question_is_answered_once_and_late_answers_are_told_from_unasked_ones() {
        let start = Instant::now();
        let mut questions = Questions::default();
        let [one, two] =
            [1, 2].map(|n| questions.ask(QuestionId(n), REQUEST, start + QUESTION_TIMEOUT, start));
        let open = questions.answered(one).expect("asked").expect("in time");
        assert_eq!((open.question, open.request), (QuestionId(1), REQUEST));
        assert_eq!(questions.answered(one).expect_err("twice"), Unasked);
        questions.expire(start, after(start, 2_000));
        assert!(questions.answered(two).expect("asked").is_none());
        assert_eq!(questions.answered(two).expect_err("twice"), Unasked);
        assert_eq!(questions.answered(RequestId(9)).expect_err("never"), Unasked);
    }

    #[test]
    fn rule_l5_overdue_answers_are_not_collected_for_ever() {
        let start = Instant::now();
        let mut questions = Questions::default();
        for number in 0..=MAX_OVERDUE_ANSWERS as u64 {
            assert!(!questions.is_hopeless());
            questions.ask(QuestionId(number), REQUEST, start, start);
            questions.expire(start, start);
        }
        assert!(questions.is_hopeless());
    }
}
