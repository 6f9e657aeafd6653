//! One link: a task that reads, writes and keeps the time. Nothing it does waits for the other
//! side, except reading.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use cairn_node::{Failure, Origin, PeerId, QuestionId, Verified};
use cairn_protocol::Transaction;
use cairn_protocol::limits::MAX_MESSAGE_BYTES;
use cairn_protocol::messages::{Answer, InstanceId, Message, Request, RequestId, Status, frame};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use crate::answers;
use crate::frames::{Frame, FrameReader, FrameWriter, ReadError, SlowReader};
use crate::handshake::Greeted;
use crate::inbox::{Command, Incoming, LinkId};
use crate::limits::{FAREWELL, MAX_ANSWERING, MAX_WAITING};
use crate::questions::Questions;
use crate::server::ServeError;
use crate::surroundings::Surroundings;

/// Why a link ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkEnd {
    /// The driver let go of it.
    #[error("no longer wanted")]
    Released,
    /// The connection broke, or what came is no frame.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The connection broke.
    #[error("{0}")]
    Write(#[from] std::io::Error),
    /// It does not take what it is sent.
    #[error(transparent)]
    SlowReader(#[from] SlowReader),
    /// Nothing came for this long.
    #[error("silent for {} s", .0.as_secs())]
    Silent(Duration),
    /// It leaves too many questions without an answer.
    #[error("it does not answer")]
    Unresponsive,
    /// It sent what no honest node sends.
    #[error("{0}")]
    Misbehaved(String),
    /// The chain cannot be read, or the node is stopping.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A thread of ours died.
    #[error("internal: {0}")]
    Job(#[from] JoinError),
}

impl LinkEnd {
    /// Whether the other side is to blame.
    pub(crate) fn is_misbehaviour(&self) -> bool {
        matches!(self, Self::Misbehaved(_) | Self::Read(ReadError::Frame(_)))
    }
}

/// One link.
pub(crate) struct Link {
    id: LinkId,
    peer: PeerId,
    instance: InstanceId,
    reader: FrameReader<OwnedReadHalf>,
    writer: FrameWriter<OwnedWriteHalf>,
    commands: mpsc::Receiver<Command>,
    questions: Questions,
    jobs: JoinSet<Done>,
    /// Their questions that are being answered, or whose answers are being written.
    answering: usize,
    /// Their further questions, in the order in which they came.
    waiting: VecDeque<(RequestId, Request)>,
    around: Arc<Surroundings>,
}

/// Work that was done elsewhere.
enum Done {
    Served(Result<Frame, ServeError>),
    Checked(QuestionId, Result<Verified, Failure>),
}

impl Link {
    /// A link that the driver has welcomed.
    pub(crate) fn new(
        (id, peer): (LinkId, PeerId),
        greeted: Greeted,
        commands: mpsc::Receiver<Command>,
        around: Arc<Surroundings>,
    ) -> Self {
        let Greeted { reader, writer, hello } = greeted;
        Self {
            id,
            peer,
            instance: hello.status.instance,
            reader,
            writer,
            commands,
            questions: Questions::default(),
            jobs: JoinSet::new(),
            answering: 0,
            waiting: VecDeque::new(),
            around,
        }
    }

    /// The driver's number for it.
    pub(crate) fn id(&self) -> LinkId {
        self.id
    }

    /// Does its work until it ends, and says why.
    pub(crate) async fn run(mut self) -> LinkEnd {
        loop {
            if let Err(end) = self.turn().await {
                if matches!(end, LinkEnd::Released) {
                    self.say_goodbye().await;
                }
                return end;
            }
        }
    }

    /// Writes what the driver handed over before it let go. Then the other side is to close first:
    /// a connection closed while bytes of theirs are unread is reset, and a reset overtakes ours.
    async fn say_goodbye(&mut self) {
        while let Ok(command) = self.commands.try_recv() {
            if self.obey(command).is_err() {
                return;
            }
        }
        let farewell = async { tokio::join!(self.writer.finish(), self.reader.drain()) };
        if !matches!(timeout(FAREWELL, farewell).await, Ok((Ok(()), ()))) {
            tracing::debug!("{:?} may not have written all", self.id);
        }
    }

    /// One thing that comes up. What can be done at once goes before what may never end: a flood
    /// of messages. The time is looked at last, when all that arrived has been read.
    async fn turn(&mut self) -> Result<(), LinkEnd> {
        // A flood may leave no turn for the branch that keeps the time.
        let now = Instant::now();
        self.give_up(now, now).await?;
        let silent_at = self.reader.last_arrival() + self.around.silence;
        let question = self.questions.deadline(self.reader.last_arrival());
        let wake = question.map_or(silent_at, |deadline| deadline.min(silent_at));
        tokio::select! {
            biased;
            command = self.commands.recv() => self.obey(command.ok_or(LinkEnd::Released)?),
            is_answer = self.writer.progress() => {
                self.answering -= usize::from(is_answer?);
                self.take_questions().await
            }
            Some(done) = self.jobs.join_next() => self.finish(done?).await,
            content = self.reader.next(MAX_MESSAGE_BYTES), if self.waiting.len() < MAX_WAITING => {
                let message = Message::decode(&content?).map_err(ReadError::from)?;
                self.receive(message).await
            }
            () = sleep_until(wake) => self.keep_time().await,
        }
    }

    fn obey(&mut self, command: Command) -> Result<(), LinkEnd> {
        match command {
            Command::Send(frame) => self.writer.push(frame, false)?,
            Command::Ask { question, request, deadline } => {
                let id = self.questions.ask(question, request.clone(), deadline, Instant::now());
                self.writer.push(frame(&Message::Request(id, request)).into(), false)?;
            }
            Command::Answer { request, answer } => {
                self.writer.push(frame(&Message::Answer(request, answer)).into(), true)?;
            }
        }
        Ok(())
    }

    async fn receive(&mut self, message: Message) -> Result<(), LinkEnd> {
        match message {
            Message::Hello(_) => Err(LinkEnd::Misbehaved("a second hello".to_owned())),
            Message::Status(status) => self.receive_status(status).await,
            Message::Transaction(transaction) => self.receive_transaction(transaction).await,
            Message::Request(id, request) => self.receive_request(id, request).await,
            Message::Answer(id, answer) => self.receive_answer(id, answer),
        }
    }

    async fn receive_status(&mut self, status: Status) -> Result<(), LinkEnd> {
        if status.instance != self.instance {
            return Err(LinkEnd::Misbehaved("a status of another node".to_owned()));
        }
        self.tell(Incoming::LinkStatus { link: self.id, status }).await
    }

    async fn receive_transaction(&mut self, transaction: Transaction) -> Result<(), LinkEnd> {
        self.around.intake.take(Origin::Link(self.peer), transaction).await;
        Ok(())
    }

    async fn receive_request(&mut self, id: RequestId, request: Request) -> Result<(), LinkEnd> {
        self.waiting.push_back((id, request));
        self.take_questions().await
    }

    /// Has their next questions answered. What comes after those is read on: answers to ours are
    /// not to wait until ours are written.
    async fn take_questions(&mut self) -> Result<(), LinkEnd> {
        while self.answering < MAX_ANSWERING
            && let Some((id, request)) = self.waiting.pop_front()
        {
            self.answering += 1;
            self.answer(id, request).await?;
        }
        Ok(())
    }

    async fn answer(&mut self, id: RequestId, request: Request) -> Result<(), LinkEnd> {
        match request {
            Request::Headers(_) | Request::Blocks(_) => {
                let serving = Arc::clone(&self.around.server).serve(id, request);
                self.jobs.spawn(async move { Done::Served(serving.await) });
                Ok(())
            }
            Request::MempoolIds(_) | Request::Transactions(_) => {
                self.tell(Incoming::Asked { link: self.id, request: id, question: request }).await
            }
        }
    }

    fn receive_answer(&mut self, id: RequestId, answer: Answer) -> Result<(), LinkEnd> {
        let answered = self.questions.answered(id);
        let unasked = || LinkEnd::Misbehaved("an answer that was not asked for".to_owned());
        // What comes too late was given up, and has been asked elsewhere.
        let Some(open) = answered.map_err(|_| unasked())? else { return Ok(()) };
        let around = Arc::clone(&self.around);
        self.jobs.spawn_blocking(move || {
            let checked = answers::check(&open.request, answer, &around.network, &around.known);
            Done::Checked(open.question, checked)
        });
        Ok(())
    }

    async fn finish(&mut self, done: Done) -> Result<(), LinkEnd> {
        let link = self.id;
        match done {
            Done::Served(frame) => Ok(self.writer.push(frame?, true)?),
            Done::Checked(question, Ok(answer)) => {
                self.tell(Incoming::Answered { link, question, answer }).await
            }
            Done::Checked(question, Err(failure)) => {
                let what = match &failure {
                    Failure::Unreachable => "no answer".to_owned(),
                    Failure::Misbehaved(what) => what.clone(),
                    Failure::InvalidBlock(block, error) => format!("block {block}: {error}"),
                };
                self.tell(Incoming::Failed { link, question, failure }).await?;
                Err(LinkEnd::Misbehaved(what))
            }
        }
    }

    async fn keep_time(&mut self) -> Result<(), LinkEnd> {
        let (now, last_arrival) = (Instant::now(), self.reader.last_arrival());
        self.give_up(last_arrival, now).await?;
        let silence = now.duration_since(last_arrival);
        if silence >= self.around.silence { Err(LinkEnd::Silent(silence)) } else { Ok(()) }
    }

    /// Gives up the questions whose time is over, and the link if too many answers are overdue.
    async fn give_up(&mut self, last_arrival: Instant, now: Instant) -> Result<(), LinkEnd> {
        for question in self.questions.expire(last_arrival, now) {
            let failure = Failure::Unreachable;
            self.tell(Incoming::Failed { link: self.id, question, failure }).await?;
        }
        if self.questions.is_hopeless() { Err(LinkEnd::Unresponsive) } else { Ok(()) }
    }

    async fn tell(&self, incoming: Incoming) -> Result<(), LinkEnd> {
        self.around.inbox.send(incoming).await.map_err(|_| LinkEnd::Released)
    }
}

#[cfg(test)]
mod tests;
