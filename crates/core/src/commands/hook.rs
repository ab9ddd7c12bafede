//! `HOOK ADD <room> <name> | OUT <room> <name> <address> | LIST <room> | DEL <room> <name>`: addresses where programs
//! elsewhere say something in a room, and those that are told what is said in it. For the room's operators.

use std::sync::Arc;

use chinwag_wire::base64;
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::{asker, fail, given, noted};
use super::time::stamp;
use crate::accounts::{Settled, Then, work};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room, User};
use crate::event::{Event, Hooked};
use crate::hooks::{HOOKS_MAX, Hook, HookWay, Hooking, is_address};
use crate::ids::RoomId;
use crate::permissions::Action;
use crate::tokens::{hashed, is_name};
use crate::work::{Job, Secret};

const NAME: &str = "HOOK";

/// A hook that somebody wants to make: all but what is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct HookDraft {
    room: RoomId,
    name: Arc<str>,
    url: Option<Arc<str>>,
}

/// `HOOK <subcommand> <room> …`
pub(crate) fn hook(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let words = message.params.join(" ");
    let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
    let (Some(user), [subcommand, name, rest @ ..]) = (asker(chat, asking), &words[..]) else {
        usage(asking);
        return Flow::Done;
    };
    let Some(room) = chat.room_by_name(name).filter(|room| room.member(user.id).is_some()) else {
        asking.refuse(Numeric::ERR_NOTONCHANNEL, [given(name)]);
        return Flow::Done;
    };
    if asking.pending.locked(room.id) {
        return Flow::Wait;
    }
    if !room.may(user.id, Action::Hook) {
        asking.refuse(Numeric::ERR_CHANOPRIVSNEEDED, [(&room.name).into()]);
        return Flow::Done;
    }
    match (&*subcommand.to_ascii_uppercase(), rest) {
        ("LIST", []) => list(asking, room),
        ("DEL", [hook]) => remove(asking, user, room, hook),
        ("ADD", [hook]) => make(asking, room, hook, None),
        ("OUT", [hook, url]) => make(asking, room, hook, Some(url)),
        _ => usage(asking),
    }
    Flow::Done
}

fn deny(asking: &mut Asking<'_>, code: &'static str, text: &'static str) {
    fail(asking.effects, NAME, code, [], text);
}

fn usage(asking: &mut Asking<'_>) {
    let text = "It is used like this: HOOK ADD <room> <name> | HOOK OUT <room> <name> <address> | HOOK LIST <room> | \
                HOOK DEL <room> <name>";
    deny(asking, "INVALID_PARAMS", text);
}

fn list(asking: &mut Asking<'_>, room: &Room) {
    for hook in &room.hooks {
        let since = stamp(hook.at_ms);
        let since = since.get(..10).unwrap_or_default();
        let way = match &hook.way {
            HookWay::In { .. } => "in".to_owned(),
            HookWay::Out { url, .. } => format!("out to {url}"),
        };
        let text = format!("{}: {way}, made by {} {since}", hook.name, hook.by);
        noted(asking.effects, NAME, "LISTED", [(&room.name).into()], text.into());
    }
    let text = match room.hooks.len() {
        0 => "There are no hooks; HOOK ADD <room> <name> makes one".to_owned(),
        count => format!("{count} of {HOOKS_MAX} hooks"),
    };
    noted(asking.effects, NAME, "END", [(&room.name).into()], text.into());
}

fn remove(asking: &mut Asking<'_>, user: &User, room: &Room, name: &str) {
    let Some(hook) = room.hooks.iter().find(|hook| *hook.name == *name) else {
        return deny(asking, "NO_SUCH_HOOK", "There is no hook of that name; HOOK LIST shows them");
    };
    let what = Hooking::Removed(Arc::clone(&hook.name));
    let text = format!("The hook {name} is removed");
    asking.session.set_then(Then::Told(NAME, Arc::clone(&room.name), text.into()));
    propose(asking, user, room, what);
}

