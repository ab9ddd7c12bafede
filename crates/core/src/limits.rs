//! Every bound of the chat that no configuration moves, in one place for those who list them. Each stands, with its unit and
//! what happens beyond it, beside what it bounds.

pub use crate::accounts::{FAILURES_MAX, REGISTERED_MAX};
pub use crate::chat::{ACCEPTED_MAX, PINS_MAX};
pub use crate::commands::bounds::*;
pub use crate::hooks::HOOKS_MAX;
pub use crate::keys::KEYS_MAX;
pub use crate::multiline::OPEN_MS_MAX;
pub use crate::search::TERMS_MAX;
pub use crate::tokens::TOKENS_MAX;
