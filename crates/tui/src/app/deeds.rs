//! What is typed and sent off: the screen's own commands, and everything else by the client.

use chinwag_client::{Done, Local, Millis, Refusal};

use super::App;
use super::overlay::Overlay;
use super::places::Place;
use crate::text::clean;
use crate::theme::{Palette, Theme};

/// Commands that are the screen's own: name, what follows, what they do.
pub(crate) const OWN: [(&str, &str, &str); 5] = [
    ("links", "", "offers the links of this conversation (Alt-L)"),
    ("mouse", "", "switches the mouse on or off (Alt-M)"),
    ("numbers", "", "shows the messages' numbers, or their times (F2)"),
    ("switch", "", "looks for a room by some letters (Ctrl-G)"),
    ("theme", "dark|light|16|none|contrast", "uses other colours"),
];

/// Every command and what it does, those of the client and the screen's own, by name.
pub(crate) fn commands() -> impl Iterator<Item = (&'static str, (&'static str, &'static str))> {
    let known =
        chinwag_client::commands().iter().map(|command| (command.name, (command.params, command.help)));
    let own = OWN.iter().map(|(name, params, help)| (*name, (*params, *help)));
    let mut all: Vec<_> = known.chain(own).collect();
    all.sort_unstable_by_key(|(name, _)| *name);
    all.into_iter()
}

impl App {
    /// Sends what is typed off.
    pub(crate) fn send(&mut self, now: Millis) {
        let text = self.editor.text().trim_end().to_owned();
        if text.trim().is_empty() {
            return;
        }
        self.completion = None;
        self.editor.take();
        self.sent.keep(&text);
        if self.own_command(&text, now) {
            return;
        }
        let Some(place) = self.place else { return };
        if answers_below(&text) && self.buffer().is_some_and(|buffer| !buffer.at_end) {
            // What answers stands behind the newest line, which is not the end of an earlier part.
            self.scroll_end(now);
        }
        let Some((client, buffer)) = self.here_mut() else { return };
        match client.command(buffer, &text, now) {
            Ok(done) => self.done_so(done, place, now),
            Err(Refusal(why)) => {
                // What was refused is there again, to be put right.
                self.editor.set(&text);
                self.tell(clean(&why));
            }
        }
    }

    fn done_so(&mut self, done: Done, place: Place, now: Millis) {
        match done {
            Done::Said => {
                if let Some(view) = self.view_mut() {
                    view.fresh = None;
                }
                self.scroll_end(now);
            }
            Done::Asked => {}
            Done::Show(buffer) => self.show(Place { server: place.server, buffer }),
            Done::Quit => self.end(),
            Done::Local(Local::Help(_)) => self.overlay = Some(Overlay::Help(0)),
            Done::Local(Local::Found(words, _)) => self.search_for(&words, now),
            Done::Local(Local::Names) => self.members = Some(true),
            Done::Local(Local::Topic) => {
                let topic = self.buffer().and_then(|buffer| buffer.topic.as_ref());
                let topic = topic.map(|topic| clean(&topic.text)).filter(|topic| !topic.is_empty());
                self.tell(topic.unwrap_or_else(|| "no topic is set".to_owned()));
            }
            Done::Local(Local::Jump(line)) => self.scroll_to(line, now),
            Done::Local(Local::Coming(number)) => {
                self.coming = Some((place, number));
                self.tell("going there…");
            }
        }
    }

    /// Carries one of the screen's own commands out, if it is one.
    fn own_command(&mut self, text: &str, now: Millis) -> bool {
        let Some(command) = text.strip_prefix('/') else { return false };
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        let rest = rest.trim();
        match name {
            "connect" if !rest.is_empty() => self.wanted_server = Some(rest.to_owned()),
            "links" => self.links(),
            "mouse" => self.toggle_mouse(),
            "numbers" => self.toggle_numbers(),
            "switch" => self.switcher(),
            "search" if !rest.is_empty() => self.search_for(rest, now),
            "help" if !rest.is_empty() => self.explain(rest),
            "theme" => match Palette::named(rest) {
                Some(palette) => self.theme = Theme::new(palette),
                None => self.tell("/theme dark, light, 16, none or contrast"),
            },
            _ => return false,
        }
        true
    }

    fn explain(&mut self, name: &str) {
        let wanted = name.trim_start_matches('/').to_ascii_lowercase();
        let found = commands().find(|(name, _)| *name == wanted);
        self.tell(match found {
            Some((name, (params, help))) => format!("/{name} {params}  {help}"),
            None => format!("/{wanted} is asked of the server as it is; F1 lists what is known here"),
        });
    }
}

/// Whether a command is answered by lines, and has nothing to do with the part that is looked at.
fn answers_below(text: &str) -> bool {
    const ELSEWHERE: [&str; 13] = [
        "re", "quote", "edit", "del", "delete", "react", "unreact", "jump", "search", "help", "names",
        "query", "msg",
    ];
    let Some(command) = text.strip_prefix('/') else { return false };
    let name = command.split(' ').next().unwrap_or_default().to_ascii_lowercase();
    !ELSEWHERE.contains(&name.as_str())
}
