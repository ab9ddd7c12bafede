//! IRC over the pipe to a session inside the server, as little of it as the commands need.

use std::io;
use std::time::Duration;

use chinwag_core::session::Door;
use chinwag_wire::message::Message;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::channel::Visit;

/// Bytes of a line at most, tags counted in.
const LINE_BYTES_MAX: u64 = 16 * 1024;

/// How long an answer of the server may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Capabilities that are asked for, each on its own: what the server has not is done without.
const CAPS: [&str; 9] = [
    "batch",
    "labeled-response",
    "echo-message",
    "message-tags",
    "server-time",
    "account-tag",
    "standard-replies",
    "draft/no-implicit-names",
    "no-implicit-names",
];

/// A session that has come in.
pub(crate) struct Irc {
    pipe: BufReader<UnixStream>,
    /// The nickname that it has.
    pub(crate) nick: String,
}

/// Why something was not done: a sentence.
pub(crate) type Failure = String;

fn broken(error: io::Error) -> Failure {
    format!("the connection to the server broke: {error}")
}

impl Irc {
    /// Comes in, with some capabilities more. Gives the session, and what it was told on the way.
    pub(crate) async fn come_in(visit: &Visit, more: &[&str]) -> Result<(Irc, Vec<String>), Failure> {
        let mut hello = "CAP LS 302\r\n".to_owned();
        for cap in CAPS.iter().chain(more) {
            hello.push_str(&format!("CAP REQ :{cap}\r\n"));
        }
        let nick = &visit.nick;
        hello.push_str(&format!("NICK {nick}\r\nUSER {nick} 0 * :{nick}\r\nCAP END\r\n"));
        let pipe = visit.open(Door::Irc, hello.into_bytes()).await.map_err(broken)?;
        let mut irc = Irc { pipe: BufReader::new(pipe), nick: nick.clone() };
        let mut told = Vec::new();
        match timeout(PATIENCE, irc.welcomed(&mut told)).await {
            Ok(Ok(())) => {
                // The rest of the welcome answers nothing that will be asked.
                irc.ask("CAP LIST", |_| {}).await?;
                Ok((irc, told))
            }
            Ok(Err(why)) => Err(why),
            Err(_) => Err("the server did not answer in time".to_owned()),
        }
    }

    async fn welcomed(&mut self, told: &mut Vec<String>) -> Result<(), Failure> {
        loop {
            let line = self.next().await?;
            let Ok(message) = Message::parse_str(&line) else { continue };
            let last = || message.params.as_slice().last().copied().unwrap_or_default().to_owned();
            match message.command {
                "001" => {
                    self.nick = message.params.first().copied().unwrap_or_default().to_owned();
                    return Ok(());
                }
                "NOTICE" => told.push(last()),
                "ERROR" | "432" | "433" | "464" | "465" => return Err(last()),
                _ => {}
            }
        }
    }

    /// The next line, without its end.
    pub(crate) async fn next(&mut self) -> Result<String, Failure> {
        loop {
            let mut line = Vec::new();
            let read = (&mut self.pipe).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await;
            if read.map_err(broken)? == 0 {
                return Err("the server ended the session".to_owned());
            }
            let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
            match line.strip_prefix("PING ") {
                Some(token) => self.send(&format!("PONG {token}")).await?,
                None => return Ok(line),
            }
        }
    }

    /// Sends a line.
    pub(crate) async fn send(&mut self, line: &str) -> Result<(), Failure> {
        let bytes = format!("{line}\r\n").into_bytes();
        timeout(PATIENCE, self.pipe.get_mut().write_all(&bytes))
            .await
            .map_err(|_| "the server takes nothing more".to_owned())?
            .map_err(broken)
    }

    /// Sends a line and hands every line that comes to `each`, until the server has answered all of it.
    pub(crate) async fn ask(
        &mut self,
        line: &str,
        mut each: impl FnMut(&Message<'_>),
    ) -> Result<(), Failure> {
        self.send(line).await?;
        self.send("PING done").await?;
        let answered = async {
            loop {
                let line = self.next().await?;
                let Ok(message) = Message::parse_str(&line) else { continue };
                if message.command == "PONG" && message.params.as_slice().last() == Some(&"done") {
                    return Ok(());
                }
                each(&message);
            }
        };
        timeout(PATIENCE, answered).await.map_err(|_| "the server did not answer in time".to_owned())?
    }

    /// Enters a room.
    pub(crate) async fn join(&mut self, room: &str) -> Result<(), Failure> {
        let mut refused = None;
        self.ask(&format!("JOIN {room}"), |message| {
            if refused.is_none() {
                refused = refusal(message);
            }
        })
        .await?;
        match refused {
            Some(why) => Err(format!("{room}: {why}")),
            None => Ok(()),
        }
    }
}

/// What an answer refuses, if it does.
pub(crate) fn refusal(message: &Message<'_>) -> Option<String> {
    let numeric = message.command.len() == 3 && message.command.starts_with(['4', '5']);
    let last = message.params.as_slice().last().copied().unwrap_or_default();
    (numeric || message.command == "FAIL").then(|| last.to_owned())
}

/// Whether a target is a room, which has to be entered.
pub(crate) fn is_room(target: &str) -> bool {
    target.starts_with(['#', '&'])
}
