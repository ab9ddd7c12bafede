//! A network with a seed between clients and a world: bytes in pieces, cuts in the middle, and servers that do not notice
//! at once.

use chinwag_client::Client;
use chinwag_core::session::Door;
use chinwag_testkit::seeds::Dice;
use chinwag_testkit::world::{self, World};

/// Somebody with a client, and the link it has.
pub struct Person {
    pub client: Client,
    link: Option<world::Client>,
    /// On the way to the server, and back.
    there: Vec<u8>,
    back: Vec<u8>,
}

/// The world, the people, and what is between them.
pub struct Network {
    pub world: World,
    pub people: Vec<Person>,
    /// How many links were cut.
    pub cuts: u32,
    /// Sessions of which the server does not know yet that nobody is there any more.
    ghosts: Vec<world::Client>,
    dice: Dice,
}

impl Network {
    pub fn new(world: World, seed: u64) -> Network {
        Network { world, people: Vec::new(), cuts: 0, ghosts: Vec::new(), dice: Dice::new(seed ^ 0xc0de) }
    }

    pub fn now(&self) -> u64 {
        self.world.now_ms()
    }

    /// Makes an account of this name with the password `sesame`.
    pub fn register(&mut self, name: &str) {
        // A log that stores nothing for a while refuses it: then it is asked again.
        for _ in 0..20 {
            let session = self.world.open(0, Door::Irc);
            for line in
                [&format!("NICK {name}"), &format!("USER {name} 0 * :{name}"), "REGISTER * * sesame", "QUIT"]
            {
                self.world.send(session, format!("{line}\r\n").as_bytes());
                self.world.pass(10);
            }
            let heard = String::from_utf8_lossy(&self.world.take(session)).into_owned();
            self.world.cut(session);
            self.world.pass(1_000);
            if heard.contains("REGISTER SUCCESS") {
                return;
            }
        }
        panic!("{name} could not be registered");
    }

    pub fn add(&mut self, client: Client) {
        self.people.push(Person { client, link: None, there: Vec::new(), back: Vec::new() });
    }

    /// A step in which all may go wrong.
    pub fn rough(&mut self) {
        for who in 0..self.people.len() {
            self.connect(who);
            self.carry(who, true);
            if self.people[who].link.is_some() && self.dice.hits(120) {
                self.cut(who);
            }
        }
        if self.dice.hits(100) {
            self.forget_ghosts();
        }
        if self.dice.hits(3) {
            self.crash();
        }
        let millis = if self.dice.hits(100) { self.dice.among(500..8_000) } else { self.dice.among(0..40) };
        self.world.pass(millis);
        self.tick();
    }

    /// A step in which all goes well.
    pub fn smooth(&mut self, millis: u64) {
        self.forget_ghosts();
        for _ in 0..4 {
            for who in 0..self.people.len() {
                self.connect(who);
                self.carry(who, false);
            }
            self.world.settle();
        }
        self.world.pass(millis);
        self.tick();
    }

    fn tick(&mut self) {
        let now = self.now();
        for person in &mut self.people {
            if person.client.wake_at().is_some_and(|at_ms| at_ms <= now) {
                person.client.tick(now);
            }
            // Nobody is asked: whoever is refused comes again.
            if matches!(person.client.link(), chinwag_client::Link::Refused { .. }) && person.link.is_none() {
                person.client.connect();
            }
        }
    }

    fn connect(&mut self, who: usize) {
        let now = self.now();
        let person = &mut self.people[who];
        if person.link.is_none() && person.client.wants_link(now) {
            person.link = Some(self.world.open(0, Door::Irc));
            (person.there, person.back) = (Vec::new(), Vec::new());
            person.client.opened(now);
        }
    }

    /// Carries bytes both ways: some of them, or all.
    fn carry(&mut self, who: usize, rough: bool) {
        let now = self.now();
        let person = &mut self.people[who];
        let Some(link) = person.link else { return };
        person.there.extend(person.client.output());
        person.back.extend(self.world.take(link));
        let mut part = |len: usize| if rough { self.dice.among(0..len as u64 + 1) as usize } else { len };
        let (there, back) = (part(person.there.len()), part(person.back.len()));
        let bytes: Vec<u8> = person.there.drain(..there).collect();
        if !bytes.is_empty() {
            self.world.send(link, &bytes);
        }
        let bytes: Vec<u8> = person.back.drain(..back).collect();
        if !bytes.is_empty() {
            person.client.receive(&bytes, now);
        }
        let ended = self.world.is_closed(link) && person.back.is_empty();
        if ended || person.client.wants_close() {
            person.there.extend(person.client.output());
            self.world.send(link, &person.there);
            self.end(who, "The server closed the connection");
        }
    }

    /// The link breaks, wherever it is. What was on the way is lost.
    fn cut(&mut self, who: usize) {
        self.cuts += 1;
        self.carry(who, true);
        let Some(link) = self.people[who].link.take() else { return };
        let now = self.now();
        if self.dice.hits(300) {
            self.ghosts.push(link);
            self.people[who].client.lost("The link was cut", now);
        } else {
            self.world.cut(link);
            self.people[who].client.closed("The link was cut", now);
        }
    }

    fn end(&mut self, who: usize, why: &str) {
        let now = self.now();
        if let Some(link) = self.people[who].link.take() {
            self.world.cut(link);
            self.people[who].client.closed(why, now);
        }
    }

    /// The server notices who is gone.
    fn forget_ghosts(&mut self) {
        for ghost in std::mem::take(&mut self.ghosts) {
            self.world.cut(ghost);
        }
    }

    /// The server is gone from one moment to the next, and starts again.
    fn crash(&mut self) {
        self.world.crash(0);
        self.ghosts.clear();
        for who in 0..self.people.len() {
            if self.people[who].link.is_some() {
                self.cuts += 1;
                self.end(who, "The server is gone");
            }
        }
    }
}
