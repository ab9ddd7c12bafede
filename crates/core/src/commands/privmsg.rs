//! `PRIVMSG <target>{,<target>} :<text>` and `NOTICE`: saying something, in a room or to one user.

use std::sync::Arc;

use chinwag_wire::caps::Cap;
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;
use chinwag_wire::tags::RawTag;

use super::playback;
use super::reply::{asker, given};
use super::services;
use crate::allowance::Dear;
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Party, Room, User, name_of};
use crate::event::{Direct, Event, Joins, Passed, PassedTo, Said, SayKind, Status};
use crate::ids::{Millis, RoomId};
use crate::line::Text;
use crate::pending::UNPLACED;
use crate::roles::Role;

/// Targets of one message, and of one KICK (TARGMAX).
pub const TARGETS_MAX: usize = 4;

/// `PRIVMSG <target>{,<target>} :<text>`
pub(crate) fn privmsg(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    say(chat, asking, message, SayKind::Privmsg)
}

/// `NOTICE <target>{,<target>} :<text>`: the same, and nothing ever answers it by itself, errors included.
pub(crate) fn notice(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    say(chat, asking, message, SayKind::Notice)
}

fn say(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>, kind: SayKind) -> Flow {
    let quiet = kind == SayKind::Notice;
    let targets = message.params.first().copied().unwrap_or("");
    let text = message.params.get(1).unwrap_or("");
    if targets.is_empty() || text.is_empty() {
        if !quiet {
            let missing =
                if targets.is_empty() { Numeric::ERR_NORECIPIENT } else { Numeric::ERR_NOTEXTTOSEND };
            asking.refuse(missing, []);
        }
        return Flow::Done;
    }
    if kind == SayKind::Privmsg && targets.eq_ignore_ascii_case(playback::NICK) && asking.settings.history {
        playback::command(chat, asking, text);
        return Flow::Done;
    }
    if let Some(service) = services::Service::named(targets) {
        // A notice is never answered.
        return if quiet { Flow::Done } else { services::asked(chat, asking, service, text) };
    }
    let body = Body { text: text.into(), joins: None, client_tags: client_tags(asking, message) };
    deliver(chat, asking, kind, targets, &body)
}

/// What is said.
pub(super) struct Body {
    /// The text.
    pub(super) text: Arc<str>,
    /// For a message of several lines.
    pub(super) joins: Joins,
    /// Client-only tags.
    pub(super) client_tags: Option<Arc<str>>,
}

/// Says something to each of these targets.
pub(super) fn deliver(
    chat: &Chat,
    asking: &mut Asking<'_>,
    kind: SayKind,
    targets: &str,
    body: &Body,
) -> Flow {
    let Some(user) = asker(chat, asking) else { return Flow::Done };
    let quiet = kind == SayKind::Notice;
    if !reachable(chat, asking, targets) {
        return Flow::Wait;
    }
    if targets.split(',').count() > TARGETS_MAX {
        if !quiet {
            asking.refuse(Numeric::ERR_TOOMANYTARGETS, [given(targets)]);
        }
        return Flow::Done;
    }
    for name in targets.split(',').filter(|name| !name.is_empty()) {
        let found = target(chat, user, name)
            .and_then(|target| held_back(chat, asking.now_ms, user, target))
            .and_then(|target| known(chat, asking, user, target))
            .and_then(|target| if is_query(&body.text) { questioned(target) } else { Ok(target) });
        match found {
            Ok(Target::Room(room, status)) if is_query(&body.text) => {
                let to = PassedTo::Room { room: room.id, status };
                pass(asking, user, to, Some(kind), body);
            }
            Ok(Target::Room(room, status)) => asking.propose(Event::Said(Arc::new(Said {
                room: room.id,
                basis: room.rules,
                user: user.id,
                by: Arc::clone(&user.who),
                kind,
                text: Arc::clone(&body.text),
                joins: body.joins.clone(),
                client_tags: body.client_tags.clone(),
                status,
                direct: None,
            }))),
            Ok(Target::Person(person)) if keeps(asking, user, &person) && !is_query(&body.text) => {
                let (room, direct) = converse(chat, asking, user, person);
                asking.propose(Event::Said(Arc::new(Said {
                    room,
                    basis: 0,
                    user: user.id,
                    by: Arc::clone(&user.who),
                    kind,
                    text: Arc::clone(&body.text),
                    joins: body.joins.clone(),
                    client_tags: body.client_tags.clone(),
                    status: None,
                    direct: Some(direct),
                })));
            }
            Ok(Target::Person(Person { user: Some(other), .. })) => {
                let to = PassedTo::User { user: other.id, nick: Arc::clone(&other.who.nick) };
                pass(asking, user, to, Some(kind), body);
            }
            Ok(Target::Person(_)) if quiet => {}
            Ok(Target::Person(_)) => Refused::unknown(Numeric::ERR_NOSUCHNICK, name).tell(asking),
            Err(refused) if !quiet => refused.tell(asking),
            Err(_) => {}
        }
    }
    Flow::Done
}

