//! `wallet backup FILE`: all keys and recorded payments of the data directory in one file.

use cairn_home::{Backup, Failure};
use cairn_network::clock;
use serde::Serialize;

use crate::cli;
use crate::context::Context;

pub(crate) fn run(context: &Context, args: &cli::Backup) -> Result<(), Failure> {
    let (backup, broken) = Backup::of(&context.data_dir, clock::now())?;
    let answer = Answer {
        file: args.file.display().to_string(),
        keys: backup.keys.len(),
        networks: backup.payments.len(),
        payments: backup.payment_count(),
        bytes: backup.write(&args.file, args.force)?,
    };
    for error in broken {
        context
            .output
            .note("broken_key", &format!("the backup holds no usable key of one file: {error}"));
    }
    context.output.result(&answer, || answer.text())
}

/// What was backed up, as JSON.
#[derive(Serialize)]
struct Answer {
    file: String,
    keys: usize,
    networks: usize,
    payments: usize,
    bytes: usize,
}

impl Answer {
    fn text(&self) -> String {
        let Self { file, keys, networks, payments, bytes } = self;
        format!(
            "Backup    {file} ({bytes} bytes)\n\
             Keys      {keys}\n\
             Payments  {payments}\n\
             Networks  {networks}\n\
             Whoever has this file can spend the coins: keep it secret, and away from this machine."
        )
    }
}
