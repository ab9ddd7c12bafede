//! `chinwag backup`, `restore` and `rollback`: copies of a data folder, and the ways back.

use std::path::{Path, PathBuf};

use chinwag_archive::{BACKUP_EXTENSION, CopyError, Made, Progress};

use crate::cli::{BackupArgs, RestoreArgs, RollbackArgs};
use crate::progress::{self, Line, now_ms};
use crate::{Failure, folder, print};

/// `chinwag backup`
pub(crate) fn backup(args: BackupArgs) -> Result<(), Failure> {
    let data = folder::data(args.data)?;
    let now = now_ms();
    let to = place(&args.to, now);
    let mut line = Line::new();
    let made =
        chinwag_archive::backup(&data, &to, now, &mut |at| show(&mut line, "copying", at)).map_err(failed)?;
    drop(line);
    print(&format!(
        "{}\nThe configuration file is not part of it. `chinwag restore {}` brings it back.\n",
        described(&made),
        to.display()
    ))
}

/// A file; for a folder one that is called after the moment.
fn place(to: &Path, now: u64) -> PathBuf {
    let ends_in_slash = to.as_os_str().to_string_lossy().ends_with('/');
    if !to.is_dir() && !ends_in_slash {
        return to.to_owned();
    }
    let moment: String = progress::time(now).chars().filter(char::is_ascii_digit).collect();
    let (day, clock) = moment.split_at(moment.len().min(8));
    to.join(format!("chinwag-{day}-{clock}.{BACKUP_EXTENSION}"))
}

fn described(made: &Made) -> String {
    let Made { file, contents, files, bytes, .. } = made;
    let (size, position) = (progress::bytes(*bytes), contents.position);
    format!(
        "{} ({size}, read back): {} events up to position {position}, {} rooms and conversations, {files} other files, as of {}",
        file.display(),
        contents.events,
        contents.rooms,
        progress::time(made.at_ms),
    )
}

/// `chinwag restore`
pub(crate) fn restore(args: RestoreArgs) -> Result<(), Failure> {
    if args.check {
        let mut line = Line::new();
        line.say_now("reading it");
        let made = chinwag_archive::verify(&args.file).map_err(failed)?;
        drop(line);
        return print(&format!("{}\n", described(&made)));
    }
    let data = folder::data(args.data)?;
    let mut line = Line::new();
    let watch = &mut |at| show(&mut line, "restoring", at);
    let restored =
        chinwag_archive::restore(&args.file, &data, args.overwrite, now_ms(), watch).map_err(failed)?;
    drop(line);
    let mut text = format!("{} is what it was: {}\n", data.display(), described(&restored.from));
    if let Some(before) = restored.before {
        text.push_str(&format!(
            "What was there before is {}; `chinwag rollback --list` shows it.\n",
            before.display()
        ));
    }
    print(&text)
}

/// `chinwag rollback`
pub(crate) fn rollback(args: RollbackArgs) -> Result<(), Failure> {
    let data = folder::data(args.data)?;
    let all = chinwag_archive::snapshots(&data).map_err(failed)?;
    if args.list {
        let rows = all.iter().map(|found| {
            let (size, time) = (progress::bytes(found.bytes), progress::time(found.at_ms));
            format!("{}  {time}  form {}, before {}, {size}\n", found.name, found.form, named(&found.why))
        });
        let rows: String = rows.collect();
        return print(if rows.is_empty() {
            "There are no snapshots: they are made before a new version changes the data.\n"
        } else {
            &rows
        });
    }
    let chosen = match &args.name {
        Some(name) => all.iter().find(|found| found.name == *name),
        None => all.iter().rfind(|found| found.why == "upgrade"),
    };
    if let Some(found) = chosen.filter(|_| !args.yes) {
        return Err(Failure::Usage(format!(
            "this goes back to {}, and leaves out what was said since then; say --yes to do it",
            progress::time(found.at_ms)
        )));
    }
    let mut line = Line::new();
    let watch = &mut |at| show(&mut line, "going back", at);
    let back = chinwag_archive::rollback(&data, args.name.as_deref(), now_ms(), watch).map_err(failed)?;
    drop(line);
    let mut text = format!(
        "{} is what it was at {}: {} events up to position {}, form {}.\n",
        data.display(),
        progress::time(back.to.at_ms),
        back.contents.events,
        back.contents.position,
        back.contents.form,
    );
    if let Some(before) = back.before {
        text.push_str(&format!("What was there before is {}.\n", before.display()));
    }
    text.push_str(
        "Start the version of chinwag from before now: this one would bring it to its form again.\n",
    );
    print(&text)
}

fn named(why: &str) -> &str {
    match why {
        "upgrade" => "a new version",
        "restore" => "a restore",
        "rollback" => "a rollback",
        other => other,
    }
}

fn show(line: &mut Line, what: &str, at: Progress) {
    match at {
        Progress::Copying { done, of } => line.say(|| format!("{what}: {} %", done * 100 / of.max(1))),
        Progress::Taking(name) => line.say(|| format!("{what}: {name}")),
        Progress::Checking => line.say_now("reading it back"),
    }
}

fn failed(error: CopyError) -> Failure {
    Failure::Failed(error.to_string())
}
