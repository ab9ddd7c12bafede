//! Slack's export, unpacked: `users.json`, and for each channel a folder with a file a day.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use chinwag_archive::transfer::{Kind, Record};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Sink, Skipped, list, text, unread};
use crate::Failure;

#[derive(Deserialize)]
struct User {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    profile: Profile,
}

#[derive(Default, Deserialize)]
struct Profile {
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    real_name: Option<String>,
}

#[derive(Deserialize)]
struct Bot {
    #[serde(default)]
    name: Option<String>,
}

/// What programs show below or instead of a text.
#[derive(Deserialize)]
struct Card {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    fallback: Option<String>,
}

/// A conversation of a few, in the lists beside `users.json`.
#[derive(Deserialize)]
struct Conversation {
    id: String,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    subtype: Option<String>,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    user_profile: Option<Profile>,
    #[serde(default)]
    bot_profile: Option<Bot>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    attachments: Vec<Card>,
    #[serde(default)]
    topic: Option<String>,
    ts: String,
    #[serde(default)]
    thread_ts: Option<String>,
    #[serde(default)]
    reactions: Vec<Reaction>,
    #[serde(default)]
    files: Vec<Attached>,
}

#[derive(Deserialize)]
struct Reaction {
    name: String,
    #[serde(default)]
    users: Vec<String>,
}

#[derive(Deserialize)]
struct Attached {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    url_private: Option<String>,
}

/// The names of people by their ids.
type Names = HashMap<String, String>;

/// Reads an unpacked export.
pub(super) fn read(folder: &Path, skipped: &mut Skipped, sink: Sink<'_>) -> Result<(), Failure> {
    if !folder.is_dir() {
        let sentence = format!(
            "{} is no folder: unpack Slack's export, and give the folder with users.json",
            folder.display()
        );
        return Err(Failure::Usage(sentence));
    }
    let users = folder.join("users.json");
    let users: Vec<User> = if users.is_file() { parse(&users)? } else { Vec::new() };
    let names: Names = users.into_iter().map(|user| (user.id.clone(), shown(user))).collect();
    let entries = std::fs::read_dir(folder).map_err(|error| unread(folder, &error))?;
    let mut channels: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    channels.sort();
    let closed = closed(folder)?;
    for channel in channels {
        let Some(name) = channel.file_name().and_then(|name| name.to_str()) else { continue };
        if closed.contains(name) {
            skipped.note("folders of no open room");
            continue;
        }
        let mut days = Vec::new();
        list(&channel, "json", &mut days)?;
        let room = text::room(name);
        // The numbers of messages, by when they were said.
        let mut numbers = HashMap::new();
        for day in days {
            let mut messages: Vec<Message> = parse(&day)?;
            messages.sort_by_key(|message| micros(&message.ts));
            for message in messages {
                one(&room, message, &names, &mut numbers, skipped, sink)?;
            }
        }
    }
    Ok(())
}

fn parse<T: DeserializeOwned>(file: &Path) -> Result<T, Failure> {
    let bytes = std::fs::read(file).map_err(|error| unread(file, &error))?;
    serde_json::from_slice(&bytes).map_err(|error| unread(file, &error))
}

fn shown(user: User) -> String {
    let Profile { display_name, real_name } = user.profile;
    [display_name, Some(user.name), real_name, Some(user.id)]
        .into_iter()
        .flatten()
        .find(|name| !name.is_empty())
        .unwrap_or_default()
}

/// The folders of what two or a few people said to each other, and of rooms that not everybody was let into: whoever opened
/// them here to all would tell what was told in confidence.
fn closed(folder: &Path) -> Result<HashSet<String>, Failure> {
    let mut names = HashSet::new();
    for list in ["dms.json", "mpims.json", "groups.json"].map(|name| folder.join(name)) {
        if list.is_file() {
            let found: Vec<Conversation> = parse(&list)?;
            names.extend(found.into_iter().flat_map(|one| [Some(one.id), one.name]).flatten());
        }
    }
    Ok(names)
}

impl Message {
    /// Who said it: a person that is known, one of another workspace, a program.
    fn author(&mut self, names: &Names) -> String {
        let known = self.user.as_ref().and_then(|id| names.get(id).cloned());
        let guest = self.user_profile.take().and_then(|guest| guest.display_name.or(guest.real_name));
        let bot = self.bot_profile.take().and_then(|bot| bot.name);
        [known, guest, self.username.take(), bot, self.user.take()]
            .into_iter()
            .flatten()
            .find(|name| !name.is_empty())
            .unwrap_or_else(|| "somebody".to_owned())
    }

