//! Who comes in, and how they prove it.

use std::fmt;

use zeroize::Zeroizing;

/// A text that is wiped when it is dropped and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps a secret.
    pub fn new(secret: impl Into<String>) -> Secret {
        Secret(Zeroizing::new(secret.into()))
    }

    /// The secret itself, for the wire.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// How somebody proves whose account they use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// By the account's name and password (SASL PLAIN).
    Password {
        /// The account.
        account: String,
        /// Its password.
        password: Secret,
    },
    /// By the certificate that was shown when the link was opened (SASL EXTERNAL).
    External,
}

/// Who comes in, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The nickname wished for.
    pub nick: String,
    /// The user name (the middle of `nick!user@host`).
    pub user: String,
    /// The real name.
    pub real_name: String,
    /// How the account is proved, if there is one.
    pub login: Option<Login>,
    /// The server's own password (`PASS`), where it has one.
    pub server_password: Option<Secret>,
    /// Rooms to enter, `#name` or `#name key`.
    pub rooms: Vec<String>,
    /// The server, as people are shown it.
    pub host: String,
    /// Nobody can read on the way (TLS, or this machine): passwords may be sent.
    pub trusted_link: bool,
    /// Another nickname is taken where the wished one is not free: `ann_`, `ann__`, then with figures. Otherwise the
    /// person is asked. After a cut others are taken in any case, and the own one again as soon as it is free.
    pub alternates: bool,
    /// Who is in the rooms is wanted. Programs that only read and write do without.
    pub members: bool,
    /// Conversations with people are wanted: those of the last days are opened on coming in.
    pub conversations: bool,
    /// The code of an invitation, given as soon as the server has let me in; the client takes it out of here.
    pub invitation: Option<Secret>,
}

impl Profile {
    /// A guest of this nickname on a server.
    pub fn new(nick: &str, host: &str) -> Profile {
        Profile {
            nick: nick.into(),
            user: nick.into(),
            real_name: nick.into(),
            login: None,
            server_password: None,
            rooms: Vec::new(),
            host: host.into(),
            trusted_link: true,
            alternates: false,
            members: true,
            conversations: true,
            invitation: None,
        }
    }
}
