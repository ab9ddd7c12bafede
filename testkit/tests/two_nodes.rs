//! Two nodes over one log, users on both in the same rooms, and everything that can go wrong between a node and
//! its log: the same order, the same numbers, the same state; nothing acknowledged is lost, nothing is there
//! twice, nothing refused is there at all.
//!
//! `CHINWAG_SEEDS=1000 cargo test --release -p chinwag-testkit two_nodes` runs a thousand worlds.

use std::collections::{BTreeMap, BTreeSet};

use chinwag_core::session::Door;
use chinwag_core::settings::Settings;
use chinwag_log::memory::Faults;
use chinwag_testkit::seeds::{Dice, for_each_seed};
use chinwag_testkit::world::{Client, World};
use chinwag_wire::message::Message;

const NODES: u64 = 2;
const PEOPLE: usize = 8;
const EVENTS: usize = 10_000;
const SEEDS: u64 = 8;
const ROOMS: [&str; 4] = ["#tea", "#cake", "#milk", "#lobby"];

/// One connection of somebody.
struct Life {
    client: Client,
    registered: bool,
    /// Closed by either side: what it has not been told by then it will never be told.
    over: bool,
    nick: String,
    bytes: Vec<u8>,
    /// What was sent under each label: a text said in a room, or nothing.
    asked: BTreeMap<String, Option<String>>,
    answered: BTreeSet<String>,
    acknowledged: BTreeSet<String>,
    refused: BTreeSet<String>,
    /// What was heard in each room: texts, and none where the own user entered.
    heard: BTreeMap<String, Vec<Option<String>>>,
    /// The rooms it is in.
    inside: BTreeSet<String>,
    /// Everything that came, for the report of a failure.
    lines: Vec<String>,
}

/// A world and those in it.
struct Test {
    world: World,
    dice: Dice,
    lives: Vec<Life>,
    past: Vec<Life>,
    labels: u64,
}

