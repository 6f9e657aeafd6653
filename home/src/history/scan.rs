//! [`Scanner`]: finds a few accounts in many blocks, on all cores.
//!
//! The threads take pieces of the chain in turn, each with a reader of its own, so each piece is of
//! its own moment. The chain may go another way between two of them: what is put together is only
//! what hangs together by the hashes of the parents, and the caller asks again for the rest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use cairn_ledger::{LedgerError, LedgerReader};
use cairn_protocol::codec::CodecError;
use cairn_protocol::{AccountId, BlockHash, BlockRef, BlockView, Height, Network};

use super::entry::{Entry, Event};
use super::filter::Filter;

/// How many blocks a thread looks through before it takes others.
const PIECE: u64 = 64;
/// A stretch ends after so many blocks, or a little after so many payments: what is then committed
/// at once, and lost if the process ends before.
const MOST_BLOCKS: u64 = 16_384;
const MOST_PAYMENTS: u64 = 500_000;
/// More threads would wait for the disk.
const MOST_THREADS: usize = 8;

/// Reads the active chain of a network folder.
#[derive(Debug)]
pub(super) struct Scanner {
    folder: PathBuf,
    network: Network,
    readers: Vec<LedgerReader>,
}

/// What was found in blocks that follow each other.
#[derive(Debug)]
pub(super) struct Stretch {
    /// The last of these blocks; where it started, if there is none.
    pub(super) reached: BlockRef,
    pub(super) blocks: u64,
    pub(super) payments: u64,
    entries: BTreeMap<AccountId, Vec<Entry>>,
}

impl Stretch {
    /// The entries of an account, the oldest first.
    pub(super) fn of(&self, account: &AccountId) -> &[Entry] {
        self.entries.get(account).map_or(&[], Vec::as_slice)
    }
}

impl Scanner {
    pub(super) fn new(folder: &Path, network: &Network) -> Self {
        Self { folder: folder.to_owned(), network: network.clone(), readers: Vec::new() }
    }

    /// A reader of the chain.
    pub(super) fn reader(&self) -> Result<LedgerReader, LedgerError> {
        LedgerReader::open(&self.folder, &self.network)
    }

    /// Looks for these accounts in the blocks after one of the active chain, up to a height or to
    /// where this is enough at once.
    pub(super) fn stretch(
        &mut self,
        accounts: &[AccountId],
        from: BlockRef,
        to: Height,
    ) -> Result<Stretch, LedgerError> {
        let most = to.since(from.height).min(MOST_BLOCKS);
        self.open_readers(most.div_ceil(PIECE))?;
        let work = Work {
            filter: Filter::new(accounts),
            above: from.height,
            most,
            taken: AtomicU64::new(0),
            payments: AtomicU64::new(0),
        };
        let pieces = thread::scope(|scope| {
            let (first, others) = self.readers.split_first_mut().expect("at least one is open");
            let help = |reader| thread::Builder::new().spawn_scoped(scope, || work.run(reader));
            // Where the system allows no more threads, those that run do all of it.
            let helpers: Vec<_> = others.iter_mut().filter_map(|one| help(one).ok()).collect();
            let mut pieces = work.run(first)?;
            for helper in helpers {
                pieces.extend(helper.join().expect("it does not panic")?);
            }
            Ok::<_, LedgerError>(pieces)
        })?;
        Ok(connect(from, pieces))
    }

    /// Has a reader for each thread that is worth its start.
    fn open_readers(&mut self, pieces: u64) -> Result<(), LedgerError> {
        let cores = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        let wanted = usize::try_from(pieces).unwrap_or(cores).clamp(1, cores);
        while self.readers.len() < wanted {
            self.readers.push(self.reader()?);
        }
        Ok(())
    }
}

/// Blocks that follow each other, and what they did to the accounts.
#[derive(Clone, Debug)]
struct Piece {
    parent: BlockHash,
    first: Height,
    last: BlockRef,
    payments: u64,
    entries: Vec<Entry>,
}

/// What the threads share.
struct Work {
    filter: Filter,
    above: Height,
    most: u64,
    /// The blocks that were taken.
    taken: AtomicU64,
    /// The payments that were looked at.
    payments: AtomicU64,
}

