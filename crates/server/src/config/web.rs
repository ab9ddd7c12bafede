//! `[web]`: pages for browsers.

use serde::Deserialize;

/// For whom the HTTP API is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApiFor {
    /// Everybody: who shows no token reads what a guest could read who came in.
    #[default]
    Guests,
    /// Only for those who show a token.
    Tokens,
    /// Nobody: there is none.
    #[serde(rename = "off")]
    Nobody,
}

/// `[web]`: the web client, on every listener that is for any door or for browsers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebConfig {
    /// Whether browsers get pages.
    pub enabled: bool,
    /// Where people find them, when that is not simply where the server listens: `https://chat.example.org/`.
    pub public_url: Option<String>,
    /// For whom the HTTP API is.
    pub api: ApiFor,
    /// Whether people may hand in files.
    pub files: bool,
    /// Bytes of a file.
    pub file_max_bytes: u64,
    /// Which kinds are taken, by what their bytes are: `image/png`, `image/*`, `*/*`.
    pub file_types: Vec<String>,
    /// Bytes of all files of an account.
    pub file_account_bytes: u64,
    /// Bytes of all files of the guests of an address block.
    pub file_guest_bytes: u64,
    /// Bytes of all files.
    pub file_total_bytes: u64,
    /// Bytes that stay free on the disk.
    pub file_free_bytes: u64,
}

impl Default for WebConfig {
    fn default() -> Self {
        WebConfig {
            enabled: true,
            public_url: None,
            api: ApiFor::Guests,
            files: true,
            file_max_bytes: 25_000_000,
            file_types: vec!["*/*".to_owned()],
            file_account_bytes: 1_000_000_000,
            file_guest_bytes: 100_000_000,
            file_total_bytes: 10_000_000_000,
            file_free_bytes: 1_000_000_000,
        }
    }
}

impl WebConfig {
    /// Scheme and host of the public address: pages from there may connect.
    pub(crate) fn origin(&self) -> Option<String> {
        let url = self.public_url.as_deref()?;
        let (scheme, rest) = url.split_once("://")?;
        let host = rest.split('/').next().unwrap_or(rest);
        Some(format!("{scheme}://{host}"))
    }

    /// What types cannot say. The error is section, key and sentence.
    pub(super) fn check(&self) -> Result<(), (&'static str, &'static str, String)> {
        let no_type = |kind: &&String| kind.split('/').count() != 2 || kind.contains([' ', ';']);
        if let Some(kind) = self.file_types.iter().find(no_type) {
            let what = format!("file_types has {kind:?}; write a kind such as image/png, image/* or */*");
            return Err(("web", "file_types", what));
        }
        let odd = |url: &&str| {
            let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
            !rest.is_some_and(|rest| {
                let host = rest.strip_suffix('/').unwrap_or(rest);
                !host.is_empty()
                    && !host.contains(['/', ' ', '?', '#', '*', '@', '"', '\\'])
                    && host.is_ascii()
            })
        };
        match self.public_url.as_deref().filter(odd) {
            Some(url) => {
                let what = format!(
                    "public_url = {url:?} is not an address such as https://chat.example.org/ (no path)"
                );
                Err(("web", "public_url", what))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_origins() {
        for (url, origin) in [
            ("https://chat.example.org/", Some("https://chat.example.org")),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("chat.example.org", None),
            ("https://", None),
            ("https://*/", None),
            ("https://a/b", None),
            ("ftp://a/", None),
        ] {
            let web = WebConfig { public_url: Some(url.to_owned()), ..WebConfig::default() };
            assert_eq!(web.check().ok().and_then(|()| web.origin()).as_deref(), origin, "{url}");
        }
    }
}
