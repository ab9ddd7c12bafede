//! What durable appends cost: messages a second, and CPU time a message of the whole process.
//!
//! `cargo bench -p chinwag-archive --bench append [-- FOLDER [LOAD]]`; the folder should be on the disk of
//! interest (the system's temporary folder unless given), a load is a part of its name in the table. Two kinds of load: *batch* keeps one batch of a size under way,
//! *senders* has so many senders that each wait for their message before the next one. *read* measures a start and
//! pages of history after a million messages.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chinwag_archive::{Options, SqliteLog, open};
use chinwag_core::chat::Chat;
use chinwag_core::event::{Event, Said, SayKind, Who};
use chinwag_core::history::{Anchor, Part, Query, Show};
use chinwag_core::ids::{Number, RoomId, UserId};
use chinwag_log::conformance::next;
use chinwag_log::{Arrival, Keep, Key, Log, Origin, Proposal, Seq, Slot};
use chinwag_wire::msgid::MsgIdKey;

/// How long one row of the table is measured.
const ROW: Duration = Duration::from_secs(3);

/// Messages are about as long as people's are.
const TEXT: &str =
    "the quick brown fox jumps over the lazy dog, and then it sits down to wait for the others to come";

struct Load {
    log: SqliteLog,
    people: Vec<(UserId, Arc<Who>)>,
    text: Arc<str>,
    rooms: u32,
    heads: HashMap<u32, u64>,
    n: u64,
}

impl Load {
    fn new(log: SqliteLog, people: usize, rooms: u32) -> Self {
        let people = (0..people as u64).map(|n| {
            let nick = format!("nick{n}");
            let who =
                Who { nick: nick.into(), user: "~user".into(), host: "host.example".into(), account: None };
            (UserId(1 << 48 | n), Arc::new(who))
        });
        Load { log, people: people.collect(), text: TEXT.into(), rooms, heads: HashMap::new(), n: 0 }
    }

    fn message(&mut self, sender: usize) -> Proposal<Event> {
        self.n += 1;
        let (user, by) = &self.people[sender % self.people.len()];
        let room = u32::try_from(sender).expect("few senders") % self.rooms + 1;
        let head = self.heads.entry(room).or_default();
        *head += 1;
        let said = Said {
            room: RoomId(room),
            basis: 3,
            user: *user,
            by: Arc::clone(by),
            kind: SayKind::Privmsg,
            text: Arc::clone(&self.text),
            joins: None,
            client_tags: None,
            status: None,
            direct: None,
        };
        Proposal {
            key: Key { origin: Origin(1), n: self.n },
            at_ms: 1_800_000_000_000 + self.n / 50,
            keep: Keep::Stored,
            slot: Slot { room, number: *head },
            event: Event::Said(Arc::new(said)),
        }
    }

    fn arrivals(&mut self) -> usize {
        match next(&mut self.log, Duration::from_secs(60)).expect("arrives") {
            Arrival::Entries(entries) => entries.len(),
            other => panic!("the log did not store: {other:?}"),
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let folder = arguments.next().map(PathBuf::from);
    let only = arguments.next().unwrap_or_default();
    println!("{:<22} {:>9} {:>9} {:>12} {:>8}", "load", "msg/s", "commits/s", "CPU us/msg", "RSS MB");
    let row = |name: String, rooms, size, streams| {
        if name.contains(&only) {
            measure(folder.as_deref(), &name, rooms, size, streams);
        }
    };
    for rooms in [1, 100] {
        for size in [1, 8, 80, 640] {
            row(format!("batch {size}, rooms {rooms}"), rooms, size, 1);
        }
    }
    for senders in [1, 10, 100, 1000] {
        row(format!("senders {senders}, rooms 10"), 10, 1, senders);
    }
    if "read".contains(&only) {
        read(folder.as_deref());
    }
}

/// What a start and a page cost when there is much to read.
fn read(folder: Option<&Path>) {
    const MESSAGES: usize = 1_000_000;
    let dir = folder.map_or_else(tempfile::tempdir, tempfile::tempdir_in).expect("a folder");
    let mut load = Load::new(open(dir.path(), Options::default()).expect("opens").log, 1_000, 10);
    let mut done = 0;
    while done < MESSAGES {
        let first = load.n as usize;
        let batch = (0..5_000).map(|index| load.message(first + index)).collect();
        load.log.append(batch).expect("room in the queue");
        done += load.arrivals();
    }
    load.log.close(Duration::from_secs(60)).expect("closes");
    let timed = |what: &str, run: &mut dyn FnMut()| {
        let began = Instant::now();
        run();
        println!("{what:<48} {:>9.3} ms", began.elapsed().as_secs_f64() * 1e3);
    };
    let mut opened = None;
    timed("1,000,000 messages: open", &mut || {
        opened = Some(open(dir.path(), Options::default()).expect("opens"));
    });
    let opened = opened.expect("just opened");
    timed("restore the chat", &mut || {
        let mut chat = Chat::new(MsgIdKey(opened.meta.msgid_key));
        opened.restore(&mut chat).expect("restores");
    });
    let page = |part, name: &str| {
        let query = Query {
            room: RoomId(1),
            name: "#one".into(),
            part,
            limit: 50,
            first: Number(1),
            last: Number(MESSAGES as u64 / 10),
            events: false,
            until: Seq(0),
            clock: false,
            two: None,
            batch: "b".into(),
            show: Show::Said,
        };
        for time in ["first", "second"] {
            timed(&format!("page of 50, {name}, {time} time"), &mut || {
                assert_eq!(opened.reader.page(&query).expect("reads").rows.len(), 50);
            });
        }
    };
    page(Part::Latest(None), "newest");
    page(Part::Before(Anchor::Seq(Seq(500_001))), "before a position");
    page(Part::Before(Anchor::Time(1_800_000_000_000 + 10_000)), "before a time");
}

/// `streams` batches of `size` are under way all the time.
fn measure(folder: Option<&Path>, name: &str, rooms: u32, size: usize, streams: usize) {
    let dir = folder.map_or_else(tempfile::tempdir, tempfile::tempdir_in).expect("a folder");
    let opened = open(dir.path(), Options::default()).expect("opens");
    let mut load = Load::new(opened.log, size * streams, rooms);
    let (began, cpu) = (Instant::now(), cpu());
    let (mut done, mut commits, mut free) = (0, 0_u64, size * streams);
    while began.elapsed() < ROW {
        // As the hub does: what became free in one turn goes out as one batch.
        if free > 0 {
            let first = load.n as usize;
            let batch = (0..free).map(|index| load.message(first + index)).collect();
            load.log.append(batch).expect("room in the queue");
            commits += 1;
        }
        free = load.arrivals();
        done += free;
    }
    let (wall, cpu) = (began.elapsed().as_secs_f64(), self::cpu() - cpu);
    println!(
        "{name:<22} {:>9.0} {:>9.0} {:>12.2} {:>8.1}",
        done as f64 / wall,
        commits as f64 / wall,
        cpu.as_secs_f64() * 1e6 / done as f64,
        rss_mb(),
    );
}

/// User and system time of this process so far.
fn cpu() -> Duration {
    // SAFETY: `usage` is a plain structure of integers, for which zero is a value, and the call only writes it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let time = |time: libc::timeval| {
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_usec).unwrap_or(0) * 1000)
    };
    time(usage.ru_utime) + time(usage.ru_stime)
}

fn rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}
