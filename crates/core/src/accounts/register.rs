//! A new account: what its name, its address and its password have to be, and the steps until it is one.
//!
//! Specification: <https://ircv3.net/specs/extensions/account-registration>.

use std::sync::Arc;

use chinwag_wire::names::{Nick, is_reserved};

use super::{News, Refusal, Then, Way, account_of, invitations, log_in, store, tell, work};
use crate::allowance::Dear;
use crate::asking::Asking;
use crate::chat::{Account, Chat, Verifiers};
use crate::commands::reply::given;
use crate::effect::{Effect, Letter};
use crate::event::{AccountChange, AccountRegistered, Event};
use crate::ids::Millis;
use crate::session::Phase;
use crate::settings::Registration;
use crate::work::{Job, Secret};

/// Bytes of a mail address (RFC 5321, section 4.5.3.1.3).
const ADDRESS_BYTES_MAX: usize = 254;

/// Accounts that one connection may make.
pub const REGISTERED_MAX: u8 = 3;

/// After so many milliseconds without its code, an account's name is free again.
const UNVERIFIED_MS: Millis = 24 * 60 * 60 * 1000;

/// An account that somebody wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// Its name.
    pub account: Arc<str>,
    /// Where mail goes.
    pub email: Option<Arc<str>>,
    /// It is usable only once a code has come back from that address.
    pub verify: bool,
    /// The name belongs to an account that has waited for its code too long.
    pub replaces: bool,
    /// The hash of the code of the invitation that is used for it.
    pub invitation: Option<Arc<str>>,
}

/// Registers the asker's nickname, or what is wished for instead of it.
pub(crate) fn register(
    chat: &Chat,
    asking: &mut Asking<'_>,
    way: Way,
    name: &str,
    email: &str,
    password: Secret,
) {
    match wish(chat, asking, name, email, password.expose()) {
        Ok(wish) => work(asking, Then::Register(way, Box::new(wish)), Job::Hash { password }),
        Err(refusal) => tell(chat, asking, way, News::Refused(refusal)),
    }
}

/// Registers a name for somebody else, whatever is configured about who may.
pub(crate) fn register_for(
    chat: &Chat,
    asking: &mut Asking<'_>,
    service: &'static str,
    name: &str,
    password: Secret,
) {
    let way = Way::ForOther(service);
    let account: Arc<str> = name.into();
    let known = chat.account(name);
    let replaces = known.is_some_and(|known| expired(known, asking.now_ms));
    let refusal = if is_reserved(name) || Nick::parse(name, asking.settings.nick_length).is_err() {
        Some(Refusal::new("BAD_ACCOUNT_NAME", "That name cannot be an account's"))
    } else if known.is_some() && !replaces {
        Some(Refusal::ACCOUNT_EXISTS)
    } else {
        unfit_password(asking, name, password.expose())
    };
    match refusal {
        Some(refusal) => tell(chat, asking, way, News::Refused(refusal.about(&account))),
        None => {
            let wish = Wish { account, email: None, verify: false, replaces, invitation: None };
            work(asking, Then::Register(way, Box::new(wish)), Job::Hash { password });
        }
    }
}

