//! What the tasks of the one thread share: the node, the sockets by session, the bell that wakes the hub.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use chinwag_core::cloak::Cloak;
use chinwag_core::ids::SessionId;
use chinwag_core::settings::Settings;
use chinwag_core::work::Secret;
use chinwag_node::{Node, Outlet};
use hyper::body::Bytes;

use crate::acme::Acme;
use crate::api::Programs;
use crate::clock::now_ms;
use crate::config::{ApiFor, Config, ConfigError, WebhooksConfig};
use crate::discovery::Discovery;
use crate::doorway::Doorways;
use crate::files::Files;
use crate::framed::Framed;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::outbox::{End, Socket};
use crate::ssh;
use crate::throttle::Throttle;
use crate::tls::TlsError;
use crate::traces::Traces;

/// Bytes of the buffer that every connection reads into.
const BUFFER_BYTES: usize = 64 * 1024;

/// Shared by the hub, the listeners and the connections, all on one thread. No borrow lasts across an `await`.
pub(crate) struct Shared {
    pub(crate) node: RefCell<Node>,
    pub(crate) table: RefCell<Table>,
    pub(crate) hub: Bell,
    pub(crate) metrics: Metrics,
    pub(crate) buffer: RefCell<Box<[u8]>>,
    /// Connections that have a task, sessions or not.
    pub(crate) connections: Cell<usize>,
    /// Who may connect, and how often.
    pub(crate) throttle: Rc<RefCell<Throttle>>,
    /// What is held for callers, and what may be.
    pub(crate) memory: Memory,
    /// Callers who are being told that they may not come in now.
    pub(crate) refused: Cell<usize>,
    /// The server is about to end: nothing more is read.
    pub(crate) stopping: Cell<bool>,
    /// What is said is kept: the log is well.
    pub(crate) keeps: Cell<bool>,
    /// What browsers are told before anybody has a name, as JSON.
    pub(crate) about: RefCell<Bytes>,
    /// What this start brought.
    start: Start,
    /// For whom the HTTP API is.
    pub(crate) api_for: Cell<ApiFor>,
    /// Who may be told what is said.
    pub(crate) webhooks: Cell<WebhooksConfig>,
    /// What programs have under way.
    pub(crate) programs: Programs,
    /// The files that people handed in.
    pub(crate) files: Files,
    /// How long things take.
    pub(crate) traces: Traces,
    /// The ssh door, where there is one.
    pub(crate) ssh: ssh::Way,
    pub(crate) doorways: Doorways,
    /// Orders certificates.
    acme: Acme,
    /// Tells the local network that the server is there.
    pub(crate) discovery: Discovery,
    /// Reads the configuration again, where it came from a file.
    reread: Option<Reread>,
    /// The configuration that the server was started with.
    begun: Config,
}

/// What reads the configuration again.
pub(crate) type Reread = Rc<dyn Fn() -> Result<Config, ConfigError>>;

impl Shared {
    pub(crate) fn new(
        node: Node,
        config: &Config,
        start: Start,
        reread: Option<Reread>,
        (doorways, acme, ssh, discovery): (Doorways, Acme, ssh::Way, Discovery),
        (files, traces): (Files, Traces),
    ) -> Shared {
        let send_queue_bytes = config.limits.send_queue_bytes;
        Shared {
            throttle: Rc::new(RefCell::new(Throttle::new(config.allowed()))),
            memory: Memory::new(config.limits.memory_bytes),
            refused: Cell::new(0),
            node: RefCell::new(node),
            table: RefCell::new(Table { places: Vec::new(), send_queue_bytes, framed: RefCell::default() }),
            hub: Bell::default(),
            metrics: Metrics::new(),
            buffer: RefCell::new(vec![0; BUFFER_BYTES].into_boxed_slice()),
            connections: Cell::new(0),
            stopping: Cell::new(false),
            keeps: Cell::new(true),
            about: RefCell::new(about(config)),
            start,
            api_for: Cell::new(config.web.api),
            webhooks: Cell::new(config.webhooks),
            programs: Programs::default(),
            files,
            traces,
            ssh,
            doorways,
            acme,
            discovery,
            reread,
            begun: config.clone(),
        }
    }

