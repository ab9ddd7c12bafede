//! Rooms and who is in them.

use chinwag_core::chat::{Chat, Room};
use chinwag_core::roles::Role;
use chinwag_wire::time::format_millis;
use hyper::Response;
use serde_json::{Value, json};

use super::ask::{Ask, json as answer};
use super::body::Body;
use super::problem::Problem;

/// A time as RFC 3339 has it, in UTC.
pub(super) fn time(at_ms: u64) -> String {
    let mut written = Vec::with_capacity(24);
    format_millis(at_ms, &mut written);
    String::from_utf8_lossy(&written).into_owned()
}

fn shown(room: &Room, settings: &chinwag_core::settings::Settings) -> Value {
    let topic = room
        .topic
        .as_ref()
        .map(|topic| json!({ "text": &*topic.text, "by": &*topic.by, "time": time(topic.at_ms) }));
    json!({
        "name": &*room.name,
        "topic": topic,
        "members": room.members.len(),
        "opened": time(room.opened_ms),
        "first": room.history_from.0,
        "keep_seconds": room.keeps_ms(settings).map(|ms| ms / 1000),
        "last": room.head.0,
    })
}

/// No such room, or none that the asker may know of: the two look the same.
pub(super) fn no_room() -> Problem {
    Problem::missing("There is no such room that you may read.")
}

/// The room of a request.
pub(super) fn room<'c>(
    ask: &Ask,
    chat: &'c Chat,
    settings: &chinwag_core::settings::Settings,
) -> Result<&'c Room, Problem> {
    let name = ask.text("room").unwrap_or_default();
    chat.room_for(settings, &ask.asker.program, name).ok_or_else(no_room)
}

/// `GET /rooms`
pub(super) async fn list(ask: Ask) -> Result<Response<Body>, Problem> {
    let node = ask.shared.node.borrow();
    let (chat, limit) = (node.chat(), ask.limit(50) as usize);
    let after = match ask.text("after") {
        Some(after) => Some(chat.room_by_name(after).ok_or_else(no_room)?.id),
        None => None,
    };
    let found = chat.rooms_for(node.settings(), &ask.asker.program).filter(|room| {
        (room.common || !room.members.is_empty()) && after.is_none_or(|after| room.id > after)
    });
    let mut rooms: Vec<Value> = found.take(limit + 1).map(|room| shown(room, node.settings())).collect();
    let more = rooms.len() > limit;
    rooms.truncate(limit);
    Ok(answer(200, &json!({ "rooms": rooms, "more": more })))
}

/// `GET /rooms/{room}`
pub(super) async fn one(ask: Ask) -> Result<Response<Body>, Problem> {
    let node = ask.shared.node.borrow();
    let room = room(&ask, node.chat(), node.settings())?;
    Ok(answer(200, &shown(room, node.settings())))
}

/// `GET /rooms/{room}/members`
pub(super) async fn members(ask: Ask) -> Result<Response<Body>, Problem> {
    let node = ask.shared.node.borrow();
    let chat = node.chat();
    let room = room(&ask, chat, node.settings())?;
    let members: Vec<Value> = chat
        .members_for(&ask.asker.program, room)
        .map(|(roles, user)| {
            json!({
                "nick": &*user.who.nick,
                "account": user.who.account.as_deref(),
                "role": roles.highest().map(name),
                "bot": user.modes.bot,
                "away": user.away.is_some(),
            })
        })
        .collect();
    Ok(answer(200, &json!({ "room": &*room.name, "members": members })))
}

/// What a role is called.
fn name(role: Role) -> &'static str {
    match role {
        Role::Founder => "founder",
        Role::Admin => "admin",
        Role::Operator => "operator",
        Role::Halfop => "halfop",
        Role::Voice => "voice",
    }
}
