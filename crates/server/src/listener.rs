//! Listening: sockets with the options that every connection inherits, and the loop that accepts.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::rc::Rc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};

use crate::config::{Kind, ListenerConfig};
use crate::connection;
use crate::shared::Shared;

/// Connections that may wait to be accepted. The kernel caps it at `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// Silence after which the kernel asks whether the other side is still there, and how often it asks.
const KEEPALIVE: Duration = Duration::from_secs(120);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);

/// Bytes that the kernel may hold for a caller who does not read, beside our own `send_queue_bytes`. (Linux counts
/// its own overhead in and doubles the number.) Left to itself it takes up to 4 MiB for each of them.
const SEND_BUFFER_BYTES: usize = 512 * 1024;

/// The first and the longest pause after the system refused a socket (no descriptors, no memory).
const BACKOFF_MIN: Duration = Duration::from_millis(10);
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// A socket that listens, and what is behind it.
pub(crate) struct Listener {
    socket: StdListener,
    kind: Kind,
}

impl Listener {
    /// Binds and listens.
    pub(crate) fn bind(config: &ListenerConfig) -> io::Result<Listener> {
        let socket = Socket::new(Domain::for_address(config.address), Type::STREAM, Some(Protocol::TCP))?;
        // Without it a restart would have to wait for connections in TIME_WAIT. (On Windows it would let a
        // second server in.)
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        if config.address.is_ipv6() && config.address.ip().is_unspecified() {
            socket.set_only_v6(false)?;
        }
        // Set here once: connections inherit them from the listening socket, without a system call each.
        set_options(&SockRef::from(&socket))?;
        socket.bind(&config.address.into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(Listener { socket: socket.into(), kind: config.kind })
    }

    /// Where it listens, with the port that the system chose.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Accepts until the task is aborted.
    pub(crate) async fn accept(self, shared: Rc<Shared>) -> io::Result<()> {
        let listener = TcpListener::from_std(self.socket)?;
        let mut pause = BACKOFF_MIN;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    pause = BACKOFF_MIN;
                    admit(stream, peer, self.kind, &shared);
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
}

fn admit(stream: TcpStream, peer: SocketAddr, kind: Kind, shared: &Rc<Shared>) {
    // Only Linux and the BSDs hand a listener's options down.
    if cfg!(not(any(target_os = "linux", target_os = "android")))
        && let Err(error) = set_options(&SockRef::from(&stream))
    {
        tracing::debug!(%error, "a connection ended before it began");
        return;
    }
    connection::spawn(stream, peer, kind, shared);
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
        let listener = Listener::bind(&ListenerConfig { address, kind: Kind::Any }).unwrap();
        listener.socket.set_nonblocking(false).unwrap();
        let _caller = std::net::TcpStream::connect(listener.address().unwrap()).unwrap();
        let (stream, _) = listener.socket.accept().unwrap();
        if cfg!(target_os = "linux") {
            let socket = SockRef::from(&stream);
            assert!(socket.tcp_nodelay().unwrap());
            assert!(socket.keepalive().unwrap());
            assert!(socket.send_buffer_size().unwrap() <= 2 * SEND_BUFFER_BYTES);
        }
    }
}
