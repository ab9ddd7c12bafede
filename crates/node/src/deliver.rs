//! Who gets a line: effects carried out, onto the turn's tape.

use chinwag_core::accounts::Resumed;
use chinwag_core::effect::{Effect, To};
use chinwag_core::ids::{RoomId, UserId};
use chinwag_core::line::Line;
use chinwag_core::session::{Door, Phase};
use chinwag_wire::caps::Cap;
use chinwag_wire::names::Folded;
use smallvec::SmallVec;

use crate::Node;
use crate::audience::EVERYBODY;
use crate::doors::{Frame, render, rendering};
use crate::proposals::NO_LABEL;
use crate::sessions::{Heard, Hearing, Input};
use crate::tape::{Except, Piece, offset};

/// The session that asked for what is being carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker {
    /// Its index.
    pub(crate) index: u32,
    /// The labelled request, or [`NO_LABEL`].
    pub(crate) label: u64,
}

impl Node {
    /// Carries an effect out. `Stale` is the caller's.
    pub(crate) fn carry_out(&mut self, asker: Option<Asker>, effect: Effect) {
        match effect {
            Effect::Send { to, author, except, line } => self.send(asker, to, author, except, line),
            Effect::Registered(user) => self.registered(asker, user),
            Effect::EntryRefused => self.entry_refused(asker),
            Effect::EntryAgain => self.enter_again(asker),
            Effect::Settled(settled) => self.resume(asker, Resumed::Settled(settled)),
            Effect::Work(job) => self.work(asker, *job),
            Effect::Letter(letter) => self.letter(*letter),
            Effect::PasswordWanted(nick) => self.password_wanted(asker, &nick),
            Effect::Entered(room, user) => self.entered(room, user),
            Effect::Names(room, user) => {
                self.names(asker, room, user);
                self.replay(room, user);
            }
            Effect::Metadata { of, name, by, changes } => self.tell_metadata(asker, of, &name, &by, &changes),
            Effect::RoomRenamed { room, old, reason, line } => {
                self.room_renamed(asker, room, &old, &reason, &line)
            }
            Effect::LeftRoom(room, user) => self.left(room, user),
            Effect::Gone(user, reason) => self.gone(user, &reason),
            Effect::Stale => {}
            Effect::History(query) => self.read(asker, *query),
            Effect::Watch(nick) => {
                if let Some(asker) = asker {
                    self.watchers.entry(self.chat.mapping().fold(&nick)).or_default().push(asker.index);
                }
            }
            Effect::Unwatch(nick) => {
                if let Some(asker) = asker {
                    self.unwatch(asker.index, &self.chat.mapping().fold(&nick));
                }
            }
            Effect::Spent(dear) => self.spend(asker, dear),
            Effect::Refused(why) => self.figures.refuse(why),
            Effect::Upload(room) => {
                if let Some(asker) = asker {
                    self.uploads.push((self.sessions.id(asker.index), room));
                }
            }
            Effect::Reread => {
                if let Some(asker) = asker {
                    self.rereads.push(self.sessions.id(asker.index));
                }
            }
            Effect::Watched { nick, about, line } => self.tell_watchers(&nick, about, &line),
            Effect::Close(reason) => {
                if let Some(asker) = asker {
                    self.finish_label_of(asker);
                    self.close(asker.index, &reason);
                }
            }
            Effect::Capabilities => {
                if let Some(asker) = asker {
                    self.change_dialect(asker.index);
                }
            }
        }
    }

    fn send(
        &mut self,
        asker: Option<Asker>,
        to: To,
        author: Option<UserId>,
        except: Option<UserId>,
        line: Line,
    ) {
        match to {
            To::Asker => {
                if let Some(asker) = asker {
                    self.answer(asker, line);
                }
            }
            To::AskerBeside => {
                let irc = |asker: &Asker| {
                    self.sessions.get(asker.index).is_some_and(|entry| entry.core.door == Door::Irc)
                };
                if let Some(asker) = asker.filter(irc) {
                    self.send_one(asker.index, &line, None);
                }
            }
            To::OtherSessions(user) => {
                for index in self.sessions.of(user) {
                    if asker.is_none_or(|asker| asker.index != index) {
                        self.send_one(index, &line, None);
                    }
                }
            }
            To::User(user) if Some(user) == except => {}
            To::User(user) => {
                for index in self.sessions.of(user) {
                    match asker.filter(|asker| asker.index == index) {
                        Some(_) if author == Some(user) && !self.echoes(index) => {}
                        Some(asker) => self.answer(asker, line.clone()),
                        None => self.send_one(index, &line, None),
                    }
                }
            }
            To::Room(room) => self.send_room(asker, room, author, except, &line),
            To::RoomStatus(room, role) => {
                let members = self.chat.room(room).map_or(&[][..], |room| &room.members);
                let with_role = members.iter().filter(|member| member.roles.at_least(role));
                let users: Vec<UserId> = with_role.map(|member| member.user).collect();
                self.send_each(asker, &users, author, except, &line);
            }
            To::Neighbours(user) => self.send_neighbours(asker, user, &line),
            To::Everybody => self.send_room(asker, EVERYBODY, author, except, &line),
        }
    }

