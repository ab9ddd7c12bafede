//! Search over years of use: how long the index takes to make, how long answers take, and whether the newest is found while
//! much is said.
//!
//! Texts are made of words that are about as unevenly common as those of a language, so that there are questions with
//! a handful of hits and such with millions.

mod texts;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use chinwag_archive::{Opened, SEARCH_FILE};
use chinwag_core::event::{Event, Joins, Said, SayKind, Who};
use chinwag_core::ids::{Number, RoomId, UserId};
use chinwag_core::search::{Place, SearchQuery, Wanted};
use chinwag_log::conformance::next;
use chinwag_log::{Arrival, Key, Log, Origin, Proposal, Slot};

use self::texts::Texts;
use crate::process::cpu_of_threads;
use crate::servers::Places;
use crate::table;

/// How much was said, and what is asked.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Options {
    /// Messages
    #[arg(long, default_value_t = 10_000_000)]
    messages: u64,
    /// Rooms
    #[arg(long, default_value_t = 1_000)]
    rooms: u32,
    /// Questions of each sort
    #[arg(long, default_value_t = 1_000)]
    questions: usize,
    /// Messages a second while it is seen how far behind the index is
    #[arg(long, default_value_t = 5_000)]
    rate: u64,
    /// Seconds of that
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

/// Messages of one append.
const BATCH: u64 = 5_000;

/// People who talk.
const PEOPLE: u64 = 500;

/// What an answer may take, in milliseconds.
const ANSWER_MAX: f64 = 20.0;

/// How old that may be at most, in milliseconds.
const BEHIND_MAX: f64 = 1_000.0;

/// How often it is looked how far behind it is.
const LOOK: Duration = Duration::from_millis(10);

/// How long is waited for what must come.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// Fills a folder, has it indexed, asks, and talks on while it looks at the index.
///
/// # Errors
/// When the archive fails.
pub fn run(places: &Places, options: Options) -> Result<bool> {
    ensure!(options.rooms > 0 && options.messages >= BATCH, "too little to look for");
    let folder = places.new_folder()?;
    let mut opened = chinwag_archive::open(folder.path(), chinwag_archive::Options::default())?;
    let mut talk = Talk::new(&opened, options.rooms);
    let began = Instant::now();
    talk.rooms(&mut opened)?;
    while talk.said < options.messages {
        talk.say(&mut opened, BATCH.min(options.messages - talk.said))?;
    }
    println!("{} messages were written in {:.1} s", talk.said, began.elapsed().as_secs_f64());
    let _indexer = index(&opened, options, folder.path())?;
    let mut reached = questions(&opened, options)?;
    reached &= behind(&mut opened, &mut talk, options)?;
    opened.log.close(Duration::from_secs(60)).map_err(|error| anyhow!("{error}"))?;
    Ok(reached)
}

