//! The servers of one `join`: which client has which socket, and what is remembered of each.

use std::path::PathBuf;
use std::time::Duration;

use chinwag_client::{BufferKind, Client, Link, Login, Millis, Profile, Secret};
use chinwag_tui::App;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::pipe::{News, Pipe};
use crate::cli::JoinArgs;
use crate::known::Known;
use crate::link::{Target, invitation};

/// News that wait to be taken; more, and the sockets wait.
const NEWS_MAX: usize = 64;
/// When bytes are offered again that a socket's queue had no room for.
const OFFER_AGAIN: Duration = Duration::from_millis(50);
/// The room of those who name none and were in none.
const LOBBY: &str = "#lobby";

type Told = (usize, u64, News);

/// One server.
struct Server {
    target: Target,
    /// The code of an invitation to it, given with the address.
    invitation: Option<Secret>,
    pipe: Option<Pipe>,
    /// Counts connections: news of old ones are passed over.
    number: u64,
}

/// All of them.
pub(super) struct Servers {
    servers: Vec<Server>,
    known: Known,
    file: Option<PathBuf>,
    rooms: Vec<String>,
    nick: Option<String>,
    login: Option<Login>,
    sender: mpsc::Sender<Told>,
    receiver: mpsc::Receiver<Told>,
    /// A socket's queue was full.
    full: bool,
}

impl Servers {
    pub(super) fn new(
        targets: Vec<Target>,
        args: &JoinArgs,
        login: Option<Login>,
        known: Known,
        file: Option<PathBuf>,
    ) -> Servers {
        let (sender, receiver) = mpsc::channel(NEWS_MAX);
        // A code without a link is for the server that is named, or the first of them.
        let first = args.invitation.as_deref();
        let links = args.addresses.iter().map(|address| invitation(address)).chain(std::iter::repeat(None));
        let codes = links.zip(std::iter::once(first).chain(std::iter::repeat(None)));
        let server = |(target, (link, code)): (Target, (Option<&str>, Option<&str>))| {
            let invitation = link.or(code).map(Secret::new);
            Server { target, invitation, pipe: None, number: 0 }
        };
        Servers {
            servers: targets.into_iter().zip(codes).map(server).collect(),
            known,
            file,
            rooms: args.rooms.iter().map(|room| rooms_name(room)).collect(),
            // Who has an account and says no other name goes by that.
            nick: args.nick.clone().or_else(|| args.proof.account.clone()),
            login,
            sender,
            receiver,
            full: false,
        }
    }

    /// Adds the clients, or asks for a nickname first.
    pub(super) fn begin(&mut self, app: &mut App) {
        let known = |server: &Server| self.known.nick(&server.target.to_string());
        let missing = self.nick.is_none() && self.servers.iter().any(|server| known(server).is_none());
        if missing {
            let host = self.servers.first().map(|server| server.target.host.clone()).unwrap_or_default();
            return app.ask_nickname(&host, None);
        }
        for number in 0..self.servers.len() {
            let target = self.servers[number].target.clone();
            let name = target.to_string();
            let nick = self.nick.clone().or_else(|| self.known.nick(&name)).unwrap_or_default();
            let invitation = self.servers[number].invitation.take();
            self.add(app, &target, &nick, (self.login.clone(), invitation));
        }
    }

    /// The person may want to be on one more server.
    pub(super) fn wanted(&mut self, app: &mut App) {
        let Some(address) = app.wanted_server() else { return };
        let target = match Target::new(&address, None) {
            Ok(target) => target,
            Err(why) => return app.say(&why),
        };
        if self.servers.iter().any(|server| server.target.to_string() == target.to_string()) {
            return app.say("that server is here already");
        }
        let known = self.known.nick(&target.to_string());
        let first = app.client(0).map(|client| client.profile().nick.clone());
        let Some(nick) = known.or_else(|| self.nick.clone()).or(first) else { return };
        let invitation = invitation(&address).map(Secret::new);
        self.servers.push(Server { target: target.clone(), invitation: None, pipe: None, number: 0 });
        // The account is one of the servers that were named with it.
        let number = self.add(app, &target, &nick, (None, invitation));
        app.show_server(number);
    }

    /// Adds a server's client. Gives its number.
    fn add(
        &self,
        app: &mut App,
        target: &Target,
        nick: &str,
        (login, invitation): (Option<Login>, Option<Secret>),
    ) -> usize {
        let mut profile = Profile::new(nick, &target.host);
        profile.trusted_link = target.trusted();
        profile.login = login;
        profile.invitation = invitation;
        let known = self.known.servers.get(&target.to_string());
        let before = known.map(|server| server.rooms.clone()).unwrap_or_default();
        let mut rooms = self.rooms.clone();
        rooms.extend(before.into_iter().filter(|room| !self.rooms.contains(room)));
        if rooms.is_empty() {
            rooms.push(LOBBY.to_owned());
        }
        profile.rooms = rooms;
        app.add(Client::new(profile, seed()), &title(target))
    }

    /// The person may have given a nickname.
    pub(super) fn answered(&mut self, app: &mut App) {
        if let Some(nick) = app.nickname() {
            self.known.nick = Some(nick.clone());
            self.nick = Some(nick);
            // What is typed in the first minute shall not be asked for in the second.
            self.save(app);
            self.begin(app);
        }
    }

