//! A little world for the tests of commands: sessions that ask, a log that orders at once, and answers as text.

use std::collections::BTreeMap;
use std::sync::Arc;

use chinwag_log::{Entry, Key, Origin, Seq};
use chinwag_wire::caps::CapSet;
use chinwag_wire::casemap::CaseMapping;
use chinwag_wire::message::Message;
use chinwag_wire::names::MsgIdKey;

use crate::allowance::Allowance;
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::commands::{names, registration};
use crate::effect::{Effect, To};
use crate::event::Event;
use crate::figures::Figures;
use crate::ids::{SessionKey, UserId};
use crate::line::{Command, Line, Source, Text};
use crate::pending::Pending;
use crate::session::{Door, Phase, Session};
use crate::settings::Settings;

/// The time at which every test begins: 2026-11-21T00:00:00Z.
pub(crate) const START_MS: u64 = 1_795_219_200_000;

/// Sessions by name, a chat, and what was answered.
pub(crate) struct World {
    pub(crate) chat: Chat,
    pub(crate) settings: Settings,
    pub(crate) now_ms: u64,
    pub(crate) figures: Figures,
    pub(crate) sessions: BTreeMap<&'static str, Session>,
    /// What the last request caused, its events' effects included.
    pub(crate) effects: Vec<Effect>,
    n: u64,
    users: u64,
    stored: u64,
}

impl World {
    /// Nobody, and a lobby.
    pub(crate) fn new() -> World {
        World::comparing(CaseMapping::Ascii)
    }

    /// The same, in which names are compared by this case mapping.
    fn comparing(casemapping: CaseMapping) -> World {
        let mut world = World {
            chat: Chat::new(MsgIdKey([7, 9])).with_mapping(casemapping),
            settings: Settings { history_query_max: 50, casemapping, ..Settings::default() },
            now_ms: START_MS,
            figures: Figures::default(),
            sessions: BTreeMap::new(),
            effects: Vec::new(),
            n: 0,
            users: 0,
            stored: 0,
        };
        let who = crate::event::Who {
            nick: "server".into(),
            user: "server".into(),
            host: "chinwag.local".into(),
            account: None,
        };
        let (name, by) = (Arc::clone(&world.settings.lobby), Arc::new(who));
        world.apply(Event::Opened { name, by, common: true });
        world
    }

    /// A world in which these people are registered.
    pub(crate) fn with(people: &[&'static str]) -> World {
        World::with_by(CaseMapping::Ascii, people)
    }

    /// The same, in which names are compared by this case mapping.
    pub(crate) fn with_by(casemapping: CaseMapping, people: &[&'static str]) -> World {
        let mut world = World::comparing(casemapping);
        for name in people {
            world.connect(name);
            world.ask(name, &format!("NICK {name}"));
            world.ask(name, &format!("USER {name} 0 * :{name} Real"));
        }
        world
    }

    /// Somebody connects, by a session of this name.
    pub(crate) fn connect(&mut self, name: &'static str) {
        self.sessions.insert(
            name,
            Session::new(SessionKey(self.sessions.len() as u64), Door::Irc, "host.test".into(), false),
        );
    }

    fn apply(&mut self, event: Event) {
        self.n += 1;
        let keep = event.keep();
        if keep == chinwag_log::Keep::Stored {
            self.stored += 1;
        }
        let entry = Entry {
            seq: Seq(self.stored),
            key: Key { origin: Origin(1), n: self.n },
            at_ms: self.now_ms,
            keep,
            event,
        };
        self.chat.apply(&entry, &mut self.effects);
    }

    /// A session asks, and what it proposes is applied at once. The lines that it gets, as text.
    pub(crate) fn ask(&mut self, name: &'static str, line: &str) -> Vec<String> {
        self.effects.clear();
        let mut session = self.sessions.remove(name).expect("the session is connected");
        let next_user = UserId::new(1, self.users + 1);
        let (mut events, pending) = (Vec::new(), Pending::default());
        let mut asking = Asking {
            now_ms: self.now_ms,
            settings: &self.settings,
            session: &mut session,
            allowance: Allowance::default(),
            pending: &pending,
            figures: &self.figures,
            next_user,
            effects: &mut self.effects,
            events: &mut events,
        };
        let message = Message::parse_str(line).expect("a test's line is a message");
        assert_eq!(self.chat.request(&mut asking, &message), Flow::Done, "{line}");
        for event in events {
            self.apply(event);
        }
        self.carry_out(&mut session);
        let user = session.user();
        self.sessions.insert(name, session);
        let lines = self.effects.iter().filter_map(|effect| match effect {
            Effect::Send { to: To::Asker, line, .. } => Some(line),
            Effect::Send { to: To::User(to), line, .. } if Some(*to) == user => Some(line),
            _ => None,
        });
        lines.map(|line| self.text(user, line)).collect()
    }

    /// What the node does with effects that are not lines.
    fn carry_out(&mut self, session: &mut Session) {
        for effect in self.effects.clone() {
            match effect {
                Effect::Registered(user) => {
                    session.phase = Phase::Live(user);
                    self.users += 1;
                    self.chat.welcome(&self.settings, &self.figures, CapSet::EMPTY, user, &mut self.effects);
                }
                Effect::EntryRefused => registration::refused(session),
                Effect::Names(room, user) if session.user() == Some(user) => {
                    let (room, user) = (self.chat.room(room), self.chat.user(user));
                    let (room, user) = (room.expect("it was entered"), user.expect("who entered is here"));
                    let viewer = names::Viewer {
                        user: Some(user.id),
                        nick: &user.who.nick,
                        caps: session.caps,
                        server: &self.settings.server,
                    };
                    names::reply(&self.chat, room, &viewer, &mut self.effects);
                }
                _ => {}
            }
        }
    }

    /// A line as text: without the server's name, with the addressee of numerics.
    pub(crate) fn text(&self, user: Option<UserId>, line: &Line) -> String {
        let source = match &line.source {
            Source::User(who) => format!(":{} ", who.nick),
            Source::Server | Source::Nobody => String::new(),
        };
        let user = user.and_then(|user| self.chat.user(user));
        let nick = user.map_or("*", |user| &user.who.nick);
        let command = match line.command {
            Command::Numeric(numeric) => format!("{:03} {nick}", numeric.number()),
            Command::Verb(verb) => verb.to_owned(),
        };
        let last = line.params.len().saturating_sub(1);
        let params = line.params.iter().map(Text::as_str).enumerate().map(|(at, param)| {
            let colon = param.is_empty() || param.contains(' ') || param.starts_with(':');
            assert!(at == last || !colon, "a middle parameter cannot be {param:?}");
            if colon { format!(" :{param}") } else { format!(" {param}") }
        });
        format!("{source}{command}{}", params.collect::<String>())
    }

    /// Asks, and compares the whole answer.
    #[track_caller]
    pub(crate) fn check(&mut self, name: &'static str, line: &str, expected: &[&str]) {
        let lines = self.ask(name, line);
        assert_eq!(lines, expected, "{name}> {line}");
    }
}
