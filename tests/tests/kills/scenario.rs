//! [`Scenario`]: what is killed while it does what; and [`run`], which kills it again and again.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use cairn_forge::Recipe;
use cairn_ledger::{Ledger, LedgerReader, Tip};
use cairn_protocol::BlockRef;
use cairn_protocol::hash::sha256;
use cairn_tests::{Home, Process};

/// How many tests share the kills.
const SCENARIOS: u32 = 6;
/// How many kills there are in all, and from which seed their moments come.
const KILLS: u32 = 12;
const SEED: u32 = 1;
/// How many blocks are downloaded, in the short form and else: so many that they take several commits,
/// which come once a second or more often, and that kills fall between those.
const BLOCKS: [u32; 2] = [1_500, 100_000];

/// Something that programs do with a data directory.
pub(crate) trait Scenario {
    /// The data directory.
    fn home(&self) -> &Home;

    /// Starts the programs, for the kill of this number.
    fn start(&mut self, number: u32) -> Vec<Process>;

    /// The kill comes within this span after the start.
    fn span(&self) -> Duration;

    /// What must be true of the tip, and of what the programs said before they were killed.
    fn judge(&mut self, killed: &mut [Process], tip: BlockRef);
}

/// Kills a scenario's programs as often as its share is, and looks at what they leave each time.
pub(crate) fn run(name: &str, scenario: &mut impl Scenario) {
    let kills = kills();
    let seed = setting("CAIRN_SEED").unwrap_or(SEED);
    say(&format!("{name}: {kills} kills, seed {seed}"));
    let mut longest = Duration::ZERO;
    for number in 0..kills {
        let mut programs = scenario.start(number);
        let moment = scenario.span().mul_f64(fraction(name, seed, number));
        // Not to wait for anything: to be killed at another moment each time.
        sleep(moment);
        let seen = tip(scenario.home());
        for program in &mut programs {
            program.kill();
        }
        let log = log_bytes(scenario.home());
        if number % 2 == 1 && seen.is_some() {
            // A reader that comes first has nobody to rely on.
            scenario.home().list();
        }
        let (opened, tip) = open(scenario.home());
        longest = longest.max(opened);
        say(&format!(
            "{name}: kill {number} after {moment:.0?}: height {}, a log of {log} bytes, open \
             again in {opened:.1?}",
            tip.block.height
        ));
        assert!(seen.is_none_or(|seen| seen.work <= tip.work), "{seen:?} was seen");
        is_whole(scenario.home(), tip.block);
        scenario.judge(&mut programs, tip.block);
    }
    say(&format!("{name}: {kills} kills, open again within {longest:.1?} each time"));
}

/// The chain that is downloaded: long, unless the kills are few.
pub(crate) fn recipe() -> Recipe {
    let blocks = setting("CAIRN_DOWNLOAD").unwrap_or(BLOCKS[usize::from(are_many())]);
    Recipe { blocks, payments: 1, ..Recipe::default() }
}

/// Whether this is the last block of a chain.
///
/// # Panics
/// If it is none of its blocks.
pub(crate) fn is_end(chain: &[BlockRef], tip: BlockRef) -> bool {
    let height = usize::try_from(tip.height.get()).expect("a short chain");
    let shown = height.checked_sub(1).map(|index| chain[index]);
    assert!(shown.is_none_or(|shown| shown == tip), "{tip} was never shown");
    chain.last() == Some(&tip)
}

/// Whether there are so many kills that some must have fallen between two commits.
pub(crate) fn are_many() -> bool {
    kills() > 10
}

/// The share of each scenario.
fn kills() -> u32 {
    setting("CAIRN_KILLS").unwrap_or(KILLS).div_ceil(SCENARIOS)
}

/// A number from the environment.
fn setting(name: &str) -> Option<u32> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
}

/// How long something takes.
pub(crate) fn time_of(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

/// Where the chain stands, read beside whoever writes it; `None` before it is created.
fn tip(home: &Home) -> Option<Tip> {
    let reader = LedgerReader::open(&home.network_folder(), home.network()).ok()?;
    Some(reader.tip().expect("readable"))
}

/// Opens the chain as a program does that starts, and tells how long that took.
fn open(home: &Home) -> (Duration, Tip) {
    let started = Instant::now();
    let ledger = Ledger::open(&home.network_folder(), home.network()).expect("it opens again");
    (started.elapsed(), ledger.tip())
}

/// All that is stored is what the blocks make it.
fn is_whole(home: &Home, tip: BlockRef) {
    let checked = home.miner_outcome(&["check", "--json"]).json();
    assert_eq!(checked["tip"], tip.hash.to_string());
}

fn log_bytes(home: &Home) -> u64 {
    fs::metadata(home.network_folder().join("chain.db-wal")).map_or(0, |file| file.len())
}

/// From 0 to 1, of each scenario, seed and kill another.
fn fraction(name: &str, seed: u32, number: u32) -> f64 {
    let [a, b, ..] = sha256(&[name.as_bytes(), &seed.to_le_bytes(), &number.to_le_bytes()]);
    f64::from(u16::from_be_bytes([a, b])) / f64::from(u16::MAX)
}

/// Tells it whoever looks at the test.
#[expect(clippy::print_stderr, reason = "a test's output is where it belongs")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}