    /// Whether a session is shown its own lines.
    fn echoes(&self, index: u32) -> bool {
        self.sessions.get(index).is_some_and(|entry| entry.core.caps.contains(Cap::EchoMessage))
    }

    /// A line to everybody in a room, or to everybody: written once a dialect.
    fn send_room(
        &mut self,
        asker: Option<Asker>,
        room: RoomId,
        author: Option<UserId>,
        except: Option<UserId>,
        line: &Line,
    ) {
        let mut out = except.map_or(Except::Nobody, Except::User);
        let asker = asker.filter(|asker| self.hears(asker.index, room));
        if let Some(asker) = asker {
            let silent = author.is_some() && !self.echoes(asker.index);
            if asker.label != NO_LABEL || silent {
                let user = self.sessions.get(asker.index).and_then(|entry| entry.user);
                if except.is_some_and(|except| user != Some(except)) {
                    // Two kinds of exception at once; rare enough to go the long way.
                    let users = self.audience_users(room);
                    return self.send_each(Some(asker), &users, author, except, line);
                }
                if except.is_none() {
                    out = Except::Session(asker.index);
                    if !silent {
                        self.answer(asker, line.clone());
                    }
                }
            }
        }
        if let (Some(asker), Some(_)) = (asker, author)
            && let Some(audience) = self.audiences.get_mut(room)
        {
            audience.note_author(asker.index);
        }
        self.cast(room, line, out);
    }

    pub(crate) fn audience_users(&self, room: RoomId) -> Vec<UserId> {
        let groups = self.audiences.get(room).map_or(&[][..], |audience| &audience.groups);
        let members = groups.iter().flat_map(|group| &group.members);
        let mut users: Vec<UserId> =
            members.filter_map(|index| self.sessions.get(*index).and_then(|entry| entry.user)).collect();
        users.sort_unstable();
        users.dedup();
        users
    }

    /// Whether a session has the capabilities that a line needs.
    fn may_see(&self, index: u32, line: &Line) -> bool {
        self.sessions.get(index).is_some_and(|entry| line.is_for(entry.core.caps))
    }

    /// Writes a line onto the reels of a room.
    fn cast(&mut self, room: RoomId, line: &Line, except: Except) {
        match except {
            Except::Nobody => {}
            Except::Session(index) => self.mark(index),
            Except::User(user) => {
                for index in self.sessions.of(user) {
                    self.mark(index);
                }
            }
        }
        debug_assert_eq!(rendering(line.needs), line.needs, "a reel is shared by all with the same dialect");
        let Some(audience) = self.audiences.get_mut(room) else { return };
        let order = self.tape.next();
        let frame = Frame {
            server: &self.settings.server,
            lobby: &self.settings.lobby,
            addressee: "*",
            now_ms: self.now_ms,
            label: None,
        };
        for group in audience.groups.iter_mut().filter(|group| !group.members.is_empty()) {
            let reel = &mut group.reel;
            if reel.bytes.capacity() == 0 {
                reel.bytes = self.tape.buffer();
            }
            let start = reel.bytes.len();
            render(self.dialects.get(group.dialect), line, &frame, &mut reel.bytes);
            reel.note(order, start, except);
            self.tape.bytes += reel.bytes.len() - start;
        }
        if !audience.touched {
            audience.touched = true;
            self.audiences.touched.push(room);
        }
    }

