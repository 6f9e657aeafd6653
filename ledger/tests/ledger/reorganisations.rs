//! Moves from branch to branch: the accounts are those of the branch that is followed, bit by bit.

use cairn_ledger::{Account, ContextError};
use cairn_protocol::{Amount, Network, Sequence};

use crate::chain::Chain;
use crate::kit::{Branch, account, coins, network, now, pay, pay_with_fee, refs};

/// Two branches with payments that leave a trunk at height 5: ours has two more blocks, theirs
/// three.
fn branches(network: &Network) -> [Branch; 2] {
    let mut ours = Branch::new(network, 1);
    ours.mine_empty(5);
    let mut theirs = ours.fork(5, 2);
    ours.mine(vec![pay(network, 1, 0, "7", 3)]);
    ours.mine(vec![pay(network, 1, 1, "2", 4), pay(network, 3, 0, "5", 3)]);
    theirs.mine(vec![pay_with_fee(network, 1, 0, "1", "0.5", account(5))]);
    theirs.mine(vec![pay(network, 5, 0, "1", 1)]);
    theirs.mine_empty(1);
    [ours, theirs]
}

fn with_maturity(maturity: u32) -> Network {
    network(|rules| rules.reward_maturity = maturity)
}

#[test]
fn behaviour_02_after_a_move_the_state_is_that_of_a_replay_of_the_new_branch() {
    for maturity in [0, 1, 3, 4] {
        let network = with_maturity(maturity);
        let [ours, theirs] = branches(&network);
        let mut chain = Chain::new(&network);
        chain.grow(ours.blocks());
        let change = chain.add(&theirs.blocks()[5..]).change.expect("more work");
        assert_eq!(change.disconnected, [ours.refs()[6], ours.refs()[5]]);
        assert_eq!(change.connected, theirs.refs()[5..]);
        assert_eq!((change.new.block, chain.tip()), (theirs.tip(), theirs.tip()));

        let mut replayed = Chain::new(&network);
        replayed.grow(theirs.blocks());
        assert_eq!(chain.snapshot(), replayed.snapshot());
    }
}

/// There and back, by the first branch's own new blocks: the same as if the other had never been.
#[test]
fn behaviour_03_the_first_branch_comes_back_bit_by_bit() {
    for maturity in [0, 1, 3, 4] {
        let network = with_maturity(maturity);
        let [mut ours, theirs] = branches(&network);
        let (mut chain, mut undisturbed) = (Chain::new(&network), Chain::new(&network));
        chain.grow(ours.blocks());
        undisturbed.grow(ours.blocks());
        chain.grow(&theirs.blocks()[5..]);
        assert_eq!(chain.tip(), theirs.tip());
        let more = ours.mine_empty(2);
        let change = chain.add(&more).change.expect("more work");
        assert_eq!(change.connected, [&ours.refs()[5..7], &refs(&more)].concat());
        undisturbed.grow(&more);
        assert_eq!(chain.snapshot(), undisturbed.snapshot());
    }
}

/// There and back, because the other branch turns out to be bad.
#[test]
fn behaviour_03_the_first_branch_comes_back_when_the_other_is_invalid() {
    for maturity in [0, 1, 3] {
        let network = network(|rules| rules.reward_maturity = maturity);
        let mut chain = Chain::new(&network);
        let mut ours = Branch::new(&network, 1);
        chain.grow(&ours.mine_empty(6));
        let fork = ours.fork(4, 2);
        chain.grow(&[ours.mine(vec![pay(&network, 1, 0, "3", 1), pay(&network, 1, 1, "9.5", 7)])]);
        let before = chain.snapshot();

        let mut theirs = fork;
        chain.add(&theirs.mine_empty(5));
        assert_eq!(chain.tip(), theirs.tip());
        // What the ledger does when the branch that it is on turns out to be bad.
        let first = theirs.refs()[4];
        chain.ledger().mark_invalid(first).expect("a disk");
        assert_eq!(chain.snapshot(), before);
        chain.check();
    }
}

