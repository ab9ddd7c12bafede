//! Records into a data folder on which no server runs, through the log like everything else.
//!
//! What is there already is not stored again: a record is known by its time, by who it is of and what it says. So an
//! import that was interrupted goes on where it was, a second one changes nothing, and a longer log adds what is new.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use chinwag_core::chat::Chat;
use chinwag_core::event::{Amended, Amendment, Event, Said, SayKind, Status, Who};
use chinwag_core::ids::{Number, RoomId, UserId};
use chinwag_log::{Arrival, Key, Log, Origin, Proposal, Slot};
use chinwag_wire::msgid::{MsgId, MsgIdKey};

use super::{Kind, Record, export, with_replies};
use crate::copy::CopyError;
use crate::open::{OpenError, Opened, Options, open};
use crate::{DATABASE_FILE, ReadFailed};

/// Events that are stored at once.
const BATCH: usize = 2_000;

/// How long storing a batch may take.
const WITHIN: Duration = Duration::from_secs(60);

/// What came of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Records that were stored.
    pub stored: u64,
    /// Records that were there already.
    pub known: u64,
    /// Records that are about a message that is not there.
    pub astray: u64,
}

/// Why something was not imported: a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The folder cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What is there cannot be read.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// What is there cannot be read.
    #[error("what is kept cannot be read: {0}; run `chinwag doctor`")]
    Read(#[from] ReadFailed),
    /// Its name cannot be a room's.
    #[error("{0:?} cannot be the name of a room; give another one with --into")]
    BadRoom(String),
    /// Somebody spoke there since.
    #[error(
        "in {room} something was said after {time}, which is not in the file: history goes before what is said now; give another room with --into"
    )]
    Newer {
        /// The room.
        room: String,
        /// The time of what was to come.
        time: String,
    },
    /// It was not stored.
    #[error(
        "it could not be stored: {0}; what was stored before stays, and the same command goes on from there"
    )]
    Storage(String),
}

/// A name of a record, as good as unique.
type Name = (u64, u64);

/// What is known of a room that is imported to.
#[derive(Debug, Default)]
struct Room {
    /// The numbers here of the file's messages, by their numbers there.
    numbers: HashMap<u64, u64>,
    /// The positions of messages by number here; index 0 is number 1.
    positions: Vec<u64>,
    /// The authors, likewise.
    authors: Vec<Arc<str>>,
    /// For whom messages are that are not for all, by number here.
    statuses: HashMap<u64, Status>,
    /// The time of the last record of the file.
    last_ms: u64,
    /// The time of the last message that was there before.
    before_ms: u64,
    /// Messages of this batch.
    pending: u64,
}

/// An import under way.
pub struct Importer {
    opened: Opened,
    chat: Chat,
    key: MsgIdKey,
    rooms: HashMap<String, Room>,
    /// What is there: names of records, and the numbers of messages.
    there: HashMap<Name, u64>,
    /// Names that occurred in the file, and how often.
    occurred: HashMap<Name, u32>,
    batch: Vec<Proposal<Event>>,
    next_key: u64,
    next_seq: u64,
    done: Imported,
}

impl Importer {
    /// Opens the data folder, which is made when it is not there, for records of these rooms.
    ///
    /// # Errors
    /// [`ImportError`], above all when a server runs on it.
    pub fn open(data: &Path, rooms: &HashSet<String>, options: Options) -> Result<Importer, ImportError> {
        let fresh = !data.join(DATABASE_FILE).exists();
        crate::place::make_folder(data)?;
        let opened = open(data, Options { keep_times: true, ..options })?;
        let key = MsgIdKey(opened.meta.msgid_key);
        let mut chat = Chat::new(key).with_mapping(opened.meta.casemapping);
        opened.restore(&mut chat)?;
        let (next_key, next_seq) = (opened.meta.first_key, opened.log.head().0 + 1);
        let mut importer = Importer {
            opened,
            chat,
            key,
            rooms: HashMap::new(),
            there: HashMap::new(),
            occurred: HashMap::new(),
            batch: Vec::new(),
            next_key,
            next_seq,
            done: Imported::default(),
        };
        if !fresh {
            importer.look(data, rooms)?;
        }
        Ok(importer)
    }

