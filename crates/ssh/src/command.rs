//! What is typed behind the host: `ssh host say '#ops' text`. The same words as the command line's, as far as they
//! go.

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Says something; without a text, what comes in, a message a line.
    Say {
        /// A room, or a nickname.
        to: String,
        /// What.
        text: Option<String>,
        /// Several lines are one message.
        as_one: bool,
    },
    /// Shows what is said.
    Tail {
        /// Where.
        rooms: Vec<String>,
        /// As JSON, an object a line.
        json: bool,
        /// How many of the last messages come first.
        count: u32,
        /// Since when they do.
        since: Option<String>,
    },
    /// Looks for what was said.
    Search {
        /// Words.
        query: String,
        /// The room, if it is one.
        room: Option<String>,
        /// As JSON, an object a line.
        json: bool,
    },
    /// What there is.
    Help,
}

/// How the commands are used.
pub(crate) const USAGE: &str = "\
say ROOM [TEXT…] [--as-one]      says TEXT, or standard input, a message a line; done once it is kept
tail ROOM… [-n COUNT] [--since TIME|MSGID] [--json]      shows the last messages, and those to come
search QUERY [--room ROOM] [--from NAME] [--since TIME] [--json]      shows what was said
Without a command you come in. Your local shell takes # for a comment: write '#room' in quotes.
";

/// Messages that `tail` shows first.
const COUNT: u32 = 10;

/// Messages that may be asked for at once.
const COUNT_MAX: u32 = 100;

/// Reads a command.
///
/// # Errors
/// One sentence that says what to type.
pub(crate) fn parse(typed: &str) -> Result<Command, String> {
    let typed = typed.trim();
    let (verb, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    match verb {
        "say" => say(rest.trim_start()),
        "tail" => tail(&words(rest)?),
        "search" => search(&words(rest)?),
        "help" | "--help" | "-h" => Ok(Command::Help),
        other => Err(format!(
            "there is no command {other:?}; there are say, tail and search, and without one you come in"
        )),
    }
}

/// The text stays as it is typed: only what stands before it is taken apart.
fn say(rest: &str) -> Result<Command, String> {
    let (mut rest, mut as_one) = (rest, false);
    if let Some(behind) = rest.strip_prefix("--as-one") {
        (rest, as_one) = (behind.trim_start(), true);
    }
    let (to, text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let to = unquoted(to);
    if to.is_empty() || to.starts_with('-') {
        return Err("say where: ssh host say '#room' text".to_owned());
    }
    let mut text = text.trim();
    if let Some(behind) = text.strip_prefix("--as-one") {
        (text, as_one) = (behind.trim_start(), true);
    }
    Ok(Command::Say { to: to.to_owned(), text: (!text.is_empty()).then(|| text.to_owned()), as_one })
}

fn tail(words: &[String]) -> Result<Command, String> {
    let (mut rooms, mut json, mut count, mut since) = (Vec::new(), false, COUNT, None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--json" => json = true,
            "-n" => {
                let typed = words.next().and_then(|typed| typed.parse::<u32>().ok());
                count = typed.ok_or("how many? tail '#room' -n 20")?.min(COUNT_MAX);
            }
            "--since" => {
                since = Some(words.next().ok_or("since when? --since 2026-11-01T12:00:00Z")?.clone())
            }
            option if option.starts_with('-') => return Err(format!("tail has no option {option}")),
            room => rooms.push(room.to_owned()),
        }
    }
    if rooms.is_empty() {
        return Err("tail which room? ssh host tail '#room'".to_owned());
    }
    Ok(Command::Tail { rooms, json, count, since })
}

fn search(words: &[String]) -> Result<Command, String> {
    let (mut query, mut room, mut json) = (Vec::new(), None, false);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().cloned().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--json" => json = true,
            "--room" => room = Some(value()?),
            "--from" => query.push(format!("from:{}", value()?)),
            "--since" => query.push(format!("after:{}", value()?)),
            option if option.starts_with("--") => return Err(format!("search has no option {option}")),
            word => query.push(word.to_owned()),
        }
    }
    if query.is_empty() {
        return Err("search for what? ssh host search words --room '#room'".to_owned());
    }
    Ok(Command::Search { query: query.join(" "), room, json })
}

/// A word without quotes around it: two shells may have looked at it, or one.
fn unquoted(word: &str) -> &str {
    let inside = |quote| word.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inside('\'').or_else(|| inside('"')).unwrap_or(word)
}

/// Words, with quotes around those that have spaces in them.
fn words(text: &str) -> Result<Vec<String>, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        let say = |to: &str, text: Option<&str>, as_one| {
            Ok(Command::Say { to: to.into(), text: text.map(str::to_owned), as_one })
        };
        assert_eq!(parse("say #ops  build is \"green\" "), say("#ops", Some("build is \"green\""), false));
        assert_eq!(parse("say '#ops'"), say("#ops", None, false));
        assert_eq!(parse("say --as-one bob"), say("bob", None, true));
        assert_eq!(parse("say bob --as-one hello"), say("bob", Some("hello"), true));
        let tail =
            Command::Tail { rooms: vec!["#a".into(), "#b".into()], json: true, count: 100, since: None };
        assert_eq!(parse("tail #a --json -n 500 '#b'"), Ok(tail));
        let search =
            Command::Search { query: "two words from:ann".into(), room: Some("#a".into()), json: false };
        assert_eq!(parse("search 'two words' --from ann --room #a"), Ok(search));
        assert_eq!(parse("help"), Ok(Command::Help));
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for (typed, why) in [
            ("bash", "there is no command"),
            ("", "there is no command"),
            ("scp -t /", "there is no command"),
            ("say", "say where"),
            ("tail", "tail which room"),
            ("tail #a -n many", "how many"),
            ("tail #a --follow", "no option --follow"),
            ("search", "search for what"),
            ("search 'a", "not closed"),
            ("search a --room", "needs a value"),
        ] {
            let error = parse(typed).unwrap_err();
            assert!(error.contains(why), "{typed}: {error}");
        }
    }
}
