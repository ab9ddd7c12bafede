//! Work that is not done on the chat's thread, because it takes long or needs what the chat has not: hashing of
//! passwords, secrets drawn at random. What is to be done goes out as data, and the outcome comes back as data.
//!
//! A session has at most one job under way, and everything else that it asks waits for the outcome.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::chat::Verifiers;

/// A text that nobody is shown, and that is wiped from memory with its last copy.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Secret(Zeroizing::new(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    /// Make what a new password is checked against, and draw a code.
    Hash {
        /// The password.
        password: Secret,
    },
    /// Check a password. Without verifiers it takes as long, and fails.
    Check {
        /// The password.
        password: Secret,
        /// What it is checked against.
        verifiers: Option<Arc<Verifiers>>,
    },
    /// Begin SCRAM: draw a nonce. Without verifiers the salt is one that is always the same for the name.
    Challenge {
        /// The name that is to be proved.
        name: Arc<str>,
        /// Where salt and iterations come from.
        verifiers: Option<Arc<Verifiers>>,
    },
    /// Draw a code.
    Code,
    /// Draw a code of words, for people to tell each other: 40 bits.
    Words,
    /// Draw a token: 256 bits.
    Token,
    /// Finish SCRAM: check the client's proof.
    Proof {
        /// What it is checked against.
        verifiers: Option<Arc<Verifiers>>,
        /// What both sides sign (`AuthMessage`).
        signed: Box<str>,
        /// The client's proof.
        proof: Box<[u8]>,
    },
}

/// What came of it.
#[derive(Clone, PartialEq)]
pub enum Outcome {
    /// Of [`Job::Hash`].
    Hashed {
        /// What the password is checked against from now on.
        verifiers: Arc<Verifiers>,
        /// A code that nobody can guess.
        code: Arc<str>,
    },
    /// Of [`Job::Check`]: whether the password is right.
    Checked(bool),
    /// Of [`Job::Challenge`].
    Challenge {
        /// The server's part of the nonce.
        nonce: Box<str>,
        /// The salt, in base64.
        salt: Box<str>,
        /// The iterations.
        iterations: u32,
    },
    /// Of [`Job::Code`], [`Job::Words`] and [`Job::Token`]: what nobody can guess.
    Code(Secret),
    /// Of [`Job::Proof`]: the server's own signature in base64, if the proof is right.
    Proven(Option<Box<str>>),
    /// There is too much to do already: nothing was done.
    Busy,
}

/// Shows which it is, and no code.
impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Hashed { .. } => "Hashed(…)",
            Outcome::Checked(true) => "Checked(true)",
            Outcome::Checked(false) => "Checked(false)",
            Outcome::Challenge { .. } => "Challenge(…)",
            Outcome::Code(_) => "Code(…)",
            Outcome::Proven(Some(_)) => "Proven(…)",
            Outcome::Proven(None) => "Proven(None)",
            Outcome::Busy => "Busy",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_shown() {
        let job = Job::Hash { password: "sesame".into() };
        assert_eq!(format!("{job:?}"), "Hash { password: Secret(…) }");
        let verifiers = Arc::new(Verifiers { argon2: "sesame".into(), scram: "sesame".into() });
        let hashed = Outcome::Hashed { verifiers, code: "sesame".into() };
        assert!(!format!("{hashed:?}").contains("sesame"));
    }
}
