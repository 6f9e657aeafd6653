//! Checking answers to our questions, as far as that goes without a chain.
//!
//! Nothing here looks at a clock or a socket: it runs on threads that may block.

use std::collections::BTreeSet;

use cairn_node::{Failure, Verified};
use cairn_protocol::codec::decode;
use cairn_protocol::messages::{Answer, EncodedBlock, Request};
use cairn_protocol::{
    Block, BlockRef, Network, ProvenHeader, SealedHeader, Transaction, TransactionId,
    VerifiedBlock, VerifiedTransaction,
};

use crate::known::KnownPayments;

/// The content of an answer, verified; but for the signatures of payments that are known.
///
/// # Errors
/// [`Failure`]: what is wrong is something that no honest peer sends.
pub(crate) fn check(
    request: &Request,
    answer: Answer,
    network: &Network,
    known: &KnownPayments,
) -> Result<Verified, Failure> {
    match (request, answer) {
        (Request::Headers(_), Answer::Headers(headers)) => {
            check_headers(&headers, network).map(Verified::Headers)
        }
        (Request::Blocks(wanted), Answer::Blocks(blocks)) => {
            check_blocks(wanted, &blocks, network, known).map(Verified::Blocks)
        }
        (Request::MempoolIds(after), Answer::MempoolIds(ids)) => {
            check_ids(*after, ids.into_vec()).map(Verified::MempoolIds)
        }
        (Request::Transactions(wanted), Answer::Transactions(transactions)) => {
            check_transactions(wanted, transactions.into_vec(), network).map(Verified::Transactions)
        }
        _ => Err(misbehaved("its answer is of another kind than the question")),
    }
}

fn misbehaved(what: impl Into<String>) -> Failure {
    Failure::Misbehaved(what.into())
}

fn check_headers(
    headers: &[SealedHeader],
    network: &Network,
) -> Result<Vec<ProvenHeader>, Failure> {
    let mut proven: Vec<ProvenHeader> = Vec::with_capacity(headers.len());
    for sealed in headers {
        let header =
            sealed.prove(network).map_err(|error| misbehaved(format!("header: {error}")))?;
        let follows = proven.last().is_none_or(|last| {
            header.header().parent == last.hash()
                && header.header().height == last.header().height.next()
        });
        if !follows {
            return Err(misbehaved("its headers do not follow one another"));
        }
        proven.push(header);
    }
    Ok(proven)
}

/// Blocks must come in the order of the question. Nothing is verified that was not asked for, and
/// what was asked for has a proven header: nobody can make us check signatures without work.
fn check_blocks(
    wanted: &[BlockRef],
    blocks: &[EncodedBlock],
    network: &Network,
    known: &KnownPayments,
) -> Result<Vec<VerifiedBlock>, Failure> {
    let mut wanted = wanted.iter();
    let (mut decoded, mut places) = (Vec::new(), Vec::new());
    for encoded in blocks {
        let block: Block =
            decode(encoded).map_err(|error| misbehaved(format!("block: {error}")))?;
        let place = BlockRef { height: block.sealed.header.height, hash: block.sealed.hash() };
        if !wanted.any(|one| *one == place) {
            return Err(misbehaved("it sends a block that was not asked for"));
        }
        decoded.push(block);
        places.push(place);
    }
    Block::verify_unknown(decoded, network, &|id| known.get(id)).map_err(|(index, error)| {
        let place = places[index];
        if error.condemns_header() {
            Failure::InvalidBlock(place, error)
        } else {
            misbehaved(format!("block {place}: {error}"))
        }
    })
}

fn check_ids(
    after: Option<TransactionId>,
    ids: Vec<TransactionId>,
) -> Result<Vec<TransactionId>, Failure> {
    let all = after.iter().chain(&ids);
    if all.is_sorted_by(|one, next| one < next) {
        Ok(ids)
    } else {
        Err(misbehaved("its transaction ids do not ascend"))
    }
}

fn check_transactions(
    wanted: &[TransactionId],
    transactions: Vec<Transaction>,
    network: &Network,
) -> Result<Vec<VerifiedTransaction>, Failure> {
    let verified = Transaction::verify_all(transactions, network.id())
        .map_err(|(index, error)| misbehaved(format!("transaction {index}: {error}")))?;
    let mut wanted: BTreeSet<_> = wanted.iter().collect();
    if verified.iter().all(|one| wanted.remove(&one.id())) {
        Ok(verified)
    } else {
        Err(misbehaved("it sends a transaction that was not asked for"))
    }
}

#[cfg(test)]
mod tests {
    use cairn_protocol::codec::encode;
    use cairn_protocol::{AccountId, BlockError, Bounded, Height, Timestamp};

