//! Tables and other ways to print for people.

use std::time::Duration;

use cairn_ledger::Tip;
use cairn_protocol::{BlockHash, Timestamp};

use crate::context::is_empty;

/// How many digits of a block's hash are shown.
const HASH_DIGITS: usize = 8;

/// On which side a column's cells end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// The lines of a table: one row of headings, then the rows, with two spaces between columns.
pub(crate) fn table(headings: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let names: Vec<String> = headings.iter().map(|(name, _)| (*name).to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&names).chain(rows).collect();
    let widest =
        |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..headings.len()).map(widest).collect();
    let line = |row: &Vec<String>| {
        let cells =
            row.iter().zip(headings).zip(&widths).map(|((cell, (_, align)), &width)| match align {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A block as people read it: "block 42 (0000ab34..), 7 s old".
pub(crate) fn describe_tip(tip: &Tip, now: Timestamp) -> String {
    if is_empty(tip) {
        return "block 0, where every chain starts".to_owned();
    }
    let age = describe_span(now.since(tip.time));
    format!("block {} ({}), {age} old", tip.block.height, short_hash(&tip.block.hash))
}

/// The start of a block's hash: "0000ab34..".
pub(crate) fn short_hash(hash: &BlockHash) -> String {
    format!("{}..", &hash.to_string()[..HASH_DIGITS])
}

/// A time as "2023-11-14 22:13:21", in UTC.
pub(crate) fn utc(time: Timestamp) -> String {
    let seconds = time.millis() / 1_000;
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// Year, month and day of so many days after 1970-01-01, in the Gregorian calendar. Years are counted
/// from March on, so that a leap day is their last; 400 of them have 146,097 days.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // since 0000-03-01
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153; // from March on
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (400 * era + year + u64::from(month <= 2), month, day)
}

/// Bytes from a stranger as text that cannot steer a terminal: what does not print stands as "?".
pub(crate) fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().map(|char| if char.is_control() { '?' } else { char }).collect()
}

/// A span in its largest unit: "7 s", "3 min", "5 h", "12 days".
fn describe_span(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [("alice", "2.500000"), ("mining-rewards", "10.000000")]
            .map(|(name, balance)| vec![name.to_owned(), balance.to_owned()]);
        let text = table(&[("Key Name", Align::Left), ("Balance", Align::Right)], &rows);
        let expected = "\
Key Name          Balance
alice            2.500000
mining-rewards  10.000000";
        assert_eq!(text, expected);
    }

    #[test]
    fn times_are_told_as_dates() {
        let told = |seconds: u64| utc(Timestamp::from_millis(seconds * 1_000).expect("a time"));
        // As `date -u -d @SECONDS` has it.
        assert_eq!(told(0), "1970-01-01 00:00:00");
        assert_eq!(told(1_700_000_001), "2023-11-14 22:13:21");
        assert_eq!(told(951_782_399), "2000-02-28 23:59:59");
        assert_eq!(told(951_782_400), "2000-02-29 00:00:00");
        assert_eq!(told(951_868_800), "2000-03-01 00:00:00");
        assert_eq!(told(4_107_542_400), "2100-03-01 00:00:00");
        assert_eq!(told(1_735_689_599), "2024-12-31 23:59:59");
    }

    #[test]
    fn a_strangers_text_cannot_steer_a_terminal() {
        assert_eq!(printable("für \x1b[2J\n\u{9b}x".as_bytes()), "für ?[2J??x");
        assert_eq!(printable(&[b'a', 0xff]), "a\u{fffd}");
    }

    #[test]
    fn spans_are_told_in_their_largest_unit() {
        let told = |seconds| describe_span(Duration::from_secs(seconds));
        assert_eq!([told(0), told(119), told(120)], ["0 s", "119 s", "2 min"]);
        assert_eq!([told(7_199), told(7_200), told(172_800)], ["119 min", "2 h", "2 days"]);
    }
}
