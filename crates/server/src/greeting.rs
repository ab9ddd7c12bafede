//! The first bytes of a connection: who is behind it, whether it is protected, which door it wants.
//!
//! What lives here: the decisions, as functions of the bytes that came. What does not: sockets and timers, which are
//! the connection's. A balancer's header comes first, then TLS, then a look inside; each may be missing.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use chinwag_core::keys;
use chinwag_core::session::Door;
use chinwag_wire::detect::{Detect, detect};
use chinwag_wire::proxy::{self, Proxied};
use hyper::header::HeaderMap;

use crate::config::{Kind, TlsMode};
use crate::doorway::Doorway;
use crate::greet::{closed_door, http_answer, page, wrong_port};
use crate::metrics::Reason;
use crate::tls::{Certificate, Shown};
use crate::upgrade::{self, Asked, HEAD_BYTES_MAX, Upgrade};

/// Silence after which a caller is a plain one (design, "Doors").
pub(crate) const SILENCE: Duration = Duration::from_millis(1500);

/// How long a handshake of TLS and the head of a request may take.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(10);

/// First bytes that are looked at before the door is chosen, at most.
const GREETING_BYTES_MAX: usize = 512;

/// The same where a balancer's header comes before them.
const PROXIED_BYTES_MAX: usize = 4096;

/// Who calls, as far as it is known.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Its address; a socket of the file system counts as this machine's own.
    pub(crate) ip: IpAddr,
    /// A balancer or web server that is believed says that it speaks TLS with it.
    pub(crate) tls_ahead: bool,
    /// It speaks TLS with us, and what it showed.
    pub(crate) tls: Option<Shown>,
    /// It came through the ssh door, and what it showed there.
    pub(crate) ssh: Option<keys::Shown>,
}

impl Caller {
    pub(crate) fn new(ip: IpAddr) -> Caller {
        Caller { ip: ip.to_canonical(), tls_ahead: false, tls: None, ssh: None }
    }

    /// Somebody else is behind it.
    fn is_really(&mut self, ip: IpAddr, tls_ahead: bool) {
        (self.ip, self.tls_ahead) = (ip.to_canonical(), tls_ahead);
    }

    /// Takes the word of a trusted web server for whom it connects.
    pub(crate) fn is_behind(&mut self, upgrade: &Upgrade) {
        if let Some((client, tls_ahead)) = upgrade.forwarded {
            self.is_really(client, tls_ahead);
            // TLS, if any, is the web server's, and so is what was shown in it.
            self.tls = None;
        }
    }

    /// The same, for a request of which these are the headers.
    pub(crate) fn speaks_for(&mut self, doorway: &Doorway, headers: &HeaderMap) {
        if doorway.trusts(self.ip)
            && let Some((client, tls_ahead)) = upgrade::forwarded(headers, doorway)
        {
            self.is_really(client, tls_ahead);
            self.tls = None;
        }
    }

    /// Where it speaks TLS: the host that it looked for, empty where it named none.
    pub(crate) fn tls_host(&self) -> Option<&str> {
        let ahead = self.tls_ahead.then_some("");
        self.tls.as_ref().map(|shown| shown.host.as_deref().unwrap_or("")).or(ahead)
    }

    /// Whether nobody can read on the way.
    pub(crate) fn secure(&self) -> bool {
        self.tls.is_some() || self.ssh.is_some() || self.tls_ahead || self.ip.is_loopback()
    }
}

/// How far a greeting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The first bytes.
    Start,
    /// TLS is being agreed on.
    Handshake,
    /// Inside of TLS, or a balancer's header is behind us.
    Inside,
    /// The head of a request.
    Request,
}

/// A connection whose door is not chosen yet.
pub(crate) struct Greeting {
    pub(crate) caller: Caller,
    pub(crate) doorway: Rc<Doorway>,
    pub(crate) first: Vec<u8>,
    /// In how many pieces that came.
    reads: usize,
    stage: Stage,
    /// A balancer's header came.
    proxied: bool,
}

