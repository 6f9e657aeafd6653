//! [`Window`]: the start of what is missing of a branch, and the blocks that came before their
//! turn.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cairn_protocol::{BlockRef, Height, VerifiedBlock};

use crate::input::PeerId;
use crate::time::Moment;

/// The most missing blocks that are looked at, asked for or waiting.
pub(crate) const MAX_WINDOW: usize = 1_024;
/// The most bytes of blocks that wait for their turn.
pub(crate) const MAX_WAITING_BYTES: usize = 32 << 20;

/// At most [`MAX_WINDOW`] missing blocks, and [`MAX_WAITING_BYTES`] of those that wait.
#[derive(Debug, Default)]
pub(crate) struct Window {
    /// The missing blocks. They are of one branch, so in the order of their heights.
    missing: BTreeSet<BlockRef>,
    /// Those that nobody is asked for.
    wanted: BTreeSet<BlockRef>,
    /// Those that came before their turn, and who gave them.
    waiting: BTreeMap<BlockRef, (VerifiedBlock, PeerId)>,
    waiting_bytes: usize,
    /// The first missing block, and since when it is.
    first: Option<(BlockRef, Moment)>,
}

impl Window {
    pub(crate) fn len(&self) -> usize {
        self.missing.len()
    }

    pub(crate) fn contains(&self, block: &BlockRef) -> bool {
        self.missing.contains(block)
    }

    /// Moves to what is missing now, and keeps what is known of it.
    pub(crate) fn move_to(&mut self, missing: Vec<BlockRef>, now: Moment) {
        let missing: BTreeSet<_> = missing.into_iter().take(MAX_WINDOW).collect();
        self.wanted.retain(|block| missing.contains(block));
        self.wanted.extend(missing.difference(&self.missing));
        self.waiting.retain(|block, _| missing.contains(block));
        self.waiting_bytes = self.waiting.values().map(|(block, _)| block.encoded_len()).sum();
        self.missing = missing;
        self.note_first(now);
    }

    fn note_first(&mut self, now: Moment) {
        let first = self.missing.first().copied();
        let known = self.first.filter(|(block, _)| Some(*block) == first);
        self.first = known.or(first.map(|block| (block, now)));
    }

    /// The first missing block, and since when it is.
    pub(crate) fn first(&self) -> Option<(BlockRef, Moment)> {
        self.first
    }

    /// The first missing block, if it has been so for this long.
    pub(crate) fn overdue(&self, patience: Duration, now: Moment) -> Option<BlockRef> {
        let (block, since) = self.first?;
        (now.since(since) >= patience).then_some(block)
    }

    /// The lowest block that nobody is asked for.
    pub(crate) fn first_wanted(&self) -> Option<BlockRef> {
        self.wanted.first().copied()
    }

    /// How many blocks nobody is asked for.
    pub(crate) fn wanted(&self) -> usize {
        self.wanted.len()
    }

    /// The next blocks to ask a peer of this height for; they count as asked for then.
    pub(crate) fn take_wanted(&mut self, most: usize, height: Height) -> BTreeSet<BlockRef> {
        // With much waiting, only what comes before it is of use.
        let is_full = self.waiting_bytes >= MAX_WAITING_BYTES / 2;
        let end = self.waiting.first_key_value().map(|(block, _)| *block).filter(|_| is_full);
        let is_of_use =
            |block: &&BlockRef| block.height <= height && end.is_none_or(|end| **block < end);
        let taken: BTreeSet<_> =
            self.wanted.iter().take_while(is_of_use).take(most).copied().collect();
        self.wanted.retain(|block| !taken.contains(block));
        taken
    }

    /// These blocks were asked for; those that did not come are wanted again.
    pub(crate) fn release(&mut self, blocks: &BTreeSet<BlockRef>) {
        let absent = blocks.iter().filter(|block| !self.waiting.contains_key(block));
        self.wanted.extend(absent.filter(|block| self.missing.contains(block)));
    }

    /// A block came. It is let go if the window has moved to another branch.
    pub(crate) fn put(&mut self, block: VerifiedBlock, from: PeerId) {
        let place = block.block_ref();
        if !self.missing.contains(&place) || self.waiting.contains_key(&place) {
            return;
        }
        self.wanted.remove(&place);
        self.waiting_bytes += block.encoded_len();
        self.waiting.insert(place, (block, from));
        while self.waiting_bytes > MAX_WAITING_BYTES
            && let Some((last, (block, _))) = self.waiting.pop_last()
        {
            self.waiting_bytes -= block.encoded_len();
            self.wanted.insert(last);
        }
    }

    /// Whether the first missing block is here.
    pub(crate) fn has_ready(&self) -> bool {
        let waiting = self.waiting.first_key_value().map(|(block, _)| block);
        waiting.is_some() && waiting == self.missing.first()
    }

    /// The next blocks whose turn it is, until they are this many bytes, and who gave them.
    pub(crate) fn take_ready(&mut self, bytes: usize, now: Moment) -> Vec<(VerifiedBlock, PeerId)> {
        let (mut ready, mut taken) = (Vec::new(), 0);
        while taken < bytes
            && self.has_ready()
            && let Some((block, arrival)) = self.waiting.pop_first()
        {
            self.missing.remove(&block);
            taken += arrival.0.encoded_len();
            ready.push(arrival);
        }
        self.waiting_bytes -= taken;
        self.note_first(now);
        ready
    }
}

#[cfg(test)]
mod tests {
    use cairn_protocol::block::content_root_of;
    use cairn_protocol::header::HEADER_VERSION;
    use cairn_protocol::{
        AccountId, Amount, BlockHash, Header, Memo, Network, Payment, Proof, Reward, Rules,
        SecretKey, Sequence, Timestamp, VerifiedTransaction,
    };

