//! Events as rows and back: which columns an event fills, and the JSON in `extra`.

use std::sync::Arc;

use chinwag_core::event::{Amended, Amendment, Event, Joins, MetadataOn, Said, SayKind, Status, Who};
use chinwag_core::ids::{RoomId, UserId};
use serde::{Deserialize, Serialize};

/// The version of the JSON in `extra`. One that is newer than this program knows is refused, not guessed at.
const EXTRA_VERSION: u32 = 1;

/// The column `kind`. Messages that everybody may read come first, so that one comparison tells them apart.
pub(crate) mod kind {
    /// A PRIVMSG.
    pub(crate) const PRIVMSG: i64 = 1;
    /// A NOTICE.
    pub(crate) const NOTICE: i64 = 2;
    /// The highest kind that history shows.
    pub(crate) const SHOWN_MAX: i64 = NOTICE;
    /// The kinds that history shows, for a question to the database. Written out: a kind that is handed over would have
    /// SQLite think each question through again, because it may choose another index for another value.
    macro_rules! shown {
        () => {
            "ev.kind <= 2"
        };
    }
    /// The kinds that are messages and not hidden, likewise.
    macro_rules! said {
        () => {
            "ev.kind <= 4"
        };
    }
    pub(crate) use {said, shown};
    /// A PRIVMSG to some roles only.
    pub(crate) const STATUS_PRIVMSG: i64 = 3;
    /// A NOTICE to some roles only.
    pub(crate) const STATUS_NOTICE: i64 = 4;
    /// A message that was deleted: no text, no tags.
    pub(crate) const REDACTED: i64 = 5;
    /// A message that a purge hides has a kind that is so much higher than its own.
    pub(crate) const HIDDEN: i64 = 5;
    /// The lowest kind of a hidden message, and the highest.
    pub(crate) const HIDDEN_MIN: i64 = PRIVMSG + HIDDEN;
    pub(crate) const HIDDEN_MAX: i64 = STATUS_NOTICE + HIDDEN;
    /// Any of these and above is not a message; `extra` holds the event.
    pub(crate) const OPENED: i64 = 16;
    pub(crate) const RENEWED: i64 = 17;
    pub(crate) const TOPIC_SET: i64 = 18;
    pub(crate) const MODES_CHANGED: i64 = 19;
    pub(crate) const KICKED: i64 = 20;
    pub(crate) const ROOM_RENAMED: i64 = 24;
    pub(crate) const GUARDED: i64 = 28;
    pub(crate) const ROOM_KEPT: i64 = 29;
    pub(crate) const PURGED: i64 = 30;
    pub(crate) const EXPIRED: i64 = 45;
    pub(crate) const HOOKED: i64 = 31;
    pub(crate) const STAYS: i64 = 44;
    pub(crate) const TAGGED: i64 = 25;
    pub(crate) const CONVERSATION_OPENED: i64 = 26;
    /// What was done to messages. The new text of an edit is in `body`, and goes when the message is deleted.
    pub(crate) const EDIT: i64 = 21;
    pub(crate) const REDACTION: i64 = 22;
    pub(crate) const REACTION: i64 = 23;
    pub(crate) const PIN: i64 = 27;
    pub(crate) const ACCOUNT_REGISTERED: i64 = 32;
    pub(crate) const ACCOUNT_CHANGED: i64 = 33;
    pub(crate) const ACCOUNT_DROPPED: i64 = 34;
    pub(crate) const INVITATION: i64 = 35;
    pub(crate) const INVITATION_ENDED: i64 = 36;
    pub(crate) const SERVER_BANNED: i64 = 40;
    pub(crate) const SERVER_UNBANNED: i64 = 41;
    pub(crate) const OPERATOR_ACTED: i64 = 42;
    /// A read mark, in a form of its own: see `latest`.
    pub(crate) const READ_MARKED: i64 = 64;
    /// Metadata of an account and of a room, of which only the latest of each key is kept: see `latest`.
    pub(crate) const ACCOUNT_METADATA: i64 = 65;
    pub(crate) const ROOM_METADATA: i64 = 66;
}

