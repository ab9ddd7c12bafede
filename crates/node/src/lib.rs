//! The node: a whole server without a runtime.
//!
//! What lives here: sessions and their doors, what this node has proposed to the log, and the bytes on their
//! way to people. What does not: sockets, threads, a clock, files, the log itself. A driver feeds [`Node`] with
//! bytes, arrivals, pages and the time, and takes proposals, reads and bytes from it:
//!
//! ```text
//!  socket ──receive──▶ ┌──────┐ ──take_proposals──▶ log
//!                      │ Node │ ◀──arrived──────────
//!  socket ◀───flush─── └──────┘ ──take_reads──▶ archive ──history──▶ Node
//! ```
//!
//! A turn of the driver: everything that came in is received, proposals are appended, arrivals are applied, and
//! one [`Node::flush`] hands each session all its bytes at once. Between two flushes a line to a room is written
//! once a dialect, whatever the number of members (see `tape` and `audience`).
//!
//! Start here for the commonest changes: how a line looks is `doors/`; who gets it is `deliver.rs`; when a
//! request has to wait is `receive.rs`; what a bound is, `limits.rs`.

mod allowances;
mod arrive;
mod audience;
mod behind;
mod close;
mod deliver;
mod dialects;
pub mod doors;
mod each;
mod enter;
mod errands;
mod expiry;
mod flush;
mod guests;
mod labels;
pub mod limits;
mod missed;
mod pace;
mod presence;
mod proposals;
mod reads;
mod receive;
mod sessions;
mod tape;
#[cfg(test)]
mod tests;
mod timers;
mod works;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use chinwag_core::accounts::Verdict;
use chinwag_core::chat::Chat;
use chinwag_core::effect::Effects;
use chinwag_core::event::{Event, Who};
use chinwag_core::figures::Figures;
use chinwag_core::ids::{Millis, RoomId, SessionId, SessionKey, UserId};
use chinwag_core::keys::{Shown, SshKey};
use chinwag_core::session::{Door, Session};
use chinwag_core::settings::Settings;
use chinwag_log::{Entry as LogEntry, Origin, Proposal};
use chinwag_wire::line::LineDecoder;
use chinwag_wire::names::Folded;

pub use self::errands::Errand;
pub use self::reads::HistoryRead;
pub use self::works::Work;

use self::allowances::Allowances;
use self::audience::Audiences;
use self::behind::Behind;
use self::dialects::Dialects;
use self::doors::plain::{PlainDoor, plain_caps};
use self::errands::Errands;
use self::expiry::Expiry;
use self::labels::Labels;
use self::proposals::{Behalf, Proposals};
use self::reads::Reads;
use self::sessions::{Entry, Input, Sessions};
use self::tape::Tape;
use self::works::Works;

/// Where a session comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// The host, as others are shown it.
    pub host: Arc<str>,
    /// The address that it came from, as a word of an IRC line; the host, where that is empty.
    pub address: Arc<str>,
    /// Whether nobody can read on the way (TLS, a local socket).
    pub secure: bool,
    /// Where TLS is spoken: the host that the client looked for (SNI), empty where it named none.
    pub tls_host: Option<Arc<str>>,
    /// The SHA-256 fingerprint of the certificate that it showed, in lower-case hexadecimal (SASL EXTERNAL).
    pub certificate: Option<Arc<str>>,
    /// What it showed at the ssh door, if it came by it.
    pub ssh: Option<Shown>,
    /// Whether limits on how much is asked do not hold.
    pub exempt: bool,
}

/// What the driver does after it handed a session's bytes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Received {
    /// Reads on.
    More,
    /// Stops reading from this session until [`Node::take_woken`] names it.
    Wait,
    /// Stops reading for good: the session is being closed, or is gone.
    Closed,
}

/// Where the bytes of a flush go.
pub trait Outlet {
    /// Bytes for a session, in order: the parts are one behind the other. Many sessions may be handed the same
    /// parts. What cannot be written at once is the outlet's to keep, within its bound, and a session that
    /// exceeds it is reported by [`Node::closed`] after the flush.
    fn write(&mut self, session: SessionId, parts: &[&[u8]]);

    /// Closes a session once what it was handed before is written. The node has forgotten it.
    fn close(&mut self, session: SessionId);
}

