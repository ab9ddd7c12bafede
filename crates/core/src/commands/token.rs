//! `TOKEN ADD <name> [<scopes>] [<bot>] | LIST | DEL <name>`: what programs of yours show instead of a password.

use chinwag_wire::message::Message;

use crate::accounts::{self, Way};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;

/// `TOKEN <subcommand> …`
pub(crate) fn token(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let words = message.params.join(" ");
    let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
    accounts::tokens(chat, asking, Way::Token, &words);
    Flow::Done
}
