//! A connection on which one side speaks after the other.

use std::time::Duration;

use bytes::BytesMut;
use futures::FutureExt as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};

use super::command::Command;
use super::reply::{REPLY_BYTES_MAX, Reply};

/// Some servers let strangers wait so long before they greet.
const ANSWER_TIME: Duration = Duration::from_mins(1);

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(super) struct Wire {
    stream: Box<dyn Stream>,
    read: BytesMut,
    /// By then what is being done has to be done.
    deadline: Instant,
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>, deadline: Instant) -> Self {
        Self {
            stream,
            read: BytesMut::new(),
            deadline,
        }
    }

    /// Gives what comes next so much time.
    pub(super) fn allow(&mut self, time: Duration) {
        self.deadline = Instant::now() + time;
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Says something and hears the answer.
    pub(super) async fn ask(&mut self, command: &Command) -> Result<Reply, String> {
        self.must_be_silent()?;
        self.write(command.as_bytes()).await?;
        self.reply().await
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let stream = &mut self.stream;
        let written = async {
            stream.write_all(bytes).await?;
            stream.flush().await
        };
        match timeout_at(self.deadline, written).await {
            Ok(written) => written.map_err(|error| format!("the connection broke: {error}")),
            Err(_) => Err("it took nothing more in time".to_owned()),
        }
    }

    pub(super) async fn reply(&mut self) -> Result<Reply, String> {
        let deadline = self.deadline.min(Instant::now() + ANSWER_TIME);
        match timeout_at(deadline, self.read_reply()).await {
            Ok(reply) => reply,
            Err(_) => Err("it did not answer in time".to_owned()),
        }
    }

    /// Whether the server said something unasked or hung up.
    pub(super) fn is_disturbed(&mut self) -> bool {
        // Not ready at once means that nothing came.
        !self.read.is_empty()
            || self
                .stream
                .read_buf(&mut self.read)
                .now_or_never()
                .is_some()
    }

    /// What was said before it was asked for could be anybody's who is in between.
    pub(super) fn must_be_silent(&self) -> Result<(), String> {
        if self.read.is_empty() {
            Ok(())
        } else {
            Err("it answered before it was asked".to_owned())
        }
    }

    pub(super) fn into_stream(self) -> Box<dyn Stream> {
        self.stream
    }

    async fn read_reply(&mut self) -> Result<Reply, String> {
        loop {
            if let Some(reply) = Reply::take(&mut self.read)? {
                return Ok(reply);
            }
            self.read.reserve(1_024);
            let room = REPLY_BYTES_MAX.saturating_sub(self.read.len()).max(1) as u64;
            let mut limited = (&mut self.stream).take(room);
            match limited.read_buf(&mut self.read).await {
                Ok(0) => return Err("it hung up".to_owned()),
                Ok(_) => {}
                Err(error) => return Err(format!("the connection broke: {error}")),
            }
        }
    }
}
