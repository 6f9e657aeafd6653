//! Every kernel against the `sha2` crate.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use cairn_pow::{Kernel, Method};
use cairn_protocol::{Proof, Target};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// The kernels that this CPU has. Those that it lacks are named on stderr.
#[expect(clippy::print_stderr, reason = "a test that tries less than it could says so")]
fn kernels() -> Vec<Kernel> {
    let mut kernels = Vec::new();
    for method in Method::ALL {
        match method.kernel() {
            Some(kernel) => kernels.push(kernel),
            None => eprintln!("skipped: {method} needs {}", method.needs()),
        }
    }
    kernels
}

/// What is searched: a header digest and a salt.
type Search = ([u8; 32], [u8; 16]);

fn hash(&(digest, salt): &Search, nonce: u32) -> [u8; 32] {
    Sha256::digest([&digest[..], &salt, &nonce.to_le_bytes()].concat()).into()
}

/// Hashes are compared with targets as numbers, most significant byte first.
fn meets(search: &Search, nonce: u32, target: Target) -> bool {
    hash(search, nonce) <= target.to_be_bytes()
}

/// All that the kernel finds, one after the other.
fn hits(
    kernel: Kernel,
    (digest, salt): &Search,
    nonces: RangeInclusive<u32>,
    target: Target,
) -> BTreeSet<u32> {
    let mut hits = BTreeSet::new();
    let mut next = Some(*nonces.start());
    while let Some(first) = next.filter(|first| first <= nonces.end()) {
        let found = kernel.search(digest, salt, first..=*nonces.end(), &target);
        hits.extend(found);
        next = found.and_then(|nonce| nonce.checked_add(1));
    }
    hits
}

#[test]
fn the_portable_kernel_is_always_there_and_the_fastest_comes_first() {
    let methods: Vec<_> = kernels().iter().map(Kernel::method).collect();
    assert_eq!(methods.last(), Some(&Method::Portable));
    assert_eq!(methods.first(), Some(&Kernel::fastest().method()));
}

/// 65,536 nonces with about 256 hits, so that each lane has some.
#[test]
fn all_find_the_same_hits() {
    let search = ([0x5a; 32], [0xc3; 16]);
    let target = Target::with_leading_zeros(8);
    let expected: BTreeSet<_> = (0..1 << 16).filter(|&n| meets(&search, n, target)).collect();
    let lanes: BTreeSet<_> = expected.iter().map(|nonce| nonce % 32).collect();
    assert_eq!(lanes.len(), 32, "each lane is hit");
    for kernel in kernels() {
        let found = hits(kernel, &search, 0..=(1 << 16) - 1, target);
        assert_eq!(found, expected, "{kernel:?}");
    }
}

/// With the hash of a nonce as the target, that nonce is found exactly where it stands: in each lane,
/// and at each boundary of a batch.
#[test]
fn each_lane_finds_its_own() {
    let search = ([1; 32], [2; 16]);
    for kernel in kernels() {
        for nonce in (0..64).chain(u32::MAX - 63..=u32::MAX) {
            let target = Target::from_be_bytes(&hash(&search, nonce)).expect("not zero");
            let find = |nonces| kernel.search(&search.0, &search.1, nonces, &target);
            let place = format!("{kernel:?}, nonce {nonce}");
            assert_eq!(find(nonce..=nonce), Some(nonce), "{place}");
            // The 64 nonces around it are whole batches of every kernel.
            let around = nonce & !63..=nonce | 63;
            let first = around.clone().find(|&other| meets(&search, other, target));
            assert_eq!(find(around.clone()), first, "{place}");
            assert_eq!(find(*around.start()..=nonce), first.filter(|&at| at <= nonce), "{place}");
        }
    }
}

/// Where a byte of the nonce wraps, where its highest bit changes, and at both ends.
#[test]
fn every_boundary_of_the_counter() {
    let target = Target::with_leading_zeros(3);
    for kernel in kernels() {
        for boundary in [0, 1 << 8, 1 << 16, 1 << 24, 1 << 31, u32::MAX] {
            let search = ([0x96; 32], [0x69; 16]);
            let nonces = boundary.saturating_sub(70)..=boundary.saturating_add(70);
            let expected = nonces.clone().filter(|&n| meets(&search, n, target)).collect();
            assert_eq!(hits(kernel, &search, nonces, target), expected, "{kernel:?} {search:?}");
        }
    }
}

#[test]
fn an_empty_range_has_no_hit() {
    let anything = Target::with_leading_zeros(0);
    #[expect(clippy::reversed_empty_ranges, reason = "the test is about one")]
    let empty = [1..=0, u32::MAX..=0, 64..=63];
    for kernel in kernels() {
        for nonces in empty.clone() {
            assert_eq!(kernel.search(&[0; 32], &[0; 16], nonces, &anything), None, "{kernel:?}");
        }
        assert_eq!(kernel.search(&[0; 32], &[0; 16], 5..=5, &anything), Some(5), "{kernel:?}");
    }
}

/// No more than the first 32 bits are tested with vectors: the rest decides here.
#[test]
fn bits_behind_the_first_word_count() {
    let (search, nonce) = (([3; 32], [4; 16]), 77);
    let mut just_missed = hash(&search, nonce);
    let last = just_missed.iter().rposition(|&byte| byte > 0).expect("not all are zero");
    just_missed[last] -= 1;
    let target = Target::from_be_bytes(&just_missed).expect("not zero");
    for kernel in kernels() {
        let found = kernel.search(&search.0, &search.1, nonce..=nonce, &target);
        assert_eq!(found, None, "{kernel:?}: its hash is one above the target");
    }
}

proptest! {
    #[test]
    fn random_jobs(
        search: Search,
        start: u32,
        length in 0_u32..600,
        bits in 0_u8..12,
        rest: [u8; 30],
    ) {
        // No power of two, so that the plain path has to decide about some.
        let mut bytes = Target::with_leading_zeros(bits).to_be_bytes();
        bytes[2..].copy_from_slice(&rest);
        let target = Target::from_be_bytes(&bytes).unwrap_or(Target::HARDEST);
        let nonces = start..=start.saturating_add(length);
        let expected = nonces.clone().find(|&nonce| meets(&search, nonce, target));
        for kernel in kernels() {
            let found = kernel.search(&search.0, &search.1, nonces.clone(), &target);
            prop_assert_eq!(found, expected, "{:?}", kernel);
        }
    }

    /// What the kernel finds is what the protocol accepts.
    #[test]
    fn the_protocol_accepts_what_is_found(search: Search, start: u32) {
        let target = Target::with_leading_zeros(10);
        let (digest, salt) = search;
        for kernel in kernels() {
            if let Some(nonce) = kernel.search(&digest, &salt, start..=u32::MAX, &target) {
                let accepted = target.is_met_by(&Proof { salt, nonce }.hash(&digest));
                prop_assert!(accepted, "{:?}: nonce {}", kernel, nonce);
            }
        }
    }
}
