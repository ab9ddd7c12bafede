//! Files: handing one in (IRC's `draft/FILEHOST`), one's own, and deleting one.
//!
//! Specification: <https://soju.im/filehost>

use chinwag_core::programs::Program;
use chinwag_core::tokens::Scope;
use chinwag_files::{File, name};
use hyper::header::{HeaderValue, LOCATION};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::ask::{Ask, json as answer};
use super::body::Body;
use super::problem::Problem;
use super::rooms::time;
use crate::files::{Sent, account_owner, receive, refused};

fn shown(base: &str, file: &File) -> Value {
    json!({
        "id": file.id,
        "url": format!("{base}{}", name::path(&file.id, &file.name)),
        "name": file.name,
        "type": file.media.name(),
        "size": file.size,
        "sha256": file.sha256,
        "by": file.by,
        "room": file.room,
        "time": time(file.at_ms),
        "messages": file.messages,
    })
}

/// The account that asks, and by which its files are counted.
fn owner(ask: &Ask) -> Result<(String, String), Problem> {
    let Program::Token { account, .. } = &ask.asker.program else {
        return Err(Problem::no_token("Files are those of an account: show a token of it."));
    };
    let node = ask.shared.node.borrow();
    Ok((account.to_string(), account_owner(node.chat().mapping().fold(account).as_str())))
}

/// Whether the asker may see and delete everybody's.
fn keeps_all(ask: &Ask) -> bool {
    ask.asker.token.as_ref().is_some_and(|token| token.scopes.contains(&Scope::Accounts))
        && ask.asker.operates(ask.shared.node.borrow().settings())
}

fn not_now() -> Problem {
    Problem::not_now(5, "Files cannot be looked up at the moment.")
}

/// `POST /files`
pub(super) async fn post(mut ask: Ask) -> Result<Response<Body>, Problem> {
    let (by, owner) = owner(&ask)?;
    let body = ask.body.take().ok_or_else(|| Problem::bad("Send a file."))?;
    let given = ask.text("Content-Disposition").and_then(name::disposed);
    let sent = Sent {
        owner,
        by,
        guest: false,
        exempt: ask.asker.exempt,
        name: given.unwrap_or_default(),
        said: ask.media.clone(),
        room: None,
    };
    let file = receive(&ask.shared, body, sent).await?;
    let value = shown(&ask.base, &file);
    let mut response = answer(201, &value);
    let place = value["url"].as_str().and_then(|url| HeaderValue::from_str(url).ok());
    response.headers_mut().extend(place.map(|place| (LOCATION, place)));
    Ok(response)
}

/// `GET /files`
pub(super) async fn list(ask: Ask) -> Result<Response<Body>, Problem> {
    let (_, own) = owner(&ask)?;
    let all = match ask.text("of").unwrap_or("me") {
        "me" => false,
        "all" if keeps_all(&ask) => true,
        "all" => {
            let detail = "The files of all are for server operators with a token of the scope accounts.";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        _ => return Err(Problem::bad("of is me or all.")),
    };
    let (limit, before) = (ask.limit(50), ask.number("before"));
    let wanted = own.clone();
    let files = ask.shared.files.ask((Vec::new(), Default::default()), move |store| {
        let of = (!all).then_some(&*wanted);
        Ok((store.list(of, before, limit + 1)?, store.used(&wanted)?))
    });
    let (mut files, used) = files.await.map_err(|_| not_now())?.map_err(|why| refused(why).1)?;
    let more = files.len() > limit as usize;
    files.truncate(limit as usize);
    let rules = ask.shared.files.rules();
    let shown: Vec<Value> = files.iter().map(|file| shown(&ask.base, file)).collect();
    Ok(answer(
        200,
        &json!({
            "files": shown,
            "more": more,
            "used": { "files": used.files, "bytes": used.bytes, "of": rules.limits(false).of_owner },
        }),
    ))
}

/// `DELETE /files/{id}`
pub(super) async fn delete(ask: Ask) -> Result<Response<Body>, Problem> {
    let gone = || Problem::missing("There is no such file of yours.");
    let (_, own) = owner(&ask)?;
    let id = ask.text("id").unwrap_or_default().to_owned();
    let all = keeps_all(&ask);
    let removed = ask.shared.files.ask(None, move |store| {
        let found = store.get(&id)?.filter(|file| all || file.owner == own);
        if found.is_some() {
            store.remove(&id)?;
        }
        Ok(found)
    });
    let removed = removed.await.map_err(|_| not_now())?.map_err(|why| refused(why).1)?;
    Ok(answer(200, &shown(&ask.base, &removed.ok_or_else(gone)?)))
}
