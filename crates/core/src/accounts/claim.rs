//! The ssh door: what a key is worth for a name, and the account that the first key for a free nickname makes.

use std::sync::Arc;

use chinwag_wire::names::Nick;

use super::{Then, Way, register, store};
use crate::allowance::Dear;
use crate::asking::Asking;
use crate::chat::Chat;
use crate::commands::registration::reserved;
use crate::event::{AccountRegistered, Event, Who};
use crate::ids::Millis;
use crate::keys::SshKey;
use crate::session::Phase;
use crate::settings::{Registration, Settings};

/// What somebody may do at the ssh door who asks to come in by a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The key proves this account.
    Proves(Arc<str>),
    /// The name is free, and the key makes it an account.
    Claims,
    /// The name is free, and stays so: no accounts are made here.
    Guest,
    /// The name is this account's, and something else has to prove it.
    Elsewhere {
        /// The account.
        account: Arc<str>,
        /// Whether a password would.
        password: bool,
    },
    /// Nothing helps: the sentence says what to do instead.
    Refused(String),
}

impl Chat {
    /// What a key is worth for a name. Advice: what follows is decided again when the session comes in.
    pub fn judge_key(
        &self,
        settings: &Settings,
        name: &str,
        key: Option<&SshKey>,
        now_ms: Millis,
    ) -> Verdict {
        let rules = &settings.accounts;
        if let Some(ban) = key.and_then(|key| self.key_ban(key, now_ms)) {
            return Verdict::Refused(format!("this key is banned from this server: {}", ban.reason));
        }
        let unfit = Nick::parse(name, settings.nick_length).is_err() || !self.mapping().allows(name);
        if unfit || reserved(settings, name) {
            return Verdict::Refused(
                "that name cannot be a nickname here: choose another one, ssh NICKNAME@host".to_owned(),
            );
        }
        let known = self.account(name).filter(|known| rules.enabled && !register::expired(known, now_ms));
        if let Some(account) = known {
            let proves = account.verified() && key.is_some_and(|key| account.has_key(key));
            let name = Arc::clone(&account.name);
            let password = account.verified() && account.verifiers.is_some();
            return if proves {
                Verdict::Proves(name)
            } else {
                Verdict::Elsewhere { account: name, password }
            };
        }
        if rules.enabled
            && let Some(other) = self.account_lookalike(name)
        {
            let other = &other.name;
            return Verdict::Refused(format!(
                "that name looks like {other}, which is an account: choose another one"
            ));
        }
        if self.user_by_nick(name).or_else(|| self.lookalike(name, None)).is_some() {
            return Verdict::Refused(
                "somebody here uses that nickname: choose another one, or try again later".to_owned(),
            );
        }
        if settings.password.is_some() {
            return Verdict::Refused(
                "this server has a password, and ssh lets in only those who have an account with this key: \
                 make one over IRC first (REGISTER, then NS KEY ADD)"
                    .to_owned(),
            );
        }
        match rules.enabled && rules.registration == Registration::Open {
            true => Verdict::Claims,
            false => Verdict::Guest,
        }
    }
}

/// Makes an account of the nickname with which a session wants to come in, when its key may. Whether the answer is
/// waited for.
pub(crate) fn claim(chat: &Chat, asking: &mut Asking<'_>, nick: &Arc<str>, user: &Arc<str>) -> bool {
    if asking.session.account.is_some() {
        return false;
    }
    // Once: whoever is refused comes in as a guest, or not at all.
    let Some(key) = asking.session.take_claim() else { return false };
    if chat.judge_key(asking.settings, nick, Some(&key), asking.now_ms) != Verdict::Claims {
        return false;
    }
    if !asking.allows(Dear::Accounts) {
        return false;
    }
    let host = Arc::clone(&asking.session.host);
    let who = Who { nick: Arc::clone(nick), user: Arc::clone(user), host, account: None };
    if chat.server_ban(&who, &asking.session.address, asking.now_ms).is_some() {
        // Who is not let in leaves no account behind.
        return false;
    }
    debug_assert!(matches!(asking.session.phase, Phase::Greeting(_)), "only who comes in claims a name");
    let new = Arc::new(AccountRegistered {
        account: Arc::clone(nick),
        verifiers: None,
        certificate: None,
        key: Some(key),
        email: None,
        code: None,
        replaces: chat.account(nick).is_some(),
        invitation: None,
    });
    asking.spend(Dear::Accounts);
    store(asking, Then::Registered(Way::Key, Arc::clone(&new)), Event::AccountRegistered(new));
    true
}
