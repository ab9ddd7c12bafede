//! The runtime around a node: sockets, threads, time, configuration, shutdown.
//!
//! What lives here: listening ([`listener`](self)), the choice of a door by the first bytes, one small task a
//! connection, the hub that moves events between node and log and bytes to the sockets, the outbox with its bound,
//! history readers, [`config`]. What does not: what any byte or event means (`chinwag_node` and below), and how
//! events are kept (`chinwag_archive`).
//!
//! Everything that touches the node runs on one thread; the log's writer and the history readers are threads
//! beside it. Start with [`Server::bind`]; the life of a line is `connection` → node → `hub` → log → `hub` →
//! node → `outbox`.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use chinwag_archive::Opened;
use chinwag_core::chat::Chat;
use chinwag_core::cloak::Cloak;
use chinwag_core::work::Secret;
use chinwag_log::Origin;
use chinwag_node::Node;
use chinwag_proof::Prover;
use chinwag_ssh::{HostKey, HostKeyError};
use chinwag_wire::msgid::MsgIdKey;
use tokio::sync::mpsc;
use tokio::task::LocalSet;

pub mod config;
pub mod keeper;
pub mod limits;

mod acme;
mod api;
mod cloaks;
mod clock;
mod connection;
pub mod discovery;
mod doorway;
mod ends;
mod files;
mod framed;
mod greet;
mod greeting;
mod holder;
mod hub;
mod inherited;
mod layers;
mod listener;
mod memory;
mod metrics;
#[cfg(unix)]
mod notify;
mod outbox;
mod provers;
mod readers;
mod shared;
#[cfg(unix)]
mod signals;
mod ssh;
mod throttle;
mod tls;
mod traces;
mod upgrade;
pub mod ways;
mod web;
mod webhooks;
mod websocket;

pub use acme::{CERTIFICATE as ACME_CERTIFICATE, Kept as AcmeKept};
pub use config::{Config, ConfigError};
pub use ends::certificate_ends;
pub use tls::TlsError;

use acme::Acme;
use config::{Address, Kind, TlsMode};
use discovery::Discovery;
use doorway::{Behind, Doorway, Doorways, Own};
use hub::{Ended, Helpers, Hub, Order};
use listener::Listener;
use provers::Provers;
use readers::Readers;
use shared::{Reread, Shared, Start};
use traces::Traces;

/// Orders that may wait for the hub.
const ORDERS: usize = 8;

/// How long the end waits for the log to be put in order. What is durable does not depend on it.
const CLOSE_LOG: Duration = Duration::from_millis(300);

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The configuration.
    pub config: Config,
    /// The data folder; made, for its owner only, when it is not there.
    pub data: PathBuf,
}

/// Why a server did not start. The text is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Something else listens there.
    #[error("cannot listen on {address}: {}; stop it, or choose another port with --listen", taken_by(.holder))]
    Taken {
        /// Where.
        address: Address,
        /// Name and process number of whoever listens, if known.
        holder: Option<(String, u32)>,
    },
    /// The system does not let us listen there.
    #[error("cannot listen on {address}: {source}; choose another address or port with --listen")]
    Listen {
        /// Where.
        address: Address,
        /// What the system says.
        source: io::Error,
    },
    /// The data folder cannot be made.
    #[error("cannot make the data folder {}: {source}; choose another with --data", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] chinwag_archive::OpenError),
    /// What is kept was decided by another case mapping.
    #[error("the data in {} was made with casemapping = \"{kept}\" and cannot change to \"{wanted}\"; set it back, or choose another folder with --data", .path.display())]
    CaseMapping {
        /// The folder.
        path: PathBuf,
        /// What it was made with.
        kept: &'static str,
        /// What is configured.
        wanted: &'static str,
    },
    /// What is kept cannot be read.
    #[error("cannot read what is kept in {}: {what}", .path.display())]
    Restore {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The key of cloaks cannot be used.
    #[error("cannot use {}: {source}; restore it from a backup, or remove it so that everybody gets another cloak", .path.join("cloak.key").display())]
    CloakKey {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no ssh host key.
    #[error(transparent)]
    HostKey(#[from] HostKeyError),
    /// A certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No thread, no event queue.
    #[error("the system has no room for the server: {0}")]
    System(#[from] io::Error),
}

fn taken_by(holder: &Option<(String, u32)>) -> String {
    match holder {
        Some((name, pid)) => format!("{name} (process {pid}) listens there already"),
        None => "another program listens there already".to_owned(),
    }
}

/// The log cannot be trusted any more: everything acknowledged is kept, and nothing more will be acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the log has failed, so the server stopped rather than lose a message: {reason}; look after the disk, then start again"
)]
pub struct Failed {
    /// What the log says.
    pub reason: String,
}

/// A server that listens and has read what is kept, but does not serve yet.
pub struct Server {
    config: Config,
    opened: Opened,
    chat: Chat,
    listeners: Vec<(Listener, Doorway)>,
    listening: Vec<Listening>,
    addresses: Vec<SocketAddr>,
    own: Own,
    host_key: Option<HostKey>,
    metrics: Option<Listener>,
    owner_code: Option<Secret>,
    cloak: Cloak,
    orders: mpsc::Receiver<Order>,
    control: Control,
    data: PathBuf,
}

/// A place where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// Where, with the port that the system chose.
    pub address: Address,
    /// The doors behind it.
    pub kind: Kind,
    /// Whether TLS may, must or must not be spoken.
    pub tls: TlsMode,
    /// SHA-256 of its certificate in lower-case hexadecimal, where TLS may be spoken.
    pub fingerprint: Option<String>,
    /// Whether people come in by ssh there.
    pub ssh: bool,
    /// The certificate is the server's own, so that nobody else vouches for it.
    pub own_certificate: bool,
    /// The name of the certificate that is ordered for it, if one is.
    pub name: Option<String>,
    /// Whether browsers get pages.
    pub pages: bool,
    /// Where people find them, if the configuration says so.
    pub public_url: Option<String>,
}

