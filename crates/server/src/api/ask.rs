//! A request, as its handler gets it: who asks, and its parameters as the table has them.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use chinwag_core::event::Who;
use chinwag_core::privileges::Privilege;
use chinwag_core::programs::Program;
use chinwag_core::settings::Settings;
use chinwag_core::tokens::{Scope, Token, hashed};
use chinwag_core::work::{Job, Outcome};
use chinwag_wire::base64;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderMap};
use hyper::{Response, StatusCode};
use serde_json::Value;

use super::body::Body;
use super::problem::Problem;
use super::table::{Kind, Matched, Parameter, Place, Route};
use crate::clock::now_ms;
use crate::greeting::Caller;
use crate::shared::Shared;

/// Bytes of a token at most.
const TOKEN_BYTES_MAX: usize = 128;

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    /// What the chat knows it as.
    pub(crate) program: Program,
    /// What it showed.
    pub(crate) token: Option<Arc<Token>>,
    /// From where.
    address: Arc<str>,
    /// By which its requests are counted.
    pub(crate) counted: String,
    /// Limits do not hold for where it comes from.
    pub(crate) exempt: bool,
    /// It has shown the account's password instead of a token.
    owner: bool,
}

/// A request.
pub(crate) struct Ask {
    pub(crate) shared: Rc<Shared>,
    pub(crate) asker: Asker,
    texts: BTreeMap<&'static str, String>,
    numbers: BTreeMap<&'static str, u64>,
    /// The media type of what it carries, and that.
    pub(crate) media: String,
    pub(crate) carried: Vec<u8>,
    /// What it carries, where that is not read before it is looked at.
    pub(crate) body: Option<Incoming>,
    /// How the server is reached, without a `/` at the end.
    pub(crate) base: String,
}

impl Asker {
    /// Who shows nothing, or nothing that is looked at.
    pub(crate) fn nobody(shared: &Shared, caller: &Caller) -> Asker {
        let address: Arc<str> = caller.ip.to_canonical().to_string().into();
        Asker {
            program: Program::Guest(Arc::clone(&address)),
            token: None,
            address,
            counted: format!("guest {}", crate::throttle::block_of(caller.ip)),
            exempt: shared.throttle.borrow().exempts(caller.ip),
            owner: false,
        }
    }

