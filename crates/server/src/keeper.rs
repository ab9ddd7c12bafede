//! A data folder while no server runs on it: what is kept is read, and accounts are looked after.

use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use chinwag_archive::{DATABASE_FILE, Opened};
use chinwag_core::chat::Chat;
use chinwag_core::erasing::{Erasable, EraseQuery, Erasure};
use chinwag_core::event::{AccountChange, AccountRegistered, Act, Event, OperatorActed, Who};
use chinwag_log::{Arrival, Health, Key, Log, Origin, Proposal, Seq, Slot};
use chinwag_proof::{Cost, Prover};
use chinwag_wire::casemap::CaseMapping;
use chinwag_wire::msgid::MsgIdKey;
use chinwag_wire::names::{Nick, is_reserved};

use crate::{Config, StartError, clock, make_folder};

/// How long storing may take.
const WITHIN: Duration = Duration::from_secs(10);

/// How often it is looked how far something is.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Bytes of an account's name, and of its password.
const NAME_BYTES_MAX: usize = 128;
const PASSWORD_BYTES_MAX: usize = 600;

/// What the configuration keeps of a password (`[[oper]]`, `[[webirc]]`): its argon2id hash, as a PHC string.
pub fn hash_password(password: &str) -> String {
    Prover::new(Cost::DEFAULT, [0, 0]).hash(password).argon2.into()
}

/// A data folder, ours until this is dropped.
pub struct Keeper {
    opened: Opened,
    chat: Chat,
}

/// Why something about an account was not done. The text is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The name is an account's already.
    #[error("there is an account {0} already; `chinwag account password {0}` gives it another password")]
    Taken(String),
    /// There is no such account.
    #[error("there is no account {0}; `chinwag account list` shows those that there are")]
    Unknown(String),
    /// The name cannot be an account's.
    #[error("{0:?} cannot be an account: use letters, digits, - and _, beginning with a letter")]
    BadName(String),
    /// The password cannot be one.
    #[error("a password has from 1 to {PASSWORD_BYTES_MAX} bytes and no control characters")]
    BadPassword,
    /// It could not be stored.
    #[error("it could not be stored: {0}")]
    Storage(String),
}

impl Keeper {
    /// Opens a data folder in which something is kept.
    ///
    /// # Errors
    /// [`StartError`], one sentence for people, above all when a server runs on it.
    pub fn open(data: &Path) -> Result<Keeper, StartError> {
        Keeper::with(data, CaseMapping::default())
    }

    /// The same; a folder that is not there yet, or empty, is made as a server with this configuration would make it.
    ///
    /// # Errors
    /// [`StartError`], as before.
    pub fn make(data: &Path, config: &Config) -> Result<Keeper, StartError> {
        make_folder(data).map_err(|source| StartError::Folder { path: data.to_owned(), source })?;
        Keeper::with(data, config.server.casemapping.of_names())
    }

    fn with(data: &Path, casemapping: CaseMapping) -> Result<Keeper, StartError> {
        let options = chinwag_archive::Options { now_ms: clock::now_ms(), casemapping, ..Default::default() };
        let opened = chinwag_archive::open(data, options)?;
        let mut chat = Chat::new(MsgIdKey(opened.meta.msgid_key)).with_mapping(opened.meta.casemapping);
        opened
            .restore(&mut chat)
            .map_err(|error| StartError::Restore { path: data.to_owned(), what: error.to_string() })?;
        Ok(Keeper { opened, chat })
    }

    /// Whether anything is kept in a folder.
    pub fn is_kept(data: &Path) -> bool {
        data.join(DATABASE_FILE).exists()
    }

    /// What is kept.
    pub fn chat(&self) -> &Chat {
        &self.chat
    }

    /// Makes an account, usable at once.
    ///
    /// # Errors
    /// [`KeepError`].
    pub fn add(self, name: &str, password: &str) -> Result<(), KeepError> {
        if self.chat.account(name).is_some() {
            return Err(KeepError::Taken(name.to_owned()));
        }
        if is_reserved(name) || Nick::parse(name, NAME_BYTES_MAX).is_err() {
            return Err(KeepError::BadName(name.to_owned()));
        }
        let verifiers = Some(Arc::new(self.prover(password)?.hash(password)));
        let account = name.into();
        let new = AccountRegistered {
            account,
            verifiers,
            certificate: None,
            key: None,
            email: None,
            code: None,
            replaces: false,
            invitation: None,
        };
        self.store(Event::AccountRegistered(Arc::new(new)))
    }

    /// Gives an account another password.
    ///
    /// # Errors
    /// [`KeepError`].
    pub fn set_password(self, name: &str, password: &str) -> Result<(), KeepError> {
        let account = self.known(name)?;
        let change = AccountChange::Password(Some(Arc::new(self.prover(password)?.hash(password))));
        self.store(Event::AccountChanged { account, change })
    }

