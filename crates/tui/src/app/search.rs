//! Search in what was said, in place: hits are marked, Up and Down go from one to the next. What is not loaded is
//! found by the server (`far`), or where it cannot, page by page.

use chinwag_client::{HistoryState, Line, LineId, Millis};

use super::App;
use super::far::Far;
use crate::editor::{Editor, Handled};
use crate::input::{Code, Key};
use crate::text::markup;

/// A search in the conversation in view.
#[derive(Debug, Default)]
pub struct Search {
    /// What is being typed.
    pub typed: Editor,
    /// What is searched for.
    pub words: String,
    /// Where the search is.
    pub at: Option<LineId>,
    /// The lines that have it, the oldest first, as they were when it was looked for last.
    pub hits: Vec<LineId>,
    /// What the server found.
    pub(crate) far: Far,
}

impl App {
    /// Begins a search.
    pub(crate) fn search_opened(&mut self, words: &str) {
        let mut search = Search::default();
        search.typed.set(words);
        self.search = Some(search);
    }

    /// `/search words`: begins a search at the newest hit.
    pub(crate) fn search_for(&mut self, words: &str, now: Millis) {
        self.search_opened(words);
        self.search_anew(now);
    }

    /// A key while searching; says whether it was for the search.
    pub(crate) fn search_key(&mut self, key: Key, now: Millis) -> bool {
        match (key.code, key.ctrl, key.alt) {
            (Code::Escape, ..) | (Code::Char('g' | 'c'), true, _) => {
                self.search = None;
                self.scroll_end(now);
            }
            // Stays where it is.
            (Code::Enter, ..) if self.search.as_ref().is_some_and(|search| search.at.is_some()) => {
                self.search = None;
            }
            (Code::Enter, ..) if self.search.as_ref().is_some_and(|search| !search.words.is_empty()) => {
                self.search_step(true, now);
            }
            (Code::Up, false, false) | (Code::Char('r' | 'p'), true, _) => self.search_step(true, now),
            (Code::Down, false, false) | (Code::Char('s' | 'n'), true, _) => self.search_step(false, now),
            (Code::PageUp | Code::PageDown | Code::F(_), ..) | (_, _, true) => return false,
            _ => {
                let Some(search) = &mut self.search else { return false };
                if search.typed.key(key) == Handled::Changed {
                    self.search_typed(now);
                }
            }
        }
        true
    }

    /// While it is being typed only what is loaded is looked through; Up or Enter goes further.
    fn search_typed(&mut self, now: Millis) {
        let Some(search) = &mut self.search else { return };
        search.words = search.typed.text().trim().to_owned();
        search.at = None;
        search.far = Far::default();
        if !search.words.is_empty() {
            self.find_hits();
        }
        let newest = self.search.as_ref().and_then(|search| search.hits.last().copied());
        if let (Some(search), Some(hit)) = (&mut self.search, newest) {
            search.at = Some(hit);
            self.scroll_to(hit, now);
        }
    }

    fn search_anew(&mut self, now: Millis) {
        let Some(search) = &mut self.search else { return };
        search.words = search.typed.text().trim().to_owned();
        search.at = None;
        search.hits.clear();
        search.far = Far::default();
        if !search.words.is_empty() {
            self.search_step(true, now);
        }
    }

    /// To the hit before, or after; further back than is loaded asks for more.
    pub(super) fn search_step(&mut self, older: bool, now: Millis) {
        self.find_hits();
        let Some(search) = &self.search else { return };
        let hits = &search.hits;
        let place = search.at.and_then(|at| hits.iter().position(|hit| *hit == at));
        let next = match (place, older) {
            (None, _) => hits.len().checked_sub(1),
            (Some(place), true) => place.checked_sub(1),
            (Some(place), false) => Some(place + 1).filter(|next| *next < hits.len()),
        };
        match next.map(|next| hits[next]) {
            Some(hit) => {
                if let Some(search) = &mut self.search {
                    search.at = Some(hit);
                }
                self.scroll_to(hit, now);
            }
            None if self.search.as_ref().is_some_and(|search| search.words.is_empty()) => {}
            None if older && self.searches_far() => self.further_back(now),
            None if older => self.search_further(now),
            None => self.nearer(now),
        }
    }

    fn search_further(&mut self, now: Millis) {
        let Some((client, id)) = self.here_mut() else { return };
        let history = client.buffer(id).map(|buffer| buffer.history);
        match history {
            Some(HistoryState::Unknown | HistoryState::More) if client.is_online() => {
                client.older(id, now);
                self.tell("further back is being fetched: Up again");
                self.scroll_top(now);
            }
            Some(HistoryState::Loading) => self.tell("further back is being fetched: Up again"),
            _ => self.tell("nothing further back"),
        }
    }

    pub(super) fn find_hits(&mut self) {
        let Some(buffer) = self.buffer() else { return };
        let Some(search) = &self.search else { return };
        let needle: Vec<char> = search.words.chars().flat_map(char::to_lowercase).collect();
        let said = buffer.lines.iter().filter(|line| line.kind.is_said());
        let has = |text: &str| !markup::places(&markup::plain(text), &needle, false).is_empty();
        let far = |line: &Line| line.msgid.as_ref().is_some_and(|msgid| search.far.has(msgid));
        let hits = said.filter(|line| has(&line.text) || far(line)).map(|line| line.id).collect();
        if let Some(search) = &mut self.search {
            search.hits = hits;
        }
    }

    /// To the next line that names me, up or down.
    pub(crate) fn jump_mention(&mut self, down: bool, now: Millis) {
        let shown = self.map.lines.clone();
        let Some(buffer) = self.buffer() else { return };
        let middle = shown.start + shown.len() / 2;
        let named =
            |index: &usize| buffer.lines.get(*index).is_some_and(|line| line.mention && !line.is_mine());
        let at_end =
            self.place.and_then(|place| self.views.get(&place)).is_none_or(super::view::View::at_end);
        let found = if down {
            (middle + 1..buffer.lines.len()).find(named)
        } else {
            let from = if at_end { buffer.lines.len() } else { middle };
            (0..from).rev().find(named)
        };
        match found.and_then(|index| buffer.lines.get(index)).map(|line| line.id) {
            Some(line) => self.scroll_to(line, now),
            None => {
                self.tell(if down { "nobody names you further down" } else { "nobody names you further up" })
            }
        }
    }

    /// To the line where the unread begins.
    pub(crate) fn jump_unread(&mut self, now: Millis) {
        let first = self.place.and_then(|place| self.views.get(&place)?.fresh);
        match first {
            Some(line) => self.scroll_to(line, now),
            None => self.tell("nothing is unread here"),
        }
    }
}
