//! What happens because time passes: registration that never ends, and sessions that are silent.

use chinwag_core::commands::batch;
use std::sync::Arc;

use chinwag_core::event::Event;
use chinwag_core::ids::Millis;
use chinwag_core::line::{Line, Source};
use chinwag_core::refusals::Why;
use chinwag_core::session::{Door, Phase};

use crate::proposals::Behalf;
use crate::sessions::Waits;
use crate::{Node, seconds};

impl Node {
    /// To be called about once a second. Proposals may be due afterwards.
    pub fn tick(&mut self, now_ms: Millis) {
        self.now_ms = now_ms;
        self.proposals.moved();
        if std::mem::take(&mut self.lobby_refused) {
            self.open_lobby();
        }
        // Nobody waits for long without a reason; this finds whoever was not woken by what they waited for.
        self.wake_waiting();
        self.wake_paced();
        self.wake_behind();
        self.end_entries();
        self.keep_presences();
        self.end_guests();
        self.look_for_expired();
        let now_s = seconds(now_ms);
        for index in self.sessions.places() {
            let hot = &self.sessions.hot[index as usize];
            let quiet_s = now_s.saturating_sub(hot.heard_s);
            let since_ping_s = now_s.saturating_sub(hot.pinged_s);
            let shortest = self.settings.ping_seconds.min(self.settings.registration_timeout_seconds);
            if quiet_s >= shortest || hot.rooms == 0 {
                self.look_at_time(index, quiet_s, since_ping_s);
            }
        }
        self.go_on_all();
    }

    /// Proposes to take entries of lists away that hold no more. Where the rules of a room are being changed, and where
    /// another node is faster, the next call finds what is left.
    fn end_entries(&mut self) {
        for (room, changes) in self.chat.ended_entries(self.now_ms) {
            let Some(found) = self.chat.room(room).filter(|_| !changes.is_empty()) else { continue };
            if !self.proposals.pending.locked(room) {
                let (basis, by) = (found.rules, Arc::new(self.server()));
                self.propose(Event::ModesChanged { room, basis, by, changes }, Behalf::NODE);
            }
        }
    }

    fn look_at_time(&mut self, index: u32, quiet_s: u32, since_ping_s: u32) {
        let Some(entry) = self.sessions.get_mut(index).filter(|entry| !entry.closing) else { return };
        if let Some(line) = batch::expire(&mut entry.core, self.now_ms) {
            self.send_one(index, &line, None);
        }
        let Some(entry) = self.sessions.get(index) else { return };
        match &entry.core.phase {
            // What it waits for is ours to do: a crowd that registers may keep it waiting for long.
            Phase::Greeting(_) if entry.busy() => {}
            Phase::Greeting(_) => {
                let limit = u64::from(self.settings.registration_timeout_seconds);
                if limit > 0 && self.now_ms.saturating_sub(entry.opened_ms) / 1000 >= limit {
                    let reason = match entry.core.door {
                        Door::Irc => format!("Registration took longer than {limit} seconds"),
                        Door::Plain => format!("no name came for {limit} seconds"),
                    };
                    self.figures.refuse(Why::GreetingTimeout);
                    self.close(index, &reason);
                }
            }
            // A plain caller has no way to answer a question that it does not see; the driver's TCP keepalive
            // finds those who are gone.
            Phase::Live(_) if entry.core.door == Door::Irc => self.sign_of_life(index, quiet_s, since_ping_s),
            _ => {}
        }
    }

    /// Asks a silent session for a sign of life, and closes it when none came.
    fn sign_of_life(&mut self, index: u32, quiet_s: u32, since_ping_s: u32) {
        let limit_s = self.settings.ping_seconds;
        let waits = self.sessions.get(index).is_some_and(|entry| entry.waits != Waits::No || entry.stopped);
        let hot = &mut self.sessions.hot[index as usize];
        if limit_s == 0 {
            return;
        }
        if waits {
            // It is this node that does not read: that is no silence.
            (hot.heard_s, hot.pinged_s) = (seconds(self.now_ms), 0);
        } else if hot.pinged_s == 0 {
            if quiet_s >= limit_s {
                hot.pinged_s = seconds(self.now_ms);
                let ping = Line::new(Source::Nobody, "PING", [self.settings.server.clone().into()]);
                self.send_one(index, &ping, None);
            }
        } else if since_ping_s >= limit_s {
            self.figures.refuse(Why::PingTimeout);
            self.close(index, &format!("Ping timeout: {quiet_s} seconds"));
        }
    }
}
