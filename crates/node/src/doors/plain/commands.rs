//! What plain callers can type behind a slash: one row a command.

use super::accounts::{invitation, invite_link, link, login, logout, owner, register, token, verify};
use super::machine::{Ask, PlainDoor};
use super::messages::{
    del, edit, npc, npca, numbers, pin, pins, quote, re, react, scene, unpin, unreact, was,
};

/// Asks for the numbers of the messages in an answer.
const NUMBERS_TAG: &str = "chinwag.internal/numbers";

/// A command.
struct Row {
    /// What is typed; the first is what help calls it.
    names: &'static [&'static str],
    /// How it is used.
    usage: &'static str,
    /// What it does, in a few words.
    what: &'static str,
    /// Does it. Gets what is behind the command, trimmed.
    run: fn(&mut PlainDoor, &str),
}

/// All of them, in the order of `/help`.
const ROWS: &[Row] = &[
    Row { names: &["help", "?"], usage: "/help [command]", what: "what you can do here", run: help },
    Row {
        names: &["who", "names"],
        usage: "/who [name]",
        what: "who is here, or about one of them",
        run: who,
    },
    Row { names: &["me"], usage: "/me waves", what: "say what you do: * ann waves", run: me },
    Row { names: &["msg"], usage: "/msg name text", what: "say something to one person", run: msg },
    Row { names: &["nick"], usage: "/nick name", what: "change your name", run: nick },
    Row { names: &["rooms", "list"], usage: "/rooms", what: "the rooms there are", run: rooms },
    Row {
        names: &["join"],
        usage: "/join #room [key]",
        what: "go to a room, or talk in it again",
        run: join,
    },
    Row { names: &["part", "leave"], usage: "/part [#room]", what: "leave a room", run: part },
    Row { names: &["topic"], usage: "/topic [text]", what: "read the topic, or set it", run: topic },
    Row {
        names: &["history"],
        usage: "/history [count]",
        what: "what was said last (times are UTC)",
        run: history,
    },
    Row {
        names: &["search"],
        usage: "/search words",
        what: "find what was said: words in:#room from:name",
        run: search,
    },
    Row { names: &["re", "reply"], usage: "/re 42 text", what: "answer message 42", run: re },
    Row { names: &["quote"], usage: "/quote 42 [text]", what: "say again what it said", run: quote },
    Row { names: &["react"], usage: "/react 42 sign", what: "react to a message: /react 42 +1", run: react },
    Row { names: &["unreact"], usage: "/unreact 42 sign", what: "take that back", run: unreact },
    Row { names: &["edit"], usage: "/edit 42 text", what: "change what you said", run: edit },
    Row {
        names: &["del", "delete", "redact"],
        usage: "/del 42 [reason]",
        what: "delete a message",
        run: del,
    },
    Row { names: &["pin"], usage: "/pin 42", what: "show it to all who come (operators)", run: pin },
    Row { names: &["unpin"], usage: "/unpin 42", what: "and no longer (operators)", run: unpin },
    Row { names: &["pins"], usage: "/pins", what: "what is pinned here", run: pins },
    Row { names: &["was"], usage: "/was 42", what: "what it said before (operators)", run: was },
    Row {
        names: &["numbers"],
        usage: "/numbers on|off",
        what: "show the numbers of messages, or not",
        run: numbers,
    },
    Row { names: &["npc"], usage: "/npc name text", what: "speak as somebody you made up", run: npc },
    Row { names: &["npca"], usage: "/npca name text", what: "and say what they do", run: npca },
    Row { names: &["scene"], usage: "/scene text", what: "tell what happens around", run: scene },
    Row { names: &["upload"], usage: "/upload", what: "show a file or a picture here", run: upload },
    Row {
        names: &["away"],
        usage: "/away [text]",
        what: "tell others that you are away, or back",
        run: away,
    },
    Row { names: &["invite"], usage: "/invite name [#room]", what: "ask somebody in", run: invite },
    Row { names: &["kick"], usage: "/kick name [reason]", what: "put somebody out (operators)", run: kick },
    Row {
        names: &["ban"],
        usage: "/ban name [2h] [reason]",
        what: "put somebody out for a while, or for good (operators)",
        run: ban,
    },
    Row { names: &["unban"], usage: "/unban name", what: "and let them in again", run: unban },
    Row {
        names: &["mute"],
        usage: "/mute name [10m] [reason]",
        what: "silence somebody (operators)",
        run: mute,
    },
    Row { names: &["unmute"], usage: "/unmute name", what: "and let them speak again", run: unmute },
    Row {
        names: &["slow"],
        usage: "/slow [10s|off]",
        what: "let everybody wait between messages (operators)",
        run: slow,
    },
    Row {
        names: &["lockdown"],
        usage: "/lockdown [10m|off]",
        what: "let new people wait before they speak (operators)",
        run: lockdown,
    },
    Row { names: &["keep"], usage: "/keep [7d|forever]", what: "how long messages stay here", run: keep },
    Row { names: &["erase"], usage: "/erase me [#room]", what: "take back all you said", run: erase },
    Row {
        names: &["purge"],
        usage: "/purge name 10m [reason]",
        what: "hide what somebody said; then confirm, undo, final (operators)",
        run: purge,
    },
    Row {
        names: &["modlog"],
        usage: "/modlog [count]",
        what: "who did what to keep the room (operators)",
        run: modlog,
    },
    Row {
        names: &["rename"],
        usage: "/rename #room [reason]",
        what: "give the room another name (operators)",
        run: rename,
    },
    Row {
        names: &["hook"],
        usage: "/hook add name",
        what: "where programs say something here; out name address, list, del name (operators)",
        run: hook,
    },
    Row { names: &["op"], usage: "/op name", what: "make somebody an operator (operators)", run: op },
    Row { names: &["deop"], usage: "/deop name", what: "and an ordinary member again", run: deop },
    Row { names: &["voice"], usage: "/voice name", what: "let somebody speak where not all may", run: voice },
    Row { names: &["devoice"], usage: "/devoice name", what: "and not any more", run: devoice },
    Row { names: &["mode"], usage: "/mode [changes]", what: "read or change the room's modes", run: mode },
    Row {
        names: &["register"],
        usage: "/register [mail] password",
        what: "keep your name: nobody else can use it",
        run: register,
    },
    Row {
        names: &["invitation"],
        usage: "/invitation code",
        what: "come in, or register, by the code you were given",
        run: invitation,
    },
    Row {
        names: &["invite-link"],
        usage: "/invite-link [uses] [7d]",
        what: "make such a code for the room; then /invitation list, del 1 (operators)",
        run: invite_link,
    },
    Row {
        names: &["verify"],
        usage: "/verify code",
        what: "give back the code that was sent to you",
        run: verify,
    },
    Row {
        names: &["login"],
        usage: "/login [account] password",
        what: "show that an account is yours",
        run: login,
    },
    Row {
        names: &["link"],
        usage: "/link [code]",
        what: "a code that joins another session or ssh key to your account; with a code, join",
        run: link,
    },
    Row {
        names: &["token"],
        usage: "/token add name [scopes]",
        what: "what a program of yours shows instead of a password; list, del name",
        run: token,
    },
    Row {
        names: &["owner"],
        usage: "/owner [code]",
        what: "whose this server is; with the code of its start-up, yours",
        run: owner,
    },
    Row { names: &["logout"], usage: "/logout", what: "log out of your account", run: logout },
    Row { names: &["echo"], usage: "/echo on|off", what: "whether you see what you say yourself", run: echo },
    Row { names: &["quit", "exit"], usage: "/quit [reason]", what: "leave; exit does the same", run: quit },
];

