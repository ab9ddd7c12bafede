//! `NAMES [<room>{,<room>}]`: who is in a room.

use chinwag_wire::caps::{Cap, CapSet};
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Member, Room};
use crate::commands::reply::{Packer, addressee, answer, asker, given, room_for_last};
use crate::effect::Effects;
use crate::ids::UserId;
use crate::line::Text;
use crate::permissions::Action;

/// Names that are listed to who names no room; then those of the other rooms are left out.
const NAMES_MAX: usize = 4_096;

/// `NAMES [<room>{,<room>}]`. Without a room, all rooms whose members may be seen.
pub(crate) fn names(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let who = addressee(chat, asking);
    let viewer = Viewer {
        user: asker(chat, asking).map(|user| user.id),
        nick: who.as_str(),
        caps: asking.session.caps,
        server: &asking.settings.server,
    };
    let Some(list) = message.params.first() else {
        let complete = all(chat, &viewer, asking.effects);
        let text =
            if complete { END } else { "End of /NAMES list, which is not all: name the rooms you mean" };
        answer(asking.effects, Numeric::RPL_ENDOFNAMES, [Text::Static("*"), text.into()]);
        return Flow::Done;
    };
    // A room named twice is shown once, so that a short question never has an endless answer.
    let mut shown = Vec::new();
    for room in list.split(',').filter_map(|name| chat.room_by_name(name)) {
        if !shown.contains(&room.id) {
            shown.push(room.id);
            members(chat, room, &viewer, asking.effects);
        }
    }
    // One end for all, naming them as the client did.
    let named = match shown[..] {
        [room] if !list.contains(',') => chat.room(room).map_or(given(list), |room| (&room.name).into()),
        _ => listed(list),
    };
    end(named, asking.effects);
    Flow::Done
}

/// What the end of a list says.
const END: &str = "End of /NAMES list";

/// Capabilities with which nobody is shown the names of a room without asking for them.
pub const UNASKED: CapSet = CapSet::of(&[Cap::NoImplicitNames, Cap::DraftNoImplicitNames]);

/// The session that is shown who is in a room.
#[derive(Clone, Copy, Debug)]
pub struct Viewer<'a> {
    /// Its user.
    pub user: Option<UserId>,
    /// Its user's nickname, with which the lines will begin.
    pub nick: &'a str,
    /// Its capabilities: `multi-prefix` and `userhost-in-names` change the list.
    pub caps: CapSet,
    /// The server's name, with which the lines will begin.
    pub server: &'a str,
}

/// The names that a question listed, as they can be given back: whole, or `*` where that is no single word.
fn listed(list: &str) -> Text {
    let word = !list.is_empty() && !list.starts_with(':') && !list.contains(' ');
    if word { Text::from(list.to_owned()) } else { Text::Static("*") }
}

/// RPL_NAMREPLY in as many lines as it takes, and RPL_ENDOFNAMES.
pub fn reply(chat: &Chat, room: &Room, viewer: &Viewer<'_>, effects: &mut Effects) {
    members(chat, room, viewer, effects);
    end((&room.name).into(), effects);
}

/// RPL_NAMREPLY for every room that has members to be seen, as long as they are not too many. Says whether it was all.
fn all(chat: &Chat, viewer: &Viewer<'_>, effects: &mut Effects) -> bool {
    let mut left = NAMES_MAX;
    for room in chat.rooms_alive() {
        let Some(rest) = left.checked_sub(room.members.len()) else { return false };
        left = rest;
        members(chat, room, viewer, effects);
    }
    true
}

/// RPL_NAMREPLY in as many lines as it takes. A secret room is an empty list to those who are not in it; invisible
/// users are left out of what outsiders see.
fn members(chat: &Chat, room: &Room, viewer: &Viewer<'_>, effects: &mut Effects) {
    let member = viewer.user.is_some_and(|user| room.member(user).is_some());
    if !member && room.modes.secret {
        return;
    }
    let symbol = if room.modes.secret { "@" } else { "=" };
    let between = symbol.len() + " ".len() + room.name.len() + " ".len();
    let mut packer = Packer::new(room_for_last(viewer.server, viewer.nick, between));
    let mut line = |text: Text| {
        answer(effects, Numeric::RPL_NAMREPLY, [symbol.into(), (&room.name).into(), text]);
    };
    // In an auditorium the list is the same for all ordinary members, who are not on it themselves.
    let watches = viewer.user.is_some_and(|viewer| room.may(viewer, Action::BeSeen));
    let sees = |entry: &Member| watches || room.shows(entry);
    let all = viewer.caps.contains(Cap::MultiPrefix);
    let hosts = viewer.caps.contains(Cap::UserhostInNames);
    for (entry, user) in chat.members(room) {
        if user.modes.invisible && !member || !sees(entry) {
            continue;
        }
        let (who, prefix) = (&user.who, entry.prefix(all));
        let full = if hosts {
            packer.word(&[prefix, &who.nick, "!", &who.user, "@", &who.host])
        } else {
            packer.word(&[prefix, &who.nick])
        };
        if let Some(text) = full {
            line(text);
        }
    }
    if let Some(text) = packer.finish() {
        line(text);
    }
}

fn end(room: Text, effects: &mut Effects) {
    answer(effects, Numeric::RPL_ENDOFNAMES, [room, END.into()]);
}
