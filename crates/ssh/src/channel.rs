//! What runs in a channel: the terminal client, a command, lines, or a sentence that says why nothing does.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chinwag_core::accounts::Verdict;
use chinwag_core::keys::Shown;
use chinwag_core::session::Door;
use russh::server::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::guest::Entry;
use crate::{Ask, exec, lines, screen};

use crate::serve::House;

/// The stream of an SSH channel for errors (RFC 4254, section 5.2).
const STDERR: u32 = 1;

/// How long a sentence may take to be taken.
const COMPLAINING: Duration = Duration::from_secs(5);

/// Columns and rows that a screen may have, and signs that the name of a terminal may have.
pub const COLUMNS_MAX: u16 = 500;
/// Rows of a screen.
pub const ROWS_MAX: u16 = 200;
const TERM_SIGNS_MAX: usize = 64;

/// What is asked for.
pub(crate) enum What {
    /// Nothing in particular.
    Shell,
    /// A command.
    Command(String),
}

/// The terminal at the other end.
#[derive(Clone, Debug)]
pub(crate) struct Terminal {
    pub(crate) name: String,
    pub(crate) columns: u16,
    pub(crate) rows: u16,
}

impl Terminal {
    pub(crate) fn new(name: &str, columns: u32, rows: u32) -> Terminal {
        let name = name.chars().take(TERM_SIGNS_MAX).collect();
        Terminal { name, columns: side(columns, 80, COLUMNS_MAX), rows: side(rows, 24, ROWS_MAX) }
    }
}

/// A side of a screen: nobody's screen has none, and a screen is not to cost more memory than it is worth.
fn side(length: u32, usual: u16, most: u16) -> u16 {
    match length {
        0 => usual,
        length => u16::try_from(length).unwrap_or(most).min(most),
    }
}

/// Both halves of a channel.
pub(crate) struct Ends {
    pub(crate) read: ChannelReadHalf,
    pub(crate) write: Arc<ChannelWriteHalf<Msg>>,
}

impl Ends {
    /// Waits until the other side is gone. What it says is forgotten.
    pub(crate) async fn gone(&mut self) {
        while !matches!(self.read.wait().await, None | Some(ChannelMsg::Close)) {}
    }

    /// Writes to standard output; false when nobody is there to read it.
    pub(crate) async fn put(&mut self, bytes: Vec<u8>) -> bool {
        let write = Arc::clone(&self.write);
        tokio::select! {
            done = write.data_bytes(bytes) => done.is_ok(),
            () = self.gone() => false,
        }
    }

    /// Writes a sentence to standard error. Who does not read it within a moment does not get it.
    pub(crate) async fn complain(&self, why: &str) {
        let text = format!("chinwag: {why}\r\n").into_bytes();
        if timeout(COMPLAINING, self.write.extended_data_bytes(STDERR, text)).await.is_err() {
            tracing::debug!("somebody does not read their errors");
        }
    }

    /// All of standard input.
    pub(crate) async fn all_input(&mut self, bytes_max: usize) -> Result<String, String> {
        let mut input = Vec::new();
        loop {
            match self.read.wait().await {
                Some(ChannelMsg::Data { data }) => input.extend_from_slice(&data),
                None | Some(ChannelMsg::Eof | ChannelMsg::Close) => break,
                Some(_) => {}
            }
            if input.len() > bytes_max {
                return Err("that is too much for one message: leave --as-one away".to_owned());
            }
        }
        Ok(String::from_utf8_lossy(&input).into_owned())
    }
}

/// Whoever came in, and to whom.
pub(crate) struct Visit {
    pub(crate) nick: String,
    pub(crate) shown: Shown,
    pub(crate) from: IpAddr,
    pub(crate) house: Arc<House>,
}

impl Visit {
    /// A session inside the server: our end of a pipe to it. What is said first is on its way already.
    pub(crate) async fn open(&self, door: Door, first: Vec<u8>) -> io::Result<UnixStream> {
        let mut shown = self.shown.clone();
        // The account that the key makes is there from the second session on.
        if shown.claims
            && let Verdict::Proves(account) = self.house.judge(&self.nick, shown.key.clone()).await
        {
            shown = Shown { account: Some(account), claims: false, ..shown };
        }
        open(&self.house, self.from, (door, first), shown).await
    }
}

/// A session inside the server: our end of a pipe to it.
pub(crate) async fn open(
    house: &House,
    from: IpAddr,
    (door, first): (Door, Vec<u8>),
    shown: Shown,
) -> io::Result<UnixStream> {
    let (answer, answered) = oneshot::channel();
    let ended = || io::Error::other("the server is ending");
    house.asks.send(Ask::Open { from, door, first, shown, answer }).await.map_err(|_| ended())?;
    let pipe = answered.await.map_err(|_| ended())??;
    pipe.set_nonblocking(true)?;
    UnixStream::from_std(pipe)
}

/// Starts what is asked for. A panic in it ends the channel, and nothing else.
pub(crate) fn start(
    channel: Channel<Msg>,
    terminal: Option<Terminal>,
    what: What,
    entry: Arc<Entry>,
    (from, house): (IpAddr, Arc<House>),
) {
    let (read, write) = channel.split();
    let write = Arc::new(write);
    let ends = Ends { read, write: Arc::clone(&write) };
    tokio::spawn(async move {
        let code = match &*entry {
            Entry::Out(why) => refuse(ends, why).await,
            Entry::In { nick, shown } => {
                let visit = Visit { nick: nick.clone(), shown: shown.clone(), from, house };
                apart(run(ends, terminal, what, visit)).await
            }
        };
        // Whoever has gone does not hear of the end.
        let _ = write.exit_status(code).await;
        let _ = write.eof().await;
        let _ = write.close().await;
    });
}

/// Runs a session in a task of its own, so that this one is left to say that it failed: exit code 1.
async fn apart(session: impl Future<Output = u32> + Send + 'static) -> u32 {
    tokio::spawn(session).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a session at the ssh door failed");
        1
    })
}

/// The sentence, for people who read and for programs that look at the exit code.
async fn refuse(ends: Ends, why: &str) -> u32 {
    ends.complain(why).await;
    1
}

async fn run(ends: Ends, terminal: Option<Terminal>, what: What, visit: Visit) -> u32 {
    match (what, terminal) {
        (What::Shell, Some(terminal)) => screen::run(ends, &terminal, visit).await,
        (What::Shell, None) => lines::run(ends, visit).await,
        (What::Command(typed), _) => exec::run(ends, &typed, &visit).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_one_session_and_no_other() {
        // One thread for all of them, as the door has it.
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let codes = runtime.block_on(async {
            let (speak, spoken) = oneshot::channel::<u32>();
            let other = tokio::spawn(apart(async { spoken.await.unwrap_or(1) }));
            let broken = apart(async { panic!("on purpose") }).await;
            speak.send(0).unwrap();
            (broken, other.await.unwrap())
        });
        assert_eq!(codes, (1, 0));
    }
}
