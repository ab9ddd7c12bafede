//! Webhooks out: what is said in a room is told to addresses elsewhere, signed, in order, and again until it is taken.
//!
//! What lives here: one task for each hook. Its whole state is a position, the number of the last message that was taken:
//! what comes next is read from the archive, so that nothing queues, a start goes on where the last one ended, and who is
//! away for a week is told everything afterwards. The positions are in a file beside the database; after a crash the last
//! second may be told again, under the same id. What does not: which hooks there are (`chinwag_core::hooks`).
//!
//! Signatures are as Standard Webhooks has them: `webhook-id`, `webhook-timestamp`, and `webhook-signature`, which is
//! HMAC-SHA256 over id, timestamp and body. <https://github.com/standard-webhooks/standard-webhooks>

pub(crate) mod private;
pub(crate) mod send;

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io, thread};

use aws_lc_rs::hmac;
use chinwag_core::event::SayKind;
use chinwag_core::history::Row;
use chinwag_core::hooks::{Hook, HookWay};
use chinwag_core::ids::{Number, RoomId};
use chinwag_core::pointed::{Answer, Question};
use chinwag_core::programs::Numbers;
use chinwag_wire::base64;
use hyper::body::Bytes;
use rustls::ClientConfig;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, LocalSet};
use tokio::time::{sleep, timeout};

use self::send::{Telling, Told};
use crate::api::message;
use crate::clock::now_ms;
use crate::shared::Shared;

/// The file of the positions.
const FILE: &str = "webhooks.json";

/// Messages that are read at once.
const PAGE: u32 = 20;

/// The first wait after a failure, and the longest.
const WAIT_MIN: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(600);

/// How long somebody who is told something may ask to be left alone.
const WAIT_ASKED_MAX: Duration = Duration::from_secs(3600);

/// While nothing is said or taken, a hook looks this often whether it still is one.
const LOOK: Duration = Duration::from_secs(5);

/// Between two looks for new hooks.
const GATHER: Duration = Duration::from_millis(500);

/// How long the end waits for the positions to be written.
const STOP: Duration = Duration::from_millis(200);

/// Requests that wait for the thread.
const QUEUE: usize = 64;

/// What the thread does.
enum Job {
    /// Tells somebody something.
    Tell(Box<Telling>, oneshot::Sender<Told>),
    /// Writes the positions down.
    Keep(String, Option<oneshot::Sender<()>>),
}

/// What says whose position one is: a hook that is made again begins anew.
type Id = (RoomId, Arc<str>, u64);

/// The hooks that are told, on the chat's thread; the requests go out from a thread of their own.
struct Webhooks {
    shared: Rc<Shared>,
    jobs: mpsc::Sender<Job>,
    positions: RefCell<BTreeMap<String, u64>>,
    running: RefCell<BTreeSet<Id>>,
    dirty: Cell<bool>,
}

/// Starts the thread and the task.
pub(crate) fn start(shared: &Rc<Shared>, data: &Path) -> io::Result<Running> {
    let file = data.join(FILE);
    let positions = read(&file);
    let (jobs, asked) = mpsc::channel(QUEUE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // It ends when nobody can ask it for anything any more.
    thread::Builder::new().name("webhooks".to_owned()).spawn(move || {
        LocalSet::new().block_on(&runtime, work(asked, &file));
    })?;
    let webhooks = Rc::new(Webhooks {
        shared: Rc::clone(shared),
        jobs,
        positions: positions.into(),
        running: RefCell::default(),
        dirty: Cell::default(),
    });
    let task = tokio::task::spawn_local(Rc::clone(&webhooks).run());
    Ok(Running { webhooks, task })
}

/// The webhooks while the server runs.
pub(crate) struct Running {
    webhooks: Rc<Webhooks>,
    task: JoinHandle<()>,
}

impl Running {
    /// Writes the positions down.
    pub(crate) async fn stop(self) {
        self.task.abort();
        let (done, written) = oneshot::channel();
        let job = Job::Keep(self.webhooks.written(), Some(done));
        if self.webhooks.jobs.send(job).await.is_ok() && timeout(STOP, written).await.is_err() {
            tracing::warn!("what webhooks were told was not written down: the last of it is told again");
        }
    }
}

fn read(file: &Path) -> BTreeMap<String, u64> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return BTreeMap::new(),
        Err(error) => {
            tracing::error!(%error, "what webhooks were told cannot be read: they begin anew");
            return BTreeMap::new();
        }
    };
    serde_json::from_str(&text).unwrap_or_else(|error| {
        tracing::error!(%error, "what webhooks were told cannot be read: they begin anew");
        BTreeMap::new()
    })
}

