//! What happens to accounts.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Who;
use crate::chat::{Enforce, Verifiers};
use crate::ids::Millis;
use crate::keys::SshKey;
use crate::tokens::Token;

/// An account that is registered.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountRegistered {
    /// Its name, as its owner typed it.
    pub account: Arc<str>,
    /// What its password is checked against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifiers: Option<Arc<Verifiers>>,
    /// The SHA-256 fingerprint of a certificate that proves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Arc<str>>,
    /// An SSH key that proves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Arc<SshKey>>,
    /// Where mail for its owner goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Arc<str>>,
    /// The code that has to come back before anybody logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Arc<str>>,
    /// It takes the place of an account of that name whose code never came back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaces: bool,
    /// The hash of the code of the invitation that is used for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<Arc<str>>,
}

/// An invitation is made: with its code accounts may be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invited {
    /// The SHA-256 of the code, in lower-case hexadecimal.
    pub hash: Arc<str>,
    /// Who made it.
    pub by: Arc<Who>,
    /// How many accounts may be made with it.
    pub uses: u32,
    /// Until when.
    pub until_ms: Millis,
}

/// Shows no code.
impl fmt::Debug for AccountRegistered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountRegistered").field("account", &self.account).finish_non_exhaustive()
    }
}

/// A change of an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountChange {
    /// A new password, or none any more.
    Password(Option<Arc<Verifiers>>),
    /// A certificate (its SHA-256 fingerprint) proves it from now on.
    CertificateAdded(Arc<str>),
    /// It does not any more.
    CertificateRemoved(Arc<str>),
    /// An SSH key proves it from now on.
    KeyAdded {
        /// The key.
        #[serde(flatten)]
        key: Arc<SshKey>,
        /// The nickname of whoever added it.
        by: Arc<str>,
    },
    /// The key of this fingerprint does not any more.
    KeyRemoved(Arc<str>),
    /// A token was made for programs.
    TokenMade(Arc<Token>),
    /// The token of this hash is good for nothing any more.
    TokenRevoked(Arc<str>),
    /// Where mail for its owner goes.
    Email(Option<Arc<str>>),
    /// Its owner has chosen something.
    Setting(Setting),
    /// Its owner's last session ended.
    Seen {
        /// When.
        at_ms: Millis,
    },
    /// The code came back: its owner may log in.
    Verified,
    /// It owns the server.
    Owner {
        /// Which owner made it one; none for the first, who gave the code, and then only if there is no other.
        by: Option<Arc<str>>,
    },
    /// It does not any more.
    OwnerNoMore {
        /// Which owner said so.
        by: Arc<str>,
    },
}

/// Something that an account's owner chooses; `None` is whatever the server is configured to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// Present without a session.
    AlwaysOn(Option<bool>),
    /// Several sessions on one nickname.
    Multiclient(Option<bool>),
    /// Whether others may take the nickname.
    Enforce(Option<Enforce>),
    /// How many missed lines of a room are shown on entering it.
    Autoreplay(Option<u32>),
}
