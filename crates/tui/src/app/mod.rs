//! The program of one terminal: several servers, one of their rooms in view, an editor under it.
//!
//! What lives here: what keys do (`keys`), which room is in view (`places`), how far each is scrolled (`view`),
//! what lies over the screen (`overlay`), completion (`complete`), search (`search`). What does not: how it looks
//! (`draw`), and the protocol (the client). Start here for the commonest change, one more key: `keys`.

mod clicks;
pub mod complete;
mod deeds;
mod far;
mod keys;
pub mod overlay;
pub mod places;
mod search;
mod signals;
pub mod view;

use std::collections::BTreeMap;

use chinwag_client::{Change, Client, Link, Millis};
use jiff::tz::TimeZone;

use crate::draw;
use crate::editor::{Editor, History};
use crate::input::Input;
use crate::input::parser::Parser;
use crate::paint;
use crate::screen::Screen;
use crate::text::clean;
use crate::theme::{Palette, Theme};

use complete::Completion;
pub(crate) use deeds::commands as deeds_commands;
use overlay::Overlay;
use places::Place;
pub(crate) use search::Search;
use view::View;

/// An Escape alone is taken for the key after so long.
const ESCAPE_MS: Millis = 50;
/// Lines of a paste that are sent without a question.
pub const PASTE_LINES_UNASKED: usize = 5;

/// How a screen shall be.
#[derive(Debug, Clone)]
pub struct Options {
    /// Colours; none: dark or light as the terminal's ground is, where it tells.
    pub palette: Option<Palette>,
    /// What to use until the terminal has told.
    pub fallback: Palette,
    /// Clicks and the wheel are asked for.
    pub mouse: bool,
    /// Where the person lives, for days and times.
    pub zone: TimeZone,
}

impl Default for Options {
    fn default() -> Options {
        Options { palette: None, fallback: Palette::Dark, mouse: true, zone: TimeZone::UTC }
    }
}

/// Why the program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// The person wanted it.
    Left,
}

/// One server.
#[derive(Debug)]
pub struct Server {
    /// The client.
    pub client: Client,
    /// What people call it.
    pub title: String,
}

/// The whole program of one terminal.
#[derive(Debug)]
pub struct App {
    pub(crate) options: Options,
    pub(crate) theme: Theme,
    pub(crate) servers: Vec<Server>,
    /// The room in view; none before there is a server.
    pub(crate) place: Option<Place>,
    /// The one before it.
    pub(crate) last_place: Option<Place>,
    pub(crate) views: BTreeMap<Place, View>,
    pub(crate) editor: Editor,
    pub(crate) sent: History,
    pub(crate) completion: Option<Completion>,
    pub(crate) overlay: Option<Overlay>,
    pub(crate) search: Option<Search>,
    /// The message to go to as soon as it is there.
    pub(crate) coming: Option<(Place, u64)>,
    pub(crate) size: (u16, u16),
    /// The window is in front, as far as is known.
    pub(crate) focused: bool,
    pub(crate) mouse: bool,
    pub(crate) numbers: bool,
    pub(crate) presence: bool,
    /// Members are shown or hidden by the person; otherwise as there is space.
    pub(crate) members: Option<bool>,
    /// A sentence for the person, until the next key.
    pub(crate) hint: Option<String>,
    /// Where things are on the screen, for the mouse and for scrolling.
    pub(crate) map: draw::Map,
    parser: Parser,
    escape_until: Option<Millis>,
    outgoing: Vec<u8>,
    /// The terminal is to be written anew.
    pub(crate) repaint: bool,
    title: String,
    belled: Option<Millis>,
    changed: bool,
    done: Option<Exit>,
    /// A nickname that was asked for and given.
    nickname: Option<String>,
    /// A server that the person wants to be on, too.
    pub(crate) wanted_server: Option<String>,
}

