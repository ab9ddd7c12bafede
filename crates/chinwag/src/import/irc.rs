//! Logs of IRC clients: WeeChat's, irssi's and those of ZNC's module `log`. Times are those of the zone of this machine
//! (or of the variable TZ), unless they say otherwise; who came and went is left out.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use chinwag_archive::transfer::Kind;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::{Sink, Skipped, list, text, unread};
use crate::Failure;
use crate::cli::ImportFormat;

/// Signs of roles before a nickname.
const SIGNS: [char; 6] = ['~', '&', '@', '%', '+', ' '];

/// A line of a log.
#[derive(Debug, PartialEq, Eq)]
enum Said<'l> {
    /// Somebody said something: the time of day or the whole time, how, who, what.
    Line(When, Kind, &'l str, &'l str),
    /// Another day begins.
    Day(Date),
    /// Who came, who went, and the like.
    Other,
    /// It makes no sense.
    Unknown,
}

/// When something was said.
#[derive(Debug, PartialEq, Eq)]
enum When {
    /// On the day that the log is at.
    Clock(Time),
    /// In the zone of this machine.
    Local(DateTime),
    /// Milliseconds since the Unix epoch.
    Exact(u64),
}

/// Reads the logs; each file is of one room, `into` if it is given, or the one that its name says.
pub(super) fn read(
    format: ImportFormat,
    paths: &[PathBuf],
    into: Option<&str>,
    skipped: &mut Skipped,
    sink: Sink<'_>,
) -> Result<(), Failure> {
    let ending = if format == ImportFormat::Weechat { "weechatlog" } else { "log" };
    let mut files = Vec::new();
    paths.iter().try_for_each(|path| list(path, ending, &mut files))?;
    for file in files {
        let name = into.map(str::to_owned).or_else(|| room_of(format, &file));
        let Some(name) = name else {
            let sentence =
                format!("{} does not say of which room it is; say it with --into '#room'", file.display());
            return Err(Failure::Usage(sentence));
        };
        if !name.starts_with(['#', '&']) {
            // What two people said to each other, or to a server, is no room's.
            skipped.note("files of no room");
            continue;
        }
        one(format, &file, &name, skipped, sink)?;
    }
    Ok(())
}

fn one(
    format: ImportFormat,
    file: &Path,
    room: &str,
    skipped: &mut Skipped,
    sink: Sink<'_>,
) -> Result<(), Failure> {
    let mut reader = BufReader::new(File::open(file).map_err(|error| unread(file, &error))?);
    let zone = TimeZone::system();
    let mut day = date_of(file);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).map_err(|error| unread(file, &error))? > 0 {
        let line = String::from_utf8_lossy(&bytes).into_owned();
        bytes.clear();
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            continue;
        }
        let said = match format {
            ImportFormat::Weechat => weechat(line),
            ImportFormat::Irssi => irssi(line),
            _ => znc(line),
        };
        match said {
            Said::Day(date) => day = Some(date),
            Said::Other => skipped.note("lines about who came and went"),
            Said::Unknown => skipped.note("lines that make no sense"),
            Said::Line(when, kind, who, what) => match millis(when, day, &zone) {
                Some(at_ms) => text::said(room, kind, at_ms, who.trim_start_matches(SIGNS), what)
                    .map_or(Ok(()), &mut *sink)?,
                None => skipped.note("lines without a day"),
            },
        }
    }
    Ok(())
}

fn millis(when: When, day: Option<Date>, zone: &TimeZone) -> Option<u64> {
    let local = match when {
        When::Exact(at_ms) => return Some(at_ms),
        When::Local(local) => local,
        When::Clock(clock) => day?.to_datetime(clock),
    };
    let zoned = zone.to_ambiguous_zoned(local).compatible().ok()?;
    u64::try_from(zoned.timestamp().as_millisecond()).ok()
}

