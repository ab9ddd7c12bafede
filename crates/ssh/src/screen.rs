//! The terminal client, run on this side of the wire: the same screens as `chinwag join`, over a session inside the
//! server. Keys come in as the terminal's bytes, pictures leave as such.

use std::future::pending;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chinwag_client::{Client, Millis, Profile};
use chinwag_core::session::Door;
use chinwag_tui::{App, Options, Painter, Palette, paint};
use russh::server::Msg;
use russh::{ChannelMsg, ChannelWriteHalf};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep_until, timeout};

use crate::channel::{Ends, Terminal, Visit};

/// What came from the server is drawn at most so often; what is typed, at once.
const PICTURES_EACH: Duration = Duration::from_millis(33);

/// A terminal that has not taken a picture for so long is broken.
const STALLED: Duration = Duration::from_secs(120);

/// How long goodbye may take, on either side.
const GOODBYE: Duration = Duration::from_millis(500);

/// Bytes that are taken from the session at once.
const BUFFER_BYTES: usize = 16 * 1024;

/// Bytes for the session that may wait; then no more keys are taken.
pub const WAITING_BYTES_MAX: usize = 256 * 1024;

type Sending = Pin<Box<dyn Future<Output = bool> + Send>>;

/// One screen.
struct Running {
    app: App,
    painter: Painter,
    visit: Visit,
    pipe: Option<UnixStream>,
    /// For the session.
    waiting: Vec<u8>,
    write: Arc<ChannelWriteHalf<Msg>>,
    /// A picture is on its way: the next one waits for it, and shows what is so then.
    sending: Option<Sending>,
    drawn: Instant,
    /// A key was pressed: its effect is to be seen now.
    at_once: bool,
    /// Whoever comes in for the first time is told what the key did.
    greeted: bool,
}

/// Runs the client until the person leaves, or their terminal does. Gives the exit code.
pub(crate) async fn run(ends: Ends, terminal: &Terminal, visit: Visit) -> u32 {
    let Ends { mut read, write } = ends;
    let mut running = Running::new(terminal, visit, write);
    running.send(paint::enter(true));
    let mut buffer = vec![0; BUFFER_BYTES];
    while running.app.done().is_none() {
        running.drive().await;
        running.draw();
        let wake = running.wake();
        let room = running.waiting.len() < WAITING_BYTES_MAX;
        tokio::select! {
            biased;
            message = read.wait(), if room => match message {
                Some(ChannelMsg::Data { data }) => {
                    running.app.input(&data, now());
                    running.at_once = true;
                }
                Some(ChannelMsg::WindowChange { col_width, row_height, .. }) => {
                    let terminal = Terminal::new("", col_width, row_height);
                    running.app.resize(terminal.columns, terminal.rows);
                    running.at_once = true;
                }
                None | Some(ChannelMsg::Close) => return 1,
                Some(_) => {}
            },
            taken = sent(&mut running.sending) => {
                running.sending = None;
                if !taken {
                    return 1;
                }
            }
            came = readable(running.pipe.as_ref(), &mut buffer) => running.came(came, &buffer),
            went = writable(running.pipe.as_ref(), &running.waiting) => running.went(went),
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => running.app.tick(now()),
        }
    }
    running.goodbye().await;
    0
}

impl Running {
    fn new(terminal: &Terminal, visit: Visit, write: Arc<ChannelWriteHalf<Msg>>) -> Running {
        let fallback = Palette::of_environment(|name| (name == "TERM").then(|| terminal.name.clone()));
        let mut app = App::new(Options { fallback, ..Options::default() });
        app.resize(terminal.columns, terminal.rows);
        let network = visit.house.network.clone();
        let mut profile = Profile::new(&visit.nick, &network);
        profile.rooms = vec![visit.house.lobby.clone()];
        app.add(Client::new(profile, seed()), &network);
        let greeted = !visit.shown.claims;
        let (drawn, painter, waiting) = (Instant::now(), Painter::default(), Vec::new());
        Running {
            app,
            painter,
            visit,
            pipe: None,
            waiting,
            write,
            sending: None,
            drawn,
            at_once: true,
            greeted,
        }
    }

