//! Numeric replies: the welcome, names, topics, modes, and everything that is only shown.

use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::time::parse_rfc3339_millis;

use crate::buffer::{BufferId, Topic};
use crate::change::Change;
use crate::client::Client;
use crate::dispatch::Context;
use crate::line::LineKind;
use crate::members::Member;

/// A room with more members is not asked who is away.
const WHO_MAX: usize = 200;

impl Client {
    pub(crate) fn numeric(&mut self, number: u16, message: &Message<'_>, context: &Context) {
        if self.login_numeric(number, message) {
            return;
        }
        let now = context.now;
        let room = |client: &Client, at: usize| message.params.get(at).and_then(|name| client.find(name));
        match number {
            1 => {
                self.welcome(message, now);
                self.show(number, message, context);
            }
            5 => {
                for token in message.params.iter().skip(1) {
                    if !token.contains(' ') {
                        self.server.token(token);
                    }
                }
            }
            376 | 422 => {
                self.show(number, message, context);
                self.ready(now);
            }
            221 => {
                self.me.modes = String::new();
                crate::people::merge(&mut self.me.modes, message.params.get(1).unwrap_or(""));
                self.changes.add(Change::Me);
            }
            // Counts and versions that nobody asked for, and ends of lists that are seen to have ended.
            2..=4 | 252..=255 | 265 | 266 if context.label.is_none() => {}
            312 | 318 | 321 | 323 | 338 | 369 => {}
            324 => {
                if let Some(id) = room(self, 1) {
                    let modes = crate::dispatch::from(message, 2);
                    self.with(id, |buffer| buffer.modes = modes);
                }
                if context.label.is_some() {
                    self.show(number, message, context);
                }
            }
            // When a room was opened, where it is, and that there is no topic: nobody asked.
            328 | 329 => {}
            331 => {
                if let Some(id) = room(self, 1) {
                    self.with(id, |buffer| buffer.topic = None);
                }
            }
            332 | 333 => self.topic_told(number, message),
            353 => self.names(message),
            366 => self.names_end(message, now),
            352 | 354 => {
                if !self.who_told(number, message) {
                    self.show(number, message, context);
                }
            }
            315 => {}
            396 => self.me.host = message.params.get(1).unwrap_or("").into(),
            432 | 433 | 436 | 437 | 438 => self.nick_refused(number, message, now),
            464 | 465 => {
                let text = message.params.last().copied().unwrap_or("The server lets you in no more");
                self.refuse(text);
            }
            403 | 405 | 471 | 473..=477 | 480 | 489 | 520 => self.not_let_in(message, context),
            400..=599 | 691 | 696 | 723 | 742 | 743 => {
                let text = told(message);
                self.complain(message, &text, context);
            }
            _ => self.show(number, message, context),
        }
    }

    /// Changes a buffer, and says so.
    fn with(&mut self, id: BufferId, change: impl FnOnce(&mut crate::Buffer)) {
        if let Some(buffer) = self.buffer_mut(id) {
            change(buffer);
            self.changes.add(Change::Buffer(id));
        }
    }

    /// Shows a reply where it was asked for: as a sentence where there is one.
    fn show(&mut self, number: u16, message: &Message<'_>, context: &Context) {
        let text = sentence(number, message).unwrap_or_else(|| told(message));
        let buffer = match context.label {
            Some(_) => self.buffer_about(message, context),
            None => self.server_buffer(),
        };
        self.note(buffer, LineKind::Info, &text, context.now);
    }

    /// `332 <me> <room> :<topic>` and `333 <me> <room> <who> <when>`
    fn topic_told(&mut self, number: u16, message: &Message<'_>) {
        let (Some(id), Some(text)) =
            (message.params.get(1).and_then(|name| self.find(name)), message.params.get(2))
        else {
            return;
        };
        let at_ms = message.params.get(3).and_then(|seconds| seconds.parse::<u64>().ok());
        self.with(id, |buffer| {
            if number == 332 {
                buffer.topic = Some(Topic { text: text.to_string(), by: None, at_ms: None });
            } else if let Some(topic) = &mut buffer.topic {
                topic.by = text.split('!').next().map(Arc::from);
                topic.at_ms = at_ms.map(|seconds| seconds * 1_000);
            }
        });
    }

    /// `353 <me> <symbol> <room> :<signs and nicknames>`
    fn names(&mut self, message: &Message<'_>) {
        let (Some(name), Some(list)) = (message.params.get(2), message.params.get(3)) else { return };
        let Some(id) = self.find(name) else { return };
        let signs = self.server.role_signs.clone();
        let mut found = Vec::new();
        for word in list.split(' ').filter(|word| !word.is_empty()) {
            let bare = word.trim_start_matches(|c| signs.contains(c));
            let roles = word[..word.len() - bare.len()].to_owned();
            let nick = bare.split('!').next().unwrap_or(bare);
            found.push((self.server.fold(nick), nick.to_owned(), roles));
        }
        self.with(id, |buffer| {
            for (folded, nick, roles) in found {
                // What is known of somebody already stays: names tell only of roles.
                let known = buffer.members.remove(folded.as_str());
                let mut member = known.unwrap_or_else(|| Member {
                    nick: nick.as_str().into(),
                    account: None,
                    roles: String::new(),
                    away: false,
                    bot: false,
                });
                member.roles = roles;
                buffer.members.put(folded.as_str(), member, &signs);
            }
        });
    }