/// The same miner's rewards, block after block and on two branches: each is undone by itself, and
/// going down from the tip shows every earlier state again.
#[test]
fn attack_02_no_reward_undoes_another() {
    for maturity in [0, 2] {
        let network = with_maturity(maturity);
        let mut chain = Chain::new(&network);
        let mut branch = Branch::new(&network, 1);
        let mut states = Vec::new();
        for _ in 0..6 {
            states.push(chain.snapshot());
            chain.grow(&[branch.mine(Vec::new())]);
        }
        for block in branch.refs().into_iter().rev() {
            chain.ledger().mark_invalid(block).expect("a disk");
            chain.check();
            assert_eq!(Some(chain.snapshot()), states.pop());
        }
    }
}

/// The same payment again and again, but for its sequence: no block has one twice, each is undone by
/// itself, and the last can be made again then.
#[test]
fn attack_02_no_payment_undoes_another() {
    for maturity in [0, 2] {
        let network = with_maturity(maturity);
        let mut chain = Chain::new(&network);
        let mut branch = Branch::new(&network, 1);
        chain.grow(&branch.mine_empty(3));
        let mut states = Vec::new();
        for sequence in 0..5 {
            let paid = pay(&network, 1, sequence, "1", 3);
            states.push(chain.snapshot());
            chain.grow(&[branch.mine(vec![paid.clone()])]);
            let again = chain.refused(&branch.clone().mine(vec![paid]));
            assert_eq!(again.rule(), "C7", "the same id");
        }
        for block in branch.refs()[3..].iter().rev() {
            chain.ledger().mark_invalid(*block).expect("a disk");
            chain.check();
            assert_eq!(Some(chain.snapshot()), states.pop());
        }
        let mut other = branch.fork(3, 2);
        chain.grow(&[other.mine(vec![pay(&network, 1, 0, "1", 3)])]);
        assert_eq!(chain.balance(3), "1.000000");
    }
}

#[test]
fn behaviour_25_funds_of_an_abandoned_branch_do_not_exist() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(1));
    let mut theirs = ours.fork(1, 2);
    chain.grow(&[ours.mine(vec![pay(&network, 1, 0, "10", 3)])]);
    assert_eq!(chain.balance(3), "10.000000");
    theirs.mine_empty(1);
    chain.grow(&theirs.blocks()[1..]);
    let spends = theirs.mine(vec![pay(&network, 3, 0, "10", 4)]);
    let error = chain.refused(&spends);
    assert!(matches!(error, ContextError::InsufficientFunds { .. }), "{error}");
    assert_eq!(chain.balance(3), "10.000000");
}

/// Key 1 pays once, and ours has the payment in block 2. Theirs ends at block 1 so far.
fn paid_on_one_branch() -> (Chain, Branch, cairn_protocol::VerifiedTransaction) {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    chain.grow(&ours.mine_empty(1));
    let theirs = ours.fork(1, 2);
    let mut ours = ours.fork(1, 5);
    let payment = pay(&network, 1, 0, "4", 3);
    chain.grow(&[ours.mine(vec![payment.clone()])]);
    (chain, theirs, payment)
}

fn held(chain: &mut Chain, key: u8) -> (Amount, u64) {
    let Account { balance, sequence } = chain.ledger().account(&account(key)).expect("a disk");
    (balance, sequence.get())
}

#[test]
fn attack_14_leaving_a_branch_gives_its_sequences_back() {
    let (mut chain, mut theirs, payment) = paid_on_one_branch();
    assert_eq!(held(&mut chain, 1), (coins("6"), 1));
    chain.grow(&theirs.mine_empty(2));
    assert_eq!(chain.tip(), theirs.tip());
    assert_eq!((held(&mut chain, 1), held(&mut chain, 3)), ((coins("10"), 0), (coins("0"), 0)));
    chain.grow(&[theirs.mine(vec![payment])]);
    assert_eq!((held(&mut chain, 1), held(&mut chain, 3)), ((coins("6"), 1), (coins("4"), 0)));
}

