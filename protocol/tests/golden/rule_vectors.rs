//! Targets and their work, retargeting, the median time past, subsidies.

use cairn_protocol::retarget::required_target;
use cairn_protocol::time::median_time;
use cairn_protocol::{
    Amount, BlockHash, ContentRoot, Header, Height, Network, Rules, Target, Timestamp,
};
use serde::Serialize;

use crate::chain::coins;
use crate::micros;

#[derive(Serialize)]
pub(crate) struct RuleVectors {
    targets: Vec<TargetVector>,
    retargeting: Vec<RetargetVector>,
    medians: Vec<MedianVector>,
    subsidies: Vec<SubsidyVector>,
}

impl RuleVectors {
    pub(crate) fn new() -> Self {
        Self {
            targets: targets(),
            retargeting: retargeting(),
            medians: medians(),
            subsidies: subsidies(),
        }
    }
}

#[derive(Serialize)]
struct TargetVector {
    target: String,
    work: String,
    met_by: String,
    not_met_by: Option<String>,
}

fn targets() -> Vec<TargetVector> {
    let mut odd = [0; 32];
    odd[3..6].copy_from_slice(&[0xab, 0xcd, 0xef]);
    let odd = Target::from_be_bytes(&odd).expect("not zero");
    let floors = [0, 1, 24, 128].map(Target::with_leading_zeros);
    floors.into_iter().chain([odd, Target::HARDEST]).map(target_vector).collect()
}

fn target_vector(target: Target) -> TargetVector {
    let largest = BlockHash(target.to_be_bytes());
    assert!(target.is_met_by(&largest));
    let above = one_more(largest);
    assert!(above.is_none_or(|hash| !target.is_met_by(&hash)));
    TargetVector {
        target: target.to_string(),
        work: target.work().to_string(),
        met_by: largest.to_string(),
        not_met_by: above.map(|hash| hash.to_string()),
    }
}

/// The next hash in ascending order.
fn one_more(hash: BlockHash) -> Option<BlockHash> {
    let mut bytes = hash.0;
    for byte in bytes.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            return Some(BlockHash(bytes));
        }
    }
    None
}

#[derive(Serialize)]
struct RetargetVector {
    why: &'static str,
    difficulty: u8,
    block_interval_seconds: u32,
    half_life_seconds: u32,
    parent_height: u64,
    parent_target: String,
    grandparent_time: u64,
    parent_time: u64,
    time: u64,
    target: String,
}

/// What a case changes of a block on schedule: height 9, the parent's target 2^-16 of the floor's.
struct Case {
    why: &'static str,
    rules: Rules,
    parent_height: u32,
    parent_shift: u8,
    solve_time: i64,
    wait: i64,
}

const START: i64 = 1_760_000_000_000;

fn retargeting() -> Vec<RetargetVector> {
    let case = |why, solve_time, wait| Case {
        why,
        rules: Rules::default(),
        parent_height: 8,
        parent_shift: 40,
        solve_time,
        wait,
    };
    let fixed = Rules { block_interval_seconds: 0, ..Rules::default() };
    let slow =
        Rules { block_interval_seconds: 600, half_life_seconds: 172_800, ..Rules::default() };
    [
        case("on schedule", 10_000, 10_000),
        case("one half-life late: twice the target", 210_000, 10_000),
        case("one half-life early: half the target", -190_000, 10_000),
        case("3 s early", 7_000, 10_000),
        case("1 ms early: the division truncates towards zero", 9_999, 10_000),
        case("4 ms early: the first to change the exponent", 9_996, 10_000),
        case("1 ms late", 10_001, 10_000),
        case("1 ms before the parent's own target doubled: all counts", 499_999, 10_000),
        case("the parent's own target doubled: a half-life less counts", 500_000, 10_000),
        case("the parent ended an idle week: 400 s of it count", 604_800_000, 10_000),
        case("a negative solve time counts in full", -3_600_000, 10_000),
        case("so negative that only the hardest target is left", -60_000_000, 10_000),
        case("1 ms before the first doubling for a long wait", 10_000, 499_999),
        case("the first doubling for a long wait", 10_000, 500_000),
        case("ten doublings on top of a moved target", 7_000, 2_300_000),
        case("a wait that ends at the floor", 10_000, 9_000_000),
        case("a block older than its parent", 10_000, -5_000),
        Case { parent_shift: 24, ..case("never easier than the floor", 300_000, 10_000) },
        Case { parent_height: 0, ..case("block 1 has the floor", 10_000, 10_000) },
        Case { parent_height: 1, ..case("block 2 has the floor", 10_000, 10_000) },
        Case { parent_height: 2, ..case("block 3 is the first that moves", 12_345, 10_000) },
        Case { rules: fixed, ..case("a fixed difficulty never moves", 1_000, 1_000) },
        Case { rules: slow, ..case("another pace", 512_345, 600_000) },
    ]
    .each_ref()
    .map(retarget_vector)
    .into()
}

