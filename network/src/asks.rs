//! Questions of the node, each answered or failed exactly once, and questions to it.

use std::collections::BTreeMap;

use cairn_node::{PeerId, QuestionId};
use cairn_protocol::messages::{Request, RequestId};
use tokio::time::Instant;

use crate::inbox::LinkId;

/// A question of the node.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) peer: PeerId,
    pub(crate) request: Request,
    pub(crate) asked: Instant,
    /// Where it was asked; `None` while the connection is being opened.
    pub(crate) link: Option<LinkId>,
}

/// The node's questions that are open. The node bounds their number.
#[derive(Debug, Default)]
pub(crate) struct OurQuestions(BTreeMap<QuestionId, Ask>);

impl OurQuestions {
    /// Notes a question.
    pub(crate) fn open(&mut self, question: QuestionId, ask: Ask) {
        self.0.insert(question, ask);
    }

    /// Closes a question; `None` if it is closed already.
    pub(crate) fn close(&mut self, question: QuestionId) -> Option<Ask> {
        self.0.remove(&question)
    }

    /// Closes a question that was asked on this link. Returns whether it was open.
    pub(crate) fn close_on(&mut self, question: QuestionId, link: LinkId) -> bool {
        let here = self.0.get(&question).is_some_and(|ask| ask.link == Some(link));
        here && self.0.remove(&question).is_some()
    }

    /// Those to a peer that wait for a connection.
    pub(crate) fn waiting_for(&self, peer: PeerId) -> Vec<QuestionId> {
        self.choose(|ask| ask.peer == peer && ask.link.is_none())
    }

    /// Those that wait for a connection, and have done so since this time or longer.
    pub(crate) fn waiting_since(&self, time: Instant) -> Vec<QuestionId> {
        self.choose(|ask| ask.link.is_none() && ask.asked <= time)
    }

    /// When the oldest of those that wait for a connection was asked.
    pub(crate) fn oldest_waiting(&self) -> Option<Instant> {
        let waiting = self.0.values().filter(|ask| ask.link.is_none());
        waiting.map(|ask| ask.asked).min()
    }

    /// Those that were asked on a link.
    pub(crate) fn on_link(&self, link: LinkId) -> Vec<QuestionId> {
        self.choose(|ask| ask.link == Some(link))
    }

    /// Whether a peer is asked something.
    pub(crate) fn concern(&self, peer: PeerId) -> bool {
        self.0.values().any(|ask| ask.peer == peer)
    }

    fn choose(&self, which: impl Fn(&Ask) -> bool) -> Vec<QuestionId> {
        self.0.iter().filter(|(_, ask)| which(ask)).map(|(id, _)| *id).collect()
    }
}

/// Questions that the node is asked. Each link numbers its own; the node sees numbers of ours.
/// There are at most [`crate::limits::MAX_ANSWERING`] of each link.
#[derive(Debug, Default)]
pub(crate) struct TheirQuestions {
    open: BTreeMap<RequestId, (LinkId, RequestId)>,
    next: u32,
}

impl TheirQuestions {
    /// Notes a question, and gives it a number that no other open one has.
    pub(crate) fn open(&mut self, link: LinkId, theirs: RequestId) -> RequestId {
        let ours = RequestId(self.next);
        self.next = self.next.wrapping_add(1);
        self.open.insert(ours, (link, theirs));
        ours
    }

    /// Where the answer goes to; `None` if the link is gone.
    pub(crate) fn close(&mut self, ours: RequestId) -> Option<(LinkId, RequestId)> {
        self.open.remove(&ours)
    }

    /// Forgets those of a link that is gone.
    pub(crate) fn forget(&mut self, link: LinkId) {
        self.open.retain(|_, (asked_on, _)| *asked_on != link);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ask(peer: u64, link: Option<u64>) -> Ask {
        let request = Request::MempoolIds(None);
        Ask { peer: PeerId(peer), request, asked: Instant::now(), link: link.map(LinkId) }
    }

    #[test]
    fn a_question_is_closed_once_and_only_where_it_was_asked() {
        let mut questions = OurQuestions::default();
        questions.open(QuestionId(1), ask(5, Some(7)));
        assert!(!questions.close_on(QuestionId(1), LinkId(8)));
        assert!(questions.close_on(QuestionId(1), LinkId(7)));
        assert!(!questions.close_on(QuestionId(1), LinkId(7)));
        questions.open(QuestionId(2), ask(5, None));
        assert_eq!(questions.waiting_for(PeerId(5)), [QuestionId(2)]);
        let asked = questions.oldest_waiting().expect("one waits");
        assert_eq!(questions.waiting_since(asked), [QuestionId(2)]);
        assert!(questions.waiting_since(asked - Duration::from_nanos(1)).is_empty());
        assert!(questions.concern(PeerId(5)));
        assert!(questions.close(QuestionId(2)).is_some());
        assert!(!questions.concern(PeerId(5)));
    }

    #[test]
    fn rule_l3_equal_numbers_of_two_links_are_kept_apart() {
        let mut questions = TheirQuestions::default();
        let theirs = RequestId(0);
        let one = questions.open(LinkId(1), theirs);
        let two = questions.open(LinkId(2), theirs);
        questions.forget(LinkId(1));
        assert_eq!(questions.close(one), None);
        assert_eq!(questions.close(two), Some((LinkId(2), theirs)));
        assert_eq!(questions.close(two), None);
    }
}
