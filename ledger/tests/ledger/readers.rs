//! What readers are told, beside the writer and without one.

use cairn_ledger::{AccountState, LedgerError, LedgerReader};
use cairn_protocol::codec::decode;
use cairn_protocol::limits::MAX_LOCATOR;
use cairn_protocol::{Block, BlockHash, BlockRef, ProvenHeader, Work};

use crate::chain::Chain;
use crate::kit::{Branch, account, at, coins, height, network, pay};

/// A reader sees each commit at once, and every answer is of one moment.
#[test]
fn behaviour_54_a_reader_beside_the_writer_sees_every_commit() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let reader = chain.reader();
    let inner = chain.ledger().reader().expect("a reader");
    let mut branch = Branch::new(&network, 1);
    for number in 1..=5 {
        chain.grow(&branch.mine_empty(1));
        for reader in [&reader, &inner] {
            let (tip, accounts) = reader.accounts(&[account(1), account(2)]).expect("a chain");
            assert_eq!(tip.block, branch.tip());
            assert_eq!(accounts[0].account.balance, coins(&(number * 10).to_string()));
            assert_eq!(accounts[1], AccountState::default());
        }
    }
}

/// A reader in another thread, while the writer goes back and forth between two branches: it never
/// sees half of a move.
#[test]
#[expect(clippy::disallowed_methods, reason = "a reader of a node works in a thread of its own")]
fn a_reader_never_sees_half_of_a_reorganisation() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut branches = [Branch::new(&network, 1), Branch::new(&network, 2)];
    let reader = chain.reader();
    let last = height(40);
    let watcher = std::thread::spawn(move || {
        let mut seen = 0;
        loop {
            let (tip, accounts) = reader.accounts(&[account(1), account(2)]).expect("a chain");
            let balances = accounts.iter().map(|state| state.account.balance.micros());
            assert_eq!(balances.sum::<u64>(), 10_000_000 * tip.block.height.get());
            assert!(reader.supply().expect("a chain").is_right());
            seen += 1;
            if tip.block.height == last {
                return seen;
            }
        }
    });
    for round in 0..20 {
        let branch = &mut branches[round % 2];
        let target = 2 * (round + 1);
        let blocks = branch.mine_empty(target - branch.blocks().len());
        let ledger = chain.ledger();
        ledger.add_blocks(&blocks, crate::kit::now()).expect("a disk");
        assert_eq!(ledger.tip().block, branch.tip());
    }
    assert!(watcher.join().expect("no half moves") > 0);
}

/// Rewards that are not yet credited are told apart.
#[test]
fn immature_rewards_are_counted_apart() {
    let network = network(|rules| rules.reward_maturity = 2);
    let mut chain = Chain::new(&network);
    let mut branch = Branch::new(&network, 1);
    chain.grow(&branch.mine_empty(4));
    let mut branch = branch.fork(4, 2);
    chain.grow(&branch.mine_empty(1));
    let keys = [account(1), account(2), account(3), account(1)];
    let (_, accounts) = chain.reader().accounts(&keys).expect("a chain");
    let held = accounts.iter().map(|state| (state.account.balance, state.immature));
    let expected = [("30", "10"), ("0", "10"), ("0", "0"), ("30", "10")];
    assert!(held.eq(expected.map(|(balance, immature)| (coins(balance), coins(immature)))));
    let supply = chain.reader().supply().expect("a chain");
    assert_eq!(
        (supply.credited, supply.immature, supply.issued),
        (coins("30"), coins("20"), coins("50"))
    );
}

