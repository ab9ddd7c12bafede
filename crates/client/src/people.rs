//! Who comes, goes, is renamed or put out, and what rooms are about.

use std::sync::Arc;

use chinwag_wire::message::Message;

use crate::buffer::{BufferId, BufferKind, Topic};
use crate::catchup::Entry;
use crate::change::Change;
use crate::client::Client;
use crate::dispatch::Context;
use crate::line::LineKind;
use crate::members::Member;

impl Client {
    /// The room that a line names, if there is a buffer for it.
    fn room(&self, name: &str) -> Option<BufferId> {
        self.find(name).filter(|id| self.buffer(*id).is_some_and(|buffer| buffer.kind == BufferKind::Room))
    }

    /// The rooms in which somebody is, and the conversation with them.
    fn where_is(&self, nick: &str) -> Vec<BufferId> {
        let folded = self.server.fold(nick);
        let there = self.buffers.iter().filter(|buffer| {
            buffer.members.get(folded.as_str()).is_some()
                || (buffer.kind == BufferKind::Person && buffer.folded == folded)
        });
        there.map(|buffer| buffer.id).collect()
    }

    /// Tells in a buffer what somebody did.
    fn did(
        &mut self,
        id: BufferId,
        message: &Message<'_>,
        context: &Context,
        what: (LineKind, &str, Option<&str>),
    ) {
        let (kind, text, about) = what;
        let mut line = self.line(message, context, kind, text);
        line.about = about.map(Arc::from);
        self.arrive(id, Entry::said(line), context.now);
    }

    /// `JOIN <room> [<account> :<real name>]`
    pub(crate) fn came(&mut self, message: &Message<'_>, context: &Context) {
        let Some(name) = message.params.first() else { return };
        let from = self.sender(message, false);
        let wanted = self.find(name).and_then(|id| self.buffer(id)).is_some_and(|buffer| buffer.wanted);
        let id = match from.me {
            true => self.open_buffer(BufferKind::Room, name),
            false => match self.room(name) {
                Some(id) => id,
                None => return,
            },
        };
        if from.me {
            self.entered(id, name, message, context);
            self.came_by_code(id, wanted, context);
        }
        let account = message.params.get(1).filter(|account| *account != "*").map(Arc::from);
        let member = Member {
            nick: Arc::clone(&from.nick),
            account: account.or(from.account),
            roles: String::new(),
            away: false,
            bot: from.bot,
        };
        let (folded, signs) = (self.server.fold(&from.nick), self.server.role_signs.clone());
        if let Some(buffer) = self.buffer_mut(id) {
            buffer.members.put(folded.as_str(), member, &signs);
        }
        self.did(id, message, context, (LineKind::Join, "", None));
        self.changes.add(Change::Buffer(id));
    }

    /// I am in a room.
    fn entered(&mut self, id: BufferId, name: &str, message: &Message<'_>, context: &Context) {
        if let Some((user, host)) =
            message.source.and_then(|source| source.split_once('!')?.1.split_once('@'))
        {
            (self.me.user, self.me.host) = (user.into(), host.into());
        }
        if let Some(buffer) = self.buffer_mut(id) {
            buffer.name = name.into();
            buffer.joined = true;
            buffer.wanted = true;
            buffer.members.clear();
            buffer.topic = None;
        }
        self.sync(id, context.now);
        self.tell("MODE", &[name]);
        self.changes.add(Change::Buffers);
    }

    /// Somebody is in a room no more.
    fn gone(&mut self, id: BufferId, nick: &str) {
        let folded = self.server.fold(nick);
        let me = self.server.same(nick, &self.me.nick);
        if let Some(buffer) = self.buffer_mut(id) {
            buffer.members.remove(folded.as_str());
            buffer.typing.retain(|typing| &*typing.nick != nick);
            if me && buffer.kind == BufferKind::Room {
                buffer.joined = false;
                buffer.wanted = false;
                buffer.members.clear();
                self.changes.add(Change::Buffers);
                self.give_up(id, "You are not in this room any more");
            }
        }
        self.changes.add(Change::Buffer(id));
    }

