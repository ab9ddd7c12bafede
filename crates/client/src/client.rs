//! The client as a whole: its parts, and the calls of whoever drives it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chinwag_wire::line::{Decoded, LineDecoder};
use chinwag_wire::message::{Message, MessageWriter};

use crate::Millis;
use crate::batches::Batches;
use crate::buffer::{Buffer, BufferId, BufferKind};
use crate::change::{Change, Changes};
use crate::history::Asks;
use crate::invitations::Given;
use crate::line::{Line, LineId, LineKind};
use crate::link::{Backoff, Dice, Link};
use crate::outbox::{Outgoing, Pace};
use crate::profile::Profile;
use crate::registration::Registration;
use crate::seek::Seeking;
use crate::server::ServerInfo;

/// Bytes for the server that are held while the driver does not take them. A line beyond is dropped, and the link with
/// it.
pub(crate) const OUT_BYTES_MAX: usize = 1024 * 1024;

/// Who I am on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me {
    /// The nickname now.
    pub nick: Arc<str>,
    /// The user name, as others see it.
    pub user: Arc<str>,
    /// The host, as others see it; empty until the server has told.
    pub host: Arc<str>,
    /// The account, if I am logged in.
    pub account: Option<Arc<str>>,
    /// User modes (`+i`).
    pub modes: String,
    /// What I said of being away.
    pub away: Option<String>,
}

/// What an answer with a label is to.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    /// Something about a buffer, said by a command.
    Deed(BufferId),
}

/// A client with neither screen nor socket.
#[derive(Debug)]
pub struct Client {
    pub(crate) profile: Profile,
    pub(crate) link: Link,
    pub(crate) me: Me,
    pub(crate) server: ServerInfo,
    /// The server's first, then rooms, then people, each in name order.
    pub(crate) buffers: Vec<Buffer>,
    pub(crate) changes: Changes,
    pub(crate) dice: Dice,
    pub(crate) backoff: Backoff,
    pub(crate) decoder: LineDecoder,
    pub(crate) out: Vec<u8>,
    pub(crate) batches: Batches,
    pub(crate) asked: BTreeMap<String, Asked>,
    pub(crate) asks: Asks,
    pub(crate) seeking: Seeking,
    pub(crate) outbox: VecDeque<Outgoing>,
    pub(crate) pace: Pace,
    pub(crate) registration: Registration,
    /// When something was heard last, and when it was asked for a sign of life since.
    pub(crate) heard_ms: Millis,
    pub(crate) pinged_ms: Option<Millis>,
    /// What the server said before it closed the link.
    pub(crate) last_error: Option<String>,
    /// I have been in before: what was missed is fetched on coming back.
    pub(crate) was_in: bool,
    /// When the last link ended.
    pub(crate) left_ms: Option<Millis>,
    /// The link is to be closed, and why.
    pub(crate) hang_up: Option<String>,
    /// When the own nickname is asked for again.
    pub(crate) regain_ms: Option<Millis>,
    /// Codes of invitations that were given.
    pub(crate) given: Vec<Given>,
    /// The names of own messages that were given up: the server may turn out to have them after all.
    pub(crate) given_up: VecDeque<(String, LineId)>,
    next_buffer: u32,
    next_line: u64,
    next_label: u64,
}

impl Client {
    /// A client that wants a link at once. The seed decides about jitter and about the names of own messages: take one
    /// that no other start has had.
    pub fn new(profile: Profile, seed: u64) -> Client {
        let me = Me {
            nick: profile.nick.as_str().into(),
            user: profile.user.as_str().into(),
            host: "".into(),
            account: None,
            modes: String::new(),
            away: None,
        };
        let mut client = Client {
            link: Link::Connecting,
            me,
            server: ServerInfo::new(&profile.host),
            buffers: Vec::new(),
            changes: Changes::default(),
            dice: Dice::new(seed),
            backoff: Backoff::default(),
            decoder: LineDecoder::from_server(),
            out: Vec::new(),
            batches: Batches::default(),
            asked: BTreeMap::new(),
            asks: Asks::default(),
            seeking: Seeking::default(),
            outbox: VecDeque::new(),
            pace: Pace::default(),
            registration: Registration::default(),
            heard_ms: 0,
            pinged_ms: None,
            last_error: None,
            was_in: false,
            left_ms: None,
            hang_up: None,
            regain_ms: None,
            given: Vec::new(),
            given_up: VecDeque::new(),
            next_buffer: 0,
            next_line: 0,
            next_label: 0,
            profile,
        };
        let host = client.profile.host.clone();
        client.open_buffer(BufferKind::Server, &host);
        for room in client.profile.rooms.clone() {
            client.want_room(&room);
        }
        if let Some(code) = client.profile.invitation.take() {
            client.remember(code);
        }
        client
    }

