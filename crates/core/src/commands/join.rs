//! `JOIN <room>{,<room>} [<key>{,<key>}]`: entering rooms, and opening them.

use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::names::RoomName;
use chinwag_wire::numeric::Numeric;

use super::reply::{asker, given};
use crate::allowance::Dear;
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room, User};
use crate::event::Event;
use crate::line::Text;

/// What is to be done about one room of the list.
enum Step<'a> {
    /// Nothing: the user is in it.
    None,
    Refuse(Numeric, Text),
    /// It is new.
    Open(Arc<str>, Option<&'a str>),
    /// Nobody is in it, and its locks would keep everybody out: it starts over.
    Renew(&'a Room),
    Enter(&'a Room, Option<&'a str>),
}

/// `JOIN <room>{,<room>} [<key>{,<key>}]`, or `JOIN 0` to leave all rooms.
pub(crate) fn join(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    if message.params[..] == ["0"] {
        for room in &user.rooms {
            asking.propose(Event::Parted { user: user.id, room: *room, reason: None });
        }
        return Flow::Done;
    }
    let mut keys = message.params.get(1).map(|keys| keys.split(',')).into_iter().flatten();
    let mut seen = Vec::new();
    let mut steps = Vec::new();
    for name in message.params[0].split(',') {
        let key = keys.next().filter(|key| !key.is_empty());
        let folded = chat.mapping().fold(name);
        if name.is_empty() || seen.contains(&folded) {
            continue;
        }
        if asking.pending.opening(&folded) {
            return Flow::Wait;
        }
        seen.push(folded);
        let Some(step) = step(chat, asking, user, name, key) else { return Flow::Wait };
        steps.push(step);
    }
    let mut rooms = user.rooms.len();
    for step in steps {
        carry_out(asking, user, step, &mut rooms);
    }
    Flow::Done
}

/// What is to be done about a room; none when that shows only after what is under way.
fn step<'a>(
    chat: &'a Chat,
    asking: &Asking<'_>,
    user: &User,
    name: &str,
    key: Option<&'a str>,
) -> Option<Step<'a>> {
    let Some(room) = chat.room_by_name(name) else {
        return Some(match RoomName::parse(name, asking.settings.channel_length) {
            Ok(parsed) => Step::Open(parsed.arc(), key),
            Err(_) if name.starts_with('#') => Step::Refuse(Numeric::ERR_BADCHANMASK, given(name)),
            Err(_) => Step::Refuse(Numeric::ERR_NOSUCHCHANNEL, given(name)),
        });
    };
    if room.member(user.id).is_some() {
        return Some(Step::None);
    }
    if asking.pending.locked(room.id) {
        return None;
    }
    match room.refuses(user, key) {
        None => Some(Step::Enter(room, key)),
        Some(_) if room.members.is_empty() && !room.common && room.kept.founder.is_none() => {
            // What was said until then is hidden, so that has to be known.
            (!asking.pending.busy(room.id)).then_some(Step::Renew(room))
        }
        // Where that leads shows when it is tried.
        Some(numeric) if room.forwards(numeric).is_some() => Some(Step::Enter(room, key)),
        Some(numeric) => Some(Step::Refuse(numeric, (&room.name).into())),
    }
}

fn carry_out(asking: &mut Asking<'_>, user: &User, step: Step<'_>, rooms: &mut usize) {
    let (name, key) = match &step {
        Step::None => return,
        Step::Refuse(numeric, name) => return asking.refuse(*numeric, [name.clone()]),
        Step::Open(name, _) | Step::Enter(Room { name, .. }, _) if !asking.allows(Dear::Joins) => {
            let text = "Too many rooms were entered from your network; try again in a few minutes";
            return asking.numeric(Numeric::ERR_UNAVAILRESOURCE, [name.into(), text.into()]);
        }
        Step::Open(name, _) if !asking.allows(Dear::Rooms) => {
            let text = "Too many rooms were opened from your network; try again in a few minutes";
            return asking.numeric(Numeric::ERR_UNAVAILRESOURCE, [name.into(), text.into()]);
        }
        Step::Open(name, key) => (Arc::clone(name), *key),
        Step::Renew(room) => (Arc::clone(&room.name), None),
        Step::Enter(room, key) => (Arc::clone(&room.name), *key),
    };
    if *rooms >= asking.settings.channels_per_user {
        return asking.refuse(Numeric::ERR_TOOMANYCHANNELS, [name.into()]);
    }
    *rooms += 1;
    asking.spend(Dear::Joins);
    let by = Arc::clone(&user.who);
    match step {
        Step::Open(..) => {
            asking.spend(Dear::Rooms);
            let common = asking.settings.casemapping.same(&name, &asking.settings.lobby);
            asking.propose(Event::Opened { name: Arc::clone(&name), by, common });
        }
        Step::Renew(room) => {
            asking.propose(Event::Renewed { room: room.id, basis: room.rules, head: room.head, by });
        }
        Step::None | Step::Refuse(..) | Step::Enter(..) => {}
    }
    asking.propose(Event::Joined { user: user.id, room: name, key: key.map(Arc::from) });
}
