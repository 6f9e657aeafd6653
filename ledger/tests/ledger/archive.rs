//! A chain as one file, and back: what is written, what is taken in, and what is refused.

use std::ops::ControlFlow;

use cairn_ledger::{ExportError, ImportError, Imported, Ledger, LedgerError, Progress, Unusable};
use cairn_protocol::codec::encode;
use cairn_protocol::hash::sha256;
use cairn_protocol::{BlockRef, Network, VerifiedBlock};

use crate::chain::Chain;
use crate::damage::{self, body_of};
use crate::kit::{Branch, OneByOne, network, now, pay};
use crate::storage::{busy_chain, maturing};

/// What stands behind the last chunk.
const END_BYTES: usize = 4 + 8 + 40 + 32;

/// The file of a chain.
fn export(chain: &Chain) -> Vec<u8> {
    let mut file = Vec::new();
    let exported = chain.reader().export(&mut file, &mut |_| ControlFlow::Continue(()));
    let exported = exported.expect("a chain");
    assert_eq!(exported.bytes, file.len() as u64);
    assert_eq!(exported.tip, chain.reader().tip().expect("a chain"));
    file
}

fn import(ledger: &mut Ledger, file: &[u8]) -> Result<Imported, ImportError> {
    let network = ledger.network().clone();
    let mut verifier = OneByOne::new(&network);
    ledger.import(&mut &file[..], now(), &mut verifier, &mut |_| ControlFlow::Continue(()))
}

/// Why a file is refused by a new chain, and how high that is afterwards.
fn refused(network: &Network, file: &[u8]) -> (ImportError, u64) {
    let mut ledger = Ledger::in_memory(network).expect("memory");
    let error = import(&mut ledger, file).expect_err("refused");
    (error, ledger.tip().block.height.get())
}

fn unusable(network: &Network, file: &[u8]) -> (Unusable, u64) {
    match refused(network, file) {
        (ImportError::Unusable(why), height) => (why, height),
        (other, _) => panic!("{other:?}"),
    }
}

/// What an export should write, as docs/decisions/storage.md has it: with these blocks in each
/// chunk.
fn file_of(network: &Network, chunks: &[&[Vec<u8>]], end: BlockRef) -> Vec<u8> {
    let part = |bytes: &[u8]| {
        [&u32::try_from(bytes.len()).expect("short").to_le_bytes()[..], bytes].concat()
    };
    let checked = |bytes: Vec<u8>| [&bytes[..], &sha256(&[&bytes])].concat();
    let end = [&end.height.get().to_le_bytes()[..], &end.hash.0].concat();
    let rules = part(&encode(network.rules()));
    let mut file = checked([b"CRA\x01", &network.id().0[..], &rules, &end].concat());
    for chunk in chunks {
        let blocks: Vec<_> = chunk.iter().map(|block| part(block)).collect();
        file.extend(checked(part(&blocks.concat())));
    }
    let count: usize = chunks.iter().map(|chunk| chunk.len()).sum();
    file.extend([&[0; 4][..], &(count as u64).to_le_bytes(), &end].concat());
    checked(file)
}

fn bytes_of(blocks: &[VerifiedBlock]) -> Vec<Vec<u8>> {
    blocks.iter().map(|block| encode(&block.to_block())).collect()
}

/// A chain with a few payments.
fn branch(network: &Network) -> Branch {
    let mut branch = Branch::new(network, 1);
    branch.mine_empty(3);
    for number in 0..4 {
        branch.mine(vec![pay(network, 1, number, "0.5", 2)]);
    }
    branch
}

fn chain_of(branch: &Branch) -> Chain {
    let mut chain = Chain::new(branch.network());
    chain.grow(branch.blocks());
    chain
}

#[test]
fn the_file_is_laid_out_as_documented() {
    let network = network(|_| {});
    let branch = branch(&network);
    let blocks = bytes_of(branch.blocks());
    assert_eq!(export(&chain_of(&branch)), file_of(&network, &[&blocks], branch.tip()));
    let nothing = export(&Chain::new(&network));
    assert_eq!(nothing, file_of(&network, &[], network.genesis_ref()));
}

/// Only the active chain is in it; twice is as good as once.
#[test]
fn a_chain_that_was_exported_is_imported_as_it_was() {
    let network = maturing();
    let mut chain = busy_chain(&network);
    let (file, due) = (export(&chain), chain.snapshot());
    let mut other = Chain::new(&network);
    let blocks = due.active.len() as u64;
    let imported = import(other.ledger(), &file).expect("a chain");
    assert_eq!(imported, Imported { end: due.tip, new: blocks, payments: 8 });
    assert_eq!(other.snapshot(), due);
    other.restart();
    let again = import(other.ledger(), &file).expect("a chain");
    assert_eq!((again.end, again.new, again.payments), (due.tip, 0, 0));
    assert_eq!(other.snapshot(), due);
    assert_eq!(other.stored_bodies(), u32::try_from(blocks).expect("few"));
}

