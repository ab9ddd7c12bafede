//! Accounts: names that stay somebody's, with what proves it. Stored; who is logged in is with the users.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chinwag_wire::casemap::{CaseMapping, likeness, look_alike};
use chinwag_wire::names::Folded;
use serde::{Deserialize, Serialize};

use super::marks::Marks;
use crate::event::{AccountChange, AccountRegistered, Presence, Setting};
use crate::ids::Millis;
use crate::keys::{KEYS_MAX, SshKey};
use crate::metadata::Metadata;
use crate::tokens::{TOKENS_MAX, Token};

/// What a password is checked against. Made where passwords are hashed; the chat only keeps it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Verifiers {
    /// The argon2id hash as a PHC string (`$argon2id$v=19$…`).
    #[serde(rename = "a")]
    pub argon2: Box<str>,
    /// What SCRAM-SHA-256 needs, as RFC 5803 writes it: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`.
    #[serde(rename = "s")]
    pub scram: Box<str>,
}

/// Shows nothing of them: verifiers are secrets too.
impl fmt::Debug for Verifiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifiers(…)")
    }
}

/// What is done about somebody else on a nickname that belongs to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enforce {
    /// Nothing.
    None,
    /// Nobody else takes it.
    Strict,
}

/// What an account's owner has chosen. `None` is whatever the server is configured to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AccountSettings {
    /// Present without a session.
    pub always_on: Option<bool>,
    /// Several sessions on one nickname.
    pub multiclient: Option<bool>,
    /// Whether others may take the nickname.
    pub enforce: Option<Enforce>,
    /// How many missed lines of a room are shown on entering it.
    pub autoreplay: Option<u32>,
}

/// An SSH key that proves an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccountKey {
    /// The key.
    pub key: Arc<SshKey>,
    /// Under which nickname it was added.
    pub by: Arc<str>,
    /// When.
    pub at_ms: Millis,
}

/// A name that stays somebody's.
#[derive(Clone)]
pub struct Account {
    /// The name, as it was registered.
    pub name: Arc<str>,
    /// When it was registered.
    pub created_ms: Millis,
    /// What a password is checked against; none when only certificates prove it.
    pub verifiers: Option<Arc<Verifiers>>,
    /// SHA-256 fingerprints of certificates that prove it, in lower-case hexadecimal, in the order of adding.
    pub certificates: Vec<Arc<str>>,
    /// SSH keys that prove it, in the order of adding. A key may prove several accounts: whoever uses it says which.
    pub keys: Vec<AccountKey>,
    /// Where mail for its owner goes, if that is known.
    pub email: Option<Arc<str>>,
    /// The code that has to come back (`VERIFY`) before anybody can log in; none once it did.
    pub code: Option<Arc<str>>,
    /// When its owner's last session ended; none when none ever did, or the server failed before it could be kept.
    pub seen_ms: Option<Millis>,
    /// Whether it owns the server: whoever is logged in to it may do what server operators may.
    pub owner: bool,
    /// What its owner has chosen.
    pub settings: AccountSettings,
    /// What its owner has read.
    pub marks: Marks,
    /// What its owner says to programs.
    pub metadata: Metadata,
    /// What programs show for its owner, in the order of making.
    pub tokens: Vec<Arc<Token>>,
    /// Where its owner is who stays without a session.
    pub presence: Option<Arc<Presence>>,
}

/// Shows no code.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Account {
    /// Whether its owner may log in: the code, if one was sent, has come back.
    pub fn verified(&self) -> bool {
        self.code.is_none()
    }

    /// Whether a key proves it.
    pub fn has_key(&self, key: &SshKey) -> bool {
        self.keys.iter().any(|known| *known.key == *key)
    }
}

/// All accounts, by folded name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts {
    mapping: CaseMapping,
    /// What each name looks like, for names that no other looks like; of several in ASCII, the first.
    by_likeness: BTreeMap<Box<str>, Folded>,
    by_name: BTreeMap<Folded, Account>,
    /// Whose a token is, by its hash.
    by_token: BTreeMap<Arc<str>, Folded>,
    /// Whose a certificate is. One proves one account only.
    by_certificate: BTreeMap<Arc<str>, Folded>,
}

impl Accounts {
    /// See [`Chat::with_mapping`](super::Chat::with_mapping).
    pub(crate) fn compare_by(&mut self, mapping: CaseMapping) {
        debug_assert!(self.by_name.is_empty(), "what is known was compared otherwise");
        self.mapping = mapping;
    }

    /// An account whose name people might take for this one.
    pub(crate) fn lookalike(&self, name: &str) -> Option<&Account> {
        let account = self.by_likeness.get(&*likeness(name)).and_then(|name| self.by_name.get(name))?;
        look_alike(&account.name, name).then_some(account)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Account> {
        self.by_name.get(&*self.mapping.folded(name))
    }

    /// The metadata of an account.
    pub(crate) fn metadata_mut(&mut self, name: &str) -> Option<&mut Metadata> {
        self.by_name.get_mut(&*self.mapping.folded(name)).map(|account| &mut account.metadata)
    }

    /// The marks of an account.
    pub(crate) fn marks_mut(&mut self, name: &str) -> Option<&mut Marks> {
        self.by_name.get_mut(&*self.mapping.folded(name)).map(|account| &mut account.marks)
    }

    pub(crate) fn by_certificate(&self, fingerprint: &str) -> Option<&Account> {
        self.by_certificate.get(fingerprint).and_then(|name| self.by_name.get(name))
    }

    /// The account that a token is of, and the token.
    pub(crate) fn by_token(&self, hash: &str) -> Option<(&Account, &Arc<Token>)> {
        let account = self.by_token.get(hash).and_then(|name| self.by_name.get(name))?;
        let token = account.tokens.iter().find(|token| *token.hash == *hash)?;
        Some((account, token))
    }

    /// In the order of their folded names.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Account> {
        self.by_name.values()
    }

