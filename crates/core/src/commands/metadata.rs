//! `METADATA <target> <subcommand> …`: what people and rooms say of themselves to programs.
//!
//! Specification: IRCv3 metadata, in two forms (see [`crate::metadata`]).

use std::sync::Arc;

use chinwag_wire::caps::CapSet;
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::{asker, fail, given, line, tell};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room, User};
use crate::effect::Effects;
use crate::event::{Event, MetadataOn, MetadataSet, Who};
use crate::history::batched;
use crate::line::{Line, Source, Text};
use crate::metadata::{Change, Form, Metadata, TOLD, answer, is_key, not_set};
use crate::permissions::Action;
use crate::session::{Greeting, Phase, Session};

const VERB: &str = "METADATA";

/// The reference of the batch. It is closed as soon as it is opened, so that one name is enough.
const BATCH: &str = "metadata";

/// Everything that a session is told of, as a target of SYNC (`draft/metadata-3`).
const ALL: &str = "*ALL";

/// Members of a room that are looked through on entering it; where there are more, the client is to ask later.
const SYNC_MEMBERS_MAX: usize = 200;

/// Bytes of a key and its value together, so that both always fit a line.
const PAIR_BYTES_MAX: usize = 330;

/// Keys in one line of a list, and their bytes.
const LIST_KEYS_MAX: usize = 10;
const LIST_BYTES_MAX: usize = 300;

/// Whose metadata is meant.
enum Target<'a> {
    /// The asking session's own, before there is a user.
    Greeting,
    User(&'a User),
    Room(&'a Room),
}

/// `METADATA <target> <subcommand> [<parameter>…]`
pub(crate) fn metadata(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let rules = &asking.settings.metadata;
    if !rules.enabled {
        asking.refuse(Numeric::ERR_UNKNOWNCOMMAND, [VERB.into()]);
        return Flow::Done;
    }
    if asking.session.user().is_none() && !(rules.before_connect && asking.session.caps.intersects(TOLD)) {
        asking.refuse(Numeric::ERR_NOTREGISTERED, []);
        return Flow::Done;
    }
    let (name, subcommand, params) = (message.params[0], message.params[1], &message.params[2..]);
    let subcommand = subcommand.to_ascii_uppercase();
    if params.is_empty() && matches!(&*subcommand, "GET" | "SET" | "SUB" | "UNSUB") {
        asking.refuse(Numeric::ERR_NEEDMOREPARAMS, [VERB.into()]);
        return Flow::Done;
    }
    if subcommand == "SYNC" && name.eq_ignore_ascii_case(ALL) {
        sync_all(chat, asking);
        return Flow::Done;
    }
    let Some(target) = target(chat, asking, name) else {
        fail(asking.effects, VERB, "INVALID_TARGET", [given(name)], "There is no such target");
        return Flow::Done;
    };
    match &*subcommand {
        "GET" => get(chat, asking, &target, params),
        "LIST" => list(chat, asking, &target),
        "SET" => return set(chat, asking, &target, params),
        "CLEAR" => return clear(chat, asking, &target),
        "SUB" => subscribe(chat, asking, params),
        "UNSUB" => unsubscribe(chat, asking, params),
        "SUBS" => subscriptions(asking),
        "SYNC" => sync(chat, asking, &target),
        _ => {
            let code = by_form(asking, "SUBCOMMAND_INVALID", "INVALID_PARAMS");
            fail(asking.effects, VERB, code, [given(message.params[1])], "There is no such subcommand");
        }
    }
    Flow::Done
}

/// A code of the form of the specification that the session speaks.
fn by_form(asking: &Asking<'_>, two: &'static str, three: &'static str) -> &'static str {
    match Form::of(asking.session.caps) {
        Form::Two => two,
        Form::Three => three,
    }
}

/// Whose metadata a name means; none for nobody, and for a room that the asker may not know of.
fn target<'a>(chat: &'a Chat, asking: &Asking<'_>, name: &str) -> Option<Target<'a>> {
    let Some(user) = asker(chat, asking) else { return (name == "*").then_some(Target::Greeting) };
    if name == "*" {
        return Some(Target::User(user));
    }
    if name.starts_with('#') {
        return chat.room_by_name(name).filter(|room| room.visible_to(user.id)).map(Target::Room);
    }
    chat.user_by_nick(name).map(Target::User)
}

impl Target<'_> {
    /// Its name, as answers have it.
    fn name(&self) -> Text {
        match self {
            Target::Greeting => Text::Static("*"),
            Target::User(user) => Text::from(&user.who.nick),
            Target::Room(room) => Text::from(&room.name),
        }
    }

    fn metadata<'a>(&'a self, chat: &'a Chat, session: &'a Session) -> Option<&'a Metadata> {
        match (self, &session.phase) {
            (Target::User(user), _) => Some(chat.metadata_of(user)),
            (Target::Room(room), _) => Some(&room.metadata),
            (Target::Greeting, Phase::Greeting(greeting)) => Some(&greeting.metadata),
            (Target::Greeting, _) => None,
        }
    }

    /// Whether the asker may see it: a room that not everybody may enter shows nothing to those outside.
    fn open_to(&self, user: Option<&User>) -> bool {
        let Target::Room(room) = self else { return true };
        let inside = user.is_some_and(|user| room.member(user.id).is_some());
        inside || !(room.modes.invite_only || room.modes.key.is_some())
    }

    /// Whether the asker may change it.
    fn changeable_by(&self, user: Option<&User>) -> bool {
        match (self, user) {
            (Target::Greeting, _) => true,
            (Target::User(target), Some(user)) => target.id == user.id,
            (Target::Room(room), Some(user)) => room.may(user.id, Action::SetMetadata),
            (_, None) => false,
        }
    }
}