fn propose(asking: &mut Asking<'_>, user: &User, room: &Room, what: Hooking) {
    let by = Arc::clone(&user.who);
    asking.propose(Event::Hooked(Arc::new(Hooked { room: room.id, basis: room.rules, by, what })));
}

fn make(asking: &mut Asking<'_>, room: &Room, name: &str, url: Option<&str>) {
    if !asking.session.secure && !asking.settings.accounts.cleartext_passwords {
        let text = "Others could read the hook's secret on the way: connect with TLS, then make it";
        return deny(asking, "UNACCEPTABLE_PASSWORD", text);
    }
    if !is_name(name) {
        return deny(asking, "INVALID_PARAMS", "A name is made of up to 32 letters, digits, - and _");
    }
    if !url.is_none_or(is_address) {
        return deny(
            asking,
            "INVALID_PARAMS",
            "An address is like https://example.org/path, without a password",
        );
    }
    if room.hooks.iter().any(|hook| *hook.name == *name) {
        return deny(asking, "ALREADY_EXISTS", "There is a hook of that name: HOOK DEL it first");
    }
    if room.hooks.len() >= HOOKS_MAX {
        return deny(asking, "TOO_MANY", "The room has too many hooks: HOOK DEL one of them first");
    }
    let draft = HookDraft { room: room.id, name: name.into(), url: url.map(Arc::from) };
    work(asking, Then::Hook(Box::new(draft)), Job::Token);
}

/// The secret is drawn: the hook goes to the log, if it still may be made.
pub(crate) fn drawn(chat: &Chat, asking: &mut Asking<'_>, draft: HookDraft, secret: Secret) {
    let HookDraft { room, name, url } = draft;
    let (Some(user), Some(room)) = (asker(chat, asking), chat.room(room)) else { return };
    if !room.may(user.id, Action::Hook) || asking.pending.locked(room.id) {
        return deny(asking, "TEMPORARILY_UNAVAILABLE", "The room changed meanwhile: try again");
    }
    let out = url.is_some();
    let (secret, way) = match url {
        None => {
            let hash = hashed(secret.expose());
            (secret, HookWay::In { hash })
        }
        Some(url) => {
            let key = signing_key(secret.expose());
            (Secret::from(&*key), HookWay::Out { url, key: key.into(), after: room.head })
        }
    };
    let (by, at_ms) = (Arc::clone(&user.who.nick), asking.now_ms);
    let hook = Hook { name: Arc::clone(&name), by, at_ms, way };
    asking.session.set_then(Then::HookMade { room: Arc::clone(&room.name), name, secret, out });
    propose(asking, user, room, Hooking::Made(Arc::new(hook)));
}

/// What was drawn, as Standard Webhooks writes keys. <https://github.com/standard-webhooks/standard-webhooks>
fn signing_key(token: &str) -> String {
    let digits = token.as_bytes().chunks(2).filter_map(|digits| std::str::from_utf8(digits).ok());
    let bytes: Vec<u8> = digits.filter_map(|digits| u8::from_str_radix(digits, 16).ok()).collect();
    format!("whsec_{}", base64::encode(&bytes))
}

/// It is kept: its secret is shown now and never again.
pub(crate) fn made(
    asking: &mut Asking<'_>,
    (room, name): (&Arc<str>, &str),
    secret: &Secret,
    out: bool,
    settled: Settled,
) {
    if settled != Settled::Done {
        return deny(asking, "ALREADY_EXISTS", "The hook could not be made: HOOK LIST shows those there are");
    }
    let secret = secret.expose();
    let text = match out {
        false => {
            format!("/hook/{secret} on this server's web address is the hook {name}. It is shown only now.")
        }
        true => format!("{secret} is the key that signs what the hook {name} tells. It is shown only now."),
    };
    noted(asking.effects, NAME, "MADE", [room.into()], text.into());
}
