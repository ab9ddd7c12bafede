//! What people keep for themselves and say of themselves: read marks and metadata.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Who;
use crate::chat::Reading;
use crate::ids::{Millis, RoomId, UserId};
use crate::metadata::Change;

/// What somebody or a room says of itself to programs has changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetadataSet {
    /// Where it is kept.
    pub on: MetadataOn,
    /// Who changed it.
    pub by: Arc<Who>,
    /// The target as the one who asked named it, who is to be answered; none when nobody asked just now.
    #[serde(skip)]
    pub answer: Option<Arc<str>>,
    /// Everything there was is taken away; then there are no changes.
    #[serde(default)]
    pub clear: bool,
    /// Keys and their values, or none where they are taken away.
    pub changes: Vec<Change>,
}

/// Where metadata is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetadataOn {
    /// With a room. Stored.
    Room {
        /// The room.
        room: RoomId,
        /// The room's rules when it was decided.
        basis: u32,
    },
    /// With an account. Stored.
    Account(Arc<str>),
    /// With a guest, as long as the guest is here.
    #[serde(skip)]
    Guest(UserId),
}

/// Somebody has read something.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadMarked {
    /// The account that keeps it; none for a guest, whose marks are not stored.
    pub account: Option<Arc<str>>,
    /// The user who read it.
    pub user: UserId,
    /// What.
    pub reading: Reading,
    /// The same as its reader is told of it.
    pub target: Arc<str>,
    /// The time of the last message read.
    pub to_ms: Millis,
    /// The mark that goes, where there would be too many.
    pub in_place_of: Option<Reading>,
}
