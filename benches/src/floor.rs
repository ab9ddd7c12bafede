//! The floor: a chat server that neither parses nor keeps anything, on one thread.
//!
//! A caller's first line names its room and is sent back. Everything after it is lines for the room: a turn of
//! the loop reads every readable socket, appends the complete lines to their rooms, and then sends each room's
//! bytes once to each of its members, author included. That is one send per recipient and per turn: nothing
//! that delivers over sockets with readiness I/O can do less, so other servers are told as a share of it.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::SocketAddr;

use anyhow::{Context, Result};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const LISTENER: Token = Token(usize::MAX);
const READ_BYTES: usize = 256 * 1024;
/// A member with more than this unsent is disconnected, so that a stalled load generator cannot eat the memory.
const UNSENT_BYTES_MAX: usize = 256 << 20;

struct Member {
    stream: TcpStream,
    room: Option<usize>,
    /// The beginning of a line whose end has not arrived.
    begun: Vec<u8>,
    /// What the socket did not take.
    unsent: Vec<u8>,
}

#[derive(Default)]
struct Room {
    members: Vec<usize>,
    /// What arrived in this turn.
    bytes: Vec<u8>,
}

#[derive(Default)]
struct Floor {
    members: Vec<Option<Member>>,
    rooms: Vec<Room>,
    names: HashMap<Vec<u8>, usize>,
    /// Rooms with bytes in this turn.
    dirty: Vec<usize>,
}

/// Serves until the process is killed.
///
/// # Errors
/// When the address cannot be listened on, or waiting for events fails.
pub fn serve(address: SocketAddr) -> Result<()> {
    let mut poll = Poll::new().context("epoll is not available")?;
    let mut listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(4096);
    let mut buffer = vec![0; READ_BYTES];
    let mut floor = Floor::default();
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other.context("waiting for sockets failed")?,
        }
        for event in &events {
            if event.token() == LISTENER {
                floor.accept(&listener, &poll)?;
                continue;
            }
            if event.is_writable() {
                floor.flush(event.token().0);
            }
            if event.is_readable() {
                floor.read(event.token().0, &mut buffer);
            }
        }
        floor.deliver();
    }
}

impl Floor {
    fn accept(&mut self, listener: &TcpListener, poll: &Poll) -> Result<()> {
        while let Ok((mut stream, _)) = listener.accept() {
            stream.set_nodelay(true)?;
            let token = Token(self.members.len());
            // Both interests from the start: with edge-triggered readiness nothing is ever changed again.
            poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
            self.members.push(Some(Member { stream, room: None, begun: Vec::new(), unsent: Vec::new() }));
        }
        Ok(())
    }

    fn read(&mut self, index: usize, buffer: &mut [u8]) {
        loop {
            let Some(member) = &mut self.members[index] else { return };
            match member.stream.read(buffer) {
                Ok(0) => return self.gone(index),
                Ok(count) => {
                    self.take(index, &buffer[..count]);
                    // A short read has emptied the socket: epoll(7) allows to wait for the next edge.
                    if count < buffer.len() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return self.gone(index),
            }
        }
    }

    /// Appends the complete lines of `bytes` to the member's room.
    fn take(&mut self, index: usize, mut bytes: &[u8]) {
        let Some(member) = &mut self.members[index] else { return };
        let room = match member.room {
            Some(room) => room,
            None => {
                let Some(end) = bytes.iter().position(|&b| b == b'\n') else {
                    return member.begun.extend_from_slice(bytes);
                };
                let name = [&member.begun, &bytes[..=end]].concat();
                member.begun.clear();
                member.unsent.extend_from_slice(&name);
                bytes = &bytes[end + 1..];
                let room = self.room(name, index);
                self.flush(index);
                room
            }
        };
        let Some(member) = &mut self.members[index] else { return };
        let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
        if whole > 0 {
            let room_bytes = &mut self.rooms[room].bytes;
            if room_bytes.is_empty() {
                self.dirty.push(room);
            }
            room_bytes.extend_from_slice(&member.begun);
            room_bytes.extend_from_slice(&bytes[..whole]);
            member.begun.clear();
        }
        member.begun.extend_from_slice(&bytes[whole..]);
    }

    /// Puts the member into the room that its first line names.
    fn room(&mut self, name: Vec<u8>, index: usize) -> usize {
        let next = self.rooms.len();
        let room = *self.names.entry(name).or_insert(next);
        if room == next {
            self.rooms.push(Room::default());
        }
        self.rooms[room].members.push(index);
        if let Some(member) = &mut self.members[index] {
            member.room = Some(room);
        }
        room
    }

    /// One send per member of every room that got something in this turn.
    fn deliver(&mut self) {
        for room in std::mem::take(&mut self.dirty) {
            let bytes = std::mem::take(&mut self.rooms[room].bytes);
            let members = std::mem::take(&mut self.rooms[room].members);
            for &index in &members {
                let Some(member) = &mut self.members[index] else { continue };
                let sent = if member.unsent.is_empty() { send(&mut member.stream, &bytes) } else { 0 };
                member.unsent.extend_from_slice(&bytes[sent..]);
                if member.unsent.len() > UNSENT_BYTES_MAX {
                    self.members[index] = None;
                }
            }
            let room = &mut self.rooms[room];
            (room.members, room.bytes) = (members, bytes);
            room.bytes.clear();
        }
    }

    fn flush(&mut self, index: usize) {
        let Some(member) = &mut self.members[index] else { return };
        let sent = send(&mut member.stream, &member.unsent);
        member.unsent.drain(..sent);
    }

    fn gone(&mut self, index: usize) {
        if let Some(Member { room: Some(room), .. }) = self.members[index].take() {
            self.rooms[room].members.retain(|&member| member != index);
        }
    }
}

/// Sends what the socket takes. A broken socket takes nothing; its end shows when it is read.
fn send(stream: &mut TcpStream, bytes: &[u8]) -> usize {
    let mut sent = 0;
    while sent < bytes.len() {
        match stream.write(&bytes[sent..]) {
            Ok(count) if count > 0 => sent += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => break,
        }
    }
    sent
}
