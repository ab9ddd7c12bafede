//! Running a conversation: step by step, with everything that everybody got kept for the report of a failure.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::pattern::{self, Names};
use super::{By, How, Scene, Script, Step};

/// How long something that is expected may take to come.
const WITHIN: Duration = Duration::from_secs(5);

/// A gap between two bursts that no gathering bridges, in milliseconds.
const BURST_GAP_MS: u64 = 60;

/// A server that can be talked to: in memory, or over sockets.
pub trait Wire {
    /// Connects somebody.
    ///
    /// # Errors
    /// A sentence, when there is no connection.
    fn connect(&mut self, who: &str, by: By) -> Result<(), String>;

    /// Sends bytes. A connection that is closed already swallows them.
    fn send(&mut self, who: &str, bytes: &[u8]);

    /// The next bytes for somebody, waiting at most so long.
    fn receive(&mut self, who: &str, within: Duration) -> Received;

    /// Closes somebody's connection from this side.
    fn close(&mut self, who: &str);

    /// Lets time pass.
    fn pass(&mut self, millis: u64);

    /// Restarts the server on the same log; every connection ends. False when this server cannot be restarted:
    /// the scene ends there.
    fn restart(&mut self) -> bool;
}

/// What came of waiting for bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Bytes came.
    Bytes(Vec<u8>),
    /// The connection is closed, and everything before that was received.
    Closed,
    /// Nothing came in time.
    Nothing,
}