/// The headers of the active chain follow the first block in common.
#[test]
fn rule_l7_headers_follow_the_first_block_in_common() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(6));
    let mut theirs = ours.fork(3, 2);
    chain.grow(&theirs.mine_empty(2));
    let reader = chain.reader();
    let headers: Vec<_> = ours.blocks().iter().map(|block| *block.header().sealed()).collect();
    let unknown = BlockRef { height: height(2), hash: BlockHash([7; 32]) };
    let far = BlockRef { height: height(99), hash: BlockHash([7; 32]) };
    for (locator, most, expected) in [
        (vec![], 9, &headers[..]),
        (vec![network.genesis_ref()], 2, &headers[..2]),
        (vec![theirs.tip(), theirs.refs()[2], theirs.refs()[0]], 9, &headers[3..]),
        (vec![far, unknown], 9, &headers[..]),
        (vec![far, unknown, ours.refs()[4]], 1, &headers[5..]),
        (vec![ours.tip()], 9, &[]),
        (vec![network.genesis_ref()], 0, &[]),
    ] {
        assert_eq!(reader.headers_after(&locator, most).expect("a chain"), expected);
    }
    for (number, header) in headers.iter().enumerate() {
        let found = reader.header_at(height(u32::try_from(number).expect("small") + 1));
        assert_eq!(found.expect("a chain"), Some((header.hash(), *header)));
    }
    assert_eq!(reader.header_at(height(7)).expect("a chain"), None);
    let genesis = reader.header_at(height(0)).expect("a chain").expect("always there");
    assert_eq!(genesis.0, network.genesis_ref().hash);
}

/// Bodies of every branch are served as they came.
#[test]
fn blocks_of_every_branch_are_kept() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    ours.mine_empty(1);
    ours.mine(vec![pay(&network, 1, 0, "4", 2)]);
    chain.grow(ours.blocks());
    let mut theirs = ours.fork(1, 2);
    chain.grow(&theirs.mine_empty(1));
    let unseen = theirs.mine(Vec::new());
    let reader = chain.reader();
    for block in [ours.block(1), ours.block(2), theirs.block(2)] {
        let bytes = reader.block_bytes(block.block_ref()).expect("a chain").expect("kept");
        assert_eq!(decode::<Block>(&bytes).expect("a block"), block.to_block());
        let stored = chain.ledger().block(block.block_ref()).expect("a chain");
        assert_eq!(stored, Some(block.to_block()));
    }
    for absent in [unseen.block_ref(), network.genesis_ref()] {
        assert_eq!(reader.block_bytes(absent).expect("a chain"), None);
        assert_eq!(chain.ledger().block(absent).expect("a chain"), None);
    }
}

/// The locator names the best header's chain, densely near its end, and reaches genesis.
#[test]
fn rule_l7_a_locator_gets_sparser_downwards() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    assert_eq!(&chain.ledger().locator().expect("a disk")[..], [network.genesis_ref()]);
    let mut branch = Branch::new(&network, 1);
    branch.mine_empty(300);
    chain.add_headers(&branch);
    let locator = chain.ledger().locator().expect("a disk");
    let heights: Vec<_> = locator.iter().map(|block| block.height.get()).collect();
    assert_eq!(heights[..10], [300, 299, 298, 297, 296, 295, 294, 293, 292, 291]);
    assert_eq!(heights[10..], [289, 285, 277, 261, 229, 165, 37, 0]);
    assert!(locator.len() <= MAX_LOCATOR);
    let refs = branch.refs();
    let on_branch =
        |block: &BlockRef| *block == refs[usize::try_from(block.height.get()).expect("small") - 1];
    assert!(locator[..17].iter().all(on_branch));
}

/// Bodies are asked for in ascending order, from the first that is missing.
#[test]
fn missing_blocks_are_those_of_the_best_header_without_a_body() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(5));
    assert_eq!(chain.ledger().missing_blocks(9).expect("a disk"), []);
    let mut theirs = ours.fork(2, 2);
    theirs.mine_empty(8);
    chain.add_headers(&theirs);
    let refs = theirs.refs();
    assert_eq!(chain.ledger().missing_blocks(3).expect("a disk"), refs[2..5]);
    chain.grow(&[theirs.block(3).clone(), theirs.block(5).clone()]);
    let expected = [refs[3], refs[5], refs[6], refs[7], refs[8], refs[9]];
    assert_eq!(chain.ledger().missing_blocks(9).expect("a disk"), expected);
    assert_eq!(chain.ledger().missing_blocks(0).expect("a disk"), []);
    chain.restart();
    assert_eq!(chain.ledger().missing_blocks(2).expect("a disk"), expected[..2]);
}

