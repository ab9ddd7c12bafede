//! What lies over the screen: help, the room switcher, the question before a long paste, links, the nickname.

use std::sync::Arc;

use chinwag_client::{BufferKind, Millis};

use super::App;
use super::places::Place;
use crate::editor::{Editor, Handled};
use crate::fuzzy;
use crate::input::{Code, Key};
use crate::text::markup::{self, Block};

/// Links that are offered.
const LINKS_MAX: usize = 20;
/// Lines that are looked through for links.
const LINES_LOOKED: usize = 400;

/// One of them.
#[derive(Debug)]
pub enum Overlay {
    /// The keys and commands, scrolled by so many rows.
    Help(usize),
    /// The switcher.
    Switcher(Switcher),
    /// A paste that waits for a word.
    Paste(String),
    /// Links of the conversation, the newest first, and which is chosen.
    Links(Vec<Arc<str>>, usize),
    /// The nickname is asked for.
    Nickname(Nickname),
    /// A server that is not connected to: which, and why.
    Stop(String, String),
    /// The history of what was sent is searched.
    Sent(Sent),
}

/// The room switcher: some letters, and what fits them.
#[derive(Debug, Default)]
pub struct Switcher {
    /// What is typed.
    pub typed: Editor,
    /// What fits, the best first.
    pub found: Vec<Place>,
    /// Which one is chosen.
    pub chosen: usize,
}

/// A question for the nickname.
#[derive(Debug)]
pub struct Nickname {
    /// Where the person is going.
    pub host: String,
    /// What is typed.
    pub typed: Editor,
    /// What is wrong with the last answer.
    pub problem: Option<String>,
    /// The server that did not take the last one; none when there is no server yet.
    pub server: Option<usize>,
}

impl Nickname {
    pub(crate) fn new(host: &str, problem: Option<&str>) -> Nickname {
        Nickname {
            host: host.to_owned(),
            typed: Editor::default(),
            problem: problem.map(str::to_owned),
            server: None,
        }
    }
}

/// A search in what was sent.
#[derive(Debug, Default)]
pub struct Sent {
    /// What is typed.
    pub typed: Editor,
    /// What was found: its number, and the text.
    pub found: Option<(usize, String)>,
}

impl App {
    /// A key for what lies over the screen.
    pub(crate) fn overlay_key(&mut self, key: Key, now: Millis) {
        let Some(overlay) = self.overlay.take() else { return };
        // Each puts itself back when it stays.
        match overlay {
            Overlay::Help(at) => self.help_key(at, key),
            Overlay::Switcher(switcher) => self.switcher_key(switcher, key),
            Overlay::Paste(text) => self.paste_key(text, key, now),
            Overlay::Links(links, at) => self.links_key(links, at, key),
            Overlay::Nickname(question) => self.nickname_key(question, key),
            Overlay::Sent(search) => self.sent_key(search, key),
            Overlay::Stop(..) => {}
        }
    }

    fn help_key(&mut self, at: usize, key: Key) {
        let page = usize::from(self.size.1).saturating_sub(6).max(1);
        let to = match key.code {
            Code::Up => at.saturating_sub(1),
            Code::Down => at + 1,
            Code::PageUp => at.saturating_sub(page),
            Code::PageDown | Code::Char(' ') => at + page,
            Code::Home => 0,
            _ => return,
        };
        self.overlay = Some(Overlay::Help(to.min(crate::draw::help_rows(self.size.0).saturating_sub(page))));
    }

    /// Opens the switcher.
    pub(crate) fn switcher(&mut self) {
        let mut switcher = Switcher::default();
        self.find_places(&mut switcher);
        self.overlay = Some(Overlay::Switcher(switcher));
    }

    fn find_places(&self, switcher: &mut Switcher) {
        let places = self.places();
        let mut names: Vec<(Place, String)> = Vec::with_capacity(places.len());
        for place in places {
            let Some(buffer) = self.buffer_of(place) else { continue };
            let title = self.servers.get(place.server).map_or("", |server| server.title.as_str());
            let server = if self.servers.len() > 1 || buffer.kind == BufferKind::Server { title } else { "" };
            names.push((place, format!("{} {server}", buffer.name)));
        }
        let active = |place: &Place| {
            let unread = self.buffer_of(*place).map_or((0, 0), |buffer| (buffer.mentions, buffer.unread));
            let last = self.last_place == Some(*place);
            let here = self.place == Some(*place);
            (here, unread.0 == 0, unread.1 == 0, !last)
        };
        names.sort_by_key(|(place, _)| active(place));
        let typed = switcher.typed.text();
        switcher.found = fuzzy::pick(typed, names.iter().map(|(place, name)| (*place, name.as_str())));
        switcher.chosen = 0;
    }

    fn switcher_key(&mut self, mut switcher: Switcher, key: Key) {
        let last = switcher.found.len().saturating_sub(1);
        match (key.code, key.ctrl) {
            (Code::Escape, _) | (Code::Char('c' | 'g'), true) => return,
            (Code::Enter, _) => {
                if let Some(place) = switcher.found.get(switcher.chosen) {
                    self.show(*place);
                }
                return;
            }
            (Code::Up | Code::BackTab, _) | (Code::Char('p'), true) => {
                switcher.chosen = switcher.chosen.checked_sub(1).unwrap_or(last);
            }
            (Code::Down | Code::Tab, _) | (Code::Char('n'), true) => {
                switcher.chosen = if switcher.chosen >= last { 0 } else { switcher.chosen + 1 };
            }
            _ => {
                if switcher.typed.key(key) == Handled::Changed {
                    self.find_places(&mut switcher);
                }
            }
        }
        self.overlay = Some(Overlay::Switcher(switcher));
    }

