//! A writer that is killed while it writes.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cairn_ledger::{Ledger, LedgerError, LedgerReader};
use cairn_protocol::{Network, VerifiedBlock};

use crate::chain::Chain;
use crate::kit::{Branch, network, now, pay};

/// Tells the child where to write.
const FOLDER: &str = "CAIRN_LEDGER_TEST_FOLDER";

fn test_network() -> Network {
    network(|rules| rules.reward_maturity = 2)
}

/// Two branches that overtake each other again and again, in the order in which they grow, without
/// end. Always the same.
fn growth(network: &Network) -> impl Iterator<Item = VerifiedBlock> {
    let mut branches = [Branch::new(network, 1), Branch::new(network, 2)];
    let grow = move |round: usize| {
        let (branch, miner) = (&mut branches[round % 2], [1, 2][round % 2]);
        let mut blocks = branch.mine_empty(2 * round + 1 - branch.blocks().len());
        // The first rewards are mature by then.
        let sequence = u32::try_from(round / 2).expect("small").checked_sub(2);
        let payment = sequence.map(|sequence| pay(branch.network(), miner, sequence, "0.1", 3));
        blocks.push(branch.mine(payment.into_iter().collect()));
        blocks
    };
    (0..).flat_map(grow)
}

/// Runs only as the child of the test below, and no longer than it: once nobody can read what it
/// prints, printing fails.
#[test]
#[ignore = "it is the process that another test starts and kills"]
fn writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let network = test_network();
    let mut ledger = Ledger::open(folder.as_ref(), &network).expect("the lock is free");
    for block in growth(&network) {
        let added = ledger.add_blocks(&[block], now()).expect("a disk");
        assert_eq!(added.refused, []);
        writeln!(std::io::stdout()).expect("the test lives");
    }
}

/// The child, which does not outlive this.
struct Writer(Child);

impl Writer {
    fn start(chain: &Chain) -> Self {
        let program = std::env::current_exe().expect("this program");
        let test = "killed::writes_until_it_is_killed";
        let child = Command::new(program)
            .args([test, "--exact", "--ignored", "--nocapture"])
            .env(FOLDER, chain.path())
            .stdout(Stdio::piped())
            .spawn();
        Self(child.expect("a process"))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.kill().expect("it never ends by itself");
        self.0.wait().expect("a child");
    }
}

/// Waits until the child has brought the chain to this height, 20 seconds at most.
#[expect(clippy::disallowed_methods, reason = "this test waits for another process")]
fn wait_for_height(chain: &Chain, height: u64) {
    for _ in 0..20_000 {
        let reader = LedgerReader::open(chain.path(), &chain.network);
        let tip = reader.and_then(|reader| reader.tip());
        if tip.is_ok_and(|tip| tip.block.height.get() >= height) {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("the child did not reach height {height}");
}

/// A kill at any moment leaves a state that is right and releases the lock, which no
/// other process had before. The next writer goes on from there.
#[test]
fn behaviour_51_a_kill_while_writing_leaves_a_state_that_is_right() {
    let network = test_network();
    let mut chain = Chain::new(&network);
    chain.close();
    let mut reached = 0;
    for _ in 0..8 {
        let writer = Writer::start(&chain);
        wait_for_height(&chain, reached + 7);
        let refused = Ledger::open(chain.path(), &network);
        assert!(matches!(refused, Err(LedgerError::InUse(_))), "{refused:?}");
        drop(writer);
        chain.restart();
        let tip = chain.tip().height.get();
        assert!(tip >= reached + 7, "what was seen is not lost");
        reached = tip;
        chain.close();
    }
    chain.restart();
    let mut blocks = growth(&network);
    while chain.tip().height.get() < reached + 4 {
        chain.grow(&[blocks.next().expect("without end")]);
    }
}
