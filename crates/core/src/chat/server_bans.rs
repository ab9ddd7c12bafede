//! Who may not come in at all: bans of the server operators, on a network, a mask, an account or a key, for a time or for
//! good. Stored; one that has run out holds no more and is forgotten with the next change.

use std::sync::Arc;

use chinwag_wire::casemap::CaseMapping;
use chinwag_wire::mask::Mask;
use chinwag_wire::names::Folded;
use chinwag_wire::numeric::Numeric;
use ipnet::IpNet;

use super::Chat;
use super::apply::send;
use crate::effect::{Effect, Effects, To};
use crate::event::{ServerBanned, Who};
use crate::ids::{Millis, UserId};
use crate::keys::SshKey;
use crate::line::{Line, Source, Text};
use crate::refusals::Why;
use crate::span::Span;

/// Whom a server ban means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BanTarget {
    /// Everybody from these addresses.
    Net(IpNet),
    /// Everybody whom the mask fits.
    Mask(Mask),
    /// Whoever is logged in to this account.
    Account(Folded, CaseMapping),
    /// Whoever shows the key with this fingerprint at the ssh door, under any name.
    Key(Arc<str>),
}

impl BanTarget {
    /// An address or network (`192.0.2.7`, `192.0.2.0/24`), the fingerprint of a key (`SHA256:…`), a mask (anything with
    /// `!`, `@` or `*`), or an account. Names are compared by the case mapping.
    pub fn parse(text: &str, mapping: CaseMapping) -> BanTarget {
        if is_fingerprint(text) {
            return BanTarget::Key(text.into());
        }
        if let Some(net) = net(text) {
            return BanTarget::Net(net);
        }
        match text.contains(['!', '@', '*', '?', '.', ':']) {
            true => BanTarget::Mask(Mask::new(text, mapping)),
            false => BanTarget::Account(mapping.fold(text), mapping),
        }
    }

    /// In its full form, by which it is stored, listed and taken back.
    pub fn shown(&self) -> String {
        match self {
            BanTarget::Net(net) if net.prefix_len() == net.max_prefix_len() => net.addr().to_string(),
            BanTarget::Net(net) => net.to_string(),
            BanTarget::Mask(mask) => mask.as_str().to_owned(),
            BanTarget::Account(account, _) => account.as_str().to_owned(),
            BanTarget::Key(print) => print.to_string(),
        }
    }

    /// Whether it means somebody who came from this address.
    pub fn fits(&self, who: &Who, address: &str) -> bool {
        match self {
            BanTarget::Net(net) => address.parse().is_ok_and(|ip: std::net::IpAddr| net.contains(&ip)),
            BanTarget::Mask(mask) => {
                [&*who.host, address].iter().any(|host| mask.matches(&who.nick, &who.user, host))
            }
            BanTarget::Account(account, mapping) => {
                who.account.as_ref().is_some_and(|own| mapping.fold(own) == *account)
            }
            // Who is inside has shown it already; it is looked at where it is shown.
            BanTarget::Key(_) => false,
        }
    }
}

/// Whether a text is what `ssh-keygen -l` shows of a key: a SHA-256 in base64, without its padding.
fn is_fingerprint(text: &str) -> bool {
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    text.strip_prefix("SHA256:").is_some_and(|print| print.len() == 43 && print.bytes().all(sign))
}

/// A network without bits behind its prefix; an address alone is a network too.
fn net(text: &str) -> Option<IpNet> {
    let net: Option<IpNet> = text.parse().ok();
    net.map(|net| net.trunc())
        .or_else(|| text.parse().ok().map(|ip: std::net::IpAddr| ip.to_canonical().into()))
}

/// A ban of the server operators.
#[derive(Clone, Debug)]
pub struct ServerBan {
    /// Whom it means.
    pub target: BanTarget,
    /// The same as shown.
    pub text: Arc<str>,
    /// The nickname of who set it.
    pub by: Arc<str>,
    /// Why, for whom it means.
    pub reason: Arc<str>,
    /// Since when.
    pub at_ms: Millis,
    /// Until when; for good without.
    pub until_ms: Option<Millis>,
}

impl ServerBan {
    /// Whether it still holds.
    pub fn holds(&self, now_ms: Millis) -> bool {
        self.until_ms.is_none_or(|until_ms| now_ms < until_ms)
    }

    /// What whom it means is told last.
    pub fn farewell(&self) -> Arc<str> {
        format!("You are banned from this server: {}", self.reason).into()
    }
}

impl Chat {
    /// The bans that hold, in the order in which they were set.
    pub fn server_bans(&self, now_ms: Millis) -> impl Iterator<Item = &ServerBan> {
        self.server_bans.iter().filter(move |ban| ban.holds(now_ms))
    }

    /// The ban that keeps somebody out.
    pub fn server_ban(&self, who: &Who, address: &str, now_ms: Millis) -> Option<&ServerBan> {
        self.server_bans(now_ms).find(|ban| ban.target.fits(who, address))
    }

