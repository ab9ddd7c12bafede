//! The store over a real log: what takes a reference to a file and what drops it, and what a start makes of it.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use chinwag_archive::{Follower, Opened, Options, open};
use chinwag_core::event::{Event, Expired, Said, SayKind, Who};
use chinwag_core::ids::{Number, RoomId, UserId};
use chinwag_files::{Figures, Incoming, Limits, New, Store, name};
use chinwag_log::{Key, Log, Origin, Proposal, Slot};

const LIMITS: Limits = Limits { of_owner: 1_000, total: 1_000 };
const HOUR_MS: u64 = 3_600_000;

fn who() -> Arc<Who> {
    Arc::new(Who { nick: "ann".into(), user: "~u".into(), host: "h".into(), account: None })
}

fn text(room: u32, text: &str) -> Event {
    Event::Said(Arc::new(Said {
        room: RoomId(room),
        basis: 0,
        user: UserId(1 << 48),
        by: who(),
        kind: SayKind::Privmsg,
        text: text.into(),
        joins: None,
        client_tags: None,
        status: None,
        direct: None,
    }))
}

/// A log with two rooms, and what is said in it one after the other.
struct Place {
    folder: tempfile::TempDir,
    opened: Opened,
    follower: Follower,
    told: u64,
    numbers: [u64; 3],
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let opened = open(folder.path(), Options::default()).unwrap();
        let follower = opened.follower();
        let mut place = Place { folder, opened, follower, told: 0, numbers: [0; 3] };
        for name in ["#tea", "#other"] {
            place.happens(Event::Opened { name: name.into(), by: who(), common: false });
        }
        place
    }

    fn data(&self) -> &Path {
        self.folder.path()
    }

    /// Stores an event; gives its position.
    fn happens(&mut self, event: Event) -> u64 {
        self.told += 1;
        let slot = match &event {
            Event::Said(said) => {
                let number = &mut self.numbers[said.room.0 as usize];
                *number += 1;
                Slot { room: said.room.0, number: *number }
            }
            Event::Opened { .. } => Slot { room: u32::try_from(self.told).unwrap(), number: 0 },
            other => Slot { room: other.room().map_or(0, |room| room.0), number: 0 },
        };
        let key = Key { origin: Origin(1), n: self.opened.meta.first_key + self.told };
        let before = self.follower.head().unwrap();
        self.opened
            .log
            .append(vec![Proposal { key, at_ms: 1_000, keep: event.keep(), slot, event }])
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.follower.head().unwrap() == before {
            assert!(Instant::now() < deadline, "it is not stored");
            sleep(Duration::from_millis(2));
        }
        self.follower.head().unwrap()
    }

    fn store(&mut self) -> Store {
        Store::open(self.folder.path(), &mut self.follower, Arc::<Figures>::default(), HOUR_MS).unwrap()
    }

    /// Keeps a file; gives its link's name.
    fn keep(&mut self, store: &mut Store, content: &str) -> String {
        let mut incoming = Incoming::begin(self.data()).unwrap();
        incoming.take(content.as_bytes()).unwrap();
        let complete = incoming.finish("x.txt", "").unwrap();
        let new = New { name: "x.txt".to_owned(), owner: "ann".to_owned(), by: "ann".to_owned(), room: None };
        store.keep(&new, complete, LIMITS, &mut self.follower, HOUR_MS).unwrap().id
    }

    fn follow(&mut self, store: &mut Store, now_ms: u64) {
        while store.follow(&mut self.follower, now_ms).unwrap() {}
    }
}

fn there(store: &Store, id: &str) -> bool {
    let found = store.find(id).unwrap();
    found.is_some_and(|file| file.content.exists())
}

#[test]
fn a_file_goes_when_the_time_of_its_messages_is_over() {
    let mut place = Place::new();
    let mut store = place.store();
    let (one, both) = (place.keep(&mut store, "one"), place.keep(&mut store, "both"));
    place.happens(text(1, &format!("see {} and {}", name::path(&one, "x.txt"), name::path(&both, "x.txt"))));
    let last = place.happens(text(1, "nothing"));
    place.happens(text(2, &name::path(&both, "x.txt")));
    place.follow(&mut store, HOUR_MS);
    assert!(there(&store, &one) && there(&store, &both));
    place.happens(Event::Expired(Expired { room: RoomId(1), upto: Number(2), position: last }));
    place.follow(&mut store, HOUR_MS);
    assert!(!there(&store, &one), "nothing points at it any more");
    assert!(there(&store, &both), "another room's message does");
}

#[test]
fn what_nobody_said_goes_after_an_hour_and_what_somebody_said_stays() {
    let mut place = Place::new();
    let mut store = place.store();
    let (said, unsaid) = (place.keep(&mut store, "said"), place.keep(&mut store, "unsaid"));
    place.happens(text(1, &name::path(&said, "x.txt")));
    for (now_ms, stays) in [(HOUR_MS + 1, true), (2 * HOUR_MS, true), (2 * HOUR_MS + 1, false)] {
        place.follow(&mut store, now_ms);
        assert_eq!((there(&store, &said), there(&store, &unsaid)), (true, stays), "{now_ms}");
    }
}

#[test]
fn a_log_that_went_back_is_read_again_before_anything_goes() {
    let mut place = Place::new();
    let mut store = place.store();
    let id = place.keep(&mut store, "said");
    place.happens(text(1, &name::path(&id, "x.txt")));
    place.follow(&mut store, HOUR_MS);
    drop(store);
    // As after a backup was brought back: the database of files knows more than the log.
    let database = rusqlite::Connection::open(place.data().join("files.db")).unwrap();
    database.execute("UPDATE meta SET value = 1000 WHERE key = 'position'", ()).unwrap();
    database.execute("DELETE FROM reference", ()).unwrap();
    drop(database);
    let mut store = place.store();
    assert!(there(&store, &id));
    place.follow(&mut store, 10 * HOUR_MS);
    assert!(there(&store, &id));
    assert_eq!(store.get(&id).unwrap().unwrap().messages, 1);
}

#[test]
fn quotas_hold_when_it_is_kept_and_nothing_is_left_of_what_is_refused() {
    let mut place = Place::new();
    let mut store = place.store();
    place.keep(&mut store, &"x".repeat(600));
    let mut incoming = Incoming::begin(place.data()).unwrap();
    incoming.take(&[b'y'; 600]).unwrap();
    let complete = incoming.finish("y.txt", "").unwrap();
    let new = New { name: "y.txt".to_owned(), owner: "ann".to_owned(), by: "ann".to_owned(), room: None };
    let refused = store.keep(&new, complete, LIMITS, &mut place.follower, HOUR_MS).unwrap_err();
    assert!(refused.to_string().contains("600 are used"), "{refused}");
    assert_eq!(std::fs::read_dir(place.data().join("files/coming")).unwrap().count(), 0);
    let found = chinwag_files::examine(place.data()).unwrap().unwrap();
    assert_eq!((found.links, found.bytes, found.orphans, found.missing), (1, 600, 0, 0));
}