impl App {
    /// A program without a server yet.
    pub fn new(options: Options) -> App {
        let palette = options.palette.unwrap_or(options.fallback);
        let mouse = options.mouse;
        App {
            theme: Theme::new(palette),
            options,
            servers: Vec::new(),
            place: None,
            last_place: None,
            views: BTreeMap::new(),
            editor: Editor::default(),
            sent: History::default(),
            completion: None,
            overlay: None,
            search: None,
            coming: None,
            size: (80, 24),
            focused: true,
            mouse,
            numbers: false,
            presence: true,
            members: None,
            hint: None,
            map: draw::Map::default(),
            parser: Parser::default(),
            escape_until: None,
            outgoing: Vec::new(),
            repaint: false,
            title: String::new(),
            belled: None,
            changed: true,
            done: None,
            nickname: None,
            wanted_server: None,
        }
    }

    /// Adds a server; its client is driven through this program from now on. Gives its number.
    pub fn add(&mut self, client: Client, title: &str) -> usize {
        self.servers.push(Server { client, title: title.to_owned() });
        let number = self.servers.len() - 1;
        if self.place.is_none() {
            self.first_place(number);
        }
        self.changed = true;
        number
    }

    /// How many servers there are.
    pub fn servers(&self) -> usize {
        self.servers.len()
    }

    /// The client of a server, to drive it; call [`App::pump`] after that.
    pub fn client_mut(&mut self, server: usize) -> Option<&mut Client> {
        self.servers.get_mut(server).map(|server| &mut server.client)
    }

    /// The client of a server.
    pub fn client(&self, server: usize) -> Option<&Client> {
        self.servers.get(server).map(|server| &server.client)
    }

    /// What a terminal sent, as raw bytes.
    pub fn input(&mut self, bytes: &[u8], now: Millis) {
        let mut inputs = Vec::new();
        self.parser.feed(bytes, &mut inputs);
        self.escape_until = self.parser.escape_waits().then_some(now + ESCAPE_MS);
        for input in inputs {
            self.take(input, now);
        }
        self.pump(now);
    }

    fn take(&mut self, input: Input, now: Millis) {
        self.changed = true;
        match input {
            Input::Key(key) => self.key(key, now),
            Input::Paste(text) => self.paste(&text),
            Input::Mouse(mouse) => self.clicked(mouse, now),
            Input::Focus(focused) => self.focused = focused,
            Input::Background(red, green, blue) => {
                if self.options.palette.is_none() && self.options.fallback == Palette::Dark {
                    let bright = u32::from(red) * 3 + u32::from(green) * 6 + u32::from(blue) > 1280;
                    self.theme = Theme::new(if bright { Palette::Light } else { Palette::Dark });
                }
            }
        }
    }

