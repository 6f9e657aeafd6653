//! Answers what others ask about the chain, from its readers, on threads that may block.

use std::sync::{Arc, Mutex, PoisonError};

use cairn_ledger::{LedgerError, LedgerReader};
use cairn_protocol::limits::{MAX_HEADERS, MAX_MESSAGE_BYTES};
use cairn_protocol::messages::{Answer, EncodedBlock, Message, Request, RequestId, frame};
use cairn_protocol::{BlockRef, Bounded, SealedHeader};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::frames::Frame;

/// The bytes of an answer's message around its blocks: two variant numbers, the question's number
/// and the number of blocks.
const BLOCKS_OVERHEAD: usize = 4 + 4 + 4 + 8;
/// The bytes of the length before each block.
const BLOCK_OVERHEAD: usize = 8;

/// What can be asked about a chain.
pub(crate) trait Archive: Send + 'static {
    /// See [`LedgerReader::headers_after`].
    fn headers_after(
        &self,
        locator: &[BlockRef],
        most: usize,
    ) -> Result<Vec<SealedHeader>, LedgerError>;
    /// See [`LedgerReader::block_bytes`].
    fn block_bytes(&self, block: BlockRef) -> Result<Option<Vec<u8>>, LedgerError>;
}

impl Archive for LedgerReader {
    fn headers_after(
        &self,
        locator: &[BlockRef],
        most: usize,
    ) -> Result<Vec<SealedHeader>, LedgerError> {
        Self::headers_after(self, locator, most)
    }

    fn block_bytes(&self, block: BlockRef) -> Result<Option<Vec<u8>>, LedgerError> {
        Self::block_bytes(self, block)
    }
}

/// Why a question is not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// The chain cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Only the node knows.
    #[error("not a question about the chain")]
    NotOurs,
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
}

/// Some readers of one chain. As many questions are answered at a time as there are readers.
pub(crate) struct Server {
    idle: Mutex<Vec<Box<dyn Archive>>>,
    free: Semaphore,
}

impl Server {
    /// A server that reads by these.
    pub(crate) fn new(readers: Vec<Box<dyn Archive>>) -> Self {
        Self { free: Semaphore::new(readers.len()), idle: Mutex::new(readers) }
    }

    /// The frame that answers a question about the chain.
    ///
    /// # Errors
    /// [`ServeError`].
    pub(crate) async fn serve(
        self: Arc<Self>,
        id: RequestId,
        request: Request,
    ) -> Result<Frame, ServeError> {
        let _permit = self.free.acquire().await.map_err(|_| ServeError::Stopping)?;
        let server = Arc::clone(&self);
        let reading = spawn_blocking(move || {
            let reader = server.lock().pop().ok_or(ServeError::Stopping)?;
            let answer = answer(reader.as_ref(), &request);
            server.lock().push(reader);
            Ok(frame(&Message::Answer(id, answer?)).into())
        });
        reading.await.map_err(|_| ServeError::Stopping)?
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Box<dyn Archive>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(archive: &dyn Archive, request: &Request) -> Result<Answer, ServeError> {
    match request {
        Request::Headers(locator) => {
            Ok(Answer::Headers(Bounded::first(archive.headers_after(locator, MAX_HEADERS)?)))
        }
        Request::Blocks(wanted) => Ok(Answer::Blocks(Bounded::first(blocks(archive, wanted)?))),
        Request::MempoolIds(_) | Request::Transactions(_) => Err(ServeError::NotOurs),
    }
}

/// Of these blocks, those that the archive has, as long as they fit into one message.
fn blocks(archive: &dyn Archive, wanted: &[BlockRef]) -> Result<Vec<EncodedBlock>, LedgerError> {
    let mut room = MAX_MESSAGE_BYTES - BLOCKS_OVERHEAD;
    let mut blocks = Vec::new();
    for block in wanted {
        let Some(encoded) = archive.block_bytes(*block)?.and_then(EncodedBlock::new) else {
            continue;
        };
        match room.checked_sub(BLOCK_OVERHEAD + encoded.len()) {
            Some(left) => room = left,
            None => break,
        }
        blocks.push(encoded);
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use cairn_protocol::limits::{MAX_BLOCK_BYTES, MAX_BLOCKS};
    use cairn_protocol::{BlockHash, Height};

    use super::*;

    /// An archive with a block of its height's many bytes at each height but 13.
    struct Library;

    impl Archive for Library {
        fn headers_after(
            &self,
            _: &[BlockRef],
            most: usize,
        ) -> Result<Vec<SealedHeader>, LedgerError> {
            Ok(vec![*crate::testing::network().genesis(); most])
        }

        fn block_bytes(&self, block: BlockRef) -> Result<Option<Vec<u8>>, LedgerError> {
            let bytes = usize::try_from(block.height.get()).expect("small");
            Ok((bytes != 13).then(|| vec![0; bytes]))
        }
    }

    fn request(sizes: &[usize]) -> Request {
        let block = |size: &usize| BlockRef {
            height: Height::new(*size as u64).expect("small"),
            hash: BlockHash::default(),
        };
        Request::Blocks(Bounded::first(sizes.iter().map(block)))
    }

    async fn serve(request: Request) -> Result<Answer, ServeError> {
        let server = Arc::new(Server::new(vec![Box::new(Library)]));
        let frame = server.serve(RequestId(5), request).await?;
        match Message::decode(&frame[4..]).expect("a message") {
            Message::Answer(RequestId(5), answer) => Ok(answer),
            other => panic!("{other:?}"),
        }
    }

    async fn served_sizes(sizes: &[usize]) -> Vec<usize> {
        match serve(request(sizes)).await.expect("served") {
            Answer::Blocks(blocks) => blocks.iter().map(|block| block.len()).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn rule_l8_blocks_are_served_as_far_as_they_fit_and_at_least_one() {
        assert_eq!(served_sizes(&[10, 13, 20]).await, [10, 20]);
        assert_eq!(served_sizes(&[MAX_BLOCK_BYTES, 1_000_000]).await, [MAX_BLOCK_BYTES]);
        assert_eq!(served_sizes(&[13]).await, [0_usize; 0]);
        let exactly = MAX_MESSAGE_BYTES - BLOCKS_OVERHEAD - 2 * BLOCK_OVERHEAD - 600_000;
        assert_eq!(served_sizes(&[600_000, exactly]).await, [600_000, exactly]);
        assert_eq!(served_sizes(&[600_000, exactly + 1]).await, [600_000]);
        assert_eq!(served_sizes(&[5; MAX_BLOCKS]).await.len(), MAX_BLOCKS);
    }

    #[tokio::test]
    async fn rule_l7_headers_are_served_up_to_the_limit_and_the_mempool_is_not() {
        let answer = serve(Request::Headers(Bounded::default())).await.expect("served");
        assert!(matches!(answer, Answer::Headers(headers) if headers.len() == MAX_HEADERS));
        let refused = serve(Request::MempoolIds(None)).await;
        assert!(matches!(refused, Err(ServeError::NotOurs)));
    }
}
