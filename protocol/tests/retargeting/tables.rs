//! The tables of docs/decisions/retargeting.md.

use std::path::PathBuf;
use std::time::Duration;

/// Prints a table, and compares it with the one under its name in the decision's file, or writes it
/// there.
#[expect(clippy::print_stdout, reason = "to be seen with --nocapture")]
pub(crate) fn check(name: &str, rows: &[Vec<String>]) {
    let table = markdown(rows);
    println!("{table}");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/decisions/retargeting.md");
    let file = std::fs::read_to_string(&path).expect("docs/decisions/retargeting.md");
    let begin = format!("<!-- table: {name} -->\n");
    let (before, rest) = file.split_once(&begin).expect("the table's name");
    let (written, after) = rest.split_once("<!-- end -->").expect("the table's end");
    if std::env::var_os("CAIRN_BLESS").is_some() {
        let file = format!("{before}{begin}{table}<!-- end -->{after}");
        std::fs::write(&path, file).expect("docs/decisions/retargeting.md can be written");
        return;
    }
    assert_eq!(
        written, table,
        "the table {name} of docs/decisions/retargeting.md is not what the rule does; if it is to be, \
         CAIRN_BLESS=1 cargo test -p cairn-protocol --test retargeting -- --test-threads 1"
    );
}

fn markdown(rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let (head, body) = rows.split_first().expect("a head");
    let rule = format!("|{}\n", "---|".repeat(head.len()));
    let body: String = body.iter().map(|cells| line(cells)).collect();
    line(head) + &rule + &body
}

/// A number with a comma before each three digits.
pub(crate) fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let from_end = |place: usize| digits.len() - place;
    let separated = digits.char_indices().map(|(place, digit)| {
        let comma = place > 0 && from_end(place).is_multiple_of(3);
        if comma { format!(",{digit}") } else { digit.to_string() }
    });
    separated.collect()
}

/// A time in the unit in which it reads best.
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        0.0 => "0".to_owned(),
        ..1.0 => "under 1 s".to_owned(),
        ..120.0 => format!("{seconds:.0} s"),
        ..5400.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}
