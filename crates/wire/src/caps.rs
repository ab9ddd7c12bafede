//! IRCv3 capabilities as one table.
//!
//! A new capability is one row; `CAP LS`, `CAP REQ` and the sets of sessions follow. The table has only what the
//! chat really does. `msgid` has no row: it comes with `message-tags`.

use std::fmt;

/// How settled a specification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Ratified by the IRCv3 working group.
    Ratified,
    /// A draft; its name begins with `draft/`.
    Draft,
    /// Somebody else's; its name begins with theirs.
    Vendor,
}

macro_rules! caps {
    ($($cap:ident, $name:literal, $value:expr, $status:ident, $since:literal, $spec:literal;)*) => {
        /// One capability.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Cap { $(#[doc = concat!("`", $name, "`: <https://ircv3.net/specs/", $spec, ">")] $cap,)* }

        impl Cap {
            /// Every capability, in the order of `CAP LS`.
            pub const ALL: &'static [Cap] = &[$(Cap::$cap),*];

            /// Its name on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Cap::$cap => $name,)* }
            }

            /// Its value in `CAP LS 302` (`name=value`), if it has one.
            pub const fn value(self) -> Option<&'static str> {
                match self { $(Cap::$cap => $value,)* }
            }

            /// How settled its specification is.
            pub const fn status(self) -> Status {
                match self { $(Cap::$cap => Status::$status,)* }
            }

            /// The version of chinwag that brought it.
            pub const fn since(self) -> &'static str {
                match self { $(Cap::$cap => $since,)* }
            }

            /// Where it is specified.
            pub fn spec(self) -> &'static str {
                let elsewhere = ELSEWHERE.iter().find(|(cap, _)| *cap == self).map(|(_, spec)| *spec);
                elsewhere.unwrap_or(match self { $(Cap::$cap => concat!("https://ircv3.net/specs/", $spec),)* })
            }

            /// The capability of this name. Names are compared exactly, as the specification has it.
            pub fn from_name(name: &str) -> Option<Cap> {
                match name { $($name => Some(Cap::$cap),)* _ => None }
            }
        }
    };
}

