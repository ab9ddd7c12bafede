//! A start on years of use: accounts, rooms with topics and bans, and a million messages, until the first welcome.
//!
//! The folder is filled through the archive itself, so that what is measured is what the server would have written.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use chinwag_archive::SqliteLog;
use chinwag_core::chat::{Chat, Verifiers};
use chinwag_core::event::{
    AccountChange, AccountRegistered, Event, Joins, ModeChange, Said, SayKind, Setting, Who,
};
use chinwag_core::ids::{RoomId, UserId};
use chinwag_log::conformance::next;
use chinwag_log::{Arrival, Key, Log, Origin, Proposal, Slot};
use chinwag_wire::msgid::MsgIdKey;

use crate::process::{Process, free_address};
use crate::servers::Places;
use crate::table;

/// How much there is before the start.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Options {
    /// Accounts; one in ten is present without a session
    #[arg(long, default_value_t = 10_000)]
    accounts: usize,
    /// Rooms, each with a topic and three bans
    #[arg(long, default_value_t = 1_000)]
    rooms: u32,
    /// Messages, spread over the rooms
    #[arg(long, default_value_t = 1_000_000)]
    messages: usize,
    /// Starts; the median counts
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// Events of one append.
const BATCH: usize = 5_000;

const TEXT: &str = "the quick brown fox jumps over the lazy dog, and then it waits for the others to come";

/// Fills a folder and starts the server on it.
///
/// # Errors
/// When the server is missing or fails.
pub fn run(places: &Places, options: Options) -> Result<bool> {
    let folder = places.new_folder()?;
    let began = Instant::now();
    fill(&folder.path().join("data"), options)?;
    let Options { accounts, rooms, messages, .. } = options;
    println!(
        "{accounts} accounts, {rooms} rooms and {messages} messages were written in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    let mut times = Vec::new();
    for _ in 0..options.rounds.max(1) {
        let address = free_address()?;
        let command: Command = places.chinwag_command(folder.path(), &address.to_string())?;
        let begin = Instant::now();
        let process = Process::start(command, address, folder.path())?;
        let mut stream = TcpStream::connect(process.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.write_all(b"NICK visitor\r\nUSER visitor 0 * :bench\r\n")?;
        let welcome = until(&mut stream, " 001 ")?;
        times.push(begin.elapsed().as_secs_f64() * 1e3);
        ensure!(welcome.contains(" 001 visitor "), "an odd welcome: {welcome}");
        // What is found is what was written.
        stream.write_all(b"TOPIC #room7\r\nMODE #room7 b\r\n")?;
        let found = until(&mut stream, " 368 ")?;
        ensure!(found.contains("about room 7"), "the topic is not as before: {found}");
        ensure!(found.matches(" 367 ").count() == 3, "the bans are not as before: {found}");
    }
    Ok(table::verdict("chinwag, from start to the first welcome", table::median(&times), "ms", 300.0, false))
}

fn until(stream: &mut TcpStream, wanted: &str) -> Result<String> {
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&answer);
        if text.contains(wanted) {
            return Ok(text.into_owned());
        }
        let count = stream.read(&mut buffer)?;
        ensure!(count > 0, "the server closed the connection: {text}");
        answer.extend_from_slice(&buffer[..count]);
    }
}

fn fill(data: &Path, options: Options) -> Result<()> {
    std::fs::create_dir_all(data)?;
    let opened = chinwag_archive::open(data, chinwag_archive::Options::default())?;
    let mut past = Past {
        chat: Chat::new(MsgIdKey(opened.meta.msgid_key)),
        log: opened.log,
        n: opened.meta.first_key,
        waiting: Vec::new(),
    };
    for n in 0..options.accounts {
        past.account(n)?;
    }
    past.append()?;
    for n in 1..=options.rooms {
        past.room(n)?;
    }
    past.append()?;
    let heads = past.chat.rooms().map(|room| (room.id, room.rules)).collect::<Vec<_>>();
    for n in 0..options.messages {
        let (room, basis) = heads[n % heads.len()];
        let number = (n / heads.len()) as u64 + 1;
        past.message(n, room, basis, number)?;
    }
    past.append()?;
    past.log.close(Duration::from_secs(60)).map_err(|error| anyhow!("{error}"))?;
    Ok(())
}

