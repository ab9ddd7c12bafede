//! `NPC`, `NPCA` and `SCENE`: telling a story together. In rooms with mode `E` members speak as somebody they made up,
//! or tell what happens around. It is said by them, and everybody sees who that is: their nickname is the user name.
//!
//! Specification: <https://github.com/ergochat/ergo/blob/master/docs/MANUAL.md>, "Roleplay"; `RPCHAN`, numeric 573.

use std::sync::Arc;

use chinwag_wire::limits::BODY_BYTES_MAX;
use chinwag_wire::message::Message;
use chinwag_wire::names::Nick;
use chinwag_wire::numeric::Numeric;

use super::privmsg::{Target, client_tags, held_back, is_query, reachable, target};
use super::reply::{asker, given};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room, User};
use crate::event::{Event, NPC_HOST, Said, SayKind, Who};
use crate::line::Text;
use crate::permissions::Action;

/// As whom it is said.
enum As<'a> {
    /// Somebody made up.
    Npc(&'a str),
    /// The same, doing something.
    Acting(&'a str),
    /// Nobody: what happens.
    Scene,
}

/// `NPC <room> <name> :<text>`
pub(crate) fn npc(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    play(chat, asking, message, As::Npc(message.params[1]), 2)
}

/// `NPCA <room> <name> :<text>`: the same as an action.
pub(crate) fn npca(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    play(chat, asking, message, As::Acting(message.params[1]), 2)
}

/// `SCENE <room> :<text>`
pub(crate) fn scene(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    play(chat, asking, message, As::Scene, 1)
}

/// The text begins with parameter `first`. People forget the colon, so it may be several words.
fn play(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>, who: As<'_>, first: usize) -> Flow {
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    let name = message.params[0];
    if chat.room_by_name(name).is_none() {
        asking.refuse(Numeric::ERR_NOSUCHCHANNEL, [given(name)]);
        return Flow::Done;
    }
    if !reachable(chat, asking, name) {
        return Flow::Wait;
    }
    let found = target(chat, user, name).and_then(|target| held_back(chat, asking.now_ms, user, target));
    let (room, status) = match found {
        Ok(Target::Room(room, status)) => (room, status),
        Ok(Target::Person(_)) => return Flow::Done,
        Err(refused) => {
            refused.tell(asking);
            return Flow::Done;
        }
    };
    let by = match shown(asking, room, user, &who) {
        Ok(by) => Arc::new(by),
        Err(why) => {
            asking.numeric(Numeric::ERR_CANNOTSENDRP, [(&room.name).into(), why]);
            return Flow::Done;
        }
    };
    let words = message.params[first..].join(" ");
    if words.trim().is_empty() {
        asking.refuse(Numeric::ERR_NOTEXTTOSEND, []);
        return Flow::Done;
    }
    let Some(text) = text(asking, user, &who, &words) else {
        asking.numeric(
            Numeric::ERR_CANNOTSENDRP,
            [(&room.name).into(), "Questions from program to program are not played".into()],
        );
        return Flow::Done;
    };
    let around = by.mask().len() + room.name.len() + ": PRIVMSG  :".len();
    if around + text.len() > BODY_BYTES_MAX {
        asking.refuse(Numeric::ERR_INPUTTOOLONG, []);
        return Flow::Done;
    }
    asking.propose(Event::Said(Arc::new(Said {
        room: room.id,
        basis: room.rules,
        user: user.id,
        by,
        kind: SayKind::Privmsg,
        text: text.into(),
        joins: None,
        client_tags: client_tags(asking, message),
        status,
        direct: None,
    })));
    Flow::Done
}

/// As whom everybody sees it; or why not.
fn shown(asking: &Asking<'_>, room: &Room, user: &User, who: &As<'_>) -> Result<Who, Text> {
    let rules = &asking.settings.roleplay;
    if !rules.enabled {
        return Err("Roleplay is not enabled on this server".into());
    }
    if !room.modes.roleplay {
        return Err("This room is not for roleplay; an operator may set its mode E".into());
    }
    if rules.operators_only && !room.may(user.id, Action::Play) {
        return Err("Only the room's operators may do this here".into());
    }
    let nick = match who {
        As::Scene => "=Scene=".to_owned(),
        As::Npc(name) | As::Acting(name) => match Nick::parse(name, asking.settings.nick_length) {
            Ok(_) => format!("*{name}*"),
            Err(_) => return Err("That is no name for somebody: letters and digits, no spaces".into()),
        },
    };
    let who =
        Who { nick: nick.into(), user: Arc::clone(&user.who.nick), host: NPC_HOST.into(), account: None };
    if room.silences(&who) && !room.may(user.id, Action::Speak) {
        return Err("That name is banned from the room".into());
    }
    Ok(who)
}

/// What is said, with who says it behind it; none for a question from program to program.
fn text(asking: &Asking<'_>, user: &User, who: &As<'_>, words: &str) -> Option<String> {
    if words.starts_with('\u{1}') || is_query(words) {
        return None;
    }
    let suffix =
        if asking.settings.roleplay.add_suffix { format!(" ({})", user.who.nick) } else { String::new() };
    Some(match who {
        As::Acting(_) => format!("\u{1}ACTION {words}{suffix}\u{1}"),
        As::Npc(_) | As::Scene => format!("{words}{suffix}"),
    })
}
