//! [`Draws`]: numbers that follow from a seed, the same on every machine and for good.

/// `SplitMix64` (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). The
/// generators of a library may change with its versions, and with them every forged chain.
#[derive(Clone, Debug)]
pub(crate) struct Draws(u64);

impl Draws {
    /// The draws of this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`, which is not 0. Its upper half decides, which is even enough for
    /// bounds that are far below 2^32.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let upper = self.next() >> 32;
        let scaled = (upper * u64::from(bound)) >> 32;
        u32::try_from(scaled).expect("a number below 2^32 of a bound below 2^32")
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of the seed 1234567, as other implementations give them.
    #[test]
    fn the_draws_are_those_of_splitmix64() {
        let mut draws = Draws::new(1_234_567);
        let first = [(); 3].map(|()| draws.next());
        let known =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(first, known);
    }

    #[test]
    fn every_number_below_the_bound_is_drawn_and_none_above() {
        let mut draws = Draws::new(3);
        let mut counts = [0_u32; 5];
        for _ in 0..1_000 {
            counts[draws.below(5) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (150..250).contains(count)), "{counts:?}");
        assert_eq!(draws.below(1), 0);
    }
}