    /// A line to everybody who shares a room with a user.
    fn send_neighbours(&mut self, asker: Option<Asker>, user: UserId, line: &Line) {
        let rooms: SmallVec<[RoomId; 8]> = SmallVec::from_slice(self.chat.rooms_of(user));
        if let [room] = rooms[..]
            && !self.chat.hides(room, user)
        {
            return self.send_room(asker, room, None, Some(user), line);
        }
        let mut users = Vec::new();
        for room in rooms {
            match self.chat.room(room).filter(|_| self.chat.hides(room, user)) {
                Some(auditorium) => users.extend(auditorium.watchers()),
                None => users.extend(self.audience_users(room)),
            }
        }
        users.sort_unstable();
        users.dedup();
        self.send_each(asker, &users, None, Some(user), line);
    }

    /// A line for the sessions that watch a nickname; see [`Effect::Watched`].
    fn tell_watchers(&mut self, nick: &str, about: Option<UserId>, line: &Line) {
        if self.watchers.is_empty() {
            return;
        }
        let Some(watchers) = self.watchers.get(&self.chat.mapping().fold(nick)) else { return };
        for index in watchers.clone() {
            let wanted = about.is_none_or(|about| self.hears_about(index, about));
            if wanted {
                self.send_one(index, line, None);
            }
        }
    }

    /// Whether a session that watches a user is told more than that the user comes and goes, and is not told as a
    /// neighbour already.
    fn hears_about(&self, index: u32, about: UserId) -> bool {
        let Some(entry) = self.sessions.get(index) else { return false };
        let (Some(viewer), Some(user)) =
            (entry.user.and_then(|user| self.chat.user(user)), self.chat.user(about))
        else {
            return false;
        };
        let own = viewer.id == user.id;
        entry.core.caps.contains(Cap::ExtendedMonitor) && !own && !self.chat.share_a_room(viewer, user)
    }

    /// A session does not watch a nickname any more.
    pub(crate) fn unwatch(&mut self, index: u32, nick: &Folded) {
        if let Some(watchers) = self.watchers.get_mut(nick) {
            watchers.retain(|watcher| *watcher != index);
            if watchers.is_empty() {
                self.watchers.remove(nick);
            }
        }
    }

    /// The same line to each session of some users: written once a dialect, as private bytes that they share.
    fn send_each(
        &mut self,
        asker: Option<Asker>,
        users: &[UserId],
        author: Option<UserId>,
        except: Option<UserId>,
        line: &Line,
    ) {
        let order = self.tape.next();
        let mut written: SmallVec<[(u16, Piece); 4]> = SmallVec::new();
        for user in users.iter().filter(|user| Some(**user) != except) {
            for index in self.sessions.of(*user) {
                if let Some(asker) = asker.filter(|asker| asker.index == index)
                    && (author.is_some() || asker.label != NO_LABEL)
                {
                    if author.is_none() || self.echoes(index) {
                        self.answer(asker, line.clone());
                    }
                    continue;
                }
                if !self.may_see(index, line) {
                    continue;
                }
                let dialect = self.sessions.hot[index as usize].dialect;
                let known = written.iter().find(|(known, _)| *known == dialect).map(|(_, piece)| *piece);
                let piece = known.unwrap_or_else(|| {
                    let piece = self.write_private(dialect, line, "*", None, order);
                    written.push((dialect, piece));
                    piece
                });
                self.hand(index, piece);
            }
        }
    }

    /// A line to one session.
    pub(crate) fn send_one(&mut self, index: u32, line: &Line, label: Option<&str>) {
        let Some(entry) = self.sessions.get(index) else { return };
        if !line.is_for(entry.core.caps) {
            return;
        }
        self.figures.replied(line);
        let user = match &entry.core.phase {
            Phase::Live(user) => self.chat.user(*user),
            _ => None,
        };
        let nick = user.map(|user| user.who.nick.clone());
        let dialect = self.sessions.hot[index as usize].dialect;
        let order = self.tape.next();
        let piece = self.write_private(dialect, line, nick.as_deref().unwrap_or("*"), label, order);
        self.hand(index, piece);
    }

    /// Bytes for one session, as they are.
    pub(crate) fn send_raw(&mut self, index: u32, bytes: &[u8]) {
        let first = self.tape.next();
        let start = offset(self.tape.private.len());
        self.tape.private.extend_from_slice(bytes);
        self.hand(index, Piece { first, last: first, start, end: offset(self.tape.private.len()) });
    }