    /// Ends an account: its name is free.
    ///
    /// # Errors
    /// [`KeepError`].
    pub fn remove(self, name: &str) -> Result<(), KeepError> {
        let account = self.known(name)?;
        self.store(Event::AccountDropped { account })
    }

    /// How much [`Keeper::erase`] would remove.
    ///
    /// # Errors
    /// [`KeepError`].
    pub fn erasable(&self, name: &str) -> Result<Erasable, KeepError> {
        let query = EraseQuery {
            whom: format!("a:{name}").into(),
            mapping: self.chat.mapping(),
            since_ms: 0,
            room: None,
            looks: u64::MAX,
            until: Seq(i64::MAX as u64),
        };
        self.opened.reader.erasable(&query).map_err(|error| KeepError::Storage(error.to_string()))
    }

    /// Removes for good what was ever said with an account, whether there is one of that name now or not, and tells
    /// `each` how far it is. Says how many messages went. When it is interrupted, the next start of a server goes on.
    ///
    /// # Errors
    /// [`KeepError`].
    pub fn erase(mut self, name: &str, each: &mut dyn FnMut(&Erasure)) -> Result<u64, KeepError> {
        if name.is_empty() || name.contains([' ', '*', '?', ':']) {
            return Err(KeepError::BadName(name.to_owned()));
        }
        let server: Arc<str> = "server".into();
        let who = Who { nick: "*".into(), user: Arc::clone(&server), host: server, account: None };
        let whom = format!("a:{name}").into();
        let act = Act::Erased { whom, since_ms: 0, room: None, place: None };
        let event = Event::OperatorActed(Arc::new(OperatorActed { by: Arc::new(who), operator: None, act }));
        let asked = self.append(event)?;
        let failed = |error: String| KeepError::Storage(error);
        loop {
            let erasures = self.opened.reader.erasures().map_err(|error| failed(error.to_string()))?;
            let ours = erasures.into_iter().find(|erasure| erasure.seq == asked);
            let ours = ours.ok_or_else(|| failed("nothing was begun".to_owned()))?;
            if ours.done {
                self.opened.log.close(WITHIN).map_err(|error| failed(error.to_string()))?;
                return Ok(ours.gone);
            }
            if let Health::Fatal(reason) | Health::ReadOnly(reason) = self.opened.log.health() {
                return Err(failed(reason));
            }
            each(&ours);
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Stores an event; its position.
    fn append(&mut self, event: Event) -> Result<Seq, KeepError> {
        let failed = |why: &str| KeepError::Storage(why.to_owned());
        let key = Key { origin: Origin(self.opened.meta.origin), n: self.opened.meta.first_key };
        let (at_ms, keep) = (clock::now_ms(), event.keep());
        let proposal = Proposal { key, at_ms, keep, slot: Slot::default(), event };
        self.opened.log.append(vec![proposal]).map_err(|_| failed("the log takes nothing"))?;
        let until = Instant::now() + WITHIN;
        while Instant::now() < until {
            match self.opened.log.poll_next(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Arrival::Entries(entries)) => {
                    return entries.last().map(|entry| entry.seq).ok_or_else(|| failed("it was not kept"));
                }
                Poll::Ready(Arrival::Refused { why, .. }) => return Err(failed(&why.to_string())),
                Poll::Ready(Arrival::Health(_)) => {}
                Poll::Pending => thread::sleep(LOOK_AGAIN),
            }
        }
        Err(failed("the log did not say in time that it is kept"))
    }

    fn known(&self, name: &str) -> Result<Arc<str>, KeepError> {
        let account = self.chat.account(name).map(|account| Arc::clone(&account.name));
        account.ok_or_else(|| KeepError::Unknown(name.to_owned()))
    }

    /// What hashes a password that may be one.
    fn prover(&self, password: &str) -> Result<Prover, KeepError> {
        if password.is_empty() || password.len() > PASSWORD_BYTES_MAX || password.contains(char::is_control) {
            return Err(KeepError::BadPassword);
        }
        Ok(Prover::new(Cost::DEFAULT, self.opened.meta.msgid_key))
    }

    /// Stores an event, and gives the folder back.
    fn store(self, event: Event) -> Result<(), KeepError> {
        let Opened { mut log, meta, .. } = self.opened;
        let key = Key { origin: Origin(meta.origin), n: meta.first_key };
        let proposal =
            Proposal { key, at_ms: clock::now_ms(), keep: event.keep(), slot: Slot::default(), event };
        let failed = |why: String| KeepError::Storage(why);
        log.append(vec![proposal]).map_err(|_| failed("the log takes nothing".to_owned()))?;
        let arrivals = log.close(WITHIN).map_err(|error| failed(error.to_string()))?;
        let mut stored = false;
        for arrival in arrivals {
            match arrival {
                Arrival::Entries(entries) => stored |= !entries.is_empty(),
                Arrival::Refused { why, .. } => return Err(failed(why.to_string())),
                Arrival::Health(_) => {}
            }
        }
        if stored { Ok(()) } else { Err(failed("the log did not say that it is kept".to_owned())) }
    }
}
