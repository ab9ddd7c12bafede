//! Years of use, written through the archive itself, so that what is measured is what the server would have written.
//!
//! What lives here: who was registered, what was opened, said, set and read before the start that is measured. What
//! does not: what is asked of the server afterwards (`restart`).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use chinwag_archive::SqliteLog;
use chinwag_core::chat::{Chat, Party, Reading, Verifiers};
use chinwag_core::event::{
    AccountChange, AccountRegistered, Event, Joins, Keeping, ModeChange, Presence, ReadMarked, Said, SayKind,
    Setting, Who,
};
use chinwag_core::ids::{RoomId, UserId};
use chinwag_log::conformance::next;
use chinwag_log::{Arrival, Key, Log, Origin, Proposal, Slot};
use chinwag_proof::{Cost, Prover};
use chinwag_wire::msgid::MsgIdKey;

use super::{BEGAN_MS, Options, PASSWORD, account, roles_in, rooms_of};

/// Events of one append.
const BATCH: usize = 5_000;

/// One message in so many is said between two people.
const DIRECT_SHARE: usize = 20;

const TEXT: &str = "the quick brown fox jumps over the lazy dog, and then it waits for the others to come";

/// Writes it all into a new database.
///
/// # Errors
/// When the archive cannot be written.
pub fn fill(data: &Path, options: Options) -> Result<()> {
    std::fs::create_dir_all(data)?;
    let opened = chinwag_archive::open(data, chinwag_archive::Options::default())?;
    let mut past = Past {
        chat: Chat::new(MsgIdKey(opened.meta.msgid_key)),
        log: opened.log,
        origin: opened.meta.origin,
        n: opened.meta.first_key,
        waiting: Vec::new(),
    };
    past.accounts(options)?;
    past.rooms(options)?;
    past.presences(options)?;
    past.messages(options)?;
    past.log.close(Duration::from_secs(60)).map_err(|error| anyhow!("{error}"))?;
    Ok(())
}

/// What happened before the start, on its way into the log.
struct Past {
    chat: Chat,
    log: SqliteLog,
    origin: u32,
    n: u64,
    waiting: Vec<Proposal<Event>>,
}

impl Past {
    /// Accounts, and what their owners chose.
    fn accounts(&mut self, options: Options) -> Result<()> {
        let known = Arc::new(Prover::new(Cost::TEST, [1, 2]).hash(PASSWORD));
        for n in 0..options.accounts {
            let account: Arc<str> = account(n).into();
            let verifiers = if n == 0 { Arc::clone(&known) } else { Arc::new(unknown()) };
            let registered = AccountRegistered {
                account: Arc::clone(&account),
                verifiers: Some(verifiers),
                certificate: None,
                key: None,
                email: None,
                code: None,
                replaces: false,
                invitation: None,
            };
            self.push(Event::AccountRegistered(Arc::new(registered)), Slot::default())?;
            if n < options.present {
                let change = AccountChange::Setting(Setting::AlwaysOn(Some(true)));
                self.push(Event::AccountChanged { account, change }, Slot::default())?;
            }
        }
        self.append()
    }

    /// Rooms with a founder, a topic, three bans, and an account that is an operator for good.
    fn rooms(&mut self, options: Options) -> Result<()> {
        for n in 1..=options.rooms {
            let founder = n as usize - 1;
            let by = who(founder);
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
            self.push(Event::ModesChanged { room, basis: 0, by: Arc::clone(&by), changes }, slot)?;
            let keepings = [
                Keeping::Founder(Some(account(founder).into())),
                Keeping::Role { account: account(founder + 1).into(), mode: Some('o') },
            ];
            for (kept, keeping) in keepings.into_iter().enumerate() {
                let basis = 1 + kept as u32;
                self.push(Event::RoomKept { room, basis, by: Arc::clone(&by), keeping }, slot)?;
            }
        }
        self.append()
    }