/// Says that the asker may not; about one key, or about all.
fn no_permission(asking: &mut Asking<'_>, target: &Target<'_>, key: Text) {
    fail(asking.effects, VERB, "KEY_NO_PERMISSION", [target.name(), key], "You may not do that");
}

/// The line that a key is none.
fn key_invalid(asking: &Asking<'_>, key: &str) -> Line {
    let code = by_form(asking, "KEY_INVALID", "INVALID_KEY");
    line("FAIL", [VERB.into(), code.into(), given(key), "That is not a key".into()])
}

fn get(chat: &Chat, asking: &mut Asking<'_>, target: &Target<'_>, keys: &[&str]) {
    if !target.open_to(asker(chat, asking)) {
        return no_permission(asking, target, "*".into());
    }
    let mut lines = Vec::new();
    for key in keys {
        let known = target.metadata(chat, asking.session).and_then(|metadata| metadata.get(key));
        lines.push(match known {
            _ if !is_key(key) => key_invalid(asking, key),
            Some(value) => answer(target.name(), &(*key).into(), Some(value)),
            None => not_set(target.name(), given(key)),
        });
    }
    batched(&BATCH.into(), BATCH, Some(target.name()), lines, asking.effects);
}

fn list(chat: &Chat, asking: &mut Asking<'_>, target: &Target<'_>) {
    if !target.open_to(asker(chat, asking)) {
        return no_permission(asking, target, "*".into());
    }
    let all = target.metadata(chat, asking.session).map(Metadata::iter).into_iter().flatten();
    let lines: Vec<Line> = all.map(|(key, value)| answer(target.name(), key, Some(value))).collect();
    batched(&BATCH.into(), BATCH, Some(target.name()), lines, asking.effects);
}

fn set(chat: &Chat, asking: &mut Asking<'_>, target: &Target<'_>, params: &[&str]) -> Flow {
    if locked(asking, target) {
        return Flow::Wait;
    }
    let key = params[0];
    if !is_key(key) {
        let line = key_invalid(asking, key);
        tell(asking.effects, line);
        return Flow::Done;
    }
    if !target.changeable_by(asker(chat, asking)) {
        no_permission(asking, target, given(key));
        return Flow::Done;
    }
    let form = Form::of(asking.session.caps);
    // "The empty string is a valid value" in the older form only.
    let value = params.get(1).filter(|value| form == Form::Two || !value.is_empty());
    if value.is_some_and(|value| too_long(asking, key, value)) {
        match form {
            Form::Two => fail(asking.effects, VERB, "VALUE_INVALID", [], "The value is too long"),
            Form::Three => fail(asking.effects, VERB, "INVALID_VALUE", [given(key)], "The value is too long"),
        }
        return Flow::Done;
    }
    let Some(metadata) = target.metadata(chat, asking.session) else { return Flow::Done };
    let (known, count) = (metadata.get(key).cloned(), metadata.len());
    let most = asking.settings.metadata.max_keys;
    match (value, known) {
        (None, None) if form == Form::Two => {
            let about = [target.name(), given(key)];
            fail(asking.effects, VERB, "KEY_NOT_SET", about, "It is not set");
        }
        (None, None) => tell(asking.effects, not_set(target.name(), given(key))),
        (Some(value), Some(known)) if **value == *known => {
            tell(asking.effects, answer(target.name(), &key.into(), Some(&known)));
        }
        (Some(_), None) if count >= most => {
            let limit = (form == Form::Three).then(|| Text::from(most.to_string()));
            let about = [target.name()].into_iter().chain(limit);
            fail(asking.effects, VERB, "LIMIT_REACHED", about, "There are too many keys already");
        }
        (value, _) => change(chat, asking, target, (key.into(), value.map(|value| Arc::from(*value)))),
    }
    Flow::Done
}

