//! [`Questions`]: what we asked and have no answer to yet.

use std::collections::{BTreeMap, BTreeSet};

use cairn_protocol::{BlockHash, BlockRef, TransactionId};

use crate::input::{PeerId, QuestionId};
use crate::time::Moment;

/// The most questions in flight, of all kinds to all peers.
pub(crate) const MAX_QUESTIONS: usize = 256;

/// A question in flight.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) peer: PeerId,
    pub(crate) topic: Topic,
    pub(crate) asked: Moment,
}

/// What a question is about.
#[derive(Clone, Debug)]
pub(crate) enum Topic {
    /// The headers up to the tip that the peer had announced.
    Headers(BlockHash),
    /// These blocks.
    Blocks(BTreeSet<BlockRef>),
    /// A page of its mempool's ids, after this one.
    MempoolIds(Option<TransactionId>),
    /// These transactions of its mempool.
    Transactions(BTreeSet<TransactionId>),
}

/// The questions in flight, at most [`MAX_QUESTIONS`].
#[derive(Debug, Default)]
pub(crate) struct Questions {
    next: u64,
    open: BTreeMap<QuestionId, Question>,
}

impl Questions {
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether another question may be asked.
    pub(crate) fn has_room(&self) -> bool {
        self.open.len() < MAX_QUESTIONS
    }

    /// The number of a new question.
    pub(crate) fn add(&mut self, question: Question) -> QuestionId {
        let id = QuestionId(self.next);
        self.next += 1;
        self.open.insert(id, question);
        id
    }

    /// The question of this number, which is no longer in flight; `None` if it never was.
    pub(crate) fn take(&mut self, id: QuestionId) -> Option<Question> {
        self.open.remove(&id)
    }

    /// When each headers question was asked, and whom.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (PeerId, Moment)> {
        let headers = self.open.values().filter(|open| matches!(open.topic, Topic::Headers(_)));
        headers.map(|open| (open.peer, open.asked))
    }

    /// How many questions for blocks each peer has.
    pub(crate) fn blocks(&self) -> BTreeMap<PeerId, usize> {
        let mut counts = BTreeMap::new();
        for open in self.open.values().filter(|open| matches!(open.topic, Topic::Blocks(_))) {
            *counts.entry(open.peer).or_default() += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_numbered_bounded_and_answered_once() {
        let mut questions = Questions::default();
        let question = |peer| Question {
            peer: PeerId(peer),
            topic: Topic::Blocks(BTreeSet::new()),
            asked: Moment::START,
        };
        let ids: Vec<_> = (0..256).map(|peer| questions.add(question(peer % 3))).collect();
        assert_eq!(questions.len(), MAX_QUESTIONS);
        assert!(!questions.has_room());
        assert_eq!(
            questions.blocks(),
            [(0, 86), (1, 85), (2, 85)].map(|(p, n)| (PeerId(p), n)).into()
        );
        assert_eq!(questions.take(ids[4]).map(|one| one.peer), Some(PeerId(1)));
        assert!(questions.take(ids[4]).is_none());
        assert!(questions.has_room());
        assert!(!ids.contains(&questions.add(question(0))));
    }
}
