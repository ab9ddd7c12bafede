//! Guests on a nickname that has become somebody's: they are told, and have other names in the end.
//!
//! Nobody takes a nickname that belongs to an account; but whoever uses it already when it becomes one, or logs out of
//! it, is not put off the server for it. They have a while to log in; when the owner comes, they have none.

use std::sync::Arc;

use chinwag_wire::names::Nick;

use super::account_of;
use crate::asking::Asking;
use crate::chat::{Account, Chat, Enforce, User};
use crate::effect::{Effect, To};
use crate::event::{Event, Who};
use crate::ids::UserId;
use crate::line::{Line, Source};
use crate::settings::Settings;

/// Stands for a number in the pattern of guests' nicknames.
pub const NUMBER: char = '*';

/// Names of guests that are tried, from one number on.
const TRIES: u64 = 64;

/// The account that a nickname belongs to, if others are kept off it.
pub(super) fn owner<'a>(chat: &'a Chat, settings: &Settings, nick: &str) -> Option<&'a Account> {
    let owner = chat.account(nick).or_else(|| chat.account_lookalike(nick));
    let owner = owner.filter(|owner| owner.verified())?;
    let strict = match owner.settings.enforce {
        Some(enforce) => enforce == Enforce::Strict,
        None => settings.accounts.strict_nicknames,
    };
    (settings.accounts.enabled && strict).then_some(owner)
}

/// The account on whose nickname somebody is who is not logged in to it.
pub fn trespass<'a>(chat: &'a Chat, settings: &Settings, user: &User) -> Option<&'a Account> {
    let owner = owner(chat, settings, &user.who.nick)?;
    (user.who.account.as_ref() != Some(&owner.name)).then_some(owner)
}

/// The nickname that a guest gets: the pattern with a number that follows from the user's, so that every node finds
/// the same; the next that is free.
pub fn guest_name(chat: &Chat, settings: &Settings, user: UserId) -> Arc<str> {
    let pattern = &settings.accounts.guest_nickname;
    let named = |number: u64| pattern.replacen(NUMBER, &(1_000 + number % 9_000).to_string(), 1);
    let free = |name: &String| {
        let nick = Nick::parse(name, settings.nick_length).is_ok();
        nick && chat.user_by_nick(name).is_none() && owner(chat, settings, name).is_none()
    };
    let name = (0..TRIES).map(|step| named(user.0.wrapping_add(step))).find(free);
    // So many guests of neighbouring numbers: one of them is refused, and tried again a moment later.
    name.unwrap_or_else(|| named(user.0)).into()
}

/// A sentence of NickServ for the sessions of a guest.
pub fn guest_notice(settings: &Settings, guest: &User, text: &str) -> Line {
    let server = Arc::clone(&settings.server);
    let service = Who { nick: "NickServ".into(), user: "NickServ".into(), host: server, account: None };
    Line::new(Source::User(Arc::new(service)), "NOTICE", [(&guest.who.nick).into(), text.to_owned().into()])
}

/// Has a guest go off the nickname that the asker owns. False when whoever has it may keep it.
pub(crate) fn make_way(chat: &Chat, asking: &mut Asking<'_>, holder: &User) -> bool {
    let owner = trespass(chat, asking.settings, holder).map(|owner| &owner.name);
    if owner.is_none() || owner != account_of(chat, asking).as_ref() {
        return false;
    }
    let nick = guest_name(chat, asking.settings, holder.id);
    let text =
        format!("{} belongs to an account, and its owner is here. You are {nick} now.", holder.who.nick);
    let line = guest_notice(asking.settings, holder, &text);
    asking.effects.push(Effect::Send { to: To::User(holder.id), author: None, except: None, line });
    asking.propose(Event::Renamed { user: holder.id, nick });
    true
}
