//! What those who keep rooms and servers impose.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Who;
use crate::ids::Millis;

/// A ban of the server operators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerBanned {
    /// Whom it means, in its full form (see [`crate::chat::BanTarget`]).
    pub target: Arc<str>,
    /// Who set it.
    pub by: Arc<Who>,
    /// Why.
    pub reason: Arc<str>,
    /// Until when; for good without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<Millis>,
}

/// How a room is guarded for a while, and how long what is said in it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// Seconds between two messages of a member; none for none.
    Slow(Option<u32>),
    /// Minutes for which somebody has to be known before speaking; none for none.
    Lockdown(Option<u32>),
    /// Seconds for which messages are kept; none for as long as the server keeps them.
    Keep(Option<u32>),
    /// Whether every member may read who did what to keep the room.
    OpenRecords(bool),
}
