//! The one place that turns values into bytes and back.
//!
//! The encoding is bincode's `legacy` configuration: fixed-width little-endian integers, u64
//! lengths, u32 variant numbers. docs/PROTOCOL.md spells it out, so that the golden vectors and
//! not the library are the contract.

use bincode::{
    Decode, Encode,
    config::{self, Config},
    enc::write::{SizeWriter, Writer},
    error::{DecodeError, EncodeError},
};

use crate::limits::MAX_MESSAGE_BYTES;

fn configuration() -> impl Config {
    config::legacy().with_limit::<MAX_MESSAGE_BYTES>()
}

/// Why bytes are not the encoding of a value.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// Rule S1: more bytes than any message may have.
    #[error("{0} bytes, where a message has at most {MAX_MESSAGE_BYTES}")]
    TooLong(usize),
    /// Rule S2: the bytes end early, or hold a length, number or variant that is out of range.
    #[error("malformed: {0}")]
    Malformed(String),
    /// Rule S3: bytes are left after the value.
    #[error("{0} bytes too many at the end")]
    Trailing(usize),
    /// Rule S4: the value would be written with other bytes.
    #[error("not the canonical encoding")]
    NotCanonical,
}

impl CodecError {
    /// The number of the broken rule in docs/PROTOCOL.md.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "S1",
            Self::Malformed(_) => "S2",
            Self::Trailing(_) => "S3",
            Self::NotCanonical => "S4",
        }
    }
}

/// The bytes of a value.
pub fn encode<T: Encode>(value: &T) -> Vec<u8> {
    // The limit guards decoding only; our types have no encoding that can fail.
    bincode::encode_to_vec(value, config::legacy()).expect("every Cairn type can be encoded")
}

/// How many bytes [`encode`] would give.
pub fn encoded_len<T: Encode>(value: &T) -> usize {
    let mut size = SizeWriter::default();
    bincode::encode_into_writer(value, &mut size, config::legacy())
        .expect("every Cairn type can be encoded");
    size.bytes_written
}

/// The value of which these are all the bytes.
///
/// # Errors
/// [`CodecError`], by the rule that the bytes break.
pub fn decode<T: Encode + Decode<()>>(bytes: &[u8]) -> Result<T, CodecError> {
    if bytes.len() > MAX_MESSAGE_BYTES {
        return Err(CodecError::TooLong(bytes.len()));
    }
    let (value, length) = bincode::decode_from_slice(bytes, configuration())
        .map_err(|error: DecodeError| CodecError::Malformed(error.to_string()))?;
    if length < bytes.len() {
        return Err(CodecError::Trailing(bytes.len() - length));
    }
    let same = bincode::encode_into_writer(&value, Expected(bytes), config::legacy());
    same.map_err(|_| CodecError::NotCanonical)?;
    Ok(value)
}

/// A writer that fails as soon as what is written differs from these bytes.
struct Expected<'a>(&'a [u8]);

impl Writer for Expected<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0 = self.0.strip_prefix(bytes).ok_or(EncodeError::Other("other bytes"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_fixed_width_little_endian() {
        assert_eq!(encode(&0x0102_0304_u32), [4, 3, 2, 1]);
        assert_eq!(encode(&1_u64).len(), 8);
        assert_eq!(encoded_len(&1_u64), 8);
    }
}
