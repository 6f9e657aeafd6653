//! H1 to H4: what makes a header, and that the proof of work comes before all that is costly.

use cairn_protocol::{BlockError, HeaderError, Height, Network, Target};

use crate::draft::Draft;
use crate::kit::network;

/// The header is refused alone, and its block with it.
fn assert_refused(network: &Network, change: impl Fn(&mut Draft), error: HeaderError, rule: &str) {
    let mut draft = Draft::new(network);
    change(&mut draft);
    assert_eq!(draft.block().sealed.prove(network), Err(error));
    assert_eq!(error.rule(), rule);
    assert_eq!(draft.refused(), (BlockError::Header(error), rule));
}

fn assert_accepted(network: &Network, change: impl Fn(&mut Draft)) {
    let mut draft = Draft::new(network);
    change(&mut draft);
    let sealed = draft.block().sealed;
    assert_eq!(sealed.prove(network).expect("proven").sealed(), &sealed);
}

/// One above or one below in the last place.
fn moved(target: Target, by: i8) -> Target {
    let mut bytes = target.to_be_bytes();
    for byte in bytes.iter_mut().rev() {
        let (moved, carried) =
            if by > 0 { byte.overflowing_add(1) } else { byte.overflowing_sub(1) };
        *byte = moved;
        if !carried {
            break;
        }
    }
    Target::from_be_bytes(&bytes).expect("not zero")
}

#[test]
fn rule_h1_the_version_is_1() {
    let network = network();
    for version in [0, 2, u32::MAX] {
        let error = HeaderError::Version(version);
        assert_refused(&network, |draft| draft.version = version, error, "H1");
    }
    assert_accepted(&network, |draft| draft.version = 1);
}

#[test]
fn rule_h2_genesis_is_never_sent() {
    let network = network();
    let error = HeaderError::Genesis;
    assert_refused(&network, |draft| draft.height = Height::GENESIS, error, "H2");
    assert_accepted(&network, |draft| draft.height = Height::from(1));
    assert_eq!(network.genesis().prove(&network), Err(error));
}

#[test]
fn rule_h3_the_target_is_at_most_the_floor() {
    let network = network();
    let floor = network.rules().floor();
    let error = HeaderError::TargetAboveFloor;
    assert_refused(&network, |draft| draft.target = moved(floor, 1), error, "H3");
    assert_accepted(&network, |draft| draft.target = floor);
    assert_accepted(&network, |draft| draft.target = moved(floor, -1));
}

#[test]
fn rule_h4_the_hash_meets_the_target() {
    let network = network();
    let error = HeaderError::ProofOfWork;
    assert_refused(&network, |draft| draft.proven = false, error, "H4");
    let harder = Target::with_leading_zeros(8);
    let unproven = |draft: &mut Draft| (draft.target, draft.proven) = (harder, false);
    assert_refused(&network, unproven, error, "H4");
    assert_accepted(&network, |draft| draft.target = harder);
}

/// The limit itself is met, one more is not.
#[test]
fn rule_h4_a_hash_that_equals_its_target_meets_it() {
    let hash = Draft::new(&network()).block().sealed.hash();
    let target = Target::from_be_bytes(&hash.0).expect("not zero");
    assert!(target.is_met_by(&hash));
    assert!(!moved(target, -1).is_met_by(&hash));
}

/// A block that is wrong in every way costs no signature, and not even a look at its content.
#[test]
fn behaviour_15_a_bad_proof_is_refused_before_anything_costly() {
    let network = network();
    let mut draft = Draft::with_payments(&network, 2);
    draft.payments[0].signature.0[0] ^= 1;
    draft.reward.amount = crate::kit::coins("11");
    draft.content = Some(cairn_protocol::ContentRoot([1; 32]));
    draft.proven = false;
    assert_eq!(draft.refused(), (BlockError::Header(HeaderError::ProofOfWork), "H4"));
    draft.proven = true;
    assert_eq!(draft.refused(), (BlockError::ContentRoot, "B1"));
    draft.content = None;
    let (error, rule) = draft.refused();
    assert!(matches!(error, BlockError::Payment { index: 0, .. }), "{error}");
    assert_eq!(rule, "T4");
}
