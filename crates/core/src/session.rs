//! A session: one connection of a user, as far as the chat is concerned. Bytes and sockets are the node's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use chinwag_wire::caps::CapSet;
use chinwag_wire::names::Folded;

use crate::accounts::Then;
use crate::commands::authenticate::Exchange;
use crate::commands::erase::Erasing;
use crate::commands::purge::Preview;
use crate::ids::{SessionKey, UserId};
use crate::keys::SshKey;
use crate::metadata::Metadata;
use crate::multiline::ClientBatch;
use crate::pointed::Looked;
use crate::work::Secret;

/// Which door a session came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Door {
    /// Lines and nothing else.
    Plain,
    /// IRC.
    Irc,
}

impl Door {
    /// Its name in help, WHOIS and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Door::Plain => "plain",
            Door::Irc => "irc",
        }
    }
}

/// What is known of a session before it is a user's.
#[derive(Clone, Default)]
pub struct Greeting {
    /// NICK, as far as it was acceptable.
    pub nick: Option<Arc<str>>,
    /// The nickname that NICK asked for last, whether it may be had or not.
    pub wanted: Option<Arc<str>>,
    /// The nickname that it could not have without the proof of its account.
    pub refused: Option<Arc<str>>,
    /// USER's first parameter.
    pub user: Option<Arc<str>>,
    /// USER's last parameter.
    pub realname: Option<Arc<str>>,
    /// PASS.
    pub password: Option<Secret>,
    /// AWAY (`draft/pre-away`).
    pub away: Option<Arc<str>>,
    /// METADATA (`draft/metadata-2`, `before-connect`).
    pub metadata: Metadata,
    /// CAP LS or REQ was sent and CAP END not yet: registration waits.
    pub negotiating: bool,
}

/// Shows no password.
impl fmt::Debug for Greeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Greeting").field("nick", &self.nick).field("user", &self.user).finish_non_exhaustive()
    }
}

/// Where a session is on its way.
#[derive(Clone, Debug)]
pub enum Phase {
    /// Not registered yet.
    Greeting(Box<Greeting>),
    /// `Arrived` was proposed and has not been applied.
    Entering(Box<Greeting>),
    /// A user's.
    Live(UserId),
    /// Being closed; nothing it sends counts any more.
    Closing,
}

/// What a session proves, and what it is in the middle of with an account.
#[derive(Clone, Debug, Default)]
struct Proving {
    /// An exchange of AUTHENTICATE that has begun.
    exchange: Option<Exchange>,
    /// What it waits for.
    then: Option<Then>,
    /// The SSH key that it showed at the ssh door.
    key: Option<Arc<SshKey>>,
    /// It has proved that the key is its own, and may make an account of its nickname with it.
    claims: bool,
    /// The code of an invitation, for the next account that it makes.
    invitation: Option<Secret>,
}

impl Proving {
    /// Nothing is to be remembered.
    fn is_over(&self) -> bool {
        self.exchange.is_none() && self.then.is_none() && self.key.is_none() && self.invitation.is_none()
    }
}

/// One connection of a user.
#[derive(Clone, Debug)]
pub struct Session {
    /// How events name it.
    pub key: SessionKey,
    /// Its door.
    pub door: Door,
    /// Where it is on its way.
    pub phase: Phase,
    /// Capabilities negotiated. A plain session has those that its door renders.
    pub caps: CapSet,
    /// The version given with CAP LS; 302 and above get values and cap-notify.
    pub cap_version: u16,
    /// The batch that it has opened and not closed.
    pub batch: Option<Box<ClientBatch>>,
    /// Its host as shown to others.
    pub host: Arc<str>,
    /// The address that it came from, as a word of an IRC line.
    pub address: Arc<str>,
    /// Whether what passes between client and server can be read on the way (WHOIS, RPL_WHOISSECURE).
    pub secure: bool,
    /// Where TLS is spoken: the host that the client looked for (SNI), empty where it named none.
    pub tls_host: Option<Arc<str>>,
    /// The SHA-256 fingerprint of the certificate that it showed, in lower-case hexadecimal.
    pub certificate: Option<Arc<str>>,
    /// The account it is logged in to before it is a user's; afterwards the user's account counts.
    pub account: Option<Arc<str>>,
    /// Wrong passwords given with OPER, one after the other.
    pub wrong_passwords: u8,
    /// The nicknames that MONITOR watches for it, as they were asked for.
    pub monitored: BTreeMap<Folded, Arc<str>>,
    /// Shows the numbers of messages (`NUMBERS on`).
    pub numbers: bool,
    /// The purge that it has looked at and may carry out.
    pub preview: Option<Box<Preview>>,
    /// What `ERASE` has shown and may carry out.
    pub erasing: Option<Box<Erasing>>,
    /// What the archive said of what its request is about, until that is decided.
    pub looked: Option<Box<Looked>>,
    /// What it is in the middle of with an account; none for nearly all.
    proving: Option<Box<Proving>>,
    /// Logins that failed.
    pub failures: u8,
    /// The keys of metadata that it wants to be told of.
    pub subscribed: BTreeSet<Arc<str>>,
    /// Accounts that it has made.
    pub registered: u8,
}

