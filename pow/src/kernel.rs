//! [`Kernel`]: a method that this CPU has.

use std::ops::RangeInclusive;

use cairn_protocol::{Proof, Target};

use crate::job::Job;
use crate::{Method, portable};

/// A way to search that this CPU can go: [`Method::kernel`] makes it.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    method: Method,
    scan: Option<Scan>,
}

/// The scan of one instruction set.
///
/// Nonces come in batches: batch `n` of a scan of `lanes` nonces starts with nonce `n * lanes`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scan {
    /// The number of nonces of a batch, a power of two, 32 at most.
    pub(crate) lanes: u32,
    /// The first of these batches with a nonce whose hash has the job's zero bits.
    pub(crate) first: fn(&Job, RangeInclusive<u32>) -> Option<Batch>,
}

/// A batch in which at least one nonce passed the scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Its number.
    pub(crate) number: u32,
    /// A bit for each of its nonces that passed, the lowest bit for the first nonce.
    pub(crate) passed: u32,
}

impl Kernel {
    pub(crate) fn new(method: Method, scan: Option<Scan>) -> Self {
        Self { method, scan }
    }

    /// The one that is fastest on this CPU.
    pub fn fastest() -> Self {
        let mut kernels = Method::ALL.into_iter().filter_map(Method::kernel);
        kernels.next().expect("every CPU has the portable one")
    }

    /// How it searches.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The first nonce in `nonces` for which `SHA-256(header_digest || salt || nonce)`, the nonce
    /// little-endian, meets the target; `None` if there is none.
    pub fn search(
        &self,
        header_digest: &[u8; 32],
        salt: &[u8; 16],
        nonces: RangeInclusive<u32>,
        target: &Target,
    ) -> Option<u32> {
        let Some(scan) = self.scan else {
            return portable::search(header_digest, salt, nonces, target);
        };
        let job = Job::new(header_digest, salt, *target);
        let hash = |nonce| Proof { salt: *salt, nonce }.hash(header_digest);
        scan.nonces(&job, nonces).find(|&nonce| target.is_met_by(&hash(nonce)))
    }
}

impl Scan {
    /// All of these nonces whose hashes have the job's zero bits, in order.
    fn nonces(self, job: &Job, nonces: RangeInclusive<u32>) -> impl Iterator<Item = u32> {
        let last = nonces.end() / self.lanes;
        let mut next = (!nonces.is_empty()).then_some(nonces.start() / self.lanes);
        let batches = std::iter::from_fn(move || {
            let batch = (self.first)(job, next?..=last)?;
            next = (batch.number < last).then(|| batch.number + 1);
            Some(batch)
        });
        let passed = batches.flat_map(move |batch| {
            let lanes = (0..self.lanes).filter(move |lane| batch.passed >> lane & 1 == 1);
            lanes.map(move |lane| batch.number * self.lanes + lane)
        });
        // The first and the last batch may reach beyond the range.
        passed.filter(move |nonce| nonces.contains(nonce))
    }
}
