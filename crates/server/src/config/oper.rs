//! `[[oper]]`: who may run the server by commands.

use std::fmt;
use std::sync::Arc;

use chinwag_core::chat::Verifiers;
use chinwag_core::privileges::{Oper, Privilege, Privileges};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// `[[oper]]`: somebody who may run the server by commands.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperConfig {
    /// The name given with OPER.
    #[serde(deserialize_with = "word")]
    pub name: String,
    /// What the password is checked against.
    #[serde(deserialize_with = "hash")]
    pub password: String,
    /// What others are told.
    #[serde(default = "title")]
    pub title: String,
    /// What the operator may do.
    #[serde(default = "Privileges::all", deserialize_with = "privileges")]
    pub privileges: Privileges,
}

/// Shows nothing of the password's hash.
impl fmt::Debug for OperConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OperConfig { name, title, privileges, .. } = self;
        write!(f, "OperConfig({name:?}, {title:?}, {privileges:?})")
    }
}

impl OperConfig {
    /// The same, as the chat is told.
    pub fn oper(&self) -> Oper {
        let verifiers = Verifiers { argon2: self.password.as_str().into(), scram: "".into() };
        Oper {
            name: self.name.as_str().into(),
            verifiers: Arc::new(verifiers),
            title: self.title.as_str().into(),
            privileges: self.privileges,
        }
    }
}

fn title() -> String {
    "is a server operator".to_owned()
}

fn word<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    let fits =
        !name.is_empty() && name.len() <= 64 && !name.contains(|c: char| c.is_whitespace() || c.is_control());
    if fits {
        Ok(name)
    } else {
        Err(D::Error::custom("the name of an operator is one word of at most 64 bytes"))
    }
}

fn hash<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if text.starts_with("$argon2id$") && text.split('$').count() == 6 {
        return Ok(text);
    }
    let what = "the password of an operator is its argon2id hash, $argon2id$…, and never the password itself";
    Err(D::Error::custom(what))
}

fn privileges<'de, D: Deserializer<'de>>(from: D) -> Result<Privileges, D::Error> {
    let names = Vec::<String>::deserialize(from)?;
    let known = |name: &String| {
        Privilege::from_name(name).ok_or_else(|| {
            let all: Vec<&str> = Privilege::ALL.iter().map(|privilege| privilege.name()).collect();
            D::Error::custom(format!("{name:?} is no privilege; there are {}", all.join(", ")))
        })
    };
    names.iter().map(known).collect()
}
