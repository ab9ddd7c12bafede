//! What time does: signs of life, waits that end, typing that is over; and what the end of a link means.

use crate::Millis;
use crate::buffer::{BufferId, BufferKind};
use crate::change::Change;
use crate::client::Client;
use crate::link::Link;
use crate::registration::{READY_MS_MAX, REGISTRATION_MS_MAX};

/// Milliseconds of silence after which the server is asked for a sign of life, and after which it is given up.
const SILENCE_MS: Millis = 45_000;
const ANSWER_MS: Millis = 20_000;

/// Milliseconds between looking at what was read and telling the server.
pub(crate) const MARK_MS: Millis = 500;

impl Client {
    /// Time has passed. Called at [`Client::wake_at`], or more often.
    pub fn tick(&mut self, now: Millis) {
        self.still_there(now);
        self.unanswered(now);
        self.stop_seeking(false, now);
        self.regain(now);
        let mut over: Vec<BufferId> = Vec::new();
        let mut marks: Vec<BufferId> = Vec::new();
        for buffer in &mut self.buffers {
            let before = buffer.typing.len();
            buffer.typing.retain(|typing| typing.until_ms > now);
            if buffer.typing.len() < before {
                over.push(buffer.id);
            }
            if buffer.mark_due_ms.is_some_and(|at_ms| at_ms <= now) {
                marks.push(buffer.id);
            }
        }
        for id in over {
            self.changes.add(Change::Buffer(id));
        }
        for id in marks {
            self.send_mark(id);
        }
        self.pump(now);
    }

    fn still_there(&mut self, now: Millis) {
        match self.link {
            Link::Registering if now >= self.registration.since_ms + REGISTRATION_MS_MAX => {
                self.hang_up.get_or_insert_with(|| "The server did not let you in in time".into());
            }
            Link::Online { since_ms } => {
                if !self.registration.ready && now >= since_ms + READY_MS_MAX {
                    self.ready(now);
                }
                match self.pinged_ms {
                    None if now >= self.heard_ms + SILENCE_MS => {
                        self.pinged_ms = Some(now);
                        self.tell("PING", &["still-there"]);
                    }
                    Some(asked_ms) if now >= asked_ms + ANSWER_MS => {
                        self.hang_up.get_or_insert_with(|| "The server does not answer".into());
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// `PONG … <token>`
    pub(crate) fn sign_of_life(&mut self, token: &str, now: Millis) {
        if !self.server.has("labeled-response") {
            self.taken(token, now);
        }
    }

    /// When [`Client::tick`] is to be called next; none when nothing waits.
    pub fn wake_at(&self) -> Option<Millis> {
        let link = match self.link {
            Link::Waiting { until_ms, .. } => Some(until_ms),
            Link::Registering => Some(self.registration.since_ms + REGISTRATION_MS_MAX),
            Link::Online { since_ms } => Some(match self.pinged_ms {
                _ if !self.registration.ready => since_ms + READY_MS_MAX,
                None => self.heard_ms + SILENCE_MS,
                Some(asked_ms) => asked_ms + ANSWER_MS,
            }),
            _ => None,
        };
        let buffers = self.buffers.iter().flat_map(|buffer| {
            let typing = buffer.typing.iter().map(|typing| typing.until_ms);
            typing.chain(buffer.mark_due_ms)
        });
        let regain = self.regain_ms.filter(|_| self.is_online());
        let others = [link, self.asks.wake_at(), self.seek_until(), self.pump_at(), regain];
        others.into_iter().flatten().chain(buffers).min()
    }

    /// What a link leaves behind.
    pub(crate) fn drop_link(&mut self, ended: bool, now: Millis) {
        if self.is_online() {
            self.left_ms = Some(now);
        }
        self.out.clear();
        self.batches.clear();
        self.asks.clear();
        self.asked.clear();
        self.codes_unanswered();
        self.stop_seeking(true, now);
        self.pinged_ms = None;
        self.regain_ms = None;
        self.registration.ready = false;
        self.doubt(ended);
        let ids: Vec<BufferId> = self.buffers.iter().map(|buffer| buffer.id).collect();
        for id in ids {
            self.leave_behind(id);
        }
        self.changes.add(Change::Buffers);
    }

    fn leave_behind(&mut self, id: BufferId) {
        let Some(buffer) = self.buffer_mut(id) else { return };
        if buffer.kind == BufferKind::Room {
            buffer.joined = false;
            buffer.members.clear();
        }
        buffer.typing.clear();
        buffer.mark_due_ms = None;
        buffer.catching = None;
        buffer.synced = buffer.kind == BufferKind::Server;
        if buffer.history == crate::HistoryState::Loading {
            buffer.history = crate::HistoryState::More;
        }
        let waiting = std::mem::take(&mut buffer.waiting);
        // What is kept nowhere cannot be fetched again; all other things will be.
        if buffer.kind == BufferKind::Person && !buffer.stored {
            for entry in waiting {
                self.place(id, entry, None);
            }
        }
    }
}
