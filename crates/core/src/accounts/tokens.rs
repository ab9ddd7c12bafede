//! Tokens of an account: made, listed and revoked by whoever is logged in to it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{News, Refusal, Then, Way, account_of, store, tell, work};
use crate::asking::Asking;
use crate::chat::{Account, Chat};
use crate::commands::reply::asker;
use crate::commands::time::stamp;
use crate::event::{AccountChange, Event};
use crate::privileges::Privilege;
use crate::tokens::{Scope, TOKENS_MAX, Token, hashed, is_name};
use crate::work::{Job, Secret};

/// A token that somebody wants to make: all but what is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    account: Arc<str>,
    name: Arc<str>,
    scopes: BTreeSet<Scope>,
    bot: Option<Arc<str>>,
    operator: Option<Arc<str>>,
}

const NO_ACCOUNT: Refusal =
    Refusal::new("ACCOUNT_REQUIRED", "Tokens are of accounts: log in first, or register your name");
const CLEARTEXT: Refusal = Refusal::new(
    "UNACCEPTABLE_PASSWORD",
    "Others could read the token on the way: connect with TLS, then make it",
);
const BAD_NAME: Refusal =
    Refusal::new("INVALID_PARAMS", "A name is made of up to 32 letters, digits, - and _");
const BAD_SCOPE: Refusal =
    Refusal::new("INVALID_PARAMS", "The scopes are read, write and accounts, with commas between them");
const NOT_OPERATOR: Refusal =
    Refusal::new("PRIVS_NEEDED", "The scope accounts is for server operators who may look after accounts");
const TOO_MANY: Refusal = Refusal::new("TOO_MANY", "You have too many tokens: TOKEN DEL one of them first");
const KNOWN: Refusal = Refusal::new("ALREADY_EXISTS", "You have a token of that name: TOKEN DEL it first");
const UNKNOWN: Refusal =
    Refusal::new("NO_SUCH_TOKEN", "You have no token of that name; TOKEN LIST shows them");
const USAGE: Refusal = Refusal::new(
    "INVALID_PARAMS",
    "It is used like this: TOKEN ADD <name> [read,write,accounts] [<bot>] | TOKEN LIST | TOKEN DEL <name>",
);

/// `ADD <name> [<scopes>] [<bot>]`, `LIST`, `DEL <name>`
pub(crate) fn tokens(chat: &Chat, asking: &mut Asking<'_>, way: Way, words: &[&str]) {
    let Some(account) = account_of(chat, asking).and_then(|name| chat.account(&name)) else {
        return tell(chat, asking, way, News::Refused(NO_ACCOUNT));
    };
    let first = words.first().map(|word| word.to_ascii_uppercase());
    match (first.as_deref(), &words[words.len().min(1)..]) {
        (Some("LIST"), []) => list(chat, asking, way, account),
        (Some("DEL"), [name]) => match account.tokens.iter().find(|token| *token.name == **name) {
            Some(token) => {
                let change = AccountChange::TokenRevoked(Arc::clone(&token.hash));
                let event = Event::AccountChanged { account: Arc::clone(&account.name), change };
                store(asking, Then::TokenRevoked(way, Arc::clone(&token.name)), event);
            }
            None => tell(chat, asking, way, News::Refused(UNKNOWN)),
        },
        (Some("ADD"), [name, rest @ ..]) if rest.len() <= 2 => match draft(chat, asking, account, name, rest)
        {
            Ok(draft) => work(asking, Then::Token(way, Box::new(draft)), Job::Token),
            Err(refusal) => tell(chat, asking, way, News::Refused(refusal)),
        },
        _ => tell(chat, asking, way, News::Refused(USAGE)),
    }
}

fn list(chat: &Chat, asking: &mut Asking<'_>, way: Way, account: &Account) {
    for token in &account.tokens {
        let bot =
            token.bot.as_ref().map_or(String::new(), |bot| format!(", speaks as {bot}/{}", account.name));
        let since = stamp(token.at_ms);
        let since = since.get(..10).unwrap_or_default();
        let text = format!("{}: {}{bot}, made {since}", token.name, token.scope_names());
        tell(chat, asking, way, News::Told(text.into()));
    }
    let text = match account.tokens.len() {
        0 => "You have no tokens; TOKEN ADD <name> makes one for a program of yours".to_owned(),
        count => format!("{count} of {TOKENS_MAX} tokens"),
    };
    tell(chat, asking, way, News::Told(text.into()));
}

/// What was asked for, if it may be.
fn draft(
    chat: &Chat,
    asking: &Asking<'_>,
    account: &Account,
    name: &str,
    rest: &[&str],
) -> Result<Draft, Refusal> {
    if !asking.session.secure && !asking.settings.accounts.cleartext_passwords {
        return Err(CLEARTEXT);
    }
    let scopes = match rest.first() {
        Some(scopes) => Scope::list(scopes).ok_or(BAD_SCOPE)?,
        None => Scope::USUAL.into(),
    };
    let bot = rest.get(1).copied();
    if !is_name(name) || !bot.is_none_or(is_name) {
        return Err(BAD_NAME);
    }
    if account.tokens.iter().any(|token| *token.name == *name) {
        return Err(KNOWN);
    }
    if account.tokens.len() >= TOKENS_MAX {
        return Err(TOO_MANY);
    }
    let operator = match scopes.contains(&Scope::Accounts) {
        true => {
            let operator = asker(chat, asking).and_then(|user| user.operator.as_ref());
            let operator = operator.filter(|found| found.privileges.contains(Privilege::Accounts));
            Some(Arc::clone(&operator.ok_or(NOT_OPERATOR)?.name))
        }
        false => None,
    };
    let account = Arc::clone(&account.name);
    Ok(Draft { account, name: name.into(), scopes, bot: bot.map(Arc::from), operator })
}

/// The token is drawn: its hash goes to the log.
pub(super) fn drawn(asking: &mut Asking<'_>, way: Way, draft: Draft, secret: Secret) {
    let Draft { account, name, scopes, bot, operator } = draft;
    let hash = hashed(secret.expose());
    let token = Token { hash, name: Arc::clone(&name), scopes, bot, operator, at_ms: asking.now_ms };
    let change = AccountChange::TokenMade(Arc::new(token));
    store(asking, Then::TokenMade(way, name, secret), Event::AccountChanged { account, change });
}
