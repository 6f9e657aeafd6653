//! A search alone, without engine: the baseline.

use std::hint::black_box;

use cairn_miner::engine::Search;
use cairn_protocol::Target;

use crate::{clocks, kernel, mean};

/// Nonces of one call: so many that calling costs nothing.
const NONCES: u32 = 1 << 20;

/// Hashes a second of processor time: the mean of so many threads that search at once.
pub(crate) fn hashes_per_cpu_second(threads: usize, seconds: f64) -> f64 {
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| of_this_thread(seconds))).collect();
        let rates = threads.into_iter().map(|thread| thread.join().expect("no panic"));
        mean(&rates.collect::<Vec<_>>())
    })
}

fn of_this_thread(seconds: f64) -> f64 {
    let mut search = kernel();
    let (digest, salt) = (rand::random(), rand::random());
    let began = clocks::of_this_thread();
    let mut hashes = 0.0;
    loop {
        let nonces = black_box(0..=NONCES - 1);
        black_box(search.search(black_box(&digest), &salt, nonces, &Target::HARDEST));
        hashes += f64::from(NONCES);
        let took = clocks::of_this_thread() - began;
        if took >= seconds {
            return hashes / took;
        }
    }
}