/// The kinds that `chinwag_core::history::is_shown` names, for a question to the database.
pub(crate) const HAPPENED: &str = "18, 19, 20, 21, 22, 23, 24, 25";

/// What is rare in a message.
#[derive(Debug, Default, Serialize, Deserialize)]
struct SaidExtra {
    v: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tags: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    joins: Joins,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

#[derive(Serialize)]
struct OtherExtra<'a> {
    v: u32,
    #[serde(flatten)]
    event: &'a Event,
}

#[derive(Deserialize)]
struct OtherRead {
    v: u32,
    #[serde(flatten)]
    event: Event,
}

/// Why a row makes no event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RowError {
    /// Written by a newer program.
    #[error("it was written in form {0}, this program knows up to {EXTRA_VERSION}")]
    Newer(u32),
    /// Not what was ever written.
    #[error("its kind is {0}, which no version has written")]
    Kind(i64),
    /// A column is empty that must not be.
    #[error("its {0} is missing")]
    Missing(&'static str),
    /// The JSON does not fit.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// The column `kind` of a message.
pub(crate) fn said_kind(said: &Said) -> i64 {
    match (said.kind, said.status) {
        (SayKind::Privmsg, None) => kind::PRIVMSG,
        (SayKind::Notice, None) => kind::NOTICE,
        (SayKind::Privmsg, Some(_)) => kind::STATUS_PRIVMSG,
        (SayKind::Notice, Some(_)) => kind::STATUS_NOTICE,
    }
}

/// The column `extra` of a message; none for nearly all.
pub(crate) fn said_extra(said: &Said) -> Result<Option<String>, serde_json::Error> {
    if said.client_tags.is_none() && said.joins.is_none() && said.status.is_none() {
        return Ok(None);
    }
    let (tags, joins) = (said.client_tags.clone(), said.joins.clone());
    let extra = SaidExtra { v: EXTRA_VERSION, tags, joins, status: said.status };
    serde_json::to_string(&extra).map(Some)
}

/// The column `extra` of a message that was edited: it has one line now.
pub(crate) fn edited_extra(extra: Option<&str>) -> Result<Option<String>, RowError> {
    let Some(extra) = extra else { return Ok(None) };
    let read = SaidExtra { joins: None, ..serde_json::from_str(extra)? };
    Ok(Some(serde_json::to_string(&read)?))
}

/// The columns `kind` and `extra` of a stored event that is not a message; none for a passing one.
pub(crate) fn other(event: &Event) -> Option<Result<(i64, String), serde_json::Error>> {
    let kind = match event {
        Event::ConversationOpened { .. } => kind::CONVERSATION_OPENED,
        Event::Opened { .. } => kind::OPENED,
        Event::Renewed { .. } => kind::RENEWED,
        Event::Tagged(_) => kind::TAGGED,
        Event::TopicSet { .. } => kind::TOPIC_SET,
        Event::ModesChanged { .. } => kind::MODES_CHANGED,
        Event::Kicked { .. } => kind::KICKED,
        Event::MetadataSet(set) => match set.on {
            MetadataOn::Account(_) => kind::ACCOUNT_METADATA,
            MetadataOn::Room { .. } => kind::ROOM_METADATA,
            MetadataOn::Guest(_) => return None,
        },
        Event::RoomRenamed { .. } => kind::ROOM_RENAMED,
        Event::AccountRegistered(_) => kind::ACCOUNT_REGISTERED,
        Event::Amended(amended) => amendment_kind(&amended.what),
        Event::AccountChanged { .. } => kind::ACCOUNT_CHANGED,
        Event::AccountDropped { .. } => kind::ACCOUNT_DROPPED,
        Event::Invitation(_) => kind::INVITATION,
        Event::InvitationEnded { .. } => kind::INVITATION_ENDED,
        Event::Guarded { .. } => kind::GUARDED,
        Event::RoomKept { .. } => kind::ROOM_KEPT,
        Event::Stays { .. } => kind::STAYS,
        Event::Hooked(_) => kind::HOOKED,
        Event::Purged(_) => kind::PURGED,
        Event::Expired(_) => kind::EXPIRED,
        Event::OperatorActed(_) => kind::OPERATOR_ACTED,
        Event::ServerBanned(_) => kind::SERVER_BANNED,
        Event::ServerUnbanned { .. } => kind::SERVER_UNBANNED,
        _ => return None,
    };
    let extra = OtherExtra { v: EXTRA_VERSION, event };
    Some(serde_json::to_string(&extra).map(|extra| (kind, extra)))
}

/// The column `kind` of what is done to a message.
pub(crate) fn amendment_kind(what: &Amendment) -> i64 {
    match what {
        Amendment::Edited { .. } => kind::EDIT,
        Amendment::Redacted { .. } => kind::REDACTION,
        Amendment::Reacted { .. } => kind::REACTION,
        Amendment::Pinned { .. } => kind::PIN,
    }
}

/// The columns `extra` and `body` of what is done to a message: the new text of an edit is in `body` alone.
pub(crate) fn amended(amended: &Amended) -> Result<(String, Option<&str>), serde_json::Error> {
    let (event, body) = match &amended.what {
        Amendment::Edited { text } => {
            let what = Amendment::Edited { text: "".into() };
            (Event::Amended(Arc::new(Amended { what, ..amended.clone() })), Some(&**text))
        }
        _ => (Event::Amended(Arc::new(amended.clone())), None),
    };
    let extra = serde_json::to_string(&OtherExtra { v: EXTRA_VERSION, event: &event })?;
    Ok((extra, body))
}

/// A stored event that is not a message, from its JSON and its text, if it has one.
pub(crate) fn other_event(extra: Option<&str>, body: Option<&str>) -> Result<Event, RowError> {
    let read: OtherRead = serde_json::from_str(extra.ok_or(RowError::Missing("content"))?)?;
    if read.v > EXTRA_VERSION {
        return Err(RowError::Newer(read.v));
    }
    match (read.event, body) {
        (Event::Amended(amended), Some(text)) => {
            let what = Amendment::Edited { text: text.into() };
            Ok(Event::Amended(Arc::new(Amended { what, ..Amended::clone(&amended) })))
        }
        (event, _) => Ok(event),
    }
}

/// What is rare in a message: client-only tags, several lines, STATUSMSG prefix.
pub(crate) type Rare = (Option<Arc<str>>, Joins, Option<Status>);

/// What is rare in a message, from its JSON.
pub(crate) fn said_rare(extra: Option<&str>) -> Result<Rare, RowError> {
    let Some(extra) = extra else { return Ok((None, None, None)) };
    let read: SaidExtra = serde_json::from_str(extra)?;
    if read.v > EXTRA_VERSION {
        return Err(RowError::Newer(read.v));
    }
    Ok((read.tags, read.joins, read.status))
}

/// Whether a message of this kind is a PRIVMSG or a NOTICE.
pub(crate) fn say_kind(number: i64) -> Result<SayKind, RowError> {
    let shown =
        if (kind::HIDDEN_MIN..=kind::HIDDEN_MAX).contains(&number) { number - kind::HIDDEN } else { number };
    match shown {
        kind::PRIVMSG | kind::STATUS_PRIVMSG | kind::REDACTED => Ok(SayKind::Privmsg),
        kind::NOTICE | kind::STATUS_NOTICE => Ok(SayKind::Notice),
        _ => Err(RowError::Kind(number)),
    }
}

/// The columns of a message, as read.
pub(crate) struct SaidRow<'a> {
    pub(crate) room: i64,
    pub(crate) kind: i64,
    pub(crate) basis: i64,
    pub(crate) user: UserId,
    pub(crate) by: Arc<Who>,
    pub(crate) body: &'a str,
    pub(crate) extra: Option<&'a str>,
}

