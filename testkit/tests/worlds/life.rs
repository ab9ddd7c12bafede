//! Somebody in a world: what they asked, what they were told, and what must hold of it.

use std::collections::{BTreeMap, BTreeSet};

use chinwag_testkit::world::Client;
use chinwag_wire::message::Message;

/// Where each text is: its place in a room, by room and text.
pub type Places = BTreeMap<(String, String), usize>;

/// One connection of somebody.
pub struct Life {
    pub client: Client,
    pub registered: bool,
    /// Closed by either side: what it has not been told by then it will never be told.
    pub over: bool,
    nick: String,
    bytes: Vec<u8>,
    /// What was sent under each label: a text said in a room, or nothing.
    pub asked: BTreeMap<String, Option<String>>,
    answered: BTreeSet<String>,
    pub acknowledged: BTreeSet<String>,
    refused: BTreeSet<String>,
    /// What was heard in each room: texts, and none where the own user entered.
    heard: BTreeMap<String, Vec<Option<String>>>,
    /// The rooms it is in.
    inside: BTreeSet<String>,
    /// Everything that came, for the report of a failure.
    lines: Vec<String>,
}

impl Life {
    pub fn new(client: Client) -> Self {
        Life {
            client,
            registered: false,
            over: false,
            nick: String::new(),
            bytes: Vec::new(),
            asked: BTreeMap::new(),
            answered: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
            refused: BTreeSet::new(),
            heard: BTreeMap::new(),
            inside: BTreeSet::new(),
            lines: Vec::new(),
        }
    }

    /// Takes in what came.
    pub fn hear(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.bytes.extend_from_slice(bytes);
        while let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.bytes.drain(..=end).collect();
            let line = line.strip_suffix(b"\r\n").ok_or("a line does not end with CR LF")?;
            let message = Message::parse(line).map_err(|error| format!("{error:?}"))?;
            self.lines.push(String::from_utf8_lossy(line).into_owned());
            self.line(&message)?;
        }
        Ok(())
    }

    fn line(&mut self, message: &Message<'_>) -> Result<(), String> {
        // What was said before somebody entered is shown to them, and is no delivery.
        if message.tags.get("batch").is_some_and(|batch| batch.starts_with("missed-")) {
            return Ok(());
        }
        let by = message.source.and_then(|source| source.split_once('!')).map_or("", |(nick, _)| nick);
        let own = self.registered && by == self.nick;
        let said = matches!(message.command, "PRIVMSG");
        if let Some(label) = message.tags.get("label") {
            if !self.answered.insert(label.to_string()) {
                return Err(format!("{label} was answered twice"));
            }
            let text = self.asked.get(&*label).ok_or_else(|| format!("{label} was never asked"))?;
            if let Some(text) = text {
                let list = if said { &mut self.acknowledged } else { &mut self.refused };
                list.insert(text.clone());
            }
        }
        match message.command {
            "001" => {
                self.registered = true;
                self.nick = message.params[0].to_owned();
            }
            "PING" => {}
            "NICK" if own => self.nick = message.params[0].to_owned(),
            "JOIN" if own => {
                self.inside.insert(message.params[0].to_owned());
                self.heard_in(message.params[0], None);
            }
            "PART" if own => {
                self.inside.remove(message.params[0]);
            }
            "KICK" if message.params[1] == self.nick => {
                self.inside.remove(message.params[0]);
            }
            // Whoever may speak from outside hears no more of the room than the own lines.
            // What is told in words of a message that was edited or pinned is no message.
            "PRIVMSG" if message.params[1].starts_with('\u{1}') => {}
            "PRIVMSG" if self.inside.contains(message.params[0]) => {
                self.heard_in(message.params[0], Some(message.params[1].to_owned()));
            }
            _ => {}
        }
        Ok(())
    }

    /// Shows what came before a text.
    fn tail(&self, text: &str) {
        let end =
            self.lines.iter().position(|line| line.ends_with(text)).map_or(self.lines.len(), |at| at + 1);
        for line in &self.lines[end.saturating_sub(40)..end] {
            eprintln!("{} < {line}", self.nick);
        }
    }

    fn heard_in(&mut self, room: &str, what: Option<String>) {
        self.heard.entry(room.to_owned()).or_default().push(what);
    }
}

/// Whoever is in a room hears all of it, in the room's order.
pub fn check_order(life: &Life, places: &Places) -> Result<(), String> {
    for (room, heard) in &life.heard {
        let mut before: Option<usize> = None;
        let mut entered = false;
        for text in heard {
            let Some(text) = text else {
                entered = true;
                continue;
            };
            let place = *places
                .get(&(room.clone(), text.clone()))
                .ok_or_else(|| format!("{} heard {text} in {room}, which is not there", life.nick))?;
            let follows = match before {
                None => true,
                Some(before) if entered => place > before,
                Some(before) => place == before + 1,
            };
            if !follows {
                life.tail(text);
                return Err(format!(
                    "{} heard {text}, number {place} of {room}, after {before:?}",
                    life.nick
                ));
            }
            before = Some(place);
            entered = false;
        }
    }
    Ok(())
}

/// What was acknowledged is there; what was refused is not; whoever stayed had an answer to everything.
pub fn check_answers(life: &Life, texts: &BTreeSet<String>) -> Result<(), String> {
    if let Some(lost) = life.acknowledged.difference(texts).next() {
        return Err(format!("{lost} was acknowledged to {} and is lost", life.nick));
    }
    if let Some(kept) = life.refused.intersection(texts).next() {
        return Err(format!("{kept} of {} was refused and is there", life.nick));
    }
    if !life.over
        && let Some(label) = life.asked.keys().find(|label| !life.answered.contains(*label))
    {
        return Err(format!("{} never had an answer to {label}", life.nick));
    }
    Ok(())
}