    /// Looks at what was shown.
    pub(crate) fn of(shared: &Shared, caller: &Caller, headers: &HeaderMap) -> Result<Asker, Problem> {
        let Some(shown) = headers.get(AUTHORIZATION) else { return Ok(Asker::nobody(shared, caller)) };
        const WRONG: &str = "That is no token of this server, or it was revoked. TOKEN ADD makes one.";
        let node = shared.node.borrow();
        if !caller.secure() && !node.settings().accounts.cleartext_passwords {
            let detail =
                "Others could read your token on the way: use https. Revoke it if it was shown before.";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        let shown = shown.to_str().ok().and_then(|shown| shown.split_once(' '));
        let shown = shown.filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
        let secret = shown.map(|(_, secret)| secret.trim()).filter(|secret| secret.len() <= TOKEN_BYTES_MAX);
        let secret = secret
            .ok_or_else(|| Problem::no_token("Show a token like this: Authorization: Bearer <token>."))?;
        let (account, token) =
            node.chat().program_with(&hashed(secret)).ok_or_else(|| Problem::no_token(WRONG))?;
        let program = Program::Token { account: Arc::clone(&account.name), bot: token.bot.clone() };
        let counted = format!("account {}", account.name);
        Ok(Asker { program, token: Some(Arc::clone(token)), counted, ..Asker::nobody(shared, caller) })
    }

    /// The same, and the name and the password of an account are taken as well (RFC 7617): what clients have that came in
    /// with SASL PLAIN.
    pub(crate) async fn by_any_proof(
        shared: &Rc<Shared>,
        caller: &Caller,
        headers: &HeaderMap,
    ) -> Result<Asker, Problem> {
        const WRONG: &str = "There is no such account, or its password is another one.";
        let shown = headers.get(AUTHORIZATION).and_then(|shown| shown.to_str().ok());
        let shown = shown.and_then(|shown| shown.split_once(' '));
        let Some((_, shown)) = shown.filter(|(kind, _)| kind.eq_ignore_ascii_case("basic")) else {
            return Asker::of(shared, caller, headers);
        };
        let nobody = Asker::nobody(shared, caller);
        let (name, job) = {
            let node = shared.node.borrow();
            let rules = &node.settings().accounts;
            if !caller.secure() && !rules.cleartext_passwords {
                let detail = "Others could read your password on the way: use https.";
                return Err(Problem::new(StatusCode::FORBIDDEN, detail));
            }
            if !nobody.exempt && !node.lets_try_password(&nobody.address, now_ms()) {
                let detail = "Too many wrong passwords came from your network.";
                return Err(Problem::too_fast(60, detail));
            }
            let shown = base64::decode(shown.trim()).ok().and_then(|shown| String::from_utf8(shown).ok());
            let (name, password) = shown.as_deref().and_then(|shown| shown.split_once(':')).unzip();
            let (name, password) = (name.unwrap_or(""), password.unwrap_or(""));
            if password.is_empty() || password.len() > rules.password_bytes_max {
                return Err(Problem::no_token(WRONG));
            }
            let account = node.chat().account(name).filter(|account| account.verified());
            let verifiers = account.and_then(|account| account.verifiers.clone());
            (
                account.map(|account| Arc::clone(&account.name)),
                Job::Check { password: password.into(), verifiers },
            )
        };
        match (shared.prove(crate::throttle::block_of(caller.ip), job).await?, name) {
            (Outcome::Checked(true), Some(account)) => Ok(Asker {
                counted: format!("account {account}"),
                program: Program::Token { account, bot: None },
                owner: true,
                ..nobody
            }),
            _ => {
                if !nobody.exempt {
                    shared.node.borrow_mut().tried_wrong_password(&nobody.address, now_ms());
                }
                Err(Problem::no_token(WRONG))
            }
        }
    }

    /// Whether its token was made by a server operator who may look after accounts, and still may.
    pub(crate) fn operates(&self, settings: &Settings) -> bool {
        // What server operators may do they may only for as long as they are some.
        let oper = |name: &Arc<str>| settings.opers.iter().find(|oper| oper.name == *name);
        let made_by = self.token.as_ref().and_then(|token| token.operator.as_ref());
        made_by.and_then(oper).is_some_and(|oper| oper.privileges.contains(Privilege::Accounts))
    }

    /// Why it may not ask anything: a ban of the server keeps it out.
    pub(crate) fn banned(&self, shared: &Shared) -> Option<Problem> {
        let account = match &self.program {
            Program::Token { account, .. } => Some(Arc::clone(account)),
            _ => None,
        };
        let nick = account.clone().unwrap_or_else(|| "guest".into());
        let who = Who { nick, user: "~bot".into(), host: Arc::clone(&self.address), account };
        let node = shared.node.borrow();
        let ban = node.chat().server_ban(&who, &self.address, now_ms())?;
        Some(Problem::new(StatusCode::FORBIDDEN, format!("{}.", ban.farewell())))
    }

    /// Whether it still is who it was: its token may have been revoked, and bans come.
    pub(crate) fn holds(&self, shared: &Shared) -> bool {
        if self.banned(shared).is_some() {
            return false;
        }
        self.token
            .as_ref()
            .is_none_or(|token| shared.node.borrow().chat().program_with(&token.hash).is_some())
    }

    /// Whether it may ask this.
    pub(crate) fn may(&self, settings: &Settings, open: bool, route: &Route) -> Result<(), Problem> {
        let Some(scope) = route.scope else { return Ok(()) };
        if self.owner && scope != Scope::Accounts {
            return Ok(());
        }
        let Some(token) = &self.token else {
            return match route.token || !open {
                true => {
                    Err(Problem::no_token("This needs a token. TOKEN ADD makes one, when you are logged in."))
                }
                false => Ok(()),
            };
        };
        if !token.scopes.contains(&scope) {
            let detail = format!("Your token has not the scope {}.", scope.name());
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        if scope == Scope::Accounts && !self.operates(settings) {
            let detail = "Who made this token is no server operator any more who may look after accounts.";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        Ok(())
    }
}

impl Ask {
    /// A request whose parameters are as the table says.
    pub(crate) fn new(
        shared: &Rc<Shared>,
        asker: Asker,
        matched: &Matched,
        query: &str,
        headers: &HeaderMap,
    ) -> Result<Ask, Problem> {
        let mut ask = Ask {
            shared: Rc::clone(shared),
            asker,
            texts: BTreeMap::new(),
            numbers: BTreeMap::new(),
            media: String::new(),
            carried: Vec::new(),
            body: None,
            base: String::new(),
        };
        for parameter in matched.route.parameters {
            let given = match parameter.place {
                Place::Path => {
                    let part = matched.parts.iter().find(|(name, _)| *name == parameter.name);
                    part.map(|(_, part)| decoded(part, false))
                }
                Place::Query => query.split('&').find_map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decoded(name, true).as_deref() == Some(parameter.name)).then(|| decoded(value, true))
                }),
                Place::Header => {
                    headers.get(parameter.name).map(|value| String::from_utf8(value.as_bytes().to_vec()).ok())
                }
            };
            ask.take(parameter, given)?;
        }
        Ok(ask)
    }

