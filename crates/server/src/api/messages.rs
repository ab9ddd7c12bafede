//! What was said, page by page or by words; and saying something.

use chinwag_core::chat::Chat;
use chinwag_core::event::SayKind;
use chinwag_core::history::{Page, Query, Row};
use chinwag_core::ids::Number;
use chinwag_core::pointed::{Answer, Question};
use chinwag_core::programs::{Numbers, Saying};
use chinwag_core::search::{Unclear, Wanted};
use chinwag_core::tokens::hashed;
use chinwag_log::Seq;
use chinwag_node::Errand;
use chinwag_wire::msgid::{MsgId, Opened};
use hyper::header::{HeaderValue, LOCATION};
use hyper::{Response, StatusCode};
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::{Map, Value, json};

use super::ask::{Ask, json as answer};
use super::body::Body;
use super::limits::Before;
use super::problem::Problem;
use super::rooms::{no_room, room, time};
use crate::clock::now_ms;

/// What begins and ends a text that says what somebody does (CTCP).
const ACTION: &str = "\u{1}ACTION ";

/// A message.
pub(crate) fn shown(chat: &Chat, room: &str, row: &Row) -> Value {
    let action = row.text.strip_prefix(ACTION).map(|text| text.trim_end_matches('\u{1}'));
    let kind = match (row.kind, action) {
        (_, Some(_)) => "action",
        (SayKind::Privmsg, None) => "message",
        (SayKind::Notice, None) => "notice",
    };
    json!({
        "room": room,
        "number": row.number.0,
        "id": MsgId::stored(chat.msgid_key(), row.seq.0).as_str(),
        "time": time(row.at_ms),
        "from": {
            "nick": &*row.by.nick,
            "account": row.by.account.as_deref(),
            "program": row.by.is_program(),
        },
        "kind": kind,
        "text": action.unwrap_or(&row.text),
    })
}

/// A page of the archive.
pub(super) async fn page(ask: &Ask, query: Query) -> Result<Page, Problem> {
    match ask.shared.look_up(Question::Page(query)).await? {
        Answer::Page(page) => Ok(page),
        _ => Err(Problem::not_now(5, "The archive answered something else.")),
    }
}

/// `GET /rooms/{room}/messages`
pub(super) async fn list(ask: Ask) -> Result<Response<Body>, Problem> {
    let numbers = match (ask.number("before"), ask.number("after")) {
        (None, None) => Numbers::Newest,
        (Some(number), None) => Numbers::Before(Number(number)),
        (None, Some(number)) => Numbers::After(Number(number)),
        (Some(_), Some(_)) => return Err(Problem::bad("Give before or after, not both.")),
    };
    let query = {
        let node = ask.shared.node.borrow();
        if !(node.settings().history && node.settings().history_channels) {
            return Err(Problem::new(StatusCode::FORBIDDEN, "History is switched off here."));
        }
        let chat = node.chat();
        chat.page_for(room(&ask, chat, node.settings())?, numbers, ask.limit(50))
    };
    let name = query.name.clone();
    let page = page(&ask, query).await?;
    let node = ask.shared.node.borrow();
    let messages: Vec<Value> = page.rows.iter().map(|row| shown(node.chat(), &name, row)).collect();
    Ok(answer(200, &json!({ "room": &*name, "messages": messages, "more": !page.end })))
}

/// `GET /rooms/{room}/messages/{number}`
pub(super) async fn one(ask: Ask) -> Result<Response<Body>, Problem> {
    let number = ask.number("number").unwrap_or_default();
    let query = {
        let node = ask.shared.node.borrow();
        let (chat, settings) = (node.chat(), node.settings());
        let found = room(&ask, chat, settings)?;
        let mut query = chat.page_for(found, Numbers::After(Number(number - 1)), 1);
        query.last = query.last.min(Number(number));
        if !(settings.history && settings.history_channels) {
            return Err(Problem::new(StatusCode::FORBIDDEN, "History is switched off here."));
        }
        query
    };
    let name = query.name.clone();
    let page = page(&ask, query).await?;
    let node = ask.shared.node.borrow();
    match page.rows.first() {
        Some(row) => Ok(answer(200, &shown(node.chat(), &name, row))),
        None => Err(Problem::missing("There is no such message; it may have been deleted.")),
    }
}