    /// Learns what is there already of these rooms.
    fn look(&mut self, data: &Path, rooms: &HashSet<String>) -> Result<(), ImportError> {
        let known = |name: &&String| self.chat.room_by_name(name).is_some();
        let known: Vec<String> = rooms.iter().filter(known).cloned().collect();
        if known.is_empty() {
            return Ok(());
        }
        let mut records = Vec::new();
        let mut occurred = HashMap::new();
        let mut places: HashMap<String, Room> = HashMap::new();
        let data: PathBuf = data.to_owned();
        export(&data, &known, &mut |record, done| {
            let folded = self.chat.mapping().folded(&record.room).into_owned();
            let place = places.entry(folded).or_default();
            if record.kind.is_message() {
                place.positions.push(done.position);
                place.authors.push(record.nick.as_str().into());
                place.before_ms = record.at_ms;
                if let (Some(number), Some(status)) = (record.number, record.status) {
                    place.statuses.insert(number, status);
                }
            }
            records.push((self.name(&record, record.to, &mut occurred), record.number.unwrap_or(0)));
            true
        })?;
        self.there = records.into_iter().collect();
        self.rooms = places;
        Ok(())
    }

    /// The name of a record. Of two that say the same, the second has another one than the first.
    fn name(&self, record: &Record, to: Option<u64>, occurred: &mut HashMap<Name, u32>) -> Name {
        let text = if record.kind == Kind::Gone { None } else { record.text.as_deref() };
        let room = self.chat.mapping().folded(&record.room).into_owned();
        // What a message answers is part of its tags, which may say it in another way.
        let to = to.filter(|_| !record.kind.is_message());
        let name = |salt: u32| {
            let half = |salt: u64| {
                let mut hasher = DefaultHasher::new();
                (salt, &room, record.kind, record.at_ms, &record.nick, text, to).hash(&mut hasher);
                hasher.finish()
            };
            (half(u64::from(salt) << 1), half(u64::from(salt) << 1 | 1))
        };
        let count = occurred.entry(name(0)).or_default();
        *count += 1;
        name(*count)
    }

    /// Takes a record. Messages of a room come with growing numbers, what happened to them later.
    ///
    /// # Errors
    /// [`ImportError`]; what came before stays.
    pub fn take(&mut self, mut record: Record) -> Result<(), ImportError> {
        let folded = self.chat.mapping().folded(&record.room).into_owned();
        let place = self.rooms.entry(folded.clone()).or_default();
        place.last_ms = place.last_ms.max(record.at_ms);
        record.at_ms = place.last_ms;
        let to = record.to.and_then(|to| place.numbers.get(&to).copied());
        let mut occurred = std::mem::take(&mut self.occurred);
        let name = self.name(&record, to, &mut occurred);
        let mut found = self.there.get(&name).copied();
        let may_be_gone = record.kind.is_message() && record.kind != Kind::Gone && !self.there.is_empty();
        if found.is_none() && may_be_gone {
            // What was deleted since then is not brought back.
            let gone = Record { kind: Kind::Gone, ..record.clone() };
            let name = self.name(&gone, None, &mut occurred);
            found = self.there.get(&name).copied();
        }
        self.occurred = occurred;
        if let Some(number) = found {
            self.done.known += 1;
            if let (Some(place), Some(own)) = (self.rooms.get_mut(&folded), record.number) {
                place.numbers.insert(own, number);
            }
            return Ok(());
        }
        self.store(&folded, record, to)
    }

