//! What is known of a server: its name, what it can do, and its limits.

use std::collections::BTreeMap;

use chinwag_wire::casemap::CaseMapping;
use chinwag_wire::names::Folded;

/// What is known of a server. Until it has said so, what RFC 1459 and usage have.
#[derive(Clone, Debug)]
pub struct ServerInfo {
    /// The server's own name, as it signs its lines.
    pub name: String,
    /// The network's name, or the host.
    pub network: String,
    /// Which names are the same.
    pub casemapping: CaseMapping,
    /// First characters of rooms' names.
    pub chantypes: String,
    /// Modes that give roles (`ov`), the highest first.
    pub role_modes: String,
    /// Their signs (`@+`), the highest first.
    pub role_signs: String,
    /// Signs that may be put before a room's name, to say something to some roles only.
    pub statusmsg: String,
    /// Every token of RPL_ISUPPORT and its value.
    pub isupport: BTreeMap<String, String>,
    /// The capabilities that were negotiated.
    pub caps: BTreeMap<String, String>,
    /// The capabilities that the server offers, with their values.
    pub offered: BTreeMap<String, String>,
    /// Messages of one page of history; 0 where there is none.
    pub history_max: u32,
    /// Bytes and lines of a message of several lines; none where there are no such messages.
    pub multiline: Option<(usize, usize)>,
    /// Bytes of a line, its end included.
    pub line_bytes: usize,
}

/// Messages asked for at once, where the server allows as many.
const PAGE: u32 = 100;

impl ServerInfo {
    pub(crate) fn new(host: &str) -> ServerInfo {
        ServerInfo {
            name: host.into(),
            network: host.into(),
            casemapping: CaseMapping::Ascii,
            chantypes: "#&".into(),
            role_modes: "ov".into(),
            role_signs: "@+".into(),
            statusmsg: String::new(),
            isupport: BTreeMap::new(),
            caps: BTreeMap::new(),
            offered: BTreeMap::new(),
            history_max: 0,
            // As most have it; where there is none, what was typed is divided when that is known.
            multiline: Some((4_096, 24)),
            line_bytes: chinwag_wire::limits::LINE_BYTES_MAX,
        }
    }

    /// Whether a capability was negotiated.
    pub fn has(&self, cap: &str) -> bool {
        self.caps.contains_key(cap)
    }

    /// A name as names are compared.
    pub fn fold(&self, name: &str) -> Folded {
        self.casemapping.fold(name)
    }

    /// Whether two names are the same.
    pub fn same(&self, one: &str, other: &str) -> bool {
        self.casemapping.same(one, other)
    }

    /// Whether a name is that of a room.
    pub fn is_room(&self, name: &str) -> bool {
        name.chars().next().is_some_and(|first| self.chantypes.contains(first))
    }

    /// The room that a target names, without the sign of the roles that it is for.
    pub(crate) fn bare<'a>(&self, target: &'a str) -> &'a str {
        let bare = target.trim_start_matches(|c| self.statusmsg.contains(c));
        if self.is_room(bare) { bare } else { target }
    }

    /// Whether history can be asked for.
    pub fn has_history(&self) -> bool {
        self.has("draft/chathistory") && self.has("batch")
    }

    /// Messages of a page to ask for.
    pub(crate) fn page(&self) -> u32 {
        if self.history_max == 0 { PAGE } else { self.history_max.min(PAGE) }
    }

    /// Takes a token of RPL_ISUPPORT in.
    pub(crate) fn token(&mut self, token: &str) {
        if let Some(gone) = token.strip_prefix('-') {
            self.isupport.remove(gone);
            return;
        }
        let (name, value) = token.split_once('=').unwrap_or((token, ""));
        let value = unescape(value);
        match name {
            "NETWORK" => self.network.clone_from(&value),
            "CASEMAPPING" => self.casemapping = CaseMapping::from_name(&value).unwrap_or_default(),
            "CHANTYPES" => self.chantypes.clone_from(&value),
            "STATUSMSG" => self.statusmsg.clone_from(&value),
            "PREFIX" => {
                if let Some((modes, signs)) = value.strip_prefix('(').and_then(|value| value.split_once(')'))
                {
                    self.role_modes = modes.into();
                    self.role_signs = signs.into();
                }
            }
            "CHATHISTORY" => self.history_max = value.parse().unwrap_or(0),
            "LINELEN" => {
                let bytes = value.parse().unwrap_or(self.line_bytes);
                self.line_bytes = usize::clamp(bytes, chinwag_wire::limits::LINE_BYTES_MAX, 65_536);
            }
            _ => {}
        }
        self.isupport.insert(name.into(), value);
    }

    /// The limits of messages of several lines, from the value of their capability.
    pub(crate) fn limits_of_multiline(&mut self) {
        let value = self.caps.get("draft/multiline").filter(|_| self.has("batch"));
        self.multiline = value.map(|value| {
            let number = |name: &str| {
                value.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
            };
            (number("max-bytes").unwrap_or(4_096), number("max-lines").unwrap_or(24))
        });
    }

    /// The sign of a mode that gives a role.
    pub(crate) fn sign_of(&self, mode: char) -> Option<char> {
        let at = self.role_modes.chars().position(|known| known == mode)?;
        self.role_signs.chars().nth(at)
    }

    /// Whether a mode has an argument, from CHANMODES.
    pub(crate) fn has_argument(&self, mode: char, set: bool) -> bool {
        if self.role_modes.contains(mode) {
            return true;
        }
        let types = self.isupport.get("CHANMODES").map_or("beI,k,l,imnpst", String::as_str);
        match types.split(',').position(|modes| modes.contains(mode)) {
            Some(0 | 1) => true,
            Some(2) => set,
            _ => false,
        }
    }
}

/// Undoes `\xHH`.
fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find("\\x") {
        text.push_str(&rest[..at]);
        let digits = rest.get(at + 2..at + 4).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match digits {
            Some(byte) if byte.is_ascii() => {
                text.push(char::from(byte));
                rest = &rest[at + 4..];
            }
            _ => {
                text.push_str("\\x");
                rest = &rest[at + 2..];
            }
        }
    }
    text.push_str(rest);
    text
}
