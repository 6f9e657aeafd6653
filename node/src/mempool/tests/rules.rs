//! Rules M1 to M8, each with the nearest payment that keeps it, and the table of docs/PROTOCOL.md.

use super::*;

/// The rule that refuses a payment, which must leave the pool as it was.
fn refused(pool: &mut Mempool, one: VerifiedTransaction, account: Account) -> MempoolError {
    let before: Vec<_> = pool.iter().cloned().collect();
    let error = pool.admit(one, account, Moment::START).expect_err("refused");
    assert!(pool.iter().eq(&before), "{error} has changed something");
    pool.check();
    error
}

fn sequence(number: u32) -> Sequence {
    Sequence::from(number)
}

/// A pool in which so many payments of account 1 wait, with a fee of 10.
fn with_ready(count: u32) -> Mempool {
    let mut pool = pool(|_| {});
    for sequence in 0..count {
        pool.take(payment(1, sequence, 10)).expect("fits");
    }
    pool
}

#[test]
fn rule_m1_a_sequence_that_a_block_has_is_stale() {
    let mut pool = pool(|_| {});
    let error = refused(&mut pool, payment(1, 4, 0), account(RICH, 5));
    let stale = MempoolError::StaleSequence { given: sequence(4), expected: sequence(5) };
    assert_eq!((error, error.rule()), (stale, "M1"));
    assert_eq!(pool.admit(payment(1, 5, 0), account(RICH, 5), Moment::START), Ok(()));
}

#[test]
fn rule_m2_a_sequence_is_less_than_64_ahead() {
    let mut pool = pool(|_| {});
    let error = refused(&mut pool, payment(1, 64 + 7, 0), account(RICH, 7));
    let far = MempoolError::TooFarAhead { given: sequence(71), expected: sequence(7) };
    assert_eq!((error, error.rule()), (far, "M2"));
    assert_eq!(pool.admit(payment(1, 63 + 7, 0), account(RICH, 7), Moment::START), Ok(()));
}

#[test]
fn rule_m2_sixteen_stand_behind_a_gap_and_may_be_replaced() {
    let mut pool = with_ready(1);
    for sequence in 2..18 {
        pool.take(payment(1, sequence, 10)).expect("16 may be ahead");
    }
    let error = refused(&mut pool, payment(1, 18, 10), account(RICH, 0));
    let far = MempoolError::TooFarAhead { given: sequence(18), expected: sequence(1) };
    assert_eq!(error, far);
    pool.take(payment(1, 17, 20)).expect("it replaces one of them");
    pool.take(payment(1, 1, 10)).expect("it fills the gap");
    pool.take(payment(1, 18, 10)).expect("there is no gap");
}

#[test]
fn rule_m3_64_of_an_account_wait_and_may_be_replaced() {
    let mut pool = with_ready(63);
    pool.take(payment(1, 63, 10)).expect("the 64th");
    let error = refused(&mut pool, payment(1, 64, 10), account(RICH, 0));
    assert_eq!((error, error.rule()), (MempoolError::AccountFull(64), "M3"));
    pool.take(payment(1, 63, 20)).expect("it replaces one of them");
    pool.take(payment(2, 0, 10)).expect("of another account");
}

#[test]
fn rule_m4_the_balance_covers_it_and_those_before_it() {
    let mut pool = pool(|_| {});
    pool.admit(payment(2, 0, 10), account(220, 0), Moment::START).expect("110 of 220");
    let error = refused(&mut pool, payment(2, 1, 11), account(220, 0));
    let poor = MempoolError::InsufficientFunds { needed: micros(221), balance: micros(220) };
    assert_eq!((error, error.rule()), (poor, "M4"));
    assert_eq!(pool.admit(payment(2, 1, 10), account(220, 0), Moment::START), Ok(()));
}

#[test]
fn rule_m5_a_replacement_is_refused_by_its_name() {
    let mut pool = with_ready(1);
    let error = refused(&mut pool, payment(1, 0, 12), account(RICH, 0));
    let underpriced = MempoolError::ReplacementUnderpriced { needed: micros(13) };
    assert_eq!((error, error.rule()), (underpriced, "M5"));
    assert_eq!(pool.take(payment(1, 0, 13)), Ok(()));
}

