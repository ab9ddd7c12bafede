//! The terminal screens over a client: drawn to any terminal, without one of its own, without a socket or a clock.
//!
//! A driver owns terminal and sockets: the terminal's bytes go to [`App::input`], a server's to [`App::client_mut`], and
//! [`Painter`] turns [`App::screen`] into bytes for the terminal. The ssh door does the same inside the server.
//!
//! What lives here: what keys do ([`app`]), how things look (`draw`), how a conversation becomes rows ([`talk`]), a
//! terminal's bytes as keys ([`input`]), the message editor ([`editor`]), colours ([`theme`]), text that is wrapped and
//! cleaned ([`text`]), names found by a few letters ([`fuzzy`]). What does not: sockets, the terminal itself, files, the
//! protocol.

pub mod app;
mod draw;
pub mod editor;
pub mod fuzzy;
pub mod input;
pub mod paint;
pub mod screen;
pub mod talk;
pub mod text;
pub mod theme;

pub use app::{App, Exit, Options};
pub use paint::Painter;
pub use screen::Screen;
pub use theme::Palette;
