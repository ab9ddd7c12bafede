//! A caller over a real socket, for tests: blocking, a deadline on every wait, and what it got kept for failures.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::transport::{TlsOptions, Transport};

/// How long anything that is expected may take.
pub const WITHIN: Duration = Duration::from_secs(20);

/// One connection.
#[derive(Debug)]
pub struct Caller {
    name: String,
    reader: BufReader<Transport>,
}

impl Caller {
    /// Connects and says nothing.
    ///
    /// # Panics
    /// When there is no connection.
    pub fn connect(address: SocketAddr) -> Caller {
        Caller::over(Transport::Tcp(Caller::socket(address)))
    }

    /// Connects with TLS.
    ///
    /// # Panics
    /// When there is no connection.
    pub fn tls(address: SocketAddr, options: TlsOptions) -> Caller {
        Caller::over(Transport::tls(Caller::socket(address), options).expect("options that make sense"))
    }

    /// Connects by WebSocket with these subprotocols.
    ///
    /// # Panics
    /// When there is no connection, or no WebSocket is granted.
    pub fn websocket(address: SocketAddr, protocols: &[&str]) -> Caller {
        let transport = Transport::Tcp(Caller::socket(address));
        Caller::over(transport.websocket(protocols, &[]).expect("a WebSocket is granted").0)
    }

    /// Speaks over what is there already.
    pub fn over(transport: Transport) -> Caller {
        Caller { name: "somebody".to_owned(), reader: BufReader::new(transport) }
    }

    /// A connected socket with a deadline on every wait.
    ///
    /// # Panics
    /// When there is no connection.
    pub fn socket(address: SocketAddr) -> TcpStream {
        let stream = TcpStream::connect_timeout(&address, WITHIN).expect("somebody listens");
        stream.set_read_timeout(Some(WITHIN)).expect("a time-out can be set");
        stream.set_write_timeout(Some(WITHIN)).expect("a time-out can be set");
        stream.set_nodelay(true).expect("delay can be switched off");
        stream
    }

    /// Connects by IRC with these capabilities and registers.
    ///
    /// # Panics
    /// When the server does not let it in.
    pub fn irc(address: SocketAddr, nick: &str, caps: &str) -> Caller {
        Caller::connect(address).registered(nick, caps)
    }

    /// Registers with these capabilities.
    ///
    /// # Panics
    /// When the server does not let it in.
    #[must_use]
    pub fn registered(mut self, nick: &str, caps: &str) -> Caller {
        self.name = nick.to_owned();
        self.send(&format!("CAP REQ :{caps}\r\nNICK {nick}\r\nUSER {nick} 0 * :{nick}\r\nCAP END"));
        self.until(|line| line.contains(" 001 "));
        self.until(|line| line.contains(" 422 ") || line.contains(" 376 "));
        self
    }

    /// The same, and joins a room.
    ///
    /// # Panics
    /// When the server does not let it in.
    pub fn member(address: SocketAddr, nick: &str, caps: &str, room: &str) -> Caller {
        Caller::irc(address, nick, caps).joined(room)
    }

    /// Joins a room.
    ///
    /// # Panics
    /// When the server does not let it in.
    #[must_use]
    pub fn joined(mut self, room: &str) -> Caller {
        self.send(&format!("JOIN {room}"));
        self.until(|line| line.contains(" 366 "));
        self
    }

    /// Sends a line.
    ///
    /// # Panics
    /// When the connection is closed.
    pub fn send(&mut self, line: &str) {
        self.send_bytes(format!("{line}\r\n").as_bytes());
    }

    /// Sends bytes.
    ///
    /// # Panics
    /// When the connection is closed.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.try_send(bytes).unwrap_or_else(|error| panic!("{} cannot send: {error}", self.name));
    }

    /// Sends bytes, if the connection is still there.
    ///
    /// # Errors
    /// As the socket says.
    pub fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    /// The next line without its end; none at the end of the connection.
    ///
    /// # Errors
    /// As the socket says; a time-out when nothing comes within [`WITHIN`].
    pub fn try_line(&mut self) -> io::Result<Option<String>> {
        let mut bytes = Vec::new();
        if self.reader.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        while bytes.last().is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
            bytes.pop();
        }
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The next line.
    ///
    /// # Panics
    /// When none comes.
    pub fn line(&mut self) -> String {
        match self.try_line() {
            Ok(Some(line)) => line,
            Ok(None) => panic!("{}'s connection was closed", self.name),
            Err(error) => panic!("{} waited for a line: {error}", self.name),
        }
    }

    /// The next line that is wanted; others are answered (PING) or skipped.
    ///
    /// # Panics
    /// When none comes; with the lines that were skipped.
    pub fn until(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        let mut skipped = Vec::new();
        loop {
            match self.try_line() {
                Ok(Some(line)) if wanted(&line) => return line,
                Ok(Some(line)) => {
                    if let Some(token) = line.strip_prefix("PING ") {
                        let pong = format!("PONG {token}");
                        self.send(&pong);
                    }
                    skipped.push(line);
                }
                other => panic!("{} waited for a line: {other:?}; it got {skipped:#?}", self.name),
            }
        }
    }

    /// Everything until the connection is closed.
    ///
    /// # Panics
    /// When it is not closed within [`WITHIN`].
    pub fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.reader.read_to_end(&mut bytes) {
            Ok(_) => {}
            // A socket may be reset, and TLS ended without a farewell.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof) => {}
            Err(error) => panic!("{} waited for the end: {error}", self.name),
        }
        bytes
    }

    /// Exactly so many bytes.
    ///
    /// # Panics
    /// When they do not come.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.reader.read_exact(&mut bytes).unwrap_or_else(|error| panic!("{} waited: {error}", self.name));
        bytes
    }

    /// The socket.
    pub fn stream(&self) -> &TcpStream {
        self.reader.get_ref().socket()
    }

    /// What carries its bytes.
    pub fn transport(&mut self) -> &mut Transport {
        self.reader.get_mut()
    }
}
