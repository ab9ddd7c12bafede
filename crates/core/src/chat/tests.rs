//! What applying does whatever came before: the same everywhere, once, and only under the rules of the decision.

use std::sync::Arc;

use chinwag_log::{Entry, Keep, Key, Origin, Seq};
use chinwag_wire::msgid::{MsgId, Opened};

use super::Chat;
use crate::effect::{Effect, Effects, To};
use crate::event::{Arrived, Event, ModeChange, Said, SayKind, Who};
use crate::ids::{Number, RoomId, SessionKey, UserId};
use crate::line::{Line, Text};
use crate::scene::{KEY, Scene, here};

const TEA: RoomId = RoomId(1);

/// A source of numbers that look random (a linear congruential generator, the upper bits).
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % count
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

/// Somebody asks for something.
fn random_request(dice: &mut Dice) -> String {
    let room = dice.of(&["#tea", "#cake", "#lobby", "#None"]);
    let nick = dice.of(&["ann", "bob", "cyd", "dan"]);
    match dice.below(14) {
        0..=3 => format!("JOIN {room},#tea key"),
        4 => format!("PART {room} :bye"),
        5..=6 => format!("PRIVMSG {room},{nick} :hello"),
        7 => format!("NOTICE @{room} :hello"),
        8 => format!("KICK {room} {nick} :out"),
        9 => format!("TOPIC {room} :{nick} was here"),
        10 => format!("INVITE {nick} {room}"),
        11 => format!("AWAY {}", dice.of(&["", ":out"])),
        _ => {
            let sign = dice.of(&["+", "-"]);
            let mode = dice
                .of(&["i", "m", "n", "s", "t", "k key", "l 2", "b dan", "b cyd", "q", "a", "o", "h", "v"]);
            format!("MODE {room} {sign}{mode} {nick}")
        }
    }
}

/// A chat after many random requests.
fn random_scene(seed: u64) -> Scene {
    let mut dice = Dice(seed);
    let mut scene = Scene::of(["ann", "bob", "cyd", "dan"]);
    for _ in 0..300 {
        scene.now_ms += dice.below(2000) as u64;
        let asker = dice.of(&["ann", "bob", "cyd", "dan"]);
        let line = random_request(&mut dice);
        let _ = scene.asks(asker, &line);
    }
    scene
}

#[test]
fn every_node_comes_to_the_same_state_and_skips_what_comes_again() {
    for seed in 0..50 {
        let scene = random_scene(seed);
        let mut dice = Dice(seed + 1000);
        let mut other = Chat::new(KEY);
        let mut effects = Effects::new();
        for (at, entry) in scene.log.iter().enumerate() {
            assert!(other.apply(entry, &mut effects));
            let before = (other.state_hash(), effects.len());
            assert!(!other.apply(&scene.log[dice.below(at + 1)], &mut effects));
            assert_eq!((other.state_hash(), effects.len()), before, "seed {seed}, entry {at}");
        }
        assert!(scene.log.iter().any(|entry| entry.keep == Keep::Stored));
        assert_eq!(other.state_hash(), scene.chat.state_hash(), "seed {seed}");
    }
}

#[test]
fn a_restart_brings_back_what_is_stored() {
    let mut renewed = 0;
    for seed in 0..50 {
        let scene = random_scene(seed);
        let mut restored = Chat::new(KEY);
        let mut effects = Effects::new();
        for entry in scene.log.iter().filter(|entry| entry.keep == Keep::Stored) {
            renewed += usize::from(matches!(entry.event, Event::Renewed { .. }));
            if !matches!(entry.event, Event::Said(_)) {
                assert!(restored.apply(entry, &mut effects));
            }
        }
        for room in scene.chat.rooms() {
            restored.set_head(room.id, room.head, room.last_ms);
        }
        assert!(!effects.contains(&Effect::Stale), "seed {seed}");
        assert_eq!(restored.stored_hash(), scene.chat.stored_hash(), "seed {seed}");
        assert_ne!(restored.state_hash(), scene.chat.state_hash(), "nobody is here any more");
        assert_eq!(restored.users().len(), 0);
    }
    assert!(renewed > 0, "the seeds reach rooms that start over");
}

