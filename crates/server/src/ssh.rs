//! The ssh door, as the chat's thread sees it: connections are handed over to it, and what it asks is answered.

use std::cell::RefCell;
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use chinwag_core::keys::Shown;
use chinwag_core::session::Door;
use chinwag_ssh::{Ask, HostKey, HostKeyError, Knock, Options, SshDoor};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

use crate::clock::now_ms;
use crate::config::{Config, Kind};
use crate::connection;
use crate::greeting::Caller;
use crate::shared::Shared;

/// Questions of the door that may wait.
const ASKS: usize = 64;

/// The file of the key in the data folder, where the configuration names no other.
const HOST_KEY: &str = "ssh_host_ed25519_key";

/// Whether somebody can come in by ssh at a listener of this kind.
pub(crate) fn open_at(kind: Kind, config: &Config) -> bool {
    config.ssh.enabled && matches!(kind, Kind::Any | Kind::Ssh)
}

/// The key of the server, made at the first start; none where nobody can come in by ssh.
pub(crate) fn host_key(config: &Config, data: &Path) -> Result<Option<HostKey>, HostKeyError> {
    if !config.listeners.0.iter().any(|place| open_at(place.kind, config)) {
        return Ok(None);
    }
    let path = match config.ssh.host_key.as_str() {
        "" => data.join(HOST_KEY),
        named => PathBuf::from(named),
    };
    HostKey::read_or_make(&path).map(Some)
}

/// Opens the door. What it asks comes out of the receiver.
pub(crate) fn open(host_key: HostKey, config: &Config) -> io::Result<(SshDoor, mpsc::Receiver<Ask>)> {
    let (asks, asked) = mpsc::channel(ASKS);
    let (network, lobby) = (config.server.network.clone(), config.server.lobby.clone());
    Ok((SshDoor::open(Options { host_key, network, lobby, asks })?, asked))
}

/// Answers the door for as long as there is one.
pub(crate) async fn answer(mut asked: mpsc::Receiver<Ask>, shared: Rc<Shared>) {
    while let Some(ask) = asked.recv().await {
        // Whoever asked may be gone.
        match ask {
            Ask::Judge { name, key, answer } => {
                let verdict = shared.node.borrow().judge_key(&name, key.as_deref(), now_ms());
                let _ = answer.send(verdict);
            }
            Ask::Open { from, door, first, shown, answer } => {
                let _ = answer.send(inside(&shared, from, (door, &first), shown));
            }
        }
    }
}

/// A session like any other, at the other end of a pipe.
fn inside(
    shared: &Rc<Shared>,
    from: IpAddr,
    (door, first): (Door, &[u8]),
    shown: Shown,
) -> io::Result<UnixStream> {
    if shared.stopping.get() {
        return Err(io::Error::other("the server is ending"));
    }
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    theirs.set_nonblocking(true)?;
    // The same socket under the type that connections have.
    let stream = TcpStream::from_std(std::net::TcpStream::from(OwnedFd::from(ours)))?;
    let caller = Caller { ssh: Some(shown), ..Caller::new(from) };
    connection::spawn_inside(stream, &caller, door, first, shared);
    Ok(theirs)
}

/// The door, and who waits for those who went through it.
#[derive(Default)]
pub(crate) struct Way(RefCell<Option<SshDoor>>);

impl Way {
    pub(crate) fn new(door: Option<SshDoor>) -> Way {
        Way(RefCell::new(door))
    }

    /// Closes the door; whoever is inside is cut off.
    pub(crate) fn close(&self) {
        drop(self.0.take());
    }

    /// Whether too many are at the door, or too many of an address, who have not proved anything.
    pub(crate) fn is_full(&self, from: IpAddr, exempt: bool) -> bool {
        self.0.borrow().as_ref().is_some_and(|door| door.is_full(from, exempt))
    }

    /// Hands a connection over. What comes back is ready when the connection is over; none when it was not taken.
    pub(crate) fn enter(
        &self,
        stream: TcpStream,
        first: Vec<u8>,
        (from, exempt): (IpAddr, bool),
    ) -> Option<oneshot::Receiver<()>> {
        let stream = match stream.into_std() {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be handed to the ssh door");
                return None;
            }
        };
        let (left, gone) = oneshot::channel();
        let taken = self
            .0
            .borrow()
            .as_ref()
            .is_some_and(|door| door.enter(Knock { stream, first, from, exempt, left }));
        taken.then_some(gone)
    }
}
