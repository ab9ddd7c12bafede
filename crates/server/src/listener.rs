//! Listening: sockets with the options that every connection inherits, and the loop that accepts.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::rc::Rc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};

use crate::config::Address;
use crate::connection;
use crate::doorway::Behind;
use crate::shared::Shared;

/// Connections that may wait to be accepted. The kernel caps it at `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// Silence after which the kernel asks whether the other side is still there, and how often it asks.
const KEEPALIVE: Duration = Duration::from_secs(120);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);

/// Bytes that the kernel may hold for a caller who does not read, beside our own `send_queue_bytes`. (Linux counts
/// its own overhead in and doubles the number.) Left to itself it takes up to 4 MiB for each of them.
pub(crate) const SEND_BUFFER_BYTES: usize = 512 * 1024;

/// The first and the longest pause after the system refused a socket (no descriptors, no memory).
const BACKOFF_MIN: Duration = Duration::from_millis(10);
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// A socket that listens.
pub(crate) enum Listener {
    Tcp(StdListener),
    #[cfg(unix)]
    Unix(unix::Listening),
}

impl Listener {
    /// Binds and listens.
    pub(crate) fn bind(address: &Address) -> io::Result<Listener> {
        match address {
            Address::Tcp(address) => bind(*address).map(Listener::Tcp),
            #[cfg(unix)]
            Address::Unix(path) => unix::Listening::bind(path).map(Listener::Unix),
            #[cfg(not(unix))]
            Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Takes over a socket that listens already.
    pub(crate) fn given(socket: StdListener) -> io::Result<Listener> {
        // Fails for what is no TCP socket.
        socket.local_addr()?;
        set_options(&SockRef::from(&socket))?;
        socket.set_nonblocking(true)?;
        Ok(Listener::Tcp(socket))
    }

    /// Where it listens, with the port that the system chose.
    pub(crate) fn address(&self) -> io::Result<Address> {
        match self {
            Listener::Tcp(socket) => socket.local_addr().map(Address::Tcp),
            #[cfg(unix)]
            Listener::Unix(socket) => Ok(Address::Unix(socket.path().to_owned())),
        }
    }

    /// Accepts until the task is aborted.
    pub(crate) async fn accept(self, behind: Behind, shared: Rc<Shared>) -> io::Result<()> {
        match self {
            Listener::Tcp(socket) => {
                let listener = TcpListener::from_std(socket)?;
                accept_all(async || listener.accept().await, &behind, &shared).await
            }
            #[cfg(unix)]
            Listener::Unix(socket) => {
                let listener = socket.listener()?;
                // Only this machine reaches it: its callers count as the machine's own.
                let caller = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                let accept = async || Ok((unix::as_stream(listener.accept().await?.0)?, caller));
                accept_all(accept, &behind, &shared).await
            }
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<StdListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Without it a restart would have to wait for connections in TIME_WAIT. (On Windows it would let a
    // second server in.)
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    // Set here once: connections inherit them from the listening socket, without a system call each.
    set_options(&SockRef::from(&socket))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Accepts without end, with pauses while the system refuses.
async fn accept_all(
    accept: impl AsyncFn() -> io::Result<(TcpStream, SocketAddr)>,
    behind: &Behind,
    shared: &Rc<Shared>,
) -> io::Result<()> {
    let mut pause = BACKOFF_MIN;
    loop {
        match accept().await {
            Ok((stream, peer)) => {
                pause = BACKOFF_MIN;
                admit(stream, peer.ip(), behind, shared);
            }
            Err(error) if concerns_one_caller(&error) => {}
            Err(error) => {
                tracing::warn!(%error, pause_ms = pause.as_millis(), "cannot accept connections at the moment");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(BACKOFF_MAX);
            }
        }
    }
}

fn admit(stream: TcpStream, ip: IpAddr, behind: &Behind, shared: &Rc<Shared>) {
    // Only Linux and the BSDs hand a listener's options down.
    if cfg!(not(any(target_os = "linux", target_os = "android")))
        && let Err(error) = set_options(&SockRef::from(&stream))
    {
        tracing::debug!(%error, "a connection ended before it began");
        return;
    }
    connection::spawn(stream, ip, Rc::clone(&behind.borrow()), shared);
}

/// Sockets of the file system.
#[cfg(unix)]
mod unix {
    use std::io;
    use std::net::TcpStream as StdStream;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::FileTypeExt;
    use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdUnixStream};
    use std::path::{Path, PathBuf};

    use tokio::net::{TcpStream, UnixListener, UnixStream};

    /// A socket that listens, and its file, which goes with it.
    pub(crate) struct Listening {
        socket: StdListener,
        path: PathBuf,
    }

    impl Listening {
        pub(super) fn bind(path: &Path) -> io::Result<Listening> {
            let left_behind =
                std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
            if left_behind {
                // Somebody answers, or the file of a server that was killed is in the way.
                if StdUnixStream::connect(path).is_ok() {
                    return Err(io::ErrorKind::AddrInUse.into());
                }
                std::fs::remove_file(path)?;
            }
            let socket = StdListener::bind(path)?;
            socket.set_nonblocking(true)?;
            Ok(Listening { socket, path: path.to_owned() })
        }

        pub(super) fn path(&self) -> &Path {
            &self.path
        }

        pub(super) fn listener(&self) -> io::Result<UnixListener> {
            UnixListener::from_std(self.socket.try_clone()?)
        }
    }

    impl Drop for Listening {
        fn drop(&mut self) {
            // It may be gone already; a file that stays is removed at the next start.
            let _ = std::fs::remove_file(&self.path);
        }
    }

    /// The same socket under the type that the outbox has: reading, writing and shutting down are the same calls.
    pub(super) fn as_stream(stream: UnixStream) -> io::Result<TcpStream> {
        let stream = OwnedFd::from(stream.into_std()?);
        TcpStream::from_std(StdStream::from(stream))
    }
}

fn set_options(socket: &SockRef<'_>) -> io::Result<()> {
    // With Nagle's algorithm on, a line that follows another waits for an acknowledgement: up to 40 ms.
    socket.set_tcp_nodelay(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE_INTERVAL))
}

/// Whether the error is one caller's bad luck rather than our lack of something.
fn concerns_one_caller(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, NetworkDown};
    use io::ErrorKind::{HostUnreachable, NetworkUnreachable, PermissionDenied, TimedOut};
    matches!(
        error.kind(),
        ConnectionAborted
            | ConnectionRefused
            | ConnectionReset
            | Interrupted
            | NetworkDown
            | HostUnreachable
            | NetworkUnreachable
            | PermissionDenied
            | TimedOut
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_inherit_the_options() {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = bind(address).unwrap();
        listener.set_nonblocking(false).unwrap();
        let _caller = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        if cfg!(target_os = "linux") {
            let socket = SockRef::from(&stream);
            assert!(socket.tcp_nodelay().unwrap());
            assert!(socket.keepalive().unwrap());
            assert!(socket.send_buffer_size().unwrap() <= 2 * SEND_BUFFER_BYTES);
        }
    }
}
