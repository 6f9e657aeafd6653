//! Tells why nothing is mined, where a user must know it.

use cairn_network::Work;
use cairn_node::RestReason;

use crate::events::Event;

/// Remembers what was told, so that each reason is told once, and only when two looks a second
/// apart found it: a node rests for an instant before every block that it adopts.
#[derive(Debug, Default)]
pub(crate) struct Rests {
    seen: Option<Kind>,
    told: Option<Kind>,
}

/// Reasons that are one and the same to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    CatchingUp,
    TooFewTransactions { missing: u32 },
}

impl Rests {
    /// Looks at what the engine has to do. Call it once a second.
    pub(crate) fn look(&mut self, work: &Work) -> Option<Event> {
        let (kind, message) = match work {
            Work::Mine(_) => {
                *self = Self::default();
                return None;
            }
            Work::Rest(reason) => explain(reason)?,
        };
        let lasts = self.seen.replace(kind) == Some(kind);
        if !lasts || self.told == Some(kind) {
            return None;
        }
        self.told = Some(kind);
        Some(Event::Warning { code: kind.code(), message })
    }
}

impl Kind {
    fn code(self) -> &'static str {
        match self {
            Self::CatchingUp => "catching_up",
            Self::TooFewTransactions { .. } => "too_few_transactions",
        }
    }
}

/// The reason in words; `None` for those that end by themselves in a moment, and for a wrong clock,
/// of which the node itself warns.
fn explain(reason: &RestReason) -> Option<(Kind, String)> {
    match *reason {
        RestReason::NotMining
        | RestReason::Enough
        | RestReason::Joining
        | RestReason::ClockOff { .. } => None,
        RestReason::CatchingUp { height, best } => {
            let message = format!("not mining yet: at block {height} of {best}, catching up");
            Some((Kind::CatchingUp, message))
        }
        RestReason::TooFewTransactions { have, need } => {
            let missing = need.saturating_sub(have);
            let payments = if missing == 1 { "payment" } else { "payments" };
            let message = format!(
                "not mining: the next block needs {missing} more {payments} \
                 (rules.min_block_transactions is {need}, the reward included)"
            );
            Some((Kind::TooFewTransactions { missing }, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_protocol::Height;

    #[test]
    fn a_reason_is_told_once_when_it_lasts() {
        let mut rests = Rests::default();
        let behind = |height: u32| {
            let (height, best) = (Height::from(height), Height::from(9));
            Work::Rest(RestReason::CatchingUp { height, best })
        };
        assert_eq!(rests.look(&behind(1)), None);
        let event = rests.look(&behind(2)).expect("told");
        assert_eq!(event.to_string(), "warning: not mining yet: at block 2 of 9, catching up");
        assert_eq!(rests.look(&behind(3)), None);
    }

    #[test]
    fn each_change_is_told() {
        let mut rests = Rests::default();
        let waiting = |have| Work::Rest(RestReason::TooFewTransactions { have, need: 5 });
        assert_eq!(rests.look(&waiting(1)), None);
        let event = rests.look(&waiting(1)).expect("told");
        assert!(event.to_string().contains("needs 4 more payments"), "{event}");
        assert_eq!(rests.look(&waiting(4)), None);
        let event = rests.look(&waiting(4)).expect("told");
        assert!(event.to_string().contains("needs 1 more payment ("), "{event}");
    }

    #[test]
    fn what_ends_in_a_moment_or_is_told_by_the_node_is_not_told() {
        let mut rests = Rests::default();
        for _ in 0..3 {
            assert_eq!(rests.look(&Work::Rest(RestReason::Joining)), None);
            assert_eq!(rests.look(&Work::Rest(RestReason::ClockOff { seconds: 90 })), None);
        }
    }
}
