//! People who do what comes into their heads, on nodes that share one log.

use std::collections::BTreeSet;

use chinwag_core::session::Door;
use chinwag_core::settings::Settings;
use chinwag_log::memory::Faults;
use chinwag_testkit::seeds::Dice;
use chinwag_testkit::world::World;

use crate::life::{Life, Places, check_answers, check_order};

const PEOPLE: usize = 8;
const ROOMS: [&str; 4] = ["#tea", "#cake", "#milk", "#lobby"];

/// A world and those in it.
pub struct Crowd {
    world: World,
    nodes: u64,
    dice: Dice,
    lives: Vec<Life>,
    past: Vec<Life>,
    labels: u64,
}

impl Crowd {
    /// A world of so many nodes, with nobody in it yet.
    pub fn new(nodes: u64, seed: u64) -> Self {
        let settings = Settings { list_mode_entries: 5, channels_per_user: 3, ..Settings::default() };
        Crowd {
            world: World::new(nodes as usize, settings, seed, Faults::ROUGH),
            nodes,
            dice: Dice::new(seed),
            lives: Vec::new(),
            past: Vec::new(),
            labels: 0,
        }
    }

    /// So many events, then silence, then what must hold. In so many of a thousand events a node crashes.
    pub fn run(&mut self, events: usize, crashes: u64) -> Result<(), String> {
        for _ in 0..PEOPLE {
            let life = self.connect();
            self.lives.push(life);
        }
        for _ in 0..events {
            if self.dice.hits(crashes) {
                self.crash()?;
            }
            let who = self.dice.among(0..PEOPLE as u64) as usize;
            self.step(who)?;
            for _ in 0..self.dice.among(0..4) {
                let node = self.dice.among(0..self.nodes) as usize;
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
        self.check(events)
    }

    /// A node is gone in the middle of everything, and starts again from what is stored.
    fn crash(&mut self) -> Result<(), String> {
        let node = self.dice.among(0..self.nodes) as usize;
        for who in 0..PEOPLE {
            self.listen(who)?;
            self.lives[who].over |= self.lives[who].client.node == node;
        }
        self.world.crash(node);
        Ok(())
    }

    fn connect(&mut self) -> Life {
        let node = self.dice.among(0..self.nodes) as usize;
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
            84..85 => format!("MODE {room} +hb-o {other} m:{nick} {other}"),
            85..86 => format!("MODE {room} +ov-v {nick} {nick} {other}"),
            86..88 => {
                let change = *self.dice.pick(&[
                    "+m", "-m", "+i", "-i", "+s", "-n", "+n", "+k x", "-k x", "+l 4", "-l", "+u", "-u", "+M",
                    "-M", "+f #b", "-f", "+e *!*@*", "-e *!*@*", "+I *!*@*", "-I *!*@*", "+C",
                ]);
                format!("MODE {room} {change}")
            }
            88..89 => format!("MODE {room} +b {nick}"),
            89..91 => format!("MODE {room} -b {nick}"),
            91..92 => format!("INVITE {nick} {room}"),
            92..94 => format!("NICK {nick}"),
            94..95 => format!("PRIVMSG {nick} :hello"),
            95..96 => {
                let number = self.dice.among(1..100);
                match self.dice.among(0..4) {
                    0 => format!("EDIT {room} {number} :e{}", self.labels),
                    1 => format!("REDACT {room} {number} :slip"),
                    2 => format!("REACT {room} {number} +1"),
                    _ => format!("PIN {room} {number}"),
                }
            }
            96..97 => "AWAY :tea".to_owned(),
            97..98 => format!("TAGMSG {room}"),
            98..99 => format!("NAMES {room}"),
            _ => "QUIT :bye".to_owned(),
        };
        (request, None)
    }

    fn check(&self, events: usize) -> Result<(), String> {
        let archive = self.world.archive();
        let hash = archive.chat().state_hash();
        for node in 0..self.nodes as usize {
            let chat = self.world.chat(node);
            for room in archive.chat().rooms() {
                if chat.head(room.id) != room.head {
                    return Err(format!(
                        "{} ends with {:?} and {:?}",
                        room.name,
                        chat.head(room.id),
                        room.head
                    ));
                }
            }
            if chat.state_hash() != hash {
                return Err(format!("the states are {:x} and {hash:x}", chat.state_hash()));
            }
        }
        let mut places: Places = Places::new();
        let mut texts: BTreeSet<String> = BTreeSet::new();
        for room in archive.chat().rooms() {
            for (index, row) in archive.rows(room.id).iter().enumerate() {
                if row.number.0 != index as u64 + 1 {
                    return Err(format!("{} has {:?} in place {index}", room.name, row.number));
                }
                let text = archive.said(room.id, row.number);
                if !texts.insert(text.to_owned()) {
                    return Err(format!("{text} is there twice"));
                }
                places.insert((room.name.to_string(), text.to_owned()), index);
                // Of what is hidden for good nobody remembers that.
                let shown = row.number >= room.history_from;
                if shown && room.redacted.contains(&row.number) != row.text.is_empty() {
                    return Err(format!("{text} was deleted or was not, and it reads {}", row.text));
                }
            }
        }
        let lives = self.lives.iter().chain(&self.past);
        lives.clone().try_for_each(|life| check_order(life, &places))?;
        lives.clone().try_for_each(|life| check_answers(life, &texts))?;
        let acknowledged: usize = lives.map(|life| life.acknowledged.len()).sum();
        if acknowledged < events / 20 {
            return Err(format!("only {acknowledged} messages were acknowledged: the test tests nothing"));
        }
        Ok(())
    }
}
