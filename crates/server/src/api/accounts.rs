//! Who asks, and accounts for server operators.

use chinwag_core::chat::Account;
use chinwag_core::programs::Program;
use hyper::Response;
use serde_json::{Value, json};

use super::ask::{Ask, json as answer};
use super::body::Body;
use super::problem::Problem;
use super::rooms::time;

/// `GET /me`
pub(super) async fn me(ask: Ask) -> Result<Response<Body>, Problem> {
    let token = ask.asker.token.as_ref();
    let account = match &ask.asker.program {
        Program::Token { account, .. } => Some(&**account),
        _ => None,
    };
    let scopes: Vec<&str> = token.iter().flat_map(|token| &token.scopes).map(|scope| scope.name()).collect();
    Ok(answer(
        200,
        &json!({
            "account": account,
            "token": token.map(|token| &*token.name),
            "bot": token.and_then(|token| token.bot.as_deref()),
            "scopes": scopes,
        }),
    ))
}

fn shown(account: &Account) -> Value {
    json!({
        "name": &*account.name,
        "created": time(account.created_ms),
        "seen": account.seen_ms.map(time),
        "verified": account.verified(),
        "password": account.verifiers.is_some(),
        "keys": account.keys.len(),
        "certificates": account.certificates.len(),
        "tokens": account.tokens.len(),
    })
}

/// `GET /accounts`
pub(super) async fn list(ask: Ask) -> Result<Response<Body>, Problem> {
    let node = ask.shared.node.borrow();
    let chat = node.chat();
    let mapping = chat.mapping();
    let after = ask.text("after").map(|after| mapping.fold(after));
    let limit = ask.limit(50) as usize;
    let behind = |account: &&Account| after.as_ref().is_none_or(|after| mapping.fold(&account.name) > *after);
    let mut accounts: Vec<Value> = chat.accounts().filter(behind).take(limit + 1).map(shown).collect();
    let more = accounts.len() > limit;
    accounts.truncate(limit);
    Ok(answer(200, &json!({ "accounts": accounts, "more": more })))
}

/// `GET /accounts/{account}`
pub(super) async fn one(ask: Ask) -> Result<Response<Body>, Problem> {
    let node = ask.shared.node.borrow();
    match node.chat().account(ask.text("account").unwrap_or_default()) {
        Some(account) => Ok(answer(200, &shown(account))),
        None => Err(Problem::missing("There is no such account.")),
    }
}
