//! A network of nodes in virtual time: outputs of one become inputs of the others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cairn_ledger::{Ledger, LedgerReader};
use cairn_node::{
    Failure, Input, MempoolLimits, Node, Origin, Output, PeerId, QuestionId, Settings, Template,
    Verified,
};
use cairn_protocol::codec::decode;
use cairn_protocol::limits::MAX_HEADERS;
use cairn_protocol::messages::{Answer, InstanceId, Request, RequestId, Status};
use cairn_protocol::{Block, BlockRef, Network, Timestamp, VerifiedBlock, VerifiedTransaction};

use crate::forge::{key, start};
use crate::player::Player;
use crate::puppet::{Reply, Script};

/// How long anything takes from one node to another.
pub const LATENCY: Duration = Duration::from_millis(5);
/// The bytes of blocks in one answer, small so that answers are often partial.
const ANSWER_BYTES: usize = 10_000;

/// One node, or a puppet that plays one.
enum Actor {
    Node(Box<Player>),
    Puppet(Script),
}

enum Delivery {
    Input(Input),
    Question { from: usize, question: QuestionId, request: Request },
}

/// Nodes 0, 1, 2, … who all hear each other, unless they are cut apart.
pub struct World {
    pub now: Timestamp,
    pub network: Network,
    actors: Vec<Actor>,
    cut: BTreeSet<(usize, usize)>,
    queue: BTreeMap<(Timestamp, u64), (usize, Delivery)>,
    next: u64,
}

pub fn settings(index: usize, mines: bool) -> Settings {
    let number = u8::try_from(index).expect("few") + 1;
    Settings {
        instance: InstanceId([number; 16]),
        reward_to: mines.then(|| key(number).account()),
        blocks_port: 2607,
        status_interval: Duration::from_secs(5),
        mempool: MempoolLimits::default(),
    }
}

impl World {
    pub fn new(network: &Network) -> Self {
        Self {
            now: start(),
            network: network.clone(),
            actors: Vec::new(),
            cut: BTreeSet::new(),
            queue: BTreeMap::new(),
            next: 0,
        }
    }

    /// A world of so many fresh miners, who have joined.
    pub fn of_miners(network: &Network, count: usize) -> Self {
        let mut world = Self::new(network);
        for _ in 0..count {
            world.add_node(true);
        }
        world.run(Duration::from_secs(3));
        world
    }

    /// Adds a fresh node, whose key is that of its number plus one.
    pub fn add_node(&mut self, mines: bool) -> usize {
        let settings = settings(self.actors.len(), mines);
        self.add_node_with(settings, &[])
    }

    /// Adds a node that starts with these blocks.
    pub fn add_node_with(&mut self, settings: Settings, blocks: &[VerifiedBlock]) -> usize {
        let mut ledger = Ledger::in_memory(&self.network).expect("memory");
        let added = ledger.add_blocks(blocks, self.now).expect("in memory");
        assert_eq!(added.refused, []);
        let reader = ledger.reader().expect("in memory");
        let node = Node::new(ledger, settings, self.now);
        let player = Player {
            node,
            reader,
            skew: 0,
            due: None,
            template: None,
            inputs: Vec::new(),
            log: Vec::new(),
            requests: BTreeMap::new(),
        };
        self.actors.push(Actor::Node(Box::new(player)));
        let index = self.actors.len() - 1;
        self.send(index, Input::Tick);
        index
    }

    /// Adds a peer that answers by this script, and says nothing by itself.
    pub fn add_puppet(&mut self, script: impl FnMut(&Request) -> Reply + 'static) -> usize {
        self.actors.push(Actor::Puppet(Box::new(script)));
        self.actors.len() - 1
    }

    pub fn player(&mut self, index: usize) -> &mut Player {
        match &mut self.actors[index] {
            Actor::Node(player) => player,
            Actor::Puppet(_) => panic!("{index} is a puppet"),
        }
    }

    pub fn node(&self, index: usize) -> &Node {
        match &self.actors[index] {
            Actor::Node(player) => &player.node,
            Actor::Puppet(_) => panic!("{index} is a puppet"),
        }
    }

    pub fn tip(&self, index: usize) -> BlockRef {
        self.node(index).tip().block
    }

    /// Sets a node's clock off.
    pub fn skew(&mut self, index: usize, seconds: i64) {
        self.player(index).skew = seconds * 1_000;
    }

    /// Makes a link between two nodes, as seen by both.
    pub fn link(&mut self, a: usize, b: usize) {
        for (from, to) in [(a, b), (b, a)] {
            let status = self.status(from);
            self.send(to, Input::LinkUp { peer: peer(from), status });
        }
    }

    /// Makes a link between each two nodes.
    pub fn link_all(&mut self) {
        for a in 0..self.actors.len() {
            for b in 0..a {
                self.link(a, b);
            }
        }
    }

