//! The one place that reads the system's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use cairn_protocol::Timestamp;

/// The time now. A clock before 1970 reads as 1970.
pub fn now() -> Timestamp {
    Timestamp::ZERO.after(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}
