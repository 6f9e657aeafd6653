//! The Merkle root of a list: the tree of RFC 6962 section 2.1, under tags of our own.
//!
//! A list of n > 1 leaves is split after the largest power of two below n, so that no leaf is
//! ever counted twice, and leaves and inner nodes are hashed under different tags. No two lists
//! share a root (Bitcoin's tree, which repeats the last leaf, lets [1..6] and [1..6, 5, 6] share
//! one: CVE-2012-2459).

use crate::hash::{Digest256, Tag};

/// The root over these leaf hashes.
///
/// # Panics
/// Without a leaf: a block always has its reward.
pub fn root(leaves: &[Digest256]) -> Digest256 {
    match leaves {
        [] => panic!("a Merkle tree has at least one leaf"),
        [leaf] => *leaf,
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(split);
            Tag::MerkleNode.hash(&[&root(left), &root(right)])
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn leaves(numbers: &[u8]) -> Vec<Digest256> {
        numbers.iter().map(|&number| [number; 32]).collect()
    }

    #[test]
    fn the_tree_splits_after_the_largest_power_of_two() {
        let node = |left: Digest256, right: Digest256| Tag::MerkleNode.hash(&[&left, &right]);
        let [a, b, c, d, e] = [1, 2, 3, 4, 5].map(|number| [number; 32]);
        assert_eq!(root(&[a]), a);
        assert_eq!(root(&[a, b, c]), node(node(a, b), c));
        assert_eq!(root(&[a, b, c, d]), node(node(a, b), node(c, d)));
        assert_eq!(root(&[a, b, c, d, e]), node(node(node(a, b), node(c, d)), e));
    }

    #[test]
    #[should_panic(expected = "at least one leaf")]
    fn no_leaf_has_no_root() {
        root(&[]);
    }

    #[test]
    fn attack_03_repeated_leaves_change_the_root() {
        let lists: [&[u8]; 6] = [
            &[1, 2, 3, 4, 5, 6],
            &[1, 2, 3, 4, 5, 6, 5, 6],
            &[1, 2, 3, 4, 5, 6, 6],
            &[1, 2, 3, 4, 6, 5],
            &[1, 2, 3],
            &[1, 2, 3, 3],
        ];
        let roots: BTreeSet<_> = lists.iter().map(|list| root(&leaves(list))).collect();
        assert_eq!(roots.len(), lists.len());
    }
}
