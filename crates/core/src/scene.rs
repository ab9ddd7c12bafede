//! For tests: people in a chat with a log that orders everything at once, and effects as readable lines.

use std::collections::BTreeMap;
use std::sync::Arc;

use chinwag_log::{Entry, Key, Origin, Seq};
use chinwag_wire::caps::CapSet;
use chinwag_wire::message::Message;
use chinwag_wire::msgid::{MsgId, MsgIdKey};

use crate::aging::Aged;
use crate::allowance::Allowance;
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::effect::{Effect, Effects, To};
use crate::erasing::{Erasable, EraseQuery};
use crate::event::{AccountRegistered, Arrived, CameFrom, Event, Who};
use crate::figures::Figures;
use crate::history::{Happened, Page, Row};
use crate::ids::{Number, RoomId, SessionKey, UserId};
use crate::line::{Command, Source, Text};
use crate::pending::Pending;
use crate::pointed::{Answer, Found, Looked, Lookup, Pointer, Question};
use crate::records::{Records, Sift, Sifted, SiftedMessage, is_meant, is_record};
use crate::search::{Hit, Hits, SearchQuery};
use crate::session::{Door, Phase, Session};
use crate::settings::Settings;

/// The key of all test chats.
pub(crate) const KEY: MsgIdKey = MsgIdKey([3, 5]);

/// A chat, its log, and the sessions by nickname.
pub(crate) struct Scene {
    pub(crate) chat: Chat,
    pub(crate) settings: Settings,
    pub(crate) pending: Pending,
    pub(crate) figures: Figures,
    pub(crate) log: Vec<Entry<Event>>,
    pub(crate) now_ms: u64,
    sessions: BTreeMap<&'static str, Session>,
}

/// What a request came to.
pub(crate) struct Decided {
    pub(crate) flow: Flow,
    pub(crate) effects: Effects,
    pub(crate) events: Vec<Event>,
}

/// From where people come in a scene.
pub(crate) fn here() -> CameFrom {
    CameFrom { address: "host".into(), secure: false }
}