/// A server without a runtime.
pub struct Node {
    settings: Arc<Settings>,
    chat: Chat,
    origin: Origin,
    now_ms: Millis,
    turn: u64,
    users_promised: u64,
    sessions_opened: u64,
    sessions: Sessions,
    dialects: Dialects,
    audiences: Audiences,
    tape: Tape,
    /// Sessions whose bytes are merged at the flush.
    marked: Vec<u32>,
    /// Sessions to be closed at the flush.
    closing: Vec<u32>,
    proposals: Proposals,
    labels: Labels,
    reads: Reads,
    /// When messages are over.
    expiry: Expiry,
    works: Works,
    errands: Errands,
    /// Arrived and not applied yet.
    inbox: VecDeque<LogEntry<Event>>,
    /// The sessions that watch a nickname (MONITOR). Bounded by what each session may watch.
    watchers: BTreeMap<Folded, Vec<u32>>,
    /// Sessions that asked for the configuration to be read again.
    rereads: Vec<SessionId>,
    /// Sessions that want to hand in a file, and for which room.
    uploads: Vec<(SessionId, Option<RoomId>)>,
    /// Sessions that may go on.
    ready: Vec<u32>,
    /// Sessions that wait for somebody else's change of rules, or for room.
    waiting: Vec<SessionId>,
    woken: Vec<SessionId>,
    /// Sessions that have become a user's.
    registered: Vec<SessionId>,
    /// Sessions that asked too fast and wait for time to pass.
    paced: Vec<SessionId>,
    /// What address blocks have done that they may do only so often.
    allowances: Allowances,
    /// Sessions whose `PING` waits for what was under way for them.
    behind: VecDeque<Behind>,
    /// Sessions that wait for the flush, since so much is on the tape.
    after_flush: Vec<u32>,
    /// Accounts of which it is being kept where their owners are.
    presences: BTreeSet<Arc<str>>,
    /// Guests on a nickname that has become somebody's.
    guests: Vec<guests::Guest>,
    /// The log could not store that the lobby is opened.
    lobby_refused: bool,
    figures: Figures,
    fatal: Option<String>,
    // Reused from request to request.
    effects: Effects,
    events: Vec<Event>,
}

