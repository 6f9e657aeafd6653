//! `wallet new-address NAME`: a new key in a file, and its address.

use cairn_home::{Failure, KeyName};
use serde::Serialize;

use crate::cli::NewAddress;
use crate::context::Context;
use crate::index;

pub(crate) fn run(context: &Context, args: &NewAddress) -> Result<(), Failure> {
    let name: KeyName = args.name.parse()?;
    let keys = context.keys();
    let account = keys.create(&name)?.account();
    index::begin(context, account);
    let address = context.address(account).to_string();
    let file = keys.file(&name).display().to_string();
    let answer = Answer { name: name.as_str(), address: &address, key_file: &file };
    context.output.result(&answer, || {
        format!(
            "Name      {name}\n\
             Address   {address}\n\
             Key file  {file}\n\
             Whoever has the key file can spend the coins: keep a copy, and keep it secret."
        )
    })
}

/// A new address, as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    name: &'a str,
    address: &'a str,
    key_file: &'a str,
}
