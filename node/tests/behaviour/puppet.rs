//! Peers that answer by a script.

use cairn_node::{Failure, Verified};
use cairn_protocol::limits::MAX_HEADERS;
use cairn_protocol::messages::Request;

use crate::forge::Forge;

/// How a puppet answers.
pub enum Reply {
    Answer(Verified),
    Fail(Failure),
    /// After the driver's time limit.
    Silence,
    /// Not even a failure: the limits that count are the node's own.
    Never,
}

pub type Script = Box<dyn FnMut(&Request) -> Reply>;

/// A puppet that has this chain.
pub fn honest(chain: &Forge) -> impl FnMut(&Request) -> Reply + 'static {
    let (blocks, headers) = (chain.blocks.clone(), chain.headers());
    move |request| match request {
        Request::Headers(locator) => {
            let known = headers.iter().rposition(|header| locator.contains(&header.block_ref()));
            let from = known.map_or(0, |index| index + 1);
            let page = headers[from..].iter().take(MAX_HEADERS).copied().collect();
            Reply::Answer(Verified::Headers(page))
        }
        Request::Blocks(places) => {
            let wanted = blocks.iter().filter(|block| places.contains(&block.block_ref()));
            Reply::Answer(Verified::Blocks(wanted.cloned().collect()))
        }
        Request::MempoolIds(_) => Reply::Answer(Verified::MempoolIds(Vec::new())),
        Request::Transactions(_) => Reply::Answer(Verified::Transactions(Vec::new())),
    }
}