fn said(scene: &Scene, basis: u32, text: &str) -> Event {
    let by = Arc::clone(&scene.chat.user_by_nick("bob").unwrap().who);
    Event::Said(Arc::new(Said {
        room: TEA,
        basis,
        user: scene.user("bob"),
        by,
        kind: SayKind::Privmsg,
        text: text.into(),
        joins: None,
        client_tags: None,
        status: None,
        direct: None,
    }))
}

fn tea() -> Scene {
    let mut scene = Scene::of(["ann", "bob"]);
    scene.all([("ann", "JOIN #tea"), ("bob", "JOIN #tea")]);
    scene
}

/// The only line among some effects.
#[track_caller]
fn line(effects: &Effects) -> &Line {
    let [Effect::Send { line, .. }] = &effects[..] else { panic!("{effects:?}") };
    line
}

#[test]
fn messages_are_numbered_and_their_times_never_go_back() {
    let mut scene = tea();
    for (number, at_ms, shown) in
        [(1, 2_000_000, 2_000_000), (2, 1_500_000, 2_000_000), (3, 2_000_001, 2_000_001)]
    {
        scene.now_ms = at_ms;
        let event = said(&scene, 0, "hello");
        let effects = scene.happens(event);
        let meta = &line(&effects).meta;
        assert_eq!((meta.number, meta.at_ms), (Number(number), Some(shown)));
        assert_eq!(meta.msgid.unwrap().open(&KEY), Some(Opened::Stored(scene.log.len() as u64)));
        assert_eq!(meta.msgid, Some(MsgId::stored(&KEY, scene.log.len() as u64)));
    }
    assert_eq!(scene.chat.head(TEA), Number(3));
}

#[test]
fn what_was_decided_under_other_rules_is_stale() {
    let mut scene = tea();
    scene.all([("ann", "MODE #tea +m"), ("ann", "MODE #tea +v bob")]);
    let before = scene.chat.stored_hash();
    let by = Arc::clone(&scene.chat.user_by_nick("ann").unwrap().who);
    let change = ModeChange { set: true, mode: 'i', ..ModeChange::default() };
    let (member, nick, reason): (_, Arc<str>, Arc<str>) = (scene.user("bob"), "bob".into(), "out".into());
    for event in [
        said(&scene, 1, "hello"),
        Event::TopicSet { room: TEA, basis: 1, by: Arc::clone(&by), topic: "x".into() },
        Event::ModesChanged { room: TEA, basis: 1, by: Arc::clone(&by), changes: vec![change] },
        Event::Renewed { room: TEA, basis: 1, head: Number(0), by: Arc::clone(&by) },
        Event::Kicked { room: TEA, basis: 1, by, member, nick, reason },
    ] {
        assert_eq!(scene.happens(event.clone()), [Effect::Stale], "{event:?}");
        assert_eq!(scene.chat.stored_hash(), before);
        let again = scene.chat.redecide(event).expect("the rules allow it still");
        let effects = scene.would_happen(again);
        assert!(!effects.contains(&Effect::Stale));
    }
}

#[test]
fn deciding_again_may_be_a_refusal() {
    let mut scene = tea();
    scene.all([("ann", "MODE #tea +m")]);
    let refused = scene.chat.redecide(said(&scene, 0, "hello")).unwrap_err();
    assert_eq!(refused.params[0], Text::from(&scene.chat.room(TEA).unwrap().name));
    let by = Arc::clone(&scene.chat.user_by_nick("bob").unwrap().who);
    let topic = Event::TopicSet { room: TEA, basis: 0, by, topic: "x".into() };
    assert!(scene.chat.redecide(topic).is_err());
    scene.all([("ann", "MODE #tea +v bob")]);
    assert!(scene.chat.redecide(said(&scene, 0, "hello")).is_ok());
    scene.all([("bob", "QUIT")]);
    let by = Arc::clone(&scene.chat.user_by_nick("ann").unwrap().who);
    let kick = Event::Kicked {
        room: TEA,
        basis: 0,
        by,
        member: UserId::new(0, 2),
        nick: "bob".into(),
        reason: "out".into(),
    };
    assert!(scene.chat.redecide(kick).is_err());
}

