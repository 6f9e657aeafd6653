//! `wallet restore FILE`: keys and recorded payments back from a file of `wallet backup`.

use cairn_home::backup::{Restore, Restored};
use cairn_home::{Backup, Failure};
use serde::Serialize;

use crate::cli;
use crate::context::Context;

const LATER_PAYMENTS: &str = "The backup does not know what was paid after it was made: run `wallet \
                              sync --once` before you pay again.";

pub(crate) fn run(context: &Context, args: &cli::Restore) -> Result<(), Failure> {
    let backup = Backup::read(&args.file)?;
    let restored = Restore::plan(&context.data_dir, &backup, args.force)?.run()?;
    if restored.passed_over > 0 {
        let message = format!(
            "payments of the backup that were left out, because others were made here with their \
             sequences: {}; a block can hold but one of two such payments",
            restored.passed_over
        );
        context.output.note("passed_over", &message);
    }
    let answer = Answer::new(args, &restored);
    context.output.result(&answer, || answer.text())
}

/// What was restored, as JSON.
#[derive(Serialize)]
struct Answer {
    file: String,
    keys: usize,
    networks: usize,
    payments: u64,
    kept: Vec<String>,
    passed_over: u64,
}

impl Answer {
    fn new(args: &cli::Restore, restored: &Restored) -> Self {
        Self {
            file: args.file.display().to_string(),
            keys: restored.keys,
            networks: restored.networks,
            payments: restored.payments,
            kept: restored.kept.iter().map(|file| file.display().to_string()).collect(),
            passed_over: restored.passed_over,
        }
    }

    fn text(&self) -> String {
        let Self { file, keys, networks, payments, kept, passed_over } = self;
        if (*keys, *payments, *passed_over) == (0, 0, 0) {
            return format!("All of {file} is here already.");
        }
        let mut lines = vec![
            format!("Restored  {file}"),
            format!("Keys      {keys}"),
            format!("Payments  {payments}"),
            format!("Networks  {networks}"),
        ];
        lines.extend(kept.iter().map(|file| format!("Kept      {file}")));
        lines.push(LATER_PAYMENTS.to_owned());
        lines.join("\n")
    }
}
