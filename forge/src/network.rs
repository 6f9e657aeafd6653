//! The network of forged chains.

use cairn_protocol::{Network, Rules};

/// Its name, which no other network shares.
pub const NAME: &str = "forge";

/// The default rules under a name of their own, with a difficulty that never changes.
///
/// # Panics
/// If the difficulty is above 128, at which no network can live.
pub fn network(difficulty: u8) -> Network {
    let rules = Rules {
        name: NAME.parse().expect("short and plain"),
        difficulty,
        block_interval_seconds: 0,
        ..Rules::default()
    };
    Network::new(rules).expect("a difficulty that blocks can be found at")
}
