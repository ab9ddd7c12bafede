//! Numerics as sentences.
//!
//! What a person at a plain connection cannot use (ISUPPORT, end-of-list markers) is left out; whatever has no
//! row of its own is shown as its parameters.

use chinwag_wire::numeric::Numeric;

use super::modes;
use super::render::{Page, put, sentence};

/// Appends what this door shows for a numeric.
pub(super) fn render(numeric: Numeric, page: &Page<'_>, out: &mut Vec<u8>) {
    let number = numeric.number();
    match number {
        1 => sentence(out, &["Welcome, ", page.frame().addressee, "."]),
        // Who else is running this, what it can do, how many there are, and the ends of lists.
        2..=5
        | 250..=255
        | 265
        | 266
        | 312
        | 315
        | 318
        | 321
        | 323
        | 333
        | 337
        | 347
        | 349
        | 365
        | 366
        | 368
        | 369
        | 374
        | 375
        | 376
        | 422 => {}
        221 => sentence(out, &["* your modes: ", page.last()]),
        301..=320 | 330 | 335 | 338 | 378 | 379 | 671 => about(number, page, out),
        322 => listed(page, out),
        324..=346 | 353 | 367 => room(number, page, out),
        352 => who(page, out),
        371 | 372 | 351 | 391 => sentence(out, &["* ", page.last()]),
        900 => sentence(out, &["* You are logged in as ", page.param(1), "."]),
        901 => sentence(out, &["* You are logged out."]),
        // Success has been told; of a failure on coming in the door itself tells.
        903 | 906 | 908 => {}
        904 if page.last() == numeric.text() => {
            if page.frame().addressee != "*" {
                sentence(out, &["! There is no such account, or that is not its password."]);
            }
        }
        400.. => refused(number, page, out),
        _ => generic(page, out),
    }
}

/// WHOIS, WHOWAS, AWAY: what there is to say about somebody.
fn about(number: u16, page: &Page<'_>, out: &mut Vec<u8>) {
    let nick = page.param(0);
    match number {
        301 => sentence(out, &["* ", nick, " is away: ", page.last()]),
        305 | 306 => sentence(out, &["* ", page.last()]),
        311 | 314 => {
            sentence(out, &["* ", nick, " is ", page.param(1), "@", page.param(2), " (", page.last(), ")"])
        }
        317 => sentence(out, &["* ", nick, " has been silent for ", &duration(page.param(1)), "."]),
        319 => sentence(out, &["* ", nick, " is in ", page.last()]),
        330 => sentence(out, &["* ", nick, " is logged in as ", page.param(1), "."]),
        _ => {
            put(out, &["* ", nick, " "]);
            page.joined_rest(1, out);
        }
    }
}

/// Seconds in the unit that people would use.
fn duration(seconds: &str) -> String {
    let count: u64 = seconds.parse().unwrap_or_default();
    match count {
        0..120 => format!("{count} seconds"),
        120..7_200 => format!("{} minutes", count / 60),
        7_200..172_800 => format!("{} hours", count / 3_600),
        _ => format!("{} days", count / 86_400),
    }
}

/// What there is to say about a room.
fn room(number: u16, page: &Page<'_>, out: &mut Vec<u8>) {
    let index = usize::from(number == 353);
    let room = page.param(index);
    match number {
        324 => modes::set(page, out),
        // When the room was opened: seconds since 1970, nothing for people.
        329 => {}
        331 => {
            page.place(room, out);
            sentence(out, &["no topic is set."]);
        }
        332 => {
            page.place(room, out);
            sentence(out, &["topic: ", page.last()]);
        }
        341 => sentence(out, &["* ", page.param(0), " is invited to ", page.param(1), "."]),
        353 => {
            page.place(room, out);
            here(page.last(), out);
        }
        346 | 348 | 367 => {
            let what = match number {
                346 => "in without invitation: ",
                348 => "excepted from bans: ",
                _ if page.param(1).starts_with("m:") => "silenced: ",
                _ => "banned: ",
            };
            let (kind, whom) = modes::whom(page.param(1));
            page.place(room, out);
            sentence(out, &[what, kind, whom]);
        }
        _ => generic(page, out),
    }
}

/// `here: ann, bob`.
fn here(names: &str, out: &mut Vec<u8>) {
    put(out, &["here: "]);
    for (nth, name) in names.split_ascii_whitespace().enumerate() {
        if nth > 0 {
            put(out, &[", "]);
        }
        put(out, &[name]);
    }
    out.push(b'\n');
}

