//! Whatever is flushed together: the bytes of each session are the same as when every single thing that happens
//! is a turn of its own. Thousands of random happenings, two nodes, one flushed always and one at random.

use std::sync::Arc;

use chinwag_core::chat::Room;
use chinwag_core::event::{Event, ModeChange, Passed, PassedTo, Said, SayKind, Status, Who};
use chinwag_core::ids::{RoomId, SessionId, SessionKey, UserId};
use chinwag_core::roles::Role;
use chinwag_log::memory::{Faults, Memory};
use chinwag_log::{Arrival, Entry, Keep, Key, Origin, Seq};

use super::world::World;

const CAPS: [&str; 6] = ["", "server-time", "message-tags server-time", "away-notify", "extended-join", ""];
const ROOMS: [&str; 3] = ["#a", "#b", "#c"];

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

struct Pair {
    single: World,
    joint: World,
    sessions: Vec<SessionId>,
    n: u64,
}

fn said(
    room: &Room,
    (user, by): (UserId, Arc<Who>),
    text: Arc<str>,
    client_tags: Option<Arc<str>>,
    status: Option<Status>,
) -> Event {
    let (room, basis, kind) = (room.id, room.rules, SayKind::Privmsg);
    let said = Said { room, basis, user, by, kind, text, joins: None, client_tags, status, direct: None };
    Event::Said(Arc::new(said))
}

impl Pair {
    fn new() -> Self {
        let world = || {
            let mut world = World::over(Memory::new(1, Faults::default()), 1);
            let sessions: Vec<SessionId> =
                CAPS.iter().enumerate().map(|(n, caps)| world.irc(&format!("m{n}"), caps)).collect();
            for room in ROOMS {
                for session in &sessions {
                    world.say(*session, &format!("JOIN {room}"));
                }
            }
            for session in &sessions {
                world.read(*session);
            }
            (world, sessions)
        };
        let ((single, sessions), (joint, others)) = (world(), world());
        assert_eq!(sessions, others);
        Pair { single, joint, sessions, n: 0 }
    }

    /// Something random that another node might have brought about.
    fn event(&mut self, dice: &mut Dice) -> Event {
        let chat = self.single.node.chat();
        let users: Vec<UserId> = chat.users().map(|user| user.id).collect();
        let user = users[dice.below(users.len())];
        let by = Arc::clone(&chat.user(user).unwrap().who);
        let name = ROOMS[dice.below(ROOMS.len())];
        let room = chat.room_by_name(name).unwrap();
        let (id, basis): (RoomId, u32) = (room.id, room.rules);
        let text: Arc<str> = format!("{}", self.n).into();
        let client_tags = (dice.below(4) == 0).then(|| Arc::from("+typing=done"));
        let kind = SayKind::Privmsg;
        match dice.below(13) {
            0 => Event::Joined { user, room: name.into(), key: None },
            1 => Event::Parted { user, room: id, reason: Some(text) },
            2 => Event::Renamed { user, nick: format!("n{}", self.n).into() },
            3 => {
                let message = (dice.below(2) == 0).then_some(text);
                Event::Away { user, session: SessionKey(1), message }
            }
            4 => {
                let target = users[dice.below(users.len())];
                let nick = Arc::clone(&chat.user(target).unwrap().who.nick);
                let to = PassedTo::User { user: target, nick };
                Event::Passed(Arc::new(Passed {
                    user,
                    by,
                    to,
                    kind: Some(kind),
                    text,
                    joins: None,
                    client_tags,
                }))
            }
            5 => {
                let to = PassedTo::Room { room: id, status: None };
                Event::Passed(Arc::new(Passed {
                    user,
                    by,
                    to,
                    kind: None,
                    text: "".into(),
                    joins: None,
                    client_tags,
                }))
            }
            6 => Event::TopicSet { room: id, basis, by, topic: text },
            7 => {
                let nick = Arc::clone(&by.nick);
                Event::Kicked { room: id, basis, by, member: user, nick, reason: text }
            }
            8 => said(room, (user, by), text, client_tags, Some(Status::To(Role::Operator))),
            9 => {
                let mode = ['u', 'v', 'h'][dice.below(3)];
                let (arg, member) = if mode == 'u' { (None, None) } else { (Some(text), Some(user)) };
                let changes =
                    vec![ModeChange { set: dice.below(2) == 0, mode, arg, member, ..ModeChange::default() }];
                Event::ModesChanged { room: id, basis, by, changes }
            }
            _ => said(room, (user, by), text, client_tags, None),
        }
    }

    fn step(&mut self, dice: &mut Dice) {
        self.n += 1;
        let now = 1_000 + self.n;
        if dice.below(8) == 0 {
            let session = self.sessions[dice.below(self.sessions.len())];
            let line =
                ["PING x", "CAP REQ server-time", "CAP REQ -server-time", "CAP REQ away-notify", "NAMES #a"];
            let line = format!("{}\r\n", line[dice.below(line.len())]);
            for world in [&mut self.single, &mut self.joint] {
                let _ = world.node.receive(session, line.as_bytes(), now);
            }
        } else {
            let event = self.event(dice);
            let key = Key { origin: Origin(9), n: self.n };
            let stored = u64::from(event.keep() == Keep::Stored);
            let entry = Entry { seq: Seq(100 + self.n * stored), key, at_ms: now, keep: event.keep(), event };
            for world in [&mut self.single, &mut self.joint] {
                world.node.arrived(Arrival::Entries(vec![entry.clone()]), now);
            }
        }
        self.single.node.flush(&mut self.single.out);
    }
}

#[test]
fn what_is_flushed_together_is_what_is_flushed_one_by_one() {
    for seed in 1..=40 {
        let mut dice = Dice(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15));
        let mut pair = Pair::new();
        for _ in 0..300 {
            pair.step(&mut dice);
            if dice.below(25) == 0 {
                pair.joint.node.flush(&mut pair.joint.out);
            }
        }
        pair.joint.node.flush(&mut pair.joint.out);
        for session in pair.sessions.clone() {
            let (single, joint) = (pair.single.lines(session), pair.joint.lines(session));
            let first = single.iter().zip(&joint).position(|(one, other)| one != other);
            assert_eq!((single.len(), first), (joint.len(), None), "seed {seed}, {session:?}");
            assert!(single.len() > 20, "seed {seed}, {session:?}: only {} lines", single.len());
        }
    }
}
