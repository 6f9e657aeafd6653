//! The seam to the kernels: [`Search`].

use std::ops::RangeInclusive;

use cairn_pow::Kernel;
use cairn_protocol::Target;

/// Searches nonces for one thread. Tests put others than kernels here.
pub trait Search: Send {
    /// A nonce in `nonces` for which `SHA-256(header_digest || salt || nonce)`, the nonce
    /// little-endian, meets the target; `None` if there is none. Of several any may be returned.
    fn search(
        &mut self,
        header_digest: &[u8; 32],
        salt: &[u8; 16],
        nonces: RangeInclusive<u32>,
        target: &Target,
    ) -> Option<u32>;
}

impl Search for Kernel {
    fn search(
        &mut self,
        header_digest: &[u8; 32],
        salt: &[u8; 16],
        nonces: RangeInclusive<u32>,
        target: &Target,
    ) -> Option<u32> {
        Kernel::search(self, header_digest, salt, nonces, target)
    }
}