    use super::*;

    const GIVER: PeerId = PeerId(1);

    /// Payments that fill a block.
    fn payments(network: &Network) -> Vec<VerifiedTransaction> {
        let key = SecretKey::from_seed([1; 32]);
        let sign = |sequence: u32| {
            let payment = Payment {
                sender: key.account(),
                recipient: AccountId([9; 32]),
                amount: Amount::from_micros(1).expect("small"),
                fee: Amount::ZERO,
                sequence: Sequence::from(sequence),
                memo: Memo::new(vec![0; 512]).expect("fits"),
            };
            key.sign(payment, network.id())
        };
        let signed = (0..1_480).map(sign).collect();
        cairn_protocol::Transaction::verify_all(signed, network.id()).expect("valid")
    }

    /// A block of this height, which has no parent.
    fn block(network: &Network, height: u32, payments: &[VerifiedTransaction]) -> VerifiedBlock {
        let height = Height::from(height);
        let amount = network.subsidy(height);
        let reward = Reward { height, recipient: AccountId([1; 32]), amount };
        let header = Header {
            version: HEADER_VERSION,
            height,
            parent: BlockHash::default(),
            content: content_root_of(&reward, payments),
            time: Timestamp::ZERO,
            target: network.rules().floor(),
        };
        let digest = header.digest();
        let mut proofs = (0..).map(|nonce| Proof { salt: [0; 16], nonce });
        let proof = proofs.find(|proof| header.target.is_met_by(&proof.hash(&digest)));
        VerifiedBlock::seal(header, proof.expect("easy"), reward, payments.to_vec(), network)
            .expect("valid")
    }

    fn network() -> Network {
        Network::new(Rules { difficulty: 0, ..Rules::default() }).expect("possible")
    }

    fn heights(blocks: &BTreeSet<BlockRef>) -> Vec<u64> {
        blocks.iter().map(|block| block.height.get()).collect()
    }

    #[test]
    fn behaviour_07_blocks_that_come_early_wait_for_their_turn() {
        let network = network();
        let blocks: Vec<_> = (1..=5).map(|height| block(&network, height, &[])).collect();
        let mut window = Window::default();
        window.move_to(blocks.iter().map(VerifiedBlock::block_ref).collect(), Moment::START);
        assert_eq!(heights(&window.take_wanted(2, Height::from(9))), [1, 2]);
        assert_eq!(heights(&window.take_wanted(9, Height::from(4))), [3, 4]);
        for index in [3, 1] {
            window.put(blocks[index].clone(), GIVER);
        }
        assert_eq!(window.take_ready(usize::MAX, Moment::START), []);
        window.put(blocks[0].clone(), GIVER);
        let ready = window.take_ready(usize::MAX, Moment::START);
        assert_eq!(ready, [(blocks[0].clone(), GIVER), (blocks[1].clone(), GIVER)]);
        window.release(&blocks.iter().map(VerifiedBlock::block_ref).collect());
        assert_eq!(heights(&window.take_wanted(9, Height::from(9))), [3, 5]);
        assert_eq!(window.waiting_bytes, blocks[3].encoded_len());

        // What is no longer missing is forgotten, and foreign blocks are let go.
        window.move_to(vec![blocks[4].block_ref()], Moment::START);
        window.put(blocks[2].clone(), GIVER);
        assert_eq!((window.len(), window.waiting_bytes), (1, 0));
    }

    #[test]
    fn behaviour_07_the_window_and_what_waits_in_it_are_bounded() {
        let network = network();
        let place =
            |height: u32| BlockRef { height: Height::from(height), hash: BlockHash::default() };
        let mut window = Window::default();
        window.move_to((1..2_000).map(place).collect(), Moment::START);
        assert_eq!(window.len(), MAX_WINDOW);

        let payments = payments(&network);
        let blocks: Vec<_> = (1..=36).map(|height| block(&network, height, &payments)).collect();
        window.move_to(blocks.iter().map(VerifiedBlock::block_ref).collect(), Moment::START);
        for one in blocks[1..].iter().rev() {
            window.put(one.clone(), GIVER);
            assert!(window.waiting_bytes <= MAX_WAITING_BYTES);
        }
        // The last were let go, since their turn comes last; only the first is asked for now.
        let waiting = window.waiting.len();
        assert_eq!(waiting, MAX_WAITING_BYTES / blocks[0].encoded_len());
        assert_eq!(heights(&window.take_wanted(99, Height::MAX)), [1]);
        window.put(blocks[0].clone(), GIVER);
        assert_eq!(window.take_ready(3_000_000, Moment::START).len(), 4);
        assert!(window.has_ready());
        assert_eq!(window.take_ready(usize::MAX, Moment::START).len(), waiting - 4);
        assert!(!window.has_ready());
        assert_eq!(window.waiting_bytes, 0);
    }

    #[test]
    fn the_first_missing_block_becomes_overdue() {
        let patience = Duration::from_secs(60);
        let at = |seconds| Moment::START.after(Duration::from_secs(seconds));
        let network = network();
        let blocks: Vec<_> = (1..=2).map(|height| block(&network, height, &[])).collect();
        let places: Vec<_> = blocks.iter().map(VerifiedBlock::block_ref).collect();
        let mut window = Window::default();
        window.move_to(places.clone(), at(0));
        window.put(blocks[1].clone(), GIVER);
        window.move_to(places.clone(), at(30));
        assert_eq!(window.overdue(patience, at(59)), None);
        assert_eq!(window.overdue(patience, at(60)), Some(places[0]));
        window.put(blocks[0].clone(), GIVER);
        assert_eq!(window.take_ready(usize::MAX, at(60)).len(), 2);
        assert_eq!(window.overdue(patience, at(999)), None);
    }
}