#[test]
fn rule_m6_a_fee_is_at_least_the_minimum() {
    let mut pool = pool(|limits| limits.min_fee = micros(10));
    let error = refused(&mut pool, payment(3, 0, 9), account(RICH, 0));
    let low = MempoolError::FeeBelowMinimum { given: micros(9), minimum: micros(10) };
    assert_eq!((error, error.rule()), (low, "M6"));
    assert_eq!(pool.take(payment(3, 0, 10)), Ok(()));
}

#[test]
fn rule_m7_a_full_pool_takes_what_is_worth_more() {
    let mut pool = pool(|limits| limits.max_payments = 1);
    pool.take(payment(1, 0, 10)).expect("fits");
    let error = refused(&mut pool, payment(2, 0, 10), account(RICH, 0));
    assert_eq!((error, error.rule()), (MempoolError::PoolFull, "M7"));
    assert_eq!(pool.take(payment(2, 0, 11)), Ok(()));
    assert_eq!((pool.state(1).0.len(), pool.state(2).0.len()), (0, 1));
}

#[test]
fn rule_m7_there_is_room_for_so_many_bytes() {
    let mut pool = pool(|limits| limits.max_bytes = 320);
    pool.take(payment(1, 0, 10)).expect("160 bytes");
    assert_eq!(refused(&mut pool, with_memo(2, 0, 1, 1), account(RICH, 0)).rule(), "M7");
    assert_eq!(pool.take(payment(2, 0, 1)), Ok(()));
}

#[test]
fn rule_m8_a_payment_waits_only_once() {
    let mut pool = with_ready(1);
    let error = refused(&mut pool, payment(1, 0, 10), account(RICH, 0));
    assert_eq!((error, error.rule()), (MempoolError::AlreadyKnown, "M8"));
    pool.expire(Moment::START.after(pool.limits().expiry));
    assert_eq!(pool.take(payment(1, 0, 10)), Ok(()));
}

/// Each payment breaks two rules or more, and the first of the order refuses it. M1, M5 and M3
/// exclude each other, as a replacement is neither stale nor one too many; so do M5 and M2.
#[test]
fn rules_are_checked_in_the_order_of_section_16() {
    let rule = |pool: &mut Mempool, one, account| refused(pool, one, account).rule();
    let mut pool = with_ready(1);
    pool.limits_mut().min_fee = micros(20);
    assert_eq!(rule(&mut pool, payment(1, 0, 10), account(RICH, 0)), "M8", "before M6 and M5");
    assert_eq!(rule(&mut pool, payment(1, 0, 12), account(RICH, 0)), "M6", "before M5");
    assert_eq!(rule(&mut pool, payment(2, 0, 12), account(RICH, 1)), "M6", "before M1");
    pool.limits_mut().max_payments = 1;
    assert_eq!(rule(&mut pool, payment(2, 0, 20), account(0, 1)), "M1", "before M4 and M7");
    pool.limits_mut().min_fee = Amount::ZERO;
    pool.set_account(1, account(111, 0));
    assert_eq!(rule(&mut pool, payment(1, 0, 12), account(0, 0)), "M5", "before M4");
    assert_eq!(rule(&mut pool, payment(1, 64, 0), account(0, 0)), "M2", "before M4 and M7");
    assert_eq!(rule(&mut pool, payment(1, 1, 0), account(0, 0)), "M4", "before M7");
    let mut full = with_ready(64);
    full.set_account(1, account(64 * 110, 0));
    assert_eq!(rule(&mut full, payment(1, 64, 0), account(0, 0)), "M3", "before M2 and M4");
}

