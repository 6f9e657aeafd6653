//! What payments and rewards do to the accounts, within a block and from block to block.

use cairn_ledger::{Account, ContextError};
use cairn_protocol::{Amount, Bounded, Network, Sequence, VerifiedBlock, VerifiedTransaction};

use crate::chain::Chain;
use crate::kit::{Branch, account, coins, network, pay, pay_with_fee};

/// A chain of three empty blocks mined by key 1, and the block of these payments on it.
fn with_payments(payments: Vec<VerifiedTransaction>) -> (Chain, VerifiedBlock) {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut branch = Branch::new(&network, 1);
    chain.grow(&branch.mine_empty(3));
    (chain, branch.mine(payments))
}

/// The 30 coins of key 1 do not pay for this, and the payment at this index is the first that
/// cannot be paid.
fn assert_overspent(payments: Vec<VerifiedTransaction>, index: usize, cost: &str, balance: &str) {
    let (mut chain, block) = with_payments(payments);
    let (cost, balance) = (coins(cost), coins(balance));
    let expected = ContextError::InsufficientFunds { index, cost, balance };
    assert_eq!(chain.refused(&block), expected);
}

#[test]
fn behaviour_24_several_payments_of_a_block_cannot_overspend() {
    let network = network(|_| {});
    let one = |number, amount| pay(&network, 1, number, amount, 2);
    assert_overspent(vec![one(0, "20"), one(1, "10.000001")], 1, "10.000001", "10");
    assert_overspent(vec![one(0, "15"), one(1, "15"), one(2, "0.000001")], 2, "0.000001", "0");
    // Neither what comes later in the block, nor the block's own reward, is there in time.
    let early = vec![pay(&network, 2, 0, "1", 1), one(0, "1")];
    assert_overspent(early, 0, "1", "0");
    // Paying oneself does not help: all of it must be there before.
    assert_overspent(vec![pay(&network, 1, 0, "31", 1)], 0, "31", "30");

    let (mut chain, block) = with_payments(vec![one(0, "20"), one(1, "10")]);
    chain.grow(&[block]);
    assert_eq!(chain.balance(2), "30.000000");
}

/// What a payment brings can be spent by the next one of the same block.
#[test]
fn payments_of_a_block_apply_in_order() {
    let network = network(|_| {});
    let (mut chain, block) = with_payments(vec![
        pay(&network, 1, 0, "30", 2),
        pay(&network, 2, 0, "30", 3),
        pay(&network, 3, 0, "12", 1),
    ]);
    chain.grow(&[block]);
    assert_eq!((chain.balance(3), chain.balance(1)), ("18.000000".into(), "22.000000".into()));
}

#[test]
fn behaviour_27_a_gap_a_repetition_and_a_wrong_order_are_refused() {
    let network = network(|_| {});
    let numbered = |numbers: &[u32]| -> Vec<_> {
        numbers.iter().map(|n| pay(&network, 1, *n, "1", 2)).collect()
    };
    let cases: [(&[u32], usize, u32, u32); 6] = [
        (&[1], 0, 1, 0),
        (&[0, 2], 1, 2, 1),
        (&[0, 0], 1, 0, 1),
        (&[1, 0], 0, 1, 0),
        (&[0, 1, 0], 2, 0, 2),
        (&[0, 1, 3, 2], 2, 3, 2),
    ];
    for (numbers, index, given, expected) in cases {
        let (mut chain, block) = with_payments(numbered(numbers));
        let (given, expected) = (Sequence::from(given), Sequence::from(expected));
        assert_eq!(chain.refused(&block), ContextError::Sequence { index, given, expected });
    }
    let (mut chain, block) = with_payments(numbered(&[0, 1, 2]));
    chain.grow(&[block]);
    assert_eq!(chain.balance(2), "3.000000");
}

/// A block that commits to a payment twice is invalid; the block with the payment once is another
/// block, and valid.
#[test]
fn behaviour_20_a_block_with_a_payment_twice_is_refused() {
    let twice = vec![pay(&network(|_| {}), 1, 0, "1", 2); 2];
    let (mut chain, block) = with_payments(twice.clone());
    let (given, expected) = (Sequence::FIRST, Sequence::from(1));
    assert_eq!(chain.refused(&block), ContextError::Sequence { index: 1, given, expected });
    let (_, once) = with_payments(twice[..1].to_vec());
    chain.grow(&[once]);
    assert_eq!(chain.balance(2), "1.000000");
}