impl Life {
    fn new(client: Client) -> Self {
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
    fn hear(&mut self, bytes: &[u8]) -> Result<(), String> {
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

impl Test {
    fn new(seed: u64) -> Self {
        let settings = Settings { list_mode_entries: 5, channels_per_user: 3, ..Settings::default() };
        Test {
            world: World::new(NODES as usize, settings, seed, Faults::ROUGH),
            dice: Dice::new(seed),
            lives: Vec::new(),
            past: Vec::new(),
            labels: 0,
        }
    }

    fn run(&mut self) -> Result<(), String> {
        for _ in 0..PEOPLE {
            let life = self.connect();
            self.lives.push(life);
        }
        for _ in 0..EVENTS {
            let who = self.dice.among(0..PEOPLE as u64) as usize;
            self.step(who)?;
            for _ in 0..self.dice.among(0..4) {
                let node = self.dice.among(0..NODES) as usize;
                self.world.pump(node);
            }
            if self.dice.hits(100) {
                let millis = self.dice.among(1..50);
                self.world.advance(millis);
            }
        }
        self.world.memory().set_faults(Faults::default());
        self.world.memory().set_read_only(None);
        self.world.settle();
        for who in 0..PEOPLE {
            self.listen(who)?;
        }
        self.check()
    }

    fn connect(&mut self) -> Life {
        let node = self.dice.among(0..NODES) as usize;
        let client = self.world.open(node, Door::Irc);
        let caps =
            "CAP REQ :message-tags echo-message batch labeled-response standard-replies\r\nCAP END\r\n";
        let nick = self.nick();
        self.world.send(client, format!("{caps}USER x 0 * :x\r\nNICK {nick}\r\n").as_bytes());
        Life::new(client)
    }

    fn nick(&mut self) -> String {
        format!("n{}", self.dice.among(0..2 * PEOPLE as u64))
    }

    fn listen(&mut self, who: usize) -> Result<(), String> {
        let life = &mut self.lives[who];
        let bytes = self.world.take(life.client);
        life.over |= self.world.is_closed(life.client);
        life.hear(&bytes)
    }

    /// Somebody does something.
    fn step(&mut self, who: usize) -> Result<(), String> {
        self.listen(who)?;
        if self.dice.hits(5) {
            let client = self.lives[who].client;
            self.world.cut(client);
            self.lives[who].over = true;
        }
        if self.lives[who].over {
            let life = self.connect();
            self.past.push(std::mem::replace(&mut self.lives[who], life));
            return Ok(());
        }
        let client = self.lives[who].client;
        if !self.lives[who].registered {
            let nick = self.nick();
            self.world.send(client, format!("NICK {nick}\r\n").as_bytes());
            return Ok(());
        }
        self.labels += 1;
        let label = format!("l{}", self.labels);
        let (request, text) = self.request();
        self.lives[who].asked.insert(label.clone(), text);
        self.world.send(client, format!("@label={label} {request}\r\n").as_bytes());
        Ok(())
    }

    /// Something to ask for, and the text if it is one said in a room.
    fn request(&mut self) -> (String, Option<String>) {
        let room = *self.dice.pick(&ROOMS);
        let (nick, other) = (self.nick(), self.nick());
        let request = match self.dice.among(0..100) {
            0..60 => {
                let text = format!("m{}", self.labels);
                return (format!("PRIVMSG {room} :{text}"), Some(text));
            }
            60..72 => format!("JOIN {room}"),
            72..76 => format!("PART {room}"),
            76..79 => format!("TOPIC {room} :t{}", self.labels),
            79..82 => format!("KICK {room} {nick}"),
            82..84 => format!("MODE {room} +o {nick}"),
            84..86 => format!("MODE {room} +ov-v {nick} {nick} {other}"),
            86..88 => {
                let change = *self
                    .dice
                    .pick(&["+m", "-m", "+i", "-i", "+s", "-n", "+n", "+k x", "-k x", "+l 4", "-l"]);
                format!("MODE {room} {change}")
            }
            88..89 => format!("MODE {room} +b {nick}"),
            89..91 => format!("MODE {room} -b {nick}"),
            91..92 => format!("INVITE {nick} {room}"),
            92..94 => format!("NICK {nick}"),
            94..96 => format!("PRIVMSG {nick} :hello"),
            96..97 => "AWAY :tea".to_owned(),
            97..98 => format!("TAGMSG {room}"),
            98..99 => format!("NAMES {room}"),
            _ => "QUIT :bye".to_owned(),
        };
        (request, None)
    }

    fn check(&self) -> Result<(), String> {
        let (archive, first) = (self.world.archive(), self.world.chat(0));
        let second = self.world.chat(1);
        for room in first.rooms() {
            let heads = [first.head(room.id), second.head(room.id), archive.head(room.id)];
            if heads[0] != heads[1] || heads[0] != heads[2] {
                return Err(format!("{} ends with {heads:?}", room.name));
            }
        }
        let hashes = [first.state_hash(), second.state_hash(), archive.chat().state_hash()];
        if hashes[0] != hashes[1] || hashes[0] != hashes[2] {
            return Err(format!("the states are {hashes:x?}"));
        }
        let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut texts: BTreeSet<String> = BTreeSet::new();
        for room in archive.chat().rooms() {
            for (index, row) in archive.rows(room.id).iter().enumerate() {
                if row.number.0 != index as u64 + 1 {
                    return Err(format!("{} has {:?} in place {index}", room.name, row.number));
                }
                if !texts.insert(row.text.to_string()) {
                    return Err(format!("{} is there twice", row.text));
                }
                places.insert((room.name.to_string(), row.text.to_string()), index);
            }
        }
        let lives = self.lives.iter().chain(&self.past);
        lives.clone().try_for_each(|life| check_order(life, &places))?;
        lives.clone().try_for_each(|life| check_answers(life, &texts))?;
        let acknowledged: usize = lives.map(|life| life.acknowledged.len()).sum();
        if acknowledged < EVENTS / 20 {
            return Err(format!("only {acknowledged} messages were acknowledged: the test tests nothing"));
        }
        Ok(())
    }
}

/// Whoever is in a room hears all of it, in the room's order.
fn check_order(life: &Life, places: &BTreeMap<(String, String), usize>) -> Result<(), String> {
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
fn check_answers(life: &Life, texts: &BTreeSet<String>) -> Result<(), String> {
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

#[test]
fn two_nodes_see_one_order() {
    for_each_seed("two_nodes_see_one_order", SEEDS, |seed| Test::new(seed).run());
}