/// The room that a file's name or folder says.
fn room_of(format: ImportFormat, file: &Path) -> Option<String> {
    let stem = file.file_stem()?.to_str()?;
    match format {
        // irc.server.#room.weechatlog
        ImportFormat::Weechat => {
            let rest = stem.strip_prefix("irc.")?;
            rest.split_once('.').map(|(_, name)| name.to_owned())
        }
        // #room.log, or #room_20231114.log of ZNC's older versions
        _ if stem.starts_with(['#', '&']) => {
            let dated =
                |(_, end): &(&str, &str)| end.len() == 8 && end.bytes().all(|byte| byte.is_ascii_digit());
            Some(stem.rsplit_once('_').filter(dated).map_or(stem, |(name, _)| name).to_owned())
        }
        // network/#room/2023-11-14.log
        _ => {
            Some(file.parent()?.file_name()?.to_str()?.to_owned()).filter(|name| name.starts_with(['#', '&']))
        }
    }
}

/// The day that a file's name says, as ZNC's do.
fn date_of(file: &Path) -> Option<Date> {
    let stem = file.file_stem()?.to_str()?;
    let day = stem.rsplit('_').next()?;
    day.parse().ok().or_else(|| Date::strptime("%Y%m%d", day).ok())
}

/// `2023-11-14 22:13:20<tab>nick<tab>text`; an action has ` *` for the nickname, and the nickname before the text.
fn weechat(line: &str) -> Said<'_> {
    let mut parts = line.splitn(3, '\t');
    let (Some(time), Some(prefix), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
        return Said::Unknown;
    };
    let when = match chinwag_wire::time::parse_rfc3339_millis(time) {
        Some(at_ms) => When::Exact(at_ms),
        None => match time.parse() {
            Ok(local) => When::Local(local),
            Err(_) => return Said::Unknown,
        },
    };
    match prefix.trim() {
        "*" => {
            text.split_once(' ').map_or(Said::Other, |(who, text)| Said::Line(when, Kind::Action, who, text))
        }
        "-->" | "<--" | "=!=" | "" => Said::Other,
        "--" => match text.strip_prefix("Notice(").and_then(|rest| rest.split_once("): ")) {
            Some((who, text)) => Said::Line(when, Kind::Notice, who, text),
            None => Said::Other,
        },
        who => Said::Line(when, Kind::Message, who, text),
    }
}

/// `22:13 < nick> text`, `22:13  * nick text`, `22:13 -nick:#room- text`; days in lines of their own.
fn irssi(line: &str) -> Said<'_> {
    if let Some(rest) = line.strip_prefix("--- ") {
        let day = rest.strip_prefix("Day changed ").map(|day| Date::strptime("%a %b %d %Y", day));
        let opened = |rest: &str| DateTime::strptime("%a %b %d %H:%M:%S %Y", rest).map(|time| time.date());
        let day = day.or_else(|| rest.strip_prefix("Log opened ").map(opened));
        return day.map_or(Said::Other, |day| day.map_or(Said::Unknown, Said::Day));
    }
    let Some((clock, rest)) = line.split_once(' ') else { return Said::Unknown };
    let Some(clock) = clock_of(clock) else { return Said::Unknown };
    let when = When::Clock(clock);
    if let Some(rest) = rest.strip_prefix('<') {
        return rest
            .split_once("> ")
            .map_or(Said::Other, |(who, text)| Said::Line(when, Kind::Message, who, text));
    }
    if let Some((who, text)) = rest.strip_prefix(" * ").and_then(|rest| rest.split_once(' ')) {
        return Said::Line(when, Kind::Action, who, text);
    }
    match rest.strip_prefix('-').filter(|rest| !rest.starts_with("!-")).and_then(|rest| rest.split_once("- "))
    {
        Some((who, text)) => Said::Line(when, Kind::Notice, who.split(':').next().unwrap_or(who), text),
        None => Said::Other,
    }
}

/// `[22:13:20] <nick> text`, `[22:13:20] * nick text`, `[22:13:20] -nick- text`.
fn znc(line: &str) -> Said<'_> {
    let found = line.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    let Some((clock, rest)) = found.and_then(|(clock, rest)| Some((clock_of(clock)?, rest))) else {
        return Said::Unknown;
    };
    let when = When::Clock(clock);
    if let Some(rest) = rest.strip_prefix('<') {
        return rest
            .split_once("> ")
            .map_or(Said::Other, |(who, text)| Said::Line(when, Kind::Message, who, text));
    }
    if let Some((who, text)) = rest.strip_prefix("* ").and_then(|rest| rest.split_once(' ')) {
        return Said::Line(when, Kind::Action, who, text);
    }
    match rest.strip_prefix('-').and_then(|rest| rest.split_once("- ")) {
        Some((who, text)) => Said::Line(when, Kind::Notice, who, text),
        None => Said::Other,
    }
}