/// Whether a room's rules are changing, so that it cannot be decided now who may.
fn locked(asking: &Asking<'_>, target: &Target<'_>) -> bool {
    matches!(target, Target::Room(room) if asking.pending.locked(room.id))
}

fn too_long(asking: &Asking<'_>, key: &str, value: &str) -> bool {
    value.len() > asking.settings.metadata.max_value_bytes || key.len() + value.len() > PAIR_BYTES_MAX
}

fn change(chat: &Chat, asking: &mut Asking<'_>, target: &Target<'_>, change: Change) {
    let Some((on, by)) = on(chat, asking, target) else {
        if let Phase::Greeting(greeting) = &mut asking.session.phase {
            greeting.metadata.set(&change);
            tell(asking.effects, answer(target.name(), &change.0, change.1.as_ref()));
        }
        return;
    };
    let answer = Some(shared(&target.name()));
    asking.propose(Event::MetadataSet(Arc::new(MetadataSet {
        on,
        by,
        answer,
        clear: false,
        changes: vec![change],
    })));
}

/// Where the metadata of a target is kept, and who changes it; none before there is a user.
fn on(chat: &Chat, asking: &Asking<'_>, target: &Target<'_>) -> Option<(MetadataOn, Arc<Who>)> {
    let user = asker(chat, asking)?;
    let on = match target {
        Target::Greeting => return None,
        Target::Room(room) => MetadataOn::Room { room: room.id, basis: room.rules },
        Target::User(target) => match &target.who.account {
            Some(account) => MetadataOn::Account(Arc::clone(account)),
            None => MetadataOn::Guest(target.id),
        },
    };
    Some((on, Arc::clone(&user.who)))
}

fn shared(text: &Text) -> Arc<str> {
    match text {
        Text::Shared(text) => Arc::clone(text),
        other => other.as_str().into(),
    }
}

fn clear(chat: &Chat, asking: &mut Asking<'_>, target: &Target<'_>) -> Flow {
    if locked(asking, target) {
        return Flow::Wait;
    }
    if !target.changeable_by(asker(chat, asking)) {
        no_permission(asking, target, "*".into());
        return Flow::Done;
    }
    let empty = target.metadata(chat, asking.session).is_none_or(Metadata::is_empty);
    let by = on(chat, asking, target);
    match by {
        Some((on, by)) if !empty => {
            let answer = Some(shared(&target.name()));
            let set = MetadataSet { on, by, answer, clear: true, changes: Vec::new() };
            asking.propose(Event::MetadataSet(Arc::new(set)));
        }
        _ => {
            let mut gone = Vec::new();
            if let Phase::Greeting(greeting) = &mut asking.session.phase {
                gone = greeting.metadata.clear();
            }
            let lines = gone.iter().map(|(key, _)| answer(target.name(), key, None));
            batched(&BATCH.into(), BATCH, Some(target.name()), lines, asking.effects);
        }
    }
    Flow::Done
}

