//! R1 to R7: which networks exist.

use cairn_protocol::{Amount, Network, Rules, RulesError};

/// The rules are impossible in this way, and config.toml's key to change is named.
fn assert_refused(change: impl Fn(&mut Rules), error: &RulesError, rule: &str, key: &str) {
    let mut rules = Rules::default();
    change(&mut rules);
    assert_eq!(rules.check().as_ref(), Err(error));
    assert_eq!(Network::new(rules).as_ref(), Err(error));
    assert_eq!((error.rule(), error.key()), (rule, key));
}

fn assert_accepted(change: impl Fn(&mut Rules)) {
    let mut rules = Rules::default();
    change(&mut rules);
    assert_eq!(Network::new(rules.clone()).expect("possible").rules(), &rules);
}

#[test]
fn rule_r1_the_difficulty_is_at_most_128() {
    let error = RulesError::Difficulty(129);
    assert_refused(|rules| rules.difficulty = 129, &error, "R1", "difficulty");
    assert_accepted(|rules| rules.difficulty = 128);
    assert_accepted(|rules| rules.difficulty = 0);
}

#[test]
fn rule_r2_a_moving_difficulty_has_a_half_life() {
    let error = RulesError::HalfLife;
    assert_refused(|rules| rules.half_life_seconds = 0, &error, "R2", "half_life_seconds");
    assert_accepted(|rules| rules.half_life_seconds = 1);
    assert_accepted(|rules| (rules.half_life_seconds, rules.block_interval_seconds) = (0, 0));
}

#[test]
fn rule_r3_a_block_creates_coins() {
    let reward = |micros| Amount::from_micros(micros).expect("an amount");
    let error = RulesError::BlockReward;
    assert_refused(|rules| rules.block_reward = reward(0), &error, "R3", "block_reward");
    assert_accepted(|rules| rules.block_reward = reward(1));
    assert_accepted(|rules| rules.block_reward = Amount::MAX);
}

#[test]
fn rule_r4_a_block_holds_a_payment_and_fits_into_a_message() {
    for given in [0, 863, 1_047_553, u32::MAX] {
        let error = RulesError::MaxBlockBytes { given, smallest: 864, largest: 1_047_552 };
        assert_refused(|rules| rules.max_block_bytes = given, &error, "R4", "max_block_bytes");
    }
    for given in [864, 1_047_552] {
        assert_accepted(|rules| rules.max_block_bytes = given);
    }
}

const FEWEST: &str = "min_block_transactions";

#[test]
fn rule_r5_a_block_has_at_least_its_reward() {
    let error = RulesError::NoTransactions;
    assert_refused(|rules| rules.min_block_transactions = 0, &error, "R5", FEWEST);
    assert_accepted(|rules| rules.min_block_transactions = 1);
}

#[test]
fn rule_r6_a_fewest_number_of_payments_needs_a_fixed_difficulty() {
    let error = RulesError::MovingDifficulty { fewest: 2 };
    assert_refused(|rules| rules.min_block_transactions = 2, &error, "R6", FEWEST);
    assert_accepted(|rules| (rules.min_block_transactions, rules.block_interval_seconds) = (2, 0));
}

#[test]
fn rule_r7_the_fewest_transactions_fit_into_a_block() {
    let fixed = |rules: &mut Rules, fewest, max_block_bytes| {
        rules.block_interval_seconds = 0;
        (rules.min_block_transactions, rules.max_block_bytes) = (fewest, max_block_bytes);
    };
    let error = RulesError::TooSmallForFewest { fewest: 5, bytes: 192 + 4 * 672 };
    assert_refused(|rules| fixed(rules, 5, 192 + 4 * 672 - 1), &error, "R7", FEWEST);
    assert_accepted(|rules| fixed(rules, 5, 192 + 4 * 672));
    let bytes = 192 + 672 * u64::from(u32::MAX - 1);
    let error = RulesError::TooSmallForFewest { fewest: u32::MAX, bytes };
    assert_refused(|rules| fixed(rules, u32::MAX, 1_047_552), &error, "R7", FEWEST);
}
