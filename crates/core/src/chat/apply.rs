//! The only place where the chat changes: from an entry that has its place in the log.

use chinwag_log::{Entry, Keep};

use super::Chat;
use crate::effect::{Effect, Effects, To};
use crate::event::Event;
use crate::ids::Millis;
use crate::line::Line;

impl Chat {
    /// Applies an entry, and appends what follows to `effects`. Effects meant for [`To::Asker`] are for the
    /// session that proposed the entry; there is none when it came from another node or from replay.
    ///
    /// False when the entry had been applied before (the same key, or one before it): then nothing was done.
    pub fn apply(&mut self, entry: &Entry<Event>, effects: &mut Effects) -> bool {
        let key = entry.key;
        if self.applied.get(&key.origin).is_some_and(|last| key.n <= *last) {
            return false;
        }
        self.applied.insert(key.origin, key.n);
        self.departed.clear();
        self.seq = entry.seq;
        let before = effects.len();
        self.stored(entry, effects);
        if self.users.counts().bots() > 0 {
            self.mark_bots(&mut effects[before..]);
        }
        true
    }
}

impl Chat {
    /// What is stored; the rest is passing.
    fn stored(&mut self, entry: &Entry<Event>, effects: &mut Effects) {
        let (at_ms, event) = (entry.at_ms, &entry.event);
        match event {
            Event::Said(said) => self.said(entry.seq, at_ms, said, effects),
            Event::Amended(amended) => self.amended(at_ms, amended, effects),
            Event::Purged(purged) => self.purged(at_ms, purged, effects),
            Event::Expired(expired) => self.expired(*expired),
            // For the records alone.
            Event::OperatorActed(_) => {}
            Event::Opened { name, common, .. } => {
                self.rooms.open(name, *common, at_ms);
            }
            Event::ConversationOpened { between } => self.rooms.open_between(between, at_ms),
            Event::Renewed { room, basis, head, by } => {
                if self.renewed(at_ms, *room, *basis, *head, by, effects) {
                    self.uninvite_all(*room);
                }
                self.note_ends(*room);
            }
            Event::TopicSet { room, basis, by, topic } => {
                self.topic_set(at_ms, *room, *basis, by, topic, effects);
            }
            Event::ModesChanged { room, basis, by, changes } => {
                self.modes_changed(at_ms, *room, *basis, by, changes, effects);
            }
            Event::Tagged(tagged) => self.tagged(at_ms, tagged, effects),
            Event::Kicked { .. } => self.kicked(at_ms, event, effects),
            Event::Guarded { .. }
            | Event::Hooked(_)
            | Event::RoomKept { .. }
            | Event::ServerBanned(_)
            | Event::ServerUnbanned { .. } => {
                self.imposed(at_ms, event, effects);
            }
            Event::AccountChanged { .. }
            | Event::AccountDropped { .. }
            | Event::AccountRegistered(_)
            | Event::Invitation(_)
            | Event::InvitationEnded { .. }
            | Event::Stays { .. } => {
                self.about_account(at_ms, event, effects);
            }
            Event::MetadataSet(set) => self.metadata_set(at_ms, set, effects),
            Event::ReadMarked(mark) => self.read_marked(mark, effects),
            Event::RoomRenamed { .. } => self.room_renamed(at_ms, event, effects),
            _ => self.passing(entry, effects),
        }
    }

    /// What is passing.
    fn passing(&mut self, entry: &Entry<Event>, effects: &mut Effects) {
        let (key, at_ms) = (entry.key, entry.at_ms);
        match &entry.event {
            Event::NodeStarted => self.node_started(at_ms, key.origin, effects),
            Event::Arrived(arrived) => self.arrived(at_ms, arrived, effects),
            Event::Attached { user, account, session, away } => {
                self.attached(at_ms, (*user, account.as_ref()), *session, away.as_ref(), effects);
            }
            Event::Detached { user, session, reason, stays } => {
                self.detached(at_ms, *user, *session, (reason, *stays), effects);
            }
            Event::Returned(returned) => self.returned(key, at_ms, returned, effects),
            Event::LoggedIn { user, account } => self.logged_in(at_ms, *user, account, effects),
            Event::LoggedOut { user } => self.logged_out(at_ms, *user, effects),
            Event::LinkMade { account, code, until_ms } => {
                self.link_made(at_ms, account, code, *until_ms, effects);
            }
            Event::LinkUsed { account, code } => {
                self.link_used(at_ms, account, code, effects);
            }
            Event::Renamed { user, nick } => self.renamed(at_ms, *user, nick, effects),
            Event::Joined { user, room, key: word } => {
                self.joined(key, at_ms, *user, room, word.as_deref(), effects)
            }
            Event::Parted { user, room, reason } => {
                self.parted(at_ms, *user, *room, reason.as_ref(), effects)
            }
            Event::Away { user, session, message } => {
                self.away(at_ms, *user, *session, message.as_ref(), effects);
            }
            Event::UserModes { user, changes } => self.user_modes(at_ms, *user, changes, effects),
            Event::NewRealname { user, realname } => self.new_realname(at_ms, *user, realname, effects),
            Event::NewHost { user, username, host, .. } => {
                self.new_host(at_ms, *user, username, host, effects);
            }
            Event::Opered { user, operator } => self.opered(at_ms, *user, operator, effects),
            Event::Killed { user, by, reason } => self.killed(at_ms, *user, by, reason, effects),
            Event::Announced { by, text } => self.announced(at_ms, by, text, effects),
            Event::Accepted { user, target, accept } => self.accepted(*user, *target, *accept),
            Event::Invited { user, target, room } => self.invited(at_ms, *user, *target, *room, effects),
            Event::Passed(passed) => self.passed(key, at_ms, passed, effects),
            stored => debug_assert_eq!(stored.keep(), Keep::Passing, "nobody applies {stored:?}"),
        }
    }

    /// What happens to an account.
    fn about_account(&mut self, at_ms: Millis, event: &Event, effects: &mut Effects) {
        match event {
            Event::AccountChanged { account, change } => {
                self.account_changed(at_ms, account, change, effects)
            }
            Event::AccountDropped { account } => self.account_dropped(at_ms, account, effects),
            Event::Stays { account, presence } => self.accounts.stays(account, presence.clone()),
            Event::AccountRegistered(new) => self.account_registered(at_ms, new, effects),
            Event::Invitation(invited) => self.invitation_made(at_ms, invited, effects),
            Event::InvitationEnded { hash, .. } => self.invitation_ended(hash),
            _ => {}
        }
    }

    /// What those who keep rooms and servers impose.
    fn imposed(&mut self, at_ms: Millis, event: &Event, effects: &mut Effects) {
        match event {
            Event::Guarded { room, basis, by, guard } => {
                self.guarded(at_ms, *room, *basis, by, *guard, effects);
            }
            Event::RoomKept { room, basis, by, keeping } if keeping.invites() => {
                self.room_invites(at_ms, (*room, *basis), by, keeping, effects);
            }
            Event::RoomKept { room, basis, by, keeping } => {
                self.room_kept(at_ms, *room, *basis, by, keeping, effects);
            }
            Event::Hooked(hooked) => self.hooked(hooked, effects),
            Event::ServerBanned(banned) => self.server_banned(at_ms, banned, effects),
            Event::ServerUnbanned { target, .. } => self.server_unbanned(at_ms, target, effects),
            _ => {}
        }
    }
}

/// A line for somebody.
pub(super) fn send(effects: &mut Effects, to: To, line: Line) {
    effects.push(Effect::Send { to, author: None, except: None, line });
}