    /// Reads the configuration again for the operators who asked for that, and tells them what became of it. The
    /// file is small, and read on the chat's thread: nobody does that often enough to notice.
    pub(crate) fn reread(&self) {
        let asking = self.node.borrow_mut().take_rereads();
        for session in asking {
            let text = match self.reread.as_ref().map(|reread| reread()) {
                None => "This server reads no configuration while it runs.".to_owned(),
                Some(Ok(config)) => match self.reload(&config) {
                    Ok(waiting) if waiting.is_empty() => "The configuration was read again.".to_owned(),
                    Ok(waiting) => {
                        format!(
                            "The configuration was read again. At the next start these take effect, too: {}",
                            waiting.join(", ")
                        )
                    }
                    Err(error) => format!("The configuration stays as it was: {error}"),
                },
                Some(Err(error)) => {
                    tracing::error!(%error, "the configuration stays as it was");
                    format!("The configuration stays as it was: {error}")
                }
            };
            self.node.borrow_mut().notice(session, text, now_ms());
        }
    }

    /// Swaps the settings, certificates included. Gives the keys that wait for the next start.
    ///
    /// # Errors
    /// A certificate cannot be used; then everything stays as it was.
    pub(crate) fn reload(&self, config: &Config) -> Result<Vec<&'static str>, TlsError> {
        self.doorways
            .reload(config)
            .inspect_err(|error| tracing::error!(%error, "the configuration stays as it was"))?;
        self.table.borrow_mut().send_queue_bytes = config.limits.send_queue_bytes;
        self.throttle.borrow_mut().reload(config.allowed());
        self.memory.reload(config.limits.memory_bytes);
        *self.about.borrow_mut() = about(config);
        self.api_for.set(config.web.api);
        self.webhooks.set(config.webhooks);
        self.files.reload(config);
        self.node.borrow_mut().set_settings(Arc::new(self.start.settings(config)), now_ms());
        self.reach_out(config);
        self.hub.ring();
        let waiting = config.waiting(&self.begun);
        if waiting.is_empty() {
            tracing::info!("the configuration was read again");
        } else {
            let keys = waiting.join(", ");
            tracing::warn!(%keys, "the configuration was read again; these keys take effect at the next start");
        }
        Ok(waiting)
    }

    /// There is a new certificate: who comes from now on is shown that one. Nobody who is here notices.
    pub(crate) fn recertify(&self) {
        match self.doorways.recertify() {
            Ok(()) => {
                self.discovery.configure(&self.doorways.config.borrow());
                tracing::info!("the new certificate is in use");
            }
            Err(error) => tracing::error!(%error, "the old certificate stays in use"),
        }
    }

    /// Orders the certificates that a configuration asks for, and has the local network told what it says.
    pub(crate) fn reach_out(&self, config: &Config) {
        self.discovery.configure(config);
        if let Err(error) = self.acme.configure(config) {
            tracing::error!(%error, "certificates cannot be ordered: there is no thread for it");
        }
    }
}

/// What a start brings that no configuration says.
pub(crate) struct Start {
    /// When it was, for people.
    pub(crate) created: String,
    /// The code that makes the server somebody's; none when it is somebody's, or the configuration names operators.
    pub(crate) owner_code: Option<Secret>,
    /// Where browsers find the pages.
    pub(crate) web_address: Option<Arc<str>>,
    /// What makes cloaks.
    pub(crate) cloak: Cloak,
}

impl Start {
    /// Where browsers find the pages, without a `/` at the end.
    pub(crate) fn place(&self) -> Option<String> {
        self.web_address.as_deref().map(|address| address.trim_end_matches('/').to_owned())
    }

    /// The part of the configuration that the chat needs, with what the start brought.
    pub(crate) fn settings(&self, config: &Config) -> Settings {
        let public = config.web.public_url.as_deref().or(self.web_address.as_deref());
        let offered = config.web.files && config.web.api != ApiFor::Nobody && config.accounts.enabled;
        let filehost = public
            .filter(|_| offered)
            .map(|public| format!("{}/api/v1/files", public.trim_end_matches('/')).into());
        Settings {
            owner_code: self.owner_code.clone(),
            web_address: self.web_address.clone(),
            cloak: config.server.cloak.then(|| self.cloak.clone()),
            files: config.web.files,
            filehost,
            ..config.settings(&self.created)
        }
    }
}

