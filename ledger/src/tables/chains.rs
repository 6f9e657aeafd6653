//! The tables `active` and `best`: two chains by height, so that neither has to be walked.

use cairn_protocol::codec::encode;
use cairn_protocol::{AccountId, Amount, BlockHash, BlockRef, Height, Reward};
use rusqlite::{Row, params};

use super::{Tables, check_sum, checksum, limit, number, stored};
use crate::error::Fault;

/// A block of the active chain and its reward, which may be credited only many blocks later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ActiveBlock {
    pub(crate) hash: BlockHash,
    pub(crate) reward: Reward,
}

impl ActiveBlock {
    pub(crate) fn block_ref(&self) -> BlockRef {
        BlockRef { height: self.reward.height, hash: self.hash }
    }

    fn checked_content(&self) -> Vec<u8> {
        encode(&(self.hash, self.reward))
    }
}

impl Tables<'_> {
    /// The active chain's block at this height; `None` above the tip.
    pub(crate) fn active(self, height: Height) -> Result<Option<ActiveBlock>, Fault> {
        let sql = "SELECT height, hash, recipient, amount, sum FROM active WHERE height = ?1";
        self.row(sql, [stored(height.get())], read_active)
    }

    /// Whether a block is part of the active chain.
    pub(crate) fn is_active(self, block: BlockRef) -> Result<bool, Fault> {
        Ok(self.active(block.height)?.is_some_and(|active| active.hash == block.hash))
    }

    /// The active chain's block at a height that it reaches.
    pub(crate) fn expect_active(self, height: Height) -> Result<ActiveBlock, Fault> {
        self.active(height)?.ok_or_else(|| missing(height))
    }

    /// The active chain above a height, in ascending order, at most so many blocks.
    pub(crate) fn active_above(
        self,
        above: Height,
        most: usize,
    ) -> Result<Vec<ActiveBlock>, Fault> {
        let sql = "SELECT height, hash, recipient, amount, sum FROM active WHERE height > ?1 \
                   ORDER BY height LIMIT ?2";
        let blocks = self.rows(sql, params![stored(above.get()), limit(most)], read_active)?;
        self.check_unbroken(above, most, blocks.iter().map(|block| block.reward.height))?;
        Ok(blocks)
    }

    /// Checks that these are the heights of all active blocks above one, or of so many: a row
    /// that cannot be found is damage, and not the end of the chain.
    pub(super) fn check_unbroken(
        self,
        above: Height,
        most: usize,
        heights: impl Iterator<Item = Height>,
    ) -> Result<(), Fault> {
        let mut last = above;
        for height in heights {
            if height != last.next() {
                return Err(missing(last.next()));
            }
            last = height;
        }
        let tip = self.state()?.tip.block.height;
        let is_all = last >= tip || last.since(above) == most as u64;
        if is_all { Ok(()) } else { Err(missing(last.next())) }
    }

    /// Replaces the active chain above a height by these blocks.
    pub(crate) fn replace_active(self, above: Height, blocks: &[ActiveBlock]) -> Result<(), Fault> {
        self.run("DELETE FROM active WHERE height > ?1", [stored(above.get())])?;
        blocks.iter().try_for_each(|block| self.put_active(block))
    }

    /// Starts the active chain. Genesis has no reward.
    pub(super) fn put_active_genesis(self, genesis: BlockRef) -> Result<(), Fault> {
        let recipient = AccountId([0; 32]);
        let reward = Reward { height: genesis.height, recipient, amount: Amount::ZERO };
        self.put_active(&ActiveBlock { hash: genesis.hash, reward })
    }

    fn put_active(self, block: &ActiveBlock) -> Result<(), Fault> {
        let sql = "INSERT INTO active (height, hash, recipient, amount, sum) \
                   VALUES (?1, ?2, ?3, ?4, ?5)";
        let params = params![
            stored(block.reward.height.get()),
            block.hash.0,
            block.reward.recipient.0,
            stored(block.reward.amount.micros()),
            checksum(&[&block.checked_content()]),
        ];
        self.run(sql, params)
    }

    /// The best header's chain at this height; `None` above the best header.
    fn best(self, height: Height) -> Result<Option<BlockRef>, Fault> {
        let sql = "SELECT hash, sum FROM best WHERE height = ?1";
        self.row(sql, [stored(height.get())], |row| {
            let block = BlockRef { height, hash: BlockHash(row.get(0)?) };
            check_sum(&[&encode(&block)], row.get(1)?, || format!("the best header at {height}"))?;
            Ok(block)
        })
    }

    /// The block of the best header's chain at a height that it reaches.
    pub(crate) fn expect_best(self, height: Height) -> Result<BlockRef, Fault> {
        let missing = || Fault::Damage(format!("the best header at height {height} is missing"));
        self.best(height)?.ok_or_else(missing)
    }

    /// Makes the chain of this header the best one. Costs what it differs from the one before.
    pub(crate) fn replace_best(self, end: BlockRef) -> Result<(), Fault> {
        self.run("DELETE FROM best WHERE height > ?1", [stored(end.height.get())])?;
        let mut block = end;
        while self.best(block.height)? != Some(block) {
            self.put_best(block)?;
            if block.height == Height::GENESIS {
                return Err(Fault::damage("its best header descends from another genesis"));
            }
            block = self.expect_header(block)?.header().parent_ref();
        }
        Ok(())
    }

    pub(super) fn put_best(self, block: BlockRef) -> Result<(), Fault> {
        let sql = "INSERT OR REPLACE INTO best (height, hash, sum) VALUES (?1, ?2, ?3)";
        let sum = checksum(&[&encode(&block)]);
        self.run(sql, params![stored(block.height.get()), block.hash.0, sum])
    }
}

fn missing(height: Height) -> Fault {
    Fault::Damage(format!("the active block at height {height} is missing"))
}

pub(super) fn read_active(row: &Row<'_>) -> Result<ActiveBlock, Fault> {
    let out_of_range = || Fault::damage("an active block has a reward that cannot be");
    let height = Height::new(number(row.get(0)?)?).ok_or_else(out_of_range)?;
    let amount = Amount::from_micros(number(row.get(3)?)?).ok_or_else(out_of_range)?;
    let reward = Reward { height, recipient: AccountId(row.get(2)?), amount };
    let block = ActiveBlock { hash: BlockHash(row.get(1)?), reward };
    let name = || format!("the active block at height {height}");
    check_sum(&[&block.checked_content()], row.get(4)?, name)?;
    Ok(block)
}
