//! Coming in: `USER`, `NICK` before registration, and what follows when nothing more is missing.

use std::sync::Arc;

use chinwag_wire::casemap::CaseMapping;
use chinwag_wire::limits::{REALNAME_BYTES_MAX, USERNAME_BYTES_MAX};
use chinwag_wire::message::Message;
use chinwag_wire::names::{self, Nick, Username};
use chinwag_wire::numeric::Numeric;

use crate::accounts::{self, Way, same_secret};
use crate::allowance::Dear;
use crate::asking::{Asking, Flow};
use crate::chat::server_bans::keep_out;
use crate::chat::{Account, Chat, User};
use crate::commands::reply::{fail, given};
use crate::commands::{authenticate, metadata};
use crate::effect::Effect;
use crate::event::{Arrived, CameFrom, Event, Who};
use crate::ids::UserId;
use crate::refusals::Why;
use crate::session::{Door, Greeting, Phase, Session};
use crate::settings::Settings;
use crate::work::Secret;

/// Sessions that a user may have.
pub const SESSIONS_MAX: u32 = 32;

/// Why a nickname that nobody uses may not be had.
pub(crate) const BELONGS_TO_ACCOUNT: &str =
    "That nickname belongs to an account: log in to it first, or take another one";

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
    let fit = fits(chat, asking, wanted);
    let Some(nick) = parsed.ok().filter(|_| fit) else {
        asking.refuse(Numeric::ERR_ERRONEUSNICKNAME, [given(wanted)]);
        return Flow::Done;
    };
    let holder = chat.user_by_nick(wanted);
    let later = holder.is_some_and(|holder| may_prove_to_be(chat, asking, holder));
    let taken = (holder.is_some() && !later) || (holder.is_none() && chat.lookalike(wanted, None).is_some());
    if let Phase::Greeting(greeting) = &mut asking.session.phase {
        greeting.wanted = Some(nick.arc());
        if taken {
            asking.refuse(Numeric::ERR_NICKNAMEINUSE, [given(wanted)]);
            return Flow::Done;
        }
        greeting.nick = Some(nick.arc());
        complete(chat, asking);
    }
    Flow::Done
}

/// Whether a session may still turn out to be another one of somebody who is here, or to own the nickname that a guest
/// has: then it is refused only when nothing else is missing.
fn may_prove_to_be(chat: &Chat, asking: &Asking<'_>, holder: &User) -> bool {
    let Phase::Greeting(greeting) = &asking.session.phase else { return false };
    let proves = greeting.negotiating || greeting.password.is_some() || asking.session.account.is_some();
    let owned = accounts::trespass(chat, asking.settings, holder).is_some();
    (holder.who.account.is_some() || owned) && (proves || asking.session.door == Door::Plain)
}

/// Whether a nickname is one that this session may ask for. IRC clients are told which letters are the same
/// (CASEMAPPING); with mappings that know letters of ASCII only, others are for the plain door.
pub(crate) fn fits(chat: &Chat, asking: &Asking<'_>, nick: &str) -> bool {
    let mapping = chat.mapping();
    let known = mapping == CaseMapping::Precis || nick.is_ascii() || asking.session.door == Door::Plain;
    known && mapping.allows(nick) && !reserved(asking.settings, nick)
}

/// Whether a nickname is the server's own to use.
pub(crate) fn reserved(settings: &Settings, nick: &str) -> bool {
    names::is_reserved(nick) || nick.eq_ignore_ascii_case(&settings.server)
}