#[test]
fn attack_14_a_payment_on_both_branches_stands_once_and_not_again() {
    let (mut chain, mut theirs, payment) = paid_on_one_branch();
    theirs.mine_empty(1);
    theirs.mine(vec![payment.clone()]);
    chain.grow(&theirs.blocks()[1..]);
    assert_eq!(chain.tip(), theirs.tip());
    assert_eq!((held(&mut chain, 1), held(&mut chain, 3)), ((coins("6"), 1), (coins("4"), 0)));
    let again = chain.refused(&theirs.mine(vec![payment]));
    let (given, expected) = (Sequence::FIRST, Sequence::from(1));
    assert_eq!(again, ContextError::Sequence { index: 0, given, expected });
}

/// Key 1 mines block 1 of ours, and only block 2 of theirs. With a maturity of 2 it can spend in
/// block 4 of ours, and not before block 5 of theirs.
#[test]
fn attack_15_a_reward_that_is_younger_on_the_new_branch_is_not_spent_there() {
    let network = with_maturity(2);
    let spend = || vec![pay(&network, 1, 0, "10", 3)];
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    ours.mine_empty(1);
    let mut ours = ours.fork(1, 4);
    ours.mine_empty(2);
    ours.mine(spend());
    chain.grow(ours.blocks());
    assert_eq!(chain.balance(3), "10.000000");

    let mut theirs = Branch::new(&network, 2);
    theirs.mine_empty(1);
    let mut theirs = theirs.fork(1, 1);
    theirs.mine_empty(1);
    let mut theirs = theirs.fork(2, 2);
    theirs.mine_empty(1);
    let mut early = theirs.clone();
    early.mine(spend());
    early.mine_empty(1);
    let before = chain.snapshot();
    let added = chain.add(early.blocks());
    let (cost, balance) = (coins("10"), Amount::ZERO);
    let immature = ContextError::InsufficientFunds { index: 0, cost, balance };
    assert_eq!(added.refused[0], (early.refs()[3], immature));
    assert_eq!(chain.snapshot(), before, "the old branch stays");

    theirs.mine_empty(1);
    theirs.mine(spend());
    chain.add(theirs.blocks());
    assert_eq!((chain.tip(), chain.balance(3)), (theirs.tip(), "10.000000".to_owned()));
}

/// A reward of the branch that was left is gone with it, and what spends it leaves with it.
#[test]
fn attack_15_a_reward_that_left_the_chain_is_not_spent() {
    let network = with_maturity(1);
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    ours.mine_empty(2);
    let mut theirs = Branch::new(&network, 2);
    ours.mine(vec![pay(&network, 1, 0, "10", 3)]);
    chain.grow(ours.blocks());
    theirs.mine_empty(4);
    chain.add(theirs.blocks());
    assert_eq!((held(&mut chain, 1), held(&mut chain, 3)), ((coins("0"), 0), (coins("0"), 0)));
    let error = chain.refused(&theirs.mine(vec![pay(&network, 1, 0, "10", 3)]));
    assert_eq!(error.rule(), "C8");
}

/// A branch that leaves ours more than 2,000 blocks ago is followed if it has more work.
#[test]
fn behaviour_09_a_deep_reorganisation_succeeds() {
    let network = network(|rules| rules.reward_maturity = 3);
    let mut chain = Chain::new(&network);
    let mut ours = Branch::new(&network, 1);
    ours.mine_empty(10);
    let mut theirs = ours.fork(10, 2);
    ours.mine_empty(2_000);
    theirs.mine(vec![pay(&network, 1, 0, "5", 3)]);
    theirs.mine_empty(2_000);
    chain.add(ours.blocks());
    assert_eq!(chain.tip(), ours.tip());
    let headers = theirs.headers();
    for headers in headers.chunks(1_000) {
        let added = chain.ledger().add_headers(headers, now()).expect("a disk");
        assert_eq!(added.refused, None);
    }
    assert_eq!(chain.ledger().best_header().block, theirs.tip());
    assert_eq!(chain.ledger().missing_blocks(3).expect("a disk"), theirs.refs()[10..13]);
    for blocks in theirs.blocks()[10..].chunks(667) {
        chain.add(blocks);
    }
    assert_eq!(chain.tip(), theirs.tip());
    assert_eq!(chain.balance(3), "5.000000");
}
