//! Faults 7 to 9 of the predecessor: peers that lie, that are silent, and a chain that is long.

use std::net::{Ipv4Addr, TcpListener, TcpStream};

use cairn_protocol::messages::{Announcement, Answer, InstanceId, Message, Request, Status};
use cairn_protocol::{BlockHash, Bounded, Height, Memo, Work};
use cairn_tests::Person::{Alice, Bob, Mallory};
use cairn_tests::{Branch, Line, TestNetwork, Victim, accept, now, payment, wait_until};

/// A status that claims more work than anybody has, and to be served at this port.
fn boast(instance: u8, blocks_port: u16) -> Status {
    Status {
        instance: InstanceId([instance; 16]),
        height: Height::from(1_000_000),
        tip: BlockHash([instance; 32]),
        work: Work::from_be_bytes(&[1; 32]),
        blocks_port,
        clock: now(),
    }
}

/// Listens on a port, which a broadcast status names.
fn lure(victim: &Victim, instance: u8) -> (TcpListener, Status) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let status = boast(instance, listener.local_addr().expect("bound").port());
    victim.network.broadcast(Announcement::Status(status));
    (listener, status)
}

/// Asserts that the victim serves its headers and blocks, and mines: it pays Bob's next coin.
fn goes_on(victim: &Victim, payments_before: u64) {
    let chain = Branch::of(&victim.home);
    let mut line = victim.link(victim.chain.status(200, 0));
    for request in
        [Request::Headers(Bounded::default()), Request::Blocks(Bounded::first([chain.tip()]))]
    {
        assert_eq!(line.ask(request.clone()), chain.answer(&request));
    }
    victim.confirms(&victim.payment(Alice, 1 + payments_before, "1", Bob));
    assert_eq!(Branch::of(&victim.home).fork(chain.blocks().len()).tip(), chain.tip());
}

#[test]
fn fault_07_a_boast_without_a_chain_takes_no_block_away() {
    let mut victim = Victim::start();
    goes_on(&victim, 0);
    let network = victim.home.network().clone();
    let genesis = Answer::Headers(Bounded::first([*network.genesis()]));
    let start = victim.chain.fork(1).answer(&Request::Headers(Bounded::default()));
    for (shown, instance) in
        [Answer::Headers(Bounded::default()), genesis, start].into_iter().zip(10..)
    {
        let (listener, status) = lure(&victim, instance);
        let mut line = Line::accept(&listener, &network, status);
        line.answer_next(|request| match request {
            Request::Headers(_) => Some(shown.clone()),
            _ => None,
        });
        goes_on(&victim, u64::from(instance - 9));
    }
    assert!(victim.miner.events_of("reorg").is_empty());

    let before = Branch::of(&victim.home).tip();
    victim.restart();
    assert_eq!(victim.miner.tip(), (6, before.hash.to_string()));
    goes_on(&victim, 4);
}

#[test]
fn fault_08_a_status_that_names_the_nodes_own_port_stops_nothing() {
    let mut victim = Victim::start_with(&["-v"]);
    let port = victim.miner.wait_for_event("started")["blocks_port"].as_u64().expect("a port");
    let own = boast(10, u16::try_from(port).expect("a port"));
    victim.network.broadcast(Announcement::Status(own));
    victim.miner.process().wait_for_stderr("is not reached: it is this node itself");
    goes_on(&victim, 0);
    victim.network.broadcast(Announcement::Status(own));
    goes_on(&victim, 1);
}

#[test]
fn fault_08_a_host_that_never_answers_stops_nothing() {
    let victim = Victim::start();
    // One says no hello, the other one answers no question.
    let (mute, _) = lure(&victim, 10);
    let _unanswered = accept(&mute);
    let (sullen, status) = lure(&victim, 11);
    let mut line = Line::accept(&sullen, victim.home.network(), status);
    while !matches!(line.hear(), Some(Message::Request(_, Request::Headers(_)))) {}
    goes_on(&victim, 0);
}

#[test]
fn fault_08_idle_clients_stop_nothing() {
    let victim = Victim::start();
    // So many that a server which waits for each in turn would not come to the next one in time.
    let connect = |_| TcpStream::connect(victim.miner.address()).expect("accepted");
    let idle: Vec<_> = (0..40).map(connect).collect();
    let mut stuck = victim.link(victim.chain.status(10, 0));
    // The start of a frame that never ends.
    stuck.say_bytes(&[0, 0, 16, 0, 1, 2, 3]);
    goes_on(&victim, 0);
    let reader = victim.network.home();
    let synchronised = reader.wallet_json(&["sync", "--once"]);
    assert_eq!(synchronised["height"], 3);
    drop((idle, stuck));
}

#[test]
fn fault_09_a_chain_of_megabytes_is_downloaded() {
    let network = TestNetwork::on_demand();
    let home = network.home();
    let mut chain = Branch::new(home.network());
    chain.mine(Mallory.account(), Vec::new());
    let mut sequences = 0..;
    for _ in 0..32 {
        let payments = sequences.by_ref().take(100).map(|sequence| {
            let mut payment = payment(Mallory.account(), sequence, "0.000001", Bob.account());
            payment.memo = Memo::new(vec![b'm'; 512]).expect("short");
            Mallory.key().sign(payment, home.network().id())
        });
        chain.mine(Mallory.account(), payments.collect());
    }
    let bytes: usize = chain.blocks().iter().map(|block| cairn_tests::encoded(block).len()).sum();
    assert!(bytes > 2 << 20, "{bytes}");
    chain.write_to(&home);
    let _miner = home.mine(&[]);

    let wallet = network.home();
    let synchronised = wallet.wallet_json(&["sync", "--once"]);
    assert_eq!(
        (&synchronised["height"], &synchronised["blocks_received"]),
        (&33.into(), &33.into())
    );
    let elsewhere = network.home();
    let fresh = elsewhere.mine(&[]);
    fresh.wait_for_height(33);
    for home in [&wallet, &elsewhere] {
        wait_until("the same tip", || home.tip() == (33, chain.tip().hash.to_string()));
        assert_eq!(home.balance_of(Bob.account()), 3_200);
    }
}
