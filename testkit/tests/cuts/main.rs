//! Clients and the real server, and between them a network that breaks: bytes come in pieces, and every now and then a
//! link is cut in the middle of whatever was on its way. When all is quiet again, what each client shows is what the
//! server keeps: nothing twice, nothing missing, nothing pending; and whatever was said is there once, or marked as failed
//! and not there at all.
//!
//! `CHINWAG_SEEDS=1000 cargo test -p chinwag-testkit --test cuts` runs a thousand seeds of fifty cuts each.

mod network;

use std::collections::BTreeMap;

use chinwag_client::{
    BufferId, BufferKind, Client, HistoryState, Line, LineState, Login, Profile, SayAs, Secret,
};
use chinwag_core::ids::{Number, RoomId};
use chinwag_log::memory::Faults;
use chinwag_testkit::seeds::{Dice, for_each_seed};
use chinwag_testkit::world::World;

use crate::network::Network;

/// Cuts of one seed, twenty seeds usually: a thousand cuts.
const CUTS: u32 = 50;

const ROOMS: [&str; 2] = ["#tea", "#chess"];

/// What was typed, and where.
struct Typed {
    by: usize,
    text: String,
    /// In a room, or to a person with whom everything is kept.
    kept: bool,
}

struct Trial {
    net: Network,
    dice: Dice,
    typed: Vec<Typed>,
}

#[test]
fn a_thousand_cuts() {
    for_each_seed("a_thousand_cuts", 20, |seed| Trial::new(seed, Faults::ROUGH).run(CUTS));
}

impl Trial {
    fn new(seed: u64, faults: Faults) -> Trial {
        let world = World::new(1, chinwag_testkit::settings(), seed, faults);
        let mut net = Network::new(world, seed);
        net.register("ann");
        net.register("bob");
        for (nth, nick) in ["ann", "bob", "cyd"].into_iter().enumerate() {
            let mut profile = Profile::new(nick, "chinwag.local");
            profile.rooms = ROOMS.iter().map(|room| (*room).to_owned()).collect();
            profile.alternates = true;
            if nick != "cyd" {
                let password = Secret::new("sesame");
                profile.login = Some(Login::Password { account: nick.into(), password });
            }
            net.add(Client::new(profile, seed * 16 + nth as u64));
        }
        Trial { net, dice: Dice::new(seed ^ 0xface), typed: Vec::new() }
    }

    fn run(mut self, cuts: u32) -> Result<(), String> {
        self.quiet()?;
        while self.net.cuts < cuts {
            for _ in 0..self.dice.among(0..4) {
                let who = self.dice.among(0..3) as usize;
                self.act(who);
            }
            self.net.rough();
        }
        self.quiet()?;
        self.load_all()?;
        self.compare()
    }

    /// Somebody does something.
    fn act(&mut self, who: usize) {
        let now = self.net.now();
        let nth = self.typed.len();
        let kind = self.dice.among(0..20);
        let room = *self.dice.pick(&ROOMS);
        let person = ["bob", "ann", "ann"][who];
        let client = &mut self.net.people[who].client;
        let (id, kept) = match kind {
            0..=1 if client.is_online() => (client.query(person, now), who < 2),
            _ => (client.find(room).expect("the room is in the profile"), true),
        };
        if kind >= 13 {
            return self.amend(who, id, kind, now);
        }
        let (text, how) = match kind {
            2 => (format!("word {nth}\nand more\n\nof {nth}"), SayAs::Message),
            3 => (format!("does {nth}"), SayAs::Action),
            4 => (format!("long {nth} {}", "words of it ".repeat(60)), SayAs::Message),
            5 => (format!("notice {nth}"), SayAs::Notice),
            _ => (format!("word {nth}"), SayAs::Message),
        };
        if client.say(id, &text, how, None, now).is_ok() {
            self.typed.push(Typed { by: who, text, kept });
        }
    }

    /// Somebody does something to what was said, or with the room.
    fn amend(&mut self, who: usize, id: BufferId, kind: u64, now: u64) {
        let pick = self.dice.roll() as usize;
        let client = &mut self.net.people[who].client;
        let Some(buffer) = client.buffer(id) else { return };
        let said: Vec<&Line> =
            buffer.lines.iter().filter(|line| line.kind.is_said() && line.msgid.is_some()).collect();
        let Some(line) = said.get(pick % said.len().max(1)).map(|line| line.id) else { return };
        // Whatever is refused is refused: what counts is what the server keeps.
        let _ = match kind {
            13 => client.edit(id, line, &format!("edited {pick}"), now),
            14 => client.redact(id, line, "never mind", now),
            15..=16 => client.react(id, line, ["+1", "lol"][pick % 2], now),
            17 => client.unreact(id, line, ["+1", "lol"][pick % 2], now),
            18 => {
                client.topic(id, &format!("topic {pick}"));
                Ok(())
            }
            _ => {
                client.seen(id, now);
                client.older(id, now);
                Ok(())
            }
        };
    }

