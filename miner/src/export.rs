//! `miner export FILE`: the whole chain of this data directory as one file.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use cairn_home::files::Readers;
use cairn_home::{Config, DataDir, Draft, Exit, Failure, Output};
use cairn_ledger::{ExportError, Exported, LedgerReader};
use serde::Serialize;

use crate::cli::{Arguments, ExportFile};
use crate::interrupt::Interrupt;
use crate::progress::{StageLine, seconds};

/// Writes the chain of the configured network to a file.
///
/// # Errors
/// [`Failure`] if there is no chain, if it is damaged, or if the file cannot be written.
pub(crate) fn run(arguments: &Arguments, to: &ExportFile, output: Output) -> Result<(), Failure> {
    let config = Config::load(&arguments.common)?;
    let network = config.network();
    let folder = DataDir::resolve(&arguments.common)?.network_folder(network);
    let reader = LedgerReader::open(&folder, network)?;
    let interrupt = Interrupt::listen()?;
    let begin = Instant::now();
    let cannot_write = |error: io::Error| cannot_write(&to.file, &error);
    let mut draft = Draft::create(&to.file, Readers::Usual, to.force).map_err(cannot_write)?;
    let mut line = StageLine::on_stderr(output);
    let exported = reader.export(draft.file(), &mut |progress| {
        line.show(progress);
        interrupt.check()
    });
    let exported = exported.map_err(|error| match error {
        ExportError::Ledger(error) => error.into(),
        ExportError::Write(error) => cannot_write(error),
        ExportError::Interrupted => Interrupt::failure("no file was written"),
    })?;
    draft.publish().map_err(cannot_write)?;
    let answer = Answer::new(&to.file, &exported, begin.elapsed());
    output.result(&answer, || answer.text())
}

fn cannot_write(file: &Path, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let file = file.display();
            let message = format!(
                "there is a file {file} already; choose another name, or replace it by --force"
            );
            Failure::new(Exit::BadInput, "file_exists", message)
        }
        io::ErrorKind::NotFound => {
            let message =
                format!("cannot write {}: {error}; check its name and its folder", file.display());
            Failure::new(Exit::BadInput, "not_found", message)
        }
        _ => Failure::io("cannot write", file, error),
    }
}

/// What was exported, as it is printed.
#[derive(Debug, Serialize)]
struct Answer {
    file: String,
    height: u64,
    tip: String,
    blocks: u64,
    bytes: u64,
    seconds: f64,
}

impl Answer {
    fn new(file: &Path, exported: &Exported, took: Duration) -> Self {
        let block = exported.tip.block;
        Self {
            file: file.display().to_string(),
            height: block.height.get(),
            tip: block.hash.to_string(),
            blocks: block.height.get(),
            bytes: exported.bytes,
            seconds: seconds(took),
        }
    }

    fn text(&self) -> String {
        let Self { file, height, tip, bytes, seconds, .. } = self;
        format!(
            "{file} holds the chain up to height {height}, block {tip}: {bytes} bytes, written in \
             {seconds:.1} s"
        )
    }
}
