//! Users who are present, and the names they are found by.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chinwag_wire::casemap::{CaseMapping, likeness};
use chinwag_wire::names::Folded;
use smallvec::SmallVec;

use super::counts::Counts;
use super::marks::Marks;
use super::rooms::Member;
use crate::event::{CameFrom, Who};
use crate::ids::{Millis, RoomId, SessionKey, UserId};
use crate::metadata::Metadata;
use crate::privileges::Operator;

/// A user's modes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UserModes {
    /// `i`: left out of WHO and NAMES for those who share no room with the user.
    pub invisible: bool,
    /// `B`: a program, which says so.
    pub bot: bool,
    /// `R`: only people with an account write to the user.
    pub registered_only: bool,
    /// `T`: gets no questions from program to program (CTCP).
    pub no_ctcp: bool,
    /// `w`: hears what server operators announce (WALLOPS).
    pub wallops: bool,
    /// `o`: runs the server. Got by OPER, given up like any other mode.
    pub operator: bool,
}

impl UserModes {
    /// The modes as RPL_UMODEIS shows them.
    pub fn shown(self) -> String {
        std::iter::once('+').chain(Self::ALL.chars().filter(|mode| self.has(*mode))).collect()
    }

    /// Every mode there is.
    pub const ALL: &'static str = "BRTiow";

    /// What it means that a mode is set, for people; none when there is no such mode.
    pub fn meaning(mode: char) -> Option<&'static str> {
        Some(match mode {
            'B' => "you are a program",
            'R' => "only people with an account, and those you ACCEPT, write to you",
            'T' => "no questions from program to program (CTCP) reach you",
            'i' => "WHO and NAMES show you to those only who share a room with you",
            'o' => "you run the server (got by OPER)",
            'w' => "you hear what operators announce (WALLOPS)",
            _ => return None,
        })
    }

    /// Whether a mode is set.
    pub fn has(mut self, mode: char) -> bool {
        self.flag(mode).is_some_and(|flag| *flag)
    }

    /// Sets or unsets a mode; false when there is no such mode.
    pub fn change(&mut self, set: bool, mode: char) -> bool {
        self.flag(mode).map(|flag| *flag = set).is_some()
    }

    fn flag(&mut self, mode: char) -> Option<&mut bool> {
        Some(match mode {
            'B' => &mut self.bot,
            'R' => &mut self.registered_only,
            'T' => &mut self.no_ctcp,
            'i' => &mut self.invisible,
            'o' => &mut self.operator,
            'w' => &mut self.wallops,
            _ => return None,
        })
    }
}

/// Somebody who is present.
#[derive(Clone, Debug)]
pub struct User {
    /// The user's number.
    pub id: UserId,
    /// As everybody sees them.
    pub who: Arc<Who>,
    /// "Real name".
    pub realname: Arc<str>,
    /// The door, for WHOIS.
    pub door: &'static str,
    /// From where its first session came.
    pub from: CameFrom,
    /// The away message, while away: while all sessions are.
    pub away: Option<Arc<str>>,
    /// User modes.
    pub modes: UserModes,
    /// The rooms the user is in, in the order of joining.
    pub rooms: Vec<RoomId>,
    /// The rooms the user was invited to and has not entered since.
    pub invited: Vec<RoomId>,
    /// What the user may do as a server operator; with the mode `o`, never without.
    pub operator: Option<Arc<Operator>>,
    /// Who may write to the user besides people with an account; see [`UserModes::registered_only`].
    pub accepted: Vec<UserId>,
    /// When the user came in.
    pub signed_on_ms: Millis,
    /// When the user last said something (coming in counts).
    pub said_ms: Millis,
    /// How many sessions the user has, in the whole network.
    pub sessions: u32,
    /// Which ones, in the order of their coming.
    pub(crate) keys: SmallVec<[SessionKey; 1]>,
    /// Those of them that are away, with their messages, in the order in which they said so.
    pub(crate) absent: Vec<(SessionKey, Arc<str>)>,
    /// Those to whom the user wrote last, so that who answers is known from who is a stranger.
    pub(crate) written: Written,
    /// What a guest says to programs. What the owner of an account says is kept there.
    pub(crate) metadata: Metadata,
    /// What a guest has read. What the owner of an account has read is kept there.
    pub(crate) marks: Marks,
}

impl User {
    /// `nick!user@host`.
    pub fn mask(&self) -> String {
        self.who.mask()
    }
}

/// Those to whom somebody wrote that are remembered; with one more the first is forgotten.
const WRITTEN_MAX: usize = 256;

