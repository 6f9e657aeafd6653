//! The rules that need no chain (docs/PROTOCOL.md, sections 1 to 8), each by its number: what
//! breaks it is refused by its name, and the nearest that keeps it is accepted.

mod blocks;
mod draft;
mod encodings;
mod headers;
mod kit;
mod many;
mod networks;
mod order;
mod signatures;
mod transactions;
mod twins;