    fn store(&mut self, folded: &str, record: Record, to: Option<u64>) -> Result<(), ImportError> {
        let by = Arc::new(Who {
            nick: record.nick.as_str().into(),
            user: record.user.as_deref().unwrap_or("~import").into(),
            host: record.host.as_deref().unwrap_or("imported").into(),
            account: record.account.as_deref().map(Arc::from),
        });
        let room = match self.chat.room_by_name(&record.room).map(|room| room.id) {
            Some(_) if record.kind == Kind::Room => {
                self.done.known += 1;
                return Ok(());
            }
            Some(room) => room,
            None => {
                self.open_room(&record, &by)?;
                if record.kind == Kind::Room {
                    return Ok(());
                }
                self.chat
                    .room_by_name(&record.room)
                    .map(|room| room.id)
                    .ok_or_else(|| ImportError::BadRoom(record.room.clone()))?
            }
        };
        if self.rooms.get(folded).is_some_and(|place| record.at_ms < place.before_ms) {
            let mut time = Vec::new();
            chinwag_wire::time::format_millis(record.at_ms, &mut time);
            let time = String::from_utf8_lossy(&time).into_owned();
            return Err(ImportError::Newer { room: record.room, time });
        }
        match record.kind {
            Kind::Room => Ok(()),
            Kind::Topic => {
                self.flush()?;
                let basis = self.rules(room);
                let topic = record.text.as_deref().unwrap_or("").into();
                self.propose(
                    record.at_ms,
                    Slot { room: room.0, number: 0 },
                    Event::TopicSet { room, basis, by, topic },
                )?;
                self.flush()
            }
            kind if kind.is_message() => self.say(folded, room, record, by, to),
            _ => self.amend(folded, room, &record, by, to),
        }
    }

    fn rules(&self, room: RoomId) -> u32 {
        self.chat.room(room).map_or(0, |room| room.rules)
    }

    fn open_room(&mut self, record: &Record, by: &Arc<Who>) -> Result<(), ImportError> {
        let name = chinwag_wire::names::RoomName::parse(&record.room, NAME_BYTES_MAX)
            .map_err(|_| ImportError::BadRoom(record.room.clone()))?;
        self.flush()?;
        let slot = Slot { room: self.chat.rooms_opened() + 1, number: 0 };
        let event = Event::Opened { name: name.arc(), by: Arc::clone(by), common: record.common };
        self.propose(record.at_ms, slot, event)?;
        self.flush()
    }

