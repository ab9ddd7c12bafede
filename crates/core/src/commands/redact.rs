//! `REDACT <room> <message> [:<reason>]`: a message is taken back.
//!
//! Specification: <https://ircv3.net/specs/extensions/message-redaction>.

use chinwag_wire::message::Message;

use super::deeds::{Deed, aim, deny, words};
use super::reply::{cut, given};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::event::Amendment;

const NAME: &str = "REDACT";

/// `REDACT <room> <number or msgid> [:<reason>]`
pub(crate) fn redact(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let (target, pointed) = (message.params[0], message.params[1]);
    if !asking.settings.allow_redact {
        let about = [given(target), given(pointed)];
        return deny(asking, NAME, "REDACT_FORBIDDEN", about, "Nothing is deleted on this server");
    }
    let aim = match aim(chat, asking, (NAME, Deed::Redact), target, pointed) {
        Ok(aim) => aim,
        Err(flow) => return flow,
    };
    let reason = words(message, 2);
    let reason = cut(&reason, asking.settings.kick_length);
    let reason = (!reason.is_empty()).then(|| reason.into());
    asking.propose(aim.amended(Amendment::Redacted { reason }, None));
    Flow::Done
}
