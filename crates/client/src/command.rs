//! The one grammar of what people type: text, `/commands`, and `//text` for a text that begins with a slash.
//!
//! A new command: a row in [`COMMANDS`], an arm in `run`.

use crate::Millis;
use crate::actions::{Refusal, SayAs};
use crate::buffer::{BufferId, BufferKind};
use crate::client::Client;
use crate::line::{Line, LineId};
use crate::profile::Secret;

/// A command that people can type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// Its name, without the slash.
    pub name: &'static str,
    /// What follows it.
    pub params: &'static str,
    /// What it does, in a sentence.
    pub help: &'static str,
}

macro_rules! commands {
    ($($name:literal $params:literal $help:literal;)*) => {
        const COMMANDS: &[Command] = &[$(Command { name: $name, params: $params, help: $help },)*];
    };
}

commands! {
    "away" "[TEXT]" "says that you are away, and why; without a text, that you are back";
    "close" "" "closes this room or conversation";
    "connect" "[ADDRESS]" "connects again, at once; or to one more server";
    "del" "NUMBER [REASON]" "deletes a message";
    "edit" "[NUMBER] TEXT" "changes what you said: the message with this number, or your last one";
    "help" "[COMMAND]" "explains commands";
    "invitation" "CODE" "takes you where you were invited; list, del NUMBER for those who invite";
    "invite" "NICK [ROOM]" "asks somebody into a room";
    "invite-link" "[USES] [7d]" "makes a code and a link by which people come into this room";
    "join" "ROOM [KEY]" "enters a room; one that is not there yet is opened";
    "jump" "NUMBER" "goes to a message";
    "kick" "NICK [REASON]" "puts somebody out of this room";
    "list" "" "shows the rooms there are";
    "me" "TEXT" "says what you do";
    "mode" "[MODES]" "shows or changes this room's modes";
    "msg" "NICK TEXT" "says something to one person";
    "names" "" "shows who is here";
    "nick" "NAME" "gives you another nickname";
    "notice" "NAME TEXT" "says something that nothing answers by itself";
    "part" "[REASON]" "leaves this room";
    "query" "NICK [TEXT]" "opens the conversation with somebody";
    "quit" "[REASON]" "says goodbye";
    "quote" "NUMBER [TEXT]" "says again what a message said, and something about it";
    "raw" "LINE" "sends a line to the server as it is";
    "re" "NUMBER TEXT" "answers a message";
    "react" "NUMBER SIGN" "puts a sign at a message";
    "retry" "" "says once more what failed here";
    "search" "WORDS" "looks for what was said";
    "topic" "[TEXT]" "shows or sets what this room is about";
    "unreact" "NUMBER SIGN" "takes a sign back";
    "upload" "" "gives you an address to which you send a file that is shown here";
    "whois" "NICK" "shows what is known of somebody";
}

/// Every command that [`Client::command`] knows, by name. What is not among them is sent to the server.
pub fn commands() -> &'static [Command] {
    COMMANDS
}

/// What became of what was typed, and what the screen is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// It is said.
    Said,
    /// It is asked of the server, or done; nothing is to be shown now.
    Asked,
    /// This buffer is to be shown.
    Show(BufferId),
    /// The person leaves.
    Quit,
    /// It is the screen's to do.
    Local(Local),
}

/// What only a screen can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Local {
    /// Explain a command, or all of them.
    Help(Option<String>),
    /// Show lines that were found, the newest first.
    Found(String, Vec<(BufferId, LineId)>),
    /// Show the members.
    Names,
    /// Show the topic.
    Topic,
    /// Go to a line.
    Jump(LineId),
    /// Go to the message with this number as soon as it is there: it has been asked for.
    Coming(u64),
}

const NOT_HELD: &str = "is not among the lines that are held here: page back to it first";