/// Runs what was typed behind the slash.
pub(super) fn run(door: &mut PlainDoor, typed: &str) {
    let (name, rest) = typed.split_once(' ').unwrap_or((typed, ""));
    match find(name) {
        Some(row) => (row.run)(door, rest.trim()),
        None => unknown(door, name),
    }
}

fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.names.iter().any(|other| other.eq_ignore_ascii_case(name)))
}

/// The answer to a command that there is not: the nearest one that there is.
fn unknown(door: &mut PlainDoor, name: &str) {
    let near = ROWS
        .iter()
        .flat_map(|row| row.names)
        .map(|other| (distance(&name.to_ascii_lowercase(), other), other))
        .min();
    match near {
        Some((changes, other)) if changes <= 2 && name.len() > 1 => door.tell(&format!(
            "! There is no such command. Did you mean /{other}? /help lists them all; // says a text that begins with /."
        )),
        _ => door.tell("! There is no such command. /help lists them; // says a text that begins with /."),
    }
}

/// How many characters have to be put in, left out or replaced to make one word of the other, up to words of
/// 16 characters; anything longer is far from everything.
fn distance(a: &str, b: &str) -> usize {
    const WORD_MAX: usize = 16;
    if a.chars().count() > WORD_MAX || b.len() > WORD_MAX {
        return usize::MAX;
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

pub(super) fn usage(door: &mut PlainDoor, name: &str) {
    if let Some(row) = find(name) {
        door.tell(&format!("! It is used like this: {}", row.usage));
    }
}

fn help(door: &mut PlainDoor, about: &str) {
    let about = about.trim_start_matches('/');
    if let Some(row) = find(about) {
        return door.tell(&format!("* {}  {}", row.usage, row.what));
    }
    let mut text = String::from("* What you type is said to everybody in the room. Commands:\n");
    for row in ROWS {
        text.push_str(&format!("*   {:<22} {}\n", row.usage, row.what));
    }
    text.push_str("*   //text                 say a text that begins with /\n");
    door.ask(Ask::Tell(text));
}

/// Splits off the first word.
pub(super) fn word(rest: &str) -> (&str, &str) {
    let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    (word, rest.trim_start())
}

/// The room meant: named first in the arguments, or the one the caller is in. And the other arguments.
pub(super) fn room_and_rest<'a>(door: &mut PlainDoor, rest: &'a str) -> Option<(String, &'a str)> {
    let (first, others) = word(rest);
    if first.starts_with('#') {
        return Some((first.to_owned(), others));
    }
    match door.room() {
        Some(room) => Some((room.to_owned(), rest)),
        None => {
            door.in_no_room();
            None
        }
    }
}

fn who(door: &mut PlainDoor, rest: &str) {
    let (first, _) = word(rest);
    if !first.is_empty() && !first.starts_with('#') {
        return door.request(format!("WHOIS {first}"));
    }
    if let Some((room, _)) = room_and_rest(door, rest) {
        if !door.is_in(&room) {
            // Of a room that is not there, or not for outsiders, there is no more to say than this.
            door.tell(&format!("* In {room}, as far as those outside may know:"));
        }
        door.request(format!("NAMES {room}"));
    }
}

fn me(door: &mut PlainDoor, rest: &str) {
    if rest.is_empty() {
        return usage(door, "me");
    }
    match door.room().map(str::to_owned) {
        Some(room) => door.act(&room, rest),
        None => door.in_no_room(),
    }
}

fn msg(door: &mut PlainDoor, rest: &str) {
    let (to, text) = word(rest);
    if text.is_empty() {
        return usage(door, "msg");
    }
    door.say("PRIVMSG", to, text);
    if !to.starts_with(['#', '~', '&', '@', '%', '+']) && !door.private_told {
        door.private_told = true;
        door.tell("* Lines between two are not kept: nobody can read them again later.");
    }
}

fn nick(door: &mut PlainDoor, rest: &str) {
    let (name, _) = word(rest);
    if name.is_empty() {
        return usage(door, "nick");
    }
    door.rename(name);
}

fn rooms(door: &mut PlainDoor, _rest: &str) {
    door.request("LIST".to_owned());
}

fn join(door: &mut PlainDoor, rest: &str) {
    let (room, key) = word(rest);
    if room.is_empty() {
        return usage(door, "join");
    }
    let room = if room.starts_with('#') { room.to_owned() } else { format!("#{room}") };
    if door.is_in(&room) {
        return door.talk_in(&room);
    }
    let (key, _) = word(key);
    door.request_and_wait(format!("JOIN {room} {key}").trim_end().to_owned());
}

fn part(door: &mut PlainDoor, rest: &str) {
    let Some((room, reason)) = room_and_rest(door, rest) else { return };
    if reason.is_empty() {
        door.request_and_wait(format!("PART {room}"));
    } else {
        door.request_and_wait(format!("PART {room} :{reason}"));
    }
}

fn topic(door: &mut PlainDoor, rest: &str) {
    let Some((room, text)) = room_and_rest(door, rest) else { return };
    if text.is_empty() {
        door.request(format!("TOPIC {room}"));
    } else {
        door.request(format!("TOPIC {room} :{text}"));
    }
}

fn history(door: &mut PlainDoor, rest: &str) {
    let Some((room, count)) = room_and_rest(door, rest) else { return };
    match if count.is_empty() { Ok(20) } else { count.parse::<u32>() } {
        Ok(count) if count > 0 => {
            door.request(format!("@{NUMBERS_TAG} CHATHISTORY LATEST {room} * {}", count.min(100)));
        }
        _ => usage(door, "history"),
    }
}

fn search(door: &mut PlainDoor, rest: &str) {
    match rest {
        "" => usage(door, "search"),
        words => door.request(format!("SEARCH :{words}")),
    }
}

fn away(door: &mut PlainDoor, rest: &str) {
    if rest.is_empty() {
        door.request("AWAY".to_owned());
    } else {
        door.request(format!("AWAY :{rest}"));
    }
}

fn invite(door: &mut PlainDoor, rest: &str) {
    let (name, rest) = word(rest);
    if name.is_empty() {
        return usage(door, "invite");
    }
    if let Some((room, _)) = room_and_rest(door, rest) {
        door.request(format!("INVITE {name} {room}"));
    }
}

fn kick(door: &mut PlainDoor, rest: &str) {
    let Some((room, rest)) = room_and_rest(door, rest) else { return };
    let (name, reason) = word(rest);
    if name.is_empty() {
        return usage(door, "kick");
    }
    if reason.is_empty() {
        door.request(format!("KICK {room} {name}"));
    } else {
        door.request(format!("KICK {room} {name} :{reason}"));
    }
}

fn ban(door: &mut PlainDoor, rest: &str) {
    moderate(door, rest, "ban");
}

fn unban(door: &mut PlainDoor, rest: &str) {
    moderate(door, rest, "unban");
}

fn mute(door: &mut PlainDoor, rest: &str) {
    moderate(door, rest, "mute");
}

fn unmute(door: &mut PlainDoor, rest: &str) {
    moderate(door, rest, "unmute");
}

/// `BAN` and the like take what was typed as it is: a name, perhaps a duration, perhaps a reason.
fn moderate(door: &mut PlainDoor, rest: &str, command: &str) {
    let Some((room, rest)) = room_and_rest(door, rest) else { return };
    if rest.is_empty() {
        return usage(door, command);
    }
    door.request(format!("{} {room} {rest}", command.to_ascii_uppercase()));
}

fn slow(door: &mut PlainDoor, rest: &str) {
    guard(door, rest, "SLOW");
}

fn lockdown(door: &mut PlainDoor, rest: &str) {
    guard(door, rest, "LOCKDOWN");
}

fn guard(door: &mut PlainDoor, rest: &str, command: &str) {
    if let Some((room, rest)) = room_and_rest(door, rest) {
        door.request(format!("{command} {room} {rest}"));
    }
}

fn keep(door: &mut PlainDoor, rest: &str) {
    guard(door, rest, "KEEP");
}

fn erase(door: &mut PlainDoor, rest: &str) {
    door.request(format!("ERASE {rest}").trim_end().to_owned());
}

fn purge(door: &mut PlainDoor, rest: &str) {
    guard(door, rest, "PURGE");
}

fn modlog(door: &mut PlainDoor, rest: &str) {
    match word(rest) {
        ("*", rest) => door.request(format!("MODLOG * {rest}")),
        _ => guard(door, rest, "MODLOG"),
    }
}

fn hook(door: &mut PlainDoor, rest: &str) {
    let (what, rest) = word(rest);
    if what.is_empty() {
        return usage(door, "hook");
    }
    if let Some((room, rest)) = room_and_rest(door, rest) {
        door.request(format!("HOOK {what} {room} {rest}").trim_end().to_owned());
    }
}

fn rename(door: &mut PlainDoor, rest: &str) {
    let (name, reason) = word(rest);
    if name.is_empty() {
        return usage(door, "rename");
    }
    let name = if name.starts_with('#') { name.to_owned() } else { format!("#{name}") };
    match door.room().map(str::to_owned) {
        Some(room) => door.request_and_wait(format!("RENAME {room} {name} :{reason}")),
        None => door.in_no_room(),
    }
}

fn op(door: &mut PlainDoor, rest: &str) {
    role(door, "op", "+o", rest);
}

fn deop(door: &mut PlainDoor, rest: &str) {
    role(door, "deop", "-o", rest);
}

fn voice(door: &mut PlainDoor, rest: &str) {
    role(door, "voice", "+v", rest);
}

fn devoice(door: &mut PlainDoor, rest: &str) {
    role(door, "devoice", "-v", rest);
}

fn role(door: &mut PlainDoor, command: &str, change: &str, rest: &str) {
    let Some((room, rest)) = room_and_rest(door, rest) else { return };
    let (name, _) = word(rest);
    if name.is_empty() {
        return usage(door, command);
    }
    door.request(format!("MODE {room} {change} {name}"));
}

fn mode(door: &mut PlainDoor, rest: &str) {
    if let Some((room, changes)) = room_and_rest(door, rest) {
        door.request(format!("MODE {room} {changes}").trim_end().to_owned());
    }
}

fn upload(door: &mut PlainDoor, rest: &str) {
    if let Some((room, _)) = room_and_rest(door, rest) {
        door.request(format!("UPLOAD {room}"));
    }
}

fn echo(door: &mut PlainDoor, rest: &str) {
    match rest {
        "on" => {
            door.ask(Ask::Echo(true));
            door.tell("* You see what you say.");
        }
        "off" => {
            door.ask(Ask::Echo(false));
            door.tell("* You do not see what you say any more; refusals you do.");
        }
        _ => usage(door, "echo"),
    }
}

fn quit(door: &mut PlainDoor, rest: &str) {
    if rest.is_empty() {
        door.request("QUIT".to_owned());
    } else {
        door.request(format!("QUIT :{rest}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_changes() {
        assert_eq!(distance("jion", "join"), 2);
        assert_eq!(distance("hlep", "help"), 2);
        assert_eq!(distance("whoo", "who"), 1);
        assert_eq!(distance("", "me"), 2);
        assert_eq!(distance(&"x".repeat(1000), "me"), usize::MAX);
    }

    #[test]
    fn no_two_commands_share_a_name() {
        let mut names: Vec<&str> = ROWS.iter().flat_map(|row| row.names).copied().collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
