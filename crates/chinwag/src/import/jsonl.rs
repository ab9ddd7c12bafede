//! Lines that chinwag wrote: `export --data`, which says everything, and `export` and `tail --json`, which say what a
//! member reads.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use chinwag_archive::transfer::{Kind, Record};
use serde::Deserialize;

use super::{Sink, Skipped, text, unread, wrong};
use crate::Failure;

/// A line as `tail --json` prints it; fields that may come are no mistake.
#[derive(Deserialize)]
struct Shown {
    room: String,
    msgid: Option<String>,
    time: String,
    nick: String,
    account: Option<String>,
    kind: Kind,
    text: String,
    reply_to: Option<String>,
}

/// Reads one file.
pub(super) fn read(file: &Path, _: &mut Skipped, sink: Sink<'_>) -> Result<(), Failure> {
    let lines = BufReader::new(File::open(file).map_err(|error| unread(file, &error))?).lines();
    // The numbers of messages by room, and by msgid.
    let (mut counts, mut named) = (HashMap::<String, u64>::new(), HashMap::new());
    for (index, line) in lines.enumerate() {
        let line = line.map_err(|error| unread(file, &error))?;
        if line.trim().is_empty() {
            continue;
        }
        let wrong = |error: serde_json::Error| wrong(file, index + 1, &error);
        let shown = line.contains("\"msgid\":");
        if !shown {
            sink(serde_json::from_str::<Record>(&line).map_err(wrong)?)?;
            continue;
        }
        let shown: Shown = serde_json::from_str(&line).map_err(wrong)?;
        let at_ms = chinwag_wire::time::parse_rfc3339_millis(&shown.time);
        let at_ms = at_ms.ok_or_else(|| super::wrong(file, index + 1, &"its time makes no sense"))?;
        let Some(record) = text::said(&shown.room, shown.kind, at_ms, &shown.nick, &shown.text) else {
            continue;
        };
        let number = counts.entry(shown.room).or_default();
        *number += 1;
        if let Some(msgid) = shown.msgid {
            named.insert(msgid, *number);
        }
        let to = shown.reply_to.and_then(|msgid| named.get(&msgid).copied());
        sink(Record { number: Some(*number), account: shown.account, to, ..record })?;
    }
    Ok(())
}
