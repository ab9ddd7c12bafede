//! The modes of a room and its lists, as they are kept. What they lock and silence is in `locks.rs`.
//!
//! Specification: <https://modern.ircdocs.horse/#channel-modes>

use std::sync::Arc;

use chinwag_wire::casemap::CaseMapping;
use chinwag_wire::extban::Pattern;

use crate::event::{ModeChange, Who};
use crate::ids::Millis;

macro_rules! flags {
    ($($mode:literal $field:ident $fresh:literal $what:literal;)*) => {
        /// A room's modes, without its lists.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct RoomModes {
            $(#[doc = concat!("`", $mode, "`: ", $what, ".")] pub $field: bool,)*
            /// `k`: who comes in has to know it.
            pub key: Option<Arc<str>>,
            /// `l`: nobody comes in while there are so many.
            pub limit: Option<u32>,
            /// `f`: the room to which those are sent on who may not come in.
            pub forward: Option<Arc<str>>,
        }

        impl Default for RoomModes {
            fn default() -> Self {
                RoomModes { $($field: $fresh,)* key: None, limit: None, forward: None }
            }
        }

        impl RoomModes {
            /// Every mode, lists among them, without the roles.
            pub const ALL: &'static [char] = &['I', 'b', 'e', 'f', 'k', 'l', $($mode),*];

            /// The modes without argument.
            pub const FLAGS: &'static [char] = &[$($mode),*];

            /// Whether a mode without argument is set; none when there is no such mode.
            pub fn flag(&self, mode: char) -> Option<bool> {
                match mode {
                    $($mode => Some(self.$field),)*
                    _ => None,
                }
            }

            /// What it means that a mode is set, or an entry of a list, for people; none when there is no such mode.
            pub fn meaning(mode: char) -> Option<&'static str> {
                match mode {
                    $($mode => Some($what),)*
                    'I' => Some("whom the mask fits comes in without an invitation"),
                    'b' => Some("whom the mask fits does not come in, nor speak"),
                    'e' => Some("whom the mask fits is not banned"),
                    'f' => Some("who may not come in is sent on to that room"),
                    'k' => Some("who comes in has to know the key"),
                    'l' => Some("no more than so many come in"),
                    _ => None,
                }
            }

            pub(crate) fn set_flag(&mut self, mode: char, set: bool) {
                match mode {
                    $($mode => self.$field = set,)*
                    _ => {}
                }
            }
        }
    };
}

flags! {
    // Letter, field, in a new room, what it means.
    'C' no_ctcp false "no questions from program to program (CTCP) but `/me`";
    'E' roleplay false "people may speak as somebody they made up (NPC, SCENE)";
    'M' registered_speak false "only those who are logged in, and voiced members, speak";
    'R' registered_join false "only those who are logged in come in and speak";
    'U' op_moderated false "what ordinary members say is for operators only";
    'i' invite_only false "only who was invited comes in";
    'm' moderated false "only operators and voiced members speak";
    'n' members_only true "only members speak";
    's' secret false "not shown to those who are not members";
    't' topic_locked true "only operators and halfops set the topic";
    'u' auditorium false "ordinary members do not see each other come, be there and go";
}

impl RoomModes {
    /// The modes as RPL_CHANNELMODEIS shows them: the letters with their `+`, then the arguments. The key is
    /// for members only; others see `*`.
    pub fn shown(&self, with_key: bool) -> (String, Vec<Arc<str>>) {
        let mut letters = String::from("+");
        letters.extend(Self::FLAGS.iter().filter(|mode| self.flag(**mode) == Some(true)));
        let mut arguments = Vec::new();
        if let Some(room) = &self.forward {
            letters.push('f');
            arguments.push(Arc::clone(room));
        }
        if let Some(key) = &self.key {
            letters.push('k');
            arguments.push(if with_key { Arc::clone(key) } else { "*".into() });
        }
        if let Some(limit) = self.limit {
            letters.push('l');
            arguments.push(limit.to_string().into());
        }
        (letters, arguments)
    }

    /// The changes that lead from these modes to those of a new room.
    pub(super) fn undone(&self) -> impl Iterator<Item = ModeChange> {
        let fresh = RoomModes::default();
        let flags = Self::FLAGS.iter().filter(move |mode| self.flag(**mode) != fresh.flag(**mode));
        let flags = flags.map(|mode| (self.flag(*mode) == Some(false), *mode, None));
        let key = self.key.as_ref().map(|key| (false, 'k', Some(Arc::clone(key))));
        let limit = self.limit.map(|_| (false, 'l', None));
        let forward = self.forward.as_ref().map(|_| (false, 'f', None));
        let all = flags.chain(key).chain(limit).chain(forward);
        all.map(|(set, mode, arg)| ModeChange { set, mode, arg, ..ModeChange::default() })
    }
}

