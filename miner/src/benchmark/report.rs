//! [`Report`]: the medians of a benchmark, as they are printed.

use std::collections::BTreeMap;
use std::fmt;

use cairn_pow::Method;
use serde::Serialize;

use crate::hash_rate;

/// The rates of each kernel and number of threads, of one round after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Report(BTreeMap<(Method, usize), Vec<u64>>);

/// One line: field names are the contract of `--json`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Line {
    kernel: &'static str,
    threads: usize,
    hashes_per_second: u64,
    /// To the portable kernel on as many threads.
    ratio: f64,
}

impl Report {
    /// Adds the rate of this kernel in one more round.
    pub(super) fn add(&mut self, kernel: Method, threads: usize, hashes_per_second: u64) {
        self.0.entry((kernel, threads)).or_default().push(hashes_per_second);
    }

    /// The medians, the fastest kernel first. A ratio is the median of those of all rounds, since
    /// what stands in one round was measured within a moment.
    pub(super) fn lines(&self) -> impl Iterator<Item = Line> {
        self.0.iter().map(|(&(kernel, threads), rates)| {
            let plain = self.0.get(&(Method::Portable, threads)).unwrap_or(rates);
            let thousandths =
                rates.iter().zip(plain).map(|(rate, plain)| rate * 1_000 / plain.max(&1)).collect();
            let thousandths = u32::try_from(median(thousandths)).unwrap_or(u32::MAX);
            let (hashes_per_second, ratio) = (median(rates.clone()), f64::from(thousandths) / 1e3);
            Line { kernel: kernel.name(), threads, hashes_per_second, ratio }
        })
    }
}

impl Line {
    /// The names of what [`Line`]s show, in columns.
    pub(super) const HEADINGS: &str = "kernel    threads            rate  to portable";
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = hash_rate::in_words(self.hashes_per_second);
        write!(f, "{:<8}  {:>7}  {rate:>14}  {:>10.2}x", self.kernel, self.threads, self.ratio)
    }
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three rounds, the second of which was disturbed.
    fn report() -> Report {
        let mut report = Report::default();
        for (fast, plain) in
            [(80_000_000, 20_000_000), (44_000_000, 10_000_000), (90_000_000, 20_000_000)]
        {
            report.add(Method::Portable, 1, plain);
            report.add(Method::Avx512, 1, fast);
        }
        report
    }

    #[test]
    fn medians_are_of_rates_and_of_ratios() {
        let lines: Vec<_> = report().lines().collect();
        let line = |kernel, hashes_per_second, ratio| {
            let threads = 1;
            Line { kernel, threads, hashes_per_second, ratio }
        };
        let fast = line("avx512", 80_000_000, 4.4);
        assert_eq!(lines, [fast, line("portable", 20_000_000, 1.0)]);
    }

    #[test]
    fn lines_are_columns_or_json() {
        let line = report().lines().next().expect("two");
        let text = line.to_string();
        assert_eq!(text, "avx512          1       80.0 MH/s        4.40x");
        assert_eq!(text.len(), Line::HEADINGS.len());
        let json = r#"{"kernel":"avx512","threads":1,"hashes_per_second":80000000,"ratio":4.4}"#;
        assert_eq!(serde_json::to_string(&line).expect("serializable"), json);
    }
}
