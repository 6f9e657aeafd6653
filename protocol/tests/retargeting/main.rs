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
    let attack =
        Attack { rules: Rules::default(), retarget: chain::product, alone: false, runs: 3 };
    let setups = [("blocks for 1,000", attack)];
    let lies = [
        Lie::Always(Clock::Honest),
        Lie::Always(Clock::Latest),
        Lie::Always(Clock::Earliest),
        Lie::Always(Clock::Edge),
        Lie::Alternating,
        Lie::Cheapest { holds_back: false },
        Lie::Cheapest { holds_back: true },
    ];
    let names = setups.iter().map(|(name, _)| (*name).to_owned());
    let mut rows =
        vec![std::iter::once("times of its blocks".to_owned()).chain(names).collect::<Vec<_>>()];
    let blocks = lies.map(|lie| setups.each_ref().map(|(_, attack)| attack.blocks(lie)));
    for (lie, blocks) in lies.iter().zip(&blocks) {
        let cells = blocks.iter().map(|blocks| grouped(*blocks));
        rows.push(std::iter::once(lie.to_string()).chain(cells).collect());
    }
    tables::check("attack 4", &rows);
    for (lie, blocks) in lies.iter().zip(&blocks) {
        assert!(blocks.iter().all(|blocks| *blocks <= 1_050), "{lie}: {blocks:?}");
    }
}
