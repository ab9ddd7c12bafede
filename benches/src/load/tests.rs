//! The check must find what it is there for: a message that is lost, twice, changed, or in another order.

use super::*;

const SHAPE: Shape = Shape { senders: 2, window: 2, members: 4, rooms: 1 };

struct World {
    load: Load,
    crowd: Crowd,
    /// Keeps the callers' connections open.
    _listener: std::net::TcpListener,
}

/// Four members, two messages of each of the two senders under way.
fn world() -> World {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback is there");
    let mut crowd = Crowd::new(listener.local_addr().expect("it is bound")).expect("epoll is there");
    let mut load = Load::new(Kind::Inspircd, SHAPE);
    for _ in 0..SHAPE.callers() {
        crowd.connect().expect("the backlog takes four");
    }
    for sender in 0..SHAPE.senders {
        load.send(0, sender, 2, Instant::now(), &mut crowd).expect("the socket takes two lines");
    }
    World { load, crowd, _listener: listener }
}

/// What a member is sent for message `number` of `sender`.
fn said(sender: usize, number: u64) -> Vec<u8> {
    let caller = sender * 2;
    let mut sender = Sender::new("#r000", sender, caller);
    sender.number(number);
    [format!(":{}!u@h ", nick(caller)).as_bytes(), &sender.line].concat()
}

fn all() -> Vec<u8> {
    [said(0, 0), said(1, 0), said(1, 1), said(0, 1)].concat()
}

impl World {
    fn give(&mut self, member: usize, bytes: &[u8]) -> Result<()> {
        self.load.receive(member, bytes, &mut self.crowd.links[member])
    }

    fn is_complete(&self) -> bool {
        self.load.rooms[0].is_complete()
    }
}

#[test]
fn every_cut_of_the_same_bytes_is_complete() {
    let all = all();
    for cut in 1..all.len() {
        let mut world = world();
        for member in 0..4 {
            assert!(!world.is_complete());
            // Each member is cut elsewhere, so that who is ahead changes in the middle of lines.
            let cut = (cut + member * 37) % all.len();
            world.give(member, &all[..cut]).expect("right so far");
        }
        for member in 0..4 {
            let cut = (cut + member * 37) % all.len();
            world.give(member, &all[cut..]).expect("right to the end");
        }
        assert!(world.is_complete(), "{}", world.load.missing());
        assert_eq!(world.load.delivered(), 16);
        assert_eq!(world.load.to_the_last.len(), 4);
    }
}

#[test]
fn lines_that_are_not_everybodys_are_left_out() {
    for noise in ["PING x\r\n", ":b00000!u@h JOIN #r000\r\n", ":server NOTICE b00001 :hello\r\n"] {
        for cut in [0, 3, 300] {
            let mut world = world();
            world.give(0, &all()).expect("right");
            let with_noise = [&said(0, 0), noise.as_bytes(), &all()[said(0, 0).len()..]].concat();
            for member in 1..4 {
                world.give(member, &with_noise[..cut]).expect("right so far");
                world.give(member, &with_noise[cut..]).expect("right to the end");
            }
            assert!(world.is_complete(), "{noise:?} cut at {cut}: {}", world.load.missing());
        }
    }
}

#[test]
fn a_lost_message_is_found() {
    let mut lost_by_all = world();
    for member in 0..4 {
        lost_by_all.give(member, &all()[..all().len() - said(0, 1).len()]).expect("right so far");
    }
    assert!(!lost_by_all.is_complete());
    let mut lost_by_one = world();
    lost_by_one.give(0, &all()).expect("right");
    assert!(lost_by_one.give(1, &[said(0, 0), said(1, 1)].concat()).is_err());
}

#[test]
fn a_repeated_message_is_found() {
    let mut by_the_first = world();
    assert!(by_the_first.give(0, &[said(0, 0), said(0, 0)].concat()).is_err());
    let mut by_another = world();
    by_another.give(0, &all()).expect("right");
    assert!(by_another.give(1, &[said(0, 0), said(0, 0)].concat()).is_err());
    assert!(by_another.give(2, &[all(), said(0, 1)].concat()).is_err());
}

#[test]
fn another_order_and_other_bytes_are_found() {
    let mut order = world();
    order.give(0, &all()).expect("right");
    assert!(order.give(1, &[said(1, 0), said(0, 0)].concat()).is_err());
    let mut bytes = world();
    let mut changed = said(0, 0);
    let last = changed.len() - 3;
    changed[last] = b'y';
    assert!(bytes.give(0, &changed).is_err());
    let mut source = world();
    let stolen = [b":b00001!u@h ", &said(0, 0)[12..]].concat();
    assert!(source.give(0, &stolen).is_err());
}
