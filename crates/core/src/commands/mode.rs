//! `MODE <room>|<nickname> [<changes> {<argument>}]`: showing and changing modes.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::mode_room;
use super::reply::{asker, given};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, User, UserModes};
use crate::event::Event;

/// `MODE <room> …` or `MODE <own nickname> …`
pub(crate) fn mode(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    let target = message.params[0];
    if target.starts_with('#') {
        return match chat.room_by_name(target) {
            Some(room) => mode_room::mode(chat, asking, message, user, room),
            None => {
                asking.refuse(Numeric::ERR_NOSUCHCHANNEL, [given(target)]);
                Flow::Done
            }
        };
    }
    match chat.user_by_nick(target) {
        None => asking.refuse(Numeric::ERR_NOSUCHNICK, [given(target)]),
        Some(other) if other.id != user.id => asking.refuse(Numeric::ERR_USERSDONTMATCH, []),
        Some(_) => own(asking, user, message.params.get(1)),
    }
    Flow::Done
}

/// The asker's own modes.
fn own(asking: &mut Asking<'_>, user: &User, letters: Option<&str>) {
    let Some(letters) = letters else {
        return asking.numeric(Numeric::RPL_UMODEIS, [user.modes.shown().into()]);
    };
    let mut changes = Vec::new();
    let mut set = true;
    let mut unknown = false;
    for letter in letters.chars() {
        match letter {
            '+' | '-' => set = letter == '+',
            // To become an operator takes OPER.
            'o' if set => {}
            _ if UserModes::default().change(set, letter) => {
                changes.retain(|(_, other)| *other != letter);
                changes.push((set, letter));
            }
            _ => unknown = true,
        }
    }
    if unknown {
        asking.refuse(Numeric::ERR_UMODEUNKNOWNFLAG, []);
    }
    let mut after = user.modes;
    for (set, letter) in &changes {
        after.change(*set, *letter);
    }
    if after != user.modes {
        asking.propose(Event::UserModes { user: user.id, changes });
    }
}