    /// The ban that keeps a key out.
    pub fn key_ban(&self, key: &SshKey, now_ms: Millis) -> Option<&ServerBan> {
        let means =
            |target: &BanTarget| matches!(target, BanTarget::Key(print) if **print == *key.fingerprint());
        self.server_bans(now_ms).find(|ban| means(&ban.target))
    }

    /// Sets a ban, or sets it anew, and puts out whom it means; never a server operator.
    pub(super) fn server_banned(&mut self, at_ms: Millis, banned: &ServerBanned, effects: &mut Effects) {
        let ServerBanned { target, by, reason, until_ms } = banned;
        // One that was set when accounts were compared otherwise has another form.
        let parsed = BanTarget::parse(target, self.mapping);
        self.server_bans.retain(|ban| ban.holds(at_ms) && ban.target != parsed);
        let ban = ServerBan {
            text: parsed.shown().into(),
            target: parsed,
            by: Arc::clone(&by.nick),
            reason: Arc::clone(reason),
            at_ms,
            until_ms: *until_ms,
        };
        let meant = self
            .users()
            .filter(|user| !user.modes.operator && ban.target.fits(&user.who, &user.from.address));
        let meant: Vec<UserId> = meant.map(|user| user.id).collect();
        let farewell = ban.farewell();
        let long = until_ms.map_or("for good".to_owned(), |until_ms| {
            format!("for {}", Span(until_ms.saturating_sub(at_ms)))
        });
        let count = meant.len();
        told(
            effects,
            format!("{target} is banned {long} ({reason}); {count} of those who were here had to go"),
        );
        self.server_bans.push(ban);
        for user in meant {
            self.depart(at_ms, user, &farewell, effects);
        }
    }

    pub(super) fn server_unbanned(&mut self, at_ms: Millis, target: &str, effects: &mut Effects) {
        let parsed = BanTarget::parse(target, self.mapping);
        self.server_bans.retain(|ban| ban.holds(at_ms) && ban.target != parsed);
        told(effects, format!("{target} is not banned any more"));
    }
}

/// Tells whoever changed a ban what came of it.
fn told(effects: &mut Effects, text: String) {
    let line = Line::new(Source::Server, "NOTICE", ["*".into(), format!("UBAN: {text}").into()]);
    send(effects, To::Asker, line);
}

/// ERR_YOUREBANNEDCREEP, and the end.
pub(crate) fn keep_out(ban: &ServerBan, effects: &mut Effects) {
    let farewell = ban.farewell();
    effects.push(Effect::Refused(Why::ServerBan));
    let line = Line::numeric(Numeric::ERR_YOUREBANNEDCREEP, [Text::from(&farewell)]);
    send(effects, To::Asker, line);
    effects.push(Effect::Close(farewell));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(host: &str, account: Option<&str>) -> Who {
        Who { nick: "Eve".into(), user: "~eve".into(), host: host.into(), account: account.map(Arc::from) }
    }

    #[test]
    fn targets_are_networks_masks_and_accounts() {
        for (text, shown, host, account, fits) in [
            ("192.0.2.7", "192.0.2.7", "192.0.2.7", None, true),
            ("192.0.2.7/24", "192.0.2.0/24", "192.0.2.200", None, true),
            ("192.0.2.0/24", "192.0.2.0/24", "192.0.3.1", None, false),
            ("2001:db8::/32", "2001:db8::/32", "2001:db8::1", None, true),
            ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7", None, true),
            ("eve!*@*", "eve!*@*", "host", None, true),
            ("*.example", "*!*@*.example", "a.example", None, true),
            ("EVE", "eve", "host", Some("Eve"), true),
            ("eve", "eve", "host", None, false),
        ] {
            let target = BanTarget::parse(text, CaseMapping::Ascii);
            assert_eq!(target.shown(), shown, "{text}");
            assert_eq!(
                BanTarget::parse(&target.shown(), CaseMapping::Ascii),
                BanTarget::parse(shown, CaseMapping::Ascii),
                "{text}"
            );
            assert_eq!(target.fits(&who(host, account), host), fits, "{text} {host}");
        }
    }

    #[test]
    fn names_are_compared_by_the_case_mapping() {
        for (mapping, typed, account, fits) in [
            (CaseMapping::Precis, "ZOË", "Zoë", true),
            (CaseMapping::Ascii, "ZOË", "Zoë", false),
            (CaseMapping::Rfc1459, "a[b]", "A{B}", true),
            (CaseMapping::Ascii, "a[b]", "A{B}", false),
        ] {
            let target = BanTarget::parse(typed, mapping);
            assert_eq!(target.fits(&who("host", Some(account)), "host"), fits, "{typed} {account}");
            assert_eq!(BanTarget::parse(account, mapping) == target, fits);
        }
        let mask = BanTarget::parse("E[E!*@*", CaseMapping::Rfc1459);
        let eve = Who { nick: "e{e".into(), ..who("host", None) };
        assert!(mask.fits(&eve, "host"));
    }
}
