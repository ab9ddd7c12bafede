//! What people are told about their accounts, in the form that their command has.

use std::sync::Arc;

use chinwag_wire::caps::Cap;
use chinwag_wire::numeric::Numeric;

use super::Way;
use crate::allowance::Dear;
use crate::asking::Asking;
use crate::chat::Chat;
use crate::commands::registration::BELONGS_TO_ACCOUNT;
use crate::commands::reply::{addressee, fail, line, noted};
use crate::commands::{invitation, persistence};
use crate::effect::{Effect, To};
use crate::event::Who;
use crate::line::{Line, Source, Text};
use crate::session::Phase;
use crate::work::Secret;

/// Logins that may fail on one connection. Then it is closed.
pub const FAILURES_MAX: u8 = 10;

/// Something to be told.
pub(crate) enum News<'a> {
    /// The account is registered, and may be used.
    Registered(&'a Arc<str>),
    /// The account is registered, and a code was sent to this address.
    CodeSent(&'a Arc<str>, &'a str),
    /// The code was right.
    Verified(&'a Arc<str>),
    /// The session is logged in. The numeric that says so has been sent.
    LoggedIn(&'a Arc<str>),
    /// An invitation with this code holds.
    Invited(&'a Secret),
    /// A token of this name is good from now on.
    TokenMade(&'a Arc<str>, &'a Secret),
    /// This sentence.
    Told(Text),
    /// The account has been changed.
    Changed(&'a Arc<str>),
    /// The account is no more.
    Dropped(&'a Arc<str>),
    /// It will not be done.
    Refused(Refusal),
}

/// Why something will not be done: a code of `draft/account-registration`, the account meant, a sentence.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) account: Option<Text>,
    pub(crate) text: &'static str,
}

impl Refusal {
    pub(crate) const ACCOUNT_EXISTS: Refusal =
        Refusal::new("ACCOUNT_EXISTS", "That name is registered, or somebody uses it; choose another one");
    pub(crate) const BUSY: Refusal =
        Refusal::new("TEMPORARILY_UNAVAILABLE", "The server has too much to do; try again in a moment");
    pub(crate) const TOO_MANY_WRONG: Refusal = Refusal::new(
        "TEMPORARILY_UNAVAILABLE",
        "Too many wrong passwords came from your network; try again in a few minutes",
    );
    pub(crate) const INVITATION_INVALID: Refusal = Refusal::new(
        "INVITATION_INVALID",
        "That invitation is not one, or it has been used up or is too old; ask for another one",
    );
    pub(crate) const INVITATION_REQUIRED: Refusal = Refusal::new(
        "INVITATION_REQUIRED",
        "Accounts are for those who were invited: give your code first (/invitation <code>), then do this again",
    );
    pub(crate) const LOGGED_IN: Refusal =
        Refusal::new("ALREADY_AUTHENTICATED", "You are logged in to an account already");
    pub(crate) const NO_ACCOUNT: Refusal = Refusal::new("ACCOUNT_UNKNOWN", "There is no such account");
    pub(crate) const NOT_VERIFIED: Refusal =
        Refusal::new("VERIFICATION_REQUIRED", "The account waits for its code; send VERIFY with it first");
    pub(crate) const SHARED: Refusal = Refusal::new(
        "ALREADY_AUTHENTICATED",
        "Another session of yours uses this account under this nickname",
    );
    pub(crate) const WRONG_LINK: Refusal = Refusal::new(
        "INVALID_CODE",
        "That is no code of LINK, or it is too old; LINK where you are logged in gives another one",
    );
    pub(crate) const WRONG_PASSWORD: Refusal =
        Refusal::new("INVALID_CREDENTIALS", "There is no such account, or its password is another one");

    pub(crate) const fn new(code: &'static str, text: &'static str) -> Refusal {
        Refusal { code, account: None, text }
    }

    /// The same, about this account.
    pub(crate) fn about(mut self, account: &Arc<str>) -> Refusal {
        self.account = Some(account.into());
        self
    }
}

/// Tells the asking session.
pub(crate) fn tell(chat: &Chat, asking: &mut Asking<'_>, way: Way, news: News<'_>) {
    let refused = matches!(news, News::Refused(_));
    // Codes of invitations are as little for guessing as passwords.
    let guessed = matches!(&news, News::Refused(why) if why.code == Refusal::INVITATION_INVALID.code);
    let waits = matches!(&news, News::Refused(why) if why.text == Refusal::TOO_MANY_WRONG.text);
    match way {
        Way::Register | Way::Verify => standard(asking, way, news),
        Way::Sasl => sasl(asking, news),
        Way::Pass => pass(asking, news),
        Way::Key => key(asking, news),
        Way::Link => link(chat, asking, news),
        Way::Persistence => persistent(chat, asking, news),
        Way::Token => token(asking, news),
        Way::Service(service) | Way::ForOther(service) => notice(chat, asking, service, news),
    }
    let proves = matches!(way, Way::Sasl | Way::Pass | Way::Verify | Way::Link | Way::Service(_));
    if guessed || refused && proves {
        count_failure(asking, waits);
    }
}

/// One more thing that was wrong. Whoever goes on guessing is disconnected. `waits`: nothing was looked at, since too
/// much was wrong before; that makes nobody wait any longer.
pub(crate) fn count_failure(asking: &mut Asking<'_>, waits: bool) {
    if !asking.settings.accounts.limit_logins {
        return;
    }
    if !waits {
        asking.spend(Dear::WrongPasswords);
    }
    asking.session.failures = asking.session.failures.saturating_add(1);
    if asking.session.failures >= FAILURES_MAX {
        asking.effects.push(Effect::Close("Too many failed logins".into()));
    }
}

/// Whether somebody stays without a session has been chosen: all sessions of the user are told.
fn persistent(chat: &Chat, asking: &mut Asking<'_>, news: News<'_>) {
    match news {
        News::Changed(account) => {
            let (Some(account), Some(user)) = (chat.account(account), asking.session.user()) else { return };
            let line = persistence::status(account, asking.settings);
            asking.reply(line.clone());
            let (to, line) = (To::OtherSessions(user), line.needing(Cap::Persistence));
            asking.effects.push(Effect::Send { to, author: None, except: None, line });
        }
        News::Refused(Refusal { text, .. }) => {
            fail(asking.effects, persistence::VERB, "UNKNOWN_ERROR", [], text);
        }
        _ => {}
    }
}

/// <https://ircv3.net/specs/extensions/account-registration>
fn standard(asking: &mut Asking<'_>, way: Way, news: News<'_>) {
    let verb = if way == Way::Register { "REGISTER" } else { "VERIFY" };
    let success = |account: &Arc<str>, text: &'static str| {
        line(verb, ["SUCCESS".into(), Text::from(account), text.into()])
    };
    match news {
        News::Registered(account) => asking.reply(success(account, "Account created")),
        News::Verified(account) => asking.reply(success(account, "Account verified")),
        News::CodeSent(account, address) => {
            let text = format!("Account created; send VERIFY with the code that was sent to {address}");
            asking.reply(line(verb, ["VERIFICATION_REQUIRED".into(), account.into(), text.into()]));
        }
        News::LoggedIn(_) | News::Changed(_) | News::Dropped(_) | News::Invited(_) => {}
        News::TokenMade(..) | News::Told(_) => {}
        News::Refused(Refusal { code, account, text }) => {
            fail(asking.effects, verb, code, [account.unwrap_or("*".into())], text);
        }
    }
}

/// <https://ircv3.net/specs/extensions/sasl-3.1>
fn sasl(asking: &mut Asking<'_>, news: News<'_>) {
    match news {
        News::LoggedIn(_) => asking.refuse(Numeric::RPL_SASLSUCCESS, []),
        News::Refused(refusal) if refusal.code == Refusal::SHARED.code => {
            asking.numeric(Numeric::ERR_SASLALREADY, [refusal.text.into()]);
        }
        News::Refused(refusal) if refusal.code == Refusal::BUSY.code => {
            asking.numeric(Numeric::ERR_SASLFAIL, [refusal.text.into()]);
        }
        News::Refused(_) => asking.refuse(Numeric::ERR_SASLFAIL, []),
        _ => {}
    }
}

/// Somebody who said at the door who they are, and are not, does not come in.
fn pass(asking: &mut Asking<'_>, news: News<'_>) {
    if let News::Refused(refusal) = news {
        asking.session.phase = Phase::Closing;
        asking.refuse(Numeric::ERR_PASSWDMISMATCH, []);
        asking.effects.push(Effect::Close(refusal.text.into()));
    }
}

/// A key has made an account of the nickname, or somebody was faster.
fn key(asking: &mut Asking<'_>, news: News<'_>) {
    match news {
        News::Registered(account) => {
            let print = asking.session.ssh_key().map_or("", |key| key.fingerprint());
            let text = format!(
                "The nickname {account} is yours now: your ssh key ({print}) proves it. \
                 LINK gives a code for your other devices, NS PASSWD a password for IRC."
            );
            asking.reply(line("NOTICE", ["*".into(), text.into()]));
        }
        News::Refused(refusal) => {
            if let Phase::Greeting(greeting) = &mut asking.session.phase
                && let Some(nick) = greeting.nick.take()
            {
                let text = if refusal.account.is_some() { BELONGS_TO_ACCOUNT } else { refusal.text };
                asking.numeric(Numeric::ERR_NICKNAMEINUSE, [nick.into(), text.into()]);
            }
        }
        _ => {}
    }
}

/// A code has joined a session to an account.
fn link(chat: &Chat, asking: &mut Asking<'_>, news: News<'_>) {
    match news {
        News::LoggedIn(account) => {
            let to = addressee(chat, asking);
            let text = format!("This session is {account}'s now");
            asking.reply(line("NOTE", ["LINK".into(), "JOINED".into(), account.into(), text.clone().into()]));
            if !asking.session.caps.contains(Cap::StandardReplies) {
                asking.reply(line("NOTICE", [to, text.into()]));
            }
        }
        News::Refused(Refusal { code, account, text }) => {
            fail(asking.effects, "LINK", code, account, text);
        }
        _ => {}
    }
}

/// A token was made: it is shown now and never again.
fn made(name: &str, secret: &Secret) -> String {
    format!(
        "{} is the token {name}. It is shown only now: keep it where only your program reads it.",
        secret.expose()
    )
}

/// An invitation was made: its code is shown now and never again.
fn invited(asking: &Asking<'_>, code: &str) -> String {
    let web =
        invitation::link(asking, code).map_or_else(String::new, |link| format!(" In a browser: {link}"));
    format!(
        "The code is {code} and is shown only now. Who has it sends: INVITATION {code} and then REGISTER.{web}"
    )
}

/// What became of a wish about tokens.
fn token(asking: &mut Asking<'_>, news: News<'_>) {
    match news {
        News::TokenMade(name, secret) => {
            let text = made(name, secret);
            noted(asking.effects, "TOKEN", "MADE", [name.into()], text.into());
        }
        News::Told(text) => noted(asking.effects, "TOKEN", "TOLD", [], text),
        News::Refused(Refusal { code, text, .. }) => fail(asking.effects, "TOKEN", code, [], text),
        _ => {}
    }
}

/// A sentence of a service.
fn notice(chat: &Chat, asking: &mut Asking<'_>, service: &'static str, news: News<'_>) {
    let text = match news {
        News::Registered(account) => Text::from(format!("The account {account} is registered.")),
        News::CodeSent(account, address) => Text::from(format!(
            "The account {account} is registered. A code was sent to {address}: VERIFY {account} and the code."
        )),
        News::Verified(account) => Text::from(format!("The account {account} is verified.")),
        News::LoggedIn(account) => Text::from(format!("You are logged in as {account}.")),
        News::Invited(code) => Text::from(invited(asking, code.expose())),
        News::TokenMade(name, secret) => made(name, secret).into(),
        News::Told(text) => text,
        News::Changed(account) => Text::from(format!("The account {account} is changed.")),
        News::Dropped(account) => Text::from(format!("The account {account} is no more.")),
        News::Refused(refusal) => refusal.text.into(),
    };
    let server = &asking.settings.server;
    let who = Who { nick: service.into(), user: service.into(), host: Arc::clone(server), account: None };
    let to = addressee(chat, asking);
    asking.reply(Line::new(Source::User(Arc::new(who)), "NOTICE", [to, text]));
}