#[test]
fn entering_is_checked_again() {
    let mut scene = tea();
    scene.enters("cyd");
    scene.all([("ann", "MODE #tea +k key")]);
    let (user, room) = (scene.user("cyd"), Arc::<str>::from("#tea"));
    for (key, numeric) in [(None, 475), (Some("wrong"), 475)] {
        let key = key.map(Arc::from);
        let effects = scene.happens(Event::Joined { user, room: Arc::clone(&room), key });
        assert_eq!(
            crate::line::Command::Numeric(chinwag_wire::numeric::Numeric(numeric)),
            line(&effects).command
        );
    }
    let effects = scene.happens(Event::Joined { user, room: "#none".into(), key: None });
    assert_eq!(line(&effects).params[0].as_str(), "#none");
    let effects = scene.happens(Event::Joined { user, room, key: Some("key".into()) });
    assert_eq!(effects[0], Effect::Entered(TEA, user));
}

#[test]
fn a_nickname_taken_meanwhile_sends_back_to_the_greeting() {
    let mut scene = tea();
    let who = Arc::new(Who { nick: "ANN".into(), user: "~u".into(), host: "host".into(), account: None });
    let user = UserId::new(0, 77);
    let session = SessionKey(user.0);
    let arrived = Arrived {
        user,
        who,
        realname: "".into(),
        door: "irc",
        from: here(),
        session,
        away: None,
        metadata: Default::default(),
        modes: Default::default(),
    };
    let effects = scene.happens(Event::Arrived(Arc::new(arrived)));
    assert!(
        matches!(&effects[..], [Effect::Send { to: To::Asker, .. }, Effect::EntryRefused]),
        "{effects:?}"
    );
    assert!(scene.chat.user(user).is_none());
    let bob = scene.user("bob");
    let effects = scene.happens(Event::Renamed { user: bob, nick: "Ann".into() });
    assert_eq!(line(&effects).params[0].as_str(), "Ann");
    assert_eq!(&*scene.chat.user(bob).unwrap().who.nick, "bob");
}

#[test]
fn a_node_that_starts_again_has_lost_its_people_and_no_others() {
    let mut scene = tea();
    let who = Arc::new(Who { nick: "far".into(), user: "~u".into(), host: "host".into(), account: None });
    let user = UserId::new(1, 1);
    let session = SessionKey(user.0);
    let arrived = Arrived {
        user,
        who,
        realname: "".into(),
        door: "irc",
        from: here(),
        session,
        away: None,
        metadata: Default::default(),
        modes: Default::default(),
    };
    scene.happens(Event::Arrived(Arc::new(arrived)));
    scene.happens(Event::Joined { user, room: "#tea".into(), key: None });
    let key = |n| Key { origin: Origin(1), n };
    let started =
        |n| Entry { seq: Seq(9), key: key(n), at_ms: 0, keep: Keep::Passing, event: Event::NodeStarted };
    let mut effects = Effects::new();
    assert!(scene.chat.apply(&started(1), &mut effects));
    assert!(scene.chat.user(user).is_none() && scene.chat.users().len() == 2);
    assert_eq!(scene.chat.rooms_of(user), [TEA], "the rooms where it is told");
    assert_eq!(effects.len(), 4, "{effects:?}");
    assert_eq!(scene.chat.room(TEA).unwrap().members.len(), 2);
    scene.happens(Event::NodeStarted);
    assert!(scene.chat.rooms_of(user).is_empty());
    assert_eq!(scene.chat.users().len(), 0);
}

