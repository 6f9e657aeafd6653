//! AVX2: eight lanes a register. It has no rotation, and functions of two bits only.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_castsi256_ps, _mm256_cmpeq_epi32,
    _mm256_movemask_ps, _mm256_or_si256, _mm256_set1_epi32, _mm256_setr_epi32,
    _mm256_setzero_si256, _mm256_slli_epi32, _mm256_srli_epi32, _mm256_xor_si256,
};

use super::search_in_lanes;

/// The scan, if this CPU has AVX2.
#[expect(unsafe_code, reason = "a function for one instruction set may run only where that is")]
pub(crate) fn detect() -> Option<Scan> {
    is_x86_feature_detected!("avx2").then_some(Scan {
        lanes: LANES,
        // SAFETY: `scan` needs AVX2, and only a CPU that has it comes here.
        first: |job, batches| unsafe { scan(job, batches) },
    })
}

search_in_lanes!("avx2", __m256i, 8, 2, 2);

#[inline]
#[target_feature(enable = "avx2")]
fn splat(word: u32) -> __m256i {
    _mm256_set1_epi32(word.cast_signed())
}

/// Each lane's number, as the highest byte.
#[inline]
#[target_feature(enable = "avx2")]
fn count() -> __m256i {
    let numbers = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_slli_epi32::<24>(numbers)
}

#[inline]
#[target_feature(enable = "avx2")]
fn add(a: __m256i, b: __m256i) -> __m256i {
    _mm256_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor3(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    _mm256_xor_si256(_mm256_xor_si256(a, b), c)
}

#[inline]
#[target_feature(enable = "avx2")]
fn choose(e: __m256i, f: __m256i, g: __m256i) -> __m256i {
    _mm256_xor_si256(g, _mm256_and_si256(e, _mm256_xor_si256(f, g)))
}

/// The compiler keeps `a ^ b`, which is the next round's `b ^ c`.
#[inline]
#[target_feature(enable = "avx2")]
fn majority(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    let differ = _mm256_and_si256(_mm256_xor_si256(a, b), _mm256_xor_si256(b, c));
    _mm256_xor_si256(b, differ)
}

#[inline]
#[target_feature(enable = "avx2")]
fn rotate<const RIGHT: i32, const LEFT: i32>(x: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_srli_epi32::<RIGHT>(x), _mm256_slli_epi32::<LEFT>(x))
}

#[inline]
#[target_feature(enable = "avx2")]
fn shift<const RIGHT: i32>(x: __m256i) -> __m256i {
    _mm256_srli_epi32::<RIGHT>(x)
}

/// A bit for each lane that is zero in all bits of the mask.
#[inline]
#[target_feature(enable = "avx2")]
fn zeros(x: __m256i, mask: __m256i) -> u32 {
    let equal = _mm256_cmpeq_epi32(_mm256_and_si256(x, mask), _mm256_setzero_si256());
    _mm256_movemask_ps(_mm256_castsi256_ps(equal)).cast_unsigned()
}
