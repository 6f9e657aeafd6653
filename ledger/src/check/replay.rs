//! The blocks of the active chain, connected once more from genesis on, to accounts in memory.
//!
//! The accounts are all that a replay needs to remember, about a hundred bytes each. A second
//! database for them would need room on a disk that may be failing, and write each of them anew
//! for every batch.

use std::collections::BTreeMap;

use cairn_protocol::{AccountId, Header, Height, Network, VerifiedBlock};

use crate::connect::{Body, connect, matured_height};
use crate::context::{Stop, fewest_transactions};
use crate::error::Fault;
use crate::overlay::Overlay;
use crate::stored::{self, BadBlock, Flow, StoredBlocks, VerifyBlocks};
use crate::tables::{HeaderRow, Tables};
use crate::types::Account;

/// How many headers are read at once.
const HEADERS: usize = 512;

/// What the blocks of the active chain make.
pub(super) struct Replayed {
    /// Every account that was touched, those that hold nothing any more included.
    pub(super) accounts: BTreeMap<AccountId, Account>,
    /// How many payments there were.
    pub(super) payments: u64,
}

/// Validates the active chain from genesis on. The table `active` was compared with `headers`
/// before, and the rules of headers were checked.
pub(super) fn replay(
    tables: Tables<'_>,
    network: &Network,
    verifier: &mut dyn VerifyBlocks,
    connected: &mut dyn FnMut(Height),
) -> Result<Replayed, Fault> {
    let mut replay = Replay {
        tables,
        network,
        headers: Vec::new(),
        next: 0,
        read: Height::GENESIS,
        accounts: Overlay::from_genesis(),
        parent: network.genesis().header,
        payments: 0,
        connected,
    };
    stored::run(&mut replay, verifier)?;
    Ok(Replayed { accounts: replay.accounts.into_accounts(), payments: replay.payments })
}

/// The blocks of the active chain on their way to the accounts.
struct Replay<'c> {
    tables: Tables<'c>,
    network: &'c Network,
    headers: Vec<HeaderRow>,
    /// The first of `headers` whose body was not read.
    next: usize,
    /// The height of the last of `headers`.
    read: Height,
    /// The accounts after the blocks so far.
    accounts: Overlay<'c>,
    parent: Header,
    payments: u64,
    connected: &'c mut dyn FnMut(Height),
}

impl Flow for Replay<'_> {
    type Error = Fault;

    fn read(&mut self) -> Result<Option<StoredBlocks>, Fault> {
        if self.next == self.headers.len() {
            self.headers = self.tables.active_headers(self.read, HEADERS)?;
            self.next = 0;
            let Some(last) = self.headers.last() else { return Ok(None) };
            self.read = last.block_ref().height;
        }
        let batch = StoredBlocks::read(self.tables, &self.headers[self.next..])?;
        self.next += batch.len();
        Ok(Some(batch))
    }

    fn take(&mut self, block: Result<VerifiedBlock, BadBlock>) -> Result<(), Fault> {
        let block = block?;
        self.connect(&block)?;
        (self.connected)(block.block_ref().height);
        Ok(())
    }
}

impl Replay<'_> {
    fn connect(&mut self, block: &VerifiedBlock) -> Result<(), Fault> {
        let (place, header) = (block.block_ref(), *block.header().header());
        let stored = self.tables.expect_active(place.height)?;
        if stored.reward != *block.reward() {
            let text = format!("the active block at height {} has another reward", place.height);
            return Err(Fault::Damage(text));
        }
        let rules = self.network.rules();
        let matured = matured_height(rules, place.height);
        let matured = matured.map(|height| self.tables.expect_active(height)).transpose()?;
        let matured = matured.as_ref().map(|block| &block.reward);
        let fewest = fewest_transactions(rules, &self.parent, header.time);
        let connected = connect(&mut self.accounts, &Body::Given(block), fewest, matured);
        connected.map_err(|stop| match stop {
            Stop::Refused(error) => {
                Fault::Damage(format!("block {place} breaks rule {}: {error}", error.rule()))
            }
            Stop::Fault(fault) => fault,
        })?;
        self.parent = header;
        self.payments += block.payments().len() as u64;
        Ok(())
    }
}