    /// `PART <room> [:<reason>]`
    pub(crate) fn left(&mut self, message: &Message<'_>, context: &Context) {
        let Some(id) = message.params.first().and_then(|name| self.room(name)) else { return };
        let from = self.sender(message, false);
        let reason = message.params.get(1).unwrap_or("");
        self.did(id, message, context, (LineKind::Part, reason, None));
        self.gone(id, &from.nick);
    }

    /// `KICK <room> <nickname> :<reason>`
    pub(crate) fn kicked(&mut self, message: &Message<'_>, context: &Context) {
        let Some(id) = message.params.first().and_then(|name| self.room(name)) else { return };
        let Some(nick) = message.params.get(1) else { return };
        if let Some(entry) = self.entry(message, context) {
            self.arrive(id, entry, context.now);
        }
        self.gone(id, nick);
    }

    /// `QUIT :<reason>`
    pub(crate) fn quitted(&mut self, message: &Message<'_>, context: &Context) {
        let from = self.sender(message, false);
        let reason = message.params.first().copied().unwrap_or("");
        if from.me {
            return;
        }
        for id in self.where_is(&from.nick) {
            self.did(id, message, context, (LineKind::Quit, reason, None));
            self.gone(id, &from.nick);
        }
    }

    /// `NICK <nickname>`
    pub(crate) fn renamed(&mut self, message: &Message<'_>, context: &Context) {
        let Some(nick) = message.params.first() else { return };
        let from = self.sender(message, false);
        let rooms = self.where_is(&from.nick);
        if from.me {
            self.me.nick = (*nick).into();
            if self.server.same(nick, &self.profile.nick) {
                self.regain_ms = None;
            }
            self.changes.add(Change::Me);
        }
        let (old, new) = (self.server.fold(&from.nick), self.server.fold(nick));
        let signs = self.server.role_signs.clone();
        for id in rooms {
            let taken = self.find(nick);
            if let Some(buffer) = self.buffer_mut(id) {
                if let Some(mut member) = buffer.members.remove(old.as_str()) {
                    member.nick = (*nick).into();
                    buffer.members.put(new.as_str(), member, &signs);
                }
                // A conversation follows whoever it is with, if there is none under the new name.
                if buffer.kind == BufferKind::Person && taken.is_none() && !from.me {
                    buffer.name = (*nick).into();
                    buffer.folded = new.clone();
                }
                buffer.typing.retain(|typing| typing.nick != from.nick);
            }
            self.did(id, message, context, (LineKind::Nick, "", Some(nick)));
            self.changes.add(Change::Buffer(id));
        }
        self.sort_buffers();
    }

    /// `MODE <target> <modes> [<arguments>]`
    pub(crate) fn modes(&mut self, message: &Message<'_>, context: &Context) {
        let Some(target) = message.params.first() else { return };
        let Some(id) = self.room(target) else {
            if self.server.same(target, &self.me.nick) {
                merge(&mut self.me.modes, message.params.get(1).unwrap_or(""));
                self.changes.add(Change::Me);
            }
            return;
        };
        if let Some(entry) = self.entry(message, context) {
            self.arrive(id, entry, context.now);
        }
        let mut arguments = message.params.iter().skip(2);
        let mut set = true;
        for mode in message.params.get(1).unwrap_or("").chars() {
            if matches!(mode, '+' | '-') {
                set = mode == '+';
                continue;
            }
            let argument = if self.server.has_argument(mode, set) { arguments.next().copied() } else { None };
            match (self.server.sign_of(mode), argument) {
                (Some(sign), Some(nick)) => self.role_changed(id, nick, sign, set),
                _ => {
                    if let Some(buffer) = self.buffer_mut(id)
                        && argument.is_none()
                    {
                        merge(&mut buffer.modes, &format!("{}{mode}", if set { '+' } else { '-' }));
                    }
                }
            }
        }
        self.changes.add(Change::Buffer(id));
    }

    fn role_changed(&mut self, id: BufferId, nick: &str, sign: char, set: bool) {
        let (folded, signs) = (self.server.fold(nick), self.server.role_signs.clone());
        let Some(buffer) = self.buffer_mut(id) else { return };
        buffer.members.change(folded.as_str(), &signs, |member| {
            let has = |role: char| if role == sign { set } else { member.roles.contains(role) };
            member.roles = signs.chars().filter(|role| has(*role)).collect();
        });
    }

