//! The plain door: lines of text for `nc`, telnet and the little socket clients that people write in class.
//!
//! What lives here: how lines look there (`render`, `numerics`, `modes`) and the machine that turns what these callers
//! type into IRC requests (`machine`, `commands`). Nothing that is said by one caller reaches another one's
//! terminal unsanitised.

mod accounts;
mod commands;
mod machine;
mod messages;
mod modes;
mod name;
mod numerics;
mod render;
mod split;

pub use machine::{Ask, PlainDoor};
pub use render::plain_caps;
pub(super) use render::render;

#[cfg(test)]
mod tests;