impl Node {
    /// A node over a chat in which the stored past has been applied. `origin` is the node's number, unlike that of
    /// every other node; `first_key` is greater than every key it ever gave.
    pub fn new(settings: Arc<Settings>, chat: Chat, origin: Origin, first_key: u64) -> Self {
        Node {
            settings: as_it_is(settings, &chat),
            chat,
            origin,
            now_ms: 0,
            turn: 1,
            users_promised: first_key,
            sessions_opened: first_key,
            sessions: Sessions::default(),
            dialects: Dialects::default(),
            audiences: Audiences::default(),
            tape: Tape::default(),
            marked: Vec::new(),
            closing: Vec::new(),
            proposals: Proposals::new(origin, first_key),
            labels: Labels::default(),
            reads: Reads::default(),
            expiry: Expiry::default(),
            works: Works::default(),
            errands: Errands::default(),
            inbox: VecDeque::new(),
            watchers: BTreeMap::new(),
            rereads: Vec::new(),
            uploads: Vec::new(),
            ready: Vec::new(),
            waiting: Vec::new(),
            woken: Vec::new(),
            registered: Vec::new(),
            paced: Vec::new(),
            allowances: Allowances::default(),
            behind: VecDeque::new(),
            after_flush: Vec::new(),
            presences: BTreeSet::new(),
            guests: Vec::new(),
            lobby_refused: false,
            figures: Figures::default(),
            fatal: None,
            effects: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Proposes what a node begins with: that it starts, and the lobby where there is none yet.
    pub fn start(&mut self, now_ms: Millis) {
        self.now_ms = now_ms;
        self.propose(Event::NodeStarted, Behalf::NODE);
        self.open_lobby();
        self.bring_back();
    }

    /// The room where plain callers land is always there.
    fn open_lobby(&mut self) {
        let opening = self.proposals.pending.opening(&self.chat.mapping().fold(&self.settings.lobby));
        if !opening && self.chat.room_by_name(&self.settings.lobby).is_none() {
            let by = self.server();
            let name = Arc::clone(&self.settings.lobby);
            self.propose(Event::Opened { name, by: Arc::new(by), common: true }, Behalf::NODE);
        }
    }

    /// The server, as the author of what nobody else did.
    fn server(&self) -> Who {
        let server = &self.settings.server;
        Who { nick: server.clone(), user: "server".into(), host: server.clone(), account: None }
    }

    /// Opens a session at a door. Nothing is sent before it sends something.
    pub fn open(&mut self, door: Door, peer: Peer, now_ms: Millis) -> SessionId {
        self.now_ms = now_ms;
        self.sessions_opened += 1;
        let key = SessionKey(UserId::new(self.origin.0 as u16, self.sessions_opened).0);
        let mut core = Session::new(key, door, peer.host, peer.secure);
        if !peer.address.is_empty() {
            core.address = peer.address;
        }
        if let Some(host) = self.settings.cloak.as_ref().and_then(|cloak| cloak.of(&core.address)) {
            core.host = host;
        }
        core.tls_host = peer.tls_host;
        core.certificate = peer.certificate;
        if let Some(Shown { account, key, claims }) = peer.ssh {
            // It may have been dropped since.
            core.account = account.filter(|account| self.chat.account(account).is_some());
            if let Some(key) = key {
                core.shows_key(key, claims);
            }
        }
        let input = match door {
            Door::Irc => Input::Irc(LineDecoder::irc()),
            Door::Plain => {
                core.caps = plain_caps();
                Input::Plain(Box::new(PlainDoor::new(&self.settings)))
            }
        };
        let dialect = self.dialect(core.door, core.caps, core.numbers);
        let mut entry = Entry::new(core, input, now_ms);
        entry.pace.exempt = peer.exempt;
        entry.block = allowances::block(&entry.core.address).filter(|_| !peer.exempt);
        self.figures.unregistered += 1;
        self.sessions.insert(entry, dialect, seconds(now_ms))
    }

    /// The next batch for the log; empty when there is nothing to append now. Call it again when the log
    /// took a batch, when something arrived, and after each [`Node::tick`].
    pub fn take_proposals(&mut self) -> Vec<Proposal<Event>> {
        self.proposals.take(&self.chat, self.now_ms)
    }

    /// Takes a batch back that the log's queue had no room for. Before another one is taken.
    pub fn returned(&mut self, batch: Vec<Proposal<Event>>) {
        self.proposals.give_back(batch);
    }

    /// Sessions that have become a user's since this was asked last.
    pub fn take_registered(&mut self) -> Vec<SessionId> {
        std::mem::take(&mut self.registered)
    }

    /// What is held for sessions: bytes of what they sent, events on their way to the log and back, and questions that
    /// the archive has not answered.
    pub fn held(&self) -> (usize, usize, usize) {
        let entries = self.sessions.places().filter_map(|index| self.sessions.get(index));
        (entries.map(Entry::held).sum(), self.proposals.len() + self.inbox.len(), self.reads.len())
    }

    /// Sessions that may be read from again, since [`Received::Wait`].
    pub fn take_woken(&mut self) -> Vec<SessionId> {
        std::mem::take(&mut self.woken)
    }

    /// Why nothing can go on in this process, once that is so: sessions are being told, the driver flushes and
    /// exits.
    pub fn fatal(&self) -> Option<&str> {
        self.fatal.as_deref()
    }

    /// Other settings from now on. Callers who came in by the plain door keep what was true when they came.
    pub fn set_settings(&mut self, settings: Arc<Settings>, now_ms: Millis) {
        self.now_ms = now_ms;
        let settings = as_it_is(settings, &self.chat);
        let before = std::mem::replace(&mut self.settings, settings);
        self.offer_anew(&before);
        self.open_lobby();
    }

    /// Who asked for the configuration to be read again, since this was asked last.
    pub fn take_rereads(&mut self) -> Vec<SessionId> {
        std::mem::take(&mut self.rereads)
    }

    /// Who asked for an address to send a file to, and for which room, since this was asked last.
    pub fn take_uploads(&mut self) -> Vec<(SessionId, Option<RoomId>)> {
        std::mem::take(&mut self.uploads)
    }

    /// Tells a session where it can send its file, or that it has asked too often.
    pub fn ticket(
        &mut self,
        session: SessionId,
        room: Option<RoomId>,
        url: Option<&str>,
        until: &str,
        now_ms: Millis,
    ) {
        self.now_ms = now_ms;
        if let Some(index) = self.sessions.find(session) {
            let asker = deliver::Asker { index, label: proposals::NO_LABEL };
            self.ask_for(asker, |chat, asking| chat.ticket(asking, room, url, until));
        }
    }

    /// What is known of a session, as long as it is open and somebody's.
    pub fn session(&self, session: SessionId) -> Option<&Session> {
        let entry = self.sessions.get(self.sessions.find(session)?)?;
        (!entry.closing && entry.core.user().is_some()).then_some(&entry.core)
    }

    /// Tells a session something, as a notice of the server.
    pub fn notice(&mut self, session: SessionId, text: String, now_ms: Millis) {
        self.now_ms = now_ms;
        if let Some(index) = self.sessions.find(session) {
            self.send_one(index, &labels::notice(text), None);
        }
    }

    /// What a key is worth for somebody who asks at the ssh door to come in by a name.
    pub fn judge_key(&self, name: &str, key: Option<&SshKey>, now_ms: Millis) -> Verdict {
        self.chat.judge_key(&self.settings, name, key, now_ms)
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The chat, for reading.
    pub fn chat(&self) -> &Chat {
        &self.chat
    }

    /// What was counted.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// What the server counts itself, for those who ask the node.
    pub fn figures_mut(&mut self) -> &mut Figures {
        &mut self.figures
    }

    /// How many sessions are open.
    pub fn session_count(&self) -> usize {
        self.sessions.count()
    }

    /// Whether proposals are under way that have neither arrived nor been refused for good.
    pub fn busy(&self) -> bool {
        self.proposals.len() > 0
    }

    /// Proposes an event. Closing sessions propose without a bound of their own: each does once.
    fn propose(&mut self, event: Event, behalf: Behalf) {
        self.proposals.push(&self.chat, event, behalf, self.now_ms);
    }

    /// The number that the next user will get.
    fn next_user(&self) -> UserId {
        UserId::new(self.origin.0 as u16, self.users_promised)
    }
}

/// The settings with what the chat has had from its beginning, whatever is configured now.
fn as_it_is(mut settings: Arc<Settings>, chat: &Chat) -> Arc<Settings> {
    if settings.casemapping != chat.mapping() {
        Arc::make_mut(&mut settings).casemapping = chat.mapping();
    }
    settings
}

/// Seconds since the Unix epoch, as the table of sessions keeps them; enough until 2106.
fn seconds(ms: Millis) -> u32 {
    u32::try_from(ms / 1000).unwrap_or(u32::MAX)
}