    // -- the transport --

    /// A connection stands: registration begins.
    pub fn opened(&mut self, now: Millis) {
        if matches!(self.link, Link::Idle | Link::Refused { .. }) {
            self.hang_up = Some("Not wanted any more".into());
            return;
        }
        self.decoder = LineDecoder::from_server();
        self.out.clear();
        self.hang_up = None;
        self.last_error = None;
        self.heard_ms = now;
        self.pinged_ms = None;
        self.set_link(Link::Registering);
        self.register(now);
    }

    /// Bytes from the server.
    pub fn receive(&mut self, bytes: &[u8], now: Millis) {
        self.heard_ms = now;
        self.pinged_ms = None;
        let mut decoder = std::mem::replace(&mut self.decoder, LineDecoder::from_server());
        let mut input = bytes;
        while let Some(decoded) = decoder.next(&mut input) {
            // What is too long, not UTF-8, or no message at all is nothing that a client could show.
            let Decoded::Line(line) = decoded else { continue };
            let text = String::from_utf8_lossy(line);
            if let Ok(message) = Message::parse_str(&text) {
                self.message(&message, &text, now);
            }
        }
        self.decoder = decoder;
        self.pump(now);
    }

    /// The server has ended the connection, or it could not be made: the next try comes by itself. What was under way and
    /// is not in the history is said again then.
    pub fn closed(&mut self, why: &str, now: Millis) {
        let ended = self.hang_up.is_none();
        self.broken(why, ended, now);
    }

    /// The connection is gone without a word of the server's (time-outs, no way to it any more): it may still hear what was
    /// sent, so that nothing of that is said again.
    pub fn lost(&mut self, why: &str, now: Millis) {
        self.broken(why, false, now);
    }

    fn broken(&mut self, why: &str, ended: bool, now: Millis) {
        let stood_ms = match self.link {
            Link::Online { since_ms } => now.saturating_sub(since_ms),
            _ => 0,
        };
        let why = self.hang_up.take().or_else(|| self.last_error.take()).unwrap_or_else(|| why.to_owned());
        self.drop_link(ended, now);
        if matches!(self.link, Link::Idle | Link::Refused { .. }) {
            return;
        }
        let until_ms = now + self.backoff.next(stood_ms, &mut self.dice);
        self.set_link(Link::Waiting { until_ms, why: why.into() });
    }

    /// Whether the driver is to connect now. Asked while there is no connection.
    pub fn wants_link(&self, now: Millis) -> bool {
        match self.link {
            Link::Connecting => true,
            Link::Waiting { until_ms, .. } => until_ms <= now,
            _ => false,
        }
    }

    /// Whether the driver is to close the connection once the output is written (and then calls [`Client::closed`]).
    pub fn wants_close(&self) -> bool {
        self.hang_up.is_some()
    }

    /// Bytes for the server since the last call.
    pub fn output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// What is new since the last call. Bounded: see [`Change::Everything`].
    pub fn changes(&mut self) -> Vec<Change> {
        self.changes.take()
    }

    // -- the model --

    /// How it stands with the link.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Whether I am in.
    pub fn is_online(&self) -> bool {
        matches!(self.link, Link::Online { .. })
    }

    /// Who I am.
    pub fn me(&self) -> &Me {
        &self.me
    }

