//! The search with vector instructions: each lane of a register is a candidate of its own.
//!
//! [`search_in_lanes`] is the search; `avx512` and `avx2` say how their instruction set adds,
//! rotates and compares.

pub(crate) mod avx2;
pub(crate) mod avx512;

/// Where the variable `n` (0 is `a`, 7 is `h`) of the state before round `t` stands: each round
/// moves all of them by one, so that nothing has to move.
const fn place(n: usize, t: usize) -> usize {
    (n + 64 - t) % 8
}

/// Rounds 13 to 63 of all candidates. Its registers take turns of so many rounds: while the one waits for
/// the results of its instructions, the other has some to compute.
///
/// These are macros because the compiler must not leave calls in their place, and because the
/// functions of a generic one could not use the instruction set.
macro_rules! rounds_13_to_63 {
    ($job:ident, $candidates:ident, 1) => {
        turns!($job, $candidates,
            [13] [14] [15] [16] [17] [18] [19] [20] [21] [22] [23] [24] [25] [26] [27] [28] [29]
            [30] [31] [32] [33] [34] [35] [36] [37] [38] [39] [40] [41] [42] [43] [44] [45] [46]
            [47] [48] [49] [50] [51] [52] [53] [54] [55] [56] [57] [58] [59] [60] [61] [62] [63]
        );
    };
    ($job:ident, $candidates:ident, 2) => {
        turns!($job, $candidates,
            [13 14] [15 16] [17 18] [19 20] [21 22] [23 24] [25 26] [27 28] [29 30] [31 32]
            [33 34] [35 36] [37 38] [39 40] [41 42] [43 44] [45 46] [47 48] [49 50] [51 52]
            [53 54] [55 56] [57 58] [59 60] [61 62] [63]
        );
    };
}

macro_rules! turns {
    ($job:ident, $candidates:ident, $([$($t:literal)*])*) => {$(
        for Candidates { state, words } in &mut $candidates {
            $(round!($job, state, words, $t);)*
        }
    )*};
}

/// One round of the candidates in one register (FIPS 180-4, 6.2.2, step 3). Before round 16, `d` and
/// `h` do not depend on the nonce.
macro_rules! round {
    ($job:ident, $state:ident, $words:ident, $t:literal) => {{
        let [a, b, c, d, e, f, g, h] = std::array::from_fn(|n| $state[place(n, $t)]);
        let sigma1 = xor3(rotate::<6, 26>(e), rotate::<11, 21>(e), rotate::<25, 7>(e));
        let sigma0 = xor3(rotate::<2, 30>(a), rotate::<13, 19>(a), rotate::<22, 10>(a));
        let (from_e, from_a) = (add(choose(e, f, g), sigma1), add(majority(a, b, c), sigma0));
        if $t <= NONCE + 3 {
            let early = $t - NONCE - 1;
            $state[place(3, $t)] = add(from_e, splat($job.early_e[early]));
            $state[place(7, $t)] = add(from_e, add(from_a, splat($job.early_a[early])));
        } else {
            let mut rest = splat($job.constants[$t]);
            if VARIES[$t] {
                $words[$t % 16] = word!($job, $words, $t);
                rest = add(rest, $words[$t % 16]);
            }
            let first = add(add(rest, h), from_e);
            $state[place(3, $t)] = add(d, first);
            $state[place(7, $t)] = add(from_a, first);
        }
    }};
}

/// A word of the message schedule, from the sixteen before it (FIPS 180-4, 6.2.2, step 1). What does
/// not depend on the nonce is already summed up.
macro_rules! word {
    ($job:ident, $words:ident, $t:literal) => {{
        let mut sum = splat(if VARIES_WHOLLY[$t] { 0 } else { $job.words[$t] });
        if VARIES[$t - 16] {
            sum = add(sum, $words[$t % 16]);
        }
        if VARIES[$t - 7] {
            sum = add(sum, $words[($t - 7) % 16]);
        }
        if VARIES[$t - 15] {
            let x = $words[($t - 15) % 16];
            sum = add(sum, xor3(rotate::<7, 25>(x), rotate::<18, 14>(x), shift::<3>(x)));
        }
        if VARIES[$t - 2] {
            let x = $words[($t - 2) % 16];
            sum = add(sum, xor3(rotate::<17, 15>(x), rotate::<19, 13>(x), shift::<10>(x)));
        }
        sum
    }};
}

/// A cache line of the stack.
#[repr(align(64))]
struct CacheLine([u8; 64]);

/// Writes `LANES`, the nonces of a batch, and `scan` for one instruction set: its feature, its
/// register, how many lanes that has, how many registers take turns, and for how many rounds. It takes
/// these functions, all of them lane by lane: `splat(word)`, `count()`, `add(a, b)`, `xor3(a, b, c)`, `choose(e, f, g)`,
/// `majority(a, b, c)`, `rotate::<RIGHT, LEFT>(x)` where LEFT is 32 - RIGHT, `shift::<RIGHT>(x)`,
/// and `zeros(x, mask)`.
///
/// A macro, because the functions of a generic one could not use the instruction set.
macro_rules! search_in_lanes {
    ($feature:literal, $register:ident, $lanes:literal, $registers:literal, $turn:tt) => {
        use std::hint::black_box;
        use std::ops::RangeInclusive;

        use super::{CacheLine, place, round, rounds_13_to_63, turns, word};
        use crate::job::{Job, NONCE, VARIES, VARIES_WHOLLY};
        use crate::kernel::{Batch, Scan};

        /// The nonces of a batch.
        const LANES: u32 = $lanes * $registers;

        /// A candidate in each lane.
        #[derive(Clone, Copy)]
        struct Candidates {
            /// The state, each variable at its [`place`].
            state: [$register; 8],
            /// Those of the last sixteen words of the message schedule that vary.
            words: [$register; 16],
        }

        #[target_feature(enable = $feature)]
        fn scan(job: &Job, batches: RangeInclusive<u32>) -> Option<Batch> {
            // Registers are spilled to aligned places only if a variable of the frame wants one.
            let aligned = CacheLine([0; 64]);
            black_box(&aligned.0);
            for number in batches {
                // The nonces of a batch differ in their lowest byte only, the highest of their words.
                let first = add(splat((number * LANES).swap_bytes()), count());
                let mut candidates = [after_nonce(job, first); $registers];
                for (i, candidates) in (0_u32..).zip(&mut candidates) {
                    *candidates = after_nonce(job, add(first, splat((i * $lanes) << 24)));
                }
                rounds_13_to_63!(job, candidates, $turn);
                let mut passed = 0;
                for (i, candidates) in (0_u32..).zip(&candidates) {
                    let first_word = candidates.state[place(0, 64)];
                    passed |= zeros(first_word, splat(job.mask)) << (i * $lanes);
                }
                if passed != 0 {
                    return Some(Batch { number, passed });
                }
            }
            None
        }

        /// The candidates after the round of the nonce, from the nonces' words.
        #[inline]
        #[target_feature(enable = $feature)]
        fn after_nonce(job: &Job, nonces: $register) -> Candidates {
            let mut state = [nonces; 8];
            for n in [1, 2, 3, 5, 6, 7] {
                state[place(n, NONCE + 1)] = splat(job.before[n - 1]);
            }
            state[place(0, NONCE + 1)] = add(nonces, splat(job.a));
            state[place(4, NONCE + 1)] = add(nonces, splat(job.e));
            Candidates { state, words: [nonces; 16] }
        }
    };
}
use {round, rounds_13_to_63, search_in_lanes, turns, word};