/// A target to which questions from program to program (CTCP) may go: not where mode `C` or user mode `T` is set.
fn questioned(target: Target<'_>) -> Result<Target<'_>, Refused> {
    match &target {
        Target::Room(room, _) if room.modes.no_ctcp => Err(Refused::silent(room, 'C')),
        Target::Person(Person { user: Some(other), .. }) if other.modes.no_ctcp => {
            Err(Refused::unknown(Numeric::ERR_CANTSENDTOUSER, &other.who.nick))
        }
        _ => Ok(target),
    }
}

/// Whom a message is for.
pub(super) enum Target<'a> {
    /// A room, or some of its members.
    Room(&'a Room, Option<Status>),
    /// One person.
    Person(Person<'a>),
}

/// One person as a target.
pub(super) struct Person<'a> {
    /// The user of that nickname; none for the owner of an account who is not here.
    pub(super) user: Option<&'a User>,
    /// Who that is in a conversation.
    party: Party,
}

/// The target, unless it is a stranger and too many strangers were written to: one who has not written back, and to
/// whom the user has not written before.
pub(super) fn known<'a>(
    chat: &Chat,
    asking: &mut Asking<'_>,
    user: &User,
    target: Target<'a>,
) -> Result<Target<'a>, Refused> {
    let Target::Person(person) = &target else { return Ok(target) };
    let met = person.user.is_some_and(|other| {
        other.id == user.id || other.written.holds(user.id) || user.written.holds(other.id)
    });
    let talks = || chat.conversation(&chat.party(user), &person.party).is_some();
    if met || user.modes.operator || talks() {
        return Ok(target);
    }
    if !asking.allows(Dear::Openings) {
        let name = person.user.map_or_else(|| person.party.name(), |other| &other.who.nick);
        let text =
            "You have written to many who have not answered; wait for one, or try again in a few minutes";
        let (numeric, name) = (Numeric::ERR_TARGETTOOFAST, Text::from(name));
        return Err(Refused { numeric, name, text: Some(text.into()) });
    }
    asking.spend(Dear::Openings);
    Ok(target)
}

/// Whether what is said between two is kept: where one of them has an account, for the owner of the account.
pub(super) fn keeps(asking: &Asking<'_>, user: &User, person: &Person<'_>) -> bool {
    asking.settings.history_direct && (user.who.account.is_some() || person.party.is_account())
}

/// The room of two people, which is opened where there is none, and how the other one is reached in it.
pub(super) fn converse(
    chat: &Chat,
    asking: &mut Asking<'_>,
    user: &User,
    person: Person<'_>,
) -> (RoomId, Arc<Direct>) {
    let to = person.user.map_or_else(|| person.party.name(), |other| &other.who.nick);
    let to = Arc::clone(to);
    let between = [chat.party(user), person.party];
    let name = name_of(&between);
    let room = chat.room_by_name(&name).map(|room| room.id);
    let opening =
        |event: &Event| matches!(event, Event::ConversationOpened { between } if name_of(between) == name);
    if room.is_none() && !asking.events.iter().any(opening) {
        asking.propose(Event::ConversationOpened { between: Arc::new(between) });
    }
    let direct = Direct { between: name, to, user: person.user.map(|other| other.id) };
    (room.unwrap_or(UNPLACED), Arc::new(direct))
}

/// Why a target may not be spoken to.
pub(super) struct Refused {
    numeric: Numeric,
    name: Text,
    /// What to say instead of the numeric's usual text.
    text: Option<Text>,
}

impl Refused {
    fn unknown(numeric: Numeric, name: &str) -> Self {
        Refused { numeric, name: given(name), text: None }
    }

    /// Nobody hears it in that room, for this mode.
    fn silent(room: &Room, mode: char) -> Self {
        let numeric = Numeric::ERR_CANNOTSENDTOCHAN;
        let text = format!("{} (+{mode})", numeric.text());
        Refused { numeric, name: (&room.name).into(), text: Some(text.into()) }
    }

    /// Tells whoever asked.
    pub(super) fn tell(self, asking: &mut Asking<'_>) {
        let text = self.text.unwrap_or(Text::Static(self.numeric.text()));
        asking.numeric(self.numeric, [self.name, text]);
    }
}

