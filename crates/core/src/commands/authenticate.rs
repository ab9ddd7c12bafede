//! `AUTHENTICATE <mechanism>`, `AUTHENTICATE <base64>`, `AUTHENTICATE *`: proving whose account one uses.
//!
//! Specifications: <https://ircv3.net/specs/extensions/sasl-3.1>, <https://ircv3.net/specs/extensions/sasl-3.2>;
//! PLAIN is RFC 4616, SCRAM-SHA-256 RFC 5802 and 7677, EXTERNAL RFC 4422 (appendix A) by the certificate's
//! fingerprint. It may be used before registration and after it, and again by those who are logged in.

use std::fmt;
use std::sync::Arc;

use chinwag_wire::base64;
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;
use chinwag_wire::scram::{self, ClientFirst};
use zeroize::Zeroizing;

use crate::accounts::{self, News, Refusal, Then, Way, tell, work};
use crate::allowance::Dear;
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Verifiers};
use crate::line::{Line, Source, Text};
use crate::session::Session;
use crate::settings::Settings;
use crate::work::{Job, Outcome, Secret};

/// Bytes of base64 in one AUTHENTICATE.
const CHUNK_BYTES: usize = 400;

/// Bytes of base64 in one response: the longest password and two names fit.
pub const RESPONSE_BYTES_MAX: usize = 4 * CHUNK_BYTES;

/// A way to prove something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// A name and a password.
    Plain,
    /// A proof that one knows the password, without telling it.
    ScramSha256,
    /// The certificate of the connection.
    External,
}

impl Mechanism {
    /// All that there are.
    pub const ALL: [Mechanism; 3] = [Mechanism::Plain, Mechanism::ScramSha256, Mechanism::External];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::External => "EXTERNAL",
        }
    }

    /// The mechanism of this name, in any case.
    pub fn from_name(name: &str) -> Option<Mechanism> {
        Mechanism::ALL.into_iter().find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }

    /// Whether a session can use it: who showed no certificate cannot prove anything by it, and a password is
    /// not to cross the network for everybody to read.
    fn fits(self, session: &Session, settings: &Settings) -> bool {
        match self {
            Mechanism::Plain => session.secure || settings.accounts.cleartext_passwords,
            Mechanism::ScramSha256 => true,
            Mechanism::External => session.certificate.is_some(),
        }
    }
}

/// The mechanisms that a session can use, with commas between them; none when there are none.
pub(crate) fn mechanisms(session: &Session, settings: &Settings) -> Option<String> {
    let rules = &settings.accounts;
    let fitting = rules.mechanisms.iter().filter(|mechanism| mechanism.fits(session, settings));
    let names: Vec<&str> = fitting.map(|mechanism| mechanism.name()).collect();
    (rules.enabled && !names.is_empty()).then(|| names.join(","))
}

/// An exchange that has begun.
#[derive(Clone)]
pub struct Exchange {
    mechanism: Mechanism,
    /// The response so far, in base64.
    received: Zeroizing<String>,
    step: Step,
}

/// Shows nothing of what was received: it may be a password.
impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

/// How far an exchange has come.
#[derive(Clone, Debug)]
enum Step {
    /// The client speaks first.
    Start,
    /// SCRAM: the client's first message, and what was answered.
    Challenged(Box<Challenged>),
    /// SCRAM: the proof was right; the client has to acknowledge ours.
    Proven(Arc<str>),
}

#[derive(Clone, Debug)]
struct Challenged {
    first: ClientFirst,
    /// The account; none when there is none of that name.
    account: Option<Arc<str>>,
    verifiers: Option<Arc<Verifiers>>,
    /// The whole nonce, and our message; empty until the work is done.
    nonce: String,
    answer: String,
}