/// A message as the event that it was.
pub(crate) fn said_event(row: SaidRow<'_>) -> Result<Event, RowError> {
    let (client_tags, joins, status) = said_rare(row.extra)?;
    Ok(Event::Said(Arc::new(Said {
        room: RoomId(u32::try_from(row.room).map_err(|_| RowError::Missing("room"))?),
        basis: u32::try_from(row.basis).map_err(|_| RowError::Missing("basis"))?,
        user: row.user,
        by: row.by,
        kind: say_kind(row.kind)?,
        text: row.body.into(),
        joins,
        client_tags,
        status,
        direct: None,
    })))
}

#[cfg(test)]
mod tests {
    use chinwag_core::chat::{Enforce, Party, Verifiers};
    use chinwag_core::event::{
        AccountChange, AccountRegistered, Act, Guard, Keeping, OperatorActed, Presence, Purged, Purging,
        ServerBanned, Setting, Tagged,
    };
    use chinwag_core::hooks::{Hook, HookWay, Hooking};
    use chinwag_core::ids::Number;
    use chinwag_core::numbers::Numbers;
    use chinwag_core::roles::Role;

    use super::*;

    #[test]
    fn kinds_in_questions_are_those_of_the_constants() {
        assert_eq!(kind::shown!(), format!("ev.kind <= {}", kind::SHOWN_MAX));
        assert_eq!(kind::said!(), format!("ev.kind <= {}", kind::STATUS_NOTICE));
    }