/// What the bytes so far come to.
pub(crate) enum Look {
    /// Not enough to tell.
    More,
    /// The same, with this much time from now on.
    MoreWithin(Duration),
    /// A door.
    Door(Door),
    /// TLS begins.
    Tls(Arc<Certificate>),
    /// IRC over a WebSocket.
    WebSocket(Upgrade),
    /// SSH: somebody else goes on with the connection.
    Ssh,
    /// Pages for a browser.
    Web,
    /// The last words for somebody who cannot come in.
    Refused(Vec<u8>),
    /// Nobody is there.
    Nobody,
}

impl Greeting {
    pub(crate) fn new(caller: Caller, doorway: Rc<Doorway>) -> Greeting {
        Greeting { caller, doorway, first: Vec::new(), reads: 0, stage: Stage::Start, proxied: false }
    }

    /// How long the caller may take for its first words.
    pub(crate) fn patience(&self) -> Duration {
        match self.doorway.kind {
            Kind::Any | Kind::Plain => SILENCE,
            // Some clients wait for the server to speak first.
            Kind::Ssh if self.doorway.ssh && !self.doorway.trusts(self.caller.ip) => Duration::ZERO,
            Kind::Irc | Kind::Web | Kind::WebSocket | Kind::Ssh => self.doorway.patience,
        }
    }

    /// Bytes that may be read now.
    pub(crate) fn room(&self) -> usize {
        self.bytes_max().saturating_sub(self.first.len()).max(1)
    }

    fn bytes_max(&self) -> usize {
        match self.stage {
            Stage::Request => HEAD_BYTES_MAX,
            Stage::Start if self.may_be_proxied() => PROXIED_BYTES_MAX,
            _ => GREETING_BYTES_MAX,
        }
    }

    fn may_be_proxied(&self) -> bool {
        self.stage == Stage::Start && !self.proxied && self.doorway.trusts(self.caller.ip)
    }

    /// Bytes came.
    pub(crate) fn took(&mut self, bytes: &[u8]) {
        self.first.extend_from_slice(bytes);
        self.reads += 1;
    }

    /// Whether it came byte by byte: whoever types so is to be given time by the door, too.
    pub(crate) fn bytewise(&self) -> bool {
        self.reads == self.first.len()
    }

    /// Whether a handshake is under way.
    pub(crate) fn shaking_hands(&self) -> bool {
        self.stage == Stage::Handshake
    }

    /// By what it is counted when it gets no further.
    pub(crate) fn reason(&self) -> Reason {
        match self.stage {
            Stage::Handshake => Reason::TlsHandshake,
            Stage::Request => Reason::HttpHead,
            Stage::Start | Stage::Inside => Reason::ClosedDoor,
        }
    }

    /// The handshake is over.
    pub(crate) fn shook_hands(&mut self, shown: Shown) {
        self.stage = Stage::Inside;
        self.caller.tls = Some(shown);
    }

    /// TLS begins: gives what has come of it.
    pub(crate) fn begin_tls(&mut self) -> Vec<u8> {
        (self.stage, self.reads) = (Stage::Handshake, 0);
        std::mem::take(&mut self.first)
    }

    /// Looks at what came. `late`: the caller has used up its time. `ended`: nothing more will come.
    pub(crate) fn look(&mut self, late: bool, ended: bool) -> Look {
        if ended && self.first.is_empty() {
            return Look::Nobody;
        }
        if self.stage == Stage::Handshake {
            return if late || ended { Look::Nobody } else { Look::More };
        }
        if self.may_be_proxied() {
            match proxy::parse(&self.first) {
                Proxied::More if !late && !ended => return Look::More,
                Proxied::More | Proxied::No => {}
                Proxied::Wrong => {
                    return Look::Refused(b"ERROR :This PROXY header makes no sense\r\n".to_vec());
                }
                Proxied::Header(header) => {
                    self.first.drain(..header.bytes);
                    (self.proxied, self.reads) = (true, 1);
                    if let Some(client) = header.client {
                        self.caller.is_really(client, header.secure);
                    }
                }
            }
        }
        if self.doorway.proxy_required && !self.proxied && self.stage == Stage::Start {
            return Look::Refused(b"ERROR :This port is for a proxy only\r\n".to_vec());
        }
        self.look_inside(late, ended)
    }