/// In the order of the keys: what comes behind the first one that is too many is not looked at.
fn subscribe(chat: &Chat, asking: &mut Asking<'_>, keys: &[&str]) {
    let most = asking.settings.metadata.max_subs;
    let mut accepted: Vec<Arc<str>> = Vec::new();
    for key in keys {
        if !is_key(key) {
            let line = key_invalid(asking, key);
            tell(asking.effects, line);
            continue;
        }
        let subscribed = &mut asking.session.subscribed;
        if subscribed.len() >= most {
            let about = match Form::of(asking.session.caps) {
                Form::Two => ("TOO_MANY_SUBS", None),
                Form::Three => ("LIMIT_REACHED", Some(Text::from(most.to_string()))),
            };
            let context = [given(key)].into_iter().chain(about.1);
            fail(asking.effects, VERB, about.0, context, "There are too many subscriptions already");
            break;
        }
        let key: Arc<str> = (*key).into();
        subscribed.insert(Arc::clone(&key));
        accepted.push(key);
    }
    key_lists(Numeric::RPL_METADATASUBOK, &accepted, asking.effects);
    let Some(user) = asker(chat, asking) else { return };
    match Form::of(asking.session.caps) {
        // The client asks for it when it likes.
        Form::Three if !accepted.is_empty() => later(ALL.into(), asking.effects),
        Form::Three => {}
        Form::Two => {
            let wanted = |key: &str| accepted.iter().any(|accepted| **accepted == *key);
            let told = Form::Two;
            let mut lines = Vec::new();
            of_user(chat, user, told, &wanted, &mut lines);
            for room in user.rooms.iter().filter_map(|room| chat.room(*room)) {
                if room.members.len() > SYNC_MEMBERS_MAX {
                    later((&room.name).into(), asking.effects);
                } else {
                    of_room(chat, room, Some(user), told, &wanted, &mut lines);
                }
            }
            lines.into_iter().for_each(|line| tell(asking.effects, line));
        }
    }
}

fn unsubscribe(_: &Chat, asking: &mut Asking<'_>, keys: &[&str]) {
    let mut gone: Vec<Arc<str>> = Vec::new();
    for key in keys {
        if is_key(key) {
            asking.session.subscribed.remove(*key);
            gone.push((*key).into());
        } else {
            let line = key_invalid(asking, key);
            tell(asking.effects, line);
        }
    }
    key_lists(Numeric::RPL_METADATAUNSUBOK, &gone, asking.effects);
}

fn subscriptions(asking: &mut Asking<'_>) {
    let keys: Vec<Arc<str>> = asking.session.subscribed.iter().cloned().collect();
    let mut lists = Effects::new();
    key_lists(Numeric::RPL_METADATASUBS, &keys, &mut lists);
    let lines = lists.into_iter().filter_map(|effect| match effect {
        crate::effect::Effect::Send { line, .. } => Some(line),
        _ => None,
    });
    batched(&BATCH.into(), "metadata-subs", None, lines, asking.effects);
}

/// Keys as the parameters of as many numerics as it takes.
fn key_lists(numeric: Numeric, keys: &[Arc<str>], effects: &mut Effects) {
    let mut line = Line::numeric(numeric, []);
    let mut bytes = 0;
    for key in keys {
        if line.params.len() == LIST_KEYS_MAX || bytes + key.len() > LIST_BYTES_MAX {
            tell(effects, std::mem::replace(&mut line, Line::numeric(numeric, [])));
            bytes = 0;
        }
        bytes += key.len() + 1;
        line.params.push(key.into());
    }
    if !line.params.is_empty() {
        tell(effects, line);
    }
}

/// RPL_METADATASYNCLATER: at once, if the client likes.
fn later(target: Text, effects: &mut Effects) {
    tell(effects, Line::numeric(Numeric::RPL_METADATASYNCLATER, [target, "0".into()]));
}

fn sync(chat: &Chat, asking: &mut Asking<'_>, target: &Target<'_>) {
    let user = asker(chat, asking);
    if !target.open_to(user) {
        return no_permission(asking, target, "*".into());
    }
    let (form, session) = (Form::of(asking.session.caps), &*asking.session);
    let wanted = |key: &str| session.subscribed.contains(key);
    let mut lines = Vec::new();
    match target {
        Target::Greeting => {}
        Target::User(target) => of_user(chat, target, form, &wanted, &mut lines),
        Target::Room(room) => of_room(chat, room, user, form, &wanted, &mut lines),
    }
    batched(&BATCH.into(), BATCH, Some(target.name()), lines, asking.effects);
}

/// Oneself, one's rooms and who is in them, and whom one watches; each once.
fn sync_all(chat: &Chat, asking: &mut Asking<'_>) {
    let (form, session) = (Form::of(asking.session.caps), &*asking.session);
    let wanted = |key: &str| session.subscribed.contains(key);
    let mut lines = Vec::new();
    if let Some(user) = asker(chat, asking) {
        let mut people = vec![user.id];
        for room in user.rooms.iter().filter_map(|room| chat.room(*room)) {
            of_target(form, &room.name, &room.metadata, &wanted, &mut lines);
            let seen = room.members.iter().filter(|member| room.sees(user.id, member));
            people.extend(seen.map(|member| member.user));
        }
        let watched = session.monitored.values().filter_map(|nick| chat.user_by_nick(nick));
        people.extend(watched.map(|user| user.id));
        people.sort_unstable();
        people.dedup();
        for user in people.into_iter().filter_map(|user| chat.user(user)) {
            of_user(chat, user, form, &wanted, &mut lines);
        }
    }
    batched(&BATCH.into(), BATCH, Some(ALL.into()), lines, asking.effects);
}