/// Has everything indexed, and says what that took.
fn index(opened: &Opened, options: Options, folder: &std::path::Path) -> Result<chinwag_archive::Indexer> {
    let began = Instant::now();
    let indexer = opened.index()?;
    let nothing = query("nothingness", all(options.rooms))?;
    let mut told = Instant::now();
    loop {
        let behind = match opened.reader.search(&nothing) {
            Ok(hits) => hits.behind,
            // It is not there yet.
            Err(_) => options.messages,
        };
        if behind == 0 {
            break;
        }
        ensure!(began.elapsed() < PATIENCE, "the index is not made within an hour");
        if told.elapsed() > Duration::from_secs(10) {
            eprintln!("{behind} messages are to be indexed");
            told = Instant::now();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let took = began.elapsed();
    let cpu = cpu_of_threads("search")?;
    let size = |file: &str| std::fs::metadata(folder.join(file)).map(|found| found.len() as f64 / 1e6);
    println!(
        "they were indexed in {:.1} s, {:.1} µs of CPU each; the index has {:.0} MB, the messages {:.0} MB",
        took.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / options.messages as f64,
        size(SEARCH_FILE)?,
        size(chinwag_archive::DATABASE_FILE)?,
    );
    let (cpu, took) = at_rest("search")?;
    println!(
        "and put in order in {:.1} s more: {:.1} µs of CPU each in all",
        took.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / options.messages as f64
    );
    Ok(indexer)
}

/// The CPU time of a thread, as soon as it has nothing to do any more, and how long that took.
fn at_rest(thread: &str) -> Result<(Duration, Duration)> {
    let began = Instant::now();
    let mut last = (cpu_of_threads(thread)?, Instant::now());
    loop {
        std::thread::sleep(Duration::from_millis(50));
        let cpu = cpu_of_threads(thread)?;
        if cpu != last.0 {
            last = (cpu, Instant::now());
        } else if last.1.elapsed() > Duration::from_secs(1) {
            return Ok((cpu, last.1 - began));
        }
        ensure!(began.elapsed() < PATIENCE, "the index is not in order within an hour");
    }
}

/// Questions of each sort, in one room, in fifty and everywhere.
fn questions(opened: &Opened, options: Options) -> Result<bool> {
    let mut rows = vec![
        ["looked for", "where", "found on average", "p50", "p99", "slowest"].map(str::to_owned).to_vec(),
    ];
    let mut worst = Duration::ZERO;
    let mut texts = Texts::new(7);
    for sort in texts::SORTS {
        for (place, rooms) in
            [("a room", 1), ("50 rooms", 50.min(options.rooms)), ("everywhere", options.rooms)]
        {
            let (mut times, mut found) = (Vec::new(), 0);
            for _ in 0..options.questions {
                let typed = texts.question(sort);
                let first = texts.below(u64::from(options.rooms - rooms) + 1) as u32 + 1;
                let query = query(&typed, (first..first + rooms).collect())?;
                let began = Instant::now();
                let hits = opened.reader.search(&query).map_err(|error| anyhow!("{typed}: {error}"))?;
                times.push(began.elapsed());
                found += hits.hits.len();
            }
            let p99 = table::percentile(&times, 0.99);
            worst = worst.max(p99);
            rows.push(vec![
                sort.name().to_owned(),
                place.to_owned(),
                format!("{:.1}", found as f64 / times.len() as f64),
                table::ms(table::percentile(&times, 0.5)),
                table::ms(p99),
                table::ms(table::percentile(&times, 1.0)),
            ]);
        }
    }
    table::print(&rows);
    Ok(table::verdict("the slowest sort's p99", worst.as_secs_f64() * 1e3, "ms", ANSWER_MAX, false))
}

/// How much of the newest a search leaves out while so much is said: what is neither in the index nor looked through
/// beside it.
fn behind(opened: &mut Opened, talk: &mut Talk, options: Options) -> Result<bool> {
    let reader = opened.reader.clone();
    let nothing = query("nothingness", vec![1])?;
    let until = Instant::now() + Duration::from_secs(options.seconds);
    let seconds = options.seconds;
    let watch = std::thread::spawn(move || -> Result<u64> {
        let mut most = 0;
        while Instant::now() < until {
            most = most.max(reader.search(&nothing).map_err(|error| anyhow!("{error}"))?.behind);
            std::thread::sleep(LOOK);
        }
        Ok(most)
    });
    let began = Instant::now();
    let each = Duration::from_millis(10);
    for turn in 1..=u32::try_from(seconds * 100)? {
        talk.say(opened, options.rate / 100)?;
        std::thread::sleep((each * turn).saturating_sub(began.elapsed()));
    }
    let took = began.elapsed();
    let most = watch.join().map_err(|_| anyhow!("nobody watched"))??;
    let rate = (options.rate * seconds) as f64 / took.as_secs_f64();
    println!("{rate:.0} messages a second: a search left out at most {most} of the newest");
    Ok(table::verdict("which is", most as f64 * 1e3 / rate, "ms", BEHIND_MAX, false))
}

fn all(rooms: u32) -> Vec<u32> {
    (1..=rooms).collect()
}

/// The question that somebody types.
fn query(typed: &str, rooms: Vec<u32>) -> Result<SearchQuery> {
    let wanted = Wanted::parse(typed, &|_| None).map_err(|error| anyhow!("{typed}: {error:?}"))?;
    Ok(SearchQuery {
        places: rooms.into_iter().map(|room| Place { room: RoomId(room), first: Number(1) }).collect(),
        terms: wanted.terms.into(),
        from: wanted.from,
        before: None,
        after: None,
        limit: 20,
    })
}

/// People who talk.
struct Talk {
    origin: Origin,
    key: u64,
    said: u64,
    heads: Vec<u64>,
    people: Vec<Arc<Who>>,
    texts: Texts,
}

impl Talk {
    fn new(opened: &Opened, rooms: u32) -> Talk {
        let person = |n: u64| {
            let nick: Arc<str> = format!("person{n}").into();
            Arc::new(Who { nick, user: "~user".into(), host: "host.example".into(), account: None })
        };
        Talk {
            origin: Origin(opened.meta.origin),
            key: opened.meta.first_key,
            said: 0,
            heads: vec![0; rooms as usize],
            people: (0..PEOPLE).map(person).collect(),
            texts: Texts::new(1),
        }
    }

    fn rooms(&mut self, opened: &mut Opened) -> Result<()> {
        let rooms = u32::try_from(self.heads.len())?;
        let by = Arc::clone(&self.people[0]);
        let batch = (1..=rooms).map(|n| {
            let event =
                Event::Opened { name: format!("#room{n}").into(), by: Arc::clone(&by), common: false };
            self.proposal(event, Slot { room: n, number: 0 })
        });
        let batch = batch.collect();
        store(opened, batch)
    }

    fn say(&mut self, opened: &mut Opened, count: u64) -> Result<()> {
        let mut batch = Vec::new();
        for _ in 0..count {
            let room = self.texts.below(self.heads.len() as u64);
            let head = &mut self.heads[usize::try_from(room)?];
            *head += 1;
            let slot = Slot { room: room as u32 + 1, number: *head };
            let person = self.texts.below(PEOPLE);
            let said = Said {
                room: RoomId(slot.room),
                basis: 0,
                user: UserId::new(1, person),
                by: Arc::clone(&self.people[person as usize]),
                kind: SayKind::Privmsg,
                text: self.texts.text().into(),
                joins: Joins::default(),
                client_tags: None,
                status: None,
                direct: None,
            };
            batch.push(self.proposal(Event::Said(Arc::new(said)), slot));
        }
        self.said += count;
        store(opened, batch)
    }

    fn proposal(&mut self, event: Event, slot: Slot) -> Proposal<Event> {
        self.key += 1;
        let key = Key { origin: self.origin, n: self.key };
        Proposal { key, at_ms: 1_795_000_000_000 + self.key, keep: event.keep(), slot, event }
    }
}

/// Appends and waits until everything is kept.
fn store(opened: &mut Opened, batch: Vec<Proposal<Event>>) -> Result<()> {
    let mut left = batch.len();
    opened.log.append(batch).map_err(|_| anyhow!("the log is full"))?;
    while left > 0 {
        match next(&mut opened.log, Duration::from_secs(60)).context("nothing came back from the log")? {
            Arrival::Entries(entries) => left -= entries.len(),
            _ => return Err(anyhow!("the log did not store")),
        }
    }
    Ok(())
}
