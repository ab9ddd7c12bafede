//! `MODE <room> …`: the modes of a room, its list of bans, its members' roles.

use std::sync::Arc;

use chinwag_wire::limits::KEY_BYTES_MAX;
use chinwag_wire::mask::Mask;
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::given;
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room, User};
use crate::event::{Event, ModeChange};
use crate::line::{Line, Text};
use crate::permissions::{Action, may_give, may_take};
use crate::roles::Role;

/// Changes with an argument in one command (ISUPPORT MODES); more are left out, as clients expect.
pub(crate) const CHANGES_MAX: usize = 12;

/// Bytes of arguments in one line of changes, so that it fits with any source before it.
const ARGUMENT_BYTES_MAX: usize = 280;

/// `MODE <room>` shows the modes, `MODE <room> b` the bans, everything else changes something.
pub(super) fn mode(
    chat: &Chat,
    asking: &mut Asking<'_>,
    message: &Message<'_>,
    user: &User,
    room: &Room,
) -> Flow {
    if !room.visible_to(user.id) {
        asking.refuse(Numeric::ERR_NOTONCHANNEL, [(&room.name).into()]);
        return Flow::Done;
    }
    let Some((letters, arguments)) = message.params[1..].split_first() else {
        show(asking, user, room);
        return Flow::Done;
    };
    if asking.pending.locked(room.id) {
        return Flow::Wait;
    }
    let mut changing = Changing {
        chat,
        user,
        room,
        arguments: arguments.iter().copied(),
        changes: Vec::new(),
        with_argument: 0,
        listed: false,
        denied: false,
    };
    let mut set = true;
    for letter in letters.chars() {
        match letter {
            '+' | '-' => set = letter == '+',
            _ => changing.letter(asking, set, letter),
        }
    }
    changing.propose(asking);
    Flow::Done
}

/// RPL_CHANNELMODEIS and RPL_CREATIONTIME.
fn show(asking: &mut Asking<'_>, user: &User, room: &Room) {
    let (letters, arguments) = room.modes.shown(room.member(user.id).is_some());
    let mut line = Line::numeric(Numeric::RPL_CHANNELMODEIS, [(&room.name).into(), letters.into()]);
    line.params.extend(arguments.into_iter().map(Text::from));
    asking.reply(line);
    let seconds = (room.opened_ms / 1000).to_string();
    asking.numeric(Numeric::RPL_CREATIONTIME, [(&room.name).into(), seconds.into()]);
}

/// RPL_BANLIST for each ban, and RPL_ENDOFBANLIST.
fn list_bans(asking: &mut Asking<'_>, room: &Room) {
    for ban in &room.bans {
        let seconds = (ban.at_ms / 1000).to_string();
        let params = [(&room.name).into(), (&ban.text).into(), (&ban.by).into(), seconds.into()];
        asking.numeric(Numeric::RPL_BANLIST, params);
    }
    asking.refuse(Numeric::RPL_ENDOFBANLIST, [(&room.name).into()]);
}

/// A command on its way through its letters.
struct Changing<'a, I> {
    chat: &'a Chat,
    user: &'a User,
    room: &'a Room,
    arguments: I,
    changes: Vec<ModeChange>,
    with_argument: usize,
    listed: bool,
    denied: bool,
}

