//! Files by HTTP: handing them in, getting them, and what becomes of them.
//!
//! What lives here: the threads that read and write them, [who may hand in how much](receive), [tickets](tickets), and
//! [the answers in which others get them](serve). What does not: the disk and the database (`chinwag_files`), and the API's
//! rows (`api::files`). No file is ever in memory as a whole, neither coming nor going.

mod pool;
mod receive;
mod serve;
mod tickets;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use chinwag_archive::Follower;
use chinwag_files::{DATABASE, Figures, Limits, Refused, Store};
use hyper::header::{HOST, HeaderMap};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

pub(crate) use self::pool::Busy;
use self::pool::Pool;
pub(crate) use self::receive::{Sent, receive, refused};
pub(crate) use self::serve::{account_owner, answer, offers, own_page};
use self::tickets::Tickets;
use crate::clock::now_ms;
use crate::config::{Config, WebConfig};
use crate::greeting::Caller;
use crate::shared::Shared;

/// Threads that read and write contents.
const DISK_THREADS: usize = 2;

/// How long it waits after something happened, so that more gathers.
const GATHER: Duration = Duration::from_millis(200);

/// While nothing happens it looks this often for files that nobody said anything of.
const LOOK: Duration = Duration::from_secs(60);

/// While there is much to follow it rests for so long after each step.
const REST: Duration = Duration::from_millis(20);

/// How long it waits before it tries again what failed.
const AGAIN: Duration = Duration::from_secs(5);

/// Whether a path is one of files.
pub(crate) fn concerns(path: &str) -> bool {
    path.starts_with(chinwag_files::PATH)
}

/// What is configured.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) enabled: bool,
    pub(crate) bytes_max: u64,
    pub(crate) types: Vec<String>,
    of_account: u64,
    of_guest: u64,
    total: u64,
    free: u64,
    /// The address that people type, without a `/` at its end.
    public: Option<String>,
}

impl Rules {
    fn of(web: &WebConfig) -> Rules {
        Rules {
            enabled: web.files,
            bytes_max: web.file_max_bytes,
            types: web.file_types.clone(),
            of_account: web.file_account_bytes,
            of_guest: web.file_guest_bytes,
            total: web.file_total_bytes,
            free: web.file_free_bytes,
            public: web.public_url.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
        }
    }

    /// How much there is for one.
    pub(crate) fn limits(&self, guest: bool) -> Limits {
        Limits { of_owner: if guest { self.of_guest } else { self.of_account }, total: self.total }
    }
}

/// What is done with the database, on a thread of its own.
pub(crate) struct Keeper {
    data: PathBuf,
    store: Option<Store>,
    log: Follower,
    figures: Arc<Figures>,
}

impl Keeper {
    /// The store, opened if it is there already.
    fn known(&mut self) -> Result<Option<&mut Store>, Refused> {
        if self.store.is_none() && !self.data.join(DATABASE).exists() {
            return Ok(None);
        }
        self.store().map(|(store, _)| Some(store))
    }

    /// The store, and the log that it follows.
    fn store(&mut self) -> Result<(&mut Store, &mut Follower), Refused> {
        if self.store.is_none() {
            let figures = Arc::clone(&self.figures);
            self.store = Some(Store::open(&self.data, &mut self.log, figures, now_ms())?);
        }
        Ok((self.store.as_mut().expect("it was opened above"), &mut self.log))
    }

    /// Follows the log by a step. Whether there is more.
    fn follow(&mut self) -> Result<bool, Refused> {
        if self.known()?.is_none() {
            return Ok(false);
        }
        let (store, log) = self.store()?;
        store.follow(log, now_ms())
    }
}

/// Why a file was refused, for `/metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    TooLarge,
    Kind,
    Quota,
    Full,
    Rate,
    Cut,
    MayNot,
    Failed,
}

impl Why {
    const ALL: [Why; 8] =
        [Why::TooLarge, Why::Kind, Why::Quota, Why::Full, Why::Rate, Why::Cut, Why::MayNot, Why::Failed];

    fn name(self) -> &'static str {
        match self {
            Why::TooLarge => "too_large",
            Why::Kind => "type",
            Why::Quota => "quota",
            Why::Full => "full",
            Why::Rate => "rate",
            Why::Cut => "cut",
            Why::MayNot => "not_allowed",
            Why::Failed => "failed",
        }
    }
}

/// Places for so many at once, all together and of one.
#[derive(Debug, Default)]
pub(crate) struct Places(Rc<RefCell<BTreeMap<String, usize>>>);

/// A place that is taken, until this is dropped.
pub(crate) struct Placed(Rc<RefCell<BTreeMap<String, usize>>>, String);

