//! A [`Wire`] of real sockets, for tests against the real server.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use super::{By, Received, Wire};
use crate::transport::{TlsOptions, Transport};

/// What carries the bytes of those who come in by IRC; plain callers always have bare sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A bare socket.
    Tcp,
    /// TLS.
    Tls,
    /// WebSocket messages.
    WebSocket,
}

/// Connections to one server.
pub struct Sockets {
    address: SocketAddr,
    carrier: Carrier,
    streams: BTreeMap<String, Transport>,
    restart: Option<Box<dyn FnMut() -> SocketAddr>>,
}

impl Sockets {
    /// People who connect to this address. A server that can be restarted gives the function that does it and
    /// returns the new address.
    pub fn new(
        address: SocketAddr,
        carrier: Carrier,
        restart: Option<Box<dyn FnMut() -> SocketAddr>>,
    ) -> Self {
        Sockets { address, carrier, streams: BTreeMap::new(), restart }
    }
}

impl Wire for Sockets {
    fn connect(&mut self, who: &str, by: By) -> Result<(), String> {
        let stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(5))
            .map_err(|error| error.to_string())?;
        // Bursts are what the plain door is about: they must leave as they are written.
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let transport = match self.carrier {
            Carrier::Tls if by == By::Irc => {
                Transport::tls(stream, TlsOptions::default()).map_err(|error| error.to_string())?
            }
            // Lines that are not UTF-8 can only be sent as bytes.
            Carrier::WebSocket if by == By::Irc => {
                Transport::Tcp(stream).websocket(&["binary.ircv3.net"], &[])?.0
            }
            _ => Transport::Tcp(stream),
        };
        self.streams.insert(who.to_owned(), transport);
        Ok(())
    }

    fn send(&mut self, who: &str, bytes: &[u8]) {
        if let Some(stream) = self.streams.get_mut(who) {
            // The server may have closed already; what was expected of it will tell.
            let _ = stream.write_all(bytes);
        }
    }

    fn receive(&mut self, who: &str, within: Duration) -> Received {
        let Some(stream) = self.streams.get_mut(who) else { return Received::Closed };
        if stream.socket().set_read_timeout(Some(within)).is_err() {
            return Received::Closed;
        }
        let mut buffer = [0; 16 * 1024];
        match stream.read(&mut buffer) {
            Ok(0) => Received::Closed,
            Ok(count) => Received::Bytes(buffer[..count].to_vec()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Received::Nothing
            }
            Err(_) => Received::Closed,
        }
    }

    fn close(&mut self, who: &str) {
        if let Some(stream) = self.streams.remove(who) {
            // Already gone is as good.
            let _ = stream.socket().shutdown(Shutdown::Both);
        }
    }

    fn pass(&mut self, millis: u64) {
        std::thread::sleep(Duration::from_millis(millis));
    }

    fn restart(&mut self) -> bool {
        match &mut self.restart {
            Some(restart) => {
                self.streams.clear();
                self.address = restart();
                true
            }
            None => false,
        }
    }
}