/// Checks everything that can be checked at once.
fn wish(
    chat: &Chat,
    asking: &mut Asking<'_>,
    name: &str,
    email: &str,
    password: &str,
) -> Result<Wish, Refusal> {
    let given = given(name);
    let refuse = |code, text| Err(Refusal { code, account: Some(given.clone()), text });
    let rules = &asking.settings.accounts;
    if !rules.enabled || rules.registration == Registration::Closed {
        return refuse(
            "TEMPORARILY_UNAVAILABLE",
            "Accounts are made by the operators of this server only: ask one of them for yours",
        );
    }
    if asking.session.user().is_none() && (!rules.before_connect || asking.settings.password.is_some()) {
        return refuse("COMPLETE_CONNECTION_REQUIRED", "Come in first, then register");
    }
    if asking.session.registered >= REGISTERED_MAX {
        return refuse("TEMPORARILY_UNAVAILABLE", "You have made enough accounts for now");
    }
    if !asking.allows(Dear::Accounts) {
        return refuse(
            "TEMPORARILY_UNAVAILABLE",
            "Too many accounts were made from your network; try again in a few minutes",
        );
    }
    if account_of(chat, asking).is_some() {
        return Err(Refusal { account: Some(given), ..Refusal::LOGGED_IN });
    }
    if !asking.session.secure && !rules.cleartext_passwords {
        return refuse(
            "UNACCEPTABLE_PASSWORD",
            "Others could read the password on the way: connect with TLS",
        );
    }
    let Some(nick) = nickname(chat, asking) else {
        return Err(Refusal::new("NEED_NICK", "Choose a nickname first: it will be the account's name"));
    };
    let account = if name == "*" { Arc::clone(&nick) } else { name.into() };
    let refuse = |code, text| Err(Refusal::new(code, text).about(&account));
    if !chat.mapping().same(&account, &nick) {
        let text = "An account has the name of your nickname: change that first";
        let refusal = Refusal::new("ACCOUNT_NAME_MUST_BE_NICK", text);
        return Err(Refusal { account: Some(given), ..refusal });
    }
    if is_reserved(&account) || Nick::parse(&account, asking.settings.nick_length).is_err() {
        return refuse("BAD_ACCOUNT_NAME", "That name cannot be an account's: choose another nickname");
    }
    let here = chat.user_by_nick(&account).map(|holder| holder.id);
    let known = chat.account(&account);
    let replaces = known.is_some_and(|known| expired(known, asking.now_ms));
    if known.is_some() && !replaces || here.is_some() && here != asking.session.user() {
        return Err(Refusal::ACCOUNT_EXISTS.about(&account));
    }
    let email = (email != "*" && !email.is_empty()).then_some(email);
    if email.is_some_and(|email| !is_address(email)) || rules.require_email && email.is_none() {
        return refuse("INVALID_EMAIL", "A mail address is needed, like ann@example.org");
    }
    if let Some(refusal) = unfit_password(asking, &account, password) {
        return Err(refusal.about(&account));
    }
    let (email, verify) = (email.map(Arc::from), rules.require_email);
    // Last: a code is not used up by what is wrong elsewhere.
    let invitation = invitations::used(chat, asking).map_err(|refusal| refusal.about(&account))?;
    Ok(Wish { account, email, verify, replaces, invitation })
}

/// The asker's nickname; before registration, the one that was asked for.
fn nickname(chat: &Chat, asking: &Asking<'_>) -> Option<Arc<str>> {
    match &asking.session.phase {
        Phase::Live(user) => chat.user(*user).map(|user| Arc::clone(&user.who.nick)),
        Phase::Greeting(greeting) => greeting.nick.clone().or_else(|| greeting.wanted.clone()),
        _ => None,
    }
}

/// What is wrong with a password, if anything.
pub(super) fn unfit_password(asking: &Asking<'_>, account: &str, password: &str) -> Option<Refusal> {
    if password.is_empty() || password.contains(char::is_control) {
        return Some(Refusal::new(
            "UNACCEPTABLE_PASSWORD",
            "A password has at least one sign, and only signs that can be typed",
        ));
    }
    if password.len() > asking.settings.accounts.password_bytes_max {
        return Some(Refusal::new("UNACCEPTABLE_PASSWORD", "That password is too long"));
    }
    asking
        .settings
        .casemapping
        .same(account, password)
        .then(|| Refusal::new("WEAK_PASSWORD", "The password is the account's name: choose another one"))
}

/// Whether an account has waited for its code too long.
pub(super) fn expired(account: &Account, now_ms: Millis) -> bool {
    !account.verified() && now_ms.saturating_sub(account.created_ms) > UNVERIFIED_MS
}

