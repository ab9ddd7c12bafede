//! What is read from the log, kept in memory: the history of every room, by applying every entry to a chat of
//! its own. That makes it a witness as well: it sees what every node sees, and nothing goes through it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use chinwag_core::aging::{AgeQuery, Aged};
use chinwag_core::chat::Chat;
use chinwag_core::effect::Effect;
use chinwag_core::erasing::{Erasable, EraseQuery, Erasure};
use chinwag_core::event::{Act, Amended, Amendment, Event};
use chinwag_core::history::{Anchor, Happened, Page, Part, Query, Row, Show, is_shown};
use chinwag_core::ids::{Millis, Number, RoomId, UserId};
use chinwag_core::pointed::{Answer, Change, Former, Found, Lookup, Pointer, Question};
use chinwag_core::records::{Records, RecordsQuery, Sift, Sifted, SiftedMessage, is_meant, is_record};
use chinwag_core::search::{Hit, Hits, SearchQuery};
use chinwag_log::memory::MemoryLog;
use chinwag_log::{Arrival, Entry, Log, Seq};
use chinwag_wire::extban::Pattern;
use chinwag_wire::msgid::MsgIdKey;

/// The witness.
pub struct Archive {
    log: MemoryLog<Event>,
    chat: Chat,
    rows: BTreeMap<RoomId, Vec<Row>>,
    events: BTreeMap<RoomId, Vec<Happened>>,
    /// What was done to keep each room; the server's is filed as that of room 0, which there is not.
    records: BTreeMap<RoomId, Vec<Happened>>,
    /// Who said each message, and what it said at first.
    said: BTreeMap<(RoomId, Number), (UserId, Arc<str>)>,
    formers: BTreeMap<(RoomId, Number), Vec<Former>>,
    /// What was erased, and how much of it there was, the newest first.
    erasures: Vec<Erasure>,
    erased: BTreeSet<(RoomId, Number)>,
}

impl Archive {
    pub(super) fn new(log: MemoryLog<Event>, key: MsgIdKey) -> Self {
        Archive {
            log,
            chat: Chat::new(key),
            rows: BTreeMap::new(),
            events: BTreeMap::new(),
            records: BTreeMap::new(),
            said: BTreeMap::new(),
            formers: BTreeMap::new(),
            erasures: Vec::new(),
            erased: BTreeSet::new(),
        }
    }

    /// The chat as it follows from the log.
    pub fn chat(&self) -> &Chat {
        &self.chat
    }

    /// What was said in a room, by number from 1.
    pub fn rows(&self, room: RoomId) -> &[Row] {
        self.rows.get(&room).map_or(&[], Vec::as_slice)
    }

    /// What a message said at first, whatever happened to it since.
    pub fn said(&self, room: RoomId, number: Number) -> &str {
        self.said.get(&(room, number)).map_or("", |(_, text)| text)
    }

    /// Takes what has arrived. Says whether there was anything.
    pub(super) fn pump(&mut self, waker: &Waker) -> bool {
        let mut any = false;
        while let Poll::Ready(arrival) = self.log.poll_next(&mut Context::from_waker(waker)) {
            any = true;
            if let Arrival::Entries(entries) = arrival {
                for entry in &entries {
                    self.apply(entry);
                }
            }
        }
        any
    }

    fn apply(&mut self, entry: &Entry<Event>) {
        let mut effects = Vec::new();
        let new = self.chat.apply(entry, &mut effects);
        if !new || effects.contains(&Effect::Stale) {
            return;
        }
        if is_record(&entry.event) {
            let room = entry.event.room().unwrap_or(RoomId(0));
            let happened = Happened { seq: entry.seq, at_ms: entry.at_ms, event: entry.event.clone() };
            self.records.entry(room).or_default().push(happened);
        }
        if let Event::OperatorActed(acted) = &entry.event
            && let Act::Erased { whom, since_ms, room, .. } = &acted.act
        {
            self.erase(entry.seq, whom, *since_ms, *room);
        }
        let shown_at = effects.iter().find_map(|effect| match effect {
            Effect::Send { line, .. } => line.meta.at_ms,
            Effect::RoomRenamed { line, .. } => line.meta.at_ms,
            _ => None,
        });
        if let Event::Renewed { room, .. } = &entry.event {
            self.events.remove(room);
        }
        let Some(at_ms) = shown_at else { return };
        if let Some(room) = entry.event.room().filter(|_| is_shown(&entry.event)) {
            let happened = Happened { seq: entry.seq, at_ms, event: entry.event.clone() };
            self.events.entry(room).or_default().push(happened);
        }
        if let Event::Amended(amended) = &entry.event {
            self.amend(entry.at_ms, amended);
        }
        if let Event::Said(said) = &entry.event {
            // A conversation may have been opened just before.
            let two = said.direct.as_ref().and_then(|direct| self.chat.room_by_name(&direct.between));
            let room = two.map_or(said.room, |room| room.id);
            let place = (room, self.chat.head(room));
            self.said.insert(place, (said.user, Arc::clone(&said.text)));
            self.rows.entry(room).or_default().push(Row {
                seq: entry.seq,
                number: self.chat.head(room),
                at_ms,
                by: said.by.clone(),
                kind: said.kind,
                text: said.text.clone(),
                joins: said.joins.clone(),
                client_tags: said.client_tags.clone(),
                status: said.status,
            });
        }
    }

