//! A clock that only runs while the calling thread does, so that other programs do not disturb what it
//! measures.

use std::time::Duration;

/// The processor time that this thread has used.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.try_into().unwrap_or_default()
}

/// The time since the first call: other systems have no such clock that would take no unsafe code.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub fn now() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}
