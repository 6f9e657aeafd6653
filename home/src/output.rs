//! [`Output`]: results on stdout, notes on stderr, each as text or as JSON.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::json;

use crate::args::CommonArgs;
use crate::failure::Failure;
use crate::progress;

/// How results and notes are written.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
    quiet: bool,
}

impl Output {
    /// As the command line asks for.
    pub fn new(args: &CommonArgs) -> Self {
        Self { json: args.json, quiet: args.quiet }
    }

    /// Whether results are JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether notes are not wanted.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Writes a result on stdout: the value as one line of JSON, or the text.
    ///
    /// # Errors
    /// If stdout cannot be written, unless its reader has gone, who then wants no more.
    pub fn result(
        &self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json { self.json_line(value) } else { self.text(&text()) }
    }

    /// Writes a line, or several, of text on stdout.
    ///
    /// # Errors
    /// As [`Self::result`].
    pub fn text(&self, text: &str) -> Result<(), Failure> {
        write_stdout(text)
    }

    /// Writes one line of JSON on stdout.
    ///
    /// # Errors
    /// As [`Self::result`].
    pub fn json_line(&self, value: &impl Serialize) -> Result<(), Failure> {
        let line = serde_json::to_string(value).expect("results have text keys");
        write_stdout(&line)
    }

    /// Writes a note on stderr, as `note: ...` or as `{"note":{"code","message"}}`; none with
    /// `--quiet`.
    pub fn note(&self, code: &'static str, message: &str) {
        if self.quiet {
            return;
        }
        let line = if self.json {
            json!({ "note": { "code": code, "message": message } }).to_string()
        } else {
            format!("note: {message}")
        };
        progress::wipe();
        // A note that nobody can read is no reason to fail.
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// Writes a line, or several, on stdout at once.
fn write_stdout(text: &str) -> Result<(), Failure> {
    progress::wipe();
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::io("cannot write", Path::new("the result to stdout"), &error))
        }
        _ => Ok(()),
    }
}