    #[test]
    fn whose_rooms_are_and_who_stays_comes_back_as_it_was() {
        let by =
            Arc::new(Who { nick: "ann".into(), user: "~ann".into(), host: "host".into(), account: None });
        let room = RoomId(7);
        let hook = |way| Arc::new(Hook { name: "ci".into(), by: "ann".into(), at_ms: 9, way });
        let hooked = |what| {
            Event::Hooked(Arc::new(chinwag_core::event::Hooked { room, basis: 1, by: Arc::clone(&by), what }))
        };
        let events = [
            Event::RoomKept {
                room,
                basis: 1,
                by: Arc::clone(&by),
                keeping: Keeping::Founder(Some("ann".into())),
            },
            Event::RoomKept {
                room,
                basis: 2,
                by: Arc::clone(&by),
                keeping: Keeping::Role { account: "bob".into(), mode: Some('o') },
            },
            Event::Invitation(Arc::new(chinwag_core::event::Invited {
                hash: "ab".repeat(32).into(),
                by: Arc::clone(&by),
                uses: 3,
                until_ms: 9,
            })),
            Event::RoomKept {
                room,
                basis: 3,
                by: Arc::clone(&by),
                keeping: Keeping::Invited {
                    number: 1,
                    hash: "ab".repeat(32).into(),
                    uses: 5,
                    until_ms: 9,
                    accounts: true,
                },
            },
            Event::RoomKept { room, basis: 4, by: Arc::clone(&by), keeping: Keeping::CameBy(1) },
            Event::RoomKept { room, basis: 5, by: Arc::clone(&by), keeping: Keeping::TakenBack(1) },
            Event::InvitationEnded { hash: "ab".repeat(32).into(), by: Arc::clone(&by) },
            hooked(Hooking::Made(hook(HookWay::In { hash: "ab".repeat(32).into() }))),
            hooked(Hooking::Made(hook(HookWay::Out {
                url: "https://example.org/".into(),
                key: "key".into(),
                after: Number(7),
            }))),
            hooked(Hooking::Removed("ci".into())),
            Event::Stays { account: "ann".into(), presence: None },
            Event::Stays {
                account: "ann".into(),
                presence: Some(Arc::new(Presence {
                    home: 1,
                    nick: "ann".into(),
                    user: "~ann".into(),
                    host: "host".into(),
                    realname: "Ann".into(),
                    rooms: vec![(room, "qo".into())],
                })),
            },
        ];
        for event in events {
            let (_, extra) = other(&event).expect("stored").expect("encodes");
            assert_eq!(other_event(Some(&extra), None).expect("decodes"), event, "{extra}");
        }
    }

