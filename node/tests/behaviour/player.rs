//! A node of the world, and what came out of it.

use std::collections::BTreeMap;

use cairn_ledger::LedgerReader;
use cairn_node::{Event, Input, Node, Output, QuestionId, RestReason, Template};
use cairn_protocol::Timestamp;
use cairn_protocol::messages::{Request, RequestId};

/// A node and what it asked for.
pub struct Player {
    pub node: Node,
    pub reader: LedgerReader,
    /// How far its clock is ahead of the world's, in milliseconds.
    pub skew: i64,
    /// When it wants to be woken, by the world's time.
    pub due: Option<Timestamp>,
    /// What it mines.
    pub template: Option<Template>,
    /// Everything that went into it, with its own time.
    pub inputs: Vec<(Timestamp, Input)>,
    /// Everything that came out of it, with the world's time.
    pub log: Vec<(Timestamp, Output)>,
    /// What others asked it: who, and by which number of theirs.
    pub requests: BTreeMap<RequestId, (usize, QuestionId)>,
}

impl Player {
    pub fn outputs(&self) -> impl Iterator<Item = &Output> {
        self.log.iter().map(|(_, output)| output)
    }

    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.outputs().filter_map(|output| match output {
            Output::Event(event) => Some(event),
            _ => None,
        })
    }

    /// The codes of its warnings.
    pub fn warnings(&self) -> Vec<&'static str> {
        let codes = self.events().filter_map(|event| match event {
            Event::Warning { code, .. } => Some(*code),
            _ => None,
        });
        codes.collect()
    }

    /// Whom it cut off.
    pub fn dropped(&self) -> Vec<usize> {
        let peers = self.outputs().filter_map(|output| match output {
            Output::Drop { peer, .. } => Some(usize::try_from(peer.0).expect("an index")),
            _ => None,
        });
        peers.collect()
    }

    /// Why it rests, if it does.
    pub fn rests(&self) -> Option<&RestReason> {
        let told = self.outputs().filter_map(|output| match output {
            Output::Rest(reason) => Some(Some(reason)),
            Output::Mine(_) => Some(None),
            _ => None,
        });
        told.last().flatten()
    }

    /// What it asked, and whom.
    pub fn asked(&self) -> impl Iterator<Item = (usize, &Request)> {
        self.outputs().filter_map(|output| match output {
            Output::Ask { peer, request, .. } => {
                Some((usize::try_from(peer.0).expect("an index"), request))
            }
            _ => None,
        })
    }

    /// When it broadcast its status.
    pub fn announced(&self) -> Vec<Timestamp> {
        let log = self.log.iter();
        log.filter(|(_, output)| matches!(output, Output::BroadcastStatus(_)))
            .map(|(time, _)| *time)
            .collect()
    }

    /// When it was told to mine something.
    pub fn templates(&self) -> Vec<Timestamp> {
        let log = self.log.iter();
        log.filter(|(_, output)| matches!(output, Output::Mine(_))).map(|(time, _)| *time).collect()
    }

    pub fn relayed(&self) -> usize {
        self.outputs().filter(|output| matches!(output, Output::Relay { .. })).count()
    }
}
