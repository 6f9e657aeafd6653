//! Retargeting in numbers: what the rule makes of hash rates that change and of clocks that lie.
//!
//! Time is virtual and each draw has a fixed seed, so the figures are the same on every machine.
//! They stand as tables in docs/decisions/retargeting.md;
//! `CAIRN_BLESS=1 cargo test -p cairn-protocol --test retargeting -- --test-threads 1` rewrites them.

mod attack;
mod chain;
mod draws;
mod reference;
mod scenarios;
mod simulation;
mod tables;

use std::time::Duration;

use cairn_protocol::Rules;

use crate::attack::{Attack, Lie};
use crate::scenarios::{Outcome, Scenario};
use crate::simulation::Clock;
use crate::tables::{grouped, span};

#[test]
fn changing_hash_rates_meet_their_bounds_and_the_figures_in_the_decision() {
    let head = [
        "hash rate",
        "rule",
        "blocks found",
        "by the schedule",
        "next block",
        "interval right after",
        "and so many blocks",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let results: Vec<_> = scenarios::all().into_iter().map(|one| (one.run(), one)).collect();
    rows.extend(results.iter().map(|(outcome, scenario)| row(scenario, outcome)));
    tables::check("hash rates", &rows);
    for (outcome, scenario) in &results {
        check_bounds(scenario, outcome);
    }
}

#[test]
fn a_miner_that_comes_and_goes_pays_no_less_for_a_block_than_those_who_stay() {
    let costs = scenarios::on_off(scenarios::bounds(0..=0, 0, 0)).run().costs;
    assert!(costs[1] > costs[0], "hashes for a block, those who stay first: {costs:?}");
}

fn row(scenario: &Scenario, outcome: &Outcome) -> Vec<String> {
    let blocks = &outcome.blocks;
    let edge = blocks.len() / 20;
    let (low, high) = (blocks[edge], blocks[blocks.len() - 1 - edge]);
    let mean = grouped(mean(blocks));
    let found =
        if low == high { mean } else { format!("{mean} ({} to {})", grouped(low), grouped(high)) };
    let (right_blocks, right) = outcome.right.expect("the interval is right again");
    vec![
        scenario.name.to_owned(),
        scenario.retarget.0.to_owned(),
        found,
        grouped(outcome.schedule),
        span(outcome.next_block),
        span(right),
        grouped(right_blocks),
    ]
}

fn check_bounds(scenario: &Scenario, outcome: &Outcome) {
    let (name, bounds) = (scenario.name, &scenario.bounds);
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let percent = mean(&outcome.blocks) * 100 / outcome.schedule;
    assert!(bounds.percent.contains(&percent), "{name}: {percent} % of the schedule");
    let next = outcome.next_block;
    assert!(next <= minutes(bounds.next), "{name}: the next block takes {next:?}");
    let (_, right) = outcome.right.expect("the interval is right again");
    assert!(right <= minutes(bounds.right), "{name}: right after {right:?}");
}

fn mean(numbers: &[u32]) -> u32 {
    let count = u32::try_from(numbers.len()).expect("few");
    (numbers.iter().sum::<u32>() + count / 2) / count
}

#[test]
fn attack_04_a_miner_with_most_of_the_hash_rate_gains_less_than_5_percent_by_lies_about_the_time() {
    let blocks = LIES.map(|lie| circumstances().map(|(_, attack)| attack.blocks(lie)));
    let head = circumstances().map(|(name, _)| name.to_owned());
    let mut rows = vec![[vec!["times of its blocks".to_owned()], head.to_vec()].concat()];
    for (lie, blocks) in LIES.iter().zip(&blocks) {
        let cells =
            blocks.map(
                |blocks| if blocks < 2_000 { grouped(blocks) } else { "2,000 or more".to_owned() },
            );
        rows.push([vec![lie.to_string()], cells.to_vec()].concat());
    }
    tables::check("attack 4", &rows);
    for (lie, [cairn @ .., _, _]) in LIES.iter().zip(&blocks) {
        assert!(cairn.iter().all(|blocks| *blocks <= 1_050), "{lie}: {cairn:?}");
    }
    for column in [4, 5] {
        let worst = blocks.iter().map(|row| row[column]).max();
        assert!(worst >= Some(1_500), "a weak rule is found out: {worst:?}");
    }
}

const LIES: [Lie; 9] = [
    Lie::Always(Clock::Honest),
    Lie::Always(Clock::Latest),
    Lie::Always(Clock::Earliest),
    Lie::Always(Clock::Edge),
    Lie::Alternating,
    Lie::Swing { period: 2 },
    Lie::Swing { period: 3 },
    Lie::Cheapest { holds_back: false },
    Lie::Cheapest { holds_back: true },
];

/// Cairn's rule in the first four, and a weaker one in the last two.
fn circumstances() -> [(&'static str, Attack); 6] {
    let rules = Rules::default();
    let slow = Attack { rules, retarget: chain::product, alone: false, runs: 2 };
    let rules = Rules { block_interval_seconds: 2, half_life_seconds: 40, ..Rules::default() };
    let fast = Attack { rules, runs: 1, ..slow.clone() };
    let alone = |attack: &Attack| Attack { alone: true, ..attack.clone() };
    let weak = |attack: Attack| Attack { retarget: chain::at_most_two_half_lives, ..attack };
    [
        ("T = 10 s", slow.clone()),
        ("T = 10 s, own branch", alone(&slow)),
        ("T = 2 s", fast.clone()),
        ("T = 2 s, own branch", alone(&fast)),
        ("T = 10 s, own branch, two half-lives", weak(alone(&slow))),
        ("T = 2 s, two half-lives", weak(fast)),
    ]
}