/// Whether a text looks like a mail address. Whether it is one, only a mail could tell.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let sane = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control());
    let dots = !domain.starts_with(['.', '-']) && !domain.ends_with('.') && !domain.contains("..");
    text.len() <= ADDRESS_BYTES_MAX && sane(local) && sane(domain) && dots && !text.starts_with(':')
}

/// The password is hashed: the account goes to the log. A certificate that was shown proves it from now on, too,
/// unless it proves another one.
pub(super) fn hashed(
    asking: &mut Asking<'_>,
    way: Way,
    wish: Wish,
    verifiers: Arc<Verifiers>,
    code: Arc<str>,
) {
    let new = Arc::new(AccountRegistered {
        account: wish.account,
        verifiers: Some(verifiers),
        certificate: asking.session.certificate.clone(),
        key: None,
        email: wish.email,
        code: wish.verify.then_some(code),
        replaces: wish.replaces,
        invitation: wish.invitation,
    });
    if !matches!(way, Way::ForOther(_)) {
        asking.spend(Dear::Accounts);
    }
    store(asking, Then::Registered(way, Arc::clone(&new)), Event::AccountRegistered(new));
}

/// The account is stored: its owner is logged in, or waits for a code.
pub(super) fn registered(chat: &Chat, asking: &mut Asking<'_>, way: Way, new: &AccountRegistered) {
    asking.session.registered = asking.session.registered.saturating_add(1);
    match (&new.code, &new.email) {
        (Some(code), Some(address)) => {
            tell(chat, asking, way, News::CodeSent(&new.account, address));
            let (to, account, code) = (Arc::clone(address), Arc::clone(&new.account), Arc::clone(code));
            asking.effects.push(Effect::Letter(Box::new(Letter { to, account, code })));
        }
        _ => {
            tell(chat, asking, way, News::Registered(&new.account));
            let own = !matches!(way, Way::ForOther(_));
            if let Some(account) = chat.account(&new.account).filter(|_| own) {
                log_in(chat, asking, way, account);
            }
        }
    }
}

/// Takes the code of a new account.
pub(crate) fn verify(chat: &Chat, asking: &mut Asking<'_>, way: Way, name: &str, code: &str) {
    match verifiable(chat, asking, name, code) {
        Ok(account) => {
            let change = AccountChange::Verified;
            let event = Event::AccountChanged { account: Arc::clone(&account), change };
            store(asking, Then::Verified(way, account), event);
        }
        Err(refusal) => {
            let account = Some(given(name));
            tell(chat, asking, way, News::Refused(Refusal { account, ..refusal }));
        }
    }
}

/// The account that a code makes usable.
fn verifiable(chat: &Chat, asking: &Asking<'_>, name: &str, code: &str) -> Result<Arc<str>, Refusal> {
    if asking.session.user().is_none() && !asking.settings.accounts.before_connect {
        return Err(Refusal::new("COMPLETE_CONNECTION_REQUIRED", "Come in first, then verify"));
    }
    if account_of(chat, asking).is_some() {
        return Err(Refusal::LOGGED_IN);
    }
    let waiting = chat.account(name).filter(|account| !expired(account, asking.now_ms));
    let right = |account: &&Account| {
        account.code.as_deref().is_some_and(|wanted| same_secret(wanted.as_bytes(), code.as_bytes()))
    };
    let account = waiting.filter(right);
    let wrong = Refusal::new("INVALID_CODE", "That is not the code, or it is too old");
    account.map(|account| Arc::clone(&account.name)).ok_or(wrong)
}

/// Compares without telling by its duration where the first difference is.
pub(crate) fn same_secret(a: &[u8], b: &[u8]) -> bool {
    let differing = a.iter().zip(b).fold(0, |differing, (a, b)| differing | (a ^ b));
    a.len() == b.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::is_address;

    #[test]
    fn addresses_look_like_addresses() {
        for good in ["ann@example.org", "a.n+n@x", "\"a@b\"@example.org", "анна@пример.рф"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "*", "ann", "@x", "ann@", "ann@.x", "ann@x.", "ann@a..b", "a n@x", ":a@x", "ann@a b"]
        {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