/// A branch that is not the best one can be asked for, too, as long as it is not invalid.
#[test]
fn missing_blocks_of_any_branch_and_its_work_are_known() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(9));
    let mut theirs = ours.fork(3, 2);
    theirs.mine_empty(4);
    let refs = theirs.refs();
    let missing =
        |chain: &mut Chain, most| chain.ledger().missing_blocks_to(refs[6], most).expect("a disk");
    assert_eq!(missing(&mut chain, 9), [], "an unknown one has none");
    assert_eq!(chain.ledger().header_work(refs[6]).expect("a disk"), None);
    chain.add_headers(&theirs);
    assert_eq!(missing(&mut chain, 9), refs[3..]);
    assert_eq!(missing(&mut chain, 2), refs[3..5]);
    let work: Work = theirs.headers().iter().map(ProvenHeader::work).sum();
    assert_eq!(chain.ledger().header_work(refs[6]).expect("a disk"), Some(work));
    chain.grow(&[theirs.block(5).clone(), theirs.block(4).clone()]);
    assert_eq!(missing(&mut chain, 9), refs[5..]);
    chain.ledger().mark_invalid(refs[5]).expect("a disk");
    assert_eq!(missing(&mut chain, 9), []);
}

/// What a miner must know of the next block is what the rules then ask of it.
#[test]
fn the_next_block_is_described_as_the_rules_will_check_it() {
    let network = network(|rules| {
        rules.block_interval_seconds = 10;
        rules.half_life_seconds = 10;
    });
    let mut chain = Chain::new(&network);
    let mut branch = Branch::new(&network, 1);
    for millis in [5_000, 3_000, 1, 1, 2_000] {
        chain.grow(&[branch.mine_after(millis, Vec::new())]);
    }
    let tip = chain.ledger().tip();
    for time in [0, 5_000, tip.time.millis() + 1, tip.time.millis() + 400_000] {
        let next = chain.ledger().next_block(at(time)).expect("a disk");
        assert_eq!((next.parent, next.min_transactions), (tip, 1));
        assert_eq!(next.median_time, at(8_001), "element 3 of 0, 5000, 8000, 8001, 8002, 10002");
        assert_eq!(next.time, at(time.max(8_002)));
        let mut other = Chain::new(&network);
        other.grow(branch.blocks());
        other.grow(&[branch.clone().mine_with(next.time, next.target, Vec::new())]);
    }
}

/// A block needs fewer transactions once it is late.
#[test]
fn the_next_block_may_be_small_once_it_is_late() {
    let network = network(|rules| {
        rules.min_block_transactions = 4;
        rules.min_block_wait_seconds = 60;
    });
    let mut chain = Chain::new(&network);
    let fewest = |chain: &mut Chain, millis| {
        chain.ledger().next_block(at(millis)).expect("a disk").min_transactions
    };
    assert_eq!(fewest(&mut chain, 1), 1, "block 1 is exempt");
    chain.grow(&Branch::new(&network, 1).mine_empty(1));
    assert_eq!((fewest(&mut chain, 60_999), fewest(&mut chain, 61_000)), (4, 1));
}

/// A reader finds nothing where nothing is, and leaves it so.
#[test]
fn a_reader_creates_nothing() {
    let network = network(|_| {});
    let folder = tempfile::TempDir::new().expect("a folder");
    let absent = folder.path().join("cairn-0f3a5c7e");
    let error = LedgerReader::open(&absent, &network).expect_err("nothing there");
    assert!(matches!(error, LedgerError::NotFound(_)), "{error}");
    assert!(!absent.exists());

    let mut chain = Chain::new(&network);
    chain.grow(&Branch::new(&network, 1).mine_empty(3));
    chain.close();
    let files = |chain: &Chain| -> Vec<_> {
        let files = std::fs::read_dir(chain.path()).expect("a folder");
        let mut names: Vec<_> = files.map(|file| file.expect("a file").file_name()).collect();
        names.sort();
        names
    };
    let before = files(&chain);
    let reader = chain.reader();
    assert_eq!(reader.tip().expect("a chain").block.height, height(3));
    assert!(reader.supply().expect("a chain").is_right());
    drop(reader);
    assert_eq!(files(&chain), before);
}
