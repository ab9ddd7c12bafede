//! Completion: nicknames, rooms, commands, emoji shortcodes; Tab goes through what fits.

use chinwag_client::BufferKind;

use super::App;

/// So many are offered.
const OFFERED_MAX: usize = 40;
/// Lines that are looked at for who spoke last.
const SPOKEN_LINES: usize = 300;

/// What Tab goes through.
#[derive(Debug, Clone)]
pub struct Completion {
    /// Where in the text what is completed begins.
    pub from: usize,
    /// What stands there now ends here.
    pub to: usize,
    /// What can stand there.
    pub offered: Vec<Offer>,
    /// Which one does; none before the first.
    pub at: Option<usize>,
}

/// One thing that can be put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// What is put in.
    pub text: String,
    /// What is shown.
    pub shown: String,
}

impl Offer {
    fn new(text: impl Into<String>, shown: impl Into<String>) -> Offer {
        Offer { text: text.into(), shown: shown.into() }
    }
}

impl App {
    /// Tab, or Tab with Shift: the next, or the one before.
    pub(crate) fn complete(&mut self, forward: bool) {
        let mut completion = match self.completion.take() {
            Some(completion) => completion,
            None => match self.offers() {
                Some(completion) => completion,
                None => return,
            },
        };
        let count = completion.offered.len();
        let at = match (completion.at, forward) {
            (None, true) => 0,
            (None, false) => count - 1,
            (Some(at), true) => (at + 1) % count,
            (Some(at), false) => (at + count - 1) % count,
        };
        let text = &completion.offered[at].text;
        self.editor.replace(completion.from, completion.to, text);
        completion.to = completion.from + text.len();
        completion.at = Some(at);
        // A single one is done with.
        self.completion = (count > 1).then_some(completion);
    }

    fn offers(&self) -> Option<Completion> {
        let (text, to) = (self.editor.text(), self.editor.at());
        let from = text[..to]
            .rfind(char::is_whitespace)
            .map_or(0, |blank| blank + text[blank..].chars().next().map_or(1, char::len_utf8));
        let word = &text[from..to];
        let start = from == 0;
        let offered = match word.chars().next()? {
            '/' if start => self.command_offers(&word[1..]),
            ':' if word.len() > 2 => emoji_offers(&word[1..]),
            '#' | '&' => self.room_offers(word),
            '@' if word.len() > 1 => self.nick_offers(&word[1..], start, "@"),
            _ => self.nick_offers(word, start, ""),
        };
        (!offered.is_empty()).then_some(Completion { from, to, offered, at: None })
    }

    fn command_offers(&self, word: &str) -> Vec<Offer> {
        let known = super::deeds::commands().filter(|(name, _)| begins(name, word));
        let mut offers: Vec<Offer> =
            known.map(|(name, _)| Offer::new(format!("/{name} "), format!("/{name}"))).collect();
        offers.sort_by(|one, other| one.shown.cmp(&other.shown));
        offers.dedup();
        offers.truncate(OFFERED_MAX);
        offers
    }

    fn room_offers(&self, word: &str) -> Vec<Offer> {
        let Some(place) = self.place else { return Vec::new() };
        let Some(server) = self.servers.get(place.server) else { return Vec::new() };
        let rooms = server.client.buffers().filter(|buffer| buffer.kind == BufferKind::Room);
        let fitting = rooms.filter(|room| begins(&room.name, word));
        fitting
            .take(OFFERED_MAX)
            .map(|room| Offer::new(format!("{} ", room.name), room.name.as_ref()))
            .collect()
    }

    /// Members whose names begin so, those who spoke last first. At the start of a message it is for them.
    fn nick_offers(&self, word: &str, start: bool, sign: &str) -> Vec<Offer> {
        let Some((client, buffer)) = self.here() else { return Vec::new() };
        let me = client.me().nick.as_ref();
        let mut names: Vec<&str> = Vec::new();
        let spoken = buffer.lines.iter().rev().take(SPOKEN_LINES).filter(|line| line.kind.is_said());
        let spoken = spoken.filter_map(|line| line.from.as_ref()).map(|from| from.nick.as_ref());
        let here = |name: &str| {
            buffer.kind == BufferKind::Person || buffer.members.iter().any(|member| *member.nick == *name)
        };
        let fits = |name: &&str| begins(name, word) && *name != me;
        for name in spoken.filter(fits) {
            if !names.contains(&name) && here(name) {
                names.push(name);
            }
        }
        let members = buffer.members.iter().map(|member| member.nick.as_ref());
        let person = (buffer.kind == BufferKind::Person).then_some(buffer.name.as_ref());
        for name in members.chain(person).filter(fits) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.truncate(OFFERED_MAX);
        let end = if start && sign.is_empty() { ": " } else { " " };
        names.into_iter().map(|name| Offer::new(format!("{sign}{name}{end}"), name)).collect()
    }
}

/// Emoji whose shortcode begins so, or has a word that does.
fn emoji_offers(word: &str) -> Vec<Offer> {
    let word = word.to_ascii_lowercase();
    let mut first = Vec::new();
    let mut second = Vec::new();
    for emoji in emojis::iter() {
        for code in emoji.shortcodes() {
            let offer = || Offer::new(emoji.as_str(), format!("{} {code}", emoji.as_str()));
            if code.starts_with(&word) {
                first.push(offer());
            } else if code.split('_').any(|part| part.starts_with(&word)) {
                second.push(offer());
            }
        }
    }
    first.extend(second);
    first.dedup_by(|one, other| one.text == other.text);
    first.truncate(OFFERED_MAX);
    first
}

fn begins(name: &str, word: &str) -> bool {
    let mut letters = name.chars().flat_map(char::to_lowercase);
    word.chars().flat_map(char::to_lowercase).all(|letter| letters.next() == Some(letter))
}
