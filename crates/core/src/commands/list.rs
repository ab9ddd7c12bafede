//! `LIST [<room>{,<room>}] [<condition>{,<condition>}]`: the rooms there are.

use std::cmp::Ordering;

use chinwag_wire::mask;
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room};
use crate::ids::Millis;
use crate::line::Text;

/// Conditions that are looked at; what is beyond is ignored.
pub const CONDITIONS_MAX: usize = 20;

/// One condition (ELIST=CMNTU).
enum Condition<'a> {
    /// The name is one of those asked for by name or mask; all names and masks of a request are one condition.
    Named(Vec<&'a str>),
    /// `!mask`: the name does not fit.
    NotNamed(&'a str),
    /// `>n`, `<n`: more or fewer people.
    Members(Ordering, u64),
    /// `C>n`, `C<n`: opened more or less than so many minutes ago.
    Opened(Ordering, u64),
    /// `T>n`, `T<n`: the topic set more or less than so many minutes ago.
    TopicSet(Ordering, u64),
}

/// `LIST [<room>{,<room>}] [<condition>{,<condition>}]`. Rooms where nobody is are left out; so are
/// secret rooms, unless the asker is in them.
pub(crate) fn list(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let conditions = conditions(message.params.iter().take(2).flat_map(|words| words.split(',')));
    asking.numeric(Numeric::RPL_LISTSTART, ["Channel".into(), "Users  Name".into()]);
    let (viewer, now_ms) = (asking.session.user(), asking.now_ms);
    for room in chat.rooms_alive() {
        let open = !room.modes.secret || viewer.is_some_and(|user| room.member(user).is_some());
        if open
            && !room.members.is_empty()
            && conditions.iter().all(|condition| condition.holds(room, now_ms))
        {
            let count = Text::from(room.members.len().to_string());
            let topic = room.topic.as_ref().map_or(Text::Static(""), |topic| Text::from(&topic.text));
            asking.numeric(Numeric::RPL_LIST, [(&room.name).into(), count, topic]);
        }
    }
    asking.numeric(Numeric::RPL_LISTEND, ["End of /LIST".into()]);
    Flow::Done
}

fn conditions<'a>(words: impl Iterator<Item = &'a str>) -> Vec<Condition<'a>> {
    let mut named = Vec::new();
    let mut conditions = Vec::new();
    for word in words.filter(|word| !word.is_empty()).take(CONDITIONS_MAX) {
        match condition(word) {
            Some(condition) => conditions.push(condition),
            None => named.push(word),
        }
    }
    if !named.is_empty() {
        conditions.push(Condition::Named(named));
    }
    conditions
}

fn condition(word: &str) -> Option<Condition<'_>> {
    if let Some(mask) = word.strip_prefix('!') {
        return Some(Condition::NotNamed(mask));
    }
    let (kind, compared): (fn(Ordering, u64) -> Condition<'static>, _) = match word.as_bytes().first()? {
        b'C' | b'c' => (Condition::Opened, &word[1..]),
        b'T' | b't' => (Condition::TopicSet, &word[1..]),
        _ => (Condition::Members, word),
    };
    let (order, count) = match compared.split_at_checked(1)? {
        (">", count) => (Ordering::Greater, count),
        ("<", count) => (Ordering::Less, count),
        _ => return None,
    };
    Some(kind(order, count.parse().ok()?))
}

impl Condition<'_> {
    fn holds(&self, room: &Room, now_ms: Millis) -> bool {
        let minutes = |since: Millis| now_ms.saturating_sub(since) / 60_000;
        match self {
            Condition::Named(names) => names.iter().any(|mask| mask::glob(mask, &room.name)),
            Condition::NotNamed(mask) => !mask::glob(mask, &room.name),
            Condition::Members(order, count) => (room.members.len() as u64).cmp(count) == *order,
            Condition::Opened(order, count) => minutes(room.opened_ms).cmp(count) == *order,
            Condition::TopicSet(order, count) => {
                room.topic.as_ref().is_some_and(|topic| minutes(topic.at_ms).cmp(count) == *order)
            }
        }
    }
}
