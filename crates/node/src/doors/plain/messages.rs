//! What is typed at the plain door about messages (`/re 42 text`), and by those who tell a story together (`/npc`).

use super::commands::{room_and_rest, usage, word};
use super::machine::PlainDoor;

/// A command about a message: `/re [#room] 42 text` becomes `RE #room 42 :text`.
fn about(door: &mut PlainDoor, (name, verb): (&str, &str), text_wanted: bool, rest: &str) {
    let Some((room, rest)) = room_and_rest(door, rest) else { return };
    let (message, text) = word(rest);
    if message.is_empty() || (text_wanted && text.is_empty()) {
        return usage(door, name);
    }
    if text.is_empty() {
        door.request(format!("{verb} {room} {message}"));
    } else {
        door.request(format!("{verb} {room} {message} :{text}"));
    }
}

pub(super) fn re(door: &mut PlainDoor, rest: &str) {
    about(door, ("re", "RE"), true, rest);
}

pub(super) fn quote(door: &mut PlainDoor, rest: &str) {
    about(door, ("quote", "QUOTE"), false, rest);
}

pub(super) fn react(door: &mut PlainDoor, rest: &str) {
    about(door, ("react", "REACT"), true, rest);
}

pub(super) fn unreact(door: &mut PlainDoor, rest: &str) {
    about(door, ("unreact", "UNREACT"), true, rest);
}

pub(super) fn edit(door: &mut PlainDoor, rest: &str) {
    about(door, ("edit", "EDIT"), true, rest);
}

pub(super) fn del(door: &mut PlainDoor, rest: &str) {
    about(door, ("del", "REDACT"), false, rest);
}

pub(super) fn pin(door: &mut PlainDoor, rest: &str) {
    about(door, ("pin", "PIN"), false, rest);
}

pub(super) fn unpin(door: &mut PlainDoor, rest: &str) {
    about(door, ("unpin", "UNPIN"), false, rest);
}

pub(super) fn pins(door: &mut PlainDoor, rest: &str) {
    if let Some((room, _)) = room_and_rest(door, rest) {
        door.request(format!("PINS {room}"));
    }
}

pub(super) fn was(door: &mut PlainDoor, rest: &str) {
    about(door, ("was", "WAS"), false, rest);
}

pub(super) fn numbers(door: &mut PlainDoor, rest: &str) {
    match rest {
        "on" | "off" => door.request(format!("NUMBERS {rest}")),
        _ => usage(door, "numbers"),
    }
}

pub(super) fn npc(door: &mut PlainDoor, rest: &str) {
    somebody(door, ("npc", "NPC"), rest);
}

pub(super) fn npca(door: &mut PlainDoor, rest: &str) {
    somebody(door, ("npca", "NPCA"), rest);
}

fn somebody(door: &mut PlainDoor, (name, verb): (&str, &str), rest: &str) {
    let Some((room, rest)) = room_and_rest(door, rest) else { return };
    match word(rest) {
        (_, "") => usage(door, name),
        (who, text) => door.request(format!("{verb} {room} {who} :{text}")),
    }
}

pub(super) fn scene(door: &mut PlainDoor, rest: &str) {
    match room_and_rest(door, rest) {
        Some((_, "")) => usage(door, "scene"),
        Some((room, text)) => door.request(format!("SCENE {room} :{text}")),
        None => {}
    }
}
