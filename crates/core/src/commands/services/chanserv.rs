//! ChanServ: whose a room is, and who has which role there for good.

use std::sync::Arc;

use chinwag_wire::numeric::Numeric;

use super::{Service, help, say, usage};
use crate::accounts::account_of;
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room, User};
use crate::commands::reply::{asker, given};
use crate::event::{Event, Keeping, ModeChange};
use crate::permissions::{may_give, may_take};
use crate::roles::Role;

const SERVICE: Service = Service::ChanServ;

/// Every command: how it is used, and what it does.
pub(super) const ROWS: &[(&str, &str)] = &[
    ("REGISTER <room>", "makes the room your account's (you have to be its operator)"),
    ("UNREGISTER <room>", "makes it nobody's again"),
    ("TRANSFER <room> <account>", "makes it another account's"),
    ("INFO <room>", "shows whose it is"),
    (
        "AMODE <room> [+<role letter>|-] [<account>]",
        "gives an account a role whenever it comes, or lists those",
    ),
    ("OP <room> [<nickname>]", "makes you, or somebody, an operator"),
    ("DEOP <room> [<nickname>]", "and an ordinary member again"),
];

pub(super) fn run(chat: &Chat, asking: &mut Asking<'_>, command: &str, words: &[&str]) -> Flow {
    if command == "HELP" {
        help(chat, asking, SERVICE, ROWS);
        return Flow::Done;
    }
    let (Some(user), Some(name)) = (asker(chat, asking), words.first()) else {
        usage(chat, asking, SERVICE, ROWS, command);
        return Flow::Done;
    };
    let Some(room) = chat.room_by_name(name).filter(|room| room.visible_to(user.id)) else {
        say(chat, asking, SERVICE, format!("There is no room {}.", given(name).as_str()));
        return Flow::Done;
    };
    if asking.pending.locked(room.id) {
        return Flow::Wait;
    }
    match (command, &words[1..]) {
        ("REGISTER", []) => register(chat, asking, user, room),
        ("UNREGISTER" | "DROP", []) => keep(chat, asking, user, room, Keeping::Founder(None)),
        ("TRANSFER", [account]) => match chat.account(account) {
            Some(account) => {
                let keeping = Keeping::Founder(Some(Arc::clone(&account.name)));
                keep(chat, asking, user, room, keeping);
            }
            None => say(chat, asking, SERVICE, format!("There is no account {}.", given(account).as_str())),
        },
        ("INFO", []) => info(chat, asking, room),
        ("AMODE", []) => list(chat, asking, room),
        ("AMODE", [letter, account]) => amode(chat, asking, user, room, letter, account),
        ("OP" | "DEOP", nick) if nick.len() < 2 => {
            op(chat, asking, user, room, nick.first().copied(), command == "OP");
        }
        _ => usage(chat, asking, SERVICE, ROWS, command),
    }
    Flow::Done
}

fn register(chat: &Chat, asking: &mut Asking<'_>, user: &User, room: &Room) {
    let Some(account) = account_of(chat, asking) else {
        return say(chat, asking, SERVICE, "Log in first: /msg NickServ IDENTIFY <password>");
    };
    if !asking.settings.accounts.rooms {
        return say(chat, asking, SERVICE, "Rooms cannot be registered on this server.");
    }
    if let Some(founder) = &room.kept.founder {
        return say(chat, asking, SERVICE, format!("{} is {founder}'s.", room.name));
    }
    keep(chat, asking, user, room, Keeping::Founder(Some(account)));
}

/// Proposes it, if the asker may.
fn keep(chat: &Chat, asking: &mut Asking<'_>, user: &User, room: &Room, keeping: Keeping) {
    if !room.may_keep(user, &keeping) {
        return say(chat, asking, SERVICE, format!("That is for those to do whose room {} is.", room.name));
    }
    let text = match &keeping {
        Keeping::Founder(Some(account)) => format!("{} becomes {account}'s.", room.name),
        Keeping::Founder(None) => format!("{} becomes nobody's.", room.name),
        Keeping::Role { account, .. } => format!("What {account} may do in {} changes.", room.name),
        // Those are INVITATION's.
        Keeping::Invited { .. } | Keeping::CameBy(_) | Keeping::TakenBack(_) => return,
    };
    let by = Arc::clone(&user.who);
    asking.propose(Event::RoomKept { room: room.id, basis: room.rules, by, keeping });
    say(chat, asking, SERVICE, text);
}

fn info(chat: &Chat, asking: &mut Asking<'_>, room: &Room) {
    let text = match &room.kept.founder {
        Some(founder) => format!("{} is {founder}'s.", room.name),
        None => format!("{} is nobody's: its first visitor becomes its operator.", room.name),
    };
    say(chat, asking, SERVICE, text);
}

fn list(chat: &Chat, asking: &mut Asking<'_>, room: &Room) {
    for (account, role) in &room.kept.roles {
        say(chat, asking, SERVICE, format!("+{} {account}", role.mode()));
    }
    say(chat, asking, SERVICE, format!("{} accounts have a role in {}.", room.kept.roles.len(), room.name));
}

fn amode(chat: &Chat, asking: &mut Asking<'_>, user: &User, room: &Room, letter: &str, account: &str) {
    let Some(account) = chat.account(account) else {
        return say(chat, asking, SERVICE, format!("There is no account {}.", given(account).as_str()));
    };
    let mode = letter.strip_prefix('+').and_then(|rest| rest.chars().next());
    let known = mode.and_then(Role::of_mode).filter(|role| *role != Role::Founder);
    if known.is_none() && !letter.starts_with('-') {
        return usage(chat, asking, SERVICE, ROWS, "AMODE");
    }
    let keeping = Keeping::Role { account: Arc::clone(&account.name), mode: known.map(Role::mode) };
    keep(chat, asking, user, room, keeping);
}

/// For those who have the right for their account, whether or not they have the role just now.
fn op(chat: &Chat, asking: &mut Asking<'_>, user: &User, room: &Room, nick: Option<&str>, set: bool) {
    let target = match nick {
        Some(nick) => chat.user_by_nick(nick),
        None => Some(user),
    };
    let Some(target) = target.filter(|target| room.member(target.id).is_some()) else {
        let nick = given(nick.unwrap_or("*"));
        return asking.refuse(Numeric::ERR_USERNOTINCHANNEL, [nick, (&room.name).into()]);
    };
    let rights = room.kept_role(&user.who).map_or(room.roles(user.id), Into::into);
    let may = match set {
        true => may_give(rights, Role::Operator),
        false => target.id == user.id || may_take(rights, Role::Operator, room.roles(target.id)),
    };
    if !may {
        return asking.refuse(Numeric::ERR_CHANOPRIVSNEEDED, [(&room.name).into()]);
    }
    let change = ModeChange {
        set,
        mode: 'o',
        arg: Some(Arc::clone(&target.who.nick)),
        member: Some(target.id),
        ..ModeChange::default()
    };
    if room.would_change(&change) {
        let (by, changes) = (Arc::clone(&user.who), vec![change]);
        asking.propose(Event::ModesChanged { room: room.id, basis: room.rules, by, changes });
    }
}
