//! `chinwag import`: what was said elsewhere, or here before, into a data folder on which no server runs.
//!
//! Every format is read twice: once to know the rooms and how much there is, once to store it. A reader gives records
//! in the order of time; what is there already is known by the archive.

mod discord;
mod irc;
mod jsonl;
mod slack;
mod text;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use chinwag_archive::transfer::{Importer, Record};
use chinwag_server::Config;

use crate::cli::{ImportArgs, ImportFormat};
use crate::progress::{Line, now_ms};
use crate::{Failure, folder, print};

/// Who is given the records, one by one.
type Sink<'s> = &'s mut dyn FnMut(Record) -> Result<(), Failure>;

/// What was left out in reading, and why; how often.
#[derive(Debug, Default)]
struct Skipped(BTreeMap<&'static str, u64>);

impl Skipped {
    fn note(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    fn sentence(&self) -> String {
        let parts: Vec<String> = self.0.iter().map(|(what, count)| format!("{count} {what}")).collect();
        if parts.is_empty() { String::new() } else { format!("Left out: {}.\n", parts.join(", ")) }
    }
}

/// `chinwag import`
pub(crate) fn run(args: ImportArgs) -> Result<(), Failure> {
    let data = folder::data(args.data.clone())?;
    let config = args.config.as_deref().map_or_else(|| Ok(Config::default()), Config::read);
    let config = config.map_err(|error| Failure::Usage(error.to_string()))?;
    let mut line = Line::new();
    let (mut rooms, mut total) = (HashSet::new(), 0_u64);
    let mut left_out = Skipped::default();
    read(&args, &mut left_out, &mut |record| {
        total += 1;
        line.say(|| format!("reading: {total}"));
        rooms.insert(record.room);
        Ok(())
    })?;
    if total == 0 {
        let file = args.files.first().map(|file| file.display().to_string()).unwrap_or_default();
        let left_out = left_out.sentence();
        let why = if left_out.is_empty() { "is --format right?" } else { left_out.trim_end() };
        return Err(Failure::Failed(format!("nothing was found in {file}; {why}")));
    }
    let casemapping = config.server.casemapping.of_names();
    let options = chinwag_archive::Options { now_ms: now_ms(), casemapping, ..Default::default() };
    let failed = |error: chinwag_archive::transfer::ImportError| Failure::Failed(error.to_string());
    let mut importer = Importer::open(&data, &rooms, options).map_err(failed)?;
    let (mut skipped, mut count) = (Skipped::default(), 0_u64);
    let taken = read(&args, &mut skipped, &mut |record| {
        count += 1;
        line.say(|| format!("importing: {count} of {total} ({} %)", count * 100 / total.max(1)));
        importer.take(record).map_err(failed)
    });
    // What was taken before something went wrong stays.
    let done = importer.finish().map_err(failed)?;
    taken?;
    drop(line);
    let mut names: Vec<String> = rooms.into_iter().collect();
    names.sort();
    let shown = if names.len() > 8 { format!("{} rooms", names.len()) } else { names.join(", ") };
    let mut text = format!("{shown}: {} records stored, {} were there already.\n", done.stored, done.known);
    if done.astray > 0 {
        text.push_str(&format!("{} were about messages that are not there.\n", done.astray));
    }
    print(&(text + &skipped.sentence()))
}

/// Reads everything, in the order of the format.
fn read(args: &ImportArgs, skipped: &mut Skipped, sink: Sink<'_>) -> Result<(), Failure> {
    let into = args.into.as_deref();
    let mut numbers = Numbers::default();
    let mut numbered = |mut record: Record| {
        if let Some(room) = into {
            room.clone_into(&mut record.room);
        }
        sink(record)
    };
    match args.format {
        ImportFormat::Jsonl => {
            args.files.iter().try_for_each(|file| jsonl::read(file, skipped, &mut numbered))
        }
        ImportFormat::Weechat | ImportFormat::Irssi | ImportFormat::Znc => {
            irc::read(args.format, &args.files, into, skipped, &mut |record| numbered(numbers.give(record)))
        }
        ImportFormat::Slack => {
            args.files.iter().try_for_each(|file| slack::read(file, skipped, &mut numbered))
        }
        ImportFormat::Discord => {
            let mut files = Vec::new();
            args.files.iter().try_for_each(|file| list(file, "json", &mut files))?;
            files.iter().try_for_each(|file| discord::read(file, skipped, &mut numbered))
        }
    }
}

/// Numbers for the messages of each room, where the format has none.
#[derive(Debug, Default)]
struct Numbers(HashMap<String, u64>);

impl Numbers {
    fn give(&mut self, mut record: Record) -> Record {
        if record.kind.is_message() {
            let number = self.0.entry(record.room.clone()).or_default();
            *number += 1;
            record.number = Some(*number);
        }
        record
    }
}

/// A file, or the files below a folder whose names end so, sorted.
fn list(path: &Path, ending: &str, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !path.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(path).map_err(|error| unread(path, &error))?;
    let mut below: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    below.sort();
    for path in below {
        if path.is_dir() || path.extension().is_some_and(|extension| extension == ending) {
            list(&path, ending, found)?;
        }
    }
    Ok(())
}

fn unread(file: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::Failed(format!("cannot read {}: {error}", file.display()))
}

/// A sentence about a place in a file.
fn wrong(file: &Path, line: usize, what: &dyn std::fmt::Display) -> Failure {
    Failure::Failed(format!("{}:{line}: {what}; is --format right?", file.display()))
}
