//! WHOX: `WHO <mask> %<fields>[,<token>]`, lines of just the fields that were asked for.

use chinwag_wire::numeric::Numeric;

use super::who::flags;
use crate::asking::Asking;
use crate::chat::{Room, User};
use crate::line::{Line, Text};

/// The fields, in the order in which they are sent (<https://ircv3.net/specs/extensions/whox>).
const FIELDS: &[u8] = b"tcuihsnfdlaor";

/// What one request asks for.
pub(super) struct Fields<'a> {
    letters: &'a str,
    token: &'a str,
}

impl<'a> Fields<'a> {
    /// Reads `%<fields>[,<token>]`, behind whatever flags stand before the `%`. None when there is no `%`.
    pub(super) fn parse(argument: &'a str) -> Option<Fields<'a>> {
        let (_, wanted) = argument.split_once('%')?;
        let (letters, token) = wanted.split_once(',').unwrap_or((wanted, ""));
        let fits = (1..=3).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_digit());
        Some(Fields { letters, token: if fits { token } else { "0" } })
    }

    /// RPL_WHOSPCRPL about somebody.
    pub(super) fn line(&self, asking: &mut Asking<'_>, user: &User, room: Option<&Room>) {
        let mut line = Line::numeric(Numeric::RPL_WHOSPCRPL, []);
        for field in FIELDS.iter().filter(|field| self.letters.as_bytes().contains(field)) {
            line.params.push(self.field(*field, asking, user, room));
        }
        asking.reply(line);
    }

    fn field(&self, field: u8, asking: &Asking<'_>, user: &User, room: Option<&Room>) -> Text {
        match field {
            b't' => self.token.to_owned().into(),
            b'c' => room.map_or("*".into(), |room| Text::from(&room.name)),
            b'u' => (&user.who.user).into(),
            // Addresses are told to nobody.
            b'i' => "255.255.255.255".into(),
            b'h' => (&user.who.host).into(),
            b's' => (&asking.settings.server).into(),
            b'n' => (&user.who.nick).into(),
            b'f' => flags(asking, user, room),
            b'd' => "0".into(),
            b'l' => (asking.now_ms.saturating_sub(user.said_ms) / 1000).to_string().into(),
            b'a' => user.who.account.as_ref().map_or("0".into(), Text::from),
            // Rooms have roles, not levels.
            b'o' => "n/a".into(),
            _ => (&user.realname).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read() {
        let read = |text| Fields::parse(text).map(|fields| (fields.letters, fields.token));
        assert_eq!(read("%tnf,42"), Some(("tnf", "42")));
        assert_eq!(read("o%n"), Some(("n", "0")));
        assert_eq!(read("%nt,4242"), Some(("nt", "0")), "a token has at most three digits");
        assert_eq!(read("%nt,x"), Some(("nt", "0")));
        assert_eq!(read("o"), None);
    }
}