    /// Opens and closes the session, and takes what is to be written, as the client wants.
    async fn drive(&mut self) {
        let Some(client) = self.app.client(0) else { return };
        if self.pipe.is_none() && client.wants_link(now()) {
            let opened = self.visit.open(Door::Irc, Vec::new()).await;
            let Some(client) = self.app.client_mut(0) else { return };
            match opened {
                Ok(pipe) => {
                    self.pipe = Some(pipe);
                    client.opened(now());
                }
                Err(error) => client.closed(&error.to_string(), now()),
            }
        }
        let Some(client) = self.app.client_mut(0) else { return };
        self.waiting.extend(client.output());
        if self.pipe.is_some() && client.wants_close() && self.waiting.is_empty() {
            self.pipe = None;
            client.closed("you left", now());
        }
        let online = client.is_online();
        self.app.pump(now());
        if online && !self.greeted {
            self.greeted = true;
            let nick = &self.visit.nick;
            self.app.say(&format!(
                "{nick} is yours now: your ssh key proves it. /link gives a code for your other devices, /help the rest."
            ));
        }
    }

    /// Sends a picture, if there is a new one and the last one has been taken.
    fn draw(&mut self) {
        if self.sending.is_some() {
            return;
        }
        if self.app.wanted_server().is_some() {
            self.app.say("from here only this server can be reached: chinwag join has several");
        }
        if self.app.wants_repaint() {
            self.painter.forget();
        }
        let mut bytes = Vec::new();
        if self.app.wants_drawing() && (self.at_once || self.drawn + PICTURES_EACH <= Instant::now()) {
            bytes = self.painter.paint(self.app.screen(now()));
            (self.drawn, self.at_once) = (Instant::now(), false);
            // Drawing may ask for history.
            if let Some(client) = self.app.client_mut(0) {
                self.waiting.extend(client.output());
            }
        }
        bytes.extend(self.app.outgoing());
        self.send(bytes);
    }

    fn send(&mut self, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let write = Arc::clone(&self.write);
        self.sending =
            Some(Box::pin(
                async move { matches!(timeout(STALLED, write.data_bytes(bytes)).await, Ok(Ok(()))) },
            ));
    }

    /// Something came from the session, or it ended.
    fn came(&mut self, came: io::Result<usize>, buffer: &[u8]) {
        let Some(client) = self.app.client_mut(0) else { return };
        match came {
            Ok(count @ 1..) => client.receive(&buffer[..count], now()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(_) | Err(_) => {
                self.pipe = None;
                self.waiting.clear();
                client.closed("the server ended the session", now());
            }
        }
        self.app.pump(now());
    }

    /// The session took something.
    fn went(&mut self, went: io::Result<usize>) {
        match went {
            Ok(count) => drop(self.waiting.drain(..count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // Reading says why.
            Err(_) => self.waiting.clear(),
        }
    }

    /// When to look again at the latest.
    fn wake(&self) -> Option<Instant> {
        let asked =
            self.app.wake_at().map(|at| Instant::now() + Duration::from_millis(at.saturating_sub(now())));
        let picture =
            (self.app.wants_drawing() && self.sending.is_none()).then(|| self.drawn + PICTURES_EACH);
        asked.into_iter().chain(picture).min()
    }

    /// The session and the terminal hear that it is over.
    async fn goodbye(mut self) {
        if let Some(client) = self.app.client_mut(0) {
            client.quit("");
            self.waiting.extend(client.output());
        }
        if let Some(mut pipe) = self.pipe.take() {
            use tokio::io::AsyncWriteExt;
            // Who cannot be told sees that the connection ends.
            let _ = timeout(GOODBYE, pipe.write_all(&self.waiting)).await;
        }
        if let Some(sending) = self.sending.take() {
            let _ = timeout(GOODBYE, sending).await;
        }
        let _ = timeout(GOODBYE, self.write.data_bytes(paint::leave().to_vec())).await;
    }
}

async fn sent(sending: &mut Option<Sending>) -> bool {
    match sending {
        Some(sending) => sending.await,
        None => pending().await,
    }
}

async fn readable(pipe: Option<&UnixStream>, buffer: &mut [u8]) -> io::Result<usize> {
    match pipe {
        Some(pipe) => {
            pipe.readable().await?;
            pipe.try_read(buffer)
        }
        None => pending().await,
    }
}

async fn writable(pipe: Option<&UnixStream>, waiting: &[u8]) -> io::Result<usize> {
    match pipe {
        Some(pipe) if !waiting.is_empty() => {
            pipe.writable().await?;
            pipe.try_write(waiting)
        }
        _ => pending().await,
    }
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

/// Nobody is to guess it, but nothing depends on that.
fn seed() -> u64 {
    let mut seed = [0; 8];
    match aws_lc_rs::rand::fill(&mut seed) {
        Ok(()) => u64::from_le_bytes(seed),
        Err(_) => now(),
    }
}
