//! The terminal screens over a client: drawn to any terminal, without one of its own, without a socket or a clock.
//!
//! What lives here: a terminal's bytes as keys ([`input`]), the message editor ([`editor`]), colours ([`theme`]), text
//! that is wrapped and cleaned ([`text`]), names found by a few letters ([`fuzzy`]). What does not: sockets, the
//! terminal itself, files, the protocol.

pub mod editor;
pub mod fuzzy;
pub mod input;
pub mod text;
pub mod theme;
