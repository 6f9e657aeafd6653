//! The search for a proof of work: which nonce makes `SHA-256(header_digest || salt || nonce)`
//! meet a target?
//!
//! A [`Kernel`] answers for a range of nonces, on the thread that asks. There is one for each
//! [`Method`]; all give the same answer, at different speeds:
//!
//! | method | nonces at once |
//! |---|---|
//! | `avx512` | 2 x 16, one a 32-bit lane |
//! | `avx2` | 2 x 8, one a 32-bit lane |
//! | `portable` | 1, by the `sha2` crate |
//!
//! ```
//! use cairn_pow::Kernel;
//! use cairn_protocol::{Proof, Target};
//!
//! let (digest, salt, target) = ([1; 32], [2; 16], Target::with_leading_zeros(12));
//! let nonce = Kernel::fastest().search(&digest, &salt, 0..=99_999, &target).expect("about 24 do");
//! assert!(target.is_met_by(&Proof { salt, nonce }.hash(&digest)));
//! ```
//!
//! The way in: [`Kernel::search`] prepares a `Job`, in which all is computed that does not depend
//! on the nonce, and scans batches of nonces with the instructions of the method. What passes a
//! scan is hashed again by the protocol's own code.

mod job;
mod kernel;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod method;
mod portable;
mod sha256;
#[cfg(target_arch = "x86_64")]
mod sha_ni;
#[cfg(target_arch = "x86_64")]
#[cfg(test)]
mod vectors;

pub use kernel::Kernel;
pub use method::Method;