/// Goes on with registration if nothing is missing any more: proposes that the user comes in.
pub(crate) fn complete(chat: &Chat, asking: &mut Asking<'_>) {
    let Phase::Greeting(greeting) = &mut asking.session.phase else { return };
    let (false, Some(nick), Some(user)) =
        (greeting.negotiating, greeting.nick.clone(), greeting.user.clone())
    else {
        return;
    };
    let given = greeting.password.clone();
    // Who has proved an account at the ssh door needs no password beside.
    let proved = asking.session.ssh_key().is_some() && asking.session.account.is_some();
    if let Some(password) = asking.settings.password.as_ref().filter(|_| !proved) {
        let given = given.as_ref().map_or("", Secret::expose);
        if !given.is_empty() && !asking.session.secure && !asking.settings.accounts.cleartext_passwords {
            // Whoever listens on the way has it now; a client that is refused for it does not send it every day.
            asking.session.phase = Phase::Closing;
            asking.refused_for(Why::Cleartext);
            let text = "Passwords are taken over TLS only: connect to the same port with TLS";
            asking.numeric(Numeric::ERR_PASSWDMISMATCH, [text.into()]);
            asking.effects.push(Effect::Close("Password in clear text".into()));
            return;
        }
        if !given.is_empty() && !asking.allows(Dear::WrongPasswords) {
            asking.session.phase = Phase::Closing;
            let text = "Too many wrong passwords came from your network; try again in a few minutes";
            asking.numeric(Numeric::ERR_PASSWDMISMATCH, [text.into()]);
            asking.effects.push(Effect::Close(text.into()));
            return;
        }
        if !same_secret(given.as_bytes(), password.as_bytes()) {
            asking.session.phase = Phase::Closing;
            if !given.is_empty() && asking.settings.accounts.limit_logins {
                asking.spend(Dear::WrongPasswords);
            }
            asking.refuse(Numeric::ERR_PASSWDMISMATCH, []);
            asking.effects.push(Effect::Close("Password incorrect".into()));
            return;
        }
    } else if log_in_by_pass(chat, asking, given) {
        return;
    }
    if accounts::claim(chat, asking, &nick, &user) {
        return;
    }
    authenticate::abort(asking);
    let nick = proved_since(chat, asking).unwrap_or(nick);
    if accounts::belongs_to_another(chat, asking, &nick) {
        return not_without_proof(asking, nick);
    }
    let holder = chat.user_by_nick(&nick);
    // A guest who has the nickname makes way for its owner.
    let holder = holder.filter(|holder| !accounts::make_way(chat, asking, holder));
    let alike = holder.is_none() && chat.lookalike(&nick, None).is_some();
    if alike || holder.is_some_and(|holder| !may_share(chat, asking, holder)) {
        // Free when it was asked for, and taken since.
        forget_nick(asking);
        asking.refuse(Numeric::ERR_NICKNAMEINUSE, [nick.into()]);
        return;
    }
    enter(chat, asking, nick, user, holder.map(|holder| holder.id));
}

/// The nickname that the session was refused because it belongs to an account, if it has logged in to that account
/// since: its owner asked for it first, and took another one only for want of proof. Such are clients that end the
/// negotiation before they have read of SASL, and go on with it then.
fn proved_since(chat: &Chat, asking: &Asking<'_>) -> Option<Arc<str>> {
    let Phase::Greeting(greeting) = &asking.session.phase else { return None };
    let refused = greeting.refused.clone().filter(|_| asking.session.account.is_some())?;
    let free = chat.user_by_nick(&refused).is_none_or(|holder| may_share(chat, asking, holder));
    (free && !accounts::belongs_to_another(chat, asking, &refused)).then_some(refused)
}

