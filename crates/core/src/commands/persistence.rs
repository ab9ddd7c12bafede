//! `PERSISTENCE GET`, `PERSISTENCE SET ON|OFF|DEFAULT`: whether an account's owner is present without a session.
//!
//! Specification: <https://github.com/ircv3/ircv3-specifications/pull/503>, as Ergo has it.

use std::sync::Arc;

use chinwag_wire::message::Message;

use super::reply::{asker, fail, given, line};
use crate::accounts::{self, Way};
use crate::asking::{Asking, Flow};
use crate::chat::{Account, Chat};
use crate::event::{AccountChange, Setting};
use crate::line::Line;
use crate::settings::Settings;

/// The command, and the lines about it.
pub(crate) const VERB: &str = "PERSISTENCE";

/// `PERSISTENCE <subcommand> [<setting>]`
pub(crate) fn persistence(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let account = asker(chat, asking).and_then(|user| user.who.account.as_ref());
    let Some(account) = account.and_then(|account| chat.account(account)) else {
        fail(asking.effects, VERB, "ACCOUNT_REQUIRED", [], "You are not logged in to an account");
        return Flow::Done;
    };
    let word = |at: usize| message.params.get(at).unwrap_or("").to_ascii_uppercase();
    let wanted = match (&*word(0), &*word(1)) {
        ("GET", _) => {
            asking.reply(status(account, asking.settings));
            return Flow::Done;
        }
        ("SET", "ON") => Some(true),
        ("SET", "OFF") => Some(false),
        ("SET", "DEFAULT") => None,
        _ => {
            fail(asking.effects, VERB, "INVALID_PARAMS", [given(message.params[0])], "Invalid parameters");
            return Flow::Done;
        }
    };
    let name = Arc::clone(&account.name);
    accounts::change(asking, Way::Persistence, &name, AccountChange::Setting(Setting::AlwaysOn(wanted)));
    Flow::Done
}

/// What the owner has chosen, and what follows from it.
pub(crate) fn status(account: &Account, settings: &Settings) -> Line {
    let chosen = match account.settings.always_on {
        None => "DEFAULT",
        Some(true) => "ON",
        Some(false) => "OFF",
    };
    let effective = if settings.accounts.always_on.holds(account.settings.always_on) { "ON" } else { "OFF" };
    line(VERB, ["STATUS".into(), chosen.into(), effective.into()])
}