    fn say(
        &mut self,
        folded: &str,
        room: RoomId,
        record: Record,
        by: Arc<Who>,
        to: Option<u64>,
    ) -> Result<(), ImportError> {
        let place = self.rooms.entry(folded.to_owned()).or_default();
        place.pending += 1;
        let number = self.chat.head(room).0 + place.pending;
        if let Some(own) = record.number {
            place.numbers.insert(own, number);
        }
        let answered =
            to.and_then(|to| place.positions.get(usize::try_from(to).ok()?.checked_sub(1)?).copied());
        place.positions.push(self.next_seq);
        place.authors.push(Arc::clone(&by.nick));
        if let Some(status) = record.status {
            place.statuses.insert(number, status);
        }
        let msgid = |position| MsgId::stored(&self.key, position).to_string();
        let tags = match (record.tags, answered) {
            (Some(tags), Some(position)) => Some(with_replies(&tags, |_| Some(msgid(position)))),
            (None, Some(position)) => Some(format!("+draft/reply={}", msgid(position))),
            (tags, None) => tags,
        };
        let text = record.text.unwrap_or_default();
        let text = if record.kind == Kind::Action { format!("\u{1}ACTION {text}\u{1}") } else { text };
        let (basis, user) = (self.rules(room), user_of(&by));
        let said = Said {
            room,
            basis,
            user,
            by: Arc::clone(&by),
            kind: if record.kind == Kind::Notice { SayKind::Notice } else { SayKind::Privmsg },
            text: text.into(),
            joins: record.joins.map(Arc::from),
            client_tags: tags.map(Arc::from),
            status: record.status,
            direct: None,
        };
        let position = self.next_seq;
        self.propose(record.at_ms, Slot { room: room.0, number }, Event::Said(Arc::new(said)))?;
        if record.kind == Kind::Gone {
            let of = Arc::clone(&by.nick);
            let what = Amendment::Redacted { reason: None };
            let (number, own, status) = (Number(number), true, record.status);
            let gone = Amended {
                room,
                basis,
                number,
                position,
                of,
                own,
                status,
                user,
                by,
                what,
                excerpt: None,
                tags: None,
            };
            self.propose(record.at_ms, Slot { room: room.0, number: 0 }, Event::Amended(Arc::new(gone)))?;
            self.done.stored -= 1;
        }
        if self.batch.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    fn amend(
        &mut self,
        folded: &str,
        room: RoomId,
        record: &Record,
        by: Arc<Who>,
        to: Option<u64>,
    ) -> Result<(), ImportError> {
        let found = to.and_then(|to| {
            let place = self.rooms.get(folded)?;
            let index = usize::try_from(to).ok()?.checked_sub(1)?;
            Some((to, *place.positions.get(index)?, Arc::clone(place.authors.get(index)?)))
        });
        let Some((number, position, of)) = found else {
            self.done.astray += 1;
            return Ok(());
        };
        let text: Arc<str> = record.text.as_deref().unwrap_or("").into();
        let what = match record.kind {
            Kind::Edit => Amendment::Edited { text },
            Kind::Reaction => Amendment::Reacted { reaction: text, set: true },
            Kind::Unreaction => Amendment::Reacted { reaction: text, set: false },
            kind => Amendment::Pinned { set: kind == Kind::Pin },
        };
        let (number, own, user, basis) = (Number(number), of == by.nick, user_of(&by), self.rules(room));
        let status = self.rooms.get(folded).and_then(|place| place.statuses.get(&number.0).copied());
        let amended = Amended {
            room,
            basis,
            number,
            position,
            of,
            own,
            status,
            user,
            by,
            what,
            excerpt: None,
            tags: None,
        };
        self.propose(record.at_ms, Slot { room: room.0, number: 0 }, Event::Amended(Arc::new(amended)))?;
        if self.batch.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    fn propose(&mut self, at_ms: u64, slot: Slot, event: Event) -> Result<(), ImportError> {
        let key = Key { origin: Origin(self.opened.meta.origin), n: self.next_key };
        self.next_key += 1;
        self.next_seq += 1;
        self.done.stored += 1;
        self.batch.push(Proposal { key, at_ms, keep: event.keep(), slot, event });
        Ok(())
    }

    /// Stores what was gathered, and applies it.
    fn flush(&mut self) -> Result<(), ImportError> {
        let batch = std::mem::take(&mut self.batch);
        let mut left = batch.len();
        if left == 0 {
            return Ok(());
        }
        let failed = |why: &str| ImportError::Storage(why.to_owned());
        self.opened.log.append(batch).map_err(|_| failed("the log takes nothing"))?;
        let mut effects = Vec::new();
        while left > 0 {
            match next(&mut self.opened.log).ok_or_else(|| failed("the log took too long"))? {
                Arrival::Entries(entries) => {
                    left = left.saturating_sub(entries.len());
                    for entry in entries {
                        self.chat.apply(&entry, &mut effects);
                        effects.clear();
                    }
                }
                Arrival::Refused { why, .. } => return Err(failed(&why.to_string())),
                Arrival::Health(_) => {}
            }
        }
        if self.opened.log.head().0 + 1 != self.next_seq {
            return Err(failed("the log counts otherwise"));
        }
        self.rooms.values_mut().for_each(|place| place.pending = 0);
        Ok(())
    }

    /// What came of it so far.
    pub fn done(&self) -> Imported {
        self.done
    }

    /// Stores the rest, and gives the folder back.
    ///
    /// # Errors
    /// [`ImportError::Storage`].
    pub fn finish(mut self) -> Result<Imported, ImportError> {
        self.flush()?;
        self.opened.log.close(WITHIN).map_err(|error| ImportError::Storage(error.to_string()))?;
        Ok(self.done)
    }
}

/// Bytes of a room's name.
const NAME_BYTES_MAX: usize = 128;

/// A user for somebody who was never here: always the same for the same names, and none that a server gives.
fn user_of(who: &Who) -> UserId {
    let mut hasher = DefaultHasher::new();
    who.hash(&mut hasher);
    UserId(hasher.finish() | 1 << 63)
}

struct Awake(Thread);

impl Wake for Awake {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// What the log says next; nothing when it says nothing in time.
fn next(log: &mut impl Log<Event>) -> Option<Arrival<Event>> {
    let waker = Waker::from(Arc::new(Awake(std::thread::current())));
    let mut cx = Context::from_waker(&waker);
    let until = Instant::now() + WITHIN;
    loop {
        if let Poll::Ready(arrival) = log.poll_next(&mut cx) {
            return Some(arrival);
        }
        std::thread::park_timeout(until.checked_duration_since(Instant::now())?);
    }
}