#[test]
fn a_user_stays_until_the_last_session_ends() {
    let mut scene = tea();
    let user = scene.user("bob");
    let phone = SessionKey(70);
    let attached = Event::Attached { user, account: None, session: phone, away: None };
    assert_eq!(scene.happens(attached), [Effect::Registered(user)]);
    let detached =
        |session, reason: &str| Event::Detached { user, session, reason: reason.into(), stays: false };
    assert!(scene.happens(detached(phone, "phone")).is_empty());
    let laptop = SessionKey(user.0);
    let effects = scene.happens(detached(laptop, "laptop"));
    assert_eq!(effects.last(), Some(&Effect::Gone(user, "laptop".into())));
    assert!(scene.happens(detached(laptop, "again")).is_empty());
}

#[test]
fn a_user_is_away_while_all_sessions_are() {
    let mut scene = tea();
    let user = scene.user("bob");
    let (laptop, phone) = (SessionKey(user.0), SessionKey(70));
    let away = |scene: &Scene| scene.chat.user(user).unwrap().away.as_deref().map(str::to_owned);
    let says =
        |session, message: Option<&str>| Event::Away { user, session, message: message.map(Into::into) };
    // A client that came by itself says so at once, and nobody takes its user for absent.
    scene.happens(Event::Attached { user, account: None, session: phone, away: Some("*".into()) });
    assert_eq!(away(&scene), None);
    let effects = scene.happens(says(laptop, Some("lunch")));
    assert_eq!(effects.len(), 2, "the reply, and a word to the neighbours: {effects:?}");
    assert_eq!(away(&scene).as_deref(), Some("lunch"));
    // What says nothing does not take the place of what somebody wrote, newer or not.
    assert_eq!(scene.happens(says(phone, Some("*"))).len(), 1);
    assert_eq!(away(&scene).as_deref(), Some("lunch"));
    scene.happens(says(phone, Some("asleep")));
    assert_eq!(away(&scene).as_deref(), Some("asleep"));
    scene.happens(Event::Detached { user, session: phone, reason: "".into(), stays: false });
    assert_eq!(away(&scene).as_deref(), Some("lunch"));
    scene.happens(Event::Attached { user, account: None, session: phone, away: None });
    assert_eq!(away(&scene), None);
    scene.happens(Event::Detached { user, session: phone, reason: "".into(), stays: false });
    assert_eq!(away(&scene).as_deref(), Some("lunch"), "the one that is left is still away");
}

#[test]
fn putting_out_who_has_left_changes_the_rules_all_the_same() {
    let mut scene = tea();
    let kick = scene.decide("ann", "KICK #tea bob").events.remove(0);
    scene.all([("bob", "PART #tea")]);
    let effects = scene.happens(kick);
    assert_eq!(line(&effects).params[0].as_str(), "bob");
    assert_eq!(scene.chat.room(TEA).unwrap().rules, 1);
}

#[test]
fn an_invitation_ends_with_who_was_invited() {
    let mut scene = tea();
    scene.enters("cyd");
    scene.all([("ann", "INVITE cyd #tea"), ("cyd", "QUIT")]);
    assert!(scene.chat.room(TEA).unwrap().invites.is_empty());
}

#[test]
fn a_room_renewed_while_somebody_comes_in_tells_them() {
    let mut scene = tea();
    scene.all([("ann", "MODE #tea +ik-t key"), ("ann", "MODE #tea +b x")]);
    let by = Arc::clone(&scene.chat.user_by_nick("bob").unwrap().who);
    let effects = scene.happens(Event::Renewed { room: TEA, basis: 2, head: Number(0), by });
    let params: Vec<&str> = line(&effects).params.iter().map(Text::as_str).collect();
    assert_eq!(params, ["#tea", "-i+t-kb", "key", "x!*@*"]);
}