/// The names that a browser's first screen shows.
fn about(config: &Config) -> Bytes {
    let about = serde_json::json!({ "network": config.server.network, "lobby": config.server.lobby });
    about.to_string().into()
}

/// Wakes the hub. Ringing twice before it looks is ringing once.
#[derive(Default)]
pub(crate) struct Bell {
    rung: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Bell {
    /// There is something to do.
    pub(crate) fn ring(&self) {
        if !self.rung.replace(true)
            && let Some(waker) = &*self.waker.borrow()
        {
            waker.wake_by_ref();
        }
    }

    /// Whether it was rung since it was last heard, which is now.
    pub(crate) fn hush(&self) -> bool {
        self.rung.take()
    }

    /// Ready when it was rung since the last time it was ready.
    pub(crate) fn poll_rung(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.hush() {
            return Poll::Ready(());
        }
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// The socket of each session, by its place in the node's table.
pub(crate) struct Table {
    places: Vec<Option<(u32, Rc<Socket>)>>,
    /// Bytes that may wait for one session.
    pub(crate) send_queue_bytes: usize,
    /// What was framed in this turn.
    pub(crate) framed: RefCell<Framed>,
}

impl Table {
    /// Remembers the socket of a session that was just opened.
    pub(crate) fn insert(&mut self, session: SessionId, socket: Rc<Socket>) {
        let index = session.index as usize;
        if index >= self.places.len() {
            self.places.resize_with(index + 1, || None);
        }
        if let Some((_, before)) = self.places[index].replace((session.generation, socket)) {
            before.close();
        }
    }

    /// The bytes that wait for sessions, and for how many of them.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let waiting = self.places.iter().flatten().map(|(_, socket)| socket.waiting());
        waiting.filter(|bytes| *bytes > 0).fold((0, 0), |(all, sockets), bytes| (all + bytes, sockets + 1))
    }

    /// The bytes that the layers of sessions hold, how many sessions there are, and how many of them came by ssh.
    pub(crate) fn held(&self) -> (usize, usize, usize) {
        let places = self.places.iter().flatten();
        places.fold((0, 0, 0), |(bytes, sessions, by_ssh), (_, socket)| {
            (bytes + socket.held(), sessions + 1, by_ssh + usize::from(socket.by_ssh.get()))
        })
    }

    /// Ends sessions until so many bytes are free, those first for which most is waiting. Gives how many those were.
    pub(crate) fn relieve(&self, bytes: usize) -> usize {
        let mut slow: Vec<(usize, &Rc<Socket>)> =
            self.places.iter().flatten().map(|(_, socket)| (socket.waiting(), socket)).collect();
        slow.retain(|(waiting, socket)| *waiting > 0 && socket.end() == End::Open);
        slow.sort_unstable_by_key(|(waiting, _)| std::cmp::Reverse(*waiting));
        let (mut freed, mut ended) = (0, 0);
        for (_, socket) in slow {
            if freed >= bytes {
                break;
            }
            freed += socket.give_way();
            ended += 1;
        }
        ended
    }

    /// Forgets it. A later session in the same place is not touched.
    pub(crate) fn remove(&mut self, session: SessionId) {
        if let Some(place) = self.places.get_mut(session.index as usize)
            && place.as_ref().is_some_and(|(generation, _)| *generation == session.generation)
        {
            *place = None;
        }
    }

    /// The socket, if the session is still there.
    pub(crate) fn get(&self, session: SessionId) -> Option<&Rc<Socket>> {
        let (generation, socket) = self.places.get(session.index as usize)?.as_ref()?;
        (*generation == session.generation).then_some(socket)
    }
}

impl Outlet for Table {
    fn write(&mut self, session: SessionId, parts: &[&[u8]]) {
        if let Some(socket) = self.get(session) {
            socket.write_as_others(parts, self.send_queue_bytes, &self.framed);
        }
    }

    fn close(&mut self, session: SessionId) {
        if let Some(socket) = self.get(session) {
            socket.close();
        }
        self.remove(session);
    }
}
