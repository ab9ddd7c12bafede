//! What may follow `say`, `tail` and `search`.

use chinwag_client::{Millis, Point};
use clap::{Args, Parser, Subcommand};

/// Behind `say`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Say {
    /// The room, or the nickname of somebody.
    pub room: String,
    /// What to say; nothing is standard input, a message a line.
    pub text: Vec<String>,
    /// All of standard input is one message of several lines; as few as possible where it is too long for one.
    #[arg(long)]
    pub as_one: bool,
    /// As something that you do (/me).
    #[arg(long)]
    pub action: bool,
}

/// Behind `tail`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// The rooms, or nicknames of people you have talked to.
    #[arg(required = true, value_name = "ROOM")]
    pub rooms: Vec<String>,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
    /// How many messages of before.
    #[arg(short = 'n', long = "lines", value_name = "COUNT", default_value_t = 10)]
    pub count: usize,
    /// All since a time (2026-11-21T14:00:00Z, 90s, 2h, 7d) or behind a message (its msgid).
    #[arg(long, value_name = "TIME|MSGID", conflicts_with = "count")]
    pub since: Option<String>,
    /// End there instead of waiting for more.
    #[arg(long)]
    pub once: bool,
}

/// Behind `search`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Words that must all be there, "phrases", begin*; also from:, in:, before: and after: as in /search.
    #[arg(required = true, value_name = "QUERY")]
    pub query: Vec<String>,
    /// In this room, or the conversation with this person.
    #[arg(long, value_name = "ROOM")]
    pub room: Option<String>,
    /// Said by who had this nickname or account.
    #[arg(long, value_name = "NAME")]
    pub from: Option<String>,
    /// Said since a time (2026-11-21T14:00:00Z, 90s, 2h, 7d) or behind a message (its msgid).
    #[arg(long, value_name = "TIME|MSGID")]
    pub since: Option<String>,
    /// One JSON object a line, as tail --json.
    #[arg(long)]
    pub json: bool,
    /// At most so many messages, the newest.
    #[arg(short = 'n', long = "lines", value_name = "COUNT", default_value_t = 20)]
    pub count: usize,
}

impl Search {
    /// The room that is looked in, if it is one: by `--room`, or by the words themselves.
    pub fn place(&self) -> Option<String> {
        let words = self.query.iter().flat_map(|words| words.split_whitespace());
        self.room
            .clone()
            .or_else(|| words.filter_map(|word| word.strip_prefix("in:")).next().map(str::to_owned))
    }
}

/// A command, as it is typed behind the name of a host.
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Say something in a room or to somebody: the text, or each line of standard input.
    Say(Say),
    /// Print the last messages of rooms, and those that come.
    Tail(Tail),
    /// Print what was said with certain words, oldest first.
    Search(Search),
}

#[derive(Parser, Debug)]
#[command(name = "ssh host", no_binary_name = true, disable_version_flag = true, after_help = AFTER)]
struct Typed {
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
Without a command you come in. Your local shell takes # for a comment: write '#room' in quotes.
Exit codes: 0 done, 1 failed or nothing found, 2 it makes no sense.";

/// Why nothing is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Help was asked for: this is it.
    Help(String),
    /// It makes no sense: a sentence that says why.
    Wrong(String),
}

/// Reads a command as it comes from another machine's shell.
///
/// # Errors
/// Help, or why it makes no sense.
pub fn parse(typed: &str) -> Result<Command, Refused> {
    let typed = typed.trim();
    let (verb, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    let words = match verb {
        "say" => said(rest),
        _ => split(typed).map_err(Refused::Wrong)?,
    };
    match Typed::try_parse_from(words) {
        Ok(typed) => Ok(typed.command),
        Err(error) if !error.use_stderr() => Err(Refused::Help(error.to_string())),
        Err(_) if !matches!(verb, "say" | "tail" | "search") => Err(Refused::Wrong(format!(
            "there is no command {verb:?}; there are say, tail and search, and without one you come in"
        ))),
        Err(error) => {
            let text = error.to_string();
            let sentence = text.split("\n\n").next().unwrap_or_default();
            let words: Vec<&str> = sentence.split_whitespace().collect();
            let sentence = words.join(" ").replacen("error: ", "", 1);
            Err(Refused::Wrong(format!("{verb}: {sentence}; `{verb} --help` explains it")))
        }
    }
}

/// The words of `say`. The text stays as it is typed: only what stands before it is taken apart.
fn said(rest: &str) -> Vec<String> {
    let mut words = vec!["say".to_owned()];
    let (mut rest, mut named) = (rest.trim(), false);
    while !rest.is_empty() {
        let (word, more) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        if !word.starts_with("--") && named {
            break;
        }
        named |= !word.starts_with('-');
        words.push(unquoted(word).to_owned());
        rest = more.trim_start();
    }
    if !rest.is_empty() {
        words.extend(["--".to_owned(), rest.to_owned()]);
    }
    words
}

/// A word without quotes around it: two shells may have looked at it, or one.
fn unquoted(word: &str) -> &str {
    let inside = |quote| word.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inside('\'').or_else(|| inside('"')).unwrap_or(word)
}

/// Words, with quotes around those that have spaces in them.
fn split(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for sign in text.chars() {
        match (sign, quote) {
            (sign, Some(open)) if sign == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(sign);
                word.get_or_insert_default();
            }
            (sign, None) if sign.is_whitespace() => words.extend(word.take()),
            (sign, _) => word.get_or_insert_default().push(sign),
        }
    }
    words.extend(word);
    match quote {
        Some(_) => Err("a quote is not closed".to_owned()),
        None => Ok(words),
    }
}