    /// A paste: a short one is typed, a long one asks first.
    pub(crate) fn paste(&mut self, text: &str) {
        self.hint = None;
        match &mut self.overlay {
            Some(Overlay::Switcher(switcher)) => {
                switcher.typed.insert(text.lines().next().unwrap_or_default());
                let Some(Overlay::Switcher(mut switcher)) = self.overlay.take() else { return };
                self.find_places(&mut switcher);
                self.overlay = Some(Overlay::Switcher(switcher));
            }
            Some(Overlay::Nickname(question)) => question.typed.insert(text.trim()),
            Some(_) => {}
            None => {
                let text = text.trim_end_matches('\n');
                let together = format!("{}{text}", self.editor.text());
                if together.lines().count() > super::PASTE_LINES_UNASKED {
                    self.overlay = Some(Overlay::Paste(text.to_owned()));
                } else {
                    self.editor.insert(text);
                }
            }
        }
    }

    fn paste_key(&mut self, text: String, key: Key, now: Millis) {
        match (key.code, key.ctrl) {
            (Code::Enter, _) | (Code::Char('y' | 'Y'), false) => {
                self.editor.insert(&text);
                self.send(now);
            }
            (Code::Char('e' | 'E'), false) => self.editor.insert(&text),
            (Code::Escape, _) | (Code::Char('n' | 'N'), false) | (Code::Char('c' | 'g'), true) => {
                self.tell("the paste is dropped");
            }
            _ => self.overlay = Some(Overlay::Paste(text)),
        }
    }

    /// Offers the links of the conversation.
    pub(crate) fn links(&mut self) {
        let Some(buffer) = self.buffer() else { return };
        let mut links: Vec<Arc<str>> = Vec::new();
        for line in buffer.lines.iter().rev().take(LINES_LOOKED) {
            for block in markup::blocks(&line.text, self.theme.text, &self.theme) {
                let (Block::Text(row) | Block::Quote(row) | Block::Code(row)) = block;
                for link in row.into_iter().filter_map(|piece| piece.link) {
                    if !links.contains(&link) && links.len() < LINKS_MAX {
                        links.push(link);
                    }
                }
            }
        }
        if links.is_empty() {
            self.tell("there are no links here");
        } else {
            self.overlay = Some(Overlay::Links(links, 0));
        }
    }

    fn links_key(&mut self, links: Vec<Arc<str>>, at: usize, key: Key) {
        let last = links.len() - 1;
        let to = match (key.code, key.ctrl) {
            (Code::Up, _) | (Code::Char('p'), true) => at.checked_sub(1).unwrap_or(last),
            (Code::Down | Code::Tab, _) | (Code::Char('n'), true) => {
                if at == last {
                    0
                } else {
                    at + 1
                }
            }
            (Code::Enter, _) | (Code::Char('c' | 'y'), false) => {
                self.copy(&links[at]);
                return;
            }
            _ => return,
        };
        self.overlay = Some(Overlay::Links(links, to));
    }

    fn nickname_key(&mut self, mut question: Nickname, key: Key) {
        match (key.code, key.ctrl) {
            (Code::Char('c'), true) => return self.end(),
            (Code::Escape, _) if question.server.is_some() => return,
            (Code::Char('d'), true) if question.typed.is_empty() => return self.end(),
            (Code::Enter, _) => {
                let nick = question.typed.text().trim().to_owned();
                match problem(&nick) {
                    None => {
                        match question.server.and_then(|server| self.servers.get_mut(server)) {
                            Some(server) => server.client.nick(&nick),
                            None => self.nickname = Some(nick),
                        }
                        return;
                    }
                    some => question.problem = some.map(str::to_owned),
                }
            }
            (Code::Char(' '), false) => {}
            _ => {
                if question.typed.key(key) == Handled::Changed {
                    question.problem = None;
                }
            }
        }
        self.overlay = Some(Overlay::Nickname(question));
    }

    fn sent_key(&mut self, mut search: Sent, key: Key) {
        match (key.code, key.ctrl) {
            (Code::Escape, _) | (Code::Char('g' | 'c'), true) => return,
            (Code::Char('r'), true) | (Code::Up, _) => {
                let before = search.found.as_ref().map_or(usize::MAX, |(number, _)| *number);
                if let Some((number, text)) = self.sent.find(search.typed.text(), before) {
                    search.found = Some((number, text.to_owned()));
                }
            }
            (Code::Enter | Code::Tab | Code::Right | Code::End, _) => {
                if let Some((_, text)) = search.found {
                    self.editor.set(&text);
                }
                return;
            }
            _ => {
                if search.typed.key(key) == Handled::Changed {
                    let found = self.sent.find(search.typed.text(), usize::MAX);
                    search.found = found.map(|(number, text)| (number, text.to_owned()));
                }
            }
        }
        self.overlay = Some(Overlay::Sent(search));
    }
}

/// What is wrong with a nickname, before the server is asked.
fn problem(nick: &str) -> Option<&'static str> {
    if nick.is_empty() {
        return Some("type a name first");
    }
    if nick.starts_with(|c: char| {
        c.is_ascii_digit() || matches!(c, '-' | '#' | '&' | ':' | '@' | '+' | '~' | '%')
    }) {
        return Some("a name begins with a letter");
    }
    if nick
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || matches!(c, ',' | '*' | '?' | '!' | '@' | '.'))
    {
        return Some("a name has no blanks and none of , * ? ! @ .");
    }
    None
}