#[test]
fn rule_m5_a_replacement_pays_a_quarter_more_and_at_least_one_micro_coin() {
    for (old, refused, enough) in [(0, 0, 1), (1, 1, 2), (4, 4, 5), (5, 6, 7), (100, 124, 125)] {
        let mut pool = pool(|_| {});
        pool.take(payment(1, 0, old)).expect("fits");
        // With another memo it is another payment, though the fee may be the same.
        let error = pool.take(with_memo(1, 0, refused, 1)).expect_err("too little");
        assert_eq!(error, MempoolError::ReplacementUnderpriced { needed: micros(enough) });
        pool.take(with_memo(1, 0, enough, 1)).expect("enough");
        assert_eq!(
            pool.iter().map(VerifiedTransaction::id).collect::<Vec<_>>(),
            [with_memo(1, 0, enough, 1).id()]
        );
        pool.check();
    }
}

#[test]
fn rule_m3_what_a_reorganisation_returns_takes_the_place_of_what_waits_behind_it() {
    let mut pool = pool(|limits| limits.max_per_account = 4);
    for sequence in 1..5 {
        pool.admit(payment(1, sequence, 0), account(RICH, 1), Moment::START).expect("fits");
    }
    let touched = BTreeSet::from([key(1).account()]);
    let update = pool.update(&touched, |_| Ok::<_, Infallible>(account(RICH, 0)));
    assert_eq!(update, Ok(()));
    assert_eq!(pool.state(1), (vec![], (1..5).collect()));
    pool.take(payment(1, 0, 0)).expect("fills the gap");
    assert_eq!(pool.state(1), ((0..4).collect(), vec![]));
    pool.check();
}

#[test]
fn the_defaults_are_those_of_the_design() {
    let limits = MempoolLimits::default();
    assert_eq!((limits.max_payments, limits.max_bytes), (50_000, 32 * 1024 * 1024));
    assert_eq!((limits.max_per_account, limits.max_ahead), (64, 16));
    assert_eq!((limits.expiry.as_secs(), limits.min_fee), (24 * 60 * 60, Amount::ZERO));
}

/// One error of each variant, by its name.
fn one_of_each() -> [(&'static str, MempoolError); 8] {
    let (given, expected) = (sequence(1), sequence(0));
    let (needed, balance, minimum) = (micros(2), micros(1), micros(3));
    let all = [
        MempoolError::StaleSequence { given, expected },
        MempoolError::TooFarAhead { given, expected },
        MempoolError::AccountFull(64),
        MempoolError::InsufficientFunds { needed, balance },
        MempoolError::ReplacementUnderpriced { needed },
        MempoolError::FeeBelowMinimum { given: balance, minimum },
        MempoolError::PoolFull,
        MempoolError::AlreadyKnown,
    ];
    // Whoever adds a variant is reminded here to add it above.
    all.map(|error| match error {
        MempoolError::StaleSequence { .. } => ("StaleSequence", error),
        MempoolError::TooFarAhead { .. } => ("TooFarAhead", error),
        MempoolError::AccountFull(_) => ("AccountFull", error),
        MempoolError::InsufficientFunds { .. } => ("InsufficientFunds", error),
        MempoolError::ReplacementUnderpriced { .. } => ("ReplacementUnderpriced", error),
        MempoolError::FeeBelowMinimum { .. } => ("FeeBelowMinimum", error),
        MempoolError::PoolFull => ("PoolFull", error),
        MempoolError::AlreadyKnown => ("AlreadyKnown", error),
    })
}

/// The rules of section 16 and the names of their errors, as the page has them.
fn table() -> BTreeSet<(String, String)> {
    let page = include_str!("../../../../docs/PROTOCOL.md");
    let section = page.split("\n## ").find(|section| section.starts_with("16 ")).expect("there");
    let rows = section.lines().filter(|line| line.starts_with("| M"));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [rule, _, error] = cells[..] else { panic!("three cells: {row}") };
        (rule.to_owned(), error.trim_matches('`').to_owned())
    })
    .collect()
}

#[test]
fn the_errors_are_those_of_the_table_of_section_16() {
    let errors: BTreeSet<_> =
        one_of_each().map(|(name, error)| (error.rule().to_owned(), name.to_owned())).into();
    assert_eq!(table(), errors);
}
