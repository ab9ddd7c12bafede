//! Programs that ask without a session (the HTTP API, webhooks): what they may read, what they may say, and as whom
//! everybody sees it.
//!
//! Who shows no token reads what a guest could read who came in at this moment; a token reads and says what its account
//! could. What a program says is an event like any other: it is decided here, and applied once the log has kept it.

use std::sync::Arc;

use chinwag_wire::limits::BODY_BYTES_MAX;
use smallvec::SmallVec;

use crate::chat::{Account, Chat, Heard, Room, User, UserModes};
use crate::commands::is_query;
use crate::event::{CameFrom, Event, PROGRAM_USERNAME, Said, SayKind, Status, Who};
use crate::history::{Anchor, Part, Query, Show};
use crate::ids::{Millis, Number, RoomId, UserId};
use crate::multiline::Draft;
use crate::pending::Pending;
use crate::permissions::{Action, may};
use crate::roles::Roles;
use crate::search::{Place, SearchQuery, Wanted};
use crate::settings::Settings;
use crate::span::Span;

/// The node's number in the user numbers of programs: no node has it, so that no user is ever taken for one.
const NO_NODE: u16 = u16::MAX;

/// Who asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Program {
    /// Whoever calls from this address.
    Guest(Arc<str>),
    /// A program of an account, which showed a token.
    Token {
        /// The account.
        account: Arc<str>,
        /// The bot as which it speaks, if it is not its owner who does.
        bot: Option<Arc<str>>,
    },
    /// A hook of this name: it says something in its room, and reads nothing.
    Hook(Arc<str>),
    /// Somebody who is here, for whom something is said that they asked for (a file that they handed in).
    Member(UserId),
}

/// Something that a program wants to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Saying {
    /// Who.
    pub by: Program,
    /// Where.
    pub room: RoomId,
    /// PRIVMSG or NOTICE.
    pub kind: SayKind,
    /// The text; several lines make one message.
    pub text: Arc<str>,
}

/// Why something was not said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotSaid {
    /// Not yet: something has to be applied before. Ask again then.
    Wait,
    /// There is no such room, as far as the program may know.
    NoRoom,
    /// The room does not let it speak; this mode is why, if it is one.
    MayNot(Option<char>),
    /// The room lets it wait.
    HeldBack(Span, &'static str),
    /// There is nothing in it, or it is nothing that could be said: a sentence.
    Unfit(&'static str),
    /// It has too many lines, or bytes: as many are the most.
    TooLong {
        /// Lines at most.
        lines: usize,
        /// Bytes at most.
        bytes: usize,
    },
}

/// Which part of a room's history, by numbers of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// The newest.
    Newest,
    /// The newest before this one.
    Before(Number),
    /// The oldest after this one.
    After(Number),
}

impl Program {
    /// Its number as a user: the same for the same program, and nobody's who is present.
    fn user_id(&self) -> UserId {
        let (kind, name) = match self {
            Program::Guest(address) => ('g', address),
            Program::Token { account, .. } => ('t', account),
            Program::Hook(name) => ('h', name),
            Program::Member(user) => return *user,
        };
        // FNV-1a: it is only told apart from others by it, for a room's slow mode.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in [kind as u8].iter().chain(name.as_bytes()) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        UserId::new(NO_NODE, hash)
    }
}

impl Chat {
    /// A program as a user who is not here; of somebody who is, who that is.
    fn outsider(&self, settings: &Settings, program: &Program) -> User {
        if let Program::Member(user) = program
            && let Some(user) = self.user(*user)
        {
            return user.clone();
        }
        let server = &settings.server;
        let program_name: Arc<str> = PROGRAM_USERNAME.into();
        let who = match program {
            Program::Guest(address) => {
                Who { nick: "guest".into(), user: "~guest".into(), host: Arc::clone(address), account: None }
            }
            Program::Token { account, bot } => {
                let nick = match bot {
                    Some(bot) => format!("{bot}/{account}").into(),
                    None => Arc::clone(account),
                };
                let (host, account) = (Arc::clone(server), Some(Arc::clone(account)));
                Who { nick, user: program_name, host, account }
            }
            // They have gone: nothing of it is heard, see `program_heard`.
            Program::Member(_) => {
                Who { nick: "gone".into(), user: "~gone".into(), host: Arc::clone(server), account: None }
            }
            Program::Hook(name) => {
                let nick = format!("{name}/hook").into();
                Who { nick, user: program_name, host: Arc::clone(server), account: None }
            }
        };
        User {
            id: program.user_id(),
            who: Arc::new(who),
            realname: "".into(),
            door: "http",
            from: CameFrom { address: "0".into(), secure: true },
            away: None,
            modes: UserModes::default(),
            rooms: Vec::new(),
            invited: Vec::new(),
            operator: None,
            accepted: Vec::new(),
            signed_on_ms: 0,
            said_ms: 0,
            sessions: 0,
            keys: SmallVec::new(),
            absent: Vec::new(),
            written: Default::default(),
            metadata: Default::default(),
            marks: Default::default(),
        }
    }