    #[test]
    fn every_stored_event_that_is_no_message_comes_back_as_it_was() {
        let by = Arc::new(Who {
            nick: "ann".into(),
            user: "~ann".into(),
            host: "example.org".into(),
            account: Some("ann".into()),
        });
        let room = RoomId(7);
        let events = [
            Event::Opened { name: "#tea".into(), by: Arc::clone(&by), common: true },
            Event::Renewed { room, basis: 3, head: Number(9), by: Arc::clone(&by) },
            Event::TopicSet { room, basis: 4, by: Arc::clone(&by), topic: "caf\u{e9} \"quotes\"".into() },
            Event::ModesChanged {
                room,
                basis: 5,
                by: Arc::clone(&by),
                changes: vec![chinwag_core::event::ModeChange {
                    set: true,
                    mode: 'o',
                    arg: Some("bob".into()),
                    member: Some(UserId(u64::MAX)),
                    until_ms: Some(9),
                    reason: Some("loud".into()),
                }],
            },
            Event::Guarded { room, basis: 8, by: Arc::clone(&by), guard: Guard::Slow(Some(5)) },
            Event::Guarded { room, basis: 9, by: Arc::clone(&by), guard: Guard::Keep(Some(3_600)) },
            Event::Guarded { room, basis: 9, by: Arc::clone(&by), guard: Guard::OpenRecords(true) },
            Event::Expired(chinwag_core::event::Expired { room, upto: Number(7), position: 9 }),
            Event::Guarded { room, basis: 9, by: Arc::clone(&by), guard: Guard::Lockdown(None) },
            Event::MetadataSet(Arc::new(chinwag_core::event::MetadataSet {
                on: MetadataOn::Room { room, basis: 8 },
                by: Arc::clone(&by),
                answer: None,
                clear: false,
                changes: vec![("url".into(), Some("https://example.org".into())), ("x".into(), None)],
            })),
            Event::MetadataSet(Arc::new(chinwag_core::event::MetadataSet {
                on: MetadataOn::Account("Ann".into()),
                by: Arc::clone(&by),
                answer: None,
                clear: true,
                changes: Vec::new(),
            })),
            Event::RoomRenamed {
                room,
                basis: 7,
                by: Arc::clone(&by),
                old: Some("#tea".into()),
                name: "#coffee".into(),
                reason: "".into(),
            },
            Event::Kicked {
                room,
                basis: 6,
                by,
                member: UserId(1 << 60),
                nick: "bob".into(),
                reason: "".into(),
            },
        ];
        for event in events {
            let (_, extra) = other(&event).expect("stored").expect("encodes");
            assert_eq!(other_event(Some(&extra), None).expect("decodes"), event, "{extra}");
        }
    }

