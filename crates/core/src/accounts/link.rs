//! `LINK`: a code made in one session lets another one join its account, with the key or certificate that it showed.

use std::sync::Arc;

use super::{News, Refusal, Then, Way, account_of, log_in, store, tell, work};
use crate::allowance::Dear;
use crate::asking::Asking;
use crate::chat::{Account, Chat};
use crate::commands::reply::{addressee, line};
use crate::event::{AccountChange, Event};
use crate::ids::Millis;
use crate::work::{Job, Secret};

/// For how long a code is good.
const GOOD_MS: Millis = 10 * 60 * 1000;

/// Signs of a code between two dashes.
const GROUP: usize = 4;

/// Makes a code for the account of whoever asks.
pub(crate) fn make_link(chat: &Chat, asking: &mut Asking<'_>) {
    match account_of(chat, asking) {
        Some(account) => work(asking, Then::Code(account), Job::Code),
        None => {
            let refusal = Refusal::new(
                "ACCOUNT_REQUIRED",
                "Log in first: LINK makes a code for your account; LINK and a code joins the account it is of",
            );
            tell(chat, asking, Way::Link, News::Refused(refusal));
        }
    }
}

/// A code was drawn.
pub(super) fn drawn(asking: &mut Asking<'_>, account: Arc<str>, code: Secret) {
    let until_ms = asking.now_ms.saturating_add(GOOD_MS);
    let event = Event::LinkMade { account: Arc::clone(&account), code: code.clone(), until_ms };
    store(asking, Then::LinkMade(account, code), event);
}

/// A code is good from now on.
pub(super) fn made(chat: &Chat, asking: &mut Asking<'_>, account: &Arc<str>, code: &Secret) {
    let groups: Vec<String> =
        code.expose().as_bytes().chunks(GROUP).map(|group| String::from_utf8_lossy(group).into()).collect();
    let code = groups.join("-");
    let to = addressee(chat, asking);
    let text = format!(
        "{code} joins another session or ssh key to {account}: type /link {code} there within ten minutes, or give \
         it to ssh instead of a password. It is good once. Show it to nobody."
    );
    asking.reply(line("NOTICE", [to, text.into()]));
}

/// Joins the account that a code is of.
pub(crate) fn join(chat: &Chat, asking: &mut Asking<'_>, typed: &str) {
    let rules = &asking.settings.accounts;
    if !rules.enabled || (!asking.session.secure && !rules.cleartext_passwords) {
        let refusal = match rules.enabled {
            false => Refusal::new("TEMPORARILY_UNAVAILABLE", "There are no accounts on this server"),
            true => Refusal::new(
                "UNACCEPTABLE_PASSWORD",
                "Others could read the code on the way: connect with TLS, then use it",
            ),
        };
        return tell(chat, asking, Way::Link, News::Refused(refusal));
    }
    if !asking.allows(Dear::WrongPasswords) {
        return tell(chat, asking, Way::Link, News::Refused(Refusal::TOO_MANY_WRONG));
    }
    let code: String = typed.chars().filter(|sign| *sign != '-').collect();
    let code = Secret::from(code.as_str());
    let account = chat.account_by_link(code.expose(), asking.now_ms).map(|account| Arc::clone(&account.name));
    match account {
        Some(account) => {
            let event = Event::LinkUsed { account: Arc::clone(&account), code };
            store(asking, Then::Linked(account), event);
        }
        None => tell(chat, asking, Way::Link, News::Refused(Refusal::WRONG_LINK)),
    }
}

/// The code is used up: what the session showed proves the account from now on, too.
pub(super) fn used(chat: &Chat, asking: &mut Asking<'_>, account: &Arc<str>) {
    let Some(found) = chat.account(account) else {
        return tell(chat, asking, Way::Link, News::Refused(Refusal::NO_ACCOUNT.about(account)));
    };
    match shown(chat, asking, found) {
        Some(change) => {
            let event = Event::AccountChanged { account: Arc::clone(account), change };
            store(asking, Then::Joined(Arc::clone(account)), event);
        }
        None => log_in(chat, asking, Way::Link, found),
    }
}

/// The proof that a session showed and the account has not.
fn shown(chat: &Chat, asking: &Asking<'_>, account: &Account) -> Option<AccountChange> {
    let session = &asking.session;
    if let Some(key) = session.ssh_key().filter(|key| !account.has_key(key)) {
        let by = session.user().and_then(|user| chat.user(user)).map(|user| &user.who.nick);
        let by = Arc::clone(by.unwrap_or(&account.name));
        return Some(AccountChange::KeyAdded { key: Arc::clone(key), by });
    }
    let print = session.certificate.as_ref()?;
    let new = chat.account_by_certificate(print).is_none();
    new.then(|| AccountChange::CertificateAdded(Arc::clone(print)))
}

/// It does; or cannot, which is no reason to keep its owner out.
pub(super) fn joined(chat: &Chat, asking: &mut Asking<'_>, account: &Arc<str>) {
    match chat.account(account) {
        Some(found) => log_in(chat, asking, Way::Link, found),
        None => tell(chat, asking, Way::Link, News::Refused(Refusal::NO_ACCOUNT.about(account))),
    }
}
