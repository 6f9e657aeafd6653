//! What the tests of this crate share: a data directory with a chain made by hand.

use cairn_home::{CommonArgs, Config, DataDir, Failure, Outbox, Output};
use cairn_ledger::{Ledger, LedgerReader};
use cairn_protocol::{AccountId, BlockRef, Memo, Payment, SecretKey, Transaction};
use clap::Parser;
use tempfile::TempDir;

use crate::chain::{mine, mine_on, network};
use crate::cli::{Cli, Command};
use crate::context::Context;
use crate::order::Order;

/// A data directory with the keys `rich`, which has 20 coins that can be spent, and `alice`.
pub(crate) struct Fixture {
    pub(crate) context: Context,
    pub(crate) ledger: Ledger,
    folder: TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// The same, with more settings.
    pub(crate) fn with(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let args = CommonArgs { data_dir: Some(folder.path().to_owned()), ..CommonArgs::default() };
        let rules =
            "name = \"test\"\ndifficulty = 0\nblock_interval_seconds = 0\nreward_maturity = 1";
        let settings = format!("[rules]\n{rules}\n{settings}");
        let context = Context {
            config: Config::parse(&settings, folder.path()).expect("possible"),
            data_dir: DataDir::resolve(&args).expect("named"),
            output: Output::new(&args),
        };
        assert_eq!(context.network(), &network());
        let chain = context.data_dir.create_network_folder(context.network()).expect("created");
        let mut ledger = Ledger::open(&chain, context.network()).expect("new");
        for name in ["rich", "alice"] {
            context.keys().create(&name.parse().expect("a name")).expect("new");
        }
        let rich = context.keys().load(&"rich".parse().expect("a name")).expect("there");
        mine(&mut ledger, rich.account(), 3);
        Self { context, ledger, folder }
    }

    /// Lets go of the chain. The folder is there until it is dropped.
    pub(crate) fn close(self) -> (Context, TempDir) {
        (self.context, self.folder)
    }

    pub(crate) fn key(&self, name: &str) -> SecretKey {
        self.context.keys().load(&name.parse().expect("a name")).expect("there")
    }

    pub(crate) fn account(&self, name: &str) -> AccountId {
        self.key(name).account()
    }

    pub(crate) fn outbox(&self) -> Outbox {
        Outbox::open(&self.context.folder()).expect("opens")
    }

    pub(crate) fn reader(&self) -> LedgerReader {
        self.ledger.reader().expect("readable")
    }

    /// Orders a payment as on the command line, and records it.
    pub(crate) fn try_pay(&self, words: &[&str]) -> Result<Transaction, Failure> {
        let line = [&["wallet", "send", "--offline"], words].concat();
        let cli = Cli::try_parse_from(line).expect("a command line");
        let Command::Send(args) = cli.command else { unreachable!("another command") };
        let order = Order::read(&self.context, &args)?;
        self.outbox().record(&self.reader(), order.sender(), |account, waiting| {
            order.sign(account, waiting, self.context.network())
        })
    }

    pub(crate) fn pay(&self, from: &str, amount: &str, to: &str) -> Transaction {
        self.try_pay(&[from, amount, to]).expect("recorded")
    }

    /// A payment of `rich` that a copy of its key makes elsewhere, with this one's sequence.
    pub(crate) fn overtaking(&self, payment: &Transaction) -> Transaction {
        let memo = Memo::new(b"elsewhere".to_vec()).expect("short");
        let other = Payment { recipient: AccountId([9; 32]), memo, ..payment.payment.clone() };
        self.key("rich").sign(other, self.context.network().id())
    }

    /// Adds a block with these payments on the tip, whose reward is nobody's here.
    pub(crate) fn mine(&mut self, payments: &[Transaction]) -> BlockRef {
        self.mine_on(self.ledger.tip().block, payments)
    }

    /// Adds such a block on any block.
    pub(crate) fn mine_on(&mut self, parent: BlockRef, payments: &[Transaction]) -> BlockRef {
        mine_on(&mut self.ledger, parent, AccountId([8; 32]), payments)
    }
}