/// Tells a running server what to do. Clones tell the same one.
#[derive(Clone, Debug)]
pub struct Control {
    orders: mpsc::Sender<Order>,
}

impl Control {
    /// Ends the server within a second: sessions are told, what is under way is kept.
    pub fn stop(&self) {
        // A full queue holds an order to stop already, or eight reloads that nobody will miss.
        if self.orders.try_send(Order::Stop).is_err() {
            tracing::debug!("the server has ended or is about to");
        }
    }

    /// Swaps the configuration. Listeners and the log change at the next start only.
    pub fn reload(&self, config: Config) {
        if self.orders.try_send(Order::Reload(Box::new(config))).is_err() {
            tracing::warn!("the configuration was not taken: the server is ending or busy");
        }
    }
}

impl Server {
    /// Listens, opens the data folder and restores the chat.
    ///
    /// # Errors
    /// [`StartError`], one sentence for people: port taken, folder not writable, data in use or newer than this
    /// program.
    pub fn bind(options: Options) -> Result<Server, StartError> {
        let Options { config, data } = options;
        let sockets = listen(&config)?;
        make_folder(&data).map_err(|source| StartError::Folder { path: data.clone(), source })?;
        let casemapping = config.server.casemapping.of_names();
        let archive = chinwag_archive::Options { now_ms: clock::now_ms(), casemapping, ..Default::default() };
        let opened = chinwag_archive::open(&data, archive)?;
        let kept = opened.meta.casemapping;
        if kept != casemapping {
            return Err(StartError::CaseMapping {
                path: data,
                kept: kept.name(),
                wanted: casemapping.name(),
            });
        }
        let mut chat = Chat::new(MsgIdKey(opened.meta.msgid_key)).with_mapping(kept);
        opened
            .restore(&mut chat)
            .map_err(|error| StartError::Restore { path: data.clone(), what: error.to_string() })?;
        let (sender, orders) = mpsc::channel(ORDERS);
        let control = Control { orders: sender };
        let mut own = Own::new(&data, &config);
        let (mut listeners, mut listening) = (Vec::new(), Vec::new());
        for (socket, place) in sockets.into_iter().zip(&config.listeners.0) {
            let doorway = Doorway::new(place, &config, &mut own)?;
            listening.push(Listening {
                address: socket.address()?,
                kind: place.kind,
                tls: place.tls,
                fingerprint: doorway.certificate.as_ref().map(|found| found.fingerprint.clone()),
                ssh: doorway.ssh,
                pages: doorway.pages(),
                public_url: config.web.public_url.clone(),
                own_certificate: doorway.certificate.as_ref().is_some_and(|found| found.own),
                name: config.acme.domains.first().filter(|_| place.tls_cert.is_none()).cloned(),
            });
            listeners.push((socket, doorway));
        }
        let host_key = ssh::host_key(&config, &data)?;
        let cloak = cloaks::of_folder(&data);
        let cloak = cloak.map_err(|source| StartError::CloakKey { path: data.clone(), source })?;
        let metrics = config.metrics.address.map(bind_metrics).transpose()?;
        // Whoever names operators in a file needs no code.
        let nobodys = config.accounts.enabled && config.opers.is_empty() && chat.owners().next().is_none();
        let owner_code = nobodys.then(|| Secret::from(chinwag_proof::code().as_str()));
        let addresses = listening.iter().filter_map(|place| place.address.tcp()).collect();
        Ok(Server {
            config,
            opened,
            chat,
            listeners,
            listening,
            addresses,
            own,
            host_key,
            metrics,
            owner_code,
            cloak,
            orders,
            control,
            data,
        })
    }

