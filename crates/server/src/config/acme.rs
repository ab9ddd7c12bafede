//! `[acme]`: a certificate that browsers and clients believe, ordered and renewed by the server itself.

use std::path::PathBuf;

use serde::Deserialize;

/// Let's Encrypt's directory, as it publishes it.
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// How the authority sees that the names lead here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Challenge {
    /// Whatever a listener's port allows; where none tells, each in turn.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// By HTTP on port 80.
    #[serde(rename = "http-01")]
    Http,
    /// By TLS on port 443.
    #[serde(rename = "tls-alpn-01")]
    Tls,
}

/// `[acme]`: the names that the certificate is for, and who issues it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AcmeConfig {
    /// The names; none for no ACME.
    pub domains: Vec<String>,
    /// Whether the authority's terms of service are agreed to.
    pub terms_agreed: bool,
    /// A mail address where the authority may reach somebody.
    pub contact: Option<String>,
    /// The authority's directory.
    pub directory_url: String,
    /// How the authority looks.
    pub challenge: Challenge,
    /// A PEM file with the certificate that vouches for the directory's own; without one the system's are believed.
    pub ca_file: Option<PathBuf>,
}

impl Default for AcmeConfig {
    fn default() -> Self {
        AcmeConfig {
            domains: Vec::new(),
            terms_agreed: false,
            contact: None,
            directory_url: LETS_ENCRYPT.to_owned(),
            challenge: Challenge::default(),
            ca_file: None,
        }
    }
}

impl AcmeConfig {
    /// Whether certificates are ordered.
    pub fn enabled(&self) -> bool {
        !self.domains.is_empty()
    }

    /// What types cannot say. The error is section, key and sentence.
    pub(super) fn check(&self) -> Result<(), (&'static str, &'static str, String)> {
        let wrong = |key, what: &str| Err(("acme", key, what.to_owned()));
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|sign| sign.is_ascii_alphanumeric() || sign == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if let Some(odd) = self.domains.iter().find(|name| name.len() > 253 || !name.split('.').all(label)) {
            let what = format!("domains has {odd:?}, which is no name of a host such as chat.example.org");
            return Err(("acme", "domains", what));
        }
        if self.domains.len() > 20 {
            return wrong("domains", "domains has more than 20 names: one certificate is for few");
        }
        if self.enabled() && !self.terms_agreed {
            return wrong(
                "domains",
                "domains needs terms_agreed = true, which says that you have read the terms of service of the \
                 certificate authority and agree to them",
            );
        }
        if !self.directory_url.starts_with("https://") {
            return wrong("directory_url", "directory_url has to begin with https://");
        }
        match self.contact.as_deref() {
            Some(contact) if !contact.contains('@') || contact.contains([' ', ',', '?']) => {
                wrong("contact", "contact is a mail address, such as \"ann@example.org\"")
            }
            _ => Ok(()),
        }
    }
}
