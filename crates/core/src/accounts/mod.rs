//! What people ask about accounts, whatever the command: one function a wish, one place for the answers.
//!
//! A command (`REGISTER`, `AUTHENTICATE`, an alias of a service) takes its words apart and calls one of these with
//! the [`Way`] in which it is answered. Where hashing or the log comes between, the session remembers what it
//! waits for ([`Then`]), and [`Chat::resume`] goes on.

mod answer;
mod claim;
mod guests;
mod invitations;
mod link;
mod register;
mod tokens;

use std::sync::Arc;

use chinwag_wire::numeric::Numeric;

pub use self::answer::FAILURES_MAX;
pub(crate) use self::answer::{News, Refusal, count_failure, tell};
pub use self::claim::Verdict;
pub(crate) use self::claim::claim;
pub(crate) use self::guests::make_way;
pub use self::guests::{guest_name, guest_notice, trespass};
pub use self::invitations::Ticket;
pub(crate) use self::invitations::{invite, of_code, take_back};
pub(crate) use self::link::{join, make_link};
pub use self::register::{REGISTERED_MAX, Wish};
pub(crate) use self::register::{register, register_for, same_secret, verify};
pub use self::tokens::Draft;
pub(crate) use self::tokens::tokens;

use crate::allowance::Dear;
use crate::asking::Asking;
use crate::chat::{Account, Chat};
use crate::commands::authenticate::{self, Exchange};
use crate::commands::hook::{self, HookDraft};
use crate::commands::invitation::{self, Made, RoomTicket};
use crate::commands::reply::{asker, on_record};
use crate::commands::{oper, owner, registration, reply, webirc};
use crate::effect::Effect;
use crate::event::{AccountChange, AccountRegistered, Act, Event};
use crate::line::Line;
use crate::session::Phase;
use crate::work::{Job, Outcome, Secret};