impl Client {
    /// Does what was typed in a buffer: says it, or carries a command out.
    ///
    /// # Errors
    /// Why not, for the person.
    pub fn command(&mut self, id: BufferId, typed: &str, now: Millis) -> Result<Done, Refusal> {
        if let Some(text) = typed.strip_prefix("//") {
            self.say(id, &format!("/{text}"), SayAs::Message, None, now)?;
            return Ok(Done::Said);
        }
        // A path, or what was pasted from a terminal, is no command.
        let Some(command) =
            typed.strip_prefix('/').filter(|rest| rest.starts_with(|c: char| c.is_alphabetic()))
        else {
            self.say(id, typed, SayAs::Message, None, now)?;
            return Ok(Done::Said);
        };
        let (name, rest) = command.split_once([' ', '\n']).unwrap_or((command, ""));
        if name.contains('/') {
            self.say(id, typed, SayAs::Message, None, now)?;
            return Ok(Done::Said);
        }
        self.run(id, &name.to_ascii_lowercase(), rest.trim_start_matches(' '), now)
    }

    fn run(&mut self, id: BufferId, name: &str, rest: &str, now: Millis) -> Result<Done, Refusal> {
        let (first, more) =
            rest.split_once(' ').map_or((rest, ""), |(first, more)| (first, more.trim_start()));
        match name {
            "help" | "h" => Ok(Done::Local(Local::Help((!first.is_empty()).then(|| first.to_owned())))),
            "quit" | "q" | "exit" => {
                self.quit(rest);
                Ok(Done::Quit)
            }
            "connect" => {
                self.connect();
                Ok(Done::Asked)
            }
            "join" | "j" => {
                let room = needed(first, "join")?;
                self.join(room, (!more.is_empty()).then_some(more), now).map(Done::Show)
            }
            "query" => {
                let buffer = self.query(needed(first, "query")?, now);
                if !more.is_empty() {
                    self.say(buffer, more, SayAs::Message, None, now)?;
                }
                Ok(Done::Show(buffer))
            }
            "search" => {
                let words = needed(rest, "search")?;
                Ok(Done::Local(Local::Found(words.into(), self.search(None, words))))
            }
            "away" | "back" => {
                self.away((name == "away" && !rest.is_empty()).then_some(rest));
                Ok(Done::Asked)
            }
            "msg" | "notice" => self.message_to(name, first, more, now),
            "nick" => {
                self.nick(needed(first, "nick")?);
                Ok(Done::Asked)
            }
            "raw" => {
                self.raw(needed(rest, "raw")?);
                Ok(Done::Asked)
            }
            "me" => {
                self.say(id, needed(rest, "me")?, SayAs::Action, None, now)?;
                Ok(Done::Said)
            }
            "re" | "quote" | "edit" | "del" | "delete" | "react" | "unreact" | "jump" => {
                self.about_a_line(id, name, (first, more, rest), now)
            }
            _ => self.about_the_room(id, name, (first, more, rest), now),
        }
    }

    fn message_to(&mut self, name: &str, to: &str, text: &str, now: Millis) -> Result<Done, Refusal> {
        let (to, text) = (needed(to, name)?, needed(text, name)?);
        let how = if name == "notice" { SayAs::Notice } else { SayAs::Message };
        let buffer = match self.find(to) {
            Some(buffer) => buffer,
            None if self.server.is_room(to) => {
                return Err(Refusal(format!("You are not in {to}: /join {to} first")));
            }
            None => self.query(to, now),
        };
        self.say(buffer, text, how, None, now)?;
        Ok(Done::Said)
    }

    /// The line with a number (`42` or `#42`), a msgid, or the last one of somebody.
    fn numbered(&self, id: BufferId, word: &str, name: &str) -> Result<LineId, Refusal> {
        let word = needed(word, name)?;
        let buffer = self.buffer(id).ok_or("There is no such room any more")?;
        let number = word.trim_start_matches(['#', '[']).trim_end_matches(']').parse::<u64>();
        let found = match number {
            Ok(number) => buffer.lines.by_number(number),
            Err(_) => buffer.lines.by_msgid(word),
        };
        found.map(|line| line.id).ok_or_else(|| Refusal(format!("{word} {NOT_HELD}")))
    }

