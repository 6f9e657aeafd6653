//! AVX-512: sixteen lanes a register, rotations, and any function of three bits in one instruction.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_ror_epi32, _mm512_set1_epi32, _mm512_setr_epi32,
    _mm512_slli_epi32, _mm512_srli_epi32, _mm512_ternarylogic_epi32, _mm512_testn_epi32_mask,
};

use super::search_in_lanes;

/// The scan, if this CPU has AVX-512F.
#[expect(unsafe_code, reason = "a function for one instruction set may run only where that is")]
pub(crate) fn detect() -> Option<Scan> {
    is_x86_feature_detected!("avx512f").then_some(Scan {
        lanes: LANES,
        // SAFETY: `scan` needs AVX-512F, and only a CPU that has it comes here.
        first: |job, batches| unsafe { scan(job, batches) },
    })
}

search_in_lanes!("avx512f", __m512i, 16, 2, 1);

#[inline]
#[target_feature(enable = "avx512f")]
fn splat(word: u32) -> __m512i {
    _mm512_set1_epi32(word.cast_signed())
}

/// Each lane's number, as the highest byte.
#[inline]
#[target_feature(enable = "avx512f")]
fn count() -> __m512i {
    let numbers = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    _mm512_slli_epi32::<24>(numbers)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add(a: __m512i, b: __m512i) -> __m512i {
    _mm512_add_epi32(a, b)
}

/// The truth table of a function of three bits is its value for 111 down to 000.
#[inline]
#[target_feature(enable = "avx512f")]
fn xor3(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0b1001_0110>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn choose(e: __m512i, f: __m512i, g: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0b1100_1010>(e, f, g)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn majority(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0b1110_1000>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn rotate<const RIGHT: i32, const LEFT: i32>(x: __m512i) -> __m512i {
    _mm512_ror_epi32::<RIGHT>(x)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn shift<const RIGHT: u32>(x: __m512i) -> __m512i {
    _mm512_srli_epi32::<RIGHT>(x)
}

/// A bit for each lane that is zero in all bits of the mask.
#[inline]
#[target_feature(enable = "avx512f")]
fn zeros(x: __m512i, mask: __m512i) -> u32 {
    _mm512_testn_epi32_mask(x, mask).into()
}
