//! How a link starts: each side says hello, and checks what the other one says.

use cairn_protocol::messages::{FrameError, Hello, HelloError, Message, frame};
use cairn_protocol::{Network, NetworkId};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use crate::frames::{FrameReader, FrameWriter, ReadError};
use crate::limits::{HANDSHAKE_TIMEOUT, MAX_HELLO_BYTES};

/// A connection whose sides know each other.
#[derive(Debug)]
pub(crate) struct Greeted {
    pub(crate) reader: FrameReader<OwnedReadHalf>,
    pub(crate) writer: FrameWriter<OwnedWriteHalf>,
    pub(crate) hello: Hello,
}

/// Why a connection does not become a link.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandshakeError {
    /// Nobody there, or the connection broke.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It takes too long.
    #[error("no hello in time")]
    Timeout,
    /// What comes is no hello.
    #[error("no hello: {0}")]
    Read(#[from] ReadError),
    /// A message comes that may only follow a hello.
    #[error("it does not start with a hello")]
    OtherMessage,
    /// A node that cannot be talked to.
    #[error("{error}")]
    Refused {
        /// Why.
        error: HelloError,
        /// Its network; zeros if it did not say one that can be.
        network: NetworkId,
    },
}

/// Says `ours` and hears theirs, within [`HANDSHAKE_TIMEOUT`].
///
/// # Errors
/// [`HandshakeError`]; the connection is closed.
pub(crate) async fn greet(stream: TcpStream, ours: Hello) -> Result<Greeted, HandshakeError> {
    // Questions and statuses are small and wanted at once. Where the system refuses, they are late.
    let _ = stream.set_nodelay(true);
    let (read, write) = stream.into_split();
    let greeting = exchange(FrameReader::new(read), FrameWriter::new(write), &ours);
    let greeted =
        timeout(HANDSHAKE_TIMEOUT, greeting).await.map_err(|_| HandshakeError::Timeout)?;
    let greeted = greeted?;
    let check = greeted.hello.check(&ours.rules, ours.status.instance);
    check.map_err(|error| {
        // Rules that no network can live by have no id.
        let network = Network::new(greeted.hello.rules.clone()).map(|network| network.id());
        HandshakeError::Refused { error, network: network.unwrap_or_default() }
    })?;
    Ok(greeted)
}

async fn exchange(
    mut reader: FrameReader<OwnedReadHalf>,
    mut writer: FrameWriter<OwnedWriteHalf>,
    ours: &Hello,
) -> Result<Greeted, HandshakeError> {
    writer.push(frame(&Message::Hello(ours.clone())).into(), false).expect("the first frame fits");
    writer.flush().await?;
    let content = reader.next(MAX_HELLO_BYTES).await?;
    match Message::decode(&content) {
        Ok(Message::Hello(hello)) => Ok(Greeted { reader, writer, hello }),
        Ok(_) => Err(HandshakeError::OtherMessage),
        Err(FrameError::Hello(error)) => {
            Err(HandshakeError::Refused { error, network: NetworkId::default() })
        }
        Err(error) => Err(HandshakeError::Read(error.into())),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cairn_protocol::Rules;
    use cairn_protocol::codec::encoded_len;
    use tokio::io::AsyncWriteExt;
    use tokio::time::Instant;

    use super::*;
    use crate::testing::{connected, status};

    fn hello(instance: u8, difficulty: u8) -> Hello {
        Hello::new(Rules { difficulty, ..Rules::default() }, status(instance, 0))
    }

    #[tokio::test]
    async fn rule_l1_both_sides_learn_who_the_other_is() {
        let (one, two) = connected().await;
        let (one, two) = tokio::join!(greet(one, hello(1, 24)), greet(two, hello(2, 24)));
        assert_eq!(one.expect("a link").hello, hello(2, 24));
        assert_eq!(two.expect("a link").hello, hello(1, 24));
    }

    #[tokio::test]
    async fn rule_l2_both_sides_of_different_rules_name_the_difference() {
        let (one, two) = connected().await;
        let (one, two) = tokio::join!(greet(one, hello(1, 24)), greet(two, hello(2, 25)));
        let (one, two) = (one.expect_err("refused"), two.expect_err("refused"));
        assert!(one.to_string().ends_with("rules.difficulty is 24 here and 25 there"), "{one}");
        assert!(two.to_string().ends_with("rules.difficulty is 25 here and 24 there"), "{two}");
        let id = Network::new(hello(2, 25).rules).expect("possible").id();
        assert!(matches!(one, HandshakeError::Refused { network, .. } if network == id));
    }

    #[tokio::test]
    async fn rule_l2_ourselves_are_no_peer() {
        let (one, two) = connected().await;
        let (one, _) = tokio::join!(greet(one, hello(1, 24)), greet(two, hello(1, 24)));
        let error = HelloError::Ourselves;
        assert!(matches!(one, Err(HandshakeError::Refused { error: e, .. }) if e == error));
    }

    #[tokio::test]
    async fn rule_l2_another_version_is_named() {
        let mut newer = frame(&Message::Hello(hello(2, 24)));
        newer[12] = 2;
        let (one, mut two) = connected().await;
        two.write_all(&newer).await.expect("sent");
        let error = greet(one, hello(1, 24)).await.expect_err("refused");
        let version = HelloError::Version(2);
        assert!(matches!(error, HandshakeError::Refused { error, .. } if error == version));
    }

    #[tokio::test]
    async fn rule_l1_garbage_other_messages_and_long_hellos_are_refused() {
        let status = frame(&Message::Status(status(2, 0)));
        let cases: [(&[u8], &str); 4] = [
            (b"GET / HTTP/1.1\r\n\r\n", "a frame of"),
            (&status, "does not start with a hello"),
            (&[2, 0, 0, 0, 9, 9], "malformed"),
            (&1_000_u32.to_le_bytes(), "a frame of 1000 bytes"),
        ];
        for (bytes, text) in cases {
            let (one, mut two) = connected().await;
            two.write_all(bytes).await.expect("sent");
            let error = greet(one, hello(1, 24)).await.expect_err("refused");
            assert!(error.to_string().contains(text), "{error}");
        }
    }

    /// How long we wait for the hello of a peer that has sent so many bytes of it.
    async fn wait_for_rest(bytes: usize) -> Duration {
        let (one, mut two) = connected().await;
        let start = &frame(&Message::Hello(hello(2, 24)))[..bytes];
        two.write_all(start).await.expect("sent");
        let asked = Instant::now();
        let error = greet(one, hello(1, 24)).await.expect_err("silence");
        assert!(matches!(error, HandshakeError::Timeout));
        asked.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn rule_l1_both_hellos_come_within_five_seconds() {
        assert_eq!(wait_for_rest(0).await.as_secs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn behaviour_36_a_peer_that_stops_in_the_middle_of_its_hello_times_out() {
        assert_eq!(wait_for_rest(30).await.as_secs(), 5);
    }

    #[test]
    fn rule_l1_the_longest_hello_fits() {
        let name = "abcdefghijklmnopqrst".parse().expect("a name");
        let longest = Hello::new(Rules { name, ..Rules::default() }, status(1, 0));
        assert!(encoded_len(&Message::Hello(longest)) <= MAX_HELLO_BYTES);
    }
}
