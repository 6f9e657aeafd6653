//! [`Flow`]: from where blocks are read to where they are taken, with the verification between.

use cairn_protocol::VerifiedBlock;

use super::{BadBlock, StoredBlocks, VerifyBlocks};

/// Both ends of a flow of blocks.
pub(crate) trait Flow {
    /// What can go wrong at either end.
    type Error;
    /// Reads the next batch, if there is one.
    fn read(&mut self) -> Result<Option<StoredBlocks>, Self::Error>;
    /// Takes the next block, in the order in which they were read.
    fn take(&mut self, block: Result<VerifiedBlock, BadBlock>) -> Result<(), Self::Error>;
}

/// Runs a flow to its end. After an error in reading, what was read before is still taken; after
/// one in taking, nothing is.
pub(crate) fn run<F: Flow>(flow: &mut F, verifier: &mut dyn VerifyBlocks) -> Result<(), F::Error> {
    let (mut under_way, mut end) = (0, None);
    loop {
        while end.is_none() && under_way < verifier.window().max(1) {
            match flow.read() {
                Ok(Some(batch)) => {
                    verifier.give(batch);
                    under_way += 1;
                }
                Ok(None) => end = Some(Ok(())),
                Err(error) => end = Some(Err(error)),
            }
        }
        if under_way == 0 {
            break;
        }
        for block in verifier.take() {
            flow.take(block)?;
        }
        under_way -= 1;
    }
    end.unwrap_or(Ok(()))
}