/// How a wish is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As `REGISTER` has it.
    Register,
    /// As `VERIFY` has it.
    Verify,
    /// As `AUTHENTICATE` has it.
    Sasl,
    /// As part of coming in: `PASS` said who.
    Pass,
    /// As part of coming in: an SSH key said who.
    Key,
    /// As `LINK` has it.
    Link,
    /// As `PERSISTENCE` has it.
    Persistence,
    /// As `TOKEN` has it.
    Token,
    /// As a notice of the service of this nickname.
    Service(&'static str),
    /// The same, to a server operator who does it for somebody else.
    ForOther(&'static str),
}

/// What a session waits for, and what becomes of it then.
#[derive(Clone, Debug)]
pub enum Then {
    /// The password of a new account is hashed.
    Register(Way, Box<Wish>),
    /// The code of an invitation is drawn.
    Invite(Way, Box<Ticket>),
    /// An invitation with this code is on its way to the log.
    Invited(Way, Secret),
    /// The code of an invitation to a room is drawn.
    RoomInvite(Box<RoomTicket>),
    /// Such an invitation is on its way to the log.
    RoomInvited(Box<Made>),
    /// A token is drawn.
    Token(Way, Box<Draft>),
    /// A token of this name is on its way to the log.
    TokenMade(Way, Arc<str>, Secret),
    /// The end of a token of this name is on its way to the log.
    TokenRevoked(Way, Arc<str>),
    /// The secret of a hook is drawn.
    Hook(Box<HookDraft>),
    /// A hook is on its way to the log.
    HookMade {
        /// The room.
        room: Arc<str>,
        /// The hook.
        name: Arc<str>,
        /// Its token, or what it signs with.
        secret: Secret,
        /// Which way it goes.
        out: bool,
    },
    /// When it is done, this command says this of this.
    Told(&'static str, Arc<str>, Arc<str>),
    /// A new account is on its way to the log.
    Registered(Way, Arc<AccountRegistered>),
    /// A verified account is on its way to the log.
    Verified(Way, Arc<str>),
    /// A password is checked; for which account, unless there is none.
    Check(Way, Option<Arc<str>>),
    /// The user is being logged in.
    LogIn(Way, Arc<str>),
    /// A new password of an account is hashed.
    Password(Way, Arc<str>),
    /// A change of an account is on its way to the log.
    Changed(Way, Arc<str>),
    /// A code of `LINK` is drawn.
    Code(Arc<str>),
    /// It is on its way to the log.
    LinkMade(Arc<str>, Secret),
    /// The use of such a code is on its way to the log.
    Linked(Arc<str>),
    /// What the session showed is to prove the account that it has joined.
    Joined(Arc<str>),
    /// That an account owns the server, or does not any more, is on its way to the log.
    Owner(Arc<str>),
    /// The end of an account is on its way to the log.
    Dropped(Way, Arc<str>),
    /// The password of a server operator of this name is checked.
    Oper(Arc<str>),
    /// SCRAM goes on.
    Scram(Box<Exchange>),
    /// The password of a gateway is checked.
    Gateway(Box<webirc::Claim>),
}

/// What `apply` made of an event about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is so now.
    Done,
    /// The name, or the certificate, is somebody's already.
    Taken,
    /// There is no such account (any more), or nobody may log in to it yet.
    NoAccount,
}

/// What a session waited for.
#[derive(Clone, Debug, PartialEq)]
pub enum Resumed {
    /// Work was done.
    Work(Outcome),
    /// An event was applied.
    Settled(Settled),
}

impl Chat {
    /// Goes on with what a session asked about an account, when what it waited for has come.
    pub fn resume(&self, asking: &mut Asking<'_>, came: Resumed) {
        let Some(then) = asking.session.take_then() else { return };
        match (then, came) {
            (Then::Oper(name), Resumed::Work(outcome)) => oper::checked(self, asking, &name, &outcome),
            (Then::Scram(exchange), Resumed::Work(outcome)) => {
                authenticate::resume(self, asking, *exchange, outcome);
            }
            (Then::Gateway(claim), Resumed::Work(Outcome::Checked(right))) => {
                webirc::checked(asking, *claim, right);
            }
            (Then::Gateway(_), _) => webirc::unchecked(asking),
            (Then::Code(account), Resumed::Work(Outcome::Code(code))) => link::drawn(asking, account, code),
            (Then::Invite(way, ticket), Resumed::Work(Outcome::Code(code))) => {
                invitations::drawn(self, asking, way, *ticket, code);
            }
            (Then::RoomInvite(ticket), Resumed::Work(Outcome::Code(code))) => {
                invitation::drawn(self, asking, *ticket, code);
            }
            (Then::Token(way, draft), Resumed::Work(Outcome::Code(secret))) => {
                tokens::drawn(asking, way, *draft, secret);
            }
            (Then::Register(way, wish), Resumed::Work(Outcome::Hashed { verifiers, code })) => {
                register::hashed(asking, way, *wish, verifiers, code);
            }
            (Then::Password(way, account), Resumed::Work(Outcome::Hashed { verifiers, .. })) => {
                change(asking, way, &account, AccountChange::Password(Some(verifiers)));
            }
            (Then::Check(way, account), Resumed::Work(Outcome::Checked(right))) => {
                let account = account.filter(|_| right).and_then(|account| self.account(&account));
                match account {
                    Some(account) => log_in(self, asking, way, account),
                    None => tell(self, asking, way, News::Refused(Refusal::WRONG_PASSWORD)),
                }
            }
            (
                Then::Register(way, _)
                | Then::Invite(way, _)
                | Then::Token(way, _)
                | Then::Password(way, _)
                | Then::Check(way, _),
                Resumed::Work(_) | Resumed::Settled(_),
            ) => tell(self, asking, way, News::Refused(Refusal::BUSY)),
            (Then::Hook(draft), Resumed::Work(Outcome::Code(secret))) => {
                hook::drawn(self, asking, *draft, secret);
            }
            (Then::Code(_) | Then::Hook(_) | Then::RoomInvite(_), _) => {
                tell(self, asking, Way::Link, News::Refused(Refusal::BUSY))
            }
            (then, Resumed::Settled(settled)) => self.settled(asking, then, settled),
            (_, Resumed::Work(_)) => {}
        }
    }

    fn settled(&self, asking: &mut Asking<'_>, then: Then, settled: Settled) {
        if settled == Settled::Done {
            self.done_for_other(asking, &then);
        }
        match (then, settled) {
            (Then::HookMade { room, name, secret, out }, settled) => {
                hook::made(asking, (&room, &name), &secret, out, settled);
            }
            (Then::RoomInvited(made), Settled::Done) => invitation::made(asking, &made),
            (Then::Told(verb, about, text), Settled::Done) => {
                reply::noted(asking.effects, verb, "DONE", [(&about).into()], (&text).into());
            }
            (Then::LinkMade(account, code), _) => link::made(self, asking, &account, &code),
            (Then::Linked(account), Settled::Done) => link::used(self, asking, &account),
            (Then::Linked(_), _) => tell(self, asking, Way::Link, News::Refused(Refusal::WRONG_LINK)),
            (Then::Owner(account), settled) => owner::settled(self, asking, &account, settled),
            (Then::Joined(account), _) => link::joined(self, asking, &account),
            (Then::TokenMade(way, name, secret), Settled::Done) => {
                tell(self, asking, way, News::TokenMade(&name, &secret));
            }
            (Then::TokenRevoked(way, name), Settled::Done) => {
                let text = format!("The token {name} is revoked: nobody comes in with it any more");
                tell(self, asking, way, News::Told(text.into()));
            }
            (Then::TokenMade(way, ..) | Then::TokenRevoked(way, _), _) => {
                tell(self, asking, way, News::Refused(Refusal::BUSY));
            }
            (Then::Registered(way, new), Settled::Done) => register::registered(self, asking, way, &new),
            (Then::Invited(way, code), Settled::Done) => tell(self, asking, way, News::Invited(&code)),
            (Then::Registered(way, new), _) => {
                tell(self, asking, way, News::Refused(Refusal::ACCOUNT_EXISTS.about(&new.account)));
            }
            (Then::Verified(way, account), Settled::Done) => {
                tell(self, asking, way, News::Verified(&account));
                if let Some(account) = self.account(&account) {
                    log_in(self, asking, Way::Verify, account);
                }
            }
            (Then::LogIn(way, account), Settled::Done) => tell(self, asking, way, News::LoggedIn(&account)),
            (Then::Changed(way, account), Settled::Done) => tell(self, asking, way, News::Changed(&account)),
            (Then::Dropped(way, account), Settled::Done) => tell(self, asking, way, News::Dropped(&account)),
            (
                Then::Verified(way, account)
                | Then::LogIn(way, account)
                | Then::Changed(way, account)
                | Then::Dropped(way, account),
                _,
            ) => tell(self, asking, way, News::Refused(Refusal::NO_ACCOUNT.about(&account))),
            _ => {}
        }
    }
}

impl Chat {
    /// Puts on record what a server operator did with the account of somebody else.
    fn done_for_other(&self, asking: &mut Asking<'_>, then: &Then) {
        let act = match then {
            Then::Registered(Way::ForOther(_), new) => {
                Act::AccountRegistered { account: Arc::clone(&new.account) }
            }
            Then::Changed(Way::ForOther(_), account) => Act::PasswordSet { account: Arc::clone(account) },
            Then::Dropped(Way::ForOther(_), account) => Act::AccountDropped { account: Arc::clone(account) },
            _ => return,
        };
        if let Some(user) = asker(self, asking) {
            on_record(asking, user, act);
        }
    }
}

/// Asks for work, and remembers what it is for.
pub(crate) fn work(asking: &mut Asking<'_>, then: Then, job: Job) {
    asking.session.set_then(then);
    asking.effects.push(Effect::Work(Box::new(job)));
}

/// Proposes an event about an account, and remembers what it is for.
pub(crate) fn store(asking: &mut Asking<'_>, then: Then, event: Event) {
    asking.session.set_then(then);
    asking.propose(event);
}

/// The account that the asking session is logged in to.
pub(crate) fn account_of(chat: &Chat, asking: &Asking<'_>) -> Option<Arc<str>> {
    match asking.session.user() {
        Some(user) => chat.user(user).and_then(|user| user.who.account.clone()),
        None => asking.session.account.clone(),
    }
}

/// Logs in with a name and a password. The answer takes as long whether there is such an account or not.
pub(crate) fn identify(chat: &Chat, asking: &mut Asking<'_>, way: Way, name: &str, password: Secret) {
    if !asking.allows(Dear::WrongPasswords) {
        return tell(chat, asking, way, News::Refused(Refusal::TOO_MANY_WRONG));
    }
    let account = chat.account(name).filter(|account| account.verified());
    let verifiers = account.and_then(|account| account.verifiers.clone());
    let account = account.filter(|_| verifiers.is_some()).map(|account| Arc::clone(&account.name));
    work(asking, Then::Check(way, account), Job::Check { password, verifiers });
}

/// Logs in: what proves the account has been seen.
pub(crate) fn log_in(chat: &Chat, asking: &mut Asking<'_>, way: Way, account: &Account) {
    let name = Arc::clone(&account.name);
    if !account.verified() {
        return tell(chat, asking, way, News::Refused(Refusal::NOT_VERIFIED.about(&name)));
    }
    let Some(user) = asking.session.user() else {
        asking.session.account = Some(Arc::clone(&name));
        let line = logged_in_line(&greeting_mask(asking), &name);
        asking.reply(line);
        tell(chat, asking, way, News::LoggedIn(&name));
        if matches!(way, Way::Pass | Way::Key) {
            registration::complete(chat, asking);
        }
        return;
    };
    let Some(found) = chat.user(user) else { return };
    let other = found.who.account.as_ref().is_some_and(|before| *before != name);
    if other && found.sessions > 1 {
        // Others sit on the same nickname because they are logged in to the account that it has now.
        return tell(chat, asking, way, News::Refused(Refusal::SHARED));
    }
    store(asking, Then::LogIn(way, Arc::clone(&name)), Event::LoggedIn { user, account: name });
}

/// Logs out; false when nobody was logged in.
pub(crate) fn log_out(chat: &Chat, asking: &mut Asking<'_>) -> bool {
    if account_of(chat, asking).is_none() {
        return false;
    }
    match asking.session.user() {
        Some(user) => asking.propose(Event::LoggedOut { user }),
        None => {
            asking.session.account = None;
            let mask = greeting_mask(asking);
            asking.refuse(Numeric::RPL_LOGGEDOUT, [mask.into()]);
        }
    }
    true
}

/// Changes something about an account. Whether the asker may is the caller's to know.
pub fn change(asking: &mut Asking<'_>, way: Way, account: &Arc<str>, change: AccountChange) {
    let event = Event::AccountChanged { account: Arc::clone(account), change };
    store(asking, Then::Changed(way, Arc::clone(account)), event);
}

/// Gives an account another password. Whether the asker may is the caller's to know.
pub fn set_password(chat: &Chat, asking: &mut Asking<'_>, way: Way, account: &Arc<str>, password: &str) {
    match register::unfit_password(asking, account, password) {
        Some(refusal) => tell(chat, asking, way, News::Refused(refusal.about(account))),
        None => {
            let job = Job::Hash { password: password.into() };
            work(asking, Then::Password(way, Arc::clone(account)), job);
        }
    }
}

/// Ends an account. Whether the asker may is the caller's to know.
pub fn drop_account(asking: &mut Asking<'_>, way: Way, account: &Arc<str>) {
    let event = Event::AccountDropped { account: Arc::clone(account) };
    store(asking, Then::Dropped(way, Arc::clone(account)), event);
}

/// Whether a nickname belongs to an account that the asking session is not logged in to.
pub(crate) fn belongs_to_another(chat: &Chat, asking: &Asking<'_>, nick: &str) -> bool {
    let owner = guests::owner(chat, asking.settings, nick);
    owner.is_some_and(|owner| account_of(chat, asking).as_ref() != Some(&owner.name))
}

/// RPL_LOGGEDIN.
pub(crate) fn logged_in_line(mask: &str, account: &Arc<str>) -> Line {
    let text = format!("You are now logged in as {account}");
    Line::numeric(Numeric::RPL_LOGGEDIN, [mask.to_owned().into(), account.into(), text.into()])
}

/// `nick!user@host` of a session that has not come in, as far as it is known.
fn greeting_mask(asking: &Asking<'_>) -> String {
    let (nick, user) = match &asking.session.phase {
        Phase::Greeting(greeting) => (greeting.nick.as_deref(), greeting.user.as_deref()),
        _ => (None, None),
    };
    format!("{}!{}@{}", nick.unwrap_or("*"), user.unwrap_or("*"), asking.session.host)
}
