//! `INVITATION <code>`: the code with which the next `REGISTER` makes an account, where only those do who were invited.

use chinwag_wire::message::Message;

use super::reply::{line, tell};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::work::Secret;

/// Bytes of a code that anybody could have been given.
pub(crate) const CODE_BYTES_MAX: usize = 64;

/// `INVITATION <code>`. Whether it is a good one is said when it is used: this answers nobody's guesses.
pub(crate) fn invitation(_chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let code = message.params[0];
    let fits = !code.is_empty() && code.len() <= CODE_BYTES_MAX;
    asking.session.set_invitation(fits.then(|| Secret::from(code)));
    let text = if fits { "Your invitation is noted: register now" } else { "That is no invitation" };
    tell(asking.effects, line("NOTICE", ["*".into(), text.into()]));
    Flow::Done
}