    /// What happens to a message, as the archive on a disk has it.
    fn amend(&mut self, at_ms: Millis, amended: &Amended) {
        let Amended { room, number, by, .. } = amended;
        let rows = self.rows.entry(*room).or_default();
        let Some(row) = rows.iter_mut().find(|row| row.number == *number) else { return };
        let formers = self.formers.entry((*room, *number)).or_default();
        let change = match &amended.what {
            Amendment::Edited { text } => {
                row.joins = None;
                Change::Edited(Some(std::mem::replace(&mut row.text, Arc::clone(text))))
            }
            Amendment::Redacted { reason } => {
                (row.text, row.client_tags) = ("".into(), None);
                for former in formers.iter_mut() {
                    former.change = Change::Edited(None);
                }
                Change::Deleted(reason.clone())
            }
            Amendment::Reacted { .. } | Amendment::Pinned { .. } => return,
        };
        formers.push(Former { at_ms, by: Arc::clone(by), change });
    }

    /// The messages of somebody that are still there.
    fn of_them(&self, whom: &str, since_ms: Millis, room: Option<RoomId>) -> Vec<(RoomId, Number)> {
        let Ok(pattern) = Pattern::parse(whom, self.chat.mapping()) else { return Vec::new() };
        let asked = |id: &RoomId| room.is_none_or(|room| room == *id);
        let rows = self
            .rows
            .iter()
            .filter(|(id, _)| asked(id))
            .flat_map(|(id, rows)| rows.iter().map(|row| (*id, row)));
        rows.filter(|(id, row)| {
            let gone = self.erased.contains(&(*id, row.number))
                || self.chat.room(*id).is_some_and(|room| room.is_gone(row.number));
            row.at_ms >= since_ms && !gone && is_meant(&pattern, &row.by)
        })
        .map(|(id, row)| (id, row.number))
        .collect()
    }

    /// Removes what somebody said, at once and all of it.
    fn erase(&mut self, seq: Seq, whom: &Arc<str>, since_ms: Millis, room: Option<RoomId>) {
        let gone = self.of_them(whom, since_ms, room);
        for (id, number) in &gone {
            self.formers.remove(&(*id, *number));
            for row in self.rows.entry(*id).or_default().iter_mut().filter(|row| row.number == *number) {
                (row.text, row.client_tags) = ("".into(), None);
            }
        }
        let taken = gone.len() as u64;
        self.erased.extend(gone);
        let erasure = Erasure { seq, whom: Arc::clone(whom), room, looked_at: seq, gone: taken, done: true };
        self.erasures.insert(0, erasure);
    }

    fn erasable(&self, query: &EraseQuery) -> Option<Erasable> {
        if self.chat.position() < query.until {
            return None;
        }
        let found = self.of_them(&query.whom, query.since_ms, query.room);
        let rooms: BTreeSet<RoomId> = found.iter().map(|(room, _)| *room).collect();
        Some(Erasable { messages: found.len() as u64, rooms: rooms.len() as u64, more: false })
    }

    /// The answer to a question; none when what it asks for has not arrived here yet.
    pub(super) fn answer(&self, question: &Question) -> Option<Answer> {
        match question {
            Question::Page(query) => self.page(query).map(Answer::Page),
            Question::Message(lookup) => self.message(lookup).map(Answer::Message),
            Question::Sift(sift) => self.sift(sift).map(Answer::Sifted),
            Question::Records(query) => self.records(query).map(Answer::Records),
            Question::Search(query) => Some(Answer::Search(self.search(query))),
            Question::Erasable(query) => self.erasable(query).map(Answer::Erasable),
            Question::Erasures(_) => Some(Answer::Erasures(self.erasures.clone())),
            Question::Age(query) => self.aged(query).map(Answer::Aged),
        }
    }

