//! The SHA instructions of x86: two rounds of one candidate an instruction.

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_and_si128, _mm_castsi128_ps, _mm_cmpeq_epi32,
    _mm_cvtsi32_si128, _mm_movemask_ps, _mm_set1_epi32, _mm_setr_epi32, _mm_setzero_si128,
    _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi32,
    _mm_slli_si128, _mm_unpackhi_epi32, _mm_unpackhi_epi64,
};
use std::ops::RangeInclusive;

use crate::job::Job;
use crate::kernel::{Batch, Scan};
use crate::sha256::K;

/// The candidates of a batch: as many words as a register has.
const LANES: u32 = 4;

/// The scan, if this CPU has the instructions.
#[expect(unsafe_code, reason = "a function for one instruction set may run only where that is")]
pub(crate) fn detect() -> Option<Scan> {
    let here = is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("sse4.1");
    here.then_some(Scan {
        lanes: LANES,
        // SAFETY: `scan` needs SHA, SSSE3 and SSE4.1, and only a CPU that has them comes here.
        first: |job, batches| unsafe { scan(job, batches) },
    })
}

/// What all candidates start with. Four words a register, the first in the lowest lane.
struct Start {
    /// The state before round 12.
    state: State,
    /// Words 8 to 11 of the message schedule, which do not depend on the nonce.
    words_8: __m128i,
    /// Words 12 to 15, of which the first is less the nonce's word.
    words_12: __m128i,
    /// Words 16 to 19, of which the last is less the nonce's word.
    words_16: __m128i,
    /// What words 20 to 23 get from words 4 to 16.
    into_20: __m128i,
}

/// The state of one candidate as the SHA instructions want it: f, e, b, a and h, g, d, c.
#[derive(Clone, Copy)]
struct State {
    abef: __m128i,
    cdgh: __m128i,
}

/// A candidate, and the last sixteen words of its message schedule.
#[derive(Clone, Copy)]
struct Candidate {
    state: State,
    words: [__m128i; 4],
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
fn scan(job: &Job, batches: RangeInclusive<u32>) -> Option<Batch> {
    let start = Start::of(job);
    let initial = splat(job.constants[63].wrapping_sub(K[63]));
    let mask = splat(job.mask);
    for number in batches {
        let words = _mm_add_epi32(last_a(&start, number * LANES), initial);
        let zeros = _mm_cmpeq_epi32(_mm_and_si128(words, mask), _mm_setzero_si128());
        let passed = _mm_movemask_ps(_mm_castsi128_ps(zeros)).cast_unsigned();
        if passed != 0 {
            return Some(Batch { number, passed });
        }
    }
    None
}

impl Start {
    #[inline]
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    fn of(job: &Job) -> Self {
        let [a, b, c, d, e, f, g, h] = job.before;
        let [words_4, words_8, words_12, words_16] = [4, 8, 12, 16].map(|t| four(&job.words, t));
        Self {
            state: State { abef: lanes([f, e, b, a]), cdgh: lanes([h, g, d, c]) },
            words_8,
            words_12,
            words_16,
            into_20: summands([words_4, words_8, words_12, words_16]),
        }
    }
}

/// `a` after the last round, of the candidates with this nonce and the three after it.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn last_a(start: &Start, first: u32) -> __m128i {
    let [a, b] = pair(start, first);
    let [c, d] = pair(start, first + 2);
    _mm_unpackhi_epi64(_mm_unpackhi_epi32(a, b), _mm_unpackhi_epi32(c, d))
}

/// The last `abef` of the candidates with this nonce and the next, which take turns: the CPU starts
/// two rounds every two cycles, but their result is ready only after four.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn pair(start: &Start, first: u32) -> [__m128i; 2] {
    let (mut one, mut two) = (with_nonce(start, first), with_nonce(start, first + 1));
    macro_rules! take_turns {
        ($($t:literal)*) => {$(
            four_rounds(&mut one, four(&K, $t));
            four_rounds(&mut two, four(&K, $t));
        )*};
    }
    take_turns!(24 28 32 36 40 44 48 52 56 60);
    [one.state.abef, two.state.abef]
}

/// The candidate before round 24.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn with_nonce(start: &Start, nonce: u32) -> Candidate {
    let nonce = _mm_cvtsi32_si128(nonce.swap_bytes().cast_signed());
    let words_12 = _mm_add_epi32(start.words_12, nonce);
    let words_16 = _mm_add_epi32(start.words_16, _mm_slli_si128::<12>(nonce));
    let words_20 = _mm_sha256msg2_epu32(start.into_20, words_16);
    let mut state = start.state;
    for (t, words) in [(12, words_12), (16, words_16), (20, words_20)] {
        state = rounds(state, _mm_add_epi32(words, four(&K, t)));
    }
    Candidate { state, words: [start.words_8, words_12, words_16, words_20] }
}

/// The next four words of the message schedule, and their rounds.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn four_rounds(candidate: &mut Candidate, constants: __m128i) {
    let [_, second, third, last] = candidate.words;
    let next = _mm_sha256msg2_epu32(summands(candidate.words), last);
    candidate.words = [second, third, last, next];
    candidate.state = rounds(candidate.state, _mm_add_epi32(next, constants));
}

/// What the next four words of the message schedule get from the sixteen before them, but for
/// the two before each.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn summands([first, second, third, last]: [__m128i; 4]) -> __m128i {
    _mm_add_epi32(_mm_sha256msg1_epu32(first, second), _mm_alignr_epi8::<4>(last, third))
}

/// Four rounds, from the sums of their constants and words.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn rounds(State { abef, cdgh }: State, sums: __m128i) -> State {
    let half = _mm_sha256rnds2_epu32(cdgh, abef, sums);
    State { abef: _mm_sha256rnds2_epu32(abef, half, _mm_shuffle_epi32::<0b1110>(sums)), cdgh: half }
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn four(words: &[u32; 64], t: usize) -> __m128i {
    lanes([words[t], words[t + 1], words[t + 2], words[t + 3]])
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn lanes(words: [u32; 4]) -> __m128i {
    let [a, b, c, d] = words.map(u32::cast_signed);
    _mm_setr_epi32(a, b, c, d)
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn splat(word: u32) -> __m128i {
    _mm_set1_epi32(word.cast_signed())
}
