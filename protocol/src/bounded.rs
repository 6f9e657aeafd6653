//! [`Bounded`]: a list that no peer can make longer than its type says.

use std::ops::Deref;

use bincode::{
    BorrowDecode, Decode, Encode,
    de::{BorrowDecoder, Decoder, read::Reader},
    enc::{Encoder, write::Writer},
    error::{DecodeError, EncodeError},
};

/// At most `MAX` items. On the wire: the number of items as u64, then each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounded<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> Bounded<T, MAX> {
    /// The most items that fit.
    pub const MAX: usize = MAX;

    /// A list of these items; `None` if there are more than `MAX`.
    pub fn new(items: Vec<T>) -> Option<Self> {
        (items.len() <= MAX).then_some(Self(items))
    }

    /// A list of the first `MAX` items.
    pub fn first(items: impl IntoIterator<Item = T>) -> Self {
        Self(items.into_iter().take(MAX).collect())
    }

    /// The items.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T, const MAX: usize> Default for Bounded<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MAX: usize> Deref for Bounded<T, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Encode, const MAX: usize> Encode for Bounded<T, MAX> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.0.encode(encoder)
    }
}

impl<Context, T: Decode<Context>, const MAX: usize> Decode<Context> for Bounded<T, MAX> {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let length = decode_length(decoder, MAX)?;
        // The list grows as its items arrive, so a length alone allocates nothing.
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(T::decode(decoder)?);
        }
        Ok(Self(items))
    }
}

impl<'de, Context, T: Decode<Context>, const MAX: usize> BorrowDecode<'de, Context>
    for Bounded<T, MAX>
{
    fn borrow_decode<D: BorrowDecoder<'de, Context = Context>>(
        decoder: &mut D,
    ) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}

/// At most `MAX` bytes, opaque. On the wire as [`Bounded`]`<u8, MAX>`, but copied at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoundedBytes<const MAX: usize>(Vec<u8>);

impl<const MAX: usize> BoundedBytes<MAX> {
    /// These bytes; `None` if there are more than `MAX`.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() <= MAX).then_some(Self(bytes))
    }

    /// The bytes.
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

impl<const MAX: usize> Deref for BoundedBytes<MAX> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<const MAX: usize> Encode for BoundedBytes<MAX> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        (self.0.len() as u64).encode(encoder)?;
        encoder.writer().write(&self.0)
    }
}

impl<Context, const MAX: usize> Decode<Context> for BoundedBytes<MAX> {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let length = decode_length(decoder, MAX)?;
        decoder.claim_bytes_read(length)?;
        let mut bytes = vec![0; length];
        decoder.reader().read(&mut bytes)?;
        Ok(Self(bytes))
    }
}

impl<'de, Context, const MAX: usize> BorrowDecode<'de, Context> for BoundedBytes<MAX> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = Context>>(
        decoder: &mut D,
    ) -> Result<Self, DecodeError> {
        Self::decode(decoder)
    }
}

/// Reads a length and refuses it, before anything is allocated, if it is above `max` or if the
/// input that is left has fewer bytes (every item takes at least one).
fn decode_length<D: Decoder>(decoder: &mut D, max: usize) -> Result<usize, DecodeError> {
    let length = u64::decode(decoder)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > max {
        return Err(DecodeError::OtherString(format!("{length} items where {max} are the most")));
    }
    // Without this, a claim of many items in a short input would cost their allocation.
    if decoder.reader().peek_read(length).is_none() {
        return Err(DecodeError::UnexpectedEnd { additional: length });
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use crate::codec::{decode, encode};

    use super::*;

    #[test]
    fn round_trips_up_to_the_limit_and_not_beyond() {
        let full = Bounded::<u16, 3>::new(vec![1, 2, 3]).expect("three fit");
        assert_eq!(decode::<Bounded<u16, 3>>(&encode(&full)).expect("decodes"), full);
        assert_eq!(Bounded::<u16, 2>::new(vec![1, 2, 3]), None);
        assert!(decode::<Bounded<u16, 2>>(&encode(&full)).is_err());
    }

    #[test]
    fn bytes_are_written_as_a_list_of_bytes() {
        let list = Bounded::<u8, 4>::first([7, 8, 9]);
        let bytes = BoundedBytes::<4>::new(vec![7, 8, 9]).expect("three fit");
        assert_eq!(encode(&list), encode(&bytes));
        assert_eq!(decode::<BoundedBytes<4>>(&encode(&bytes)).expect("decodes"), bytes);
        assert!(decode::<BoundedBytes<2>>(&encode(&bytes)).is_err());
    }

    /// A record derives both ways of decoding; only the other one is used by [`decode`].
    #[test]
    fn borrowing_from_the_input_reads_the_same() {
        let list = Bounded::<u16, 3>::new(vec![1, 2, 3]).expect("three fit");
        let bytes = BoundedBytes::<4>::new(vec![7, 8, 9]).expect("three fit");
        let input = encode(&(list.clone(), bytes.clone()));
        let read = bincode::borrow_decode_from_slice(&input, bincode::config::legacy());
        assert_eq!(read.expect("decodes"), ((list, bytes), input.len()));
    }

    #[test]
    fn attack_11_hostile_lengths_are_refused() {
        for length in [4_u64, 5, u64::from(u32::MAX), u64::MAX] {
            let mut input = encode(&length);
            input.extend([1, 2, 3]);
            assert!(decode::<Bounded<u8, 1_000_000>>(&input).is_err(), "{length}");
            assert!(decode::<BoundedBytes<1_000_000>>(&input).is_err(), "{length}");
        }
    }
}