    /// Everything arrives, until nothing happens any more.
    fn quiet(&mut self) -> Result<(), String> {
        for _ in 0..400 {
            self.net.smooth(250);
            let settled = self.net.people.iter().all(|person| {
                let mut rooms = person.client.buffers().filter(|buffer| buffer.kind == BufferKind::Room);
                person.client.is_online() && !person.client.is_busy() && rooms.all(|room| room.joined)
            });
            if settled {
                // What is under way without being waited for: pages, marks, the own nickname.
                for _ in 0..15 {
                    self.net.smooth(1_000);
                }
                return Ok(());
            }
        }
        let states: Vec<_> =
            self.net.people.iter().map(|person| (person.client.link(), person.client.is_busy())).collect();
        Err(format!("it does not become quiet: {states:?}"))
    }

    /// Everybody pages back to the first line.
    fn load_all(&mut self) -> Result<(), String> {
        for _ in 0..200 {
            let now = self.net.now();
            let mut more = false;
            for person in &mut self.net.people {
                let ids: Vec<BufferId> = person.client.buffers().map(|buffer| buffer.id).collect();
                for id in ids {
                    let Some(buffer) = person.client.buffer(id) else { continue };
                    let (at_end, stored) =
                        (buffer.at_end, buffer.lines.iter().any(|line| line.msgid.is_some()));
                    if !at_end {
                        return Err(format!("{} is not at its end", buffer.name));
                    }
                    if buffer.history == HistoryState::More && stored {
                        more = true;
                        person.client.older(id, now);
                    }
                }
            }
            self.net.smooth(100);
            if !more {
                return Ok(());
            }
        }
        Err("history has no beginning".into())
    }

    fn compare(&mut self) -> Result<(), String> {
        let observer = self.observer()?;
        for name in ROOMS {
            let truth = self.truth(name);
            for who in 0..self.net.people.len() {
                let client = &self.net.people[who].client;
                let shown = shown(client, name);
                same(&format!("{name} of {}", client.me().nick), &shown, &truth, |(id, text, _)| {
                    format!("{id} {text:?}")
                })?;
                same(
                    &format!("signs in {name} of {}", client.me().nick),
                    &signs(client, name),
                    &signs(&observer, name),
                    |it| format!("{it:?}"),
                )?;
            }
        }
        for (who, other) in [(0, "bob"), (1, "ann")] {
            let client = &self.net.people[who].client;
            let truth = self.truth_between();
            let shown = shown(client, other);
            same(&format!("what {} and {other} said", client.me().nick), &shown, &truth, |(id, text, _)| {
                format!("{id} {text:?}")
            })?;
        }
        self.said_once()
    }

    /// Somebody who was not there, and reads everything.
    fn observer(&mut self) -> Result<Client, String> {
        let mut profile = Profile::new("eve", "chinwag.local");
        profile.rooms = ROOMS.iter().map(|room| (*room).to_owned()).collect();
        self.net.add(Client::new(profile, 4_711));
        self.quiet()?;
        self.load_all()?;
        Ok(self.net.people.pop().expect("it was added").client)
    }

    /// What the server keeps of a room: msgid, text, and who said it.
    fn truth(&self, name: &str) -> Vec<(String, String, String)> {
        let room = self.net.world.archive().chat().room_by_name(name).map(|room| room.id);
        room.map(|room| self.rows(room)).unwrap_or_default()
    }

    /// What it keeps of the only conversation of two with accounts.
    fn truth_between(&self) -> Vec<(String, String, String)> {
        let chat = self.net.world.archive().chat();
        let rooms =
            (0..100).map(RoomId).filter(|id| chat.room(*id).is_some_and(|room| room.between.is_some()));
        let mut all: Vec<_> = rooms.map(|room| self.rows(room)).collect();
        all.retain(|rows| rows.iter().all(|(_, _, by)| by != "cyd" && !by.starts_with("cyd")));
        all.into_iter().flatten().collect()
    }