#[test]
fn behaviour_53_a_file_with_a_flipped_bit_is_refused_and_says_where() {
    let network = network(|_| {});
    let branch = branch(&network);
    let blocks = bytes_of(branch.blocks());
    let file = file_of(&network, &[&blocks[..3], &blocks[3..]], branch.tip());
    let head = file_of(&network, &[], branch.tip()).len() - END_BYTES;
    let first = head + 4 + 3 * (192 + 4) + 32;
    for at in (0..file.len()).step_by(3) {
        let mut flipped = file.clone();
        flipped[at] ^= 1 << (at % 8);
        let (why, height) = unusable(&network, &flipped);
        match why {
            Unusable::Foreign => assert!(at < 3),
            Unusable::Version(_) => assert_eq!(at, 3),
            Unusable::Changed { from, to, after } => {
                assert!((from..to).contains(&(at as u64)), "{at}: {why:?}");
                assert_eq!(after.get(), height, "{at}");
            }
            // A length that is longer by much.
            Unusable::Truncated { .. } => assert!((36..40).contains(&at) || at >= head, "{at}"),
            other => panic!("{at}: {other:?}"),
        }
        let before = if at < first { 0 } else { 3 };
        assert!(height == before || at + END_BYTES >= file.len() && height == 7, "{at}: {height}");
    }
}

#[test]
fn behaviour_53_a_file_that_ends_early_is_refused_and_what_came_before_stays() {
    let network = network(|_| {});
    let branch = branch(&network);
    let blocks = bytes_of(branch.blocks());
    let file = file_of(&network, &[&blocks[..3], &blocks[3..]], branch.tip());
    let mut heights = Vec::new();
    for length in (0..file.len()).step_by(3) {
        match unusable(&network, &file[..length]) {
            (Unusable::Truncated { bytes, after }, height) => {
                assert_eq!((bytes, after.get()), (length as u64, height));
                heights.push(height);
            }
            (Unusable::Foreign, 0) => assert!(length < 4),
            other => panic!("{length}: {other:?}"),
        }
    }
    assert!(heights.is_sorted());
    heights.dedup();
    assert_eq!(heights, [0, 3, 7]);
    let longer = [&file[..], b"x"].concat();
    assert!(matches!(unusable(&network, &longer), (Unusable::Malformed(_), 7)));
}

#[test]
fn a_file_of_another_network_is_refused_and_the_rule_named() {
    let network = maturing();
    let file = export(&busy_chain(&network));
    let other = crate::kit::network(|rules| rules.reward_maturity = 7);
    let (why, height) = unusable(&other, &file);
    assert!(matches!(why, Unusable::OtherRules(_)), "{why:?}");
    let text = why.to_string();
    assert!(text.contains("reward_maturity is 7 here and 2 there"), "{text}");
    assert_eq!(height, 0);
}

#[test]
fn what_no_export_has_written_is_refused() {
    let network = network(|_| {});
    let shopping = "I am a shopping list.\n".repeat(100);
    assert_eq!(unusable(&network, shopping.as_bytes()).0, Unusable::Foreign);
    let branch = branch(&network);
    let blocks = bytes_of(branch.blocks());
    let malformed = |chunks: &[&[Vec<u8>]], end| {
        let (why, height) = unusable(&network, &file_of(&network, chunks, end));
        assert!(matches!(why, Unusable::Malformed(_)), "{why:?}");
        height
    };
    // Its beginning and its end say different things.
    let says = |end| file_of(&network, &[&blocks], end);
    let (head, rest) = (says(branch.block(3).block_ref()), says(branch.tip()));
    let head_bytes = file_of(&network, &[], branch.tip()).len() - END_BYTES;
    let mixed = [&head[..head_bytes], &rest[head_bytes..rest.len() - 32]].concat();
    let mixed = [&mixed[..], &sha256(&[&mixed])].concat();
    assert!(matches!(unusable(&network, &mixed), (Unusable::Malformed(_), 7)));
    // A block is left out; the end is another; a block is cut off.
    assert_eq!(malformed(&[&blocks[..3], &blocks[4..]], branch.tip()), 3);
    assert_eq!(malformed(&[&blocks[..3]], branch.tip()), 3);
    assert_eq!(malformed(&[&blocks], branch.block(3).block_ref()), 7);
    assert_eq!(malformed(&[&blocks[..3], &[blocks[3][..100].to_vec()]], branch.tip()), 3);
}