    /// What was said, with what hangs below it.
    fn whole(&mut self, names: &Names) -> String {
        let mut parts = vec![plain(&self.text.take().unwrap_or_default(), names)];
        if parts[0].is_empty() {
            let cards = self.attachments.drain(..).filter_map(|card| card.text.or(card.fallback));
            parts.extend(cards.map(|text| plain(&text, names)));
        }
        // Behind the question mark is what lets whoever made the export fetch the file.
        let bare = |url: String| url.split('?').next().unwrap_or_default().to_owned();
        parts.extend(self.files.drain(..).filter_map(|file| file.url_private.map(bare).or(file.name)));
        parts.retain(|part| !part.is_empty());
        parts.join("\n")
    }
}

/// `1700000000.000100`, in microseconds.
fn micros(ts: &str) -> u64 {
    let (seconds, rest) = ts.split_once('.').unwrap_or((ts, "0"));
    let rest: String = format!("{rest:0<6}").chars().take(6).collect();
    seconds.parse::<u64>().unwrap_or(0) * 1_000_000 + rest.parse::<u64>().unwrap_or(0)
}

fn one(
    room: &str,
    mut message: Message,
    names: &Names,
    numbers: &mut HashMap<String, u64>,
    skipped: &mut Skipped,
    sink: Sink<'_>,
) -> Result<(), Failure> {
    let at_ms = micros(&message.ts) / 1_000;
    let known = |id: &String| names.get(id).unwrap_or(id).clone();
    let who = message.author(names);
    let kind = match message.subtype.as_deref() {
        None | Some("file_share" | "thread_broadcast" | "bot_message") => Kind::Message,
        Some("me_message") => Kind::Action,
        Some("channel_topic") => {
            let topic = Record::new(room, Kind::Topic, at_ms, &text::nick(&who));
            return sink(Record { text: Some(plain(&message.topic.unwrap_or_default(), names)), ..topic });
        }
        Some(_) => {
            skipped.note("lines about who came and went");
            return Ok(());
        }
    };
    let what = message.whole(names);
    let said = text::said(room, kind, at_ms, &who, &what).filter(|_| message.kind == "message");
    let Some(said) = said else {
        skipped.note("messages without a text");
        return Ok(());
    };
    let number = numbers.len() as u64 + 1;
    let to = message.thread_ts.filter(|ts| *ts != message.ts).and_then(|ts| numbers.get(&ts).copied());
    numbers.insert(message.ts, number);
    sink(Record { number: Some(number), to, ..said })?;
    for Reaction { name, users } in message.reactions {
        for user in users {
            let reaction = Record::new(room, Kind::Reaction, at_ms, &text::nick(&known(&user)));
            sink(Record { to: Some(number), text: Some(format!(":{name}:")), ..reaction })?;
        }
    }
    Ok(())
}

/// Slack's markup as people read it: `<@U1>`, `<#C1|name>`, `<https://…|words>`, `&lt;`.
fn plain(marked: &str, names: &Names) -> String {
    let (mut plain, mut rest) = (String::new(), marked);
    while let Some((before, after)) = rest.split_once('<') {
        plain.push_str(before);
        let Some((inside, behind)) = after.split_once('>') else {
            plain.push('<');
            rest = after;
            continue;
        };
        let (target, label) = inside.split_once('|').unwrap_or((inside, ""));
        match target.chars().next() {
            Some('@') => {
                let name = names.get(&target[1..]).map_or(&target[1..], String::as_str);
                plain.push_str(&format!("@{name}"));
            }
            Some('#') => plain.push_str(&format!("#{}", if label.is_empty() { &target[1..] } else { label })),
            Some('!') => plain.push_str(&format!("@{}", if label.is_empty() { &target[1..] } else { label })),
            _ if label.is_empty() || label == target => plain.push_str(target),
            _ => plain.push_str(&format!("{label} ({target})")),
        }
        rest = behind;
    }
    plain.push_str(rest);
    plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_read_as_people_read_it() {
        let names = Names::from([("U1".to_owned(), "ann".to_owned())]);
        let shown = |marked| plain(marked, &names);
        assert_eq!(shown("hi <@U1> &amp; <@U2>"), "hi @ann & @U2");
        assert_eq!(
            shown("<#C1|tea> <!here> <https://a.b|words> <https://a.b>"),
            "#tea @here words (https://a.b) https://a.b"
        );
        assert_eq!(shown("1 &lt; 2 < 3"), "1 < 2 < 3");
        assert_eq!(micros("1700000000.000100"), 1_700_000_000_000_100);
    }
}