    /// Cuts all connections between two groups.
    pub fn cut(&mut self, left: &[usize], right: &[usize]) {
        for a in left {
            for b in right {
                self.cut.extend([(*a, *b), (*b, *a)]);
            }
        }
    }

    pub fn heal(&mut self) {
        self.cut.clear();
    }

    fn status(&self, index: usize) -> Status {
        self.node(index).status(self.local_time(index))
    }

    fn local_time(&self, index: usize) -> Timestamp {
        let skew = match &self.actors[index] {
            Actor::Node(player) => player.skew,
            Actor::Puppet(_) => 0,
        };
        shift(self.now, skew)
    }

    /// Gives a node an input now.
    pub fn send(&mut self, to: usize, input: Input) {
        self.deliver(to, Delivery::Input(input));
    }

    /// A puppet says this to a node.
    pub fn say(&mut self, from: usize, to: usize, status: Status) {
        self.send(to, Input::Status { peer: peer(from), status });
    }

    /// The owner of a payment gives it to a node.
    pub fn submit(&mut self, to: usize, transaction: VerifiedTransaction) {
        self.send(to, Input::Transaction { origin: Origin::Own, transaction });
    }

    /// A node finds the block of its template, and all others hear of it.
    pub fn mine(&mut self, index: usize) -> VerifiedBlock {
        let network = self.network.clone();
        let template = self.player(index).template.clone().expect("it mines");
        let block = solve(&template, &network);
        self.send(index, Input::Mined(block.clone()));
        self.run(LATENCY * 12);
        block
    }

    /// Runs until nothing is left to do in this span of time.
    pub fn run(&mut self, span: Duration) {
        let end = self.now.after(span);
        while self.step(end) {}
        self.now = end;
    }

    /// Runs until this holds, at most for so long.
    pub fn run_until(&mut self, most: Duration, mut holds: impl FnMut(&Self) -> bool) {
        let end = self.now.after(most);
        while !holds(self) {
            assert!(self.step(end), "it does not hold after {most:?}");
        }
    }

    /// Does the next thing that happens up to `end`.
    fn step(&mut self, end: Timestamp) -> bool {
        let delivery = self.queue.first_key_value().map(|((time, _), _)| *time);
        let ticks = (0..self.actors.len()).filter_map(|index| Some((self.tick_of(index)?, index)));
        let tick = ticks.min();
        let is_delivery =
            delivery.is_some_and(|delivery| tick.is_none_or(|(tick, _)| delivery <= tick));
        if is_delivery && delivery.is_some_and(|time| time <= end) {
            let ((time, _), (to, delivery)) = self.queue.pop_first().expect("it was seen");
            self.now = time;
            self.deliver(to, delivery);
            return true;
        }
        let Some((time, index)) = tick.filter(|(time, _)| !is_delivery && *time <= end) else {
            return false;
        };
        self.now = self.now.max(time);
        self.deliver(index, Delivery::Input(Input::Tick));
        true
    }

    fn tick_of(&self, index: usize) -> Option<Timestamp> {
        let Actor::Node(player) = &self.actors[index] else {
            return None;
        };
        player.due
    }

    fn later(&mut self, span: Duration, to: usize, delivery: Delivery) {
        self.next += 1;
        self.queue.insert((self.now.after(span), self.next), (to, delivery));
    }

    fn deliver(&mut self, to: usize, delivery: Delivery) {
        match delivery {
            Delivery::Input(input) => self.handle(to, input),
            Delivery::Question { from, question, request } => {
                self.answer(to, from, question, &request);
            }
        }
    }

    fn handle(&mut self, index: usize, input: Input) {
        let now = self.local_time(index);
        let world_now = self.now;
        let Actor::Node(player) = &mut self.actors[index] else {
            return;
        };
        player.inputs.push((now, input.clone()));
        let outputs = player.node.handle(now, input);
        let deadline = player.node.deadline();
        assert!(deadline.is_none_or(|due| due > now), "what is due is done at once");
        // A driver waits for a span of time, whatever becomes of the clock meanwhile.
        player.due = deadline.map(|due| world_now.after(due.since(now)));
        for output in outputs {
            let player = self.player(index);
            player.log.push((world_now, output.clone()));
            self.act(index, output);
        }
    }