    fn write_private(
        &mut self,
        dialect: u16,
        line: &Line,
        addressee: &str,
        label: Option<&str>,
        order: u32,
    ) -> Piece {
        let frame = Frame {
            server: &self.settings.server,
            lobby: &self.settings.lobby,
            addressee,
            now_ms: self.now_ms,
            label,
        };
        let start = offset(self.tape.private.len());
        render(self.dialects.get(dialect), line, &frame, &mut self.tape.private);
        Piece { first: order, last: order, start, end: offset(self.tape.private.len()) }
    }

    fn hand(&mut self, index: u32, piece: Piece) {
        let Some(entry) = self.sessions.get_mut(index).filter(|entry| !entry.mute) else { return };
        if piece.start < piece.end {
            Piece::join(&mut entry.private, piece);
            self.mark(index);
        }
    }

    /// Whether a session hears a room.
    fn hears(&self, index: u32, room: RoomId) -> bool {
        self.sessions.get(index).is_some_and(|entry| entry.rooms.iter().any(|hearing| hearing.room == room))
    }

    /// A session hears a room from now on.
    pub(crate) fn hear(&mut self, index: u32, room: RoomId) {
        let since = self.tape.cut();
        let hot = &mut self.sessions.hot[index as usize];
        let dialect = hot.dialect;
        hot.rooms += u16::from(room != EVERYBODY);
        let Some(entry) = self.sessions.get_mut(index) else { return };
        entry.rooms.push(Hearing { room, since });
        self.audiences.add(room, dialect, index);
        self.mark(index);
    }

    /// It does not any more; what was said until now is still for it.
    pub(crate) fn unhear(&mut self, index: u32, room: RoomId) {
        let until = self.tape.cut();
        let dialect = self.sessions.hot[index as usize].dialect;
        let Some(entry) = self.sessions.get_mut(index) else { return };
        let Some(at) = entry.rooms.iter().position(|hearing| hearing.room == room) else { return };
        let since = entry.rooms.remove(at).since;
        if self.audiences.get(room).is_some_and(|audience| audience.touched) {
            entry.heard.push(Heard { room, dialect, since, until });
        }
        self.sessions.hot[index as usize].rooms -= u16::from(room != EVERYBODY);
        self.mark(index);
        self.audiences.remove(room, dialect, index);
    }

    /// The session's capabilities changed: from now on its lines are written in another dialect.
    pub(crate) fn change_dialect(&mut self, index: u32) {
        let Some(entry) = self.sessions.get(index) else { return };
        let (door, caps, numbers) = (entry.core.door, entry.core.caps, entry.core.numbers);
        let rooms: SmallVec<[RoomId; 8]> = entry.rooms.iter().map(|hearing| hearing.room).collect();
        let dialect = self.dialect(door, caps, numbers);
        if dialect == self.sessions.hot[index as usize].dialect {
            return;
        }
        for room in &rooms {
            self.unhear(index, *room);
        }
        self.sessions.hot[index as usize].dialect = dialect;
        for room in rooms {
            self.hear(index, room);
        }
    }

    fn entered(&mut self, room: RoomId, user: UserId) {
        for index in self.sessions.of(user) {
            if !self.hears(index, room) {
                self.hear(index, room);
            }
            self.tell_plain_entered(index, room);
        }
    }

    /// Tells a plain caller's machine that the caller is in a room, in which messages may be pinned.
    pub(crate) fn tell_plain_entered(&mut self, index: u32, room: RoomId) {
        let Some(room) = self.chat.room(room) else { return };
        let (name, pins) = (room.name.clone(), !room.pins.is_empty());
        self.tell_plain(index, |door| door.entered(&name, pins));
    }

    fn left(&mut self, room: RoomId, user: UserId) {
        for index in self.sessions.of(user) {
            self.note_left(index, room);
            self.unhear(index, room);
            let name = self.chat.room(room).map(|room| room.name.clone());
            self.tell_plain(index, |door| {
                if let Some(name) = &name {
                    door.left(name);
                }
            });
        }
    }

    /// Tells a plain caller's machine something; it may want to ask for something then.
    pub(crate) fn tell_plain(&mut self, index: u32, tell: impl FnOnce(&mut crate::doors::plain::PlainDoor)) {
        let Some(entry) = self.sessions.get_mut(index) else { return };
        if let Input::Plain(door) = &mut entry.input {
            tell(door);
            self.make_ready(index);
        }
    }

    /// A notice of the server to everybody.
    pub(crate) fn notice_everybody(&mut self, text: String) {
        let line = crate::labels::notice(text);
        self.cast(EVERYBODY, &line, Except::Nobody);
    }
}