/// The thread.
async fn work(mut asked: mpsc::Receiver<Job>, file: &Path) {
    let mut tls: Option<Arc<ClientConfig>> = None;
    while let Some(job) = asked.recv().await {
        match job {
            Job::Keep(text, done) => {
                if let Err(error) = write(file, &text) {
                    tracing::error!(%error, "what webhooks were told cannot be written down");
                }
                // Whoever waits may have given up.
                let _ = done.map(|done| done.send(()));
            }
            Job::Tell(telling, answer) => {
                let tls = Arc::clone(tls.get_or_insert_with(client));
                tokio::task::spawn_local(async move {
                    // Whoever asked may be gone.
                    let _ = answer.send(send::tell(*telling, tls, send::PATIENCE).await);
                });
            }
        }
    }
}

/// Whole or not at all.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let new: PathBuf = file.with_extension("new");
    fs::write(&new, text)?;
    fs::File::open(&new)?.sync_all()?;
    fs::rename(&new, file)
}

/// Whom to believe over https is what the system says.
pub(crate) fn client() -> Arc<ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a certificate of the system cannot be read");
    }
    let (_, unusable) = roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        tracing::error!(unusable, "the system knows no certificates: nobody can be told anything over https");
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows the versions that it is built with")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

fn label((room, name, at_ms): &Id) -> String {
    format!("{} {name} {at_ms}", room.0)
}

impl Webhooks {
    /// Starts a task for each hook there is.
    async fn run(self: Rc<Self>) {
        loop {
            let moved = self.shared.programs.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            for (id, hook) in self.hooks() {
                if self.running.borrow_mut().insert(id.clone()) {
                    tokio::task::spawn_local(Rc::clone(&self).tell_all(id, hook));
                }
            }
            // Where nothing happens, nobody wakes up.
            moved.await;
            sleep(GATHER).await;
            if self.shared.stopping.get() {
                return;
            }
        }
    }

    /// The hooks that lead out.
    fn hooks(&self) -> Vec<(Id, Arc<Hook>)> {
        if !self.shared.webhooks.get().enabled {
            return Vec::new();
        }
        let node = self.shared.node.borrow();
        let mut found = Vec::new();
        for room in node.chat().rooms().filter(|room| !room.hooks.is_empty()) {
            for hook in room.hooks.iter().filter(|hook| matches!(hook.way, HookWay::Out { .. })) {
                found.push(((room.id, Arc::clone(&hook.name), hook.at_ms), Arc::clone(hook)));
            }
        }
        found
    }

    /// Whether there is (still) this hook.
    fn exists(&self, id: &Id) -> bool {
        let node = self.shared.node.borrow();
        let room = node.chat().room(id.0);
        room.is_some_and(|room| room.hooks.iter().any(|hook| hook.name == id.1 && hook.at_ms == id.2))
    }

    /// Whether it is to be told.
    fn holds(&self, id: &Id) -> bool {
        !self.shared.stopping.get() && self.shared.webhooks.get().enabled && self.exists(id)
    }

    fn written(&self) -> String {
        json!(*self.positions.borrow()).to_string()
    }

    /// Writes the positions down, if there are new ones.
    async fn keep(&self) {
        if self.dirty.take() {
            // Without the thread there is nothing to be kept.
            let _ = self.jobs.send(Job::Keep(self.written(), None)).await;
        }
    }

