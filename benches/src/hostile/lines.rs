//! A caller's connection, from an address of its own: as it is, inside of TLS, or at the WebSocket.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use socket2::{Domain, Protocol, Socket, Type};

use crate::frames::Frames;
use crate::inside::trusting;

/// How long a connection may take to be made.
const CONNECTING: Duration = Duration::from_secs(5);

/// How somebody comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// TCP.
    Plain,
    /// TLS.
    Tls,
    /// A WebSocket.
    WebSocket,
}

/// A connection that takes and gives lines.
pub enum Wire {
    /// As they are.
    Plain(TcpStream),
    /// Inside of TLS.
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    /// A message each.
    WebSocket(TcpStream, Frames),
}

/// Connects from an address.
///
/// # Errors
/// What the system says.
pub fn connect(from: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.bind(&SocketAddr::new(IpAddr::V4(from), 0).into())?;
    socket.connect_timeout(&to.into(), CONNECTING)?;
    socket.set_tcp_nodelay(true)?;
    Ok(socket.into())
}

impl Wire {
    /// Comes in one way or another.
    ///
    /// # Errors
    /// When it cannot.
    pub fn open(way: Way, from: Ipv4Addr, to: SocketAddr) -> Result<Wire> {
        let mut stream = connect(from, to).context("a person cannot connect")?;
        stream.set_read_timeout(Some(CONNECTING))?;
        Ok(match way {
            Way::Plain => Wire::Plain(stream),
            Way::Tls => {
                let name = ServerName::try_from("localhost")?;
                let mut tls = ClientConnection::new(trusting()?, name)?;
                while tls.is_handshaking() {
                    tls.complete_io(&mut stream)?;
                }
                Wire::Tls(Box::new(StreamOwned::new(tls, stream)))
            }
            Way::WebSocket => {
                Frames::upgrade(&mut stream)?;
                Wire::WebSocket(stream, Frames::default())
            }
        })
    }

    /// Sends lines.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn send(&mut self, lines: &str) -> io::Result<()> {
        match self {
            Wire::Plain(stream) => stream.write_all(lines.as_bytes()),
            Wire::Tls(stream) => stream.write_all(lines.as_bytes()).and_then(|()| stream.flush()),
            Wire::WebSocket(stream, _) => stream.write_all(&Frames::encode(lines.as_bytes())),
        }
    }

    /// Appends what comes within a time; false at the end.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn receive(&mut self, within: Duration, lines: &mut Vec<u8>) -> Result<bool> {
        let mut buffer = [0; 16 * 1024];
        // Zero would be for ever.
        let within = Some(within.max(Duration::from_micros(100)));
        let read = match self {
            Wire::Plain(stream) | Wire::WebSocket(stream, _) => {
                stream.set_read_timeout(within)?;
                stream.read(&mut buffer)
            }
            Wire::Tls(stream) => {
                stream.sock.set_read_timeout(within)?;
                stream.read(&mut buffer)
            }
        };
        match read {
            Ok(0) => Ok(false),
            Ok(count) => {
                match self {
                    Wire::WebSocket(_, frames) => lines.extend(frames.decode(&buffer[..count])?),
                    _ => lines.extend_from_slice(&buffer[..count]),
                }
                Ok(true)
            }
            Err(error) if is_late(&error) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether nothing came in time.
pub fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