    use super::*;
    use crate::testing::{child, network, payment};

    fn chain(length: u32) -> Vec<VerifiedBlock> {
        let network = network();
        let mut blocks: Vec<VerifiedBlock> = Vec::new();
        for _ in 0..length {
            let parent = blocks.last().map_or(network.genesis_ref(), VerifiedBlock::block_ref);
            blocks.push(child(&network, parent));
        }
        blocks
    }

    fn encoded(blocks: &[VerifiedBlock]) -> Answer {
        let bytes = blocks.iter().map(|block| encode(&block.to_block()));
        Answer::Blocks(Bounded::first(bytes.map(|bytes| EncodedBlock::new(bytes).expect("small"))))
    }

    fn refs(blocks: &[VerifiedBlock]) -> Request {
        Request::Blocks(Bounded::first(blocks.iter().map(VerifiedBlock::block_ref)))
    }

    /// Nothing is known but what the answer says.
    fn check(request: &Request, answer: Answer, network: &Network) -> Result<Verified, Failure> {
        super::check(request, answer, network, &KnownPayments::default())
    }

    fn refused(request: &Request, answer: Answer) -> String {
        match check(request, answer, &network()) {
            Err(Failure::Misbehaved(what)) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rule_l7_headers_are_proven_and_follow_one_another() {
        let request = Request::Headers(Bounded::default());
        let blocks = chain(3);
        let headers = |which: &[usize]| {
            Answer::Headers(Bounded::first(which.iter().map(|&i| *blocks[i].header().sealed())))
        };
        let proven = check(&request, headers(&[0, 1, 2]), &network()).expect("good");
        let expected = blocks.iter().map(|block| *block.header()).collect();
        assert_eq!(proven, Verified::Headers(expected));
        assert_eq!(refused(&request, headers(&[0, 2])), "its headers do not follow one another");

        let mut unproven = *blocks[0].header().sealed();
        unproven.header.target = cairn_protocol::Target::HARDEST;
        let answer = Answer::Headers(Bounded::first([unproven]));
        assert_eq!(refused(&request, answer), "header: its hash does not meet its target");
    }

    #[test]
    fn rule_l8_blocks_come_in_order_and_only_if_asked_for() {
        let blocks = chain(3);
        let some = encoded(&[blocks[0].clone(), blocks[2].clone()]);
        let verified = check(&refs(&blocks), some, &network()).expect("good");
        assert_eq!(verified, Verified::Blocks(vec![blocks[0].clone(), blocks[2].clone()]));
        let not_asked = "it sends a block that was not asked for";
        assert_eq!(refused(&refs(&blocks[1..]), encoded(&blocks)), not_asked);
        let swapped = encoded(&[blocks[1].clone(), blocks[0].clone()]);
        assert_eq!(refused(&refs(&blocks), swapped), not_asked);
        let junk = Answer::Blocks(Bounded::first([EncodedBlock::default()]));
        assert!(refused(&refs(&blocks), junk).starts_with("block: malformed"));
    }

    /// The same block in more bytes, or in fewer, is no word against it.
    #[test]
    fn behaviour_22_a_bloated_block_is_refused_and_the_true_one_is_taken_after_it() {
        let blocks = chain(1);
        let good = encode(&blocks[0].to_block());
        let answer = |bytes: &[u8]| {
            let encoded = EncodedBlock::new(bytes.to_vec()).expect("small");
            check(&refs(&blocks), Answer::Blocks(Bounded::first([encoded])), &network())
        };
        for bad in [&[&good[..], &[0]].concat(), &good[..good.len() - 1]] {
            let failure = answer(bad).expect_err("no block");
            assert!(matches!(failure, Failure::Misbehaved(_)), "{failure:?}");
        }
        assert_eq!(answer(&good), Ok(Verified::Blocks(blocks.clone())));
    }

    #[test]
    fn a_foreign_content_says_nothing_about_the_block_and_an_invalid_one_condemns_it() {
        let blocks = chain(1);
        let answer = |block: &Block| {
            let bytes = EncodedBlock::new(encode(block)).expect("small");
            check(&refs(&blocks), Answer::Blocks(Bounded::first([bytes])), &network())
        };
        let mut mutated = blocks[0].to_block();
        mutated.reward.recipient = AccountId([9; 32]);
        assert!(matches!(answer(&mutated), Err(Failure::Misbehaved(_))));

        let invalid = crate::testing::greedy(&network());
        let block_ref = BlockRef { height: Height::from(1), hash: invalid.sealed.hash() };
        let request = Request::Blocks(Bounded::first([block_ref]));
        let bytes = EncodedBlock::new(encode(&invalid)).expect("small");
        let failure = check(&request, Answer::Blocks(Bounded::first([bytes])), &network());
        let Err(Failure::InvalidBlock(which, error)) = failure else { panic!("{failure:?}") };
        assert_eq!((which, error.rule()), (block_ref, "B5"));
    }

    /// Whatever is not the block that was asked for is refused before a signature is looked at.
    #[test]
    fn attack_05_no_signature_is_verified_without_work() {
        let blocks = chain(2);
        let mut forged = payment(&network(), 1, 0);
        forged.signature.0[0] ^= 1;
        let mut stuffed = blocks[0].to_block();
        stuffed.payments = Bounded::first(vec![forged; 1_000]);
        let bytes = EncodedBlock::new(encode(&stuffed)).expect("fits");
        let answer = Answer::Blocks(Bounded::first([bytes]));
        let refused_for = refused(&refs(&blocks[1..]), answer.clone());
        assert_eq!(refused_for, "it sends a block that was not asked for");
        let refused_for = refused(&refs(&blocks), answer);
        let expected = BlockError::ContentRoot.to_string();
        assert!(refused_for.ends_with(&expected), "{refused_for}");

        // Nor if it has no work, whatever was asked for.
        let mut idle = stuffed;
        idle.sealed.header.target = cairn_protocol::Target::HARDEST;
        let place = BlockRef { height: Height::from(1), hash: idle.sealed.hash() };
        let request = Request::Blocks(Bounded::first([place]));
        let bytes = EncodedBlock::new(encode(&idle)).expect("fits");
        let refused = check(&request, Answer::Blocks(Bounded::first([bytes])), &network());
        let failure = refused.expect_err("it has no work");
        let is_header = matches!(failure, Failure::InvalidBlock(_, BlockError::Header(_)));
        assert!(is_header, "{failure:?}");
    }

    #[test]
    fn rule_l9_mempool_ids_ascend_from_the_last_one_known() {
        let id = |byte| TransactionId([byte; 32]);
        let answer = |ids: &[u8]| Answer::MempoolIds(Bounded::first(ids.iter().map(|&b| id(b))));
        let after = Request::MempoolIds(Some(id(3)));
        let verified = check(&after, answer(&[4, 5]), &network()).expect("good");
        assert_eq!(verified, Verified::MempoolIds(vec![id(4), id(5)]));
        for ids in [[3, 5], [5, 4], [5, 5]] {
            assert_eq!(refused(&after, answer(&ids)), "its transaction ids do not ascend");
        }
    }

    #[test]
    fn rule_l10_transactions_are_verified_and_only_if_asked_for() {
        let network = network();
        let (one, two) = (payment(&network, 1, 0), payment(&network, 2, 0));
        let id = |transaction: &Transaction| transaction.payment.id(network.id());
        let request = Request::Transactions(Bounded::first([id(&one), id(&two)]));
        let answer = |all: &[&Transaction]| {
            Answer::Transactions(Bounded::first(all.iter().copied().cloned()))
        };
        assert!(check(&request, answer(&[&two]), &network).is_ok());
        let other = payment(&network, 3, 0);
        let not_asked = "it sends a transaction that was not asked for";
        assert_eq!(refused(&request, answer(&[&one, &other])), not_asked);
        assert_eq!(refused(&request, answer(&[&one, &one])), not_asked);
        let mut forged = one.clone();
        forged.signature.0[0] ^= 1;
        assert!(refused(&request, answer(&[&two, &forged])).starts_with("transaction 1: "));
    }

    #[test]
    fn rule_l3_an_answer_of_another_kind_is_no_answer() {
        let answer = Answer::MempoolIds(Bounded::default());
        let what = refused(&Request::Headers(Bounded::default()), answer);
        assert_eq!(what, "its answer is of another kind than the question");
    }

    #[test]
    fn a_payment_that_is_known_is_not_verified_again() {
        let network = network();
        let payments = vec![payment(&network, 1, 0), payment(&network, 2, 0)];
        let payments = Transaction::verify_all(payments, network.id()).expect("valid");
        let draft = cairn_forge::Draft {
            parent: network.genesis_ref(),
            time: Timestamp::from_millis(1).expect("small"),
            target: network.rules().floor(),
            recipient: AccountId([7; 32]),
            payments: payments.clone(),
        };
        let blocks = [draft.seal(&network).expect("valid")];
        let known = KnownPayments::default();
        known.add(&payments[1]);
        let verified = super::check(&refs(&blocks), encoded(&blocks), &network, &known);
        assert_eq!(verified, Ok(Verified::Blocks(blocks.to_vec())));
        assert_eq!(known.found(), 1);
    }
}