impl Session {
    /// A new session, not registered.
    pub fn new(key: SessionKey, door: Door, host: Arc<str>, secure: bool) -> Self {
        Session {
            key,
            door,
            phase: Phase::Greeting(Box::default()),
            caps: CapSet::default(),
            cap_version: 0,
            batch: None,
            address: Arc::clone(&host),
            host,
            secure,
            tls_host: None,
            certificate: None,
            account: None,
            wrong_passwords: 0,
            monitored: BTreeMap::new(),
            numbers: false,
            preview: None,
            erasing: None,
            looked: None,
            proving: None,
            failures: 0,
            subscribed: BTreeSet::new(),
            registered: 0,
        }
    }

    /// Remembers an exchange of AUTHENTICATE that has begun.
    pub(crate) fn set_exchange(&mut self, exchange: Exchange) {
        self.proving.get_or_insert_default().exchange = Some(exchange);
    }

    /// The exchange that has begun; it is forgotten here.
    pub(crate) fn take_exchange(&mut self) -> Option<Exchange> {
        let proving = self.proving.as_mut()?;
        let exchange = proving.exchange.take();
        self.proving.take_if(|proving| proving.is_over());
        exchange
    }

    /// Remembers what becomes of what it waits for.
    pub(crate) fn set_then(&mut self, then: Then) {
        self.proving.get_or_insert_default().then = Some(then);
    }

    /// What becomes of what it waited for; it is forgotten here.
    pub(crate) fn take_then(&mut self) -> Option<Then> {
        let proving = self.proving.as_mut()?;
        let then = proving.then.take();
        self.proving.take_if(|proving| proving.is_over());
        then
    }

    /// It showed a key at the ssh door. With `claims` it has proved that the key is its own, and may make an account
    /// of its nickname with it.
    pub fn shows_key(&mut self, key: Arc<SshKey>, claims: bool) {
        let proving = self.proving.get_or_insert_default();
        (proving.key, proving.claims) = (Some(key), claims);
    }

    /// The key that it showed at the ssh door.
    pub fn ssh_key(&self) -> Option<&Arc<SshKey>> {
        self.proving.as_ref()?.key.as_ref()
    }

    /// The key with which it may make an account of its nickname. It may once.
    pub(crate) fn take_claim(&mut self) -> Option<Arc<SshKey>> {
        let proving = self.proving.as_mut()?;
        let claims = std::mem::take(&mut proving.claims);
        proving.key.clone().filter(|_| claims)
    }

    /// Notes the code of an invitation for the next account that it makes.
    pub(crate) fn set_invitation(&mut self, code: Option<Secret>) {
        self.proving.get_or_insert_default().invitation = code;
        self.proving.take_if(|proving| proving.is_over());
    }

    /// The code of the invitation; it is forgotten here.
    pub(crate) fn take_invitation(&mut self) -> Option<Secret> {
        let invitation = self.proving.as_mut()?.invitation.take();
        self.proving.take_if(|proving| proving.is_over());
        invitation
    }

    /// The user it belongs to, once registered.
    pub fn user(&self) -> Option<UserId> {
        match self.phase {
            Phase::Live(user) => Some(user),
            _ => None,
        }
    }
}
