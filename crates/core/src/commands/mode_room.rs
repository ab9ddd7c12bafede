//! `MODE <room> …`: the modes of a room, its lists, its members' roles.

use std::sync::Arc;

use chinwag_wire::extban::Pattern;
use chinwag_wire::limits::KEY_BYTES_MAX;
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::given;
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Lists, Room, RoomModes, User};
use crate::event::{Event, ModeChange};
use crate::line::{Line, Text};
use crate::permissions::{Action, may_give, may_take};
use crate::roles::Role;

/// Changes with an argument in one command (ISUPPORT MODES); more are left out, as clients expect.
pub const CHANGES_MAX: usize = 12;

/// Bytes of arguments in one line of changes, so that it fits with any source before it.
const ARGUMENT_BYTES_MAX: usize = 280;

/// `MODE <room>` shows the modes, `MODE <room> b` (or `e`, `I`) a list, everything else changes something.
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
    let locked = |name: &&str| chat.room_by_name(name).is_some_and(|other| asking.pending.locked(other.id));
    if asking.pending.locked(room.id) || arguments.iter().any(locked) {
        return Flow::Wait;
    }
    let mut changing = Changing {
        chat,
        user,
        room,
        arguments: arguments.iter().copied(),
        changes: Vec::new(),
        with_argument: 0,
        listed: Vec::new(),
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

/// The entries of a list, and its end.
fn show_list(asking: &mut Asking<'_>, room: &Room, mode: char) {
    let (entry_is, end_is) = match mode {
        'b' => (Numeric::RPL_BANLIST, Numeric::RPL_ENDOFBANLIST),
        'e' => (Numeric::RPL_EXCEPTLIST, Numeric::RPL_ENDOFEXCEPTLIST),
        _ => (Numeric::RPL_INVEXLIST, Numeric::RPL_ENDOFINVEXLIST),
    };
    for entry in room.lists.get(mode).unwrap_or_default() {
        let seconds = (entry.at_ms / 1000).to_string();
        let params = [(&room.name).into(), (&entry.text).into(), (&entry.by).into(), seconds.into()];
        asking.numeric(entry_is, params);
    }
    asking.refuse(end_is, [(&room.name).into()]);
}

/// What a letter stands for.
#[derive(Clone, Copy)]
enum Kind {
    Role(Role),
    List,
    Key,
    Limit,
    Forward,
    Flag,
}

impl Kind {
    fn of(mode: char) -> Option<Kind> {
        Some(match mode {
            'k' => Kind::Key,
            'l' => Kind::Limit,
            'f' => Kind::Forward,
            list if Lists::MODES.contains(&list) => Kind::List,
            flag if RoomModes::FLAGS.contains(&flag) => Kind::Flag,
            other => Kind::Role(Role::of_mode(other)?),
        })
    }

    /// Whether an argument goes with it: the types A to D of CHANMODES.
    fn takes_argument(self, set: bool) -> bool {
        match self {
            Kind::Role(_) | Kind::List | Kind::Key => true,
            Kind::Limit | Kind::Forward => set,
            Kind::Flag => false,
        }
    }
}

/// A command on its way through its letters.
struct Changing<'a, I> {
    chat: &'a Chat,
    user: &'a User,
    room: &'a Room,
    arguments: I,
    changes: Vec<ModeChange>,
    with_argument: usize,
    /// The lists that were shown.
    listed: Vec<char>,
    denied: bool,
}