    /// Tells one hook everything, for as long as there is this hook.
    async fn tell_all(self: Rc<Self>, id: Id, hook: Arc<Hook>) {
        let HookWay::Out { url, key, after } = &hook.way else { return };
        let mut sent = Number(self.positions.borrow().get(&label(&id)).copied().unwrap_or(after.0));
        while self.holds(&id) {
            let moved = self.shared.programs.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            let query = {
                let node = self.shared.node.borrow();
                let room = node.chat().room(id.0).filter(|room| room.head > sent);
                room.map(|room| node.chat().page_for(room, Numbers::After(sent), PAGE))
            };
            let Some(query) = query else {
                let _ = timeout(LOOK, moved).await;
                continue;
            };
            let (room, last) = (Arc::clone(&query.name), query.last);
            let Ok(Answer::Page(page)) = self.shared.look_up(Question::Page(query)).await else {
                sleep(WAIT_MIN).await;
                continue;
            };
            for row in &page.rows {
                // What came in by a hook is not told: two hooks that told each other would never end.
                let by_hook = row.by.is_program() && row.by.account.is_none();
                if !by_hook && !self.tell_one(&id, (&room, row), url, key).await {
                    break;
                }
                sent = row.number;
                self.note(&id, sent);
            }
            if page.end && page.rows.last().is_none_or(|row| row.number == sent) {
                sent = last;
                self.note(&id, sent);
            }
            self.keep().await;
        }
        self.running.borrow_mut().remove(&id);
        if !self.exists(&id) {
            self.positions.borrow_mut().remove(&label(&id));
            self.dirty.set(true);
            self.keep().await;
        }
    }

    fn note(&self, id: &Id, sent: Number) {
        self.positions.borrow_mut().insert(label(id), sent.0);
        self.dirty.set(true);
    }

    /// Tells one message, again and again until it is taken. False when the hook is gone meanwhile.
    async fn tell_one(&self, id: &Id, (room, row): (&str, &Row), url: &Arc<str>, key: &str) -> bool {
        let (body, msgid): (String, String) = {
            let node = self.shared.node.borrow();
            let shown = message(node.chat(), room, row);
            let msgid = shown["id"].as_str().unwrap_or_default().to_owned();
            (json!({ "type": "message", "hook": &*id.1, "data": shown }).to_string(), msgid)
        };
        debug_assert!(matches!(row.kind, SayKind::Privmsg | SayKind::Notice));
        let mut wait = WAIT_MIN;
        while self.holds(id) {
            let telling = Telling {
                url: Arc::clone(url),
                headers: signed(key, &msgid, now_ms() / 1000, &body),
                body: Bytes::from(body.clone()),
                allow_private: self.shared.webhooks.get().allow_private,
            };
            let (answer, told) = oneshot::channel();
            if self.jobs.send(Job::Tell(Box::new(telling), answer)).await.is_err() {
                return false;
            }
            let asked = match told.await.unwrap_or_else(|_| Told::Failed("the thread ended".to_owned())) {
                Told::Taken => return true,
                // It would be refused again, and what comes behind it is not to wait for ever.
                Told::Status(status @ (400 | 413 | 415 | 422), _) => {
                    tracing::warn!(hook = &*id.1, status, "a webhook refused a message, which is left out");
                    return true;
                }
                Told::Status(status, asked) => {
                    tracing::warn!(
                        hook = &*id.1,
                        status,
                        "a webhook did not take a message: it is tried again"
                    );
                    asked.map(Duration::from_secs).map(|asked| asked.min(WAIT_ASKED_MAX))
                }
                Told::Failed(why) => {
                    tracing::warn!(hook = &*id.1, why, "a webhook was not reached: it is tried again");
                    None
                }
            };
            self.rest(id, asked.unwrap_or(wait).max(wait)).await;
            wait = (wait * 2).min(WAIT_MAX);
        }
        false
    }

    /// Waits, but not longer than there is the hook.
    async fn rest(&self, id: &Id, wait: Duration) {
        let until = tokio::time::Instant::now() + wait;
        while self.holds(id) {
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            if left.is_zero() {
                return;
            }
            sleep(left.min(LOOK)).await;
        }
    }
}

/// The headers by which a receiver knows that it is from here.
fn signed(key: &str, id: &str, now_s: u64, body: &str) -> Vec<(Cow<'static, str>, String)> {
    let secret = key.strip_prefix("whsec_").and_then(|secret| base64::decode(secret).ok());
    let secret = secret.unwrap_or_else(|| key.as_bytes().to_vec());
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let tag = hmac::sign(&key, format!("{id}.{now_s}.{body}").as_bytes());
    vec![
        ("webhook-id".into(), id.to_owned()),
        ("webhook-timestamp".into(), now_s.to_string()),
        ("webhook-signature".into(), format!("v1,{}", base64::encode(tag.as_ref()))),
        ("content-type".into(), "application/json".to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        // The example of its specification.
        let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let body = "{\"test\": 2432232314}";
        let headers = signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(headers[2].1, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