    /// The terminal has another size, in columns and rows.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.changed |= self.size != (columns, rows);
        self.size = (columns, rows);
    }

    /// The size, in columns and rows.
    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    /// Time has come for something: see [`App::wake_at`].
    pub fn tick(&mut self, now: Millis) {
        if self.escape_until.is_some_and(|until| until <= now) {
            self.escape_until = None;
            let mut inputs = Vec::new();
            self.parser.settle_escape(&mut inputs);
            for input in inputs {
                self.take(input, now);
            }
        }
        for server in &mut self.servers {
            if server.client.wake_at().is_some_and(|at| at <= now) {
                server.client.tick(now);
            }
        }
        self.pump(now);
    }

    /// When to call [`App::tick`] at the latest, if nothing comes before. Nothing at all when nothing waits.
    pub fn wake_at(&self) -> Option<Millis> {
        let clients = self.servers.iter().filter_map(|server| server.client.wake_at());
        clients.chain(self.escape_until).min()
    }

    /// Looks at what is new in the clients. After every call of one of theirs.
    pub fn pump(&mut self, now: Millis) {
        for number in 0..self.servers.len() {
            for change in self.servers[number].client.changes() {
                self.changed = true;
                match change {
                    Change::Mention { buffer, line } => {
                        self.mentioned(Place { server: number, buffer }, line, now);
                    }
                    Change::Invited(buffer) => self.show(Place { server: number, buffer }),
                    Change::Buffers | Change::Everything => self.places_changed(),
                    Change::Link => self.link_changed(number),
                    _ => {}
                }
            }
            if let Some(found) = self.servers[number].client.found() {
                self.found_far(number, found, now);
            }
        }
        self.arrived_number(now);
        if self.search.as_ref().is_some_and(|search| search.far.wanted().is_some()) {
            self.arrived_far(now);
        }
        if self.changed {
            self.look(now);
        }
    }

    /// A nickname that is not free is asked for again, at once.
    fn link_changed(&mut self, number: usize) {
        let client = &self.servers[number].client;
        let Link::Refused { why } = client.link() else { return };
        if !why.to_lowercase().contains("nick") || self.overlay.is_some() {
            return;
        }
        let mut question = overlay::Nickname::new(&self.servers[number].title, Some(why));
        question.typed.set(&client.profile().nick);
        question.server = Some(number);
        self.overlay = Some(Overlay::Nickname(question));
    }

    /// Whether there is something new to draw since the last picture.
    pub fn wants_drawing(&self) -> bool {
        self.changed
    }

    /// The picture as it is now.
    pub fn screen(&mut self, now: Millis) -> Screen {
        self.changed = false;
        let screen = draw::screen(self, now);
        self.after_drawing(now);
        screen
    }

    /// The same into a frame of ratatui; links are not told to the terminal this way.
    pub fn draw(&mut self, frame: &mut ratatui::Frame<'_>, now: Millis) {
        let area = frame.area();
        self.resize(area.width, area.height);
        let screen = self.screen(now);
        if let Some(cursor) = screen.cursor {
            frame.set_cursor_position(cursor);
        }
        frame.buffer_mut().merge(&screen.buffer);
    }

    /// Escape codes beside the screen since the last call: bell, notice, clipboard, title, mouse.
    pub fn outgoing(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.outgoing)
    }

    /// Whether the person wants the terminal written anew (Ctrl-L), once: [`crate::Painter::forget`].
    pub fn wants_repaint(&mut self) -> bool {
        std::mem::take(&mut self.repaint)
    }

    /// Whether the program has ended, and why.
    pub fn done(&self) -> Option<&Exit> {
        self.done.as_ref()
    }

    /// Asks the person for a nickname, over an otherwise empty screen. [`App::nickname`] gives the answer.
    pub fn ask_nickname(&mut self, host: &str, problem: Option<&str>) {
        self.overlay = Some(Overlay::Nickname(overlay::Nickname::new(host, problem)));
        self.changed = true;
    }

    /// The nickname that was given, once.
    pub fn nickname(&mut self) -> Option<String> {
        self.nickname.take()
    }

    /// The address of one more server that the person wants to be on, once: [`App::add`] it, or say why not.
    pub fn wanted_server(&mut self) -> Option<String> {
        self.wanted_server.take()
    }

    /// Shows the first room of a server.
    pub fn show_server(&mut self, server: usize) {
        self.first_place(server);
    }

    /// Tells the person something, until the next key.
    pub fn say(&mut self, sentence: &str) {
        self.tell(clean(sentence));
    }

    /// A server that must not be connected to: why, and what to do, until a key closes it.
    pub fn stop(&mut self, server: usize, why: &str) {
        let title = self.servers.get(server).map(|server| server.title.clone()).unwrap_or_default();
        self.overlay = Some(Overlay::Stop(title, clean(why)));
        self.changed = true;
    }

    /// Ends the program.
    pub(crate) fn end(&mut self) {
        self.done = Some(Exit::Left);
    }

    /// Tells the person something, until the next key.
    pub(crate) fn tell(&mut self, sentence: impl Into<String>) {
        self.hint = Some(sentence.into());
        self.changed = true;
    }

    pub(crate) fn toggle_mouse(&mut self) {
        self.mouse = !self.mouse;
        self.outgoing.extend_from_slice(paint::set_mouse(self.mouse));
        let now = if self.mouse { "on: Shift selects text" } else { "off" };
        self.tell(format!("the mouse is {now}"));
    }
}