caps! {
    // Capability, name, value, status, since, specification.
    AccountNotify, "account-notify", None, Ratified, "0.1.0", "extensions/account-notify";
    AccountRegistration, "draft/account-registration", None, Draft, "0.1.0", "extensions/account-registration";
    AccountTag, "account-tag", None, Ratified, "0.1.0", "extensions/account-tag";
    AwayNotify, "away-notify", None, Ratified, "0.1.0", "extensions/away-notify";
    Batch, "batch", None, Ratified, "0.1.0", "extensions/batch";
    CapNotify, "cap-notify", None, Ratified, "0.1.0", "extensions/capability-negotiation";
    ChannelRename, "draft/channel-rename", None, Draft, "0.1.0", "extensions/channel-rename";
    Chathistory, "draft/chathistory", None, Draft, "0.1.0", "extensions/chathistory";
    Chghost, "chghost", None, Ratified, "0.1.0", "extensions/chghost";
    EchoMessage, "echo-message", None, Ratified, "0.1.0", "extensions/echo-message";
    EventPlayback, "draft/event-playback", None, Draft, "0.2.0", "extensions/chathistory";
    ExtendedIsupport, "draft/extended-isupport", None, Draft, "0.1.0", "extensions/extended-isupport";
    ExtendedJoin, "extended-join", None, Ratified, "0.1.0", "extensions/extended-join";
    ExtendedMonitor, "extended-monitor", None, Ratified, "0.1.0", "extensions/extended-monitor";
    InviteNotify, "invite-notify", None, Ratified, "0.1.0", "extensions/invite-notify";
    LabeledResponse, "labeled-response", None, Ratified, "0.1.0", "extensions/labeled-response";
    MessageEdit, "draft/message-edit", None, Draft, "0.1.0", "extensions/message-edit";
    MessageRedaction, "draft/message-redaction", None, Draft, "0.1.0", "extensions/message-redaction";
    MessageTags, "message-tags", None, Ratified, "0.1.0", "extensions/message-tags";
    Metadata2, "draft/metadata-2", None, Draft, "0.1.0", "extensions/metadata";
    Metadata3, "draft/metadata-3", None, Draft, "0.1.0", "extensions/metadata";
    MultiPrefix, "multi-prefix", None, Ratified, "0.1.0", "extensions/multi-prefix";
    Multiline, "draft/multiline", None, Draft, "0.2.0", "extensions/multiline";
    NoImplicitNames, "no-implicit-names", None, Ratified, "0.1.0", "extensions/no-implicit-names";
    DraftNoImplicitNames, "draft/no-implicit-names", None, Draft, "0.1.0", "extensions/no-implicit-names";
    Numbers, "chinwag.internal/numbers", None, Vendor, "0.1.0", "";
    Persistence, "draft/persistence", None, Draft, "0.1.0", "extensions/persistence";
    PreAway, "draft/pre-away", None, Draft, "0.1.0", "extensions/pre-away";
    ReadMarker, "draft/read-marker", None, Draft, "0.1.0", "extensions/read-marker";
    Relaymsg, "draft/relaymsg", None, Draft, "0.1.0", "extensions/relaymsg";
    Sasl, "sasl", None, Ratified, "0.1.0", "extensions/sasl-3.2";
    SojuSearch, "soju.im/search", None, Vendor, "0.2.0", "";
    ServerTime, "server-time", None, Ratified, "0.1.0", "extensions/server-time";
    Setname, "setname", None, Ratified, "0.1.0", "extensions/setname";
    StandardReplies, "standard-replies", None, Ratified, "0.1.0", "extensions/standard-replies";
    Sts, "sts", None, Ratified, "0.1.0", "extensions/sts";
    UserhostInNames, "userhost-in-names", None, Ratified, "0.1.0", "extensions/userhost-in-names";
    ZncPlayback, "znc.in/playback", None, Vendor, "0.2.0", "";
    ZncSelfMessage, "znc.in/self-message", None, Vendor, "0.2.0", "";
}

/// Capabilities whose specification is not among those of the IRCv3 working group (yet).
const ELSEWHERE: &[(Cap, &str)] = &[
    // Proposed to the working group and not taken up yet.
    (Cap::MessageEdit, "https://github.com/ircv3/ircv3-specifications/pull/425"),
    // Ours: the tag `chinwag.internal/number` is on every message that has a number in its room.
    (Cap::Numbers, "docs/irc.md"),
    (Cap::Metadata3, "https://github.com/ircv3/ircv3-specifications/pull/613"),
    (Cap::Persistence, "https://github.com/ircv3/ircv3-specifications/pull/503"),
    (Cap::Relaymsg, "https://github.com/jlu5/ircv3-specifications/blob/master/extensions/relaymsg.md"),
    (Cap::SojuSearch, "https://codeberg.org/emersion/soju/src/branch/master/doc/ext/search.md"),
    (Cap::ZncPlayback, "https://wiki.znc.in/Playback"),
    (Cap::ZncSelfMessage, "https://wiki.znc.in/Query_buffers"),
];

/// A set of capabilities.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CapSet(u64);

impl CapSet {
    /// No capability.
    pub const EMPTY: CapSet = CapSet(0);

    /// Every capability of the table.
    pub const ALL: CapSet = CapSet::of(Cap::ALL);

    /// Capabilities that put tags before lines: a session with none of them never gets any.
    pub const TAGGED: CapSet =
        CapSet::of(&[Cap::MessageTags, Cap::ServerTime, Cap::AccountTag, Cap::Batch, Cap::LabeledResponse]);

    /// The set of these.
    pub const fn of(caps: &[Cap]) -> CapSet {
        let mut bits = 0;
        let mut at = 0;
        while at < caps.len() {
            bits |= 1 << caps[at] as u64;
            at += 1;
        }
        CapSet(bits)
    }

    /// Whether it is among them.
    pub const fn contains(self, cap: Cap) -> bool {
        self.0 & 1 << cap as u64 != 0
    }

