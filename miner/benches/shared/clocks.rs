//! Processor time.

use cairn_miner::thread_time;
use rustix::param::clock_ticks_per_second;

/// The seconds of processor time that this thread has used.
pub(crate) fn of_this_thread() -> f64 {
    thread_time::now().as_secs_f64()
}

/// The seconds of processor time that a process has used, all its threads together.
pub(crate) fn of_process(id: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("a child of ours");
    // The name, in parentheses, may contain anything; user and system time are fields 14 and 15.
    let (_, fields) = stat.rsplit_once(')').expect("a name");
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.map(|ticks| ticks.parse::<f64>().expect("a number")).sum();
    #[expect(clippy::cast_precision_loss, reason = "a hundred")]
    let per_second = clock_ticks_per_second() as f64;
    ticks / per_second
}