/// LIST.
fn listed(page: &Page<'_>, out: &mut Vec<u8>) {
    put(out, &[page.param(0), " (", page.param(1), ")"]);
    match page.last() {
        "" => out.push(b'\n'),
        topic => sentence(out, &[": ", topic]),
    }
}

/// WHO: channel user host server nick flags :hops realname.
fn who(page: &Page<'_>, out: &mut Vec<u8>) {
    let realname = page.last().split_once(' ').map_or("", |(_, realname)| realname);
    let away = if page.param(5).starts_with('G') { ", away" } else { "" };
    sentence(
        out,
        &["* ", page.param(4), " is ", page.param(1), "@", page.param(2), " (", realname, ")", away],
    );
}

/// Refusals: what was wrong, and where it helps, what to do.
fn refused(number: u16, page: &Page<'_>, out: &mut Vec<u8>) {
    let what = page.param(0);
    let unnamed = page.frame().addressee == "*";
    let ask = if unnamed { " Send another one." } else { "" };
    match number {
        401 => sentence(out, &["! Nobody here is called ", what, "."]),
        402 => sentence(out, &["! ", what, " is not known here."]),
        403 => sentence(out, &["! There is no room ", what, "."]),
        404 => unheard(what, page.last(), out),
        405 => sentence(
            out,
            &["! You are in so many rooms that ", what, " would be one too many: /part one first."],
        ),
        421 => sentence(out, &["! There is no command ", what, ". /help lists them."]),
        432 => sentence(
            out,
            &["! ", what, " cannot be a name: use letters, digits, - and _, beginning with a letter.", ask],
        ),
        433 => sentence(out, &["! The name ", what, " is taken.", ask]),
        442 => sentence(out, &["! You are not in ", what, "."]),
        441 => sentence(out, &["! ", what, " is not in ", page.param(1), "."]),
        443 => sentence(out, &["! ", what, " is in ", page.param(1), " already."]),
        451 => sentence(out, &["! Send your name first."]),
        461 => sentence(out, &["! ", what, " needs more words. /help shows how it is used."]),
        464 => sentence(out, &["! This server needs a password; come in by IRC and send PASS first."]),
        471 => sentence(out, &["! ", what, " is full."]),
        470 => sentence(out, &["! ", what, " sends you on to ", page.param(1), "."]),
        472 => sentence(out, &["! There is no mode ", what, "."]),
        473 => sentence(out, &["! ", what, " is open to those who are invited only."]),
        474 => sentence(out, &["! You are banned from ", what, "."]),
        475 => sentence(out, &["! ", what, " needs its key: /join ", what, " key"]),
        476 | 479 => {
            sentence(
                out,
                &["! ", what, " cannot be a room: choose a shorter name, without commas and odd signs."],
            );
        }
        477 if what.starts_with('#') => sentence(out, &["! ", what, " is for those who are logged in only."]),
        478 => sentence(out, &["! The list of ", what, " is full: take something off it first."]),
        482 => sentence(out, &["! Only an operator of ", what, " may do that."]),
        696 => sentence(out, &["! ", page.last(), "."]),
        _ => {
            put(out, &["! "]);
            generic(page, out);
        }
    }
}

/// Why nobody in a room heard what was said: the numeric's text ends with the mode.
fn unheard(room: &str, text: &str, out: &mut Vec<u8>) {
    let mode = text.strip_suffix(')').and_then(|text| text.split_once("(+"));
    match mode.map(|(_, mode)| mode) {
        Some("n") => sentence(out, &["! Only who is in ", room, " speaks there: /join ", room, " first."]),
        Some("m") => sentence(out, &["! Only operators and those with a voice speak in ", room, " now."]),
        Some("M" | "R") => sentence(out, &["! Only those who are logged in speak in ", room, "."]),
        Some("b") => sentence(out, &["! A ban keeps you from speaking in ", room, "."]),
        Some("C") => sentence(out, &["! Questions from program to program are not allowed in ", room, "."]),
        _ => sentence(out, &["! You may not speak in ", room, "."]),
    }
}

/// The parameters, a colon before the text.
fn generic(page: &Page<'_>, out: &mut Vec<u8>) {
    let last = page.last();
    let count = page.rest(0).count();
    for param in page.rest(0).take(count.saturating_sub(1)) {
        put(out, &[param, " "]);
    }
    sentence(out, &[last]);
}
