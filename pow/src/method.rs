//! [`Method`]: which ways to search there are, and which of them this CPU can go.

use std::fmt;

use crate::Kernel;
use crate::kernel::Scan;
#[cfg(target_arch = "x86_64")]
use crate::{lanes, sha_ni};

/// A way to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// AVX-512: sixteen nonces a register, two registers at a time.
    Avx512,
    /// The SHA instructions of x86: four nonces at a time.
    ShaNi,
    /// AVX2: eight nonces a register, two registers at a time.
    Avx2,
    /// The `sha2` crate, one nonce after the other. Every CPU can.
    Portable,
}

impl Method {
    /// All of them, the fastest first.
    pub const ALL: [Self; 4] = [Self::Avx512, Self::ShaNi, Self::Avx2, Self::Portable];

    /// Its name, such as "avx512".
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::ShaNi => "sha_ni",
            Self::Avx2 => "avx2",
            Self::Portable => "portable",
        }
    }

    /// The CPU features that it takes, in words.
    pub const fn needs(self) -> &'static str {
        match self {
            Self::Avx512 => "an x86-64 CPU with AVX-512F",
            Self::ShaNi => "an x86-64 CPU with SHA, SSSE3 and SSE4.1",
            Self::Avx2 => "an x86-64 CPU with AVX2",
            Self::Portable => "nothing",
        }
    }

    /// The kernel that searches this way; `None` if this CPU lacks what it needs.
    pub fn kernel(self) -> Option<Kernel> {
        match self {
            Self::Portable => Some(Kernel::new(self, None)),
            _ => self.scan().map(|scan| Kernel::new(self, Some(scan))),
        }
    }

    #[cfg(target_arch = "x86_64")]
    pub(crate) fn scan(self) -> Option<Scan> {
        match self {
            Self::Avx512 => lanes::avx512::detect(),
            Self::ShaNi => sha_ni::detect(),
            Self::Avx2 => lanes::avx2::detect(),
            Self::Portable => None,
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) fn scan(self) -> Option<Scan> {
        None
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