/// An entry of one of a room's lists.
#[derive(Clone, Debug)]
pub struct ListEntry {
    /// Whom it means.
    pub pattern: Pattern,
    /// The pattern as it is shown.
    pub text: Arc<str>,
    /// The nickname of who set it.
    pub by: Arc<str>,
    /// When.
    pub at_ms: Millis,
    /// Until when; for good without. The node takes it away then.
    pub until_ms: Option<Millis>,
    /// Why, if a reason was given.
    pub reason: Option<Arc<str>>,
}

/// The lists of a room, each in the order in which its entries were set.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    /// `b`: who may not come in, nor speak.
    pub bans: Vec<ListEntry>,
    /// `e`: whom no ban means.
    pub exceptions: Vec<ListEntry>,
    /// `I`: who comes in without an invitation.
    pub invite_exceptions: Vec<ListEntry>,
}

impl Lists {
    /// The letters of the lists.
    pub const MODES: [char; 3] = ['b', 'e', 'I'];

    /// The list of a mode; none when that is no list.
    pub fn get(&self, mode: char) -> Option<&[ListEntry]> {
        match mode {
            'b' => Some(&self.bans),
            'e' => Some(&self.exceptions),
            'I' => Some(&self.invite_exceptions),
            _ => None,
        }
    }

    fn get_mut(&mut self, mode: char) -> Option<&mut Vec<ListEntry>> {
        match mode {
            'b' => Some(&mut self.bans),
            'e' => Some(&mut self.exceptions),
            'I' => Some(&mut self.invite_exceptions),
            _ => None,
        }
    }

    /// Whether a list has this entry, as it is shown.
    pub(crate) fn contains(&self, mode: char, text: &str) -> bool {
        self.get(mode).is_some_and(|list| list.iter().any(|entry| entry.pattern.is(text)))
    }

    /// Adds an entry to a list or takes it away; false when there is no such list, or it could be no entry.
    pub(super) fn change(
        &mut self,
        change: &ModeChange,
        by: &Who,
        at_ms: Millis,
        mapping: CaseMapping,
    ) -> bool {
        let (Some(list), Some(text)) = (self.get_mut(change.mode), &change.arg) else { return false };
        if !change.set {
            list.retain(|entry| !entry.pattern.is(text));
            return true;
        }
        let Ok(pattern) = Pattern::parse(text, mapping) else { return false };
        let (text, by) = (Arc::clone(text), Arc::clone(&by.nick));
        let (until_ms, reason) = (change.until_ms, change.reason.clone());
        list.push(ListEntry { pattern, text, by, at_ms, until_ms, reason });
        true
    }

    /// When the first entry has to go; none when none has to.
    pub(super) fn first_end_ms(&self) -> Option<Millis> {
        let lists = Self::MODES.into_iter().filter_map(|mode| self.get(mode));
        lists.flatten().filter_map(|entry| entry.until_ms).min()
    }

    /// The changes that take away what holds no more.
    pub(super) fn ended(&self, now_ms: Millis) -> impl Iterator<Item = ModeChange> {
        let lists = Self::MODES.into_iter().filter_map(|mode| Some((mode, self.get(mode)?)));
        lists.flat_map(move |(mode, list)| {
            let ended = move |entry: &&ListEntry| entry.until_ms.is_some_and(|until_ms| until_ms <= now_ms);
            let texts = list.iter().filter(ended).map(|entry| Some(Arc::clone(&entry.text)));
            texts.map(move |arg| ModeChange { set: false, mode, arg, ..ModeChange::default() })
        })
    }

    /// The changes that empty all lists.
    pub(super) fn undone(&self) -> impl Iterator<Item = ModeChange> {
        let lists = Self::MODES.into_iter().filter_map(|mode| Some((mode, self.get(mode)?)));
        lists.flat_map(|(mode, list)| {
            let texts = list.iter().map(|entry| Some(Arc::clone(&entry.text)));
            texts.map(move |arg| ModeChange { set: false, mode, arg, ..ModeChange::default() })
        })
    }
}
