//! What somebody missed, for clients that do not ask for it: on entering a room, and on coming back.
//!
//! Clients with `draft/chathistory` or `znc.in/playback` ask themselves and are shown nothing on their own; callers at
//! the plain door are shown a room's last lines by their door.

use chinwag_wire::caps::{Cap, CapSet};

use crate::chat::{Chat, Room, User};
use crate::history::{Anchor, Asked, Part, Query};
use crate::ids::{Millis, Number, RoomId};
use crate::session::{Door, Session};
use crate::settings::Settings;

use super::chathistory::readable;

/// Conversations that are shown on coming back; the latest are, where there are more.
const CONVERSATIONS_MAX: usize = 20;

/// Who is shown what was missed.
pub struct Viewer<'a> {
    /// Now.
    pub now_ms: Millis,
    /// Configuration.
    pub settings: &'a Settings,
    /// The session.
    pub session: &'a Session,
    /// Its user.
    pub user: &'a User,
}

impl Chat {
    /// What a session that has just entered a room is shown of what was said before: what came since its owner was
    /// last here, or the room's last lines. `heard` is the last message that the session heard there, if it was in the room
    /// before.
    pub fn missed_in(&self, viewer: &Viewer<'_>, room: RoomId, heard: Option<Number>) -> Option<Query> {
        let room = self.room(room).filter(|room| room.head >= room.history_from)?;
        let Viewer { settings, user, session, .. } = viewer;
        let wanted = settings.history && settings.history_channels && session.door == Door::Irc;
        if !wanted || !told_unasked(session.caps) {
            return None;
        }
        if let Some(heard) = heard {
            let limit = self.lines(viewer, true);
            let query = self.missed(viewer, room, None, limit).filter(|_| heard < room.head)?;
            return Some(Query { first: query.first.max(Number(heard.0 + 1)), ..query });
        }
        let since = self.last_here(user);
        let limit = self.lines(viewer, since.is_some());
        self.missed(viewer, room, since, limit)
    }

    /// What a session whose user has just come back, or has just logged in, is shown of what was said to them alone.
    /// Nothing, when the owner is here by another session.
    pub fn missed_alone(&self, viewer: &Viewer<'_>) -> Vec<Query> {
        let Viewer { settings, user, session, .. } = viewer;
        let since = self
            .last_seen(user)
            .filter(|_| user.sessions == 1 && self.users_of(&self.party(user)) == [user.id]);
        let Some(since) = since.filter(|_| told_unasked(session.caps)) else { return Vec::new() };
        let mut rooms = readable(self, settings, Some(user));
        rooms.retain(|(room, _)| room.between.is_some() && room.said_ms > since);
        rooms.sort_by_key(|(room, _)| (room.said_ms, room.id));
        rooms.drain(..rooms.len().saturating_sub(CONVERSATIONS_MAX));
        let limit = self.lines(viewer, true);
        rooms.into_iter().filter_map(|(room, _)| self.missed(viewer, room, Some(since), limit)).collect()
    }

    fn missed(&self, viewer: &Viewer<'_>, room: &Room, since: Option<Millis>, limit: u32) -> Option<Query> {
        let nothing_new = since.is_some_and(|since| room.said_ms <= since);
        if limit == 0 || nothing_new {
            return None;
        }
        let name = match &room.between {
            None => room.name.clone(),
            Some(between) => {
                let me = self.party(viewer.user);
                let other = between.iter().find(|party| **party != me).unwrap_or(&between[0]);
                self.shown_as(other)
            }
        };
        let asked = Asked {
            part: Part::Latest(since.map(Anchor::Time)),
            limit,
            events: false,
            clock: viewer.session.door == Door::Irc && !viewer.session.caps.contains(Cap::ServerTime),
            batch: format!("missed-{:x}-{}", viewer.now_ms, room.id.0).into(),
        };
        Some(self.ask_history(viewer.user, room, name, asked))
    }

    /// How many lines at most: as the account's owner has chosen, or as configured.
    fn lines(&self, viewer: &Viewer<'_>, since: bool) -> u32 {
        let account = viewer.user.who.account.as_deref().and_then(|account| self.account(account));
        let settings = viewer.settings;
        let usual = if since { settings.history_query_max } else { settings.history_on_join };
        let usual = if settings.history_on_join == 0 { 0 } else { usual };
        let chosen = account.and_then(|account| account.settings.autoreplay);
        chosen.unwrap_or(usual).min(settings.history_query_max)
    }

    /// When the owner of the user's account was last here, before this visit.
    fn last_seen(&self, user: &User) -> Option<Millis> {
        self.account(user.who.account.as_deref()?)?.seen_ms
    }

    /// The same, or when a guest of this nickname and address left.
    fn last_here(&self, user: &User) -> Option<Millis> {
        if user.who.account.is_some() {
            return self.last_seen(user);
        }
        let same_person = |gone: &&crate::chat::Gone| {
            gone.who.account.is_none()
                && gone.who.host.eq_ignore_ascii_case(&user.who.host)
                && gone.who.user == user.who.user
        };
        self.whowas(&user.who.nick).find(same_person).map(|gone| gone.at_ms)
    }
}

/// Whether a session is shown what it does not ask for.
fn told_unasked(caps: CapSet) -> bool {
    !caps.intersects(CapSet::of(&[Cap::Chathistory, Cap::ZncPlayback]))
}