    /// `366`: all names were told; who is away is asked where there are not too many.
    fn names_end(&mut self, message: &Message<'_>, _now: u64) {
        let Some(id) = message.params.get(1).and_then(|name| self.find(name)) else { return };
        let Some(buffer) = self.buffer_mut(id) else { return };
        let ask = buffer.members.len() <= WHO_MAX && buffer.joined && !buffer.naming;
        let name = Arc::clone(&buffer.name);
        if ask && self.server.has("away-notify") && self.server.isupport.contains_key("WHOX") {
            self.with(id, |buffer| buffer.naming = true);
            self.tell("WHO", &[&name, WHO_FIELDS]);
        }
    }

    /// An answer to the own question who is away. Says whether it was one.
    fn who_told(&mut self, number: u16, message: &Message<'_>) -> bool {
        let [_, token, room, nick, flags, account] = message.params[..] else { return false };
        if number != 354 || token != WHO_TOKEN {
            return false;
        }
        let Some(id) = self.find(room) else { return true };
        let (folded, signs) = (self.server.fold(nick), self.server.role_signs.clone());
        let bot = self.server.isupport.get("BOT").is_some_and(|letter| flags.contains(letter.as_str()));
        self.with(id, |buffer| {
            buffer.members.change(folded.as_str(), &signs, |member| {
                member.away = flags.starts_with('G');
                member.bot = bot;
                member.account = (account != "0").then(|| Arc::from(account));
            });
        });
        true
    }

    /// A room cannot be entered.
    fn not_let_in(&mut self, message: &Message<'_>, context: &Context) {
        let text = message.params.last().copied().unwrap_or("You cannot come in").to_owned();
        let room = message.params.get(1).and_then(|name| self.find(name));
        match room.filter(|id| self.buffer(*id).is_some_and(|buffer| !buffer.joined && buffer.wanted)) {
            Some(id) if self.gives_again(id) => {}
            Some(id) => {
                self.with(id, |buffer| buffer.wanted = false);
                self.give_up(id, &text);
                self.note(id, LineKind::Error, &text, context.now);
            }
            None => {
                let text = told(message);
                self.complain(message, &text, context);
            }
        }
    }

    /// `MARKREAD <target> timestamp=<time> | *`
    pub(crate) fn mark_told(&mut self, message: &Message<'_>) {
        let (Some(name), Some(mark)) = (message.params.first(), message.params.get(1)) else { return };
        let at_ms = mark.strip_prefix("timestamp=").and_then(parse_rfc3339_millis);
        let (Some(id), Some(at_ms)) = (self.find(name), at_ms) else { return };
        self.with(id, |buffer| {
            buffer.marked_ms = buffer.marked_ms.max(Some(at_ms));
            if buffer.last_read_ms.is_none_or(|read_ms| read_ms < at_ms) {
                buffer.last_read_ms = Some(at_ms);
                buffer.recount();
            }
        });
    }
}

/// The fields of WHO that are asked for, and the number that tells the answer from one that somebody typed for.
const WHO_FIELDS: &str = "%tcnfa,827";
const WHO_TOKEN: &str = "827";

/// What a numeric says, without my own nickname.
fn told(message: &Message<'_>) -> String {
    crate::dispatch::from(message, 1)
}

/// Answers to WHOIS, WHO, LIST and the like for people.
fn sentence(number: u16, message: &Message<'_>) -> Option<String> {
    let params = message.params.as_slice();
    Some(match (number, params) {
        (311, [_, nick, user, host, .., name]) => format!("{nick} ({user}@{host}): {name}"),
        (317, [_, nick, seconds, ..]) => {
            let seconds = seconds.parse::<u64>().ok()?;
            let (count, unit) = match seconds {
                0..=119 => (seconds, "seconds"),
                120..=7_199 => (seconds / 60, "minutes"),
                _ => (seconds / 3_600, "hours"),
            };
            format!("{nick} has said nothing for {count} {unit}")
        }
        (319, [_, nick, rooms]) => format!("{nick} is in {}", rooms.trim_end()),
        (322, [_, room, count, ""]) => format!("{room}  {count} here"),
        (322, [_, room, count, topic]) => format!("{room}  {count} here  {topic}"),
        // The servers that lie between are of no use to anybody.
        (352, [_, _, user, host, _, nick, flags, name]) => {
            let name = name.split_once(' ').map_or(*name, |(_, name)| name);
            let away = if flags.starts_with('G') { ", away" } else { "" };
            format!("{nick} ({user}@{host}): {name}{away}")
        }
        (324, [_, room, modes @ ..]) => format!("{room} has the modes {}", modes.join(" ")),
        (351, [_, version, server, comment]) => format!("{server} runs {version}: {comment}"),
        // The same as numbers comes first.
        (265 | 266 | 391, [_, .., text]) => (*text).to_owned(),
        (330, [_, nick, account, ..]) => format!("{nick} is logged in as {account}"),
        _ => return None,
    })
}