impl<'a, I: Iterator<Item = &'a str>> Changing<'a, I> {
    fn letter(&mut self, asking: &mut Asking<'_>, set: bool, mode: char) {
        let role = Role::of_mode(mode);
        let takes_argument = role.is_some() || matches!(mode, 'b' | 'k') || (mode == 'l' && set);
        if !takes_argument && mode != 'l' && self.room.modes.flag(mode).is_none() {
            return asking.refuse(Numeric::ERR_UNKNOWNMODE, [mode.to_string().into()]);
        }
        let argument = if takes_argument { self.arguments.next() } else { None };
        let argument = argument.filter(|argument| !argument.is_empty());
        if mode == 'b' && argument.is_none() {
            if !std::mem::replace(&mut self.listed, true) {
                list_bans(asking, self.room);
            }
            return;
        }
        if role.is_none() && !self.room.may(self.user.id, Action::SetMode(mode)) {
            return self.deny(asking);
        }
        if takes_argument {
            self.with_argument += 1;
            if self.with_argument > CHANGES_MAX {
                return;
            }
        }
        let change = match (role, mode, argument) {
            (Some(role), _, Some(nick)) => self.role(asking, set, role, nick),
            (_, 'b', Some(mask)) => self.ban(asking, set, mask),
            (_, 'k', _) if !set => Some((self.room.modes.key.clone(), None)),
            (_, 'k', Some(key)) => self.key(asking, key),
            (_, 'l', Some(limit)) => self.limit(asking, limit),
            _ if takes_argument => {
                self.invalid(asking, mode, "*", "You must give an argument for this mode");
                None
            }
            _ => Some((None, None)),
        };
        if let Some((arg, member)) = change {
            self.add(ModeChange { set, mode, arg, member });
        }
    }

    /// Says once that the user may not do that.
    fn deny(&mut self, asking: &mut Asking<'_>) {
        if !std::mem::replace(&mut self.denied, true) {
            let member = self.room.member(self.user.id).is_some();
            let why = if member { Numeric::ERR_CHANOPRIVSNEEDED } else { Numeric::ERR_NOTONCHANNEL };
            asking.refuse(why, [(&self.room.name).into()]);
        }
    }

    fn role(&mut self, asking: &mut Asking<'_>, set: bool, role: Role, nick: &str) -> Option<Argument> {
        let found = self.chat.user_by_nick(nick);
        let own = !set && found.is_some_and(|found| found.id == self.user.id);
        // Who may not give the role is told only that, whoever it is about.
        if !own && !may_give(self.room.roles(self.user.id), role) {
            self.deny(asking);
            return None;
        }
        let Some(member) = found else {
            asking.refuse(Numeric::ERR_NOSUCHNICK, [given(nick)]);
            return None;
        };
        if self.room.member(member.id).is_none() {
            asking.refuse(Numeric::ERR_USERNOTINCHANNEL, [given(nick), (&self.room.name).into()]);
            return None;
        }
        if !own && !set && !may_take(self.room.roles(self.user.id), role, self.room.roles(member.id)) {
            self.deny(asking);
            return None;
        }
        Some((Some(Arc::clone(&member.who.nick)), Some(member.id)))
    }

    fn ban(&self, asking: &mut Asking<'_>, set: bool, mask: &str) -> Option<Argument> {
        let mask = Mask::new(mask);
        let added = self.changes.iter().filter(|change| change.mode == 'b' && change.set).count();
        if set && self.room.bans.len() + added >= asking.settings.list_mode_entries {
            let params = [(&self.room.name).into(), "b".into()];
            asking.refuse(Numeric::ERR_BANLISTFULL, params);
            return None;
        }
        Some((Some(mask.as_str().into()), None))
    }

    fn key(&self, asking: &mut Asking<'_>, key: &str) -> Option<Argument> {
        let plain = |character: char| character.is_control() || " ,".contains(character);
        if key.len() > KEY_BYTES_MAX || key.starts_with(':') || key.contains(plain) {
            asking.refuse(Numeric::ERR_INVALIDKEY, [(&self.room.name).into()]);
            return None;
        }
        if self.room.modes.key.as_deref().is_some_and(|known| known != key) {
            asking.refuse(Numeric::ERR_KEYSET, [(&self.room.name).into()]);
            return None;
        }
        Some((Some(key.into()), None))
    }

    fn limit(&self, asking: &mut Asking<'_>, limit: &str) -> Option<Argument> {
        match limit.parse::<u32>() {
            Ok(number) if number > 0 => Some((Some(number.to_string().into()), None)),
            _ => {
                self.invalid(asking, 'l', limit, "A limit is a number above 0");
                None
            }
        }
    }

    fn invalid(&self, asking: &mut Asking<'_>, mode: char, argument: &str, why: &'static str) {
        let params = [(&self.room.name).into(), mode.to_string().into(), given(argument), why.into()];
        asking.numeric(Numeric::ERR_INVALIDMODEPARAM, params);
    }

    /// Adds a change; of several about the same thing the last one counts.
    fn add(&mut self, change: ModeChange) {
        self.changes.retain(|other| {
            let listed = change.mode == 'b' || Role::of_mode(change.mode).is_some();
            other.mode != change.mode
                || (listed && (&other.arg, other.member) != (&change.arg, change.member))
        });
        if self.room.would_change(&change) {
            self.changes.push(change);
        }
    }

    /// Proposes what changes anything, in as many events as it takes to keep each line short.
    fn propose(self, asking: &mut Asking<'_>) {
        let mut basis = self.room.rules;
        let mut bytes = 0;
        let mut changes = Vec::new();
        let mut send = |changes: Vec<ModeChange>| {
            if !changes.is_empty() {
                let by = Arc::clone(&self.user.who);
                asking.propose(Event::ModesChanged { room: self.room.id, basis, by, changes });
                basis += 1;
            }
        };
        for change in self.changes {
            let more = change.arg.as_ref().map_or(0, |arg| arg.len() + 1);
            if bytes + more > ARGUMENT_BYTES_MAX {
                send(std::mem::take(&mut changes));
                bytes = 0;
            }
            bytes += more;
            changes.push(change);
        }
        send(changes);
    }
}

/// A change's argument as it is shown, and the member it is about.
type Argument = (Option<Arc<str>>, Option<crate::ids::UserId>);
