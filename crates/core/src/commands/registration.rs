//! Coming in: `USER`, `NICK` before registration, and what follows when nothing more is missing.

use std::sync::Arc;

use chinwag_wire::limits::{REALNAME_BYTES_MAX, USERNAME_BYTES_MAX};
use chinwag_wire::message::Message;
use chinwag_wire::names::{self, Nick, Username};
use chinwag_wire::numeric::Numeric;

use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::chat::server_bans::keep_out;
use crate::commands::reply::{fail, given};
use crate::effect::Effect;
use crate::event::{Arrived, Event, Who};
use crate::session::{Greeting, Phase, Session};

/// Said of a real name above [`REALNAME_BYTES_MAX`].
pub(super) const REALNAME_TOO_LONG: &str =
    "Your real name is too long; NAMELEN says how many bytes it may have";

/// `USER <username> 0 * :<realname>`
pub(crate) fn user(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let greeting = match &mut asking.session.phase {
        Phase::Greeting(greeting) => greeting,
        Phase::Entering(_) => return Flow::Wait,
        Phase::Live(_) => {
            asking.refuse(Numeric::ERR_ALREADYREGISTERED, []);
            return Flow::Done;
        }
        Phase::Closing => return Flow::Done,
    };
    let [username, _, _, realname, ..] = message.params[..] else {
        return short_of(asking);
    };
    if username.is_empty() || realname.is_empty() {
        return short_of(asking);
    }
    if realname.len() > REALNAME_BYTES_MAX {
        fail(asking.effects, "USER", "INVALID_REALNAME", [], REALNAME_TOO_LONG);
        return Flow::Done;
    }
    greeting.user = Some(unproven(username).into());
    greeting.realname = Some(realname.into());
    complete(chat, asking);
    Flow::Done
}

fn short_of(asking: &mut Asking<'_>) -> Flow {
    asking.refuse(Numeric::ERR_NEEDMOREPARAMS, ["USER".into()]);
    Flow::Done
}

/// A user name from what the client sent, with a `~` in front, since nothing proved it.
fn unproven(username: &str) -> String {
    format!("~{}", Username::cleaned(username, USERNAME_BYTES_MAX).as_str())
}

/// `NICK <nickname>` of a session that is not registered.
pub(crate) fn nick(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(wanted) = message.params.first().copied().filter(|wanted| !wanted.is_empty()) else {
        asking.refuse(Numeric::ERR_NONICKNAMEGIVEN, []);
        return Flow::Done;
    };
    let parsed = Nick::parse(wanted, asking.settings.nick_length);
    let Some(nick) = parsed.ok().filter(|_| !reserved(asking, wanted)) else {
        asking.refuse(Numeric::ERR_ERRONEUSNICKNAME, [given(wanted)]);
        return Flow::Done;
    };
    if chat.user_by_nick(wanted).is_some() {
        asking.refuse(Numeric::ERR_NICKNAMEINUSE, [given(wanted)]);
        return Flow::Done;
    }
    if let Phase::Greeting(greeting) = &mut asking.session.phase {
        greeting.nick = Some(nick.arc());
        complete(chat, asking);
    }
    Flow::Done
}

/// Whether a nickname is the server's own to use.
pub(crate) fn reserved(asking: &Asking<'_>, nick: &str) -> bool {
    names::is_reserved(nick) || nick.eq_ignore_ascii_case(&asking.settings.server)
}

/// Goes on with registration if nothing is missing any more: proposes that the user comes in.
pub(crate) fn complete(chat: &Chat, asking: &mut Asking<'_>) {
    let Phase::Greeting(greeting) = &mut asking.session.phase else { return };
    let (false, Some(nick), Some(user)) =
        (greeting.negotiating, greeting.nick.clone(), greeting.user.clone())
    else {
        return;
    };
    if let Some(password) = &asking.settings.password {
        let given = greeting.password.as_deref().unwrap_or("");
        if !same(given.as_bytes(), password.as_bytes()) {
            asking.session.phase = Phase::Closing;
            asking.refuse(Numeric::ERR_PASSWDMISMATCH, []);
            asking.effects.push(Effect::Close("Password incorrect".into()));
            return;
        }
    }
    if chat.user_by_nick(&nick).is_some() {
        // Free when it was asked for, and taken since.
        greeting.nick = None;
        asking.refuse(Numeric::ERR_NICKNAMEINUSE, [nick.into()]);
        return;
    }
    let greeting = std::mem::take(greeting);
    let realname = greeting.realname.clone().unwrap_or_else(|| Arc::clone(&nick));
    let account = asking.session.account.clone();
    let who = Arc::new(Who { nick, user, host: Arc::clone(&asking.session.host), account });
    if let Some(ban) = chat.server_ban(&who, asking.now_ms) {
        asking.session.phase = Phase::Closing;
        return keep_out(ban, asking.effects);
    }
    let (door, session) = (asking.session.door.name(), asking.session.key);
    let away = greeting.away.clone();
    asking.session.phase = Phase::Entering(greeting);
    let user = asking.next_user;
    asking.propose(Event::Arrived(Arc::new(Arrived { user, who, realname, door, session, away })));
}

/// Puts a session whose arrival was refused (its nickname was taken at the same moment) back to where it
/// may choose another nickname. The refusal itself was a reply of `apply`.
pub fn refused(session: &mut Session) {
    if let Phase::Entering(greeting) = &mut session.phase {
        let greeting = Greeting { nick: None, ..std::mem::take(&mut **greeting) };
        session.phase = Phase::Greeting(Box::new(greeting));
    }
}

/// Compares without telling by its duration where the first difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    let differing = a.iter().zip(b).fold(0, |differing, (a, b)| differing | (a ^ b));
    a.len() == b.len() && differing == 0
}
