//! Tells that searches of the engine panicked, but not too often.

use std::time::{Duration, Instant};

use crate::engine::Failures;
use crate::events::Event;

/// How long to wait after one warning before the next.
const PAUSE: Duration = Duration::from_secs(60);

/// Remembers what was told: the first panic within a second, further ones once a minute.
#[derive(Debug, Default)]
pub(crate) struct Breakdowns {
    told: Option<Told>,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    count: u64,
    at: Instant,
}

impl Breakdowns {
    /// Looks at an engine's failures. Call it once a second.
    pub(crate) fn look(&mut self, failures: &Failures, now: Instant) -> Option<Event> {
        let known = self.told.map_or(0, |told| told.count);
        let is_too_early = self.told.is_some_and(|told| now.duration_since(told.at) < PAUSE);
        if failures.count == known || is_too_early {
            return None;
        }
        self.told = Some(Told { count: failures.count, at: now });
        let message = in_words(failures.count - known, &failures.last);
        Some(Event::Warning { code: "search_failed", message })
    }
}

fn in_words(count: u64, last: &str) -> String {
    let again = "mining goes on; please report this with the name of your CPU";
    match count {
        1 => format!("a search failed and was started again, in {last}; {again}"),
        many => {
            format!("searches failed and were started again {many} times, last in {last}; {again}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(count: u64) -> Failures {
        Failures { count, last: "thread 2: index out of bounds (at kernel.rs:7:9)".to_owned() }
    }

    #[test]
    fn a_failure_is_told_once_and_says_what_to_do() {
        let (mut breakdowns, start) = (Breakdowns::default(), Instant::now());
        assert_eq!(breakdowns.look(&Failures::default(), start), None);
        let event = breakdowns.look(&failures(1), start).expect("told");
        let words = "warning: a search failed and was started again, in thread 2: index out of \
                     bounds (at kernel.rs:7:9); mining goes on; please report this with the name \
                     of your CPU";
        assert_eq!(event.to_string(), words);
        assert!(matches!(event, Event::Warning { code: "search_failed", .. }));
        assert_eq!(breakdowns.look(&failures(1), start + PAUSE * 2), None);
    }

    #[test]
    fn many_failures_are_told_together_once_a_minute() {
        let (mut breakdowns, start) = (Breakdowns::default(), Instant::now());
        let told: Vec<_> = (0..=120)
            .filter_map(|second| {
                let now = start + Duration::from_secs(second);
                let event = breakdowns.look(&failures(100 + second), now)?;
                Some((second, event.to_string()))
            })
            .collect();
        let [(0, first), (60, second), (120, third)] = &told[..] else { panic!("{told:?}") };
        assert!(first.contains("started again 100 times, last in thread 2"), "{first}");
        assert!(second.contains("60 times"), "{second}");
        assert!(third.contains("60 times"), "{third}");
    }
}
