//! [`Spans`]: what is searched in a benchmark, and what is to be found in it.

use cairn_pow::{Kernel, Method};
use cairn_protocol::Target;

/// The nonces of a span are 0 to this.
const LAST: u32 = (1 << 18) - 1;
/// How many spans there are, each with a salt of its own.
const COUNT: u8 = 16;
/// Hits are this many zero bits: four a span, so that finding them takes no time.
const BITS: u8 = 16;
const HEADER_DIGEST: [u8; 32] = [0xca; 32];

/// Nonces to search, and the hits that the plain loop finds among them.
#[derive(Clone, Debug)]
pub(crate) struct Spans {
    target: Target,
    /// The hits of each span.
    hits: Vec<Vec<u32>>,
}

/// A kernel found other nonces than the plain loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongHits;

impl Spans {
    /// The number of nonces of a span.
    pub(crate) const NONCES: u64 = LAST as u64 + 1;

    /// Searches all spans with the plain loop.
    pub(crate) fn search() -> Self {
        let plain = Method::Portable.kernel().expect("every CPU has it");
        let target = Target::with_leading_zeros(BITS);
        Self { target, hits: (0..COUNT).map(|span| hits(plain, span, &target)).collect() }
    }

    /// Has the kernel search one of the spans, counted from 0 and around.
    pub(crate) fn check(&self, kernel: Kernel, number: usize) -> Result<(), WrongHits> {
        let span = number % self.hits.len();
        let salt = u8::try_from(span).expect("as many as were counted with it");
        let found = hits(kernel, salt, &self.target);
        if found == self.hits[span] { Ok(()) } else { Err(WrongHits) }
    }
}

/// All hits among the nonces of a span.
fn hits(kernel: Kernel, salt: u8, target: &Target) -> Vec<u32> {
    let mut hits = Vec::new();
    let mut first = 0;
    while let Some(nonce) = kernel.search(&HEADER_DIGEST, &[salt; 16], first..=LAST, target) {
        hits.push(nonce);
        first = nonce + 1;
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_too_many_or_too_few_is_noticed() {
        let spans = Spans::search();
        let kernel = Kernel::fastest();
        assert!(spans.hits.iter().map(Vec::len).sum::<usize>() > 20, "there is something to find");
        for number in 0..2 * spans.hits.len() {
            assert_eq!(spans.check(kernel, number), Ok(()));
        }
        let with_hits = spans.hits.iter().position(|hits| !hits.is_empty()).expect("some have");
        let mut too_few = spans.clone();
        too_few.hits[with_hits].push(LAST);
        assert_eq!(too_few.check(kernel, with_hits), Err(WrongHits));
        let mut too_many = spans;
        too_many.hits[with_hits].pop();
        assert_eq!(too_many.check(kernel, with_hits), Err(WrongHits));
    }
}
