//! `OWNER`: whose the server is. The first account that gives the code of the start-up owns it, and may do everything
//! that server operators may, without a file to edit; owners name others.

use std::sync::Arc;

use chinwag_wire::message::Message;

use super::reply::{fail, line};
use crate::accounts::{self, Settled, Then, account_of};
use crate::allowance::Dear;
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::effect::Effect;
use crate::event::{AccountChange, Event};
use crate::line::Text;

/// Wrong codes after which a session is closed.
const WRONG_MAX: u8 = 5;

/// `OWNER [<code> | ADD <account> | DEL <account>]`.
pub(crate) fn owner(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let is = |word: &str, wanted: &str| word.eq_ignore_ascii_case(wanted);
    match message.params[..] {
        [] => list(chat, asking),
        [word, name, ..] if is(word, "ADD") => appoint(chat, asking, name, true),
        [word, name, ..] if is(word, "DEL") => appoint(chat, asking, name, false),
        [code, ..] => claim(chat, asking, code),
    }
    Flow::Done
}

fn refuse(asking: &mut Asking<'_>, code: &'static str, text: &'static str) {
    fail(asking.effects, "OWNER", code, [], text);
}

fn notice(chat: &Chat, asking: &mut Asking<'_>, text: String) {
    let to = super::reply::addressee(chat, asking);
    asking.reply(line("NOTICE", [to, text.into()]));
}

/// Whose it is.
fn list(chat: &Chat, asking: &mut Asking<'_>) {
    let owners: Vec<&str> = chat.owners().map(|account| &*account.name).collect();
    let text = match owners[..] {
        [] => "Nobody owns this server yet. Whoever started it has seen a code: OWNER and that code, once you are \
               logged in to an account, makes it yours."
            .to_owned(),
        _ => format!("This server is owned by {}.", owners.join(", ")),
    };
    notice(chat, asking, text);
}

/// Makes the server the account's that asks, if the code is right and the server nobody's.
fn claim(chat: &Chat, asking: &mut Asking<'_>, typed: &str) {
    if !asking.session.secure && !asking.settings.accounts.cleartext_passwords {
        return refuse(
            asking,
            "UNACCEPTABLE_PASSWORD",
            "Others could read the code on the way: connect with TLS or ssh, then give it",
        );
    }
    let Some(account) = account_of(chat, asking) else {
        return refuse(
            asking,
            "ACCOUNT_REQUIRED",
            "Register an account first (/register <password> or REGISTER), then give the code again",
        );
    };
    if chat.owners().next().is_some() {
        return refuse(asking, "ALREADY_OWNED", "This server is somebody's already; OWNER says whose");
    }
    if !asking.allows(Dear::WrongPasswords) {
        return refuse(
            asking,
            "TEMPORARILY_UNAVAILABLE",
            "Too many wrong passwords and codes came from your network; try again in a few minutes",
        );
    }
    let code = asking.settings.owner_code.as_ref().map_or("", |code| code.expose());
    let signs = typed.bytes().filter(|sign| *sign != b'-').map(|sign| sign.to_ascii_lowercase());
    if code.is_empty() || !same(code.as_bytes(), signs) {
        refuse(
            asking,
            "INVALID_CODE",
            "That is not the code; it is printed when the server starts, as long as nobody owns it",
        );
        asking.spend(Dear::WrongPasswords);
        asking.session.wrong_passwords += 1;
        if asking.session.wrong_passwords >= WRONG_MAX {
            asking.effects.push(Effect::Close("Too many wrong codes".into()));
        }
        return;
    }
    store(asking, &account, AccountChange::Owner { by: None });
}

/// Whether they are the same, in a time that tells nothing about where they differ.
fn same(code: &[u8], typed: impl Iterator<Item = u8>) -> bool {
    let mut typed = typed.fuse();
    let differing = code.iter().fold(0, |found, sign| found | (sign ^ typed.next().unwrap_or(0)));
    differing == 0 && typed.next().is_none()
}

/// Makes an account an owner, or takes that away; for owners.
fn appoint(chat: &Chat, asking: &mut Asking<'_>, name: &str, add: bool) {
    let by = account_of(chat, asking).filter(|by| chat.account(by).is_some_and(|account| account.owner));
    let Some(by) = by else {
        return refuse(asking, "NOT_OWNER", "Only owners of the server do that; OWNER says who they are");
    };
    let Some(account) = chat.account(name).filter(|account| account.verified()) else {
        return refuse(asking, "NO_ACCOUNT", "There is no account of that name");
    };
    if !add && chat.owners().all(|owner| owner.name == account.name) {
        return refuse(asking, "LAST_OWNER", "Somebody has to own the server; add another owner first");
    }
    let account = Arc::clone(&account.name);
    store(
        asking,
        &account,
        if add { AccountChange::Owner { by: Some(by) } } else { AccountChange::OwnerNoMore { by } },
    );
}

fn store(asking: &mut Asking<'_>, account: &Arc<str>, change: AccountChange) {
    let event = Event::AccountChanged { account: Arc::clone(account), change };
    accounts::store(asking, Then::Owner(Arc::clone(account)), event);
}

/// What became of it.
pub(crate) fn settled(chat: &Chat, asking: &mut Asking<'_>, account: &Arc<str>, settled: Settled) {
    match settled {
        Settled::Done if chat.account(account).is_some_and(|account| account.owner) => notice(
            chat,
            asking,
            format!(
                "{account} owns this server now, and may do what server operators may wherever it is logged in. \
                 HELP OPER tells more; OWNER ADD names another owner."
            ),
        ),
        Settled::Done => notice(chat, asking, format!("{account} does not own this server any more.")),
        Settled::Taken => {
            refuse(asking, "ALREADY_OWNED", "That is so already, or the server is somebody's; see OWNER")
        }
        Settled::NoAccount => {
            fail(
                asking.effects,
                "OWNER",
                "NO_ACCOUNT",
                [Text::from(account)],
                "There is no account of that name",
            );
        }
    }
}