#[test]
fn members_are_found_in_rooms_of_many_and_of_few() {
    let mut scene =
        Scene::of(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"]);
    for nick in ["c", "a", "q", "p"] {
        scene.all([(nick, "JOIN #many")]);
    }
    scene.all([("p", "JOIN #few"), ("b", "JOIN #few")]);
    for (name, expected) in [("#many", &["a", "c", "p", "q"][..]), ("#few", &["b", "p"])] {
        let room = scene.chat.room_by_name(name).unwrap();
        let found: Vec<&str> = scene.chat.members(room).map(|(_, user)| &*user.who.nick).collect();
        assert_eq!(found, expected);
        assert!(scene.chat.members(room).all(|(member, user)| member.user == user.id));
    }
}

#[test]
fn rooms_that_everybody_left_are_not_looked_through_again() {
    for seed in 0..50 {
        let mut scene = random_scene(seed);
        for nick in ["", "ann", "bob", "cyd", "dan"] {
            if !nick.is_empty() {
                let _ = scene.asks(nick, "QUIT");
            }
            let alive: Vec<_> = scene.chat.rooms_alive().map(|room| room.id).collect();
            let occupied = scene.chat.rooms().filter(|room| room.common || !room.members.is_empty());
            assert_eq!(alive, occupied.map(|room| room.id).collect::<Vec<_>>(), "seed {seed}, {nick}");
        }
        assert!(scene.chat.rooms_alive().all(|room| room.common), "seed {seed}");
    }
}

#[test]
fn a_room_is_renamed_unless_the_name_was_taken_meanwhile() {
    let mut scene = tea();
    let by = Arc::clone(&scene.chat.user_by_nick("ann").unwrap().who);
    let basis = scene.chat.room(TEA).unwrap().rules;
    let renamed = |basis, name: &str| Event::RoomRenamed {
        room: TEA,
        basis,
        by: Arc::clone(&by),
        old: Some("#tea".into()),
        name: name.into(),
        reason: "".into(),
    };
    let refused = |effects: &Effects| {
        effects.iter().any(|effect| matches!(effect, Effect::Send { line, .. } if line.params[1].as_str() == "CHANNEL_NAME_IN_USE"))
    };
    scene.happens(Event::Opened { name: "#coffee".into(), by: Arc::clone(&by), common: false });
    let effects = scene.happens(renamed(basis, "#Coffee"));
    assert!(refused(&effects), "{effects:?}");
    assert_eq!(scene.happens(renamed(basis + 1, "#milk")), [Effect::Stale]);
    let Ok(again) = scene.chat.redecide(renamed(basis + 1, "#milk")) else { panic!("ann may") };
    let effects = scene.happens(again);
    assert!(
        matches!(&effects[..], [Effect::RoomRenamed { room: TEA, old, .. }] if **old == *"#tea"),
        "{effects:?}"
    );
    assert!(scene.chat.room_by_name("#tea").is_none());
    assert_eq!(scene.chat.room_by_name("#MILK").unwrap().id, TEA);
    assert_eq!(scene.chat.room(TEA).unwrap().members.len(), 2);
    // What is said under the old rules' number still counts: a name decides nothing.
    assert_eq!(scene.chat.room(TEA).unwrap().rules, basis);
}

#[test]
fn what_is_relayed_keeps_its_name_when_it_is_decided_again() {
    let mut scene = tea();
    let Some(Event::Said(said)) = scene.decide("ann", "RELAYMSG #tea smt/discord :hi").events.pop() else {
        panic!("ann is an operator")
    };
    assert!(said.relayed());
    scene.all([("ann", "MODE #tea +m")]);
    assert_eq!(scene.happens(Event::Said(Arc::clone(&said))), [Effect::Stale]);
    let Ok(Event::Said(again)) = scene.chat.redecide(Event::Said(said)) else { panic!("ann still may") };
    assert_eq!(&*again.by.nick, "smt/discord");
    scene.all([("ann", "MODE #tea -o ann")]);
    assert!(scene.chat.redecide(Event::Said(again)).is_err());
}
