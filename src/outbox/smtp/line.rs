//! The wire with a deadline on every read and write, and replies read strictly from it.

use super::{Phase, Trouble};
use crate::outbox::reply::{Gather, LINE_LIMIT};
use crate::outbox::{Reply, Secret};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::timeout;

/// Whatever carries bytes both ways: a socket, TLS on a socket, a pipe in a test.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// One end of a conversation.
pub struct Line {
    io: BufReader<Box<dyn Wire>>,
    patience: Duration,
    /// What is said over this line and must not be heard back from it, and whose it is.
    hidden: Option<(Secret, String)>,
}

impl Line {
    pub fn new(wire: Box<dyn Wire>, patience: Duration) -> Self {
        Line { io: BufReader::new(wire), patience, hidden: None }
    }

    /// From here on no reply repeats the secret: servers and what debugs them do, long after the login.
    pub fn hide(&mut self, secret: &Secret, user: &str) {
        self.hidden = Some((secret.clone(), user.to_owned()));
    }

    /// Writes all of it.
    pub async fn say(&mut self, phase: Phase, bytes: &[u8]) -> Result<(), Trouble> {
        let deadline = phase.deadline().min(self.patience);
        let write = async {
            self.io.write_all(bytes).await?;
            self.io.flush().await
        };
        match timeout(deadline, write).await {
            Err(_) => Err(Trouble::Silent(phase)),
            Ok(Err(_)) => Err(Trouble::Closed(phase)),
            Ok(Ok(())) => Ok(()),
        }
    }

    /// Reads one complete reply. The deadline is for all of it: a server that drips gains nothing.
    pub async fn hear(&mut self, phase: Phase) -> Result<Reply, Trouble> {
        let deadline = phase.deadline().min(self.patience);
        timeout(deadline, self.gather(phase)).await.unwrap_or(Err(Trouble::Silent(phase)))
    }

    async fn gather(&mut self, phase: Phase) -> Result<Reply, Trouble> {
        let mut gather = Gather::default();
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = (&mut self.io).take(LINE_LIMIT as u64 + 1).read_until(b'\n', &mut line).await;
            let whole = line.ends_with(b"\n") || line.len() > LINE_LIMIT;
            if read.is_err() || !whole {
                return Err(Trouble::Closed(phase));
            }
            match gather.line(&line) {
                Ok(Some(mut reply)) => {
                    if let Some((secret, user)) = &self.hidden {
                        reply.text = secret.redact(&reply.text, user);
                    }
                    return Ok(reply);
                }
                Ok(None) => {}
                Err(malformed) => return Err(Trouble::Garbled(phase, malformed)),
            }
        }
    }

    /// Says a command and hears the answer.
    pub async fn ask(&mut self, phase: Phase, command: &str) -> Result<Reply, Trouble> {
        self.say(phase, command.as_bytes()).await?;
        self.hear(phase).await
    }

    /// Whether the peer has spoken or hung up, as far as this machine knows; it does not wait.
    pub async fn has_news(&mut self) -> bool {
        poll_fn(|context| Poll::Ready(Pin::new(&mut self.io).poll_fill_buf(context).is_ready())).await
    }

    /// Whether something has come that nobody has asked for yet.
    pub fn has_unread(&self) -> bool {
        !self.io.buffer().is_empty()
    }

    /// The wire itself. What was read ahead is gone: see [`Line::has_unread`].
    pub fn into_wire(self) -> Box<dyn Wire> {
        self.io.into_inner()
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}