/// The checksums are right; it is the block that is not.
#[test]
fn a_bad_block_in_the_middle_is_named_and_what_came_before_stays() {
    let network = network(|_| {});
    let branch = branch(&network);
    let bad = |blocks: &[Vec<u8>], at: BlockRef, rule: &str| {
        let (error, height) = refused(&network, &file_of(&network, &[blocks], branch.tip()));
        let ImportError::BadBlock { block, reason } = error else { panic!("{error:?}") };
        assert_eq!(block, at);
        assert!(reason.contains(&format!("rule {rule}: ")), "{reason}");
        assert_eq!(height + 1, at.height.get());
    };
    let mut blocks = bytes_of(branch.blocks());
    *blocks[4].last_mut().expect("a signature") ^= 1;
    bad(&blocks, branch.block(5).block_ref(), "B1");

    // Nobody has so much.
    let mut poor = branch.fork(4, 1);
    poor.mine(vec![pay(&network, 1, 1, "1000", 2)]);
    poor.mine_empty(2);
    let file = file_of(&network, &[&bytes_of(poor.blocks())], poor.tip());
    let (error, height) = refused(&network, &file);
    let ImportError::BadBlock { block, reason } = error else { panic!("{error:?}") };
    assert_eq!((block, height), (poor.block(5).block_ref(), 4));
    assert!(reason.starts_with("breaks rule C8: "), "{reason}");
}

/// Fork choice decides, and what loses stays a branch.
#[test]
fn an_import_over_a_chain_keeps_the_one_with_more_work() {
    let network = network(|_| {});
    let here = branch(&network);
    let mut chain = chain_of(&here);
    let mut shorter = here.fork(2, 3);
    shorter.mine_empty(2);
    let before = chain.snapshot();
    let imported = import(chain.ledger(), &export(&chain_of(&shorter))).expect("a chain");
    assert_eq!((imported.end, imported.new), (shorter.tip(), 2));
    assert_eq!(chain.snapshot(), before);

    let mut longer = here.fork(2, 4);
    longer.mine_empty(9);
    let mut other = chain_of(&longer);
    import(chain.ledger(), &export(&other)).expect("a chain");
    chain.check();
    assert_eq!(chain.snapshot(), other.snapshot());
}

/// More blocks than one transaction takes: what was written before the interruption stays, and the
/// same import goes on from there.
#[test]
fn an_import_that_is_interrupted_goes_on_where_it_was() {
    let network = network(|_| {});
    let mut branch = Branch::new(&network, 1);
    branch.mine_empty(10_500);
    let blocks = bytes_of(branch.blocks());
    let chunks: Vec<_> = blocks.chunks(1_000).collect();
    let file = file_of(&network, &chunks, branch.tip());
    let mut ledger = Ledger::in_memory(&network).expect("memory");
    let mut verifier = OneByOne::new(&network);
    let mut interrupt = |progress: Progress| {
        if progress.done < 10_200 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let error = ledger.import(&mut &file[..], now(), &mut verifier, &mut interrupt);
    assert!(matches!(error, Err(ImportError::Interrupted)), "{error:?}");
    assert_eq!(ledger.tip().block, branch.block(10_000).block_ref());
    let imported = import(&mut ledger, &file).expect("a chain");
    assert_eq!((imported.new, ledger.tip().block), (500, branch.tip()));
}

#[test]
fn an_export_that_is_interrupted_says_so() {
    let chain = busy_chain(&maturing());
    let error = chain.reader().export(&mut Vec::new(), &mut |_| ControlFlow::Break(()));
    assert!(matches!(error, Err(ExportError::Interrupted)), "{error:?}");
}

#[test]
fn behaviour_53_a_damaged_block_is_not_exported() {
    let mut chain = busy_chain(&maturing());
    let (file, block) = (chain.file(), damage::block(&chain, 6));
    chain.close();
    let sql = "UPDATE bodies SET bytes = zeroblob(200) WHERE id = ?1";
    damage::run(&file, sql, [body_of(&file, block)]);
    let error = chain.reader().export(&mut Vec::new(), &mut |_| ControlFlow::Continue(()));
    let Err(ExportError::Ledger(LedgerError::Damaged(_, text))) = error else {
        panic!("{error:?}")
    };
    assert!(text.contains(&block.to_string()), "{text}");
}

/// Each row is whole, and yet they are no chain.
#[test]
fn behaviour_53_blocks_that_are_no_chain_are_not_exported() {
    let mut chain = busy_chain(&maturing());
    let (sibling, reward) = damage::sibling(&mut chain, 6);
    chain.close();
    damage::put_active(&chain.file(), sibling, &reward);
    let error = chain.reader().export(&mut Vec::new(), &mut |_| ControlFlow::Continue(()));
    let Err(ExportError::Ledger(LedgerError::Damaged(_, text))) = error else {
        panic!("{error:?}")
    };
    assert!(text.contains("not on its parent"), "{text}");
}

/// A block that was found to be invalid before is refused at once.
#[test]
fn a_block_that_is_known_to_be_invalid_is_refused_again() {
    let network = network(|_| {});
    let branch = branch(&network);
    let mut chain = chain_of(&branch);
    let file = export(&chain);
    chain.ledger().mark_invalid(branch.block(6).block_ref()).expect("a disk");
    let error = import(chain.ledger(), &file).expect_err("invalid");
    let ImportError::BadBlock { block, reason } = error else { panic!("{error:?}") };
    assert_eq!(block, branch.block(6).block_ref());
    assert!(reason.contains("rule C2"), "{reason}");
}
