//! `PING <token>` and `PONG <token>`: whether the other side is there.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::commands::reply::line;
use crate::line::Text;

/// `PING <token>`: answered with the same token. A session's `PONG` leaves after everything that it caused
/// before; the node holds it back until then. Answered before registration too, since some clients ask then.
pub(crate) fn ping(_chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let token = match message.params.first() {
        None => {
            asking.refuse(Numeric::ERR_NEEDMOREPARAMS, ["PING".into()]);
            return Flow::Done;
        }
        Some(&"") => {
            asking.refuse(Numeric::ERR_NOORIGIN, []);
            return Flow::Done;
        }
        Some(token) => Text::from((*token).to_owned()),
    };
    let server = Text::from(&asking.settings.server);
    asking.reply(line("PONG", [server, token]));
    Flow::Done
}

/// `PONG <token>`: that the bytes came is all that counts, and the node has seen that.
pub(crate) fn pong(_chat: &Chat, _asking: &mut Asking<'_>, _message: &Message<'_>) -> Flow {
    Flow::Done
}