    /// The user of the program's account who is a member of the room, if there is one.
    fn member_for(&self, program: &Program, room: &Room) -> Option<UserId> {
        let account = match program {
            Program::Token { account, .. } => account,
            Program::Member(user) => return room.member(*user).map(|_| *user),
            Program::Guest(_) | Program::Hook(_) => return None,
        };
        self.users_of_account(account).iter().copied().find(|user| room.member(*user).is_some())
    }

    /// What the program may do in the room, by its account.
    fn roles_of(&self, program: &Program, room: &Room, outsider: &User) -> Roles {
        let kept = room.kept_role(&outsider.who).map_or(Roles::NONE, Roles::from);
        self.member_for(program, room).map_or(kept, |user| room.roles(user))
    }

    /// Whether a program may read what is said in a room, and know that there is such a room.
    pub fn lets_read(&self, settings: &Settings, program: &Program, room: &Room) -> bool {
        if room.between.is_some() || matches!(program, Program::Hook(_)) {
            return false;
        }
        if self.member_for(program, room).is_some() {
            return true;
        }
        // Who would be asked for the server's password reads nothing without.
        if matches!(program, Program::Guest(_)) && settings.password.is_some() {
            return false;
        }
        let outsider = self.outsider(settings, program);
        let keeps = room.kept_role(&outsider.who).is_some();
        (keeps || !room.modes.secret) && room.refuses(&outsider, None).is_none()
    }

    /// The room of this name, with or without its `#`, that a program may read.
    pub fn room_for(&self, settings: &Settings, program: &Program, name: &str) -> Option<&Room> {
        let found = match name.starts_with('#') {
            true => self.room_by_name(name),
            false => self.room_by_name(&format!("#{name}")),
        };
        found.filter(|room| self.lets_read(settings, program, room))
    }