    fn about_a_line(
        &mut self,
        id: BufferId,
        name: &str,
        (first, more, rest): (&str, &str, &str),
        now: Millis,
    ) -> Result<Done, Refusal> {
        if let Some(number) = self.before_all(id, first) {
            return self.about_a_number(id, name, (number, more), now);
        }
        match name {
            "re" => {
                let line = self.numbered(id, first, name)?;
                self.say(id, needed(more, name)?, SayAs::Message, Some(line), now)?;
                return Ok(Done::Said);
            }
            "quote" => {
                let line = self.numbered(id, first, name)?;
                let quoted = self.buffer(id).and_then(|buffer| buffer.lines.by_id(line)).map(quoted);
                let text = quoted.unwrap_or_default();
                let text = if more.is_empty() { text } else { format!("{text}\n{more}") };
                self.say(id, &text, SayAs::Message, Some(line), now)?;
                return Ok(Done::Said);
            }
            "jump" => return self.numbered(id, first, name).map(|line| Done::Local(Local::Jump(line))),
            "edit" => match self.numbered(id, first, name) {
                Ok(line) if !more.is_empty() => self.edit(id, line, more, now)?,
                _ => {
                    let line =
                        self.last_own(id).ok_or("There is nothing of yours here that could be changed")?;
                    self.edit(id, line, needed(rest, name)?, now)?;
                }
            },
            "react" => {
                let line = self.numbered(id, first, name)?;
                self.react(id, line, needed(more, name)?, now)?;
            }
            "unreact" => {
                let line = self.numbered(id, first, name)?;
                self.unreact(id, line, needed(more, name)?, now)?;
            }
            _ => {
                let line = self.numbered(id, first, "del")?;
                self.redact(id, line, more, now)?;
            }
        }
        Ok(Done::Asked)
    }

    /// The number of a message from before all that is held here, on a server that knows messages by number.
    fn before_all(&self, id: BufferId, word: &str) -> Option<u64> {
        let number = word.trim_start_matches(['#', '[']).trim_end_matches(']').parse::<u64>().ok()?;
        let first = self.buffer(id)?.lines.iter().find_map(|line| line.number)?;
        let known = self.is_online() && self.server.has("chinwag.internal/numbers");
        (known && (1..first).contains(&number)).then_some(number)
    }

    /// What can be done to a message that only the server has.
    fn about_a_number(
        &mut self,
        id: BufferId,
        name: &str,
        (number, more): (u64, &str),
        now: Millis,
    ) -> Result<Done, Refusal> {
        if name == "jump" {
            self.around_number(id, number, now);
            return Ok(Done::Local(Local::Coming(number)));
        }
        let (verb, name) = match name {
            "re" => ("RE", "re"),
            "quote" => ("QUOTE", ""),
            "edit" => ("EDIT", "edit"),
            "react" => ("REACT", "react"),
            "unreact" => ("UNREACT", "unreact"),
            _ => ("REDACT", ""),
        };
        if !name.is_empty() {
            needed(more, name)?;
        }
        let room = self.buffer(id).map(|buffer| buffer.name.to_string()).unwrap_or_default();
        let number = number.to_string();
        let params: &[&str] = if more.is_empty() { &[&room, &number] } else { &[&room, &number, more] };
        self.deed(id, &[], verb, params);
        Ok(Done::Asked)
    }

    /// The last line of mine that the server has.
    fn last_own(&self, id: BufferId) -> Option<LineId> {
        let lines = self.buffer(id)?.lines.kept();
        let own = |line: &&Line| {
            line.is_mine() && line.kind.is_said() && line.msgid.is_some() && line.redacted.is_none()
        };
        lines.iter().rev().find(own).map(|line| line.id)
    }