/// Comes in: as somebody new, or as one more session of a user who is here.
fn enter(chat: &Chat, asking: &mut Asking<'_>, nick: Arc<str>, user: Arc<str>, holder: Option<UserId>) {
    let Phase::Greeting(greeting) = &mut asking.session.phase else { return };
    let mut greeting = std::mem::take(greeting);
    let realname = greeting.realname.clone().unwrap_or_else(|| Arc::clone(&nick));
    let account = asking.session.account.clone();
    let who = Arc::new(Who { nick, user, host: Arc::clone(&asking.session.host), account });
    if let Some(ban) = chat.server_ban(&who, &asking.session.address, asking.now_ms) {
        asking.session.phase = Phase::Closing;
        return keep_out(ban, asking.effects);
    }
    let (door, session) = (asking.session.door.name(), asking.session.key);
    let away = greeting.away.clone();
    metadata::early(chat, asking, &mut greeting, &who);
    let metadata = greeting.metadata.clone();
    asking.session.phase = Phase::Entering(greeting);
    if let Some(user) = holder {
        let account = asking.session.account.clone();
        return asking.propose(Event::Attached { user, account, session, away });
    }
    let (user, modes) = (asking.next_user, asking.settings.default_user_modes);
    let from = CameFrom { address: Arc::clone(&asking.session.address), secure: asking.session.secure };
    let arrived = Arrived { user, who, realname, modes, door, from, session, away, metadata };
    asking.propose(Event::Arrived(Arc::new(arrived)));
}

/// `PASS <account>:<password>`, where the server itself has no password. Whether the answer is waited for.
fn log_in_by_pass(chat: &Chat, asking: &mut Asking<'_>, given: Option<Secret>) -> bool {
    let rules = &asking.settings.accounts;
    let readable = !asking.session.secure && !rules.cleartext_passwords;
    if !rules.enabled || readable || asking.session.account.is_some() {
        return false;
    }
    let Some((account, password)) = given.as_ref().and_then(|given| given.expose().split_once(':')) else {
        return false;
    };
    if account.is_empty() || password.is_empty() || password.len() > rules.password_bytes_max {
        return false;
    }
    accounts::identify(chat, asking, Way::Pass, account, password.into());
    true
}

/// The nickname belongs to an account that the session is not logged in to.
fn not_without_proof(asking: &mut Asking<'_>, nick: Arc<str>) {
    if let Phase::Greeting(greeting) = &mut asking.session.phase {
        greeting.nick = None;
        greeting.refused = Some(Arc::clone(&nick));
    }
    let readable = !asking.session.secure && !asking.settings.accounts.cleartext_passwords;
    if asking.session.door == Door::Plain && !readable {
        asking.effects.push(Effect::PasswordWanted(nick));
    } else {
        asking.numeric(Numeric::ERR_NICKNAMEINUSE, [nick.into(), BELONGS_TO_ACCOUNT.into()]);
    }
}

fn forget_nick(asking: &mut Asking<'_>) {
    if let Phase::Greeting(greeting) = &mut asking.session.phase {
        greeting.nick = None;
    }
}

/// Whether a session may be one more of a user who is here: both are logged in to the same account, and its owner
/// wants that.
fn may_share(chat: &Chat, asking: &Asking<'_>, holder: &User) -> bool {
    let rules = &asking.settings.accounts;
    let own = asking.session.account.as_ref().filter(|own| holder.who.account.as_ref() == Some(own));
    let account = own.and_then(|own| chat.account(own));
    let wanted = |account: &Account| account.settings.multiclient.unwrap_or(rules.multiclient);
    rules.enabled && holder.sessions < SESSIONS_MAX && account.is_some_and(wanted)
}

impl Chat {
    /// A session that was to be one more of a user who has gone meanwhile
    /// ([`crate::effect::Effect::EntryAgain`]) comes in as if it were the first.
    pub fn enter_again(&self, asking: &mut Asking<'_>) {
        if let Phase::Entering(greeting) = &mut asking.session.phase {
            asking.session.phase = Phase::Greeting(std::mem::take(greeting));
            complete(self, asking);
        }
    }
}

/// Puts a session whose arrival was refused (its nickname was taken at the same moment) back to where it
/// may choose another nickname. The refusal itself was a reply of `apply`.
pub fn refused(session: &mut Session) {
    if let Phase::Entering(greeting) = &mut session.phase {
        let greeting = Greeting { nick: None, ..std::mem::take(&mut **greeting) };
        session.phase = Phase::Greeting(Box::new(greeting));
    }
}
