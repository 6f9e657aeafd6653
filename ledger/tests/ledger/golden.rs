//! The golden blocks of docs/golden.json do to the accounts what is written there.

use cairn_ledger::Ledger;
use cairn_protocol::codec::decode;
use cairn_protocol::{AccountId, Block, Network, Rules, VerifiedBlock};
use serde_json::Value;

use crate::kit::at;

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().expect(name)
}

fn block(golden: &Value, network: &Network) -> VerifiedBlock {
    let bytes = const_hex::decode(text(golden, "encoding")).expect("hex");
    decode::<Block>(&bytes).expect("a block").verify(network).expect("valid")
}

#[test]
fn golden_blocks_leave_the_golden_accounts() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../docs/golden.json")).expect("JSON");
    let network = Network::new(Rules::default()).expect("the defaults are valid");
    let mut ledger = Ledger::in_memory(&network).expect("memory");
    let reader = ledger.reader().expect("a reader");
    let blocks = vectors["blocks"].as_array().expect("a list");
    for golden in blocks {
        let block = block(golden, &network);
        let now = block.header().header().time;
        let next = ledger.next_block(now).expect("memory");
        assert_eq!(next.target.to_string(), text(golden, "target"));
        let added = ledger.add_blocks(&[block], now).expect("memory");
        assert_eq!(added.refused, []);
        assert_eq!(ledger.tip().block.hash.to_string(), text(golden, "hash"));
        assert_eq!(ledger.tip().work.to_string(), text(golden, "total_work"));
        for account in golden["accounts_after"].as_array().expect("a list") {
            let key = const_hex::decode_to_array(text(account, "account")).expect("hex");
            let held = ledger.account(&AccountId(key)).expect("memory");
            assert_eq!(held.balance.micros().to_string(), text(account, "balance"));
            assert_eq!(Some(held.sequence.get()), account["sequence"].as_u64());
        }
        assert!(reader.supply().expect("memory").is_right());
    }
    assert_eq!(ledger.tip().time, at(1_760_000_020_000));
}
