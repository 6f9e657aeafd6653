//! Frames on a byte stream: reading and writing them in pieces of any size.
//!
//! Both halves can be abandoned in the middle of a wait and resumed without losing a byte, so one
//! task can read, write and keep the time.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use cairn_protocol::messages::{FRAME_PREFIX_BYTES, FrameError, frame_length};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use crate::limits::MAX_WRITE_BYTES;

/// The bytes of a frame, shared by the links that it goes to.
pub(crate) type Frame = Arc<[u8]>;

/// How much room is made at a time for what arrives. A long frame gets its memory as it comes, not
/// when it is announced.
const READ_BYTES: usize = 64 << 10;

/// Why no frame was read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The other side has closed the link.
    #[error("closed by the other side")]
    Closed,
    /// The connection broke.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// What came is no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// Reads frames.
#[derive(Debug)]
pub(crate) struct FrameReader<R> {
    stream: R,
    buffer: Vec<u8>,
    /// Where in the buffer the next frame starts.
    start: usize,
    last_arrival: Instant,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// A reader of this stream.
    pub(crate) fn new(stream: R) -> Self {
        Self { stream, buffer: Vec::new(), start: 0, last_arrival: Instant::now() }
    }

    /// When something last arrived.
    pub(crate) fn last_arrival(&self) -> Instant {
        self.last_arrival
    }

    /// The content of the next frame, which must not be longer than `most`.
    ///
    /// # Errors
    /// [`ReadError`]; no frame comes after it.
    pub(crate) async fn next(&mut self, most: usize) -> Result<Vec<u8>, ReadError> {
        loop {
            if let Some(content) = self.take_frame(most)? {
                return Ok(content);
            }
            self.buffer.drain(..self.start);
            self.start = 0;
            self.buffer.reserve(READ_BYTES);
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(ReadError::Closed);
            }
            self.last_arrival = Instant::now();
        }
    }

    /// Reads and forgets what comes, until the other side has closed.
    pub(crate) async fn drain(&mut self) {
        loop {
            self.buffer.clear();
            self.buffer.reserve(READ_BYTES);
            if !matches!(self.stream.read_buf(&mut self.buffer).await, Ok(1..)) {
                return;
            }
        }
    }

    fn take_frame(&mut self, most: usize) -> Result<Option<Vec<u8>>, FrameError> {
        let arrived = &self.buffer[self.start..];
        let Some((prefix, rest)) = arrived.split_first_chunk::<FRAME_PREFIX_BYTES>() else {
            return Ok(None);
        };
        let length = frame_length(*prefix)?;
        if length > most {
            return Err(FrameError::Length(u32::from_le_bytes(*prefix)));
        }
        let content = rest.get(..length).map(<[u8]>::to_vec);
        if content.is_some() {
            self.start += FRAME_PREFIX_BYTES + length;
        }
        Ok(content)
    }
}

/// The other side reads more slowly than it is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it does not read: {MAX_WRITE_BYTES} bytes wait for it")]
pub(crate) struct SlowReader;

/// Writes frames, of which a bounded number of bytes may wait.
#[derive(Debug)]
pub(crate) struct FrameWriter<W> {
    stream: W,
    queue: VecDeque<Queued>,
    queued_bytes: usize,
    /// The bytes of the first frame that are written.
    written: usize,
}

#[derive(Debug)]
struct Queued {
    frame: Frame,
    is_answer: bool,
}

impl<W: AsyncWrite + Unpin> FrameWriter<W> {
    /// A writer to this stream.
    pub(crate) fn new(stream: W) -> Self {
        Self { stream, queue: VecDeque::new(), queued_bytes: 0, written: 0 }
    }

    /// Puts a frame behind those that wait.
    ///
    /// # Errors
    /// [`SlowReader`] if too many bytes would wait.
    pub(crate) fn push(&mut self, frame: Frame, is_answer: bool) -> Result<(), SlowReader> {
        self.queued_bytes += frame.len();
        if self.queued_bytes > MAX_WRITE_BYTES {
            return Err(SlowReader);
        }
        self.queue.push_back(Queued { frame, is_answer });
        Ok(())
    }

    /// Writes some bytes, and waits for ever if there are none. Returns whether an answer is now
    /// written in full.
    ///
    /// # Errors
    /// What the system says of a broken connection.
    pub(crate) async fn progress(&mut self) -> io::Result<bool> {
        let Some(first) = self.queue.front() else {
            return std::future::pending().await;
        };
        self.written += self.stream.write(&first.frame[self.written..]).await?;
        if self.written < first.frame.len() {
            return Ok(false);
        }
        self.written = 0;
        self.queued_bytes -= first.frame.len();
        let done = self.queue.pop_front();
        Ok(done.is_some_and(|queued| queued.is_answer))
    }