/// The point that `--since` names: a time, or a msgid.
///
/// # Errors
/// A sentence that says what it may be.
pub fn point(text: &str, now: Millis) -> Result<Point, String> {
    if let Some(at_ms) = chinwag_wire::time::parse_rfc3339_millis(text) {
        return Ok(Point::Time(at_ms));
    }
    let unit = text.chars().last().and_then(|unit| {
        [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)].into_iter().find(|(name, _)| *name == unit)
    });
    let number = text.get(..text.len().saturating_sub(1)).and_then(|number| number.parse::<u64>().ok());
    if let (Some((_, seconds)), Some(number)) = (unit, number) {
        return Ok(Point::Time(now.saturating_sub(number.saturating_mul(seconds).saturating_mul(1_000))));
    }
    match !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        true => Ok(Point::Msgid(text.into())),
        false => Err(format!(
            "--since {text:?} is neither a time (2026-11-21T14:00:00Z, 2h) nor a message's msgid"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        let say = |room: &str, text: &[&str], as_one| {
            let text = text.iter().map(|text| (*text).to_owned()).collect();
            Ok(Command::Say(Say { room: room.into(), text, as_one, action: false }))
        };
        assert_eq!(parse("say #ops  build's \"green\"  "), say("#ops", &["build's \"green\""], false));
        assert_eq!(parse("say '#ops'"), say("#ops", &[], false));
        assert_eq!(parse("say --as-one bob"), say("bob", &[], true));
        assert_eq!(parse("say bob --as-one two  -- words"), say("bob", &["two  -- words"], true));
        assert_eq!(parse("say bob -1 it is"), say("bob", &["-1 it is"], false));
        let rooms = vec!["#a".to_owned(), "#b".to_owned()];
        let tail = Tail { rooms, json: true, count: 500, since: None, once: false };
        assert_eq!(parse("tail #a --json -n 500 '#b'"), Ok(Command::Tail(tail)));
        let Ok(Command::Search(search)) = parse("search 'two words' x --from ann --room #a") else {
            panic!("no search")
        };
        assert_eq!((search.query.join("|").as_str(), search.from.as_deref()), ("two words|x", Some("ann")));
        assert_eq!(search.place().as_deref(), Some("#a"));
    }

    #[test]
    fn what_makes_no_sense_is_said_and_help_is_help() {
        for (typed, why) in [
            ("bash", "there is no command \"bash\""),
            ("", "there is no command"),
            ("scp -t /", "there is no command"),
            ("say", "say: the following required arguments were not provided: <ROOM>"),
            ("tail", "<ROOM>"),
            ("tail #a -n many", "'many'"),
            ("tail #a --follow", "--follow"),
            ("search", "<QUERY>"),
            ("search 'a", "not closed"),
            ("search a --room", "--room"),
        ] {
            match parse(typed) {
                Err(Refused::Wrong(error)) => {
                    assert!(error.contains(why) && !error.contains('\n'), "{typed}: {error}");
                }
                other => panic!("{typed}: {other:?}"),
            }
        }
        for typed in ["help", "--help", "say --help", "help tail"] {
            assert!(matches!(parse(typed), Err(Refused::Help(_))), "{typed}");
        }
    }

    #[test]
    fn since_when() {
        assert_eq!(point("2026-11-21T14:00:00Z", 0), Ok(Point::Time(1_795_269_600_000)));
        assert_eq!(point("2h", 7_300_000), Ok(Point::Time(100_000)));
        assert_eq!(point("AbC123", 0), Ok(Point::Msgid("AbC123".into())));
        assert!(point("two hours", 0).is_err());
    }
}