    fn look_inside(&mut self, late: bool, ended: bool) -> Look {
        let over = late || ended;
        if self.stage == Stage::Request {
            return self.request(over);
        }
        let decided = over || self.first.len() >= self.bytes_max();
        let found = detect(&self.first, decided);
        if found == Detect::More && !decided {
            return Look::More;
        }
        let inside = self.caller.tls.is_some();
        match (found, &self.doorway.certificate) {
            (Detect::Tls, Some(certificate)) if !inside => return Look::Tls(Arc::clone(certificate)),
            // SSH protects itself.
            _ if self.doorway.tls == TlsMode::Only && !inside && found != Detect::Ssh => {
                return Look::Refused(wrong_port(found, "This port speaks TLS only"));
            }
            _ => {}
        }
        if found == Detect::Http && matches!(self.doorway.kind, Kind::Any | Kind::Web | Kind::WebSocket) {
            self.stage = Stage::Request;
            return match self.request(over) {
                Look::More => Look::MoreWithin(HANDSHAKE),
                other => other,
            };
        }
        self.door(found, late)
    }

    fn door(&self, found: Detect, late: bool) -> Look {
        let nothing = self.first.is_empty() && late;
        if self.doorway.ssh && (found == Detect::Ssh || self.doorway.kind == Kind::Ssh && nothing) {
            return match self.caller.tls {
                Some(_) => Look::Refused(wrong_port(found, "SSH is not spoken inside of TLS here")),
                None => Look::Ssh,
            };
        }
        if let Some(words) = closed_door(found, &self.first) {
            tracing::debug!(ip = %self.caller.ip, door = ?found, "a caller knocked at a door that is not open");
            return Look::Refused(words);
        }
        match (self.doorway.kind, found) {
            (Kind::Any, Detect::Irc) => Look::Door(Door::Irc),
            // Everybody is plain at a plain listener, but nobody is let in as somebody with a strange name.
            (Kind::Any | Kind::Plain, _) => Look::Door(Door::Plain),
            (Kind::Irc, _) if nothing => Look::Refused(b"ERROR :Registration timed out\r\n".to_vec()),
            (Kind::Irc, _) => Look::Door(Door::Irc),
            (Kind::WebSocket, _) => Look::Refused(wrong_port(found, "This port is for WebSockets only")),
            (Kind::Web, _) => Look::Refused(wrong_port(found, "This port is for browsers only")),
            (Kind::Ssh, _) => Look::Refused(wrong_port(found, "This port is for ssh only")),
        }
    }

    fn request(&mut self, over: bool) -> Look {
        match upgrade::look(&self.first, &self.doorway, self.caller.ip) {
            Asked::More if over => {
                let sentence = "Your request did not come in time.";
                Look::Refused(http_answer("408 Request Timeout", sentence, true))
            }
            Asked::More => Look::More,
            Asked::Refused { status, sentence } => Look::Refused(upgrade::refusal(status, sentence)),
            Asked::Page if let Some(answer) = self.doorway.board.answer_to(&self.first) => {
                Look::Refused(answer)
            }
            Asked::Page if self.doorway.pages() => Look::Web,
            Asked::Page => Look::Refused(page(&self.first)),
            Asked::Upgrade(upgrade) => {
                self.caller.is_behind(&upgrade);
                Look::WebSocket(upgrade)
            }
        }
    }

    /// How long a handshake may take.
    pub(crate) fn handshake_patience() -> Duration {
        HANDSHAKE
    }
}
