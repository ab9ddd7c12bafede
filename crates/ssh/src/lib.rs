//! The ssh door: `ssh -p 55555 you@host`, with nothing to install.
//!
//! What lives here: the SSH protocol (by russh) for connections that somebody else has accepted, who may come in by
//! which key or password, and what runs behind a channel: the terminal client, the commands `say`, `tail` and
//! `search`, or lines. What does not: listening, rooms, accounts. Everything that is said inside goes through a pipe
//! to an ordinary session of the server, which [`Ask::Open`] asks for: a room sees no difference.
//!
//! The door has a thread of its own, so that keys, ciphers and screens cost the chat's thread nothing. Each
//! connection is a task and each channel another: what breaks one of them ends that one.
//!
//! Start here for the commonest changes: who is let in, `guest.rs`; what runs in a channel, `channel.rs`.

use std::io;
use std::net::{IpAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::JoinHandle;

use chinwag_core::accounts::Verdict;
use chinwag_core::keys::{Shown, SshKey};
use chinwag_core::session::Door;
use tokio::sync::{mpsc, oneshot};

mod channel;
mod exec;
mod guest;
mod hostkey;
mod irc;
mod lines;
mod password;
mod porch;
mod screen;
mod serve;
mod wire;

use porch::Porch;

/// The bounds of the door, with their units.
pub mod limits {
    pub use crate::channel::{COLUMNS_MAX, ROWS_MAX};
    pub use crate::exec::ONE_BYTES_MAX;
    pub use crate::guest::CHANNELS_MAX;
    pub use crate::porch::{UNPROVED_MAX, UNPROVED_OF_ONE_MAX};
    pub use crate::screen::WAITING_BYTES_MAX;
    pub use crate::serve::{ATTEMPTS_MAX, BEGINNING, OPEN_MAX, PACKET_BYTES, PROVING, WINDOW_BYTES};
}

pub use hostkey::{HostKey, HostKeyError};

/// Connections that may wait for the door's thread.
const KNOCKS: usize = 64;

/// What the door asks of the server. Whoever does not answer refuses.
#[derive(Debug)]
pub enum Ask {
    /// What somebody may do who asks to come in by a name, with a key or without.
    Judge {
        /// The name.
        name: String,
        /// The key.
        key: Option<Arc<SshKey>>,
        /// The answer.
        answer: oneshot::Sender<Verdict>,
    },
    /// A session inside the server, at the other end of a pipe.
    Open {
        /// The address of whoever came by ssh.
        from: IpAddr,
        /// What is spoken through the pipe.
        door: Door,
        /// What is said first. (Who comes to the plain door and says nothing is asked for a nickname.)
        first: Vec<u8>,
        /// What was shown at the door.
        shown: Shown,
        /// Our end of the pipe.
        answer: oneshot::Sender<io::Result<UnixStream>>,
    },
}

/// Somebody at the door: a connection whose first bytes are those of SSH.
#[derive(Debug)]
pub struct Knock {
    /// The connection, not blocking.
    pub stream: TcpStream,
    /// What was read of it already.
    pub first: Vec<u8>,
    /// Who it is.
    pub from: IpAddr,
    /// Whether limits of address blocks do not hold.
    pub exempt: bool,
    /// Dropped when the connection is over.
    pub left: oneshot::Sender<()>,
}

/// What a door is made of.
#[derive(Debug)]
pub struct Options {
    /// The key by which people recognize the server.
    pub host_key: HostKey,
    /// The network's name, for people.
    pub network: String,
    /// The room where `ssh host` without more begins.
    pub lobby: String,
    /// Where questions go.
    pub asks: mpsc::Sender<Ask>,
}

/// A door that is open.
#[derive(Debug)]
pub struct SshDoor {
    knocks: Option<mpsc::Sender<Knock>>,
    porch: Arc<Porch>,
    thread: Option<JoinHandle<()>>,
}

impl SshDoor {
    /// Opens the door: starts its thread, which is called `ssh`.
    ///
    /// # Errors
    /// The system has no thread or event queue.
    pub fn open(options: Options) -> io::Result<SshDoor> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (knocks, waiting) = mpsc::channel(KNOCKS);
        let porch = Arc::new(Porch::default());
        let shared = Arc::clone(&porch);
        let serve = move || runtime.block_on(serve::serve(options, waiting, shared));
        let thread = std::thread::Builder::new().name("ssh".to_owned()).spawn(serve)?;
        Ok(SshDoor { knocks: Some(knocks), porch, thread: Some(thread) })
    }

    /// Whether too many are at the door, or too many from this address block, who have not proved anything.
    pub fn is_full(&self, from: IpAddr, exempt: bool) -> bool {
        !self.porch.has_room(from, exempt)
    }

    /// Hands a connection over. False when too many wait: it is closed then.
    pub fn enter(&self, knock: Knock) -> bool {
        self.knocks.as_ref().is_some_and(|knocks| knocks.try_send(knock).is_ok())
    }
}

/// Closes the door: whoever is inside is cut off.
impl Drop for SshDoor {
    fn drop(&mut self) {
        self.knocks = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the ssh door ended with a panic");
        }
    }
}
