//! `WEBIRC`: a gateway says for whom it connects, before anything else.
//!
//! Specification: <https://ircv3.net/specs/extensions/webirc>.

use std::net::IpAddr;
use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::accounts::{Then, work};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::effect::Effect;
use crate::session::{Phase, Session};
use crate::work::{Job, Secret};

/// Bytes of a host name that is shown.
const HOST_BYTES_MAX: usize = 63;

/// What a gateway claims, while its password is checked.
#[derive(Clone, Debug)]
pub struct Claim {
    password: Secret,
    address: Arc<str>,
    host: Arc<str>,
    secure: bool,
    certificate: Option<Arc<str>>,
    /// The place of the next gateway whose password it may be.
    next: usize,
}

/// `WEBIRC <password> <gateway> <host> <address> [:<options>]`
pub(crate) fn webirc(_chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let session = &*asking.session;
    let greeting = match &session.phase {
        Phase::Greeting(greeting) => greeting,
        Phase::Entering(_) => return Flow::Wait,
        Phase::Live(_) => {
            asking.refuse(Numeric::ERR_ALREADYREGISTERED, []);
            return Flow::Done;
        }
        Phase::Closing => return Flow::Done,
    };
    let begun = greeting.negotiating || greeting.nick.is_some() || greeting.user.is_some();
    if begun || session.cap_version > 0 || greeting.password.is_some() {
        return close(asking, "WEBIRC comes before everything else");
    }
    if !session.secure && !asking.settings.accounts.cleartext_passwords {
        return close(asking, "WEBIRC from beyond this machine needs TLS");
    }
    let [password, _gateway, host, address, ref options @ ..] = message.params[..] else {
        return close(asking, "WEBIRC needs a password, a gateway, a host and an address");
    };
    let Ok(ip) = address.parse::<IpAddr>() else {
        return close(asking, "WEBIRC needs an address (192.0.2.7, 2001:db8::7)");
    };
    let address = word(ip);
    let option = |name: &str| {
        let words = options.iter().flat_map(|options| options.split(' '));
        words.map(|word| word.split_once('=').unwrap_or((word, ""))).find(|(known, _)| *known == name)
    };
    // "Servers MUST ONLY treat the connection as secure if this flag is sent and the connection from the gateway to
    // the server is also secure with TLS."
    let secure = option("secure").is_some() && session.tls_host.is_some();
    let print = option("certfp-sha-256").map(|(_, print)| print.to_ascii_lowercase());
    let print =
        print.filter(|print| secure && print.len() == 64 && print.bytes().all(|b| b.is_ascii_hexdigit()));
    let claim = Claim {
        password: Secret::from(password),
        host: if is_host(host) { host.into() } else { Arc::clone(&address) },
        address,
        secure,
        certificate: print.map(Arc::from),
        next: 0,
    };
    check(asking, claim);
    Flow::Done
}

/// Has the password checked against the next gateway that may connect from there.
fn check(asking: &mut Asking<'_>, mut claim: Claim) {
    let from = asking.session.address.parse::<IpAddr>();
    let gateways = asking.settings.gateways.iter().enumerate().skip(claim.next);
    let mut may = gateways.filter(|(_, gateway)| {
        from.as_ref().is_ok_and(|from| gateway.from.iter().any(|net| net.contains(from)))
    });
    match may.next() {
        Some((place, gateway)) => {
            let verifiers = Some(Arc::clone(&gateway.password));
            claim.next = place + 1;
            let password = claim.password.clone();
            work(asking, Then::Gateway(Box::new(claim)), Job::Check { password, verifiers });
        }
        None => {
            let _ = close(asking, "Invalid WebIRC password");
        }
    }
}

/// The password was checked.
pub(crate) fn checked(asking: &mut Asking<'_>, claim: Claim, right: bool) {
    if !right {
        return check(asking, claim);
    }
    let cloak = asking.settings.cloak.as_ref().and_then(|cloak| cloak.of(&claim.address));
    let session: &mut Session = asking.session;
    // The name of a host would say as much as its address.
    (session.address, session.host) = (claim.address, cloak.unwrap_or(claim.host));
    (session.secure, session.certificate) = (claim.secure, claim.certificate);
    // TLS with us is the gateway's, whatever it looked for.
    session.tls_host = Some("".into());
}

/// The gateway could not be checked.
pub(crate) fn unchecked(asking: &mut Asking<'_>) {
    let _ = close(asking, "The server has too much to do; try again in a moment");
}

fn close(asking: &mut Asking<'_>, why: &'static str) -> Flow {
    asking.session.phase = Phase::Closing;
    asking.effects.push(Effect::Close(why.into()));
    Flow::Done
}

/// An address as a word of an IRC line, which must not begin with a colon.
fn word(ip: IpAddr) -> Arc<str> {
    let text = ip.to_canonical().to_string();
    if text.starts_with(':') { format!("0{text}").into() } else { text.into() }
}

/// Letters, digits, `-`, `.` and, in addresses, `:`.
fn is_host(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':');
    !text.is_empty()
        && text.len() <= HOST_BYTES_MAX
        && !text.starts_with([':', '-'])
        && text.bytes().all(fits)
}