    #[test]
    fn every_stored_event_about_accounts_comes_back_as_it_was() {
        let verifiers =
            Some(Arc::new(Verifiers { argon2: "$argon2id$…".into(), scram: "SCRAM…".into() }));
        let account: Arc<str> = "Ann".into();
        let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
        let key = Arc::new(chinwag_core::keys::SshKey::parse(line).expect("a key"));
        let new = AccountRegistered {
            account: Arc::clone(&account),
            verifiers: verifiers.clone(),
            certificate: Some("ab12".into()),
            key: Some(Arc::clone(&key)),
            email: Some("ann@example.org".into()),
            code: Some("1234".into()),
            replaces: true,
            invitation: None,
        };
        let bare = AccountRegistered {
            verifiers: None,
            certificate: None,
            key: None,
            email: None,
            code: None,
            ..new.clone()
        };
        let changes = [
            AccountChange::Password(verifiers),
            AccountChange::Password(None),
            AccountChange::CertificateAdded("ab12".into()),
            AccountChange::CertificateRemoved("ab12".into()),
            AccountChange::KeyAdded { key: Arc::clone(&key), by: "ann".into() },
            AccountChange::KeyRemoved(key.fingerprint().into()),
            AccountChange::TokenMade(Arc::new(chinwag_core::tokens::Token {
                hash: "ab".repeat(32).into(),
                name: "ci".into(),
                scopes: chinwag_core::tokens::Scope::USUAL.into(),
                bot: Some("builds".into()),
                operator: None,
                at_ms: 9,
            })),
            AccountChange::TokenRevoked("ab".repeat(32).into()),
            AccountChange::Email(None),
            AccountChange::Setting(Setting::AlwaysOn(Some(true))),
            AccountChange::Setting(Setting::Multiclient(None)),
            AccountChange::Setting(Setting::Enforce(Some(Enforce::Strict))),
            AccountChange::Setting(Setting::Autoreplay(Some(3))),
            AccountChange::Verified,
            AccountChange::Owner { by: None },
            AccountChange::Owner { by: Some("ann".into()) },
            AccountChange::OwnerNoMore { by: "ann".into() },
        ];
        let changes =
            changes.into_iter().map(|change| Event::AccountChanged { account: Arc::clone(&account), change });
        let registered = [new, bare].map(|new| Event::AccountRegistered(Arc::new(new)));
        let dropped = Event::AccountDropped { account: Arc::clone(&account) };
        let by = Arc::new(Who { nick: "o".into(), user: "~o".into(), host: "h".into(), account: None });
        let (target, reason): (Arc<str>, Arc<str>) = ("192.0.2.0/24".into(), "spam".into());
        let banned =
            ServerBanned { target: Arc::clone(&target), by: Arc::clone(&by), reason, until_ms: Some(7) };
        let unbanned = Event::ServerUnbanned { target, by };
        let bans = [Event::ServerBanned(Arc::new(banned)), unbanned];
        for event in registered.into_iter().chain(changes).chain([dropped]).chain(bans) {
            let (_, extra) = other(&event).expect("stored").expect("encodes");
            assert_eq!(other_event(Some(&extra), None).expect("decodes"), event, "{extra}");
        }
    }