fn retarget_vector(case: &Case) -> RetargetVector {
    let at = |millis: i64| {
        Timestamp::from_millis(u64::try_from(millis).expect("after the epoch")).expect("small")
    };
    let header = |height, time| Header {
        version: 1,
        height: Height::from(height),
        parent: BlockHash::default(),
        content: ContentRoot::default(),
        time,
        target: Target::with_leading_zeros(case.parent_shift),
    };
    let times = [START, START + case.solve_time, START + case.solve_time + case.wait].map(at);
    let parent = header(case.parent_height, times[1]);
    let grandparent = case.parent_height.checked_sub(1).map(|height| header(height, times[0]));
    let target = required_target(&case.rules, &parent, grandparent.as_ref(), times[2]);
    RetargetVector {
        why: case.why,
        difficulty: case.rules.difficulty,
        block_interval_seconds: case.rules.block_interval_seconds,
        half_life_seconds: case.rules.half_life_seconds,
        parent_height: parent.height.get(),
        parent_target: parent.target.to_string(),
        grandparent_time: times[0].millis(),
        parent_time: times[1].millis(),
        time: times[2].millis(),
        target: target.to_string(),
    }
}

#[derive(Serialize)]
struct MedianVector {
    times: Vec<u64>,
    median: u64,
}

fn medians() -> Vec<MedianVector> {
    let cases: [&[u64]; 4] =
        [&[0], &[0, 1_000], &[0, 5_000, 4_000], &[0, 11, 1, 10, 2, 9, 3, 8, 4, 7, 5]];
    cases.map(median_vector).into()
}

fn median_vector(times: &[u64]) -> MedianVector {
    let stamps: Vec<_> =
        times.iter().map(|&time| Timestamp::from_millis(time).expect("small")).collect();
    MedianVector { times: times.to_vec(), median: median_time(&stamps).millis() }
}

#[derive(Serialize)]
struct SubsidyVector {
    block_reward: String,
    height: String,
    subsidy: String,
    issued: String,
}

fn subsidies() -> Vec<SubsidyVector> {
    let ten = coins("10");
    let quarter = Amount::from_micros(1 << 61).expect("an amount");
    let last = Amount::MAX.micros() / ten.micros();
    [(ten, 0), (ten, 1), (ten, last), (ten, last + 1), (quarter, 3), (quarter, 4)]
        .map(|(reward, height)| subsidy_vector(reward, height))
        .into()
}

fn subsidy_vector(block_reward: Amount, height: u64) -> SubsidyVector {
    let network = Network::new(Rules { block_reward, ..Rules::default() }).expect("possible");
    let height = Height::new(height).expect("a height");
    SubsidyVector {
        block_reward: micros(block_reward),
        height: height.to_string(),
        subsidy: micros(network.subsidy(height)),
        issued: micros(network.issued(height)),
    }
}