/// Those to whom somebody wrote, the latest last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written(VecDeque<UserId>);

impl Written {
    /// Somebody was written to.
    pub(crate) fn note(&mut self, user: UserId) {
        if self.0.back() == Some(&user) {
            return;
        }
        self.0.retain(|known| *known != user);
        if self.0.len() >= WRITTEN_MAX {
            self.0.pop_front();
        }
        self.0.push_back(user);
    }

    /// Whether somebody was.
    pub(crate) fn holds(&self, user: UserId) -> bool {
        self.0.contains(&user)
    }
}

/// The away message that says nothing but that nobody is there.
/// Specification: <https://ircv3.net/specs/extensions/pre-away>
pub(crate) const NOBODY_THERE: &str = "*";

impl User {
    /// Notes what a session says of being away.
    pub(crate) fn note_away(&mut self, session: SessionKey, message: Option<&Arc<str>>) {
        self.absent.retain(|(absent, _)| *absent != session);
        self.absent.extend(message.map(|message| (session, Arc::clone(message))));
    }

    /// Works out whether the user is away: while every session is, and with the newest message that people wrote.
    /// Whether that is different from before.
    pub(crate) fn settle_away(&mut self) -> bool {
        let all = self.absent.len() >= self.sessions as usize;
        let written = |(_, message): &&(SessionKey, Arc<str>)| **message != *NOBODY_THERE;
        let newest = self.absent.iter().rev().find(written).or(self.absent.last());
        let away = newest.filter(|_| all).map(|(_, message)| Arc::clone(message));
        let changed = self.away != away;
        self.away = away;
        changed
    }
}

/// Somebody who had a nickname and has it no more.
#[derive(Clone, Debug)]
pub struct Gone {
    /// As everybody saw them.
    pub who: Arc<Who>,
    /// Their real name.
    pub realname: Arc<str>,
    /// When they left the nickname.
    pub at_ms: Millis,
}

/// Former holders of nicknames that are remembered, the latest of all.
const GONE_MAX: usize = 4096;

/// A room with more than this part of all users is walked through, not searched in.
const WALK_SHARE: usize = 8;

/// All users who are present.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users {
    by_id: BTreeMap<UserId, User>,
    mapping: CaseMapping,
    by_nick: BTreeMap<Folded, UserId>,
    /// Who is logged in, in the order of their numbers.
    by_account: BTreeMap<Folded, Vec<UserId>>,
    /// What each nickname looks like.
    likenesses: BTreeMap<Box<str>, Vec<UserId>>,
    counts: Counts,
    /// The latest last.
    gone: VecDeque<Gone>,
}

impl Users {
    pub(crate) fn get(&self, user: UserId) -> Option<&User> {
        self.by_id.get(&user)
    }

    pub(crate) fn get_mut(&mut self, user: UserId) -> Option<&mut User> {
        self.by_id.get_mut(&user)
    }

    pub(crate) fn by_nick(&self, nick: &str) -> Option<&User> {
        self.by_nick.get(&*self.mapping.folded(nick)).and_then(|user| self.by_id.get(user))
    }

