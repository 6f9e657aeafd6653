//! What leaves when the tip moves, a payment is replaced, or time passes.

use super::*;

#[test]
fn a_dearer_replacement_drops_what_the_account_can_no_longer_pay() {
    let mut pool = pool(|_| {});
    let poor = account(330, 0);
    for sequence in 0..3 {
        pool.admit(payment(1, sequence, 10), poor, Moment::START).expect("110 each of 330");
    }
    pool.admit(payment(1, 0, 30), poor, Moment::START).expect("130 and 110 of 330");
    assert_eq!(pool.state(1), (vec![0, 1], vec![]));
    pool.check();
}

#[test]
fn behaviour_44_what_a_block_has_and_what_conflicts_with_it_leaves() {
    let mut pool = pool(|_| {});
    for sequence in 0..4 {
        pool.take(payment(1, sequence, 0)).expect("fits");
    }
    pool.take(payment(2, 0, 0)).expect("fits");
    let touched = BTreeSet::from([key(1).account(), AccountId([9; 32])]);
    // The account has made two payments, ours or others with the same sequences.
    let update = pool.update(&touched, |_| Ok::<_, Infallible>(account(RICH, 2)));
    assert_eq!(update, Ok(()));
    assert_eq!(pool.state(1), (vec![2, 3], vec![]));
    assert_eq!(pool.state(2), (vec![0], vec![]));
    pool.check();
}

#[test]
fn behaviour_46_what_a_reorganisation_took_the_money_from_leaves() {
    let mut pool = pool(|_| {});
    for sequence in 0..4 {
        pool.take(payment(1, sequence, 0)).expect("fits");
    }
    pool.set_account(1, account(250, 0));
    assert_eq!(pool.state(1), (vec![0, 1], vec![]));
    pool.check();
}

#[test]
fn a_gap_that_a_reorganisation_opened_leaves_no_more_parked_than_allowed() {
    let mut pool = pool(|_| {});
    for sequence in 10..40 {
        pool.admit(payment(1, sequence, 0), account(RICH, 10), Moment::START).expect("fits");
    }
    let touched = BTreeSet::from([key(1).account()]);
    let update = pool.update(&touched, |_| Ok::<_, Infallible>(account(RICH, 5)));
    assert_eq!(update, Ok(()));
    assert_eq!(pool.state(1).1.len(), 30, "the payments of the other branch may fill the gap");
    pool.limit_parked(&touched);
    assert_eq!(pool.state(1), (vec![], (10..26).collect()));
    pool.check();
}

#[test]
fn behaviour_48_a_payment_expires_with_those_that_follow_it() {
    let mut pool = pool(|_| {});
    let day = 24 * 60 * 60;
    for (sequence, seconds) in [(0, 100), (1, 0), (2, 200)] {
        pool.admit(payment(1, sequence, 0), account(RICH, 0), at(seconds)).expect("fits");
    }
    pool.admit(payment(2, 0, 0), account(RICH, 0), at(50)).expect("fits");
    assert_eq!(pool.deadline(), Some(at(day)));
    pool.expire(at(day - 1));
    assert_eq!(pool.len(), 4);
    pool.expire(at(day));
    assert_eq!(pool.state(1), (vec![0], vec![]));
    pool.expire(at(day + 50));
    assert_eq!(pool.state(2), (vec![], vec![]));
    assert_eq!(pool.deadline(), Some(at(day + 100)));
    pool.check();
}