/// What happened before the start, on its way into the log.
struct Past {
    chat: Chat,
    log: SqliteLog,
    n: u64,
    waiting: Vec<Proposal<Event>>,
}

impl Past {
    fn account(&mut self, n: usize) -> Result<()> {
        let hash = "A".repeat(43);
        let verifiers = Verifiers {
            argon2: format!("$argon2id$v=19$m=19456,t=2,p=1${}${hash}", "B".repeat(22)).into(),
            scram: format!("SCRAM-SHA-256$4096:{}$={hash}:{hash}=", "C".repeat(24)).into(),
        };
        let account: Arc<str> = format!("account{n}").into();
        let registered = AccountRegistered {
            account: Arc::clone(&account),
            verifiers: Some(Arc::new(verifiers)),
            certificate: None,
            key: None,
            email: None,
            code: None,
            replaces: false,
        };
        self.push(Event::AccountRegistered(Arc::new(registered)), Slot::default())?;
        if n.is_multiple_of(10) {
            let change = AccountChange::Setting(Setting::AlwaysOn(Some(true)));
            self.push(Event::AccountChanged { account, change }, Slot::default())?;
        }
        Ok(())
    }

    fn room(&mut self, n: u32) -> Result<()> {
        let by = who(n as usize);
        let room = RoomId(n);
        let slot = Slot { room: n, number: 0 };
        let name = format!("#room{n}").into();
        self.push(Event::Opened { name, by: Arc::clone(&by), common: false }, slot)?;
        let topic = format!("about room {n}").into();
        self.push(Event::TopicSet { room, basis: 0, by: Arc::clone(&by), topic }, slot)?;
        let ban = |mask: String| ModeChange {
            set: true,
            mode: 'b',
            arg: Some(mask.into()),
            ..ModeChange::default()
        };
        let changes = (0..3).map(|at| ban(format!("*!*@{at}.example"))).collect();
        self.push(Event::ModesChanged { room, basis: 0, by, changes }, slot)
    }

    fn message(&mut self, n: usize, room: RoomId, basis: u32, number: u64) -> Result<()> {
        let said = Said {
            room,
            basis,
            user: UserId::new(1, n as u64 % 500),
            by: who(n % 500),
            kind: SayKind::Privmsg,
            text: TEXT.into(),
            joins: Joins::default(),
            client_tags: None,
            status: None,
            direct: None,
        };
        self.push(Event::Said(Arc::new(said)), Slot { room: room.0, number })
    }

    fn push(&mut self, event: Event, slot: Slot) -> Result<()> {
        self.n += 1;
        let key = Key { origin: Origin(1), n: self.n };
        let at_ms = 1_795_000_000_000 + self.n;
        self.waiting.push(Proposal { key, at_ms, keep: event.keep(), slot, event });
        if self.waiting.len() >= BATCH { self.append() } else { Ok(()) }
    }

    /// Appends what waits and applies it once it is kept.
    fn append(&mut self) -> Result<()> {
        let mut left = self.waiting.len();
        self.log.append(std::mem::take(&mut self.waiting)).map_err(|_| anyhow!("the log is full"))?;
        let mut effects = Vec::new();
        while left > 0 {
            match next(&mut self.log, Duration::from_secs(60)).context("nothing came back from the log")? {
                Arrival::Entries(entries) => {
                    left -= entries.len();
                    for entry in &entries {
                        self.chat.apply(entry, &mut effects);
                        effects.clear();
                    }
                }
                other => return Err(anyhow!("the log did not store: {other:?}")),
            }
        }
        Ok(())
    }
}

fn who(n: usize) -> Arc<Who> {
    let nick = format!("nick{n}");
    Arc::new(Who { nick: nick.into(), user: "~user".into(), host: "host.example".into(), account: None })
}