    /// Where those are who stay, and what they have read there.
    fn presences(&mut self, options: Options) -> Result<()> {
        for n in 0..options.present {
            let rooms = rooms_of(n, options).map(|room| (RoomId(room), roles_in(n, room).to_owned()));
            let presence = Presence {
                home: self.origin as u16,
                nick: account(n).into(),
                user: "~user".into(),
                host: "host.example".into(),
                realname: "somebody who stays".into(),
                rooms: rooms.collect(),
            };
            let presence = Some(Arc::new(presence));
            self.push(Event::Stays { account: account(n).into(), presence }, Slot::default())?;
            for room in rooms_of(n, options) {
                let mark = ReadMarked {
                    account: Some(account(n).into()),
                    user: UserId::new(1, n as u64),
                    reading: Reading::Room(RoomId(room)),
                    target: format!("#room{room}").into(),
                    to_ms: BEGAN_MS,
                    in_place_of: None,
                };
                self.push(Event::ReadMarked(Arc::new(mark)), Slot::default())?;
            }
        }
        self.append()
    }

    /// What was said: in the rooms, and between each two neighbours among those who stay.
    fn messages(&mut self, options: Options) -> Result<()> {
        let pairs = (options.present / 2).min(options.messages / DIRECT_SHARE);
        let party = |chat: &Chat, n: usize| chat.party_named(&account(n)).context("nobody has that account");
        let mut between = Vec::new();
        for n in 0..pairs {
            let two: Arc<[Party; 2]> = [party(&self.chat, 2 * n)?, party(&self.chat, 2 * n + 1)?].into();
            let slot = Slot { room: options.rooms + 1 + n as u32, number: 0 };
            self.push(Event::ConversationOpened { between: Arc::clone(&two) }, slot)?;
            between.push(two);
        }
        self.append()?;
        let rooms = self.chat.rooms().filter(|room| room.between.is_none());
        let mut rooms = rooms.map(|room| (room.id, room.rules, 0)).collect::<Vec<_>>();
        let mut directs = Vec::new();
        for two in &between {
            let room = self.chat.conversation(&two[0], &two[1]).context("a conversation was not opened")?;
            directs.push((room.id, room.rules, 0));
        }
        for n in 0..options.messages {
            let direct = n.is_multiple_of(DIRECT_SHARE) && pairs > 0;
            let (places, at) =
                if direct { (&mut directs, n / DIRECT_SHARE % pairs) } else { (&mut rooms, n) };
            let count = places.len();
            let (room, basis, head) = &mut places[at % count];
            *head += 1;
            let (room, basis, number) = (*room, *basis, *head);
            let by = who(if direct { 2 * at + (number % 2) as usize } else { n % 500 });
            self.message(n, (room, basis, number), by)?;
        }
        self.append()
    }

    fn message(&mut self, n: usize, (room, basis, number): (RoomId, u32, u64), by: Arc<Who>) -> Result<()> {
        let said = Said {
            room,
            basis,
            user: UserId::new(1, n as u64 % 500),
            by,
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
        let key = Key { origin: Origin(self.origin), n: self.n };
        let at_ms = BEGAN_MS + self.n;
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
                Arrival::Refused { why, .. } => return Err(anyhow!("the log did not store: {why:?}")),
                _ => return Err(anyhow!("the log did not store")),
            }
        }
        Ok(())
    }
}

/// What a password is checked against that nobody knows.
fn unknown() -> Verifiers {
    let hash = "A".repeat(43);
    Verifiers {
        argon2: format!("$argon2id$v=19$m=19456,t=2,p=1${}${hash}", "B".repeat(22)).into(),
        scram: format!("SCRAM-SHA-256$4096:{}$={hash}:{hash}=", "C".repeat(24)).into(),
    }
}

fn who(n: usize) -> Arc<Who> {
    let account: Arc<str> = account(n).into();
    Arc::new(Who {
        nick: Arc::clone(&account),
        user: "~user".into(),
        host: "host.example".into(),
        account: Some(account),
    })
}
