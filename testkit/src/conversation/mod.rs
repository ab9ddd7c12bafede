//! Conversations: scenarios that a person can read, run against anything that talks bytes.
//!
//! A `.chat` file is a list of steps, one a line:
//!
//! ```text
//! # What it shows.
//! # spec: https://modern.ircdocs.horse/#join-message
//! + ada irc message-tags server-time     ada comes in by IRC with these capabilities
//! + bob plain                            bob comes in by the plain door
//! + eve irc raw                          eve connects and sends nothing yet (so does `plain raw`)
//! ada> JOIN #tea                         ada sends a line
//! bob>> bob                              bob sends these bytes and no line end
//! ada< :ada!* JOIN #tea                  the next thing that ada gets
//! ada<~ * 366 * :*                       what ada gets next but for other lines before it
//! ada<! * QUIT *                         nothing that ada has got by now looks like this
//! ada<-                                  ada has got nothing more by now
//! bob<< NICK                             bob gets exactly these bytes, without a line end
//! ada<EOF                                ada's connection is closed from the other side
//! - ada                                  ada's connection is closed from this side
//! wait 1600                              milliseconds pass
//! restart                                the server restarts; everybody's connection ends
//! -- another scene                       a fresh server
//! ```
//!
//! In what is expected, `*` is any text and `{name}` any text without spaces and semicolons, which is remembered:
//! the same name later, in what is sent or expected, is that text. In both, `{x&3}` is `xxx`, and `\x01`,
//! `\r`, `\n`, `\t`, `\\`, `\*` and `\{` are what they are in Rust or the character itself. Sent bytes of 0x80 and above
//! are single bytes.

mod pattern;
mod run;
mod sockets;

use std::fmt;

pub use pattern::Names;
pub use run::{Failure, Received, Wire, run, run_scene};
pub use sockets::{Carrier, Sockets};

/// A parsed `.chat` file.
#[derive(Clone, Debug)]
pub struct Script {
    /// Its name, for failures.
    pub name: String,
    /// The scenes, each for a server of its own.
    pub scenes: Vec<Scene>,
}

/// One scene.
#[derive(Clone, Debug)]
pub struct Scene {
    /// What is behind the `--`.
    pub title: String,
    /// Its steps with their line numbers, from 1.
    pub steps: Vec<(usize, Step)>,
}

/// The door by which somebody comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// IRC.
    Irc,
    /// The plain door.
    Plain,
}

impl Scene {
    /// Whether anybody comes in by IRC, and everybody who does sends whole lines of at most so many bytes.
    pub fn is_lines_of_irc(&self, bytes_max: usize) -> bool {
        let mut irc = Vec::new();
        for (_, step) in &self.steps {
            match step {
                Step::Connect { who, by: By::Irc, .. } => irc.push(who),
                Step::Send { who, text, line } if irc.contains(&who) => {
                    let long = pattern::bytes(text, &Names::new()).is_ok_and(|bytes| bytes.len() > bytes_max);
                    if long || !line {
                        return false;
                    }
                }
                _ => {}
            }
        }
        !irc.is_empty()
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Somebody connects; unless `raw`, comes in too.
    Connect {
        /// Under which name.
        who: String,
        /// By which door.
        by: By,
        /// Only connects.
        raw: bool,
        /// Capabilities asked for (IRC).
        caps: Vec<String>,
    },
    /// Somebody closes the connection.
    Leave(String),
    /// Somebody sends a line, or bytes without a line end.
    Send {
        /// Who.
        who: String,
        /// What, with escapes.
        text: String,
        /// With a line end.
        line: bool,
    },
    /// Somebody gets something.
    Expect {
        /// Who.
        who: String,
        /// How strictly.
        how: How,
        /// The pattern.
        pattern: String,
    },
    /// Milliseconds pass.
    Wait(u64),
    /// The server restarts.
    Restart,
}

/// How strictly something is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The very next line.
    Next,
    /// Some line, others before it skipped.
    Later,
    /// No line so far.
    Never,
    /// Nothing at all so far.
    Nothing,
    /// Exactly these bytes.
    Bytes,
    /// The end of the connection, lines before it skipped.
    End,
}