    /// The rooms that a program may read, in the order in which they were opened.
    pub fn rooms_for<'a>(
        &'a self,
        settings: &'a Settings,
        program: &'a Program,
    ) -> impl Iterator<Item = &'a Room> {
        self.rooms().filter(|room| self.lets_read(settings, program, room))
    }

    /// The members of a room that a program may know of.
    pub fn members_for<'a>(
        &'a self,
        program: &Program,
        room: &'a Room,
    ) -> impl Iterator<Item = (Roles, &'a User)> {
        let viewer = self.member_for(program, room);
        self.members(room)
            .filter(move |(member, _)| match viewer {
                Some(viewer) => room.sees(viewer, member),
                None => room.shows(member),
            })
            .map(|(member, user)| (member.roles, user))
    }

    /// The question for the archive. The caller has made sure that the program may read the room.
    pub fn page_for(&self, room: &Room, numbers: Numbers, limit: u32) -> Query {
        let (mut first, mut last) = (room.history_from, room.head);
        let part = match numbers {
            Numbers::Newest => Part::Latest(None),
            Numbers::Before(number) => {
                last = last.min(Number(number.0.saturating_sub(1)));
                Part::Latest(None)
            }
            Numbers::After(number) => {
                first = first.max(Number(number.0.saturating_add(1)));
                Part::After(Anchor::Time(0))
            }
        };
        Query {
            room: room.id,
            name: Arc::clone(&room.name),
            part,
            limit,
            first,
            last,
            events: false,
            until: self.position(),
            clock: false,
            two: None,
            batch: "".into(),
            show: Show::Said,
        }
    }

    /// A search in the rooms that a program may read; none when it names a room that it may not.
    pub fn search_for(
        &self,
        settings: &Settings,
        program: &Program,
        wanted: Wanted,
        limit: u32,
    ) -> Option<SearchQuery> {
        let named =
            |room: &&Room| wanted.place.as_ref().is_none_or(|place| self.mapping().same(&room.name, place));
        let place = |room: &Room| Place { room: room.id, first: room.history_from };
        let places: Arc<[Place]> = self.rooms_for(settings, program).filter(named).map(place).collect();
        if wanted.place.is_some() && places.is_empty() {
            return None;
        }
        let Wanted { terms, from, before, after, .. } = wanted;
        Some(SearchQuery { places, terms: terms.into(), from, before, after, limit })
    }

    /// Decides what a program wants to say: the event to be proposed.
    ///
    /// # Errors
    /// [`NotSaid`].
    pub fn says(
        &self,
        settings: &Settings,
        pending: &Pending,
        now_ms: Millis,
        saying: &Saying,
    ) -> Result<Event, NotSaid> {
        let Saying { by: program, room, kind, text } = saying;
        let room = self.room(*room).filter(|room| room.between.is_none()).ok_or(NotSaid::NoRoom)?;
        let slow = room.guards.slow_s.is_some() && pending.busy(room.id);
        if pending.locked(room.id) || slow {
            return Err(NotSaid::Wait);
        }
        let outsider = self.outsider(settings, program);
        let status = self.program_heard(settings, program, room, &outsider)?;
        let roles = self.roles_of(program, room, &outsider);
        let spared = matches!(program, Program::Hook(_)) || may(roles, Action::Speak);
        let known_ms = self.known_since(&outsider);
        if let Some((span, why)) = room.holds_back(&outsider, known_ms, now_ms).filter(|_| !spared) {
            return Err(NotSaid::HeldBack(span, why));
        }
        let draft = fitted(settings, &outsider, room, text)?;
        Ok(Event::Said(Arc::new(Said {
            room: room.id,
            basis: room.rules,
            user: outsider.id,
            by: outsider.who,
            kind: *kind,
            joins: draft.joins(),
            text: draft.text.into(),
            client_tags: None,
            status,
            direct: None,
        })))
    }

    /// For whom it is what a program says in a room.
    fn program_heard(
        &self,
        settings: &Settings,
        program: &Program,
        room: &Room,
        outsider: &User,
    ) -> Result<Option<Status>, NotSaid> {
        let heard = match program {
            Program::Guest(_) => return Err(NotSaid::NoRoom),
            // Who has left, or was put out, says nothing more.
            Program::Member(user) if room.member(*user).is_none() => return Err(NotSaid::NoRoom),
            Program::Member(_) => room.heard(outsider),
            // Who keeps the room has made it.
            Program::Hook(_) if room.silences(&outsider.who) => Heard::ByNobody('b'),
            Program::Hook(_) => Heard::ByAll,
            Program::Token { .. } if !self.lets_read(settings, program, room) => {
                return Err(NotSaid::NoRoom);
            }
            Program::Token { .. } => room.would_hear(&outsider.who, self.roles_of(program, room, outsider)),
        };
        match heard {
            Heard::ByAll => Ok(None),
            Heard::ByOperators => Ok(Some(Status::Held)),
            Heard::ByNobody(mode) => Err(NotSaid::MayNot(Some(mode))),
        }
    }

    /// The account of a token with this hash, while it may be used: verified, and not kept off the server.
    pub fn program_with(&self, hash: &str) -> Option<(&Account, &Arc<crate::tokens::Token>)> {
        self.token(hash).filter(|(account, _)| account.verified())
    }
}

/// The lines of a text as a message has them.
fn fitted(settings: &Settings, speaker: &User, room: &Room, text: &str) -> Result<Draft, NotSaid> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.trim_end_matches('\n');
    if text.contains('\0') || is_query(text) {
        return Err(NotSaid::Unfit("The text holds a character that no message can hold"));
    }
    let (lines, bytes) = (settings.multiline_max_lines, settings.multiline_max_bytes);
    if text.len() > bytes || text.split('\n').count() > lines {
        return Err(NotSaid::TooLong { lines, bytes });
    }
    let around = ":".len() + speaker.who.mask().len() + " PRIVMSG ".len() + room.name.len() + " :".len();
    let fits = BODY_BYTES_MAX.saturating_sub(around);
    let mut draft = Draft::default();
    for line in text.split('\n') {
        draft.add(line, false, fits);
    }
    if draft.text.trim().is_empty() {
        return Err(NotSaid::Unfit("There is nothing in the text"));
    }
    Ok(draft)
}

#[cfg(test)]
mod tests;