/// `GET /search`
pub(super) async fn search(ask: Ask) -> Result<Response<Body>, Problem> {
    let query = {
        let node = ask.shared.node.borrow();
        let chat = node.chat();
        let msgid =
            |text: &str| match text.parse::<chinwag_wire::names::MsgId>().ok()?.open(chat.msgid_key())? {
                Opened::Stored(seq) => Some(Seq(seq)),
                Opened::Passing(_) => None,
            };
        let wanted = Wanted::parse(ask.text("q").unwrap_or_default(), &msgid)
            .map_err(|Unclear(name, why)| Problem::bad(format!("{name}: {why}.")))?;
        if wanted.is_empty() {
            return Err(Problem::bad("Say what to look for."));
        }
        let limit = ask.limit(u64::from(wanted.limit.unwrap_or(20))).min(100);
        chat.search_for(node.settings(), &ask.asker.program, wanted, limit).ok_or_else(no_room)?
    };
    let Answer::Search(hits) = ask.shared.look_up(Question::Search(query)).await? else {
        return Err(Problem::not_now(5, "The archive answered something else."));
    };
    let node = ask.shared.node.borrow();
    let chat = node.chat();
    // It may have been closed meanwhile.
    let rooms = |hit: &&chinwag_core::search::Hit| {
        let room = chat.room(hit.room)?;
        chat.lets_read(node.settings(), &ask.asker.program, room).then(|| shown(chat, &room.name, &hit.row))
    };
    let found: Vec<Value> = hits.hits.iter().filter_map(|hit| rooms(&hit)).collect();
    Ok(answer(200, &json!({ "messages": found, "more": hits.more })))
}

/// What somebody wants to say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    text: String,
    #[serde(default)]
    kind: Kind,
}

/// In which way.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    Message,
    Notice,
    Action,
}

/// What JSON says, or what is wrong with it.
pub(super) fn parsed<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::bad("What you sent is not UTF-8."))?;
    serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => Problem::unfit(format!("What you sent does not fit: {error}.")),
        _ => Problem::bad(format!("What you sent is not JSON: {error}.")),
    })
}

/// `POST /rooms/{room}/messages`
pub(super) async fn post(ask: Ask) -> Result<Response<Body>, Problem> {
    let sent: Map<String, Value> = parsed(&ask.carried)?;
    let New { text, kind } = serde_json::from_value(Value::Object(sent))
        .map_err(|error| Problem::unfit(format!("What you sent does not fit: {error}.")))?;
    let (kind, text) = match kind {
        Kind::Message => (SayKind::Privmsg, text),
        Kind::Notice => (SayKind::Notice, text),
        Kind::Action if text.contains(['\n', '\r', '\u{1}']) => {
            return Err(Problem::unfit("An action is one line."));
        }
        Kind::Action if text.trim().is_empty() => {
            return Err(Problem::unfit("There is nothing in the text."));
        }
        Kind::Action => (SayKind::Privmsg, format!("{ACTION}{text}\u{1}")),
    };
    let (id, name) = {
        let node = ask.shared.node.borrow();
        let found = room(&ask, node.chat(), node.settings())?;
        (found.id, found.name.clone())
    };
    let key = ask.text("Idempotency-Key").map(|key| (ask.asker.counted.clone(), key.to_owned()));
    if let Some(key) = &key {
        let print = hashed(&String::from_utf8_lossy(&ask.carried));
        match ask.shared.programs.keys.borrow_mut().ask(key, &format!("{} {print}", id.0), now_ms()) {
            Before::New => {}
            Before::Done(errand) => return kept(&name, &errand),
            Before::UnderWay => {
                let detail = "The same request is under way: ask again in a moment.";
                return Err(Problem::new(StatusCode::CONFLICT, detail).after(1));
            }
            Before::Other => {
                let detail = "You used that Idempotency-Key for something else: take another one.";
                return Err(Problem::unfit(detail));
            }
        }
    }
    if let Err(problem) = ask.shared.count_saying(&ask.asker.counted, ask.asker.exempt) {
        if let Some(key) = &key {
            ask.shared.programs.keys.borrow_mut().forget(key);
        }
        return Err(problem);
    }
    let saying = Saying { by: ask.asker.program.clone(), room: id, kind, text: text.into() };
    kept(&name, &ask.shared.say(saying, key).await?)
}

/// 201: it is kept.
fn kept(room: &str, errand: &Errand) -> Result<Response<Body>, Problem> {
    let Errand::Kept { number, msgid, at_ms } = errand else {
        return Err(Problem::not_now(1, "It was not kept: try again."));
    };
    let value = json!({
        "room": room,
        "number": number.0,
        "id": msgid.as_str(),
        "time": time(*at_ms),
    });
    let mut response = answer(201, &value);
    let place = format!("/api/v1/rooms/{}/messages/{}", encoded(room), number.0);
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// A part of a path.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
