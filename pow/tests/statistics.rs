//! As many hits as chance makes, and as many with each kernel: one that left out nonces, or took some
//! twice, would have too few or too many.
//!
//! `CAIRN_HASHES=4294967296 cargo test --release -p cairn-pow --test statistics -- --nocapture`
//! searches 2^32 nonces with each kernel, for 24 zero bits; without the variable it is 2^26, for 18.

use std::collections::BTreeSet;
use std::num::{NonZeroU64, NonZeroUsize};
use std::thread::{available_parallelism, scope};

use cairn_pow::{Kernel, Method};
use cairn_protocol::Target;

/// Nonces under one salt.
const SPAN: u64 = 1 << 20;
/// Hits to be expected; their standard deviation is the square root of that.
const EXPECTED: u64 = 256;
const FOUR_SIGMA: u64 = 4 * 16;

#[test]
#[expect(clippy::print_stdout, reason = "the numbers are of interest, with --nocapture")]
fn hits_are_within_four_sigma_of_their_expectation() {
    let hashes: NonZeroU64 = std::env::var("CAIRN_HASHES")
        .map_or(NonZeroU64::new(1 << 26).expect("not zero"), |number| {
            number.parse().expect("CAIRN_HASHES is a number of hashes")
        });
    let spans = hashes.get().next_power_of_two().max(SPAN) / SPAN;
    let bits = (spans * SPAN / EXPECTED).ilog2();
    let target = Target::with_leading_zeros(u8::try_from(bits).expect("at most 56"));
    let mut found = BTreeSet::new();
    for method in Method::ALL {
        let Some(kernel) = method.kernel() else { continue };
        let hits = hits(kernel, spans, target);
        let hashes = spans * SPAN;
        println!("{method}: {hits} hits at {bits} bits in {hashes} hashes, {EXPECTED} expected");
        assert!(hits.abs_diff(EXPECTED) <= FOUR_SIGMA, "{method}: {hits}");
        found.insert(hits);
    }
    assert_eq!(found.len(), 1, "kernels disagree: {found:?}");
}

/// The hits of so many spans, on all cores.
#[expect(clippy::disallowed_methods, reason = "2^32 hashes take minutes on one core")]
fn hits(kernel: Kernel, spans: u64, target: Target) -> u64 {
    let threads = available_parallelism().map_or(1, NonZeroUsize::get);
    scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|part| {
                let spans = (0..spans).skip(part).step_by(threads);
                scope.spawn(move || spans.map(|span| hits_of_span(kernel, span, &target)).sum())
            })
            .collect();
        parts.into_iter().map(|part| part.join().unwrap_or(0)).sum()
    })
}

/// The hits among the nonces under one salt, all of which meet the target by the protocol.
fn hits_of_span(kernel: Kernel, span: u64, target: &Target) -> u64 {
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&span.to_le_bytes());
    let (mut hits, mut next, last) = (0, 0, u32::try_from(SPAN - 1).expect("32 bits"));
    while let Some(nonce) = kernel.search(&[0x24; 32], &salt, next..=last, target) {
        hits += 1;
        next = nonce + 1;
    }
    hits
}
