//! `[accounts]`: names that stay somebody's.

use chinwag_core::chat::UserModes;
use chinwag_core::settings::{AccountRules, AlwaysOn, Mechanism, Registration};
use chinwag_proof::Cost;
use chinwag_wire::names::Nick;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Bytes of a guest's nickname: it fits the least `limits.nick_length`.
const GUEST_BYTES_MAX: usize = 16;

/// `[accounts]`: names that stay somebody's.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountsConfig {
    /// Whether there are accounts.
    pub enabled: bool,
    /// Who makes them.
    pub registration: Who,
    /// Whether REGISTER may come before the connection's registration is complete.
    pub register_before_connect: bool,
    /// Whether an address is needed, and a code has to come back from it.
    pub require_email: bool,
    /// SASL mechanisms.
    #[serde(deserialize_with = "mechanisms")]
    pub sasl_mechanisms: Vec<Mechanism>,
    /// What is done about others on an account's nickname.
    pub nick_ownership: Ownership,
    /// What guests are called whose nickname has become somebody's.
    #[serde(deserialize_with = "guest_nickname")]
    pub guest_nickname: String,
    /// Seconds that such a guest has to log in, or to take another nickname.
    pub guest_seconds: u32,
    /// Several sessions on one nickname.
    pub multiclient: bool,
    /// Who is present without a session.
    pub always_on: Stay,
    /// Passwords may cross a network that others can listen to.
    pub cleartext_passwords: bool,
    /// What hashing a password costs.
    pub hash_cost: HashCost,
    /// The user modes of whoever comes in.
    #[serde(deserialize_with = "user_modes")]
    pub default_user_modes: String,
}

/// `[services]`: the nicknames that people of IRC expect.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServicesConfig {
    /// NickServ, for accounts.
    pub nickserv: bool,
    /// ChanServ, for rooms.
    pub chanserv: bool,
}

impl Default for ServicesConfig {
    fn default() -> Self {
        ServicesConfig { nickserv: true, chanserv: true }
    }
}

/// `[channels]`: rooms.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelsConfig {
    /// Whether a room can be made an account's.
    pub registration: bool,
}

impl Default for ChannelsConfig {
    fn default() -> Self {
        ChannelsConfig { registration: true }
    }
}

/// Who makes accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// Everybody.
    #[default]
    Open,
    /// Who has an invitation, and operators for others.
    Invite,
    /// Nobody but the command line.
    Closed,
}

/// What is done about others on an account's nickname.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ownership {
    /// They are refused.
    #[default]
    Strict,
    /// Nothing, unless the owner wants it.
    Optional,
}

/// Who is present without a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stay {
    /// Who wants it.
    #[default]
    OptIn,
    /// Who does not want it otherwise.
    OptOut,
    /// Nobody.
    Off,
}

/// What hashing a password costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HashCost {
    /// As much as people can wait for.
    #[default]
    Default,
    /// Next to nothing.
    Test,
}

impl Default for AccountsConfig {
    fn default() -> Self {
        AccountsConfig {
            enabled: true,
            registration: Who::Open,
            register_before_connect: true,
            require_email: false,
            sasl_mechanisms: Mechanism::ALL.to_vec(),
            nick_ownership: Ownership::Strict,
            guest_nickname: "Guest*".to_owned(),
            guest_seconds: 60,
            multiclient: true,
            always_on: Stay::OptIn,
            cleartext_passwords: false,
            hash_cost: HashCost::Default,
            default_user_modes: String::new(),
        }
    }
}

impl AccountsConfig {
    /// What the chat needs of it.
    pub(super) fn rules(
        &self,
        services: &ServicesConfig,
        channels: &ChannelsConfig,
        limit_logins: bool,
        password_bytes_max: usize,
    ) -> AccountRules {
        AccountRules {
            limit_logins,
            nickserv: services.nickserv,
            chanserv: services.chanserv,
            rooms: channels.registration,
            enabled: self.enabled,
            registration: match self.registration {
                Who::Open => Registration::Open,
                Who::Invite => Registration::Invite,
                Who::Closed => Registration::Closed,
            },
            before_connect: self.register_before_connect,
            require_email: self.require_email,
            mechanisms: self.sasl_mechanisms.clone(),
            strict_nicknames: self.nick_ownership == Ownership::Strict,
            guest_nickname: self.guest_nickname.as_str().into(),
            guest_seconds: self.guest_seconds,
            multiclient: self.multiclient,
            always_on: match self.always_on {
                Stay::OptIn => AlwaysOn::OptIn,
                Stay::OptOut => AlwaysOn::OptOut,
                Stay::Off => AlwaysOn::Off,
            },
            cleartext_passwords: self.cleartext_passwords,
            password_bytes_max,
        }
    }

    /// What hashing costs.
    pub fn cost(&self) -> Cost {
        match self.hash_cost {
            HashCost::Default => Cost::DEFAULT,
            HashCost::Test => Cost::TEST,
        }
    }
}

fn mechanisms<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Mechanism>, D::Error> {
    let names = Vec::<String>::deserialize(from)?;
    let known = |name: &String| {
        let wrong = || {
            D::Error::custom(format!(
                "there is no mechanism {name:?}; there are PLAIN, SCRAM-SHA-256 and EXTERNAL"
            ))
        };
        Mechanism::from_name(name).ok_or_else(wrong)
    };
    names.iter().map(known).collect()
}

impl AccountsConfig {
    /// The user modes of whoever comes in.
    pub fn user_modes(&self) -> UserModes {
        let mut modes = UserModes::default();
        for letter in self.default_user_modes.chars().filter(|letter| *letter != '+') {
            modes.change(true, letter);
        }
        modes
    }
}

fn user_modes<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let fits = |letter: char| letter != 'o' && UserModes::default().change(true, letter);
    if text.trim_start_matches('+').chars().all(fits) {
        return Ok(text);
    }
    Err(D::Error::custom("default_user_modes is a + and letters of user modes, such as \"+i\""))
}

fn guest_nickname<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let named = text.replacen('*', "1000", 1);
    if text.matches('*').count() == 1 && Nick::parse(&named, GUEST_BYTES_MAX).is_ok() {
        return Ok(text);
    }
    Err(D::Error::custom(
        "guest_nickname is a nickname with one * in it, which becomes a number, such as \"Guest*\"",
    ))
}