    /// The addresses and ports where it listens, in the order of the configuration, with the ports that the system
    /// chose.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Every place where it listens, in the order of the configuration.
    pub fn listening(&self) -> &[Listening] {
        &self.listening
    }

    /// The fingerprint of the ssh host key (`SHA256:…`), where people can come in by ssh.
    pub fn ssh_fingerprint(&self) -> Option<String> {
        self.host_key.as_ref().map(HostKey::fingerprint)
    }

    /// The code with which the first account becomes the server's owner (`OWNER`), as it is typed; none when the server
    /// is somebody's already, or the configuration names operators.
    pub fn owner_code(&self) -> Option<String> {
        let code = self.owner_code.as_ref()?.expose();
        let groups = code.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group));
        Some(groups.collect::<Vec<_>>().join("-"))
    }

    /// Where figures for machines can be read, if anywhere.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().and_then(|socket| socket.address().ok()?.tcp())
    }

    /// What stops it and reloads its configuration; works from any thread.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Serves on this thread until it is told to stop.
    ///
    /// # Errors
    /// [`Failed`] when the log cannot be trusted any more, or the system gives no event queue.
    pub fn run(self) -> Result<(), Failed> {
        self.run_beside(None, |_| Ok(()))
    }

    /// The same, and follows signals: SIGTERM and SIGINT stop it, SIGHUP takes what `reread` gives for its
    /// configuration, or keeps the old one and logs why. `ready` is called as soon as it does.
    ///
    /// # Errors
    /// As [`Server::run`].
    #[cfg(unix)]
    pub fn run_with_signals(
        self,
        reread: impl Fn() -> Result<Config, ConfigError> + 'static,
        ready: impl FnOnce(),
    ) -> Result<(), Failed> {
        let reread: Reread = Rc::new(reread);
        self.run_beside(Some(Rc::clone(&reread)), |control| {
            signals::follow(control, move || reread())?;
            ready();
            notify::ready();
            Ok(())
        })
    }

    fn run_beside(
        self,
        reread: Option<Reread>,
        beside: impl FnOnce(Control) -> io::Result<()>,
    ) -> Result<(), Failed> {
        let failed = |error: io::Error| Failed { reason: error.to_string() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let local = LocalSet::new();
        let ended = local.block_on(&runtime, async {
            beside(self.control())?;
            self.serve(reread).await
        });
        match ended.map_err(failed)? {
            Ended::Stopped => Ok(()),
            Ended::Failed(reason) => Err(Failed { reason }),
        }
    }

    async fn serve(self, reread: Option<Reread>) -> io::Result<Ended> {
        let Server {
            config,
            opened,
            chat,
            listeners,
            listening,
            own,
            host_key,
            metrics,
            owner_code,
            cloak,
            orders,
            control,
            data,
            ..
        } = self;
        let outside = ways::own_address();
        let web_address = listening.iter().find_map(|place| place.link(outside)).map(Into::into);
        let start = Start { created: created(), owner_code, web_address, cloak };
        let settings = Arc::new(start.settings(&config));
        let meta = &opened.meta;
        let mut node = Node::new(settings, chat, Origin(meta.origin), meta.first_key);
        node.start(clock::now_ms());
        let listeners = swappable(listeners);
        let places = config.listeners.0.iter().zip(&listeners);
        let behind = places.map(|(place, (_, behind))| (place.address.clone(), Rc::clone(behind))).collect();
        let acme = Acme::new(&data, Arc::clone(&own.board), control.orders.downgrade());
        let doorways = Doorways { own: RefCell::new(own), config: RefCell::new(config.clone()), behind };
        let (door, asked) = host_key.map(|key| ssh::open(key, &config)).transpose()?.unzip();
        let discovery = Discovery::new(&listening, listeners.iter().map(|(_, behind)| behind));
        let doors = (doorways, acme, ssh::Way::new(door), discovery);
        let files = files::Files::start(&config, &data, opened.follower(), start.place())?;
        let traces = Traces::start(&config, &opened.log.commits());
        let shared = Rc::new(Shared::new(node, &config, start, reread, doors, (files, traces)));
        let asked = asked.map(|asked| tokio::task::spawn_local(ssh::answer(asked, Rc::clone(&shared))));
        shared.reach_out(&config);
        // What the node begins with is on its way before the first caller comes.
        shared.hub.ring();
        let index = opened.index()?;
        let readers = Readers::start(&opened.reader)?;
        let provers = Provers::start(&Prover::new(config.accounts.cost(), meta.msgid_key))?;
        let mut accepting: Vec<_> = listeners
            .into_iter()
            .map(|(socket, behind)| tokio::task::spawn_local(socket.accept(behind, Rc::clone(&shared))))
            .collect();
        if let Some(Listener::Tcp(socket)) = metrics {
            let figures = metrics::serve(socket, Rc::clone(&shared), opened.log.commits());
            accepting.push(tokio::task::spawn_local(figures));
        }
        let ssh = Rc::clone(&shared);
        let hub = Hub::new(Rc::clone(&shared), opened.log, Helpers { readers, provers }, orders);
        // A task of its own: what is polled beside a set of tasks is polled whenever any of them is.
        let webhooks = webhooks::start(&ssh, &data)?;
        let following = files::follow(&ssh);
        let hub = tokio::task::spawn_local(hub.run(accepting));
        let (ended, log) = hub.await.map_err(io::Error::other)?;
        webhooks.stop().await;
        following.abort();
        ssh.ssh.close();
        ssh.discovery.ended();
        drop((asked, control, index));
        if ended == Ended::Stopped
            && let Err(error) = log.close(CLOSE_LOG)
        {
            tracing::warn!(%error, "nothing acknowledged is lost");
        }
        ssh.traces.end();
        Ok(ended)
    }

    /// Serves on a thread of its own.
    ///
    /// # Errors
    /// As [`Server::bind`]; [`StartError::System`] when there is no thread.
    pub fn start(options: Options) -> Result<Running, StartError> {
        let server = Server::bind(options)?;
        let (addresses, control) = (server.addresses.clone(), server.control());
        let thread = std::thread::Builder::new().name("chat".to_owned()).spawn(move || server.run())?;
        Ok(Running { addresses, control, thread })
    }
}