    fn take(&mut self, parameter: &Parameter, given: Option<Option<String>>) -> Result<(), Problem> {
        let name = parameter.name;
        let Some(given) = given else {
            return match parameter.required {
                true => Err(Problem::bad(format!("{name} is missing."))),
                false => Ok(()),
            };
        };
        let wrong = |what: String| match parameter.place {
            Place::Path => Problem::missing(what),
            _ => Problem::bad(what),
        };
        match parameter.kind {
            Kind::Number(least, most) => {
                let digits = given.filter(|given| given.bytes().all(|byte| byte.is_ascii_digit()));
                let number = digits.and_then(|digits| digits.parse().ok());
                let number = number.filter(|number| (least..=most).contains(number));
                let number =
                    number.ok_or_else(|| wrong(format!("{name} is a number from {least} to {most}.")))?;
                self.numbers.insert(name, number);
            }
            Kind::Text(most) => {
                let fits =
                    |text: &String| (1..=most).contains(&text.len()) && !text.contains(char::is_control);
                let text = given.filter(fits);
                let text = text.ok_or_else(|| {
                    wrong(format!(
                        "{name} is a text of 1 to {most} bytes in UTF-8, without control characters."
                    ))
                })?;
                self.texts.insert(name, text);
            }
        }
        Ok(())
    }

    /// A parameter that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    /// A parameter that is a number.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.numbers.get(name).copied()
    }

    /// How many are asked for.
    pub(crate) fn limit(&self, usual: u64) -> u32 {
        u32::try_from(self.number("limit").unwrap_or(usual)).unwrap_or(u32::MAX)
    }
}

/// An answer in JSON.
pub(crate) fn json(status: u16, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::whole(value.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let media = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, media);
    response
}

/// What `%41` and, in queries, `+` stand for; none when that is no UTF-8. A `%` that begins nothing is one.
pub(crate) fn decoded(text: &str, plus: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                rest = ahead;
            }
            (b'+', ..) if plus => bytes.push(b' '),
            (byte, ..) => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_read() {
        assert_eq!(decoded("%23tea+a%2Bb", true).as_deref(), Some("#tea a+b"));
        assert_eq!(decoded("%23tea+a", false).as_deref(), Some("#tea+a"));
        assert_eq!(decoded("100%", false).as_deref(), Some("100%"));
        assert_eq!(decoded("%c3%a9%", false).as_deref(), Some("é%"));
        assert_eq!(decoded("%ff", false), None);
    }
}