/// The target, unless it is a room that lets the user wait before the next message.
pub(super) fn held_back<'a>(
    chat: &Chat,
    now_ms: Millis,
    user: &User,
    target: Target<'a>,
) -> Result<Target<'a>, Refused> {
    let Target::Room(room, _) = target else { return Ok(target) };
    match room.holds_back(user, chat.known_since(user), now_ms) {
        None => Ok(target),
        Some((span, why)) => {
            let numeric = Numeric::ERR_CANNOTSENDTOCHAN;
            let text = format!("{} ({why}; try again in {span})", numeric.text());
            Err(Refused { numeric, name: (&room.name).into(), text: Some(text.into()) })
        }
    }
}

/// Finds a target to which the user may speak.
pub(super) fn target<'a>(chat: &'a Chat, user: &User, name: &str) -> Result<Target<'a>, Refused> {
    let (status, bare) = addressed(name);
    if !bare.starts_with('#') {
        return match chat.user_by_nick(name) {
            None => match chat.party_named(name) {
                Some(party) => Ok(Target::Person(Person { user: None, party })),
                None => Err(Refused::unknown(Numeric::ERR_NOSUCHNICK, name)),
            },
            Some(other) if chat.lets_write(other, user) => {
                Ok(Target::Person(Person { user: Some(other), party: chat.party(other) }))
            }
            Some(other) => Err(Refused::unknown(Numeric::ERR_NEEDREGGEDNICK, &other.who.nick)),
        };
    }
    let Some(room) = chat.room_by_name(bare) else {
        return Err(Refused::unknown(Numeric::ERR_NOSUCHCHANNEL, name));
    };
    match room.audience(user, status) {
        Ok(status) => Ok(Target::Room(room, status)),
        Err(mode) => Err(Refused::silent(room, mode)),
    }
}

/// Splits the signs of roles off a room's name. Of several the lowest counts: whoever has a higher role hears what
/// is for a lower one.
fn addressed(name: &str) -> (Option<Status>, &str) {
    let bare = name.trim_start_matches(|sign| Role::of_sign(sign).is_some());
    if !bare.starts_with('#') {
        return (None, name);
    }
    let lowest = name[..name.len() - bare.len()].chars().filter_map(Role::of_sign).min();
    (lowest.map(Status::To), bare)
}

/// Whether it can be decided now whether these targets may be spoken to.
pub(super) fn reachable(chat: &Chat, asking: &Asking<'_>, targets: &str) -> bool {
    if asking.pending.any_opening() && targets.split(',').any(|name| is_opening(chat, asking, name)) {
        return false;
    }
    targets.split(',').all(|name| {
        let Some(room) = chat.room_by_name(addressed(name).1) else { return true };
        // In a slow room what was said last has to be known.
        let waits = room.guards.slow_s.is_some() && asking.pending.busy(room.id);
        !waits && !asking.pending.locked(room.id)
    })
}

/// Whether the room of the asker and somebody else is being opened.
fn is_opening(chat: &Chat, asking: &Asking<'_>, name: &str) -> bool {
    let between = asker(chat, asking).zip(chat.party_named(name));
    between.is_some_and(|(user, other)| {
        asking.pending.opening(&chat.mapping().fold(&name_of(&[chat.party(user), other])))
    })
}

/// Proposes a message that is not kept.
pub(super) fn pass(asking: &mut Asking<'_>, user: &User, to: PassedTo, kind: Option<SayKind>, body: &Body) {
    asking.propose(Event::Passed(Arc::new(Passed {
        user: user.id,
        by: Arc::clone(&user.who),
        to,
        kind,
        text: Arc::clone(&body.text),
        joins: body.joins.clone(),
        client_tags: body.client_tags.clone(),
    })));
}

/// The client-only tags of a message that are handed on, as sent. Only sessions with `message-tags` may send any.
pub(super) fn client_tags(asking: &Asking<'_>, message: &Message<'_>) -> Option<Arc<str>> {
    if !asking.session.caps.contains(Cap::MessageTags) {
        return None;
    }
    let mut tags = String::new();
    if asking.settings.client_tags_denied.is_empty() {
        message.tags.copy_client_only(&mut tags);
    } else {
        let handed_on = |tag: &RawTag<'_>| asking.settings.hands_on(tag.key.trim_start_matches('+'));
        for tag in message.tags.client_only().filter(handed_on) {
            tags.extend([if tags.is_empty() { "" } else { ";" }, tag.text]);
        }
    }
    (!tags.is_empty()).then(|| tags.into())
}

/// Whether a text is a question from program to program (CTCP) and not something that people read (`/me`).
pub(crate) fn is_query(text: &str) -> bool {
    let action =
        |rest: &str| rest == "ACTION" || rest.starts_with("ACTION ") || rest.starts_with("ACTION\u{1}");
    text.strip_prefix('\u{1}').is_some_and(|rest| !action(rest))
}
