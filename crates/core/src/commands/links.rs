//! `LINKS`: the servers of the network.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::asker;
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::line::Text;

/// `LINKS`: this server, for server operators. How a network is built is nobody else's business; the specification
/// allows to leave out servers from the list.
pub(crate) fn links(chat: &Chat, asking: &mut Asking<'_>, _message: &Message<'_>) -> Flow {
    if asker(chat, asking).is_some_and(|user| user.modes.operator) {
        let settings = asking.settings;
        let info = Text::from(format!("0 {}", settings.description));
        asking.numeric(Numeric::RPL_LINKS, [(&settings.server).into(), (&settings.server).into(), info]);
    }
    asking.refuse(Numeric::RPL_ENDOFLINKS, ["*".into()]);
    Flow::Done
}