    /// Whether [`Accounts::register`] will do it.
    pub(crate) fn would_register(&self, new: &AccountRegistered) -> bool {
        match self.by_name.get(&*self.mapping.folded(&new.account)) {
            Some(account) => !account.verified() && new.replaces,
            None => self.lookalike(&new.account).is_none(),
        }
    }

    /// False, and nothing done, when the name is taken. A certificate that proves another account is left out.
    pub(crate) fn register(&mut self, at_ms: Millis, new: &AccountRegistered) -> bool {
        if !self.would_register(new) {
            return false;
        }
        let folded = self.mapping.fold(&new.account);
        // One that it takes the place of, if there is one.
        drop(self.drop(&new.account));
        let certificates = new.certificate.iter().filter(|print| !self.by_certificate.contains_key(*print));
        let account = Account {
            name: Arc::clone(&new.account),
            created_ms: at_ms,
            verifiers: new.verifiers.clone(),
            certificates: certificates.cloned().collect(),
            keys: Vec::from_iter(new.key.iter().map(|key| {
                let (key, by) = (Arc::clone(key), Arc::clone(&new.account));
                AccountKey { key, by, at_ms }
            })),
            email: new.email.clone(),
            code: new.code.clone(),
            seen_ms: None,
            owner: false,
            settings: AccountSettings::default(),
            marks: Marks::default(),
            metadata: Metadata::default(),
            tokens: Vec::new(),
            presence: None,
        };
        for print in &account.certificates {
            self.by_certificate.insert(Arc::clone(print), folded.clone());
        }
        self.by_likeness.entry(likeness(&new.account).into()).or_insert_with(|| folded.clone());
        self.by_name.insert(folded, account);
        true
    }

    /// Notes where somebody is who stays.
    pub(crate) fn stays(&mut self, name: &str, presence: Option<Arc<Presence>>) {
        if let Some(account) = self.by_name.get_mut(&self.mapping.fold(name)) {
            account.presence = presence;
        }
    }

    /// Those that own the server.
    pub(crate) fn owners(&self) -> impl Iterator<Item = &Account> {
        self.by_name.values().filter(|account| account.owner)
    }

    /// False, and nothing done, when there is no such account, a certificate proves another one, or a key proves it
    /// already (or does not).
    pub(crate) fn change(&mut self, at_ms: Millis, name: &str, change: &AccountChange) -> bool {
        let folded = self.mapping.fold(name);
        let owned = matches!(change, AccountChange::Owner { .. }) && self.owners().next().is_some();
        let Some(account) = self.by_name.get_mut(&folded) else { return false };
        match change {
            AccountChange::Password(verifiers) => account.verifiers = verifiers.clone(),
            AccountChange::CertificateAdded(print) => {
                if self.by_certificate.contains_key(print) {
                    return false;
                }
                self.by_certificate.insert(Arc::clone(print), folded);
                account.certificates.push(Arc::clone(print));
            }
            AccountChange::CertificateRemoved(print) => {
                let Some(at) = account.certificates.iter().position(|known| known == print) else {
                    return false;
                };
                account.certificates.remove(at);
                self.by_certificate.remove(print);
            }
            AccountChange::KeyAdded { key, by } => {
                if account.has_key(key) || account.keys.len() >= KEYS_MAX {
                    return false;
                }
                account.keys.push(AccountKey { key: Arc::clone(key), by: Arc::clone(by), at_ms });
            }
            AccountChange::KeyRemoved(print) => {
                let before = account.keys.len();
                account.keys.retain(|known| known.key.fingerprint() != &**print);
                return account.keys.len() < before;
            }
            AccountChange::TokenMade(token) => {
                let known = account.tokens.iter().any(|known| known.name == token.name);
                if known || account.tokens.len() >= TOKENS_MAX || self.by_token.contains_key(&token.hash) {
                    return false;
                }
                self.by_token.insert(Arc::clone(&token.hash), folded);
                account.tokens.push(Arc::clone(token));
            }
            AccountChange::TokenRevoked(hash) => {
                let before = account.tokens.len();
                account.tokens.retain(|token| token.hash != *hash);
                if account.tokens.len() == before {
                    return false;
                }
                self.by_token.remove(hash);
            }
            AccountChange::Email(email) => account.email = email.clone(),
            AccountChange::Setting(setting) => account.settings.set(*setting),
            AccountChange::Seen { at_ms } => account.seen_ms = Some(*at_ms),
            AccountChange::Verified => account.code = None,
            AccountChange::Owner { by } => {
                if account.owner || (by.is_none() && owned) {
                    return false;
                }
                account.owner = true;
            }
            AccountChange::OwnerNoMore { .. } => {
                return std::mem::take(&mut account.owner);
            }
        }
        true
    }

    /// The account that there was.
    pub(crate) fn drop(&mut self, name: &str) -> Option<Account> {
        let folded = self.mapping.fold(name);
        let account = self.by_name.remove(&folded)?;
        let likeness = likeness(name);
        if self.by_likeness.get(&*likeness) == Some(&folded) {
            self.by_likeness.remove(&*likeness);
        }
        for print in &account.certificates {
            self.by_certificate.remove(print);
        }
        for token in &account.tokens {
            self.by_token.remove(&token.hash);
        }
        Some(account)
    }
}

impl AccountSettings {
    fn set(&mut self, setting: Setting) {
        match setting {
            Setting::AlwaysOn(on) => self.always_on = on,
            Setting::Multiclient(on) => self.multiclient = on,
            Setting::Enforce(how) => self.enforce = how,
            Setting::Autoreplay(lines) => self.autoreplay = lines,
        }
    }
}