    fn rows(&self, room: RoomId) -> Vec<(String, String, String)> {
        let chat = self.net.world.archive().chat();
        let gone = |number: &Number| chat.room(room).is_some_and(|room| room.redacted.contains(number));
        let rows = self.net.world.archive().rows(room).iter().filter(|row| !gone(&row.number));
        rows.map(|row| {
            let id = chinwag_wire::msgid::MsgId::stored(chat.msgid_key(), row.seq.0).to_string();
            let text = row
                .text
                .strip_prefix("\u{1}ACTION ")
                .map_or(&*row.text, |text| text.trim_end_matches('\u{1}'));
            (id, text.to_owned(), row.by.nick.to_string())
        })
        .collect()
    }

    /// Whatever was typed is in the history once, or failed and is not there.
    fn said_once(&self) -> Result<(), String> {
        // How often it was said, and how often that is still there.
        let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let archive = self.net.world.archive();
        for room in (0..100).map(RoomId) {
            for row in archive.rows(room) {
                let text = archive.said(room, row.number);
                let text =
                    text.strip_prefix("\u{1}ACTION ").map_or(text, |text| text.trim_end_matches('\u{1}'));
                let gone = archive.chat().room(room).is_some_and(|room| room.redacted.contains(&row.number));
                let (said, there) = counts.entry(text.to_owned()).or_default();
                *said += 1;
                *there += usize::from(!gone);
            }
        }
        for typed in self.typed.iter().filter(|typed| typed.kept) {
            let client = &self.net.people[typed.by].client;
            let mut own = client.buffers().flat_map(|buffer| buffer.lines.own());
            let failed = own.find(|line| line.text == typed.text);
            let (said, there) = counts.get(&typed.text).copied().unwrap_or_default();
            match failed.map(|line| &line.state) {
                None if said == 1 => {}
                // One that was deleted before its author was back is not known to have been heard.
                Some(LineState::Failed(_)) if there == 0 && said <= 1 => {}
                state => {
                    return Err(format!(
                        "{:?} of {} was said {said} times, as {state:?}",
                        typed.text,
                        client.me().nick
                    ));
                }
            }
        }
        Ok(())
    }
}

/// What a client shows of a room: msgid, text, and who said it.
fn shown(client: &Client, name: &str) -> Vec<(String, String, String)> {
    let Some(buffer) = client.find(name).and_then(|id| client.buffer(id)) else { return Vec::new() };
    let said = buffer
        .lines
        .iter()
        .filter(|line| line.kind.is_said() && line.redacted.is_none() && line.msgid.is_some());
    said.map(|line| {
        let by = line.from.as_ref().map(|from| from.nick.to_string()).unwrap_or_default();
        (line.msgid.as_deref().unwrap_or_default().to_owned(), line.text.clone(), by)
    })
    .collect()
}

/// A line's msgid, its reactions with who reacted, and whether it is shown as edited.
type Signs = (String, Vec<(String, Vec<String>)>, bool);

/// The signs at each line.
fn signs(client: &Client, name: &str) -> Vec<Signs> {
    let Some(buffer) = client.find(name).and_then(|id| client.buffer(id)) else { return Vec::new() };
    let said = buffer
        .lines
        .iter()
        .filter(|line| line.kind.is_said() && line.redacted.is_none() && line.msgid.is_some());
    said.map(|line| {
        let mut signs: Vec<_> = line
            .reactions
            .iter()
            .map(|sign| {
                let mut who: Vec<String> = sign.who.iter().map(|nick| nick.to_string()).collect();
                who.sort();
                (sign.what.to_string(), who)
            })
            .collect();
        signs.sort();
        (line.msgid.as_deref().unwrap_or_default().to_owned(), signs, line.edited)
    })
    .collect()
}

/// Compares, and says where the first difference is.
fn same<T: PartialEq>(
    what: &str,
    shown: &[T],
    truth: &[T],
    tell: impl Fn(&T) -> String,
) -> Result<(), String> {
    if shown == truth {
        return Ok(());
    }
    let at =
        shown.iter().zip(truth).position(|(one, other)| one != other).unwrap_or(shown.len().min(truth.len()));
    let line = |list: &[T]| list.get(at).map_or("nothing".to_owned(), &tell);
    Err(format!(
        "{what}: {} lines instead of {}; line {at} is {} instead of {}",
        shown.len(),
        truth.len(),
        line(shown),
        line(truth)
    ))
}