/// What a session is told of somebody.
fn of_user(chat: &Chat, user: &User, form: Form, wanted: &dyn Fn(&str) -> bool, lines: &mut Vec<Line>) {
    of_target(form, &user.who.nick, chat.metadata_of(user), wanted, lines);
}

/// What a session is told of a room and those in it whom its user may see.
fn of_room(
    chat: &Chat,
    room: &Room,
    viewer: Option<&User>,
    form: Form,
    wanted: &dyn Fn(&str) -> bool,
    lines: &mut Vec<Line>,
) {
    of_target(form, &room.name, &room.metadata, wanted, lines);
    let inside = viewer.filter(|viewer| room.member(viewer.id).is_some());
    for (member, user) in chat.members(room) {
        if inside.is_some_and(|viewer| room.sees(viewer.id, member)) {
            of_user(chat, user, form, wanted, lines);
        }
    }
}

fn of_target(
    form: Form,
    name: &Arc<str>,
    metadata: &Metadata,
    wanted: &dyn Fn(&str) -> bool,
    lines: &mut Vec<Line>,
) {
    let wanted = metadata.iter().filter(|(key, _)| wanted(key));
    lines.extend(wanted.map(|(key, value)| form.told(&Source::Server, name, key, Some(value))));
}

/// What a session that knows of metadata is told when its user has come into a room.
pub fn on_join(chat: &Chat, user: &User, room: &Room, session: &Session, effects: &mut Effects) {
    if !session.caps.intersects(TOLD) || session.subscribed.is_empty() {
        return;
    }
    if room.members.len() > SYNC_MEMBERS_MAX {
        return later((&room.name).into(), effects);
    }
    let wanted = |key: &str| session.subscribed.contains(key);
    let mut lines = Vec::new();
    of_room(chat, room, Some(user), Form::of(session.caps), &wanted, &mut lines);
    if !lines.is_empty() {
        batched(&BATCH.into(), BATCH, Some((&room.name).into()), lines, effects);
    }
}

/// What such a session is told of those whom it watches from now on (`MONITOR`) and who are here.
pub(crate) fn on_watch(chat: &Chat, asking: &mut Asking<'_>, nicks: &[&str]) {
    let session = &*asking.session;
    if !session.caps.intersects(TOLD) || session.subscribed.is_empty() {
        return;
    }
    let wanted = |key: &str| session.subscribed.contains(key);
    let mut lines = Vec::new();
    for user in nicks.iter().filter_map(|nick| chat.user_by_nick(nick)) {
        of_user(chat, user, Form::of(session.caps), &wanted, &mut lines);
    }
    lines.into_iter().for_each(|line| tell(asking.effects, line));
}

/// What such a session is told of itself when it has come in, before the end of the message of the day.
pub(crate) fn on_arrival(chat: &Chat, user: &User, caps: CapSet, effects: &mut Effects) {
    if caps.intersects(TOLD) {
        let mut lines = Vec::new();
        of_user(chat, user, Form::of(caps), &|_| true, &mut lines);
        batched(&BATCH.into(), BATCH, Some((&user.who.nick).into()), lines, effects);
    }
}

/// What was set before there was a user, for the account that the user comes in with: to be proposed before the user
/// is. A guest's goes with the guest.
pub(crate) fn early(chat: &Chat, asking: &mut Asking<'_>, greeting: &mut Greeting, who: &Arc<Who>) {
    let Some(account) = &who.account else { return };
    let known = chat.account(account).map(|account| &account.metadata);
    let mut count = known.map_or(0, Metadata::len);
    for (key, value) in std::mem::take(&mut greeting.metadata).iter() {
        count += usize::from(known.is_none_or(|known| known.get(key).is_none()));
        if count <= asking.settings.metadata.max_keys {
            let changes = vec![(Arc::clone(key), Some(Arc::clone(value)))];
            let (on, by) = (MetadataOn::Account(Arc::clone(account)), Arc::clone(who));
            let set = MetadataSet { on, by, answer: None, clear: false, changes };
            asking.propose(Event::MetadataSet(Arc::new(set)));
        }
    }
}
