//! The modes of rooms as sentences: what somebody changed, and what is set.

use chinwag_core::chat::{Lists, RoomModes};
use chinwag_core::roles::Role;

use super::render::{Page, put, sentence};

/// Writes what somebody changed in a room: `MODE <room> <letters> {<argument>}`, a sentence for each change.
pub(super) fn changed(page: &Page<'_>, out: &mut Vec<u8>) {
    let room = page.param(0);
    let mut arguments = page.rest(2);
    let mut set = true;
    for letter in page.param(1).chars() {
        match letter {
            '+' | '-' => set = letter == '+',
            mode => {
                page.place(room, out);
                let argument = if takes_argument(set, mode) { arguments.next() } else { None };
                change(page.nick(), set, mode, argument.unwrap_or_default(), out);
            }
        }
    }
}

/// Writes what is set in a room: `324 <room> <letters> {<argument>}`.
pub(super) fn set(page: &Page<'_>, out: &mut Vec<u8>) {
    page.place(page.param(0), out);
    let letters = page.param(1);
    put(out, &["modes: ", letters]);
    for argument in page.rest(2) {
        put(out, &[" ", argument]);
    }
    let mut separator = " (";
    for what in letters.chars().filter_map(RoomModes::meaning) {
        put(out, &[separator, what]);
        separator = "; ";
    }
    sentence(out, &[if separator == "; " { ")" } else { "" }]);
}

/// Whom an entry of a list means, for people.
pub(super) fn whom(entry: &str) -> (&'static str, &str) {
    let entry = entry.strip_prefix("m:").unwrap_or(entry);
    match entry.strip_prefix("a:") {
        Some(account) => ("the account ", account),
        None => ("", entry),
    }
}

fn takes_argument(set: bool, mode: char) -> bool {
    let setting = matches!(mode, 'l' | 'f') && set;
    mode == 'k' || setting || Lists::MODES.contains(&mode) || Role::of_mode(mode).is_some()
}

fn change(nick: &str, set: bool, mode: char, argument: &str, out: &mut Vec<u8>) {
    let mute = argument.starts_with("m:");
    let (kind, listed) = if Lists::MODES.contains(&mode) { whom(argument) } else { ("", argument) };
    let (before, after) = match (mode, set) {
        ('q', true) => (" made ", " a founder."),
        ('a', true) => (" made ", " an admin."),
        ('o', true) => (" made ", " an operator."),
        ('h', true) => (" made ", " a halfop."),
        ('v', true) => (" gave ", " a voice."),
        ('o', false) => (" made ", " an ordinary member."),
        ('v', false) => (" took the voice from ", "."),
        ('q', false) => (" made ", " no founder any more."),
        ('a', false) => (" made ", " no admin any more."),
        ('h', false) => (" made ", " no halfop any more."),
        ('b', true) if mute => (" silenced ", "."),
        ('b', false) if mute => (" lets ", " speak again."),
        ('b', true) => (" banned ", "."),
        ('b', false) => (" lifted the ban on ", "."),
        ('e', true) => (" made an exception from bans for ", "."),
        ('e', false) => (" ended the exception from bans for ", "."),
        ('I', true) => (" lets ", " in without an invitation."),
        ('I', false) => (" lets ", " in only with an invitation again."),
        ('k', true) => (" locked the room with the key ", "."),
        ('l', true) => (" lets no more than ", " people in."),
        ('f', true) => (" sends whoever may not come in to ", "."),
        _ => return setting(nick, set, mode, argument, out),
    };
    sentence(out, &[nick, before, kind, listed, after]);
}

/// A change of which the argument need not be shown.
fn setting(nick: &str, set: bool, mode: char, argument: &str, out: &mut Vec<u8>) {
    let what = match (mode, set) {
        ('k', false) => " took the key from the room.",
        ('l', false) => " lets in as many as like to come again.",
        ('f', false) => " sends nobody on to another room any more.",
        ('C', true) => " forbade questions from program to program.",
        ('C', false) => " allows questions from program to program again.",
        ('E', true) => " opened the room for roleplay: /npc and /scene.",
        ('E', false) => " ended the roleplay.",
        ('M', true) => " lets only those speak who are logged in.",
        ('M', false) => " lets guests speak again.",
        ('R', true) => " lets only those in who are logged in.",
        ('R', false) => " lets guests in again.",
        ('U', true) => " shows what ordinary members say to operators only.",
        ('U', false) => " shows what everybody says to everybody again.",
        ('i', true) => " closed the room: only who is invited comes in.",
        ('i', false) => " opened the room: it takes no invitation any more.",
        ('m', true) => " silenced the room: only operators and those with a voice speak.",
        ('m', false) => " lets everybody speak again.",
        ('n', true) => " lets only those speak who are in the room.",
        ('n', false) => " lets those speak too who are outside.",
        ('s', true) => " hid the room from those outside.",
        ('s', false) => " shows the room to those outside again.",
        ('t', true) => " lets only operators set the topic.",
        ('t', false) => " lets everybody set the topic.",
        ('u', true) => " hid ordinary members from each other.",
        ('u', false) => " shows ordinary members to each other again.",
        _ => {
            let (sign, letter) = (if set { "+" } else { "-" }, mode.to_string());
            let space = if argument.is_empty() { "" } else { " " };
            return sentence(out, &[nick, " set the mode ", sign, &letter, space, argument]);
        }
    };
    sentence(out, &[nick, what]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_has_a_sentence_of_its_own() {
        for mode in RoomModes::ALL.iter().copied().chain(Role::ALL.map(Role::mode)) {
            let said = [true, false].map(|set| {
                let mut out = Vec::new();
                change("ann", set, mode, "x", &mut out);
                String::from_utf8(out).expect("ASCII")
            });
            assert_ne!(said[0], said[1], "{mode}");
            for said in said {
                assert!(said.starts_with("ann ") && said.ends_with(".\n"), "{said}");
                assert!(!said.contains("set the mode"), "{said}");
            }
        }
    }

    #[test]
    fn a_mode_of_tomorrow_is_shown_as_it_is() {
        let mut out = Vec::new();
        change("ann", true, 'Z', "", &mut out);
        assert_eq!(out, b"ann set the mode +Z\n");
    }
}
