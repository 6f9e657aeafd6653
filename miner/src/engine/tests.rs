//! The engine as a whole, with a kernel and with one that only tells what it is asked.

mod panics;

use super::*;
use cairn_pow::Kernel;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;
use tokio::sync::mpsc;

/// What a searching thread was asked: whose header, under which salt, which nonces.
type Step = ([u8; 32], [u8; 16], RangeInclusive<u32>);

/// Tells its steps, waits until the test takes them, and finds nothing.
struct Telling(SyncSender<Step>);

impl Search for Telling {
    fn search(
        &mut self,
        header_digest: &[u8; 32],
        salt: &[u8; 16],
        nonces: RangeInclusive<u32>,
        _: &Target,
    ) -> Option<u32> {
        // The test ends: nobody wants to know any more.
        let _ = self.0.send((*header_digest, *salt, nonces));
        None
    }
}

/// An engine of two threads that tell their steps; so many may wait to be taken.
fn telling(waiting: usize) -> (Engine, Receiver<Step>) {
    let (sender, steps) = sync_channel(waiting);
    let (engine, _proofs) = start(2, move || Telling(sender.clone()));
    (engine, steps)
}

fn start<S: Search + 'static>(
    threads: usize,
    new_search: impl Fn() -> S + Send + Sync + 'static,
) -> (Engine, mpsc::UnboundedReceiver<Found>) {
    let threads = NonZeroUsize::new(threads).expect("not zero");
    let (found, proofs) = mpsc::unbounded_channel();
    // A test that is over has no use for more.
    let found = move |proof| _ = found.send(proof);
    (Engine::start(threads, new_search, found).expect("a few threads"), proofs)
}

fn job(number: u8, target: Target) -> Job {
    Job { header_digest: [number; 32], target }
}

/// Waits for a condition, thirty seconds at most.
fn wait_until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "not within thirty seconds");
        std::thread::yield_now();
    }
}

fn next(proofs: &mut mpsc::UnboundedReceiver<Found>) -> Found {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let next = async { tokio::time::timeout(Duration::from_secs(30), proofs.recv()).await };
    let found = runtime.expect("a runtime").block_on(next);
    found.expect("within thirty seconds").expect("the engine runs")
}

#[test]
fn proofs_meet_random_targets() {
    let (engine, mut proofs) = start(2, Kernel::fastest);
    for number in 0..40 {
        let mut bytes = rand::random::<[u8; 32]>();
        bytes[0] = 0;
        let job = job(number, Target::from_be_bytes(&bytes).expect("not zero"));
        let id = engine.assign(job);
        let found = next(&mut proofs);
        assert_eq!(found.job, id);
        let hash = found.proof.hash(&job.header_digest);
        assert!(job.target.is_met_by(&hash), "{hash} for {}", job.target);
    }
    engine.stop();
    assert!(engine.hashes() > 40);
    assert!(proofs.try_recv().is_err(), "a job yields one proof");
}

#[test]
fn threads_never_search_the_same_and_cover_all_nonces() {
    let (engine, steps) = telling(1_000);
    engine.assign(job(1, Target::HARDEST));
    let mut next_nonce: BTreeMap<[u8; 16], Option<u32>> = BTreeMap::new();
    for (_, salt, nonces) in steps {
        // Two threads under one salt would not follow upon one another.
        let next = next_nonce.entry(salt).or_insert(Some(0));
        assert_eq!(*next, Some(*nonces.start()));
        *next = nonces.end().checked_add(1);
        if next_nonce.values().filter(|next| next.is_none()).count() == 4 {
            break;
        }
    }
    assert!(next_nonce.len() <= 6, "a salt is used up before the next is taken");
}

#[test]
fn two_runs_of_a_program_never_search_the_same() {
    let salts = || {
        let (engine, steps) = telling(0);
        engine.assign(job(1, Target::HARDEST));
        steps.into_iter().take(10).map(|step| step.1).collect::<BTreeSet<_>>()
    };
    assert!(salts().is_disjoint(&salts()));
}

#[test]
fn stale_jobs_are_dropped() {
    let (engine, steps) = telling(0);
    engine.assign(job(1, Target::HARDEST));
    assert_eq!(steps.recv().expect("a step").0, [1; 32]);
    engine.assign(job(2, Target::HARDEST));
    let jobs: Vec<_> = steps.iter().take(50).map(|step| step.0).collect();
    let stale = jobs.iter().filter(|digest| **digest == [1; 32]).count();
    assert!(stale <= 2, "each of two threads finishes the step that it was at: {stale}");
}

#[test]
fn rest_means_that_nothing_is_searched() {
    let (engine, steps) = telling(0);
    engine.assign(job(1, Target::HARDEST));
    steps.recv().expect("a step");
    engine.rest();
    let more = std::iter::from_fn(|| steps.recv_timeout(Duration::from_millis(100)).ok()).count();
    assert!(more <= 2, "each of two threads finishes the step that it was at: {more}");
    engine.assign(job(2, Target::HARDEST));
    assert_eq!(steps.recv().expect("a step").0, [2; 32]);
}

#[test]
fn a_proof_for_a_replaced_job_is_told_by_its_id() {
    let (engine, mut proofs) = start(1, Kernel::fastest);
    let hard = engine.assign(job(1, Target::HARDEST));
    let easy = engine.assign(job(2, Target::with_leading_zeros(4)));
    assert!(hard < easy);
    assert_eq!(next(&mut proofs).job, easy);
}

#[test]
fn stop_ends_all_threads() {
    let (engine, _proofs) = start(2, Kernel::fastest);
    engine.assign(job(1, Target::HARDEST));
    wait_until(|| engine.hashes() > 0);
    engine.stop();
    wait_until(|| Arc::strong_count(&engine.board) == 1);
}

/// Finds at the 42nd nonce of a step.
struct Late;

impl Search for Late {
    fn search(
        &mut self,
        _: &[u8; 32],
        _: &[u8; 16],
        nonces: RangeInclusive<u32>,
        _: &Target,
    ) -> Option<u32> {
        Some(nonces.start() + 41)
    }
}

#[test]
fn a_hit_counts_what_was_tried_until_then_and_not_its_whole_step() {
    let (engine, mut proofs) = start(1, || Late);
    for number in 1..=3 {
        engine.assign(job(number, Target::HARDEST));
        next(&mut proofs);
        assert_eq!(engine.hashes(), 42 * u64::from(number));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn threads_search_at_idle_priority() {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadSchedulePolicy, thread_schedule_policy,
    };

    /// Tells at what priority it is run.
    struct Prioritised(SyncSender<ThreadSchedulePolicy>);

    impl Search for Prioritised {
        fn search(
            &mut self,
            _: &[u8; 32],
            _: &[u8; 16],
            _: RangeInclusive<u32>,
            _: &Target,
        ) -> Option<u32> {
            // The test may have ended.
            let _ = self.0.send(thread_schedule_policy().expect("a policy"));
            None
        }
    }

    let (sender, policies) = sync_channel(0);
    let (engine, _proofs) = start(2, move || Prioritised(sender.clone()));
    engine.assign(job(1, Target::HARDEST));
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    for policy in policies.iter().take(10) {
        assert_eq!(policy, idle);
    }
}