/// `AUTHENTICATE <mechanism or response>`
pub(crate) fn authenticate(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let param = message.params.first().copied().unwrap_or("");
    if param == "*" {
        drop(asking.session.take_exchange());
        asking.refuse(Numeric::ERR_SASLABORTED, []);
        return Flow::Done;
    }
    let Some(mut exchange) = asking.session.take_exchange() else {
        begin(chat, asking, param);
        return Flow::Done;
    };
    if param.len() > CHUNK_BYTES {
        asking.refuse(Numeric::ERR_SASLTOOLONG, []);
        return Flow::Done;
    }
    if param != "+" {
        if exchange.received.len() + param.len() > RESPONSE_BYTES_MAX {
            failed(chat, asking);
            return Flow::Done;
        }
        // Reserved once, so that no shorter copies of a password stay behind in memory.
        if exchange.received.is_empty() {
            exchange.received.reserve_exact(RESPONSE_BYTES_MAX);
        }
        exchange.received.push_str(param);
        if param.len() == CHUNK_BYTES {
            asking.session.set_exchange(exchange);
            return Flow::Done;
        }
    }
    let received = std::mem::take(&mut exchange.received);
    let decoded = base64::decode(&received).ok().map(Zeroizing::new);
    let text = decoded.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
    if text.and_then(|text| responded(chat, asking, exchange, text)).is_none() {
        failed(chat, asking);
    }
    Flow::Done
}

/// 906 for an exchange that registration, or its end, leaves unfinished.
pub(crate) fn abort(asking: &mut Asking<'_>) {
    if asking.session.take_exchange().is_some() {
        asking.refuse(Numeric::ERR_SASLABORTED, []);
    }
}

fn failed(chat: &Chat, asking: &mut Asking<'_>) {
    tell(chat, asking, Way::Sasl, News::Refused(Refusal::WRONG_PASSWORD));
}

/// Begins with a mechanism, if it can be used.
fn begin(chat: &Chat, asking: &mut Asking<'_>, name: &str) {
    let rules = &asking.settings.accounts;
    let known = Mechanism::from_name(name).filter(|mechanism| {
        rules.enabled
            && rules.mechanisms.contains(mechanism)
            && mechanism.fits(asking.session, asking.settings)
    });
    if !asking.allows(Dear::WrongPasswords) {
        return tell(chat, asking, Way::Sasl, News::Refused(Refusal::TOO_MANY_WRONG));
    }
    let Some(mechanism) = known else {
        if let Some(names) = mechanisms(asking.session, asking.settings) {
            asking.refuse(Numeric::RPL_SASLMECHS, [names.into()]);
        }
        return failed(chat, asking);
    };
    let exchange = Exchange { mechanism, received: Zeroizing::default(), step: Step::Start };
    asking.session.set_exchange(exchange);
    asking.reply(Line::new(Source::Nobody, "AUTHENTICATE", ["+".into()]));
}

/// A whole response came. None when it proves nothing.
fn responded(chat: &Chat, asking: &mut Asking<'_>, exchange: Exchange, text: &str) -> Option<()> {
    match (exchange.mechanism, exchange.step) {
        (Mechanism::Plain, _) => plain(chat, asking, text),
        (Mechanism::External, _) => external(chat, asking, text),
        (Mechanism::ScramSha256, Step::Start) => scram_first(chat, asking, text),
        (Mechanism::ScramSha256, Step::Challenged(challenged)) => scram_final(asking, *challenged, text),
        (Mechanism::ScramSha256, Step::Proven(account)) => {
            let account = chat.account(&account).filter(|_| text.is_empty())?;
            accounts::log_in(chat, asking, Way::Sasl, account);
            Some(())
        }
    }
}

/// RFC 4616: `[authzid] NUL authcid NUL passwd`.
fn plain(chat: &Chat, asking: &mut Asking<'_>, text: &str) -> Option<()> {
    let mut parts = text.split('\0');
    let (authzid, authcid, password) = (parts.next()?, parts.next()?, parts.next()?);
    let fits = parts.next().is_none()
        && !authcid.is_empty()
        && !password.is_empty()
        && password.len() <= asking.settings.accounts.password_bytes_max
        && (authzid.is_empty() || chat.mapping().same(authzid, authcid));
    fits.then(|| accounts::identify(chat, asking, Way::Sasl, authcid, Secret::from(password)))
}