    /// Whether all of the others are among them.
    pub const fn contains_all(self, others: CapSet) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether any of the others is among them.
    pub const fn intersects(self, others: CapSet) -> bool {
        self.0 & others.0 != 0
    }

    /// Adds one. Returns whether it is new.
    pub fn insert(&mut self, cap: Cap) -> bool {
        let new = !self.contains(cap);
        self.0 |= 1 << cap as u64;
        new
    }

    /// Takes one out. Returns whether it was there.
    pub fn remove(&mut self, cap: Cap) -> bool {
        let was = self.contains(cap);
        self.0 &= !(1 << cap as u64);
        was
    }

    /// The same with one more.
    #[must_use]
    pub const fn with(self, cap: Cap) -> CapSet {
        CapSet(self.0 | 1 << cap as u64)
    }

    /// The same without one.
    #[must_use]
    pub const fn without(self, cap: Cap) -> CapSet {
        CapSet(self.0 & !(1 << cap as u64))
    }

    /// Those in either.
    #[must_use]
    pub const fn union(self, others: CapSet) -> CapSet {
        CapSet(self.0 | others.0)
    }

    /// Those in both.
    #[must_use]
    pub const fn intersection(self, others: CapSet) -> CapSet {
        CapSet(self.0 & others.0)
    }

    /// Those that are not among the others.
    #[must_use]
    pub const fn difference(self, others: CapSet) -> CapSet {
        CapSet(self.0 & !others.0)
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many there are.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Them, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Cap> {
        Cap::ALL.iter().copied().filter(move |cap| self.contains(*cap))
    }
}

impl FromIterator<Cap> for CapSet {
    fn from_iter<I: IntoIterator<Item = Cap>>(caps: I) -> CapSet {
        caps.into_iter().fold(CapSet::EMPTY, CapSet::with)
    }
}

impl fmt::Display for CapSet {
    /// The names with a space between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, cap) in self.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { " " })?;
            f.write_str(cap.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for CapSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_consistent() {
        assert!(Cap::ALL.len() <= 64, "a set has 64 bits");
        for cap in Cap::ALL {
            assert_eq!(Cap::from_name(cap.name()), Some(*cap));
            assert_eq!(cap.name().starts_with("draft/"), cap.status() == Status::Draft, "{}", cap.name());
            assert_eq!(cap.name().contains('.'), cap.status() == Status::Vendor, "{}", cap.name());
            assert!(!cap.name().contains([' ', '=']), "{}", cap.name());
        }
        assert!(Cap::ALL.is_sorted_by_key(|cap| {
            let name = cap.name();
            ["draft/", "chinwag.internal/", "soju.im/"]
                .iter()
                .find_map(|of| name.strip_prefix(of))
                .unwrap_or(name)
        }));
        assert_eq!(Cap::from_name("ECHO-MESSAGE"), None);
    }

    #[test]
    fn sets_are_sets() {
        let mut set = CapSet::EMPTY;
        assert!(set.insert(Cap::Batch) && !set.insert(Cap::Batch) && set.insert(Cap::ServerTime));
        assert_eq!(set, CapSet::of(&[Cap::ServerTime, Cap::Batch]));
        assert_eq!(set.to_string(), "batch server-time");
        assert!(set.contains_all(CapSet::of(&[Cap::Batch])) && !set.contains_all(CapSet::ALL));
        assert!(set.intersects(CapSet::TAGGED) && !CapSet::EMPTY.intersects(CapSet::ALL));
        assert_eq!(set.iter().collect::<CapSet>(), set);
        assert_eq!(CapSet::ALL.difference(set).union(set), CapSet::ALL);
        assert_eq!(CapSet::ALL.intersection(set), set);
        assert!(set.remove(Cap::Batch) && !set.remove(Cap::Batch));
        assert_eq!(set.len(), 1);
        assert!(set.without(Cap::ServerTime).is_empty());
        assert_eq!(CapSet::ALL.len(), Cap::ALL.len());
    }
}