    /// In the order of their numbers.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &User> {
        self.by_id.values()
    }

    /// Finds members of a room, who are asked for in the order of their numbers. In a room of many users it is
    /// faster to pass all users by than to search for each.
    pub(crate) fn walk<'a>(&'a self, members: &[Member]) -> impl FnMut(UserId) -> Option<&'a User> {
        let first = members.first().map_or(UserId(u64::MAX), |member| member.user);
        let many = members.len() > self.by_id.len() / WALK_SHARE;
        let mut all = many.then(|| self.by_id.range(first..));
        move |user| match &mut all {
            Some(all) => all
                .find(|(passed, _)| **passed >= user)
                .filter(|(found, _)| **found == user)
                .map(|(_, user)| user),
            None => self.by_id.get(&user),
        }
    }

    /// The numbers of the users who came in by a node.
    pub(crate) fn of_origin(&self, origin: u16) -> Vec<UserId> {
        let first = UserId(u64::from(origin) << UserId::COUNTER_BITS);
        let last = UserId(first.0 | ((1 << UserId::COUNTER_BITS) - 1));
        self.by_id.range(first..=last).map(|(user, _)| *user).collect()
    }

    /// False, and nothing done, when the number or the nickname is taken.
    pub(crate) fn insert(&mut self, user: User) -> bool {
        let nick = self.mapping.fold(&user.who.nick);
        if self.by_id.contains_key(&user.id)
            || self.by_nick.contains_key(&nick)
            || self.lookalike(&user.who.nick, None).is_some()
        {
            return false;
        }
        self.looks(&user.who.nick, user.id);
        self.counts.enter(&user);
        self.by_nick.insert(nick, user.id);
        self.note_account(user.id, user.who.account.as_deref(), true);
        self.by_id.insert(user.id, user);
        true
    }

    /// Gives a user another nickname; false, and nothing done, when somebody else has it.
    pub(crate) fn rename(&mut self, user: UserId, who: Arc<Who>) -> bool {
        let nick = self.mapping.fold(&who.nick);
        if self.by_nick.get(&nick).is_some_and(|holder| *holder != user)
            || self.lookalike(&who.nick, Some(user)).is_some()
        {
            return false;
        }
        let Some(found) = self.by_id.get_mut(&user) else { return false };
        let before = std::mem::replace(&mut found.who, Arc::clone(&who));
        self.by_nick.remove(&self.mapping.fold(&before.nick));
        self.by_nick.insert(nick, user);
        self.looks_no_more(&before.nick, user);
        self.looks(&who.nick, user);
        true
    }

    /// Logs a user in, or out.
    pub(crate) fn set_account(&mut self, user: UserId, account: Option<Arc<str>>) {
        let Some(found) = self.by_id.get_mut(&user) else { return };
        let before = Arc::clone(&found.who);
        found.who = Arc::new(Who { account: account.clone(), ..Who::clone(&before) });
        self.note_account(user, before.account.as_deref(), false);
        self.note_account(user, account.as_deref(), true);
    }

    /// Those who are logged in to an account, in the order of their numbers.
    pub(crate) fn by_account(&self, account: &str) -> &[UserId] {
        self.by_account.get(&*self.mapping.folded(account)).map_or(&[], Vec::as_slice)
    }

    fn note_account(&mut self, user: UserId, account: Option<&str>, set: bool) {
        let Some(account) = account.map(|account| self.mapping.fold(account)) else { return };
        let users = self.by_account.entry(account.clone()).or_default();
        match users.binary_search(&user) {
            Err(at) if set => users.insert(at, user),
            Ok(at) if !set => {
                users.remove(at);
            }
            _ => {}
        }
        if users.is_empty() {
            self.by_account.remove(&account);
        }
    }

    /// See [`Chat::with_mapping`](super::Chat::with_mapping).
    pub(crate) fn compare_by(&mut self, mapping: CaseMapping) {
        debug_assert!(self.by_id.is_empty(), "what is known was compared otherwise");
        self.mapping = mapping;
    }

    fn looks(&mut self, nick: &str, user: UserId) {
        self.likenesses.entry(likeness(nick).into()).or_default().push(user);
    }

    fn looks_no_more(&mut self, nick: &str, user: UserId) {
        let likeness = likeness(nick);
        if let Some(users) = self.likenesses.get_mut(&*likeness) {
            users.retain(|other| *other != user);
            if users.is_empty() {
                self.likenesses.remove(&*likeness);
            }
        }
    }

    /// Somebody else whose nickname people might take for this one. Names in ASCII alone are told apart.
    pub(crate) fn lookalike(&self, nick: &str, except: Option<UserId>) -> Option<&User> {
        let users = self.likenesses.get(&*likeness(nick))?;
        let others = users.iter().filter(|user| Some(**user) != except).filter_map(|user| self.get(*user));
        others.into_iter().find(|user| !(nick.is_ascii() && user.who.nick.is_ascii()))
    }

    /// Remembers that somebody left a nickname.
    pub(crate) fn note_gone(&mut self, gone: Gone) {
        if self.gone.len() == GONE_MAX {
            self.gone.pop_front();
        }
        self.gone.push_back(gone);
    }

    /// Forgets them all.
    pub(crate) fn forget_gone(&mut self) {
        self.gone.clear();
    }

    /// Former holders of nicknames, the latest first.
    pub(crate) fn gone(&self) -> impl Iterator<Item = &Gone> {
        self.gone.iter().rev()
    }

    pub(crate) fn remove(&mut self, user: UserId) -> Option<User> {
        let gone = self.by_id.remove(&user)?;
        self.by_nick.remove(&self.mapping.fold(&gone.who.nick));
        self.looks_no_more(&gone.who.nick, user);
        self.note_account(user, gone.who.account.as_deref(), false);
        self.counts.leave(&gone);
        Some(gone)
    }

    /// Changes a user's modes.
    pub(crate) fn set_modes(&mut self, user: UserId, modes: UserModes) {
        if let Some(found) = self.by_id.get_mut(&user) {
            self.counts.remode(found.modes, modes);
            found.modes = modes;
        }
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }
}
