//! One message over an open session: who judged it, the server or the connection.

use super::session::Session;
use super::transparency::{BLOCK, Transparent};
use super::{Phase, Trouble, envelope};
use crate::fault::{self, Finding};
use crate::outbox::outcome::Unwritten;
use crate::outbox::retry::Meaning;
use crate::outbox::{Claimed, Lease, Payload, Refusal, Reply, Unsendable};
use lettre::transport::smtp::commands::{Data, Rset};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// How a transaction ended.
#[derive(Debug)]
pub enum Verdict {
    /// 250 to the dot.
    Accepted(Reply),
    /// A complete 4xx.
    Later(Phase, Reply),
    /// A complete 5xx, or a message that must not leave.
    Refused(Refusal),
    /// Somebody else has the message now; the dot was not written.
    LeaseLost,
    /// The connection failed. `marked`: the server may have the message.
    Broken { trouble: Trouble, marked: bool },
}

/// Why a transaction ends before its dot.
enum End {
    Verdict(Verdict),
    Fault(fault::Fault),
}

impl From<Trouble> for End {
    fn from(trouble: Trouble) -> Self {
        End::Verdict(Verdict::Broken { trouble, marked: false })
    }
}

impl From<Unsendable> for End {
    fn from(unsendable: Unsendable) -> Self {
        End::Verdict(Verdict::Refused(Refusal::Message(unsendable)))
    }
}

impl From<Unwritten> for End {
    fn from(unwritten: Unwritten) -> Self {
        match unwritten {
            Unwritten::Message(unsendable) => unsendable.into(),
            Unwritten::Machine(finding) => Trouble::Unread(finding).into(),
        }
    }
}

impl Session {
    /// Carries one message. `mark` writes the durable mark and is called once, before the last block; when it fails, the
    /// connection is dropped with the message incomplete, and the fault is returned.
    pub async fn transmit(
        &mut self,
        message: &Claimed,
        mark: &mut dyn FnMut() -> fault::Result<Lease>,
    ) -> fault::Result<Verdict> {
        self.carried += 1;
        let verdict = match self.converse(message, mark).await {
            Ok(verdict) | Err(End::Verdict(verdict)) => verdict,
            Err(End::Fault(fault)) => {
                self.over = true;
                return Err(fault);
            }
        };
        self.last = Instant::now();
        self.soiled = !matches!(verdict, Verdict::Accepted(_));
        self.over |= matches!(verdict, Verdict::LeaseLost | Verdict::Broken { .. });
        Ok(verdict)
    }

    async fn converse(
        &mut self,
        message: &Claimed,
        mark: &mut dyn FnMut() -> fault::Result<Lease>,
    ) -> Result<Verdict, End> {
        let (mail, rcpt) = envelope::commands(&self.offers, message)?;
        if self.line.has_unread() {
            return Err(self.unasked().await.into());
        }
        let ahead = Ahead::begin(&message.payload);
        self.introduce(mail, rcpt).await?;
        // From here on the connection is good for nothing but this message, until its dot is answered.
        self.over = true;
        let last = self.stream(ahead).await?;
        // What comes before the dot is no answer to it, and still costs no doubt.
        if self.line.has_news().await {
            return Err(self.last_words(Trouble::Closed(Phase::Body)).await);
        }
        match mark().map_err(End::Fault)? {
            Lease::Held => {}
            Lease::Lost => return Ok(Verdict::LeaseLost),
        }
        Ok(self.finish(&last).await)
    }