/// A line that is not a step.
#[derive(Debug)]
pub struct ParseError {
    /// The file.
    pub name: String,
    /// The line's number.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.name, self.line, self.what)
    }
}

impl std::error::Error for ParseError {}

/// Parses a `.chat` file.
///
/// # Errors
/// The first line that is not a step.
pub fn parse(name: &str, text: &str) -> Result<Script, ParseError> {
    let mut scenes = vec![Scene { title: String::new(), steps: Vec::new() }];
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(title) = line.strip_prefix("--") {
            scenes.push(Scene { title: title.trim().to_owned(), steps: Vec::new() });
            continue;
        }
        let step = step(line).map_err(|what| ParseError { name: name.to_owned(), line: number, what })?;
        if let Some(scene) = scenes.last_mut() {
            scene.steps.push((number, step));
        }
    }
    scenes.retain(|scene| !scene.steps.is_empty());
    Ok(Script { name: name.to_owned(), scenes })
}

fn step(line: &str) -> Result<Step, String> {
    if line == "restart" {
        return Ok(Step::Restart);
    }
    if let Some(millis) = line.strip_prefix("wait ") {
        return millis
            .trim()
            .parse()
            .map(Step::Wait)
            .map_err(|_| format!("not a number of milliseconds: {millis}"));
    }
    if let Some(rest) = line.strip_prefix("+ ") {
        return connect(rest);
    }
    if let Some(who) = line.strip_prefix("- ") {
        return Ok(Step::Leave(who.trim().to_owned()));
    }
    let end = line.find(['<', '>']).ok_or_else(|| format!("not a step: {line}"))?;
    let (who, rest) = (line[..end].to_owned(), &line[end..]);
    if who.is_empty() || !who.chars().all(char::is_alphanumeric) {
        return Err(format!("not somebody's name: {who}"));
    }
    let text =
        |mark: &str| rest.strip_prefix(mark).map(|text| text.strip_prefix(' ').unwrap_or(text).to_owned());
    let expect = |how, pattern| Ok(Step::Expect { who: who.clone(), how, pattern });
    if let Some(text) = text(">>") {
        return Ok(Step::Send { who, text, line: false });
    }
    if let Some(text) = text(">") {
        return Ok(Step::Send { who, text, line: true });
    }
    if rest == "<EOF" {
        return expect(How::End, String::new());
    }
    if rest == "<-" {
        return expect(How::Nothing, String::new());
    }
    for (mark, how) in [("<<", How::Bytes), ("<~", How::Later), ("<!", How::Never), ("<", How::Next)] {
        if let Some(pattern) = text(mark) {
            return expect(how, pattern);
        }
    }
    Err(format!("not a step: {line}"))
}

fn connect(rest: &str) -> Result<Step, String> {
    let mut words = rest.split_whitespace();
    let who = words.next().ok_or("who comes in?")?.to_owned();
    let by = match words.next() {
        Some("irc") => By::Irc,
        Some("plain") => By::Plain,
        other => return Err(format!("a door is irc or plain, not {}", other.unwrap_or("nothing"))),
    };
    let mut caps: Vec<String> = words.map(str::to_owned).collect();
    let raw = caps.first().is_some_and(|first| first == "raw");
    if raw {
        caps.remove(0);
    }
    Ok(Step::Connect { who, by, raw, caps })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_step_is_read() {
        let text = "# title\n+ ada irc batch\n+ bob plain raw\nada> JOIN #tea\nbob>> bob\nada< :ada!* JOIN #tea\n\
                    ada<~ *\nada<! x\nada<-\nbob<< NICK\nada<EOF\n- ada\nwait 5\nrestart\n-- two\nada<x\n";
        let script = parse("x", text).unwrap();
        assert_eq!(script.scenes.len(), 2);
        assert_eq!(script.scenes[0].steps.len(), 13);
        assert_eq!(script.scenes[1].title, "two");
        assert_eq!(
            script.scenes[0].steps[4],
            (6, Step::Expect { who: "ada".into(), how: How::Next, pattern: ":ada!* JOIN #tea".into() })
        );
    }

    #[test]
    fn what_is_not_a_step_is_named() {
        assert_eq!(parse("x", "\nhello\n").unwrap_err().to_string(), "x:2: not a step: hello");
        assert!(parse("x", "+ ada ssh\n").is_err());
    }
}
