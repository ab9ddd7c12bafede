//! Search further back than what is loaded: the server looks, and the conversation is opened around what it finds.

use std::sync::Arc;

use chinwag_client::{Found, Millis, Point, Wish};

use super::App;

/// Messages that the server is asked for at once.
const PAGE: u32 = 50;

/// What the server found, for the search in the conversation in view.
#[derive(Debug, Default)]
pub(crate) struct Far {
    /// Messages and when they were said, the newest first.
    hits: Vec<(Arc<str>, Millis)>,
    /// It has no older ones.
    end: bool,
    /// The message to go to as soon as it is there.
    wanted: Option<Arc<str>>,
    /// What it said besides: that its index is behind.
    note: Option<String>,
}

impl Far {
    /// Whether the server found a message.
    pub(crate) fn has(&self, msgid: &str) -> bool {
        self.hits.iter().any(|(hit, _)| &**hit == msgid)
    }

    /// The message to go to.
    pub(crate) fn wanted(&self) -> Option<&str> {
        self.wanted.as_deref()
    }
}

/// What is typed, as the server is asked for it: as one piece whose last word need only begin so, as it is marked here; or
/// as it is, if it has something of the server's own grammar.
fn words(typed: &str) -> String {
    match typed.contains(['"', '*', ':']) {
        true => typed.to_owned(),
        false => format!("\"{typed}\"*"),
    }
}

impl App {
    /// Whether the server can look further back than what is loaded.
    pub(crate) fn searches_far(&self) -> bool {
        self.here().is_some_and(|(client, _)| client.can_search())
    }

    /// To the next hit before what is loaded.
    pub(crate) fn further_back(&mut self, now: Millis) {
        let Some((client, buffer)) = self.here() else { return };
        let Some(search) = &self.search else { return };
        let first = buffer.lines.iter().find(|line| line.msgid.is_some());
        let first_ms = first.map_or(Millis::MAX, |line| line.time_ms);
        let out_of_sight = |(msgid, time_ms): &&(Arc<str>, Millis)| {
            *time_ms <= first_ms && buffer.lines.by_msgid(msgid).is_none()
        };
        if let Some((msgid, _)) = search.far.hits.iter().find(out_of_sight) {
            let msgid = Arc::clone(msgid);
            return self.go_far(&msgid, now);
        }
        if search.far.end {
            let note = search.far.note.clone();
            return self.tell(note.unwrap_or_else(|| "nothing further back".to_owned()));
        }
        if client.is_seeking() {
            return;
        }
        let point = |msgid: &Arc<str>, time_ms| match client.server().has("chinwag.internal/numbers") {
            true => Point::Msgid(Arc::clone(msgid)),
            false => Point::Time(time_ms),
        };
        // What the server's own words mean, only the server knows: also what is loaded is looked through by it.
        let plain = !search.words.contains(['"', '*', ':']);
        let before = match (search.far.hits.last(), first) {
            (Some((msgid, time_ms)), _) => Some(point(msgid, *time_ms)),
            (None, Some(line)) if plain || !buffer.at_end => {
                // Not by its msgid: that of somebody's coming, say, is no place in what is kept.
                Some(Point::Time(line.time_ms + 1))
            }
            _ => None,
        };
        let place = Some(buffer.name.to_string());
        let wish = Wish { words: words(&search.words), place, before, limit: PAGE, ..Wish::default() };
        let Some((client, _)) = self.here_mut() else { return };
        match client.seek(wish, now) {
            Ok(()) => self.tell("looking further back…"),
            Err(why) => self.tell(why.0),
        }
    }

    /// To the next hit behind what is loaded, back towards the newest.
    pub(crate) fn nearer(&mut self, now: Millis) {
        let Some(buffer) = self.buffer() else { return };
        let Some(search) = &self.search else { return };
        if buffer.at_end {
            return self.tell("this is the newest one");
        }
        let last_ms =
            buffer.lines.iter().rev().find(|line| line.msgid.is_some()).map_or(0, |line| line.time_ms);
        let behind = |(msgid, time_ms): &&(Arc<str>, Millis)| {
            *time_ms >= last_ms && buffer.lines.by_msgid(msgid).is_none()
        };
        match search.far.hits.iter().rev().find(behind).map(|(msgid, _)| Arc::clone(msgid)) {
            Some(msgid) => self.go_far(&msgid, now),
            None => {
                if let Some(search) = &mut self.search {
                    search.at = None;
                }
                self.scroll_end(now);
                self.tell("back at the newest: Up goes to the hits again");
            }
        }
    }

    /// To a message that may have to be fetched first.
    fn go_far(&mut self, msgid: &Arc<str>, now: Millis) {
        let Some((client, id)) = self.here_mut() else { return };
        if !client.around(id, msgid, now) {
            return self.tell("this server does not show what is further back");
        }
        if let Some(search) = &mut self.search {
            search.far.wanted = Some(Arc::clone(msgid));
        }
        self.arrived_far(now);
    }

    /// Lines came: the message that was waited for may be among them.
    pub(crate) fn arrived_far(&mut self, now: Millis) {
        let Some(wanted) = self.search.as_ref().and_then(|search| search.far.wanted.clone()) else { return };
        let line = self.buffer().and_then(|buffer| buffer.lines.by_msgid(&wanted)).map(|line| line.id);
        let (Some(line), Some(search)) = (line, &mut self.search) else { return };
        search.far.wanted = None;
        search.at = Some(line);
        self.hint = None;
        self.find_hits();
        self.scroll_to(line, now);
    }

    /// Lines came: the message with the number that was asked for may be among them.
    pub(crate) fn arrived_number(&mut self, now: Millis) {
        let Some((place, number)) = self.coming else { return };
        if self.place != Some(place) {
            self.coming = None;
            return;
        }
        let line = self.buffer().and_then(|buffer| buffer.lines.by_number(number)).map(|line| line.id);
        if let Some(line) = line {
            self.coming = None;
            self.hint = None;
            self.scroll_to(line, now);
        }
    }

    /// The server has answered.
    pub(crate) fn found_far(&mut self, server: usize, found: Found, now: Millis) {
        let here = self.place.is_some_and(|place| place.server == server);
        let room = self.buffer().map(|buffer| buffer.name.to_string());
        let Some(search) = self.search.as_mut().filter(|search| words(&search.words) == found.wish.words)
        else {
            return;
        };
        if !here || room != found.wish.place {
            return;
        }
        if let Some(why) = found.failed {
            search.far.end = true;
            return self.tell(crate::text::clean(&why));
        }
        self.hint = None;
        search.far.end = found.hits.len() < found.wish.limit as usize;
        search.far.note = found.note.map(|note| crate::text::clean(&note));
        let hits = found.hits.into_iter().rev();
        search.far.hits.extend(hits.filter_map(|hit| Some((hit.line.msgid?, hit.line.time_ms))));
        self.search_step(true, now);
    }
}
