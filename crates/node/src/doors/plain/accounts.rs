//! What is typed at the plain door about accounts, and about the codes by which people come in.

use super::commands::{room_and_rest, usage, word};
use super::machine::PlainDoor;

pub(super) fn register(door: &mut PlainDoor, rest: &str) {
    let (mail, password) = match word(rest) {
        (first, others) if first.contains('@') && !others.is_empty() => (first, others),
        _ => ("*", rest),
    };
    if password.is_empty() {
        return usage(door, "register");
    }
    door.request(format!("REGISTER * {mail} :{password}"));
}

pub(super) fn invitation(door: &mut PlainDoor, rest: &str) {
    let (what, others) = word(rest);
    match what.to_ascii_lowercase().as_str() {
        "" => usage(door, "invitation"),
        "add" | "list" | "del" if others.starts_with('*') => door.request(format!("INVITATION {rest}")),
        "add" | "list" | "del" => {
            if let Some((room, others)) = room_and_rest(door, others) {
                door.request(format!("INVITATION {what} {room} {others}").trim_end().to_owned());
            }
        }
        // It may lead into a room, and then the next line is said there.
        _ => door.request_and_wait(format!("INVITATION {rest}")),
    }
}

pub(super) fn invite_link(door: &mut PlainDoor, rest: &str) {
    if let Some((room, rest)) = room_and_rest(door, rest) {
        door.request(format!("INVITATION ADD {room} {rest}").trim_end().to_owned());
    }
}

pub(super) fn verify(door: &mut PlainDoor, rest: &str) {
    let (code, _) = word(rest);
    if code.is_empty() {
        return usage(door, "verify");
    }
    let nick = door.nick().to_owned();
    door.request(format!("VERIFY {nick} {code}"));
}

pub(super) fn login(door: &mut PlainDoor, rest: &str) {
    let nick = door.nick().to_owned();
    match word(rest) {
        ("", _) => usage(door, "login"),
        (password, "") => door.log_in(&nick, password),
        (account, password) => door.log_in(account, password),
    }
}

pub(super) fn link(door: &mut PlainDoor, rest: &str) {
    door.request(format!("LINK {}", word(rest).0).trim_end().to_owned());
}

pub(super) fn token(door: &mut PlainDoor, rest: &str) {
    match rest {
        "" => usage(door, "token"),
        words => door.request(format!("TOKEN {words}")),
    }
}

pub(super) fn owner(door: &mut PlainDoor, rest: &str) {
    door.request(format!("OWNER {rest}").trim_end().to_owned());
}

pub(super) fn logout(door: &mut PlainDoor, _rest: &str) {
    door.request("LOGOUT".to_owned());
}