    fn about_the_room(
        &mut self,
        id: BufferId,
        name: &str,
        (first, more, rest): (&str, &str, &str),
        now: Millis,
    ) -> Result<Done, Refusal> {
        let buffer = self.buffer(id).ok_or("There is no such room any more")?;
        let (room, kind) = (buffer.name.to_string(), buffer.kind);
        let in_room = || match kind {
            BufferKind::Room => Ok(()),
            _ => Err(Refusal(format!("/{name} is about a room: go to one first"))),
        };
        match name {
            "close" | "wc" => self.close(id),
            "part" | "leave" if kind == BufferKind::Room => self.part(id, rest),
            "part" | "leave" => self.close(id),
            "retry" => {
                let lines = buffer.lines.own().iter();
                let failed = lines.filter(|line| matches!(line.state, crate::LineState::Failed(_)));
                let failed: Vec<LineId> = failed.map(|line| line.id).collect();
                if failed.is_empty() {
                    return Err("Nothing has failed here".into());
                }
                for line in failed {
                    self.retry(id, line, now)?;
                }
                return Ok(Done::Said);
            }
            "topic" if rest.is_empty() => return in_room().map(|()| Done::Local(Local::Topic)),
            "names" if rest.is_empty() => return in_room().map(|()| Done::Local(Local::Names)),
            _ if !self.is_online() => return Err("There is no connection: try again when there is".into()),
            "topic" => {
                in_room()?;
                self.topic(id, rest);
            }
            "invite" => {
                let nick = needed(first, name)?;
                let to = if more.is_empty() { room.as_str() } else { more };
                self.deed(id, &[], "INVITE", &[nick, to]);
            }
            "invite-link" | "invitation" => self.invitation(id, name, rest)?,
            "kick" => {
                in_room()?;
                let nick = needed(first, name)?;
                let params: &[&str] = if more.is_empty() { &[&room, nick] } else { &[&room, nick, more] };
                self.deed(id, &[], "KICK", params);
            }
            "mode" => {
                in_room()?;
                let words = rest.split(' ').filter(|word| !word.is_empty());
                let params: Vec<&str> = std::iter::once(room.as_str()).chain(words).collect();
                self.deed(id, &[], "MODE", &params);
            }
            "upload" if kind == BufferKind::Room => self.deed(id, &[], "UPLOAD", &[&room]),
            "upload" => self.deed(id, &[], "UPLOAD", &["*"]),
            "whois" => self.deed(id, &[], "WHOIS", &[needed(first, name)?]),
            // What is no command here may be one of the server's.
            _ => {
                let words = rest.split(' ').filter(|word| !word.is_empty());
                let params: Vec<&str> = words.collect();
                self.deed(id, &[], &name.to_ascii_uppercase(), &params);
            }
        }
        Ok(Done::Asked)
    }

    /// The codes by which people come into rooms: given, or made for this room.
    fn invitation(&mut self, id: BufferId, name: &str, rest: &str) -> Result<(), Refusal> {
        let room = self.buffer(id).filter(|buffer| buffer.kind == BufferKind::Room);
        let room = room.map(|buffer| buffer.name.to_string());
        let mut params: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
        if name == "invite-link" {
            params.insert(0, "ADD");
        }
        let first = needed(params.first().copied().unwrap_or(""), name)?;
        let managed = ["add", "list", "del"].iter().any(|word| first.eq_ignore_ascii_case(word));
        if managed && !params.get(1).is_some_and(|word| word.starts_with(['#', '*'])) {
            params.insert(1, room.as_deref().ok_or("That is about a room: go to one first")?);
        }
        if managed {
            self.deed(id, &[], "INVITATION", &params);
        } else {
            self.redeem(id, Secret::new(params.join("-")));
        }
        Ok(())
    }
}

/// A word that has to be there.
fn needed<'a>(word: &'a str, name: &str) -> Result<&'a str, Refusal> {
    if !word.is_empty() {
        return Ok(word);
    }
    let command = COMMANDS.iter().find(|command| command.name == name);
    let params = command.map_or("", |command| command.params);
    Err(Refusal(format!("It is used like this: /{name} {params}")))
}

/// What a line said, to be said again.
fn quoted(line: &Line) -> String {
    let nick = line.from.as_ref().map_or("", |from| &from.nick);
    let text = line.text.lines().next().unwrap_or("");
    let more = if line.text.contains('\n') { "…" } else { "" };
    match line.kind {
        crate::LineKind::Action => format!("> * {nick} {text}{more}"),
        _ => format!("> {nick}: {text}{more}"),
    }
}