    /// Writes all that waits.
    ///
    /// # Errors
    /// What the system says of a broken connection.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        while !self.queue.is_empty() {
            self.progress().await?;
        }
        Ok(())
    }

    /// Writes all that waits, and tells the other side that nothing follows.
    ///
    /// # Errors
    /// What the system says of a broken connection.
    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        self.flush().await?;
        self.stream.shutdown().await
    }
}

#[cfg(test)]
mod tests {
    use cairn_protocol::limits::MAX_MESSAGE_BYTES;
    use tokio::io::duplex;

    use super::*;

    fn frame(content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).expect("short");
        [length.to_le_bytes().as_slice(), content].concat()
    }

    #[tokio::test]
    async fn frames_arrive_whole_in_segments_of_any_size() {
        let contents: Vec<Vec<u8>> = [1, 2, 300, 100_000].map(|size| vec![7; size]).to_vec();
        let bytes: Vec<u8> = contents.iter().flat_map(|content| frame(content)).collect();
        for segment in [1, 3, 4_096, bytes.len()] {
            let (mut sender, receiver) = duplex(segment);
            let sent = bytes.clone();
            let writing = tokio::spawn(async move { sender.write_all(&sent).await });
            let mut reader = FrameReader::new(receiver);
            for content in &contents {
                let next = reader.next(MAX_MESSAGE_BYTES).await.expect("a frame");
                assert_eq!(&next, content);
            }
            writing.await.expect("no panic").expect("written");
            let end = reader.next(MAX_MESSAGE_BYTES).await;
            assert!(matches!(end, Err(ReadError::Closed)));
        }
    }

    #[tokio::test]
    async fn an_abandoned_read_loses_nothing() {
        let (mut sender, receiver) = duplex(64);
        let mut reader = FrameReader::new(receiver);
        for byte in frame(b"in single bytes") {
            let waiting = reader.next(MAX_MESSAGE_BYTES);
            tokio::select! {
                biased;
                _ = waiting => panic!("not complete yet"),
                () = std::future::ready(()) => {}
            }
            sender.write_all(&[byte]).await.expect("room");
        }
        let content = reader.next(MAX_MESSAGE_BYTES).await.expect("a frame");
        assert_eq!(content, b"in single bytes");
    }

    #[tokio::test]
    async fn attack_11_hostile_lengths_are_refused_before_anything_is_allocated() {
        for (length, most) in [(u32::MAX, MAX_MESSAGE_BYTES), (0, MAX_MESSAGE_BYTES), (513, 512)] {
            let (mut sender, receiver) = duplex(64);
            sender.write_all(&length.to_le_bytes()).await.expect("room");
            let mut reader = FrameReader::new(receiver);
            let error = reader.next(most).await.expect_err("refused");
            assert!(matches!(error, ReadError::Frame(FrameError::Length(l)) if l == length));
            assert!(reader.buffer.capacity() <= 2 * READ_BYTES);
        }
    }

    #[tokio::test]
    async fn attack_11_an_announced_frame_gets_its_memory_as_it_comes() {
        let (mut sender, receiver) = duplex(64);
        sender.write_all(&(1_u32 << 20).to_le_bytes()).await.expect("room");
        sender.write_all(b"and no more").await.expect("room");
        drop(sender);
        let mut reader = FrameReader::new(receiver);
        assert!(matches!(reader.next(MAX_MESSAGE_BYTES).await, Err(ReadError::Closed)));
        assert!(reader.buffer.capacity() <= 4 * READ_BYTES);
    }

    #[tokio::test]
    async fn rule_l5_a_slow_reader_overflows_a_bounded_queue() {
        let (sender, _receiver) = duplex(64);
        let mut writer = FrameWriter::new(sender);
        let large: Frame = vec![0; 1 << 20].into();
        for _ in 0..8 {
            assert_eq!(writer.push(large.clone(), true), Ok(()));
        }
        assert_eq!(writer.push(large, true), Err(SlowReader));
    }

    #[tokio::test]
    async fn written_answers_are_counted_and_bytes_come_in_order() {
        let (sender, receiver) = duplex(3);
        let mut writer = FrameWriter::new(sender);
        for (content, is_answer) in [(b"abcde", true), (b"fghij", false)] {
            writer.push(frame(content).into(), is_answer).expect("room");
        }
        let mut reader = FrameReader::new(receiver);
        let reading = tokio::spawn(async move {
            [reader.next(9).await.expect("a frame"), reader.next(9).await.expect("a frame")]
        });
        let mut answers = 0;
        while !writer.queue.is_empty() {
            answers += usize::from(writer.progress().await.expect("written"));
        }
        assert_eq!(answers, 1);
        assert_eq!(reading.await.expect("no panic"), [b"abcde", b"fghij"]);
    }
}