/// `22:13` or `22:13:20`.
fn clock_of(text: &str) -> Option<Time> {
    let form = if text.len() == 5 { "%H:%M" } else { "%H:%M:%S" };
    Time::strptime(form, text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(hour: i8, minute: i8, second: i8) -> When {
        When::Clock(jiff::civil::time(hour, minute, second, 0))
    }

    #[test]
    fn lines_of_weechat() {
        let when = || When::Local(jiff::civil::datetime(2023, 11, 14, 22, 13, 20, 0));
        let line = |rest: &str| format!("2023-11-14 22:13:20\t{rest}");
        assert_eq!(
            weechat(&line("@ann\thello\tthere")),
            Said::Line(when(), Kind::Message, "@ann", "hello\tthere")
        );
        assert_eq!(weechat(&line(" *\tann waves")), Said::Line(when(), Kind::Action, "ann", "waves"));
        assert_eq!(weechat(&line("--\tNotice(bob): hi")), Said::Line(when(), Kind::Notice, "bob", "hi"));
        assert_eq!(weechat(&line("-->\tann (~ann@host) has joined #tea")), Said::Other);
        assert_eq!(
            weechat("2023-11-14T22:13:20.5Z\tann\tx"),
            Said::Line(When::Exact(1_700_000_000_500), Kind::Message, "ann", "x")
        );
        assert_eq!(weechat("something else"), Said::Unknown);
    }

    #[test]
    fn lines_of_irssi() {
        assert_eq!(
            irssi("--- Log opened Tue Nov 14 22:13:20 2023"),
            Said::Day(jiff::civil::date(2023, 11, 14))
        );
        assert_eq!(irssi("--- Day changed Wed Nov 15 2023"), Said::Day(jiff::civil::date(2023, 11, 15)));
        assert_eq!(irssi("--- Log closed Wed Nov 15 00:00:01 2023"), Said::Other);
        assert_eq!(irssi("22:13 < ann> a > b"), Said::Line(clock(22, 13, 0), Kind::Message, " ann", "a > b"));
        assert_eq!(irssi("22:13  * ann waves"), Said::Line(clock(22, 13, 0), Kind::Action, "ann", "waves"));
        assert_eq!(irssi("22:13 -bob:#tea- hi"), Said::Line(clock(22, 13, 0), Kind::Notice, "bob", "hi"));
        assert_eq!(irssi("22:13 -!- ann [~ann@host] has joined #tea"), Said::Other);
    }

    #[test]
    fn lines_of_znc() {
        assert_eq!(znc("[22:13:20] <ann> hi"), Said::Line(clock(22, 13, 20), Kind::Message, "ann", "hi"));
        assert_eq!(
            znc("[22:13:20] * ann waves"),
            Said::Line(clock(22, 13, 20), Kind::Action, "ann", "waves")
        );
        assert_eq!(znc("[22:13:20] -bob- hi"), Said::Line(clock(22, 13, 20), Kind::Notice, "bob", "hi"));
        assert_eq!(znc("[22:13:20] *** Joins: ann (~ann@host)"), Said::Other);
    }

    #[test]
    fn rooms_and_days_are_in_names() {
        let room = |format, path: &str| room_of(format, Path::new(path));
        assert_eq!(room(ImportFormat::Weechat, "irc.libera.#tea.x.weechatlog").as_deref(), Some("#tea.x"));
        assert_eq!(room(ImportFormat::Irssi, "logs/net/#tea.log").as_deref(), Some("#tea"));
        assert_eq!(room(ImportFormat::Znc, "net/#tea/2023-11-14.log").as_deref(), Some("#tea"));
        assert_eq!(room(ImportFormat::Znc, "net_#tea_20231114.log"), None);
        assert_eq!(room(ImportFormat::Znc, "#tea_20231114.log").as_deref(), Some("#tea"));
        let day = Some(jiff::civil::date(2023, 11, 14));
        assert_eq!(date_of(Path::new("net/#tea/2023-11-14.log")), day);
        assert_eq!(date_of(Path::new("#tea_20231114.log")), day);
    }
}