    /// `TOPIC <room> :<topic>`
    pub(crate) fn topic_set(&mut self, message: &Message<'_>, context: &Context) {
        let Some(id) = message.params.first().and_then(|name| self.room(name)) else { return };
        let text = message.params.get(1).unwrap_or("");
        let by = self.sender(message, false).nick;
        if let Some(buffer) = self.buffer_mut(id) {
            let topic = Topic { text: text.into(), by: Some(by), at_ms: Some(context.time_ms) };
            buffer.topic = (!text.is_empty()).then_some(topic);
        }
        if let Some(entry) = self.entry(message, context) {
            self.arrive(id, entry, context.now);
        }
        self.changes.add(Change::Buffer(id));
    }

    /// `INVITE <nickname> <room>`
    pub(crate) fn invited(&mut self, message: &Message<'_>, context: &Context) {
        let (Some(nick), Some(room)) = (message.params.first(), message.params.get(1)) else { return };
        let mine = self.server.same(nick, &self.me.nick);
        let id = match self.room(room) {
            Some(id) if !mine => id,
            _ => self.server_buffer(),
        };
        self.did(id, message, context, (LineKind::Invite, room, Some(nick)));
    }

    /// `AWAY [:<text>]`
    pub(crate) fn away_told(&mut self, message: &Message<'_>) {
        let away = message.params.first().is_some_and(|text| !text.is_empty());
        self.change_member(message, |member| member.away = away);
    }

    /// `ACCOUNT <account or *>`
    pub(crate) fn account_told(&mut self, message: &Message<'_>) {
        let account = message.params.first().filter(|account| **account != "*");
        let account: Option<Arc<str>> = account.map(|account| Arc::from(*account));
        if self.sender(message, false).me {
            self.me.account.clone_from(&account);
            self.changes.add(Change::Me);
        }
        self.change_member(message, |member| member.account.clone_from(&account));
    }

    fn change_member(&mut self, message: &Message<'_>, mut change: impl FnMut(&mut Member)) {
        let nick = self.sender(message, false).nick;
        let (folded, signs) = (self.server.fold(&nick), self.server.role_signs.clone());
        for id in self.where_is(&nick) {
            if let Some(buffer) = self.buffer_mut(id) {
                buffer.members.change(folded.as_str(), &signs, &mut change);
            }
            self.changes.add(Change::Buffer(id));
        }
    }

    /// `CHGHOST <user> <host>`
    pub(crate) fn host_told(&mut self, message: &Message<'_>) {
        if let [user, host, ..] = message.params[..]
            && self.sender(message, false).me
        {
            (self.me.user, self.me.host) = (user.into(), host.into());
        }
    }

    /// `RENAME <room> <new name> :<reason>`
    pub(crate) fn room_renamed(&mut self, message: &Message<'_>, context: &Context) {
        let [old, new, ..] = message.params[..] else { return };
        let Some(id) = self.room(old).filter(|_| self.find(new).is_none()) else { return };
        let folded = self.server.fold(new);
        if let Some(buffer) = self.buffer_mut(id) {
            buffer.name = new.into();
            buffer.folded = folded;
        }
        self.note(id, LineKind::Info, &format!("{old} is called {new} now"), context.now);
        self.sort_buffers();
    }
}

/// Takes changes of modes without arguments into a list of those that are set.
pub(crate) fn merge(modes: &mut String, changes: &str) {
    let mut letters: Vec<char> = modes.chars().filter(|c| !matches!(c, '+' | '-')).collect();
    let mut set = true;
    for mode in changes.split(' ').next().unwrap_or("").chars() {
        match mode {
            '+' => set = true,
            '-' => set = false,
            mode => {
                letters.retain(|known| *known != mode);
                if set {
                    letters.push(mode);
                }
            }
        }
    }
    letters.sort_unstable();
    *modes = if letters.is_empty() {
        String::new()
    } else {
        format!("+{}", letters.into_iter().collect::<String>())
    };
}