    fn aged(&self, query: &AgeQuery) -> Option<Aged> {
        if self.chat.head(query.room) < query.last {
            return None;
        }
        let there = |row: &&Row| row.number > query.after && row.number <= query.last;
        let (over, stays): (Vec<&Row>, Vec<&Row>) =
            self.rows(query.room).iter().filter(there).partition(|row| row.at_ms < query.before_ms);
        let upto = over.last().map(|row| (row.number, row.seq));
        Some(Aged { upto, next_ms: stays.first().map(|row| row.at_ms) })
    }

    fn message(&self, lookup: &Lookup) -> Option<Option<Box<Found>>> {
        if self.chat.head(lookup.room) < lookup.last {
            return None;
        }
        let row = self.rows(lookup.room).iter().find(|row| match lookup.of {
            Pointer::Number(number) => row.number == number,
            Pointer::Seq(seq) => row.seq == seq,
        });
        Some(row.map(|row| {
            let place = (lookup.room, row.number);
            let formers = self.formers.get(&place).cloned().unwrap_or_default();
            Box::new(Found { row: row.clone(), user: self.said[&place].0, formers })
        }))
    }

    fn sift(&self, sift: &Sift) -> Option<Sifted> {
        if self.chat.head(sift.room) < sift.last {
            return None;
        }
        let (room, pattern) = (self.chat.room(sift.room)?, sift.pattern()?);
        let meant = |row: &&Row| {
            let asked = (sift.first..=sift.last).contains(&row.number) && row.at_ms >= sift.since_ms;
            asked && is_meant(&pattern, &row.by) && !room.is_gone(row.number)
        };
        let mut found: Vec<&Row> = self.rows(sift.room).iter().filter(meant).collect();
        let beyond = found.len().saturating_sub(sift.limit as usize);
        found.drain(..beyond);
        let found = found.into_iter().map(|row| {
            let shown = row.status.is_none();
            (SiftedMessage { number: row.number, seq: row.seq, shown }, Arc::clone(&row.by.nick))
        });
        Some(Sifted::new(found, beyond > 0))
    }

    /// The messages that have every term in them, capitals or not. Not what an index knows of words.
    fn search(&self, query: &SearchQuery) -> Hits {
        let has = |row: &Row| {
            let text = row.text.to_lowercase();
            let same = |one: &str, other: &str| self.chat.mapping().same(one, other);
            let said = |from: &str| {
                same(&row.by.nick, from) || row.by.account.as_ref().is_some_and(|own| same(own, from))
            };
            query.terms.iter().all(|term| text.contains(&term.text.to_lowercase()))
                && query.from.as_ref().is_none_or(|from| said(from))
        };
        let within = |anchor: Option<Anchor>, row: &Row, before: bool| match anchor {
            None => true,
            Some(Anchor::Seq(seq)) if before => row.seq < seq,
            Some(Anchor::Seq(seq)) => row.seq > seq,
            Some(Anchor::Time(at_ms)) if before => row.at_ms < at_ms,
            Some(Anchor::Time(at_ms)) => row.at_ms > at_ms,
        };
        let mut hits = Vec::new();
        for place in &*query.places {
            let Some(room) = self.chat.room(place.room) else { continue };
            let rows = self.rows(place.room).iter().filter(|row| {
                let gone = room.is_gone(row.number) || self.erased.contains(&(place.room, row.number));
                let shown = row.status.is_none() && row.number >= place.first && !gone;
                shown && has(row) && within(query.before, row, true) && within(query.after, row, false)
            });
            hits.extend(rows.map(|row| Hit { room: place.room, row: row.clone() }));
        }
        hits.sort_by_key(|hit| hit.row.seq);
        let beyond = hits.len().saturating_sub(query.limit as usize);
        hits.drain(..beyond);
        Hits { hits, more: beyond > 0, behind: 0 }
    }

    fn records(&self, query: &RecordsQuery) -> Option<Records> {
        if self.chat.position() < query.until {
            return None;
        }
        let of = query.room.unwrap_or(RoomId(0));
        let before = |happened: &&Happened| query.before.is_none_or(|before| happened.seq < before);
        let mut rows: Vec<Happened> =
            self.records.get(&of).into_iter().flatten().filter(before).cloned().collect();
        let beyond = rows.len().saturating_sub(query.limit as usize);
        rows.drain(..beyond);
        Some(Records { rows, end: beyond == 0 })
    }