    #[test]
    fn whom_a_message_was_for_comes_back_and_what_no_version_wrote_is_refused() {
        let all = Role::ALL.into_iter().map(Status::To).chain([Status::Held]);
        for status in all {
            let extra = SaidExtra { v: EXTRA_VERSION, tags: None, joins: None, status: Some(status) };
            let text = serde_json::to_string(&extra).expect("encodes");
            assert_eq!(said_rare(Some(&text)).expect("decodes"), (None, None, Some(status)), "{text}");
        }
        assert_eq!(said_rare(Some(r#"{"v":1,"status":"@"}"#)).unwrap().2, Some(Status::To(Role::Operator)));
        assert!(said_rare(Some(r#"{"v":1,"status":"x"}"#)).is_err());
    }

    #[test]
    fn conversations_and_kept_tags_come_back_as_they_were() {
        let by =
            Who { nick: "ann".into(), user: "~ann".into(), host: "h".into(), account: Some("ann".into()) };
        let (room, by) = (RoomId(7), Arc::new(by));
        let events = [
            Event::ConversationOpened {
                between: Arc::new([
                    Party::Account { name: "ann".into(), since_ms: 7 },
                    Party::Guest { user: UserId(9), nick: "bob".into() },
                ]),
            },
            Event::Tagged(Arc::new(Tagged {
                room,
                basis: 2,
                user: UserId(5),
                by: Arc::clone(&by),
                client_tags: "+draft/persist;+x=y".into(),
                status: Some(Status::Held),
                direct: None,
            })),
        ];
        for event in events {
            let (_, extra) = other(&event).expect("stored").expect("encodes");
            assert_eq!(other_event(Some(&extra), None).expect("decodes"), event, "{extra}");
        }
    }

    #[test]
    fn what_is_done_to_messages_comes_back_as_it_was_and_its_text_is_kept_apart() {
        let by =
            Arc::new(Who { nick: "ann".into(), user: "~ann".into(), host: "host".into(), account: None });
        let done = |what| Amended {
            room: RoomId(7),
            basis: 3,
            number: Number(42),
            position: 99,
            of: "bob".into(),
            own: false,
            status: Some(Status::To(Role::Operator)),
            user: UserId(1 << 60),
            by: Arc::clone(&by),
            what,
            excerpt: None,
            tags: None,
        };
        for what in [
            Amendment::Edited { text: "the new text".into() },
            Amendment::Redacted { reason: None },
            Amendment::Redacted { reason: Some("spam".into()) },
            Amendment::Reacted { reaction: "\u{1f44d}".into(), set: true },
            Amendment::Pinned { set: false },
        ] {
            let before = done(what);
            let (extra, body) = amended(&before).expect("encodes");
            assert!(!extra.contains("the new text"), "{extra}");
            let after = other_event(Some(&extra), body).expect("decodes");
            assert_eq!(after, Event::Amended(Arc::new(before.clone())), "{extra}");
        }
        // What is shown to people at the moment is not kept.
        let shown = Amended { excerpt: Some("x".into()), ..done(Amendment::Pinned { set: true }) };
        assert!(!amended(&shown).expect("encodes").0.contains("excerpt"));
    }

    #[test]
    fn purges_and_what_operators_did_come_back_as_they_were() {
        let by =
            Arc::new(Who { nick: "ann".into(), user: "~ann".into(), host: "host".into(), account: None });
        let hidden = Purging::Hidden {
            whom: "a:eve".into(),
            since_ms: 9,
            reason: Some("spam".into()),
            numbers: Numbers::from(vec![(1, 3), (u64::MAX - 1, u64::MAX)]),
            positions: vec![7, 9],
            more: true,
        };
        let purges = [hidden, Purging::Undone, Purging::Final].map(|what| {
            let (room, basis, purge, user) = (RoomId(7), 3, 2, UserId(1 << 60));
            Event::Purged(Arc::new(Purged { room, basis, purge, user, by: Arc::clone(&by), what }))
        });
        let (whom, account): (Arc<str>, Arc<str>) = ("eve!~e@host".into(), "eve".into());
        let acts = [
            Act::Killed { whom: Arc::clone(&whom), reason: "enough".into() },
            Act::HostGiven { whom, host: "staff".into() },
            Act::Reread,
            Act::Opered,
            Act::OperRefused { name: "boss".into() },
            Act::AccountRegistered { account: Arc::clone(&account) },
            Act::PasswordSet { account: Arc::clone(&account) },
            Act::Erased {
                whom: "a:eve".into(),
                since_ms: 7,
                room: Some(RoomId(3)),
                place: Some("#tea".into()),
            },
            Act::AccountDropped { account },
            Act::InvitationMade { uses: 3, until_ms: 9 },
            Act::InvitationTakenBack { name: "1".into() },
        ];
        let acts = acts.map(|act| {
            let operator = (act != Act::Opered).then(|| "boss".into());
            Event::OperatorActed(Arc::new(OperatorActed { by: Arc::clone(&by), operator, act }))
        });
        for event in purges.into_iter().chain(acts) {
            let (_, extra) = other(&event).expect("stored").expect("encodes");
            assert_eq!(other_event(Some(&extra), None).expect("decodes"), event, "{extra}");
        }
    }

    #[test]
    fn a_newer_form_is_refused() {
        assert!(matches!(said_rare(Some(r#"{"v":2}"#)), Err(RowError::Newer(2))));
        let renewed = r#"{"v":2,"event":"renewed","room":1,"basis":0,"head":1,"by":{"nick":"a","user":"b","host":"c"}}"#;
        assert!(matches!(other_event(Some(renewed), None), Err(RowError::Newer(2))));
    }
}