/// A step that did not go as written.
#[derive(Debug)]
pub struct Failure {
    /// `file:line`.
    pub place: String,
    /// What went otherwise.
    pub what: String,
    /// What was sent and received in the scene, oldest first.
    pub transcript: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.place, self.what)?;
        writeln!(f, "what went before:")?;
        let skipped = self.transcript.len().saturating_sub(30);
        for line in &self.transcript[skipped..] {
            writeln!(f, "    {line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// Runs all scenes, each against a server of its own.
///
/// # Errors
/// The first step that did not go as written.
pub fn run<W: Wire>(script: &Script, mut server: impl FnMut() -> W) -> Result<(), Box<Failure>> {
    script.scenes.iter().try_for_each(|scene| run_scene(&script.name, scene, &mut server()))
}

/// Runs one scene.
///
/// # Errors
/// The first step that did not go as written.
pub fn run_scene(name: &str, scene: &Scene, wire: &mut impl Wire) -> Result<(), Box<Failure>> {
    let mut stage =
        Stage { wire, people: BTreeMap::new(), names: Names::new(), transcript: Vec::new(), synced: 0 };
    for (line, step) in &scene.steps {
        match stage.step(step) {
            Ok(true) => {}
            Ok(false) => break,
            Err(what) => {
                let place = format!("{name}:{line}");
                return Err(Box::new(Failure { place, what, transcript: stage.transcript }));
            }
        }
    }
    Ok(())
}

/// Somebody in a scene.
struct Person {
    by: By,
    /// Came in, so that there is a way to ask for an answer.
    registered: bool,
    /// Has sent bytes without line ends.
    unframed: bool,
    /// Has sent something whose consequences may be under way.
    sent: bool,
    bytes: Vec<u8>,
    closed: bool,
}

struct Stage<'a, W> {
    wire: &'a mut W,
    people: BTreeMap<String, Person>,
    names: Names,
    transcript: Vec<String>,
    synced: u32,
}

impl<W: Wire> Stage<'_, W> {
    /// One step. False when the scene cannot go on here.
    fn step(&mut self, step: &Step) -> Result<bool, String> {
        match step {
            Step::Connect { who, by, raw, caps } => self.connect(who, *by, *raw, caps)?,
            Step::Leave(who) => {
                self.wire.close(who);
                self.people.remove(who);
            }
            Step::Send { who, text, line } => {
                let mut bytes = pattern::bytes(text, &self.names)?;
                self.transcript.push(format!("{who}> {}", String::from_utf8_lossy(&bytes).escape_debug()));
                let person = self.person(who)?;
                person.sent = true;
                match (line, person.by) {
                    (true, By::Irc) => bytes.extend_from_slice(b"\r\n"),
                    (true, By::Plain) => bytes.push(b'\n'),
                    (false, _) => person.unframed |= !bytes.ends_with(b"\n"),
                }
                self.wire.send(who, &bytes);
            }
            Step::Expect { who, how, pattern } => self.expect(who, *how, pattern)?,
            Step::Wait(millis) => self.wire.pass(*millis),
            Step::Restart => {
                self.sync_everybody()?;
                self.people.clear();
                return Ok(self.wire.restart());
            }
        }
        Ok(true)
    }

    fn person(&mut self, who: &str) -> Result<&mut Person, String> {
        self.people.get_mut(who).ok_or_else(|| format!("{who} is not connected"))
    }

    fn connect(&mut self, who: &str, by: By, raw: bool, caps: &[String]) -> Result<(), String> {
        self.wire.connect(who, by)?;
        let person =
            Person { by, registered: !raw, unframed: false, sent: false, bytes: Vec::new(), closed: false };
        self.people.insert(who.to_owned(), person);
        if raw {
            return Ok(());
        }
        match by {
            By::Irc => {
                let caps = match caps {
                    [] => String::new(),
                    caps => format!("CAP REQ :{}\r\nCAP END\r\n", caps.join(" ")),
                };
                self.wire.send(who, format!("{caps}NICK {who}\r\nUSER {who} 0 * :{who}\r\n").as_bytes());
            }
            By::Plain => self.wire.send(who, format!("{who}\n").as_bytes()),
        }
        self.sync(who)?;
        // The welcome is everybody's; a scene about it connects with `raw`.
        self.person(who)?.bytes.clear();
        Ok(())
    }

    fn expect(&mut self, who: &str, how: How, pattern: &str) -> Result<(), String> {
        match how {
            How::Next => {
                let line = self.line(who)?.ok_or_else(|| format!("{who} got nothing, not:\n  {pattern}"))?;
                if !pattern::matches(pattern, &line, &mut self.names)? {
                    return Err(format!("expected: {pattern}\n     got: {}", shown(&line)));
                }
                Ok(())
            }
            How::Later => {
                let mut others = Vec::new();
                while let Some(line) = self.line(who)? {
                    if pattern::matches(pattern, &line, &mut self.names)? {
                        return Ok(());
                    }
                    others.push(format!("     got: {}", shown(&line)));
                }
                Err(format!("expected: {pattern}\n{}", others.join("\n")))
            }
            How::Never | How::Nothing => {
                self.sync_everybody()?;
                let person = self.person(who)?;
                let bytes = std::mem::take(&mut person.bytes);
                for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                    let line = line.strip_suffix(b"\r").unwrap_or(line);
                    if how == How::Nothing || pattern::matches(pattern, line, &mut self.names)? {
                        return Err(format!("{who} should not have got: {}", shown(line)));
                    }
                }
                Ok(())
            }
            How::Bytes => self.expect_bytes(who, pattern),
            How::End => {
                while self.line(who)?.is_some() {}
                if self.person(who)?.closed { Ok(()) } else { Err(format!("{who} is still connected")) }
            }
        }
    }

    fn expect_bytes(&mut self, who: &str, pattern: &str) -> Result<(), String> {
        let expected = pattern::bytes(pattern, &self.names)?;
        while self.person(who)?.bytes.len() < expected.len() && self.more(who)? {}
        let got = std::mem::take(&mut self.person(who)?.bytes);
        if got == expected {
            Ok(())
        } else {
            Err(format!("expected exactly: {pattern}\n             got: {}", shown(&got)))
        }
    }

    /// Receives more bytes for somebody; false when none came.
    fn more(&mut self, who: &str) -> Result<bool, String> {
        if self.person(who)?.closed {
            return Ok(false);
        }
        match self.wire.receive(who, WITHIN) {
            Received::Bytes(bytes) => {
                for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                    self.transcript.push(format!("{who}< {}", shown(line)));
                }
                self.person(who)?.bytes.extend_from_slice(&bytes);
                Ok(true)
            }
            Received::Closed => {
                self.transcript.push(format!("{who}<EOF"));
                self.person(who)?.closed = true;
                Ok(false)
            }
            Received::Nothing => Ok(false),
        }
    }

    /// The next line for somebody, without its line end; none when it does not come.
    fn line(&mut self, who: &str) -> Result<Option<Vec<u8>>, String> {
        loop {
            let person = self.person(who)?;
            if let Some(end) = person.bytes.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = person.bytes.drain(..=end).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(Some(line));
            }
            if !self.more(who)? {
                return Ok(None);
            }
        }
    }

    /// Makes sure that everything sent so far has had its consequences, and that they have been received.
    fn sync_everybody(&mut self) -> Result<(), String> {
        let mut senders = Vec::new();
        let mut others = Vec::new();
        for (who, person) in &mut self.people {
            if person.registered && !person.closed {
                let list = if std::mem::take(&mut person.sent) { &mut senders } else { &mut others };
                list.push(who.clone());
            }
        }
        // What the one caused is ahead of the other's answer only if the one was answered first.
        for who in senders.iter().chain(&others).chain(&senders) {
            self.sync(who)?;
        }
        Ok(())
    }

    /// Asks for an answer, waits for it, and takes it out of what was received.
    fn sync(&mut self, who: &str) -> Result<(), String> {
        self.synced += 1;
        let token = format!("sync-{}", self.synced);
        let person = self.person(who)?;
        let (by, unframed) = (person.by, person.unframed);
        let answer = match by {
            By::Irc => {
                self.wire.send(who, format!("PING {token}\r\n").as_bytes());
                token
            }
            By::Plain => {
                if unframed {
                    self.wire.pass(BURST_GAP_MS);
                }
                self.wire.send(who, if unframed { b"/help help" } else { b"/help help\n" });
                if unframed {
                    self.wire.pass(BURST_GAP_MS);
                }
                "* /help [command]".to_owned()
            }
        };
        let mut before = Vec::new();
        while let Some(mut line) = self.line(who)? {
            if shown(&line).contains(&answer) {
                before.extend_from_slice(&std::mem::take(&mut self.person(who)?.bytes));
                self.person(who)?.bytes = before;
                return Ok(());
            }
            line.push(b'\n');
            before.extend_from_slice(&line);
        }
        self.person(who)?.bytes = before;
        if self.person(who)?.closed { Ok(()) } else { Err(format!("{who} got no answer")) }
    }
}

fn shown(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned()
}
