//! Hooks of rooms.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Who;
use crate::hooks::Hooking;
use crate::ids::RoomId;

/// A room has another hook, or one less.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hooked {
    /// The room.
    pub room: RoomId,
    /// The room's rules when it was decided.
    pub basis: u32,
    /// Who did it.
    pub by: Arc<Who>,
    /// What.
    pub what: Hooking,
}
