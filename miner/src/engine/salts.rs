//! Salts: each thread has its own supply, so that no two ever search the same.

use std::num::NonZeroUsize;

/// The salts of one thread: 6 bytes of its program run (random), 2 of the thread, 8 that count.
#[derive(Clone, Debug)]
pub(super) struct Salts {
    prefix: [u8; 8],
    used: u64,
}

impl Salts {
    /// A supply for each of the threads of a program run, told apart from other runs by `run`.
    pub(super) fn for_threads(threads: NonZeroUsize, run: [u8; 6]) -> impl Iterator<Item = Self> {
        // Beyond 65,536 threads two would share a supply; no engine has them.
        (0..=u16::MAX).take(threads.get()).map(move |thread| {
            let mut prefix = [0; 8];
            prefix[..6].copy_from_slice(&run);
            prefix[6..].copy_from_slice(&thread.to_le_bytes());
            Self { prefix, used: 0 }
        })
    }

    /// A salt that this supply has not given yet.
    pub(super) fn next(&mut self) -> [u8; 16] {
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&self.prefix);
        salt[8..].copy_from_slice(&self.used.to_le_bytes());
        self.used += 1;
        salt
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_salt_is_given_twice() {
        let threads = NonZeroUsize::new(300).expect("not zero");
        let supplies = [[0; 6], [1; 6]].map(|run| Salts::for_threads(threads, run));
        let salts: BTreeSet<_> = supplies
            .into_iter()
            .flatten()
            .flat_map(|mut supply| std::array::from_fn::<_, 10, _>(|_| supply.next()))
            .collect();
        assert_eq!(salts.len(), 2 * 300 * 10);
    }
}
