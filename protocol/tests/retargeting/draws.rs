//! Random draws that are the same on every machine: no logarithm of a C library is taken.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

pub(crate) struct Draws(Xoshiro256PlusPlus);

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// Between 0 and 1, 1 excluded.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// From the exponential distribution with mean 1, by comparisons alone (von Neumann, "Various
    /// techniques used in connection with random digits", 1951): x below 1 is accepted if the
    /// falling run of draws that starts with it has an odd length, which has the chance e^-x.
    pub(crate) fn exponential(&mut self) -> f64 {
        let mut whole = 0.0;
        loop {
            let first = self.unit();
            let (mut last, mut odd) = (first, true);
            loop {
                let next = self.unit();
                if next >= last {
                    break;
                }
                (last, odd) = (next, !odd);
            }
            if odd {
                return whole + first;
            }
            whole += 1.0;
        }
    }
}

#[test]
fn draws_are_those_of_the_exponential_distribution() {
    let mut draws = Draws::new(1);
    let sample: Vec<f64> = (0..100_000).map(|_| draws.exponential()).collect();
    let mean = |power: i32| sample.iter().map(|x| x.powi(power)).sum::<f64>() / 100_000.0;
    assert!((mean(1) - 1.0).abs() < 0.01, "the mean is {}", mean(1));
    assert!((mean(2) - 2.0).abs() < 0.06, "the mean square is {}", mean(2));
    let beyond = sample.iter().filter(|&&x| x > 3.0).count();
    assert!((4_800..5_150).contains(&beyond), "e^-3 of them are beyond 3, not {beyond}");
}