    /// Connects, writes, and closes as the clients want.
    pub(super) fn drive(&mut self, app: &mut App, now: Millis) {
        self.full = false;
        for (number, server) in self.servers.iter_mut().enumerate() {
            let Some(client) = app.client_mut(number) else { return };
            if server.pipe.is_none() && client.wants_link(now) {
                server.number += 1;
                let pinned = self.known.servers.get(&server.target.to_string());
                let pinned = pinned.and_then(|known| known.certificate.clone());
                let (target, sender) = (&server.target, self.sender.clone());
                server.pipe = Some(Pipe::connect(number, server.number, target, pinned, sender));
            }
            let Some(pipe) = &server.pipe else { continue };
            if pipe.has_room() {
                let bytes = client.output();
                if !bytes.is_empty() {
                    pipe.send(bytes);
                }
            } else {
                self.full = true;
                continue;
            }
            if client.wants_close() {
                // The queue is written before its task ends.
                server.pipe = None;
                server.number += 1;
                client.closed("you left", now);
                app.pump(now);
            }
        }
    }

    /// When to call [`Servers::drive`] again although nothing happens.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.full.then(|| Instant::now() + OFFER_AGAIN)
    }

    /// The next news.
    pub(super) async fn news(&mut self) -> Told {
        match self.receiver.recv().await {
            Some(told) => told,
            // There is a sender here: the queue never ends.
            None => std::future::pending().await,
        }
    }

    /// Takes news, and what else has come with them.
    pub(super) fn take(&mut self, app: &mut App, told: Told, now: Millis) {
        self.take_one(app, told, now);
        // A few: what is typed comes first.
        for _ in 0..4 {
            let Ok(told) = self.receiver.try_recv() else { break };
            self.take_one(app, told, now);
        }
        app.pump(now);
    }

    fn take_one(&mut self, app: &mut App, (number, connection, news): Told, now: Millis) {
        let Some(server) = self.servers.get_mut(number).filter(|server| server.number == connection) else {
            return;
        };
        let name = server.target.to_string();
        let Some(client) = app.client_mut(number) else { return };
        match news {
            News::Opened(fingerprint) => {
                client.opened(now);
                if let Some(fingerprint) = fingerprint {
                    let known = self.known.server(&name);
                    if known.certificate.is_none() {
                        known.certificate = Some(fingerprint);
                        self.save(app);
                    }
                }
            }
            News::Bytes(bytes) => client.receive(&bytes, now),
            News::Closed(why) => {
                server.pipe = None;
                client.closed(&why, now);
            }
            News::OtherCertificate(shown) => {
                let file = self.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
                let why = format!(
                    "{name} shows another certificate than before: somebody may be reading along. If its owner \
                     says that it is new, write certificate = \"{shown}\" into {file} under [servers.\"{name}\"], \
                     then /connect"
                );
                self.halt(app, number, &why, now);
            }
            News::NotAnnounced(shown) => {
                let why = format!(
                    "{name} shows another certificate (SHA-256 {shown}) than the one that is announced with it on this \
                     network: somebody announces in its name, or answers for it. Ask its owner which one is right; \
                     `chinwag join {name}` goes there without the announcement"
                );
                self.halt(app, number, &why, now);
            }
        }
    }

    /// Nobody goes to that server before the person has decided.
    fn halt(&mut self, app: &mut App, number: usize, why: &str, now: Millis) {
        self.servers[number].pipe = None;
        if let Some(client) = app.client_mut(number) {
            client.quit("");
            client.closed("another certificate", now);
        }
        app.stop(number, why);
    }

    /// Says goodbye to all, and waits a moment for it to be heard.
    pub(super) async fn goodbye(&mut self, app: &mut App, within: Duration) {
        self.collect(app);
        for number in 0..self.servers.len() {
            if let Some(client) = app.client_mut(number) {
                client.quit("");
            }
        }
        self.drive(app, super::now());
        let waiting = async {
            // Each task drops its sender when its connection has ended; ours must go first.
            let (sender, _) = mpsc::channel(1);
            self.sender = sender;
            for server in &mut self.servers {
                server.pipe = None;
            }
            while self.receiver.recv().await.is_some() {}
        };
        // Whoever has not heard it by then will see that we are gone.
        let _ = timeout(within, waiting).await;
    }

    /// What is to be remembered of the servers as they are now.
    fn collect(&mut self, app: &App) {
        for (number, server) in self.servers.iter().enumerate() {
            let Some(client) = app.client(number) else { continue };
            let Link::Online { .. } = client.link() else { continue };
            let rooms = client.buffers().filter(|buffer| buffer.kind == BufferKind::Room && buffer.joined);
            let rooms: Vec<String> = rooms.map(|room| room.name.to_string()).collect();
            let nick = client.profile().nick.clone();
            if self.known.nick.is_none() {
                self.known.nick = Some(nick.clone());
            }
            let other = self.known.nick.as_ref() != Some(&nick);
            let known = self.known.server(&server.target.to_string());
            known.rooms = rooms;
            known.nick = other.then_some(nick);
        }
    }

    /// Writes down what is to be remembered.
    pub(super) fn remember(&self, _app: &App) -> Result<(), String> {
        self.file.as_ref().map_or(Ok(()), |file| self.known.write(file))
    }

    fn save(&self, app: &mut App) {
        if let Err(why) = self.remember(app) {
            app.say(&why);
        }
    }
}

fn rooms_name(room: &str) -> String {
    if room.starts_with(['#', '&']) { room.to_owned() } else { format!("#{room}") }
}

fn title(target: &Target) -> String {
    if target.port == crate::link::PORT { target.host.clone() } else { target.to_string() }
}

/// A number that no other start has: its time, its process, and an address of the heap.
fn seed() -> u64 {
    let time = super::now().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let place = std::ptr::from_ref(&*Box::new(0u8)) as u64;
    time ^ u64::from(std::process::id()).rotate_left(32) ^ place
}