    fn act(&mut self, index: usize, output: Output) {
        match output {
            Output::BroadcastStatus(status) => {
                self.broadcast(index, None, |peer| Input::Status { peer, status });
            }
            Output::Solicit => self.broadcast(index, None, |_| Input::Solicited),
            Output::Relay { origin, transaction } => {
                let verified = transaction.verify(self.network.id()).expect("it was verified");
                self.broadcast(index, Some(origin), |peer| Input::Transaction {
                    origin: Origin::Link(peer),
                    transaction: verified.clone(),
                });
            }
            Output::Ask { question, peer, request } => {
                let to = usize::try_from(peer.0).expect("an index");
                if self.cut.contains(&(index, to)) || to >= self.actors.len() {
                    let failure = Failure::Unreachable;
                    let input = Input::Failed { question, failure };
                    self.later(LATENCY, index, Delivery::Input(input));
                } else {
                    let delivery = Delivery::Question { from: index, question, request };
                    self.later(LATENCY, to, delivery);
                }
            }
            Output::Answer { peer: _, request, answer } => {
                let asked = self.player(index).requests.remove(&request);
                let (to, question) = asked.expect("each request is answered once");
                let answer = self.verified(answer);
                self.later(LATENCY, to, Delivery::Input(Input::Answered { question, answer }));
            }
            Output::Mine(template) => self.player(index).template = Some(template),
            Output::Rest(_) => self.player(index).template = None,
            Output::Drop { .. } | Output::Event(_) => {}
            Output::Halt { message } => panic!("node {index} has halted: {message}"),
        }
    }

    fn broadcast(&mut self, from: usize, origin: Option<Origin>, input: impl Fn(PeerId) -> Input) {
        for to in 0..self.actors.len() {
            let came_from = origin == Some(Origin::Link(peer(to)));
            if to != from && !came_from && !self.cut.contains(&(from, to)) {
                self.later(LATENCY, to, Delivery::Input(input(peer(from))));
            }
        }
    }

    /// What the driver of node `index` does with a question.
    fn answer(&mut self, index: usize, from: usize, question: QuestionId, request: &Request) {
        let reply = match &mut self.actors[index] {
            Actor::Puppet(script) => script(request),
            Actor::Node(player) => match request {
                Request::Headers(locator) => {
                    let headers = player.reader.headers_after(locator, MAX_HEADERS);
                    let headers = headers.expect("in memory").into_iter();
                    let proven = headers.map(|one| one.prove(&self.network).expect("proven"));
                    Reply::Answer(Verified::Headers(proven.collect()))
                }
                Request::Blocks(blocks) => {
                    let blocks = stored_blocks(&player.reader, blocks, &self.network);
                    Reply::Answer(Verified::Blocks(blocks))
                }
                Request::MempoolIds(_) | Request::Transactions(_) => {
                    let request_id = RequestId(u32::try_from(self.next).expect("few"));
                    self.next += 1;
                    player.requests.insert(request_id, (from, question));
                    let (peer, question) = (peer(from), request.clone());
                    self.handle(index, Input::Asked { peer, request: request_id, question });
                    return;
                }
            },
        };
        let (span, input) = match reply {
            Reply::Answer(answer) => (LATENCY, Input::Answered { question, answer }),
            Reply::Never => return,
            Reply::Fail(failure) => (LATENCY, Input::Failed { question, failure }),
            Reply::Silence => {
                let failure = Failure::Unreachable;
                (Duration::from_secs(2), Input::Failed { question, failure })
            }
        };
        self.later(span, from, Delivery::Input(input));
    }

    fn verified(&self, answer: Answer) -> Verified {
        match answer {
            Answer::MempoolIds(ids) => Verified::MempoolIds(ids.into_vec()),
            Answer::Transactions(transactions) => {
                let id = self.network.id();
                let verified = transactions.into_vec().into_iter().map(|one| one.verify(id));
                Verified::Transactions(verified.map(|one| one.expect("verified")).collect())
            }
            Answer::Headers(_) | Answer::Blocks(_) => panic!("the driver answers these"),
        }
    }
}

pub fn peer(index: usize) -> PeerId {
    PeerId(index as u64)
}

/// The block of a template, with a proof.
pub fn solve(template: &Template, network: &Network) -> VerifiedBlock {
    let digest = template.header().digest();
    let proofs = (0..).map(|nonce| cairn_protocol::Proof { salt: [1; 16], nonce });
    let mut proofs = proofs.filter(|p| template.header().target.is_met_by(&p.hash(&digest)));
    let proof = proofs.next().expect("the difficulty is low");
    template.seal(proof, network).expect("a template seals")
}

fn stored_blocks(
    reader: &LedgerReader,
    places: &[BlockRef],
    network: &Network,
) -> Vec<VerifiedBlock> {
    let (mut blocks, mut size) = (Vec::new(), 0);
    for place in places {
        let Some(bytes) = reader.block_bytes(*place).expect("in memory") else {
            continue;
        };
        size += bytes.len();
        if size > ANSWER_BYTES && !blocks.is_empty() {
            break;
        }
        let block: Block = decode(&bytes).expect("stored");
        blocks.push(block.verify(network).expect("verified"));
    }
    blocks
}

fn shift(time: Timestamp, millis: i64) -> Timestamp {
    let shifted = time.millis().cast_signed() + millis;
    Timestamp::from_millis(shifted.unsigned_abs()).expect("in range")
}