impl<'a, I: Iterator<Item = &'a str>> Changing<'a, I> {
    fn letter(&mut self, asking: &mut Asking<'_>, set: bool, mode: char) {
        let Some(kind) = Kind::of(mode) else {
            return asking.refuse(Numeric::ERR_UNKNOWNMODE, [mode.to_string().into()]);
        };
        let takes_argument = kind.takes_argument(set);
        let argument = if takes_argument { self.arguments.next() } else { None };
        let argument = argument.filter(|argument| !argument.is_empty());
        if let (Kind::List, None) = (kind, argument) {
            return self.list(asking, mode);
        }
        if !matches!(kind, Kind::Role(_)) && !self.room.may(self.user.id, Action::SetMode(mode)) {
            return self.deny(asking);
        }
        if takes_argument {
            self.with_argument += 1;
            if self.with_argument > CHANGES_MAX {
                return;
            }
        }
        let change = match (kind, argument) {
            (Kind::Role(role), Some(nick)) => self.role(asking, set, role, nick),
            (Kind::List, Some(typed)) => self.entry(asking, set, mode, typed),
            (Kind::Key, _) if !set => Some((self.room.modes.key.clone(), None)),
            (Kind::Key, Some(key)) => self.key(asking, key),
            (Kind::Limit, Some(limit)) => self.limit(asking, limit),
            (Kind::Forward, Some(name)) => self.forward(asking, name),
            _ if takes_argument => {
                self.invalid(asking, mode, "*", "You must give an argument for this mode");
                None
            }
            _ => Some((None, None)),
        };
        if let Some((arg, member)) = change {
            self.add(ModeChange { set, mode, arg, member, ..ModeChange::default() });
        }
    }

    /// Shows a list, once in a command, to whom it is for.
    fn list(&mut self, asking: &mut Asking<'_>, mode: char) {
        if !self.room.may(self.user.id, Action::ReadList(mode)) {
            return self.deny(asking);
        }
        if !self.listed.contains(&mode) {
            self.listed.push(mode);
            show_list(asking, self.room, mode);
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

    fn entry(&self, asking: &mut Asking<'_>, set: bool, mode: char, typed: &str) -> Option<Argument> {
        let pattern = match Pattern::parse(typed, self.chat.mapping()) {
            Ok(pattern) => pattern,
            Err(why) => {
                self.invalid(asking, mode, typed, why.to_string());
                return None;
            }
        };
        let there = self.room.lists.get(mode).map_or(0, <[_]>::len);
        let added = self.changes.iter().filter(|change| change.mode == mode && change.set).count();
        if set && there + added >= asking.settings.list_mode_entries {
            let params = [(&self.room.name).into(), mode.to_string().into()];
            asking.refuse(Numeric::ERR_BANLISTFULL, params);
            return None;
        }
        Some((Some(pattern.as_str().into()), None))
    }

    fn key(&self, asking: &mut Asking<'_>, key: &str) -> Option<Argument> {
        let odd = |character: char| character.is_control() || " ,".contains(character);
        if key.len() > KEY_BYTES_MAX || key.starts_with(':') || key.contains(odd) {
            // What was to become a key is not given back: it may be one elsewhere.
            let why = format!("A key has at most {KEY_BYTES_MAX} bytes, no spaces and no commas");
            self.invalid(asking, 'k', "*", why);
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

    /// Who sends people on to another room has to be an operator there too.
    fn forward(&self, asking: &mut Asking<'_>, name: &str) -> Option<Argument> {
        match self.chat.room_by_name(name) {
            None => self.invalid(asking, 'f', name, "There is no such room"),
            Some(other) if other.id == self.room.id => {
                self.invalid(asking, 'f', name, "A room does not lead to itself");
            }
            Some(other) if !other.may(self.user.id, Action::ForwardHere) => {
                asking.refuse(Numeric::ERR_CHANOPRIVSNEEDED, [(&other.name).into()]);
            }
            Some(other) => return Some((Some(Arc::clone(&other.name)), None)),
        }
        None
    }

    fn invalid(&self, asking: &mut Asking<'_>, mode: char, argument: &str, why: impl Into<Text>) {
        let params = [(&self.room.name).into(), mode.to_string().into(), given(argument), why.into()];
        asking.numeric(Numeric::ERR_INVALIDMODEPARAM, params);
    }

    /// Adds a change; of several about the same thing the last one counts.
    fn add(&mut self, change: ModeChange) {
        let many = matches!(Kind::of(change.mode), Some(Kind::Role(_) | Kind::List));
        self.changes.retain(|other| {
            other.mode != change.mode || (many && (&other.arg, other.member) != (&change.arg, change.member))
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
