//! What DiscordChatExporter writes as JSON: a file a channel.

use std::collections::HashMap;
use std::path::Path;

use chinwag_archive::transfer::{Kind, Record};
use serde::Deserialize;

use super::{Sink, Skipped, text, unread, wrong};
use crate::Failure;

#[derive(Deserialize)]
struct Export {
    channel: Channel,
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Channel {
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    id: String,
    #[serde(default, rename = "type")]
    kind: String,
    timestamp: String,
    #[serde(default)]
    content: String,
    author: Author,
    #[serde(default)]
    attachments: Vec<Attachment>,
    #[serde(default)]
    embeds: Vec<Embed>,
    #[serde(default)]
    reactions: Vec<Reaction>,
    #[serde(default)]
    reference: Option<Reference>,
}

#[derive(Deserialize)]
struct Author {
    name: String,
    #[serde(default)]
    nickname: Option<String>,
}

#[derive(Deserialize)]
struct Attachment {
    url: String,
}

/// What programs show below or instead of a text.
#[derive(Deserialize)]
struct Embed {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Deserialize)]
struct Reaction {
    emoji: Emoji,
    #[serde(default)]
    users: Vec<Author>,
}

#[derive(Deserialize)]
struct Emoji {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    #[serde(default)]
    message_id: Option<String>,
}

impl Author {
    fn shown(&self) -> &str {
        self.nickname.as_deref().filter(|name| !name.is_empty()).unwrap_or(&self.name)
    }
}

/// Reads one channel.
pub(super) fn read(file: &Path, skipped: &mut Skipped, sink: Sink<'_>) -> Result<(), Failure> {
    let bytes = std::fs::read(file).map_err(|error| unread(file, &error))?;
    let export: Export = serde_json::from_slice(&bytes).map_err(|error| wrong(file, error.line(), &error))?;
    drop(bytes);
    if matches!(export.channel.kind.as_str(), "DirectTextChat" | "DirectGroupTextChat" | "1" | "3") {
        // What a few people said to each other is no room's.
        skipped.note("files of no room");
        return Ok(());
    }
    let room = text::room(&export.channel.name);
    let mut numbers = HashMap::new();
    for message in export.messages {
        let at_ms = message.timestamp.parse::<jiff::Timestamp>().ok();
        let at_ms = at_ms.and_then(|time| u64::try_from(time.as_millisecond()).ok());
        let Some(at_ms) = at_ms else {
            skipped.note("messages without a time");
            continue;
        };
        // Numbers are those of what people said; what the service says of them has others.
        if !matches!(message.kind.as_str(), "" | "Default" | "Reply" | "0" | "19" | "20" | "23") {
            skipped.note("lines about who came and went");
            continue;
        }
        let mut what = message.content;
        if what.is_empty() {
            let embeds = message.embeds.into_iter();
            let lines = embeds.flat_map(|embed| [embed.title, embed.description, embed.url]);
            what = lines.flatten().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
        }
        for Attachment { url } in message.attachments {
            what.push_str(if what.is_empty() { "" } else { "\n" });
            what.push_str(&url);
        }
        let Some(said) = text::said(&room, Kind::Message, at_ms, message.author.shown(), &what) else {
            skipped.note("messages without a text");
            continue;
        };
        let number = numbers.len() as u64 + 1;
        let answered = message.reference.and_then(|reference| reference.message_id);
        let to = answered.and_then(|id| numbers.get(&id).copied());
        numbers.insert(message.id, number);
        sink(Record { number: Some(number), to, ..said })?;
        for Reaction { emoji, users } in message.reactions {
            for user in users {
                let reaction = Record::new(&room, Kind::Reaction, at_ms, &text::nick(user.shown()));
                sink(Record { to: Some(number), text: Some(emoji.name.clone()), ..reaction })?;
            }
        }
    }
    Ok(())
}