/// RFC 4422, appendix A: nothing, or whom one wants to act as.
fn external(chat: &Chat, asking: &mut Asking<'_>, authzid: &str) -> Option<()> {
    let account = chat.account_by_certificate(asking.session.certificate.as_deref()?)?;
    if !authzid.is_empty() && !chat.mapping().same(authzid, &account.name) {
        return None;
    }
    accounts::log_in(chat, asking, Way::Sasl, account);
    Some(())
}

fn scram_first(chat: &Chat, asking: &mut Asking<'_>, text: &str) -> Option<()> {
    let first = scram::client_first(text)?;
    if !first.authzid.is_empty() && !chat.mapping().same(&first.authzid, &first.name) {
        return None;
    }
    let account = chat.account(&first.name).filter(|account| account.verified());
    let verifiers = account.and_then(|account| account.verifiers.clone());
    let account = account.filter(|_| verifiers.is_some()).map(|account| Arc::clone(&account.name));
    let job = Job::Challenge { name: first.name.as_str().into(), verifiers: verifiers.clone() };
    let (nonce, answer) = (String::new(), String::new());
    challenge_on(asking, Challenged { first, account, verifiers, nonce, answer }, job);
    Some(())
}

fn scram_final(asking: &mut Asking<'_>, challenged: Challenged, text: &str) -> Option<()> {
    let last = scram::client_final(text)?;
    // The header says that the client does not bind to the channel, and is signed: nobody changed it on the way.
    if last.header != challenged.first.header.as_bytes() || last.nonce != challenged.nonce {
        return None;
    }
    let signed = scram::auth_message(&challenged.first, &challenged.answer, &last).into();
    let job = Job::Proof { verifiers: challenged.verifiers.clone(), signed, proof: last.proof.into() };
    challenge_on(asking, challenged, job);
    Some(())
}

fn challenge_on(asking: &mut Asking<'_>, challenged: Challenged, job: Job) {
    let step = Step::Challenged(Box::new(challenged));
    let (mechanism, received) = (Mechanism::ScramSha256, Zeroizing::default());
    work(asking, Then::Scram(Box::new(Exchange { mechanism, received, step })), job);
}

/// The work for an exchange is done.
pub(crate) fn resume(chat: &Chat, asking: &mut Asking<'_>, mut exchange: Exchange, outcome: Outcome) {
    let Step::Challenged(mut challenged) = exchange.step else { return };
    let answer = match outcome {
        Outcome::Challenge { nonce, salt, iterations } => {
            challenged.nonce = format!("{}{nonce}", challenged.first.nonce);
            challenged.answer = scram::server_first(&challenged.nonce, &salt, iterations);
            let answer = challenged.answer.clone();
            exchange.step = Step::Challenged(challenged);
            answer
        }
        Outcome::Proven(Some(signature)) if challenged.account.is_some() => {
            exchange.step = Step::Proven(challenged.account.unwrap_or_default());
            format!("v={signature}")
        }
        Outcome::Busy => return tell(chat, asking, Way::Sasl, News::Refused(Refusal::BUSY)),
        _ => return failed(chat, asking),
    };
    asking.session.set_exchange(exchange);
    say(asking, answer.as_bytes());
}

/// Sends a challenge in as many lines as it takes.
fn say(asking: &mut Asking<'_>, challenge: &[u8]) {
    let text = base64::encode(challenge);
    let mut rest = text.as_str();
    loop {
        let (chunk, more) = rest.split_at(rest.len().min(CHUNK_BYTES));
        let param = if chunk.is_empty() { Text::Static("+") } else { Text::from(chunk.to_owned()) };
        asking.reply(Line::new(Source::Nobody, "AUTHENTICATE", [param]));
        rest = more;
        if chunk.len() < CHUNK_BYTES {
            return;
        }
    }
}