    /// Everything up to the 354.
    async fn introduce(&mut self, mail: String, rcpt: String) -> Result<(), End> {
        let mut commands = Vec::with_capacity(4);
        if self.soiled {
            commands.push((Phase::Reset, Rset.to_string()));
        }
        commands.extend([(Phase::Mail, mail), (Phase::Rcpt, rcpt), (Phase::Data, Data.to_string())]);
        if !self.offers.pipelining {
            for (phase, command) in commands {
                let reply = self.line.ask(phase, &command).await?;
                judge(phase, reply)?;
            }
            return Ok(());
        }
        let group: String = commands.iter().map(|(_, command)| command.as_str()).collect();
        self.line.say(Phase::Mail, group.as_bytes()).await?;
        // Every reply is read, so that questions and answers stay in step; the first refusal counts.
        let mut refused = None;
        for (phase, _) in commands {
            let reply = self.line.hear(phase).await?;
            // Data is expected after all, though nobody is to get it: not a byte of it may follow (RFC 2920 §3.1).
            self.over |= refused.is_some() && phase == Phase::Data && reply.code == 354;
            match judge(phase, reply) {
                Err(End::Verdict(broken @ Verdict::Broken { .. })) => return Err(End::Verdict(broken)),
                Err(end) => refused = refused.or(Some(end)),
                Ok(()) => {}
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// Writes all but the last block of the message, which it returns.
    async fn stream(&mut self, ahead: Ahead) -> Result<Vec<u8>, End> {
        let (mut blocks, reader) = match ahead {
            Ahead::Held(payload) => {
                let mut blocks = Vec::new();
                let last = Transparent::fill(&*payload, |block| {
                    blocks.push(block);
                    Ok(())
                })?;
                for block in blocks {
                    self.block(&block).await?;
                }
                return Ok(last);
            }
            Ahead::Read { blocks, reader } => (blocks, reader),
        };
        while let Some(block) = read_in_time(&mut blocks).await? {
            self.block(&block).await?;
        }
        let last = reader.await.unwrap_or_else(|_| {
            let cause = "reading the message failed inside the program".to_owned();
            let remedy = "run `preview` for this person, and report what it says".to_owned();
            Err(Unsendable::Unreadable { cause, remedy }.into())
        });
        Ok(last?)
    }

    /// One block before the last.
    async fn block(&mut self, block: &[u8]) -> Result<(), End> {
        match self.line.say(Phase::Body, block).await {
            Ok(()) => Ok(()),
            Err(trouble) => Err(self.last_words(trouble).await),
        }
    }

    /// A server that will not take the rest of a message may say why before it hangs up.
    async fn last_words(&mut self, trouble: Trouble) -> End {
        match timeout(LAST_WORDS, self.line.hear(Phase::Body)).await {
            Ok(Ok(reply)) => judge(Phase::Body, reply).err().unwrap_or(End::from(trouble)),
            _ => trouble.into(),
        }
    }

    /// The last block, and the one answer that counts. Whatever is no complete 4xx or 5xx leaves the message in doubt.
    async fn finish(&mut self, last: &[u8]) -> Verdict {
        let answered = match self.line.say(Phase::Dot, last).await {
            Ok(()) => self.line.hear(Phase::Dot).await,
            Err(trouble) => Err(trouble),
        };
        let reply = match answered {
            Ok(reply) => reply,
            Err(trouble) => return Verdict::Broken { trouble, marked: true },
        };
        self.over = reply.code == 421;
        match Meaning::of(Phase::Dot, &reply) {
            Meaning::Yes => Verdict::Accepted(reply),
            Meaning::Later => Verdict::Later(Phase::Dot, reply),
            Meaning::Never => Verdict::Refused(Refusal::Server { phase: Phase::Dot, reply }),
            Meaning::Closing | Meaning::NotFromUs | Meaning::Nonsense => {
                Verdict::Broken { trouble: Trouble::OutOfStep(Phase::Dot, reply), marked: true }
            }
        }
    }

    /// What a server says between messages is a farewell, or it has lost its place.
    async fn unasked(&mut self) -> Trouble {
        match self.line.hear(Phase::Mail).await {
            Ok(reply) if reply.code == 421 => Trouble::Turned(Phase::Mail, reply),
            Ok(reply) => Trouble::OutOfStep(Phase::Mail, reply),
            Err(trouble) => trouble,
        }
    }
}

/// The bytes of a message, while the server is still being asked whether it wants them.
enum Ahead {
    /// No more than a block: written when its turn comes.
    Held(Arc<dyn Payload>),
    /// Attachments are read and encoded on another thread, never more than a few blocks ahead. It ends with the receiver.
    Read { blocks: mpsc::Receiver<Vec<u8>>, reader: JoinHandle<Result<Vec<u8>, Unwritten>> },
}

impl Ahead {
    fn begin(payload: &Arc<dyn Payload>) -> Ahead {
        let payload = Arc::clone(payload);
        if payload.size() <= BLOCK as u64 {
            return Ahead::Held(payload);
        }
        let (ready, blocks) = mpsc::channel(2);
        let reader = tokio::task::spawn_blocking(move || {
            let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
            Transparent::fill(&*payload, |block| ready.blocking_send(block).map_err(gone))
        });
        Ahead::Read { blocks, reader }
    }
}

/// How long a server that stopped reading is listened to.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The next block of a message that is being read. A disk or a share that hangs holds its lane no longer than a server may
/// hold a block.
async fn read_in_time(blocks: &mut mpsc::Receiver<Vec<u8>>) -> Result<Option<Vec<u8>>, Trouble> {
    timeout(Phase::Body.deadline(), blocks.recv()).await.map_err(|_| {
        let cause = format!("a package could not be read within {} s", Phase::Body.deadline().as_secs());
        let remedy = "see to the disk or the share that it lies on, then run the command again";
        Trouble::Unread(Finding::error("io", cause, remedy))
    })
}

/// A reply before the dot.
fn judge(phase: Phase, reply: Reply) -> Result<(), End> {
    let broken = |trouble| Verdict::Broken { trouble, marked: false };
    Err(End::Verdict(match Meaning::of(phase, &reply) {
        Meaning::Yes => return Ok(()),
        Meaning::Later => Verdict::Later(phase, reply),
        Meaning::Never => Verdict::Refused(Refusal::Server { phase, reply }),
        Meaning::Closing => broken(Trouble::Turned(phase, reply)),
        Meaning::NotFromUs => broken(Trouble::SenderRefused(reply)),
        Meaning::Nonsense => broken(Trouble::OutOfStep(phase, reply)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_hangs_is_nobodys_failure_and_is_not_waited_for() {
        let (ready, mut blocks) = mpsc::channel(2);
        let start = Instant::now();
        let trouble = read_in_time(&mut blocks).await.expect_err("nothing comes");
        assert!(!trouble.may_be_the_message() && trouble.finding("mail:25").cause.contains("could not be read"));
        assert_eq!(start.elapsed(), Phase::Body.deadline());
        ready.send(vec![1]).await.expect("heard");
        assert_eq!(read_in_time(&mut blocks).await, Ok(Some(vec![1])));
        drop(ready);
        assert_eq!(read_in_time(&mut blocks).await, Ok(None));
    }
}