    fn page(&self, query: &Query) -> Option<Page> {
        if self.chat.head(query.room) < query.last || self.chat.position() < query.until {
            return None;
        }
        let mut page = Page { end: true, ..Page::default() };
        let items = self.items(query);
        let of_room = |seq: Seq| {
            let said = self.rows(query.room).iter().any(|row| row.seq == seq);
            said || self.happened(query.room).iter().any(|happened| happened.seq == seq)
        };
        if query.part.anchors().any(|anchor| matches!(anchor, Anchor::Seq(seq) if !of_room(seq))) {
            return Some(Page { astray: true, ..page });
        }
        if let Show::Pins(numbers) = &query.show {
            let pinned = |row: &&Row| numbers.contains(&row.number);
            page.rows = self.rows(query.room).iter().filter(pinned).cloned().collect();
            return Some(page);
        }
        let limit = query.limit as usize;
        let before = |anchor: &Anchor| items.partition_point(|item| item.is_before(anchor));
        let after = |anchor: &Anchor| items.partition_point(|item| !item.is_after(anchor));
        let newest = |from: usize, to: usize| (from, to, to.saturating_sub(limit).max(from)..to);
        let oldest = |from: usize, to: usize| (from, to, from..to.min(from.saturating_add(limit)));
        let (from, to, range) = match &query.part {
            Part::Latest(None) => newest(0, items.len()),
            Part::Latest(Some(anchor)) => newest(after(anchor), items.len()),
            Part::Before(anchor) => newest(0, before(anchor)),
            Part::After(anchor) => oldest(after(anchor), items.len()),
            Part::Around(anchor) => {
                let start = before(anchor).saturating_sub(limit / 2);
                let end = items.len().min(before(anchor) + limit - limit / 2);
                (0, items.len(), start..end)
            }
            Part::Between(first, second) if after(first) <= before(second) => {
                oldest(after(first), before(second))
            }
            Part::Between(first, second) => newest(after(second), before(first).max(after(second))),
        };
        page.end = range == (from..to);
        for item in &items[range] {
            match item {
                Item::Said(row) => page.rows.push((*row).clone()),
                Item::Happened(happened) => page.events.push(self.now(query.room, happened)),
            }
        }
        Some(page)
    }

    /// What happened, an edit with the text that the message has now.
    fn now(&self, room: RoomId, happened: &Happened) -> Happened {
        let mut happened = happened.clone();
        if let Event::Amended(amended) = &mut happened.event
            && matches!(amended.what, Amendment::Edited { .. })
            && let Some(row) = self.rows(room).iter().find(|row| row.number == amended.number)
        {
            Arc::make_mut(amended).what = Amendment::Edited { text: Arc::clone(&row.text) };
        }
        happened
    }

    /// What happened in a room besides.
    fn happened(&self, room: RoomId) -> &[Happened] {
        self.events.get(&room).map_or(&[], Vec::as_slice)
    }

    /// What a question may be answered with, oldest first.
    fn items(&self, query: &Query) -> Vec<Item<'_>> {
        let gone = |row: &Row| {
            self.erased.contains(&(query.room, row.number))
                || self.chat.room(query.room).is_some_and(|room| room.is_gone(row.number))
        };
        let visible = |row: &&Row| {
            (query.first..=query.last).contains(&row.number) && row.status.is_none() && !gone(row)
        };
        let mut items: Vec<_> = self.rows(query.room).iter().filter(visible).map(Item::Said).collect();
        if query.events {
            items.extend(self.happened(query.room).iter().map(Item::Happened));
        }
        items.sort_by_key(Item::seq);
        items
    }

    /// The number of the last message of a room.
    pub fn head(&self, room: RoomId) -> Number {
        self.chat.head(room)
    }
}

/// What history shows.
enum Item<'a> {
    Said(&'a Row),
    Happened(&'a Happened),
}

impl Item<'_> {
    fn seq(&self) -> Seq {
        match self {
            Item::Said(row) => row.seq,
            Item::Happened(happened) => happened.seq,
        }
    }

    fn at_ms(&self) -> u64 {
        match self {
            Item::Said(row) => row.at_ms,
            Item::Happened(happened) => happened.at_ms,
        }
    }

    fn is_before(&self, anchor: &Anchor) -> bool {
        match anchor {
            Anchor::Seq(seq) => self.seq() < *seq,
            Anchor::Time(at_ms) => self.at_ms() < *at_ms,
        }
    }

    fn is_after(&self, anchor: &Anchor) -> bool {
        match anchor {
            Anchor::Seq(seq) => self.seq() > *seq,
            Anchor::Time(at_ms) => self.at_ms() > *at_ms,
        }
    }
}
