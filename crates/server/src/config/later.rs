//! Sections and keys of what is not built yet. They may say that it is off, so that a configuration can be written that
//! stays as it is; whoever switches it on is told.

impl super::Config {
    /// What cannot be switched on yet. The error is section, key and sentence.
    pub(super) fn check_later(&self) -> Result<(), (&'static str, &'static str, String)> {
        let off = |section, key, what: &str, value: &str| {
            Err((section, key, format!("{what} is not built yet: leave {key} = {value}")))
        };
        if self.server.resolve_hostnames {
            return off("server", "resolve_hostnames", "looking up the names of hosts", "false");
        }
        if self.server.ident_lookup {
            return off("server", "ident_lookup", "asking hosts for the names of users", "false");
        }
        Ok(())
    }
}