    /// Who comes in, and where.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What is known of the server.
    pub fn server(&self) -> &ServerInfo {
        &self.server
    }

    /// All buffers: the server's first, then rooms, then people, each in name order.
    pub fn buffers(&self) -> impl DoubleEndedIterator<Item = &Buffer> {
        self.buffers.iter()
    }

    /// A buffer.
    pub fn buffer(&self, id: BufferId) -> Option<&Buffer> {
        self.buffers.iter().find(|buffer| buffer.id == id)
    }

    /// The buffer of the server.
    pub fn server_buffer(&self) -> BufferId {
        self.buffers[0].id
    }

    /// The room or conversation of this name.
    pub fn find(&self, name: &str) -> Option<BufferId> {
        let folded = self.server.fold(name);
        let found =
            self.buffers.iter().find(|buffer| buffer.kind != BufferKind::Server && buffer.folded == folded);
        found.map(|buffer| buffer.id)
    }

    /// Whether what was missed in a buffer is known.
    pub fn is_synced(&self, id: BufferId) -> bool {
        self.buffer(id).is_some_and(|buffer| buffer.synced && buffer.catching.is_none())
    }

    // -- inside --

    pub(crate) fn buffer_mut(&mut self, id: BufferId) -> Option<&mut Buffer> {
        self.buffers.iter_mut().find(|buffer| buffer.id == id)
    }

    pub(crate) fn set_link(&mut self, link: Link) {
        if self.link != link {
            self.link = link;
            self.changes.add(Change::Link);
        }
    }

    /// The buffer of this name, opened if there is none.
    pub(crate) fn open_buffer(&mut self, kind: BufferKind, name: &str) -> BufferId {
        if kind != BufferKind::Server
            && let Some(id) = self.find(name)
        {
            return id;
        }
        let id = BufferId(self.next_buffer);
        self.next_buffer += 1;
        let buffer = Buffer::new(id, kind, name, self.server.fold(name));
        self.buffers.push(buffer);
        self.sort_buffers();
        id
    }

    pub(crate) fn sort_buffers(&mut self) {
        self.buffers
            .sort_by(|one, other| (one.kind, one.folded.as_str()).cmp(&(other.kind, other.folded.as_str())));
        self.changes.add(Change::Buffers);
    }

    /// A room that is to be entered: `#name` or `#name key`.
    pub(crate) fn want_room(&mut self, room: &str) -> BufferId {
        let (name, key) = room.split_once(' ').map_or((room, None), |(name, key)| (name, Some(key.trim())));
        let id = self.open_buffer(BufferKind::Room, name);
        if let Some(buffer) = self.buffer_mut(id) {
            buffer.wanted = true;
            if let Some(key) = key.filter(|key| !key.is_empty()) {
                buffer.key = Some(key.to_owned());
            }
        }
        id
    }

    pub(crate) fn line_id(&mut self) -> LineId {
        self.next_line += 1;
        LineId(self.next_line)
    }

    pub(crate) fn label(&mut self) -> String {
        self.next_label += 1;
        format!("{:x}", self.next_label)
    }

    /// Writes a line to the server.
    pub(crate) fn send(&mut self, write: impl FnOnce(&mut MessageWriter<'_>)) {
        if self.out.len() > OUT_BYTES_MAX {
            self.hang_up = Some("The server does not take what is sent to it".into());
            return;
        }
        let mut writer = MessageWriter::new(&mut self.out);
        write(&mut writer);
        writer.end();
    }

    /// Writes a command with parameters; the last one may be any text.
    pub(crate) fn tell(&mut self, command: &str, params: &[&str]) {
        self.send(|writer| {
            writer.command(command).params(params.iter().copied());
        });
    }

    /// A line of this client's own at the end of a buffer.
    pub(crate) fn note(&mut self, id: BufferId, kind: LineKind, text: &str, now: Millis) {
        let line = Line::note(self.line_id(), now, kind, text);
        if let Some(buffer) = self.buffer_mut(id) {
            buffer.lines.append(line);
            crate::catchup::let_go(buffer);
            self.changes.add(Change::Lines(id));
        }
    }
}