impl Work {
    /// Takes pieces until there are no more, or enough.
    fn run(&self, reader: &mut LedgerReader) -> Result<Vec<Piece>, LedgerError> {
        let mut pieces = Vec::new();
        while self.payments.load(Ordering::Relaxed) < MOST_PAYMENTS {
            let start = self.taken.fetch_add(PIECE, Ordering::Relaxed);
            if start >= self.most {
                break;
            }
            let Some(above) = Height::new(self.above.get() + start) else { break };
            let most = PIECE.min(self.most - start);
            let Some(piece) = self.look_through(reader, above, most)? else { break };
            self.payments.fetch_add(piece.payments, Ordering::Relaxed);
            pieces.push(piece);
        }
        Ok(pieces)
    }

    fn look_through(
        &self,
        reader: &LedgerReader,
        above: Height,
        most: u64,
    ) -> Result<Option<Piece>, LedgerError> {
        let mut piece: Option<Piece> = None;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        reader.scan(above, most, &mut |block, view| {
            let piece = match &mut piece {
                Some(piece) => piece,
                None => piece.insert(Piece::before(block, &view)?),
            };
            piece.last = block;
            piece.payments += view.payment_count() as u64;
            self.look_at(&view, &mut piece.entries)
        })?;
        Ok(piece)
    }

    /// Adds what a block did to the accounts.
    fn look_at(&self, view: &BlockView<'_>, entries: &mut Vec<Entry>) -> Result<(), CodecError> {
        let mut add = |account, position, event| {
            let header = view.sealed()?.header;
            entries.push(Entry {
                account,
                height: header.height,
                time: header.time,
                position,
                event,
            });
            Ok::<_, CodecError>(())
        };
        if self.filter.contains(&view.rewarded()) {
            let reward = view.reward()?;
            add(reward.recipient, 0, Event::Reward(reward))?;
        }
        for (position, payment) in (1..).zip(view.payments()) {
            if self.filter.contains(&payment.sender()) {
                add(payment.sender(), position, Event::Sent(payment.decode()?.payment))?;
            }
            if self.filter.contains(&payment.recipient()) {
                add(payment.recipient(), position, Event::Received(payment.decode()?.payment))?;
            }
        }
        Ok(())
    }
}

impl Piece {
    /// An empty piece that starts with this block.
    fn before(block: BlockRef, view: &BlockView<'_>) -> Result<Self, CodecError> {
        let parent = view.sealed()?.header.parent;
        let first = block.height;
        Ok(Self { parent, first, last: block, payments: 0, entries: Vec::new() })
    }
}

/// The pieces that follow each other from a block on.
fn connect(from: BlockRef, mut pieces: Vec<Piece>) -> Stretch {
    pieces.sort_unstable_by_key(|piece| piece.first);
    let mut stretch = Stretch { reached: from, blocks: 0, payments: 0, entries: BTreeMap::new() };
    for piece in pieces {
        if (piece.first, piece.parent) != (stretch.reached.height.next(), stretch.reached.hash) {
            break;
        }
        stretch.blocks += piece.last.height.since(stretch.reached.height);
        stretch.reached = piece.last;
        stretch.payments += piece.payments;
        for entry in piece.entries {
            stretch.entries.entry(entry.account).or_default().push(entry);
        }
    }
    stretch
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(height: u32, branch: u8) -> BlockRef {
        BlockRef { height: Height::from(height), hash: BlockHash([branch; 32]) }
    }

    fn piece(after: BlockRef, last: BlockRef) -> Piece {
        let (parent, first) = (after.hash, after.height.next());
        Piece { parent, first, last, payments: 10, entries: Vec::new() }
    }

    #[test]
    fn pieces_of_different_branches_are_not_put_together() {
        let reached = |pieces: &[Piece]| {
            let stretch = connect(block(5, 1), pieces.to_vec());
            (stretch.reached, stretch.blocks, stretch.payments)
        };
        let first = piece(block(5, 1), block(7, 1));
        let second = piece(block(7, 1), block(9, 2));
        assert_eq!(reached(&[second.clone(), first.clone()]), (block(9, 2), 4, 20));
        let other = piece(block(7, 3), block(9, 3));
        assert_eq!(reached(&[first.clone(), other]), (block(7, 1), 2, 10));
        assert_eq!(reached(std::slice::from_ref(&second)), (block(5, 1), 0, 0));
        assert_eq!(reached(&[]), (block(5, 1), 0, 0));
        // A piece whose end was no longer there leaves a gap.
        let short = piece(block(5, 1), block(6, 1));
        assert_eq!(reached(&[short, second]), (block(6, 1), 1, 10));
    }
}