/// A server on a thread of its own.
pub struct Running {
    addresses: Vec<SocketAddr>,
    control: Control,
    thread: JoinHandle<Result<(), Failed>>,
}

impl Running {
    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What reloads and stops it.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Stops it and waits for the end.
    ///
    /// # Errors
    /// [`Failed`], as [`Server::run`].
    pub fn shutdown(self) -> Result<(), Failed> {
        self.control.stop();
        match self.thread.join() {
            Ok(ended) => ended,
            Err(_) => Err(Failed { reason: "the server's thread panicked".to_owned() }),
        }
    }
}

/// The doors behind each socket, so that they can be swapped.
fn swappable(listeners: Vec<(Listener, Doorway)>) -> Vec<(Listener, Behind)> {
    let behind = |doorway| Rc::new(RefCell::new(Rc::new(doorway)));
    listeners.into_iter().map(|(socket, doorway)| (socket, behind(doorway))).collect()
}

/// A socket for each listener of the configuration: what the service manager hands over, or one of our own.
fn listen(config: &Config) -> Result<Vec<Listener>, StartError> {
    let mut sockets = Vec::new();
    // The first that is handed over stands for the first listener, and so on, wherever that would listen.
    let mut given = inherited::take();
    for place in &config.listeners.0 {
        let refused = |source| refused(&place.address, source);
        let socket = match given.pop_front() {
            Some(socket) => Listener::given(socket),
            None => Listener::bind(&place.address),
        };
        sockets.push(socket.map_err(refused)?);
    }
    if !given.is_empty() {
        tracing::warn!(count = given.len(), "more sockets were handed over than there are listeners");
    }
    Ok(sockets)
}

fn bind_metrics(address: SocketAddr) -> Result<Listener, StartError> {
    let address = Address::Tcp(address);
    Listener::bind(&address).map_err(|source| refused(&address, source))
}

fn refused(address: &Address, source: io::Error) -> StartError {
    let holder = || address.tcp().and_then(|address| holder::of_port(address.port()));
    let address = address.clone();
    match source.kind() {
        io::ErrorKind::AddrInUse => StartError::Taken { address, holder: holder() },
        _ => StartError::Listen { address, source },
    }
}

/// The folder, for its owner only: what people say is nobody else's business. A folder that is there already
/// keeps its permissions.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// The time of the start, for people: RPL_CREATED.
fn created() -> String {
    let mut text = Vec::new();
    chinwag_wire::time::format_millis(clock::now_ms(), &mut text);
    String::from_utf8_lossy(&text).into_owned()
}