impl Places {
    fn take(&self, by: &str, of_one: usize, all: usize) -> Option<Placed> {
        let mut taken = self.0.borrow_mut();
        let own = taken.get(by).copied().unwrap_or_default();
        if own >= of_one || taken.values().sum::<usize>() >= all {
            return None;
        }
        taken.insert(by.to_owned(), own + 1);
        Some(Placed(Rc::clone(&self.0), by.to_owned()))
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        let mut taken = self.0.borrow_mut();
        if let Some(count) = taken.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.1);
            }
        }
    }
}

/// The files of the server, on the chat's thread.
pub(crate) struct Files {
    data: PathBuf,
    rules: RefCell<Rc<Rules>>,
    keeper: Pool<Keeper>,
    disk: Pool<()>,
    /// One thread: so much memory as one picture takes, and no more.
    painter: Pool<()>,
    figures: Arc<Figures>,
    tickets: RefCell<Tickets>,
    coming: Places,
    going: Places,
    refused: [Cell<u64>; Why::ALL.len()],
    /// How the server is reached when nobody says it.
    place: Option<String>,
}

impl Files {
    /// Starts the threads.
    pub(crate) fn start(
        config: &Config,
        data: &Path,
        log: Follower,
        place: Option<String>,
    ) -> io::Result<Files> {
        let figures = Arc::<Figures>::default();
        let keeper = Keeper { data: data.to_owned(), store: None, log, figures: Arc::clone(&figures) };
        Ok(Files {
            data: data.to_owned(),
            rules: RefCell::new(Rc::new(Rules::of(&config.web))),
            keeper: Pool::start("files", vec![keeper])?,
            disk: Pool::start("disk", vec![(); DISK_THREADS])?,
            painter: Pool::start("pictures", vec![()])?,
            figures,
            tickets: RefCell::default(),
            coming: Places::default(),
            going: Places::default(),
            refused: Default::default(),
            place,
        })
    }

    /// What is configured.
    pub(crate) fn rules(&self) -> Rc<Rules> {
        Rc::clone(&self.rules.borrow())
    }

    /// Other rules from now on.
    pub(crate) fn reload(&self, config: &Config) {
        *self.rules.borrow_mut() = Rc::new(Rules::of(&config.web));
    }

    /// A file was refused.
    pub(crate) fn refuse(&self, why: Why) {
        let count = &self.refused[why as usize];
        count.set(count.get() + 1);
    }

    /// How many files there are and their bytes; how many were refused, by reason.
    pub(crate) fn figures(&self) -> (u64, u64, impl Iterator<Item = (&'static str, u64)>) {
        let refused = Why::ALL.into_iter().map(|why| (why.name(), self.refused[why as usize].get()));
        (self.figures.links(), self.figures.bytes(), refused)
    }

    /// Does something with the store, if there is one; what there is without one is `otherwise`.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        otherwise: T,
        ask: impl FnOnce(&mut Store) -> Result<T, Refused> + Send + 'static,
    ) -> Result<Result<T, Refused>, Busy> {
        self.keeper.run(move |keeper| keeper.known()?.map_or(Ok(otherwise), ask)).await
    }

    /// How the server is reached by whoever sent these headers.
    pub(crate) fn base(&self, caller: &Caller, headers: &HeaderMap) -> String {
        let plain = |host: &&str| {
            let sign = |byte: u8| byte.is_ascii_alphanumeric() || b".:-_[]".contains(&byte);
            (1..=255).contains(&host.len()) && host.bytes().all(sign)
        };
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).filter(plain);
        let scheme = if caller.tls.is_some() || caller.tls_ahead { "https" } else { "http" };
        let came = host.map(|host| format!("{scheme}://{host}"));
        self.rules().public.clone().or(came).or_else(|| self.place.clone()).unwrap_or_default()
    }
}

/// Follows the log until the server ends: what is said, deleted and hidden decides which files stay.
pub(crate) fn follow(shared: &Rc<Shared>) -> JoinHandle<()> {
    let shared = Rc::clone(shared);
    tokio::task::spawn_local(async move {
        loop {
            let moved = shared.programs.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            let rest = match shared.files.keeper.run(Keeper::follow).await {
                Ok(Ok(true)) => Some(REST),
                Ok(Ok(false)) => None,
                Ok(Err(error)) => {
                    tracing::error!(%error, "which files are still pointed at is not known at the moment");
                    Some(AGAIN)
                }
                Err(Busy) => Some(AGAIN),
            };
            if shared.stopping.get() {
                return;
            }
            match rest {
                Some(rest) => sleep(rest).await,
                None if shared.files.figures.links() == 0 => {
                    moved.await;
                    sleep(GATHER).await;
                }
                None => {
                    let _ = timeout(LOOK, moved).await;
                    sleep(GATHER).await;
                }
            }
        }
    })
}
