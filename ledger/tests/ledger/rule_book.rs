//! docs/PROTOCOL.md and the errors say the same: each rule of its tables S, R, T, H, B and C has
//! one error variant, of the name that stands beside it, and each variant has its rule.

use std::collections::BTreeMap;

use cairn_ledger::ContextError;
use cairn_protocol::codec::CodecError;
use cairn_protocol::{
    Amount, BlockError, BlockHash, BlockRef, HeaderError, Height, RulesError, Sequence, Target,
    Timestamp, TransactionError,
};

const PAGE: &str = include_str!("../../../docs/PROTOCOL.md");

/// The tables whose rules have errors here. (M is the mempool's; the others have none.)
const KINDS: [char; 6] = ['S', 'R', 'T', 'H', 'B', 'C'];

/// The rules of the page, each with the cell that names its error.
fn rows_of_the_page() -> Vec<(String, String)> {
    let rows = PAGE.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').collect();
        let (rule, error) = (cells.first()?.trim(), cells.last()?.trim());
        let (kind, number) = rule.split_at_checked(1)?;
        let is_rule = KINDS.contains(&kind.chars().next()?) && number.parse::<u32>().is_ok();
        is_rule.then(|| (rule.to_owned(), error.to_owned()))
    });
    rows.collect()
}

/// The variant's name in a cell such as "`HeaderError::Version`".
fn variant_of(cell: &str) -> String {
    let name = cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`'));
    let name = name.unwrap_or_else(|| panic!("one name in backticks: {cell}"));
    name.rsplit("::").next().expect("at least the name").to_owned()
}

/// The rule and the name of each variant. A variant that is missing here does not compile.
macro_rules! variants {
    ($enum:ident { $($variant:ident => $sample:expr),* $(,)? }) => {{
        let samples = [$($sample),*];
        let name = |error: &$enum| match error {
            $($enum::$variant { .. } => stringify!($variant),)*
        };
        let named = samples.iter().map(|error| (error.rule().to_owned(), name(error).to_owned()));
        let named: Vec<_> = named.collect();
        let listed = [$(stringify!($variant)),*];
        assert!(named.iter().map(|(_, name)| name.as_str()).eq(listed), "each by its own sample");
        named
    }};
}

fn structural() -> Vec<(String, String)> {
    variants!(CodecError {
        TooLong => CodecError::TooLong(0),
        Malformed => CodecError::Malformed(String::new()),
        Trailing => CodecError::Trailing(1),
        NotCanonical => CodecError::NotCanonical,
    })
}

fn networks() -> Vec<(String, String)> {
    variants!(RulesError {
        Difficulty => RulesError::Difficulty(129),
        HalfLife => RulesError::HalfLife,
        BlockReward => RulesError::BlockReward,
        MaxBlockBytes => RulesError::MaxBlockBytes { given: 0, smallest: 864, largest: 1_047_552 },
        NoTransactions => RulesError::NoTransactions,
        MovingDifficulty => RulesError::MovingDifficulty { fewest: 2 },
        TooSmallForFewest => RulesError::TooSmallForFewest { fewest: 2, bytes: 0 },
    })
}

fn transactions() -> Vec<(String, String)> {
    variants!(TransactionError {
        NothingPaid => TransactionError::NothingPaid,
        CostTooLarge => TransactionError::CostTooLarge,
        SenderKey => TransactionError::SenderKey,
        Signature => TransactionError::Signature,
    })
}

fn headers() -> Vec<(String, String)> {
    variants!(HeaderError {
        Version => HeaderError::Version(2),
        Genesis => HeaderError::Genesis,
        TargetAboveFloor => HeaderError::TargetAboveFloor,
        ProofOfWork => HeaderError::ProofOfWork,
    })
}

/// Without the two variants that only carry the error of a header or a payment.
fn blocks() -> Vec<(String, String)> {
    let error = TransactionError::Signature;
    let mut variants = variants!(BlockError {
        Header => BlockError::Header(HeaderError::Genesis),
        ContentRoot => BlockError::ContentRoot,
        TooLarge => BlockError::TooLarge { bytes: 1, most: 0 },
        Payment => BlockError::Payment { index: 0, error },
        RewardHeight => BlockError::RewardHeight(Height::GENESIS),
        FeesTooLarge => BlockError::FeesTooLarge,
        RewardAmount => BlockError::RewardAmount { paid: Amount::ZERO, due: Amount::MAX },
    });
    let carries = |(rule, name): &(String, String)| match name.as_str() {
        "Header" => rule == HeaderError::Genesis.rule(),
        "Payment" => rule == error.rule(),
        _ => false,
    };
    let all = variants.len();
    variants.retain(|variant| !carries(variant));
    assert_eq!(variants.len(), all - 2);
    variants
}

fn contextual() -> Vec<(String, String)> {
    let (sequence, amount, time) = (Sequence::FIRST, Amount::ZERO, Timestamp::ZERO);
    let block = BlockRef { height: Height::GENESIS, hash: BlockHash::default() };
    let target = Target::HARDEST;
    variants!(ContextError {
        UnknownParent => ContextError::UnknownParent,
        KnownInvalid => ContextError::KnownInvalid(block),
        Target => ContextError::Target { given: target, required: target },
        TimeNotAfterMedian => ContextError::TimeNotAfterMedian { time, median: time },
        TimeInFuture => ContextError::TimeInFuture(time),
        TooFewTransactions => ContextError::TooFewTransactions { given: 1, fewest: 2 },
        Sequence => ContextError::Sequence { index: 0, given: sequence, expected: sequence },
        InsufficientFunds => {
            ContextError::InsufficientFunds { index: 0, cost: amount, balance: amount }
        },
        BalanceTooLarge => ContextError::BalanceTooLarge,
    })
}

#[test]
fn each_rule_of_the_page_has_one_error_and_each_error_its_rule() {
    let errors: Vec<_> =
        [structural(), networks(), transactions(), headers(), blocks(), contextual()].concat();
    let by_rule: BTreeMap<_, _> = errors.iter().cloned().collect();
    assert_eq!(by_rule.len(), errors.len(), "no two errors share a rule");

    let rows = rows_of_the_page();
    let page: BTreeMap<_, _> =
        rows.iter().map(|(rule, cell)| (rule.clone(), variant_of(cell))).collect();
    assert_eq!(page.len(), rows.len(), "no rule stands there twice");
    assert_eq!(page, by_rule);
    assert_eq!(page.len(), 4 + 7 + 4 + 4 + 5 + 9);
}

/// The page's numbers have no gaps, so that a deleted row is noticed.
#[test]
fn the_rules_of_each_table_are_numbered_from_1() {
    for kind in KINDS {
        let rows = rows_of_the_page();
        let rules = rows.iter().map(|(rule, _)| rule).filter(|rule| rule.starts_with(kind));
        let rules: Vec<_> = rules.cloned().collect();
        let expected: Vec<_> = (1..=rules.len()).map(|number| format!("{kind}{number}")).collect();
        assert_eq!(rules, expected);
    }
}
