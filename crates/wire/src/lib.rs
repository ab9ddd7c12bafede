//! Text on the wire: everything that is bytes or characters and nothing that is state.
//!
//! What lives here: the line decoder and its limits, the IRC message and its tags, the tables (numerics,
//! capabilities, ISUPPORT, verbs), the plain dialect's framing, the detection of doors, and names as types.
//! What does not: sockets, clocks, rooms. Nothing here allocates on the path of a message unless it says so.
//!
//! Start here for the commonest change, a new numeric, capability or verb: one row in `numeric.rs`,
//! `caps.rs` or `verbs.rs`.

pub mod base64;
pub mod caps;
pub mod casemap;
pub mod detect;
pub mod extban;
pub mod isupport;
pub mod limits;
pub mod line;
pub mod mask;
pub mod message;
pub mod msgid;
pub mod names;
pub mod numeric;
pub mod plain;
pub mod proxy;
pub mod scram;
pub mod tags;
pub mod time;
pub mod verbs;

mod scan;