/// A twin has the true block's hash and other content: it is no word against it.
#[test]
fn behaviour_21_the_true_block_connects_after_its_mutated_twins() {
    let network = network(|_| {});
    let payments = (0..2).map(|sequence| pay(&network, 1, sequence, "1", 2)).collect();
    let (mut chain, block) = with_payments(payments);
    let good = block.to_block().payments.into_vec();
    let [first, second] = [&good[0], &good[1]];
    for mutated in [[second, first].as_slice(), &[first, second, first], &[first], &[]] {
        let mut twin = block.to_block();
        twin.payments = Bounded::first(mutated.iter().map(|one| (*one).clone()));
        assert_eq!(twin.sealed.hash(), block.block_ref().hash);
        let error = twin.verify(&network).expect_err("another content");
        assert!(!error.condemns_header(), "{error}");
    }
    chain.grow(&[block]);
}

/// The reward of block 1 is spent in block 1 itself, in each block until it is credited, and in
/// the one after that.
#[test]
fn behaviour_26_a_reward_can_be_spent_exactly_from_maturity_and_one_on() {
    for maturity in [0, 1, 3] {
        let network = network(|rules| rules.reward_maturity = maturity);
        let mut chain = Chain::new(&network);
        let mut branch = Branch::new(&network, 1);
        let spend = || vec![pay(&network, 1, 0, "10", 3)];
        for height in 1..=1 + maturity {
            let early = chain.refused(&branch.clone().mine(spend()));
            let (cost, balance) = (coins("10"), Amount::ZERO);
            let expected = ContextError::InsufficientFunds { index: 0, cost, balance };
            assert_eq!(early, expected, "maturity {maturity}, height {height}");
            chain.grow(&[branch.mine(Vec::new())]);
            branch = branch.fork(branch.blocks().len(), 2);
        }
        chain.grow(&[branch.mine(spend())]);
        assert_eq!(chain.tip().height.get(), u64::from(maturity) + 2);
        assert_eq!(chain.balance(3), "10.000000");
    }
}

#[test]
fn attack_13_a_payment_to_oneself_costs_the_fee_only() {
    let network = network(|_| {});
    let mut chain = Chain::new(&network);
    let mut branch = Branch::new(&network, 1);
    chain.grow(&branch.mine_empty(1));
    let mut branch = branch.fork(1, 2);
    let to_self = pay_with_fee(&network, 1, 0, "9", "1", account(1));
    chain.grow(&[branch.mine(vec![to_self])]);
    let held = chain.ledger().account(&account(1)).expect("a disk");
    assert_eq!(held, Account { balance: coins("9"), sequence: Sequence::from(1) });
    assert_eq!(chain.balance(2), "11.000000", "the miner got the fee");
}

/// One account holds all that can ever exist, and passes it on: nothing wraps, and the supply is
/// right after each block.
#[test]
fn attack_01_all_that_can_exist_fits_into_one_balance() {
    let network = network(|rules| rules.block_reward = Amount::MAX);
    let all = Amount::MAX.to_string();
    let (mut chain, mut branch) = (Chain::new(&network), Branch::new(&network, 1));
    chain.grow(&branch.mine_empty(2));
    assert_eq!(chain.balance(1), all, "block 2 has no subsidy");
    let mut twice = branch.clone();
    let twice = twice.mine(vec![pay(&network, 1, 0, &all, 1), pay(&network, 1, 1, &all, 2)]);
    chain.grow(&[twice]);
    assert_eq!(chain.balance(2), all);
    branch = branch.fork(2, 3);
    branch.mine(vec![pay_with_fee(&network, 1, 0, "9223372036854.775806", "0.000001", account(3))]);
    branch.mine(vec![pay(&network, 3, 0, &all, 4)]);
    chain.grow(&branch.blocks()[2..]);
    assert_eq!((chain.balance(4), chain.balance(3)), (all, "0.000000".to_owned()));
}

/// A supply that fills 63 bits does not leave them.
#[test]
fn attack_01_the_subsidies_stop_before_they_wrap() {
    let network = network(|rules| rules.block_reward = Amount::from_micros(1 << 61).expect("fits"));
    let mut chain = Chain::new(&network);
    chain.grow(&Branch::new(&network, 1).mine_empty(6));
    let supply = chain.reader().supply().expect("a chain");
    assert_eq!(supply.credited.micros(), 3 << 61);
    assert!(supply.is_right());
}

/// Accounts that hold nothing and never paid leave no trace.
#[test]
fn an_account_has_a_row_only_while_it_holds_something() {
    let network: Network = network(|_| {});
    let (mut chain, block) = with_payments(vec![
        pay(&network, 1, 0, "5", 2),
        pay(&network, 2, 0, "5", 3),
        pay(&network, 1, 1, "25", 4),
    ]);
    let mut branch = Branch::new(&network, 1);
    branch.mine_empty(3);
    assert_eq!(chain.snapshot().accounts.len(), 1);
    chain.grow(&[block]);
    assert_eq!(chain.snapshot().accounts.len(), 4, "2 paid, so its sequence is kept");
    chain.add(&branch.fork(3, 5).mine_empty(2));
    assert_eq!(chain.snapshot().accounts.len(), 2);
}
