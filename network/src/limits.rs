//! The limits of this crate: everything a peer could make grow, and every wait for one.

use std::time::Duration;

/// The most links that others open.
pub const MAX_INBOUND_LINKS: usize = 64;
/// The most links that we open to peers found by broadcast. Static peers come on top: the user
/// named them, and they stay reachable however many others there are.
pub const MAX_OUTBOUND_LINKS: usize = 8;
/// The most links that one address opens. It does not hold for loopback, where a whole classroom
/// may sit.
pub const MAX_LINKS_PER_ADDRESS: usize = 8;
/// The most new connections to one address in a status interval; one of them to each port.
pub const MAX_DIALS_PER_ADDRESS: usize = 8;
/// The most addresses whose new connections are counted; beyond it, none is opened.
pub const MAX_DIALLED_ADDRESSES: usize = 1_024;
/// The lowest port that a peer's claim makes us connect to: below it, other services live.
pub const MIN_PEER_PORT: u16 = 1_024;
/// The most peers known at a time. Beyond it those without a link that were silent longest go.
pub const MAX_PEERS: usize = 1_024;

/// How long a connection may take to be opened.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The most names of static peers that are looked up at a time. A lookup may hold its thread long
/// after we have given it up, and other work needs threads, too.
pub const MAX_LOOKUPS: usize = 2;
/// How long a new link may take for both hellos.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// The most bytes of a hello, all that a stranger can make us keep.
pub const MAX_HELLO_BYTES: usize = 512;
/// How long a question waits while nothing at all arrives on its link.
pub const QUESTION_STALL: Duration = Duration::from_secs(2);
/// How long a question waits in all.
pub const QUESTION_TIMEOUT: Duration = Duration::from_secs(10);
/// The most answers that a link may owe us beyond their time; then it is closed.
pub const MAX_OVERDUE_ANSWERS: usize = 16;
/// The longest status interval that a node may be set to.
pub const MAX_STATUS_INTERVAL: Duration = Duration::from_secs(60);
/// A link on which nothing arrives for this long is closed: four of the longest status intervals
/// and 10 s, whatever our own is, since the other side may be set to another.
pub const SILENCE: Duration = Duration::from_secs(4 * MAX_STATUS_INTERVAL.as_secs() + 10);
/// The most questions of one link that are being answered, or whose answers are being written.
pub const MAX_ANSWERING: usize = 4;
/// The most questions of one link that wait for their turn; beyond it nothing is read from the
/// link. More than an honest node has open at a time.
pub const MAX_WAITING: usize = 8;
/// The most bytes that wait to be written to one link: the answers of [`MAX_ANSWERING`] questions
/// and as much again. A reader slower than that loses the link.
pub const MAX_WRITE_BYTES: usize = 8 << 20;
/// The most instructions of the driver that wait for one link's task.
pub const MAX_LINK_COMMANDS: usize = 4_096;
/// How long a link that the driver lets go of may take to write what it was handed, and the other
/// side to close after that.
pub const FAREWELL: Duration = Duration::from_millis(300);
/// How many of a chain's readers answer questions at the same time.
pub const READERS: usize = 4;

/// The receive buffer that is asked for on the broadcast sockets.
pub const RECEIVE_BUFFER_BYTES: usize = 4 << 20;
/// Below this, a burst of payments is lost, and the user is told.
pub const SMALL_RECEIVE_BUFFER_BYTES: usize = 128 << 10;
/// The most messages that wait for the node.
pub const MAX_WAITING_MESSAGES: usize = 1_024;
/// The most transactions that wait to be verified.
pub const MAX_UNVERIFIED: usize = 4_096;
/// The most transactions verified at once.
pub const MAX_BATCH: usize = 1_024;
/// How many payments whose signatures were checked are remembered for the blocks that will have them,
/// once and up to twice: together as many as a mempool holds by default.
pub const MAX_KNOWN: usize = 25_000;
/// The most bytes of them, once and up to twice.
pub const MAX_KNOWN_BYTES: usize = 16 << 20;
/// How many transactions are recognised when they come again, once and up to twice.
pub const MAX_SEEN: usize = 65_536;
/// The shortest interval at which an owner may be set to repeat its payments.
pub const MIN_TRANSACTION_INTERVAL: Duration = Duration::from_secs(1);
/// How long they are recognised, once and up to twice. That is shorter than any interval at which
/// an owner repeats its payment, ours or another's: a repetition is meant to be looked at again.
pub const SEEN_FOR: Duration = Duration::from_millis(400);
/// The most events that wait for the program.
pub const MAX_WAITING_EVENTS: usize = 1_024;

/// The first wait before a static peer is tried again; each further one is twice as long.
pub const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest wait before a static peer is tried again.
pub const LAST_RETRY: Duration = Duration::from_secs(60);
/// How long a peer that misbehaved is neither heard by broadcast nor connected to.
pub const SHUN_FOR: Duration = Duration::from_secs(60);
/// How often a node of another network is asked for its rules.
pub const FOREIGN_EVERY: Duration = Duration::from_secs(3_600);
/// The most foreign nodes remembered; beyond it, none is asked until one is forgotten.
pub const MAX_FOREIGN: usize = 256;
/// How often the interfaces are read for their addresses.
pub const INTERFACES_EVERY: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    /// Other tests say only that the limits hold; these are the numbers of docs/PROTOCOL.md.
    #[test]
    fn the_limits_are_those_of_the_page() {
        let seconds = |limit: Duration| limit.as_secs();
        assert_eq!((seconds(HANDSHAKE_TIMEOUT), MAX_HELLO_BYTES), (5, 512), "L1");
        assert_eq!((MAX_ANSWERING, MAX_WAITING), (4, 8), "L4");
        assert_eq!((seconds(QUESTION_STALL), seconds(QUESTION_TIMEOUT)), (2, 10), "L5");
        assert_eq!((MAX_OVERDUE_ANSWERS, MAX_WRITE_BYTES), (16, 8 * 1024 * 1024), "L5");
        assert_eq!(seconds(SILENCE), 250, "L11");
        assert_eq!((MIN_PEER_PORT, MAX_DIALS_PER_ADDRESS), (1_024, 8), "D5, D6");
        assert_eq!((MAX_DIALLED_ADDRESSES, MAX_PEERS, MAX_UNVERIFIED), (1_024, 1_024, 4_096));
        assert_eq!((seconds(FOREIGN_EVERY), seconds(SHUN_FOR)), (3_600, 60), "N8, N9");
        let links = (MAX_INBOUND_LINKS, MAX_LINKS_PER_ADDRESS, MAX_OUTBOUND_LINKS);
        assert_eq!(links, (64, 8, 8), "N10");
    }
}
