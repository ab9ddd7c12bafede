//! Rooms and conversations of all servers in one list, and which one is in view.

use chinwag_client::{Buffer, BufferId, BufferKind, Client, Millis};

use super::App;
use super::view::View;

/// One buffer of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The server's number.
    pub server: usize,
    /// Which buffer.
    pub buffer: BufferId,
}

impl App {
    /// All places, in the order of the list.
    pub(crate) fn places(&self) -> Vec<Place> {
        let of = |(server, of): (usize, &super::Server)| {
            of.client.buffers().map(move |buffer| Place { server, buffer: buffer.id }).collect::<Vec<_>>()
        };
        self.servers.iter().enumerate().flat_map(of).collect()
    }

    pub(crate) fn buffer_of(&self, place: Place) -> Option<&Buffer> {
        self.servers.get(place.server)?.client.buffer(place.buffer)
    }

    /// The buffer in view.
    pub(crate) fn buffer(&self) -> Option<&Buffer> {
        self.buffer_of(self.place?)
    }

    /// The client of the buffer in view.
    pub(crate) fn here(&self) -> Option<(&Client, &Buffer)> {
        let place = self.place?;
        Some((&self.servers.get(place.server)?.client, self.buffer_of(place)?))
    }

    pub(crate) fn here_mut(&mut self) -> Option<(&mut Client, BufferId)> {
        let place = self.place?;
        Some((&mut self.servers.get_mut(place.server)?.client, place.buffer))
    }

    /// The view of the place in view.
    pub(crate) fn view_mut(&mut self) -> Option<&mut View> {
        let place = self.place?;
        Some(self.views.entry(place).or_default())
    }

    /// Shows the first room of a server, or what the server itself says.
    pub(crate) fn first_place(&mut self, server: usize) {
        let Some(of) = self.servers.get(server) else { return };
        // The room that was named first, or any.
        let wished = of.client.profile().rooms.first();
        let wished = wished.and_then(|room| room.split(' ').next()).and_then(|room| of.client.find(room));
        let wished = wished.and_then(|room| of.client.buffer(room));
        let any = || of.client.buffers().find(|buffer| buffer.kind == BufferKind::Room);
        let buffer = wished.or_else(any).or_else(|| of.client.buffers().next()).map(|buffer| buffer.id);
        if let Some(buffer) = buffer {
            self.show(Place { server, buffer });
        }
    }

    /// Brings a place into view. What is typed stays with the place it was typed for.
    pub(crate) fn show(&mut self, place: Place) {
        if self.place == Some(place) || self.buffer_of(place).is_none() {
            return;
        }
        self.completion = None;
        self.search = None;
        if let Some(old) = self.place {
            let at = self.editor.at();
            let draft = self.editor.take();
            let view = self.views.entry(old).or_default();
            view.draft = (draft, at);
            view.fresh = None;
            self.last_place = Some(old);
        }
        self.place = Some(place);
        let first_unread = self.buffer_of(place).and_then(|buffer| buffer.first_unread);
        let view = self.views.entry(place).or_default();
        view.fresh = first_unread;
        let (draft, at) = std::mem::take(&mut view.draft);
        self.editor.set(&draft);
        self.editor.go(at);
        self.sent.stay();
        self.changed = true;
    }

    /// Buffers came or went.
    pub(crate) fn places_changed(&mut self) {
        let places = self.places();
        self.views.retain(|place, _| places.contains(place));
        let gone = |place: &Place| !places.contains(place);
        self.last_place = self.last_place.filter(|place| !gone(place));
        let here = self.place.and_then(|place| self.buffer_of(place)).map(|buffer| buffer.kind);
        let nothing_else = self.last_place.is_none() && self.editor.is_empty();
        match (self.place, here) {
            (Some(place), None) => {
                self.place = None;
                self.editor.take();
                match self.last_place.take() {
                    Some(last) => self.show(last),
                    None => self.first_place(place.server),
                }
            }
            // The first room is more interesting than what the server says.
            (Some(place), Some(BufferKind::Server)) if nothing_else => {
                self.first_place(place.server);
                self.last_place = None;
            }
            _ => {}
        }
    }

    /// The place so many further down the list.
    pub(crate) fn step(&mut self, by: isize) {
        let places = self.places();
        let Some(at) = self.place.and_then(|place| places.iter().position(|other| *other == place)) else {
            return;
        };
        let next = (at as isize + by).rem_euclid(places.len() as isize);
        self.show(places[next as usize]);
    }

    /// The next place with something for me, or else with something unread, or else the one before this.
    pub(crate) fn next_active(&mut self) {
        let places = self.places();
        let at = self.place.and_then(|place| places.iter().position(|other| *other == place)).unwrap_or(0);
        let around = || (1..places.len()).map(|by| places[(at + by) % places.len()]);
        let buffer = |place: &Place| self.buffer_of(*place);
        let mentioned = around().find(|place| buffer(place).is_some_and(|buffer| buffer.mentions > 0));
        let unread = || around().find(|place| buffer(place).is_some_and(|buffer| buffer.unread > 0));
        match mentioned.or_else(unread) {
            Some(place) => self.show(place),
            None => self.tell("nothing is unread"),
        }
    }

    /// The place with a number in the list, from 1.
    pub(crate) fn numbered(&mut self, number: usize) {
        let place = number.checked_sub(1).and_then(|index| self.places().get(index).copied());
        match place {
            Some(place) => self.show(place),
            None => self.tell(format!("there is no room {number}")),
        }
    }

    /// Looks after what follows from what is in view: read marks, pages of history, the line where the unread begins.
    pub(crate) fn look(&mut self, now: Millis) {
        let Some(place) = self.place else { return };
        let Some(buffer) = self.buffer_of(place) else { return };
        let (first_unread, unread, at_end) = (buffer.first_unread, buffer.unread, buffer.at_end);
        let focused = self.focused;
        let view = self.views.entry(place).or_default();
        if view.fresh.is_none() && !(focused && view.at_end()) {
            view.fresh = first_unread;
        }
        if focused && view.at_end() && at_end && unread > 0 {
            // What comes while it is being looked at needs no line; what was there on coming in has its own.
            self.servers[place.server].client.seen(place.buffer, now);
        }
    }
}
