//! Idle priority: mining takes the processor time that nothing else wants.

use thread_priority::ThreadPriority;
#[cfg(any(target_os = "linux", target_os = "android"))]
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id, thread_schedule_policy,
};

/// Lets the current thread run only when no other wants to.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn yield_to_all() {
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    // The call also sets a niceness, which fails under `nice` after the policy was set: what
    // counts is the policy.
    let result = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle);
    if thread_schedule_policy().ok() != Some(idle) {
        tracing::info!("mining threads run at normal priority: {result:?}");
    }
}

/// Gives the current thread the lowest priority.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn yield_to_all() {
    if let Err(error) = thread_priority::set_current_thread_priority(ThreadPriority::Min) {
        tracing::info!("mining threads run at normal priority: {error:?}");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_thread_is_idle_afterwards() {
        let policy = std::thread::spawn(|| {
            yield_to_all();
            thread_schedule_policy().expect("a policy")
        });
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        assert_eq!(policy.join().expect("no panic"), idle);
    }
}
