//! People who stay without a session: where they are is kept while they are there, and after a start they are back.

use std::sync::Arc;

use chinwag_core::chat::User;
use chinwag_core::event::{Event, Presence, Returned};
use chinwag_core::ids::UserId;

use crate::Node;
use crate::proposals::Behalf;

/// Events for people who stay that may be under way at once. What is left is kept at the next call.
const UNDER_WAY_MAX: usize = 1024;

impl Node {
    /// Those who stayed by this node are back.
    pub(crate) fn bring_back(&mut self) {
        let home = self.origin.0 as u16;
        let stay = self.chat.accounts().filter(|account| account.stays(&self.settings));
        let here = stay.filter_map(|account| Some((Arc::clone(&account.name), account.presence.clone()?)));
        let back: Vec<_> = here.filter(|(_, presence)| presence.home == home).collect();
        for (account, presence) in back {
            let user = self.next_user();
            self.users_promised += 1;
            let returned = Returned { user, account, presence };
            self.propose(Event::Returned(Arc::new(returned)), Behalf::NODE);
        }
    }

    /// Proposes to keep where those are who stay, where that has changed, and to forget it of those who do not stay
    /// any more. To be called about once a second, and before a stop.
    pub fn keep_presences(&mut self) {
        let home = self.origin.0 as u16;
        let mut changed: Vec<(Arc<str>, Option<Arc<Presence>>)> = Vec::new();
        let users = self.chat.users().filter(|user| user.id.origin() == home);
        changed.extend(users.filter_map(|user| self.changed_presence(user)));
        let left = self.chat.accounts().filter(|account| account.presence.is_some());
        let left = left.filter(|account| !account.stays(&self.settings));
        changed.extend(left.map(|account| (Arc::clone(&account.name), None)));
        for (account, presence) in changed {
            self.keep_presence(account, presence);
        }
    }

    /// The same for somebody who has just moved.
    pub(crate) fn keep_presence_of(&mut self, user: UserId) {
        let user = self.chat.user(user).filter(|user| user.id.origin() == self.origin.0 as u16);
        if let Some((account, presence)) = user.and_then(|user| self.changed_presence(user)) {
            self.keep_presence(account, presence);
        }
    }

    /// Where somebody is who stays, if that is not what is kept.
    fn changed_presence(&self, user: &User) -> Option<(Arc<str>, Option<Arc<Presence>>)> {
        let account = user.who.account.as_ref().and_then(|name| self.chat.account(name))?;
        if !account.stays(&self.settings) {
            return None;
        }
        let presence = self.chat.presence(user);
        let changed = account.presence.as_deref() != Some(&presence);
        changed.then(|| (Arc::clone(&account.name), Some(Arc::new(presence))))
    }

    fn keep_presence(&mut self, account: Arc<str>, presence: Option<Arc<Presence>>) {
        // What is on its way already is not proposed again; what differs from it is, when it has arrived.
        if self.presences.len() < UNDER_WAY_MAX && self.presences.insert(Arc::clone(&account)) {
            self.propose(Event::Stays { account, presence }, Behalf::NODE);
        }
    }
}
