//! An engine whose searches panic.

use super::*;
use std::sync::atomic::AtomicUsize;

/// Panics, or searches as it should.
enum Fragile {
    Broken,
    Whole,
}

impl Search for Fragile {
    fn search(
        &mut self,
        header_digest: &[u8; 32],
        salt: &[u8; 16],
        nonces: RangeInclusive<u32>,
        target: &Target,
    ) -> Option<u32> {
        match self {
            Self::Broken => panic!("a broken search"),
            Self::Whole => Kernel::fastest().search(header_digest, salt, nonces, target),
        }
    }
}

/// Searches of which so many, the first, are broken.
fn broken_at_first(broken: usize) -> impl Fn() -> Fragile + Send + Sync + 'static {
    let made = AtomicUsize::new(0);
    move || {
        let is_broken = made.fetch_add(1, Ordering::Relaxed) < broken;
        if is_broken { Fragile::Broken } else { Fragile::Whole }
    }
}

#[test]
fn a_search_that_panics_is_replaced_and_its_job_is_not_lost() {
    let (engine, mut proofs) = start(1, broken_at_first(3));
    let id = engine.assign(job(1, Target::with_leading_zeros(8)));
    assert_eq!(next(&mut proofs).job, id);
    let failures = engine.failures();
    assert_eq!(failures.count, 3);
    assert!(failures.last.starts_with("thread 1: a broken search"), "{}", failures.last);
}

#[test]
fn a_search_that_always_panics_disturbs_no_other_thread() {
    // The first search made is one thread's for good; all others are broken.
    let made = AtomicUsize::new(0);
    let new_search = move || match made.fetch_add(1, Ordering::Relaxed) {
        0 => Fragile::Whole,
        _ => Fragile::Broken,
    };
    let (engine, mut proofs) = start(2, new_search);
    for number in 0..20 {
        let id = engine.assign(job(number, Target::with_leading_zeros(8)));
        assert_eq!(next(&mut proofs).job, id);
    }
    engine.assign(job(20, Target::HARDEST));
    wait_until(|| engine.failures().count > 3);
    let before = engine.hashes();
    wait_until(|| engine.hashes() > before);
}

#[test]
fn a_search_that_panics_again_and_again_is_given_growing_pauses() {
    let (engine, _proofs) = start(2, broken_at_first(usize::MAX));
    let began = Instant::now();
    engine.assign(job(1, Target::HARDEST));
    // At its earliest the eighth panic is the fourth of each thread.
    wait_until(|| engine.failures().count >= 8);
    assert!(began.elapsed() >= Duration::from_millis(10 + 20 + 40), "{:?}", began.elapsed());
}

#[test]
fn a_search_that_cannot_even_be_made_is_a_failure_like_any_other() {
    let made = AtomicUsize::new(0);
    let new_search = move || {
        assert!(made.fetch_add(1, Ordering::Relaxed) > 0, "cannot be made");
        Fragile::Whole
    };
    let (engine, mut proofs) = start(1, new_search);
    let id = engine.assign(job(1, Target::with_leading_zeros(8)));
    assert_eq!(next(&mut proofs).job, id);
    assert!(engine.failures().last.contains("cannot be made"), "{}", engine.failures().last);
}
