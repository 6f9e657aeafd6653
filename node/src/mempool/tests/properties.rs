//! Whatever happens to a pool, its limits hold.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What can happen to a pool.
#[derive(Clone, Debug)]
enum Step {
    Admit { seed: u8, sequence: u32, fee: u64, memo: usize },
    Update { seed: u8, balance: u64, sequence: u32 },
    Expire,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let admit = (1..6_u8, 0..12_u32, 0..200_u64, 0..100_usize)
        .prop_map(|(seed, sequence, fee, memo)| Step::Admit { seed, sequence, fee, memo });
    let update = (1..6_u8, 0..2_000_u64, 0..6_u32)
        .prop_map(|(seed, balance, sequence)| Step::Update { seed, balance, sequence });
    let step = prop_oneof![12 => admit, 2 => update, 1 => Just(Step::Expire)];
    proptest::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens, the limits hold, the tables agree, and what is ready can be paid for.
    #[test]
    fn the_limits_hold_whatever_happens(steps in steps()) {
        let mut pool = pool(|limits| {
            limits.max_payments = 12;
            limits.max_bytes = 2_000;
            limits.max_per_account = 6;
            limits.max_ahead = 3;
        });
        let mut accounts = BTreeMap::new();
        for (seconds, step) in (0..).zip(steps) {
            let now = at(seconds * 3_600);
            match step {
                Step::Admit { seed, sequence, fee, memo } => {
                    let account = accounts.get(&seed).copied().unwrap_or(account(1_500, 0));
                    let one = with_memo(seed, sequence, fee, memo);
                    let admitted = pool.admit(one.clone(), account, now);
                    prop_assert!(admitted.is_err() || pool.contains(&one.id()));
                }
                Step::Update { seed, balance, sequence } => {
                    let changed = account(balance, sequence);
                    accounts.insert(seed, changed);
                    let touched = BTreeSet::from([key(seed).account()]);
                    pool.update(&touched, |_| Ok::<_, Infallible>(changed)).expect("infallible");
                    pool.limit_parked(&touched);
                }
                Step::Expire => pool.expire(now),
            }
            pool.check();
        }
    }
}