impl Scene {
    /// An empty chat, and these people in it.
    pub(crate) fn of<const N: usize>(people: [&'static str; N]) -> Scene {
        let mut scene = Scene {
            chat: Chat::new(KEY),
            settings: Settings::default(),
            pending: Pending::default(),
            figures: Figures::default(),
            log: Vec::new(),
            now_ms: 1_000_000,
            sessions: BTreeMap::new(),
        };
        for nick in people {
            scene.enters(nick);
        }
        scene
    }

    /// Somebody comes in, with all capabilities.
    pub(crate) fn enters(&mut self, nick: &'static str) {
        let user = UserId::new(0, self.sessions.len() as u64 + 1);
        let who = Arc::new(Who { nick: nick.into(), user: "~u".into(), host: "host".into(), account: None });
        let session = SessionKey(user.0);
        let realname = "Real Name".into();
        let arrived = Arrived {
            user,
            who,
            realname,
            door: "irc",
            from: here(),
            session,
            away: None,
            metadata: Default::default(),
            modes: Default::default(),
        };
        let effects = self.happens(Event::Arrived(Arc::new(arrived)));
        assert!(effects.contains(&Effect::Registered(user)), "{effects:?}");
        let mut session = Session::new(session, Door::Irc, "host".into(), false);
        session.phase = Phase::Live(user);
        session.caps = CapSet::ALL;
        self.sessions.insert(nick, session);
    }

    /// Somebody asks to come in; everything that anybody would be sent.
    pub(crate) fn arrives(&mut self, nick: &'static str) -> Vec<String> {
        let user = UserId::new(0, self.log.len() as u64 + 10_000);
        let who = Arc::new(Who { nick: nick.into(), user: "~u".into(), host: "host".into(), account: None });
        let (session, realname) = (SessionKey(user.0), "Real Name".into());
        let arrived = Arrived {
            user,
            who,
            realname,
            door: "irc",
            from: here(),
            session,
            away: None,
            metadata: Default::default(),
            modes: Default::default(),
        };
        let effects = self.happens(Event::Arrived(Arc::new(arrived)));
        effects.iter().map(|effect| self.shown(effect)).collect()
    }

    /// The session of somebody.
    pub(crate) fn session(&mut self, nick: &str) -> &mut Session {
        self.sessions.get_mut(nick).expect("somebody who came in")
    }

    /// The number of somebody.
    pub(crate) fn user(&self, nick: &str) -> UserId {
        self.chat.user_by_nick(nick).expect("somebody who is here").id
    }

    /// The next place in the log.
    pub(crate) fn entry(&self, event: Event) -> Entry<Event> {
        let place = self.log.len() as u64 + 1;
        let key = Key { origin: Origin(0), n: place };
        Entry { seq: Seq(place), key, at_ms: self.now_ms, keep: event.keep(), event }
    }

    /// Something happens.
    pub(crate) fn happens(&mut self, event: Event) -> Effects {
        let entry = self.entry(event);
        let mut effects = Effects::new();
        assert!(self.chat.apply(&entry, &mut effects));
        // Nobody watches anybody here.
        effects.retain(|effect| !matches!(effect, Effect::Watched { .. }));
        self.log.push(entry);
        effects
    }

    /// What would happen, without its happening.
    pub(crate) fn would_happen(&self, event: Event) -> Effects {
        let mut effects = Effects::new();
        assert!(self.chat.clone().apply(&self.entry(event), &mut effects));
        effects
    }

    /// Somebody makes themselves an account of their own name, and logs in to it.
    pub(crate) fn logs_in(&mut self, nick: &str) {
        self.happens(Event::AccountRegistered(Arc::new(AccountRegistered {
            account: nick.into(),
            verifiers: None,
            certificate: None,
            key: None,
            email: None,
            code: None,
            replaces: false,
            invitation: None,
        })));
        let user = self.user(nick);
        self.happens(Event::LoggedIn { user, account: nick.into() });
        assert_eq!(self.chat.user(user).expect("who is here").who.account.as_deref(), Some(nick));
    }

    /// Decides what somebody asks for, and nothing more.
    pub(crate) fn decide(&mut self, nick: &str, line: &str) -> Decided {
        let mut effects = Effects::new();
        let mut events = Vec::new();
        let mut asking = Asking {
            now_ms: self.now_ms,
            settings: &self.settings,
            session: self.sessions.get_mut(nick).expect("somebody who came in"),
            allowance: Allowance::default(),
            pending: &self.pending,
            figures: &self.figures,
            next_user: UserId::new(0, 1000),
            effects: &mut effects,
            events: &mut events,
        };
        let message = Message::parse_str(line).expect("a message");
        let flow = self.chat.request(&mut asking, &message);
        if flow == Flow::Wait {
            assert!(effects.is_empty() && events.is_empty(), "something was done before Wait: {line}");
        }
        // What is only counted has tests of its own.
        effects.retain(|effect| !matches!(effect, Effect::Spent(_) | Effect::Refused(_)));
        Decided { flow, effects, events }
    }

    /// The same, with an archive that answers at once.
    fn decide_reading(&mut self, nick: &str, line: &str) -> Decided {
        let decided = self.decide(nick, line);
        let Flow::Look(question) = decided.flow else { return decided };
        let answer = Ok(self.answer(&question));
        self.session(nick).looked = Some(Box::new(Looked { question: *question, answer }));
        self.decide(nick, line)
    }

    /// The events that a request leads to.
    pub(crate) fn decided(&mut self, nick: &str, line: &str) -> Vec<Event> {
        self.decide_reading(nick, line).events
    }

    /// A message, as an archive knows it.
    pub(crate) fn message(&self, lookup: &Lookup) -> Option<Box<Found>> {
        let mut number = 0;
        let said = self.log.iter().filter_map(|entry| match &entry.event {
            Event::Said(said) if said.room == lookup.room => Some((entry, said)),
            _ => None,
        });
        for (entry, said) in said {
            number += 1;
            let row = Row {
                seq: entry.seq,
                number: Number(number),
                at_ms: entry.at_ms,
                by: said.by.clone(),
                kind: said.kind,
                text: said.text.clone(),
                joins: said.joins.clone(),
                client_tags: said.client_tags.clone(),
                status: said.status,
            };
            let meant = match lookup.of {
                Pointer::Number(wanted) => wanted == row.number,
                Pointer::Seq(wanted) => wanted == row.seq,
            };
            if meant {
                return Some(Box::new(Found { row, user: said.user, formers: Vec::new() }));
            }
        }
        None
    }

    /// The answer of an archive that has read no more than what this scene's log holds.
    pub(crate) fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::Page(_) => Answer::Page(Page::default()),
            Question::Message(lookup) => Answer::Message(self.message(lookup)),
            Question::Sift(sift) => Answer::Sifted(self.sifted(sift)),
            Question::Records(query) => {
                let ours = |entry: &&Entry<Event>| {
                    is_record(&entry.event)
                        && entry.event.room().map(|room| room.0) == query.room.map(|room| room.0)
                };
                let rows = self.log.iter().filter(ours).map(|entry| Happened {
                    seq: entry.seq,
                    at_ms: entry.at_ms,
                    event: entry.event.clone(),
                });
                Answer::Records(Records { rows: rows.collect(), end: true })
            }
            Question::Search(query) => Answer::Search(self.found(query)),
            Question::Age(_) => Answer::Aged(Aged::default()),
            Question::Erasable(query) => Answer::Erasable(self.erasable(query)),
            Question::Erasures(_) => Answer::Erasures(Vec::new()),
        }
    }

    fn erasable(&self, query: &EraseQuery) -> Erasable {
        let pattern = chinwag_wire::extban::Pattern::parse(&query.whom, query.mapping).expect("a pattern");
        let meant = |entry: &&Entry<Event>| match &entry.event {
            Event::Said(said) => {
                is_meant(&pattern, &said.by)
                    && entry.at_ms >= query.since_ms
                    && query.room.is_none_or(|room| room == said.room)
            }
            _ => false,
        };
        Erasable { messages: self.log.iter().filter(meant).count() as u64, rooms: 1, more: false }
    }

    /// The messages that contain every term as it stands.
    fn found(&self, query: &SearchQuery) -> Hits {
        let mut hits = Vec::new();
        for place in &*query.places {
            let room = self.chat.room(place.room).expect("a room");
            for number in (place.first.0..=room.head.0).map(Number).filter(|number| !room.is_gone(*number)) {
                let lookup = Lookup { room: place.room, of: Pointer::Number(number), last: room.head };
                let Some(found) = self.message(&lookup) else { continue };
                let row = found.row;
                let has = query.terms.iter().all(|term| row.text.contains(&*term.text));
                if has && row.status.is_none() {
                    hits.push(Hit { room: place.room, row });
                }
            }
        }
        Hits { hits, ..Hits::default() }
    }

    fn sifted(&self, sift: &Sift) -> Sifted {
        let room = self.chat.room(sift.room).expect("a room");
        let pattern = sift.pattern().expect("a pattern");
        let numbers = (1..=room.head.0).map(Number).filter(|number| !room.is_gone(*number));
        let found = numbers.filter_map(|number| {
            let lookup = Lookup { room: sift.room, of: Pointer::Number(number), last: room.head };
            let row = self.message(&lookup)?.row;
            let meant = is_meant(&pattern, &row.by) && row.at_ms >= sift.since_ms;
            let message = SiftedMessage { number, seq: row.seq, shown: row.status.is_none() };
            meant.then(|| (message, Arc::clone(&row.by.nick)))
        });
        Sifted::new(found, false)
    }

    /// The msgid of a message of the first room.
    pub(crate) fn msgid(&self, number: u64) -> String {
        let (room, of) = (RoomId(1), Pointer::Number(Number(number)));
        let found = self.message(&Lookup { room, of, last: Number(number) }).expect("a message");
        MsgId::stored(&KEY, found.row.seq.0).to_string()
    }

    /// Decides what somebody asks for and applies what follows; everything that anybody would be sent.
    pub(crate) fn asks(&mut self, nick: &str, line: &str) -> Vec<String> {
        let Decided { flow, mut effects, events } = self.decide_reading(nick, line);
        assert_eq!(flow, Flow::Done, "{line}");
        // All are under way together, as in a node, and each has to end up where it was expected to be filed.
        let slots: Vec<_> = events.iter().map(|event| self.pending.enter(&self.chat, event)).collect();
        for (event, slot) in events.into_iter().zip(slots) {
            self.pending.leave(&event);
            effects.extend(self.happens(event.clone()));
            match &event {
                Event::Said(said) => {
                    let two = said.direct.as_ref().and_then(|two| self.chat.room_by_name(&two.between));
                    let room = two.map_or(said.room, |room| room.id);
                    let filed = (room.0, self.chat.head(room).0);
                    assert_eq!((slot.room, slot.number), filed, "{event:?}");
                }
                Event::Opened { name, .. } => {
                    let room = self.chat.room_by_name(name).map(|room| room.id.0);
                    assert_eq!(Some(slot.room), room, "{event:?}");
                }
                _ => assert_eq!(slot.number, 0),
            }
            assert!(!effects.contains(&Effect::Stale), "one node alone never decides too early: {event:?}");
        }
        effects.iter().map(|effect| self.shown(effect)).collect()
    }

    /// The same for several lines, of which the answers do not matter.
    pub(crate) fn all<const N: usize>(&mut self, lines: [(&str, &str); N]) {
        for (nick, line) in lines {
            let _ = self.asks(nick, line);
        }
    }

    fn shown(&self, effect: &Effect) -> String {
        let name = |room| self.chat.room(room).map_or("?".into(), |room| Arc::clone(&room.name));
        let nick = |user| {
            self.chat.user(user).map_or_else(|| format!("{user:?}").into(), |user| user.who.nick.clone())
        };
        let Effect::Send { to, author, except, line } = effect else {
            return match effect {
                Effect::Entered(room, user) => format!("{} entered {}", nick(*user), name(*room)),
                Effect::LeftRoom(room, _) => format!("left {}", name(*room)),
                Effect::Names(room, user) => format!("names of {} for {}", name(*room), nick(*user)),
                Effect::Gone(_, reason) => format!("gone: {reason}"),
                Effect::Close(reason) => format!("close: {reason}"),
                other => format!("{other:?}"),
            };
        };
        let mut shown = match to {
            To::Asker => "asker".to_owned(),
            To::AskerBeside => "asker beside".to_owned(),
            To::User(user) => nick(*user).to_string(),
            To::OtherSessions(user) => format!("others of {}", nick(*user)),
            To::Room(room) => name(*room).to_string(),
            To::RoomStatus(room, status) => format!("{}{}", status.sign(), name(*room)),
            To::Neighbours(_) => "neighbours".to_owned(),
            To::Everybody => "everybody".to_owned(),
        };
        if author.is_some() {
            shown.push_str(" (echo)");
        }
        if except.is_some() {
            shown.push_str(" (but one)");
        }
        shown.push_str("< ");
        if let Source::User(who) = &line.source {
            shown.extend([&who.nick, " "]);
        }
        match line.command {
            Command::Numeric(numeric) => shown.push_str(&format!("{:03}", numeric.0)),
            Command::Verb(verb) => shown.push_str(verb),
        }
        let more = line.meta.more.iter().flat_map(|(_, more)| more);
        for param in line.params.iter().chain(more).map(Text::as_str) {
            shown.extend([" ", param]);
        }
        shown
    }
}
